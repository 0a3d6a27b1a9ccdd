"""Nothing is there by the API server's own word alone: another server answers 404 to whatever it is asked."""

import json
from typing import Any

import pytest

from tminus.errors import TminusError
from tminus.kubernetes import Access, Api


class Says(Api):
    """An API that gives one answer to everything."""

    def __init__(self, status: int, answer: str) -> None:
        super().__init__(Access("nowhere"))
        self.answer = status, answer

    async def _call(self, *asked: Any, **besides: Any) -> tuple[int, str]:
        del asked, besides
        return self.answer


async def test_a_missing_secret_is_told_by_the_api_server() -> None:
    told = {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}
    assert await Says(404, json.dumps(told)).metadata("/api/v1/namespaces/shop/secrets/db") is None


@pytest.mark.parametrize(
    "answer", ["404 page not found", "<h1>Not Found</h1>", "{}", "[]", '{"kind": "Secret"}']
)
async def test_what_another_server_does_not_know_is_not_missing(answer: str) -> None:
    with pytest.raises(TminusError, match=r"404"):
        await Says(404, answer).metadata("/api/v1/namespaces/shop/secrets/db")

"""Where a scanner or a monitor reports by itself what a person says with `tminus report`: `POST /hooks/report`.

It is the one address of the page that changes anything, so it is there only where a token was set for it, and takes
nothing without it.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tminus.errors import PartError, PlanError, RecordError, RefusedError, TminusError, UsageError

MOST_BYTES = 16 * 1024
"""Of a report; more is no report."""
_STATUS: dict[type[Exception], int] = {
    UsageError: 404,
    RefusedError: 409,
    RecordError: 409,
    PlanError: 409,
    PartError: 503,
}

Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Reported(BaseModel):
    """What somebody's program reports of the release that users are on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Word
    """Its own name for this report: the same sent again is one."""
    by: Word
    """Which program it is."""
    trigger: Word
    """The trigger whose condition holds, such as `trig.vulnerability`."""
    because: Annotated[str, Field(min_length=1, max_length=2000)]
    """What was found; it stands in the record."""
    digest: Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]
    """The image that it was found in: a finding about another one is refused."""
    launch: Annotated[str, Field(max_length=200)] = ""
    """The launch, or its environment; the only open one when left out."""


Report = Callable[[Reported], Awaitable[dict[str, str]]]
"""Gives the report to its launch; what came of it."""


def add_hook(app: FastAPI, token: str, report: Report) -> None:
    """Have the application take reports that carry this token; `token` is not empty."""

    @app.post("/hooks/report")
    async def hook(request: Request) -> Response:
        given = request.headers.get("authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
            return _said(401, "the token is missing or wrong", "send `Authorization: Bearer TOKEN`")
        content = await _content(request)
        if content is None:
            return _said(413, f"a report has at most {MOST_BYTES:,} bytes", "say less")
        try:
            reported = Reported.model_validate_json(content)
        except ValidationError as error:
            wrong = "; ".join(
                f"{'.'.join(map(str, one['loc'])) or 'the body'}: {one['msg']}" for one in error.errors()
            )
            return _said(422, f"this is no report: {wrong}", "see docs/how-to/feed-the-triggers.md")
        try:
            return JSONResponse(await report(reported), status_code=202)
        except TminusError as error:
            status = next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
            return _said(status, str(error), error.hint)


async def _content(request: Request) -> bytes | None:
    """The body; nothing for one that is too long, of which no more is read."""
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MOST_BYTES:
            return None
    return content


def _said(status: int, error: str, hint: str) -> JSONResponse:
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    return JSONResponse({"error": error, "hint": hint}, status_code=status, headers=headers)

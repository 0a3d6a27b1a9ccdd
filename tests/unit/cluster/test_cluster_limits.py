"""A cluster that answers without end, and kubeconfigs that are none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from tminus import loopback
from tminus.errors import PartError, UnreachableError
from tminus.kubernetes import Access, Api, api

if TYPE_CHECKING:
    from tests.kubernetes_world import kubeconfig
else:
    from kubernetes_world import kubeconfig


@asynccontextmanager
async def endless() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.StreamResponse:
        reply = web.StreamResponse()
        await reply.prepare(request)
        while True:
            await reply.write(b" " * 65536)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    port = loopback.free_port()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def test_an_answer_without_end_is_read_to_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api, "MAX_BYTES", 1024 * 1024)
    async with endless() as url:
        own = Api(Access(str(kubeconfig(tmp_path, url))))
        with pytest.raises(UnreachableError, match="more than 1 MiB"):
            await own.items("/api/v1/namespaces/shop/configmaps")
        await own.close()


@pytest.mark.parametrize(
    "text",
    [
        "- a",
        "text",
        "{",
        "current-context: [1]\ncontexts: 7\n",
        "\ttab: x",
        "contexts: [{name: a}]\ncurrent-context: a",
    ],
)
async def test_what_is_no_kubeconfig_is_told(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(PartError, match="kubeconfig") as told:
        await Access(str(file)).configuration()
    assert str(tmp_path) not in f"{told.value}{told.value.hint}"


async def test_a_kubeconfig_that_is_missing_is_told_as_such(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(PartError, match="the file is missing") as told:
        await Access(str(tmp_path / "none")).configuration()
    assert str(tmp_path) not in f"{told.value}{told.value.hint}"
    assert caplog.messages == []

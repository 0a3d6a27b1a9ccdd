"""Vault's API as tminus asks it: a real OpenBao, and the paths of the published descriptions."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from tminus import loopback
from tminus.errors import DeniedError, InconclusiveError, UnreachableError
from tminus.vault import Engine, asking, is_path

if TYPE_CHECKING:
    from tests.vault_world import Bao, bao
else:
    from vault_world import Bao, bao

SHARED = Path(__file__).parents[3] / "shared" / "openapi"
DESCRIPTIONS = (SHARED / "vault" / "openapi.json", SHARED / "openbao" / "openapi-2.7.2.json")
VALUE = "canary-contract-7f3a9c"


@pytest.fixture(scope="module")
def vault(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bao]:
    with bao(tmp_path_factory.mktemp("bao")) as made:
        yield made


async def test_it_says_how_it_is(vault: Bao) -> None:
    async with asking(vault.address) as api:
        health = await api.health()
    assert (health.status, health.problem) == (200, "")
    assert health.version.startswith("2.")


async def test_versions_are_told_without_what_they_say(vault: Bao) -> None:
    for number in range(3):
        vault.write("a/b", key=f"{VALUE}{number}", other="x")
    vault.ask("PUT", "secret/destroy/a/b", {"versions": [1]})
    vault.ask("POST", "secret/delete/a/b", {"versions": [2]})
    async with asking(vault.looking().address) as api:
        found = await api.metadata("secret", "a/b")
        names = await api.subkeys("secret", "a/b", 3)
        assert await api.metadata("secret", "a/none") is None
    assert found is not None
    assert found.current == 3
    assert [found.versions[number].destroyed for number in (1, 2, 3)] == [True, False, False]
    assert found.versions[2].deleted is not None
    assert found.versions[3].deleted is None
    assert found.versions[3].created > found.versions[1].created > 1_700_000_000
    assert names == {"key", "other"}
    assert VALUE not in f"{found}{names}"


async def test_what_is_mounted_is_told_to_who_may_see_something_below(vault: Bao) -> None:
    vault.ask("POST", "sys/mounts/deep/kv", {"type": "kv", "options": {"version": "1"}})
    async with asking(vault.looking().address) as own:
        assert await own.engine("secret/data/a/b") == Engine("secret", "kv", "2")
        assert await own.engine("deep/kv/x") is None
    async with asking(vault.address) as everything:
        assert await everything.engine("deep/kv/x/y") == Engine("deep/kv", "kv", "1")
        assert await everything.engine("nothing/x") is None


async def test_a_lease_runs_until_it_is_revoked(vault: Bao) -> None:
    identity = vault.login_once()
    async with asking(vault.looking().address) as api:
        lease = await api.lease(identity)
        assert lease is not None
        assert lease.seconds > 0
        vault.ask("PUT", "sys/leases/revoke", {"lease_id": identity})
        assert await api.lease(identity) is None


async def test_a_wrong_token_is_denied_and_not_shown(vault: Bao) -> None:
    async with asking(Bao(vault.url, "canary-token").address) as api:
        with pytest.raises(DeniedError) as denied:
            await api.metadata("secret", "a/b")
    assert "canary-token" not in f"{denied.value}{denied.value.hint}{api!r}{vars(api)}"


async def test_a_vault_without_raft_gives_no_snapshot(vault: Bao) -> None:
    async with asking(vault.address) as api:
        with pytest.raises(InconclusiveError, match="does not store by raft"):
            [piece async for piece in api.snapshot()]


@pytest.mark.parametrize("path", ["", "/", "..", "a/../b", "a//b", "./a"])
async def test_no_path_leads_elsewhere(vault: Bao, path: str) -> None:
    assert not is_path(path)
    async with asking(vault.address) as api:
        with pytest.raises(InconclusiveError, match="no path in Vault"):
            await api.metadata("secret", path)


@asynccontextmanager
async def saying(status: int, body: str, asked: list[web.Request] | None = None) -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        if asked is not None:
            asked.append(request)
        return web.Response(status=status, text=body)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    port = loopback.free_port()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, "no JSON", InconclusiveError),
        (200, '{"data": {"versions": []}}', InconclusiveError),
        (200, "[1]", InconclusiveError),
        (307, "", UnreachableError),
        (429, "", UnreachableError),
        (503, "", UnreachableError),
        (403, "", DeniedError),
    ],
)
async def test_an_answer_that_is_none_is_never_taken_for_one(
    status: int, body: str, error: type[Exception]
) -> None:
    async with saying(status, body) as url, asking(url) as api:
        with pytest.raises(error):
            await api.metadata("secret", "a")


async def test_what_is_no_vault_is_not_well(vault: Bao) -> None:
    del vault
    async with saying(404, "") as url, asking(url) as api:
        with pytest.raises(UnreachableError, match="how it is"):
            await api.health()


@pytest.mark.parametrize(
    ("status", "words"), [(474, "does not reach its active"), (530, "removed"), (503, "sealed")]
)
async def test_each_state_of_vault_is_told_as_what_it_is(status: int, words: str) -> None:
    async with saying(status, "{}") as url, asking(url) as api:
        assert words in (await api.health()).problem


@pytest.mark.parametrize(
    ("status", "said", "error", "words"),
    [
        (400, "raft storage is not in use", InconclusiveError, "does not store by raft"),
        (404, "1 error occurred: * unsupported path", InconclusiveError, "does not store by raft"),
        (500, "write /tmp/x: no space left on device", UnreachableError, "no space left"),
        (400, "something else", InconclusiveError, "something else"),
    ],
)
async def test_why_there_is_no_snapshot_is_vault_s_own_word(
    status: int, said: str, error: type[Exception], words: str
) -> None:
    async with saying(status, json.dumps({"errors": [said]})) as url, asking(url) as api:
        with pytest.raises(error, match=words):
            [piece async for piece in api.snapshot()]


@pytest.mark.parametrize(
    "body",
    [
        '{"data": {"versions": {"a": {}}}}',
        '{"data": {"versions": {}, "current_version": []}}',
        '{"data": {"versions": {}, "current_version": "x"}}',
    ],
)
async def test_versions_that_are_no_numbers_are_told(body: str) -> None:
    async with saying(200, f'{{"data": {body}}}') as url, asking(url) as api:
        with pytest.raises(InconclusiveError, match=r"no numbers|no versions"):
            await api.metadata("secret", "a")


async def test_a_namespace_is_the_one_that_is_said_and_the_address_s_where_nobody_says_one() -> None:
    asked: list[web.Request] = []
    body = '{"data": {"last_snapshot_end": "2026-01-31T12:00:00Z", "subkeys": {}}}'
    async with saying(200, body, asked) as url, asking(f"{url}?namespace=team") as api:
        await api.subkeys("secret", "a", 1)
        await api.subkeys("secret", "a", 1, "")
        await api.subkeys("secret", "a", 1, "own")
        await api.automatic("hourly")
    assert [one.headers.get("X-Vault-Namespace") for one in asked] == ["team", None, "own", None]


@pytest.mark.parametrize("file", DESCRIPTIONS, ids=["vault", "openbao"])
def test_every_path_that_is_asked_for_is_published(file: Path) -> None:
    if not file.exists():
        pytest.skip("the published descriptions are not on this machine")
    described: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))["paths"]
    shapes = {
        re.sub(r"\{[^}]*\}", "*", path).replace("/secret/", "/*/"): set(ways)
        for path, ways in described.items()
    }
    asked = {
        "/sys/health": "get",
        "/sys/internal/ui/mounts/*": "get",
        "/*/metadata/*": "get",
        "/*/subkeys/*": "get",
        "/sys/leases/lookup": "post",
    }
    for path, way in asked.items():
        assert way in shapes.get(path, set()), path
    own = {"vault": "/sys/storage/raft/snapshot-auto/status/*", "openbao": "/sys/storage/raft/snapshot"}
    assert "get" in shapes[own[file.parent.name]]

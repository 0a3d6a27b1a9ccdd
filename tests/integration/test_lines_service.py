"""Lines about what serves: blue kept for rollback, the parts, health, login, search, uploads."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus import loopback, processes
from tminus.domain.evidence import Verdict
from tminus.domain.traffic import Side
from tminus.probes import depot
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.integration.line_register import line
    from tests.integration.line_world import (
        NOWHERE,
        Scene,
        World,
        answering,
        execute,
        fails,
        health_status,
        listening,
        serving,
        shows,
    )
else:
    from line_register import line
    from line_world import (
        NOWHERE,
        Scene,
        World,
        answering,
        execute,
        fails,
        health_status,
        listening,
        serving,
        shows,
    )

SILENT = """
import sys
from aiohttp import web

async def answer(request):
    return web.json_response({})

application = web.Application()
application.router.add_route("*", "/{path:.*}", answer)
web.run_app(application, host="127.0.0.1", port=int(sys.argv[1]), print=None)
"""


@asynccontextmanager
async def changed(world: World, *statements: str, undo: tuple[str, ...]) -> AsyncIterator[Scene]:
    """The served database after a change, which is undone."""
    address = world.scene.site.database
    execute(address, *statements)
    try:
        yield world.scene
    finally:
        execute(address, *undo)


def on_insert(table: str, name: str, change: str) -> tuple[str, str]:
    """The statements that have every new row of a table changed."""
    body = f"$$ BEGIN {change} RETURN NEW; END $$"
    return (
        f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS {body}",
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
    )


def unreachable(scene: Scene) -> Scene:
    return scene.on(public=f"http://127.0.0.1:{loopback.free_port()}")


def without_admin_socket(scene: Scene, tmp_path: Path) -> Scene:
    return scene.on(admin=tmp_path / "gone.sock")


class TestBlue:
    @line("t1.blue", "passed", "blue runs the previous release, is up, and passes the smoke tests")
    async def test_passes(self, world: World) -> None:
        shows(await world.scene.judge("t1.blue"), Verdict.PASSED)

    @line("t1.blue", "failed", "blue was killed", mutation=33)
    async def test_fails_without_blue(self, world: World) -> None:
        await world.process("blue").kill()
        try:
            fails(await world.scene.judge("t1.blue"), world.scene.plan, "blue does not run")
        finally:
            await world.restart(Side.BLUE)

    @line("t1.blue", "failed", "blue runs another image than before the launch", mutation=34)
    async def test_fails_with_another_image_on_blue(self, world: World) -> None:
        other = world.scene.release
        await world.scene.target().start(Side.BLUE, other)
        try:
            words = f"blue runs {other}, not {world.scene.previous}"
            fails(await world.scene.judge("t1.blue"), world.scene.plan, words)
        finally:
            await world.restart(Side.BLUE)

    @line("t1.blue", "failed", "blue runs, but the schema no longer fits it", mutation=35)
    async def test_fails_when_blue_could_not_take_traffic(self, world: World) -> None:
        away = "ALTER TABLE documents RENAME TO documents_away"
        back = "ALTER TABLE documents_away RENAME TO documents"
        async with changed(world, away, undo=(back,)) as scene:
            fails(await scene.judge("t1.blue"), scene.plan, "search: store a document: 503, not 201")

    @line("t1.blue", "inconclusive", "what answers as blue does not say which image it is")
    async def test_an_answer_without_a_name_proves_nothing(self, world: World) -> None:
        target = world.scene.target()
        await world.process("blue").kill()
        argv = [sys.executable, "-c", SILENT, str(world.stage.blue_port)]
        stranger = processes.start(world.stage.folder, "blue", argv, env=dict(os.environ))
        try:

            async def up() -> bool:
                return (
                    await health_status(target.private_url(Side.BLUE)) == 200
                    and (await target.proxy.servers())[Side.BLUE].up
                )

            await processes.wait_until(up, 20, "the stranger")
            shows(await world.scene.judge("t1.blue"), Verdict.INCONCLUSIVE, "which image")
        finally:
            await stranger.kill()
            await world.restart(Side.BLUE)

    @line("t1.blue", "error", "the proxy's admin socket does not answer")
    async def test_without_the_proxy_nothing_is_known(self, world: World, tmp_path: Path) -> None:
        claim = await without_admin_socket(world.scene, tmp_path).judge("t1.blue")
        shows(claim, Verdict.ERROR, "HAProxy does not answer")


class TestParts:
    @line(
        "ok.services",
        "passed",
        "proxy, database, Redis, worker and green run, and the proxy counts green as able to serve",
    )
    async def test_passes(self, world: World) -> None:
        shows(await world.scene.judge("ok.services"), Verdict.PASSED)

    @line("ok.services", "failed", "green was killed", mutation=48)
    async def test_fails_without_green(self, world: World) -> None:
        await world.process("green").kill()
        try:
            fails(await world.scene.judge("ok.services"), world.scene.plan, "^green, expected empty")
        finally:
            await world.restart(Side.GREEN)

    @line("ok.services", "failed", "the worker was killed while the pages answer", mutation=50)
    async def test_fails_without_the_worker(self, world: World) -> None:
        await world.process("worker").kill()
        try:
            fails(await world.scene.judge("ok.services"), world.scene.plan, "^worker, expected empty")
        finally:
            await world.start_worker()

    @line("ok.services", "failed", "Redis was killed")
    async def test_fails_without_redis(self, world: World) -> None:
        await world.process("redis").kill()
        try:
            fails(await world.scene.judge("ok.services"), world.scene.plan, "^redis, expected empty")
        finally:
            await world.stage.start_supporting("redis")

    async def test_fails_when_green_runs_but_cannot_serve(self, world: World) -> None:
        await world.scene.target().proxy.set_address(Side.GREEN, 1)
        try:

            async def down() -> bool:
                return (await world.scene.target().proxy.servers())[Side.GREEN].status == "DOWN"

            await processes.wait_until(down, 20, "the proxy to miss green")
            fails(await world.scene.judge("ok.services"), world.scene.plan, "green runs but cannot serve")
        finally:
            await world.restart(Side.GREEN)

    @line("ok.services", "inconclusive", "the stage names no part")
    async def test_no_parts_prove_nothing(self, world: World) -> None:
        claim = await world.scene.on(parts=dict).judge("ok.services")
        shows(claim, Verdict.INCONCLUSIVE, "no part was looked at")
        check = replace(world.scene.plan.check("ok.services"), arguments={"parts": []})
        shows(await world.scene.judge(check), Verdict.INCONCLUSIVE, "no part was looked at")

    @line("ok.services", "error", "the proxy's admin socket does not answer")
    async def test_without_the_proxy_nothing_is_known(self, world: World, tmp_path: Path) -> None:
        claim = await without_admin_socket(world.scene, tmp_path).judge("ok.services")
        shows(claim, Verdict.ERROR, "HAProxy does not answer")


class TestHealth:
    @line("ok.health", "passed", "five answers in a row are 200, of the release, with every dependency up")
    async def test_passes(self, world: World) -> None:
        shows(await world.scene.judge("ok.health"), Verdict.PASSED)

    @line("ok.health", "failed", "the service has no database and says 503", mutation=41)
    async def test_fails_without_a_dependency(self, world: World) -> None:
        async with serving(world, world.scene.given(DATABASE_URL=NOWHERE), "no-database") as address:
            claim = await world.scene.on(public=address).judge("ok.health")
            fails(claim, world.scene.plan, "answer 1: status 503")

    @line("ok.health", "failed", "the previous release answers", mutation=42)
    async def test_fails_with_another_release(self, world: World) -> None:
        await world.scene.target().set_weight(0)
        try:
            words = f"runs {world.scene.previous}, not {world.scene.release}"
            fails(await world.scene.judge("ok.health"), world.scene.plan, words)
        finally:
            await world.scene.target().set_weight(100)

    @line("ok.health", "failed", "only some of five answers in a row are of the release", mutation=43)
    async def test_fails_when_only_some_answers_are_good(self, world: World) -> None:
        # Half of them: those who probe from outside take their turns too.
        await world.scene.target().set_weight(50)
        try:
            claim = await world.scene.judge("ok.health")
            fails(claim, world.scene.plan, r"^answer \d: runs")
            assert 1 <= claim.why.count("answer") <= 4
        finally:
            await world.scene.target().set_weight(100)

    @line("ok.health", "inconclusive", "the page is 200 and empty")
    async def test_an_empty_page_proves_nothing(self, world: World) -> None:
        for body in ("", "[]"):
            async with answering(200, body) as address:
                claim = await world.scene.on(public=address).judge("ok.health")
                shows(claim, Verdict.INCONCLUSIVE, "no JSON")

    @line("ok.health", "error", "nothing listens at the public address")
    async def test_without_an_answer_nothing_is_known(self, world: World) -> None:
        shows(await unreachable(world.scene).judge("ok.health"), Verdict.ERROR, "is something listening")


class TestLogin:
    @line("ok.auth", "passed", "the right password and token open, wrong ones do not")
    async def test_passes(self, world: World) -> None:
        shows(await world.scene.judge("ok.auth"), Verdict.PASSED)

    @line("ok.auth", "failed", "the service lets a wrong password in", mutation=54)
    async def test_fails_when_a_wrong_password_opens(self, world: World, tmp_path: Path) -> None:
        change = ("return hmac.compare_digest(salted_hash(password, salt), expected)", "return True")
        patched = world.patched(tmp_path / "images", credentials=change)
        async with serving(world, patched, "lax-password") as address:
            claim = await world.scene.on(public=address).judge("ok.auth")
            fails(claim, world.scene.plan, "login with a wrong password: 200, not 401")

    @line("ok.auth", "failed", "a protected page opens with a forged token, and without one", mutation=55)
    async def test_fails_when_a_page_is_open(self, world: World, tmp_path: Path) -> None:
        change = (
            'raise _unauthorized("a valid bearer token is needed: POST /login")\n    return name',
            'name = "tminus"\n    return name',
        )
        async with serving(world, world.patched(tmp_path / "images", login=change), "open-door") as address:
            claim = await world.scene.on(public=address).judge("ok.auth")
            words = ("with a forged token: 200, not 401", "without a token: 200, not 401")
            fails(claim, world.scene.plan, *words)

    @line("ok.auth", "failed", "the user was removed", mutation=56)
    async def test_fails_without_the_user(self, world: World) -> None:
        away, back = ("UPDATE users SET name = '{}' WHERE name = '{}'".format(*names) for names in _NAMES)
        async with changed(world, away, undo=(back,)) as scene:
            fails(await scene.judge("ok.auth"), scene.plan, "login: 401, not 200")

    @line("ok.auth", "inconclusive", "the login answers 200 and nothing else")
    async def test_an_empty_answer_proves_nothing(self, world: World) -> None:
        async with answering(200, "{}") as address:
            claim = await world.scene.on(public=address).judge("ok.auth")
            shows(claim, Verdict.INCONCLUSIVE, "has no 'token'")

    @line("ok.auth", "error", "nothing listens at the public address")
    async def test_without_an_answer_nothing_is_known(self, world: World) -> None:
        shows(await unreachable(world.scene).judge("ok.auth"), Verdict.ERROR, "is something listening")


_NAMES = (("away", "tminus"), ("tminus", "away"))


class TestSearch:
    @line("ok.search", "passed", "a new document is found, a removed one is not")
    async def test_passes(self, world: World) -> None:
        shows(await world.scene.judge("ok.search"), Verdict.PASSED)

    @line("ok.search", "failed", "new documents no longer reach the index", mutation=57)
    async def test_fails_when_the_index_is_not_filled(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(depot, "SEARCHABLE_WITHIN", 1.0)
        empty = on_insert("documents", "unfound", "NEW.title = ''; NEW.body = '';")
        async with changed(world, *empty, undo=("DROP FUNCTION unfound CASCADE",)) as scene:
            fails(await scene.judge("ok.search"), scene.plan, "the document is found within 1 s: no")

    @line("ok.search", "inconclusive", "the synthetic user cannot log in")
    async def test_without_a_login_nothing_is_shown(self, world: World) -> None:
        claim = await world.scene.on(password="another password").judge("ok.search")
        shows(claim, Verdict.INCONCLUSIVE, "cannot log in")

    async def test_an_empty_answer_proves_nothing(self, world: World) -> None:
        async with answering(200, '{"token": "t"}') as address:
            claim = await world.scene.on(public=address).judge("ok.search")
            shows(claim, Verdict.INCONCLUSIVE, "has no 'results'")

    @line("ok.search", "error", "nothing listens at the public address")
    async def test_without_an_answer_nothing_is_known(self, world: World) -> None:
        shows(await unreachable(world.scene).judge("ok.search"), Verdict.ERROR, "is something listening")


class TestUpload:
    @line("ok.upload", "passed", "a file comes back unchanged; too large, wrong type and removed are refused")
    async def test_passes(self, world: World) -> None:
        shows(await world.scene.judge("ok.upload"), Verdict.PASSED)

    async def test_what_it_has_refused_is_no_failure_for_the_guard(
        self, world: World, tmp_path: Path
    ) -> None:
        trace = listening(world, tmp_path / "trace.jsonl")
        began = SystemClock().now()
        await trace.start()
        shows(await world.scene.judge("ok.upload"), Verdict.PASSED)

        async def told() -> bool:
            return [outcome.status for outcome in trace.outcomes()].count(413) >= 2

        try:
            await processes.wait_until(told, 10, "the refusals of the check and of its control")
        finally:
            await trace.stop()
        # The proxy's ring still holds what other tests have had fail before.
        failed = [one for one in trace.outcomes() if one.failed and one.at >= began]
        assert [one for one in failed if one.side is not None] == []

    @line("ok.upload", "failed", "stored bytes are damaged", mutation=59)
    async def test_fails_with_damaged_bytes(self, world: World) -> None:
        flip = "NEW.content = set_byte(NEW.content, 0, get_byte(NEW.content, 0) # 1);"
        damage = on_insert("files", "damage", flip)
        async with changed(world, *damage, undo=("DROP FUNCTION damage CASCADE",)) as scene:
            fails(await scene.judge("ok.upload"), scene.plan, "the download has the same SHA-256: no")

    @line("ok.upload", "failed", "a file above the limit is taken", mutation=60)
    async def test_fails_when_an_oversize_file_is_taken(self, world: World) -> None:
        async with serving(world, world.scene.given(UPLOAD_MAX_BYTES="100000000"), "greedy") as address:
            claim = await world.scene.on(public=address).judge("ok.upload")
            fails(claim, world.scene.plan, "upload of 32 MiB: 201, not 413")

    @line("ok.upload", "failed", "files cannot be stored", mutation=61)
    async def test_fails_when_nothing_can_be_stored(self, world: World) -> None:
        forbid, allow = "REVOKE INSERT ON files FROM depot", "GRANT INSERT ON files TO depot"
        async with changed(world, forbid, undo=(allow,)) as scene:
            fails(await scene.judge("ok.upload"), scene.plan, "upload of 1024 kB: 500, not 201")

    @line("ok.upload", "inconclusive", "the synthetic user cannot log in")
    async def test_without_a_login_nothing_is_shown(self, world: World) -> None:
        claim = await world.scene.on(password="another password").judge("ok.upload")
        shows(claim, Verdict.INCONCLUSIVE, "cannot log in")

    @line("ok.upload", "error", "nothing listens at the public address")
    async def test_without_an_answer_nothing_is_known(self, world: World) -> None:
        shows(await unreachable(world.scene).judge("ok.upload"), Verdict.ERROR, "is something listening")

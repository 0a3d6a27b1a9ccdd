"""The line about integrations: events to the partner, messages from it, what waits, and what no secret escapes into."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import redis

from tminus import loopback, processes
from tminus.control.readiness import Readiness
from tminus.domain.evidence import Verdict
from tminus.domain.plan import Check
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.integration.line_register import line
    from tests.integration.line_world import (
        Kept,
        Scene,
        World,
        answering,
        fails,
        health_status,
        send_users,
        shows,
    )
    from tests.integration.test_lines_gates import a_depot, own_counts, with_arguments
    from tests.integration.test_lines_service import changed, unreachable
else:
    from line_register import line
    from line_world import Kept, Scene, World, answering, fails, health_status, send_users, shows
    from test_lines_gates import a_depot, own_counts, with_arguments
    from test_lines_service import changed, unreachable

OTHER = "a secret that the other side lacks"
LINE = "ok.integrations"


def hasty(scene: Scene) -> Check:
    """The line with little patience, for events that never come."""
    return with_arguments(scene, LINE, within_seconds=5)


@asynccontextmanager
async def partner(world: World, secret: str, *options: str) -> AsyncIterator[str]:
    """One more partner; its address."""
    port = loopback.free_port()
    command = [sys.executable, "-P", "-m", "tminus.standins.partner", "--port", str(port), *options]
    env = {**os.environ, "STANDINS_PARTNER": secret}
    process = processes.start(world.stage.folder, "another-partner", command, env=env)
    address = f"http://127.0.0.1:{port}"

    async def answers() -> bool:
        return await health_status(address) == 200

    try:
        await process.ready(answers, 20)
        yield address
    finally:
        await process.kill()


@asynccontextmanager
async def worker(world: World, scene: Scene) -> AsyncIterator[None]:
    """One more worker, as this scene has it."""
    command = await scene.releases().invocation(scene.release, "worker")
    log = world.stage.folder / "another-worker" / "log"
    before = log.stat().st_size if log.exists() else 0
    process = processes.start(world.stage.folder, "another-worker", command.argv, env=command.env)

    async def works() -> bool:
        return b"worker started" in log.read_bytes()[before:]

    try:
        await process.ready(works, 30)
        yield
    finally:
        await process.kill()


@asynccontextmanager
async def apart(world: World, *options: str, works: bool = True, signs: str = "") -> AsyncIterator[Scene]:
    """A depot with a database, a queue, a partner and a worker of its own, so that no other worker helps it."""
    secret = world.scene.site.settings["DEPOT_WEBHOOK_SECRET"]
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(partner(world, secret, *options))
        scene = own_counts(world.scene).given(
            DATABASE_URL=world.copy(world.after),
            WEBHOOK_URL=f"{address}/events",
            WEBHOOK_SECRET=signs or secret,
        )
        scene = await stack.enter_async_context(a_depot(world, scene, "apart"))
        if works:
            await stack.enter_async_context(worker(world, scene))
        yield scene.on(partner=address)


class TestIntegrations:
    @line(
        LINE,
        "passed",
        "the partner takes an event, depot takes a message, and what is forged, late or replayed not",
    )
    async def test_passes(self, world: World) -> None:
        shows(await world.scene.judge(LINE), Verdict.PASSED)

    @line(LINE, "failed", "the partner answers 500", mutation=144)
    async def test_fails_when_the_partner_does_not_take_events(self, world: World) -> None:
        async with apart(world, "--answer", "500") as scene:
            words = r"the partner takes the event \(it said 500\): no"
            fails(await scene.judge(hasty(scene)), scene.plan, words)

    @line(LINE, "failed", "no worker runs", mutation=145)
    async def test_fails_without_a_worker(self, world: World) -> None:
        async with apart(world, works=False) as scene:
            words = "the event about it reaches the partner within 5 s: no"
            fails(await scene.judge(hasty(scene)), scene.plan, words)

    @line(LINE, "failed", "events are signed with another secret than the partner's", mutation=146)
    async def test_fails_when_the_signature_is_wrong(self, world: World) -> None:
        async with apart(world, signs=OTHER) as scene:
            claim = await scene.judge(hasty(scene))
            fails(
                claim,
                scene.plan,
                "the event's signature is right: no",
                r"takes the event \(it said 401\): no",
            )
            assert OTHER not in claim.why

    async def _fails(self, world: World, folder: Path, patch: tuple[str, str], words: str) -> None:
        async with a_depot(world, world.patched(folder / "images", hooks=patch), "hooked") as scene:
            fails(await scene.judge(LINE), scene.plan, words)

    @line(LINE, "failed", "a forged message is taken", mutation=147)
    async def test_fails_when_anybody_can_send_messages(self, world: World, tmp_path: Path) -> None:
        patch = ("if not is_signed(secret, x_depot_timestamp, x_depot_signature, body):", "if not body:")
        await self._fails(world, tmp_path, patch, "a forged message: 200, not 401")

    @line(LINE, "failed", "a rightly signed message is refused", mutation=148)
    async def test_fails_when_the_secrets_differ(self, world: World) -> None:
        async with a_depot(world, world.scene.given(HOOK_SECRET=OTHER), "hooked") as scene:
            settings = world.scene.site.settings
            claim = await scene.on(settings=settings).judge(LINE)
            fails(claim, scene.plan, "a signed message: 401, not 200")
            assert settings["DEPOT_HOOK_SECRET"] not in claim.why

    @line(LINE, "failed", "a recorded message is taken again", mutation=149)
    async def test_fails_when_messages_can_be_played_again(self, world: World, tmp_path: Path) -> None:
        patch = ("(query, (signature,)) is not None", "(query, (signature,)) is database")
        await self._fails(world, tmp_path, patch, "the same message played again: 200, not 409")

    @line(LINE, "failed", "a message is acknowledged and not kept", mutation=150)
    async def test_fails_when_messages_are_lost(self, world: World, tmp_path: Path) -> None:
        patch = ("fresh = await _keep(parts.database, message, x_depot_signature)", "fresh = True")
        await self._fails(world, tmp_path, patch, "what became of it: 404, not 200")

    async def test_fails_when_old_messages_are_taken(self, world: World, tmp_path: Path) -> None:
        patch = ("if not is_timely(x_depot_timestamp, wall_clock()):", "if not body:")
        await self._fails(world, tmp_path, patch, "a message of an hour ago: 200, not 401")

    @line(LINE, "failed", "an event has waited in the outbox for an hour", mutation=151)
    async def test_fails_when_an_event_waits_for_long(self, world: World) -> None:
        late = "now() - interval '1 hour', now() + interval '1 hour'"
        add = f"INSERT INTO outbox (event, data, created_at, next_at) VALUES ('stuck', '{{}}', {late})"
        async with changed(world, add, undo=("DELETE FROM outbox WHERE event = 'stuck'",)) as scene:
            words = r"the oldest event waits for less than 300 s \(it waits for 360\d(\.\d+)? s\): no"
            fails(await scene.judge(LINE), scene.plan, words)

    @line(LINE, "failed", "a job has waited in the queue for an hour", mutation=152)
    async def test_fails_when_a_job_waits_for_long(self, world: World) -> None:
        with redis.Redis.from_url(world.scene.site.settings["DEPOT_REDIS_URL"]) as keys:
            asked = int(SystemClock().now()) - 3600
            keys.hset("depot:job:stuck", mapping={"kind": "export", "owner": "tminus", "asked_at": asked})
            keys.sadd("depot:workers", "busy")
            keys.set("depot:alive:busy", "1", ex=60)
            keys.lpush("depot:processing:busy", "stuck")
            try:
                words = r"the oldest job waits for less than 300 s \(it waits for 360\d s\): no"
                fails(await world.scene.judge(LINE), world.scene.plan, words)
            finally:
                keys.srem("depot:workers", "busy")
                keys.delete("depot:job:stuck", "depot:alive:busy", "depot:processing:busy")

    @line(LINE, "inconclusive", "nobody told the launch how to be the partner")
    async def test_without_a_partner_to_ask_nothing_is_shown(self, world: World) -> None:
        shows(await world.scene.on(partner="").judge(LINE), Verdict.INCONCLUSIVE, "how to be depot's partner")

    async def test_a_partner_that_does_not_tell_proves_nothing(self, world: World) -> None:
        async with answering(200, "{}") as address:
            claim = await world.scene.on(partner=address).judge(LINE)
            shows(claim, Verdict.INCONCLUSIVE, "does not tell which events came")

    @line(LINE, "error", "nothing listens at the public address")
    async def test_without_an_answer_nothing_is_known(self, world: World) -> None:
        shows(await unreachable(world.scene).judge(LINE), Verdict.ERROR, "is something listening")


async def test_what_a_document_leaves_behind_is_only_its_events(world: World) -> None:
    def documents() -> int:
        with psycopg.connect(world.scene.site.database) as connection:
            row = connection.execute("SELECT count(*) FROM documents").fetchone()
            assert row is not None
            return int(row[0])

    before = documents()
    shows(await world.scene.judge(LINE), Verdict.PASSED)
    assert documents() == before


async def test_users_are_served_while_redis_is_away_and_limited_when_it_is_back(world: World) -> None:
    await world.process("redis").kill()
    try:
        statuses = await send_users(world.scene, 300, at_once=12)
    finally:
        await world.stage.start_supporting("redis")
    assert set(statuses) == {401}, "no token is refused as ever, and nothing fails"

    async def counted() -> bool:
        return (await world.scene.judge("cfg.ratelimit")).verdict is Verdict.PASSED

    await processes.wait_until(counted, 60, "limits that count again")
    shows(await world.scene.judge(replace(world.scene.plan.check(LINE), control=None)), Verdict.PASSED)


async def test_no_secret_stands_in_what_is_recorded_or_logged(world: World) -> None:
    names = ("DEPOT_REDIS_URL", "DEPOT_WEBHOOK_SECRET", "DEPOT_HOOK_SECRET")
    settings = world.scene.site.settings
    hidden = {settings[name] for name in names} | {settings["DEPOT_REDIS_URL"].partition("@")[0][-32:]}
    await world.process("redis").kill()
    try:
        kept = await _recorded(world.scene)
    finally:
        await world.stage.start_supporting("redis")
    texts = {"record": kept, "site": repr(world.scene.site)}
    for part in ("worker", "partner", "green", "blue"):
        texts[f"log of {part}"] = (world.stage.folder / part / "log").read_text()
    texts["script of the worker"] = (world.stage.folder / "worker" / "run.sh").read_text()
    texts["arguments"] = " ".join(_arguments(world))
    for where, text in texts.items():
        assert [secret for secret in hidden if secret in text] == [], where


async def _recorded(scene: Scene) -> str:
    """Everything that the record holds after these lines were looked at, as text."""
    kept = Kept()
    readiness = Readiness(scene.plan.checks, kept, scene.systems(), SystemClock())
    checks = [scene.plan.check(name) for name in ("cfg.env", "cfg.flags", "cfg.ratelimit", "cfg.cors", LINE)]
    async with asyncio.timeout(100):
        await readiness.observe(checks, "test")
    events: list[Any] = [[event.key, dict(event.data)] for event in kept.kept]
    return json.dumps(events)


def _arguments(world: World) -> list[str]:
    """What everybody on this machine can read of the stage's processes."""
    return [word for process in processes.strays(world.stage.folder) for word in process._process.cmdline()]

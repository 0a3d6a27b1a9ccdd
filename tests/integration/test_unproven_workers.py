"""A real worker, and somebody who has the database's password: what is forged there is not acted on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

if TYPE_CHECKING:
    from tests.conftest import Cluster
    from tests.integration.test_launch_signed import Team, team
    from tests.integration.test_launch_workers import Yard, yard_at
else:
    from test_launch_signed import Team, team
    from test_launch_workers import Yard, yard_at

from tminus.control.ports import Json
from tminus.domain.attestation import Decision, decision_statement, evidence_root
from tminus.domain.canonical import timestamp
from tminus.domain.course import course_of
from tminus.domain.poll import shown
from tminus.domain.record import Entry, Event, append, encode
from tminus.domain.rollout import State
from tminus.errors import OutOfSequenceError
from tminus.processes import wait_until
from tminus.signing import Signer, sign_statement
from tminus.store import RecordStore, connect

pytestmark = pytest.mark.slow

WRITE = text(
    "insert into tm_event (launch, seq, prev, key, type, at, line)"
    " values (:launch, :seq, :prev, :key, :type, :at, :line)"
)
CHANGE = text("update tm_event set line = :line where launch = :launch and seq = :seq")


@asynccontextmanager
async def yard_of(kind: str, folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Yard]:
    """A yard on one of the two databases."""
    if kind == "sqlite":
        url = f"sqlite:///{folder / 'tminus.db'}"
    else:
        postgres: Cluster = request.getfixturevalue("postgres")
        url = postgres.engine_database()
    async with yard_at(url, folder) as yard:
        yield yard


def written(url: str, launch: str, entry: Entry, last: Event) -> None:
    """Write an entry into the record with nothing but SQL, chained as it would be."""
    engine = connect(url)
    try:
        with engine.begin() as connection:
            event = append(last, entry)
            row = {name: getattr(event, name) for name in ("seq", "prev", "key", "type", "at")}
            connection.execute(WRITE, {"launch": launch, "line": encode(event), **row})
    finally:
        engine.dispose()


def changed(url: str, launch: str, seq: int, line: bytes) -> None:
    """Put another line in the place of one."""
    engine = connect(url)
    try:
        with engine.begin() as connection:
            connection.execute(CHANGE, {"launch": launch, "seq": seq, "line": line})
    finally:
        engine.dispose()


async def forge(found: Team) -> None:
    """A GO in the name of who decides, by a key of one's own, without anybody's sign-off."""
    while True:
        scene = await found.scene()
        lead = next(role for role in scene.plan.roles if role.decides)
        at, polled = timestamp(scene.now), shown(scene.events)
        assert polled is not None
        said = Decision(found.launch, lead.id, lead.person, "go", at, "all is well")
        statement = decision_statement(said, polled.release, evidence_root(polled)[1])
        data: Json = {"decision": "go", "by": lead.person, "role": lead.id, "simulated": False}
        data |= {"reason": said.reason, "envelope": sign_statement(Signer.generate(), statement)}
        made = Entry("decision.made", scene.course.key("decision"), data, at)
        try:
            await asyncio.to_thread(written, found.yard.url, found.launch, made, scene.events[-1])
        except IntegrityError:
            continue  # the worker has written meanwhile
        return


async def forged_in_time(found: Team) -> None:
    """Forge it while the poll of a date that comes soon is open; a later date on a machine that is busy."""
    for seconds in (15.0, 60.0, 240.0):
        await found.another_date(seconds)
        try:
            await found.polling()
            await forge(found)
        except (OutOfSequenceError, TimeoutError):
            continue
        return
    raise AssertionError("this machine is too slow")


async def holds(found: Team) -> list[str]:
    engine = connect(found.yard.url)
    try:
        events = await RecordStore(engine).as_they_stand(found.launch, -1)
    finally:
        engine.dispose()
    return [str(event.data["text"]) for event in events if event.type == "launch.held"]


async def held(found: Team, times: int) -> str:
    """Wait until the launch was held so often; what it said last."""

    async def there() -> bool:
        return len(await holds(found)) == times

    log = found.yard.log(next(iter(found.yard.workers)))
    await wait_until(there, 300, f"{times} holds in the record", log=log)
    return (await holds(found))[-1]


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_a_go_that_was_written_into_the_database_is_held(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with yard_of(kind, tmp_path, request) as yard:
        found = await team(yard, "staging")
        await yard.work("w1")
        await yard.says("w1", "verifies each GO with")
        await yard.recorded(found.launch, "gate.judged")
        await forged_in_time(found)
        assert (await found.scene()).course.phase is State.GO, "the record says GO"
        assert "a stranger signed this" in await held(found, 1)
        await yard.says("w1", "nothing will be done on that GO: ")
        await yard.says("w1", "held")
        code, said = await yard.typed("status", "staging")
        assert (code, "Held" in said) == (0, True), said
        await yard.kill("w1")
        await yard.work("w2")
        code, said = await yard.typed("resume", "staging", "--reason", "it looks well to me")
        assert code == 0, said
        assert "a stranger signed this" in await held(found, 2), "it looked again, and went nowhere"
        code, said = await yard.typed("abort", "staging", "--reason", "it is forged")
        assert code == 0, said
        await yard.recorded(found.launch, "launch.ended")
        kinds = [event.type for event in await yard.events(found.launch)]
        assert "step.started" not in kinds
        ended = next(event for event in await yard.events(found.launch) if event.type == "launch.ended")
        assert ended.data["rule"] == "person.abort"


async def test_a_record_whose_line_was_changed_in_place_is_held_until_it_is_restored(tmp_path: Path) -> None:
    async with yard_at(f"sqlite:///{tmp_path / 'tminus.db'}", tmp_path) as yard:
        found = await team(yard, "staging")
        await yard.work("w1")
        await yard.recorded(found.launch, "gate.judged")
        seen = next(e for e in await yard.events(found.launch) if e.type == "check.observed")
        other = encode(replace(seen, data={**seen.data, "verdict": "failed"}))
        await asyncio.to_thread(changed, yard.url, found.launch, seen.seq, other)
        await yard.kill("w1")
        await yard.work("w2")
        assert f"line {seen.line + 1}: `prev` is not the digest" in await held(found, 1)
        await yard.says("w2", "is held, for its record does not verify")
        code, said = await yard.typed("resume", "staging", "--reason", "it looks well to me")
        assert (code, "is not the digest" in said) == (1, True), said
        await asyncio.to_thread(changed, yard.url, found.launch, seen.seq, encode(seen))
        code, said = await yard.typed("resume", "staging", "--reason", "the copy is back")
        assert code == 0, said
        await found.another_date(600.0)
        await found.polling()
        assert len(await holds(found)) == 1
        assert course_of(await yard.events(found.launch)).unproven is False

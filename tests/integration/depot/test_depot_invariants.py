"""The invariants of the demo's own plan against a real PostgreSQL: damage is seen, users and outages are not damage."""

import asyncio
from dataclasses import replace
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import aiohttp
import psycopg
import pytest

from tminus.control.inspection import Inspection
from tminus.depot import canaries
from tminus.depot.damage import STROKES
from tminus.depot.seed import OWNER as ARCHIVE
from tminus.domain.expectation import parse
from tminus.domain.invariant import Invariant, declared, every
from tminus.domain.trigger import CORRUPTION
from tminus.errors import InconclusiveError, RolloutError, UnreachableError
from tminus.planfile import load
from tminus.targets.invariants import DatabaseInvariants
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.integration.depot.depot_world import (
        PROXIED,
        Start,
        Unpacked,
        answer,
        log_in,
        query,
        wait_until,
    )
else:
    from depot_world import PROXIED, Start, Unpacked, answer, log_in, query, wait_until

pytestmark = pytest.mark.slow

FLOOR = "rows of archive and canary"
ORPHANS = "ledger rows without a document"
ALTERED = "documents that are not what the ledger says (oldest and newest 10,000)"
CANARIES = "digest of the canaries"


def invariants() -> tuple[tuple[Invariant, ...], float]:
    """What the demo's plan says of its data, and how often it looks."""
    with as_file(files("tminus.demo") / "demo.yaml") as path:
        plan = load(path).checked()
    (trigger,) = [trigger for trigger in plan.triggers if trigger["id"] == CORRUPTION]
    return declared(trigger), every(trigger)


def inspecting(dsn: str) -> Inspection:
    found, turn = invariants()
    return Inspection(found, DatabaseInvariants(dsn, found, turn), SystemClock(), turn)


async def begun(dsn: str) -> Inspection:
    inspection = inspecting(dsn)
    inspection.remember(await inspection.begin())
    return inspection


async def broken(inspection: Inspection) -> list[str]:
    look = await inspection.look()
    assert look.unseen == ""
    return [one.name for one in look.broken]


def one(query: str, expect: str = "== 0") -> tuple[Invariant, ...]:
    return (Invariant("one", query, parse(expect)),)


@pytest.fixture
def seeded(v2: Unpacked, database: str) -> str:
    done = v2.run("seed", "--documents", "100", DATABASE_URL=database, USER_PASSWORD="demo password")
    assert done.returncode == 0, done.stderr
    return database


def test_the_plan_knows_the_canaries_and_looks_every_two_seconds() -> None:
    found, turn = invariants()
    assert [one.name for one in found] == [FLOOR, ORPHANS, ALTERED, CANARIES]
    assert found[3].expect is not None
    assert found[3].expect.limit == canaries.DIGEST
    assert turn == 2.0


@pytest.mark.parametrize("owner", [ARCHIVE, canaries.OWNER])
@pytest.mark.parametrize(
    ("stroke", "seen"),
    [(0, {ALTERED}), (1, {FLOOR, ORPHANS}), (2, {FLOOR})],
    ids=["altered", "orphaned", "lost"],
)
async def test_each_kind_of_damage_is_caught(seeded: str, owner: str, stroke: int, seen: set[str]) -> None:
    inspection = await begun(seeded)
    assert await broken(inspection) == []
    assert query(seeded, STROKES[stroke], owner)
    assert set(await broken(inspection)) == seen | ({CANARIES} if owner == canaries.OWNER else set())


async def test_the_numbers_of_the_damage_are_told(seeded: str) -> None:
    inspection = await begun(seeded)
    for _ in range(3):
        query(seeded, STROKES[1], ARCHIVE)
    look = await inspection.look()
    assert [str(one) for one in look.broken] == [
        f"{FLOOR}: found 97, expected >= 100, as before the shift",
        f"{ORPHANS}: found 3, expected == 0",
    ]


async def test_canaries_that_are_all_gone_are_damage(seeded: str) -> None:
    inspection = await begun(seeded)
    query(seeded, "DELETE FROM documents WHERE owner = %s RETURNING id", canaries.OWNER)
    look = await inspection.look()
    assert f"{CANARIES}: found nothing, expected is {canaries.DIGEST[:12]}…" in [
        str(one) for one in look.broken
    ]


async def test_users_who_store_and_remove_documents_meanwhile_are_no_damage(
    v2: Unpacked, seeded: str, start: Start, http: aiohttp.ClientSession
) -> None:
    depot = start(v2, seeded)
    headers = {**await log_in(http, depot.url), **PROXIED}
    inspection = await begun(seeded)
    stored = 0

    async def user(number: int) -> None:
        nonlocal stored
        for turn in range(15):
            new = {"title": f"Memo {number}.{turn}", "body": "Zoë's é\r\n"}
            status, made = await answer(http, "POST", f"{depot.url}/documents", json=new, headers=headers)
            assert status == 201
            stored += 1
            if turn % 2:
                one = f"{depot.url}/documents/{made['id']}"
                assert (await answer(http, "DELETE", one, headers=headers))[0] == 204

    users = asyncio.gather(*(user(number) for number in range(4)))
    looks = 0
    while not users.done():
        assert await broken(inspection) == []
        looks += 1
    await users
    assert (stored, await broken(inspection)) == (60, [])
    assert looks >= 3


async def test_all_queries_of_one_look_see_one_moment(seeded: str) -> None:
    asked = (
        Invariant("before", "SELECT count(*) FROM documents", None),
        Invariant("pause", "SELECT count(*) FROM (SELECT pg_sleep(2)) AS nap", None),
        Invariant("after", "SELECT count(*) FROM documents", None),
    )
    reading = asyncio.create_task(DatabaseInvariants(seeded, asked, 10.0).values())
    napping = "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%%pg_sleep%%' AND pid <> pg_backend_pid()"
    await asyncio.to_thread(wait_until, lambda: bool(query(seeded, napping)))
    query(seeded, "DELETE FROM documents WHERE owner = %s RETURNING id", canaries.OWNER)
    values = await reading
    assert values["before"] == values["after"] == 100


async def test_a_database_that_is_gone_is_not_observed_and_no_hit(
    database: str, v2: Unpacked, postgres_url: str
) -> None:
    assert (
        v2.run("seed", "--documents", "30", DATABASE_URL=database, USER_PASSWORD="demo password").returncode
        == 0
    )
    inspection = await begun(database)
    name = database.rpartition("/")[2]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        look = await inspection.look()
        connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    assert (look.breached, look.broken) == (None, ())
    assert "PostgreSQL does not answer" in look.unseen
    assert (await inspection.look()).breached is False


async def test_a_port_where_nobody_listens_is_not_observed(free_port: object) -> None:
    assert callable(free_port)
    inspection = inspecting(f"postgresql://nobody@127.0.0.1:{free_port()}/depot")
    look = await inspection.look()
    assert look.breached is None
    assert "PostgreSQL does not answer" in look.unseen


async def test_a_query_that_takes_too_long_is_given_up_and_is_no_hit(seeded: str) -> None:
    source = DatabaseInvariants(seeded, one("SELECT count(*) FROM (SELECT pg_sleep(60)) AS nap"), 1.0)
    assert source.seconds == 2.0
    with pytest.raises(UnreachableError, match="not read within 2 s") as slow:
        await source.values()
    assert "LIMIT" in slow.value.hint
    assert not query(
        seeded,
        "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%%pg_sleep(60)%%'"
        " AND pid <> pg_backend_pid()",
    ), "the database does not go on with it"


async def test_a_table_that_somebody_locks_is_not_observed(seeded: str) -> None:
    inspection = await begun(seeded)
    with psycopg.connect(seeded) as connection:
        connection.execute("LOCK TABLE documents IN ACCESS EXCLUSIVE MODE")
        look = await inspection.look()
    assert look.breached is None
    assert (await inspection.look()).breached is False


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DELETE FROM documents RETURNING 0", "read-only transaction"),
        ("SELECT 0; DELETE FROM documents", "multiple commands"),
        ("SET TRANSACTION READ WRITE", "no single value"),
        ("SELECT count(*) FROM no_such_table", "does not exist"),
        ("SELECT 1, 2", "no single value"),
        ("SELECT id FROM documents", "no single value"),
        ("SELECT now()", "datetime"),
        ("SELECT 'NaN'::float8", "gives a float"),
    ],
)
async def test_a_query_that_is_none_proves_nothing_and_changes_nothing(
    seeded: str, statement: str, why: str
) -> None:
    with pytest.raises(InconclusiveError, match=why):
        await DatabaseInvariants(seeded, one(statement), 5.0).values()
    assert query(seeded, "SELECT count(*) FROM documents") == [(100,)]


async def test_sums_are_numbers(seeded: str) -> None:
    source = DatabaseInvariants(seeded, one("SELECT sum(n) FROM (VALUES (1.5), (2.5)) AS v (n)"), 5.0)
    assert await source.values() == {"one": 4}


async def test_a_role_that_may_only_read_is_enough(seeded: str) -> None:
    with psycopg.connect(seeded, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS watcher")
        connection.execute("CREATE ROLE watcher LOGIN")
        connection.execute("GRANT SELECT ON documents, document_ledger TO watcher")
    watcher = seeded.replace("postgres@", "watcher@")
    assert watcher != seeded
    try:
        assert await broken(await begun(watcher)) == []
    finally:
        with psycopg.connect(seeded, autocommit=True) as connection:
            connection.execute("DROP OWNED BY watcher")
            connection.execute("DROP ROLE watcher")


async def test_data_that_is_damaged_before_the_launch_is_told_before_anything_changes(seeded: str) -> None:
    query(seeded, STROKES[1], ARCHIVE)
    with pytest.raises(RolloutError, match=f"{ORPHANS}: found 1, expected == 0"):
        await inspecting(seeded).begin()


def test_a_look_takes_no_longer_than_its_turn_within_limits() -> None:
    source = DatabaseInvariants("postgresql://", (), 60.0)
    assert [replace(source, every=turn).seconds for turn in (1.0, 10.0, 60.0)] == [2.0, 10.0, 30.0]

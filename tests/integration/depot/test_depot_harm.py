"""The faults `corrupt` and `leak` against a real PostgreSQL, and how their harm is seen."""

import asyncio
from typing import TYPE_CHECKING, LiteralString

import aiohttp
import pytest

from tminus.depot import canaries
from tminus.depot.damage import STROKES
from tminus.depot.faults import MOST_LEAKED

if TYPE_CHECKING:
    from tests.integration.depot.depot_world import (
        FAULT_TOKEN,
        PROXIED,
        Start,
        Unpacked,
        answer,
        log_in,
        query,
    )
else:
    from depot_world import FAULT_TOKEN, PROXIED, Start, Unpacked, answer, log_in, query

# As `canaries.py` gives them to whoever watches.

pytestmark = pytest.mark.slow

COUNTED: LiteralString = "SELECT count(*) FROM documents WHERE owner IN ('archive', 'canary')"
ORPHANS: LiteralString = (
    "SELECT count(*) FROM document_ledger l"
    " WHERE NOT EXISTS (SELECT FROM documents d WHERE d.id = l.document_id)"
)
ALTERED: LiteralString = (
    "SELECT count(*) FROM document_ledger l JOIN documents d ON d.id = l.document_id"
    r" WHERE l.sha256 <> encode(sha256(convert_to(d.title || E'\n' || d.body, 'UTF8')), 'hex')"
)
CANARIES: LiteralString = (
    r"SELECT encode(sha256(convert_to(string_agg(title || E'\n' || body, E'\n' ORDER BY title), 'UTF8')), 'hex')"
    " FROM documents WHERE owner = 'canary'"
)


def seen(database: str) -> tuple[int, int, int, bool]:
    """Rows counted, orphans, altered rows, and whether the canaries are whole."""
    counted, orphans, altered = (query(database, each)[0][0] for each in (COUNTED, ORPHANS, ALTERED))
    return counted, orphans, altered, query(database, CANARIES) == [(canaries.DIGEST,)]


@pytest.fixture
def seeded(v2: Unpacked, database: str) -> str:
    done = v2.run("seed", "--documents", "100", DATABASE_URL=database, USER_PASSWORD="demo password")
    assert done.returncode == 0, done.stderr
    return database


class TestCorrupt:
    def test_the_documents_of_the_queries_are_those_of_the_description(self) -> None:
        described = " ".join((canaries.__doc__ or "").split())
        for statement in (COUNTED, ORPHANS, ALTERED, CANARIES):
            assert statement in described

    async def test_a_healthy_depot_breaks_none_of_its_promises(
        self, v2: Unpacked, seeded: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, seeded)
        headers = {**await log_in(http, depot.url), **PROXIED}
        new = {"title": "Zoë's é\n", "body": "é\r\n"}
        numbers = [
            (await answer(http, "POST", f"{depot.url}/documents", json=new, headers=headers))[1]["id"]
            for _ in range(2)
        ]
        assert query(seeded, "SELECT count(*) FROM document_ledger WHERE owner = 'ada'") == [(2,)]
        assert seen(seeded) == (100, 0, 0, True)
        one = f"{depot.url}/documents/{numbers[0]}"
        assert (await answer(http, "DELETE", one, headers=headers))[0] == 204
        assert query(seeded, "SELECT count(*) FROM document_ledger WHERE owner = 'ada'") == [(1,)]
        assert seen(seeded) == (100, 0, 0, True)

    @pytest.mark.parametrize(
        ("stroke", "harm"),
        [(0, (100, 0, 1, False)), (1, (99, 1, 0, False)), (2, (99, 0, 0, False))],
        ids=["altered", "orphaned", "lost"],
    )
    def test_each_stroke_is_seen_in_its_own_way(
        self, seeded: str, stroke: int, harm: tuple[int, int, int, bool]
    ) -> None:
        query(seeded, STROKES[stroke], canaries.OWNER)
        assert seen(seeded) == harm

    async def test_rows_are_damaged_while_every_answer_stays_as_it_was(
        self, v2: Unpacked, seeded: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, seeded, FAULTS="corrupt=1")
        token = await log_in(http, depot.url)
        new = {"title": "Memo", "body": "mine"}
        _, made = await answer(http, "POST", f"{depot.url}/documents", json=new, headers=token)
        mine = f"{depot.url}/documents/{made['id']}"
        assert seen(seeded) == (100, 0, 0, True)
        for _ in range(30):
            status, body = await answer(http, "GET", mine, headers={**token, **PROXIED})
            assert (status, body["body"]) == (200, "mine")
        counted, orphans, altered, whole = seen(seeded)
        assert counted < 100
        assert orphans > 0
        assert altered > 0
        assert whole is False
        # Ordered away, it ends; and seeding puts back what can be put back.
        headers = {"X-Fault-Token": FAULT_TOKEN}
        assert (await answer(http, "PUT", f"{depot.url}/faults", json={"spec": ""}, headers=headers))[
            0
        ] == 200
        before = seen(seeded)
        for _ in range(10):
            await answer(http, "GET", mine, headers={**token, **PROXIED})
        assert seen(seeded) == before
        again = v2.run("seed", "--documents", "100", DATABASE_URL=seeded, USER_PASSWORD="demo password")
        assert again.returncode == 0, again.stderr
        assert seen(seeded) == (100, 0, 0, True)


class TestLeak:
    async def test_requests_fail_when_the_pool_has_leaked_and_only_then(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database, FAULTS="leak=15")
        token = await log_in(http, depot.url)
        user = {**token, **PROXIED}
        # What the private smoke test does leaks nothing.
        for _ in range(20):
            assert (await answer(http, "GET", f"{depot.url}/me", headers=token))[0] == 200
        statuses = [(await answer(http, "GET", f"{depot.url}/me", headers=user))[0] for _ in range(18)]
        assert statuses == [200] * 15 + [503] * 3
        # Health is spared, as by every fault: a proxy that took the side out would end the harm before it is judged.
        status, health = await answer(http, "GET", f"{depot.url}/health")
        assert (status, health["dependencies"]["database"]["ok"]) == (200, True)

    async def test_the_largest_leak_leaves_the_other_side_and_a_watcher_their_connections(
        self, v1: Unpacked, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        blue, green = start(v1, database), start(v2, database, FAULTS=f"leak={MOST_LEAKED}")
        user = {**await log_in(http, green.url), **PROXIED}
        statuses = [
            (await answer(http, "GET", f"{green.url}/me", headers=user))[0] for _ in range(MOST_LEAKED + 1)
        ]
        assert statuses == [200] * MOST_LEAKED + [503]
        asked = [answer(http, "GET", f"{blue.url}/me", headers=user) for _ in range(60)]
        assert {status for status, _ in await asyncio.gather(*asked)} == {200}
        assert query(database, "SELECT 1") == [(1,)]

    async def test_the_end_of_the_leak_gives_the_connections_back(
        self, v2: Unpacked, database: str, start: Start, http: aiohttp.ClientSession
    ) -> None:
        depot = start(v2, database)
        token = await log_in(http, depot.url)
        user, admin = {**token, **PROXIED}, {"X-Fault-Token": FAULT_TOKEN}

        def connections() -> int:
            name = database.rpartition("/")[2]
            statement: LiteralString = (
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'depot' AND datname = %s"
            )
            return int(query(database, statement, name)[0][0])

        for spec, expected in (("leak=3", [200] * 3 + [503]), ("", [200] * 4), ("leak=1", [200] + [503] * 3)):
            status, body = await answer(
                http, "PUT", f"{depot.url}/faults", json={"spec": spec}, headers=admin
            )
            assert (status, body["spec"]) == (200, spec)
            seen = [(await answer(http, "GET", f"{depot.url}/me", headers=user))[0] for _ in range(4)]
            assert seen == expected
        await answer(http, "PUT", f"{depot.url}/faults", json={"spec": ""}, headers=admin)
        asked = [answer(http, "GET", f"{depot.url}/me", headers=user) for _ in range(40)]
        assert {status for status, _ in await asyncio.gather(*asked)} == {200}
        assert connections() <= 11, "ten for requests and one for health"

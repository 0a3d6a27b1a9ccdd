"""The supporting parts of a stage, started by the stage's own supervisor, for tests that need the real ones.

`parts_world` is a fixture: import it into a test module (or a conftest) and take it as an argument; `shared_parts` is
the same for a whole module. PostgreSQL, HAProxy
and every part in `tminus.demo.parts.SUPPORTING` run; blue and green do not, a test that needs them starts them on
`world.stage.blue_port` and `world.stage.green_port`.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tminus.demo import parts
from tminus.demo.packages import ThisMachine, locate
from tminus.demo.stage import Stage

FOUND = locate(ThisMachine())
needs_parts = pytest.mark.skipif(FOUND is None, reason="a program of the stage is not installed")


@dataclass(frozen=True)
class PartsWorld:
    """A stage whose supporting parts run."""

    stage: Stage

    @property
    def addresses(self) -> dict[str, str]:
        """By `TMINUS_DEMO_…`, as a launch hands them to a plan."""
        return parts.addresses(self.stage.setting)

    @property
    def binaries(self) -> dict[str, str]:
        """The stage's programs: `promtool`, `amtool` and the others."""
        return dict(self.stage.setting.binaries)

    @property
    def token(self) -> str:
        """What reading back from the sinks needs."""
        return self.stage.setting.secrets["reader"]

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """The series that Prometheus answers an instant query with."""
        url = f"{self.addresses['TMINUS_DEMO_PROMETHEUS']}/api/v1/query"
        async with aiohttp.ClientSession() as http, http.get(url, params={"query": expression}) as answer:
            body = await answer.json()
        assert body["status"] == "success", body
        series: list[dict[str, Any]] = body["data"]["result"]
        return series

    async def read(self, sink: str, path: str, **query: str) -> Any:
        """What arrived at `PAGER`, `CHAT` or `MAIL`, as its read-back answers."""
        scheme = f"Token token={self.token}" if sink == "PAGER" else f"Bearer {self.token}"
        address = self.addresses[f"TMINUS_DEMO_{sink}"].partition("?")[0]
        base = address.replace(f"reader:{self.token}@", "")
        headers = {"Authorization": scheme}
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.get(base + path, params=query) as answer,
        ):
            assert "X-Stand-In" in answer.headers
            return await answer.json()


async def _build(home: Path) -> PartsWorld:
    assert FOUND is not None
    stage = Stage.create(home, FOUND)
    try:
        await stage.start_postgres()
        await stage.start_haproxy()
        await stage.start_supporting()
    except BaseException:
        await stage.remove()
        raise
    return PartsWorld(stage)


@pytest.fixture
async def parts_world() -> AsyncIterator[PartsWorld]:
    """Every supporting part, in a home and on a stage of its own; nothing is left of them."""
    with tempfile.TemporaryDirectory(prefix="tminus-parts-") as home:
        world = await _build(Path(home))
        try:
            yield world
            await world.stage.stop_all()
        finally:
            await world.stage.remove()


@pytest.fixture(scope="module")
def shared_parts() -> Iterator[PartsWorld]:
    """The same, once for all tests of a module that only look."""
    with tempfile.TemporaryDirectory(prefix="tminus-parts-") as home:
        world = asyncio.run(_build(Path(home)))
        try:
            yield world
        finally:
            asyncio.run(world.stage.remove())

"""The mission page over a played launch, served on a free loopback port, with a clock that the test sets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
from sqlalchemy import update

from tminus.control.ports import EvidenceStore, Json
from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Plan
from tminus.picture.common import CommonDatabase
from tminus.picture.reading import Plans
from tminus.picture.tending import Tending
from tminus.planfile.loading import load
from tminus.store import orders
from tminus.store.record import RecordStore
from tminus.store.tables import LAUNCHES, WRITE, connect
from tminus.web.app import Mission, serve
from tminus.web.hooks import Report

if TYPE_CHECKING:
    from tests.unit.web.web_launch import LAUNCH, PLAN, T0, Played
else:
    import sys

    sys.path.append(str(Path(__file__).parents[2] / "unit" / "web"))
    from web_launch import LAUNCH, PLAN, T0, Played


@dataclass
class Page:
    """One page under test."""

    launch: Played
    home: Path
    port: int = 0
    ahead: float = 0.0
    """Seconds that the server's clock is beyond the newest event."""
    began: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def now(self) -> float:
        """The server's time."""
        return T0 + self.launch.t + self.ahead

    def url(self, rest: str = "") -> str:
        """The address of the launch, or of something below it."""
        return f"http://127.0.0.1:{self.port}/launches/{LAUNCH}{rest}"

    async def add(self) -> None:
        """Write what was played since into the launch's folder."""
        await self.launch.keep_on(self.home / "launches" / LAUNCH)

    async def get(self, path: str, host: str = "") -> tuple[int, str, dict[str, str]]:
        """One answer: status, text, headers."""
        address = f"http://127.0.0.1:{self.port}{path}"
        headers = {"Host": host} if host else {}
        async with aiohttp.ClientSession() as http, http.get(address, headers=headers) as answer:
            found = {name.lower(): value for name, value in answer.headers.items()}
            return answer.status, await answer.text(), found


@dataclass(frozen=True)
class InMind(Plans):
    """One plan that is always at hand."""

    plan: Plan

    def __init__(self, plan: Plan) -> None:
        super().__init__(())
        object.__setattr__(self, "plan", plan)

    def find(self, digest: str, folder: Path) -> Plan:
        """It, whatever is asked for."""
        del digest, folder
        return self.plan


async def share(url: str, launch: Played, environment: str = "staging") -> None:
    """Write what was played into a common database, with its plan, as a launch that workers run."""
    engine = connect(url)
    try:
        store = RecordStore(engine)
        await store.prepare()
        for entry in launch.entries:
            await store.append_once(LAUNCH, entry)
        document: Json = {"plan": load(PLAN).document.model_dump_json(by_alias=True)}
        columns = orders.columns(orders.Order(environment, document, {}))
        with engine.execution_options(**{WRITE: True}).begin() as connection:
            connection.execute(update(LAUNCHES).where(LAUNCHES.c.id == LAUNCH).values(columns))
    finally:
        engine.dispose()


@asynccontextmanager
async def served(
    launch: Played,
    home: Path,
    port: int = 0,
    *,
    plan: Plan | None = None,
    common: CommonDatabase | None = None,
    tending: Tending | None = None,
    evidence: EvidenceStore | None = None,
    doubts: tuple[str, ...] = (),
    hook: tuple[str, Report] | None = None,
) -> AsyncIterator[Page]:
    """The page while it is served; it is stopped whatever happens. `plan` stands for one that no file holds."""
    if launch.events:
        await launch.keep(home)
    page = Page(launch, home)
    ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    plans = Plans(()) if plan is None else InMind(plan)
    mission = Mission(home, plans, lambda _: GuardLimits(), page.now, common=common, evidence=evidence)
    mission.tending = lambda: tending
    mission.doubt = lambda _launch: lambda _events: doubts
    if hook is not None:
        mission.token, mission.report = hook
    running = asyncio.create_task(serve(mission, port, ready.set_result))
    try:
        page.port = await asyncio.wait_for(ready, 10)
        yield page
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        if common is not None:
            common.close()


__all__ = ["LAUNCH", "T0", "Page", "Played", "served", "share"]

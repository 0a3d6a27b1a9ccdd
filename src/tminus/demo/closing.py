"""How a demo ends in print: its users counted, its record sealed and verified, its page written, its stage's fate."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from tminus.demo.census import census
from tminus.demo.options import Options
from tminus.demo.screen import Screen
from tminus.demo.stage import Stage
from tminus.demo.summary import Told, write_summary
from tminus.demo.theatre import users_met
from tminus.domain.plan import Plan
from tminus.errors import PartError
from tminus.signing import load_trust, trust_path, verify_file
from tminus.wiring import LocalLaunch, seal
from tminus.wiring.judging import guard_limits

LEAVE_SECONDS = 12.0
"""How long the users may take to finish what they have asked."""


class Closing:
    """What follows the end of one launch, whichever end it was."""

    def __init__(
        self, stage: Stage, options: Options, screen: Screen, launch: LocalLaunch, plan: Plan
    ) -> None:
        self._stage = stage
        self._options = options
        self._screen = screen
        self._launch = launch
        self._plan = plan

    async def send_users_home(self) -> None:
        """End the users, who write down what they met; nothing when they have left."""
        load = self._stage.parts_alive().get("load")
        if load is not None:
            await load.stop(LEAVE_SECONDS)

    def users(self) -> Mapping[str, object] | None:
        """What the users counted; nothing when they did not, which an end by force allows."""
        try:
            return users_met(self._stage)
        except PartError:
            return None

    async def keep(self, name: str, users: Mapping[str, object] | None) -> Path:
        """Seal the record and write its page, in silence; where the record is."""
        record = await seal(self._launch.store, name, self._options.home, self._launch.time)
        told = Told(await self._launch.store.events(name), users, self._plan)
        write_summary(record.with_name("summary.md"), told)
        return record

    async def tell(self, name: str, users: Mapping[str, object] | None) -> Path:
        """The same, and say it: what the users met, that the record verifies as anyone sees it, what goes now."""
        self._count(users)
        record = await self.keep(name, users)
        trust = load_trust(trust_path(self._options.home))
        report = await asyncio.to_thread(verify_file, record, trust)
        verified = f"{report.events} events, {report.observed} lines, head {report.head[:16]}…"
        self._screen.say(f"record verified: {verified}", "bold")
        self._screen.say(f"summary: {record.with_name('summary.md')}")
        if not self._options.keep:
            page = ", and the mission page's address with it" if self._options.viewing.served else ""
            self._screen.say(
                f"the stage is taken down now{page}; `tminus serve {name}` shows the launch again"
            )
        return record

    def _count(self, users: Mapping[str, object] | None) -> None:
        trace = self._launch.trace
        if users is None:
            self._screen.say("users: what they met was not written down", "bold yellow")
        else:
            slow_ms = guard_limits(self._plan).slow_ms
            self._screen.say(census(users, trace.outcomes(), trace.missing(), slow_ms), "bold")
        if refused := trace.refused():
            words = "lines were refused in the proxy's log: somebody else on this machine wrote them"
            self._screen.say(f"{refused:,} {words}", "bold yellow")

"""Walk the milestones before T-0: wait, observe what falls due, say what stands.

The clock runs on past an earlier gate that stays closed; its lines are late, and GO will judge them.
"""

from collections.abc import Awaitable, Callable, Mapping

from tminus.control.ports import Clock, Engine, Json, Record, recorded
from tminus.control.readiness import Readiness
from tminus.domain.decision import gate
from tminus.domain.plan import Plan
from tminus.domain.timeline import LaunchClock, clock
from tminus.errors import ProbeError, RolloutError

Acts = Mapping[str, Callable[[str], Awaitable[Json]]]
"""What a line may ask for before it is observed, by the plan's word for it; given when it was first begun."""


class Countdown:
    """The clock of one launch and what happens at its milestones."""

    def __init__(
        self, plan: Plan, engine: Engine, record: Record, readiness: Readiness, time: "LaunchTime"
    ) -> None:
        self._plan = plan
        self._engine = engine
        self._record = record
        self._readiness = readiness
        self._time = time

    async def run(self, acts: Acts) -> None:
        """From the first milestone to the last before T-0; `acts` are what lines may ask for before they are seen."""
        for milestone in self._plan.milestones:
            if milestone < 0:
                await self._time.wait_until(self._engine, milestone)
                await self._act(milestone, acts)
                await self._reach(milestone)

    async def _act(self, milestone: float, acts: Acts) -> None:
        name = clock(milestone)

        def acting(wanted: str) -> Callable[[], Awaitable[Json]]:
            async def act() -> Json:
                if done := await recorded(self._record, f"act:{wanted}@{name}"):
                    return dict(done.data)
                begun = await self._record.append_once(
                    f"begin:{wanted}@{name}", "act.started", {"act": wanted}
                )
                try:
                    result = await acts[wanted](begun.at)
                except (ProbeError, RolloutError) as error:
                    # The line that asked for it will be seen to fail, with its own words.
                    result = {"failed": f"{error} ({error.hint})"}
                await self._record.append_once(f"act:{wanted}@{name}", "act.done", {"act": wanted, **result})
                return result

            return act

        for wanted in dict.fromkeys(check.act for check in self._plan.due(milestone) if check.act):
            await self._engine.step(f"{name} {wanted}", acting(wanted))

    async def _reach(self, milestone: float) -> None:
        """Observe the lines that are due at a milestone, as one step, and record how its gate stands."""
        name = clock(milestone)

        async def act() -> Json:
            checks = self._plan.due(milestone)
            await self._record.append_once(
                f"milestone:{name}", "milestone.reached", {"milestone": name, "lines": len(checks)}
            )
            verdicts = await self._readiness.observe(checks, name)
            result = gate(checks, await self._readiness.claims(), self._time.now())
            late: list[Json] = [
                {"check": o.check, "standing": o.standing, "why": o.why} for o in result.obstacles
            ]
            data: Json = {
                "milestone": name,
                "judged": result.judged,
                "open": not result.obstacles,
                "late": [*late],
            }
            await self._record.append_once(f"gate:{name}", "gate.judged", data)
            return {check: verdict.value for check, verdict in verdicts.items()}

        await self._engine.step(f"milestone {name}", act)


class LaunchTime:
    """Real time and the launch clock together; waits are the only thing that `speed` shortens."""

    def __init__(self, real: Clock, launch: LaunchClock) -> None:
        self._real = real
        self.launch = launch

    def now(self) -> float:
        """Seconds of the epoch."""
        return self._real.now()

    def read(self) -> float:
        """Seconds from T-0 on the launch clock."""
        return self.launch.read(self._real.now())

    async def sleep(self, seconds: float) -> None:
        """Real time passing."""
        await self._real.sleep(seconds)

    async def wait_until(self, engine: Engine, milestone: float) -> None:
        """Wait for the launch clock to read this offset; after a crash only the rest is waited for."""
        name = clock(milestone)

        async def begin() -> Json:
            return {"ends": self.now() + self.launch.wait(self.now(), milestone)}

        ends = float(str((await engine.step(f"begin to wait for {name}", begin))["ends"]))

        async def act() -> Json:
            await self._real.sleep(max(0.0, ends - self.now()))
            return {"ahead": self.launch.skipped(self.now(), milestone)}

        self.jump(await engine.step(f"wait for {name}", act))

    def jump(self, waited: Json) -> None:
        """Take over what a finished wait skipped."""
        ahead = waited["ahead"]
        assert isinstance(ahead, int | float)  # noqa: S101 - our own step wrote it
        self.launch.ahead = max(self.launch.ahead, float(ahead))

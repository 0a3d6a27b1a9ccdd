"""After the shift: soak, success criteria at each milestone, and the end of blue.

A criterion that is seen to fail rolls back while blue still stands; one that cannot be seen is looked at again, and the
launch does not land until it is known.
"""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager

from tminus.control.launchtime import LaunchTime
from tminus.control.liftoff import Act, Liftoff
from tminus.control.measured import measured
from tminus.control.ports import Json
from tminus.control.proof import Proof, held_by
from tminus.control.sight import Sight, sight
from tminus.control.stretch import Task
from tminus.domain.change import When
from tminus.domain.course import GUARDED
from tminus.domain.evidence import Verdict
from tminus.domain.guard import Action
from tminus.domain.metric import Stage
from tminus.domain.offsets import clock
from tminus.domain.overdue import ABSENT
from tminus.domain.plan import Check, Severity
from tminus.domain.traffic import Side
from tminus.errors import PartError, ProbeError, RecordError, RolloutError

WATCHED = "the guard judges while lines are observed"
"""What launches begun before this did not do."""
AGAIN = 5.0
"""Seconds of watching between two looks at a line that could not be seen."""


class Review:
    """The soak of one launch."""

    def __init__(self, liftoff: Liftoff, time: LaunchTime) -> None:
        self._liftoff = liftoff
        self._time = time

    async def run(self) -> Sight:
        """From all traffic on green to the last milestone; says whether the launch landed or rolls back."""
        plan = self._liftoff.plan
        after = [milestone for milestone in plan.milestones if milestone > 0]
        blue_ends = {check.due for check in plan.checks if check.step == "end blue"}
        if measuring := self._liftoff.stages.watch.measuring:
            measuring.enter(Stage.SOAK)
        if back := await self._change():
            return back
        for milestone in after:
            seen = await self._soak_until(milestone)
            if seen.action is Action.CONTINUE:
                seen = await self._reach(milestone)
            if seen.action is not Action.CONTINUE:
                return seen
            if milestone in blue_ends and (back := await self._part_from_blue()):
                return back
        if not blue_ends.intersection(after) and (back := await measured(self._liftoff, Stage.SOAK)):
            return back
        await self._liftoff.steady("last look", self._green_serves)
        return Sight(Action.CONTINUE, "", "landed", 0.0, None)

    async def _change(self) -> Sight | None:
        """Make what is changed once green has all requests; what brings the launch back meanwhile, if anything does."""
        for change, make in self._liftoff.made(When.PROMOTED):
            tries, made = 0, False
            while not made:
                step = f"{change.step} (try {tries + 1})" if tries else change.step
                if back := await self._liftoff.still(f"before {step}"):
                    return back
                done = await self._beside_the_guard(step, f"while {step} is made", self._making(make, step))
                if isinstance(done, Sight):
                    return done
                if done is not None and "failed" in done:
                    return Sight(Action.ROLLBACK, "step.failed", str(done["failed"]), 0.0, self._time.now())
                made = done is not None and bool(done["made"])
                tries += 1
                if not made:
                    seen = await self._liftoff.watch(f"after {step}", AGAIN)
                    if seen.action is Action.ROLLBACK:
                        return seen
        return None

    def _making(self, make: Act, step: str) -> Act:
        async def act() -> Json:
            try:
                await Proof(self._liftoff.record, self._liftoff.stages.verifier).check()
                await make()
            except RecordError as error:
                await self._liftoff.record.append_once(f"hold:{step}", GUARDED, held_by(step, error))
                return {"made": False}
            except RolloutError as error:
                return {"failed": f"{error} ({error.hint})"}
            except (ProbeError, PartError) as error:
                held: Json = {"where": step, "rule": "hold.blind", "text": f"{error} ({error.hint})"}
                await self._liftoff.record.append_once(f"hold:{step}", GUARDED, held)
                return {"made": False}
            return {"made": True}

        return act

    async def _beside_the_guard(self, step: str, label: str, act: Act) -> Json | Sight | None:
        """What an act gives; or what brings the launch back meanwhile; nothing where an order came in between."""
        done = await self._liftoff.engine.step(step, self._while_watched(label, act))
        if isinstance(result := done.get("verdicts"), dict):
            return dict(result)
        self._liftoff.stages.watch.recall(done)
        if (seen := sight(done)).action is Action.ROLLBACK:
            return seen
        return await self._liftoff.obey(step, {"id": done["ordered"]})

    async def _part_from_blue(self) -> Sight | None:
        """End blue, unless a metric or a person's order brings the launch back while there is a way."""
        back = await measured(self._liftoff, Stage.SOAK) or await self._liftoff.still("before blue ends")
        if back is None:
            await self._liftoff.steady("end blue", self._end_blue)
        return back

    async def _soak_until(self, milestone: float) -> Sight:
        """Watch while the shortened wait passes; the guard's own time is never shortened."""

        async def begin() -> Json:
            now = self._time.now()
            return {"seconds": self._time.launch.wait(now, milestone), "since": now}

        name = clock(milestone)
        wait = await self._liftoff.engine.step(f"soak begins before {name}", begin)
        seen = await self._liftoff.watch(f"soak until {name}", float(str(wait["seconds"])))

        async def end() -> Json:
            launch, now = self._time.launch, self._time.now()
            if seen.action is Action.CONTINUE:
                return {"ahead": launch.skipped(now, milestone)}
            return {"ahead": launch.shortened(float(str(wait["since"])), milestone, now)}

        self._time.jump(await self._liftoff.engine.step(f"soak ends at {name}", end))
        return seen

    async def _reach(self, milestone: float) -> Sight:
        """Observe what is due, again while it is unknown; failed lines that count roll back."""
        name = clock(milestone)
        checks = list(self._liftoff.plan.due(milestone))
        tries = 0
        while True:
            verdicts = await self._observe(checks, name, tries)
            if isinstance(verdicts, Sight):
                return verdicts
            if verdicts is None:
                tries += 1
                continue
            every = self._liftoff.plan.checks
            failed = [c for c in every if verdicts.get(c.id) == Verdict.FAILED and _counts(c)]
            if failed:
                text = f"{failed[0].id} ({failed[0].text}) failed at {name}"
                return Sight(Action.ROLLBACK, f"criterion.{failed[0].id}", text, 0.0, self._time.now())
            checks = [check for check in checks if _open(verdicts[check.id]) and _counts(check)]
            if not checks:
                return Sight(Action.CONTINUE, "", f"{name} is reached", 0.0, None)
            tries += 1
            seen = await self._liftoff.watch(f"{name} try {tries}", AGAIN)
            if seen.action is Action.ROLLBACK:
                return seen

    async def _observe(self, checks: list[Check], name: str, tries: int) -> dict[str, str] | Sight | None:
        """The verdicts; or what brings the launch back meanwhile; nothing where a person's order came in between."""
        moment = f"{name} try {tries}" if tries else name

        async def act() -> Json:
            data: Json = {"milestone": name, "lines": len(checks)}
            await self._liftoff.record.append_once(f"milestone:{name}", "milestone.reached", data)
            verdicts = await self._liftoff.readiness.observe(checks, moment)
            return {**await self._liftoff.readiness.for_the_rollout(verdicts)}

        engine, step = self._liftoff.engine, f"milestone {moment}"
        if not await engine.patched(WATCHED):
            return {check: str(verdict) for check, verdict in (await engine.step(step, act)).items()}
        found = await self._beside_the_guard(step, f"while {moment} is observed", act)
        return {check: str(verdict) for check, verdict in found.items()} if isinstance(found, dict) else found

    def _while_watched(self, label: str, act: Act) -> Act:
        """The act while the guard judges on: users are on green, and what is observed may take minutes.

        Harm, or a person's order, ends it early; the result is then the last look, else the act's under `verdicts`.
        """
        watching = self._liftoff.stretch(Task(label, math.inf))

        async def run() -> Json:
            observes, watches = asyncio.ensure_future(act()), asyncio.ensure_future(watching())
            try:
                await asyncio.wait({observes, watches}, return_when=asyncio.FIRST_COMPLETED)
                # Harm comes first: lines that were all green in the same moment change nothing about it.
                return watches.result() if watches.done() else {"verdicts": observes.result()}
            finally:
                observes.cancel()
                watches.cancel()
                await asyncio.gather(observes, watches, return_exceptions=True)

        return run

    async def _end_blue(self) -> Json:
        """Drain blue to zero sessions, stop it, and see that it is gone; only a stable launch comes here."""
        target, drain = self._liftoff.stages.target, self._liftoff.plan.rollout.drain_seconds
        await self._green_serves()
        with _no_reason_to_go_back():
            left = await target.stop(Side.BLUE, drain)
            status = await target.status(Side.BLUE)
        if status.running:
            raise PartError("blue was told to stop and still runs", hint="see why its process does not end")
        return {"sessions_when_stopped": left, "running": status.running}

    async def _green_serves(self) -> Json:
        """That green has all the traffic and users get answers; what was seen an hour ago is not enough."""
        with _no_reason_to_go_back():
            green = await self._liftoff.stages.target.status(Side.GREEN)
        answers = await self._liftoff.stages.watch.users_get_answers()
        if not (green.running and green.up and green.weight == 100 and answers):
            raise PartError(
                f"green does not serve all users: up {green.up}, weight {green.weight} %, users get answers {answers}",
                hint="see who changed the weights; `tminus rollback` goes back to blue",
            )
        return {"weight": green.weight, "answers": answers}


@contextmanager
def _no_reason_to_go_back() -> Iterator[None]:
    """Within it a refusal holds and calls people: green serves all users, and blue may be gone."""
    try:
        yield
    except RolloutError as error:
        raise PartError(str(error), hint=error.hint) from error


def _open(verdict: str) -> bool:
    """Whether a line is to be looked at again: what people were late for is not harm, and does not come back."""
    return verdict != ABSENT and not Verdict(verdict).known


def _counts(check: Check) -> bool:
    return check.severity is not Severity.ADVISORY

"""Rehearse: inject a fault on staging, see the rule fire that is to fire on it, roll back, and time all of it.

The evaluator is that of a launch: the same watch, the same guard, the same triggers with the plan's own times, the
same rollback. One thing is different: in each drill only the rule that is rehearsed acts. The quick tests of the guard
would else always be first, and nobody would know whether the trigger behind them fires at all. What the other rules
come to is noted with its time.
"""

from tminus.control.drills import FromNow, Progress, Scene, Tell, Wish
from tminus.control.green import Green
from tminus.control.ports import SideStatus
from tminus.control.rollback import Rollback
from tminus.control.sight import Sight
from tminus.control.watch import SLICE, Watch
from tminus.domain.canonical import timestamp
from tminus.domain.evidence import Verdict
from tminus.domain.guard import Action, Guard
from tminus.domain.judgement import Decision
from tminus.domain.rehearsal import Crossed, Drill, WayBack
from tminus.domain.traffic import Outcome, Side
from tminus.errors import InconclusiveError, RollbackError, RolloutError, TminusError

HEALTHY_SECONDS = 6.0
"""How long both sides are watched before the fault: what fires or holds then is no answer to it."""
CALM_SECONDS = 120.0
"""How long is waited for that, on a machine that has just started eight services."""
START_SECONDS = 120.0
"""How long green is awaited beside what a launch would allow it: what is rehearsed is not how fast it starts."""
PERSON = "person.rollback"
"""Who rolls back where the trigger itself only holds."""


async def drill(scene: Scene, wish: Wish, tell: Tell) -> Drill:
    """One drill from a healthy green to a blue that serves everybody; afterwards the scene is ready for another.

    What goes wrong beside the fault makes the drill inconclusive, in words; it never looks like a rule that fired.
    """
    return await _Run(scene, wish, tell).run()


class _Run:
    """One drill under way."""

    def __init__(self, scene: Scene, wish: Wish, tell: Tell) -> None:
        self._scene = scene
        self._wish = wish
        self._tell = tell
        self._inspection = scene.inspection()
        self.watch = self._fresh()
        self._green: Green | None = None
        self._injected: float | None = None

    def _fresh(self) -> Watch:
        """A launch's watch that knows nothing yet, and whose guard lets the one rule act."""
        scene = self._scene
        watch = Watch(scene.target, FromNow(scene.traffic), scene.prober, scene.clock, scene.limits)
        watch.guard = Guard(scene.limits, acting={self._wish.rule})
        watch.inspection = self._inspection
        return watch

    async def run(self) -> Drill:
        try:
            return await self._all()
        except RollbackError as error:
            return self._drill(Verdict.FAILED, f"{_words(error)}{await self._tidied()}", None)
        except TminusError as error:
            return self._drill(Verdict.INCONCLUSIVE, f"{_words(error)}{await self._tidied()}", None)
        finally:
            await self._scene.writers.end()
            if self._inspection is not None:
                await self._inspection.stop()

    async def _all(self) -> Drill:
        if self._wish.unready:
            raise InconclusiveError(
                self._wish.unready, hint="write into the plan what always holds for the data"
            )
        await self._stand_up()
        self._injected = self._scene.clock.now()
        self._say(f"fault: {self._wish.fault}, at {self._wish.weight} % on green")
        await self._wish.strike(self.watch)
        seen = await self._until_fired(self._injected + self._wish.patience)
        decided = self._scene.clock.now()
        if seen is None:
            why = f"{self._wish.rule} did not fire within {self._wish.patience:g} s of the fault"
            self._say(why)
            await self._back(PERSON, why)
            return self._drill(Verdict.FAILED, why, None)
        self._say(f"{seen.rule} fired: {seen.action.value}")
        moved = await self._moved() if seen.action is Action.HOLD else ()
        back = await self._back(seen.rule if seen.action is Action.ROLLBACK else PERSON, seen.text)
        return self._judged(seen, decided, back, moved)

    async def _stand_up(self) -> None:
        """The release on green with its share of the traffic, and everything well for a while."""
        scene, wish = self._scene, self._wish
        self._say("starting the release on green")
        if data := self._inspection:
            data.remember(await data.begin())
        async with scene.one_by_one:
            status = await self._started()
        self._green = Green(status.started, status.digest)
        if failures := await scene.smoke.failures(scene.target.private_url(Side.GREEN)):
            raise InconclusiveError(
                f"green fails its smoke tests before any fault: {'; '.join(failures)}",
                hint="rehearse a release that passes them",
            )
        if await scene.target.set_weight(wish.weight) != wish.weight:
            raise InconclusiveError(
                "the proxy reports another weight than was set", hint="what else changes it?"
            )
        await scene.writers.begin()
        await self._be_well()

    async def _started(self) -> SideStatus:
        """Green as it stands up; on a busy machine that may take longer than in a launch."""
        target, clock, release = self._scene.target, self._scene.clock, self._scene.release
        try:
            return await target.start(Side.GREEN, release)
        except RolloutError as error:
            self._say(f"green is awaited for longer: {str(error).splitlines()[0]}")
            until = clock.now() + START_SECONDS
            while (status := await target.status(Side.GREEN)).digest != release:
                if not status.running or clock.now() >= until:
                    raise
                await clock.sleep(1.0)
            return await target.start(Side.GREEN, release)

    async def _be_well(self) -> None:
        """Watch until nothing has held or fired for a while; raises `InconclusiveError` where that never comes.

        What fired without a fault is told and forgotten: the drill begins with a guard that knows nothing.
        """
        began, last = self._scene.clock.now(), ""
        while self._scene.clock.now() - began < CALM_SECONDS:
            self.watch = self._fresh()
            self.watch.note_weight(self._wish.weight)
            seen = await self.watch.slice(self._green, HEALTHY_SECONDS)
            early = ", ".join(self.watch.guard.fired)
            ill = f"{early} fired" if early else self._ill()
            if seen.action is Action.CONTINUE and seen.seconds >= HEALTHY_SECONDS / 2 and not ill:
                return
            last = ill or seen.text
            self._say(f"it is not well yet: {last}")
        raise InconclusiveError(
            f"it was not well for {HEALTHY_SECONDS:g} s within {CALM_SECONDS:g} s before any fault: {last}",
            hint="end what else runs here, and rehearse again",
        )

    def _ill(self) -> str:
        """Which side fails more than a release may, without a fault: a sick blue would be no way back."""
        both, most = self.watch.guard.counts, self._scene.limits.error_rollback
        sides = (("blue", both.blue), ("green", both.green))
        return "; ".join(f"{name} {tally}" for name, tally in sides if tally.failed > most * tally.requests)

    async def _until_fired(self, deadline: float) -> Sight | None:
        clock, rule = self._scene.clock, self._wish.rule
        while clock.now() < deadline:
            seen = await self.watch.slice(self._green, min(SLICE, deadline - clock.now()))
            if seen.rule == rule:
                return seen
            self._say("waiting", routine=True)
        return None

    async def _moved(self) -> tuple[str, ...]:
        """What a hold did not keep: green's share is to be what it was."""
        status = await self._scene.target.status(Side.GREEN)
        wanted = self._wish.weight
        return (f"green has {status.weight} % while held at {wanted} %",) if status.weight != wanted else ()

    async def _tidied(self) -> str:
        """Take green out of the traffic and stop it, after what went wrong; in words where that fails too."""
        try:
            await self._scene.target.set_weight(0)
            await self._scene.target.stop(Side.GREEN, self._scene.drain_seconds)
        except TminusError as error:
            return f"; and green could not be taken out: {_words(error)}"
        return ""

    async def _back(self, rule: str, text: str) -> WayBack:
        """All traffic to blue, by the rollback of every launch; green stopped, and what users wrote looked for."""
        scene = self._scene
        ordered = scene.clock.now()
        record = scene.record()
        rollback = Rollback(scene.engine, record, scene.target, scene.clock, rehearsed=True)
        await rollback.run(rule, text, self.watch, scene.previous)
        done = next(event for event in await record.events() if event.type == "rollback.done")
        zero = float(str(done.data["seconds"]))
        self._say(f"weight 0 read back {zero:.2f} s after the order")
        proved = await rollback.prove(scene.previous, scene.smoke)
        served = scene.clock.now() - ordered
        await scene.writers.end()
        await rollback.stop_green(scene.drain_seconds)
        written, lost = await scene.writers.look()
        failures = proved["smoke_failures"]
        assert isinstance(failures, list)  # noqa: S101 - prove() made it
        self._say(f"the old release serves everybody {served:.1f} s after the order; {len(lost)} writes lost")
        return WayBack(
            ordered_by=rule,
            zero_seconds=round(zero, 3),
            served_seconds=round(served, 3),
            digest=str(proved["digest"]),
            weight=int(str(proved["weight"])),
            up=bool(proved["up"]),
            smoke_failures=tuple(map(str, failures)),
            written=written,
            lost=lost,
        )

    def _judged(self, seen: Sight, decided: float, back: WayBack, moved: tuple[str, ...]) -> Drill:
        problems = (*moved, *back.problems(self._scene.previous))
        if problems:
            return self._drill(Verdict.FAILED, "; ".join(problems), (seen, decided, back))
        why = f"{seen.rule} fired, and the old release serves everybody again"
        if self._wish.hold_seconds < self._wish.planned_seconds:
            short = (
                f"with a hold of {self._wish.hold_seconds:g} s instead of {self._wish.planned_seconds:g} s"
            )
            return self._drill(Verdict.WARNED, f"{why}, {short}", (seen, decided, back))
        return self._drill(Verdict.PASSED, why, (seen, decided, back))

    def _drill(self, verdict: Verdict, why: str, came: tuple[Sight, float, WayBack] | None) -> Drill:
        wish, injected = self._wish, self._injected
        zero = came[1] + came[2].zero_seconds if came else None
        asked = self._outcomes(zero)
        return Drill(
            subject=wish.subject,
            definition=wish.definition,
            fault=wish.fault,
            weight=wish.weight,
            hold_seconds=wish.hold_seconds,
            shortened=wish.hold_seconds < wish.planned_seconds,
            verdict=verdict,
            why=why,
            injected="" if injected is None else timestamp(injected),
            fired=timestamp(came[1]) if came else "",
            action=came[0].action.value if came else "",
            fired_seconds=self._after(came[1]) if came else None,
            zero_seconds=None if zero is None else self._after(zero),
            served_seconds=self._after(came[1] + came[2].served_seconds) if came else None,
            requests=len(asked),
            failed=sum(outcome.failed for outcome in asked),
            slow=sum(outcome.ms > self._scene.limits.slow_ms and not outcome.failed for outcome in asked),
            others=self._others(),
            back=came[2] if came else None,
        )

    def _outcomes(self, zero: float | None) -> list[Outcome]:
        """What users met from the fault until green had no traffic."""
        injected = self._injected
        if injected is None:
            return []
        until = float("inf") if zero is None else zero
        return [one for one in self.watch.outcomes() if injected <= one.at <= until]

    def _others(self) -> tuple[Crossed, ...]:
        def crossed(rule: str, decision: Decision) -> Crossed | None:
            if rule == self._wish.rule or decision.at is None or self._injected is None:
                return None
            return Crossed(rule, self._after(decision.at))

        found = (crossed(rule, decision) for rule, decision in self.watch.guard.fired.items())
        return tuple(sorted((one for one in found if one), key=lambda one: one.seconds))

    def _after(self, at: float) -> float:
        """Seconds from the fault."""
        assert self._injected is not None  # noqa: S101 - only what comes after it is timed
        return round(at - self._injected, 3)

    def _say(self, text: str, *, routine: bool = False) -> None:
        now, wish = self._scene.clock.now(), self._wish
        since = None if self._injected is None else now - self._injected
        gauges = self.watch.guard.gauges(now).triggers
        breached = next((one.breached_seconds for one in gauges if one.trigger.id == wish.subject), 0.0)
        self._tell(Progress(wish.subject, text, since, breached, wish.hold_seconds, routine))


def _words(error: TminusError) -> str:
    return f"{error}; {error.hint}"

"""The drills of the reference service: which fault makes which rule fire, and how it is injected on a stage."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from tminus.control.drills import Wish
from tminus.control.ports import Clock
from tminus.control.watch import Watch
from tminus.domain.guard import GuardLimits
from tminus.domain.rehearsal import SUBJECTS
from tminus.domain.traffic import Side
from tminus.domain.trigger import CORRUPTION
from tminus.errors import InconclusiveError, UsageError
from tminus.http import connect
from tminus.processes import find
from tminus.targets.local import LocalTarget

FAULT_VARIABLE: Final = "DEPOT_FAULT_TOKEN"
"""What opens depot's `/faults`; without it a running depot takes no fault."""
FINDING: Final = "a critical finding, made up for the rehearsal"
"""What is handed to the vulnerability trigger's source."""


@dataclass(frozen=True, slots=True)
class Exercise:
    """One fault, and green's share of the traffic at which it is injected."""

    weight: int
    fault: str
    """In words."""
    spec: str = ""
    """As depot takes it; empty where the fault is another."""


EXERCISES: Final[Mapping[str, Exercise]] = MappingProxyType(
    {
        "trig.errors": Exercise(50, "a fifth of green's answers are errors", "errors=0.2"),
        "trig.latency": Exercise(50, "a third of green's answers come 3 s late", "slow=0.33:3.0"),
        "trig.unavailable": Exercise(100, "green is killed while it serves everybody"),
        "trig.vulnerability": Exercise(10, "a critical finding about green's image is handed to the trigger"),
        "trig.corruption": Exercise(50, "a fifth of green's answers damage a stored row", "corrupt=0.2"),
        "guard.a1": Exercise(100, "a fifth of green's answers are errors", "errors=0.2"),
        "guard.a2": Exercise(25, "a fifth of green's answers are errors", "errors=0.2"),
        "guard.b1": Exercise(25, "a third of green's answers come 3 s late", "slow=0.33:3.0"),
    }
)
"""At 50 % each second has requests on both sides. Only a1 judges while all traffic is on green; a killed green is an
unavailable service only then, since blue takes over what it can."""

UNWATCHED: Final = (
    "the plan has no invariants, so nothing looks at the data and the trigger is a person's order only"
)
"""Why damaged rows cannot be seen to roll back."""
_LAST = CORRUPTION
"""It leaves damaged rows behind, so nothing is rehearsed on that database afterwards."""


def chosen(words: Sequence[str]) -> tuple[str, ...]:
    """The subjects that a person's words mean, in the order of the checklist; all without a word.

    A word is a subject, its name without `trig.`, or `guard` for the three tests. Raises `UsageError` for any other.
    """
    wanted: set[str] = set()
    for word in words:
        means = {one for one in SUBJECTS if word in {one, one.partition(".")[2], one.partition(".")[0]}}
        if not means:
            known = ", ".join(one.removeprefix("trig.") for one in SUBJECTS)
            raise UsageError(f"nothing is called {word[:40]!r} here", hint=f"rehearse guard, or of {known}")
        wanted |= means
    return tuple(one for one in SUBJECTS if one in wanted or not words)


def lanes(subjects: Sequence[str], limits: GuardLimits) -> tuple[tuple[str, ...], ...]:
    """What is rehearsed side by side, and one after the other: whatever has to hold for minutes on a stage of its own.

    So the whole takes as long as the longest, and each its real time.
    """
    held = {trigger.id for trigger in limits.triggers if trigger.for_seconds > 0}
    long = [(one,) for one in subjects if one in held]
    quick = sorted((one for one in subjects if one not in held), key=lambda one: (one == _LAST, one))
    return (*long, tuple(quick)) if quick else tuple(long)


def with_hold(limits: GuardLimits, hold: float | None) -> GuardLimits:
    """The limits with a shorter hold time for every trigger that has one; the plan's own without."""
    if hold is None:
        return limits
    triggers = tuple(
        replace(one, for_seconds=min(hold, one.for_seconds)) if one.for_seconds else one
        for one in limits.triggers
    )
    return replace(limits, triggers=triggers)


@dataclass(frozen=True, slots=True)
class Injector:
    """Injects the faults of one stage."""

    target: LocalTarget
    clock: Clock
    token: str = field(repr=False)
    watched: bool
    """Whether the plan says what always holds for the data."""

    def wish(self, subject: str, defined: Mapping[str, str], planned: GuardLimits, used: GuardLimits) -> Wish:
        """The drill of a subject; `planned` are the plan's limits, `used` those with the hold time of today."""
        exercise = EXERCISES[subject]
        return Wish(
            subject=subject,
            definition=defined[subject],
            fault=exercise.fault,
            strike=self._strike(subject, exercise),
            weight=exercise.weight,
            hold_seconds=_hold(used, subject),
            planned_seconds=_hold(planned, subject),
            unready=UNWATCHED if subject == CORRUPTION and not self.watched else "",
        )

    def _strike(self, subject: str, exercise: Exercise) -> Callable[[Watch], Awaitable[None]]:
        if exercise.spec:
            return lambda _: self._order(exercise.spec)
        if subject == "trig.unavailable":
            return lambda _: self._kill()
        return lambda watch: self._hand_over(watch, subject)

    async def _order(self, spec: str) -> None:
        """Have green misbehave from now on; private, so that no smoke test could have seen it."""
        async with connect(self.target.private_url(Side.GREEN)) as http:
            answer = await http.ask(
                "PUT", "/faults", headers={"X-Fault-Token": self.token}, json_body={"spec": spec}
            )
        if answer.status != 200:
            raise InconclusiveError(
                f"green does not take the fault {spec}: {answer.status}",
                hint="rehearse a release whose /faults is open on staging",
            )

    async def _kill(self) -> None:
        green = find(self.target.stage, Side.GREEN.value)
        if green is None:
            raise InconclusiveError("green does not run, so it cannot be killed", hint="rehearse again")
        await green.kill()

    async def _hand_over(self, watch: Watch, subject: str) -> None:
        await asyncio.sleep(0)
        watch.guard.observe_finding(subject, self.clock.now(), breached=True, found=FINDING)


def _hold(limits: GuardLimits, subject: str) -> float:
    return next((one.for_seconds for one in limits.triggers if one.id == subject), 0.0)

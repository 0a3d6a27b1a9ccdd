"""The checklist's rollback triggers: a condition, held without a break, for minutes.

They are the guaranteed backstop behind the sequential tests of `guard.py`, which feeds them. A timer proves that its
condition held all the time; what was not seen is not proven and starts the timer anew. The thresholds are those
of the seed checklist ("Rollback Triggers"), the window and its minimum those of the usual `[1m]` rate queries.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tminus.domain.traffic import Outcome
from tminus.errors import UsageError

CORRUPTION = "trig.corruption"
"""The trigger that watches the data itself; its source is the plan's invariants."""
VULNERABILITY = "trig.vulnerability"
"""The trigger that watches what is published about the release's packages; its source is a scanner."""
UNAVAILABLE = "trig.unavailable"
"""The trigger that watches whether users get any answer; its sources are vantage points."""
REPORTABLE = frozenset({CORRUPTION, VULNERABILITY, UNAVAILABLE})
"""What a person can find out and say; a rate is counted, and who doubts one orders a rollback."""
WINDOW = 60
"""Seconds of requests that one evaluation of a rate looks back on."""
WINDOW_REQUESTS = 50
"""Fewer green requests in the window support no evaluation."""
WINDOW_FRESH = 10
"""Seconds; a window whose newest green request is older supports no evaluation."""
SLOW_SHARE = 0.05
"""p95 > T says exactly that more than this share of the requests takes longer than T."""


class Action(StrEnum):
    """What becomes of the traffic."""

    CONTINUE = "continue"
    """Nothing speaks against the next step."""
    HOLD = "hold"
    """The weight stays where it is and people are paged."""
    ROLLBACK = "rollback"
    """All traffic goes back to blue."""


class TriggerState(StrEnum):
    """What is known of a trigger's condition now."""

    NOT_OBSERVED = "not observed"
    """Nothing has looked, or not lately."""
    CLEAR = "clear"
    """Looked, and the condition does not hold."""
    BREACHED = "breached"
    """The condition holds, but not yet long enough."""
    FIRED = "fired"
    """The condition held long enough."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """A condition that rolls back, or holds, once it has held for a time."""

    id: str
    """Its name in the plan, `trig.` and one word."""
    text: str
    """The checklist's line."""
    source: str
    """Who observes the condition."""
    limit: float
    """Above it the condition holds: a share, milliseconds, or a number of findings."""
    for_seconds: float
    """How long it must hold without a break."""
    unseen_after: float
    """Seconds between two observations above which the time between them was not seen."""
    hits: int = 1
    """How many observations in a row must find it."""
    action: Action = Action.ROLLBACK
    """What follows."""

    @property
    def rule(self) -> str:
        """Its name in a decision."""
        return "trigger." + self.id.removeprefix("trig.")


TRIGGERS = (
    Trigger("trig.errors", "Error rate >5% for 5 minutes", "green's requests", 0.05, 300, 1.5),
    Trigger("trig.latency", "P95 latency >2s for 5 minutes", "green's requests", 2000, 300, 1.5),
    Trigger(
        VULNERABILITY,
        "Critical security vulnerability discovered",
        "a scan of the running digest, each 15 minutes",
        0,
        0,
        3600,
        # Whether a finding can be exploited is for the security lead to say; until then the shift stands still.
        action=Action.HOLD,
    ),
    Trigger(CORRUPTION, "Data corruption detected", "invariant queries, each minute", 0, 0, 180, hits=2),
    Trigger(UNAVAILABLE, "Service unavailable >5 minutes", "an independent prober", 0, 300, 30),
)
"""The seed's five triggers. One without a source reports `not observed`; it neither passes nor fires."""


class HoldTimer:
    """How long one trigger's condition has held without a break."""

    def __init__(self, trigger: Trigger) -> None:
        self.trigger = trigger
        self.fired_at: float | None = None
        self._since: float | None = None
        self._hits = 0
        self._last: float | None = None
        self._breached: bool | None = None

    def observe(self, at: float, *, breached: bool | None) -> bool:
        """Take one observation; none (`None`) proves nothing. True when the trigger fires now."""
        if self._last is not None and at - self._last > self.trigger.unseen_after:
            self._since, self._hits = None, 0
        self._last, self._breached = at, breached
        if not breached:
            self._since, self._hits = None, 0
            return False
        self._since = at if self._since is None else self._since
        self._hits += 1
        held = at - self._since >= self.trigger.for_seconds and self._hits >= self.trigger.hits
        if self.fired_at is not None or not held:
            return False
        self.fired_at = at
        return True

    def fire(self, at: float) -> bool:
        """Fire by a person's word, whatever was observed; False when it has fired already."""
        if self.fired_at is not None:
            return False
        self.fired_at = at
        return True

    def state(self, now: float) -> TriggerState:
        """What is known of the condition at this moment."""
        if self.fired_at is not None:
            return TriggerState.FIRED
        unseen = self._last is None or now - self._last > self.trigger.unseen_after + 1
        if unseen or self._breached is None:
            return TriggerState.NOT_OBSERVED
        return TriggerState.BREACHED if self._breached else TriggerState.CLEAR

    def breached_seconds(self) -> float:
        """How long the condition has been seen to hold, up to the last observation."""
        return 0.0 if self._since is None or self._last is None else self._last - self._since


@dataclass(frozen=True, slots=True)
class TriggerGauge:
    """How far one trigger has come."""

    trigger: Trigger
    """Which one."""
    state: TriggerState
    """What is known of it."""
    breached_seconds: float
    """How long its condition has held."""
    seen: float
    """How much of its window was seen, 0 to 1: seconds with green requests, or a fresh observation."""


class _Window:
    """Green's requests of the last minute, second by second."""

    def __init__(self) -> None:
        self._ticks: deque[tuple[int, int, int]] = deque(maxlen=WINDOW)
        self._open = [0, 0, 0]
        self._sums = [0, 0, 0]

    def add(self, *, failed: bool, slow: bool) -> None:
        self._open[0] += 1
        self._open[1] += failed
        self._open[2] += slow

    def close(self) -> None:
        oldest = self._ticks[0] if len(self._ticks) == WINDOW else (0, 0, 0)
        self._sums = [s + n - o for s, n, o in zip(self._sums, self._open, oldest, strict=True)]
        self._ticks.append((self._open[0], self._open[1], self._open[2]))
        self._open = [0, 0, 0]

    def shares(self) -> tuple[float, float] | None:
        """Failed and slow share; nothing when the window supports no evaluation."""
        requests, failed, slow = self._sums
        newest = list(self._ticks)[-WINDOW_FRESH:]
        if requests < WINDOW_REQUESTS or not any(tick[0] for tick in newest):
            return None
        return failed / requests, slow / requests

    def seen(self) -> float:
        """Share of the window's seconds with green requests."""
        return sum(tick[0] > 0 for tick in self._ticks) / WINDOW


class Backstop:
    """All triggers of a launch, fed by requests, a prober and whoever reports findings."""

    def __init__(self, triggers: Sequence[Trigger]) -> None:
        self._timers = {trigger.id: HoldTimer(trigger) for trigger in triggers}
        latency = self._timers.get("trig.latency")
        self._slow_ms = latency.trigger.limit if latency else float("inf")
        self._window = _Window()

    def observe(self, outcome: Outcome, *, failed: bool) -> None:
        """Count one of green's requests in the second that is open now."""
        self._window.add(failed=failed, slow=outcome.ms > self._slow_ms)

    def tick(self, at: float) -> list[Trigger]:
        """Close a second of event time and evaluate the rates; the triggers that fire now."""
        self._window.close()
        shares = self._window.shares()
        fired = []
        for index, name in enumerate(("trig.errors", "trig.latency")):
            timer = self._timers.get(name)
            if timer is None:
                continue
            limit = SLOW_SHARE if index else timer.trigger.limit
            if timer.observe(at, breached=None if shares is None else shares[index] > limit):
                fired.append(timer.trigger)
        return fired

    def report(self, trigger_id: str, at: float, *, breached: bool | None) -> Trigger | None:
        """Take an observation from a source other than the requests; the trigger if it fires now.

        Raises `UsageError` for a trigger that the plan does not have.
        """
        timer = self._timer(trigger_id)
        return timer.trigger if timer.observe(at, breached=breached) else None

    def say(self, trigger_id: str, at: float) -> Trigger | None:
        """Take a person's word that the condition holds; the trigger, unless it has fired already.

        Raises `UsageError` for a trigger that the plan does not have.
        """
        timer = self._timer(trigger_id)
        return timer.trigger if timer.fire(at) else None

    def resume(self) -> None:
        """Start those triggers anew that hold rather than roll back."""
        for name, timer in self._timers.items():
            if timer.trigger.action is Action.HOLD:
                self._timers[name] = HoldTimer(timer.trigger)

    def breached_seconds(self, trigger_id: str) -> float:
        """How long this trigger's condition has held."""
        return self._timers[trigger_id].breached_seconds()

    def gauges(self, now: float) -> tuple[TriggerGauge, ...]:
        """How far each trigger has come."""
        return tuple(self._gauge(timer, now) for timer in self._timers.values())

    def _timer(self, trigger_id: str) -> HoldTimer:
        timer = self._timers.get(trigger_id)
        if timer is None:
            names = ", ".join(sorted(self._timers))
            raise UsageError(f"there is no trigger {trigger_id!r}", hint=f"the plan has: {names}")
        return timer

    def _gauge(self, timer: HoldTimer, now: float) -> TriggerGauge:
        state = timer.state(now)
        if timer.trigger.id in {"trig.errors", "trig.latency"}:
            seen = self._window.seen()
        else:
            seen = float(state is not TriggerState.NOT_OBSERVED)
        return TriggerGauge(timer.trigger, state, timer.breached_seconds(), seen)

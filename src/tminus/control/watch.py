"""Watch the traffic of a rollout and say: continue, hold or roll back.

The guard judges requests; here it is fed, and what it cannot see from requests is added: a green that died, restarted
or was ejected by the proxy has failed, and what cannot be read holds. Nothing here changes a weight.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from tminus.control.inspection import Inspection
from tminus.control.measuring import Measuring
from tminus.control.ports import Clock, Json, Prober, SideStatus, Target, Traffic
from tminus.domain.canonical import JsonValue
from tminus.domain.guard import Action, Guard, GuardLimits
from tminus.domain.judgement import Decision
from tminus.domain.plan import Rung
from tminus.domain.rollout import Share, share, since
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.domain.trigger import CORRUPTION
from tminus.errors import ProbeError, RolloutError

TICK = 0.25
"""Seconds between two judgements: a rollback waits for no longer than this."""

SLICE = 5.0
"""Seconds of watching in one durable step; a crash repeats at most this much."""


UNMEASURED = "hold.metric"
"""The rule by which a metric holds of which too little is known."""


@dataclass(frozen=True, slots=True)
class Green:
    """Which process is green: another one in its place is a restart."""

    started: float
    digest: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What one slice of watching came to."""

    action: Action
    rule: str
    text: str
    seconds: float
    """How long was watched with nothing to hold for."""
    at: float | None
    """Event time of what fired, in seconds of the epoch."""

    def data(self) -> Json:
        """As a step remembers it."""
        return {
            "action": self.action.value,
            "rule": self.rule,
            "text": self.text,
            "seconds": self.seconds,
            "at": self.at,
        }


def sight(data: Json) -> Sight:
    """What a step remembered."""
    return Sight(
        Action(str(data["action"])),
        str(data["rule"]),
        str(data["text"]),
        float(cast("float", data["seconds"])),
        cast("float | None", data["at"]),
    )


class Watch:
    """The guard of one launch, fed from the trace; a new process reads the trace again from its beginning."""

    def __init__(
        self, target: Target, traffic: Traffic, prober: Prober, clock: Clock, limits: GuardLimits
    ) -> None:
        self._target = target
        self._traffic = traffic
        self._prober = prober
        self._clock = clock
        self.limits = limits
        self.guard = Guard(limits)
        self.inspection: Inspection | None = None
        """What looks at the data; nothing where the plan has no invariants."""
        self.measuring: Measuring | None = None
        """What measures the team's metrics; nothing where the plan has none."""
        self._was_well = False
        """Whether nothing held at the last judgement, be it in the slice before: a hold that begins between two slices
        is told like any other."""
        self.missing: Callable[[], str] = str
        """Which part is not there that measures the launch, or wakes people for it; empty while all are."""
        self._items: list[Outcome | WeightChange] = []
        self._weight: WeightChange | None = None
        """The newest weight that the proxy confirmed."""
        self._resumes: list[float] = []
        self._next_probe = 0.0

    def outcomes(self) -> list[Outcome]:
        """Every finished request of this launch so far."""
        self._catch_up()
        return [item for item in self._items if isinstance(item, Outcome)]

    def share(self, rung: Rung) -> Share:
        """Green's share of the requests that the newest weight routed, no older than the rung's own time.

        Older ones would make a disturbance that is over count for as long as it takes to dilute it.
        """
        outcomes = self.outcomes()
        oldest = self._clock.now() - rung.watch_seconds - SLICE
        weight = self._weight
        begun = (
            WeightChange(max(oldest, weight.at), rung.percent)
            if weight
            else WeightChange(oldest, rung.percent)
        )
        return share(since(outcomes, begun), rung.percent)

    async def slice(self, green: Green | None, seconds: float) -> Sight:
        """Watch for this long, or until there is reason to roll back, or reason to hold where there was none.

        So a hold is told when it begins, also one that would be over before the slice is.
        """
        began = self._clock.now()
        well = 0.0
        last = began
        while True:
            decision = await self._judge(green)
            now = self._clock.now()
            if decision.action is Action.CONTINUE:
                well += now - last
            last = now
            begins_to_hold = self._was_well and decision.action is Action.HOLD
            self._was_well = decision.action is Action.CONTINUE
            if decision.action is Action.ROLLBACK or begins_to_hold or now - began >= seconds:
                return Sight(decision.action, decision.rule or "", decision.text, well, decision.at)
            await self._clock.sleep(min(TICK, seconds - (now - began)))

    async def _judge(self, green: Green | None) -> Decision:
        self._catch_up()
        now = self._clock.now()
        if now >= self._next_probe:
            self._next_probe = now + 1.0
            self.guard.observe_probe(now, ok=await self._prober.answers())
        self._take_a_look()
        decision = self._metered(
            self.guard.judge(now, lost=self._traffic.lost(), received=self._traffic.received())
        )
        if decision.action is Action.ROLLBACK or green is None:
            return decision
        try:
            status = await self._target.status(Side.GREEN)
        except (ProbeError, RolloutError) as error:
            claim = f"green cannot be seen ({error})"
            return replace(decision, action=Action.HOLD, at=now, rule="hold.blind", claim=claim)
        if how := _failed(status, green):
            self.guard.green_died(now, how)
            return self.guard.judge(now)
        return self._with_all_parts(self._doubted(decision, status.weight))

    def _with_all_parts(self, decision: Decision) -> Decision:
        """The decision, or a hold where a part is missing: nobody would measure or hear what comes next."""
        if decision.action is Action.CONTINUE and (why := self.missing()):
            claim = f"a part is missing: {why}"
            return replace(decision, action=Action.HOLD, at=self._clock.now(), rule="hold.parts", claim=claim)
        return decision

    def _metered(self, decision: Decision) -> Decision:
        """The decision, or a rollback where a metric of the team has failed."""
        if self.measuring is None:
            return decision
        self.measuring.poll(self._clock.now())
        failed = self.measuring.failed()
        if failed is None or decision.action is Action.ROLLBACK:
            return decision
        rule, why = failed
        return replace(decision, action=Action.ROLLBACK, at=self._clock.now(), rule=rule, claim=why)

    def _take_a_look(self) -> None:
        """Tell the guard what the newest look at the data found, if one has ended."""
        data = self.inspection
        if data is not None and (look := data.poll(self._clock.now())) is not None:
            self.guard.observe_finding(CORRUPTION, look.at, breached=look.breached, found=data.found())

    def _doubted(self, decision: Decision, reported: int) -> Decision:
        """The decision, or a hold where the weight is another one than was set, or something is not seen."""
        weight, now = self._weight, self._clock.now()
        if weight is not None and reported != weight.percent:
            claim = f"the proxy reports {reported} % on green, but {weight.percent} % was set"
            return replace(decision, action=Action.HOLD, at=now, rule="hold.weight", claim=claim)
        if decision.action is Action.CONTINUE and (why := self._traffic.blindness()):
            claim = f"not every request can be seen: {why}"
            return replace(decision, action=Action.HOLD, at=now, rule="hold.blind", claim=claim)
        if decision.action is Action.CONTINUE and (why := self._data_unseen()):
            return replace(decision, action=Action.HOLD, at=now, rule="hold.blind", claim=why)
        if decision.action is Action.CONTINUE and self.measuring and (why := self.measuring.unknown()):
            return replace(decision, action=Action.HOLD, at=now, rule=UNMEASURED, claim=why)
        return decision

    def _data_unseen(self) -> str:
        return self.inspection.blindness(self._clock.now()) if self.inspection else ""

    async def users_get_answers(self) -> bool:
        """Whether the public address answers now."""
        return await self._prober.answers()

    def note_weight(self, percent: int) -> None:
        """Write a weight that the proxy has just confirmed into the trace."""
        self._traffic.note_weight(WeightChange(self._clock.now(), percent))

    def resume(self, at: float) -> None:
        """End a hold on evidence, as of this moment; a later process that reads the trace again does the same."""
        self._resumes.append(at)
        if self.measuring:
            self.measuring.resume(at)

    def recall(self, seen: Json) -> None:
        """Go on measuring from what a look has recorded, in this process or in one before it."""
        gauges = seen.get("gauges")
        if self.measuring and isinstance(gauges, dict) and isinstance(rows := gauges.get("metrics"), list):
            self.measuring.recall(rows)

    def gauges(self) -> Json:
        """How far each test and each trigger has come, for people and for the record."""
        gauges = self.guard.gauges(self._clock.now())
        tests: list[JsonValue] = [
            {
                "rule": t.rule,
                "evidence": t.evidence,
                "threshold": t.threshold,
                "hits": t.hits,
                "requests": t.requests,
            }
            for t in gauges.tests
        ]
        triggers: list[JsonValue] = [
            {
                "trigger": t.trigger.id,
                "state": t.state.value,
                "breached_seconds": t.breached_seconds,
                "for_seconds": t.trigger.for_seconds,
            }
            for t in gauges.triggers
        ]
        counts = cast("JsonValue", self.guard.counts.as_dict())
        lines: JsonValue = {
            "received": self._traffic.received(),
            "lost": self._traffic.lost(),
            "refused": self._traffic.refused(),
        }
        data: Json = {"data": self.inspection.gauge()} if self.inspection else {}
        data |= {"metrics": self.measuring.gauge()} if self.measuring else {}
        return {"tests": tests, "triggers": triggers, "counts": counts, "lines": lines, **data}

    def _catch_up(self) -> None:
        for item in self._traffic.items(len(self._items)):
            self._resume_before(item.at)
            self._items.append(item)
            if isinstance(item, WeightChange):
                self._weight = item
            self.guard.observe(item)
        self._resume_before(self._clock.now())

    def _resume_before(self, at: float) -> None:
        while self._resumes and self._resumes[0] < at:
            self._resumes.pop(0)
            self.guard.resume()


def _failed(status: SideStatus, green: Green) -> str:
    """How green has failed without a request being asked; empty when it stands."""
    if not status.running:
        return "died: its process is gone"
    if status.started != green.started:
        return "restarted: its process is another one than was started"
    if status.digest and status.digest != green.digest:
        return f"was replaced: it runs {status.digest}"
    return "" if status.up else "was ejected: the proxy no longer counts it as able to serve"

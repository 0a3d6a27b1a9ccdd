"""Watch the traffic of a rollout and say: continue, hold or roll back.

The guard judges requests; here it is fed, and what it cannot see from requests is added: a green that died, restarted
or was ejected by the proxy has failed, and what cannot be read holds. Nothing here changes a weight.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import takewhile

from tminus.control.gauges import gauges
from tminus.control.green import Green, failed
from tminus.control.inspection import Inspection
from tminus.control.looks import Looks, unseen
from tminus.control.measuring import Measuring
from tminus.control.ports import Clock, Json, Memory, Prober, SideStatus, Target, Traffic
from tminus.control.sight import Sight
from tminus.domain.cost import Toll
from tminus.domain.guard import Action, Guard, GuardLimits
from tminus.domain.judgement import Decision
from tminus.domain.plan import Rung
from tminus.domain.rollout import Share, share, since
from tminus.domain.sufficiency import LOAD_SECONDS, lacking
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.domain.trigger import CORRUPTION, UNAVAILABLE
from tminus.errors import ProbeError, RolloutError

TICK = 0.25
"""Seconds between two judgements: a rollback waits for no longer than this."""

UNSEEN_SECONDS = 3.0
"""How far the newest line may lie behind an answer that users got: longer than a stall of the machine."""

LATE = 60.0
"""How much older a line may be than one that came before it, in seconds."""

SLICE = 5.0
"""Seconds of watching behind each of the first looks that are recorded."""

RECENT = 600.0
"""Seconds for which requests are kept one by one, unless a rung lasts longer."""

SAVE = 60.0
"""Seconds after which what the guard has come to is kept again: so much of the trace a new process judges once more."""

_OF_SIGHT = ("hold.no-traffic", "hold.blind")
"""Holds of the guard for what it does not see, which may have a cause that is seen here."""

UNMEASURED = "hold.metric"
"""The rule by which a metric holds of which too little is known."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a watch has come to, for the process that goes on with it."""

    items: int
    """How many items of the trace the guard has taken."""
    recent: int
    """How many of the newest of them are still looked at one by one."""
    guard: Guard
    toll: Toll
    weight: WeightChange | None
    resumed: tuple[float, ...]
    """The holds that people ended, each by its instant; the guard knows of them already."""


class Watch:
    """The guard of one launch, fed from the trace.

    A new process goes on from what `memory` keeps; without that it reads the trace again from its beginning.
    """

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
        self.sources: tuple[Looks, ...] = ()
        """What looks for other triggers' conditions, as the plan names it."""
        self.measuring: Measuring | None = None
        """What measures the team's metrics; nothing where the plan has none."""
        self._was_well = False
        """Whether nothing held at the last judgement, be it in the slice before: a hold that begins between two slices
        is told like any other."""
        self.missing: Callable[[], str] = str
        """Which part is not there that measures the launch, or wakes people for it; empty while all are."""
        self.memory: Memory | None = None
        """Where to keep what the guard has come to."""
        self._took_up = False
        self._saved_at = clock.now()
        self._items = 0
        """How many items of the trace the guard has taken."""
        self._recent: deque[Outcome | WeightChange] = deque()
        self._kept_seconds = RECENT
        self._toll = Toll(limits.slow_ms)
        self._resumed: tuple[float, ...] = ()
        self._weight: WeightChange | None = None
        """The newest weight that the proxy confirmed."""
        self._newest: float | None = None
        """When the newest request that was seen ended."""
        self._answered = float("-inf")
        """When the prober last got an answer: whatever stands before the service must have a line of it."""
        self.delay: Callable[[], float] = float
        """How many seconds the trace may be behind; none for one that comes request by request."""
        self.sparing = 0.0
        """Seconds for which it counts how green was seen; a cluster's API is not asked four times a second."""
        self._green_seen: tuple[float, SideStatus] | None = None
        self._resumes: list[float] = []
        self._next_probe = 0.0

    def outcomes(self) -> list[Outcome]:
        """The newest finished requests: those of ten minutes, or of the longest rung where that is longer."""
        self._catch_up()
        return [item for item in self._recent if isinstance(item, Outcome)]

    def toll(self) -> Toll:
        """What the launch has cost its users so far."""
        self._catch_up()
        return self._toll

    def share(self, rung: Rung) -> Share:
        """Green's share of the requests that the newest weight routed, no older than the rung's own time.

        Older ones would make a disturbance that is over count for as long as it takes to dilute it.
        """
        self._kept_seconds = max(self._kept_seconds, rung.watch_seconds + 2 * SLICE + self.delay())
        self._catch_up()
        oldest = self.told() - rung.watch_seconds - SLICE
        weight = self._weight
        begun = (
            WeightChange(max(oldest, weight.at), rung.percent)
            if weight
            else WeightChange(oldest, rung.percent)
        )
        return share(since(self._ended_since(begun.at), begun), rung.percent)

    def proof(self, rung: Rung, per_second: float) -> Json:
        """Whether a rung has had what it needs: its requests, its share, and as much traffic as the plan asks for."""
        found = self.share(rung)
        until = self.told()
        window = sum(one.at <= until for one in self._ended_since(until - LOAD_SECONDS))
        lacks = lacking(found, rung, window / LOAD_SECONDS, per_second)
        return {"share": found.data(), "proven": not lacks, **({"lacks": lacks} if lacks else {})}

    def _ended_since(self, at: float) -> list[Outcome]:
        """The requests that ended from this instant on; no line is later than `LATE` seconds."""
        newest = takewhile(lambda item: item.at >= at - LATE, reversed(self._recent))
        return [item for item in newest if isinstance(item, Outcome) and item.at >= at]

    async def slice(self, green: Green | None, seconds: float) -> Sight:
        """Watch for this long, or until there is reason to roll back, or to hold where there was none.

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
            answers = await self._prober.answers()
            self._answered = now if answers else self._answered
            if not any(one.trigger == UNAVAILABLE for one in self.sources):
                self.guard.observe_probe(now, ok=answers)
        self._take_a_look()
        decision = self._metered(
            self.guard.judge(self.told(), lost=self._traffic.lost(), received=self._traffic.received())
        )
        if decision.action is Action.ROLLBACK or green is None:
            return decision
        try:
            status = await self._green(now)
        except (ProbeError, RolloutError) as error:
            claim = f"green cannot be seen ({error})"
            return replace(decision, action=Action.HOLD, at=now, rule="hold.blind", claim=claim)
        if how := failed(status, green):
            self.guard.green_died(now, how)
            return self.guard.judge(self.told())
        return self._with_all_parts(self._doubted(decision, status.weight))

    def told(self) -> float:
        """Until when the trace tells of requests: a second that it has not told of yet is still open."""
        return self._clock.now() - self.delay()

    async def _green(self, now: float) -> SideStatus:
        """How green stands: read now, or a moment ago where its target is to be spared."""
        if self._green_seen and now - self._green_seen[0] < self.sparing:
            return self._green_seen[1]
        status = await self._target.status(Side.GREEN)
        self._green_seen = now, status
        return status

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
        """Tell the guard what the newest looks of the sources found, those that have ended."""
        data = self.inspection
        if data is not None and (look := data.poll(self._clock.now())) is not None:
            self.guard.observe_finding(CORRUPTION, look.at, breached=look.breached, found=data.found())
        for source in self.sources:
            if (seen := source.poll(self._clock.now())) is not None:
                self.guard.observe_finding(source.trigger, seen.at, breached=seen.breached, found=seen.found)

    def _doubted(self, decision: Decision, reported: int) -> Decision:
        """The decision, or a hold where something is not seen, or the weight is another one than was set.

        A hold on evidence stands before both. A wrong weight is told only by who sees everything else: to set it
        again is then safe.
        """
        weight, now = self._weight, self._clock.now()
        if decision.action is not Action.CONTINUE and decision.rule not in _OF_SIGHT:
            return decision
        if why := self._unseen():
            return replace(decision, action=Action.HOLD, at=now, rule="hold.blind", claim=why)
        if weight is not None and reported != weight.percent:
            claim = f"the proxy reports {reported} % on green, but {weight.percent} % was set"
            return replace(decision, action=Action.HOLD, at=now, rule="hold.weight", claim=claim)
        if decision.action is Action.CONTINUE and self.measuring and (why := self.measuring.unknown()):
            return replace(decision, action=Action.HOLD, at=now, rule=UNMEASURED, claim=why)
        return decision

    def unseen(self) -> str:
        """Why not every request can be seen; empty while each one is."""
        self._catch_up()
        return self._traffic.blindness() or self._silence()

    def _unseen(self) -> str:
        """What is not seen of requests and data, and why; empty while everything is."""
        now = self._clock.now()
        if why := self._traffic.blindness() or self._silence():
            return f"not every request can be seen: {why}"
        data = self.inspection.blindness(now) if self.inspection else ""
        return data or unseen(self.sources, now)

    def _silence(self) -> str:
        """Why the log counts as silent though nobody closed it: users get answers, and no line tells of them."""
        if self._newest is None or self._answered - self._newest < UNSEEN_SECONDS + self.delay():
            return ""
        behind = self._clock.now() - self._newest
        return f"the service answers, but the newest line about a request is {behind:.1f} s old"

    @property
    def exposed(self) -> bool:
        """Whether users meet green, as far as the newest weight that was confirmed says."""
        return self._weight is not None and self._weight.percent > 0

    async def users_get_answers(self) -> bool:
        """Whether the public address answers now."""
        return await self._prober.answers()

    def note_weight(self, percent: int) -> None:
        """Write a weight that the proxy has just confirmed into the trace."""
        self._green_seen = None
        self._traffic.note_weight(WeightChange(self._clock.now(), percent))

    def resume(self, at: float) -> None:
        """End a hold on evidence, as of this moment; a later process that reads the trace again does the same."""
        self._take_up()
        if at not in self._resumed:
            self._resumes.append(at)
            if self.measuring:
                self.measuring.resume(at)

    def report(self, trigger: str, at: float, words: str) -> None:
        """A person says that a trigger's condition holds, as of this moment."""
        self._catch_up()
        self.guard.report(trigger, at, words)

    def recall(self, seen: Json) -> None:
        """Go on measuring from what a look has recorded, in this process or in one before it."""
        gauges = seen.get("gauges")
        if self.measuring and isinstance(gauges, dict) and isinstance(rows := gauges.get("metrics"), list):
            self.measuring.recall(rows)

    def gauges(self) -> Json:
        """How far each test and each trigger has come, for people and for the record."""
        data: Json = {"data": self.inspection.gauge()} if self.inspection else {}
        if self.sources:
            data["sources"] = [source.gauge() for source in self.sources]
        data |= {"metrics": self.measuring.gauge()} if self.measuring else {}
        return {**gauges(self.guard, self._traffic, self._clock.now()), **data}

    def _catch_up(self) -> None:
        self._take_up()
        while items := self._traffic.items(self._items):
            for item in items:
                self._resume_before(item.at)
                self.guard.observe(item)
                self._note(item)
            self._items += len(items)
        self._resume_before(self._clock.now())
        self._save()

    def _note(self, item: Outcome | WeightChange) -> None:
        if isinstance(item, WeightChange):
            self._weight = item
        else:
            self._toll.add(item)
        self._keep(item)

    def _keep(self, item: Outcome | WeightChange) -> None:
        self._recent.append(item)
        if isinstance(item, Outcome):
            self._newest = item.at if self._newest is None else max(self._newest, item.at)
        while self._recent[0].at < item.at - self._kept_seconds:
            self._recent.popleft()

    def _take_up(self) -> None:
        """Go on from what the process before this one has kept, once."""
        if self._took_up:
            return
        self._took_up = True
        before = self.memory.load() if self.memory else None
        if not isinstance(before, Progress):
            return
        self.guard, self._toll, self._weight = before.guard, before.toll, before.weight
        self._resumed, self._items = before.resumed, before.items - before.recent
        while (rest := before.items - self._items) and (items := self._traffic.items(self._items)):
            for item in items[:rest]:
                self._keep(item)
            self._items += len(items[:rest])

    def _save(self) -> None:
        now = self._clock.now()
        if self.memory is None or now - self._saved_at < SAVE:
            return
        self._saved_at = now
        recent = len(self._recent)
        self.memory.save(Progress(self._items, recent, self.guard, self._toll, self._weight, self._resumed))

    def _resume_before(self, at: float) -> None:
        while self._resumes and self._resumes[0] < at:
            self._resumed += (self._resumes.pop(0),)
            self.guard.resume()
            for source in self.sources:
                source.accept()

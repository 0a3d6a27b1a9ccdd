"""A target and its users: two sides, a weight, and requests that follow from virtual time."""

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Any

from tminus.control.ports import Clock, Json, SideStatus
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.errors import UnreachableError
from tminus.testing.fate import Fate

WINDOW_SECONDS = 60.0
"""How far back lost lines are counted, as the proxy's trace does."""


BY_HAND = ("echo 'set server web/green weight 0' | socat - admin.sock",)
"""What a person would type for this target."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How one side answers."""

    errors: float = 0.0
    """Share of requests that get a 500."""
    slow: float = 0.0
    """Share of requests that take `slow_ms` instead of `ms`."""
    ms: float = 20.0
    slow_ms: float = 3000.0


@dataclass(frozen=True, slots=True)
class Deployed:
    """What runs on one side."""

    digest: str = ""
    started: float = 0.0
    running: bool = False
    up: bool = False


class FakeTraffic:
    """Users who send requests at a steady rate, and the proxy's lines about them.

    Nothing is drawn: of ten requests at 30 %, three are hits. Requests are routed when they are accepted and
    reported when they are complete.
    """

    def __init__(self, clock: Clock, rate: float = 100.0) -> None:
        self._clock = clock
        self._now = clock.now()
        self._debt = {"users": 0.0}
        self._under_way: list[tuple[float, int, Outcome]] = []
        self._count = 0
        self._trace: list[Outcome | WeightChange] = []
        self._arrived: list[float] = []
        self._missed: list[float] = []
        self.rate = rate
        """Requests in a second."""
        self.behaviour = {Side.BLUE: Behaviour(), Side.GREEN: Behaviour()}
        self.loss = 0.0
        """Share of lines that do not arrive."""
        self.blind = ""
        """Why not every request is seen."""
        self.away = False
        """Whether lines wait in the proxy's ring instead of arriving; a log that somebody closed is `blind` as well."""
        self.forged = 0
        """Lines that somebody else wrote."""
        self.weight = 0
        self.sides: Mapping[Side, Deployed] = {}
        """What runs; a target sets this."""

    def flow(self) -> None:
        """Let happen what users did up to now; to be called before anything changes."""
        now, rate = self._clock.now(), self.rate
        while rate and self._now + (1 - self._debt["users"]) / rate <= now + 1e-9:
            self._now += (1 - self._debt["users"]) / rate
            self._debt["users"] = 0.0
            self._accept(self._now)
        self._debt["users"] += (now - self._now) * rate
        self._now = now
        while self._under_way and self._under_way[0][0] <= now and not self.away:
            self._report(heappop(self._under_way)[2])

    def items(self, after: int) -> list[Outcome | WeightChange]:
        """See `Traffic.items`."""
        self.flow()
        return self._trace[after:]

    def lost(self) -> int:
        """See `Traffic.lost`; of the last minute."""
        return self._recent(self._missed)

    def received(self) -> int:
        """See `Traffic.received`; of the last minute."""
        return self._recent(self._arrived)

    def blindness(self) -> str:
        """See `Traffic.blindness`."""
        return self.blind

    def refused(self) -> int:
        """See `Traffic.refused`."""
        return self.forged

    def note_weight(self, change: WeightChange) -> None:
        """See `Traffic.note_weight`."""
        self.flow()
        self._trace.append(change)

    def _recent(self, times: list[float]) -> int:
        self.flow()
        return len(times) - bisect_left(times, self._clock.now() - WINDOW_SECONDS)

    def _accept(self, at: float) -> None:
        side = self._routed()
        how, there = self.behaviour[side], self.sides.get(side, Deployed(running=True))
        ms = how.slow_ms if self._hit(f"{side} slow", how.slow) else how.ms
        status = 500 if self._hit(f"{side} errors", how.errors) else 200
        if not there.running:
            ms, status = 1.0, 503
        self._count += 1
        outcome = Outcome(at + ms / 1000, side, status, ms, client=f"u{self._count % 20}", number=self._count)
        heappush(self._under_way, (outcome.at, self._count, outcome))

    def _routed(self) -> Side:
        side = Side.GREEN if self._hit("weight", self.weight / 100) else Side.BLUE
        other = Side.BLUE if side is Side.GREEN else Side.GREEN
        ejected = side in self.sides and not self.sides[side].up and self.sides[other].up
        return other if ejected else side

    def _report(self, outcome: Outcome) -> None:
        if self._hit("loss", self.loss):
            self._missed.append(outcome.at)
        else:
            self._arrived.append(outcome.at)
            self._trace.append(outcome)

    def _hit(self, what: str, share: float) -> bool:
        debt = self._debt.get(what, 0.5) + share
        self._debt[what] = debt % 1.0 if share < 1 else 0.5
        return debt >= 1.0 and share > 0


class FakeTarget:
    """Blue that serves, green that can be started, and everything that can happen to both."""

    def __init__(self, clock: Clock, traffic: FakeTraffic, blue: str, fate: Fate | None = None) -> None:
        self._clock = clock
        self._traffic = traffic
        self._fate = fate or Fate()
        self.sides = {
            Side.BLUE: Deployed(blue, clock.now() - 86400, running=True, up=True),
            Side.GREEN: Deployed(),
        }
        traffic.sides = self.sides
        self.calls = 0
        self.unreachable: set[int] = set()
        """The numbers of those calls, from 0, at which the proxy does not answer."""
        self.dark = ""
        """What it does while nobody can reach it: `silent` does nothing, `deaf` acts and gives no answer."""
        self.misread: dict[int, int] = {}
        """What is reported for a weight instead of the weight."""
        self.started_as: dict[str, str] = {}
        """What runs in truth when a digest is started."""
        self.after_weight: dict[int, Callable[[], None]] = {}
        """What happens when a weight has been set."""

    async def prepare(self, digest: str) -> Json:
        """See `Target.prepare`."""
        self._called("prepare")
        self._fate.act(f"prepare {digest}")
        return {"digest": digest}

    async def start(self, side: Side, digest: str) -> SideStatus:
        """See `Target.start`."""
        self._called(f"start {side}")
        digest = self.started_as.get(digest, digest)
        if not self.sides[side].running or self.sides[side].digest != digest:
            self.change(side, digest=digest, started=self._clock.now(), running=True, up=True)
            self._fate.act(f"start {side}")
        return self._status(side)

    async def set_weight(self, percent: int) -> int:
        """See `Target.set_weight`."""
        self._called(f"set weight {percent}")
        self._traffic.flow()
        self._traffic.weight = percent
        self._fate.act(f"set weight {percent}")
        if self.dark:
            raise UnreachableError("the proxy gives no answer (set weight)", hint="is it running?")
        self.after_weight.pop(percent, lambda: None)()
        return self.misread.get(percent, percent)

    async def status(self, side: Side) -> SideStatus:
        """See `Target.status`."""
        self._called(f"status {side}")
        return self._status(side)

    async def stop(self, side: Side, drain_seconds: float) -> int:
        """See `Target.stop`; a side without traffic has no session that would take time to end."""
        del drain_seconds
        self._called(f"stop {side}")
        self.change(side, running=False, up=False)
        self._fate.act(f"stop {side}")
        return 0

    def private_url(self, side: Side) -> str:
        """See `Target.private_url`."""
        return f"http://{side}.test"

    def by_hand(self) -> tuple[str, ...]:
        """See `Target.by_hand`."""
        return BY_HAND

    def change(self, side: Side, **what: Any) -> None:
        """Let something happen to a side: other values of `Deployed`."""
        self._traffic.flow()
        self.sides[side] = replace(self.sides[side], **what)

    def _called(self, what: str) -> None:
        number = self.calls
        self.calls += 1
        if number in self.unreachable or (
            self.dark and not (self.dark == "deaf" and what.startswith("set "))
        ):
            raise UnreachableError(f"the proxy does not answer ({what})", hint="is it running?")

    def _status(self, side: Side) -> SideStatus:
        there, green = self.sides[side], self._traffic.weight
        return SideStatus(
            running=there.running,
            started=there.started if there.running else 0.0,
            digest=there.digest if there.running else "",
            version="1" if there.running else "",
            up=there.up,
            weight=self.misread.get(green, green) if side is Side.GREEN else 100 - green,
            sessions=0,
        )

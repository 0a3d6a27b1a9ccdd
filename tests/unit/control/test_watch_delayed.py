"""Watching by a trace that comes with a delay, as counters do that are scraped each quarter of a minute."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from tminus.control.green import Green
from tminus.control.launch import Crew
from tminus.control.ports import Clock, SideStatus
from tminus.control.watch import SLICE, TICK, Watch
from tminus.domain.guard import Action, GuardLimits
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.errors import UnreachableError
from tminus.testing import FakeTraffic

if TYPE_CHECKING:
    from tests.unit.launch_world import RUNS_NEW, World
else:
    from launch_world import RUNS_NEW, World

SCRAPE = 15.0
LATE = SCRAPE + 1.0


class Scraped:
    """What the users of a stage did, as it is known at the last scrape."""

    def __init__(self, traffic: FakeTraffic, clock: Clock) -> None:
        self._traffic = traffic
        self._clock = clock
        self._told = 0
        """How many items have been told."""

    def items(self, after: int) -> list[Outcome | WeightChange]:
        """See `Traffic.items`."""
        known = self._traffic.items(0)
        scraped = self._clock.now() // SCRAPE * SCRAPE
        while self._told < len(known) and known[self._told].at <= scraped:
            self._told += 1
        return known[after : self._told]

    def lost(self) -> int:
        """See `Traffic.lost`."""
        return 0

    def received(self) -> int:
        """See `Traffic.received`."""
        return self._told

    def blindness(self) -> str:
        """See `Traffic.blindness`."""
        return ""

    def refused(self) -> int:
        """See `Traffic.refused`."""
        return 0

    def note_weight(self, change: WeightChange) -> None:
        """See `Traffic.note_weight`."""
        self._traffic.note_weight(change)


@dataclass
class Delayed(World):
    """A launch whose requests are counted by scrapes."""

    delay: float = LATE
    """What the watch is told of the delay."""

    def boot(self) -> Crew:
        """See `World.boot`."""
        crew = super().boot()
        scraped = Scraped(self.traffic, self.clock)
        self.watch = Watch(self.target, scraped, self.prober, self.clock, GuardLimits())
        self.watch.delay = lambda: self.delay
        self.watch.sparing = 2.0
        self.crew = replace(crew, stages=replace(crew.stages, traffic=scraped, watch=self.watch))
        return self.crew


async def shifted(world: World, percent: int = 50) -> Green:
    status = await world.target.start(Side.GREEN, RUNS_NEW)
    await world.clock.sleep(40.0)
    await world.target.set_weight(percent)
    world.watch.note_weight(percent)
    return Green(status.started, status.digest)


async def test_a_delay_that_is_known_is_no_silence_and_holds_nothing() -> None:
    world = Delayed()
    green = await shifted(world)
    for _ in range(20):
        assert (await world.watch.slice(green, SLICE)).action is Action.CONTINUE


async def test_one_that_nobody_knows_of_holds() -> None:
    world = Delayed(delay=0.0)
    green = await shifted(world)
    seen = [await world.watch.slice(green, SLICE) for _ in range(10)]
    assert any(one.rule == "hold.blind" and "is 1" in one.text for one in seen), seen


async def test_a_good_release_lands_with_every_share_seen() -> None:
    world = Delayed()
    assert (await world.launch())["outcome"] == "landed"
    proofs = [one for one in world.events("traffic.seen") if one.get("share")]
    assert proofs[-1]["proven"], proofs[-1]


@pytest.mark.parametrize("release", ["errors", "slow"])
async def test_a_bad_one_is_rolled_back_a_scrape_later_and_blue_is_seen_to_serve(release: str) -> None:
    world = Delayed(release=release)
    assert (await world.launch())["outcome"] == "rolled-back"
    shifts = [event.at for event in world.chain if event.key == "done:shift 50"]
    back = [event.at for event in world.chain if event.type == "rollback.done"]
    assert (len(shifts), len(back)) == (1, 1)
    (seen,) = world.events("rollback.seen")
    assert (int(str(seen["blue"])) > 0, seen["green"]) == (True, 0), "what was seen is of after the rollback"


async def test_the_api_that_tells_of_green_is_spared_and_a_new_weight_is_read_at_once() -> None:
    world = Delayed()
    green = await shifted(world)
    before = world.target.calls
    for _ in range(4):
        await world.watch.slice(green, SLICE)
    looks = world.target.calls - before
    assert 4 * SLICE / 2.0 / 2 <= looks <= 4 * SLICE / 2.0 + 2, f"{looks} looks, {4 * SLICE / TICK:g} ticks"
    await world.target.set_weight(100)
    world.watch.note_weight(100)
    assert (await world.watch.slice(green, TICK)).action is Action.CONTINUE


async def test_what_cannot_be_seen_now_is_not_answered_by_what_was_seen_long_ago(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = Delayed()
    green = await shifted(world)
    assert (await world.watch.slice(green, SLICE)).action is Action.CONTINUE

    async def away(_side: Side) -> SideStatus:
        raise UnreachableError("the API is away", hint="look")

    monkeypatch.setattr(world.target, "status", away)
    seen = await world.watch.slice(green, SLICE)
    assert (seen.action, seen.rule) == (Action.HOLD, "hold.blind")
    assert seen.seconds <= 2.0 + TICK

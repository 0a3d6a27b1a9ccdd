"""What measures a launch goes dark for ten minutes: the shift stands, and goes on by itself when it is back.

Each source at each weight of the default ladder, at the moments that matter, alone and two at once, in virtual time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest

from tminus.control import watch
from tminus.control.liftoff import OrderedError
from tminus.control.review import Review
from tminus.control.sight import Sight
from tminus.domain.canonical import instant
from tminus.domain.guard import Action
from tminus.domain.plan import Rollout, Rung
from tminus.domain.traffic import Side
from tminus.testing import Behaviour, Crash

if TYPE_CHECKING:
    from tests.unit.launch_world import NEW, OLD, PLAN, World
else:
    from launch_world import NEW, OLD, PLAN, World

WEIGHTS = (1, 5, 10, 25, 50, 100)
WATCH = 12.0
PLAN_OF_SIX = replace(PLAN, rollout=Rollout(tuple(Rung(weight, WATCH, 1) for weight in WEIGHTS), 5.0))
MINUTES = 600.0
NOTICED = 15.0
"""Seconds within which each darkness holds the shift; most do at the next look."""


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge once in a second: ten minutes pass four times as fast, and each darkness is noticed later."""
    monkeypatch.setattr(watch, "TICK", 1.0)


def metrics(world: World, *, dark: bool) -> None:
    world.watch.missing = (lambda: "prometheus does not answer") if dark else str


def closed_log(world: World, *, dark: bool) -> None:
    world.traffic.flow()
    world.traffic.away = dark
    world.traffic.blind = "the proxy's log has ended" if dark else ""


def silent_log(world: World, *, dark: bool) -> None:
    world.traffic.flow()
    world.traffic.away = dark


def api(world: World, *, dark: bool) -> None:
    world.target.dark = "silent" if dark else ""


def socket(world: World, *, dark: bool) -> None:
    """The proxy still does as it is told, but no answer comes back."""
    world.target.dark = "deaf" if dark else ""


Source = Callable[..., None]
SOURCES: dict[str, tuple[Source, ...]] = {
    "metrics": (metrics,),
    "closed log": (closed_log,),
    "silent log": (silent_log,),
    "API": (api,),
    "socket": (socket,),
}
TWO = {f"{a} and {b}": SOURCES[a] + SOURCES[b] for a, b in combinations(SOURCES, 2)}


@dataclass
class Darkness:
    """Sources that go dark once, and what the launch did meanwhile."""

    world: World
    sources: tuple[Source, ...]
    seconds: float = MINUTES
    began: float = 0.0
    ended: float = 0.0
    weights: set[int] = field(default_factory=set)
    """Green's shares while it was dark, each second."""
    acts: list[str] = field(default_factory=list)
    """What was done to the world meanwhile."""
    meanwhile: Callable[[], None] = lambda: None

    def begin(self) -> None:
        if self.began:
            return
        self.began = self.world.clock.now()
        self._acts = len(self.world.fate.acts)
        for source in self.sources:
            source(self.world, dark=True)
        self.world.clock.later(self.seconds, self._end)
        self.meanwhile()
        self._look()

    def _look(self) -> None:
        if not self.ended:
            self.weights.add(self.world.traffic.weight)
            self.world.clock.later(1.0, self._look)

    def _end(self) -> None:
        self.ended = self.world.clock.now()
        self.acts = [what for _, what in self.world.fate.acts[self._acts :]]
        for source in self.sources:
            source(self.world, dark=False)

    def kinds(self, *kinds: str) -> list[tuple[float, str]]:
        """When, while it was dark, something of these kinds was recorded, and by which key."""
        found = ((instant(event.at), event.key) for event in self.world.chain if event.type in kinds)
        return [(at - self.began, key) for at, key in found if self.began <= at < self.ended]


async def launched(world: World) -> Sight:
    """The rollout and the soak."""
    await world.open()
    world.go()
    await world.clock.sleep(2.0)
    world.time.launch.ahead = 7200.0
    liftoff = world.liftoff()
    seen = await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    if seen.action is not Action.CONTINUE:
        return seen
    try:
        return await world.passing(Review(liftoff, world.time).run())
    except OrderedError as order:
        return order.sight


def six() -> World:
    return World(plan=PLAN_OF_SIX, rate=12.0, speed=99.0)


def plan_darkness(dark: Darkness, moment: str, weight: int) -> None:
    """Let it begin at this moment of the rung with this weight."""
    world = dark.world
    late = WATCH - (4.2 if silent_log in dark.sources and len(dark.sources) == 1 else 0.9)
    delay = {"as the weight is set": 0.0, "in the middle": 5.0, "just before the next": late, "soak": 30.0}
    if moment in delay:
        world.target.after_weight[weight] = lambda: world.clock.later(delay[moment], dark.begin)
        return
    above = WEIGHTS[WEIGHTS.index(weight) + 1]
    before = world.target.set_weight

    async def set_weight(percent: int) -> int:
        if percent == above:
            dark.begin()
        return await before(percent)

    world.target.set_weight = set_weight  # type: ignore[method-assign] # the next weight is ordered in the dark


def assert_stood(dark: Darkness, weight: int, moment: str) -> None:
    """It was held within seconds and until the end, and nothing else was done."""
    held = dark.kinds("launch.held")
    assert held, "it was never held"
    assert held[0][0] <= NOTICED
    ordered = {WEIGHTS[WEIGHTS.index(weight) + 1]} if moment == "as the next is ordered" else set()
    assert {weight} <= dark.weights <= {weight} | ordered
    assert set(dark.acts) <= {f"set weight {percent}" for percent in ordered}
    assert len(dark.acts) <= 1, "a weight is set again only by who sees"
    assert not [key for at, key in dark.kinds("step.done", "rollback.done") if at > 1.0]
    seen = [
        event.data
        for event in dark.world.chain
        if event.type == "traffic.seen" and instant(event.at) < dark.ended
    ]
    assert {data["action"] for data in seen} <= {"continue", "hold"}
    assert dark.ended, "nothing went on before it was back"


OTHERS = {1, 5, 25, 50}
"""Weights at which the same is seen as at 10 and 100; with them it is the whole default ladder, in minutes."""


def case(*values: Any) -> Any:
    slow = OTHERS & set(values)
    return pytest.param(*values, marks=[pytest.mark.slow, pytest.mark.chaos] if slow else [])


CASES = [
    case(source, moment, weight)
    for source in SOURCES
    for moment in (
        "as the weight is set",
        "in the middle",
        "just before the next",
        "as the next is ordered",
        "soak",
    )
    for weight in WEIGHTS
    if (weight == 100 or moment != "soak")
    and not (weight == 100 and moment == "as the next is ordered")
    and not (moment == "as the next is ordered" and source not in {"API", "socket"})
]


@pytest.mark.parametrize(("source", "moment", "weight"), CASES)
async def test_ten_minutes_in_the_dark_hold_and_nothing_else(source: str, moment: str, weight: int) -> None:
    world = six()
    dark = Darkness(world, SOURCES[source])
    plan_darkness(dark, moment, weight)
    seen = await launched(world)
    assert_stood(dark, weight, moment)
    assert (seen.action, seen.text) == (Action.CONTINUE, "landed"), "it went on by itself"
    assert not world.events("rollback.done")


TWO_CASES = [
    pytest.param(
        sources,
        moment,
        10,
        marks=[pytest.mark.slow, pytest.mark.chaos] if moment == "just before the next" else [],
    )
    for sources in TWO
    for moment in ("in the middle", "just before the next")
]


@pytest.mark.parametrize(("sources", "moment", "weight"), TWO_CASES)
async def test_two_at_once_are_as_dark_as_one(sources: str, moment: str, weight: int) -> None:
    world = six()
    dark = Darkness(world, TWO[sources])
    plan_darkness(dark, moment, weight)
    seen = await launched(world)
    assert_stood(dark, weight, moment)
    assert seen.action is Action.CONTINUE


@pytest.mark.parametrize("weight", [case(weight) for weight in WEIGHTS])
@pytest.mark.parametrize(
    "source", ["closed log", "silent log", "closed log and API", "silent log and socket"]
)
async def test_a_release_that_went_bad_in_the_dark_is_rolled_back_when_it_can_be_seen(
    source: str, weight: int
) -> None:
    world = six()
    dark = Darkness(world, (SOURCES | TWO)[source])
    dark.meanwhile = lambda: world.traffic.behaviour.update({Side.GREEN: Behaviour(errors=0.5)})
    moment = "as the next is ordered" if "and" in source and weight < 100 else "in the middle"
    plan_darkness(dark, moment, weight)
    seen = await launched(world)
    assert_stood(dark, weight, moment)
    assert seen.action is Action.ROLLBACK
    assert seen.rule in {"a1", "a2"}
    assert world.clock.now() - dark.ended < 10.0, "what happened meanwhile is judged at once"
    higher = [percent for percent in WEIGHTS if percent > weight]
    after = [what for _, what in world.fate.acts[dark._acts + len(dark.acts) :]]
    assert not {f"set weight {percent}" for percent in higher} & set(after), (
        "no weight is set before it is judged"
    )


@pytest.mark.parametrize("source", ["metrics", "API"])
async def test_harm_that_is_seen_rolls_back_also_while_something_else_is_dark(source: str) -> None:
    world = six()
    dark = Darkness(world, SOURCES[source])
    dark.meanwhile = lambda: world.clock.later(
        60.0, lambda: world.traffic.behaviour.update({Side.GREEN: Behaviour(errors=0.5)})
    )
    plan_darkness(dark, "in the middle", 25)
    seen = await launched(world)
    assert (seen.action, dark.ended) == (Action.ROLLBACK, 0.0)
    assert world.clock.now() - dark.began < 75.0


@pytest.mark.parametrize("source", ["API", "socket"])
async def test_harm_rolls_back_while_the_next_weight_waits_for_an_answer(source: str) -> None:
    world = six()
    dark = Darkness(world, SOURCES[source])
    dark.meanwhile = lambda: world.clock.later(
        60.0, lambda: world.traffic.behaviour.update({Side.GREEN: Behaviour(errors=0.5)})
    )
    plan_darkness(dark, "as the next is ordered", 25)
    seen = await launched(world)
    assert (seen.action, dark.ended) == (Action.ROLLBACK, 0.0)
    assert world.clock.now() - dark.began < 75.0


@pytest.mark.parametrize("source", ["API", "closed log", "metrics"])
async def test_a_process_that_dies_in_the_dark_promotes_nothing_and_neither_does_the_next(
    source: str,
) -> None:
    world = six()
    dark = Darkness(world, SOURCES[source])

    def die() -> None:
        world.fate.dies_at = len(world.fate.moments)

    dark.meanwhile = lambda: world.clock.later(60.0, die)
    plan_darkness(dark, "in the middle", 10)
    with pytest.raises(Crash):
        await launched(world)
    assert not dark.ended
    world.fate.begin()
    world.boot()
    for dim in dark.sources:
        dim(world, dark=True)
    liftoff = world.liftoff()
    seen = await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert_stood(dark, 10, "in the middle")
    assert seen.action is Action.CONTINUE
    assert world.traffic.weight == 100

"""A launch of real people that nobody can decide yet: it counts down, says why it may not go, and waits for people."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.launch_world import NAME, NEW, PLAN, KeySignatory, World, with_line
else:
    from launch_world import NAME, NEW, PLAN, KeySignatory, World, with_line

from tminus.control.launch import Launch
from tminus.control.opening import Binding
from tminus.control.ports import Engine
from tminus.domain.course import course_of
from tminus.domain.evidence import Freshness
from tminus.domain.orders import Act, may
from tminus.domain.rollout import State

LACKS = "there is no target"
HOUR = 3600.0


class Undecided(World):
    """A world in whose launch nobody signs."""

    def put_together(self, engine: Engine) -> Launch:
        binding = Binding(NAME, {"depot": NEW}, {}, self.t0, 1.0, (), asks=False, waits=True)
        return Launch(binding, replace(self.boot(), signatory=None, lacks=LACKS), engine)


def undecided() -> Undecided:
    world = Undecided(speed=1.0, rate=0.001)
    world.signatory = KeySignatory(world.fate)
    world.boot()
    return world


def at(world: World, offset: float, do: Callable[[], None]) -> None:
    """Have something happen at an offset from the first T-0."""
    world.clock.later(world.t0 + offset - world.clock.now(), do)


async def test_at_t_0_it_says_why_it_may_not_go_in_nobodys_name() -> None:
    world = undecided()
    at(world, HOUR, lambda: world.order(Act.SCRUB))
    assert (await world.launch())["outcome"] == "scrubbed"
    (proposal,) = world.events("decision.proposed")
    assert proposal["decision"] == "no-go"
    assert proposal["reasons"] == [
        LACKS,
        "DevOps Lead said nothing",
        "QA Lead said nothing",
        "Deployment Lead has not decided",
    ]
    assert not {"signoff.given", "decision.made", "step.started"} & {event.type for event in world.chain}
    assert world.sealed().decision is None


async def test_afterwards_it_waits_for_people_and_does_nothing_meanwhile() -> None:
    world = undecided()
    seen: list[tuple[State, tuple[Act, ...], int]] = []

    def look() -> None:
        course = course_of(world.chain)
        seen.append((course.phase, may(course), len(world.fate.moments)))

    at(world, 60.0, look)
    at(world, 20 * HOUR, look)
    at(world, 21 * HOUR, lambda: world.order(Act.SCRUB))
    await world.launch()
    (first, acts, before), (later, _, after) = seen
    assert (first, later) == (State.POSTPONED, State.POSTPONED)
    assert set(acts) == {Act.RESCHEDULE, Act.SCRUB}
    assert after == before, "nothing was looked at, and no turn taken"


async def test_its_engine_remembers_nothing_of_days_of_waiting() -> None:
    world = undecided()
    at(world, 20 * HOUR, lambda: world.order(Act.SCRUB))
    await world.launch()
    assert world.engine.remembered(NAME) == []
    assert "after rest" in world.fate.moments


async def test_a_line_is_looked_at_again_after_every_rest_and_each_look_is_recorded() -> None:
    world = undecided()
    world.plan = with_line(PLAN, "cfg.env", fresh=Freshness("live", 600.0))
    at(world, 60.0, lambda: world.order(Act.SCRUB))
    await world.launch()
    looks = [event.at for event in world.chain if event.key.startswith("check:cfg.env@")]
    assert len(looks) == len(set(looks)) >= 2 * HOUR / 300.0


async def test_a_new_date_is_counted_down_to_and_judged_anew() -> None:
    world = undecided()
    at(world, HOUR, lambda: world.order(Act.RESCHEDULE, new_t0=world.t0 + 4 * HOUR))
    at(world, 5 * HOUR, lambda: world.order(Act.SCRUB))
    assert (await world.launch())["outcome"] == "scrubbed"
    kinds = [event.type for event in world.chain]
    assert kinds.count("decision.proposed") == kinds.count("poll.opened") == 2
    assert [event.key for event in world.chain if event.type == "decision.proposed"] == [
        "proposal",
        "proposal#2",
    ]
    assert world.sealed().outcome == "scrubbed"


async def test_a_clock_that_people_hold_across_t_0_proposes_nothing() -> None:
    world = undecided()
    at(world, -60.0, lambda: world.order(Act.HOLD))
    at(world, HOUR, lambda: world.order(Act.SCRUB))
    assert (await world.launch())["outcome"] == "scrubbed"
    assert not world.events("decision.proposed")


async def test_killed_at_any_moment_it_proposes_once_for_each_date() -> None:
    clean = undecided()
    at(clean, HOUR, lambda: clean.order(Act.SCRUB))
    await clean.launch()
    for moment in range(0, len(clean.fate.moments), 3):
        world = undecided()
        world.fate.dies_at = moment
        at(world, HOUR, lambda world=world: world.order(Act.SCRUB))  # type: ignore[misc] # bound now
        assert (await world.launch())["outcome"] == "scrubbed", moment
        assert len(world.events("decision.proposed")) == 1, moment
        assert world.sealed().outcome == "scrubbed", moment

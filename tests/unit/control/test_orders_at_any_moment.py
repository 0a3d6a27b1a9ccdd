"""A person's order at any moment, also while the launch's process is dead: it is done, and the record holds."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.launch_world import KeySignatory, World
else:
    from launch_world import KeySignatory, World

from tminus.control.ports import Engine, Json
from tminus.domain.course import course_of
from tminus.domain.orders import Act, may
from tminus.domain.rollout import State
from tminus.testing import Crash

pytestmark = pytest.mark.slow

EFFECT = {Act.SCRUB: "scrubbed", Act.ABORT: "aborted", Act.ROLLBACK: "rolled-back"}
"""How a launch ends by an order that ends it."""
EVERY = 23
"""Only each so many moments is tried, since each is a whole launch; the first is drawn by the act."""


@dataclass
class Ordered:
    """One launch whose process dies at a moment, gets an order while it is dead, and goes on."""

    act: Act
    moment: int
    pause: float = 0.0

    async def run(self) -> World | None:
        """The launch to its end; nothing where the order makes no sense at that moment."""
        world = World()
        world.signatory = KeySignatory(world.fate)
        world.boot()
        world.fate.dies_at = self.moment
        try:
            await world.start()
        except Crash:
            world.fate.dies_at = None
        if not world.chain or self.act not in may(course_of(world.chain)):
            return None
        world.order(self.act)
        await world.clock.sleep(self.pause)
        if self.act is Act.HOLD:
            world.clock.later(120.0, lambda: self._resume(world))
        await world.launch()
        return world

    @staticmethod
    def _resume(world: World) -> None:
        if Act.RESUME in may(course_of(world.chain)):
            world.order(Act.RESUME)


async def moments() -> int:
    clean = World()
    await clean.launch()
    return len(clean.fate.moments)


@pytest.mark.parametrize("pause", [0.0, 400.0])
@pytest.mark.parametrize("act", [Act.HOLD, *EFFECT])
async def test_an_order_is_done_whenever_it_came(act: Act, pause: float) -> None:
    tried = 0
    for moment in range(list(Act).index(act), await moments(), EVERY):
        world = await Ordered(act, moment, pause).run()
        if world is None:
            continue
        tried += 1
        where = f"{act} at {moment}, {world.fate.moments[moment]}"
        course = course_of(world.chain)
        assert course.over, where
        if act in EFFECT:
            assert course.phase.value == EFFECT[act], where
        elif pause == 0.0:
            assert course.phase is State.LANDED, where
        assert world.sealed().outcome == course.phase.value, where
    assert tried > 1, "an order that is never legal shows nothing"


async def _before_go(world: World, engine: Engine) -> Json:
    launch = world.put_together(engine)
    await engine.step("open", launch._open)
    return await launch._before_go() or {"outcome": "go"}


async def test_a_new_date_at_any_moment_reaches_each_milestone_of_it_and_backs_up_anew() -> None:
    clean = World(speed=1.0, rate=0.001)
    clean.code = partial(_before_go, clean)
    await clean.launch()
    tried = 0
    for moment in range(0, len(clean.fate.moments), 7):
        world = World(speed=1.0, rate=0.001)
        world.fate.dies_at = moment
        world.code = partial(_before_go, world)
        try:
            await world.start()
        except Crash:
            world.fate.dies_at = None
        if not world.chain or Act.RESCHEDULE not in may(course_of(world.chain)):
            continue
        tried += 1
        backups = [what for _, what in world.fate.acts].count("back up")
        world.order(Act.RESCHEDULE, new_t0=world.clock.now() + 86400.0)
        assert (await world.launch())["outcome"] == "go", moment
        course = course_of(world.chain)
        assert (course.attempt, course.reached) == (2, frozenset({"T-02:00:00"})), moment
        assert [what for _, what in world.fate.acts].count("back up") > backups, moment
    assert tried > 5

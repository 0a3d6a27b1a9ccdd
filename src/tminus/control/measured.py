"""The end of a stage of the rollout: it waits until every metric that must have passed by then has its measurements.

While it waits the guard judges on, and a metric that fails, or a person's order, brings the launch back.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tminus.control.measuring import Measuring
from tminus.control.ports import Json
from tminus.control.sight import Sight
from tminus.control.watch import SLICE, UNMEASURED
from tminus.domain.course import GUARDED
from tminus.domain.guard import Action
from tminus.domain.metered import MEASURED
from tminus.domain.metric import Stage

if TYPE_CHECKING:
    from tminus.control.liftoff import Liftoff


async def measured(liftoff: "Liftoff", stage: Stage) -> Sight | None:
    """Watch on until the stage's metrics are measured; what brings the launch back meanwhile, if anything does."""
    measuring = liftoff.stages.watch.measuring
    if measuring is None:
        return None
    number = 0
    while why := measuring.leave(stage):
        name = f"metrics of the {stage} #{number}"
        await liftoff.engine.step(f"hold for {name}", _noting(liftoff, name, why))
        seen = await liftoff.watch(name, SLICE)
        if seen.action is Action.ROLLBACK:
            return seen
        number += 1
    await liftoff.engine.step(f"metrics of the {stage}", _concluding(liftoff, stage, measuring))
    return None


def _concluding(liftoff: "Liftoff", stage: Stage, measuring: Measuring) -> Callable[[], Awaitable[Json]]:
    async def act() -> Json:
        data: Json = {"stage": stage.value, "metrics": measuring.gauge()}
        await liftoff.record.append_once(f"metrics:{stage}", MEASURED, data)
        return {}

    return act


def _noting(liftoff: "Liftoff", name: str, why: str) -> Callable[[], Awaitable[Json]]:
    async def act() -> Json:
        held: Json = {"where": name, "rule": UNMEASURED, "text": why}
        await liftoff.record.append_once(f"hold:{name}", GUARDED, held)
        return {}

    return act

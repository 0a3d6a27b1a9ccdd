"""A plan's own figures for what judges a launch: the guard's limits, the look at the data, the team's metrics."""

from collections.abc import Mapping
from dataclasses import replace

from tminus.config import resolve
from tminus.control.inspection import Inspection
from tminus.control.measuring import Measuring
from tminus.control.ports import Clock
from tminus.domain.canonical import JsonValue
from tminus.domain.expectation import parse as parse_expectation
from tminus.domain.guard import GuardLimits
from tminus.domain.invariant import UNSEEN_TURNS, declared, every
from tminus.domain.metric import declared as declared_metrics
from tminus.domain.offsets import seconds
from tminus.domain.plan import Plan
from tminus.domain.trigger import CORRUPTION, TRIGGERS, Trigger
from tminus.targets.invariants import DatabaseInvariants
from tminus.targets.metering import PrometheusMeter


def guard_limits(plan: Plan) -> GuardLimits:
    """The guard's limits with the plan's own figures for the checklist's triggers."""
    words = {str(trigger["id"]): trigger for trigger in plan.triggers}
    return GuardLimits(triggers=tuple(_declared(trigger, words.get(trigger.id)) for trigger in TRIGGERS))


def inspection(plan: Plan, addresses: Mapping[str, str], clock: Clock) -> Inspection | None:
    """What looks at the data while a launch of this plan is under way; nothing where the plan has no invariants.

    `addresses` is what the plan's references stand for.
    """
    entry = next((trigger for trigger in plan.triggers if trigger["id"] == CORRUPTION), None)
    if entry is None or not (invariants := declared(entry)):
        return None
    turn = every(entry)
    address = resolve(str(plan.systems[str(entry["system"])]["address"]), addresses)
    return Inspection(invariants, DatabaseInvariants(address, invariants, turn), clock, turn)


def measuring(plan: Plan, addresses: Mapping[str, str], clock: Clock) -> Measuring | None:
    """What measures the team's metrics while a launch of this plan is under way; nothing where the plan has none.

    `addresses` is what the plan's references stand for.
    """
    metrics = declared_metrics(plan.metrics)
    if not metrics:
        return None
    asked = {one.system: resolve(str(plan.systems[one.system]["address"]), addresses) for one in metrics}
    return Measuring(metrics, PrometheusMeter(asked), clock)


def _declared(trigger: Trigger, words: Mapping[str, JsonValue] | None) -> Trigger:
    """The trigger as the plan declares it; one that the plan forgot stays as the checklist has it."""
    if words is None:
        return trigger
    limit = trigger.limit
    if words["above"]:
        above = parse_expectation(f"> {words['above']}").limit
        assert isinstance(above, float)  # noqa: S101 - a comparison with a number has one
        # A time is written with its unit; the guard counts milliseconds.
        limit = above * 1000 if trigger.id == "trig.latency" else above
    held = seconds(str(words["hold"])) if words["hold"] else trigger.for_seconds
    unseen_after = trigger.unseen_after
    if trigger.id == CORRUPTION and words["invariants"]:
        unseen_after = UNSEEN_TURNS * every(words)
    return replace(
        trigger,
        text=str(words["text"]),
        source=str(words["source"]),
        limit=limit,
        for_seconds=held,
        unseen_after=unseen_after,
    )

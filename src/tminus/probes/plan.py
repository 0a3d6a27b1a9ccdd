"""The plan itself: what it says about rolling back, and whether that is complete."""

from dataclasses import dataclass

from tminus.domain.evidence import JsonValue, Observation
from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Plan
from tminus.domain.trigger import TRIGGERS
from tminus.errors import InconclusiveError
from tminus.probes import Probe


@dataclass(frozen=True, slots=True)
class System:
    """One plan, as it was read for this launch."""

    plan: Plan
    limits: GuardLimits


@Probe
async def triggers(system: System) -> Observation:
    """What is wrong with the rollback triggers: missing, looser than the checklist, without an action."""
    declared = {str(trigger["id"]): trigger for trigger in system.plan.triggers}
    if not declared:
        raise InconclusiveError(
            "the plan declares no trigger", hint="write the checklist's five under `triggers`"
        )
    problems: list[JsonValue] = [f"{known.id} is missing" for known in TRIGGERS if known.id not in declared]
    evaluated = {known.id: known for known in system.limits.triggers}
    for name, trigger in declared.items():
        if name not in evaluated:
            problems.append(f"{name} is declared but nothing evaluates it")
        if not trigger["action"]:
            problems.append(f"{name} has no action")
    seen: dict[str, JsonValue] = {
        name: f"{trigger['text']} ({trigger['source']})" for name, trigger in declared.items()
    }
    return Observation(problems, seen, seen, ("no trigger was seen to fire in a rehearsal",))

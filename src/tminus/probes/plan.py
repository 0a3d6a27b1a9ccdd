"""The plan itself: what it says about rolling back, and whether that is complete."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from tminus.control.drills import Rehearsals
from tminus.control.inspection import Inspection
from tminus.domain import expectation, offsets, rehearsal
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.guard import GuardLimits
from tminus.domain.invariant import shown
from tminus.domain.plan import Plan
from tminus.domain.trigger import CORRUPTION, TRIGGERS, Trigger
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError, ProbeError
from tminus.probes import Probe

UNREHEARSED = f"no trigger was seen to fire in a rehearsal: {rehearsal.AGAIN}"
"""Why the criteria are warned of although they are in order, and what would change that."""
NO_INVARIANTS = (
    f"{CORRUPTION} has no invariants: nothing looks at the data, and damaged rows are rolled back "
    "by a person's order only"
)
"""What is said of a plan that leaves the data to people."""
UNLAUNCHED = f"the invariants of {CORRUPTION} are read within a launch only"
"""What is said outside a launch, where the database is not looked at."""


@dataclass(frozen=True, slots=True)
class System:
    """One plan, as it was read for this launch."""

    plan: Plan
    limits: GuardLimits
    inspection: Inspection | None = None
    """What looks at the data; nothing where the plan has no invariants, or outside a launch."""
    rehearsals: Rehearsals | None = None
    """The rehearsals that are kept here; nothing where nobody keeps any."""


@Probe
async def triggers(system: System) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the rollback triggers: missing, other than evaluated, against the ladder, without an action.

    The ladder: what rolls back must be worse than what a success criterion of the same measure lets pass. One that did
    not fire when it was last rehearsed is wrong too; one that was not rehearsed as it is defined is remarked upon.
    """
    declared = {str(trigger["id"]): trigger for trigger in system.plan.triggers}
    if not declared:
        raise InconclusiveError(
            "the plan declares no trigger", hint="write the checklist's five under `triggers`"
        )
    problems: list[JsonValue] = [f"{known.id} is missing" for known in TRIGGERS if known.id not in declared]
    evaluated = {known.id: known for known in system.limits.triggers}
    for name, trigger in declared.items():
        if name in evaluated:
            problems += _misfits(system.plan, evaluated[name], trigger)
        else:
            problems.append(f"{name} is declared but nothing evaluates it")
        if not trigger["action"]:
            problems.append(f"{name} has no action")
    said: dict[str, JsonValue] = {
        name: f"{trigger['text']} ({trigger['source']})" for name, trigger in declared.items()
    }
    shown_to_fire = await _rehearsed(system)
    problems += shown_to_fire.problems
    remarks = shown_to_fire.remarks
    seen = {**said, "rehearsed": dict(shown_to_fire.seen)}
    if not declared.get(CORRUPTION, {}).get("invariants"):
        return Observation(problems, seen, said, (NO_INVARIANTS, *remarks))
    if system.inspection is None:
        return Observation(problems, seen, said, (UNLAUNCHED, *remarks))
    values, broken = await _data_now(system.inspection)
    seen["data now"] = values
    return Observation([*problems, *broken], seen, said, remarks, shown_to_fire.fact)


async def _rehearsed(system: System) -> rehearsal.Proven:
    """What the kept rehearsals say about the triggers as the plan defines them."""
    kept = await system.rehearsals.kept() if system.rehearsals else ()
    if system.rehearsals is None or not kept:
        return rehearsal.Proven((), (UNREHEARSED,), {}, "")
    defined = rehearsal.definitions(system.plan, system.limits)
    return rehearsal.criteria(defined, kept, system.rehearsals.now())


async def _data_now(inspection: Inspection) -> tuple[JsonValue, list[JsonValue]]:
    """What the invariants give now, and which do not hold before anything was launched."""
    try:
        values, broken = await inspection.read()
    except ProbeError as error:
        raise type(error)(f"{CORRUPTION} has no data now: {error}", hint=error.hint) from error
    return {name: shown(value) for name, value in values.items()}, [
        f"{CORRUPTION} has fired already: {one}" for one in broken
    ]


_MEASURES = {"trig.errors": ("traffic.errors", 1.0), "trig.latency": ("traffic.p95", 1000.0)}
"""By trigger: the probe of the same measure, and how many of the trigger's units its unit is."""


def _misfits(plan: Plan, evaluated: Trigger, declared: Mapping[str, JsonValue]) -> list[str]:
    """Where the plan's words about a trigger are not what the guard evaluates, or contradict a success criterion."""
    name = evaluated.id
    try:
        hold = offsets.seconds(str(declared["hold"]))
        above = expectation.parse(f"> {declared['above']}").limit if declared["above"] else None
    except ValueError as error:
        return [f"{name}: {error}"]
    found = []
    if hold != evaluated.for_seconds:
        found.append(f"{name} holds for {hold:g} s in the plan and {evaluated.for_seconds:g} s in the guard")
    if name in _MEASURES:
        probe, unit = _MEASURES[name]
        if not isinstance(above, float):
            return [*found, f"{name} has no threshold in the plan"]
        if abs(above * unit - evaluated.limit) > 1e-9:
            found.append(f"{name} is {above * unit:g} in the plan and {evaluated.limit:g} in the guard")
        found += _against_the_ladder(plan, probe, name, above)
    return found


def _against_the_ladder(plan: Plan, probe: str, name: str, above: float) -> list[str]:
    passing = [(check.id, check.expect) for check in plan.checks if check.probe == probe and check.expect]
    return [
        f"{name} rolls back above {above:g}, but {line} expects {expect.text}"
        for line, expect in passing
        if isinstance(expect.limit, float) and above <= expect.limit
    ]

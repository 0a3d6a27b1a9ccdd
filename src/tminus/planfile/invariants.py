"""What a plan says of the data itself: invariants that can be read, judged and told apart."""

from functools import partial

from tminus.domain import expectation
from tminus.domain.expectation import cannot_fail
from tminus.domain.trigger import CORRUPTION
from tminus.planfile.document import InvariantEntry, TriggerEntry
from tminus.planfile.findings import Findings
from tminus.planfile.shape import Place


def invariants(found: Findings) -> None:
    """Tell which invariants nobody could look at, or that could never be broken."""
    for index, trigger in enumerate(found.document.triggers):
        place = ("triggers", index)
        if trigger.invariants or (trigger.id == CORRUPTION and (trigger.every or trigger.system)):
            _source(found, place, trigger)
        names: set[str] = set()
        for number, invariant in enumerate(trigger.invariants):
            within = (*place, "invariants", number)
            if invariant.name in names:
                found.tell((*within, "name"), f"{trigger.id}: the name {invariant.name!r} stands twice")
            names.add(invariant.name)
            _invariant(found, within, invariant)


def _source(found: Findings, place: Place, trigger: TriggerEntry) -> None:
    """Tell what keeps a trigger's invariants from being looked at."""
    if trigger.id != CORRUPTION:
        found.tell(place, f"{trigger.id}: only {CORRUPTION} looks at data; take `invariants` out")
        return
    if not trigger.invariants:
        found.tell(place, f"{trigger.id}: `system` and `every` are about invariants; write `invariants: …`")
    system = found.document.systems.get(trigger.system)
    if system is None or system.kind != "postgres":
        known = [name for name, entry in found.document.systems.items() if entry.kind == "postgres"]
        which = f"write one of {', '.join(known)}" if known else "the plan has none"
        found.tell((*place, "system"), f"{trigger.id}: `system` names a system of kind postgres; {which}")


def _invariant(found: Findings, place: Place, invariant: InvariantEntry) -> None:
    for key in ("name", "query"):
        if not getattr(invariant, key).strip():
            found.tell((*place, key), f"an invariant has no {key}; write `{key}: …`")
    if bool(invariant.expect) is invariant.floor:
        found.tell(place, f"{invariant.name}: write `expect: …` or `floor: true`, one of the two")
    if not invariant.expect:
        return
    expect = found.attempt((*place, "expect"), partial(expectation.parse, invariant.expect))
    if expect is not None and cannot_fail(expect):
        found.tell((*place, "expect"), f"{invariant.name}: {expect.text!r} cannot fail; write what could")

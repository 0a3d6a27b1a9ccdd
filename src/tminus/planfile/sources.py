"""Who looks for the condition of each trigger: a source that can be asked, and which triggers have none."""

from functools import partial
from ipaddress import ip_address

from tminus.domain import offsets
from tminus.domain.invariant import LEAST_EVERY
from tminus.domain.quorum import NEEDED
from tminus.domain.trigger import CORRUPTION, UNAVAILABLE, VULNERABILITY
from tminus.planfile.document import TriggerEntry, VantageEntry
from tminus.planfile.findings import Findings
from tminus.planfile.shape import Place

_KINDS = {VULNERABILITY: "osv", UNAVAILABLE: "website"}
"""By trigger: the kind of system that its `system` names."""
_SOURCED = {CORRUPTION, *_KINDS}


def sources(found: Findings) -> None:
    """Tell which sources nobody could ask, and warn of triggers that have none."""
    for index, trigger in enumerate(found.document.triggers):
        place = ("triggers", index)
        if trigger.id not in _SOURCED:
            _none(found, place, trigger)
            continue
        if trigger.every:
            turn = found.attempt((*place, "every"), partial(offsets.seconds, trigger.every))
            if turn is not None and turn < LEAST_EVERY:
                found.tell(
                    (*place, "every"), f"{trigger.id}: looks too often; write {LEAST_EVERY:g}s or more"
                )
        if trigger.id in _KINDS and (trigger.system or trigger.every or trigger.vantages or trigger.path):
            _system(found, (*place, "system"), trigger, trigger.system, _KINDS[trigger.id])
        if trigger.id == UNAVAILABLE:
            _vantages(found, place, trigger)
        elif trigger.vantages or trigger.path:
            found.tell(place, f"{trigger.id}: only {UNAVAILABLE} has vantage points; take them out")
        _lacking(found, place, trigger)


def _none(found: Findings, place: Place, trigger: TriggerEntry) -> None:
    """The guard itself feeds all others, from every request."""
    if trigger.system or trigger.every or trigger.vantages or trigger.path:
        found.tell(
            place,
            f"{trigger.id}: the guard judges every request for it; take `system`, `every` and the like out",
        )


def _system(found: Findings, place: Place, trigger: TriggerEntry, name: str, kind: str) -> None:
    system = found.document.systems.get(name)
    if system is None or system.kind != kind:
        known = [one for one, entry in found.document.systems.items() if entry.kind == kind]
        which = f"write one of {', '.join(known)}" if known else "the plan has none"
        found.tell(place, f"{trigger.id}: `{place[-1]}` names a system of kind {kind}; {which}")


def _vantages(found: Findings, place: Place, trigger: TriggerEntry) -> None:
    names: set[str] = set()
    ways: set[tuple[str, str, str]] = set()
    for number, vantage in enumerate(trigger.vantages):
        within = (*place, "vantages", number)
        if vantage.name in names:
            found.tell((*within, "name"), f"{trigger.id}: the name {vantage.name!r} stands twice")
        names.add(vantage.name)
        if vantage.by:
            _system(found, (*within, "by"), trigger, vantage.by, "blackbox")
        _way(found, within, trigger, vantage)
        way = (vantage.by, vantage.module, vantage.local)
        if way in ways:
            found.tell(
                within,
                f"{trigger.id}: {vantage.name!r} looks from where another one does; that is one vantage point",
            )
        ways.add(way)
    if trigger.vantages and len(trigger.vantages) < NEEDED:
        found.tell(
            (*place, "vantages"),
            f"{trigger.id}: {len(trigger.vantages)} vantage point proves nothing; write {NEEDED} or more",
        )


def _way(found: Findings, place: Place, trigger: TriggerEntry, vantage: VantageEntry) -> None:
    if vantage.by and vantage.local:
        found.tell((*place, "from"), f"{trigger.id}: {vantage.name!r} is asked `by` another; take `from` out")
    if vantage.module and not vantage.by:
        found.tell(
            (*place, "module"), f"{trigger.id}: `module` is an exporter's; say `by` which, or take it out"
        )
    if vantage.local and found.attempt((*place, "from"), partial(ip_address, vantage.local)) is None:
        return


def _lacking(found: Findings, place: Place, trigger: TriggerEntry) -> None:
    """Warn of a trigger for which nobody looks: it can never fire by itself."""
    lacks = {
        CORRUPTION: "" if trigger.invariants else "write `invariants`",
        VULNERABILITY: "" if trigger.system else "write `system`, a source of advisories of kind osv",
        UNAVAILABLE: ""
        if trigger.vantages
        else f"write {NEEDED} `vantages`; one prober alone may be cut off itself",
    }
    if missing := lacks[trigger.id]:
        found.warn(place, f"{trigger.id} has no source of its own: {missing}")

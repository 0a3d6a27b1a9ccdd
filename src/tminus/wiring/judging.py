"""A plan's own figures for what judges a launch: the guard's limits, the look at the data, the team's metrics."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from tminus.config import resolve
from tminus.control.inspection import Inspection
from tminus.control.looks import Looks
from tminus.control.measuring import Measuring
from tminus.control.ports import Clock, Target
from tminus.control.scanning import Inventory, Scanning
from tminus.control.vantages import Vantage, Vantages
from tminus.control.watch import Watch
from tminus.domain.canonical import JsonValue
from tminus.domain.expectation import parse as parse_expectation
from tminus.domain.guard import GuardLimits
from tminus.domain.invariant import UNSEEN_TURNS, declared, every
from tminus.domain.metric import declared as declared_metrics
from tminus.domain.offsets import seconds
from tminus.domain.plan import Plan
from tminus.domain.trigger import CORRUPTION, TRIGGERS, UNAVAILABLE, VULNERABILITY, Trigger
from tminus.domain.vulnerability import EVERY as SCAN_EVERY
from tminus.osv import Osv
from tminus.targets.invariants import DatabaseInvariants
from tminus.targets.metering import PrometheusMeter
from tminus.targets.vantages import ExporterVantage, OwnVantage

PROBE_EVERY = 1.0
"""Seconds from one look of the vantage points to the next, where the plan says nothing."""
UNSEEN = 30.0
"""Seconds without two vantage points that could look, or three looks, after which the service is not observed."""
SCAN_RETRY = 60.0
"""Seconds from a scan that saw nothing to the next; a source that is back need not wait for its turn."""


def guard_limits(plan: Plan) -> GuardLimits:
    """The guard's limits with the plan's own figures for the checklist's triggers."""
    words = {str(trigger["id"]): trigger for trigger in plan.triggers}
    return GuardLimits(triggers=tuple(_declared(trigger, words.get(trigger.id)) for trigger in TRIGGERS))


def equip(
    watch: Watch,
    plan: Plan,
    addresses: Mapping[str, str],
    parts: tuple[Target, Inventory | None],
    clock: Clock,
) -> None:
    """Give a watch all that looks beside the requests, by this plan; `addresses` as in `inspection`."""
    watch.inspection = inspection(plan, addresses, clock)
    watch.measuring = measuring(plan, addresses, clock)
    watch.sources = sources(plan, addresses, parts, clock)


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


def traffic_seconds(plan: Plan) -> float:
    """How far back the lines of this plan look at the traffic at most, in seconds."""
    given = [check.arguments or {} for check in plan.checks if check.probe.startswith("traffic.")]
    if any(arguments.get("baseline_seconds") for arguments in given):
        return float("inf")  # back to what came before green's first request, whenever that was
    asked = [arguments.get("seconds", 0) for arguments in given]
    return max((float(str(seconds)) for seconds in asked), default=0.0)


def sources(
    plan: Plan, addresses: Mapping[str, str], parts: tuple[Target, Inventory | None], clock: Clock
) -> tuple[Looks, ...]:
    """What looks for the conditions that no request shows, as the plan names it; `addresses` as in `inspection`.

    Without an inventory nobody can say what an image is made of, and nothing is scanned.
    """
    target, inventory = parts
    declared_ = {str(trigger["id"]): trigger for trigger in plan.triggers}
    found: list[Looks] = []

    def address(name: object) -> str:
        return resolve(str(plan.systems[str(name)]["address"]), addresses)

    entry = declared_.get(VULNERABILITY)
    if entry is not None and entry["system"] and inventory is not None:
        turn = _turn(entry, SCAN_EVERY)
        scanning = Scanning(target, inventory, Osv(address(entry["system"])), clock)
        found.append(Looks(scanning, clock, turn, patience=UNSEEN_TURNS * turn, retry=SCAN_RETRY))
    entry = declared_.get(UNAVAILABLE)
    if entry is not None and entry["vantages"]:
        turn = _turn(entry, PROBE_EVERY)
        views = Vantages(_vantages(entry, address), clock)
        found.append(Looks(views, clock, turn, patience=max(UNSEEN, UNSEEN_TURNS * turn), retry=turn))
    return tuple(found)


def _vantages(entry: Mapping[str, JsonValue], address: Callable[[object], str]) -> dict[str, Vantage]:
    asked, path = address(entry["system"]), str(entry["path"] or "/health")
    rows = entry["vantages"]
    assert isinstance(rows, list)  # noqa: S101 - the plan reader made it
    found: dict[str, Vantage] = {}
    for row in rows:
        assert isinstance(row, dict)  # noqa: S101 - the same
        found[str(row["name"])] = (
            ExporterVantage(address(row["by"]), asked.rstrip("/") + path, str(row["module"]))
            if row["by"]
            else OwnVantage(asked, path, str(row["local"]))
        )
    return found


def _turn(entry: Mapping[str, JsonValue], otherwise: float) -> float:
    return seconds(str(entry["every"])) if entry["every"] else otherwise


def measuring(plan: Plan, addresses: Mapping[str, str], clock: Clock) -> Measuring | None:
    """What measures the team's metrics while a launch of this plan is under way; nothing where the plan has none.

    `addresses` is what the plan's references stand for.
    """
    names = {side: str(plan.target[side]) for side in ("blue", "green")} if plan.target else {}
    metrics = declared_metrics(plan.metrics, **names)
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
    if trigger.id == VULNERABILITY and words["system"]:
        unseen_after = UNSEEN_TURNS * _turn(words, SCAN_EVERY)
    if trigger.id == UNAVAILABLE and words["vantages"]:
        unseen_after = max(UNSEEN, UNSEEN_TURNS * _turn(words, PROBE_EVERY))
    return replace(
        trigger,
        text=str(words["text"]),
        source=str(words["source"]),
        limit=limit,
        for_seconds=held,
        unseen_after=unseen_after,
    )

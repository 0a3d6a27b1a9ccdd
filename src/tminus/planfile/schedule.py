"""When things happen: milestones in order, every line looked at by somebody, traffic that goes up and arrives."""

from functools import partial

from tminus.domain import expectation, offsets
from tminus.domain.plan import Check, Kind, Rollout, Rung
from tminus.planfile.findings import Findings
from tminus.planfile.shape import Place


def milestones(found: Findings) -> tuple[float, ...]:
    """The milestones in seconds from T-0."""
    read: list[float] = []
    unread = False
    for index, text in enumerate(found.document.milestones):
        place = ("milestones", index)
        at = found.attempt(place, partial(offsets.offset, text))
        if at is None:
            unread = True
            continue
        if read and at == read[-1]:
            found.tell(place, f"{text} stands twice; take one of them out")
        elif read and at < read[-1]:
            found.tell(place, f"{text} stands after a later milestone; write them in order")
        read.append(at)
    if 0.0 not in read and not unread:
        found.tell(("milestones",), "T-0 is missing; write it between what comes before and after")
    return tuple(read)


def due(found: Findings, checks: tuple[Check, ...], known: tuple[float, ...]) -> None:
    """Tell which lines nobody would look at: at their milestone, by their step, or in the poll."""
    if not found.whole("milestones"):
        return
    read = {check.id: check for check in checks}
    for place, _, line in found.lines():
        check = read.get(line.id)
        if check is None or check.kind is Kind.SIGNATURE:
            continue
        if check.kind is Kind.STEP:
            _step(found, check, known, (*place, "due"))
        elif check.due not in known or check.due == 0:
            named = ", ".join(name for name in found.document.milestones if name != "T-0")
            found.tell((*place, "due"), f"{line.id}: nobody looks at {line.due}; due at one of {named}")


def _step(found: Findings, check: Check, known: tuple[float, ...], place: Place) -> None:
    late = check.step == "end blue"
    if late and (check.due <= 0 or check.due not in known):
        found.tell(place, f"{check.id}: blue ends at a milestone after T-0; write one of them")
    if not late and check.due != 0:
        found.tell(place, f"{check.id}: the step {check.step!r} happens at T-0; write `due: T-0`")


def rollout(found: Findings) -> Rollout | None:
    """How traffic moves; nothing when that cannot be read."""
    written = found.document.rollout
    rungs: list[Rung] = []
    for index, rung in enumerate(written.ladder):
        place = ("rollout", "ladder", index)
        watch = found.attempt((*place, "watch"), partial(offsets.seconds, rung.watch))
        if rungs and rung.weight <= rungs[-1].percent:
            found.tell(
                place,
                f"{rung.weight} % stands after {rungs[-1].percent} %; a ladder goes up, write them in order",
            )
        rungs.append(Rung(rung.weight, watch or 0.0, rung.requests))
    if rungs[-1].percent != 100:
        found.tell(
            ("rollout", "ladder"),
            f"the last rung is {rungs[-1].percent} %; all traffic must move: end at 100",
        )
    drain = found.attempt(("rollout", "drain"), partial(offsets.seconds, written.drain))
    return None if drain is None else Rollout(tuple(rungs), drain, written.traffic)


def figures(found: Findings) -> None:
    """Tell which figures of triggers, tests and the decision cannot be read."""
    for index, trigger in enumerate(found.document.triggers):
        place = ("triggers", index)
        found.attempt((*place, "hold"), partial(offsets.seconds, trigger.hold))
        if trigger.above:
            found.attempt((*place, "above"), partial(expectation.parse, f"> {trigger.above}"))
    found.attempt(("decision", "valid"), partial(offsets.seconds, found.document.decision.valid))
    found.attempt(("decision", "steady"), partial(offsets.seconds, found.document.decision.steady))
    for index, figure in enumerate(found.document.figures):
        if figure.expect:
            found.attempt(("figures", index, "expect"), partial(expectation.parse, figure.expect))

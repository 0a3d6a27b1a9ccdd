"""The block `expedited`: which lines a hotfix may leave out, and how much later its milestones come."""

from functools import partial

from tminus.domain import offsets
from tminus.domain.plan import Check, Kind, Omission, Severity, Shortened
from tminus.planfile.findings import Findings
from tminus.planfile.problem import meant


def expedited(found: Findings, checks: tuple[Check, ...], milestones: tuple[float, ...]) -> Shortened | None:
    """The short form that the plan declares; none where it declares none. Tells what is wrong with it."""
    written = found.document.expedited
    if written is None:
        return None
    if not (written.omitted or written.milestones):
        found.tell(("expedited",), "this leaves nothing out and moves nothing; list lines or milestones")
    left = _left(found, {check.id: check for check in checks})
    moved = _moved(found, milestones)
    kept = [check for check in checks if check.id not in left]
    _roll_ups(found, kept, left)
    _windows(found, kept, moved)
    judged = [check for check in kept if check.due < 0 and check.severity is not Severity.ADVISORY]
    if checks and not any(check.kind is not Kind.SIGNATURE for check in judged):
        found.tell(("expedited", "omitted"), "no required line would be left: GO would be judged by nothing")
    groups = (Omission(tuple(one.lines), one.reason) for one in written.omitted)
    return Shortened(tuple(groups), moved)


def _left(found: Findings, known: dict[str, Check]) -> set[str]:
    """The lines that are left out; only what GO judges may be, and no blocker."""
    left: set[str] = set()
    assert found.document.expedited is not None  # noqa: S101 - expedited() saw to it
    for group, entry in enumerate(found.document.expedited.omitted):
        for index, name in enumerate(entry.lines):
            place = ("expedited", "omitted", group, "lines", index)
            check = known.get(name)
            if check is None:
                near = meant(name, sorted(known)) or "; write the id of one"
                found.tell(place, f"{name[:80]!r} is no line of this plan{near}")
            elif check.severity is Severity.BLOCKER:
                found.tell(place, f"{name} is a blocker; no launch leaves it out, take it out of here")
            elif check.due >= 0 or check.kind is Kind.SIGNATURE:
                found.tell(place, f"{name} is not judged by GO; only what is due before T-0 can be left out")
            if name in left:
                found.tell(place, f"{name} stands twice; keep one of them")
            left.add(name)
    return left


def _moved(found: Findings, milestones: tuple[float, ...]) -> dict[float, float]:
    """By milestone: where it comes instead, later and still before T-0; their order stays."""
    assert found.document.expedited is not None  # noqa: S101 - expedited() saw to it
    moved: dict[float, float] = {}
    for old, new in found.document.expedited.milestones.items():
        place = ("expedited", "milestones", old)
        at = found.attempt(place, partial(offsets.offset, old))
        to = found.attempt(place, partial(offsets.offset, new))
        if at is None or to is None:
            continue
        if at not in milestones or at >= 0:
            found.tell(place, f"{old} is no milestone of this plan before T-0")
        elif not at < to < 0:
            found.tell(place, f"{old} can only come later, and before T-0; {new} is neither")
        moved[at] = to
    placed = [moved.get(offset, offset) for offset in milestones]
    if placed != sorted(placed):
        found.tell(
            ("expedited", "milestones"), "a milestone would come after one that follows it; keep their order"
        )
    return moved


def _roll_ups(found: Findings, kept: list[Check], left: set[str]) -> None:
    for check in kept:
        for part in sorted(left & set(check.of)):
            found.tell(
                ("expedited", "omitted"),
                f"{check.id} is made of {part}, which is left out; leave it out, too, or keep {part}",
            )


def _windows(found: Findings, kept: list[Check], moved: dict[float, float]) -> None:
    """Tell which lines would fall due when their window is over."""
    for check in kept:
        to = moved.get(check.due)
        if to is not None and check.fresh.kind == "event" and to > check.fresh.latest:
            found.tell(
                ("expedited", "milestones"),
                f"{check.id} has to happen by {offsets.named(check.fresh.latest)}, and would be due after that",
            )

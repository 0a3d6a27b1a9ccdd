"""What contradicts itself in a plan that reads well: ids that stand twice, roll-ups, waivers."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from tminus.domain.people import alike
from tminus.domain.plan import Severity
from tminus.planfile.document import OmittedLine
from tminus.planfile.findings import Findings, omitted_id
from tminus.planfile.problem import meant
from tminus.planfile.shape import Place


def ids(found: Findings) -> None:
    """Tell which ids stand twice: lines, figures, triggers, contacts, roles and facts share one room."""
    first: dict[str, int] = {}
    for place, name in _named(found):
        mark = found.mark(place)
        if name in first:
            line = f", first on line {first[name]}" if first[name] != mark.line else ""
            found.tell(place, f"{name}: this id stands twice{line}; give one of them another")
        elif name != "?":
            first[name] = mark.line


def names(found: Findings) -> None:
    """Tell which sections and systems have a name that nobody can see."""
    for block in ("checks", "systems"):
        for name in getattr(found.document, block):
            if not alike(name):
                found.tell((block, name), f"a name under `{block}` is empty; write one")


def _named(found: Findings) -> Iterator[tuple[Place, str]]:
    yield from ((place, line.id) for place, _, line in found.lines())
    yield from ((place, omitted_id(line)) for place, line in found.left_out())
    document = found.document
    for block in ("figures", "triggers", "contacts", "document"):
        yield from (((block, index), entry.id) for index, entry in enumerate(getattr(document, block)))
    yield from ((("roles", index), f"role.{role.id}") for index, role in enumerate(document.roles))
    yield ("decision",), document.decision.id


def omissions(found: Findings) -> None:
    """Tell that a production plan leaves nothing out."""
    if found.document.production and found.document.omitted:
        found.tell(
            ("omitted",),
            "a plan marked production leaves no line out; build these or drop `production: true`",
        )


_SUGGESTED = 50
"""For how many unknown names of a kind a near one is looked for: each look compares with every id of the plan."""
_SHOWN = 5
"""How many members of a circle are named."""


class _Known:
    """The ids that a name may be, and what to say of one that is none of them."""

    def __init__(self, *ids: Iterable[str]) -> None:
        self._ids = sorted({one for some in ids for one in some})
        self._left = _SUGGESTED

    def unknown(self, name: str) -> str:
        """What is wrong with this name."""
        near = meant(name, self._ids) if self._left > 0 else ""
        self._left -= 1
        return f"{name[:80]!r} is no line of this plan{near or '; write the id of one'}"


def rollups(found: Findings) -> None:
    """Tell which roll-ups name no line, a line that is left out, or in the end themselves."""
    every = {line.id: (place, line) for place, _, line in found.lines()}
    left = {omitted_id(line): line for _, line in found.left_out()}
    parts = {name: list(line.of) for name, (_, line) in every.items()}
    known = _Known(every, left)
    for name, (place, line) in every.items():
        for part in dict.fromkeys(line.of):
            if part in left and part not in every:
                found.tell((*place, "of"), f"{name}: {_omitted(part)}")
            elif part not in every:
                found.tell((*place, "of"), f"{name}: {known.unknown(part)}")
    for place, waiting in found.left_out():
        if isinstance(waiting, OmittedLine):
            parts[waiting.id] = list(waiting.of)
            for part in sorted({part for part in waiting.of if part not in every and part not in left}):
                found.tell((*place, "of"), f"{waiting.id}: {known.unknown(part)}")
    _circles(found, parts)


def _omitted(part: str) -> str:
    return (
        f"{part!r} is omitted, so this line could never be green; omit it too, or take {part!r} out of `of`"
    )


def _circles(found: Findings, parts: dict[str, list[str]]) -> None:
    places = {line.id: place for place, _, line in found.lines()}
    places |= {omitted_id(line): place for place, line in found.left_out()}
    looked: set[str] = set()
    for name in parts:
        for circle in _circles_from(name, parts, looked):
            shown = (
                circle if len(circle) <= _SHOWN else [*circle[:_SHOWN], f"({len(circle) - _SHOWN:,} more)"]
            )
            round_trip = " → ".join([*shown, circle[0]])
            found.tell(
                (*places[circle[0]], "of"),
                f"{circle[0]}: this roll-up is made of itself: {round_trip}; break it",
            )


def _circles_from(start: str, parts: dict[str, list[str]], looked: set[str]) -> Iterator[list[str]]:
    """Circles that can be reached from a roll-up, none of them with a member of another.

    A search in depth without recursion that takes every edge once: `way` is where it is, `looked` where it was.
    """
    if start in looked:
        return
    looked.add(start)
    way, at, ahead = [start], {start: 0}, [iter(parts[start])]
    told = [
        -1
    ]  # for each member of the way: how far along it the last one is that stands in a circle already
    while way:
        part = next(ahead[-1], None)
        if part is None:
            del at[way.pop()]
            ahead.pop()
            told.pop()
        elif part in at:
            if told[-1] < at[part]:
                told[at[part] :] = range(at[part], len(way))
                yield way[at[part] :]
        elif part in parts and part not in looked:
            looked.add(part)
            at[part] = len(way)
            way.append(part)
            ahead.append(iter(parts[part]))
            told.append(told[-1])


def waivers(found: Findings, now: float | None) -> None:
    """Tell which waivers name no line, waive what nobody may, or have run out by `now` (seconds of the epoch)."""
    lines = {line.id: line for _, _, line in found.lines()}
    known = _Known(lines)
    left = {omitted_id(line) for _, line in found.left_out()}
    seen: set[str] = set()
    for index, waiver in enumerate(found.document.waivers):
        place, name = ("waivers", index), waiver.check
        if name in left:
            found.tell((*place, "check"), f"{name} is omitted, not waived; take the waiver out")
        elif name not in lines:
            found.tell((*place, "check"), known.unknown(name))
        elif lines[name].severity is Severity.BLOCKER:
            found.tell((*place, "check"), f"{name} is a blocker; nobody may waive it, mend it")
        if name in seen:
            found.tell((*place, "check"), f"{name} is waived twice; keep one of them")
        seen.add(name)
        if alike(waiver.requested_by) == alike(waiver.approved_by):
            found.tell(
                (*place, "approved_by"),
                f"{waiver.approved_by} approves a waiver of their own; ask somebody else",
            )
        _until(found, place, waiver.until, now)


def _until(found: Findings, place: Place, text: str, now: float | None) -> None:
    until = found.attempt((*place, "until"), lambda: instant(text))
    if until is not None and now is not None and until <= now:
        found.tell((*place, "until"), f"this waiver ran out at {text}; ask for another, or take it out")


def instant(text: str) -> float:
    """Seconds of the epoch for an ISO 8601 time with zone; raises `ValueError` for any other."""
    example = "write for example '2026-01-31T14:00:00+01:00'"
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is no time; {example}") from error
    if moment.tzinfo is None:
        raise ValueError(f"{text[:40]!r} has no zone; {example}")
    return moment.timestamp()

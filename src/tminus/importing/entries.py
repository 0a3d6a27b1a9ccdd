"""Boxes of a checklist become lines of a plan: checks, roll-ups, statements, or lines that wait for a probe."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tminus.checklist.model import Checklist, Item
from tminus.domain import offsets
from tminus.domain.people import alike
from tminus.importing import limits, owners
from tminus.importing.dues import Dues
from tminus.importing.naming import Names, slug
from tminus.matching import Match
from tminus.planfile.document import SURE, LineEntry, OmittedLine

_CONDITION = re.compile(
    r"\btriggers?\b|\b(?:rollback|abort|no-?go) (?:conditions|criteria|if)|\bif (?:needed|it fails|something)",
    re.IGNORECASE,
)
"""Headings whose lines say when something is to be done, and are not to come true themselves."""
_BRANCH = re.compile(r"\W*(?:no-?go|go)\s*:", re.IGNORECASE)

ASIDE = "aside"
"""Stands in the place of a system for lines that wait for none."""

LONGEST_SECTION = 200
"""Sections are keys of the plan, and a key of YAML ends after 1,024 characters."""


class Understanding(StrEnum):
    """What became of a line's words."""

    UNDERSTOOD = "understood"
    GUESSED = "guessed"
    LEFT = "left to a person"


@dataclass(frozen=True, slots=True)
class Line:
    """One box of the checklist as a line of the plan."""

    item: Item
    id: str
    section: str
    understanding: Understanding
    entry: LineEntry | OmittedLine
    system: str = ""
    """The kind of system that a waiting line needs."""
    known: str = ""
    """The known line that its words mean."""
    guess: str = ""
    """Why it is due when it is, where that is a guess."""
    kept_apart: str = ""
    """The known line that its words would mean under other headings; of lines that are left to a person."""


@dataclass(frozen=True, slots=True)
class Known:
    """A line of the built-in plan, as a pattern for a team's own."""

    entry: LineEntry | OmittedLine
    section: str
    system: str = ""
    """For a line that waits for a probe: the kind of system that would unlock it."""


def lines(checklist: Checklist, matches: Sequence[Match | None], known: Mapping[str, Known]) -> list[Line]:
    """Every box, in the file's order; a box with boxes under it rolls them up."""
    names, sections = _names(checklist, matches), _sections(checklist.items)
    parts: dict[int, list[int]] = {}
    for index, item in enumerate(checklist.items):
        if item.parent is not None:
            parts.setdefault(item.parent, []).append(index)
    first = {match.id: index for index, match in reversed([*enumerate(matches)]) if match}
    for index, match in enumerate(matches):
        if match and index not in parts and (of := known[match.id].entry.of):
            parts[index] = [first[part] for part in of if part in first and first[part] != index]
    made: dict[int, Line] = {}
    dues = Dues(checklist.headings)
    for index in _parts_first(len(checklist.items), parts):
        item, match = checklist.items[index], matches[index]
        pattern = known[match.id] if match else None
        due = dues.of(item, pattern.entry if pattern else None)
        shared = _shared(item, names[index], pattern, match) | {"due": due.at}
        entry, system = _entry(item, pattern, shared, [made[part] for part in parts.get(index, [])])
        if isinstance(entry, OmittedLine):
            entry = entry.model_copy(update={"section": sections[item.section]})
        means = match.id if match else ""
        guess = "" if system == ASIDE else due.guess
        made[index] = Line(
            item, names[index], sections[item.section], _understanding(match), entry, system, means, guess
        )
    return [made[index] for index in range(len(checklist.items))]


def _parts_first(count: int, parts: Mapping[int, Sequence[int]]) -> Iterator[int]:
    """Every index, the parts of a roll-up before it; a box never holds itself, as boxes nest and known roll-ups do."""
    done: set[int] = set()
    for start in range(count):
        waiting = [start]
        while waiting:
            index = waiting[-1]
            open_parts = [part for part in parts.get(index, ()) if part not in done and part not in waiting]
            if open_parts:
                waiting += open_parts[:1]
            else:
                waiting.pop()
                if index not in done:
                    done.add(index)
                    yield index


def _shared(item: Item, name: str, pattern: Known | None, match: Match | None) -> dict[str, Any]:
    entry = pattern.entry if pattern else None
    shared: dict[str, Any] = {
        "id": name,
        "line": item.text or _wordless(item),
        "owner": entry.owner if entry else owners.suggested(item.text, item.section),
        "source_line": item.line,
        "checked": item.checked,
        "confidence": round(match.confidence, 2) if match else 1.0,
    }
    return shared | ({"severity": entry.severity, "hint": entry.hint} if entry else {})


def _entry(
    item: Item, pattern: Known | None, shared: dict[str, Any], held: Sequence[Line]
) -> tuple[LineEntry | OmittedLine, str]:
    if pattern is None and _set_aside(item):
        return OmittedLine.model_validate(shared | {"section": "-"}), ASIDE
    if held:
        return _rolled_up(shared, held)
    if pattern is None or pattern.entry.of:
        return LineEntry.model_validate(shared | {"attest": item.text or _wordless(item)}), ""
    settings = {**_pattern(pattern.entry), **_with_limits(item, pattern.entry)}
    settings |= _moved(settings, pattern.entry.due, str(shared["due"]))
    if isinstance(pattern.entry, OmittedLine):
        return OmittedLine.model_validate(shared | settings | {"section": "-"}), pattern.system
    return LineEntry.model_validate(shared | settings), ""


def _wordless(item: Item) -> str:
    return f"The box on line {item.line} has no words."


def _set_aside(item: Item) -> bool:
    """Whether the box is a condition or a branch: data corruption detected is nothing to wait for."""
    return any(_CONDITION.search(heading) for heading in item.section) or bool(_BRANCH.match(item.text))


def _rolled_up(shared: dict[str, Any], held: Sequence[Line]) -> tuple[LineEntry | OmittedLine, str]:
    """A roll-up may not be green while a part of it is left out, so it is left out with that part.

    Conditions among its parts do not count: nobody wants them to come true.
    """
    counted = [part for part in held if part.system != ASIDE]
    if not counted:
        return OmittedLine.model_validate(shared | {"section": "-"}), ASIDE
    shared = shared | {"of": [part.id for part in counted]}
    waiting = Counter(part.system for part in counted if isinstance(part.entry, OmittedLine))
    if waiting:
        return OmittedLine.model_validate(shared | {"section": "-"}), waiting.most_common(1)[0][0]
    return LineEntry.model_validate(shared), ""


def _pattern(entry: LineEntry | OmittedLine) -> dict[str, Any]:
    """What a known line says about how it is observed."""
    given = entry.model_dump(by_alias=True, exclude_defaults=True)
    own = {
        "id",
        "line",
        "section",
        "due",
        "owner",
        "severity",
        "hint",
        "source_line",
        "checked",
        "confidence",
        "of",
    }
    return {key: value for key, value in given.items() if key not in own}


def _moved(settings: Mapping[str, Any], before: str, now: str) -> dict[str, Any]:
    """By when people have to speak of a line that stands at another milestone than the known one: as long after it.

    Before T-0 there is no such time: what is due there closes the gate.
    """
    if not settings.get("until"):
        return {}
    due = offsets.offset(now)
    until = due + offsets.offset(str(settings["until"])) - offsets.offset(before)
    return {"until": offsets.named(until) if due > 0 else ""}


def _with_limits(item: Item, entry: LineEntry | OmittedLine) -> dict[str, Any]:
    """The thresholds of the team's own text in the place of the built-in ones, where they measure the same."""
    changed: dict[str, Any] = {}
    if entry.expect and (expect := limits.fitting(item.limits, entry.expect)):
        changed["expect"] = expect
        if entry.warn and not limits.narrower(entry.warn, expect):
            changed["warn"] = ""
    arguments = dict(entry.arguments)
    for key, sign in (("above", ">"), ("below", "<")):
        if key in arguments and (found := limits.fitting(item.limits, f"{sign} {arguments[key]}")):
            arguments[key] = found.lstrip("<>= ")
            changed["with"] = arguments
    return changed


def _understanding(match: Match | None) -> Understanding:
    if match is None:
        return Understanding.LEFT
    return Understanding.UNDERSTOOD if match.confidence >= SURE else Understanding.GUESSED


def _names(checklist: Checklist, matches: Sequence[Match | None]) -> list[str]:
    names = Names()
    wanted = [
        match.id if match else slug(item.text) or f"line-{item.line}"
        for item, match in zip(checklist.items, matches, strict=True)
    ]
    return [names.take(name) for name in wanted]


def _sections(items: Sequence[Item]) -> dict[tuple[str, ...], str]:
    """A short name for each path of headings: the last one, with those above it where two would share the name."""
    paths = list(dict.fromkeys(item.section for item in items))
    ends = Counter(path[-1] if path else "" for path in paths)
    return {path: _section(path, ends) for path in paths}


def _section(path: tuple[str, ...], ends: Mapping[str, int]) -> str:
    said = [heading for heading in path if alike(heading)]
    if not said:
        return "Checklist"
    name = path[-1] if ends[path[-1]] == 1 and alike(path[-1]) else " / ".join(said)
    return name if len(name) <= LONGEST_SECTION else f"{name[: LONGEST_SECTION - 1]}…"


@dataclass(frozen=True, slots=True)
class Unlock:
    """A kind of system, and how many lines it would unlock."""

    system: str
    lines: int
    built: bool
    """Whether its probes exist: then an address in the plan is all that is missing."""


def unlocks(made: Sequence[Line]) -> list[Unlock]:
    """The systems that lines look at or wait for, the one that unlocks most lines first."""
    waiting = Counter(
        line.system for line in made if isinstance(line.entry, OmittedLine) and line.entry.probe
    )
    looking = Counter(
        line.entry.probe.partition(".")[0]
        for line in made
        if isinstance(line.entry, LineEntry) and line.entry.probe
    )
    found = [Unlock(system, number, built=False) for system, number in waiting.items()]
    found += [Unlock(system, number, built=True) for system, number in looking.items()]
    return sorted(found, key=lambda unlock: (-unlock.lines, unlock.system))

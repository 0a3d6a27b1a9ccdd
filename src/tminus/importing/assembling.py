"""A whole plan from a checklist: its lines, and everything else that a launch needs, from the text or as defaults."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from tminus.checklist.model import Checklist, Form
from tminus.domain import offsets
from tminus.errors import ChecklistError
from tminus.garbage import uncollected
from tminus.importing import people, surroundings
from tminus.importing.dues import milestone
from tminus.importing.entries import ASIDE, Known, Line, Understanding, lines
from tminus.matching import Matcher, Words
from tminus.planfile.beside import needed
from tminus.planfile.document import (
    Document,
    LineEntry,
    OmittedEntry,
    OmittedLine,
    SourceEntry,
    SystemEntry,
)


@dataclass(frozen=True, slots=True)
class Imported:
    """A checklist as a plan, and what is to be said about how it was understood."""

    document: Document
    lines: tuple[Line, ...]
    checklist: Checklist


def known_lines(builtin: Document) -> dict[str, Known]:
    """Every line of the built-in plan by its id, those that wait for a probe included."""
    there = {
        entry.id: Known(entry, section) for section, entries in builtin.checks.items() for entry in entries
    }
    for omission in builtin.omitted:
        for entry in omission.lines:
            if isinstance(entry, OmittedLine):
                there[entry.id] = Known(entry, entry.section, omission.system)
    return there


@uncollected()
def assembled(
    checklist: Checklist, matcher: Matcher, builtin: Document, *, path: str, also: frozenset[Form]
) -> Imported:
    """The plan that this checklist is; `path` is where it can be found again for the export."""
    known = known_lines(builtin)
    made = lines(checklist, matcher.match(_words(checklist)), known)
    if made and all(isinstance(line.entry, OmittedLine) for line in made):
        raise ChecklistError(
            f"all {len(made)} lines wait for probes that are not built yet: nothing could be observed or attested",
            hint="start from the built-in plan with `tminus init`, or add lines that a person answers for",
        )
    roles, made = people.roles(checklist, made, builtin)
    checks = _checks(made)
    document = Document(
        plan=_title(checklist, path),
        source=SourceEntry(path=path, sha256=checklist.sha256, also=sorted(f"{form}s" for form in also)),
        production=False,
        release=builtin.release,
        systems=_systems(checks, builtin),
        roles=roles,
        contacts=surroundings.contacts(checklist, builtin),
        document=surroundings.facts(checklist, builtin),
        figures=surroundings.figures(checklist, builtin),
        milestones=_milestones(made),
        checks=checks,
        omitted=_omitted(made),
        decision=builtin.decision,
        rollout=builtin.rollout,
        triggers=surroundings.triggers(checklist, builtin),
    )
    return Imported(document, tuple(made), checklist)


def with_near_misses(imported: Imported, matcher: Matcher) -> Imported:
    """The same; lines that only their headings keep from meaning a known one say so, for whoever reads the plan."""
    left = [
        at
        for at, line in enumerate(imported.lines)
        if line.understanding is Understanding.LEFT
        and isinstance(line.entry, LineEntry)
        and not line.entry.sign
    ]
    words = _words(imported.checklist)
    near = zip(left, matcher.kept_apart([words[at] for at in left]), strict=True)
    made = [*imported.lines]
    for at, known in near:
        if known:
            made[at] = replace(made[at], kept_apart=known)
    return replace(imported, lines=tuple(made))


def _words(checklist: Checklist) -> list[Words]:
    """Each box with what stands above it: its headings, and the box that it is nested under."""
    items = checklist.items
    return [
        Words(item.text, item.section if item.parent is None else (*item.section, items[item.parent].text))
        for item in items
    ]


def _title(checklist: Checklist, path: str) -> str:
    """The document's own title, or its file's name."""
    title = next((heading.text for heading in checklist.headings if heading.level == 1 and heading.text), "")
    return title or PurePath(path).stem


def _checks(made: Sequence[Line]) -> dict[str, list[LineEntry]]:
    checks: dict[str, list[LineEntry]] = {}
    for line in made:
        if isinstance(line.entry, LineEntry):
            checks.setdefault(line.section, []).append(line.entry)
    return checks


def _omitted(made: Sequence[Line]) -> list[OmittedEntry]:
    waiting: dict[tuple[str, bool], list[str | OmittedLine]] = {}
    for line in made:
        if isinstance(line.entry, OmittedLine):
            waiting.setdefault((line.system, bool(line.entry.of)), []).append(line.entry)
    return [
        OmittedEntry(
            reason=_reason(system, rolled_up=rolled_up),
            system="" if system == ASIDE else system,
            lines=waiting[system, rolled_up],
        )
        for system, rolled_up in sorted(waiting, key=lambda key: (-len(waiting[key]), key))
    ]


def _reason(system: str, *, rolled_up: bool) -> str:
    if system == ASIDE:
        return "conditions and branches, not things that shall come true: look at each"
    if rolled_up:
        return "lines that these roll up are left out"
    return f"the probes that these wait for ({system}) are not built yet"


def _systems(checks: Mapping[str, Sequence[LineEntry]], builtin: Document) -> dict[str, SystemEntry]:
    """The systems that the plan's lines need, with the built-in plan's kinds; their addresses are to fill."""
    kinds = {name: entry.kind for name, entry in builtin.systems.items()}
    probed = [line for entries in checks.values() for line in entries if line.probe]
    used: set[str] = set().union(*(needed(line.probe, line.arguments, kinds) for line in probed))
    return {name: entry for name, entry in builtin.systems.items() if name in used}


def _milestones(made: Sequence[Line]) -> list[str]:
    times = {offsets.offset(line.entry.due) for line in made} | {0.0}
    return [milestone(offset) for offset in sorted(times)]

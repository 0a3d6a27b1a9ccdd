"""What an import chose itself: values of a plan that no word of its checklist gives, each with where it stands."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from tminus.importing import limits, surroundings
from tminus.importing.assembling import Imported
from tminus.importing.entries import ASIDE, Line, Understanding
from tminus.planfile.document import LineEntry, RolloutEntry, TriggerEntry

_FIGURE = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Choice:
    """One value that the checklist does not give."""

    where: str
    """The block of the plan, or the id of the entry."""
    key: str
    value: str
    why: str


def choices(imported: Imported) -> list[Choice]:
    """Every one, in the order of a plan's blocks; guessed times are counted apart."""
    return [
        *_roles(imported),
        *_lines(imported),
        *_owners(imported),
        *_rollout(imported),
        *_triggers(imported),
    ]


def by_entry(imported: Imported) -> dict[str, list[Choice]]:
    """Those of lines and triggers by the id that they stand at."""
    found: dict[str, list[Choice]] = {}
    for choice in (*_lines(imported), *_triggers(imported)):
        found.setdefault(choice.where, []).append(choice)
    return found


def _roles(imported: Imported) -> Iterator[Choice]:
    for role in imported.document.roles:
        if role.decides:
            yield Choice(f"roles.{role.id}", "decides", "true", "no line says who decides")
        if role.signs and not imported.checklist.signatures:
            yield Choice(f"roles.{role.id}", "signs", "true", "no line says who signs")


def _lines(imported: Imported) -> Iterator[Choice]:
    """Limits of observed lines that their own words do not state."""
    for line in imported.lines:
        if isinstance(line.entry, LineEntry):
            stated = {limits.value(limit) for limit in line.item.limits}
            for key, figure in _figures(line.entry):
                if figure.lstrip("<>= ") not in stated:
                    yield Choice(line.id, key, figure, "the built-in plan's limit; the line states none")


def _figures(entry: LineEntry) -> Iterator[tuple[str, str]]:
    said = {"expect": entry.expect, "warn": entry.warn}
    said |= {key: str(entry.arguments[key]) for key in ("above", "below") if key in entry.arguments}
    yield from ((key, figure) for key, figure in said.items() if _FIGURE.search(figure))


def _owners(imported: Imported) -> Iterator[Choice]:
    asked = Counter(line.entry.owner for line in imported.lines if _suggested(line))
    for owner, number in asked.most_common():
        yield Choice(
            "checks", "owner", owner, f"suggested by the words of {counted(number)} left to a person"
        )


def counted(lines: int) -> str:
    """So many lines, in words that agree: `1 line`, `2 lines`."""
    return f"{lines} line{'' if lines == 1 else 's'}"


def _suggested(line: Line) -> bool:
    signed = isinstance(line.entry, LineEntry) and line.entry.sign
    return line.understanding is Understanding.LEFT and line.system != ASIDE and not signed


def _rollout(imported: Imported) -> Iterator[Choice]:
    yield Choice("rollout", "ladder", ladder(imported.document.rollout), "the built-in plan's")


def ladder(rollout: RolloutEntry) -> str:
    """The steps of a rollout in one line."""
    weights = "/".join(str(rung.weight) for rung in rollout.ladder)
    watches = list(dict.fromkeys(rung.watch for rung in rollout.ladder))
    return f"{weights} %, {' or '.join(watches)} each"


def _triggers(imported: Imported) -> Iterator[Choice]:
    statements = {statement.line: statement for statement in imported.checklist.triggers}
    for trigger in imported.document.triggers:
        statement = statements.get(trigger.source_line)
        if statement is None:
            yield Choice(trigger.id, "text", trigger.text, "the built-in plan's; the checklist names none")
            continue
        given = surroundings.stated(trigger, statement)
        for key, value in _levels(trigger):
            if key not in given:
                yield Choice(trigger.id, key, value, "the built-in plan's; the trigger states none")


def _levels(trigger: TriggerEntry) -> Iterator[tuple[str, str]]:
    yield from ((key, value) for key, value in (("above", trigger.above), ("hold", trigger.hold)) if value)

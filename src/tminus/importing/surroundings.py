"""What stands around a checklist's boxes: triggers, test figures, contacts and what the document says of itself."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar

from rapidfuzz import fuzz

from tminus.checklist.model import Card, Checklist, Measure, Statement
from tminus.importing import limits
from tminus.importing.naming import Names, slug
from tminus.planfile.document import ContactEntry, Document, FactEntry, FigureEntry, TriggerEntry

T = TypeVar("T")

_LIKE = 80
"""From this likeness (0 to 100) on, two short titles name the same thing."""

_TRIGGERS = {
    "trig.corruption": re.compile(r"corrupt|data loss|lost data", re.IGNORECASE),
    "trig.vulnerability": re.compile(r"vulnerab|security", re.IGNORECASE),
    "trig.latency": re.compile(r"p\d\d|latenc|response time|slow", re.IGNORECASE),
    "trig.errors": re.compile(r"error|5xx|fail", re.IGNORECASE),
    "trig.unavailable": re.compile(r"unavailab|down\b|downtime|outage|unreachable", re.IGNORECASE),
}
"""By trigger of the built-in plan: the words that mean it, the most telling first."""


def triggers(checklist: Checklist, builtin: Document) -> list[TriggerEntry]:
    """The checklist's triggers; those of the built-in five that it does not name stand with their defaults."""
    defaults = {trigger.id: trigger for trigger in builtin.triggers}
    names = Names()
    found: dict[str, TriggerEntry] = {}
    for statement in checklist.triggers:
        meant = _trigger(statement)
        if meant in defaults and meant not in found:
            found[names.take(meant)] = _with_limits(defaults[meant], statement)
        else:
            key = names.take(f"trig.{slug(statement.text) or statement.line}")
            found[key] = TriggerEntry(
                id=key,
                text=statement.text,
                source="a person's order",
                action="hold and page",
                source_line=statement.line,
            )
    return [
        *(found.get(key, default) for key, default in defaults.items()),
        *(found[k] for k in found if k not in defaults),
    ]


def _trigger(statement: Statement) -> str:
    return next((name for name, pattern in _TRIGGERS.items() if pattern.search(statement.text)), "")


def _with_limits(default: TriggerEntry, statement: Statement) -> TriggerEntry:
    changed = {"text": statement.text, "source_line": statement.line}
    return default.model_copy(update=changed | stated(default, statement))


def stated(default: TriggerEntry, statement: Statement) -> dict[str, str]:
    """The level and the duration that a trigger's own words give; the others stay the built-in ones."""
    changed: dict[str, str] = {}
    for limit in statement.limits:
        if default.above and limit.measure is not limits.measure(default.above):
            continue  # `p95 up by 50 %` is no limit of seconds
        if default.above:
            changed["above"] = limits.value(limit)
            if limit.hold:
                changed["hold"] = limits.hold(limit.hold)
        elif limit.measure is Measure.SECONDS:  # `unavailable >5 minutes` is a duration, not a level
            changed["hold"] = limits.hold(limit.value)
    return changed


def figures(checklist: Checklist, builtin: Document) -> list[FigureEntry]:
    """The test figures that the document claims, by the built-in plan's ids where one is meant."""
    known = {figure.text: figure for figure in builtin.figures}
    names = Names()
    found: list[FigureEntry] = []
    for statement in checklist.figures:
        text = ": ".join([*statement.section[-1:], statement.label])
        meant = _likest(text, known)
        key = names.take(meant.id if meant else f"fig.{slug(text) or statement.line}")
        base = meant.model_copy(update={"id": key}) if meant else FigureEntry(id=key, text=text, claimed="")
        found.append(base.model_copy(update={"claimed": statement.text}))
    return found


def contacts(checklist: Checklist, builtin: Document) -> list[ContactEntry]:
    """Whom the document names for emergencies."""
    known = {contact.title: contact for contact in builtin.contacts}
    names = Names()
    found: list[ContactEntry] = []
    for card in checklist.contacts:
        meant = _likest(card.title, known)
        key = names.take(meant.id if meant else f"contact.{slug(card.title) or card.line}")
        base = meant or ContactEntry(id=key, title=card.title)
        found.append(base.model_copy(update={"id": key, "title": card.title, **_reach(card)}))
    return found


def _reach(card: Card) -> dict[str, str]:
    return {field: card.fields.get(field, "") for field in ("phone", "email")}


def facts(checklist: Checklist, builtin: Document) -> list[FactEntry]:
    """What the document says of itself: its dates and its owner."""
    known = {fact.text: fact for fact in builtin.document}
    names = Names()
    found: list[FactEntry] = []
    for statement in checklist.document:
        meant = _likest(statement.label, known)
        key = names.take(meant.id if meant else f"doc.{slug(statement.label) or statement.line}")
        found.append(FactEntry(id=key, text=statement.label, value=statement.text))
    return found


def _likest(text: str, known: Mapping[str, T]) -> T | None:
    scored = [(fuzz.token_sort_ratio(text.lower(), name.lower()), name) for name in known]
    best: Sequence[tuple[float, str]] = sorted(scored, reverse=True)[:1]
    return known[best[0][1]] if best and best[0][0] >= _LIKE else None

"""When a hold of the rollout wakes people, and when they are told that it is over: read from the record.

A hold begins with the first event that says so and ends when the guard goes on; whatever it is called in between, it
is one. What ends by itself within seconds wakes nobody. A hold on evidence ends by nothing but a person's word.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tminus.domain.canonical import instant
from tminus.domain.course import GUARDED, ORDERED, STUCK, UNPROVEN
from tminus.domain.record import Event

PATIENCE = 10.0
"""Seconds after which a hold that may end by itself wakes people: longer than a part takes to be started again."""
REQUESTS = "hold.requests"
"""The rule for a rung that has not had its requests: it lasts until the rung is proven, whatever the guard says."""


@dataclass(frozen=True, slots=True)
class Page:
    """One hold of the rollout, as those on call learn of it."""

    held: Event
    """The first event of it."""
    at: float
    """From when on people are to be told, in seconds of the epoch."""
    over: Event | None = None
    """What ended it; nothing while it lasts."""


def awaits_a_person(rule: str) -> bool:
    """Whether a hold by this rule ends by nothing but a person's word."""
    return rule in {"hold.errors", UNPROVEN, STUCK} or rule.startswith("trigger.")


def page(events: Iterable[Event]) -> Page | None:
    """The newest hold of this record that lasted long enough to wake people, or may; nothing where there was none."""
    found: Page | None = None
    lasting: Page | None = None
    rules: set[str] = set()
    for event in events:
        if event.type == GUARDED:
            rule = str(event.data["rule"])
            rules = {rule} if lasting is None else rules | {rule}
            lasting = lasting or Page(event, instant(event.at) + PATIENCE)
            if awaits_a_person(rule):
                lasting = Page(lasting.held, min(lasting.at, instant(event.at)))
        elif lasting is not None and _ends(event, rules):
            if instant(event.at) >= lasting.at:
                found = Page(lasting.held, lasting.at, event)
            lasting = None
    return lasting or found


def _ends(event: Event, rules: set[str]) -> bool:
    """Whether the rollout goes on with this event, which was held by these rules."""
    if event.type == ORDERED:
        return event.data.get("order") == "resume"
    if event.type == "step.done":
        return UNPROVEN not in rules
    if event.type != "traffic.seen" or event.data.get("action") != "continue" or UNPROVEN in rules:
        return False
    return REQUESTS not in rules or event.data.get("proven") is True


def may_end(event: Event) -> bool:
    """Whether an event may be the end of a hold."""
    return event.type == "step.done" or (
        event.type == "traffic.seen" and event.data.get("action") == "continue"
    )

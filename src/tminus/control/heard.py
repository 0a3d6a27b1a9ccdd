"""What people told a launch, as its record has it: the orders that it does, and harm that they saw."""

from collections.abc import Collection, Iterable, Sequence

from tminus.control.ports import Json
from tminus.domain.course import ORDERED, REPORTED
from tminus.domain.plan import Check, Kind, Severity
from tminus.domain.record import Event
from tminus.domain.words import is_harm

HARM = "harm"
"""What a word comes to by which a line fails that people look at after T-0: the launch goes back, as by an order."""


def criteria(checks: Iterable[Check]) -> frozenset[str]:
    """Those of these lines that people look at after T-0; harm that they see there rolls back."""
    return frozenset(
        check.id
        for check in checks
        if check.kind is Kind.PERSON
        and check.due > 0
        and not check.simulated
        and check.severity is not Severity.ADVISORY
    )


def told(events: Sequence[Event], message: Json, heard: Collection[str]) -> Json:
    """What a launch does: for harm that it has not heard of, else for the order that a message names.

    An order is told as it was recorded; harm as `HARM` with the `key` of its word, by which it is heard of from then
    on. Nothing where the message names neither.
    """
    named = message.get("id")
    before = {*heard} - {named}
    harm = next((event for event in events if is_harm(event) and event.key not in before), None)
    if harm is not None:
        name = harm.data["check"]
        text = f"{name} ({harm.data['text']}) failed: {harm.data['why']}"
        return {"order": HARM, "rule": f"criterion.{name}", "text": text, "key": harm.key}
    given = next((event for event in events if event.data.get("id") == named), None)
    return {**given.data} if given is not None and given.type in {ORDERED, REPORTED} else {}

"""What people told a launch, as its record has it: the orders it does, and harm that they saw."""

from collections.abc import Collection, Iterable

from tminus.control.ports import Json
from tminus.domain.course import ORDERED, REPORTED
from tminus.domain.evidence import Verdict
from tminus.domain.overdue import harmless
from tminus.domain.plan import Check, Kind, Severity
from tminus.domain.record import Event
from tminus.domain.words import ATTESTED

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


def is_harm(event: Event, lines: Collection[str]) -> bool:
    """Whether a person says here that one of these lines is not as it should be, be it late or not."""
    seen = event.data.get("seen")
    return (
        event.type == ATTESTED
        and event.data.get("check") in lines
        and event.data.get("verdict") == Verdict.FAILED
        and not (isinstance(seen, dict) and harmless(seen))
    )


def told(event: Event | None) -> Json:
    """What a launch does for this event: an order as it was recorded, or `HARM`; nothing for any other."""
    if event is None:
        return {}
    if event.type in {ORDERED, REPORTED}:
        return {**event.data}
    if event.type != ATTESTED:
        return {}
    name = event.data["check"]
    text = f"{name} ({event.data['text']}) failed: {event.data['why']}"
    return {"order": HARM, "rule": f"criterion.{name}", "text": text}

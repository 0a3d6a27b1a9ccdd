"""What of a record counts for the date that the launch has now."""

from collections.abc import Iterable

from tminus.domain.course import RAISED, RESCHEDULED, TOLD, void_lines
from tminus.domain.record import Event

_OF_AN_ATTEMPT = frozenset(
    {
        "poll.opened",
        "poll.renewed",
        "signoff.given",
        "signoff.voided",
        "milestone.reached",
        "gate.judged",
        RAISED,
        TOLD,
    }
)


def in_force(events: Iterable[Event]) -> list[Event]:
    """The events that count in the present attempt: without sign-offs, polls, gates and words that a new date voided.

    Observations of earlier attempts stay; only what a person said for the old date is gone with it.
    """
    kept: list[Event] = []
    for event in events:
        if event.type == RESCHEDULED:
            gone = set(void_lines(event.data))
            kept = [
                old for old in kept if old.type not in _OF_AN_ATTEMPT and old.data.get("check") not in gone
            ]
        kept.append(event)
    return kept

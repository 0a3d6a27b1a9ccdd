"""By when people have to have spoken: which lines nobody spoke of in time, and that nobody's absence is harm."""

from collections.abc import Mapping, Sequence

from tminus.domain.canonical import instant
from tminus.domain.offsets import named
from tminus.domain.plan import Check
from tminus.domain.record import Event

AGAINST = "against"
"""Among what is seen of a person's word: that somebody said of the line that it does not hold."""
STILL = "still"
"""Likewise: what nobody has spoken of yet."""
ABSENT = "absent"
"""Instead of a verdict: a line failed since nobody spoke of it in time, which rolls nothing back."""


def clock_at(events: Sequence[Event], now: float) -> float | None:
    """The launch clock at `now` (seconds of the epoch) by the last event that shows it; none while there is no T-0."""
    last = next((event for event in reversed(events) if event.t_ms is not None), None)
    return None if last is None or last.t_ms is None else last.t_ms / 1000 + now - instant(last.at)


def late(check: Check, events: Sequence[Event], now: float) -> int:
    """By how many whole seconds the time is over by which somebody has to have spoken; 0 while it is not."""
    t = clock_at(events, now)
    return 0 if check.until is None or t is None else max(0, int(t - check.until))


def why(check: Check, lacking: Sequence[str]) -> str:
    """What fails a line of which nobody has spoken in time; `lacking` names its things, where it asks for several."""
    assert check.until is not None  # noqa: S101 - such a line only is overdue
    of = f" of {', '.join(lacking)}" if lacking else ""
    who, what = check.person or check.owner, check.note.rstrip(".")
    return (
        f"until {named(check.until)} {who} had to say it{of}, and has not: {what}; "
        "look now, and say what you saw: `tminus attest`"
    )


def harmless(seen: Mapping[str, object]) -> bool:
    """Whether a person's line that failed did so for a word that came too late, or not at all: nobody saw harm."""
    return not seen.get(AGAINST)

"""Time zones: the clocks on people's walls, by their IANA names.

A wall clock shows some times twice and some not at all where it is set back or forward. Who asks says which of the two
instants is meant.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone(name: str) -> ZoneInfo:
    """The zone with this IANA name, such as `Europe/Berlin`; raises `ValueError` for one that there is not."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"{name[:40]!r} is no time zone; write for example 'Europe/Berlin' or 'UTC'"
        ) from error


def wall(instant: float, name: str) -> datetime:
    """What the clocks of a zone show at an instant (seconds of the epoch)."""
    return datetime.fromtimestamp(instant, UTC).astimezone(zone(name))


def earliest(shown: datetime, name: str) -> float:
    """The first instant at which the clocks of a zone can be said to show this; one they skip is before the gap."""
    return min(_both(shown, name))


def latest(shown: datetime, name: str) -> float:
    """The last instant at which the clocks of a zone can be said to show this; one they skip is after the gap."""
    return max(_both(shown, name))


def in_zone(instant: float, name: str) -> str:
    """An instant as somebody in this zone reads it, beside UTC: `2026-01-31 14:00:00 CET (13:00:00 UTC)`.

    The day stands beside UTC too where it is another one.
    """
    here, there = wall(instant, name), datetime.fromtimestamp(instant, UTC)
    if here.utcoffset() == there.utcoffset():
        return f"{there:%Y-%m-%d %H:%M:%S} UTC"
    day = "" if here.date() == there.date() else f"{there:%Y-%m-%d} "
    return f"{here:%Y-%m-%d %H:%M:%S} {_called(here)} ({day}{there:%H:%M:%S} UTC)"


def _called(here: datetime) -> str:
    """A zone's own letters, or its distance from UTC where it has none that people would know."""
    letters = here.tzname() or ""
    return letters if letters.isalpha() else f"UTC{here.isoformat()[-6:]}"


def _both(shown: datetime, name: str) -> tuple[float, float]:
    there = zone(name)
    bare = shown.replace(tzinfo=there)
    return bare.replace(fold=0).timestamp(), bare.replace(fold=1).timestamp()

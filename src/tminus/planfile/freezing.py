"""When nothing is launched, and when owners are told: the blocks `freezes` and `notices`."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import partial
from zoneinfo import available_timezones

from tminus.domain.freezes import Freeze, Span, Weekly, thawed
from tminus.domain.offsets import seconds
from tminus.domain.plan import Leads
from tminus.domain.zones import earliest, latest, zone
from tminus.planfile.document import FreezeEntry
from tminus.planfile.findings import Findings
from tminus.planfile.problem import meant
from tminus.planfile.shape import Place

_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_OF_THE_WEEK = re.compile(r"([A-Za-z]+)\s+(\d{1,2}):(\d{2})")
_EXAMPLE = "write for example 'Fri 16:00' or '2026-12-18T16:00'"


def freezes(found: Findings) -> tuple[Freeze, ...]:
    """The freezes that can be read; tells what is wrong with the others, and where all of them leave no time."""
    read: list[Freeze] = []
    names: set[str] = set()
    for index, entry in enumerate(found.document.freezes):
        place = ("freezes", index)
        if entry.name in names:
            found.tell((*place, "name"), f"{entry.name}: this name stands twice; give one of them another")
        names.add(entry.name)
        if _known(found, place, entry) and (when := _when(found, place, entry)):
            read.append(Freeze(entry.name, when))
    weekly = [freeze for freeze in read if isinstance(freeze.when, Weekly)]
    if weekly and thawed(weekly, 0.0) is None:
        found.tell(("freezes",), "these freezes leave no time of the week for a launch; make one shorter")
    return tuple(read)


def leads(found: Findings) -> Leads:
    """When owners are told; tells which durations cannot be read."""
    written = found.document.notices
    read = [
        found.attempt(("notices", key), partial(seconds, text))
        for key, text in (("soon", written.soon), ("late", written.late), ("escalated", written.escalated))
    ]
    soon, late, escalated = (lead or 0.0 for lead in read)
    if None not in read and escalated < late:
        found.tell(
            ("notices", "escalated"),
            f"those who decide would be told after {written.escalated}, before the owner is late at {written.late}; "
            "write a longer time",
        )
    return Leads(soon, late, escalated)


def _known(found: Findings, place: Place, entry: FreezeEntry) -> bool:
    """Whether the zone of a freeze exists, or none is named."""
    if not entry.zone:
        return True
    try:
        zone(entry.zone)
    except ValueError as error:
        near = meant(entry.zone, sorted(available_timezones()))
        told = f"{entry.zone[:40]!r} is no time zone{near}" if near else str(error)
        found.tell((*place, "zone"), f"{entry.name}: {told}")
        return False
    return True


def _when(found: Findings, place: Place, entry: FreezeEntry) -> Span | Weekly | None:
    weekly = [_OF_THE_WEEK.fullmatch(text.strip()) is not None for text in (entry.begins, entry.ends)]
    if all(weekly):
        return _weekly(found, place, entry)
    if any(weekly):
        found.tell(place, f"{entry.name}: one end is of every week and the other is not; {_EXAMPLE} for both")
        return None
    begins = _edge(found, (*place, "from"), entry, partial(_instant, entry.begins, entry.zone, earliest))
    ends = _edge(found, (*place, "to"), entry, partial(_instant, entry.ends, entry.zone, latest))
    if begins is None or ends is None:
        return None
    if ends <= begins:
        found.tell(
            (*place, "to"), f"{entry.name}: it ends before it begins; write the earlier end under `from`"
        )
        return None
    return Span(begins, ends)


def _weekly(found: Findings, place: Place, entry: FreezeEntry) -> Weekly | None:
    begins = _edge(found, (*place, "from"), entry, partial(_of_the_week, entry.begins))
    ends = _edge(found, (*place, "to"), entry, partial(_of_the_week, entry.ends))
    if not entry.zone:
        found.tell(place, f"{entry.name}: whose clocks? Add for example `zone: Europe/Berlin`")
        return None
    if begins is None or ends is None:
        return None
    if begins == ends:
        found.tell((*place, "to"), f"{entry.name}: it ends when it begins; write when it is over")
        return None
    return Weekly(begins, ends, entry.zone)


def _edge(found: Findings, place: Place, entry: FreezeEntry, read_it: Callable[[], float]) -> float | None:
    """One end of a freeze, or nothing and a problem that names the freeze."""
    try:
        return read_it()
    except ValueError as error:
        found.tell(place, f"{entry.name}: {error}")
        return None


def _of_the_week(text: str) -> float:
    """Seconds from Monday 00:00 of a time such as `Fri 16:00`; raises `ValueError` for any other."""
    match = _OF_THE_WEEK.fullmatch(text.strip())
    word, hour, minute = match.groups() if match else ("", "0", "0")
    day = next((day for day in _DAYS if len(word) >= 3 and day.startswith(word.casefold())), None)
    if day is None or int(hour) > 23 or int(minute) > 59:
        raise ValueError(f"{text[:40]!r} is no time of the week; write for example 'Fri 16:00'")
    return _DAYS.index(day) * 86400.0 + int(hour) * 3600.0 + int(minute) * 60.0


def _instant(text: str, name: str, read: Callable[[datetime, str], float]) -> float:
    """Seconds of the epoch; raises `ValueError` for what is no time, has no zone, or has two."""
    try:
        shown = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise ValueError(f"{text[:40]!r} is no time; {_EXAMPLE}") from error
    if ":" not in text:
        raise ValueError(f"{text[:40]!r} is a day without a time; {_EXAMPLE}")
    if shown.tzinfo is not None:
        if name:
            raise ValueError(f"{text[:40]!r} has a zone of its own beside `zone`; take one of them out")
        return shown.timestamp()
    if not name:
        raise ValueError(f"{text[:40]!r} has no zone; add for example `zone: Europe/Berlin`")
    return read(shown, name)

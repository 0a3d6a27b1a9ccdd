"""T-0 as calendars take it: iCalendar (RFC 5545) with the method of RFC 5546 that enters, moves or takes out.

One launch is one entry: its name stays, its sequence rises, so a calendar that got two messages keeps the newer.
"""

from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, vCalAddress, vText

from tminus.domain.message import Appointment

LASTS = timedelta(hours=1)
"""How long T-0 stands in a calendar."""


def method(appointment: Appointment) -> str:
    """What a calendar is to do with it."""
    return "CANCEL" if appointment.at is None else "REQUEST"


def invitation(appointment: Appointment, sender: str, guest: str) -> bytes:
    """The calendar file from a sender to one guest, both by their mail addresses."""
    calendar = Calendar()
    calendar.add("prodid", "-//tminus//launch control//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method(appointment))
    event = Event()
    event.add("uid", f"{appointment.uid}@{sender.rpartition('@')[2]}")
    event.add("sequence", appointment.sequence)
    event.add("dtstamp", _instant(appointment.told))
    if appointment.at is not None:
        event.add("dtstart", _instant(appointment.at))
        event.add("dtend", _instant(appointment.at) + LASTS)
    event.add("summary", appointment.title)
    event.add("status", "CANCELLED" if appointment.at is None else "CONFIRMED")
    event.add("organizer", vCalAddress(f"mailto:{sender}"))
    asked = vCalAddress(f"mailto:{guest}")
    asked.params["RSVP"] = vText("FALSE")
    event.add("attendee", asked)
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=0)

"""T-0 as calendars take it."""

from icalendar import Calendar

from tminus.domain.message import Appointment
from tminus.invitation import invitation, method

MOVED = Appointment("b" * 32, 3, 1_800_000_000.0, "T-0 of shop, in prod; " + "ü" * 80, 1_799_990_000.25)
GONE = Appointment("b" * 32, 4, None, "T-0 of shop", 1_799_990_000.0)


def read(data: bytes) -> tuple[Calendar, dict[str, object]]:
    calendar = Calendar.from_ical(data)
    (event,) = calendar.walk("VEVENT")
    return calendar, event


def test_a_date_is_an_invitation_of_one_hour_that_asks_for_no_answer() -> None:
    calendar, event = read(invitation(MOVED, "launches@shop.example", "lena@shop.example"))
    assert (calendar["METHOD"], event["STATUS"], event["SEQUENCE"]) == ("REQUEST", "CONFIRMED", 3)
    assert (event["UID"], event["SUMMARY"]) == (f"{'b' * 32}@shop.example", MOVED.title)
    assert str(event["ORGANIZER"]) == "mailto:launches@shop.example"
    assert str(event["ATTENDEE"]) == "mailto:lena@shop.example"


def test_a_date_that_is_given_up_is_taken_out_under_the_same_name() -> None:
    calendar, event = read(invitation(GONE, "launches@shop.example", "lena@shop.example"))
    assert (method(GONE), calendar["METHOD"], event["STATUS"]) == ("CANCEL", "CANCEL", "CANCELLED")
    assert (event["UID"], event["SEQUENCE"], "DTSTART" in event) == (f"{'b' * 32}@shop.example", 4, False)


def test_lines_are_folded_as_calendars_want_them() -> None:
    data = invitation(MOVED, "launches@shop.example", "lena@shop.example")
    assert all(len(line) <= 75 for line in data.split(b"\r\n"))
    assert b"DTSTART:20270115T080000Z" in data
    assert b"RSVP=FALSE" in data

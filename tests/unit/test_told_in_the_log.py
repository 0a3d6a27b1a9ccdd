"""How the log of a launch and its export say who was told, and who was not."""

from typing import Any

import pytest

from tminus.domain.record import OPENED, Entry, Event, append
from tminus.exporting.recorded import _told
from tminus.picture.events import entries

SENT = {
    "notice": "due",
    "roles": ["lead", "devops"],
    "checks": ["site.up"],
    "channel": "slack",
    "address": "env:ROOM",
}

AT = "2027-01-15T08:00:00.000Z"
FIRST = append(None, Entry(OPENED, "opened", {}, AT))


def event(type_: str, **data: Any) -> Event:
    return append(FIRST, Entry(type_, "a key", data, AT))


@pytest.mark.parametrize(
    ("told", "sign", "word", "text"),
    [
        (
            event("notice.raised", notice="late", to="lead", checks=["site.up", "bk.db"]),
            "warned",
            "late",
            "for lead: site.up, bk.db",
        ),
        (
            event("notice.told", **SENT, receipt="200 ok"),
            "",
            "told",
            "lead, devops by slack (due): 200 ok",
        ),
        (
            event("notice.told", notice="due", to="lead", checks=["site.up"]),
            "",
            "due",
            "for lead: site.up",
        ),
        (
            event("notice.undelivered", **SENT, why="answered 503", again="2027-01-15T08:00:10.000Z"),
            "warned",
            "not told",
            "lead, devops by slack (due): answered 503; again at 2027-01-15T08:00:10.000Z",
        ),
        (
            event("notice.undelivered", **SENT, why="answered 404", again=None),
            "warned",
            "not told",
            "lead, devops by slack (due): answered 404; given up",
        ),
        (
            event("notice.unaddressed", roles=[{"role": "qa", "person": "Quentin", "why": "no address"}]),
            "warned",
            "not told",
            "nobody can tell qa (no address)",
        ),
    ],
)
def test_the_log_says_who_was_told_and_who_was_not(told: Event, sign: str, word: str, text: str) -> None:
    (entry,) = entries([told])
    assert (entry.sign, entry.word, entry.text) == (sign, word, text)


def test_an_export_says_it_too_of_records_old_and_new() -> None:
    assert _told(event("notice.told", **SENT, receipt="200 ok")) == "lead, devops told by slack (due)"
    assert _told(event("notice.told", notice="due", to="lead", checks=[])) == "lead told by nobody yet (due)"
    assert _told(event("notice.raised", notice="due", to="lead", checks=[])) == "lead is to be told (due)"

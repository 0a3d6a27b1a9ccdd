"""Wall clocks of every zone, also where they are set forward or back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tminus.domain.zones import earliest, in_zone, latest, wall, zone

ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"}))
INSTANTS = st.floats(1.0e9, 2.2e9)
GAP = datetime(2026, 3, 29, 2, 30)  # noqa: DTZ001 - what a wall clock in Berlin never shows
FOLD = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001 - what it shows twice


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "Europe", "Europe/Berlin\0", "\ud800"])
def test_what_is_no_zone_is_refused_with_an_example(name: str) -> None:
    with pytest.raises(ValueError, match="is no time zone; write for example 'Europe/Berlin'"):
        zone(name)


@settings(deadline=None)
@given(ZONES, INSTANTS)
def test_an_instant_is_found_again_from_what_the_clocks_show(name: str, instant: float) -> None:
    shown = wall(instant, name).replace(tzinfo=None, fold=0)
    first, last = earliest(shown, name), latest(shown, name)

    assert min(abs(first - instant), abs(last - instant)) < 1e-3
    assert first <= last


def test_a_time_that_is_shown_twice_has_two_instants() -> None:
    assert latest(FOLD, "Europe/Berlin") - earliest(FOLD, "Europe/Berlin") == 3600


def test_a_time_that_is_skipped_lies_on_both_sides_of_its_gap() -> None:
    first, last = earliest(GAP, "Europe/Berlin"), latest(GAP, "Europe/Berlin")

    assert wall(first, "Europe/Berlin").hour == 1
    assert wall(last, "Europe/Berlin").hour == 3


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Europe/Berlin", "2026-01-31 14:00:00 CET (13:00:00 UTC)"),
        ("Pacific/Kiritimati", "2026-02-01 03:00:00 UTC+14:00 (2026-01-31 13:00:00 UTC)"),
        ("Asia/Kolkata", "2026-01-31 18:30:00 IST (13:00:00 UTC)"),
        ("UTC", "2026-01-31 13:00:00 UTC"),
        ("Europe/London", "2026-01-31 13:00:00 UTC"),
    ],
)
def test_people_read_an_instant_in_their_own_zone_beside_utc(name: str, shown: str) -> None:
    assert in_zone(datetime(2026, 1, 31, 13, tzinfo=UTC).timestamp(), name) == shown


@settings(deadline=None)
@given(ZONES, INSTANTS)
def test_what_people_read_beside_it_is_utc(name: str, instant: float) -> None:
    there = datetime.fromtimestamp(instant, UTC)

    assert f"{there:%H:%M:%S} UTC" in in_zone(instant, name)
    assert f"{there + wall(instant, name).utcoffset():%Y-%m-%d %H:%M:%S}" in in_zone(  # type: ignore[operator] # a wall always has an offset
        instant, name
    )
    assert timedelta(hours=-26) < (wall(instant, name).utcoffset() or timedelta()) < timedelta(hours=26)

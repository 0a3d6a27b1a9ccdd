"""Freeze windows: once and every week, in every zone, whatever is done to its clocks."""

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tminus.domain.freezes import WEEK, Freeze, Override, Span, Weekly, Window, frozen, permit, thawed
from tminus.domain.zones import wall
from tminus.errors import RefusedError

DAY, HOUR, MINUTE = 86400, 3600, 60
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime"}))
INSTANTS = st.integers(1_000_000_000, 2_200_000_000)
OF_THE_WEEK = st.integers(0, 7 * 24 * 60 - 1).map(lambda minutes: float(minutes * MINUTE))
WEEKEND = Freeze("Weekend", Weekly(4 * DAY + 16 * HOUR, 6.0 * HOUR, "Europe/Berlin"))


def at(text: str, name: str = "Europe/Berlin") -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(name)).timestamp()


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("2026-11-27 15:59:59", False),
        ("2026-11-27 16:00:00", True),
        ("2026-11-29 12:00:00", True),
        ("2026-11-30 05:59:59", True),
        ("2026-11-30 06:00:00", False),
        ("2026-03-27 16:00:00", True),
        ("2026-03-30 05:59:59", True),
        ("2026-03-30 06:00:00", False),
        ("2026-10-26 05:59:59", True),
        ("2026-10-26 06:00:00", False),
    ],
)
def test_a_weekend_is_frozen_by_the_clocks_of_its_zone(text: str, *, holds: bool) -> None:
    assert (frozen([WEEKEND], at(text)) is not None) is holds


def test_a_weekend_in_which_the_clocks_are_set_is_an_hour_shorter_or_longer() -> None:
    lengths = []
    for text in ("2026-03-28 12:00", "2026-10-24 12:00", "2026-11-28 12:00"):
        window = frozen([WEEKEND], at(text))
        assert window is not None
        lengths.append((window.ends - window.begins) / HOUR)

    assert lengths == [61, 63, 62]


def test_an_edge_that_the_clocks_skip_or_show_twice_makes_the_freeze_longer() -> None:
    night = Freeze("Night", Weekly(6 * DAY + 2.5 * HOUR, 6 * DAY + 3.5 * HOUR, "Europe/Berlin"))
    spring, autumn = (frozen([night], at(text)) for text in ("2026-03-29 03:10", "2026-10-25 03:10"))

    assert spring is not None
    assert (spring.begins, spring.ends) == (at("2026-03-29 01:30"), at("2026-03-29 03:30"))
    assert autumn is not None
    assert (autumn.begins, autumn.ends) == (at("2026-10-25 02:30"), at("2026-10-25 03:30"))


@settings(deadline=None)
@given(ZONES, INSTANTS, OF_THE_WEEK, OF_THE_WEEK)
def test_what_the_clocks_show_says_whether_a_week_is_frozen(
    name: str, instant: int, begins: float, ends: float
) -> None:
    freeze = Freeze("ours", Weekly(begins, ends, name))
    shown = wall(instant, name)
    of_the_week = float(((shown.weekday() * 24 + shown.hour) * 60 + shown.minute) * 60 + shown.second)
    within = (of_the_week - begins) % WEEK < (ends - begins) % WEEK
    steady = all(wall(instant + days * DAY, name).utcoffset() == shown.utcoffset() for days in range(-8, 9))
    if steady:
        assert (frozen([freeze], instant) is not None) is within
    elif within and shown.fold == 0:
        assert frozen([freeze], instant) is not None


@settings(deadline=None)
@given(ZONES, INSTANTS, OF_THE_WEEK, OF_THE_WEEK)
def test_a_freeze_holds_from_its_beginning_until_its_end(
    name: str, instant: int, begins: float, ends: float
) -> None:
    freeze = Freeze("ours", Weekly(begins, ends, name))
    window = frozen([freeze], instant)
    if window is None:
        assert thawed([freeze], instant) == instant
        return
    assert window.begins <= instant < window.ends
    assert frozen([freeze], window.begins) is not None
    free = thawed([freeze], instant)
    assert free is not None
    assert free >= window.ends
    assert frozen([freeze], free) is None


def test_a_span_is_frozen_once() -> None:
    span = Freeze("Year end", Span(1000.0, 2000.0))

    assert [frozen([span], t) is not None for t in (999.9, 1000.0, 1999.9, 2000.0)] == [
        False,
        True,
        True,
        False,
    ]


def test_of_freezes_that_overlap_the_one_that_ends_last_is_told() -> None:
    one, other = Freeze("one", Span(0.0, 100.0)), Freeze("other", Span(50.0, 200.0))

    window = frozen([one, other], 60.0)
    assert window == Window("other", 50.0, 200.0)
    assert thawed([one, other], 10.0) == 200.0


def test_where_every_moment_is_frozen_nothing_thaws() -> None:
    halves = [
        Freeze("first", Weekly(0.0, 3.0 * DAY, "UTC")),
        Freeze("second", Weekly(3.0 * DAY, 0.0, "UTC")),
    ]

    assert thawed(halves, 1_800_000_000.0) is None


def test_a_window_is_told_in_the_reader_s_zone() -> None:
    window = frozen([WEEKEND], at("2026-11-28 12:00"))

    assert window is not None
    assert window.told("Europe/Berlin") == (
        "Weekend: 2026-11-27 16:00:00 CET (15:00:00 UTC) to 2026-11-30 06:00:00 CET (05:00:00 UTC)"
    )


def test_a_freeze_that_nobody_overrides_is_told_with_its_window() -> None:
    with pytest.raises(RefusedError, match="Weekend: 1970-01-01 00:00:00 UTC to 1970-01-01 00:16:40 UTC"):
        permit(Window("Weekend", 0.0, 1000.0), None, "Lena Ortiz")
    permit(None, None, "Lena Ortiz")
    permit(Window("Weekend", 0.0, 1000.0), Override("Cleo Chief", "a fix"), "Lena Ortiz")

"""The list of launches: where each stands, how late it is, who runs it; and what cannot be read is said."""

from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING

from tminus.domain.course import course_of
from tminus.domain.health import Heart, OpenLaunch
from tminus.picture.common import Seen
from tminus.picture.roster import Roster, rows_of
from tminus.picture.row import Row
from tminus.picture.tending import Post, Tending
from tminus.store.chain import LaunchRow
from tminus.web import render

if TYPE_CHECKING:
    from tests.unit.web.web_launch import LAUNCH, T0, Played
else:
    from web_launch import LAUNCH, T0, Played

OPENED = "2027-01-15T07:50:00.000Z"
HEART = Heart("host-1-abcd", 0.4)


def _played(dues: tuple[float, ...] = (-300.0,)) -> OpenLaunch:
    return OpenLaunch(LAUNCH, course_of(Played().open().events), dues, "PENDING", HEART.executor)


def _seen(launch: OpenLaunch, *hearts: Heart, at: float = -600.0) -> Seen:
    row = LaunchRow(LAUNCH, "0" * 64, "open", OPENED, environment="staging")
    return Seen(T0 + at, (row,), {LAUNCH: launch}, hearts, 0, 0)


def _row(launch: OpenLaunch, *hearts: Heart, at: float = -600.0) -> Row:
    (row,) = rows_of(_seen(launch, *hearts, at=at))
    return row


def test_a_launch_that_somebody_runs_in_time_has_its_phase_its_date_and_no_trouble() -> None:
    row = _row(_played(), HEART)
    assert (row.environment, row.phase, row.sign, row.t0) == ("staging", "Counting", "pending", T0)
    assert row.runs
    assert (row.late, row.trouble) == ("", "")


def test_a_milestone_that_is_past_its_time_is_named_with_how_late_it_is() -> None:
    row = _row(_played(), HEART, at=-180.0)
    assert (row.late, row.sign) == ("T-00:05:00 is late by 2 min", "warned")


def test_seconds_that_any_milestone_takes_are_not_called_late() -> None:
    assert _row(_played(), HEART, at=-290.0).late == ""


def test_a_launch_that_nobody_runs_says_so_and_is_no_calm_row() -> None:
    silent = replace(HEART, age=60.0)
    for hearts in ((), (silent,), (replace(HEART, buried=True),)):
        row = _row(_played(), *hearts)
        assert (row.trouble, row.sign) == ("nobody runs it", "failed")


def test_a_launch_whose_worker_is_silent_is_about_to_be_taken_by_another() -> None:
    row = _row(_played(), replace(HEART, age=5.0), Heart("host-2-ef01", 0.2))
    assert row.trouble == "who ran it is silent; another worker takes it over"


def test_a_launch_that_stopped_by_an_error_says_that_nobody_goes_on() -> None:
    row = _row(replace(_played(), state="ERROR"), HEART)
    assert row.trouble.startswith("stopped by an error of its own (error)")


def test_a_record_that_cannot_be_followed_is_not_known_and_stays_in_the_list() -> None:
    row = _row(replace(_played(), course=None), HEART)
    assert (row.phase, row.sign, row.trouble) == ("not known", "unknown", "its record cannot be followed")


def test_a_held_clock_stands_where_it_was_stopped_and_says_by_whom() -> None:
    launch = Played().open()
    launch.t = -400.0
    hold = {"by": "Lena Ortiz", "reason": "the fire alarm", "since": launch.events[0].at}
    launch.add("clock.held", hold)
    row = _row(replace(_played(), course=course_of(launch.events)), HEART, at=-180.0)
    assert (row.phase, row.more, row.clock) == ("Held", "by Lena Ortiz: the fire alarm", -600.0)
    assert not row.runs
    assert row.late == "", "a clock that stands makes nothing late"


def test_a_launch_that_has_ended_says_how_and_when() -> None:
    gone = LaunchRow("shop-1", "0" * 64, "scrubbed", OPENED, OPENED, "staging")
    (row,) = rows_of(Seen(T0, (gone,), {}, (), 0, 0))
    assert (row.phase, row.ended, row.trouble) == ("Scrubbed", T0 - 600, "")


def _html(roster: Roster, tending: Tending | None = None) -> str:
    return "".join(render.list_parts(roster, tending).values())


def _words(roster: Roster, tending: Tending | None = None) -> str:
    """The same as people read it, code between backticks."""
    return unescape(_html(roster, tending).replace("<code>", "`").replace("</code>", "`"))


def test_the_clock_of_a_row_is_written_for_those_without_script_and_is_no_part_of_its_mark() -> None:
    roster = Roster((_row(_played(), HEART),))
    parts = render.list_parts(roster, None)
    whole = render.listed(roster, None, T0 - 3661)
    assert f'data-t0="{T0}">T−01:01:01</b>' in whole  # noqa: RUF001 - a true minus
    assert parts["open"].count("--:--:--") == 1
    assert parts == render.list_parts(roster, None), "what has not changed is not sent again"


def test_a_database_that_cannot_be_read_is_said_and_is_no_empty_list() -> None:
    roster = Roster(where="postgresql://db/x", trouble="the store does not answer", hint="see `pg_ctl`")
    text = _html(roster)
    assert "the store does not answer" in text
    assert "<code>pg_ctl</code>" in text
    assert "Its launches are not in this list" in text
    assert "cannot be said" in text
    assert "No launch" not in text
    assert "0 launches" not in text
    assert text.count("demos of this machine alone") == 2


def test_a_database_that_nobody_has_made_is_no_trouble() -> None:
    text = _html(Roster(where="sqlite:///tminus.db", unmade=True))
    assert "not made yet" in text
    assert "No launch is under way" in text
    assert "v-failed" not in text


def test_a_database_without_a_living_worker_says_that_nobody_runs_launches() -> None:
    row = _row(_played())
    assert Roster((row,)).workers == ("failed", "no worker lives: nobody runs launches")
    assert Roster((), hearts=(HEART,)).workers == ("passed", "1 worker alive: host-1-abcd")
    silent = Roster((), hearts=(HEART, Heart("host-2-ef01", 9.0)))
    assert silent.workers == ("warned", "1 worker alive: host-1-abcd; silent: host-2-ef01")


def test_what_is_not_shown_is_counted() -> None:
    text = _html(Roster(where="x", unshown="900 open ones"))
    assert "Not shown: 900 open ones" in text


def test_names_from_outside_are_text_and_never_markup() -> None:
    row = replace(_row(_played(), HEART), more="<img src=x>", environment="<b>")
    text = _html(Roster((row,)))
    assert "<img" not in text
    assert "&lt;img src=x&gt;" in text


def test_the_worker_of_the_page_is_shown_as_it_stands() -> None:
    runs = Tending(Post.RUNS, T0, 4711)
    assert runs.text == "Process 4711 since 08:00:00 UTC"
    again = replace(runs, ends=2, last="was killed (SIGKILL)")
    assert again.text.endswith("; 2 earlier ones ended, the last was killed (SIGKILL)")
    assert again.sign == "passed"
    shaky = replace(again, falls=2)
    assert shaky.text.endswith("(2 ends one soon after the other)")
    assert shaky.sign == "warned"
    down = Tending(Post.DOWN, T0, 0, 3, "ended with 4: the store does not answer", 3, T0 + 2)
    assert down.text == (
        "At 08:00:00 UTC it ended with 4: the store does not answer; the next starts in 2.0 s"
        " (3 ends one soon after the other)"
    )
    assert (down.sign, down.word) == ("failed", "down")
    assert (Tending(Post.DOWN).sign, Tending(Post.DOWN).text) == ("pending", "It is about to start")
    for post, sign in ((Post.ELSEWHERE, "passed"), (Post.LEFT_OUT, "na")):
        assert Tending(post).sign == sign
        assert Tending(post).text in _words(Roster(), Tending(post))

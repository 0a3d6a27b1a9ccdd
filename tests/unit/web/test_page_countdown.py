"""The countdown view: counts, order, what keeps GO closed."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.web.web_launch import T0, Played
else:
    from web_launch import T0, Played

from tminus.domain.canonical import timestamp
from tminus.domain.plan import Kind
from tminus.errors import RecordError
from tminus.picture.course import View
from tminus.picture.lines import COLUMNS, rank
from tminus.picture.view import Told, picture
from tminus.web.render import parts


def test_a_launch_that_has_just_opened_counts_every_line_as_pending_or_later() -> None:
    launch = Played().open()
    shown = launch.picture()
    assert shown.view is View.COUNTDOWN
    assert shown.counts["pending"] == len(launch.plan.before_go()) + 5
    assert sum(shown.counts.values()) == len(launch.plan.checks) == len(shown.lines)
    assert sum(shown.left_out.values()) == launch.plan.left_out


def test_what_is_doubted_stands_above_the_clock_as_words() -> None:
    shown = Played().open().picture()
    assert 'role="alert"' not in parts(shown)["hero"]
    doubts = ("nobody runs this demo: `tminus demo` goes on", "line 9: <b>a stranger</b> signed this")
    hero = parts(replace(shown, doubts=doubts))["hero"]
    assert (
        hero.index("<code>tminus demo</code>") < hero.index("&lt;b&gt;a stranger") < hero.index('id="clock"')
    )
    assert hero.count('role="alert"') == 2


def test_the_lines_before_go_are_those_that_go_judges_and_the_five_signatures() -> None:
    launch = Played().open().ready()
    ready = launch.picture().parts["ready"]
    assert ready.total == len(launch.plan.before_go()) + 5
    assert ready.green == len(launch.plan.before_go())
    assert ready.spoken.startswith(f"Of {ready.total} lines due before GO: 5 pending")


def test_a_warned_line_opens_the_gate_and_is_not_counted_as_green() -> None:
    launch = Played().open().ready(rb__criteria="warned")
    shown = launch.picture()
    assert shown.parts["ready"].green == len(launch.plan.before_go()) - 1
    assert [r.text for r in shown.parts["verdict"].reasons] == ["signatures missing: not given yet"]


def test_failing_sections_come_first_and_equal_ones_in_the_order_of_the_checklist() -> None:
    launch = Played().open().ready(bk__db="failed", t24__freeze="error", rb__images="warned")
    shown = launch.picture()
    names = [section.name for section in shown.sections]
    assert names[0] == launch.plan.check("bk.db").section
    ranks = [rank(section.lines[0].stands) for section in shown.sections]
    assert ranks == sorted(ranks)
    checklist = list(dict.fromkeys(check.section for check in launch.plan.checks))
    for column in COLUMNS:
        tier = [s.name for s in shown.sections if s.lines[0].stands == column]
        assert tier == [name for name in checklist if name in tier]


def test_a_row_does_not_move_when_a_verdict_that_is_not_its_worst_changes() -> None:
    launch = Played().open().ready(bk__db="failed")
    before = [section.name for section in launch.picture().sections]
    launch.observe("bk.restore", "warned")
    assert [section.name for section in launch.picture().sections] == before


def test_what_needs_someone_is_listed_worst_first_and_passed_lines_are_not() -> None:
    launch = Played().open().ready(cfg__env="inconclusive", bk__db="failed")
    needs = launch.picture().needs
    assert [line.stands for line in needs] == ["failed", "unknown", *["pending"] * 5]
    assert [line.check.id for line in needs[:2]] == ["bk.db", "cfg.env"]


def test_a_line_says_how_many_roll_ups_wait_for_it() -> None:
    launch = Played().open().ready(test__smoke="failed")
    line = next(line for line in launch.picture().needs if line.check.id == "test.smoke")
    assert line.waiting == 1


def test_a_live_claim_grows_stale_and_then_blocks() -> None:
    launch = Played().open().ready()
    assert launch.picture(60).counts["stale"] == 0
    before = launch.plan.before_go()
    short = [check.id for check in before if check.fresh.kind == "live" and check.fresh.seconds <= 900]
    assert len(short) > 2
    assert launch.picture(901).counts["stale"] == len(short), "lines that count for 15 minutes at most"
    assert launch.picture(901).parts["verdict"].lead == "GO would be refused now."


def test_what_go_was_decided_on_does_not_grow_stale_afterwards() -> None:
    launch = Played()
    launch.go()
    assert launch.picture(40_000).counts["stale"] == 0


def test_a_word_of_a_simulated_person_is_attested_and_said_to_be_simulated() -> None:
    launch = Played().open().ready()
    lines = [line for line in launch.picture().lines if line.check.kind is Kind.PERSON]
    assert lines
    assert all(line.stands == "attested" and line.simulated for line in lines)


def test_the_poll_shows_go_no_go_and_who_has_not_answered() -> None:
    launch = Played().open().ready()
    assert {vote.word for vote in launch.picture().parts["votes"]} == {"NOT POLLED"}
    launch.poll()
    launch.sign("devops")
    launch.sign("qa", "no-go")
    votes = {vote.title: vote.word for vote in launch.picture().parts["votes"]}
    assert votes["DevOps Lead"] == "GO"
    assert votes["QA Lead"] == "NO-GO"
    assert votes["CTO"] == "NO ANSWER"
    reasons = launch.picture().parts["verdict"].reasons
    assert (reasons[0].number, reasons[0].text) == ("4 of 5", "signatures missing: 1 no-go, 3 open")


def test_nothing_observed_is_never_said_to_be_ready() -> None:
    launch = Played().open()
    assert launch.picture().parts["verdict"].lead == "GO would be refused now."


def test_without_its_plan_a_launch_shows_what_the_record_alone_says() -> None:
    launch = Played().open().ready(cfg__env="failed")
    shown = launch.picture(planned=False)
    assert not shown.planned
    assert shown.counts["failed"] == 1
    assert {section.name for section in shown.sections} == {"Lines of the record"}
    assert shown.needs[0].check.text == "Environment variables verified"
    assert shown.parts["milestones"] == ()


def test_the_clock_goes_on_from_the_newest_event_and_stops_at_the_end() -> None:
    launch = Played().open()
    assert launch.picture(10).moment.t == pytest.approx(-590)
    ended = Played().fall()
    assert ended.picture(500).moment.t == pytest.approx(ended.t)
    assert not ended.picture(500).moment.runs


def test_a_no_go_stays_in_the_countdown_view_with_its_reason() -> None:
    launch = Played().open().ready(bk__db="failed").poll()
    launch.add(
        "decision.made",
        {"decision": "no-go", "by": "Lena Ortiz", "reason": "bk.db is failed", "role": "lead"},
    )
    launch.add("launch.ended", {"outcome": "no-go"})
    shown = launch.picture()
    assert (shown.view, shown.parts["verdict"].word) == (View.COUNTDOWN, "NO-GO")
    assert shown.moment.steps[-1] == ("no go", "at")
    assert shown.needs == ()


def test_a_date_that_nobody_decided_on_says_so_and_stands_still_until_there_is_another() -> None:
    launch = Played().open().ready().poll()
    launch.t = 6.0
    launch.add("decision.proposed", {"decision": "no-go", "reasons": ["QA Lead said nothing", "no target"]})
    shown = launch.picture(after=3600.0)
    assert (shown.view, shown.moment.phase) == (View.COUNTDOWN, "No GO")
    assert shown.moment.more == "no GO holds; the launch waits for a new date"
    assert (shown.moment.t, shown.moment.runs) == (6.0, False)
    verdict = shown.parts["verdict"]
    assert (verdict.word, verdict.note) == ("No GO", "signed by nobody")
    assert "QA Lead said nothing; no target" in verdict.lead
    assert shown.parts["forecast"] == ""
    assert shown.log[0].text == "signed by nobody: QA Lead said nothing; no target"
    launch.t = -60.0
    launch.add(
        "launch.rescheduled", {"schedule": {"t0": timestamp(T0 + 60)}, "by": "Lena", "reason": "later"}
    )
    again = launch.picture(after=1.0)
    assert again.moment.runs
    assert again.parts["verdict"].word == "No decision yet"


def test_a_closed_gate_names_its_late_lines() -> None:
    launch = Played().open()
    data = {"milestone": "T-24:00:00", "judged": 9, "open": False}
    launch.add("gate.judged", data | {"late": [{"check": "cfg.env", "standing": "failed", "why": "x"}]})
    first = launch.picture().parts["milestones"][0]
    assert (first.state, first.late) == ("stayed closed", "late: cfg.env")


def test_a_launch_that_has_not_opened_has_no_picture() -> None:
    launch = Played()
    with pytest.raises(RecordError, match="not opened"):
        picture(Told([], unbroken=True, plan=launch.plan, traffic=launch.traffic()), T0)


def test_a_held_clock_stands_and_says_who_stopped_it() -> None:
    launch = Played().open()
    launch.t = -500.0
    launch.add("clock.held", {"since": "x", "by": "Lena Ortiz", "reason": "the fire alarm rings"})
    shown = launch.picture(after=60.0)
    assert (shown.moment.t, shown.moment.runs) == (-500.0, False)
    assert (shown.moment.phase, shown.moment.more) == ("Held", "by Lena Ortiz: the fire alarm rings")
    launch.t = -440.0
    launch.add("clock.resumed", {"t0": timestamp(T0 + 60), "by": "Lena Ortiz", "reason": "a false alarm"})
    again = launch.picture(after=60.0)
    assert again.moment.runs
    assert again.moment.t0 == T0 + 60


def test_a_new_date_voids_the_poll_and_its_decision() -> None:
    launch = Played().open().ready().poll()
    for role in (role for role in launch.plan.roles if role.signs):
        launch.sign(role.id)
    launch.add(
        "launch.rescheduled",
        {"schedule": {"t0": timestamp(T0 + 86400)}, "by": "Lena Ortiz", "reason": "the team sleeps"},
    )
    shown = launch.picture()
    assert shown.moment.phase == "Counting"
    assert shown.moment.more == ""
    assert {vote["word"] for vote in shown.course.votes} == {""}
    assert shown.moment.t0 == T0 + 86400
    assert any("the team sleeps" in entry.text for entry in shown.log)


def real(launch: Played) -> Played:
    """The same launch with real people."""
    roles = tuple(replace(role, simulated=False) for role in launch.plan.roles)
    launch.plan = replace(launch.plan, roles=roles)
    return launch


def test_a_warned_blocker_needs_its_acknowledgement_and_go_would_be_refused() -> None:
    launch = real(Played()).open().ready(bk__db="warned")
    (line,) = [line for line in launch.picture().needs if line.stands == "warned"]
    assert line.check.id == "bk.db"
    assert line.awaited is not None
    assert "Lena Ortiz as lead" in line.awaited.who
    assert "Dario Voss" not in line.awaited.who, "whose line it is"
    reasons = [(r.number, r.text) for r in launch.picture().parts["verdict"].reasons]
    assert ("1", "blocker is warned and not acknowledged") in reasons
    assert launch.picture().parts["forecast"] == "forecast: no GO until 1 warning is acknowledged"
    seen = next(e.data["fingerprint"] for e in launch.events if e.data.get("check") == "bk.db")
    launch.add(
        "warning.acknowledged", {"check": "bk.db", "fingerprint": seen, "by": "Lena", "because": "whole"}
    )
    assert "bk.db" not in [one.check.id for one in launch.picture().needs]
    launch.observe("bk.db", "warned", fingerprint="0" * 64)
    assert "bk.db" in [one.check.id for one in launch.picture().needs], "another warning is another matter"


def test_after_a_delegation_the_lines_and_the_poll_name_who_holds_the_role_now() -> None:
    launch = real(Played())
    launch.open().add(
        "role.delegated", {"role": "devops", "by": "Dario Voss", "to": "Ines Sol", "because": "ill"}
    )
    shown = launch.ready(bk__db="failed").poll().picture()
    (line,) = [line for line in shown.needs if line.stands == "failed"]
    assert (line.check.owner, line.check.person) == ("devops", "Ines Sol")
    votes = {vote["role"]: vote["person"] for vote in shown.course.votes}
    assert (votes["devops"], votes["qa"]) == ("Ines Sol", "Quentin Mbeki")


def test_simulated_people_acknowledge_by_themselves_and_need_nobody() -> None:
    launch = Played().open().ready(bk__db="warned")
    assert "bk.db" not in [line.check.id for line in launch.picture().needs]


def test_a_go_that_has_expired_is_no_decision_any_more() -> None:
    launch = Played().open().ready().poll()
    launch.add("decision.made", {"decision": "go", "by": "Lena Ortiz", "reason": "all is well"})
    assert launch.picture().view is View.LIFTOFF
    launch.add("decision.proposed", {"decision": "no-go", "reasons": ["the GO of 7:50 has expired"]})
    shown = launch.picture()
    assert (shown.view, shown.moment.phase) == (View.COUNTDOWN, "No GO")
    assert "the GO of 7:50 has expired" in shown.parts["verdict"].lead

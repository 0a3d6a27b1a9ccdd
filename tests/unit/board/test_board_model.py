"""What the board says: who is waited for, how each section stands, how near the guard is to its line."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.board.board_world import BLUE, GREEN, Played, made
else:
    from board_world import BLUE, GREEN, Played, made

from tminus.domain.plan import Kind
from tminus.errors import RecordError


def test_a_launch_that_has_not_opened_has_no_board() -> None:
    with pytest.raises(RecordError):
        made(Played())


def test_every_line_of_the_checklist_is_counted_once() -> None:
    launch = Played().open().ready(rb__images="failed", bk__db="error")
    rows = made(launch).rows
    assert sum(sum(row.counts.values()) for row in rows) == launch.plan.total
    assert [(row.name, row.sign) for row in rows[:2]] == [
        ("Rollback Plan", "failed"),
        ("Backup Verification", "unknown"),
    ]
    assert sum(row.counts["left out"] for row in rows) == launch.plan.left_out


def test_lines_that_are_left_out_stand_in_the_section_of_their_neighbours() -> None:
    rows = {row.name: row for row in made(Played().open()).rows}
    assert rows["Backup Verification"].counts["left out"] == 2, "bk.vault and bk.config"
    assert rows["Left out whole"].counts["left out"] > 0


def test_what_blocks_is_named_with_its_reason_its_owner_and_what_to_do() -> None:
    failed = made(Played().open().ready(rb__images="failed")).needs[0]
    assert (failed.sign, failed.what) == ("failed", "rb.images Previous version images available")
    assert failed.why == "search_v2 is on, expected empty"
    assert failed.who.endswith("(simulated)")
    assert failed.do


def test_a_line_that_is_not_due_yet_needs_nobody_and_one_that_is_late_does() -> None:
    launch = Played(t=-90_000.0).open()
    assert made(launch).needs == ()
    launch.t = -86_400.0
    launch.add("milestone.reached", {"milestone": "T-24:00:00", "lines": 9})
    (late,) = made(launch, 12).needs
    due = sum(check.kind is not Kind.ROLLUP for check in launch.plan.due(-86_400.0))
    assert (late.sign, late.what, late.by_itself) == ("wait", f"{due} lines being looked at for 12 s", True)
    assert late.why.startswith("cfg.env, test.smoke, ")


def test_a_line_that_waits_for_a_real_person_needs_that_person() -> None:
    launch = Played(t=-86_400.0)
    asked = next(check for check in launch.plan.before_go() if check.kind is Kind.PERSON)
    real = tuple(
        replace(check, simulated=False) if check.id == asked.id else check for check in launch.plan.checks
    )
    launch.plan = replace(launch.plan, checks=real)
    launch.open()
    launch.t = asked.due
    needs = [(need.what, need.why) for need in made(launch).needs if not need.by_itself]
    assert needs == [("1 line waits for a person's word", asked.id)]


def test_whoever_decides_sees_what_is_launched_what_is_not_green_and_what_is_left_out() -> None:
    launch = Played(t=-60.0).open().ready(rb__images="failed", bk__db="warned").poll()
    assert made(launch).head.at_stake == ()
    launch.t = 0.0
    launch.add("decision.asked", {"minutes": 30})
    board = made(launch, 3)
    judged = [check for check in launch.plan.before_go() if check.kind is not Kind.SIGNATURE]
    release, lines = board.head.at_stake
    assert release == f"depot {BLUE[:8]} -> {GREEN[:8]}"
    assert lines == (
        f"{len(judged) - 2} of {len(judged)} passed · {launch.plan.left_out} of {launch.plan.total} left out · "
        "failed: rb.images · warned: bk.db"
    )
    assert (board.head.phase, board.head.more) == ("Waiting for GO", "3 s past T−0")  # noqa: RUF001 - a true minus
    launch.add("decision.made", {"decision": "go", "by": "Lena", "reason": "fine", "simulated": False})
    assert made(launch).head.at_stake == ()


def test_the_poll_waits_for_the_roles_that_gave_no_word() -> None:
    launch = Played().open().ready().poll()
    launch.sign(next(role.id for role in launch.plan.roles if role.signs))
    board = made(launch)
    assert [(need.sign, need.what) for need in board.needs] == [("wait", "4 signatures to come")]
    assert {chip.word: len(chip.roles) for chip in board.chips} == {"NO ANSWER": 4, "GO": 1}
    assert board.people == "all simulated people"


def test_the_decision_that_is_asked_for_comes_first_and_goes_when_it_is_made() -> None:
    launch = Played().open().ready(rb__images="failed").poll()
    launch.add("decision.asked", {"minutes": 30})
    assert made(launch).needs[0].what == "GO or NO-GO?"
    launch.add("decision.made", {"decision": "no-go", "by": "Lena", "reason": "rain", "simulated": False})
    assert "GO or NO-GO?" not in [need.what for need in made(launch).needs]


def test_where_nobody_decided_a_date_is_needed_and_no_signature_any_more() -> None:
    launch = Played().open().ready().poll()
    launch.add("decision.proposed", {"decision": "no-go", "reasons": ["QA Lead said nothing"]})
    (need,) = made(launch).needs
    assert (need.what, need.why) == ("a new date, or the end of it", "no GO holds")
    assert "tminus reschedule" in need.do
    assert "tminus scrub" in need.do


@pytest.mark.parametrize(
    ("rule", "typed"),
    [
        ("hold.errors", "tminus resume"),
        ("hold.blind", "ends by itself"),
        ("trigger.vulnerability", "tminus resume"),
    ],
)
def test_a_hold_says_what_ends_it(rule: str, typed: str) -> None:
    launch = Played().lift_off()
    launch.add("launch.held", {"where": "watch 10 % #1", "rule": rule, "text": f"Hold by {rule}: bad."})
    board = made(launch)
    assert (board.head.sign, board.head.word, board.head.lead) == ("hold", "Held", "bad.")
    assert board.needs[0].what == f"held at watch 10 % #1 by {rule}"
    assert typed in board.needs[0].do


def test_a_part_that_died_is_named_until_it_runs_again() -> None:
    launch = Played().lift_off()
    launch.add("part.ended", {"part": "haproxy", "text": "it does not run any more"})
    away = made(launch).needs[0]
    assert (away.what, away.why, away.do) == ("part haproxy is away", "it is being started again", "")
    launch.add("part.left", {"part": "haproxy", "text": "it ended 3 times in 60 s"})
    assert made(launch).needs[0].do.startswith("start it by hand")
    launch.add("part.restarted", {"part": "haproxy", "text": "it was started again and answers"})
    board = made(launch)
    assert board.needs == ()
    assert [entry.word for entry in board.log[-3:]] == ["died", "left", "restarted"]


def test_each_test_of_the_guard_stands_beside_the_line_where_it_acts() -> None:
    meters = made(Played().lift_off()).meters
    assert [meter.limit for meter in meters] == [
        "rolls back at 5,000",
        "rolls back at 2,000",
        "rolls back at 6,667",
        "rolls back at 6,667",
        "holds at 1,000",
    ]
    assert all(meter.filled < meter.mark and meter.sign == "passed" for meter in meters)


def test_evidence_that_crossed_its_line_has_failed() -> None:
    launch = Played().lift_off()
    launch.serve(12, weight=10, green_fails=2)
    a1 = made(launch).meters[0]
    assert a1.sign == "failed"
    assert a1.filled >= a1.mark


def test_the_five_triggers_have_their_timers() -> None:
    timers = made(Played().lift_off()).timers
    assert [timer.filled is None for timer in timers] == [False, False, True, True, False]
    assert [timer.held for timer in timers] == ["20 of 50 yet"] * 2 + ["not observed"] * 3


def test_the_traffic_has_the_weight_that_was_set_beside_the_share_that_was_seen() -> None:
    split = made(Played().lift_off(), 1).split
    assert split is not None
    assert split.green == 10
    assert split.words.startswith("set and read back 10 %, seen in requests ")
    assert [step.state for step in split.ladder] == ["at", "next", "todo"]


def test_the_next_milestone_is_counted_down_to() -> None:
    launch = Played(t=-7200.5).open()
    due = len(launch.plan.due(-7200.0))
    assert made(launch).head.next == f"next T−2 h in 0:00, {due} lines due"  # noqa: RUF001 - a true minus
    assert made(Played().fall()).head.next == ""


def test_without_its_plan_a_launch_has_the_words_of_its_record_alone() -> None:
    board = made(Played().lift_off(), planned=False)
    assert board.head.next == ""
    assert board.rows[0].name == "Lines of the record"


def test_after_the_end_nobody_is_waited_for() -> None:
    board = made(Played().fall(), 5)
    assert (board.needs, board.outcome, board.head.word) == ((), "rolled-back", "Rolled back")
    assert board.back is not None


def test_a_warned_blocker_names_who_could_acknowledge_it_and_the_command() -> None:
    launch = Played()
    launch.plan = replace(
        launch.plan, roles=tuple(replace(role, simulated=False) for role in launch.plan.roles)
    )
    (need, *_) = made(launch.open().ready(bk__db="warned")).needs
    assert (need.sign, need.what.split()[0]) == ("warned", "bk.db")
    assert need.why.startswith("GO waits until somebody acknowledges: search_v2 is on")
    assert need.do == 'tminus acknowledge depot-2 bk.db --role … --reason "…"'
    assert "Lena Ortiz as lead" in need.who

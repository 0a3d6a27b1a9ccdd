"""The lift-off and rolled-back views: weights, timers, evidence, and what it cost."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.web.web_launch import T0, Played
else:
    from web_launch import T0, Played

from tminus.domain.canonical import timestamp
from tminus.domain.record import Entry, append
from tminus.domain.traffic import Side
from tminus.picture.charts import Scale, Span, boxes, path, staircase
from tminus.picture.course import View, phase
from tminus.picture.words import UNKNOWN, length, offset, share, span, t_text
from tminus.web.evidence import drawer, fresh_words


def test_go_opens_the_lift_off_view_with_no_weight_and_no_evidence() -> None:
    shown = Played().go().picture()
    assert shown.view is View.LIFTOFF
    assert shown.parts["shift"].weight is None
    assert shown.parts["gauge"].now == "no request yet"
    assert shown.parts["now"].lead.endswith("The guard has not judged traffic yet.")


def test_the_weight_is_the_one_that_was_read_back_beside_the_one_seen_in_requests() -> None:
    shown = Played().lift_off().picture(1)
    shift = shown.parts["shift"]
    assert shift.weight == 10
    assert shift.sub.startswith("set and read back 10 %, seen in requests ")
    assert [step.state for step in shift.ladder] == ["at", "next", "todo"]
    assert shift.ladder[0].words == "holding 0:06 of 0:20", "5 s were recorded, one has passed since"


def test_a_hold_stops_the_timer_and_says_why() -> None:
    launch = Played().lift_off()
    launch.add(
        "launch.held", {"where": "watch 10 % #1", "rule": "hold.errors", "text": "Hold by hold.errors: bad."}
    )
    shown = launch.picture(9)
    assert (shown.parts["now"].word, shown.parts["now"].lead) == ("Held", "bad.")
    assert shown.parts["shift"].ladder[0].words == "holding 0:05 of 0:20"
    launch.look("watch 10 % #2", 10)
    assert launch.picture().parts["now"].word == "GO"


def test_a_trigger_without_a_source_is_not_observed_and_never_clear() -> None:
    timers = {timer.text: timer for timer in Played().lift_off().picture().parts["timers"]}
    assert timers["Data corruption detected"].sign == "unknown"
    assert timers["Data corruption detected"].held == "not observed"


def test_the_charts_leave_a_gap_where_there_were_no_requests() -> None:
    launch = Played().lift_off()
    errors = launch.picture().parts["charts"][0]
    assert errors.green_now == "0.00 %"
    assert errors.green.startswith("M"), "green begins where its first request ended"
    assert errors.green.count("L") < errors.blue.count("L")
    assert path([(0, 0.5), (1, None), (2, 0.5)], Span(0, 2), Scale(0.1, 1)).count("M") == 2


def test_a_bad_release_is_shown_with_the_rule_that_fired_and_what_it_cost() -> None:
    launch = Played().fall()
    shown = launch.picture(100)
    back = shown.parts["back"]
    assert (shown.view, shown.moment.phase) == (View.ROLLED_BACK, "Rolled back")
    assert [fact.value for fact in back.facts] == ["12", "11.5", "10", "0"]
    assert back.fired.rule == "a1"
    assert back.fired.trigger == "Error rate >5% for 5 minutes"
    assert len(back.climb.marks) == len(back.answers) == 12
    assert back.climb.limit.text == "roll back at 5,000 to 1"
    assert [after.word for after in back.nexts] == ["done", "done", "done", "next", "now"]


def test_the_evidence_climbs_with_each_bad_answer() -> None:
    hits = Played().fall().traffic().hits
    evidence = [hit.evidence["a1"] for hit in hits]
    assert evidence == sorted(evidence)
    assert evidence[-1] > 1000 * evidence[0]


def test_a_failed_step_rolls_back_without_a_staircase() -> None:
    launch = Played().go()
    launch.add("step.started", {"step": "migrate"})
    launch.add("rollback.done", {"rule": "step.failed", "text": "the old release fails", "seconds": 0.1})
    back = launch.picture().parts["back"]
    assert back.climb is None
    assert back.lead.startswith("The step migrate failed. All traffic is set to blue")
    assert back.facts[1].value == UNKNOWN, "no bad answer was seen, so no time is known"


def test_a_launch_that_its_viewer_gave_up_blames_no_guard_and_no_green() -> None:
    launch = Played().lift_off()
    text = "interrupted by the viewer"
    launch.add("launch.ended", {"outcome": "aborted", "text": text, "after": "done:shift 10"})
    shown = launch.picture(9)
    back = shown.parts["back"]
    assert (shown.view, shown.moment.phase, shown.moment.more) == (View.ROLLED_BACK, "Aborted", text)
    assert back.lead == "Green had 10 % of the traffic, and 0 of its 20 requests failed."
    assert back.note.endswith("the stage serves nobody now.")
    assert (back.sign, back.why, back.fired.rule, back.fired.text) == ("void", "Why it ended", "", text)
    assert [(fact.value, fact.text) for fact in back.facts] == [
        ("0", "failed user requests, by the trace"),
        ("0 of 20", "failed on green"),
        ("10", "on green when it ended"),
        ("0", "failed on blue"),
    ]
    assert [after.word for after in back.nexts] == ["n/a", "n/a", "n/a", "next"]


def test_a_launch_that_was_given_up_before_any_traffic_moved_says_what_blue_had() -> None:
    launch = Played().go()
    launch.serve(2)
    launch.add("step.started", {"step": "initiate"})
    launch.add("launch.ended", {"outcome": "aborted", "text": "interrupted by the viewer", "after": "x"})
    lead = launch.picture().parts["back"].lead
    assert "Blue had all of the traffic, and 0 of its 40 requests failed." in lead


def test_a_launch_that_did_not_find_its_users_on_blue_says_that_they_are_where_it_found_them() -> None:
    launch = Played().go()
    launch.add("step.started", {"step": "initiate"})
    text = "green has a weight of 100 already"
    launch.add("launch.ended", {"outcome": "aborted", "rule": "step.failed", "text": text})
    back = launch.picture().parts["back"]
    assert back.lead == "It ended before anything of the service was changed: users are where it found them."
    assert back.note == "Blue and green stand as they stood before."
    assert back.fired.text == text


@pytest.mark.parametrize("launch", [Played().open(), Played().go()])
def test_an_end_before_the_rollout_has_the_words_of_its_record(launch: Played) -> None:
    launch.add("launch.ended", {"outcome": "aborted", "rule": "target.none", "text": "nothing acts here"})
    moment = launch.picture().moment
    assert (moment.phase, moment.more) == ("Aborted", "nothing acts here")


def test_an_end_without_a_date_leaves_the_clock_where_it_stood() -> None:
    launch = Played(t=3.0).open()
    ended = Entry("launch.ended", "ended", {"outcome": "scrubbed", "reason": "rain"}, timestamp(T0 + 9), None)
    launch.events.append(append(launch.events[-1], ended))
    assert (launch.picture(99).moment.t, launch.picture(99).moment.runs) == (3.0, False)


def test_damaged_data_is_named_and_left_to_a_person() -> None:
    launch = Played().lift_off()
    text = "Roll back by trigger.corruption: Data corruption detected: orphans: found 3, expected == 0."
    launch.add("rollback.done", {"rule": "trigger.corruption", "text": text, "seconds": 0.1})
    left = {"text": "1 of 4 invariants of the data are broken", "decide": "a person decides about b.dump"}
    launch.add("rollback.data", left)
    shown = launch.picture()
    back = shown.parts["back"]
    assert back.lead.startswith("Green damaged data, by the rule trigger.corruption.")
    assert "orphans: found 3" in back.fired.text
    assert [(after.word, after.text) for after in back.nexts if "data" in after.text] == [
        ("now", "Decide about the data")
    ]
    launch.add("rollback.data", {"text": "all 4 invariants of the data hold", "decide": ""})
    assert "Decide about the data" not in [after.text for after in launch.picture().parts["back"].nexts]


def test_while_it_rolls_back_the_figures_are_those_so_far() -> None:
    launch = Played().lift_off()
    launch.serve(12, weight=10, green_fails=2)
    launch.add("rollback.done", {"rule": "a1", "text": "x", "seconds": 0.1})
    assert launch.picture().parts["back"].facts[0].text == "failed user requests so far"
    assert phase(launch.picture().course) == "rolled-back"


def test_a_launch_that_landed_says_so_and_its_clock_stands() -> None:
    launch = Played().lift_off()
    launch.step("promote")
    assert launch.picture().moment.phase == "Soaking"
    launch.add("launch.ended", {"outcome": "landed", "requests": 9, "failed": 0, "failed_on_blue": 0})
    shown = launch.picture(99)
    assert (shown.parts["now"].word, shown.moment.runs) == ("Landed", False)


def test_the_drawer_shows_value_limit_age_and_every_look() -> None:
    launch = Played().open().ready()
    launch.observe("cfg.env", "failed")
    shown = launch.picture()
    opened = drawer(shown.course, shown.lines, "cfg.env")
    assert opened is not None
    assert (opened.line.stands, opened.value, opened.allowed) == ("failed", "1 finding", "empty")
    assert [look.stands for look in opened.looks] == ["passed", "failed"]
    assert opened.at == pytest.approx(T0 + launch.t)
    assert opened.owner == "DevOps Lead: Dario Voss (simulated)"
    assert fresh_words(opened) == "counts for 15 min"
    assert drawer(shown.course, shown.lines, "no.such") is None


def test_a_line_that_nobody_looked_at_has_an_empty_drawer_and_says_when_it_is_due() -> None:
    shown = Played().open().picture()
    opened = drawer(shown.course, shown.lines, "bk.db")
    assert opened is not None
    assert (opened.looks, opened.raw, opened.at, opened.due) == ((), "", None, offset(-7200))


def test_rates_and_percentiles_come_from_the_window() -> None:
    launch = Played()
    launch.serve(30)
    traffic = launch.traffic()
    assert traffic.rate(T0 + launch.t) == pytest.approx(20.0)
    point = traffic.point(Side.BLUE, int(T0 + launch.t) - 1)
    assert (point.requests, point.failed, point.p95) == (600, 0, 26.0)
    assert traffic.point(Side.GREEN, int(T0)).p95 is None


def test_figures_read_as_people_write_them() -> None:
    assert (t_text(-13_330), t_text(65)) == ("T−03:42:10", "T+00:01:05")  # noqa: RUF001 - a true minus
    assert (span(42), span(3730)) == ("0:42", "1:02:10")
    assert (length(300), length(86_400), length(172_800), length(90)) == ("5 min", "24 h", "2 d", "90 s")
    assert (share(0, 0), share(1, 1000), share(1, 8)) == (UNKNOWN, "0.10 %", "12.5 %")


def test_a_hold_timer_is_five_boxes_of_which_the_breached_part_is_filled() -> None:
    assert [kind for kind, _, _ in boxes(0.5, 5)] == ["track", "val"] * 2 + ["track", "val", "track", "track"]
    assert [kind for kind, _, _ in boxes(0.0, 5)] == ["track"] * 5


def test_a_staircase_stays_level_and_rises_at_the_next_point() -> None:
    assert (
        staircase([(0, 1), (10, 100)], Span(0, 10), Scale(1, 100)) == "M0.00 100.00L100.00 100.00L100.00 0.00"
    )

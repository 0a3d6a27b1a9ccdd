"""Which faults a rehearsal injects, where, and which words of a person mean them."""

from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, cast

import pytest

from tminus.demo.drills import EXERCISES, UNWATCHED, Injector, chosen, lanes, with_hold
from tminus.demo.rehearsing import playable
from tminus.depot.faults import Faults
from tminus.domain.guard import GuardLimits
from tminus.domain.rehearsal import SUBJECTS
from tminus.errors import Exit, RefusedError, UsageError
from tminus.planfile import load
from tminus.testing import FakeClock

LIMITS = GuardLimits()
DEFINED = dict.fromkeys(SUBJECTS, "as it is")
LONG = {"trig.errors", "trig.latency", "trig.unavailable"}


def injector(*, watched: bool = True) -> Injector:
    return Injector(cast("Any", None), FakeClock(), "token", watched)


def test_everything_that_can_fire_has_a_fault_that_depot_knows() -> None:
    assert set(EXERCISES) == set(SUBJECTS)
    for exercise in EXERCISES.values():
        Faults.parse(exercise.spec)


@pytest.mark.parametrize(
    ("words", "subjects"),
    [
        ([], SUBJECTS),
        (["guard"], ("guard.a1", "guard.a2", "guard.b1")),
        (["errors"], ("trig.errors",)),
        (["b1", "trig.unavailable", "unavailable"], ("trig.unavailable", "guard.b1")),
        (["trig"], SUBJECTS[:5]),
    ],
)
def test_words_mean_subjects_in_the_checklist_s_order(words: list[str], subjects: tuple[str, ...]) -> None:
    assert chosen(words) == subjects


@pytest.mark.parametrize("word", ["", "error", "trig.", "guard.a3", "ERRORS"])
def test_a_word_that_means_nothing_is_refused_with_those_that_do(word: str) -> None:
    with pytest.raises(UsageError, match="nothing is called") as told:
        chosen(["guard", word])
    assert "errors, latency, vulnerability, corruption, unavailable" in told.value.hint


def test_what_holds_for_minutes_runs_side_by_side_and_the_rest_in_turn_with_the_damage_last() -> None:
    found = lanes(SUBJECTS, LIMITS)
    assert {lane[0] for lane in found[:3]} == LONG
    assert all(len(lane) == 1 for lane in found[:3])
    assert found[3][-1] == "trig.corruption"
    assert sorted(one for lane in found for one in lane) == sorted(SUBJECTS)
    assert lanes(("trig.errors",), LIMITS) == (("trig.errors",),)


def test_a_shorter_hold_time_makes_no_trigger_slower_and_none_hold_that_did_not() -> None:
    assert with_hold(LIMITS, None) is LIMITS
    short = {one.id: one.for_seconds for one in with_hold(LIMITS, 30.0).triggers}
    assert {name for name, seconds in short.items() if seconds == 30.0} == LONG
    assert with_hold(LIMITS, 900.0).triggers == LIMITS.triggers


def test_a_wish_holds_the_plan_s_own_time_beside_today_s() -> None:
    wish = injector().wish("trig.errors", DEFINED, LIMITS, with_hold(LIMITS, 30.0))
    assert (wish.rule, wish.hold_seconds, wish.planned_seconds) == ("trigger.errors", 30.0, 300.0)
    assert injector().wish("guard.a1", DEFINED, LIMITS, LIMITS).rule == "a1"


def test_data_that_nothing_looks_at_cannot_be_rehearsed_and_that_is_said() -> None:
    assert injector(watched=False).wish("trig.corruption", DEFINED, LIMITS, LIMITS).unready == UNWATCHED
    assert injector(watched=False).wish("trig.errors", DEFINED, LIMITS, LIMITS).unready == ""
    assert injector().wish("trig.corruption", DEFINED, LIMITS, LIMITS).unready == ""


def test_a_plan_that_is_marked_production_is_refused_before_anything_starts(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    plan.write_text("plan: ours\nextends: production\nproduction: true\n")
    own = replace(load("production").checked(), production=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tminus.demo.rehearsing.load", lambda _: type("L", (), {"checked": lambda _s: own})())
        with pytest.raises(
            RefusedError, match="is marked production, and a rehearsal injects faults"
        ) as told:
            playable(plan)
    assert told.value.code is Exit.REFUSED
    assert "staging" in told.value.hint


def test_the_plan_for_who_has_rehearsed_is_the_demo_s_with_one_line_more() -> None:
    with (
        as_file(files("tminus.demo") / "demo.yaml") as demo,
        as_file(files("tminus.demo") / "rehearsed.yaml") as more,
    ):
        own, rehearsed = load(demo).checked(), load(more).checked()
    assert {check.id for check in rehearsed.checks} - {check.id for check in own.checks} == {"rb.tested"}
    assert rehearsed.triggers == own.triggers, "what is rehearsed for one counts for the other"
    assert rehearsed.total == own.total

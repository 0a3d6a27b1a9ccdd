"""What a rehearsal proves: for these definitions, for this pair of releases, and for how long."""

import json
from dataclasses import replace
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tminus.domain.evidence import Verdict
from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Plan
from tminus.domain.rehearsal import (
    CRITERIA_SECONDS,
    PAIR_SECONDS,
    SUBJECTS,
    Drill,
    all_definitions,
    criteria,
    definitions,
    pair_tested,
)
from tminus.domain.trigger import TRIGGERS
from tminus.errors import InconclusiveError
from tminus.planfile import load
from tminus.wiring.judging import guard_limits

if TYPE_CHECKING:
    from tests.rehearsal_builder import ENDED, NEW, OLD, a_drill, rehearsal, way_back, whole
else:
    from rehearsal_builder import ENDED, NEW, OLD, a_drill, rehearsal, way_back, whole

DEFINED = dict.fromkeys(SUBJECTS, "as it is")
PAIR = (OLD, NEW)


def demo() -> Plan:
    with as_file(files("tminus.demo") / "demo.yaml") as path:
        return load(path).checked()


def but(subject: str, **more: Any) -> tuple[Drill, ...]:
    """Everything passed but for this about one subject."""
    return tuple(
        replace(drill, **more) if drill.subject == subject else drill for drill in whole(DEFINED).drills
    )


class TestDefinitions:
    def test_each_trigger_and_each_test_of_the_guard_has_one_and_all_have_one_together(self) -> None:
        found = definitions(demo(), guard_limits(demo()))
        assert set(found) == set(SUBJECTS)
        assert len(set(found.values())) == len(SUBJECTS)
        assert all_definitions(found) == all_definitions(dict(reversed(found.items())))

    @pytest.mark.parametrize("what", ["limit", "for_seconds", "hits"])
    def test_what_is_evaluated_otherwise_is_another_definition(self, what: str) -> None:
        before, after = (definitions(demo(), limits) for limits in (GuardLimits(), _changed(what)))
        assert [subject for subject in SUBJECTS if before[subject] != after[subject]] == ["trig.errors"]

    def test_other_invariants_are_another_definition_of_corruption_alone(self) -> None:
        plan = demo()
        others = tuple(
            {**trigger, "invariants": []} if trigger["id"] == "trig.corruption" else trigger
            for trigger in plan.triggers
        )
        before, after = (
            definitions(plan, GuardLimits()),
            definitions(replace(plan, triggers=others), GuardLimits()),
        )
        assert [subject for subject in SUBJECTS if before[subject] != after[subject]] == ["trig.corruption"]

    def test_another_alpha_changes_the_guard_and_no_trigger(self) -> None:
        before, after = definitions(demo(), GuardLimits()), definitions(demo(), GuardLimits(alpha=1e-2))
        changed = [subject for subject in SUBJECTS if before[subject] != after[subject]]
        assert changed == ["guard.a1", "guard.a2", "guard.b1"]


def _changed(what: str) -> GuardLimits:
    first, *others = TRIGGERS
    changed: dict[str, Any] = {what: 9}
    return GuardLimits(triggers=(replace(first, **changed), *others))


class TestCriteria:
    def test_passes_when_each_was_seen_to_fire(self) -> None:
        found = criteria(DEFINED, [whole(DEFINED)], ENDED + CRITERIA_SECONDS)
        assert (found.problems, found.remarks) == ((), ())
        assert found.seen["trig.errors"] == "fired 315.5 s after the fault, at 2027-01-15T07:58:35.500Z"

    def test_a_trigger_that_did_not_fire_fails_and_is_named(self) -> None:
        drills = but("trig.latency", verdict=Verdict.FAILED, why="it did not fire within 420 s", back=None)
        found = criteria(DEFINED, [rehearsal(*drills)], ENDED)
        assert found.problems == ("trig.latency in its last rehearsal: it did not fire within 420 s",)

    def test_a_later_one_that_fired_takes_its_place(self) -> None:
        drills = but("trig.latency", verdict=Verdict.FAILED)
        both = [whole(DEFINED, at=ENDED + 60), rehearsal(*drills)]
        assert criteria(DEFINED, both, ENDED + 60).problems == ()
        both = [whole(DEFINED, at=ENDED - 60), rehearsal(*drills)]
        assert len(criteria(DEFINED, both, ENDED).problems) == 1

    @pytest.mark.parametrize(
        ("kept", "words"),
        [
            (rehearsal(*whole(DEFINED).drills[1:]), "trig.errors was not rehearsed: "),
            (
                rehearsal(*but("trig.errors", definition="other")),
                "trig.errors was rehearsed by another definition",
            ),
            (
                rehearsal(*but("trig.errors", verdict=Verdict.WARNED, shortened=True)),
                "trig.errors was rehearsed with a shorter hold time than the plan's",
            ),
            (
                rehearsal(*but("trig.errors", verdict=Verdict.INCONCLUSIVE, why="it was not well")),
                "trig.errors came to nothing in its last rehearsal (it was not well)",
            ),
        ],
    )
    def test_one_that_was_not_rehearsed_so_is_remarked_upon_with_what_to_do(
        self, kept: Any, words: str
    ) -> None:
        found = criteria(DEFINED, [kept], ENDED)
        assert found.problems == ()
        (remark,) = found.remarks
        assert remark.startswith(words)
        assert "`tminus rehearse`" in remark

    def test_it_counts_for_thirty_days_and_no_longer(self) -> None:
        (remark,) = criteria(DEFINED, [whole(DEFINED)], ENDED + CRITERIA_SECONDS + 1).remarks
        assert "trig.unavailable was not rehearsed within 30 days" in remark

    def test_a_shortened_one_takes_nothing_from_a_full_one_before_it(self) -> None:
        short = rehearsal(*but("trig.errors", verdict=Verdict.WARNED, shortened=True), at=ENDED + 5)
        assert criteria(DEFINED, [whole(DEFINED), short], ENDED + 5).remarks == ()

    @given(some.permutations(range(4)), some.integers(0, 60))
    def test_the_order_in_which_they_are_kept_does_not_matter(self, order: list[int], days: int) -> None:
        kept = [
            whole(DEFINED),
            rehearsal(*but("trig.errors", verdict=Verdict.FAILED), at=ENDED - 86400),
            rehearsal(*but("trig.errors", verdict=Verdict.WARNED), at=ENDED + 86400),
            rehearsal(at=ENDED + 2),
        ]
        now = ENDED + days * 86400
        assert criteria(DEFINED, [kept[place] for place in order], now) == criteria(DEFINED, kept, now)


class TestTested:
    def test_passes_for_the_pair_and_says_how_long_it_took_at_most(self) -> None:
        slow = but("trig.latency", back=way_back(served_seconds=41.0))
        found = pair_tested(PAIR, [rehearsal(*slow)], ENDED, 300)
        assert (found.problems, found.remarks) == ((), ())
        assert "the slowest 41.0 s" in found.fact
        assert found.seen["rehearsal"] == rehearsal(*slow).digest

    @pytest.mark.parametrize("kept", [[], [rehearsal(*but(""), pair=(NEW, OLD))]])
    def test_a_pair_that_was_never_rehearsed_fails_with_what_to_do(self, kept: list[Any]) -> None:
        (problem,) = pair_tested(PAIR, kept, ENDED, 300).problems
        assert "was ever rehearsed: `tminus rehearse` does it, on staging" in problem

    @pytest.mark.parametrize(
        ("back", "words"),
        [
            ({"digest": NEW}, "blue serves sha256:bbb"),
            ({"weight": 90}, "blue has 90 % of new requests and is up"),
            ({"up": False}, "is not up"),
            ({"smoke_failures": ("login: 500",)}, "smoke test on blue: login: 500"),
            ({"lost": ("Drill 1",)}, "1 of 12 documents that users stored are lost"),
        ],
    )
    def test_a_way_back_that_was_not_whole_fails(self, back: dict[str, Any], words: str) -> None:
        kept = rehearsal(*but("guard.a2", back=way_back(**back)))
        (problem,) = pair_tested(PAIR, [kept], ENDED, 300).problems
        assert problem.startswith("guard.a2: ")
        assert words in problem

    def test_a_rollback_that_failed_altogether_fails(self) -> None:
        kept = rehearsal(
            a_drill("guard.a2", verdict=Verdict.FAILED, back=None, why="the rollback failed 15 times")
        )
        assert pair_tested(PAIR, [kept], ENDED, 300).problems == ("guard.a2: the rollback failed 15 times",)

    @pytest.mark.parametrize(
        ("took", "ends"), [(300.0, "passed"), (300.5, "remark"), (600.0, "remark"), (601.0, "problem")]
    )
    def test_the_time_passes_warns_and_fails(self, took: float, ends: str) -> None:
        kept = rehearsal(a_drill("guard.a2", back=way_back(served_seconds=took)))
        found = pair_tested(PAIR, [kept], ENDED, 300)
        assert (len(found.problems), len(found.remarks)) == (int(ends == "problem"), int(ends == "remark"))

    def test_it_counts_for_seven_days_and_no_longer(self) -> None:
        assert pair_tested(PAIR, [whole(DEFINED)], ENDED + PAIR_SECONDS, 300).problems == ()
        (problem,) = pair_tested(PAIR, [whole(DEFINED)], ENDED + PAIR_SECONDS + 1, 300).problems
        assert "more than 7 days ago: `tminus rehearse` again" in problem

    def test_a_rehearsal_that_came_to_no_rollback_proves_nothing(self) -> None:
        nothing = a_drill("guard.a2", verdict=Verdict.INCONCLUSIVE, back=None, why="it was not well")
        with pytest.raises(
            InconclusiveError, match=r"came to no rollback: guard\.a2: it was not well"
        ) as told:
            pair_tested(PAIR, [rehearsal(nothing)], ENDED, 300)
        assert "rehearse" in told.value.hint

    def test_the_newest_of_the_pair_decides(self) -> None:
        lost = rehearsal(*but("guard.a2", back=way_back(lost=("x",))), at=ENDED - 5)
        assert pair_tested(PAIR, [whole(DEFINED), lost], ENDED, 300).problems == ()


class TestDocument:
    def test_it_is_known_by_what_it_holds(self) -> None:
        one, same = whole(DEFINED), whole(DEFINED)
        assert one.digest == same.digest
        assert one.digest != replace(one, by="somebody else").digest
        assert json.loads(one.content)["kind"] == "tminus rehearsal"

    @pytest.mark.parametrize(
        ("verdicts", "worst"),
        [
            ((), Verdict.INCONCLUSIVE),
            ((Verdict.PASSED, Verdict.WARNED), Verdict.WARNED),
            ((Verdict.INCONCLUSIVE, Verdict.WARNED), Verdict.INCONCLUSIVE),
            ((Verdict.INCONCLUSIVE, Verdict.FAILED), Verdict.FAILED),
        ],
    )
    def test_its_verdict_is_the_worst_of_its_drills(
        self, verdicts: tuple[Verdict, ...], worst: Verdict
    ) -> None:
        drills = (a_drill("guard.a2", verdict=verdict) for verdict in verdicts)
        assert rehearsal(*drills).verdict is worst

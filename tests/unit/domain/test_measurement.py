"""One answer judged, and answers added up: the clauses of Argo Rollouts, and where tminus differs."""

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.evidence import Verdict
from tminus.domain.expectation import parse
from tminus.domain.measurement import Measurement, Measurements, Reading, measured, restored, unread
from tminus.domain.metric import RETRY, Metric, Stage, relative

P, W, F, N, E = Verdict.PASSED, Verdict.WARNED, Verdict.FAILED, Verdict.INCONCLUSIVE, Verdict.ERROR
BOTH = {"passes": parse("< 1%"), "fails": parse("> 5%")}


def metric(**more: Any) -> Metric:
    return Metric("errors", "q", "prometheus", **more)


def judged(value: float, **limits: Any) -> Verdict:
    return measured(metric(**limits), 1.0, Reading((value,)), None).verdict


class TestOneAnswer:
    def test_with_what_passes_alone_all_else_fails(self) -> None:
        assert [judged(v, passes=parse("< 1%")) for v in (0.005, 0.01, 0.5)] == [P, F, F]

    def test_with_what_fails_alone_all_else_passes(self) -> None:
        assert [judged(v, fails=parse("> 5%")) for v in (0.0, 0.05, 0.06)] == [P, P, F]

    def test_between_the_two_nothing_is_known(self) -> None:
        assert [judged(v, **BOTH) for v in (0.005, 0.03, 0.06)] == [P, N, F]

    def test_what_does_both_fails(self) -> None:
        assert judged(0.5, passes=parse("< 1"), fails=parse("> 0.1")) is F

    def test_without_any_limit_nothing_is_known(self) -> None:
        seen = measured(metric(), 1.0, Reading((1.0,)), None)
        assert (seen.verdict, seen.why) == (N, "1, and no limit says what it must be")

    def test_outside_of_the_narrower_limit_it_is_warned(self) -> None:
        assert [judged(v, passes=parse("< 1%"), warns=parse("< 0.5%")) for v in (0.001, 0.007, 0.02)] == [
            P,
            W,
            F,
        ]

    @pytest.mark.parametrize(
        ("reading", "why"),
        [
            (Reading(()), "it gives nothing, which is not zero"),
            (Reading((math.nan,)), "it gives NaN, as a share of no requests does"),
            (Reading((math.inf,)), "it gives inf"),
            (Reading((0.0, 0.1), ('side="blue"', 'side="green"')), "it gives 2 series"),
            (
                Reading((0.0,), (), "nothing that it reads is scraped now"),
                "nothing that it reads is scraped now",
            ),
        ],
    )
    def test_what_is_no_number_says_nothing(self, reading: Reading, why: str) -> None:
        for limits in ({"passes": parse("< 1%")}, {"fails": parse("> 5%")}):
            seen = measured(metric(**limits), 1.0, reading, None)
            assert seen.verdict is N
            assert why in seen.why


class TestBesideABaseline:
    RELATIVE = relative("<= baseline x 1.2 + 0.1pt")

    def seen(self, value: float, beside: Reading | str | None, **more: Any) -> Measurement:
        return measured(metric(relative=self.RELATIVE, **more), 1.0, Reading((value,)), beside)

    def test_within_it_passes_and_beyond_it_fails(self) -> None:
        assert self.seen(0.012, Reading((0.01,))).verdict is P
        beyond = self.seen(0.02, Reading((0.01,)))
        assert (beyond.verdict, beyond.baseline) == (F, 0.01)
        assert beyond.why == "0.02 beside a baseline of 0.01, expected <= baseline x 1.2 + 0.1pt"

    def test_both_limits_have_to_hold(self) -> None:
        assert self.seen(0.012, Reading((0.01,)), passes=parse("< 1%")).verdict is F
        assert self.seen(0.009, Reading((0.001,)), passes=parse("< 1%")).verdict is F
        assert self.seen(0.009, Reading((0.008,)), passes=parse("< 1%")).verdict is P
        assert self.seen(0.03, Reading((0.03,)), **BOTH).verdict is N, "which the baseline does not decide"

    def test_without_a_baseline_nothing_is_known(self) -> None:
        for beside in (Reading(()), Reading((math.nan,)), Reading((0.1, 0.2))):
            assert self.seen(0.0, beside).verdict is N
        assert self.seen(0.0, "Prometheus does not answer").verdict is E
        assert self.seen(0.0, None).verdict is E

    def test_harm_that_the_value_shows_by_itself_needs_no_baseline(self) -> None:
        assert self.seen(0.5, "Prometheus does not answer", passes=parse("< 1%")).verdict is F

    def test_a_multiple_of_nothing_is_no_limit(self) -> None:
        seen = measured(
            metric(relative=relative("<= baseline x 1.2")), 1.0, Reading((0.001,)), Reading((0.0,))
        )
        assert seen.verdict is N
        assert "add an amount to it" in seen.why
        assert self.seen(0.001, Reading((0.0,))).verdict is P, "with an amount it is"


def added(found: Metric, *verdicts: Verdict) -> Measurements:
    so_far = Measurements(found, begun=0.0)
    for number, verdict in enumerate(verdicts):
        so_far = so_far.after(Measurement(float(number), verdict, "why"))
    return so_far


LONG: Any = {"interval": 5.0}


class TestAddedUp:
    def test_one_failed_measurement_more_than_are_borne_and_it_has_failed(self) -> None:
        found = metric(failures=2, **LONG)
        assert added(found, F, P, F).verdict is None
        assert added(found, F, P, F, P, F).verdict is F, "they need not follow one another"

    def test_none_is_borne_where_nothing_is_said(self) -> None:
        assert added(metric(**LONG), F).verdict is F
        assert added(metric(**LONG), N).verdict is N

    def test_one_inconclusive_measurement_more_than_are_borne_and_it_is_not_known(self) -> None:
        found = metric(inconclusive=2, **LONG)
        assert added(found, N, P, N).verdict is None
        assert added(found, N, P, N, P, N).verdict is N

    def test_four_errors_in_a_row_are_borne_and_a_fifth_is_not(self) -> None:
        found = metric(inconclusive=9, **LONG)
        assert added(found, E, E, E, E).verdict is None
        assert added(found, E, E, E, E, E).verdict is E

    @pytest.mark.parametrize("answer", [P, W, N])
    def test_any_answer_ends_a_row_of_errors(self, answer: Verdict) -> None:
        found = metric(inconclusive=9, **LONG)
        assert added(found, E, E, E, E, answer, E, E, E, E).verdict is None

    def test_errors_do_not_count_towards_the_count(self) -> None:
        found = metric(count=2, **LONG)
        assert added(found, P, E, E).verdict is None
        assert added(found, P, E, P).verdict is P

    def test_the_count_is_reached_with_what_is_borne(self) -> None:
        found = metric(count=3, failures=1, inconclusive=1, **LONG)
        assert added(found, P, N, F).verdict is W, "a failed one among them is warned about"
        assert added(found, P, P, N).verdict is P
        assert added(found, P, W, P).verdict is W

    def test_it_never_passes_on_nothing_known(self) -> None:
        found = metric(count=2, inconclusive=5, failures=5, **LONG)
        assert added(found, N, N, N).verdict is None
        assert added(found, F, F).verdict is None
        assert added(found, N, N, P).verdict is P
        assert added(metric(**LONG)).closing().verdict is None

    def test_without_a_count_it_passes_when_its_stages_are_over(self) -> None:
        found = metric(inconclusive=1, **LONG)
        assert added(found, P, P).verdict is None
        assert added(found, P, P).closing().verdict is P
        assert added(found, N).closing().verdict is None
        assert added(found, N).closing().after(Measurement(9.0, P, "")).verdict is P

    def test_what_is_not_known_ends_with_an_answer_that_passes_or_fails(self) -> None:
        dark = added(metric(failures=1, inconclusive=2, **LONG), P, *[E] * 5)
        assert dark.verdict is E
        assert dark.after(Measurement(9.0, E, "")).verdict is E
        assert dark.after(Measurement(9.0, N, "")).verdict is E, "an answer that says nothing is no light"
        light = dark.after(Measurement(9.0, P, ""))
        assert (light.verdict, light.consecutive, light.passed, light.errors) == (None, 0, 2, 5)
        assert dark.after(Measurement(9.0, F, "")).failed == 1, "which is borne"

    def test_failed_ones_from_before_it_was_dark_still_count(self) -> None:
        found = added(metric(failures=1, **LONG), F, *[E] * 5, F)
        assert found.verdict is F

    def test_a_person_may_let_it_go_on(self) -> None:
        dark = added(metric(**LONG), P, N)
        assert (dark.verdict, dark.anew().verdict) == (N, None)
        assert dark.anew().after(Measurement(9.0, N, "")).verdict is N, "the next one is counted again"

    def test_it_is_measured_after_its_delay_and_then_at_its_interval(self) -> None:
        found = Measurements(metric(delay=30.0, count=2, **LONG))
        assert found.due() is None
        assert found.starting(100.0).due() == 130.0
        once = found.starting(100.0).after(Measurement(131.0, P, ""))
        assert once.due() == 136.0
        assert once.after(Measurement(136.5, P, "")).due() is None

    def test_one_measurement_is_taken_again_only_when_there_was_no_answer(self) -> None:
        found = metric(inconclusive=1)
        assert added(found, E).due() == RETRY
        assert added(found, P).due() is None

    def test_what_a_stage_waits_for_is_said(self) -> None:
        found = metric(count=3, ends=Stage.SHIFT, **LONG)
        assert added(found).waits_for(Stage.SHIFT) == "the metric errors has not been measured yet"
        assert added(found, P).waits_for(Stage.SHIFT) == "the metric errors has 1 of 3 measurements yet: why"
        assert added(found, P).waits_for(Stage.SOAK) == ""
        assert added(found, P, P, P).waits_for(Stage.SHIFT) == ""


VERDICTS = st.lists(st.sampled_from([P, W, F, N, E]), max_size=40)
METRICS = st.builds(
    metric,
    count=st.none() | st.integers(1, 8),
    interval=st.just(5.0),
    failures=st.integers(0, 4),
    inconclusive=st.integers(0, 4),
    errors=st.integers(0, 4),
)


@given(METRICS, VERDICTS)
def test_any_sequence_of_measurements_keeps_its_promises(found: Metric, verdicts: list[Verdict]) -> None:
    so_far = Measurements(found, begun=0.0)
    for number, verdict in enumerate(verdicts):
        if so_far.over:
            break
        before, so_far = so_far, so_far.after(Measurement(float(number), verdict, ""))
        seen = verdicts[: number + 1]
        assert so_far.taken == number + 1
        assert (so_far.passed, so_far.warned, so_far.failed, so_far.errors) == tuple(
            seen.count(each) for each in (P, W, F, E)
        )
        assert (so_far.verdict is F) is (seen.count(F) > found.failures), (
            "only evidence of harm fails, and all of it"
        )
        if so_far.verdict in {P, W}:
            assert P in seen or W in seen, "never passes without data"
            assert found.count is not None
            assert len([each for each in seen if each is not E]) >= found.count
        if before.verdict in {N, E} and verdict in {N, E}:
            assert so_far.verdict is before.verdict, "what is dark stays dark until something is seen"
        if verdict in {P, W, F}:
            assert so_far.verdict not in {N, E}
        assert restored(found, so_far.data()) == so_far, "what is recorded is enough to go on"


@given(METRICS, st.lists(st.sampled_from([N, E]), max_size=60))
def test_nothing_known_neither_passes_nor_fails_however_long_it_lasts(
    found: Metric, dark: list[Verdict]
) -> None:
    assert added(found, *dark).closing().verdict in {None, N, E}


@given(METRICS, st.lists(st.sampled_from([P, W]), min_size=8, max_size=20))
def test_what_always_passes_ends_well(found: Metric, verdicts: list[Verdict]) -> None:
    assert added(found, *verdicts).closing().verdict in {P, W}


def test_a_row_of_the_record_reads_itself_out() -> None:
    found = added(metric(failures=1, passes=parse("< 1%"), interval=5.0), P, F, E)
    row = found.data()
    assert row["text"] == (
        "metric errors: why; measured at 1970-01-01T00:00:02.000Z "
        "(1 of 3 measurements failed, 1 borne; 1 errors in a row, 4 borne)"
    )
    assert unread(3.0, "no answer").verdict is E
    assert replace(found, last=None).reason().startswith("metric errors: not measured yet")

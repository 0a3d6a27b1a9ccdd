"""Traces: what a line must be, and that a replay says what the live guard says."""

import contextlib
import json
import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.guard import Action, Decision, Guard, GuardLimits, Tally
from tminus.domain.trace import answer, baseline, parse_line, read, render, replay
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.errors import Exit, UsageError

LIMITS = GuardLimits()
Item = Outcome | WeightChange

outcomes = st.builds(
    Outcome,
    at=st.floats(0, 2e9),
    side=st.sampled_from(Side),
    status=st.one_of(st.just(0), st.integers(100, 599)),
    ms=st.floats(0, 1e6),
    client=st.text(st.characters(codec="utf-8"), max_size=5),
    number=st.one_of(st.none(), st.integers(0, 2**60)),
)
weights = st.builds(WeightChange, at=st.floats(0, 2e9), percent=st.integers(0, 100))


@given(item=st.one_of(outcomes, weights))
def test_a_line_that_was_written_is_read_as_it_was(item: Item) -> None:
    assert parse_line(json.dumps(render(item)), 1) == item


def test_a_line_is_the_published_format() -> None:
    outcome = Outcome(12.5, Side.GREEN, 200, 53.1, "a")
    assert render(outcome) == {"t": 12.5, "side": "green", "status": 200, "ms": 53.1, "client": "a"}
    assert render(WeightChange(12, 10)) == {"t": 12, "weight": 10}
    assert parse_line('{"t": 1, "side": "blue", "status": 0, "ms": 2, "n": 7}', 1) == Outcome(
        1, Side.BLUE, 0, 2, "", 7
    )


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("{", "line 7"),
        ("[]", "no JSON object"),
        ("12", "no JSON object"),
        ("{}", "t must be a number"),
        ('{"t": "1", "side": "blue", "status": 200, "ms": 1}', "t must be a number"),
        ('{"t": true, "side": "blue", "status": 200, "ms": 1}', "t must be a number"),
        ('{"t": NaN, "side": "blue", "status": 200, "ms": 1}', "NaN"),
        ('{"t": 1e999, "side": "blue", "status": 200, "ms": 1}', "t must be finite"),
        ('{"t": 1' + "0" * 400 + ', "side": "blue", "status": 200, "ms": 1}', "line 7"),
        ('{"t": 1, "side": "red", "status": 200, "ms": 1}', "side must be"),
        ('{"t": 1, "side": ["blue"], "status": 200, "ms": 1}', "side must be"),
        ('{"t": 1, "side": "blue", "status": "200", "ms": 1}', "status must be"),
        ('{"t": 1, "side": "blue", "status": 99, "ms": 1}', "status must be"),
        ('{"t": 1, "side": "blue", "status": 600, "ms": 1}', "status must be"),
        ('{"t": 1, "side": "blue", "status": 200}', "ms must be a number"),
        ('{"t": 1, "side": "blue", "status": 200, "ms": -1}', "ms must not be negative"),
        ('{"t": 1, "side": "blue", "status": 200, "ms": 1, "client": 5}', "client must be"),
        ('{"t": 1, "side": "blue", "status": 200, "ms": 1, "n": 1.5}', "n must be"),
        ('{"t": 1, "weight": 101}', "weight must be"),
        ('{"t": 1, "weight": 10.0}', "weight must be"),
        ('{"t": 1, "weight": true}', "weight must be"),
        ('{"weight": 10}', "t must be a number"),
        ('{"t": 1, "weight": 10, "side": "blue"}', "either"),
        ("[" * 100_000, "line 7"),
    ],
)
def test_a_broken_line_is_named_with_its_number(line: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong) as caught:
        parse_line(line, 7)
    assert str(caught.value).startswith("line 7: ")
    assert caught.value.hint
    assert caught.value.code is Exit.USAGE


@given(st.text())
def test_no_text_breaks_the_reader_in_another_way(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert isinstance(parse_line(text, 1), Outcome | WeightChange)


def test_empty_lines_are_passed_over_and_still_counted() -> None:
    good = '{"t": 1, "weight": 10}'
    assert list(read(["", good, "  \n"])) == [WeightChange(1, 10)]
    with pytest.raises(UsageError, match="line 3"):
        list(read([good, "", "x"]))


def test_a_trace_may_be_a_little_out_of_order_but_not_start_again() -> None:
    lines = ['{"t": 100, "weight": 10}', '{"t": 95, "weight": 5}', '{"t": 30, "weight": 1}']
    assert len(list(read(lines[:2]))) == 2
    with pytest.raises(UsageError, match="line 3: t goes back from 100 to 30"):
        list(read(lines))


def traffic(green: float, seconds: int, blue: float = 0.001, seed: int = 1) -> list[Item]:
    rng = random.Random(seed)
    items: list[Item] = [WeightChange(0.0, 10)]
    for index in range(seconds * 50):
        side = Side.GREEN if rng.random() < 0.1 else Side.BLUE
        failed = rng.random() < (green if side is Side.GREEN else blue)
        items.append(Outcome(index / 50, side, 500 if failed else 200, 50.0))
    return items


def final(items: Iterable[Item]) -> Decision:
    return answer(replay(items, LIMITS))


@pytest.mark.parametrize(
    ("items", "action"),
    [
        (traffic(0.001, 120), Action.CONTINUE),
        (traffic(0.2, 60), Action.ROLLBACK),
        (traffic(0.03, 400, blue=0.03), Action.HOLD),
    ],
    ids=["healthy", "failing", "doubtful"],
)
def test_a_replay_says_what_the_live_guard_says(items: list[Item], action: Action) -> None:
    live = Guard(LIMITS)
    polled = 0.0
    for item in items:
        # A live guard is asked whenever somebody asks: here every 0.3 s.
        while polled < item.at:
            live.judge(polled)
            polled += 0.3
        live.observe(item)
    lived, replayed = live.judge(items[-1].at), final(items)
    assert replayed.action is lived.action is action
    assert (replayed.at, replayed.rule, replayed.counts) == (lived.at, lived.rule, lived.counts)


def test_a_replay_yields_each_change_once() -> None:
    # Two percent on both sides first, then green fails: a hold, and then the rollback.
    later = [
        Outcome(item.at + 600, item.side, item.status, item.ms) if isinstance(item, Outcome) else item
        for item in traffic(0.3, 60, blue=0.03)
    ]
    decisions = list(replay([*traffic(0.03, 600, blue=0.03), *later[1:]], LIMITS))
    assert [decision.action for decision in decisions] == [Action.CONTINUE, Action.HOLD, Action.ROLLBACK]
    assert answer(decisions) is decisions[-1]


def test_a_gap_in_a_trace_is_a_hold_that_ends_by_itself() -> None:
    later: list[Item] = [
        Outcome(100_000 + index / 50, Side.GREEN if index % 10 == 0 else Side.BLUE, 200, 50.0)
        for index in range(500)
    ]
    decisions = list(replay([*traffic(0.001, 20), *later], LIMITS))
    assert [decision.rule for decision in decisions] == [None, "hold.no-traffic", None, None]
    found = answer(decisions)
    assert (found.action, found.rule) == (Action.HOLD, "hold.no-traffic")
    assert found.at == pytest.approx(30, abs=2)


def test_a_breach_within_a_trace_fires_the_backstop() -> None:
    # One in 19 is too close to 5 % for the fast tests; blue fails alike, so that a2 sees no difference.
    items: list[Item] = [WeightChange(0.0, 50)]
    items += [
        Outcome(index / 100, side, 500 if index % 19 == 0 else 200, 50.0)
        for index in range(320 * 100)
        for side in Side
    ]
    decisions = list(replay(items, LIMITS))
    rollback = answer(decisions)
    assert rollback.rule == "trigger.errors"
    assert rollback.at == 301


@pytest.mark.parametrize("items", [[], [WeightChange(5, 10)], [WeightChange(0, 10), WeightChange(60, 25)]])
def test_a_trace_without_requests_is_never_a_reason_to_continue(items: list[Item]) -> None:
    decisions = list(replay(items, LIMITS))
    assert {decision.action for decision in decisions} == {Action.HOLD}


def test_the_first_seconds_before_traffic_are_no_hold() -> None:
    quiet_start: list[Item] = [
        WeightChange(0, 10),
        *(Outcome(5 + i / 50, Side(("green", "blue")[i % 2]), 200, 5) for i in range(99)),
    ]
    assert final(quiet_start).action is Action.CONTINUE


def test_the_last_second_of_a_trace_is_judged_too() -> None:
    items: list[Item] = [WeightChange(0, 10)]
    items += [Outcome(index / 1000, Side.BLUE, 200, 5) for index in range(900)]
    items += [
        Outcome(0.9 + index / 1000, Side.GREEN, 500 if index % 5 == 0 else 200, 5) for index in range(30)
    ]
    found = final(items)
    assert (found.action, found.rule) == (Action.ROLLBACK, "a2")


def test_the_baseline_counts_blue_only() -> None:
    items: list[Item] = [
        WeightChange(0, 10),
        Outcome(1, Side.BLUE, 200, 3000),
        Outcome(1, Side.BLUE, 500, 10),
        Outcome(1, Side.GREEN, 500, 10),
    ]
    tally, latencies = baseline(items, LIMITS)
    assert tally == Tally(2, 1, 1)
    assert list(latencies) == [
        item.ms for item in items if isinstance(item, Outcome) and item.side is Side.BLUE
    ]


def test_an_answer_needs_a_decision() -> None:
    with pytest.raises(ValueError, match="at least"):
        answer([])


def test_a_request_of_neither_side_is_read_as_it_was_written() -> None:
    outcome = Outcome(1.0, None, 503, 1200.0, "a", 7)
    assert list(read([json.dumps(render(outcome))])) == [outcome]
    with pytest.raises(UsageError, match="neither was reached"):
        list(read(['{"t": 1, "status": 503, "ms": 3}']))

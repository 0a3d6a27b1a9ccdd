"""The file of a trace: any of its lines again, with little of it in memory."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.haproxy import tracefile
from tminus.haproxy.lines import Numbers
from tminus.haproxy.tracefile import Item, TraceFile, _merged, _runs


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few lines are many here."""
    monkeypatch.setattr(tracefile, "STRIDE", 4)
    monkeypatch.setattr(tracefile, "NEWEST", 10)
    monkeypatch.setattr(tracefile, "BLOCK", 300)


def item(number: int) -> Item:
    if number % 7 == 3:
        return WeightChange(100.0 + number, number % 101)
    return Outcome(100.0 + number, Side.GREEN, 200, 5.0, f'"n":{number}}}', number)


def filled(file: Path, many: int = 50) -> TraceFile:
    trace = TraceFile(file)
    for number in range(many):
        trace.write([item(number)])
    return trace


@pytest.mark.parametrize("again", [False, True])
def test_every_item_is_given_from_any_place(tmp_path: Path, *, again: bool) -> None:
    trace = filled(tmp_path / "trace")
    trace = TraceFile(tmp_path / "trace") if again else trace
    assert len(trace) == 50
    for after in range(51):
        part = trace.after(after)
        assert part == [item(number) for number in range(after, after + len(part))]
        assert bool(part) == (after < 50)
        assert len(part) <= 10
    assert list(trace.all()) == [item(number) for number in range(50)]


def test_little_of_it_is_in_memory(tmp_path: Path) -> None:
    trace = filled(tmp_path / "trace", 200)
    assert len(trace._newest) < 20
    assert len(trace._marks) <= 51


@pytest.mark.parametrize("again", [False, True])
def test_what_came_since_an_instant_is_found_from_the_end(tmp_path: Path, *, again: bool) -> None:
    trace = filled(tmp_path / "trace", 150)
    trace = TraceFile(tmp_path / "trace") if again else trace
    found = trace.since(220.0)
    assert found == [item(number) for number in range(150 - len(found), 150)]
    assert [one for one in found if one.at >= 220.0] == [item(number) for number in range(120, 150)]
    assert len(found) < 150, "not all of it was read"


def test_a_line_that_a_crash_cut_off_is_cut_off_for_good(tmp_path: Path) -> None:
    filled(tmp_path / "trace", 9)
    whole = (tmp_path / "trace").read_bytes()
    (tmp_path / "trace").write_bytes(whole + b'{"t":1')
    trace = TraceFile(tmp_path / "trace")
    assert (tmp_path / "trace").read_bytes() == whole
    trace.write([item(9)])
    assert list(TraceFile(tmp_path / "trace").all()) == [item(number) for number in range(10)]


def test_the_numbers_that_were_counted_are_known_by_their_runs(tmp_path: Path) -> None:
    trace = TraceFile(tmp_path / "trace")
    trace.write([item(number) for number in (1, 2, 4, 5, 8, 7, 6, 12)])
    assert TraceFile(tmp_path / "trace").numbers() == [range(1, 3), range(4, 9), range(12, 13)]


@given(st.sets(st.integers(1, 60), min_size=1), st.integers(1, 7))
def test_runs_count_the_same_holes_as_one_number_after_another(numbers: set[int], size: int) -> None:
    given_ = sorted(numbers)
    parts = [given_[at : at + size] for at in range(0, len(given_), size)]
    counted = Numbers(10.0)
    for run in _merged([run for part in parts for run in _runs(part)]):
        counted.skip(run, 0.0)
    one_by_one = Numbers(10.0, given_, now=0.0)
    assert counted.pending(5.0) == one_by_one.pending(5.0)
    assert counted.lost(20.0) == one_by_one.lost(20.0)
    assert [counted.awaits(n) for n in range(1, 70)] == [one_by_one.awaits(n) for n in range(1, 70)]

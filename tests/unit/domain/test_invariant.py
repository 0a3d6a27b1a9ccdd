"""Invariants: what is broken, what is only not known, and that users may add what they like."""

import pytest

from tminus.domain.canonical import JsonValue
from tminus.domain.expectation import parse
from tminus.domain.invariant import EVERY, Broken, Invariant, broken, declared, every, floors
from tminus.errors import InconclusiveError

ROWS = Invariant("rows", "SELECT count(*) FROM archive", None)
ORPHANS = Invariant("orphans", "SELECT count(*) FROM ledger", parse("== 0"))
SONG = Invariant("canaries", "SELECT digest", parse(f"is {'ab' * 32}"))
ALL = (ROWS, ORPHANS, SONG)
WHOLE: dict[str, JsonValue] = {"rows": 100, "orphans": 0, "canaries": "ab" * 32}


def test_nothing_is_broken_while_all_is_as_expected() -> None:
    assert broken(ALL, WHOLE, floors(ALL, WHOLE)) == ()


def test_a_floor_bears_rows_that_are_added_and_none_that_is_missing() -> None:
    floor = floors(ALL, WHOLE)
    assert broken(ALL, {**WHOLE, "rows": 1_000_000}, floor) == ()
    assert broken(ALL, {**WHOLE, "rows": 99}, floor) == (Broken("rows", ">= 100, as before the shift", "99"),)


def test_a_floor_that_was_never_read_is_not_judged() -> None:
    assert broken((ROWS,), {"rows": 0}, {}) == ()


def test_what_is_expected_and_what_was_found_are_told() -> None:
    found = broken(ALL, {**WHOLE, "orphans": 1234, "canaries": "cd" * 32}, {})
    assert [str(one) for one in found] == [
        "orphans: found 1,234, expected == 0",
        "canaries: found cdcdcdcdcdcd…, expected is abababababab…",
    ]
    assert found[0].data() == {"invariant": "orphans", "expected": "== 0", "found": "1,234"}


def test_rows_that_are_all_gone_are_damage_and_no_lack_of_data() -> None:
    assert broken((SONG,), {"canaries": None}, {}) == (Broken("canaries", "is abababababab…", "nothing"),)


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({**WHOLE, "rows": "many"}, "rows"),
        ({**WHOLE, "orphans": "none"}, "orphans"),
        ({**WHOLE, "rows": None}, "rows"),
    ],
)
def test_a_value_that_cannot_be_compared_proves_nothing(values: dict[str, JsonValue], name: str) -> None:
    with pytest.raises(InconclusiveError, match=name):
        broken(ALL, values, {"rows": 100})


def test_only_floors_are_read_before_the_shift() -> None:
    assert floors(ALL, WHOLE) == {"rows": 100}


def test_a_trigger_declares_its_invariants_and_its_turn() -> None:
    rows: JsonValue = {"name": "rows", "query": ROWS.query, "expect": "", "floor": True}
    orphans: JsonValue = {"name": "orphans", "query": ORPHANS.query, "expect": "== 0", "floor": False}
    trigger: dict[str, JsonValue] = {"id": "trig.corruption", "every": "2s", "invariants": [rows, orphans]}
    assert declared(trigger) == (ROWS, ORPHANS)
    assert every(trigger) == 2.0


def test_a_trigger_without_invariants_declares_none_and_looks_once_a_minute() -> None:
    assert declared({"id": "trig.corruption", "invariants": []}) == ()
    assert every({"every": ""}) == EVERY == 60.0

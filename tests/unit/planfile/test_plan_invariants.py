"""What a plan may say of its data, and what is told when nobody could look at it or it could never be broken."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.domain.invariant import declared, every
from tminus.planfile import parse

CORRUPTION = """\
  - id: trig.corruption
    text: Data corruption detected
    source: invariant queries
    action: roll back
    system: store
    every: 10s
    invariants:
      - {name: rows, query: SELECT count(*) FROM archive, floor: true}
      - {name: orphans, query: SELECT count(*) FROM ledger, expect: == 0}
"""
TEXT = (
    small_plan.SMALL.replace(
        "roles:", '  store: {kind: postgres, real: true, address: "env:STORE"}\nroles:', 1
    )
    + CORRUPTION
)


def told(old: str, new: str) -> list[str]:
    assert TEXT.count(old) == 1, old
    return small_plan.problems(TEXT.replace(old, new))


def test_invariants_are_data_of_the_plan() -> None:
    plan, found = parse(TEXT)
    assert not found
    assert plan is not None
    trigger = plan.triggers[-1]
    assert [one.name for one in declared(trigger)] == ["rows", "orphans"]
    assert every(trigger) == 10.0


def test_they_are_part_of_what_is_signed() -> None:
    one, _ = parse(TEXT)
    other, _ = parse(TEXT.replace("== 0", "== 1"))
    assert one is not None
    assert other is not None
    assert one.digest != other.digest


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("    system: store\n", "", "names a system of kind postgres; write one of store"),
        ("system: store", "system: website", "names a system of kind postgres; write one of store"),
        ("every: 10s", "every: often", "often"),
        ("every: 10s", "every: 0s", "looks too often; write 1s or more"),
        (", floor: true", "", "rows: write `expect: …` or `floor: true`, one of the two"),
        (
            "floor: true",
            "floor: true, expect: == 1",
            "rows: write `expect: …` or `floor: true`, one of the two",
        ),
        ("expect: == 0", "expect: '>= 0'", "'>= 0' cannot fail"),
        ("expect: == 0", "expect: none", "is no expectation"),
        ("name: orphans", "name: rows", "the name 'rows' stands twice"),
        ("name: orphans", "name: ''", "`name` is empty"),
        ("query: SELECT count(*) FROM ledger", "query: ' '", "`query` is empty"),
        ("query: SELECT count(*) FROM ledger, ", "", "`query` is missing"),
        ("floor: true", "flor: true", "`flor` is no key here; did you mean 'floor'"),
        ("id: trig.corruption", "id: trig.latency", "only trig.corruption looks at data"),
    ],
)
def test_what_nobody_could_look_at_is_told_with_its_line(old: str, new: str, problem: str) -> None:
    found = told(old, new)
    assert any(problem in sentence for sentence in found), found
    first = small_plan.line_of(TEXT, "trig.corruption")
    assert all(int(sentence.partition(":")[0]) >= first for sentence in found)


def test_a_turn_without_invariants_is_told() -> None:
    bare = TEXT[: TEXT.index("    invariants:")]
    assert any("write `invariants: …`" in sentence for sentence in small_plan.problems(bare))

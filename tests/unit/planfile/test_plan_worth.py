"""A plan that demands nothing is no plan: no lines never pass, and production looks, signs and guards."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.small_plan import SMALL, problems
else:
    from small_plan import SMALL, problems

_REAL = (
    re.sub(r"omitted:\n(?:  .*\n)+", "", SMALL)
    .replace("production: false", "production: true")
    .replace("simulated: true, ", "")
)


def test_a_production_plan_that_looks_signs_and_guards_is_right() -> None:
    assert problems(_REAL) == []


def test_no_lines_never_pass() -> None:
    empty = re.sub(r"checks:\n(?:  .*\n)+", "checks:\n  Readiness: []\n", SMALL)

    assert ["no lines never pass" in problem for problem in problems(empty)] == [True]


def test_a_production_plan_looks_at_the_system_before_t0() -> None:
    advisory = _REAL.replace(
        "      owner: devops\n      probe", "      owner: devops\n      severity: advisory\n      probe"
    )

    assert ["no required line is observed" in problem for problem in problems(advisory)] == [True]


def test_a_production_plan_is_signed() -> None:
    unsigned = re.sub(r"    - \{id: sign\.devops.*\n", "", _REAL)

    assert ["nobody signs this production plan" in problem for problem in problems(unsigned)] == [True]


def test_a_production_plan_can_be_rolled_back() -> None:
    careless = re.sub(r"triggers:\n(?:  .*\n)+", "triggers: []\n", _REAL)

    assert ["nothing rolls" in problem for problem in problems(careless)] == [True]


def test_a_production_plan_watches_every_rung() -> None:
    hasty = _REAL.replace("weight: 10, watch: 20s", "weight: 10, watch: 0s")

    assert ["10 % is not watched" in problem for problem in problems(hasty)] == [True]

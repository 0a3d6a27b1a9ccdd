"""Keys that came later, `environment` and `steady`: a plan without them is the plan that it was."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.small_plan import SMALL, problems
else:
    from small_plan import SMALL, problems

from tminus.domain.plan import Plan
from tminus.planfile import parse


def plan(text: str) -> Plan:
    found, told = parse(text)
    assert found is not None, told
    return found


def test_a_plan_may_say_where_it_is_launched_and_keeps_its_digest_where_it_does_not() -> None:
    said = plan(f"environment: shop-eu.staging\n{SMALL}")
    assert (said.environment, plan(SMALL).environment) == ("shop-eu.staging", "")
    assert plan(f'environment: ""\n{SMALL}').digest == plan(SMALL).digest != said.digest


@pytest.mark.parametrize("name", ["../etc", "two words", "-x", "a" * 64, "für"])
def test_a_name_that_could_not_stand_in_a_launch_s_own_is_a_problem_with_its_line(name: str) -> None:
    (told,) = problems(f'environment: "{name}"\n{SMALL}')
    assert told.startswith("1: ")
    assert "is no name of an environment" in told


def test_a_plan_may_ask_for_steady_lines_and_keeps_its_digest_where_it_does_not() -> None:
    said = plan(f"{SMALL}decision: {{steady: 5min}}\n")
    assert (said.steady_seconds, plan(SMALL).steady_seconds) == (300.0, 0.0)
    assert plan(f"{SMALL}decision: {{steady: 0s}}\n").digest == plan(SMALL).digest != said.digest
    (told,) = problems(f"{SMALL}decision: {{steady: soon}}\n")
    assert "soon" in told

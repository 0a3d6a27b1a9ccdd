"""What a plan says about its own lines."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tminus.domain.plan import Kind, next_by_id

if TYPE_CHECKING:
    from tests.unit.launch_world import CHECKS, PLAN
else:
    from launch_world import CHECKS, PLAN


def test_omitted_lines_are_counted() -> None:
    assert (PLAN.total, PLAN.left_out) == (len(CHECKS) + 2, 2)
    assert replace(PLAN, omitted=()).left_out == 0


def test_a_line_is_found_by_its_id() -> None:
    assert PLAN.check("bk.db").act == "back up"
    with pytest.raises(KeyError, match=r"bk\.none"):
        next_by_id(CHECKS, "bk.none")


def test_steps_and_signatures_are_not_observed_at_a_milestone() -> None:
    assert PLAN.due(0.0) == ()
    assert [check.id for check in PLAN.due(3600.0)] == ["ok.err", "ok.logs"]
    assert PLAN.due(14400.0) == ()


def test_go_judges_what_is_due_before_t_0_without_the_poll_s_own_lines() -> None:
    early = replace(PLAN.check("sign.devops"), due=-60.0)
    plan = replace(PLAN, checks=(*CHECKS, early))
    assert [check.id for check in plan.before_go()] == [
        "cfg.env",
        "rb.authority",
        "t2.maint",
        "bk.db",
        "t2.backup",
    ]
    assert all(check.kind is not Kind.SIGNATURE for check in plan.before_go())

"""What a rung lacks before the next one, in words that say how much was seen of how much."""

from dataclasses import replace
from pathlib import Path

import pytest

import tminus.demo
from tminus.domain.plan import Rollout, Rung
from tminus.domain.rollout import Share
from tminus.domain.sufficiency import lacking, rungs
from tminus.planfile import read

ENOUGH = Share(10, 100, 1000, 0.08, 0.12)
RUNG = Rung(10, 20.0, 100)
PLAN = Path(tminus.demo.__file__).parent / "demo.yaml"


def test_a_rung_with_its_requests_its_share_and_its_traffic_lacks_nothing() -> None:
    assert lacking(ENOUGH, RUNG, 5.0, 5.0) == ""
    assert lacking(ENOUGH, RUNG, 0.0, 0.0) == "", "a plan that asks for no traffic"


@pytest.mark.parametrize(
    ("share", "seen", "words"),
    [
        (ENOUGH, 1.24, "1.2 of the 5 requests a second that the plan asks for, over 30 s"),
        (Share(10, 99, 1000, 0.08, 0.12), 5.0, "99 of 100 requests on green"),
        (
            Share(10, 200, 1000, 0.08, 0.12),
            5.0,
            "20.00% of 1,000 requests went to green, where 10 % explains",
        ),
        (Share(10, 0, 0, 0.0, 1.0), 5.0, "0 of 100 requests on green; no request was routed by this weight"),
    ],
)
def test_what_is_lacking_is_said_with_its_figures(share: Share, seen: float, words: str) -> None:
    assert words in lacking(share, RUNG, seen, 5.0)


def test_no_request_at_all_is_never_enough_whatever_the_plan_says() -> None:
    assert lacking(Share(0, 0, 0, 0.0, 1.0), Rung(0, 1.0, 0), 0.0, 0.0)


def test_traffic_is_waited_for_before_the_first_rung_where_the_plan_asks_for_it() -> None:
    plan = read(PLAN)
    alone = replace(plan, rollout=Rollout((RUNG,), 1.0))
    assert rungs(alone) == (RUNG,)
    for waits in (
        replace(plan, rollout=Rollout((RUNG,), 1.0, 5.0)),
        replace(alone, target={"kind": "kubernetes"}),
    ):
        first, second = rungs(waits)
        assert (first.percent, second) == (0, RUNG)

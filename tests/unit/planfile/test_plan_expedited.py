"""The block `expedited` of a plan's file: the shorter form, and everything that may be wrong with it."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.small_plan import SHORT_FORM, SMALL, problems
else:
    from small_plan import SHORT_FORM, SMALL, problems

from tminus.domain.plan import Omission, Shortened
from tminus.planfile import parse


def wrong(old: str, new: str, plan: str = SMALL) -> list[str]:
    assert SHORT_FORM.count(old) == 1, old
    return [one.partition(": ")[2] for one in problems(plan + SHORT_FORM.replace(old, new))]


def test_a_plan_may_declare_a_shorter_form() -> None:
    plan, found = parse(SMALL + SHORT_FORM)
    assert plan is not None, found
    assert plan.expedited == Shortened(
        (Omission(("team.ready", "all.ready"), "nobody is asked"),), {-7200.0: -1800.0}
    )


def test_a_plan_without_one_keeps_its_digest() -> None:
    plan, _ = parse(SMALL)
    named, _ = parse(SMALL + "expedited:\n")
    short, _ = parse(SMALL + SHORT_FORM)
    assert plan is not None
    assert named is not None
    assert short is not None
    assert plan.expedited is None
    assert plan.digest == named.digest != short.digest


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "[team.ready, all.ready]",
            "[site.up, team.ready]",
            "all.ready is made of site.up, which is left out",
        ),
        ("[team.ready, all.ready]", "[team.redy]", "'team.redy' is no line of this plan"),
        ("[team.ready, all.ready]", "[t0.smoke]", "t0.smoke is a blocker; no launch leaves it out"),
        ("[team.ready, all.ready]", "[sign.devops]", "sign.devops is not judged by GO"),
        ("[team.ready, all.ready]", "[all.ready, all.ready]", "all.ready stands twice"),
        ("[team.ready, all.ready]", "[site.up, team.ready, all.ready]", "GO would be judged by nothing"),
        ("{T-2h: T-30min}", "{T-3h: T-30min}", "T-3h is no milestone of this plan before T-0"),
        ("{T-2h: T-30min}", "{T-2h: T-4h}", "T-2h can only come later, and before T-0"),
        ("{T-2h: T-30min}", "{T-2h: T+1h}", "T-2h can only come later, and before T-0"),
        ("{T-2h: T-30min}", "{T-2h: soon}", "soon"),
    ],
)
def test_what_is_wrong_with_it_is_told(old: str, new: str, words: str) -> None:
    assert any(words in one for one in wrong(old, new)), wrong(old, new)


def test_one_that_shortens_nothing_is_refused() -> None:
    found = problems(SMALL + "expedited: {omitted: [], milestones: {}}\n")
    assert any("leaves nothing out and moves nothing" in one for one in found), found


def test_milestones_keep_their_order() -> None:
    plan = SMALL.replace("milestones: [T-2h,", "milestones: [T-2h, T-1h,")
    assert any("keep their order" in one for one in wrong("{T-2h: T-30min}", "{T-2h: T-30min}", plan)) is True

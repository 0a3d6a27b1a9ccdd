"""A person's half of the review of dashboards, as the built-in plan has that line: whose word counts, and when."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tminus.domain.course import Course
from tminus.domain.decision import standing
from tminus.domain.orders import BEFORE_GO, MAY, Act
from tminus.domain.permission import RULES, Deed, Matter, permit
from tminus.domain.plan import Role
from tminus.domain.rollout import State
from tminus.domain.words import Attestation, attested_claim, attested_words
from tminus.errors import OutOfSequenceError, RefusedError
from tminus.planfile import load

if TYPE_CHECKING:
    from tests.integration.line_register import line
else:
    from line_register import line

BUILT_IN = load("production").plan
assert BUILT_IN is not None
REVIEW = BUILT_IN.check("t1.dash")
DEVOPS = Role("devops", "DevOps Lead", "Dario Voss", simulated=False, signs=True)
LEAD = Role("lead", "Deployment Lead", "Lena Ortiz", simulated=False, decides=True)
PLAN = replace(BUILT_IN, roles=(DEVOPS, LEAD))
T0 = 1_800_000_000.0
BEGUN = {State.LAUNCHING, State.SOAKING}
WORD = Attestation(
    "shop-1",
    "t1.dash",
    "devops",
    "Dario Voss",
    holds=True,
    statement="all four looked well",
    version=1,
    signed_at="",
)


def course(state: State) -> Course:
    return Course(state, T0, T0, 1.0, T0 - 86_400)


def attest(state: State, role: Role = DEVOPS) -> None:
    permit(Deed.ATTEST, course(state), PLAN, role, Matter(REVIEW))


@line("t1.dash", "failed", "whoever answers for it wrote that a panel looks wrong", mutation=432)
def test_a_panel_that_looks_wrong_to_a_person_fails_it_by_their_name_and_words() -> None:
    word = replace(WORD, holds=False, statement="the panel of errors climbs since ten to")
    assert attested_claim(word, None, blocker=False)["verdict"] == "failed"
    assert attested_words(word, None, blocker=False)["why"] == f"Dario Voss: {word.statement}"


@line("t1.dash", "failed", "the dashboards were looked at before T-0: nobody may say so then", mutation=428)
@pytest.mark.parametrize("state", sorted(RULES[Deed.ATTEST].states - BEGUN))
def test_who_looked_before_t_0_has_not_looked_at_what_was_launched(state: State) -> None:
    with pytest.raises(OutOfSequenceError, match=r"t1\.dash is about what follows T-0, and the launch"):
        attest(state)


@line(
    "t1.dash",
    "failed",
    "another date was set after the review: neither can come before the other",
    mutation=427,
)
def test_no_word_for_it_can_be_there_when_the_date_changes() -> None:
    assert not MAY[Act.RESCHEDULE] & BEGUN
    assert MAY[Act.RESCHEDULE] <= BEFORE_GO | {State.POSTPONED}
    for state in MAY[Act.RESCHEDULE] & RULES[Deed.ATTEST].states:
        with pytest.raises(OutOfSequenceError):
            attest(state)


@line("t1.dash", "failed", "one person's word was given by another", mutation=433)
@pytest.mark.parametrize("state", sorted(BEGUN))
def test_nobody_says_it_for_whoever_answers_for_it(state: State) -> None:
    attest(state)
    with pytest.raises(RefusedError, match=r"Lena Ortiz as lead may not attest") as refused:
        attest(state, LEAD)
    assert "Dario Voss as devops" in refused.value.hint


@line("t1.dash", "inconclusive", "nobody has said yet that they looked", mutation=436)
def test_it_is_not_green_while_nobody_has_said_that_they_looked() -> None:
    assert REVIEW.due == 3600.0
    assert standing(REVIEW, None, T0 + 3600.0) == "pending"

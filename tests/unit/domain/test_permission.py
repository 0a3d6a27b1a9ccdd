"""Which act makes sense when, and whose it is: every cell of the table, and what a refusal says."""

from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.courses import PLAN, T0
else:
    from courses import PLAN, T0

from tminus.domain.course import Course
from tminus.domain.orders import MAY, Act
from tminus.domain.permission import RULES, Deed, Matter, Who, could, permit
from tminus.domain.plan import Plan, Role
from tminus.domain.rollout import ENDS, State
from tminus.errors import OutOfSequenceError, RefusedError

ROLES = (
    Role("lead", "Deployment Lead", "Lena Ortiz", simulated=False, decides=True),
    Role("devops", "DevOps Lead", "Dario Voss", simulated=False, signs=True),
    Role("qa", "QA Lead", "Quentin Mbeki", simulated=False, signs=True),
    Role("oncall", "On-call", "Olga Reyes", simulated=False),
    Role("backup", "Backups", "dario  voss", simulated=False),
)
PEOPLE: Plan = replace(PLAN, roles=ROLES)
LINE = PLAN.check("site.up")
"""Owned by devops."""
ABOUT = {
    Deed.ATTEST: Matter(LINE),
    Deed.CONFIRM: Matter(LINE, "Dario Voss"),
    Deed.REQUEST: Matter(LINE),
    Deed.APPROVE: Matter(LINE, "Olga Reyes"),
    Deed.ACKNOWLEDGE: Matter(LINE),
    Deed.DELEGATE: Matter(),
    Deed.EXPEDITE: Matter(),
    Deed.SECOND: Matter(None, "Dario Voss"),
    Deed.SIGN: Matter(),
    Deed.GO: Matter(),
    Deed.NO_GO: Matter(),
}
COULD = {
    Deed.ATTEST: {"devops"},
    Deed.CONFIRM: {"lead", "qa", "oncall"},
    Deed.REQUEST: {"lead", "devops", "qa", "oncall", "backup"},
    Deed.APPROVE: {"lead", "qa"},
    Deed.ACKNOWLEDGE: {"lead", "qa"},
    Deed.DELEGATE: {"lead", "devops", "qa", "oncall", "backup"},
    Deed.EXPEDITE: {"lead", "devops", "qa", "oncall", "backup"},
    Deed.SECOND: {"lead", "qa"},
    Deed.SIGN: {"devops", "qa"},
    Deed.GO: {"lead"},
    Deed.NO_GO: {"lead"},
}
"""Written out by hand, so that the table is compared with what was meant."""


def course(state: State) -> Course:
    return Course(state, T0, T0, 1.0, T0 - 86_400)


@pytest.mark.parametrize(("deed", "role", "state"), [*product(Deed, ROLES, State)])
def test_nothing_is_allowed_that_the_table_forbids_and_every_refusal_says_who_or_when(
    deed: Deed, role: Role, state: State
) -> None:
    in_time, able = state in RULES[deed].states, role.id in COULD[deed]
    if in_time and able:
        permit(deed, course(state), PEOPLE, role, ABOUT[deed])
        return
    with pytest.raises(RefusedError) as caught:
        permit(deed, course(state), PEOPLE, role, ABOUT[deed])
    assert isinstance(caught.value, OutOfSequenceError) == (not in_time)
    if in_time:
        assert role.person in str(caught.value)
        assert all(f"as {name}" in caught.value.hint for name in COULD[deed])
    else:
        assert all(one in caught.value.hint for one in RULES[deed].states)


def test_the_table_names_every_deed_and_no_end_of_a_launch() -> None:
    assert set(RULES) == set(Deed) == set(COULD)
    assert not any(rule.states & ENDS for rule in RULES.values())
    assert RULES[Deed.NO_GO].states == MAY[Act.NO_GO]
    assert {rule.who for rule in RULES.values()} == set(Who)


@pytest.mark.parametrize("state", sorted(RULES[Deed.ATTEST].states))
def test_what_follows_t_0_is_said_once_the_launch_has_begun(state: State) -> None:
    about = Matter(replace(LINE, due=3600.0))
    if state in {State.LAUNCHING, State.SOAKING}:
        permit(Deed.ATTEST, course(state), PEOPLE, ROLES[1], about)
        return
    with pytest.raises(OutOfSequenceError, match="is about what follows T-0") as refused:
        permit(Deed.ATTEST, course(state), PEOPLE, ROLES[1], about)
    assert "once the launch has begun" in refused.value.hint


def test_nobody_acts_on_a_launch_that_is_on_its_way_back() -> None:
    back = replace(course(State.SOAKING), leaving=State.ABORTED)
    with pytest.raises(OutOfSequenceError, match="on its way to be aborted"):
        permit(Deed.ATTEST, back, PEOPLE, ROLES[1], Matter(LINE))


def test_one_person_in_two_roles_is_one_person() -> None:
    """The other name of the line's owner, typed otherwise, neither confirms nor approves."""
    assert ROLES[4] not in could(Deed.CONFIRM, PEOPLE, ABOUT[Deed.CONFIRM])
    signing = replace(PEOPLE, roles=(*ROLES[:4], replace(ROLES[4], signs=True)))
    assert {role.id for role in could(Deed.APPROVE, signing, Matter(LINE, "Olga Reyes"))} == {"lead", "qa"}
    assert {role.id for role in could(Deed.APPROVE, PEOPLE, Matter(LINE, "Quentin Mbeki"))} == {"lead"}


def test_only_whom_the_launch_has_named_confirms_and_only_they_are_named() -> None:
    about = Matter(None, "Dario Voss", "qa")
    assert {role.id for role in could(Deed.SECOND, PEOPLE, about)} == {"qa"}
    with pytest.raises(RefusedError) as caught:
        permit(Deed.SECOND, course(State.COUNTING), PEOPLE, ROLES[0], about)
    assert caught.value.hint == "who could: Quentin Mbeki as qa"


def test_where_nobody_could_the_refusal_says_so() -> None:
    alone = replace(PEOPLE, roles=ROLES[1:2])
    with pytest.raises(RefusedError) as caught:
        permit(Deed.CONFIRM, course(State.COUNTING), alone, ROLES[1], ABOUT[Deed.CONFIRM])
    assert caught.value.hint == "who could: nobody of this plan"

"""Which act of people makes sense in which state of a launch, and whose it is: one table.

Who may is known before the act: a refusal says why, and who could. That the act is really this person's is for keys and
the trust root to show.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tminus.domain.course import Course
from tminus.domain.orders import BEFORE_GO, MAY, Act, stands
from tminus.domain.people import alike
from tminus.domain.plan import Check, Plan, Role
from tminus.domain.rollout import State
from tminus.errors import OutOfSequenceError, RefusedError


class Deed(StrEnum):
    """What a person does in their own name, with their own key."""

    ATTEST = "attest"
    """Say how a line stands."""
    CONFIRM = "confirm"
    """Say the same as a second person, for a blocker."""
    REQUEST = "request a waiver"
    APPROVE = "approve a waiver"
    ACKNOWLEDGE = "acknowledge a warning"
    """Say why a blocker may go although it is warned."""
    DELEGATE = "delegate a role"
    """Name another person who acts for one's role in this launch."""
    EXPEDITE = "ask for an expedited launch"
    """Have a launch take the plan's shorter form."""
    SECOND = "confirm an expedited launch"
    """Say so as the second person."""
    SIGN = "sign"
    """Say go or no-go for a role."""
    GO = "decide GO"
    NO_GO = "decide NO-GO"


class Who(StrEnum):
    """Whose an act is."""

    OWNER = "the line's owner"
    ANOTHER = "anybody of the plan but who attested it"
    ANYBODY = "anybody of the plan"
    BACKER = "whoever signs or decides, but not who asked for it"
    JUDGE = "whoever signs or decides, but neither who requested it nor the line's owner"
    HOLDER = "whom the plan names for the role"
    SIGNER = "the role's own person, where the role signs"
    DECIDER = "a role that decides"


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table."""

    who: Who
    states: frozenset[State]


_WATCHED = BEFORE_GO | {State.GO, State.LAUNCHING, State.SOAKING}
"""While lines are looked at; some fall due after T-0."""

_BEGUN = frozenset({State.LAUNCHING, State.SOAKING})
"""When somebody can have seen what a line says that falls due after T-0."""

RULES: Mapping[Deed, Rule] = {
    Deed.ATTEST: Rule(Who.OWNER, _WATCHED),
    Deed.CONFIRM: Rule(Who.ANOTHER, _WATCHED),
    Deed.REQUEST: Rule(Who.ANYBODY, BEFORE_GO),
    Deed.APPROVE: Rule(Who.JUDGE, BEFORE_GO),
    Deed.ACKNOWLEDGE: Rule(Who.JUDGE, BEFORE_GO),
    Deed.DELEGATE: Rule(Who.HOLDER, frozenset({State.COUNTING})),
    Deed.EXPEDITE: Rule(Who.ANYBODY, BEFORE_GO),
    Deed.SECOND: Rule(Who.BACKER, BEFORE_GO),
    Deed.SIGN: Rule(Who.SIGNER, frozenset({State.POLLING})),
    Deed.GO: Rule(Who.DECIDER, frozenset({State.POLLING})),
    Deed.NO_GO: Rule(Who.DECIDER, MAY[Act.NO_GO]),
}
"""Every act of people that is signed."""


@dataclass(frozen=True, slots=True)
class Matter:
    """What an act is about, as far as it says whose it is."""

    check: Check | None = None
    """The line, for an act about one."""
    not_by: str = ""
    """The person whose word another is needed for: who attested, or who requested."""
    named: str = ""
    """The only role that may, where the launch has named one."""


def could(deed: Deed, plan: Plan, matter: Matter) -> tuple[Role, ...]:
    """The roles whose person may do this."""
    named = [role for role in plan.roles if matter.named in {"", role.id}]
    return tuple(role for role in named if _allowed(RULES[deed].who, role, plan, matter))


def permit(deed: Deed, course: Course, plan: Plan, role: Role, matter: Matter) -> None:
    """Raise unless this role's person may do this now.

    `OutOfSequenceError` says where the launch stands, `RefusedError` who could.
    """
    rule = RULES[deed]
    if course.over or course.leaving or course.phase not in rule.states:
        when = ", ".join(sorted(rule.states))
        raise OutOfSequenceError(
            f"{deed} makes no sense now: the launch {stands(course)}", hint=f"it makes sense in: {when}"
        )
    if (
        deed is Deed.ATTEST
        and matter.check is not None
        and matter.check.due > 0
        and course.phase not in _BEGUN
    ):
        raise OutOfSequenceError(
            f"{matter.check.id} is about what follows T-0, and the launch {stands(course)}",
            hint="say it once the launch has begun and you have looked",
        )
    able = could(deed, plan, matter)
    if role not in able:
        names = ", ".join(f"{one.person} as {one.id}" for one in able) or "nobody of this plan"
        whose = "whom the launch has named" if matter.named else rule.who
        raise RefusedError(
            f"{role.person} as {role.id} may not {deed}: that is for {whose}", hint=f"who could: {names}"
        )


def _allowed(who: Who, role: Role, plan: Plan, matter: Matter) -> bool:
    if who is Who.HOLDER:
        return not role.simulated
    if who is Who.SIGNER:
        return role.signs
    if who is Who.DECIDER:
        return role.decides
    if who is Who.OWNER:
        return matter.check is not None and role.id == matter.check.owner
    if matter.not_by and alike(matter.not_by) == alike(role.person):
        return False
    return who not in {Who.BACKER, Who.JUDGE} or (
        (role.signs or role.decides) and not _owns(role, plan, matter)
    )


def _owns(role: Role, plan: Plan, matter: Matter) -> bool:
    """Whether the line is this person's own, in whichever of their roles."""
    if matter.check is None:
        return False
    owners = {alike(one.person) for one in plan.roles if one.id == matter.check.owner}
    return alike(role.person) in owners

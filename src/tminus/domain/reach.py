"""How people are reached: by which channel and where, as the plan says it. Simulated people never are."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from tminus.domain.plan import Plan, Role


class Channel(StrEnum):
    """A way to tell people."""

    MAIL = "mail"
    SLACK = "slack"
    PAGER = "pager"
    """Wakes whoever is on call; it is told of holds of the rollout and of nothing else."""


@dataclass(frozen=True, slots=True, order=True)
class Address:
    """One place where people are told."""

    channel: Channel
    at: str
    """A mail address; of a chat the reference to its webhook, never the webhook itself, which is a secret."""


@dataclass(frozen=True, slots=True)
class Unreached:
    """A role to which no message can be sent, and why."""

    role: str
    person: str
    why: str


_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_MAIL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_LONGEST = 254
"""Characters of a mail address: RFC 5321."""


def is_mail(text: str) -> bool:
    """Whether this is one mail address and nothing more; a line end in it would begin another header."""
    return len(text) <= _LONGEST and _MAIL.fullmatch(text) is not None


def ways(plan: Plan, role: Role) -> tuple[Address, ...]:
    """Where whoever holds a role is told; nowhere for a simulated person."""
    if role.simulated:
        return ()
    found = []
    if plan.notify.mail and is_mail(role.email):
        found.append(Address(Channel.MAIL, role.email))
    if hook := role.slack or plan.notify.slack:
        found.append(Address(Channel.SLACK, hook))
    return tuple(found)


def on_call(plan: Plan) -> tuple[Address, ...]:
    """Where those on call are woken; nowhere where the plan names no pager."""
    return (Address(Channel.PAGER, plan.notify.pager),) if plan.notify.pager else ()


def unreached(plan: Plan, handed: Collection[str] = ()) -> tuple[Unreached, ...]:
    """The roles of a plan that nobody can tell anything, in their order; `handed` are those that were delegated."""
    return tuple(
        Unreached(role.id, role.person, _why(plan, role, handed=role.id in handed))
        for role in plan.roles
        if not ways(plan, role)
    )


def _why(plan: Plan, role: Role, *, handed: bool) -> str:
    if role.simulated:
        return "simulated: nobody is there to be told"
    if not plan.notify.mail:
        return "the plan names neither a mail server nor a chat"
    if handed:
        return f"{role.person} acts for this role, and the delegation says no mail address"
    return "the plan has no mail address and no chat for this role"

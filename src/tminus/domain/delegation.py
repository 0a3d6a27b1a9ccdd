"""Another person for a role of one launch, named by who holds it before the poll, a day before T-0 at the latest."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tminus.domain import fields
from tminus.domain.attestation import Json
from tminus.domain.canonical import canonical, instant, timestamp
from tminus.domain.people import alike
from tminus.domain.plan import Plan, Role
from tminus.domain.policy import Opened
from tminus.domain.reach import is_mail
from tminus.domain.record import Event
from tminus.domain.report import SignedStatement
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.domain.words import Delegation, read_word, row_of, word_statement
from tminus.errors import RecordError

DELEGATED = "role.delegated"
"""From here on another person acts for a role; the one whom the plan names takes it back by naming themselves."""
BEFORE = 24 * 3600.0
"""Seconds before T-0, as it was given, until which a role may be delegated; a hold prolongs nothing."""
_HINT = "do not rely on this launch: its record does not prove what it says"


def delegated_row(word: Delegation) -> Json:
    """What a delegation says in the record: all of it but the signature."""
    row: Json = {"role": word.role, "by": word.person, "to": word.to, "because": word.because}
    return row | ({"email": word.email} if word.email else {})


def as_held(plan: Plan, events: Iterable[Event]) -> Plan:
    """The plan with the person who holds each role by now, in its roles and its lines.

    What the plan knows of where a role is told is its own holder's: another one is told where the delegation says.
    """
    given = {fields.text(event.data, "role"): event.data for event in events if event.type == DELEGATED}
    if not given:
        return plan
    to = {role: fields.text(data, "to") for role, data in given.items()}
    return replace(
        plan,
        roles=tuple(_held(role, given[role.id]) if role.id in given else role for role in plan.roles),
        checks=tuple(replace(check, person=to.get(check.owner, check.person)) for check in plan.checks),
    )


def _held(role: Role, data: Mapping[str, object]) -> Role:
    person = fields.text(data, "to")
    email = fields.text(data, "email") if "email" in data else ""
    if alike(person) == alike(role.person):
        return replace(role, person=person, email=email or role.email)
    return replace(role, person=person, email=email, slack="")


def handed(plan: Plan, events: Iterable[Event]) -> frozenset[str]:
    """The roles that another person holds by now than the plan names."""
    named = {role.id: role.person for role in plan.roles}
    return frozenset(
        role.id for role in as_held(plan, events).roles if alike(role.person) != alike(named[role.id])
    )


def latest(schedule: Mapping[str, object]) -> float:
    """The instant, in seconds of the epoch, until which roles of this schedule may be delegated."""
    return instant(fields.text(schedule, "t0")) - BEFORE


def able(trust: TrustRoot, role: str, at: str) -> list[TrustedKey]:
    """The keys of people who could act for a role at this instant."""
    return [
        key
        for key in trust.keys
        if key.kind is KeyKind.PERSON and role in key.roles and key.valid_at(at) and not key.simulated
    ]


def check_delegation(
    event: Event,
    signed: SignedStatement,
    rules: Opened,
    schedule: Mapping[str, object],
    trust: TrustRoot | None,
) -> Delegation:
    """The delegation that an event holds; raises `RecordError` unless it could be given then, by this person."""
    word = read_word(Delegation, fields.table(signed.statement, "predicate"))
    if word.launch != rules.launch:
        raise RecordError(f"signed for launch {word.launch!r}, not for {rules.launch!r}", hint=_HINT)
    if canonical(dict(signed.statement)) != canonical(word_statement(word, rules.digest)):
        raise RecordError("the signed text is not what these words make", hint=_HINT)
    if canonical(row_of(event.data)) != canonical(delegated_row(word)):
        raise RecordError("the delegation is not the one that was signed", hint=_HINT)
    _check_allowed(event, word, rules, schedule)
    if trust is not None and not any(key.name == word.to for key in able(trust, word.role, event.at)):
        raise RecordError(f"the trust root had no key of {word.to} for {word.role}", hint=_HINT)
    return word


def _check_allowed(event: Event, word: Delegation, rules: Opened, schedule: Mapping[str, object]) -> None:
    """Raise `RecordError` unless this person could name this other one then."""
    if rules.people.get(word.role) != word.person:
        named = rules.people.get(word.role, "nobody")
        raise RecordError(
            f"{word.person} delegated {word.role}, for which the plan names {named}", hint=_HINT
        )
    if instant(event.at) > (until := latest(schedule)):
        raise RecordError(f"{word.role} was delegated after T-24h, {timestamp(until)}", hint=_HINT)
    if (other := rules.role_of(word.to)) not in {None, word.role}:
        raise RecordError(f"{word.to} holds {other} already: one role each", hint=_HINT)
    if word.email and not is_mail(word.email):
        raise RecordError(f"{word.email!r} is no mail address", hint=_HINT)


def others(plan: Plan, role: str) -> frozenset[str]:
    """Everybody, as `alike` writes them, who holds another role than this one."""
    return frozenset(alike(one.person) for one in plan.roles if one.id != role)

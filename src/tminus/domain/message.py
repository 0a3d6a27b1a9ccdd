"""What people read when they are told something: a subject that says it all, the lines, and what to type now."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tminus.domain import fields
from tminus.domain.acknowledging import acknowledges, awaited
from tminus.domain.canonical import instant, sha256_hex
from tminus.domain.course import (
    DECIDED,
    GUARDED,
    HELD,
    ORDERED,
    PROPOSED,
    RAISED,
    RESCHEDULED,
    RESUMED,
    STUCK,
    UNPROVEN,
    Course,
)
from tminus.domain.decision import standing
from tminus.domain.evidence import Claim
from tminus.domain.expedition import read_expedited, told
from tminus.domain.notices import ACKNOWLEDGEMENTS, NoticeKind
from tminus.domain.offsets import clock, named
from tminus.domain.paging import awaits_a_person
from tminus.domain.plan import Check, Kind, Plan
from tminus.domain.record import ENDED, OPENED
from tminus.domain.rollout import State
from tminus.domain.telling import Delivery, Telling
from tminus.domain.zones import in_zone

MOST_LINES = 20
"""How many lines of the checklist one message lists."""
_LONGEST_SUBJECT = 160
_LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class Appointment:
    """T-0 as calendars know it: one entry for each launch, moved and taken out under its own name."""

    uid: str
    sequence: int
    """Rises with each change; a calendar keeps the highest."""
    at: float | None
    """T-0 in seconds of the epoch; none where it is taken out."""
    title: str
    told: float
    """When this was said, in seconds of the epoch."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message, ready to be sent."""

    key: str
    """The same whenever it is sent: who gets it twice can see that it is one."""
    address: str
    """As `reach.Address.at` has it."""
    names: tuple[str, ...]
    """The people whom it is for."""
    subject: str
    text: str
    appointment: Appointment | None = None
    incident: str = ""
    """Of a hold of the rollout and of its end: the name under which a pager knows both."""
    resolves: bool = False
    """Whether it tells that the hold is over."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The launch that a message is about, at the moment of writing."""

    launch: str
    environment: str
    plan: Plan
    course: Course
    claims: Mapping[str, Claim]
    now: float


def message(about: Standing, delivery: Delivery) -> Message:
    """The message that this delivery is."""
    telling = delivery.telling
    roles = [role for role in about.plan.roles if role.id in delivery.roles]
    whom = ", ".join(f"{role.title} ({role.person})" for role in roles) or "whoever is on call"
    body = [*_head(about), "", *_said(about, telling), "", "What to do now:", *_acts(about, telling)]
    body += ["", f"This is for {whom}. It is message {delivery.key[:12]} of launch control."]
    subject = " ".join(f"[tminus] {about.environment}: {_subject(about, telling)}".split())
    return Message(
        key=sha256_hex(f"{about.launch}\n{delivery.key}".encode())[:32],
        address=delivery.address.at,
        names=tuple(dict.fromkeys(role.person for role in roles)),
        subject=subject if len(subject) <= _LONGEST_SUBJECT else f"{subject[: _LONGEST_SUBJECT - 1]}…",
        text="\n".join(body) + "\n",
        appointment=_appointment(about, telling),
        incident=_incident(about, telling),
        resolves=telling.over,
    )


def _incident(about: Standing, telling: Telling) -> str:
    return sha256_hex(f"{about.launch}\n{telling.hold.key}".encode())[:32] if telling.hold else ""


def _head(about: Standing) -> Iterator[str]:
    components = ", ".join(about.plan.components)
    yield f"Launch       {about.launch} of {components}, plan {about.plan.name}"
    yield f"Environment  {about.environment}"
    t = about.course.clock(about.now)
    if t is None or about.course.t0 is None:
        yield "Clock        no T-0 is set"
    else:
        stands = ", the clock is held" if about.course.held else ""
        yield f"Clock        {clock(t)}{stands}; T-0 is {_instant(about.course.t0)}"


def _instant(at: float) -> str:
    return in_zone(at, "UTC")


def _count(lines: int) -> str:
    return "1 line" if lines == 1 else f"{lines} lines"


def _subject(about: Standing, telling: Telling) -> str:
    if telling.event.type == RAISED:
        return _subject_of_notice(about, telling)
    return _news(about, telling)


def _subject_of_notice(about: Standing, telling: Telling) -> str:
    checks = _checks(about, telling)
    due, one = named(checks[0].due), len(checks) == 1
    if telling.kind in ACKNOWLEDGEMENTS:
        warned = "1 blocker is warned" if one else f"{len(checks)} blockers are warned"
        return f"{warned}, and GO waits until somebody acknowledges {'it' if one else 'them'}"
    if checks[0].kind is Kind.SIGNATURE:
        return _subject_of_signatures(telling, checks)
    lines = f"{_count(len(checks))} due at {due}"
    if telling.kind == NoticeKind.LATE:
        return f"{lines} {'is' if one else 'are'} late and {'waits' if one else 'wait'} for you"
    if telling.kind == NoticeKind.ESCALATED:
        owners = ", ".join(dict.fromkeys(check.person or check.owner for check in checks))
        return f"{lines} {'is' if one else 'are'} late, with {owners}; you decide"
    return f"{lines} {'waits' if one else 'wait'} for you"


def _subject_of_signatures(telling: Telling, checks: list[Check]) -> str:
    if telling.kind == NoticeKind.ESCALATED:
        who = ", ".join(dict.fromkeys(check.person or check.note for check in checks))
        missing = "1 signature is missing" if len(checks) == 1 else f"{len(checks)} signatures are missing"
        return f"{missing}, of {who}, and the poll ends at T-0"
    if "voided" in telling.event.data:
        return "what you signed has changed: sign again, until T-0"
    if telling.kind == NoticeKind.REMINDER:
        return "your signature is still missing, and the poll ends at T-0"
    return "your signature is asked for, until T-0"


def _checks(about: Standing, telling: Telling) -> list[Check]:
    return [about.plan.check(check) for check in telling.checks]


def _because(telling: Telling) -> str:
    data = telling.event.data if telling.hold is None else telling.hold.data
    told = telling.hold or telling.event.type in {GUARDED, ENDED}
    reason = data.get("reason") or (data.get("text", "") if told else "")
    reason = reason or "; ".join(map(str, fields.texts(data, "reasons") if "reasons" in data else []))
    return str(reason)[:_LONGEST_REASON]


def _t0(about: Standing) -> str:
    return "not set" if about.course.t0 is None else _instant(about.course.t0)


def _news(about: Standing, telling: Telling) -> str:
    """What has happened to the launch."""
    data, before = telling.event.data, telling.before
    if telling.over:
        return "the hold of the rollout is over, and it goes on"
    if telling.kind == STUCK:
        return "THE ROLLBACK FAILS, and users may still meet the release: a person has to act"
    if telling.event.type == GUARDED and telling.kind != UNPROVEN:
        return f"the rollout is held by {data['rule']}: traffic stays where it is"
    # A NO-GO that gave a new date stands in the event before, under the same order.
    no_go = before is not None and before.data.get("id") == data.get("id", "")
    return _NEWS[telling.event.type].format(
        by=data.get("by") or "launch control",
        t0=_t0(about),
        kind=telling.kind,
        word=telling.kind.upper(),
        none="" if telling.kind == "go" else "; there is no new T-0 yet",
        moved="NO-GO" if no_go else "T-0 moved",
    )


_NEWS = {
    OPENED: "a launch is opened, T-0 is {t0}",
    HELD: "clock held by {by}",
    GUARDED: "held, for its record does not verify",
    RESUMED: "clock resumed by {by}, T-0 is now {t0}",
    RESCHEDULED: "{moved} by {by}, T-0 is now {t0}",
    DECIDED: "{word} decided by {by}{none}",
    PROPOSED: "NO-GO, no GO holds; a new T-0 is needed",
    ORDERED: "{kind} ordered by {by}",
    ENDED: "the launch has ended: {kind}",
}
"""By type of event: what has happened to the launch."""


def _said(about: Standing, telling: Telling) -> Iterator[str]:
    if telling.event.type != RAISED:
        yield f"{_capital(_news(about, telling))}."
        if reason := _because(telling):
            yield f"Reason: {reason}"
        if telling.event.type == OPENED and (path := read_expedited(telling.event.data)):
            yield from told(path)
        if telling.event.type == RESCHEDULED:
            yield "Sign-offs, decisions and people's words for the old date are void."
        return
    checks = _checks(about, telling)
    yield f"{_capital(_subject_of_notice(about, telling))}:"
    width = max(len(check.id) for check in checks[:MOST_LINES])
    for check in checks[:MOST_LINES]:
        yield f"  {check.id:<{width}}  {check.text}"
        yield f"  {'':<{width}}  {_state(about, telling, check)}"
    if len(checks) > MOST_LINES:
        yield f"  and {len(checks) - MOST_LINES} more"


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _state(about: Standing, telling: Telling, check: Check) -> str:
    """How a line stands, and what is wanted."""
    if telling.kind in ACKNOWLEDGEMENTS:
        why = about.claims[check.id].why if check.id in about.claims else ""
        return f"warned: {why}; who could acknowledge it: {awaited(about.launch, about.plan, check).who}"
    if check.kind is Kind.SIGNATURE:
        escalated = telling.kind == NoticeKind.ESCALATED
        return f"waits for the signature of {check.person}" if escalated else "waits for your signature"
    if check.kind is Kind.PERSON:
        return f"waits for your word: {check.note}"
    stands = standing(check, about.claims.get(check.id), about.now)
    return f"{stands}: {check.hint}" if check.hint else stands


def _acts(about: Standing, telling: Telling) -> Iterator[str]:
    launch, kind = about.launch, telling.event.type
    if kind == ENDED:
        yield "  nothing; this launch is over"
        return
    yield f"  see where it stands:  tminus status {launch}"
    if kind == RAISED:
        yield from _asked(about, telling)
    if kind == HELD:
        yield f'  let it go on:         tminus resume {launch} --reason "…"'
    if kind == GUARDED or telling.hold is not None:
        yield from _guarded(about, telling)
    if about.course.phase is State.POSTPONED:
        yield f'  give it a date:       tminus reschedule 2026-01-31T14:00:00+01:00 {launch} --reason "…"'
        yield f'  or call it off:       tminus scrub {launch} --reason "…"'
    if telling.event.type == RAISED and telling.kind in {NoticeKind.LATE, NoticeKind.ESCALATED}:
        yield f'  stop the clock:       tminus hold {launch} --reason "…"'


def _guarded(about: Standing, telling: Telling) -> Iterator[str]:
    """What to type about a rollout that launch control, or its guard, holds."""
    launch = about.launch
    if telling.kind == STUCK:
        yield "  all traffic to blue:  what stands above; it needs no tminus, and tminus tries on meanwhile"
    elif telling.hold is not None and not about.course.unproven:
        yield from _held(launch, telling)
    else:
        yield "  if a key lacks there: tminus trust add KEY, on the machine whose worker has the launch"
        yield f'  have it look again:   tminus resume {launch} --reason "…"'
        yield f'  or call it off:       tminus abort {launch} --reason "…"'


def _held(launch: str, telling: Telling) -> Iterator[str]:
    """What to type about a hold of the rollout; nothing where it is over."""
    if telling.over:
        return
    if awaits_a_person(str(telling.event.data["rule"])):
        yield f'  let it go on:         tminus resume {launch} --reason "…"'
    else:
        yield "  nothing, if what is missing comes back: then it goes on by itself"
    yield f'  or go back to blue:   tminus rollback {launch} --reason "…"'


def _asked(about: Standing, telling: Telling) -> Iterator[str]:
    """What a notice asks its role to type, for each line."""
    (role,) = telling.roles
    for check in _checks(about, telling)[:MOST_LINES]:
        if telling.kind in ACKNOWLEDGEMENTS:
            yield f"  acknowledge it:       {acknowledges(about.launch, check.id, role)}"
        elif check.kind is Kind.SIGNATURE and telling.kind != NoticeKind.ESCALATED:
            yield f"  sign:                 tminus sign {about.launch} go --role {role}"


def _appointment(about: Standing, telling: Telling) -> Appointment | None:
    """T-0 for calendars, with whatever tells of it; taken out where there is none any more."""
    course, event = about.course, telling.event
    gone = course.phase in {State.POSTPONED, State.SCRUBBED, State.NO_GO}
    if event.type not in ({DECIDED, PROPOSED, ENDED} if gone else {OPENED, RESUMED, RESCHEDULED}):
        return None
    uid = sha256_hex(about.launch.encode())[:32]
    title = f"T-0 of {', '.join(about.plan.components)} in {about.environment} ({about.launch})"
    return Appointment(uid, course.sequence, None if gone else course.t0, title, instant(event.at))

"""The poll as it stands: who said what over which evidence, what has changed since, and what keeps GO from being given.

A sign-off covers the evidence as it was when it was given. Looking again with the same result voids nothing; a line
that is materially otherwise voids exactly the sign-offs that covered it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tminus.domain import fields
from tminus.domain.acknowledging import awaited, is_awaited
from tminus.domain.attempts import in_force
from tminus.domain.attestation import EvidenceRoot, Json, claim_data, read_evidence
from tminus.domain.authors import alone, authors
from tminus.domain.canonical import instant
from tminus.domain.course import RESCHEDULED, RESUMED, course_of
from tminus.domain.decision import GateResult, gate
from tminus.domain.delegation import as_held
from tminus.domain.evidence import Claim
from tminus.domain.expedition import lacking, read_expedited
from tminus.domain.freezes import frozen
from tminus.domain.people import alike
from tminus.domain.plan import Check, Plan, Severity
from tminus.domain.record import OPENED, Event
from tminus.domain.steadiness import unsteady
from tminus.domain.validity import closed
from tminus.domain.words import ACKNOWLEDGED, ATTESTED, WAIVED, row_of

POLLED = "poll.opened"
"""The poll is open: people may sign over this evidence."""
RENEWED = "poll.renewed"
"""The evidence as it is by now, shown to whoever signs next; earlier sign-offs stand unless what they cover changed."""
SIGNED = "signoff.given"
VOIDED = "signoff.voided"
"""A sign-off that no longer stands, with what has changed under it; said by the launch, so that people are told."""
ENDED = "waiver.ended"
_CLAIMS = frozenset({"check.observed", ATTESTED})


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is otherwise than it was signed."""

    check: str
    then: str
    """How it stood in the signed text."""
    now: str

    @property
    def told(self) -> str:
        """The change in words."""
        return f"{self.check}: {self.then}, now {self.now}"


@dataclass(frozen=True, slots=True)
class Vote:
    """One role's sign-off, and the evidence that it covers."""

    role: str
    person: str
    decision: str
    seq: int
    """Of the event that holds it."""
    evidence: EvidenceRoot


def changes(then: EvidenceRoot, now: EvidenceRoot) -> tuple[Change, ...]:
    """What is materially otherwise: claims that were signed, and waivers; a line that nobody had seen then is none."""
    current = {str(claim["check"]): claim for claim in now.claims}
    found = [
        change
        for claim in then.claims
        if (change := _claim_change(claim, current.get(str(claim["check"])))) is not None
    ]
    before, after = _by_check(then.waivers), _by_check(now.waivers)
    found += (
        Change(name, _waived(before.get(name)), _waived(after.get(name)))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )
    if then.schedule != now.schedule:
        found.append(Change("T-0", str(then.schedule.get("t0")), str(now.schedule.get("t0"))))
    return tuple(found)


def _claim_change(then: Mapping[str, object], now: Mapping[str, object] | None) -> Change | None:
    name, stood = str(then["check"]), str(then["verdict"])
    if now is None:
        return Change(name, stood, "nothing any more")
    if now["verdict"] != stood:
        return Change(name, stood, str(now["verdict"]))
    return (
        Change(name, stood, f"{stood}, of something else")
        if now["fingerprint"] != then["fingerprint"]
        else None
    )


def evidence_of(plan: Plan, events: Sequence[Event], claims: Mapping[str, Claim]) -> EvidenceRoot:
    """Everything that a poll shows now."""
    opened = events[0]
    dated = next(event for event in reversed(events) if event.type in {OPENED, RESCHEDULED})
    release = fields.table(opened.data, "release")
    path = read_expedited(opened.data)
    return EvidenceRoot(
        opened=opened.digest,
        plan=plan.digest,
        lines=plan.total,
        release={name: str(digest) for name, digest in release.items()},
        claims=tuple(claim_data(claim) for claim in claims.values()),
        waivers=tuple(waivers(events).values()),
        omitted=tuple(omitted_rows(plan)),
        acknowledged=tuple(acknowledged(events).values()),
        schedule=fields.table(dated.data, "schedule"),
        expedited=path.row() if path else None,
    )


def omitted_rows(plan: Plan) -> list[Json]:
    """Every omitted line with its reason, as the record and the signed text name it."""
    return [
        {"check": line, "reason": omission.reason} for omission in plan.omitted for line in omission.lines
    ]


def waivers(events: Iterable[Event]) -> dict[str, Json]:
    """The waiver of each line that was given and not ended, by the line; it may have run out by now."""
    found: dict[str, Json] = {}
    for event in events:
        if event.type == WAIVED:
            found[fields.text(event.data, "check")] = row_of(event.data)
        elif event.type == ENDED:
            found.pop(fields.text(event.data, "check"), None)
    return found


def acknowledged(events: Iterable[Event]) -> dict[str, Json]:
    """By the line: the acknowledgement of its warning that stands; a material change and a new date void it."""
    found: dict[str, Json] = {}
    for event in events:
        if event.type == RESCHEDULED:
            found.clear()
        elif event.type == ACKNOWLEDGED:
            found[fields.text(event.data, "check")] = row_of(event.data)
        elif event.type in _CLAIMS:
            seen = found.get(str(event.data["check"]))
            if seen is not None and seen["fingerprint"] != event.data["fingerprint"]:
                del found[str(event.data["check"])]
    return found


def unacknowledged(
    plan: Plan, events: Sequence[Event], claims: Mapping[str, Claim], now: float
) -> list[Check]:
    """The blockers that are warned and that nobody has acknowledged; GO waits for each."""
    seen = acknowledged(events)
    return [
        check
        for check in plan.before_go()
        if is_awaited(check, claims.get(check.id), seen.get(check.id, {}).get("fingerprint"), now)
    ]


def waived_until(events: Iterable[Event]) -> dict[str, float]:
    """By the line: when its waiver ends, in seconds of the epoch."""
    return {name: instant(str(row["until"])) for name, row in waivers(events).items()}


def shown(events: Sequence[Event]) -> EvidenceRoot | None:
    """The evidence of the open poll as it was shown last; none while no poll is open."""
    for event in reversed(in_force(events)):
        if event.type in {POLLED, RENEWED}:
            return read_evidence(fields.table(event.data, "evidence"))
    return None


def votes(events: Iterable[Event]) -> dict[str, Vote]:
    """The newest sign-off of each role in the open poll, void ones included."""
    found: dict[str, Vote] = {}
    evidence: EvidenceRoot | None = None
    for event in in_force(events):
        if event.type in {POLLED, RENEWED}:
            evidence = read_evidence(fields.table(event.data, "evidence"))
            found = {} if event.type == POLLED else found
        elif event.type == SIGNED and evidence is not None:
            role = fields.text(event.data, "role")
            said = fields.text(event.data, "decision")
            found[role] = Vote(role, fields.text(event.data, "person"), said, event.seq, evidence)
    return found


def void(events: Sequence[Event], now: EvidenceRoot) -> dict[str, tuple[Change, ...]]:
    """The sign-offs that no longer stand, by role, each with what has changed under it."""
    found = {role: changes(vote.evidence, now) for role, vote in votes(events).items()}
    return {role: changed for role, changed in found.items() if changed}


def go_gate(plan: Plan, events: Sequence[Event], claims: Mapping[str, Claim], now: float) -> GateResult:
    """How the GO gate stands: every required line due before T-0, fresh or validly waived, in one sample."""
    return gate(plan.before_go(), claims, now, waived_until(events))


def refusals(
    plan: Plan, events: Sequence[Event], claims: Mapping[str, Claim], now: float, t: float | None
) -> list[str]:
    """Everything that keeps GO from being given, in words; empty when nothing does.

    `t` is where the launch clock stands, in seconds from T-0; none while no T-0 is set.
    """
    plan = as_held(plan, events)
    result = go_gate(plan, events, claims, now)
    refused = [*lacking(events), *(why for why in (closed(plan, t), _frozen(plan, events)) if why)]
    refused += [f"{o.check} is {o.standing} ({o.why})" for o in result.obstacles]
    looks = [event for event in in_force(events) if event.type in _CLAIMS]
    refused += unsteady(plan, looks, result.waived, now)
    if not result.seen:
        refused.append("no line that GO judges was observed")
    refused += [
        f"{check.id} is a blocker and warned ({claims[check.id].why}), which nobody has acknowledged:"
        f" {need.command} (who could: {need.who})"
        for check in unacknowledged(plan, events, claims, now)
        for need in [awaited(str(events[0].data.get("launch")), plan, check)]
    ]
    given = votes(events)
    refused += [
        f"{role.title} said {given[role.id].decision if role.id in given else 'nothing'}"
        for role in plan.roles
        if role.signs and (role.id not in given or given[role.id].decision != "go")
    ]
    refused += _unseconded(plan, events, evidence_of(plan, events, claims))
    changed = void(events, evidence_of(plan, events, claims)).values()
    names = dict.fromkeys(change.check for row in changed for change in row)
    return refused + [f"{name} has changed since it was signed" for name in names]


def _frozen(plan: Plan, events: Sequence[Event]) -> str:
    """Why T-0 may not be when it is; empty where no freeze is then, or a second person has overridden it."""
    t0 = course_of(events).t0
    window = None if t0 is None else frozen(plan.freezes, t0)
    dated = next(event for event in reversed(events) if event.type in {OPENED, RESUMED, RESCHEDULED})
    if window is None or dated.data.get("freeze") == window.name:
        return ""
    return (
        f"T-0 lies in a freeze, {window.told()}, and nobody has overridden it:"
        f' tminus reschedule T0 {events[0].data.get("launch")} --reason "…"'
    )


def _unseconded(plan: Plan, events: Sequence[Event], now: EvidenceRoot) -> list[str]:
    """The words that no go of another than who gave them covers, with who could sign; who has yet to will cover all."""
    judged = {check.id: check for check in plan.before_go() if check.severity is not Severity.ADVISORY}
    written = {check: people for check, people in authors(events).items() if check in judged}
    given, gone = votes(events), void(events, now)
    signing = [role for role in plan.roles if role.signs]
    waits = {
        role.id
        for role in signing
        if role.id in gone or role.id not in given or given[role.id].decision != "go"
    }
    signed = [(role.person, now if role.id in waits else given[role.id].evidence) for role in signing]
    found = []
    for one in alone(written, signed, now):
        able = [f"{role.person} as {role.id}" for role in signing if alike(role.person) != alike(one.author)]
        could = f"{', '.join(able)}, once more" if able else "nobody of this plan: one more role has to sign"
        found.append(
            f"{judged[one.check].section}: no signature but that of {one.author}, whose word it is, covers {one.check};"
            f" who could sign: {could}"
        )
    return found


def _by_check(rows: Iterable[Mapping[str, object]]) -> dict[str, Mapping[str, object]]:
    return {str(row["check"]): row for row in rows}


def _waived(row: Mapping[str, object] | None) -> str:
    return "not waived" if row is None else f"waived until {row['until']}"

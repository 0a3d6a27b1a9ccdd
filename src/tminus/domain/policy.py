"""May this GO stand? The gate's question, asked afterwards of the record alone.

`verification` collects what a record says; here it is judged by the rules that the record's first line fixed and
that every signer signed.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from tminus.domain import fields
from tminus.domain.attestation import NOT_APPLICABLE, EvidenceRoot
from tminus.domain.canonical import instant
from tminus.domain.evidence import Source, Verdict
from tminus.domain.expedition import Expedited, read_expedited
from tminus.domain.people import alike
from tminus.domain.plan import Kind, Severity
from tminus.domain.record import Event
from tminus.domain.words import ATTESTED
from tminus.errors import RecordError

REAL = "real"
STAND_IN = "stand-in"

_GREEN = ("passed", NOT_APPLICABLE, "warned")
_GRACE_MS = 1000
"""The gate is judged a moment before its decision is recorded; that moment makes nothing stale."""
_HINT = "do not rely on this launch: its record does not carry its decision"


@dataclass(frozen=True, slots=True)
class Required:
    """One line that GO judges."""

    check: str
    due_ms: int
    """Milliseconds from T-0; GO judges what is due before it."""
    blocker: bool
    """Whether it may not be waived."""
    live_ms: int | None
    """How old its latest observation may be when GO is decided; none where it does not age."""
    owner: str = ""
    """The role that answers for it; empty in records that do not say."""
    kind: str = ""
    """How it gets its verdict, as `plan.Kind`; empty in records that do not say."""
    simulated: bool = False
    """Whether a simulated person speaks for it."""

    @property
    def needs_a_word(self) -> bool:
        """Whether only what a real person has signed makes it green."""
        return self.kind == Kind.PERSON and not self.simulated


@dataclass(frozen=True, slots=True)
class Asked:
    """What a line asks of people: whose word, and what beside it."""

    owner: str = ""
    """The role that answers for it."""
    blocker: bool = False
    """Whether two persons have to say it."""
    advisory: bool = False
    """Whether it closes nothing."""
    each: tuple[str, ...] = ()
    shown: bool = False
    due_ms: int = 0
    """The milestone from which on it is asked, in milliseconds from T-0."""
    until_ms: int | None = None
    """Milliseconds from T-0 after which a word is late; none where it never is."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What the first line of a record binds."""

    digest: str
    """Of the line itself."""
    launch: str
    plan: str
    production: bool
    lines: int
    release: Mapping[str, str]
    signers: tuple[str, ...]
    deciders: tuple[str, ...]
    required: tuple[Required, ...]
    omitted: tuple[Mapping[str, object], ...]
    systems: Mapping[str, str]
    schedule: Mapping[str, object]
    people: Mapping[str, str]
    """By role: the person whom the plan names; empty in records that do not say."""
    steady_ms: int = 0
    """How long observed lines are green when GO is decided."""
    valid_ms: int | None = None
    """How long before and after T-0 a GO holds; none in records that do not say."""
    delegates: Mapping[str, str] = field(default_factory=dict)
    """By role: the person who acts for it instead, by the word of the one whom the plan names."""
    expedited: Expedited | None = None
    """What makes the launch an expedited one; none for a launch of the whole plan."""
    asked: Mapping[str, Asked] | None = None
    """By line: what it asks of real people; none in records that do not say."""

    def person(self, role: str) -> str:
        """Who holds a role by now; empty where the record does not say."""
        return self.delegates.get(role, self.people.get(role, ""))

    def role_of(self, person: str) -> str | None:
        """The role that this person holds by now, however the name is typed; none for one who holds none."""
        return next((role for role in self.people if alike(self.person(role)) == alike(person)), None)

    def check_role(self, person: str, role: str) -> None:
        """Raise `RecordError` unless the plan names this person for this role, or who held it then did."""
        if self.people and self.person(role) != person:
            named = self.person(role) or "nobody"
            whom = f"it is delegated to {named}" if role in self.delegates else f"the plan names {named}"
            raise RecordError(f"{person} signed as {role}, but {whom}", hint=_HINT)

    def owner(self, check: str) -> str:
        """The person who answers for a line; empty where the record does not say."""
        line = self.line(check)
        return self.person(line.owner if line else self.asked_of(check).owner)

    def asked_of(self, check: str) -> Asked:
        """What this line asks of people; nothing where the record does not say."""
        return (self.asked or {}).get(check, Asked())

    def blocks(self, check: str) -> bool:
        """Whether two persons have to speak for a line."""
        line = self.line(check)
        return line.blocker if line else self.asked_of(check).blocker

    def asks_for_a_word(self, check: str) -> bool | None:
        """Whether only what a real person has signed makes this line green; none where the record does not say."""
        line = self.line(check)
        if line is not None and line.kind:
            return line.needs_a_word
        return None if self.asked is None or line is not None else check in self.asked

    def line(self, check: str) -> Required | None:
        """The line that GO judges by this id; none for another."""
        return next((line for line in self.required if line.check == check), None)

    def check_word(self, event: Event, claim: Mapping[str, object]) -> None:
        """Raise `RecordError` for a claim that only a person's signed word could make, and that nobody has signed."""
        persons = claim["source"] == Source.PERSON or self.asks_for_a_word(str(claim["check"]))
        if persons and claim["verdict"] in _GREEN and event.type != ATTESTED:
            raise RecordError(f"{claim['check']} is {claim['verdict']} by the word of nobody", hint=_HINT)


def tally(claims: Iterable["Observed"]) -> dict[str, int]:
    """How many lines were observed or attested, are not applicable by the plan, or were looked at in vain."""
    counts = {"observed": 0, "not_applicable": 0, "unknown": 0}
    for one in claims:
        not_asked = one.claim["verdict"] == NOT_APPLICABLE
        counts["not_applicable" if not_asked else "observed" if one.known else "unknown"] += 1
    return counts


@dataclass(frozen=True, slots=True)
class Observed:
    """The latest claim of one check."""

    claim: Mapping[str, object]
    """`check`, `verdict`, `fingerprint` and `source`."""
    at: str
    """When it was last observed."""
    since: str = ""
    """Since when each look found it green; empty while it is not."""

    @property
    def known(self) -> bool:
        """Whether the line was really seen, or spoken for; a verdict that is none of ours says nothing."""
        return self.claim["verdict"] in {verdict.value for verdict in Verdict if verdict.known}

    @property
    def rank(self) -> int:
        """How far from green: 0 passed or not applicable, 1 warned, 2 anything else."""
        verdict = self.claim["verdict"]
        if verdict not in _GREEN:
            return 2
        return 1 if verdict == "warned" else 0


def read_opened(event: Event) -> Opened:
    """Read the first event; raises `RecordError` for fields or rules that could never let a GO stand."""
    data = event.data
    plan = fields.table(data, "plan")
    opened = Opened(
        digest=event.digest,
        launch=fields.text(data, "launch"),
        plan=fields.text(plan, "digest"),
        production=fields.flag(plan, "production"),
        lines=fields.number(plan, "lines"),
        release=_text_table(data, "release"),
        signers=tuple(fields.texts(data, "signers")),
        deciders=tuple(fields.texts(data, "deciders")),
        asked=dict(map(_asked, fields.rows(data, "asked"))) if "asked" in data else None,
        required=tuple(_required(row) for row in fields.rows(data, "required") if _closes(row)),
        omitted=tuple(fields.rows(data, "omitted")),
        systems=_text_table(data, "systems"),
        schedule=fields.table(data, "schedule"),
        people={fields.text(row, "role"): fields.text(row, "person") for row in fields.rows(data, "roles")}
        if "roles" in data
        else {},
        valid_ms=fields.number(data, "valid_ms") if "valid_ms" in data else None,
        steady_ms=fields.number(data, "steady_ms") if "steady_ms" in data else 0,
        expedited=read_expedited(data),
    )
    _check_opened(opened)
    return opened


def judge_go(
    opened: Opened, evidence: EvidenceRoot, claims: Mapping[str, Observed], schedule: object, at: str
) -> None:
    """Raise `RecordError` unless the signed evidence, still unchanged at `at`, allows GO."""
    if evidence.schedule != schedule:
        raise RecordError("the launch was rescheduled after the poll was opened", hint=_HINT)
    signed = {str(claim["check"]): Observed(claim, at) for claim in evidence.claims}
    for check, then in signed.items():
        _check_unchanged(check, then, claims[check])
    waived = {fields.text(waiver, "check"): fields.text(waiver, "until") for waiver in evidence.waivers}
    seen = {fields.text(row, "check") for row in evidence.acknowledged}
    for line in opened.required:
        if line.due_ms < 0:
            _judge_warning(line, signed.get(line.check), seen)
            _judge_line(line, signed.get(line.check), waived.get(line.check), at)
            _check_age(line, claims.get(line.check), waived.get(line.check), at)
            _check_steady(opened, claims.get(line.check), waived.get(line.check), at)
    if opened.production:
        _check_seen(signed)


def _check_opened(opened: Opened) -> None:
    for name, rows in (
        ("release", opened.release),
        ("signers", opened.signers),
        ("deciders", opened.deciders),
        ("required", [line for line in opened.required if line.due_ms < 0]),
    ):
        if not rows:
            raise RecordError(f"`{name}` names nothing: such a launch could not be judged", hint=_HINT)
    if strange := [name for name, kind in opened.systems.items() if kind not in {REAL, STAND_IN}]:
        raise RecordError(f"`systems`: {strange[0]} is neither {REAL} nor {STAND_IN}", hint=_HINT)
    if opened.production:
        _check_production(opened)


def _check_production(opened: Opened) -> None:
    if stand_ins := [name for name, kind in opened.systems.items() if kind == STAND_IN]:
        raise RecordError(f"the plan is marked production, but {min(stand_ins)} is a stand-in", hint=_HINT)
    hastened = len(opened.expedited.left_out) if opened.expedited else 0
    if omitted := len(opened.omitted) - hastened:
        raise RecordError(f"the plan is marked production, but omits {omitted} lines", hint=_HINT)


def _check_seen(signed: Mapping[str, Observed]) -> None:
    said = [check for check, then in signed.items() if then.claim["source"] == Source.SIMULATED]
    if said:
        raise RecordError(f"GO in production over {min(said)}, which only a simulated person saw", hint=_HINT)


def _check_unchanged(check: str, then: Observed, now: Observed) -> None:
    if then.claim["fingerprint"] != now.claim["fingerprint"] or now.rank > then.rank:
        raise RecordError(
            f"GO over {check}, which changed after it was signed: {then.claim['verdict']}, then {now.claim['verdict']}",
            hint=_HINT,
        )


def _judge_warning(line: Required, signed: Observed | None, acknowledged: Collection[str]) -> None:
    if line.blocker and signed and signed.rank == 1 and line.check not in acknowledged:
        raise RecordError(
            f"GO over {line.check}, a blocker that is warned, which nobody acknowledged", hint=_HINT
        )


def _judge_line(line: Required, signed: Observed | None, waived_until: str | None, at: str) -> None:
    if signed and signed.rank < 2:
        return
    stands = str(signed.claim["verdict"]) if signed else "pending"
    if waived_until is None:
        raise RecordError(f"GO over {line.check}, which is {stands}", hint=_HINT)
    if line.blocker:
        raise RecordError(
            f"GO over {line.check}, which is {stands} and cannot be waived: it is a blocker", hint=_HINT
        )
    if instant(waived_until) <= instant(at):
        raise RecordError(f"GO over {line.check}, whose waiver ended at {waived_until}", hint=_HINT)


def _check_age(line: Required, now: Observed | None, waived_until: str | None, at: str) -> None:
    if line.live_ms is None or now is None or waived_until is not None:
        return
    if now.claim["verdict"] == NOT_APPLICABLE:
        return
    if round((instant(at) - instant(now.at)) * 1000) > line.live_ms + _GRACE_MS:
        raise RecordError(f"GO over {line.check}, which is stale: last observed at {now.at}", hint=_HINT)


def _check_steady(opened: Opened, now: Observed | None, waived_until: str | None, at: str) -> None:
    if now is None or waived_until is not None or now.claim["source"] not in {Source.PROBE, Source.ROLLUP}:
        return
    if now.rank < 2 and round((instant(at) - instant(now.since)) * 1000) < opened.steady_ms - _GRACE_MS:
        raise RecordError(
            f"GO over {now.claim['check']}, which is green since {now.since} only, and the plan asks for"
            f" {opened.steady_ms} ms",
            hint=_HINT,
        )


def looked(claim: Mapping[str, object], at: str, before: Observed | None) -> Observed:
    """The claim that a look has made, after the one before it of the same line."""
    now = Observed(claim, at)
    if now.rank == 2:
        return now
    return Observed(claim, at, before.since if before and before.rank < 2 else at)


def _closes(row: Mapping[str, object]) -> bool:
    severity = fields.text(row, "severity")
    if severity not in list(Severity):
        raise RecordError(f"`severity` of {row.get('check')} cannot be {severity!r}", hint=_HINT)
    return severity != Severity.ADVISORY


def _required(row: Mapping[str, object]) -> Required:
    return Required(
        check=fields.text(row, "check"),
        due_ms=fields.number(row, "due_ms"),
        blocker=fields.text(row, "severity") == Severity.BLOCKER,
        live_ms=fields.number(row, "live_ms") if row.get("live_ms") is not None else None,
        owner=fields.text(row, "owner") if "owner" in row else "",
        kind=fields.text(row, "kind") if "kind" in row else "",
        simulated=fields.flag(row, "simulated") if "simulated" in row else False,
    )


def _asked(row: Mapping[str, object]) -> tuple[str, Asked]:
    return fields.text(row, "check"), Asked(
        owner=fields.text(row, "owner"),
        blocker=fields.text(row, "severity") == Severity.BLOCKER,
        advisory=fields.text(row, "severity") == Severity.ADVISORY,
        each=tuple(fields.texts(row, "each")),
        shown=fields.flag(row, "shown"),
        due_ms=fields.number(row, "due_ms"),
        until_ms=fields.number(row, "until_ms") if row.get("until_ms") is not None else None,
    )


def _text_table(data: Mapping[str, object], name: str) -> dict[str, str]:
    table = fields.table(data, name)
    return {key: fields.text(table, key) for key in table}

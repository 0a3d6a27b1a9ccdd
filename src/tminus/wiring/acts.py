"""What people do in their own name: judged by the record and the trust root, signed, written, and the launch told.

One transaction each. What would not verify afterwards is refused before it is written.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from uuid import uuid4

from tminus.control.ports import Clock, Json
from tminus.control.readiness import claims_of
from tminus.domain.attempts import in_force
from tminus.domain.attestation import EvidenceRoot
from tminus.domain.canonical import instant, timestamp
from tminus.domain.course import Course, course_of
from tminus.domain.decision import standing
from tminus.domain.delegation import as_held
from tminus.domain.evidence import Claim, Verdict
from tminus.domain.permission import Deed, Matter, permit
from tminus.domain.plan import Check, Kind, Plan, Role, Severity
from tminus.domain.poll import evidence_of
from tminus.domain.record import Entry, Event, append
from tminus.domain.timeline import in_attempt
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.domain.verification import check_open
from tminus.domain.words import (
    ACKNOWLEDGED,
    LONGEST,
    REQUESTED,
    WAIVED,
    Acknowledgement,
    Request,
    W,
    Waiver,
    Word,
    acknowledged_row,
    read_word,
    waiver_row,
    word_statement,
)
from tminus.engine.outbox import DurableOutbox
from tminus.errors import OutOfSequenceError, RefusedError
from tminus.signing import Signer, open_envelope, sign_statement
from tminus.store.outbox import Message
from tminus.store.record import RecordStore
from tminus.store.tables import connect
from tminus.wiring.discretion import check_said


@dataclass(frozen=True, slots=True)
class Scene:
    """A launch as it stands at one moment."""

    launch: str
    plan: Plan
    """With the person who holds each role by now."""
    events: tuple[Event, ...]
    now: float
    """Seconds of the epoch."""

    @property
    def course(self) -> Course:
        """Where the launch stands."""
        return course_of(self.events)

    @property
    def claims(self) -> dict[str, Claim]:
        """The newest claim of each line that counts."""
        return in_attempt(self.course, claims_of(in_force(self.events)))

    @property
    def evidence(self) -> EvidenceRoot:
        """Everything that people sign over now."""
        return evidence_of(self.plan, self.events, self.claims)

    def check(self, name: str) -> Check:
        """The line of this id; raises `RefusedError` for one that the plan does not have."""
        found = next((check for check in self.plan.checks if check.id == name), None)
        if found is None:
            raise RefusedError(f"{name!r} is no line of this plan", hint="`tminus status` lists every line")
        return found

    def role(self, name: str) -> Role:
        """The role of this id; raises `RefusedError` for one that the plan does not have."""
        found = next((role for role in self.plan.roles if role.id == name), None)
        if found is None:
            known = ", ".join(f"{role.id} ({role.person})" for role in self.plan.roles)
            raise RefusedError(f"{name!r} is no role of this plan", hint=f"roles: {known}")
        return found


@dataclass(frozen=True, slots=True)
class Hand:
    """One person with their key."""

    role: Role
    signer: Signer


Choose = Callable[[Scene], Sequence[Entry]]
"""What an act writes by how the launch stands, signed; raises why it may not be."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where acts upon one launch are done."""

    database: str
    launch: str
    plan: Plan
    trust: TrustRoot
    clock: Clock

    async def do(self, choose: Choose) -> list[Event]:
        """Write what an act chooses and wake the launch; raises what it raises, and `RefusedError` in words."""
        engine = connect(self.database)

        def chosen(events: Sequence[Event]) -> Sequence[Entry]:
            plan = as_held(self.plan, events)
            made = choose(Scene(self.launch, plan, tuple(events), self.clock.now()))
            check_said(made)
            check_open([*events, *_behind(events, made)], open_envelope, self.trust)
            return made

        try:
            store = RecordStore(engine, DurableOutbox(engine))
            key = uuid4().hex
            return await store.act(self.launch, chosen, Message(f"act-{key}", {"id": key, "order": "look"}))
        finally:
            engine.dispose()


@dataclass(frozen=True, slots=True)
class Shown:
    """A file that a person shows with their word."""

    sha256: str = ""
    name: str = ""
    made: float | None = None
    """When it was last written, in seconds of the epoch; none where nobody says."""


def request_waiver(hand: Hand, name: str, about: Request) -> Choose:
    """The wish that a line may stand as it is; `about` has its words, the rest is filled in."""

    def choose(scene: Scene) -> Sequence[Entry]:
        check = scene.check(name)
        permit(Deed.REQUEST, scene.course, scene.plan, hand.role, Matter(check))
        _waivable(scene, check, about.until)
        for what, said in (
            ("a reason", about.because),
            ("the risk", about.risk),
            ("what compensates for it", about.compensating),
        ):
            need_words(what, said)
        said_by = {"launch": scene.launch, "check": name, "role": hand.role.id, "person": hand.role.person}
        word = Request(**{**asdict(about), **said_by, "signed_at": timestamp(scene.now)})
        data = {
            name: getattr(word, name)
            for name in ("check", "role", "because", "risk", "compensating", "until")
        }
        return [entry(scene, REQUESTED, {**data, "by": word.person, **signed(scene, hand, word)})]

    return choose


def approve_waiver(hand: Hand, name: str) -> Choose:
    """Another person's approval of the newest wish for this line."""

    def choose(scene: Scene) -> Sequence[Entry]:
        check = scene.check(name)
        asked = next(
            (e for e in reversed(scene.events) if e.type == REQUESTED and e.data["check"] == name), None
        )
        if asked is None:
            raise OutOfSequenceError(
                f"nobody has requested a waiver of {name}",
                hint=f"request it first: tminus waive {scene.launch} {name} --role … --reason …",
            )
        request = word_of(Request, asked)
        permit(Deed.APPROVE, scene.course, scene.plan, hand.role, Matter(check, request.person))
        _waivable(scene, check, request.until)
        word = Waiver(scene.launch, name, hand.role.id, hand.role.person, asked.digest, timestamp(scene.now))
        return [entry(scene, WAIVED, {**waiver_row(request, word), **signed(scene, hand, word)})]

    return choose


def acknowledge(hand: Hand, name: str, because: str) -> Choose:
    """Why a blocker may go although it is warned; it holds for the claim as it is now."""

    def choose(scene: Scene) -> Sequence[Entry]:
        check = scene.check(name)
        permit(Deed.ACKNOWLEDGE, scene.course, scene.plan, hand.role, Matter(check))
        claim = scene.claims.get(name)
        if check.severity is not Severity.BLOCKER or check.due >= 0:
            raise RefusedError(
                f"{name} needs no acknowledgement",
                hint="only a blocker that GO judges needs one when it is warned",
            )
        if claim is None or claim.not_applicable or claim.verdict is not Verdict.WARNED:
            raise OutOfSequenceError(
                f"{name} is {standing(check, claim, scene.now)}, not warned",
                hint="what is warned is acknowledged as it is then",
            )
        need_words("a reason", because)
        word = Acknowledgement(
            launch=scene.launch,
            check=name,
            role=hand.role.id,
            person=hand.role.person,
            because=because,
            fingerprint=claim.fingerprint,
            signed_at=timestamp(scene.now),
        )
        return [entry(scene, ACKNOWLEDGED, {**acknowledged_row(word), **signed(scene, hand, word)})]

    return choose


def key_of(trust: TrustRoot, role: Role, keyids: Sequence[str], now: float) -> TrustedKey:
    """Which of these keys the trust root holds now as this role's person's; raises `RefusedError` with what to do."""
    mine = [key for key in trust.keys if key.keyid in keyids and key.kind is KeyKind.PERSON]
    good = [
        key
        for key in mine
        if key.name == role.person
        and role.id in key.roles
        and key.valid_at(timestamp(now))
        and not key.simulated
    ]
    if good:
        return max(good, key=lambda key: key.valid_from)
    if not keyids:
        raise RefusedError(
            f"{role.id} is {role.person}'s, and this machine has no key of theirs",
            hint=f"{role.person} signs where their key is; or: tminus key new {role.person!r} --role {role.id}",
        )
    if not mine:
        raise RefusedError(
            f"the trust root holds no key of {role.person} that is on this machine",
            hint=f"whoever keeps it types: tminus trust add {role.person!r}",
        )
    raise RefusedError(
        f"the trust root has the key of {mine[0].name} for {', '.join(mine[0].roles)}"
        f" from {mine[0].valid_from} until {mine[0].valid_until or 'further notice'}",
        hint=f"{role.id} needs a key of {role.person}, spelled so, that is valid now",
    )


def word_of(kind: type[W], event: Event) -> W:
    """What a person signed, out of its event."""
    predicate = open_envelope(event.data.get("envelope")).statement["predicate"]
    assert isinstance(predicate, dict)  # noqa: S101 - check_open() has read it
    return read_word(kind, predicate)


def _waivable(scene: Scene, check: Check, until: str) -> None:
    if check.severity is Severity.BLOCKER:
        raise RefusedError(f"{check.id} is a blocker: nobody may waive it", hint="mend it")
    if check.kind in {Kind.SIGNATURE, Kind.STEP} or check.due >= 0:
        raise RefusedError(f"{check.id} is not judged by GO", hint="only what is due before T-0 is waived")
    ends, t0 = instant(until), scene.course.t0
    assert t0 is not None  # noqa: S101 - permit() saw to a state that has a date
    if not scene.now < ends <= t0 + LONGEST:
        raise RefusedError(
            f"a waiver cannot end at {until}",
            hint=f"name a time up to a day after T-0: {timestamp(t0 + LONGEST)}",
        )


def need_words(what: str, words: str) -> None:
    """Raise `RefusedError` where somebody says nothing."""
    if not words.strip():
        raise RefusedError(f"{what} is missing", hint="say it in words; they stand in the record")


def signed(scene: Scene, hand: Hand, word: Word) -> Json:
    """The envelope of a person's words."""
    return {"envelope": sign_statement(hand.signer, word_statement(word, scene.events[0].digest))}


def entry(scene: Scene, kind: str, data: Json) -> Entry:
    """One entry of an act, at the instant of the scene."""
    t = scene.course.clock(scene.now)
    key = f"{kind}:{uuid4().hex}"
    return Entry(kind, key, data, timestamp(scene.now), None if t is None else round(t * 1000))


def _behind(events: Sequence[Event], made: Sequence[Entry]) -> list[Event]:
    """The events that these entries would become."""
    chain: list[Event] = []
    for entry in made:
        chain.append(append(chain[-1] if chain else events[-1], entry))
    return chain

"""Builds launch records for tests, event by event, with real keys; every act can be made wrong."""

from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tminus.domain.attestation import (
    Decision,
    EvidenceRoot,
    SignOff,
    decision_statement,
    evidence_root,
    sign_off_statement,
)
from tminus.domain.canonical import timestamp
from tminus.domain.delegation import delegated_row
from tminus.domain.record import Entry, Event, append, encode
from tminus.domain.report import Report
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.domain.verification import verify
from tminus.domain.words import (
    Acknowledgement,
    Attestation,
    Delegation,
    Request,
    Waiver,
    Word,
    acknowledged_row,
    attested_claim,
    attested_words,
    tells_harm,
    waiver_row,
    word_statement,
)
from tminus.signing import Signer, checkpoint_entry, open_envelope, sign_statement

PEOPLE = {
    "devops-lead": "Dana Ops",
    "engineering-lead": "Emil Eng",
    "security-lead": "Sofia Sec",
    "qa-lead": "Quentin Qa",
    "cto": "Cleo Chief",
}
CHECKS = ("bk.db", "cfg.cors", "rb.tested", "test.smoke", "oncall.primary")
START = 1_800_000_000.0
IMAGE = sha256(b"image").hexdigest()


def signer(name: str, seed: str = "ours") -> Signer:
    """A key that is the same in every run."""
    return Signer(Ed25519PrivateKey.from_private_bytes(sha256(f"{seed}:{name}".encode()).digest()))


def trust_root(seed: str = "ours", *, simulated: bool = False) -> TrustRoot:
    """The five people and the server, each with a key from this seed."""
    people = [
        TrustedKey(signer(name, seed).keyid, name, KeyKind.PERSON, (role,), simulated=simulated)
        for role, name in PEOPLE.items()
    ]
    return TrustRoot((*people, TrustedKey(signer("server", seed).keyid, "server", KeyKind.SERVER)))


@dataclass
class RecordBuilder:
    """One record under construction."""

    launch: str = "depot-2"
    seed: str = "ours"
    """Whose keys sign; another seed is another, unknown, set of people."""
    simulated: bool = False
    now: float = START
    events: list[Event] = field(default_factory=list)
    claims: dict[str, dict[str, object]] = field(default_factory=dict)
    waivers: dict[str, dict[str, object]] = field(default_factory=dict)
    acknowledged: dict[str, dict[str, object]] = field(default_factory=dict)
    words: dict[str, Attestation] = field(default_factory=dict)
    blockers: set[str] = field(default_factory=lambda: {"bk.db"})
    """Lines that two persons have to speak for."""
    evidence: EvidenceRoot | None = None

    def add(self, kind: str, data: dict[str, Any], key: str = "") -> Event:
        """Append any event, one second after the last."""
        self.now += 1
        place = self.events[-1].seq + 1 if self.events else 0
        entry = Entry(kind, key or f"{kind}#{place}", data, self.at, -60_000)
        self.events.append(append(self.events[-1] if self.events else None, entry))
        return self.events[-1]

    @property
    def at(self) -> str:
        return timestamp(self.now)

    def open(self, **changes: Any) -> None:
        """Open the launch; every field can be replaced."""
        required = [
            {"check": check, "due_ms": -3_600_000, "severity": "blocker" if check == "bk.db" else "required"}
            for check in CHECKS
        ]
        data: dict[str, Any] = {
            "launch": self.launch,
            "plan": {"digest": sha256(b"plan").hexdigest(), "production": False, "lines": 8},
            "release": {"depot": IMAGE},
            "signers": list(PEOPLE),
            "deciders": ["cto"],
            "required": [*required, {"check": "t0.shift", "due_ms": 0, "severity": "blocker"}],
            "omitted": [
                {"check": "route.sms", "reason": "no pager"},
                {"check": "comm.bridge", "reason": "remote"},
            ],
            "systems": {"postgres": "real", "slack": "stand-in"},
            "schedule": {"t0": timestamp(START + 3600), "speed": 60},
        }
        self.add("launch.opened", data | changes, "launch.opened")

    def observe(self, check: str, verdict: str = "passed", **changes: Any) -> None:
        """Record a claim."""
        claim = {
            "check": check,
            "verdict": verdict,
            "fingerprint": sha256(f"{check}{verdict}".encode()).hexdigest(),
            "source": "probe",
        } | changes
        self.claims[check] = claim
        self.add("check.observed", claim | {"why": "seen", "value": 0.25})

    def waive(
        self, check: str, until: float = START + 86_400, by: str = "Dana Ops", role: str = "devops-lead"
    ) -> None:
        """Have a check waived: requested by one person, approved by another."""
        person = by
        about = {"because": "known", "risk": "a page too many", "compensating": "we watch"}
        self.now += 1
        request = Request(
            self.launch, check, role, person, **about, until=timestamp(until), signed_at=self.at
        )
        said = {"check": check, "by": person, "role": role, **about, "until": request.until}
        asked = self.add("waiver.requested", said | {"envelope": self.word(request)})
        self.now += 1
        waiver = Waiver(
            self.launch, check, "engineering-lead", "Emil Eng", request=asked.digest, signed_at=self.at
        )
        self.waivers[check] = dict(waiver_row(request, waiver))
        self.add("check.waived", self.waivers[check] | {"envelope": self.word(waiver)})

    def attest(self, check: str, person: str = "Dana Ops", confirms: str = "", **changes: Any) -> Event:
        """Have a person give their word for a check."""
        self.now += 1
        role = next(role for role, name in PEOPLE.items() if name == person)
        about: dict[str, Any] = {"holds": True, "statement": "I have seen it", "version": 1} | changes
        word = Attestation(self.launch, check, role, person, signed_at=self.at, confirms=confirms, **about)
        blocker = check in self.blockers
        first = self.words.get(confirms)
        others = {one.item: one for one in self.words.values() if one.check == check and one.item}
        claim = attested_claim(word, first, blocker=blocker, others=others)
        self.claims[check] = dict(claim)
        words = attested_words(word, first, blocker=blocker, others=others)
        rows: Any = self.events[0].data.get("asked", [])
        due = next((row["due_ms"] for row in rows if row["check"] == check), 0)
        harm = {"harm": True} if tells_harm(claim, words, closes=due > 0) else {}
        event = self.add("check.attested", {**claim, **words, **harm, "envelope": self.word(word)})
        self.words[event.digest] = word
        return event

    def acknowledge(self, check: str, role: str = "engineering-lead", **changes: Any) -> Acknowledgement:
        """Have a person acknowledge how a check stands."""
        self.now += 1
        seen = str(self.claims[check]["fingerprint"])
        said = Acknowledgement(
            self.launch, check, role, PEOPLE[role], "it is slow, not wrong", seen, self.at, self.simulated
        )
        word = replace(said, **changes)
        self.acknowledged[check] = dict(acknowledged_row(word))
        self.add("warning.acknowledged", self.acknowledged[check] | {"envelope": self.word(word)})
        return word

    def delegate(self, role: str, to: str, **changes: Any) -> None:
        """Have a role's holder name another person for it."""
        self.now += 1
        word = replace(Delegation(self.launch, role, PEOPLE[role], to, "on leave", self.at), **changes)
        self.add("role.delegated", delegated_row(word) | {"envelope": self.word(word)})

    def word(self, word: Word, key: Signer | None = None) -> dict[str, Any]:
        """A person's signed words."""
        statement = word_statement(word, self.events[0].digest)
        return sign_statement(key or signer(word.person, self.seed), statement)

    def poll(self, **changes: Any) -> None:
        """Open the poll over what was recorded; a change makes the evidence differ from it."""
        first = self.events[0].data
        plan: Any = first["plan"]
        evidence: dict[str, Any] = {
            "opened": self.events[0].digest,
            "plan": plan["digest"],
            "lines": plan["lines"],
            "release": first["release"],
            "claims": tuple(self.claims.values()),
            "waivers": tuple(self.waivers.values()),
            "omitted": tuple(first["omitted"]),  # type: ignore[arg-type] # the builder wrote it
            "schedule": first["schedule"],
            "acknowledged": tuple(self.acknowledged.values()),
        }
        self.evidence = EvidenceRoot(**evidence | changes)
        self.add(
            "poll.opened", {"evidence": self.evidence.document(), "root": evidence_root(self.evidence)[1]}
        )

    def sign(self, role: str, decision: str = "go", *, key: Signer | None = None, **changes: Any) -> None:
        """Sign off; changes replace what the person says of themselves."""
        assert self.evidence is not None
        self.now += 1
        said = replace(
            SignOff(self.launch, role, PEOPLE[role], decision, self.at, "looks good", self.simulated),
            **changes,
        )
        envelope = sign_statement(
            key or signer(PEOPLE[role], self.seed), sign_off_statement(said, self.evidence)
        )
        words = {"decision": said.decision, "note": said.note, "simulated": said.simulated}
        self.add("signoff.given", {"role": role, "person": PEOPLE[role], **words, "envelope": envelope})

    def decide(self, decision: str = "go", role: str = "cto", **changes: Any) -> None:
        """Decide; changes replace what the decider says."""
        self.now += 1
        said = replace(
            Decision(self.launch, role, PEOPLE[role], decision, self.at, "all green", None, self.simulated),
            **changes,
        )
        root = evidence_root(self.evidence)[1] if self.evidence else None
        statement = decision_statement(said, {"depot": IMAGE}, root)
        envelope = sign_statement(signer(PEOPLE[role], self.seed), statement)
        data: dict[str, Any] = {"decision": decision, "by": PEOPLE[role], "role": role, "reason": said.reason}
        data |= {"simulated": said.simulated, "envelope": envelope}
        if decision == "no-go":
            data |= {"category": said.category, "new_t0": said.new_t0}
        self.add("decision.made", data)

    def seal(self, key: Signer | None = None) -> None:
        """Write a checkpoint."""
        self.now += 1
        sign = checkpoint_entry(key or signer("server", self.seed), self.launch, self.at, 60_000)
        self.events.append(append(self.events[-1], sign(self.events[-1])))

    def up_to_poll(self, **changes: Any) -> "RecordBuilder":
        """Open the launch, observe every check, open the poll."""
        self.observed(**changes).poll()
        return self

    def up_to_go(self, **changes: Any) -> "RecordBuilder":
        """Everything up to a GO."""
        return self.observed(**changes).go()

    def observed(self, **changes: Any) -> "RecordBuilder":
        """Open the launch, observe every check."""
        self.open(**changes)
        for check in CHECKS:
            self.observe(check)
        return self

    def go(self, **shown: Any) -> "RecordBuilder":
        """A poll of what stands there, everybody's sign-off, and a GO."""
        self.poll(**shown)
        for role in PEOPLE:
            self.sign(role)
        self.decide()
        return self

    def landing(self) -> "RecordBuilder":
        """The steps after GO, the end and the checkpoint."""
        for step in ("backup", "migrate", "green", "smoke", "shift", "promote"):
            self.add("step.started", {"step": step})
            self.add("step.done", {"step": step})
        self.add("launch.ended", {"outcome": "landed"})
        self.seal()
        return self

    def complete(self, **changes: Any) -> "RecordBuilder":
        """A whole launch that landed."""
        return self.up_to_go(**changes).landing()

    @property
    def lines(self) -> list[bytes]:
        return [encode(event) for event in self.events]

    def verify(self, trust: TrustRoot | None) -> Report:
        """Verify what was built."""
        return verify(self.lines, open_envelope, trust)

"""Does a record prove what it says? Chain, signatures and policy, line by line, offline.

Signatures are checked by the caller's function (`tminus.signing.open_envelope`); this file decides whose signatures
are needed and what they must cover. What it cannot know is stated in docs/explanation/security.md.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from tminus.domain import fields
from tminus.domain.attestation import (
    EvidenceRoot,
    checkpoint_statement,
    decision_statement,
    evidence_root,
    read_decision,
    read_evidence,
    read_sign_off,
    sign_off_statement,
)
from tminus.domain.authors import alone
from tminus.domain.ballot import Ballot
from tminus.domain.canonical import canonical
from tminus.domain.compared import said, same
from tminus.domain.compared import signed as signed_as
from tminus.domain.course import PROPOSED, void_lines
from tminus.domain.delegation import check_delegation
from tminus.domain.expedition import EXPEDITED, Backing
from tminus.domain.metered import MEASURED, Metered
from tminus.domain.policy import Observed, Opened, judge_go, looked, read_opened, tally
from tminus.domain.poll import changes
from tminus.domain.record import CHECKPOINT, ENDED, OPENED, Event, read
from tminus.domain.report import OpenEnvelope, Report, Signature
from tminus.domain.rollout import ENDS
from tminus.domain.signers import Signers
from tminus.domain.testimony import Testimony
from tminus.domain.times import Times
from tminus.domain.trust import TrustRoot
from tminus.domain.words import row_of
from tminus.errors import RecordError

_CLAIM = ("check", "verdict", "fingerprint", "source")
_HINT = "do not rely on this launch: its record does not prove what it says"


def verify(chunks: Iterable[bytes], open_envelope: OpenEnvelope, trust: TrustRoot | None) -> Report:
    """What this record proves; raises `RecordError` with the line and what does not hold.

    Without a trust root the chain and every envelope's own signature are checked, not whose keys they are.
    """
    reading = Reading(open_envelope, Signers(trust))
    take_all(reading, read(chunks))
    return reading.report()


def check_open(events: Iterable[Event], open_envelope: OpenEnvelope, trust: TrustRoot | None) -> None:
    """Raise `RecordError` where the record of a launch under way would not verify, as far as it goes."""
    take_all(Reading(open_envelope, Signers(trust)), events)


def take_all(reading: "Reading", events: Iterable[Event]) -> None:
    """Judge these events, the next of a record; raises `RecordError` with the line of the first that does not hold."""
    for event in events:
        try:
            reading.take(event)
        except RecordError as error:
            raise RecordError(f"line {event.line} ({event.type}): {error}", hint=error.hint) from error


@dataclass(slots=True)
class Reading:
    """What the lines of a record that were read so far say."""

    open_envelope: OpenEnvelope
    signers: Signers
    first: Event | None = None
    last: Event | None = None
    ended: Event | None = None
    opened: Opened | None = None
    schedule: Mapping[str, object] = field(default_factory=dict)
    claims: dict[str, Observed] = field(default_factory=dict)
    waivers: dict[str, Mapping[str, object]] = field(default_factory=dict)
    testimony: Testimony = field(default_factory=Testimony)
    backing: Backing = field(default_factory=Backing)
    poll: Ballot | None = None
    decision: Signature | None = None
    go: bool = False
    """Whether a GO stands now."""
    flew: bool = False
    """Whether a GO ever stood."""
    keys: set[str] = field(default_factory=set)
    metrics: Metered = field(default_factory=Metered)
    times: Times = field(default_factory=Times)

    def take(self, event: Event) -> None:
        """Judge the next event."""
        self._check_order(event)
        if act := _ACTS.get(event.type):
            act(self, event)
        self.last = event

    def report(self) -> Report:
        """What all of it proves; the last event is a checkpoint, `read` saw to that."""
        if not (self.opened and self.first and self.last and self.ended):
            raise RecordError(
                f"line {self.last.line if self.last else 1}: the record has no {ENDED}: the launch was still under way",
                hint="export it again when the launch has ended",
            )
        votes = self.poll.votes if self.poll else {}
        return Report(
            trusted=self.signers.trust is not None,
            launch=self.opened.launch,
            production=self.opened.production,
            outcome=str(self.ended.data["outcome"]),
            events=self.last.seq + 1,
            head=self.last.digest,
            opened_at=self.first.at,
            ended_at=self.ended.at,
            release=self.opened.release,
            sign_offs=tuple(votes[key] for key in sorted(votes)),
            decision=self.decision,
            lines=self.opened.lines,
            **tally(self.claims.values()),
            acknowledged=self.poll.evidence.acknowledged if self.poll else (),
            omitted=len(self.opened.omitted),
            systems=self.opened.systems,
            server_keys=tuple(self.signers.server_keys),
            evidence=dict(self.testimony.evidence),
            notes=self.times.notes,
        )

    def _check_order(self, event: Event) -> None:
        if event.key in self.keys:
            raise RecordError(f"the key {event.key!r} was used before", hint=_HINT)
        self.keys.add(event.key)
        if self.ended and (event.type != CHECKPOINT or self.last is not self.ended):
            raise RecordError(f"nothing but one checkpoint may follow {ENDED}", hint=_HINT)
        self.times.follow(event)

    @property
    def rules(self) -> Opened:
        """What the first line binds."""
        if self.opened is None:  # pragma: no cover - `read` yields launch.opened first
            raise RecordError("the record does not open", hint=_HINT)
        return self.opened

    def open(self, event: Event) -> None:
        """`launch.opened`."""
        self.first = event
        self.opened = read_opened(event)
        self.schedule = self.opened.schedule

    def reschedule(self, event: Event) -> None:
        """`launch.rescheduled`: every sign-off and decision is void, and what persons said for the old date."""
        self.schedule = fields.table(event.data, "schedule")
        for check in void_lines(event.data):
            self.claims.pop(check, None)
            self.testimony.forget(check)
        self.testimony.acknowledged.clear()
        self.go, self.poll, self.decision = False, None, None

    def observe(self, event: Event) -> None:
        """`check.observed`: the check's claim from now on."""
        claim = {name: fields.text(event.data, name) for name in _CLAIM}
        self.rules.check_word(event, claim)
        self.claims[claim["check"]] = looked(claim, event.at, self.claims.get(claim["check"]))
        self.testimony.observe(claim)

    def attest(self, event: Event) -> None:
        """`check.attested`: a person's signed word is the check's claim from now on."""
        signed = self.open_envelope(event.data.get("envelope"))
        self.signers.check_word(self.testimony.attest(event, signed, self.rules), signed, event)
        self.observe(event)

    def request(self, event: Event) -> None:
        """`waiver.requested`."""
        signed = self.open_envelope(event.data.get("envelope"))
        self.signers.check_word(self.testimony.request(event, signed, self.rules), signed, event)

    def waive(self, event: Event) -> None:
        """`check.waived`."""
        signed = self.open_envelope(event.data.get("envelope"))
        word = self.testimony.waive(event, signed, self.rules, self.schedule)
        self.signers.check_word(word, signed, event)
        self.waivers[word.check] = row_of(event.data)

    def acknowledge(self, event: Event) -> None:
        """`warning.acknowledged`."""
        signed = self.open_envelope(event.data.get("envelope"))
        seen = self.claims.get(fields.text(event.data, "check"))
        word = self.testimony.acknowledge(event, signed, self.rules, seen.claim if seen else None)
        self.signers.check_word(word, signed, event, simulated=word.simulated)

    def expedite(self, event: Event) -> None:
        """`launch.expedited`: who asks for the plan's shorter form, then the second person."""
        signed, rules = self.open_envelope(event.data.get("envelope")), self.rules
        word = self.backing.take(event, signed, rules.digest, rules.launch, rules.expedited)
        self.signers.check_word(word, signed, event)

    def delegate(self, event: Event) -> None:
        """`role.delegated`: who acts for a role is fixed once the poll is open."""
        if self.poll is not None:
            raise RecordError("a role was delegated after the poll was opened", hint=_HINT)
        signed = self.open_envelope(event.data.get("envelope"))
        word = check_delegation(event, signed, self.rules, self.schedule, self.signers.trust)
        self.signers.check_word(word, signed, event)
        self.opened = replace(self.rules, delegates={**self.rules.delegates, word.role: word.to})

    def end_waiver(self, event: Event) -> None:
        """`waiver.ended`."""
        if self.waivers.pop(fields.text(event.data, "check"), None) is None:
            raise RecordError("there is no such waiver", hint=_HINT)

    def open_poll(self, event: Event) -> None:
        """`poll.opened`: a new poll; what was signed and decided before is void."""
        evidence, root = self._shown(event)
        self.go = False
        self.poll = Ballot(evidence, root)

    def renew_poll(self, event: Event) -> None:
        """`poll.renewed`: from here on this is what people sign over; what they signed before stays as it is."""
        if self.poll is None:
            raise RecordError("a poll is renewed that nobody opened", hint=_HINT)
        self.poll.evidence, self.poll.root = self._shown(event)

    def _shown(self, event: Event) -> tuple[EvidenceRoot, str]:
        """The evidence that people are shown, and its root: it must be what was recorded, all of it."""
        shown, recorded = fields.table(event.data, "evidence"), self._recorded()
        evidence = read_evidence(shown)
        encoded, root = evidence_root(recorded)
        if canonical(shown) != encoded:
            same("the evidence", shown, recorded.document())
        if fields.text(event.data, "root") != root:
            raise RecordError(f"`root` is not the digest of the evidence, which is {root}", hint=_HINT)
        return evidence, root

    def _recorded(self) -> EvidenceRoot:
        return EvidenceRoot(
            opened=self.rules.digest,
            plan=self.rules.plan,
            lines=self.rules.lines,
            release=self.rules.release,
            claims=tuple(observed.claim for observed in self.claims.values()),
            schedule=self.schedule,
            waivers=tuple(self.waivers.values()),
            omitted=self.rules.omitted,
            acknowledged=tuple(self.testimony.acknowledged.values()),
            expedited=self.rules.expedited.row() if self.rules.expedited else None,
        )

    def sign_off(self, event: Event) -> None:
        """`signoff.given`: one person's vote over the evidence of the open poll."""
        if self.poll is None:
            raise RecordError("a sign-off without an open poll", hint=_HINT)
        signed = self.open_envelope(event.data.get("envelope"))
        sign_off = read_sign_off(fields.table(signed.statement, "predicate"))
        right = sign_off_statement(sign_off, self.poll.evidence, self.poll.root)
        signed_as("the sign-off", signed, right)
        self._check_launch(sign_off.launch)
        vote = Signature(
            role=sign_off.role,
            person=sign_off.person,
            decision=sign_off.decision,
            at=sign_off.signed_at,
            keyid=signed.keyid,
            simulated=sign_off.simulated,
            note=sign_off.note,
        )
        self.signers.check_vote(vote, event, self.rules)
        words = {
            name: getattr(sign_off, name) for name in ("role", "person", "decision", "note", "simulated")
        }
        said(event.data, words, "role", "person", "decision")
        self.poll.votes[(vote.role, vote.person)] = vote
        self.poll.covers[(vote.role, vote.person)] = self.poll.evidence

    def decide(self, event: Event) -> None:
        """`decision.made`: GO needs every signature and green evidence; NO-GO needs only who may decide."""
        root = self.poll.root if self.poll else None
        signed = self.open_envelope(event.data.get("envelope"))
        decision = read_decision(fields.table(signed.statement, "predicate"))
        signed_as("the decision", signed, decision_statement(decision, self.rules.release, root))
        self._check_launch(decision.launch)
        vote = Signature(
            role=decision.role,
            person=decision.person,
            decision=decision.decision,
            at=decision.signed_at,
            keyid=signed.keyid,
            simulated=decision.simulated,
            note=decision.reason,
        )
        self.signers.check_vote(vote, event, self.rules)
        words = {name: getattr(decision, name) for name in ("decision", "reason", "new_t0")}
        beside = {name: getattr(decision, name) for name in ("role", "simulated", "category")}
        said(event.data, {"by": decision.person, **words, **beside}, "by", *words)
        if vote.role not in self.rules.deciders:
            raise RecordError(f"{vote.role} may not decide; {', '.join(self.rules.deciders)} may", hint=_HINT)
        self.go = vote.decision == "go"
        if self.go:
            self._check_go(event)
        self.flew = self.flew or self.go
        self.decision = vote

    def propose(self, _: Event) -> None:
        """`decision.proposed`: no GO stands from here on; one that was given has expired."""
        if self.go:
            self.go, self.decision = False, None

    def step(self, event: Event) -> None:
        """`step.started`, `step.done`: only after GO, and green runs what was signed."""
        if not self.go:
            raise RecordError("a step of the launch without a valid GO before it", hint=_HINT)
        ran = event.data.get("digest")
        signed = {f"sha256:{digest}" for digest in self.rules.release.values()}
        if event.data.get("step") == "green" and ran is not None and ran not in signed:
            raise RecordError(f"green ran {ran}, which nobody signed", hint=_HINT)
        self.testimony.step(event)

    def end(self, event: Event) -> None:
        """`launch.ended`."""
        outcome = fields.text(event.data, "outcome")
        if outcome not in ENDS:
            raise RecordError(f"{outcome!r} is no outcome; one of {', '.join(sorted(ENDS))}", hint=_HINT)
        if outcome in {"landed", "rolled-back"} and not self.flew:
            raise RecordError(f"{outcome} without a GO", hint=_HINT)
        self.metrics.end(outcome)
        self.testimony.end(outcome)
        if outcome == "no-go" and (self.decision is None or self.decision.decision != "no-go"):
            raise RecordError("no-go without a signed NO-GO", hint=_HINT)
        self.ended = event

    def checkpoint(self, event: Event) -> None:
        """`checkpoint`: the server signed every line before."""
        fields.exactly(event.data, ["envelope"])
        signed = self.open_envelope(event.data["envelope"])
        signed_as("the checkpoint", signed, checkpoint_statement(self.rules.launch, event))
        self.signers.check_server(signed.keyid, event)

    def _check_launch(self, launch: str) -> None:
        if launch != self.rules.launch:
            raise RecordError(f"signed for launch {launch!r}, not for {self.rules.launch!r}", hint=_HINT)

    def _check_go(self, event: Event) -> None:
        if self.poll is None:
            raise RecordError("GO without an open poll", hint=_HINT)
        if missing := [role for role in self.rules.signers if not self.poll.go(role)]:
            raise RecordError(f"GO without a go sign-off of {missing[0]} over this evidence", hint=_HINT)
        self.times.judge_go(event, self.rules.valid_ms)
        if self.rules.expedited and not self.backing.confirmed:
            raise RecordError("GO of an expedited launch that no second person has confirmed", hint=_HINT)
        judge_go(self.rules, self.poll.evidence, self.claims, self.schedule, event.at)
        now = self._recorded()
        for (role, person), evidence in self.poll.covers.items():
            if changed := changes(evidence, now):
                raise RecordError(
                    f"GO over the sign-off of {person} for {role}, which {changed[0].told} had voided",
                    hint=_HINT,
                )
        self._check_seconded(self.poll, now)

    def _check_seconded(self, poll: Ballot, now: EvidenceRoot) -> None:
        """Another than who gave their word for a line signed over it."""
        judged = {line.check for line in self.rules.required if line.due_ms < 0}
        written = {check: people for check, people in self.testimony.authors().items() if check in judged}
        signed = [
            (person, poll.covers[role, person])
            for (role, person), vote in poll.votes.items()
            if vote.decision == "go"
        ]
        for one in alone(written, signed, now):
            raise RecordError(
                f"GO over {one.check}, which no signature but that of {one.author}, whose word it is, covers",
                hint=_HINT,
            )


_ACTS: Mapping[str, Callable[[Reading, Event], None]] = {
    OPENED: Reading.open,
    "launch.rescheduled": Reading.reschedule,
    "check.observed": Reading.observe,
    "check.attested": Reading.attest,
    "milestone.reached": lambda reading, event: reading.testimony.reach(event),
    "waiver.requested": Reading.request,
    "check.waived": Reading.waive,
    "waiver.ended": Reading.end_waiver,
    "role.delegated": Reading.delegate,
    EXPEDITED: Reading.expedite,
    "warning.acknowledged": Reading.acknowledge,
    "poll.opened": Reading.open_poll,
    "poll.renewed": Reading.renew_poll,
    "signoff.given": Reading.sign_off,
    "decision.made": Reading.decide,
    PROPOSED: Reading.propose,
    **dict.fromkeys(("traffic.seen", MEASURED), lambda reading, event: reading.metrics.take(event)),
    "step.started": Reading.step,
    "step.done": Reading.step,
    ENDED: Reading.end,
    CHECKPOINT: Reading.checkpoint,
}

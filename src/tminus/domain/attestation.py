"""What people sign: in-toto Statements over everything they were shown.

A sign-off covers the evidence root: the digest of the plan, the release, every claim, every waiver, every omitted
line, the schedule, and the first line of the record, which fixes who has to sign and what GO judges. The same
functions build a statement before it is signed and rebuild it when a record is verified; equal bytes are the proof.
Signing itself is left to `tminus.signing`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast

from tminus.domain import fields
from tminus.domain.canonical import JsonValue, canonical, plain, sha256_hex
from tminus.domain.evidence import Claim
from tminus.domain.record import Event

Json = dict[str, JsonValue]

STATEMENT = "https://in-toto.io/Statement/v1"
SIGN_OFF = "https://tminus.dev/sign-off/v1"
DECISION = "https://tminus.dev/decision/v1"
CHECKPOINT_OF = "https://tminus.dev/checkpoint/v1"

NOT_APPLICABLE = "not-applicable"
"""Stands in the place of the verdict where the plan says, with a reason, that a line does not apply."""


def claim_data(claim: Claim) -> Json:
    """The part of a claim that signatures cover; event data may hold more beside it."""
    verdict = NOT_APPLICABLE if claim.not_applicable else claim.verdict.value
    return {
        "check": claim.check,
        "verdict": verdict,
        "fingerprint": claim.fingerprint,
        "source": claim.source.value,
    }


@dataclass(frozen=True, slots=True)
class EvidenceRoot:
    """Everything that a poll shows to those who sign."""

    opened: str
    """Digest of the record's first line."""
    plan: str
    """Digest of the plan."""
    lines: int
    """Lines of the checklist, omitted ones included."""
    release: Mapping[str, str]
    """SHA-256 of each component's image, in hex."""
    claims: tuple[Mapping[str, object], ...]
    """As `claim_data` writes them, in any order."""
    schedule: Mapping[str, object]
    """`t0` and `speed`, as `launch.opened` or the last `launch.rescheduled` has them."""
    waivers: tuple[Mapping[str, object], ...] = ()
    """The data of every `check.waived` event that stands."""
    omitted: tuple[Mapping[str, object], ...] = ()
    """Lines that the plan leaves out: `check` and `reason`."""
    acknowledged: tuple[Mapping[str, object], ...] = ()
    """The data of every `warning.acknowledged` event that stands."""
    expedited: Mapping[str, object] | None = None
    """Who asked for the plan's shorter form, who has to confirm it, and why; none for the whole plan."""

    def document(self) -> Json:
        """The JSON that is hashed: claims, waivers, omitted lines and acknowledgements sorted by check.

        Where nothing is acknowledged, or nothing expedited, it says nothing of it.
        """
        return plain(self.rows())

    def rows(self) -> dict[str, object]:
        """The same, as it is before it is copied."""
        rows: dict[str, object] = {name: getattr(self, name) for name in EvidenceRoot.__slots__}
        for name in ("release", "schedule"):
            rows[name] = dict(getattr(self, name))
        for name in ("claims", "waivers", "omitted", "acknowledged"):
            rows[name] = sorted((dict(row) for row in getattr(self, name)), key=_check_of)
        if not self.acknowledged:
            del rows["acknowledged"]
        if self.expedited is None:
            del rows["expedited"]
        return rows

    def count(self, verdict: str) -> list[str]:
        """The ids of the claims with this verdict, sorted."""
        return sorted(str(claim["check"]) for claim in self.claims if claim["verdict"] == verdict)

    def summary(self) -> Json:
        """What a signer reads beside the digest; it stands in the signed text itself."""
        seen = _texts(sorted(map(_check_of, self.acknowledged)))
        return {
            "claims": len(self.claims),
            "warned": _texts(self.count("warned")),
            "waived": _texts(sorted(map(_check_of, self.waivers))),
            "not_applicable": _texts(self.count(NOT_APPLICABLE)),
            "omitted": omitted_text(len(self.omitted), self.lines),
            **({"acknowledged": seen} if seen else {}),
            **({"expedited": plain(self.expedited)} if self.expedited is not None else {}),
        }


def evidence_root(evidence: EvidenceRoot) -> tuple[bytes, str]:
    """The canonical bytes of the evidence document, and their SHA-256 in hex."""
    encoded = canonical(evidence.rows())
    return encoded, sha256_hex(encoded)


def read_evidence(document: Mapping[str, object]) -> EvidenceRoot:
    """Read an evidence document; raises `RecordError` naming the field that is wrong."""
    rare = {"acknowledged", "expedited"}
    said = [name for name in EvidenceRoot.__slots__ if name not in rare or name in document]
    fields.exactly(document, said)
    return EvidenceRoot(
        opened=fields.text(document, "opened"),
        plan=fields.text(document, "plan"),
        lines=fields.number(document, "lines"),
        release=cast("dict[str, str]", fields.table(document, "release")),
        claims=tuple(fields.rows(document, "claims")),
        waivers=tuple(fields.rows(document, "waivers")),
        omitted=tuple(fields.rows(document, "omitted")),
        schedule=fields.table(document, "schedule"),
        acknowledged=tuple(fields.rows(document, "acknowledged")) if "acknowledged" in document else (),
        expedited=fields.table(document, "expedited") if "expedited" in document else None,
    )


def omitted_text(count: int, total: int) -> Json:
    """How many lines of the checklist the plan leaves out, in figures and as a sentence."""
    sentence = (
        f"{count} of {total} lines are not in this plan" if count else f"all {total} lines are in this plan"
    )
    return {"count": count, "total": total, "text": sentence}


@dataclass(frozen=True, slots=True)
class SignOff:
    """One person's go or no-go for one role."""

    launch: str
    role: str
    person: str
    decision: str
    """`go` or `no-go`."""
    signed_at: str
    """By the signer's clock; a later sign-off of the same role must be later."""
    note: str = ""
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """GO or NO-GO, by one person whose role may decide."""

    launch: str
    role: str
    person: str
    decision: str
    """`go` or `no-go`."""
    signed_at: str
    reason: str = ""
    new_t0: str | None = None
    """The new date that a NO-GO proposes."""
    simulated: bool = False
    category: str = ""
    """What kept the launch from going, for a NO-GO; empty where nobody said."""


def sign_off_statement(sign_off: SignOff, evidence: EvidenceRoot, root: str | None = None) -> Json:
    """What one person signs for one role; `root` is the digest of the evidence, where it is known already."""
    predicate = _fields(sign_off) | evidence.summary() | {"evidence_root": root or evidence_root(evidence)[1]}
    return _statement(_release(evidence.release), SIGN_OFF, predicate)


def decision_statement(decision: Decision, release: Mapping[str, str], root: str | None) -> Json:
    """What the person who decides signs; there is no root while no poll was opened, and then only NO-GO."""
    predicate = _fields(decision) | {"evidence_root": root}
    if not decision.category:
        del predicate["category"]
    return _statement(_release(release), DECISION, predicate)


def checkpoint_statement(launch: str, place: Event) -> Json:
    """What the server signs: every line before this place, and the place itself but for its data."""
    covered: Json = {"seq": place.seq - 1, "head": place.prev}
    predicate: Json = {"launch": launch, **covered, "at": place.at, "t_ms": place.t_ms, "key": place.key}
    return _statement([{"name": "launch record", "digest": {"sha256": place.prev}}], CHECKPOINT_OF, predicate)


def read_sign_off(predicate: Mapping[str, object]) -> SignOff:
    """The person's own words in a signed predicate; the rest is rebuilt and compared."""
    return SignOff(
        launch=fields.text(predicate, "launch"),
        role=fields.text(predicate, "role"),
        person=fields.text(predicate, "person"),
        decision=fields.text(predicate, "decision"),
        signed_at=fields.text(predicate, "signed_at"),
        note=str(predicate.get("note", "")),
        simulated=fields.flag(predicate, "simulated"),
    )


def read_decision(predicate: Mapping[str, object]) -> Decision:
    """The decider's own words in a signed predicate; the rest is rebuilt and compared."""
    return Decision(
        launch=fields.text(predicate, "launch"),
        role=fields.text(predicate, "role"),
        person=fields.text(predicate, "person"),
        decision=fields.text(predicate, "decision"),
        signed_at=fields.text(predicate, "signed_at"),
        reason=str(predicate.get("reason", "")),
        new_t0=fields.text(predicate, "new_t0") if predicate.get("new_t0") is not None else None,
        simulated=fields.flag(predicate, "simulated"),
        category=fields.text(predicate, "category") if "category" in predicate else "",
    )


def _fields(words: SignOff | Decision) -> Json:
    return {name: getattr(words, name) for name in words.__slots__}


def _statement(subject: list[Json], predicate_type: str, predicate: Json) -> Json:
    return {
        "_type": STATEMENT,
        "subject": [*subject],
        "predicateType": predicate_type,
        "predicate": {**predicate},
    }


def _release(release: Mapping[str, str]) -> list[Json]:
    return [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(release.items())]


def _check_of(row: Mapping[str, object]) -> str:
    return fields.text(row, "check")


def _texts(values: Iterable[str]) -> list[JsonValue]:
    return list(values)

"""What people sign covers all they were shown."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.attestation import (
    Decision,
    EvidenceRoot,
    SignOff,
    checkpoint_statement,
    claim_data,
    decision_statement,
    evidence_root,
    omitted_text,
    read_decision,
    read_evidence,
    read_sign_off,
    sign_off_statement,
)
from tminus.domain.evidence import Claim, Source, Verdict
from tminus.domain.record import NO_LINE, Event
from tminus.errors import RecordError

AT = "2026-01-31T12:00:00.000Z"
IMAGE = "ab" * 32
SIGN_OFF = SignOff("depot-2", "cto", "Cleo Chief", "go", AT, "fine")


def claim(check: str, verdict: str = "passed") -> dict[str, object]:
    return {"check": check, "verdict": verdict, "fingerprint": "f" * 64, "source": "probe"}


@pytest.fixture
def evidence() -> EvidenceRoot:
    return EvidenceRoot(
        opened="0" * 64,
        plan="1" * 64,
        lines=109,
        release={"depot": IMAGE, "api": "cd" * 32},
        claims=(claim("b", "warned"), claim("a"), claim("c", "not-applicable"), claim("d", "failed")),
        schedule={"t0": AT, "speed": 60},
        waivers=({"check": "d", "by": "Dana Ops", "because": "known", "until": AT},),
        omitted=({"check": "z", "reason": "none"}, {"check": "y", "reason": "none"}),
    )


def test_the_evidence_root_is_the_digest_of_the_canonical_document(evidence: EvidenceRoot) -> None:
    encoded, root = evidence_root(evidence)
    assert sha256(encoded).hexdigest() == root
    assert encoded.startswith(b'{"claims":[{"check":"a","fingerprint"')
    assert [row["check"] for row in evidence.document()["omitted"]] == ["y", "z"]  # type: ignore[index, union-attr, call-overload] # JSON


@given(st.permutations([claim(name) for name in "abcdef"]))
def test_the_order_in_which_claims_were_made_does_not_change_the_root(
    claims: list[dict[str, object]],
) -> None:
    one = EvidenceRoot("0", "1", 6, {"depot": IMAGE}, tuple(claims), {"t0": AT})
    other = replace(one, claims=tuple(claim(name) for name in "abcdef"))
    assert evidence_root(one) == evidence_root(other)


@pytest.mark.parametrize(
    "change",
    [
        {"opened": "2" * 64},
        {"plan": "2" * 64},
        {"lines": 110},
        {"release": {"depot": "ef" * 32, "api": "cd" * 32}},
        {"claims": (claim("a"),)},
        {"claims": (claim("b"), claim("a"), claim("c", "not-applicable"), claim("d", "failed"))},
        {"waivers": ()},
        {"omitted": ()},
        {"schedule": {"t0": AT, "speed": 1}},
    ],
)
def test_every_part_of_the_evidence_changes_the_root(
    evidence: EvidenceRoot, change: dict[str, object]
) -> None:
    changed = replace(evidence, **change)  # type: ignore[arg-type] # one field each
    assert evidence_root(changed)[1] != evidence_root(evidence)[1]


def test_the_evidence_is_read_back_from_its_document(evidence: EvidenceRoot) -> None:
    assert evidence_root(read_evidence(evidence.document())) == evidence_root(evidence)


@pytest.mark.parametrize("field", ["opened", "claims", "schedule", "release", "lines"])
def test_a_document_with_a_missing_or_wrong_field_is_refused(evidence: EvidenceRoot, field: str) -> None:
    document = evidence.document()
    with pytest.raises(RecordError, match=field):
        read_evidence(document | {field: None})
    del document[field]
    with pytest.raises(RecordError, match=f"`{field}` is missing"):
        read_evidence(document)


def test_a_sign_off_states_what_its_signer_must_know(evidence: EvidenceRoot) -> None:
    statement = sign_off_statement(SIGN_OFF, evidence)
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://tminus.dev/sign-off/v1"
    assert statement["subject"] == [
        {"name": "api", "digest": {"sha256": "cd" * 32}},
        {"name": "depot", "digest": {"sha256": IMAGE}},
    ]
    assert statement["predicate"] == {
        "launch": "depot-2",
        "role": "cto",
        "person": "Cleo Chief",
        "decision": "go",
        "signed_at": AT,
        "note": "fine",
        "simulated": False,
        "evidence_root": evidence_root(evidence)[1],
        "claims": 4,
        "warned": ["b"],
        "waived": ["d"],
        "not_applicable": ["c"],
        "omitted": {"count": 2, "total": 109, "text": "2 of 109 lines are not in this plan"},
    }


def test_a_plan_with_every_line_says_so() -> None:
    assert omitted_text(0, 109)["text"] == "all 109 lines are in this plan"


def test_the_words_of_signer_and_decider_are_read_back(evidence: EvidenceRoot) -> None:
    predicate = sign_off_statement(SIGN_OFF, evidence)["predicate"]
    assert isinstance(predicate, dict)
    assert read_sign_off(predicate) == SIGN_OFF
    decision = Decision("depot-2", "cto", "Cleo Chief", "no-go", AT, "too risky", AT, simulated=True)
    predicate = decision_statement(decision, {"depot": IMAGE}, None)["predicate"]
    assert isinstance(predicate, dict)
    assert read_decision(predicate) == decision
    assert predicate["evidence_root"] is None


def test_a_checkpoint_covers_its_own_place() -> None:
    place = Event(9, "ab" * 32, AT, None, "checkpoint", "checkpoint@9", {})
    statement = checkpoint_statement("depot-2", place)
    assert statement["subject"] == [{"name": "launch record", "digest": {"sha256": "ab" * 32}}]
    assert statement["predicate"] == {
        "launch": "depot-2",
        "seq": 8,
        "head": "ab" * 32,
        "at": AT,
        "t_ms": None,
        "key": "checkpoint@9",
    }
    assert checkpoint_statement("depot-2", replace(place, prev=NO_LINE)) != statement


@pytest.mark.parametrize(("not_applicable", "verdict"), [(False, "warned"), (True, "not-applicable")])
def test_a_claim_that_does_not_apply_is_signed_as_such(verdict: str, *, not_applicable: bool) -> None:
    observed = Claim("a", Verdict.WARNED, "f", Source.PROBE, 0.0, 0.0, not_applicable=not_applicable)
    assert claim_data(observed) == {"check": "a", "verdict": verdict, "fingerprint": "f", "source": "probe"}

"""A record proves its launch, or the line is named where it does not."""

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tminus.domain.canonical import canonical, timestamp
from tminus.domain.record import Entry, append, decode, digest
from tminus.domain.report import Report
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.domain.verification import verify
from tminus.errors import RecordError, UsageError
from tminus.signing import Signer, open_envelope, verify_file

if TYPE_CHECKING:
    from tests.unit.record_builder import CHECKS, PEOPLE, START, RecordBuilder, signer, trust_root
else:
    from record_builder import CHECKS, PEOPLE, START, RecordBuilder, signer, trust_root


REAL: dict[str, Any] = {
    "plan": {"digest": "a" * 64, "production": True, "lines": 5},
    "omitted": [],
    "systems": {"postgres": "real"},
}
"""What a launch in production opens with."""


def check(content: bytes, trust: TrustRoot | None) -> Report:
    return verify([content], open_envelope, trust)


class TestWhole:
    def test_a_complete_record_proves_its_launch(self, record: RecordBuilder, trust: TrustRoot) -> None:
        report = record.complete().verify(trust)
        assert report.trusted
        assert (report.launch, report.outcome, report.events) == ("depot-2", "landed", len(record.lines))
        assert {vote.role: (vote.person, vote.decision) for vote in report.sign_offs} == {
            role: (person, "go") for role, person in PEOPLE.items()
        }
        assert report.decision is not None
        assert (report.decision.person, report.decision.decision) == ("Cleo Chief", "go")
        assert (report.observed, report.omitted, report.lines) == (5, 2, 8)
        assert report.systems == {"postgres": "real", "slack": "stand-in"}
        assert report.head == digest(record.lines[-1])
        assert report.server_keys == (signer("server").keyid,)
        assert not report.simulated
        assert report.notes == ()

    def test_without_a_trust_root_a_record_is_intact_and_its_signers_unknown(
        self, record: RecordBuilder
    ) -> None:
        assert not record.complete().verify(None).trusted

    def test_checkpoints_on_the_way_are_verified_too(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.up_to_poll()
        record.seal()
        record.go().landing()
        assert record.verify(trust).outcome == "landed"

    def test_a_no_go_is_proved_as_well(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.up_to_poll()
        record.sign("qa-lead", "no-go")
        record.decide("no-go", reason="tests are red", new_t0=timestamp(START + 86_400))
        record.add("launch.ended", {"outcome": "no-go"})
        record.seal()
        report = record.verify(trust)
        assert (report.outcome, report.decision and report.decision.note) == ("no-go", "tests are red")

    def test_a_no_go_needs_no_poll(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.open()
        record.decide("no-go")
        record.add("launch.ended", {"outcome": "no-go"})
        record.seal()
        assert record.verify(trust).sign_offs == ()

    def test_a_new_poll_after_a_reschedule_decides(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.up_to_poll()
        record.sign("cto", "no-go")
        record.decide("no-go")
        schedule = {"t0": timestamp(START + 7200), "speed": 60}
        record.add("launch.rescheduled", {"schedule": schedule})
        assert record.go(schedule=schedule).landing().verify(trust).outcome == "landed"

    def test_a_new_date_voids_what_a_person_said_for_the_old_one(
        self, record: RecordBuilder, trust: TrustRoot
    ) -> None:
        record.up_to_poll()
        schedule = {"t0": timestamp(START + 7200), "speed": 60}
        record.add("launch.rescheduled", {"schedule": schedule, "void": {"attestations": ["bk.db"]}})
        voided = record.claims.pop("bk.db")
        record.poll(schedule=schedule)
        for role in PEOPLE:
            record.sign(role)
        record.decide("no-go")
        record.add("launch.ended", {"outcome": "no-go"})
        record.seal()
        assert voided["check"] == "bk.db"
        assert record.verify(trust).observed == len(record.claims)

    def test_a_launch_that_was_scrubbed_needs_no_go(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.open()
        record.add("launch.ended", {"outcome": "scrubbed"})
        record.seal()
        assert record.verify(trust).outcome == "scrubbed"

    def test_a_clock_that_went_back_is_noted_not_refused(
        self, record: RecordBuilder, trust: TrustRoot
    ) -> None:
        record.up_to_go()
        record.now -= 5
        assert record.landing().verify(trust).notes == ("the clock went back 1 times",)

    def test_two_who_wrote_at_once_set_no_clock_back(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.up_to_go()
        record.now -= 1.5  # each event comes a second after the one before
        assert record.landing().verify(trust).notes == ()

    def test_simulated_signers_are_reported(self) -> None:
        record = RecordBuilder(simulated=True)
        assert record.complete().verify(trust_root(simulated=True)).simulated

    def test_a_record_in_a_file_is_named_with_its_line(self, record: RecordBuilder, tmp_path: Path) -> None:
        path = tmp_path / "launch.jsonl"
        path.write_bytes(b"".join(record.complete().lines))
        assert verify_file(path, trust_root()).launch == "depot-2"
        path.write_bytes(b"".join(record.lines[:4]))
        with pytest.raises(RecordError, match=r"launch\.jsonl: line 4: the record ends with check\.observed"):
            verify_file(path, None)
        with pytest.raises(UsageError, match="cannot be read"):
            verify_file(tmp_path / "none.jsonl", None)


class TestDamage:
    def test_a_checkpoint_of_another_record_does_not_close_this_one(self, record: RecordBuilder) -> None:
        other = RecordBuilder(launch="depot-3").complete()
        record.complete()
        event = json.loads(record.lines[-1]) | {"data": json.loads(other.lines[-1])["data"]}
        with pytest.raises(RecordError, match=r"line 27 \(checkpoint\): the checkpoint does not hold"):
            check(b"".join([*record.lines[:-1], canonical(event) + b"\n"]), None)


class TestSigners:
    def test_a_record_signed_anew_by_a_stranger_is_refused(self, trust: TrustRoot) -> None:
        forged = RecordBuilder(seed="stranger").complete()
        assert not forged.verify(None).trusted
        with pytest.raises(RecordError, match=r"line 8 \(signoff\.given\): key .* a stranger signed this"):
            forged.verify(trust)

    def test_a_record_sealed_by_a_stranger_is_refused(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.complete().events.pop()
        record.seal(Signer.generate())
        with pytest.raises(RecordError, match=r"line 27 \(checkpoint\): .* stranger"):
            record.verify(trust)

    @pytest.mark.parametrize("trusted", [True, False])
    def test_a_person_cannot_seal_a_record(self, record: RecordBuilder, *, trusted: bool) -> None:
        record.complete().events.pop()
        record.seal(signer("Cleo Chief"))
        with pytest.raises(RecordError, match=r"cannot sign as server|a person's key signed as the server"):
            record.verify(trust_root() if trusted else None)

    def test_a_sign_off_of_another_launch_is_refused(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.up_to_poll()
        record.sign("cto", launch="depot-1")
        with pytest.raises(RecordError, match=r"line 8 \(signoff\.given\): signed for launch 'depot-1'"):
            record.landing().verify(trust)

    def test_a_sign_off_copied_from_another_record_is_refused(
        self, record: RecordBuilder, trust: TrustRoot
    ) -> None:
        other = RecordBuilder(launch="depot-1").up_to_go()
        record.up_to_poll()
        record.add("signoff.given", dict(other.events[7].data))
        with pytest.raises(RecordError, match=r"the sign-off does not hold: `predicate\.evidence_root`"):
            record.landing().verify(trust)

    def test_a_sign_off_played_again_is_refused(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.up_to_poll()
        record.sign("cto")
        record.sign("cto", "no-go")
        record.add("signoff.given", dict(record.events[7].data))
        with pytest.raises(RecordError, match=r"line 10 \(signoff\.given\): .*played again"):
            record.landing().verify(trust)

    def test_a_role_that_was_not_signed_is_refused(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.up_to_poll()
        record.sign("cto")
        data: dict[str, Any] = dict(record.events[-1].data) | {"role": "qa-lead"}
        record.events.pop()
        record.add("signoff.given", data)
        with pytest.raises(RecordError, match="`role` is 'qa-lead', but 'cto' was signed"):
            record.landing().verify(trust)

    def test_a_person_signs_only_for_their_own_roles(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.up_to_poll()
        record.sign("cto", key=signer("Dana Ops"), person="Dana Ops")
        with pytest.raises(RecordError, match="Dana Ops may not sign as cto, only as devops-lead"):
            record.landing().verify(trust)

    def test_nobody_signs_in_another_persons_name(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.up_to_poll()
        record.sign("cto", key=signer("Dana Ops"))
        with pytest.raises(RecordError, match="signed as Cleo Chief, but with the key of Dana Ops"):
            record.landing().verify(trust)

    def test_one_person_signs_one_role(self, record: RecordBuilder) -> None:
        keys = [
            TrustedKey(signer("Cleo Chief").keyid, "Cleo Chief", KeyKind.PERSON, ("cto", "qa-lead")),
            TrustedKey(signer("server").keyid, "server", KeyKind.SERVER),
        ]
        record.up_to_poll()
        record.sign("cto")
        record.sign("qa-lead", key=signer("Cleo Chief"), person="Cleo Chief")
        for trust in (TrustRoot(tuple(keys)), None):
            with pytest.raises(RecordError, match="Cleo Chief signed as cto before: one role each"):
                record.verify(trust) if record.events[-1].type == "checkpoint" else record.landing().verify(
                    trust
                )

    def test_one_key_signs_one_role(self, record: RecordBuilder) -> None:
        record.up_to_poll()
        record.sign("cto")
        record.sign("qa-lead", key=signer("Cleo Chief"))
        with pytest.raises(RecordError, match="this key signed in another role before"):
            record.landing().verify(None)

    def test_a_key_counts_only_while_it_is_valid(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.complete()
        keyid = signer("Quentin Qa").keyid
        with pytest.raises(RecordError, match="the key of Quentin Qa was not valid"):
            record.verify(trust.retired(keyid, timestamp(START + 1)))
        assert record.verify(trust.retired(keyid, timestamp(START + 60))).trusted

    def test_a_retired_key_cannot_sign_with_an_earlier_date(
        self, record: RecordBuilder, trust: TrustRoot
    ) -> None:
        record.up_to_poll()
        record.sign("qa-lead", signed_at=timestamp(START - 100))
        with pytest.raises(RecordError, match="was not valid at 2027"):
            record.landing().verify(trust.retired(signer("Quentin Qa").keyid, timestamp(START - 50)))

    def test_a_simulated_person_cannot_pass_as_real(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.complete()
        with pytest.raises(RecordError, match="is simulated, but signed otherwise"):
            record.verify(trust_root(simulated=True))
        with pytest.raises(RecordError, match="is not simulated, but signed otherwise"):
            RecordBuilder(simulated=True).complete().verify(trust)

    def test_a_changed_note_breaks_the_signature(self, record: RecordBuilder) -> None:
        record.up_to_poll()
        record.sign("cto")
        data = json.loads(canonical(dict(record.events.pop().data)))
        payload = base64.b64decode(data["envelope"]["payload"]).replace(b"looks good", b"looks fine")
        data["envelope"]["payload"] = base64.b64encode(payload).decode()
        record.add("signoff.given", data)
        with pytest.raises(RecordError, match=r"line 8 \(signoff\.given\): the signature is not by key"):
            record.landing().verify(None)


class TestEvidence:
    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"claims": ()}, "`claims`"),
            ({"plan": "0" * 64}, "`plan`"),
            ({"opened": "0" * 64}, "`opened`"),
            ({"release": {"depot": "0" * 64}}, "`release.depot`"),
            ({"omitted": ()}, "`omitted`"),
            ({"schedule": {"t0": "tomorrow", "speed": 60}}, "`schedule.t0`"),
            ({"lines": 109}, "`lines`"),
            ({"waivers": ({"check": "bk.db"},)}, "`waivers`"),
        ],
    )
    def test_a_poll_over_other_evidence_than_was_recorded_is_refused(
        self, record: RecordBuilder, change: dict[str, Any], message: str
    ) -> None:
        record.observed()
        record.poll(**change)
        with pytest.raises(
            RecordError, match=rf"line 7 \(poll\.opened\): the evidence does not hold: {message}"
        ):
            record.landing().verify(None)

    @pytest.mark.parametrize("field", ["verdict", "fingerprint", "source"])
    def test_a_claim_swapped_in_the_evidence_is_refused(self, record: RecordBuilder, field: str) -> None:
        record.observed()
        record.claims["cfg.cors"][field] = "other"
        record.poll()
        with pytest.raises(RecordError, match=rf"`claims\[1\]\.{field}` is other, not "):
            record.landing().verify(None)

    def test_a_root_that_is_not_of_this_evidence_is_refused(self, record: RecordBuilder) -> None:
        record.up_to_poll()
        data: dict[str, Any] = dict(record.events.pop().data) | {"root": "0" * 64}
        record.add("poll.opened", data)
        with pytest.raises(RecordError, match="`root` is not the digest of the evidence"):
            record.landing().verify(None)

    def test_a_sign_off_over_the_evidence_of_an_earlier_poll_is_refused(self, record: RecordBuilder) -> None:
        record.up_to_poll()
        earlier = record.evidence
        record.observe("cfg.cors", "warned")
        record.poll()
        record.evidence = earlier
        record.sign("cto")
        with pytest.raises(RecordError, match=r"the sign-off does not hold: `predicate\.evidence_root`"):
            record.landing().verify(None)

    @pytest.mark.parametrize(
        ("verdict", "changes"),
        [("warned", {}), ("passed", {"fingerprint": "new"}), ("failed", {}), ("error", {})],
    )
    def test_a_go_over_evidence_that_changed_since_is_refused(
        self, record: RecordBuilder, verdict: str, changes: dict[str, Any]
    ) -> None:
        record.up_to_poll()
        for role in PEOPLE:
            record.sign(role)
        record.observe("cfg.cors", verdict, **changes)
        record.decide()
        with pytest.raises(RecordError, match=r"\(decision\.made\): GO over cfg\.cors, which changed"):
            record.landing().verify(None)

    def test_the_same_claim_observed_again_voids_nothing(self, record: RecordBuilder) -> None:
        record.up_to_poll()
        for role in PEOPLE:
            record.sign(role)
            record.observe("cfg.cors")
        record.decide()
        assert record.landing().verify(None).outcome == "landed"


class TestGo:
    @pytest.mark.parametrize("verdict", ["failed", "inconclusive", "error", "stale", "pending", "PASSED"])
    def test_a_signed_go_over_a_line_that_is_not_green_is_refused(
        self, record: RecordBuilder, trust: TrustRoot, verdict: str
    ) -> None:
        record.open()
        for name in CHECKS:
            record.observe(name, verdict if name == "test.smoke" else "passed")
        record.go()
        with pytest.raises(
            RecordError, match=rf"\(decision\.made\): GO over test\.smoke, which is {verdict}"
        ):
            record.landing().verify(trust)

    def test_a_go_over_a_line_that_was_never_observed_is_refused(self, record: RecordBuilder) -> None:
        record.open()
        for name in CHECKS[1:]:
            record.observe(name)
        record.go()
        with pytest.raises(RecordError, match=r"GO over bk\.db, which is pending"):
            record.landing().verify(None)

    @pytest.mark.parametrize("verdict", ["passed", "warned", "not-applicable"])
    def test_green_lines_allow_go(self, record: RecordBuilder, verdict: str) -> None:
        record.open()
        for name in CHECKS:
            record.observe(name, verdict)
        if verdict == "warned":
            record.acknowledge("bk.db")
        assert record.go().landing().verify(None).outcome == "landed"

    def waived(self, record: RecordBuilder, name: str, until: float) -> RecordBuilder:
        record.open()
        for other in CHECKS:
            record.observe(other, "failed" if other == name else "passed")
        record.waive(name, until)
        return record.go().landing()

    def test_a_waived_line_allows_go_while_the_waiver_holds(self, record: RecordBuilder) -> None:
        assert self.waived(record, "cfg.cors", START + 3600).verify(None).outcome == "landed"

    def test_a_waiver_that_ended_allows_nothing(self, record: RecordBuilder) -> None:
        with pytest.raises(RecordError, match=r"GO over cfg\.cors, whose waiver ended"):
            self.waived(record, "cfg.cors", START + 8).verify(None)

    def test_a_blocker_cannot_be_waived(self, record: RecordBuilder) -> None:
        with pytest.raises(RecordError, match=r"bk\.db is a blocker, which nobody may waive"):
            self.waived(record, "bk.db", START + 3600).verify(None)

    def test_a_withdrawn_waiver_is_not_in_the_evidence(self, record: RecordBuilder) -> None:
        record.open()
        record.observe("cfg.cors", "failed")
        record.waive("cfg.cors")
        record.add("waiver.ended", {"check": "cfg.cors"})
        record.poll()
        with pytest.raises(RecordError, match="`waivers`"):
            record.landing().verify(None)

    def test_an_observation_that_is_too_old_is_stale(self, record: RecordBuilder) -> None:
        required = [{"check": "cfg.cors", "due_ms": -1, "severity": "required", "live_ms": 60_000}]
        record.up_to_poll(required=required)
        for role in PEOPLE:
            record.sign(role)
        record.now += 60
        record.decide()
        with pytest.raises(RecordError, match=r"GO over cfg\.cors, which is stale"):
            record.landing().verify(None)
        assert RecordBuilder().complete(required=required).verify(None).outcome == "landed"

    def test_a_line_that_does_not_apply_does_not_age(self, record: RecordBuilder) -> None:
        required = [{"check": "cfg.cors", "due_ms": -1, "severity": "required", "live_ms": 1}]
        record.open(required=required)
        record.observe("cfg.cors", "not-applicable")
        assert record.go().landing().verify(None).outcome == "landed"

    def test_an_advisory_line_closes_nothing(self, record: RecordBuilder) -> None:
        required = [
            {"check": "cfg.cors", "due_ms": -1, "severity": "required"},
            {"check": "notify.email", "due_ms": -1, "severity": "advisory"},
        ]
        assert record.complete(required=required).verify(None).outcome == "landed"

    @pytest.mark.parametrize("missing", list(PEOPLE))
    def test_a_go_without_every_signature_is_refused(self, record: RecordBuilder, missing: str) -> None:
        record.up_to_poll()
        for role in PEOPLE:
            if role != missing:
                record.sign(role)
        record.decide()
        with pytest.raises(RecordError, match=f"GO without a go sign-off of {missing}"):
            record.landing().verify(None)

    def test_a_go_against_a_signed_no_go_is_refused(self, record: RecordBuilder) -> None:
        record.up_to_poll()
        for role in PEOPLE:
            record.sign(role, "no-go" if role == "security-lead" else "go")
        record.decide()
        with pytest.raises(RecordError, match="GO without a go sign-off of security-lead"):
            record.landing().verify(None)

    def test_a_no_go_of_one_person_stands_whoever_else_says_go_for_the_role(
        self, record: RecordBuilder
    ) -> None:
        record.up_to_poll()
        record.sign("security-lead", "no-go", key=signer("A Delegate"), person="A Delegate")
        data: dict[str, Any] = dict(record.events.pop().data) | {"person": "A Delegate"}
        record.add("signoff.given", data)
        for role in PEOPLE:
            record.sign(role)
        record.decide()
        with pytest.raises(RecordError, match="GO without a go sign-off of security-lead"):
            record.landing().verify(None)

    def test_a_signer_may_change_their_mind_before_go(self, record: RecordBuilder) -> None:
        record.up_to_poll()
        record.sign("security-lead", "no-go")
        for role in PEOPLE:
            record.sign(role)
        record.decide()
        assert record.landing().verify(None).outcome == "landed"

    def test_a_go_without_a_poll_is_refused(self, record: RecordBuilder) -> None:
        record.open()
        record.decide()
        with pytest.raises(RecordError, match="GO without an open poll"):
            record.landing().verify(None)

    def test_only_a_role_that_may_decide_decides(self, record: RecordBuilder, trust: TrustRoot) -> None:
        record.up_to_poll()
        for role in PEOPLE:
            record.sign(role)
        record.decide(role="qa-lead")
        with pytest.raises(RecordError, match="qa-lead may not decide; cto may"):
            record.landing().verify(trust)

    @pytest.mark.parametrize("field", ["decision", "by", "reason"])
    def test_a_decision_that_was_not_signed_is_refused(self, record: RecordBuilder, field: str) -> None:
        record.up_to_go()
        data: dict[str, Any] = dict(record.events.pop().data) | {field: "other"}
        record.add("decision.made", data)
        with pytest.raises(RecordError, match=f"`{field}` is 'other', but"):
            record.landing().verify(None)

    def test_a_word_that_is_neither_go_nor_no_go_is_refused(self, record: RecordBuilder) -> None:
        record.up_to_poll()
        record.sign("cto", "maybe")
        with pytest.raises(RecordError, match="neither go nor no-go"):
            record.landing().verify(None)

    def test_a_go_is_void_after_a_reschedule(self, record: RecordBuilder) -> None:
        record.up_to_go()
        record.add("launch.rescheduled", {"schedule": {"t0": timestamp(START + 9000), "speed": 60}})
        with pytest.raises(RecordError, match=r"\(step\.started\): a step of the launch without a valid GO"):
            record.landing().verify(None)


class TestLaunch:
    @pytest.mark.parametrize("kind", ["step.started", "step.done"])
    def test_a_step_before_go_is_refused(self, record: RecordBuilder, kind: str) -> None:
        record.up_to_poll()
        record.add(kind, {"step": "backup"})
        with pytest.raises(RecordError, match=rf"line 8 \({kind}\): a step of the launch without a valid GO"):
            record.landing().verify(None)

    def test_a_step_after_a_no_go_is_refused(self, record: RecordBuilder) -> None:
        record.up_to_go()
        record.decide("no-go")
        with pytest.raises(RecordError, match="a step of the launch without a valid GO"):
            record.landing().verify(None)

    def test_a_record_of_a_launch_under_way_is_refused(self, record: RecordBuilder) -> None:
        record.up_to_go()
        record.seal()
        with pytest.raises(RecordError, match=r"line 14: the record has no launch\.ended"):
            record.verify(None)

    @pytest.mark.parametrize(
        ("outcome", "message"),
        [
            ("landed", "landed without a GO"),
            ("no-go", "without a signed NO-GO"),
            ("fine", "'fine' is no outcome"),
        ],
    )
    def test_an_outcome_that_the_record_does_not_carry_is_refused(
        self, record: RecordBuilder, outcome: str, message: str
    ) -> None:
        record.up_to_poll()
        record.add("launch.ended", {"outcome": outcome})
        record.seal()
        with pytest.raises(RecordError, match=message):
            record.verify(None)

    def test_nothing_but_one_checkpoint_follows_the_end(self, record: RecordBuilder) -> None:
        record.complete()
        record.seal()
        with pytest.raises(RecordError, match=r"line 28 \(checkpoint\): nothing but one checkpoint"):
            record.verify(None)

    def test_a_key_that_is_used_twice_is_refused(self, record: RecordBuilder) -> None:
        record.open()
        record.add("note.taken", {}, "note")
        record.events.append(append(record.events[-1], Entry("note.taken", "note", {}, record.at)))
        with pytest.raises(RecordError, match=r"line 3 \(note\.taken\): the key 'note' was used before"):
            record.landing().verify(None)

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"signers": []}, "`signers` names nothing"),
            ({"deciders": []}, "`deciders` names nothing"),
            ({"release": {}}, "`release` names nothing"),
            ({"required": []}, "`required` names nothing"),
            ({"required": [{"check": "a", "due_ms": 0, "severity": "required"}]}, "`required` names nothing"),
            (
                {"required": [{"check": "a", "due_ms": -1, "severity": "nice"}]},
                "`severity` of a cannot be 'nice'",
            ),
            ({"systems": {"slack": "mock"}}, "`systems`: slack is neither real nor stand-in"),
            ({"plan": {"digest": "a", "production": 0, "lines": 1}}, "`production` must be true or false"),
            ({"launch": ""}, "`launch` must be a text"),
        ],
    )
    def test_a_launch_that_could_not_be_judged_is_refused(
        self, record: RecordBuilder, changes: dict[str, Any], message: str
    ) -> None:
        record.open(**changes)
        with pytest.raises(RecordError, match=rf"line 1 \(launch\.opened\): {message}"):
            record.landing().verify(None)


class TestProduction:
    def test_real_people_and_systems_may_launch(self, record: RecordBuilder, trust: TrustRoot) -> None:
        assert record.complete(**REAL).verify(trust).production

    def test_simulated_signers_are_refused(self) -> None:
        with pytest.raises(RecordError, match=r"line 8 \(signoff\.given\): .* is simulated, but the plan"):
            RecordBuilder(simulated=True).complete(**REAL).verify(trust_root(simulated=True))

    def test_stand_ins_are_refused(self, record: RecordBuilder) -> None:
        with pytest.raises(RecordError, match=r"line 1 \(launch\.opened\): .* slack is a stand-in"):
            record.complete(**REAL | {"systems": {"slack": "stand-in"}}).verify(None)

    def test_omitted_lines_are_refused(self, record: RecordBuilder) -> None:
        omitted = [{"check": "route.sms", "reason": "no pager"}]
        with pytest.raises(RecordError, match="production, but omits 1 lines"):
            record.complete(**REAL | {"omitted": omitted}).verify(None)

    def test_what_only_a_simulated_person_saw_is_refused(self, record: RecordBuilder) -> None:
        record.open(**REAL)
        for name in CHECKS:
            record.observe(name, source="simulated")
        record.go()
        with pytest.raises(
            RecordError, match=r"GO in production over bk\.db, which only a simulated person saw"
        ):
            record.landing().verify(None)


def test_the_builder_writes_lines_that_are_read_back(record: RecordBuilder) -> None:
    lines = record.complete().lines
    assert [decode(number, line) for number, line in enumerate(lines, 1)] == record.events

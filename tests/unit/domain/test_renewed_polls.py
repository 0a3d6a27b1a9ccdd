"""Records whose evidence changed during the poll: who signed again is counted, who did not is not."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.record_builder import CHECKS, PEOPLE, RecordBuilder, trust_root
else:
    from record_builder import CHECKS, PEOPLE, RecordBuilder, trust_root

from tminus.domain.attestation import evidence_root
from tminus.domain.verification import check_open
from tminus.errors import RecordError
from tminus.signing import open_envelope


def renewed(record: RecordBuilder) -> None:
    """What is shown from now on is what the record holds by now."""
    record.poll()
    opened = record.events.pop()
    record.add("poll.renewed", dict(opened.data))


def test_evidence_that_got_better_is_signed_anew_by_those_whose_word_it_voids() -> None:
    record = RecordBuilder()
    record.up_to_poll()
    for role in PEOPLE:
        record.sign(role)
    record.observe("cfg.cors", "warned")
    renewed(record)
    for role in PEOPLE:
        record.sign(role)
    record.decide()
    report = record.landing().verify(trust_root())
    assert {vote.role for vote in report.sign_offs} == set(PEOPLE)


def test_go_over_a_word_that_a_change_had_voided_is_refused() -> None:
    record = RecordBuilder()
    record.up_to_poll()
    for role in PEOPLE:
        record.sign(role)
    record.observe("cfg.cors", "warned")
    renewed(record)
    for role in list(PEOPLE)[1:]:
        record.sign(role)
    record.decide()
    said = r"GO over the sign-off of Dana Ops for devops-lead, which cfg\.cors: passed, now warned had voided"
    with pytest.raises(RecordError, match=said):
        record.landing().verify(trust_root())


def test_a_line_that_was_seen_for_the_first_time_voids_nobody_s_word() -> None:
    record = RecordBuilder()
    record.open()
    for check in CHECKS[:-1]:
        record.observe(check)
    record.poll()
    record.sign("cto")
    record.observe(CHECKS[-1])
    renewed(record)
    for role in list(PEOPLE)[:-1]:
        record.sign(role)
    record.decide()
    assert record.landing().verify(trust_root()).outcome == "landed"


def test_a_waiver_given_after_a_word_voids_it() -> None:
    record = RecordBuilder()
    record.up_to_poll()
    record.sign("cto")
    record.waive("cfg.cors")
    renewed(record)
    for role in list(PEOPLE)[:-1]:
        record.sign(role)
    record.decide()
    with pytest.raises(RecordError, match=r"sign-off of Cleo Chief for cto, which cfg\.cors: not waived"):
        record.landing().verify(trust_root())


def test_a_word_over_evidence_that_was_shown_before_is_refused() -> None:
    record = RecordBuilder()
    record.up_to_poll()
    earlier = record.evidence
    record.observe("cfg.cors", "warned")
    renewed(record)
    record.evidence = earlier
    record.sign("cto")
    with pytest.raises(RecordError, match=r"`predicate\.evidence_root`"):
        record.landing().verify(trust_root())


def test_evidence_that_is_not_what_was_recorded_is_refused() -> None:
    record = RecordBuilder()
    record.up_to_poll()
    assert record.evidence is not None
    record.observe("cfg.cors", "warned")
    data = {"evidence": record.evidence.document(), "root": evidence_root(record.evidence)[1]}
    record.add("poll.renewed", data)
    with pytest.raises(RecordError, match="the evidence does not hold"):
        record.landing().verify(trust_root())


def test_a_poll_that_nobody_opened_is_not_renewed() -> None:
    record = RecordBuilder()
    record.open()
    renewed(record)
    with pytest.raises(RecordError, match="renewed that nobody opened"):
        record.landing().verify(trust_root())


def test_a_record_is_judged_while_its_launch_is_under_way() -> None:
    record = RecordBuilder()
    record.up_to_poll()
    record.sign("cto")
    check_open(record.events, open_envelope, trust_root())
    with pytest.raises(RecordError, match=r"line 8 .* a stranger signed this"):
        check_open(record.events, open_envelope, trust_root("strangers"))


def test_who_signs_is_whom_the_plan_named_when_it_opened() -> None:
    record = RecordBuilder()
    named = [{"role": role, "person": person} for role, person in PEOPLE.items()]
    record.up_to_poll(roles=[*named[:-1], {"role": "cto", "person": "Somebody Else"}])
    record.sign("cto")
    with pytest.raises(RecordError, match="Cleo Chief signed as cto, but the plan names Somebody Else"):
        record.landing().verify(trust_root())


def test_a_new_date_that_was_not_signed_is_refused() -> None:
    record = RecordBuilder()
    record.up_to_poll()
    record.decide("no-go")
    data = {**record.events.pop().data, "new_t0": "2030-01-01T00:00:00.000Z"}
    record.add("decision.made", data)
    with pytest.raises(RecordError, match="`new_t0` is '2030"):
        record.landing().verify(trust_root())

"""Another person for a role: named by who holds it, before T-24h and before the poll, and followed by verification."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.courses import PLAN, Launched
    from tests.unit.record_builder import PEOPLE, START, RecordBuilder, signer, trust_root
else:
    from courses import PLAN, Launched
    from record_builder import PEOPLE, START, RecordBuilder, signer, trust_root

from tminus.domain.canonical import timestamp
from tminus.domain.delegation import BEFORE, as_held, handed
from tminus.domain.report import Report
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.errors import RecordError

ADA = "Ada Stone"
ROLES = [{"role": role, "person": person} for role, person in PEOPLE.items()]
AHEAD = {"schedule": {"t0": timestamp(START + BEFORE + 3600), "speed": 60}, "roles": ROLES}


def trusting(*roles: str) -> TrustRoot:
    """The trust root with Ada's key for these roles."""
    return TrustRoot((*trust_root().keys, TrustedKey(signer(ADA).keyid, ADA, KeyKind.PERSON, roles)))


@pytest.fixture
def record() -> RecordBuilder:
    record = RecordBuilder()
    record.observed(**AHEAD)
    return record


def landed(record: RecordBuilder, devops: str, trust: TrustRoot | None = None) -> Report:
    """What the record proves when this person signs as DevOps Lead, and everybody else as the plan says."""
    record.poll()
    for role in PEOPLE:
        if role == "devops-lead":
            record.sign(role, key=signer(devops), person=devops)
            signed = dict(record.events.pop().data)
            record.add("signoff.given", signed | {"person": devops})
        else:
            record.sign(role)
    record.decide()
    return record.landing().verify(trust or trusting("devops-lead"))


def refused(record: RecordBuilder, devops: str = ADA, trust: TrustRoot | None = None) -> str:
    with pytest.raises(RecordError) as caught:
        landed(record, devops, trust)
    return str(caught.value)


def test_whom_the_holder_names_signs_and_the_holder_no_longer_does(record: RecordBuilder) -> None:
    record.delegate("devops-lead", ADA)
    before = list(record.events)
    assert "devops-lead" in {vote.role for vote in landed(record, ADA).sign_offs if vote.person == ADA}
    record.events = before
    assert "Dana Ops signed as devops-lead, but it is delegated to Ada Stone" in refused(record, "Dana Ops")


def test_without_a_delegation_nobody_signs_whom_the_plan_does_not_name(record: RecordBuilder) -> None:
    assert "Ada Stone signed as devops-lead, but the plan names Dana Ops" in refused(record)


def test_who_holds_a_role_takes_it_back_by_their_own_name(record: RecordBuilder) -> None:
    record.delegate("devops-lead", ADA)
    record.delegate("devops-lead", "Dana Ops")
    assert landed(record, "Dana Ops").outcome == "landed"


@pytest.mark.parametrize(
    ("to", "changes", "why"),
    [
        ("Quentin Qa", {}, "Quentin Qa holds qa-lead already: one role each"),
        ("Nobody", {}, "the trust root had no key of Nobody for devops-lead"),
        (ADA, {"person": "Emil Eng"}, "Emil Eng delegated devops-lead, for which the plan names Dana Ops"),
        (ADA, {"launch": "depot-1"}, "signed for launch 'depot-1'"),
    ],
)
def test_a_delegation_that_may_not_be_is_refused(
    record: RecordBuilder, to: str, changes: dict[str, Any], why: str
) -> None:
    record.delegate("devops-lead", to, **changes)
    assert why in refused(record)


def test_a_key_for_another_role_is_none_for_this_one(record: RecordBuilder) -> None:
    record.delegate("devops-lead", ADA)
    assert "the trust root had no key of Ada Stone for devops-lead" in refused(record, trust=trusting("cto"))


def test_nobody_hands_on_a_role_that_was_delegated_to_them(record: RecordBuilder) -> None:
    record.delegate("devops-lead", ADA)
    record.delegate("devops-lead", "Bo Lind", person=ADA)
    assert "Ada Stone delegated devops-lead, for which the plan names Dana Ops" in refused(record)


def test_after_t_24h_nobody_delegates() -> None:
    record = RecordBuilder()
    record.open(roles=ROLES)
    record.delegate("devops-lead", ADA)
    assert "devops-lead was delegated after T-24h" in refused(record)


def test_once_the_poll_is_open_who_signs_is_fixed(record: RecordBuilder) -> None:
    record.poll()
    record.delegate("devops-lead", ADA)
    assert "a role was delegated after the poll was opened" in refused(record)


def test_a_new_date_closes_the_poll_and_lets_a_role_be_delegated(record: RecordBuilder) -> None:
    record.poll()
    later = {"t0": timestamp(START + 2 * BEFORE), "speed": 60}
    record.add("launch.rescheduled", {"schedule": later})
    record.delegate("devops-lead", ADA)
    record.poll(schedule=later)
    record.sign("devops-lead", key=signer(ADA), person=ADA)
    signed = dict(record.events.pop().data)
    record.add("signoff.given", signed | {"person": ADA})
    record.add("launch.ended", {"outcome": "scrubbed"})
    record.seal()
    assert [vote.person for vote in record.verify(trusting("devops-lead")).sign_offs] == [ADA]


def test_a_delegation_says_what_was_signed(record: RecordBuilder) -> None:
    record.delegate("devops-lead", ADA)
    said = dict(record.events.pop().data)
    record.add("role.delegated", said | {"to": "Bo Lind"})
    assert "is not the one that was signed" in refused(record)


def test_a_plan_names_who_holds_its_roles_and_lines_by_now() -> None:
    launch = Launched()
    assert as_held(launch.plan, launch.events) is launch.plan
    launch.add("role.delegated", role="devops", by="Dario Voss", to=ADA, because="on leave")
    held = as_held(PLAN, launch.events)
    assert [role.person for role in held.roles] == ["Lena Ortiz", ADA]
    assert {check.person for check in held.checks if check.owner == "devops"} == {ADA}
    assert replace(held, roles=PLAN.roles, checks=PLAN.checks) == PLAN


def test_an_address_stands_in_the_signed_text_where_one_is_said(record: RecordBuilder) -> None:
    record.delegate("devops-lead", ADA, email="ada@shop.example")
    assert record.events[-1].data["email"] == "ada@shop.example"
    assert landed(record, ADA).outcome == "landed"


def test_an_address_that_nobody_signed_or_that_is_none_is_refused(record: RecordBuilder) -> None:
    record.delegate("devops-lead", ADA, email="ada@shop.example")
    said = dict(record.events.pop().data)
    before = list(record.events)
    record.add("role.delegated", said | {"email": "eve@shop.example"})
    assert "the delegation is not the one that was signed" in refused(record)
    record.events = before
    record.delegate("devops-lead", ADA, email="ada at shop")
    assert "'ada at shop' is no mail address" in refused(record)


def test_who_acts_for_a_role_is_told_at_their_own_address_and_never_at_the_plan_s() -> None:
    lead, devops = PLAN.roles
    ours = replace(PLAN, roles=(lead, replace(devops, email="dario@shop.example", slack="env:DARIO")))
    launch = Launched(ours)
    launch.add("role.delegated", role="devops", by="Dario Voss", to=ADA, because="on leave")
    held = as_held(ours, launch.events).roles[1]
    assert (held.person, held.email, held.slack) == (ADA, "", "")
    assert handed(ours, launch.events) == {"devops"}
    launch.add(
        "role.delegated", role="devops", by="Dario Voss", to=ADA, because="x", email="ada@shop.example"
    )
    assert as_held(ours, launch.events).roles[1].email == "ada@shop.example"
    launch.add("role.delegated", role="devops", by="Dario Voss", to="Dario Voss", because="back")
    assert as_held(ours, launch.events) == ours
    assert handed(ours, launch.events) == frozenset()

"""Who gave their word for a line of a section may not be the only one whose signature covers it."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0
    from tests.unit.polls import Polled
    from tests.unit.record_builder import CHECKS, PEOPLE, RecordBuilder, trust_root
else:
    from courses import HOUR, PLAN, T0
    from polls import Polled
    from record_builder import CHECKS, PEOPLE, RecordBuilder, trust_root

from tminus.domain.attestation import EvidenceRoot
from tminus.domain.authors import Alone, alone, authors
from tminus.domain.evidence import Source, Verdict
from tminus.domain.orders import Act
from tminus.domain.plan import Role
from tminus.domain.poll import refusals
from tminus.errors import RecordError


def evidence(**claims: str) -> EvidenceRoot:
    rows = tuple({"check": check, "fingerprint": seen} for check, seen in claims.items())
    return EvidenceRoot("0", "1", 9, {}, rows, {})


def test_a_word_that_only_its_author_signed_over_is_found() -> None:
    now = evidence(a="x", b="x")
    written = {"a": {"Dana Ops"}, "b": {"Dana Ops", "Quentin Qa"}}
    assert alone(written, [("Dana Ops", now), ("Quentin Qa", now)], now) == []
    assert alone(written, [("dana  ops", now), ("Quentin Qa", evidence(b="x"))], now) == [
        Alone("a", "Dana Ops")
    ]
    assert alone(written, [("Dana Ops", now), ("Quentin Qa", evidence(a="y", b="x"))], now) == [
        Alone("a", "Dana Ops")
    ]
    assert alone(written, [("Cleo Chief", now)], now) == []
    assert len(alone(written, [], now)) == 3


@pytest.fixture
def polled() -> Polled:
    """Two sign, and one of them owns a line that waits for a word."""
    qa = Role("qa", "QA Lead", "Quentin Mbeki", simulated=False, signs=True)
    launch = Polled(replace(PLAN, roles=(*PLAN.roles, qa)), now=T0 - 600)
    for check in ("site.up", "cfg.maps", "team.ready"):
        launch.observe(check, Verdict.PASSED)
    launch.show("poll.opened")
    return launch


def speaks(launch: Polled, check: str, person: str = "Dario Voss") -> None:
    launch.observe(check, Verdict.PASSED, source=Source.PERSON)
    seen = dict(launch.events.pop().data)
    launch.add("check.attested", **seen, by=person)


def lacking(launch: Polled) -> list[str]:
    return [
        line
        for line in refusals(launch.plan, launch.events, launch.seen, launch.now, 0.0)
        if "whose word" in line
    ]


def test_a_word_after_all_others_have_signed_needs_one_of_them_once_more(polled: Polled) -> None:
    polled.sign("qa")
    speaks(polled, "vendor.word")
    (said,) = lacking(polled)
    assert said.startswith(
        "Readiness: no signature but that of Dario Voss, whose word it is, covers vendor.word;"
    )
    assert said.endswith("who could sign: Quentin Mbeki as qa, once more")
    polled.sign("devops")
    assert len(lacking(polled)) == 1
    polled.sign("qa")
    assert lacking(polled) == []


def test_who_has_yet_to_sign_will_cover_what_was_said(polled: Polled) -> None:
    speaks(polled, "vendor.word")
    polled.sign("devops")
    assert lacking(polled) == []


def test_a_plan_with_one_signer_says_that_one_more_has_to_sign(polled: Polled) -> None:
    polled.plan = PLAN
    speaks(polled, "team.ready")
    (said,) = lacking(polled)
    assert said.endswith("who could sign: nobody of this plan: one more role has to sign")


def test_what_a_new_date_voided_has_no_author(polled: Polled) -> None:
    speaks(polled, "team.ready")
    assert authors(polled.events) == {"team.ready": {"Dario Voss"}}
    polled.order(Act.RESCHEDULE, new_t0=T0 + 5 * HOUR)
    assert authors(polled.events) == {}


@pytest.mark.parametrize("again", [False, True])
def test_verification_follows_who_signed_over_whose_word(*, again: bool) -> None:
    record = RecordBuilder()
    record.open(roles=[{"role": role, "person": person} for role, person in PEOPLE.items()])
    for check in CHECKS[:-1]:
        record.observe(check)
    record.poll()
    for role in list(PEOPLE)[1:]:
        record.sign(role)
    record.attest(CHECKS[-1], "Dana Ops")
    record.poll()
    record.add("poll.renewed", dict(record.events.pop().data))
    record.sign("devops-lead")
    if again:
        record.sign("qa-lead")
    record.decide()
    if again:
        assert record.landing().verify(trust_root()).outcome == "landed"
        return
    with pytest.raises(
        RecordError, match=r"GO over oncall\.primary, which no signature but that of Dana Ops"
    ):
        record.landing().verify(trust_root())

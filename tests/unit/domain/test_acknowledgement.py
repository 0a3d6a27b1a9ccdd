"""A warned blocker needs somebody's acknowledgement before GO; it holds for the claim that was seen, and no other."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.record_builder import CHECKS, PEOPLE, START, RecordBuilder, trust_root
else:
    from record_builder import CHECKS, PEOPLE, START, RecordBuilder, trust_root

from tminus.domain.attestation import read_evidence
from tminus.domain.canonical import timestamp
from tminus.domain.report import Report
from tminus.errors import RecordError

ROLES = [{"role": role, "person": person} for role, person in PEOPLE.items()]
REQUIRED = [
    {
        "check": check,
        "due_ms": -1,
        "severity": "blocker" if check == "bk.db" else "required",
        "owner": "devops-lead",
    }
    for check in CHECKS
]


@pytest.fixture
def record() -> RecordBuilder:
    """Every line is seen, and the one blocker is warned."""
    record = RecordBuilder()
    record.open(roles=ROLES, required=REQUIRED)
    for check in CHECKS:
        record.observe(check, "warned" if check == "bk.db" else "passed")
    return record


def landed(record: RecordBuilder, *, simulated: bool = False) -> Report:
    return record.go().landing().verify(trust_root(simulated=simulated))


def refused(record: RecordBuilder) -> str:
    with pytest.raises(RecordError) as caught:
        landed(record)
    return str(caught.value)


def test_go_over_a_warned_blocker_needs_an_acknowledgement_and_the_signed_text_names_it(
    record: RecordBuilder,
) -> None:
    record.acknowledge("bk.db")
    assert landed(record).outcome == "landed"
    assert record.evidence is not None
    assert record.evidence.summary()["acknowledged"] == ["bk.db"]
    assert read_evidence(record.evidence.document()).acknowledged == record.evidence.acknowledged


def test_go_over_a_warned_blocker_that_nobody_acknowledged_is_refused(record: RecordBuilder) -> None:
    assert "GO over bk.db, a blocker that is warned, which nobody acknowledged" in refused(record)


def test_a_warned_line_that_is_no_blocker_needs_none(record: RecordBuilder) -> None:
    record.observe("bk.db")
    record.observe("cfg.cors", "warned")
    assert landed(record).outcome == "landed"
    assert record.evidence is not None
    assert "acknowledged" not in record.evidence.document()


def test_the_same_seen_again_voids_nothing(record: RecordBuilder) -> None:
    record.acknowledge("bk.db")
    record.observe("bk.db", "warned")
    assert landed(record).outcome == "landed"


@pytest.mark.parametrize("changes", [{"fingerprint": "0" * 64}, {"verdict": "passed"}])
def test_a_material_change_voids_it_for_good(record: RecordBuilder, changes: dict[str, Any]) -> None:
    record.acknowledge("bk.db")
    record.observe("bk.db", **{"verdict": "warned", **changes})
    record.observe("bk.db", "warned")
    record.acknowledged.clear()
    assert "which nobody acknowledged" in refused(record)


def test_a_new_date_voids_it(record: RecordBuilder) -> None:
    record.acknowledge("bk.db")
    record.add("launch.rescheduled", {"schedule": {"t0": timestamp(START + 3600), "speed": 60}})
    record.acknowledged.clear()
    assert "which nobody acknowledged" in refused(record)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"fingerprint": "0" * 64}, "it acknowledges a warning that bk.db does not have"),
        (
            {"role": "devops-lead", "person": "Dana Ops"},
            "bk.db is Dana Ops's own line: another has to judge it",
        ),
        ({"person": "Dana Ops"}, "Dana Ops signed as engineering-lead, but the plan names Emil Eng"),
        ({"launch": "depot-1"}, "signed for launch 'depot-1'"),
        ({"simulated": True}, "Emil Eng is not simulated, but signed otherwise"),
    ],
)
def test_an_acknowledgement_that_may_not_be_is_refused(
    record: RecordBuilder, changes: dict[str, Any], why: str
) -> None:
    record.acknowledge("bk.db", **changes)
    assert why in refused(record)


def test_only_who_signs_or_decides_acknowledges() -> None:
    record = RecordBuilder()
    record.open(roles=ROLES, required=REQUIRED, signers=["devops-lead"])
    record.observe("bk.db", "warned")
    record.acknowledge("bk.db", "qa-lead")
    assert "qa-lead neither signs nor decides" in refused(record)


def test_a_line_that_passed_has_nothing_to_acknowledge(record: RecordBuilder) -> None:
    record.acknowledge("cfg.cors")
    assert "it acknowledges a warning that cfg.cors does not have" in refused(record)


def test_an_acknowledgement_is_not_played_again(record: RecordBuilder) -> None:
    record.acknowledge("bk.db")
    record.add("warning.acknowledged", dict(record.events[-1].data))
    assert "played again" in refused(record)


def test_an_acknowledgement_says_what_was_signed(record: RecordBuilder) -> None:
    record.acknowledge("bk.db")
    said = dict(record.events.pop().data)
    record.add("warning.acknowledged", said | {"because": "it is fine"})
    assert "is not the one that was signed" in refused(record)


def test_simulated_people_acknowledge_among_themselves_and_never_in_production() -> None:
    record = RecordBuilder(simulated=True)
    record.open(roles=ROLES, required=REQUIRED)
    for check in CHECKS:
        record.observe(check, "warned" if check == "bk.db" else "passed")
    record.acknowledge("bk.db")
    assert landed(record, simulated=True).outcome == "landed"
    plan = {**dict(record.events[0].data)["plan"], "production": True}  # type: ignore[dict-item] # written above
    production = RecordBuilder(simulated=True)
    production.open(roles=ROLES, required=REQUIRED, plan=plan, omitted=[], systems={})
    production.observe("bk.db", "warned")
    production.acknowledge("bk.db")
    assert "Emil Eng is simulated, but the plan is marked production" in refused(production)

"""The checklist that the product must run whole: everything that it says is read."""

from pathlib import Path

import pytest

from tminus.checklist import read
from tminus.checklist.model import Checklist, Limit, Measure

SEED = Path(__file__).parents[3].parent / "shared" / "seed" / "production-deployment-checklist.md"
pytestmark = pytest.mark.skipif(not SEED.exists(), reason=f"{SEED} is absent")

SHARE, SECONDS, COUNT, RATE = Measure.SHARE, Measure.SECONDS, Measure.COUNT, Measure.RATE
LIMITS = {
    24: Limit(">", 60, SECONDS),
    25: Limit(">", 0.01, SHARE),
    26: Limit(">", 0.5, SECONDS, quantile=0.95),
    27: Limit(">", 0.8, SHARE),
    28: Limit(">", 0.85, SHARE),
    29: Limit(">", 0.8, SHARE),
    32: Limit(">", 0.005, SHARE),
    33: Limit(">", 0.3, SECONDS, quantile=0.95),
    34: Limit("<", 0.9, SHARE),
    35: Limit(">", 1000, COUNT),
    253: Limit("<", 0.01, SHARE),
    254: Limit("<", 0.5, SECONDS, quantile=0.95),
}
"""By line: every threshold that a box of the seed states."""


@pytest.fixture(scope="module")
def seed() -> Checklist:
    return read(SEED.read_bytes())


def test_it_has_109_open_boxes(seed: Checklist) -> None:
    assert len(seed.items) == 109
    assert not any(item.checked for item in seed.items)
    assert (seed.left, seed.fenced, seed.undecodable, seed.newline) == (0, 0, 0, "lf")


def test_its_fourteen_broken_lines_read_right(seed: Checklist) -> None:
    assert seed.repaired == 14
    assert [heading.text for heading in seed.headings if heading.level == 2] == [
        "Monitoring Readiness", "Testing Readiness", "Team Readiness", "External Notifications", "Rollback Readiness",
        "Deployment Timeline", "Final Sign-Off", "Success Criteria", "Emergency Contacts",
    ]  # fmt: skip


def test_every_threshold_is_the_seeds_own(seed: Checklist) -> None:
    assert {item.line: item.limits for item in seed.items if item.limits} == {
        line: (limit,) for line, limit in LIMITS.items()
    }


def test_the_alerts_are_under_their_roll_up(seed: Checklist) -> None:
    children = {item.text: seed.items[item.parent].text for item in seed.items if item.parent is not None}
    assert len(children) == 14
    assert children["API downtime (>1 min)"] == "Critical alerts configured"
    assert children["Queue depth >1000"] == "Warning alerts configured"
    assert children["SMS for critical (on-call)"] == "Alert routing configured"


def test_lines_are_due_where_the_timeline_puts_them(seed: Checklist) -> None:
    due: dict[float, int] = {}
    for item in seed.items:
        if item.due is not None:
            due[item.due / 3600] = due.get(item.due / 3600, 0) + 1
    assert due == {-24: 4, -4: 4, -2: 3, 0: 5, 1: 4, 4: 4, 24: 3}
    windows = ("72 hours", "24h advance", "if stable")
    assert [item.due for item in seed.items if any(words in item.text for words in windows)] == [
        None,
        None,
        14400,
    ]


def test_two_lines_may_be_left_out(seed: Checklist) -> None:
    assert [item.line for item in seed.items if item.optional] == [138, 194]


def test_five_roles_wait_for_a_name_and_a_number(seed: Checklist) -> None:
    assert {card.title: set(card.fields) for card in seed.roles} == {
        "Deployment Lead": {"name", "phone", "email", "role"},
        "DevOps Engineer": {"name", "phone", "role"},
        "Backend Engineer": {"name", "phone", "role"},
        "Security Engineer": {"name", "phone", "role"},
        "QA Engineer": {"name", "phone", "role"},
    }
    assert {card.fields["name"] for card in seed.roles} == {"[Name]"}
    assert seed.roles[0].fields["role"] == "Overall coordination"


def test_five_people_sign_with_name_and_date(seed: Checklist) -> None:
    signers = ["DevOps Lead", "Engineering Lead", "Security Lead", "QA Lead", "CTO"]
    assert [seed.items[index].text for index in seed.signatures] == signers
    lines = {seed.items[index].line for index in seed.signatures}
    assert [(blank.owner, blank.label) for blank in seed.blanks if blank.line in lines] == [
        (signer, label) for signer in signers for label in ("Name", "Date")
    ]


def test_the_decision_is_a_pair_of_boxes_with_a_reason_and_a_date(seed: Checklist) -> None:
    data = SEED.read_bytes()
    assert [
        (decision.line, data[: decision.go.end + 4], data[: decision.no_go.end + 7])
        for decision in seed.decisions
    ] == [(240, data[: data.index(b"[ ] GO") + 6], data[: data.index(b"[ ] NO-GO") + 9])]
    assert {blank.label: blank.line for blank in seed.blanks if 240 < blank.line < 248} == {
        "Reason (if NO-GO)": 242,
        "Rescheduled Date": 244,
    }


def test_placeholders_are_blanks_of_whom_they_belong_to(seed: Checklist) -> None:
    assert len(seed.blanks) == 27
    assert {
        (blank.owner, blank.label) for blank in seed.blanks if blank.line in {83, 102, 269, 272, 277}
    } == {
        ("Deployment Lead", "Email"),
        ("QA Engineer", "Name"),
        ("", "Deployment Hotline"),
        ("Cloud Provider Support", "AWS"),
        ("Security Emergency", ""),
    }


def test_five_triggers_undo_the_release(seed: Checklist) -> None:
    assert [(trigger.line, trigger.text, trigger.limits) for trigger in seed.triggers] == [
        (160, "Error rate >5% for 5 minutes", (Limit(">", 0.05, SHARE, 300),)),
        (161, "P95 latency >2s for 5 minutes", (Limit(">", 2, SECONDS, 300, 0.95),)),
        (162, "Critical security vulnerability discovered", ()),
        (163, "Data corruption detected", ()),
        (164, "Service unavailable >5 minutes", (Limit(">", 300, SECONDS),)),
    ]


def test_nine_figures_are_claimed(seed: Checklist) -> None:
    assert [(f.section[-1], f.label, f.text, f.value, f.measure, f.total) for f in seed.figures] == [
        ("Unit Tests", "Coverage", "87%", 0.87, SHARE, None),
        ("Unit Tests", "Passing", "1,234/1,234 (100%)", 1234, COUNT, 1234),
        ("Integration Tests", "Passing", "156/156 (100%)", 156, COUNT, 156),
        ("Load Tests", "Throughput", "1,200 req/s", 1200, RATE, None),
        ("Load Tests", "P95 latency", "120ms", 0.12, SECONDS, None),
        ("Load Tests", "Error rate", "0.1%", 0.001, SHARE, None),
        ("Security Tests", "Vulnerabilities, critical", "0 critical", 0, COUNT, None),
        ("Security Tests", "Vulnerabilities, high", "0 high", 0, COUNT, None),
        ("Security Tests", "Penetration test", "Pass", None, None, None),
    ]


def test_contacts_are_those_to_call(seed: Checklist) -> None:
    assert {card.title: card.fields for card in seed.contacts} == {
        "Deployment Hotline": {"phone": "+49-xxx-xxx-xxxx"},
        "AWS": {"phone": "+1-xxx-xxx-xxxx"},
        "GCP": {"phone": "+1-xxx-xxx-xxxx"},
        "Security Emergency": {"email": "security@ios-system.com", "phone": "+49-xxx-xxx-xxxx (24/7)"},
        "HashiCorp": {"email": "support@hashicorp.com"},
        "MongoDB": {"email": "support@mongodb.com"},
        "Elastic": {"email": "support@elastic.co"},
    }


def test_the_last_line_without_an_end_is_read(seed: Checklist) -> None:
    assert [(statement.label, statement.text) for statement in seed.document] == [
        ("Last Updated", "2025-01-15"),
        ("Next Review", "Before each deployment"),
        ("Document Owner", "DevOps Team"),
    ]

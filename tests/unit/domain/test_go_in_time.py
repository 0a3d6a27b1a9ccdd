"""Verification judges again when a GO was decided, and how long its lines had been green."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.record_builder import CHECKS, PEOPLE, RecordBuilder, trust_root
else:
    from record_builder import CHECKS, PEOPLE, RecordBuilder, trust_root

from tminus.domain.report import Report
from tminus.errors import RecordError


def seen(**opened: object) -> RecordBuilder:
    """Every line is seen once; each event is a second after the last, a minute before T-0."""
    record = RecordBuilder()
    record.open(**opened)
    for check in CHECKS:
        record.observe(check)
    return record


def landed(record: RecordBuilder) -> Report:
    record.poll()
    for role in PEOPLE:
        record.sign(role)
    record.decide()
    return record.landing().verify(trust_root())


def refused(record: RecordBuilder) -> str:
    with pytest.raises(RecordError) as caught:
        landed(record)
    return str(caught.value)


def test_a_go_within_the_plan_s_time_stands_and_one_outside_of_it_does_not() -> None:
    assert landed(seen(valid_ms=60_000)).outcome == "landed"
    assert "GO at T-00:01:00, more than 58000 ms from T-0" in refused(seen(valid_ms=58_000))


def test_a_record_that_does_not_say_how_long_a_go_holds_is_judged_as_before() -> None:
    assert landed(seen()).outcome == "landed"


def test_lines_that_were_green_for_as_long_as_the_plan_asks_let_go_stand() -> None:
    record = seen(steady_ms=5_000)
    assert landed(record).outcome == "landed"


def test_a_line_that_was_red_a_moment_before_go_does_not() -> None:
    record = seen(steady_ms=20_000)
    record.now += 60
    assert landed(record).outcome == "landed"
    record = seen(steady_ms=20_000)
    record.now += 60
    record.observe("cfg.cors", "failed")
    record.observe("cfg.cors")
    assert "GO over cfg.cors, which is green since 2027-01-15T08:01:0" in refused(record)


def test_after_a_go_has_expired_nothing_is_launched_by_it() -> None:
    record = seen()
    record.poll()
    for role in PEOPLE:
        record.sign(role)
    record.decide()
    record.add("decision.proposed", {"decision": "no-go", "reasons": ["it has expired"]})
    with pytest.raises(RecordError, match="a step of the launch without a valid GO"):
        record.landing().verify(trust_root())

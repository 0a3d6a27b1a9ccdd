"""Verification judges again when a GO was decided, and how long its lines had been green."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.record_builder import PEOPLE, START, RecordBuilder, trust_root
else:
    from record_builder import PEOPLE, START, RecordBuilder, trust_root

from tminus.domain.canonical import timestamp
from tminus.domain.report import Report
from tminus.domain.words import Attestation, attested_claim, attested_words
from tminus.errors import RecordError


def seen(**opened: object) -> RecordBuilder:
    """Every line is seen once; each event is a second after the last, a minute before T-0."""
    return RecordBuilder().observed(**opened)


def landed(record: RecordBuilder) -> Report:
    return record.go().landing().verify(trust_root())


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
    record.go()
    record.add("decision.proposed", {"decision": "no-go", "reasons": ["it has expired"]})
    with pytest.raises(RecordError, match="a step of the launch without a valid GO"):
        record.landing().verify(trust_root())


def decided(ahead: float, signed: float = 0.0, *more: tuple[str, dict[str, Any]]) -> str:
    """A GO whose `t_ms` says a minute before T-0, with a T-0 that lies so much further on; why it is refused.

    `signed` is how many seconds after its record it says to be signed, `more` is what happens right before it.
    """

    def built(t0: float) -> RecordBuilder:
        record = seen(valid_ms=900_000, schedule={"t0": timestamp(t0), "speed": 1})
        record.poll()
        for role in PEOPLE:
            record.sign(role)
        for kind, data in more:
            record.add(kind, data)
        return record

    at = built(START + 3600).now + 2  # the decision's own event comes a second after it is signed
    record = built(at + 60 + ahead)
    record.decide(signed_at=timestamp(at - 1 + signed))
    try:
        record.landing().verify(trust_root())
    except RecordError as error:
        return str(error)
    return ""


def test_where_waits_are_not_shortened_the_clocks_of_a_go_fit_each_other() -> None:
    assert decided(0.0) == ""
    assert decided(3.0) == decided(-3.0) == "", "two readings of one clock"
    assert decided(0.0, 500.0) == decided(0.0, -500.0) == ""


@pytest.mark.parametrize("ahead", [-18_000.0, -30.0, 30.0, 18_000.0])
def test_a_go_that_says_another_offset_than_its_date_makes_is_refused(ahead: float) -> None:
    said = decided(ahead)
    assert "GO says T-00:01:00, but by its date and its holds it was T" in said


@pytest.mark.parametrize("signed", [-18_000.0, -700.0, 700.0, 18_000.0])
def test_a_go_that_was_signed_at_another_time_than_it_was_recorded_is_refused(signed: float) -> None:
    assert "(decision.made): it was signed at " in decided(0.0, signed)


@pytest.mark.parametrize("signed", [-18_000.0, -700.0, 700.0])
@pytest.mark.parametrize("speed", [1, 60])
def test_so_is_a_sign_off(signed: float, speed: float) -> None:
    record = seen(schedule={"t0": timestamp(START + 3600), "speed": speed})
    record.poll()
    record.sign("qa-lead", signed_at=timestamp(record.now + signed))
    for role in PEOPLE.keys() - {"qa-lead"}:
        record.sign(role)
    record.decide()
    with pytest.raises(RecordError, match=r"\(signoff.given\): it was signed at "):
        record.landing().verify(trust_root())


def test_so_is_any_other_word_of_a_person() -> None:
    record = seen()
    record.now += 1
    word = Attestation(
        record.launch,
        "bk.db",
        "devops-lead",
        "Dana Ops",
        holds=True,
        statement="seen",
        version=1,
        signed_at=timestamp(record.now + 700),
    )
    words = {**attested_claim(word, None, blocker=True), **attested_words(word, None, blocker=True)}
    record.add("check.attested", {**words, "envelope": record.word(word)})
    with pytest.raises(RecordError, match=r"\(check.attested\): it was signed at "):
        record.landing().verify(trust_root())


def held(since: float, after: float, moved: float, speed: float = 1) -> str:
    """Why a launch is refused that says it was held since then, was resumed so much later, and moved T-0 by so much."""
    t0 = START + 3600
    record = seen(schedule={"t0": timestamp(t0), "speed": speed})
    by = {"by": "Cleo Chief", "reason": "wait"}
    record.add("clock.held", {"since": timestamp(record.now + 1 + since), **by})
    record.now += after - 1
    record.add("clock.resumed", {"t0": timestamp(t0 + moved), **by})
    record.add("launch.ended", {"outcome": "scrubbed"})
    record.seal()
    try:
        record.verify(trust_root())
    except RecordError as error:
        return str(error)
    return ""


def test_a_hold_moves_t0_by_the_time_for_which_the_clock_stood() -> None:
    assert held(0.0, 900.0, 900.0) == held(2.0, 900.0, 897.0) == ""
    assert held(0.0, -60.0, 0.0) == "", "a machine's clock was set back meanwhile"
    assert held(900.0, 1.0, 7200.0, speed=60) == "", "where waits are shortened the launch clock is believed"


@pytest.mark.parametrize("moved", [0.0, 800.0, 910.0, 7200.0])
def test_a_hold_that_moves_it_by_more_or_less_is_refused(moved: float) -> None:
    said = held(0.0, 900.0, moved)
    assert f"(clock.resumed): after a hold of 900 s T-0 moved by {moved:.0f} s, to " in said


@pytest.mark.parametrize("since", [-3600.0, 60.0])
def test_so_is_a_hold_that_was_recorded_at_another_time_than_it_began(since: float) -> None:
    assert "(clock.held): the clock was held since " in held(since, 900.0, 900.0 - since)


def test_so_is_a_resumption_of_a_clock_that_nobody_held() -> None:
    record = seen(schedule={"t0": timestamp(START + 3600), "speed": 1})
    record.add("clock.resumed", {"t0": timestamp(START + 7200), "by": "Cleo Chief", "reason": "go on"})
    with pytest.raises(RecordError, match="after a hold of 0 s T-0 moved by 3600 s"):
        record.landing().verify(trust_root())


def test_a_hold_that_has_ended_moves_the_date_that_a_go_is_timed_by() -> None:
    at = START + 3600
    record = seen(valid_ms=900_000, schedule={"t0": timestamp(at), "speed": 1})
    record.poll()
    for role in PEOPLE:
        record.sign(role)
    record.add("clock.held", {"since": timestamp(record.now + 1), "by": "Cleo Chief", "reason": "wait"})
    record.now += 1799
    record.add("clock.resumed", {"t0": timestamp(at + 1800), "by": "Cleo Chief", "reason": "go on"})
    record.now = at + 1800 - 62
    record.decide()
    assert record.landing().verify(trust_root()).outcome == "landed"

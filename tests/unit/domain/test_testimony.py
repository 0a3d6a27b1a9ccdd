"""What people said of single lines holds in a record, or the line is named where it does not."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.record_builder import CHECKS, PEOPLE, START, RecordBuilder, signer, trust_root
else:
    from record_builder import CHECKS, PEOPLE, START, RecordBuilder, signer, trust_root

from tminus.domain.canonical import timestamp
from tminus.domain.offsets import clock
from tminus.domain.record import Entry, append
from tminus.domain.report import Report
from tminus.domain.words import Attestation, attested_claim
from tminus.errors import RecordError
from tminus.signing import open_envelope

ROLES = [{"role": role, "person": person} for role, person in PEOPLE.items()]


@pytest.fixture
def record() -> RecordBuilder:
    record = RecordBuilder()
    record.open(roles=ROLES)
    for check in CHECKS[1:]:
        record.observe(check)
    return record


def landed(record: RecordBuilder) -> Report:
    """What the record proves when everybody signs what it holds."""
    return record.go().landing().verify(trust_root())


def refused(record: RecordBuilder) -> str:
    record.add("launch.ended", {"outcome": "scrubbed"})
    record.seal()
    with pytest.raises(RecordError) as caught:
        record.verify(trust_root())
    return str(caught.value)


def changed(record: RecordBuilder, **changes: Any) -> None:
    """The last event with other data, signature and all."""
    data = {**record.events.pop().data, **changes}
    record.add("check.attested", data)


def test_a_blocker_that_two_persons_attested_lets_a_launch_go(record: RecordBuilder) -> None:
    first = record.attest("bk.db", evidence="e" * 64, source="restore.log")
    second = record.attest("bk.db", "Emil Eng", confirms=first.digest, version=2)
    assert (first.data["verdict"], second.data["verdict"]) == ("inconclusive", "passed")
    assert landed(record).evidence == {"e" * 64: "restore.log"}


def test_one_person_s_word_for_a_blocker_lets_nothing_go(record: RecordBuilder) -> None:
    record.attest("bk.db")
    with pytest.raises(RecordError, match=r"GO over bk\.db, which is inconclusive"):
        landed(record)


def test_a_word_that_counts_for_more_than_it_says_is_refused(record: RecordBuilder) -> None:
    record.attest("bk.db")
    changed(record, verdict="passed")
    assert "`verdict` is 'passed', but 'inconclusive' was signed" in refused(record)


def test_nobody_confirms_their_own_word(record: RecordBuilder) -> None:
    first = record.attest("bk.db")
    record.attest("bk.db", confirms=first.digest)
    assert "Dana Ops confirms their own word" in refused(record)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"confirms": "0" * 64}, "confirms what nobody said"),
        ({"statement": "something else"}, "confirms other words"),
        ({"holds": False}, "confirms other words"),
    ],
)
def test_a_confirmation_is_of_what_was_said(record: RecordBuilder, changes: dict[str, Any], why: str) -> None:
    first = record.attest("bk.db")
    record.attest("bk.db", "Emil Eng", **{"confirms": first.digest, **changes})
    assert why in refused(record)


def test_a_word_that_a_new_date_voided_cannot_be_confirmed(record: RecordBuilder) -> None:
    first = record.attest("bk.db")
    schedule = {"t0": timestamp(START + 7200), "speed": 60}
    record.add("launch.rescheduled", {"schedule": schedule, "void": {"attestations": ["bk.db"]}})
    record.attest("bk.db", "Emil Eng", confirms=first.digest)
    assert "confirms what nobody said" in refused(record)


def test_a_word_for_another_launch_is_refused(record: RecordBuilder) -> None:
    other = RecordBuilder(launch="depot-1")
    other.open(roles=ROLES)
    record.add("check.attested", dict(other.attest("cfg.cors").data))
    assert "signed for launch 'depot-1'" in refused(record)


def test_a_word_for_a_launch_of_the_same_name_is_refused(record: RecordBuilder) -> None:
    other = RecordBuilder()
    other.open(roles=ROLES, release={"depot": "0" * 64})
    record.add("check.attested", dict(other.attest("cfg.cors").data))
    assert "the signed text is not what these words make" in refused(record)


def test_a_word_is_not_played_again(record: RecordBuilder) -> None:
    earlier = record.attest("cfg.cors")
    record.attest("cfg.cors", holds=False)
    record.add("check.attested", dict(earlier.data))
    assert "played again" in refused(record)


def test_a_stranger_s_word_is_refused(record: RecordBuilder) -> None:
    record.seed = "stranger"
    record.attest("cfg.cors")
    record.seed = "ours"
    assert "a stranger signed this" in refused(record)


def test_nobody_speaks_in_another_s_name_or_role(record: RecordBuilder) -> None:
    word = Attestation(
        "depot-2", "cfg.cors", "cto", "Dana Ops", holds=True, statement="x", version=1, signed_at=record.at
    )
    for said, why in (
        (word, "Dana Ops signed as cto, but the plan names Cleo Chief"),
        (replace(word, person="Cleo Chief"), "with the key of Dana Ops"),
    ):
        other = RecordBuilder()
        other.open(roles=ROLES)
        claim = attested_claim(said, None, blocker=False)
        other.add("check.attested", {**claim, "envelope": other.word(said, signer("Dana Ops"))})
        assert why in refused(other)


def test_a_waived_line_lets_a_launch_go_and_stands_in_the_signed_text(record: RecordBuilder) -> None:
    record.attest("bk.db", "Dana Ops")
    (first,) = (event for event in record.events if event.type == "check.attested")
    record.attest("bk.db", "Emil Eng", confirms=first.digest)
    record.observe("cfg.cors", "failed")
    record.waive("cfg.cors")
    assert landed(record).outcome == "landed"
    assert record.evidence is not None
    assert record.evidence.summary()["waived"] == ["cfg.cors"]


def test_nobody_approves_a_waiver_of_their_own() -> None:
    record = RecordBuilder()
    record.open()
    record.waive("cfg.cors", by="Emil Eng", role="engineering-lead")
    assert "Emil Eng approved a waiver of their own" in refused(record)


def test_a_waiver_ends_a_day_after_t_0_at_the_latest(record: RecordBuilder) -> None:
    record.waive("cfg.cors", until=START + 3600 + 86_401)
    assert "later than a day after T-0" in refused(record)


@pytest.mark.parametrize(
    ("name", "value"),
    [("until", timestamp(START + 999)), ("approved_by", "Cleo Chief"), ("because", "other")],
)
def test_a_waiver_that_says_other_than_was_asked_for_is_refused(
    record: RecordBuilder, name: str, value: str
) -> None:
    record.waive("cfg.cors")
    data = {**record.events.pop().data, name: value}
    record.add("check.waived", data)
    assert "is not the one that was requested and approved" in refused(record)


def test_a_waiver_without_a_request_is_refused(record: RecordBuilder) -> None:
    record.waive("cfg.cors")
    approval = record.events.pop()
    record.events.pop()
    record.add("check.waived", dict(approval.data))
    assert "nobody requested" in refused(record)


def test_a_request_that_was_changed_is_refused(record: RecordBuilder) -> None:
    record.waive("cfg.cors")
    record.events.pop()
    data = {**record.events.pop().data, "risk": "none at all"}
    record.add("waiver.requested", data)
    assert "`risk` is 'none at all', but 'a page too many' was signed" in refused(record)


def of_a_person(check: str = "cfg.cors", owner: str = "devops-lead", **more: Any) -> RecordBuilder:
    """A record whose first line says that a person is asked for this line, and who."""
    record = RecordBuilder()
    row = {"due_ms": -3_600_000, "severity": "required", "owner": owner}
    kinds = {check: "person"}
    rows = [{"check": name, **row, "kind": kinds.get(name, "probe"), "simulated": False} for name in CHECKS]
    record.open(roles=ROLES, required=[one | more if one["check"] == check else one for one in rows])
    for name in CHECKS:
        if name != check:
            record.observe(name)
    return record


@pytest.mark.parametrize("source", ["person", "probe", "rollup", "simulated"])
@pytest.mark.parametrize("verdict", ["passed", "warned", "not-applicable"])
def test_nobody_s_word_can_be_written_without_a_signature(source: str, verdict: str) -> None:
    record = of_a_person()
    record.observe("cfg.cors", verdict, source=source)
    assert f"cfg.cors is {verdict} by the word of nobody" in refused(record)


def test_an_observation_cannot_be_called_a_person_s_word(record: RecordBuilder) -> None:
    record.observe("cfg.cors", source="person")
    assert "cfg.cors is passed by the word of nobody" in refused(record)


def test_that_nobody_has_spoken_yet_needs_no_signature() -> None:
    record = of_a_person()
    record.observe("cfg.cors", "inconclusive", source="person")
    record.attest("cfg.cors")
    assert landed(record).outcome == "landed"


def test_a_simulated_person_speaks_unsigned_where_the_first_line_says_so() -> None:
    record = of_a_person(simulated=True)
    record.observe("cfg.cors", source="simulated")
    assert landed(record).outcome == "landed"


def test_who_does_not_answer_for_a_line_cannot_give_the_word_for_it() -> None:
    record = of_a_person()
    record.attest("cfg.cors", "Emil Eng")
    assert "Emil Eng gave their word for cfg.cors, which is Dana Ops's" in refused(record)


def test_a_line_that_is_observed_takes_no_word() -> None:
    record = of_a_person()
    record.attest("rb.tested")
    assert "no person is asked for rb.tested" in refused(record)


def test_nobody_approves_a_waiver_of_the_line_that_they_answer_for() -> None:
    record = of_a_person("rb.tested", owner="engineering-lead")
    record.observe("cfg.cors", "failed")
    record.waive("cfg.cors")
    assert "cfg.cors is Emil Eng's own line: another has to judge it" in refused(record)


EACH = ("application", "business")
NOW_MS = -60_000
"""Where the launch clock of these records stands."""


def asking(**more: Any) -> RecordBuilder:
    """A launch with a line that asks for a word of each of two things."""
    record = RecordBuilder()
    asked = {
        "check": "cfg.cors",
        "owner": "devops-lead",
        "severity": "required",
        "each": [*EACH],
        "shown": False,
        "due_ms": -3_600_000,
        "until_ms": None,
        **more,
    }
    record.open(roles=ROLES, asked=[asked])
    due = int(str(asked["due_ms"]))
    reached = Entry("milestone.reached", "reached", {"milestone": clock(due / 1000)}, record.at, due)
    record.events.append(append(record.events[-1], reached))
    for check in CHECKS:
        record.observe(check)
    return record


def looked(record: RecordBuilder, item: str, **changes: Any) -> Any:
    return record.attest(
        "cfg.cors", **{"item": item, "each": EACH, "statement": f"{item} is well", **changes}
    )


def test_a_line_that_asks_for_several_words_holds_with_the_last() -> None:
    record = asking()
    first, last = looked(record, "application"), looked(record, "business", version=2)
    assert (first.data["verdict"], last.data["verdict"]) == ("inconclusive", "passed")
    assert "nobody has spoken yet of business" in first.data["why"]
    assert landed(record).outcome == "landed"


def test_with_one_missing_nothing_goes() -> None:
    record = asking()
    looked(record, "application")
    with pytest.raises(RecordError, match=r"GO over cfg\.cors, which is inconclusive"):
        landed(record)


@pytest.mark.parametrize(
    ("asked", "changes"),
    [({}, {"holds": False}), ({"due_ms": NOW_MS - 960_000, "until_ms": NOW_MS - 900_000}, {"late_s": 900})],
)
def test_one_that_does_not_hold_or_came_late_fails_it_whatever_comes_after(
    asked: dict[str, Any], changes: dict[str, Any]
) -> None:
    record = asking(**asked)
    looked(record, "application", **changes)
    last = looked(record, "business", **({"late_s": 900} if "late_s" in changes else {}), version=2)
    assert last.data["verdict"] == "failed"
    assert "Dana Ops of application: application is well" in last.data["why"]
    with pytest.raises(RecordError, match=r"GO over cfg\.cors, which is failed"):
        landed(record)


def test_a_missing_one_cannot_be_written_over() -> None:
    record = asking()
    looked(record, "application")
    changed(record, verdict="passed")
    assert "`verdict` is 'passed', but 'inconclusive' was signed" in refused(record)


@pytest.mark.parametrize(
    ("asked", "changes", "why"),
    [
        ({}, {"item": "finance"}, "asks for no word of finance"),
        ({}, {"item": ""}, "asks for no word of the whole"),
        ({}, {"each": ("application",)}, "asks for no word of application"),
        ({}, {"each": (), "item": ""}, "asks for no word of the whole"),
        ({"each": []}, {"each": ()}, "asks for no word of application"),
        ({"shown": True}, {}, "needs a file that shows it, and none was shown"),
        ({"due_ms": NOW_MS - 960_000, "until_ms": NOW_MS - 900_000}, {}, "is 900 s late, and says 0 s"),
        (
            {"due_ms": NOW_MS - 960_000, "until_ms": NOW_MS - 900_000},
            {"late_s": 60},
            "is 900 s late, and says 60 s",
        ),
        ({}, {"late_s": 60}, "is 0 s late, and says 60 s"),
    ],
)
def test_a_word_that_says_less_than_the_line_asks_for_is_refused(
    asked: dict[str, Any], changes: dict[str, Any], why: str
) -> None:
    record = asking(**asked)
    looked(record, **{"item": "application", **changes})
    assert why in refused(record)


def test_harm_needs_no_file() -> None:
    record = asking(shown=True)
    assert looked(record, "application", holds=False).data["verdict"] == "failed"
    record.add("launch.ended", {"outcome": "scrubbed"})
    record.seal()
    assert record.verify(trust_root()).outcome == "scrubbed"


def test_the_same_words_about_the_same_files_make_the_same_claim() -> None:
    record = asking(shown=True)
    for item in EACH:
        looked(record, item, evidence=item[0] * 64, source=f"{item}.png")
    before = record.claims["cfg.cors"]["fingerprint"]
    again = looked(record, "business", evidence="b" * 64, source="business.png", version=3)
    assert again.data["fingerprint"] == before
    other = looked(record, "business", evidence="c" * 64, source="business.png", version=4)
    assert other.data["fingerprint"] != before


def test_one_file_shows_one_thing_and_harm_is_heard_whatever_it_shows() -> None:
    record = asking(shown=True)
    picture = {"evidence": "a" * 64, "source": "boards.png"}
    looked(record, "application", **picture)
    assert looked(record, "business", holds=False, **picture).data["verdict"] == "failed"
    record.add("launch.ended", {"outcome": "scrubbed"})
    record.seal()
    assert record.verify(trust_root()).outcome == "scrubbed"


def test_one_file_that_shows_two_things_shows_neither() -> None:
    record = asking(shown=True)
    for item in EACH:
        looked(record, item, evidence="a" * 64, source="boards.png")
    assert "shows one file for two of its things" in refused(record)


def test_who_says_again_what_was_said_in_time_is_not_late() -> None:
    record = asking(due_ms=NOW_MS - 960_000, until_ms=NOW_MS - 600_000)
    spoken = NOW_MS - 900_000
    for number, item in enumerate(EACH, 1):
        looked(record, item, version=number)
        record.events[-1] = append(record.events[-2], _of(record, spoken))
        record.words[record.events[-1].digest] = record.words.pop(next(reversed(record.words)))
    again = looked(record, "application", version=3)
    assert again.data["verdict"] == "passed"
    assert landed(record).outcome == "landed"


def _of(record: RecordBuilder, t_ms: int) -> Entry:
    """The last event as of another time."""
    event = record.events[-1]
    return Entry(event.type, event.key, dict(event.data), event.at, t_ms)


AFTER = {"check": "t1.dash", "due_ms": 3_600_000, "each": [], "until_ms": None}
"""A line that a person looks at after T-0."""


def soaking(**more: Any) -> RecordBuilder:
    """A launch whose users are all on green, and a line that its devops lead has to speak of then."""
    record = asking(**AFTER, **more)
    record.go()
    for step in ("initiate", "promote"):
        record.add("step.started", {"step": step})
        record.add("step.done", {"step": step})
    return record


def test_a_line_after_t_0_takes_the_word_of_whoever_answers_for_it() -> None:
    record = soaking()
    assert record.attest("t1.dash").data["verdict"] == "passed"
    record.add("launch.ended", {"outcome": "landed"})
    record.seal()
    assert record.verify(trust_root()).outcome == "landed"


def test_a_line_after_t_0_takes_nobody_else_s_word() -> None:
    record = soaking()
    record.attest("t1.dash", "Emil Eng")
    assert "Emil Eng gave their word for t1.dash, which is Dana Ops's" in refused(record)


def test_a_line_after_t_0_does_not_pass_by_the_word_of_nobody() -> None:
    record = soaking()
    record.observe("t1.dash")
    assert "t1.dash is passed by the word of nobody" in refused(record)


def test_a_line_that_no_person_is_asked_for_takes_no_word_after_t_0_either() -> None:
    record = soaking()
    record.attest("ok.err")
    assert "no person is asked for ok.err" in refused(record)


def test_harm_says_that_it_brings_back() -> None:
    record = soaking()
    assert record.attest("t1.dash", holds=False).data["harm"] is True
    record.add("rollback.done", {})
    record.add("launch.ended", {"outcome": "rolled-back"})
    record.seal()
    assert record.verify(trust_root()).outcome == "rolled-back"


@pytest.mark.parametrize(("holds", "harm"), [(False, False), (True, True)])
def test_what_brings_back_and_what_does_not_cannot_be_changed(holds: bool, harm: bool) -> None:  # noqa: FBT001 - a table's columns
    record = soaking()
    record.attest("t1.dash", holds=holds)
    changed(record, harm=harm)
    assert "does not say whether it brings back" in refused(record)


def test_nothing_lands_over_harm_that_somebody_told() -> None:
    record = soaking()
    record.attest("t1.dash", holds=False)
    record.add("launch.ended", {"outcome": "landed"})
    record.seal()
    with pytest.raises(RecordError, match=r"landed over harm that was told of t1\.dash"):
        record.verify(trust_root())


def test_an_advisory_line_brings_nothing_back() -> None:
    record = soaking(severity="advisory")
    event = record.attest("t1.dash", holds=False)
    changed(record, **{name: value for name, value in event.data.items() if name != "harm"}, harm=False)
    record.add("launch.ended", {"outcome": "landed"})
    record.seal()
    assert record.verify(trust_root()).outcome == "landed"


def test_nobody_says_how_green_does_before_users_are_all_on_it() -> None:
    record = asking(**AFTER)
    record.go()
    record.add("step.started", {"step": "initiate"})
    record.attest("t1.dash")
    assert "t1.dash is said of green before all users were on it" in refused(record)


def test_a_blocker_after_t_0_needs_two_persons_too() -> None:
    record = soaking(severity="blocker")
    record.blockers |= {"t1.dash"}
    first = record.attest("t1.dash")
    second = record.attest("t1.dash", "Emil Eng", confirms=first.digest, version=2)
    assert (first.data["verdict"], second.data["verdict"]) == ("inconclusive", "passed")
    record.add("launch.ended", {"outcome": "landed"})
    record.seal()
    assert record.verify(trust_root()).outcome == "landed"


@pytest.mark.parametrize("holds", [True, False])
def test_a_word_of_a_line_that_asks_for_nothing_more_is_written_as_ever(
    record: RecordBuilder,
    holds: bool,  # noqa: FBT001 - a table's column
) -> None:
    # Records that were made before lines could ask for more are verified by the same words.
    event = record.attest("cfg.cors", holds=holds)
    assert event.data["seen"] == {"person": "Dana Ops", "version": 1, "file": "", "sha256": ""}
    signed = open_envelope(event.data["envelope"]).statement["predicate"]
    assert isinstance(signed, dict)
    assert not {"item", "each", "late_s"} & {*signed}

"""What a record says of a plan's lines."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest

from tminus.domain.canonical import timestamp
from tminus.errors import RecordError
from tminus.exporting.content import Content, Line, Standing
from tminus.exporting.gathering import of_launch, of_plan
from tminus.exporting.objects import as_json
from tminus.exporting.recorded import recorded

if TYPE_CHECKING:
    from tests.unit.exporting.export_world import content, document, planned, told
    from tests.unit.record_builder import PEOPLE, START, RecordBuilder
else:
    from export_world import content, document, planned, told
    from record_builder import PEOPLE, START, RecordBuilder


def line(found: Content, name: str) -> Line:
    return next(entry for entry in found.lines if entry.id == name)


def ended(builder: RecordBuilder) -> RecordBuilder:
    """A launch of one person's NO-GO, whatever was observed before."""
    builder.poll()
    builder.decide("no-go")
    builder.add("launch.ended", {"outcome": "no-go"})
    builder.seal()
    return builder


def seen(builder: RecordBuilder, verdict: str, **more: Any) -> Content:
    builder.open()
    builder.observe("bk.db", verdict, **more)
    return content(ended(builder))


@pytest.mark.parametrize(
    ("verdict", "source", "standing"),
    [
        ("passed", "probe", Standing.PASSED),
        ("passed", "rollup", Standing.PASSED),
        ("passed", "simulated", Standing.ATTESTED),
        ("warned", "probe", Standing.WARNED),
        ("failed", "probe", Standing.FAILED),
        ("failed", "person", Standing.FAILED),
        ("inconclusive", "probe", Standing.UNKNOWN),
        ("error", "probe", Standing.UNKNOWN),
        ("splendid", "probe", Standing.UNKNOWN),
        ("not-applicable", "plan", Standing.NOT_APPLICABLE),
    ],
)
def test_a_line_stands_as_its_newest_verdict_says(
    record: RecordBuilder, verdict: str, source: str, standing: Standing
) -> None:
    assert line(seen(record, verdict, source=source), "bk.db").standing is standing


def test_a_line_that_a_person_has_signed_for_is_attested(record: RecordBuilder) -> None:
    record.open()
    record.attest("cfg.cors")
    assert line(content(ended(record)), "cfg.cors").standing is Standing.ATTESTED


def test_green_is_what_opens_a_gate_and_nothing_else() -> None:
    assert {standing.value for standing in Standing if standing.green} == {
        "passed", "attested", "warned", "waived", "not applicable", "signed",
    }  # fmt: skip


def test_a_line_that_nobody_looked_at_is_pending(record: RecordBuilder) -> None:
    found = line(seen(record, "passed"), "cfg.cors")
    assert (found.standing, found.seen) == (Standing.PENDING, None)


def test_the_newest_observation_counts_and_knows_its_age_and_its_entry(record: RecordBuilder) -> None:
    record.open()
    record.observe("bk.db", "failed")
    record.observe("bk.db")
    entry = record.events[-1]
    found = line(content(ended(record)), "bk.db").seen
    assert found
    assert (found.verdict, found.entry, found.number) == ("passed", entry.digest, 3)
    assert (found.at, found.t_ms, found.why, found.value) == (entry.at, -60_000, "seen", 0.25)
    assert found.age_seconds == 4.0


def test_an_act_outside_its_stretch_of_the_clock_is_stale(record: RecordBuilder) -> None:
    checks = {
        "Backups": [
            {"id": "bk.db", "line": "Backup", "due": "T-2h", "owner": "cto", "probe": "postgres.backup"}
        ]
    }
    record.complete()
    early, there = ({"fresh": f"event {stretch}"} for stretch in ("T-2h..T-30min", "T-5min..T-0"))
    for fresh, standing in ((early, Standing.STALE), (there, Standing.PASSED)):
        plan = document(checks={"Backups": [checks["Backups"][0] | fresh]})
        assert line(content(record, plan), "bk.db").standing is standing


def test_a_waiver_counts_and_never_hides_a_green_line(record: RecordBuilder) -> None:
    record.open()
    record.observe("cfg.cors")
    record.observe("rb.tested", "failed")
    record.waive("cfg.cors")
    record.waive("rb.tested")
    found = content(ended(record))
    stands = [line(found, name).standing for name in ("cfg.cors", "rb.tested")]
    assert stands == [Standing.PASSED, Standing.WAIVED]
    waived = line(found, "rb.tested")
    assert waived.waived
    assert waived.seen
    assert (waived.waived.by, waived.waived.because, waived.seen.verdict) == ("Dana Ops", "known", "failed")
    assert waived.waived.until == timestamp(START + 86_400)


def test_a_waiver_that_has_run_out_counts_no_more(record: RecordBuilder) -> None:
    record.open()
    record.observe("rb.tested", "failed")
    record.waive("rb.tested", until=START + 3)
    assert line(content(ended(record)), "rb.tested").standing is Standing.FAILED


def test_an_ended_waiver_is_none(record: RecordBuilder) -> None:
    record.open()
    record.observe("cfg.cors", "failed")
    record.waive("cfg.cors")
    record.add("waiver.ended", {"check": "cfg.cors"})
    record.waivers.clear()
    assert line(content(ended(record)), "cfg.cors").standing is Standing.FAILED


def test_signatures_and_the_decision_are_told_with_their_entries(record: RecordBuilder) -> None:
    record.up_to_poll()
    record.sign("cto", "no-go", note="not yet")
    record.sign("devops-lead")
    record.decide("no-go", reason="too late", new_t0=timestamp(START + 7200))
    entry = record.events[-1]
    record.add("launch.ended", {"outcome": "no-go"})
    record.seal()
    found = content(record)
    assert [(signed.person, signed.decision, signed.note) for signed in found.signatures] == [
        ("Cleo Chief", "no-go", "not yet"), ("Dana Ops", "go", "looks good"),
    ]  # fmt: skip
    decision = found.decision
    assert decision
    assert (decision.decision, decision.note, decision.entry) == ("no-go", "too late", entry.digest)
    assert decision.new_t0 == timestamp(START + 7200)
    assert line(found, "sign.cto").standing is Standing.NO_GO
    assert line(found, "sign.devops").standing is Standing.SIGNED


def test_the_counts_hold_every_line_and_what_is_left_out(record: RecordBuilder) -> None:
    found = content(record.complete())
    assert found.counts == {"passed": 3, "signed": 2, "omitted": 1}
    assert (found.total, found.green) == (6, 5)
    assert [(left.id, left.reason) for left in found.omitted] == [("route.sms", "no pager")]


def test_what_an_expedited_launch_left_out_is_omitted_with_its_reason(record: RecordBuilder) -> None:
    row = {"check": "cfg.cors", "severity": "required", "reason": "expedited: no setting changes"}
    path = {"reason": "a token leaks", "by": "Dana Ops", "role": "devops-lead", "second": "Cleo Chief"}
    record.open(
        omitted=[{"check": "cfg.cors", "reason": row["reason"]}],
        expedited={**path, "second_role": "cto", "left_out": [row], "milestones": []},
    )
    record.add("launch.ended", {"outcome": "scrubbed"})
    record.seal()
    found = content(record)
    assert "cfg.cors" not in [entry.id for entry in found.lines]
    assert [(left.id, left.text, left.reason) for left in found.omitted] == [
        ("route.sms", "SMS for on-call", "no pager"),
        ("cfg.cors", "Backup verified | twice", "expedited: no setting changes"),
    ]
    assert found.total == 6


def test_a_launch_whose_plan_is_not_at_hand_is_told_from_the_record_alone(record: RecordBuilder) -> None:
    found = of_launch(told(record.complete()), "launch.jsonl", None)
    assert [entry.id for entry in found.lines][:2] == ["bk.db", "cfg.cors"]
    assert [left.id for left in found.omitted] == ["route.sms", "comm.bridge"]
    assert found.plan.name == "a plan that is not at hand"
    assert len(found.signatures) == len(PEOPLE)
    assert found.systems == {"postgres": "real", "slack": "stand-in"}


def test_the_course_of_a_launch_names_its_steps_and_its_end(record: RecordBuilder) -> None:
    told_ = [moment.what for moment in content(record.complete()).course]
    assert told_[0] == "launch opened"
    assert "Cleo Chief decided go: all green" in told_
    assert told_[-2:] == ["promote done", "launch ended: landed"]


def test_a_plan_alone_has_no_standings() -> None:
    found = of_plan(planned(document()))
    assert {entry.standing for entry in found.lines} == {None}
    assert found.counts == {"omitted": 1, "planned": 5}
    assert [entry.how for entry in found.lines] == [
        "postgres.backup",
        "person",
        "roll-up",
        "signature",
        "signature",
    ]
    assert found.systems == {"postgres": "real", "slack": "stand-in"}


def test_a_broken_record_is_not_told(record: RecordBuilder) -> None:
    lines = record.complete().lines
    with pytest.raises(RecordError, match=r"launch\.jsonl: line 4: .* line 3"):
        recorded(
            "launch.jsonl", b"".join([*lines[:2], lines[2].replace(b"passed", b"warned"), *lines[3:]]), None
        )
    with pytest.raises(RecordError, match="empty"):
        recorded("launch.jsonl", b"", None)


def test_the_json_holds_everything_and_its_keys_stay(record: RecordBuilder) -> None:
    found = content(record.complete())
    told_ = json.loads(as_json(found))
    assert list(told_) == [
        "version", "kind", "plan", "launch", "counts", "simulated", "decision", "signatures", "sections", "omitted",
        "roles", "systems", "to_fill", "course",
    ]  # fmt: skip
    assert (told_["version"], told_["kind"]) == (1, "launch")
    assert told_["counts"] == {"total": 6, "green": 5, "passed": 3, "signed": 2, "omitted": 1}
    assert told_["sections"][0]["section"] == "Backups"
    first = told_["sections"][0]["lines"][0]
    assert first == json.loads(json.dumps(asdict(found.lines[0]))) | {"green": True}
    assert sum(len(part["lines"]) for part in told_["sections"]) == 5
    assert told_["launch"]["head"] == record.events[-1].digest
    assert json.loads(as_json(of_plan(planned(document()))))["launch"] is None

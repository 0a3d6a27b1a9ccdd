"""The first journey: `make demo` launches a good release, and takes a bad one back."""

import json
import random
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from demos import Demo

from tminus import demo
from tminus.domain.guard import GuardLimits
from tminus.domain.record import decode
from tminus.domain.trace import answer, read, replay
from tminus.errors import RecordError
from tminus.planfile import read as plan_of
from tminus.signing import load_trust, trust_path, verify_file

PLAN = plan_of(Path(demo.__file__).parent / "demo.yaml")
Begin = Callable[..., Awaitable[Demo]]


def read_events(record: Path) -> list[tuple[str, dict[str, object]]]:
    lines = record.read_bytes().splitlines(keepends=True)
    return [(event.type, dict(event.data)) for event in (decode(i, line) for i, line in enumerate(lines, 1))]


def of_type(record: Path, kind: str) -> list[dict[str, object]]:
    return [data for found, data in read_events(record) if found == kind]


def all_traffic_is_on_blue(record: Path) -> None:
    (proof,) = of_type(record, "rollback.proved")
    assert proof["as_before"] is True
    assert proof["schema_compatible"] is True
    assert proof["weight"] == 100
    (seen,) = of_type(record, "rollback.seen")
    assert seen["green"] == 0
    assert int(str(seen["blue"])) > 0


async def test_a_good_release_lands_and_no_user_request_fails(start: Begin, home: Path) -> None:
    demo = await start()
    assert await demo.ends() == 0, demo.text
    assert demo.lines[-1].startswith("outcome=landed record=/")
    late = r"\d+ answered later than 2 s"
    proxy = (
        rf"the proxy logged ([\d,]+) of theirs, (\d+) failed, {late}, and \d+ looks of our own, (\d+) failed"
    )
    users = re.search(
        rf"users, until they were sent home: ([\d,]+) requests sent, (\d+) failed; {proxy}; "
        r"(\d+) log lines lost: the counts agree",
        demo.text,
    )
    assert users is not None, demo.text
    sent, failed, logged, refused, spoiled, lost = (int(word.replace(",", "")) for word in users.groups())
    assert sent >= 5000
    assert (failed, refused, spoiled, lost) == (0, 0, 0, 0)
    assert logged == sent
    names_under_go(demo.record)
    shares_are_explained(demo.record)
    thirty_lines_were_observed(demo.record)
    report = verify_file(demo.record, load_trust(trust_path(home)))
    assert (report.trusted, report.outcome, len(report.sign_offs)) == (True, "landed", 5)
    five_hundred_changes_are_refused(demo.record, home)
    assert not demo.stage.exists()


def names_under_go(record: Path) -> None:
    signed = {str(data["person"]) for data in of_type(record, "signoff.given") if data["decision"] == "go"}
    assert len(signed) == 5
    (decision,) = of_type(record, "decision.made")
    assert decision["decision"] == "go"


def shares_are_explained(record: Path) -> None:
    shares = [data["share"] for data in of_type(record, "traffic.seen") if "share" in data]
    last: dict[int, dict[str, object]] = {}
    for share in shares:
        assert isinstance(share, dict)
        last[int(str(share["set"]))] = share
    assert sorted(last) == [10, 50, 100]
    for percent, share in last.items():
        observed = int(str(share["green"])) / int(str(share["total"]))
        assert float(str(share["low"])) <= observed <= float(str(share["high"])), (percent, share)


def thirty_lines_were_observed(record: Path) -> None:
    sources = {str(data["check"]): str(data["source"]) for data in of_type(record, "check.observed")}
    observed = {check for check, source in sources.items() if source in {"probe", "step", "rollup"}}
    signatures = {str(data["role"]) for data in of_type(record, "signoff.given")}
    assert len(observed) + len(signatures) >= 30
    (opened,) = of_type(record, "launch.opened")
    omitted = opened["omitted"]
    assert isinstance(omitted, list)
    assert len(omitted) == PLAN.left_out
    controlled = [data for data in of_type(record, "check.observed") if str(data["check"]).startswith("ok.")]
    assert len(controlled) == sum(check.id.startswith("ok.") for check in PLAN.checks)
    for data in controlled:
        seen = data["seen"]
        assert isinstance(seen, dict)
        assert "control" in seen, f"{data['check']} has no negative control"


def five_hundred_changes_are_refused(record: Path, home: Path) -> None:
    content = record.read_bytes()
    trust = load_trust(trust_path(home))
    dice = random.Random(20)
    altered = record.with_name("altered.jsonl")
    for _ in range(500):
        place = dice.randrange(len(content))
        byte = dice.choice([value for value in range(256) if value != content[place]])
        altered.write_bytes(content[:place] + bytes([byte]) + content[place + 1 :])
        with pytest.raises(RecordError, match=r"line \d+"):
            verify_file(altered, trust)


async def test_a_release_that_fails_requests_is_rolled_back(start: Begin, home: Path) -> None:
    demo = await start("--release", "errors")
    assert await demo.ends() == 0, demo.text
    assert demo.lines[-1].startswith("outcome=rolled-back record=/")
    (rollback,) = of_type(demo.record, "rollback.done")
    assert rollback["rule"] in {"a1", "a2"}
    failed = re.search(r"users[^:]*: [\d,]+ requests sent, (\d+) failed", demo.text)
    assert failed is not None
    assert 0 < int(failed[1]) < 60
    all_traffic_is_on_blue(demo.record)
    assert verify_file(demo.record, load_trust(trust_path(home))).outcome == "rolled-back"
    a_replay_of_its_trace_decides_the_same(demo.record)


def a_replay_of_its_trace_decides_the_same(record: Path) -> None:
    lines = record.with_name("trace.jsonl").read_text().splitlines()
    decision = answer(replay(read(lines), GuardLimits()))
    (rollback,) = of_type(record, "rollback.done")
    assert decision.rule == rollback["rule"]
    assert json.loads(lines[0])["side"] == "blue"


@pytest.mark.slow
async def test_a_slow_release_is_rolled_back(start: Begin) -> None:
    demo = await start("--release", "slow")
    assert await demo.ends() == 0, demo.text
    assert demo.lines[-1].startswith("outcome=rolled-back record=/")
    (rollback,) = of_type(demo.record, "rollback.done")
    assert rollback["rule"] in {"b1", "b2"}
    all_traffic_is_on_blue(demo.record)


@pytest.mark.slow
async def test_a_release_that_crashes_under_load_is_rolled_back(start: Begin) -> None:
    demo = await start("--release", "crash")
    assert await demo.ends() == 0, demo.text
    assert demo.lines[-1].startswith("outcome=rolled-back record=/")
    (rollback,) = of_type(demo.record, "rollback.done")
    assert rollback["rule"] == "green.died"
    all_traffic_is_on_blue(demo.record)


@pytest.mark.slow
async def test_a_release_that_damages_rows_is_rolled_back_though_every_answer_is_right(
    start: Begin, home: Path
) -> None:
    demo = await start("--release", "corrupt")
    assert await demo.ends() == 0, demo.text
    assert demo.lines[-1].startswith("outcome=rolled-back record=/")
    (ended,) = of_type(demo.record, "launch.ended")
    assert (ended["rule"], ended["failed_on_green"]) == ("trigger.corruption", 0)
    assert re.search(
        r"Data corruption detected: .*found .*, expected .*; first seen at 20", str(ended["text"])
    )
    left = ended["data"]
    assert isinstance(left, dict)
    assert left["broken"]
    assert str(left["backup"]).endswith(".dump")
    assert re.search(r"✖ DATA traffic is back on blue, but that repairs no row: a person decides", demo.text)
    assert "**The data needs a person's decision:**" in demo.record.with_name("summary.md").read_text()
    seconds_of_damage(demo.record)
    (seen,) = of_type(demo.record, "rollback.seen")
    assert (seen["green"], int(str(seen["blue"])) > 0) == (0, True)
    assert verify_file(demo.record, load_trust(trust_path(home))).outcome == "rolled-back"


def seconds_of_damage(record: Path) -> None:
    """Two looks, two seconds apart, after the first damage: the release had users for seconds, not for the rung."""
    watched = [str(data["where"]) for data in of_type(record, "traffic.seen")]
    assert 1 <= len(watched) <= 4, watched
    assert all(where.startswith("watch 10 %") for where in watched)


@pytest.mark.slow
@pytest.mark.chaos
async def test_a_release_that_leaks_its_connections_is_rolled_back_by_the_guard(
    start: Begin,
) -> None:
    demo = await start("--release", "leak")
    assert await demo.ends() == 0, demo.text
    assert demo.lines[-1].startswith("outcome=rolled-back record=/")
    (ended,) = of_type(demo.record, "launch.ended")
    assert ended["rule"] in {"a1", "a2"}
    assert 0 < int(str(ended["failed_on_green"])) < 60
    assert isinstance(ended["data"], dict)
    assert ended["data"]["text"] == "all 4 invariants of the data hold"
    all_traffic_is_on_blue(demo.record)

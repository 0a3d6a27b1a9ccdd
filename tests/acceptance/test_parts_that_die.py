"""The fourth journey, on the stage: parts that are killed one by one while a release is launched."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from demos import Demo, nothing_left

from tminus import processes
from tminus.demo.parts import SUPPORTING
from tminus.demo.supervisor import START_SECONDS
from tminus.domain.record import decode
from tminus.signing import load_trust, trust_path, verify_file

Begin = Callable[..., Awaitable[Demo]]

pytestmark = pytest.mark.slow

ALWAYS = {"prometheus"}
"""What measures: killed in every acceptance run; each of the others in `make chaos ONLY=demo`."""


def told(record: Path, *kinds: str) -> list[tuple[str, dict[str, Any]]]:
    """The events of these types, in order."""
    lines = record.read_bytes().splitlines(keepends=True)
    events = [decode(number, line) for number, line in enumerate(lines, 1)]
    return [(event.type, dict(event.data)) for event in events if event.type in kinds]


async def kill(demo: Demo, part: str) -> None:
    """`kill -9` of one part of the stage."""
    process = processes.find(demo.stage, part)
    assert process is not None, part
    await process.kill()


async def test_a_proxy_killed_in_the_shift_holds_the_launch_is_started_again_and_the_launch_lands(
    start: Begin, home: Path
) -> None:
    demo = await start()
    await demo.sees(r"watch 10 % #0")
    await kill(demo, "haproxy")
    assert await demo.ends() == 0, demo.text
    assert demo.lines[-1].startswith("outcome=landed record=/")
    story = told(demo.record, "launch.held", "part.ended", "part.restarted", "traffic.seen", "step.done")
    kinds = [kind for kind, _ in story]
    assert {"launch.held", "part.ended", "part.restarted"} <= set(kinds), demo.text
    held = [data for kind, data in story if kind == "launch.held"]
    assert {data["rule"] for data in held} <= {"hold.blind", "hold.requests"}, held
    assert any("HAProxy" in data["text"] or "proxy" in data["text"] for data in held), held
    (restarted,) = [data for kind, data in story if kind == "part.restarted"]
    assert (restarted["part"], restarted["green_percent"]) == ("haproxy", 10)
    assert restarted["away_seconds"] < 10
    assert restarted["users_failed"] > 0
    assert "neither" in restarted["blame"]
    after = [data for kind, data in story[kinds.index("part.restarted") :] if kind == "traffic.seen"]
    assert after[-1]["action"] == "continue"
    assert {data["gauges"]["counts"]["green"]["failed"] for data in after} == {0}
    assert all(data["gauges"]["lines"]["refused"] == 0 for data in after)
    users = re.search(r"users[^:]*: [\d,]+ requests sent, ([\d,]+) failed", demo.text)
    assert users is not None, demo.text
    assert int(users[1].replace(",", "")) == restarted["users_failed"]
    assert verify_file(demo.record, load_trust(trust_path(home))).outcome == "landed"
    assert nothing_left(home, demo.stage)


@pytest.mark.chaos
async def test_parts_that_die_with_tminus_are_started_again_by_the_next_start(
    start: Begin, home: Path
) -> None:
    killed = await start()
    await killed.sees(r"✔ shift 10")
    await killed.kill()
    for part in ("haproxy", "prometheus"):
        await kill(killed, part)
    resumed = await start()
    assert await resumed.ends() == 0, resumed.text
    assert resumed.lines[-1].startswith("outcome=landed record=/")
    restarted = {data["part"]: data for _, data in told(resumed.record, "part.restarted")}
    assert set(restarted) == {"haproxy", "prometheus"}
    assert restarted["haproxy"]["green_percent"] == 10
    assert restarted["haproxy"]["users_failed"] > 0
    assert nothing_left(home, killed.stage)


@pytest.mark.chaos
async def test_a_registry_killed_in_the_shift_costs_no_user_anything_and_a_measuring_part_killed_later_holds(
    start: Begin, home: Path
) -> None:
    demo = await start()
    await demo.sees(r"watch 10 % #0")
    await kill(demo, "registry")
    await demo.sees(r"part registry")
    await demo.sees(r"watch 50 % #0")
    await kill(demo, "prometheus")
    assert await demo.ends() == 0, demo.text
    assert demo.lines[-1].startswith("outcome=landed record=/")
    story = [(kind, data["part"]) for kind, data in told(demo.record, "part.ended", "part.restarted")]
    assert story == [
        ("part.ended", "registry"),
        ("part.restarted", "registry"),
        ("part.ended", "prometheus"),
        ("part.restarted", "prometheus"),
    ]
    held = [data for _, data in told(demo.record, "launch.held")]
    assert held, demo.text
    assert all(data["rule"] == "hold.parts" and "prometheus" in data["text"] for data in held), held
    assert re.search(r"users[^:]*: [\d,]+ requests sent, 0 failed", demo.text), demo.text
    assert nothing_left(home, demo.stage)


@pytest.mark.parametrize(
    "part", [part if part in ALWAYS else pytest.param(part, marks=pytest.mark.chaos) for part in SUPPORTING]
)
async def test_a_supporting_part_killed_in_the_shift_holds_is_named_and_started_again_and_the_launch_lands(
    part: str, start: Begin, home: Path
) -> None:
    demo = await start()
    await demo.sees(r"watch 10 % #0")
    await kill(demo, part)
    assert await demo.ends() == 0, demo.text
    assert demo.lines[-1].startswith("outcome=landed record=/")
    story = told(demo.record, "launch.held", "part.ended", "part.restarted", "traffic.seen", "rollback.done")
    kinds = [kind for kind, _ in story]
    assert "rollback.done" not in kinds
    held = [data for kind, data in story if kind == "launch.held" and data["rule"] == "hold.parts"]
    assert held, demo.text
    assert all(part in data["text"] for data in held), held
    assert {data["part"] for kind, data in story if kind.startswith("part.")} == {part}
    (restarted,) = [data for kind, data in story if kind == "part.restarted"]
    assert restarted["away_seconds"] < START_SECONDS
    after = [data for kind, data in story[kinds.index("part.restarted") :] if kind == "traffic.seen"]
    assert after[-1]["action"] == "continue"
    assert verify_file(demo.record, load_trust(trust_path(home))).outcome == "landed"
    assert nothing_left(home, demo.stage)


async def test_a_database_killed_in_the_shift_is_harm_that_users_see_and_is_not_hidden(
    start: Begin, home: Path
) -> None:
    demo = await start()
    await demo.sees(r"watch 10 % #0")
    await kill(demo, "postgres")
    await demo.sees(r"part postgres left: it is not started again")
    await demo.sees(r"✖ watch 10 %|HELD watch 10 %")
    demo.interrupt()
    assert await demo.ends() == 1, demo.text
    (left,) = [data for _, data in told(demo.record, "part.left")]
    assert left["part"] == "postgres"
    assert not told(demo.record, "part.restarted")
    assert nothing_left(home, demo.stage)

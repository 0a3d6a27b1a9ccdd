"""What the guard has come to, kept for the next process: the same judgement without reading the trace again."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tminus.control.green import Green
from tminus.control.ports import Traffic
from tminus.control.watch import SAVE, SLICE, Progress
from tminus.domain.guard import GuardLimits
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.targets.memory import GuardMemory
from tminus.testing import Behaviour

if TYPE_CHECKING:
    from tests.unit.launch_world import RUNS_NEW, World
else:
    from launch_world import RUNS_NEW, World


async def watched(file: Path) -> tuple[World, Green]:
    """Two minutes of a release with a few errors, its guard kept in a file."""
    world = World(rate=20.0)
    for side in Side:
        world.traffic.behaviour[side] = Behaviour(errors=0.02)
    world.watch.memory = GuardMemory(file, GuardLimits())
    status = await world.target.start(Side.GREEN, RUNS_NEW)
    await world.target.set_weight(50)
    world.watch.note_weight(50)
    green = Green(status.started, status.digest)
    for _ in range(int(2 * SAVE / SLICE) + 1):
        await world.watch.slice(green, SLICE)
    return world, green


class Reread:
    """How many items of the trace were asked for again."""

    def __init__(self, traffic: Traffic) -> None:
        self._items = traffic.items
        self.first: int | None = None

    def items(self, after: int) -> list[Outcome | WeightChange]:
        self.first = after if self.first is None else self.first
        return self._items(after)


async def test_a_new_process_judges_the_same_and_reads_the_newest_of_the_trace_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tminus.control.watch.RECENT", 20.0)
    world, green = await watched(tmp_path / "guard")
    before = world.watch
    world.boot()
    world.watch.memory = GuardMemory(tmp_path / "guard", GuardLimits())
    reread = Reread(world.traffic)
    monkeypatch.setattr(world.traffic, "items", reread.items)
    await world.watch.slice(green, SLICE)
    await before.slice(green, 0.25)
    await world.watch.slice(green, 0.25)
    assert world.watch.outcomes() == before.outcomes()
    assert reread.first is not None
    assert reread.first > 1000, "not from the beginning"
    assert world.watch.gauges()["counts"] == before.gauges()["counts"]
    assert world.watch.gauges()["tests"] == before.gauges()["tests"]
    assert world.watch.toll() == before.toll()


async def test_a_hold_that_was_resumed_is_not_resumed_again(tmp_path: Path) -> None:
    world, green = await watched(tmp_path / "guard")
    at = world.clock.now()
    world.watch.resume(at)
    for _ in range(int(SAVE / SLICE) + 1):
        await world.watch.slice(green, SLICE)
    kept = GuardMemory(tmp_path / "guard", GuardLimits()).load()
    assert isinstance(kept, Progress)
    assert kept.resumed == (at,)
    world.boot()
    world.watch.memory = GuardMemory(tmp_path / "guard", GuardLimits())
    world.watch.resume(at)
    assert world.watch._resumes == []


async def test_what_other_limits_have_kept_is_not_read(tmp_path: Path) -> None:
    await watched(tmp_path / "guard")
    assert GuardMemory(tmp_path / "guard", GuardLimits()).load() is not None
    assert GuardMemory(tmp_path / "guard", replace(GuardLimits(), r0=2.0)).load() is None


async def test_what_is_broken_or_not_there_is_as_if_nothing_were_kept(tmp_path: Path) -> None:
    memory = GuardMemory(tmp_path / "guard", GuardLimits())
    assert memory.load() is None
    await watched(tmp_path / "guard")
    whole = (tmp_path / "guard").read_bytes()
    for text in (b"", whole[:70], whole[:-9], b"x" + whole):
        (tmp_path / "guard").write_bytes(text)
        assert memory.load() is None


class Hostile:
    """What runs a program when it is read by whoever trusts it."""

    def __reduce__(self) -> Any:
        return Path.touch, (Path("read"),)


def test_nothing_but_a_guard_is_made_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    memory = GuardMemory(tmp_path / "guard", GuardLimits())
    (tmp_path / "guard").write_bytes(memory._mark() + pickle.dumps(Hostile()))
    assert memory.load() is None
    assert not (tmp_path / "read").exists()


def test_a_file_that_cannot_be_written_costs_the_next_start_its_time_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    GuardMemory(tmp_path / "file" / "guard", GuardLimits()).save(Progress)

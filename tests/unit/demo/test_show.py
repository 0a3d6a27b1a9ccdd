"""The end of a launch that stopped by an error, with a disk that has no room left."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from tminus.control.launchtime import LaunchTime
from tminus.control.ports import Json
from tminus.demo.options import Options
from tminus.demo.screen import Screen
from tminus.demo.show import Show
from tminus.demo.theatre import Playbill
from tminus.domain.record import OPENED, Entry, Event, decode
from tminus.domain.timeline import LaunchClock
from tminus.errors import PartError
from tminus.store import MemoryRecordStore
from tminus.store.chain import Sign
from tminus.store.reserve import Reserve
from tminus.testing import FakeClock

LAUNCH = "demo-1"


class FullDisk(MemoryRecordStore):
    """A store that has room only where something else gave it up."""

    def __init__(self, reserve: Path) -> None:
        super().__init__()
        self.full = False
        self._reserve = reserve

    def _need_room(self) -> None:
        if self.full and self._reserve.exists():
            raise PartError("the store does not answer: database or disk is full", hint="free some room")

    async def append_once(self, launch: str, entry: Entry) -> Event:
        self._need_room()
        return await super().append_once(launch, entry)

    async def checkpoint(self, launch: str, sign: Sign) -> Event:
        self._need_room()
        return await super().checkpoint(launch, sign)

    async def export(self, launch: str, path: Path) -> None:
        self._need_room()
        await super().export(launch, path)


class Idle:
    """A part of a launch that has nothing to do here."""

    async def stop(self) -> None:
        """Nothing to stop."""


def opening() -> Entry:
    data: dict[str, Any] = {"launch": LAUNCH, "plan": {"name": "p", "digest": "d" * 64}}
    return Entry(OPENED, "opened", data, "2026-01-01T00:00:00.000Z", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "launches" / LAUNCH
    folder.mkdir(parents=True)
    (folder / "launch.db").touch()
    return folder


@pytest.fixture
def store(folder: Path) -> FullDisk:
    return FullDisk(folder / "reserve")


@pytest.fixture
def show(tmp_path: Path, folder: Path, store: FullDisk, monkeypatch: pytest.MonkeyPatch) -> Show:
    monkeypatch.setattr("tminus.demo.show.write_summary", lambda path, _told: path)
    reserve = Reserve(folder, 100_000)
    reserve.keep()
    stage = SimpleNamespace(folder=tmp_path, load_summary=tmp_path / "none", parts_alive=dict)
    options = Options(tmp_path, "good", None, tmp_path, None, 1.0, None, keep=False, ask=None)
    screen = Screen(Console(quiet=True), as_json=False)
    show = Show(stage, options, screen)  # type: ignore[arg-type] # only what the end needs of a stage
    time = LaunchTime(FakeClock(), LaunchClock(1_800_000_000.0, 1.0))
    launch = SimpleNamespace(engine=Idle(), trace=Idle(), store=store, reserve=reserve, time=time)
    show._prepared = launch, SimpleNamespace()  # type: ignore[assignment] # as above
    show._playbill = Playbill(
        LAUNCH, "good", "v2", "", "r", "p", 0.0, 1.0, asks=False, password="", token_secret=""
    )
    return show


async def test_a_launch_that_a_full_disk_has_stopped_still_records_its_end(
    show: Show, store: FullDisk, folder: Path
) -> None:
    await store.append_once(LAUNCH, opening())
    store.full = True
    await show.failed(PartError("the store does not answer: database or disk is full", hint="free some room"))
    lines = (folder / "record.jsonl").read_bytes().splitlines(keepends=True)
    events = [decode(number, line) for number, line in enumerate(lines, 1)]
    assert [event.type for event in events][1:2] == ["launch.ended"]
    assert events[1].data["outcome"] == "abandoned"
    assert "disk is full" in str(events[1].data["text"])
    assert len(events) == 3, "and it is sealed"


async def test_an_interrupted_launch_on_a_full_disk_records_its_end_too(
    show: Show, store: FullDisk, folder: Path
) -> None:
    await store.append_once(LAUNCH, opening())
    store.full = True
    await show.interrupted()
    assert (folder / "record.jsonl").exists()


async def asked_again(show: Show, store: FullDisk, *events: str) -> list[object]:
    """What is sent to a launch that goes on after these events, with a viewer who says go."""
    sent: list[object] = []

    async def send(launch: str, _topic: str, word: object, _key: str) -> None:
        sent.append((launch, word))

    async def ask() -> Json:
        return {"decision": "go"}

    assert show._prepared is not None
    show._prepared[0].engine = SimpleNamespace(send=send, stop=Idle().stop)  # type: ignore[misc, assignment] # as above
    show._options = replace(show._options, ask=ask)
    await store.append_once(LAUNCH, opening())
    for kind in events:
        await store.append_once(LAUNCH, Entry(kind, kind, {}, "2026-01-01T00:00:00.000Z", 0))
    show._shown = len(events)
    await show._watch()
    if show._asked is not None:
        await show._asked
    return sent


async def test_a_question_that_was_open_when_tminus_was_killed_is_asked_again(
    show: Show, store: FullDisk
) -> None:
    look = {"id": "decision decision.asked", "order": "look"}
    assert await asked_again(show, store, "decision.asked") == [(LAUNCH, {"decision": "go"}), (LAUNCH, look)]


async def test_a_question_that_was_answered_is_not_asked_again(show: Show, store: FullDisk) -> None:
    assert await asked_again(show, store, "decision.asked", "decision.made") == []


def test_without_a_board_ctrl_c_ends_the_demo_at_once(show: Show) -> None:
    given_up: list[bool] = []
    show.interrupt(lambda: given_up.append(True))
    assert given_up == [True]

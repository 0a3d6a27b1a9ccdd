"""The end of a launch that stopped by an error, with a disk that has no room left."""

from dataclasses import replace
from io import StringIO
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
from tminus.domain.traffic import Outcome, Side
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


class Trace(Idle):
    """What the proxy logged: some requests of users, one of them answered late."""

    def outcomes(self) -> list[Outcome]:
        """Every request."""
        times = (5.0, 5.0, 2500.0)
        return [Outcome(1.0, Side.GREEN, 200, ms, f"user-{n}") for n, ms in enumerate(times)]

    def missing(self) -> int:
        """No line was lost."""
        return 0

    def refused(self) -> int:
        """Nobody else wrote."""
        return 0


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
def out() -> StringIO:
    """What was printed."""
    return StringIO()


@pytest.fixture
def show(
    tmp_path: Path, folder: Path, store: FullDisk, out: StringIO, monkeypatch: pytest.MonkeyPatch
) -> Show:
    monkeypatch.setattr("tminus.demo.closing.write_summary", lambda path, _told: path)
    report = SimpleNamespace(events=3, observed=0, head="f" * 64)
    monkeypatch.setattr("tminus.demo.closing.load_trust", lambda _path: None)
    monkeypatch.setattr("tminus.demo.closing.verify_file", lambda _record, _trust: report)
    reserve = Reserve(folder, 100_000)
    reserve.keep()
    stage = SimpleNamespace(
        folder=tmp_path, load_summary=tmp_path / "none", parts_alive=dict, admin=tmp_path / "admin.sock"
    )
    options = Options(tmp_path, "good", None, tmp_path, None, 1.0, None, keep=False, ask=None)
    screen = Screen(Console(file=out, width=200, color_system=None), as_json=False)
    show = Show(stage, options, screen)  # type: ignore[arg-type] # only what the end needs of a stage
    time = LaunchTime(FakeClock(), LaunchClock(1_800_000_000.0, 1.0))
    launch = SimpleNamespace(engine=Idle(), trace=Trace(), store=store, reserve=reserve, time=time)
    show._prepared = launch, SimpleNamespace(triggers=())  # type: ignore[assignment] # as above
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
    store.full, show._shown = True, 0
    await show.interrupted()
    assert (folder / "record.jsonl").exists()


async def test_an_interrupted_launch_closes_like_any_other_with_the_traffic_as_it_was(
    show: Show, store: FullDisk, folder: Path, out: StringIO
) -> None:
    await store.append_once(LAUNCH, opening())
    show._shown = 0
    shifted = {"step": "shift 10", "seconds": 0.0, "set": 10, "read_back": 10}
    await store.append_once(
        LAUNCH, Entry("step.done", "done:shift 10", shifted, "2026-01-01T00:00:00.000Z", 0)
    )
    show._stage.load_summary.write_text('{"total": 3, "failed": 0}')
    await show.interrupted()
    (ended,) = [event for event in await store.events(LAUNCH) if event.type == "launch.ended"]
    assert ended.data["green_percent"] == 10
    assert (ended.data["requests"], ended.data["failed"], ended.data["slow_on_green"]) == (3, 0, 1)
    told = out.getvalue().splitlines()
    assert told[0].startswith("interrupted: the launch is aborted")
    assert told[2].endswith(
        "■ ABORTED  interrupted by the viewer; green had 10 % of the traffic; 0 of 3 requests through the proxy "
        "failed, 1 answered later than 2 s (on green), until here"
    )
    assert told[3].startswith("users, until they were sent home: 3 requests sent, 0 failed")
    assert [line.partition(":")[0] for line in told[4:6]] == ["record verified", "summary"]
    assert told[6] == f"the stage is taken down now; `tminus serve {LAUNCH}` shows the launch again"
    assert told[7] == f"outcome=aborted record={folder / 'record.jsonl'}"


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
    word, look = await asked_again(show, store, "decision.asked")
    assert word == (LAUNCH, {"decision": "go"})
    assert look == (LAUNCH, {"id": "decision decision.asked", "order": "look"})


async def test_a_question_that_was_answered_is_not_asked_again(show: Show, store: FullDisk) -> None:
    assert await asked_again(show, store, "decision.asked", "decision.made") == []


def test_without_a_board_ctrl_c_ends_the_demo_at_once(show: Show) -> None:
    given_up: list[bool] = []
    show.interrupt(lambda: given_up.append(True))
    assert given_up == [True]


async def test_the_way_back_and_the_page_s_address_are_printed_before_the_board_covers_them(
    show: Show, folder: Path, out: StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    before: list[str] = []

    class Board:
        def __init__(self, *_: object) -> None:
            """A board that notes what stood on the screen when it came."""

        def begin(self, _: object) -> None:
            before.extend(out.getvalue().splitlines())

    async def told() -> None:
        show._note_now("mission page: http://127.0.0.1:1/launches/demo-1")

    monkeypatch.setattr("tminus.demo.show.Watching", Board)
    monkeypatch.setattr(show._page, "told", told)
    show._options = replace(show._options, board=SimpleNamespace())  # type: ignore[arg-type] # it is not drawn
    show._begin_in_print()
    await show._watch()
    path = folder / "rollback.txt"
    assert before[0] == f"to roll back by hand, without tminus (it stands in {path}):"
    assert before[1].strip() in path.read_text().splitlines()
    assert before[2].startswith("the evidence of a rule is how many times as likely")
    assert "b1: more than 5 % of green's requests take over 2000 ms" in before[2]
    assert before[3].endswith("• mission page: http://127.0.0.1:1/launches/demo-1")

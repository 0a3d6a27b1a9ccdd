"""The durable engine on SQLite: a process is killed at bad moments, and the next one goes on."""

import asyncio
import json
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from dbos import DBOS
from sqlalchemy import select

from tminus.control.ports import Engine, Json
from tminus.engine.durable import DurableEngine, ready
from tminus.engine.outbox import send_from_outside
from tminus.processes import wait_until
from tminus.store.tables import WORKERS, connect
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.integration import engine_child
else:
    import engine_child

ORDER: Json = {"order": "hold", "reason": "to look"}


async def child(folder: Path, dies: str) -> asyncio.subprocess.Process:
    with (folder / "log").open("ab") as log:
        command = (sys.executable, engine_child.__file__, str(folder), dies)
        return await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)


async def ended(folder: Path, process: asyncio.subprocess.Process) -> int:
    try:
        async with asyncio.timeout(60):
            return await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        pytest.fail((folder / "log").read_text())


def send(folder: Path, key: str = "order-1") -> None:
    send_from_outside(f"sqlite:///{folder / 'launch.db'}", engine_child.LAUNCH, ORDER, key)


def done(folder: Path) -> Counter[str]:
    file = folder / "done"
    return Counter(file.read_text().splitlines()) if file.exists() else Counter()


async def until(folder: Path, what: str) -> None:
    async def seen() -> bool:
        return done(folder)[what] > 0

    await wait_until(seen, 30, what, log=folder / "log")


async def killed(folder: Path, dies: str, *, told: bool) -> None:
    """The first life of a launch, up to its death."""
    process = await child(folder, dies)
    if told:
        await until(folder, "listens")
        send(folder)
    assert await ended(folder, process) == -signal.SIGKILL, (folder / "log").read_text()


async def finished(folder: Path) -> dict[str, Any]:
    """The second life of a launch, up to its result."""
    assert await ended(folder, await child(folder, "")) == 0, (folder / "log").read_text()
    result: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return result


def whole(folder: Path, result: dict[str, Any]) -> None:
    """The result is that of a launch that nobody disturbed, and what was made first is what is told last."""
    made = {line.removeprefix("made ") for line in done(folder) if line.startswith("made ")}
    assert made == {result["first"]["made"]}
    assert result["caught"] == ["RolloutError", "green did not come up", "read green's log"]
    assert result["message"] == ORDER
    assert result["again"] is None
    assert result["second"] == {"made": 2}


async def test_a_kill_between_two_steps_repeats_neither_and_a_message_sent_meanwhile_arrives(
    tmp_path: Path,
) -> None:
    await killed(tmp_path, "after one", told=False)
    send(tmp_path)
    whole(tmp_path, await finished(tmp_path))
    counts = done(tmp_path)
    assert (counts["body"], counts["one"], counts["refused"], counts["two"]) == (2, 1, 1, 1)


async def test_a_kill_inside_a_step_repeats_only_that_step_and_the_message_from_before_is_kept(
    tmp_path: Path,
) -> None:
    await killed(tmp_path, "inside two", told=True)
    send(tmp_path)  # the same key again: delivered once
    whole(tmp_path, await finished(tmp_path))
    counts = done(tmp_path)
    assert (counts["one"], counts["refused"], counts["two begins"], counts["two"]) == (1, 1, 2, 1)


async def test_a_remembered_error_is_raised_again_with_type_message_and_hint(tmp_path: Path) -> None:
    await killed(tmp_path, "after refused", told=False)
    send(tmp_path)
    whole(tmp_path, await finished(tmp_path))
    assert done(tmp_path)["refused"] == 1


async def test_a_finished_launch_that_is_begun_again_does_nothing(tmp_path: Path) -> None:
    process = await child(tmp_path, "")
    await until(tmp_path, "listens")
    send(tmp_path)
    assert await ended(tmp_path, process) == 0, (tmp_path / "log").read_text()
    first, counts = (tmp_path / "result.json").read_text(), done(tmp_path)
    assert max(counts.values()) == 1
    whole(tmp_path, await finished(tmp_path))
    assert (tmp_path / "result.json").read_text() == first
    assert done(tmp_path) == counts


async def test_a_start_that_takes_long_is_seen_to_live_by_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, launch = f"sqlite:///{tmp_path / 'tminus.db'}", DBOS.launch
    await asyncio.to_thread(ready, url)
    database = connect(url)

    def beats() -> int:
        with database.connect() as connection:
            return connection.scalar(select(WORKERS.c.beats)) or 0

    def launched() -> None:
        """Take so long that the heart has to have beaten meanwhile, in its own thread."""
        rest, until = threading.Event(), time.monotonic() + 60
        while beats() < 2 and time.monotonic() < until:
            rest.wait(0.05)
        assert beats() >= 2, "no heart beats before the engine is there"
        launch()

    monkeypatch.setattr(DBOS, "launch", launched)
    engine = DurableEngine(url, {}, SystemClock())
    try:
        await engine.start()
    finally:
        await engine.stop()
        database.dispose()


async def test_a_launch_runs_in_the_loop_that_started_the_engine(tmp_path: Path) -> None:
    """What it shares with whoever tells people, a lock above all, would else never be handed on between two loops."""
    found: list[asyncio.AbstractEventLoop] = []

    async def body(steps: Engine, launch: str) -> Json:
        async def act() -> Json:
            found.append(asyncio.get_running_loop())
            return {"launch": launch}

        return await steps.step("look", act)

    engine = DurableEngine(f"sqlite:///{tmp_path / 'tminus.db'}", {"launch": body}, SystemClock(), alone=True)
    await engine.start()
    try:
        await engine.begin("launch", "one")

        async def over() -> bool:
            return await engine.result("one") is not None

        await wait_until(over, 60, "the launch")
    finally:
        await engine.stop()
    assert found == [asyncio.get_running_loop()]


async def test_an_engine_that_stops_lets_its_launches_go_without_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begun = asyncio.Event()

    async def body(steps: Engine, launch: str) -> Json:
        async def act() -> Json:
            begun.set()
            await asyncio.Event().wait()
            return {"launch": launch}

        return await steps.step("wait", act)

    engine = DurableEngine(f"sqlite:///{tmp_path / 'tminus.db'}", {"launch": body}, SystemClock(), alone=True)
    await engine.start()
    try:
        await engine.begin("launch", "one")
        await asyncio.wait_for(begun.wait(), 60)
    finally:
        await engine.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}, "something of the launch goes on"
    assert not caplog.records
    again = DurableEngine(f"sqlite:///{tmp_path / 'tminus.db'}", {"launch": body}, SystemClock(), alone=True)
    begun.clear()
    await again.start()
    try:
        await asyncio.wait_for(begun.wait(), 60)  # it was not taken for over
    finally:
        await again.stop()

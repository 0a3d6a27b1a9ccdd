import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tminus import processes
from tminus.demo import supervisor as looking
from tminus.demo.supervisor import AGAIN, SETTLE_SECONDS, Attempts, News, Part, Restarts, Supervisor, together
from tminus.errors import PartError, UnreachableError

ENV = {"PATH": os.environ["PATH"]}
SLEEPER = [sys.executable, "-c", "import time; time.sleep(300)"]
SOON = Restarts(3, within_seconds=60, pause_seconds=0.001)


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    yield Supervisor(tmp_path)
    await processes.end_strays(tmp_path)


def now() -> float:
    return asyncio.get_running_loop().time()


class Diary:
    """What was told, and the looking after while somebody waits for it."""

    def __init__(self, supervisor: Supervisor) -> None:
        self.news: list[News] = []
        self.supervisor = supervisor
        self.task = asyncio.create_task(supervisor.watch(self._note, now))

    async def _note(self, news: News) -> None:
        self.news.append(news)

    async def until(self, *events: str) -> None:
        async def told() -> bool:
            if self.task.done():
                self.task.result()
            return [news.event for news in self.news] == list(events)

        try:
            await processes.wait_until(told, 10, f"{events}, not {self.news}")
        except PartError as error:
            raise AssertionError(str(error)) from error

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def running(folder: Path, name: str = "proxy") -> processes.Process:
    process = processes.find(folder, name)
    assert process is not None
    return process


async def test_a_part_that_may_be_is_started_again_and_prepared_each_time(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    prepared: list[int] = []

    async def prepare() -> None:
        prepared.append(len(prepared))

    first = await supervisor.start(Part("proxy", SLEEPER, ENV, prepare=prepare, restarts=SOON))
    diary = Diary(supervisor)
    await first.kill()
    await diary.until("ended", "restarted")
    assert running(tmp_path).started > first.started
    assert len(prepared) == 2
    ended, restarted = diary.news
    assert ended.alive <= ended.at <= restarted.at
    assert restarted.alive == ended.alive
    await diary.close()


async def test_a_part_that_ended_is_missing_until_it_has_run_again_for_a_while(
    supervisor: Supervisor,
) -> None:
    first = await supervisor.start(Part("proxy", SLEEPER, ENV, restarts=SOON))
    assert supervisor.missing(now()) == {}
    diary = Diary(supervisor)
    await first.kill()
    await diary.until("ended", "restarted")
    back = diary.news[-1].at
    assert supervisor.missing(back) == {"proxy": "proxy has only just come back"}
    assert supervisor.missing(back + SETTLE_SECONDS) == {}
    await diary.close()


async def test_a_part_that_is_left_as_it_is_stays_missing(supervisor: Supervisor) -> None:
    part = await supervisor.start(Part("postgres", SLEEPER, ENV))
    diary = Diary(supervisor)
    await part.kill()
    await diary.until("ended", "left")
    assert supervisor.missing(now() + 1000) == {"postgres": "postgres does not run"}
    await diary.close()


async def test_a_part_that_is_stopped_runs_but_is_missing_until_it_answers_again(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "LISTEN_SECONDS", 0.02)
    monkeypatch.setattr(looking, "DEAF_SECONDS", 0.1)
    how = "answers"

    async def answers() -> bool:
        if how == "hangs":
            await asyncio.Event().wait()
        if how == "raises":
            raise UnreachableError("no answer", hint="look")
        return how == "answers"

    await supervisor.start(Part("prometheus", SLEEPER, ENV, answers=answers))
    diary = Diary(supervisor)

    async def missing(words: str) -> None:
        async def seen() -> bool:
            return words in supervisor.missing(now()).get("prometheus", "nothing")

        await processes.wait_until(seen, 10, words)

    for kind in ("hangs", "raises", "says no"):
        how = kind
        await missing("prometheus runs, but has given no answer for")
        how = "answers"
        await missing("prometheus has only just come back")
    assert supervisor.missing(now() + SETTLE_SECONDS) == {}
    assert diary.news == [], "nothing ended"
    await diary.close()


async def test_a_part_that_may_not_is_left_as_it_is(supervisor: Supervisor, tmp_path: Path) -> None:
    part = await supervisor.start(Part("postgres", SLEEPER, ENV))
    diary = Diary(supervisor)
    await part.kill()
    await diary.until("ended", "left")
    assert processes.find(tmp_path, "postgres") is None
    await diary.close()


async def test_what_is_stopped_on_purpose_is_not_started_again(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    await supervisor.start(Part("proxy", SLEEPER, ENV, restarts=SOON))
    diary = Diary(supervisor)
    await supervisor.stop("proxy")
    async with asyncio.timeout(10):
        await diary.task
    assert diary.news == []
    assert processes.find(tmp_path, "proxy") is None


async def test_a_part_that_never_comes_up_again_is_left_after_the_limit(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    flag = tmp_path / "broken"
    command = ["/bin/sh", "-c", f"test -e {flag} && exit 3; exec sleep 300"]

    async def answers() -> bool:
        return not flag.exists()

    part = await supervisor.start(Part("proxy", command, ENV, answers=answers, restarts=SOON))
    diary = Diary(supervisor)
    flag.touch()
    await part.kill()
    await diary.until("ended", "failed", "failed", "failed", "left")
    assert "3 times" in diary.news[-1].text
    await diary.close()


async def test_a_part_that_runs_already_is_left_as_it_is(supervisor: Supervisor, tmp_path: Path) -> None:
    part = Part("proxy", SLEEPER, ENV)
    first = await supervisor.start(part)
    again = await Supervisor(tmp_path).start(replace(part, restarts=AGAIN))
    assert again.started == first.started


async def test_each_look_at_a_living_part_is_told_to_it(supervisor: Supervisor) -> None:
    looked = asyncio.Event()

    async def look() -> None:
        looked.set()

    await supervisor.start(Part("proxy", SLEEPER, ENV, look=look))
    diary = Diary(supervisor)
    async with asyncio.timeout(5):
        await looked.wait()
    await diary.close()


async def test_a_fault_of_the_looking_after_is_not_hidden(supervisor: Supervisor) -> None:
    async def look() -> None:
        raise PartError("the desired state cannot be read", hint="mend it")

    await supervisor.start(Part("proxy", SLEEPER, ENV, look=look))
    await supervisor.start(Part("other", SLEEPER, ENV))
    with pytest.raises(PartError, match="desired"):
        await Diary(supervisor).task


async def test_what_a_part_is_told_in_its_environment_is_not_shown() -> None:
    assert "hush" not in repr(Part("proxy", SLEEPER, {"SECRET": "hush"}))


async def test_when_one_of_several_acts_fails_the_others_have_ended_before_it_is_told() -> None:
    ended = []

    async def long() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("long")

    async def failing() -> None:
        await asyncio.sleep(0)
        raise PartError("no", hint="look")

    with pytest.raises(PartError, match="no"):
        await together(long(), failing())
    assert ended == ["long"]


def test_each_further_restart_waits_twice_as_long_until_there_were_too_many() -> None:
    attempts = Attempts(Restarts(3, within_seconds=60, pause_seconds=0.1))
    assert [attempts.next_pause(now) for now in (0, 1, 2, 3)] == [0.1, 0.2, 0.4, None]
    assert attempts.next_pause(60.5) == 0.4, "the first is forgotten after a minute"
    assert attempts.next_pause(60.6) is None


def test_a_policy_of_never_has_no_first_time() -> None:
    assert Attempts(Restarts(0)).next_pause(0) is None


async def test_a_part_that_is_renewed_starts_anew_and_its_end_is_no_news(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    first = await supervisor.start(Part("worker", SLEEPER, ENV, restarts=SOON))
    diary = Diary(supervisor)
    await supervisor.renew("worker")
    await diary.until("renewed")
    renewed = running(tmp_path, "worker")
    assert renewed.pid != first.pid
    await renewed.kill()
    await diary.until("renewed", "ended", "restarted")
    await diary.close()


async def test_a_part_that_does_not_run_cannot_be_renewed(supervisor: Supervisor) -> None:
    part = await supervisor.start(Part("worker", SLEEPER, ENV))
    await part.kill()
    await supervisor.renew("worker")
    diary = Diary(supervisor)
    await diary.until("ended", "left")
    await diary.close()

"""Launches of the common database from a terminal, while no worker runs: opened, shown, ordered, sealed."""

import asyncio
import errno
import io
import json
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.cli.app import app
from tminus.cli.clock import now
from tminus.cli.launches import Found, any_launch, open_launch
from tminus.cli.worker import Lines
from tminus.domain.record import Event
from tminus.errors import OutOfSequenceError, PartError, RefusedError, UsageError
from tminus.store import RecordStore, connect
from tminus.wiring.working import place_of

DIGEST = "sha256:" + "ab" * 32
ZONES = "freezes: [{name: Weekend, from: Sat 23:58, to: Sat 23:59, zone: Asia/Kathmandu}]\n"
STAGING = Found("staging-1", "sqlite:///a", "2026-01-02", "open", "staging")
CANARY = Found("canary-1", "sqlite:///a", "2026-01-01", "open", "canary")
ENDED = Found("staging-0", "sqlite:///a", "2026-01-01", "scrubbed", "staging")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TMINUS_DATABASE_URL", raising=False)
    (tmp_path / "plan.yaml").write_text(ZONES + small_plan.REAL, encoding="utf-8")
    return tmp_path / "home"


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "100"})


def t0(days: float = 1.0) -> str:
    return (datetime.fromtimestamp(now(), UTC) + timedelta(days=days)).isoformat(timespec="seconds")


def launched(home: Path, when: str, *more: str) -> Result:
    plan = str(home.parent / "plan.yaml")
    return typed("launch", plan, "--release", f"depot={DIGEST}", "--t0", when, *more)


def told(*words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(typed("status", *words, "--json").stdout)
    return found


def test_opening_says_the_launch_its_t_0_in_each_zone_and_what_comes_next(home: Path) -> None:
    when = t0()
    first = launched(home, when)
    assert first.exit_code == 0, first.output
    launch = first.stdout.split()[1]
    assert "is open in production" in first.stdout
    assert f"{when[:19]}.000Z" in first.stdout
    assert "in Asia/Kathmandu" in first.stdout
    assert "tminus worker" in first.stdout
    assert f"tminus status {launch} --watch" in first.stdout
    again = launched(home, when)
    assert "was opened before" in again.stdout
    assert json.loads(launched(home, when, "--json").stdout) | {"digest": ""} == {
        "launch": launch,
        "new": False,
        "environment": "production",
        "plan": "a small one",
        "digest": "",
        "release": {"depot": DIGEST},
        "t0": f"{when[:19]}.000Z",
        "phase": "counting",
    }


def test_opening_says_what_is_due_at_once_and_what_nobody_can_observe(home: Path) -> None:
    plan = home.parent / "plan.yaml"
    text = plan.read_text(encoding="utf-8").replace("probe: website.health", "probe: depot.smoke")
    text = text.replace('with: {path: /health, digest: "${release}"}\n      ', "")
    text = text.replace("      control: {path: /no-such-page}\n", "")
    plan.write_text(text, encoding="utf-8")
    opened = launched(home, t0(1 / 24))
    assert opened.exit_code == 0, opened.exception
    assert "T-2h: past already, so 3 lines are due at once" in opened.stdout
    assert "no worker of this version can observe these, which stay unknown: site.up" in opened.stdout
    assert "past already" not in launched(home, t0(), "--environment", "canary").stdout


def test_what_runs_now_is_bound_where_the_plan_looks_at_it(home: Path) -> None:
    plan = home.parent / "plan.yaml"
    plan.write_text(plan.read_text(encoding="utf-8").replace("${release}", "${previous}"), encoding="utf-8")
    refused = launched(home, t0())
    assert isinstance(refused.exception, RefusedError)
    assert "site.up look at what runs now: give --previous depot=sha256:" in str(refused.exception)
    now_runs = "sha256:" + "cd" * 32
    opened = launched(home, t0(), "--previous", f"depot={now_runs}")
    assert opened.exit_code == 0, opened.output
    with closing(sqlite3.connect(home / "tminus.db")) as database:
        (bound,) = database.execute("SELECT binding FROM tm_launch").fetchone()
    assert json.loads(bound)["previous"] == {"depot": "cd" * 32}


def test_a_second_launch_in_an_environment_is_refused_and_names_the_first(home: Path) -> None:
    launch = launched(home, t0()).stdout.split()[1]
    second = launched(home, t0(2))
    assert isinstance(second.exception, OutOfSequenceError)
    assert f"production is taken by launch {launch}" in str(second.exception)
    assert launched(home, t0(2), "--environment", "canary").exit_code == 0


def test_orders_are_done_by_id_or_environment_while_no_worker_runs(home: Path) -> None:
    launch = launched(home, t0()).stdout.split()[1]
    assert typed("hold", launch, "--reason", "coffee").exit_code == 0
    assert told("production")["stands"]["reason"] == "coffee"
    assert isinstance(typed("hold", "--reason", "tea").exception, OutOfSequenceError)
    assert "T-0 is" in typed("resume", "production", "--reason", "done").stdout
    assert isinstance(typed("abort", launch, "--reason", "fear").exception, OutOfSequenceError)
    assert typed("reschedule", t0(3), "--reason", "sleep").exit_code == 0
    ended = typed("scrub", launch, "--reason", "not today")
    record = Path(ended.stdout.split("record: ")[1].strip())
    assert typed("verify", str(record)).exit_code == 0
    assert told()["outcome"] == "scrubbed"
    assert typed("status", launch).exit_code == 0
    assert launched(home, t0()).exit_code == 0, "the environment is free again"


def test_with_several_launches_one_has_to_be_named(home: Path) -> None:
    launched(home, t0())
    launched(home, t0(), "--environment", "canary")
    two = typed("scrub", "--reason", "which")
    assert isinstance(two.exception, UsageError)
    assert "(canary)" in two.exception.hint
    assert told("canary")["phase"] == "counting"


def test_looking_makes_no_database(home: Path) -> None:
    assert isinstance(typed("status").exception, OutOfSequenceError)
    assert not (home / "tminus.db").exists()


def test_looking_makes_no_tables_in_a_database_of_somebody_else_s(home: Path) -> None:
    home.mkdir()
    with closing(sqlite3.connect(home / "tminus.db")) as other:
        other.execute("create table theirs (a)")
        assert isinstance(typed("status").exception, OutOfSequenceError)
        assert [name for (name,) in other.execute("select name from sqlite_master")] == ["theirs"]
    assert [path.name for path in home.iterdir()] == ["tminus.db"]


def test_where_the_database_does_not_answer_nobody_says_that_there_is_no_launch(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del home
    monkeypatch.setenv("TMINUS_DATABASE_URL", "postgresql+psycopg://tminus:secret@127.0.0.1:1/tminus")
    for words in (("status",), ("scrub", "--reason", "rain")):
        ended = typed(*words)
        assert isinstance(ended.exception, PartError)
        assert "does not answer" in str(ended.exception)
        assert "secret" not in ended.output


def test_nor_where_its_address_is_no_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = home.parent
    monkeypatch.setenv("TMINUS_DATABASE_URL", f"sqlite:///{folder}")
    for words in (("status",), ("hold", "--reason", "rain")):
        ended = typed(*words)
        assert isinstance(ended.exception, PartError)
        assert f"the store sqlite:///{folder} does not answer" in str(ended.exception)


def test_a_launch_is_meant_by_its_id_or_its_environment() -> None:
    every = [STAGING, CANARY, ENDED]
    assert open_launch("staging", every) is STAGING
    assert open_launch("canary-1", every) is CANARY
    assert any_launch("staging-0", every) is ENDED
    assert any_launch("staging", [ENDED]) is ENDED
    assert any_launch("", [ENDED]) is ENDED
    with pytest.raises(UsageError, match="'staging-0' is no open launch"):
        open_launch("staging-0", every)
    with pytest.raises(UsageError, match="2 launches are open"):
        any_launch("", every)
    with pytest.raises(UsageError, match="there is no launch 'mars' here"):
        any_launch("mars", every)
    with pytest.raises(OutOfSequenceError, match="no launch is under way"):
        any_launch("", [])


def test_a_sqlite_file_has_a_place_for_one_worker(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tminus.db'}"
    with place_of(url), pytest.raises(RefusedError, match="another worker runs the launches"), place_of(url):
        pass
    with place_of(url):
        pass
    with pytest.raises(UsageError, match="in memory"), place_of("sqlite://"):
        pass


def test_a_worker_s_journal_has_one_line_for_each_thing(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    lines.say("", "a keeper meets trouble\n\tof two lines")
    lines.tell(
        "a", Event(1, "", "", -1000, "milestone.reached", "k", {"milestone": "T-02:00:00", "lines": 3})
    )
    lines.tell("a", Event(2, "", "", None, "gate.judged", "k", {"open": True}))
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("Z worker  a keeper meets trouble of two lines")
    assert second.endswith("Z a  \N{MINUS SIGN}00:00:01  milestone: T-02:00:00: 3 lines are due")


class Full(io.StringIO):
    """An output without room, until somebody makes some."""

    room = False

    def write(self, text: str) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def test_a_line_that_cannot_be_written_harms_no_launch_and_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, lines = Full(), Lines()
    monkeypatch.setattr(sys, "stdout", log)
    lines.say("a", "is taken")
    lines.say("b", "is taken")
    log.room = True
    lines.say("c", "is taken")
    lines.say("d", "is taken")
    assert [line.split(" ", 1)[1] for line in log.getvalue().splitlines()] == [
        "worker  2 lines before this could not be written in time",
        "c  is taken",
        "d  is taken",
    ]


def test_what_a_launch_needs_is_in_the_database_alone(home: Path) -> None:
    launch = launched(home, t0()).stdout.split()[1]
    (home.parent / "plan.yaml").unlink()
    engine = connect(f"sqlite:///{home / 'tminus.db'}")
    order = asyncio.run(RecordStore(engine).order(launch))
    engine.dispose()
    assert order.environment == "production"
    assert sum(told(launch)["lines"].values()) == 5, "every line of the plan is known"

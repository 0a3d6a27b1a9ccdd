"""`tminus verify` as people and programs meet it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import typer
from typer.testing import CliRunner

from tminus.cli.verify import verify
from tminus.domain.trust import TrustRoot
from tminus.errors import Exit, RecordError, UsageError
from tminus.signing import save_trust

if TYPE_CHECKING:
    from tests.unit.record_builder import CHECKS, PEOPLE, RecordBuilder, signer, trust_root
else:
    from record_builder import CHECKS, PEOPLE, RecordBuilder, signer, trust_root

APP = typer.Typer()
APP.command()(verify)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def file(tmp_path: Path, record: RecordBuilder) -> Path:
    path = tmp_path / "launch.jsonl"
    path.write_bytes(b"".join(record.complete().lines))
    return path


def test_a_proved_record_is_summed_up(home: Path, file: Path, trust: TrustRoot) -> None:
    save_trust(home / "trust.json", trust)
    result = CliRunner().invoke(APP, [str(file)])
    assert result.exit_code == Exit.PASSED
    for shown in (
        "The record is intact.",
        "depot-2",
        "landed",
        "27, 2027-01-15T08:00:01.000Z",
        *PEOPLE.values(),
        "decision    cto: Cleo Chief GO",
        "5 observed or attested, 5 signed, 2 not in the plan; the checklist has 8",
        "real        postgres",
        "stand-in    slack",
        signer("server").keyid,
        str(home / "trust.json"),
    ):
        assert shown in result.output
    assert "(simulated)" not in result.output


@pytest.mark.usefixtures("home")
def test_lines_of_which_nothing_is_known_are_not_counted_as_seen(
    tmp_path: Path, record: RecordBuilder
) -> None:
    record.open()
    record.observe("cfg.env", "inconclusive")
    record.observe("bk.db", "error")
    record.observe("t0.health", "failed")
    record.observe("t2.maint", "not-applicable")
    record.add("launch.ended", {"outcome": "scrubbed"}, "ended")
    record.seal()
    file = tmp_path / "launch.jsonl"
    file.write_bytes(b"".join(record.lines))
    result = CliRunner().invoke(APP, [str(file)])
    assert "1 observed or attested, 1 not applicable, 2 unknown, 0 signed" in result.output, result.output


def test_an_acknowledged_warning_is_told_with_who_said_why(
    tmp_path: Path, home: Path, trust: TrustRoot
) -> None:
    save_trust(home / "trust.json", trust)
    record = RecordBuilder()
    record.open()
    for name in CHECKS:
        record.observe(name, "warned" if name == "bk.db" else "passed")
    word = record.acknowledge("bk.db")
    record.go()
    path = tmp_path / "launch.jsonl"
    path.write_bytes(b"".join(record.landing().lines))
    result = CliRunner().invoke(APP, [str(path)])
    assert result.exit_code == Exit.PASSED, result.output
    said = f"warning     bk.db, acknowledged by {word.person} as {word.role}: {word.because}"
    assert said in " ".join(result.output.splitlines())


def test_simulated_people_are_marked(tmp_path: Path, home: Path) -> None:
    save_trust(home / "trust.json", trust_root(simulated=True))
    path = tmp_path / "launch.jsonl"
    path.write_bytes(b"".join(RecordBuilder(simulated=True).complete().lines))
    result = CliRunner().invoke(APP, [str(path)])
    assert result.exit_code == Exit.PASSED
    assert result.output.count("(simulated)") == 6


def test_without_a_trust_root_it_could_not_be_determined(home: Path, file: Path) -> None:
    result = CliRunner().invoke(APP, [str(file)])
    assert result.exit_code == Exit.UNKNOWN
    assert "intact, but its signers are unknown" in result.output
    assert f"none at {home / 'trust.json'}" in result.output


def test_a_trust_root_can_be_named(home: Path, file: Path, tmp_path: Path, trust: TrustRoot) -> None:
    save_trust(tmp_path / "other.json", trust)
    result = CliRunner().invoke(APP, [str(file), "--trust", str(tmp_path / "other.json")])
    assert result.exit_code == Exit.PASSED
    assert not home.exists()


def test_a_named_trust_root_that_is_missing_is_an_error(home: Path, file: Path) -> None:
    result = CliRunner().invoke(APP, [str(file), "--trust", str(home / "none.json")])
    assert isinstance(result.exception, UsageError)


def test_a_broken_record_names_file_and_line(home: Path, file: Path) -> None:
    assert not home.exists()
    file.write_bytes(file.read_bytes().replace(b'"value":0.25', b'"value":0.26', 1))
    result = CliRunner().invoke(APP, [str(file)])
    assert isinstance(result.exception, RecordError)
    assert result.exception.code == Exit.FAILED
    assert str(result.exception).startswith(f"{file}: line 3: `prev` is not the digest of line 2")


def test_programs_read_one_json_object(home: Path, file: Path, trust: TrustRoot) -> None:
    save_trust(home / "trust.json", trust)
    result = CliRunner().invoke(APP, [str(file), "--json"])
    report = json.loads(result.output)
    assert (report["verified"], report["launch"], report["outcome"]) == (True, "depot-2", "landed")
    assert report["decision"]["person"] == "Cleo Chief"
    assert report["trust_root"] == str(home / "trust.json")


def test_programs_read_why_a_record_is_broken(home: Path, file: Path) -> None:
    assert not home.exists()
    file.write_bytes(file.read_bytes()[:-1])
    result = CliRunner().invoke(APP, [str(file), "--json"])
    assert result.exit_code == Exit.FAILED
    report = json.loads(result.output)
    assert not report["verified"]
    assert "line 27: byte" in report["error"]
    assert report["hint"]

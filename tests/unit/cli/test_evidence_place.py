"""`attest`, `scrub` and `verify` where all machines keep evidence in one place."""

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit import small_plan
    from tests.unit.cli.test_words_and_poll import done, events, launch_of, office, refused, typed
else:
    import small_plan
    from test_words_and_poll import done, events, launch_of, office, refused, typed

from tminus.errors import EvidenceError, RecordError, UsageError

LOG = b"all six\n"
DIGEST = sha256(LOG).hexdigest()


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place of all machines, which is not made yet."""
    folder = tmp_path / "shared"
    monkeypatch.setenv("TMINUS_EVIDENCE", str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: Path) -> Path:
    assert not shared.exists()
    (tmp_path / "answers.txt").write_bytes(LOG)
    return office(tmp_path, monkeypatch, small_plan.REAL)


def attest(home: Path) -> tuple[str, ...]:
    shown = home.with_name("answers.txt")
    return ("attest", "canary", "team.ready", "--statement", "all answered", "--evidence", str(shown))


def test_what_is_shown_goes_where_all_machines_read_it(home: Path, shared: Path) -> None:
    assert f"evidence answers.txt sha256:{DIGEST}" in done(*attest(home))
    assert [path.name for path in shared.iterdir()] == [DIGEST]
    assert not (home / "launches" / launch_of(home) / "evidence").exists()


def test_a_place_that_cannot_keep_it_leaves_no_word_in_the_record(home: Path, shared: Path) -> None:
    shared.write_text("no folder")
    assert "cannot be kept" in refused(*attest(home))
    assert [event.type for event in events(home)] == ["launch.opened"]


def test_what_was_shown_lies_beside_the_record_once_it_is_sealed(home: Path, shared: Path) -> None:
    done(*attest(home))
    assert "the launch has ended" in done("scrub", "canary", "--reason", "not today")
    record = home / "launches" / launch_of(home) / "record.jsonl"
    assert (record.parent / "evidence" / DIGEST).read_bytes() == LOG
    assert "is not beside the record" not in done("verify", str(record))
    (record.parent / "evidence" / DIGEST).unlink()
    assert "answers.txt" in done("verify", str(record)), "the variable alone has verification ask nobody"
    assert "is not beside the record" in done("verify", str(record))
    assert "note" not in done("verify", str(record), "--evidence", str(shared))
    (shared / DIGEST).write_bytes(b"all five\n")
    told = typed("verify", str(record), "--evidence", str(shared))
    assert isinstance(told.exception, RecordError)
    assert f"evidence answers.txt was swapped: {shared / DIGEST} is sha256:" in str(told.exception)
    (shared / DIGEST).unlink()
    (shared / DIGEST).mkdir()
    told = typed("verify", str(record), "--evidence", str(shared))
    assert isinstance(told.exception, EvidenceError)


@pytest.mark.parametrize(
    ("place", "why"),
    [("s3://no bucket", "evidence cannot be kept there"), ("evidence", "TMINUS_EVIDENCE is 'evidence'")],
)
def test_a_launch_is_called_off_also_while_its_evidence_cannot_be_read(
    home: Path, shared: Path, monkeypatch: pytest.MonkeyPatch, place: str, why: str
) -> None:
    done(*attest(home))
    (shared / DIGEST).unlink()
    monkeypatch.setenv("TMINUS_EVIDENCE", place)
    said = done("scrub", "canary", "--reason", "not today")
    assert f"evidence is not beside the record: {why}" in said
    assert (home / "launches" / launch_of(home) / "record.jsonl").is_file()


@pytest.mark.parametrize("place", ["evidence", "../evidence", " "])
def test_a_place_that_depends_on_where_a_command_is_typed_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setenv("TMINUS_EVIDENCE", place)
    told = typed(*attest(home)).exception
    assert isinstance(told, UsageError)
    assert "which is no whole path" in str(told)

"""`tminus status` does not repeat what a record says where it is not proved, or where nobody acts on it any more."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.record_builder import RecordBuilder, trust_root
else:
    from record_builder import RecordBuilder, trust_root

from tminus.cli import doubts
from tminus.cli.doubts import Doubts
from tminus.cli.launches import Found
from tminus.demo.custody import Custody
from tminus.domain.verification import check_open
from tminus.signing import save_trust, trust_path

SHARED = Found("depot-2", "sqlite:///there", environment="production")
DEMO = Found("depot-2", "sqlite:///there")


@pytest.fixture
def record(tmp_path: Path) -> RecordBuilder:
    """A poll with every sign-off and GO; this machine trusts the keys of `ours`."""
    save_trust(trust_path(tmp_path), trust_root())
    return RecordBuilder()


def test_a_go_that_is_proved_leaves_no_doubt(tmp_path: Path, record: RecordBuilder) -> None:
    assert Doubts(tmp_path, SHARED).of(record.up_to_go().events, "") == []


@pytest.mark.usefixtures("record")
def test_a_go_by_strangers_is_doubted_with_the_line(tmp_path: Path) -> None:
    strangers = RecordBuilder(seed="theirs").up_to_go()
    (words,) = Doubts(tmp_path, SHARED).of(strangers.events, "")
    assert words.startswith("the record does not prove what it says: line ")
    assert "nothing is done on it" in words


def test_without_a_trust_root_nobody_here_can_doubt(tmp_path: Path) -> None:
    assert Doubts(tmp_path, SHARED).of(RecordBuilder(seed="theirs").up_to_go().events, "") == []


@pytest.mark.usefixtures("record")
def test_a_launch_that_has_ended_is_left_to_verify(tmp_path: Path) -> None:
    assert Doubts(tmp_path, SHARED).of(RecordBuilder(seed="theirs").up_to_go().events, "landed") == []


def test_a_record_that_has_not_grown_is_not_verified_again(
    tmp_path: Path, record: RecordBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counted(events: object, *more: object) -> None:
        asked.append(1)
        check_open(events, *more)  # type: ignore[arg-type] # the same, counted

    monkeypatch.setattr(doubts, "check_open", counted)
    of, events = Doubts(tmp_path, SHARED), record.up_to_go().events
    assert of.of(events[:-1], "") == of.of(events[:-1], "") == of.of(events, "") == []
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("who", "told"),
    [(Custody.ALIVE, []), (Custody.WAITING, ["`tminus demo` goes on with it"]), (Custody.LOST, ["--clear"])],
)
def test_a_demo_that_nobody_runs_is_said_to_be_so(
    tmp_path: Path, record: RecordBuilder, monkeypatch: pytest.MonkeyPatch, who: Custody, told: list[str]
) -> None:
    monkeypatch.setattr(doubts, "custody", lambda _home, _launch: who)
    found = Doubts(tmp_path, DEMO).of(record.up_to_go().events, "")
    assert len(found) == len(told)
    for words, part in zip(found, told, strict=True):
        assert words.startswith("nobody runs this demo")
        assert part in words
    assert Doubts(tmp_path, SHARED).of(record.events, "") == []

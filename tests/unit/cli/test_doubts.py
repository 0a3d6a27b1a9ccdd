"""`tminus status` does not repeat what a record says where it is not proved, or where nobody acts on it any more."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.record_builder import PEOPLE, RecordBuilder, trust_root
else:
    from record_builder import PEOPLE, RecordBuilder, trust_root

from tminus.cli import doubts
from tminus.cli.doubts import Doubts
from tminus.demo.custody import Custody
from tminus.domain.openrecord import OpenRecord
from tminus.domain.report import SignedStatement
from tminus.domain.trust import TrustedKey, TrustRoot
from tminus.errors import RecordError
from tminus.picture.reading import DATABASE
from tminus.signing import open_envelope, save_trust, trust_path


def of_a_demo(home: Path) -> Path:
    """The same home; the launch has a database of its own there."""
    (home / "launches" / "depot-2").mkdir(parents=True)
    (home / "launches" / "depot-2" / DATABASE).touch()
    return home


def doubting(home: Path) -> Doubts:
    return Doubts(home, "depot-2", lambda: 1_800_000_000.0)


@pytest.fixture
def record(tmp_path: Path) -> RecordBuilder:
    """A poll with every sign-off and GO; this machine trusts the keys of `ours`."""
    save_trust(trust_path(tmp_path), trust_root())
    return RecordBuilder()


def test_a_trust_root_of_another_place_counts_where_it_is_named(tmp_path: Path) -> None:
    save_trust(trust_path(tmp_path), trust_root("theirs"))
    save_trust(tmp_path / "team.json", trust_root())
    events = RecordBuilder().up_to_go().events
    assert len(doubting(tmp_path)(events)) == 1
    assert [*Doubts(tmp_path, "depot-2", lambda: 0.0, tmp_path / "team.json")(events)] == []


@pytest.mark.parametrize("keys", [(), trust_root(simulated=True).keys, trust_root("theirs").keys[-1:]])
def test_a_machine_that_knows_nobody_doubts_nothing(tmp_path: Path, keys: tuple[TrustedKey, ...]) -> None:
    """It has run a demo, or a worker with another trust root: its own file is there and could not know who signed."""
    save_trust(trust_path(tmp_path), TrustRoot(keys))
    assert [*doubting(tmp_path)(RecordBuilder().up_to_go().events)] == []


def test_a_trust_root_that_is_none_is_not_the_record_s_fault(tmp_path: Path) -> None:
    trust_path(tmp_path).write_text("{}", encoding="utf-8")
    (words,) = [*doubting(tmp_path)(RecordBuilder().up_to_go().events)]
    assert words.startswith("nobody here can tell whether the record is proved: ")
    assert "is no trust root" in words


def test_a_go_that_is_proved_leaves_no_doubt(tmp_path: Path, record: RecordBuilder) -> None:
    assert [*doubting(tmp_path)(record.up_to_go().events)] == []


@pytest.mark.usefixtures("record")
def test_a_go_by_strangers_is_doubted_with_the_line(tmp_path: Path) -> None:
    strangers = RecordBuilder(seed="theirs").up_to_go()
    (words,) = [*doubting(tmp_path)(strangers.events)]
    assert words.startswith(f"the record does not prove what it says, by {trust_path(tmp_path)}: line ")


def test_without_a_trust_root_nobody_here_can_doubt(tmp_path: Path) -> None:
    assert [*doubting(tmp_path)(RecordBuilder(seed="theirs").up_to_go().events)] == []


@pytest.mark.usefixtures("record")
def test_a_launch_that_has_ended_is_left_to_verify(tmp_path: Path) -> None:
    strangers = RecordBuilder(seed="theirs").up_to_go().landing()
    assert [*doubting(tmp_path)(strangers.events)] == []


def test_of_a_record_that_has_grown_only_what_is_new_is_verified(
    tmp_path: Path, record: RecordBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []

    def counted(envelope: object) -> SignedStatement:
        opened.append(envelope)
        return open_envelope(envelope)

    monkeypatch.setattr(doubts, "open_envelope", counted)
    doubt, events = doubting(tmp_path), record.up_to_go().events
    assert [*doubt(events[:-1]), *doubt(events[:-1]), *doubt(events)] == []
    assert len(opened) == len(PEOPLE) + 1


def test_what_is_not_proved_stays_so_until_the_record_or_the_trust_root_is_another(
    tmp_path: Path, record: RecordBuilder
) -> None:
    doubt, strangers = doubting(tmp_path), RecordBuilder(seed="theirs").up_to_go()
    assert len(doubt(strangers.events)) == 1
    strangers.observe("cfg.cors")
    assert len(doubt(strangers.events)) == 1
    assert [*doubt(record.up_to_go().events)] == []
    assert len(doubt(strangers.events)) == 1
    save_trust(trust_path(tmp_path), trust_root("theirs"))
    assert [*doubt(strangers.events)] == []


@pytest.mark.parametrize(
    ("who", "told"),
    [(Custody.ALIVE, []), (Custody.WAITING, ["`tminus demo` goes on with it"]), (Custody.LOST, ["--clear"])],
)
def test_a_demo_that_nobody_runs_is_said_to_be_so(
    tmp_path: Path, record: RecordBuilder, monkeypatch: pytest.MonkeyPatch, who: Custody, told: list[str]
) -> None:
    monkeypatch.setattr(doubts, "custody", lambda _home, _launch: who)
    found = doubting(of_a_demo(tmp_path))(record.up_to_go().events)
    assert len(found) == len(told)
    for words, part in zip(found, told, strict=True):
        assert words.startswith("nobody runs this demo")
        assert part in words


def test_many_who_watch_at_once_look_once_who_has_a_demo_in_hand(
    tmp_path: Path, record: RecordBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    time = [1_800_000_000.0]

    def counted(_home: Path, _launch: str) -> Custody:
        asked.append(time[0])
        return Custody.ALIVE

    monkeypatch.setattr(doubts, "custody", counted)
    doubt, events = Doubts(of_a_demo(tmp_path), "depot-2", lambda: time[0]), record.up_to_go().events
    for at in (0.0, 0.25, 1.9, 2.0, 2.1):
        time[0] = 1_800_000_000.0 + at
        assert doubt(events) == []
    assert asked == [1_800_000_000.0, 1_800_000_002.0]


def test_what_is_refused_at_each_look_keeps_no_look_in_memory() -> None:
    opened = OpenRecord(open_envelope, trust_root())
    events = RecordBuilder(seed="theirs").up_to_go().events
    depths = []
    for _ in range(5):
        with pytest.raises(RecordError) as caught:
            opened.follow(events)
        depths.append(len(caught.traceback))
    assert len(set(depths[1:])) == 1, depths

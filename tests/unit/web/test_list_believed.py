"""The list of launches believes no record that its own page would doubt."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tminus.domain.record import Event
from tminus.domain.rollout import State
from tminus.errors import PartError, RecordError, TminusError
from tminus.picture.believed import MOST, UNVERIFIED, Believed
from tminus.picture.common import CommonDatabase
from tminus.picture.row import HELD, Row

if TYPE_CHECKING:
    from tests.unit.web.web_launch import Played
else:
    from web_launch import Played


class Kept:
    """A common database with one record, whoever asks for whichever."""

    def __init__(self) -> None:
        self.events_of = Played().open().events
        self.asked: list[tuple[str, int]] = []
        self.wrong: TminusError | None = None

    async def events(self, launch: str, after_seq: int) -> list[Event]:
        self.asked.append((launch, after_seq))
        if self.wrong:
            raise self.wrong
        return [event for event in self.events_of if event.seq > after_seq]


def believed(kept: Kept, *words: str) -> Believed:
    """One that doubts by these words whatever it is shown."""

    def doubt(events: Sequence[Event]) -> Sequence[str]:
        assert events
        return words

    return Believed(cast("CommonDatabase", kept), lambda _: doubt)


def row(state: str, launch: str = "one", trouble: str = "") -> Row:
    return Row(launch, "staging", state, "GO", trouble=trouble)


async def test_a_go_that_is_not_proved_is_no_calm_row() -> None:
    kept = Kept()
    for state in (State.GO, State.LAUNCHING, State.SOAKING, HELD):
        (told,) = await believed(kept, "a stranger signed this", "more").told([row(state)])
        assert (told.trouble, told.sign) == ("a stranger signed this", "failed")


async def test_a_launch_that_waits_for_its_go_is_not_read_for_the_list() -> None:
    kept = Kept()
    rows = [row(State.COUNTING), row(State.POLLING), row(State.LANDED)]
    assert await believed(kept, "doubt").told(rows) == rows
    assert kept.asked == []


async def test_a_record_that_is_proved_adds_nothing_and_is_read_on_from_where_it_was() -> None:
    kept = Kept()
    list_ = believed(kept)
    (told,) = await list_.told([row(State.GO)])
    assert (told.trouble, told.sign) == ("", "go")
    await list_.told([row(State.GO)])
    assert kept.asked[0] == ("one", -1)
    assert all(after == kept.events_of[-1].seq for _, after in kept.asked[1:])


async def test_what_is_wrong_besides_is_said_too() -> None:
    (told,) = await believed(Kept(), "a stranger signed this").told([row(State.GO, trouble="nobody runs it")])
    assert told.trouble == "a stranger signed this; nobody runs it"


async def test_a_record_that_cannot_be_read_is_not_believed() -> None:
    kept = Kept()
    kept.wrong = RecordError("line 3 is none", hint="mend it")
    (told,) = await believed(kept).told([row(State.GO)])
    assert told.trouble == "its record cannot be believed: line 3 is none"
    kept.wrong = PartError("the store is away", hint="start it")
    (told,) = await believed(kept).told([row(State.GO)])
    assert told.trouble == "its record cannot be read: the store is away"


async def test_what_breaks_the_verifier_is_said_and_ends_nothing() -> None:
    def breaks(_: Sequence[Event]) -> Sequence[str]:
        raise TypeError("unhashable type: list")

    list_ = Believed(cast("CommonDatabase", Kept()), lambda _: breaks)
    (told,) = await list_.told([row(State.GO)])
    assert "something that cannot be shown" in told.trouble


async def test_in_a_very_long_list_those_that_move_traffic_are_verified_and_the_rest_is_said_not_to_be() -> (
    None
):
    held = [row(HELD, f"held {number}") for number in range(MOST)]
    told = await believed(Kept(), "doubt").told([*held, row(State.LAUNCHING, "going")])
    assert [one.launch for one in told if one.more == UNVERIFIED] == [f"held {MOST - 1}"]
    assert (told[-1].trouble, told[-2].trouble, told[-2].sign) == ("doubt", "", "hold")

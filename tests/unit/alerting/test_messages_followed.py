"""Test messages to those on call: how often they are looked at, and addresses whose tokens are never shown."""

from dataclasses import dataclass, field, replace

import pytest

from tminus.alerting.inboxes import Door
from tminus.alerting.oncall import Person
from tminus.alerting.texting import Twilio
from tminus.alerting.told import Patience, Told, followed
from tminus.errors import InconclusiveError, UnreachableError

PERSON = Person("P1", "Ada", 1, (), {})


@dataclass
class Messages:
    """Messages that come after so many looks; some looks are refused."""

    after: int
    refused: int = 0
    looks: int = 0
    now: float = 0.0
    slept: list[float] = field(default_factory=list)

    async def last(self, person: Person, since: float) -> Told | None:
        del person, since
        return None

    async def send(self, person: Person) -> Told:
        return Told(person.id, self.now, open=True)

    async def look(self, person: Person, told: Told) -> Told:
        del person
        self.looks += 1
        if self.looks <= self.refused:
            raise UnreachableError("it asks to wait (429)", hint="wait")
        return replace(told, way="sms", answered=1.0) if self.looks >= self.after else told

    async def end(self, told: Told) -> None:
        assert told.open

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def patience(messages: Messages, people: int) -> Patience:
    return Patience(lambda: messages.now, 0.0, 45.0, people)


async def test_many_people_are_looked_at_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    for people, pause in ((1, 1.0), (4, 1.0), (40, 10.0)):
        messages = Messages(after=3)
        monkeypatch.setattr("tminus.alerting.told.asyncio.sleep", messages.sleep)
        assert (await followed(messages, PERSON, patience(messages, people))).settled
        assert messages.slept == [pause, pause]


async def test_the_last_look_is_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = Messages(after=100)
    monkeypatch.setattr("tminus.alerting.told.asyncio.sleep", messages.sleep)
    assert not (await followed(messages, PERSON, patience(messages, 400))).settled
    assert messages.slept == [45.0]


async def test_who_asks_to_wait_is_asked_again_until_the_time_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    messages = Messages(after=5, refused=3)
    monkeypatch.setattr("tminus.alerting.told.asyncio.sleep", messages.sleep)
    assert (await followed(messages, PERSON, patience(messages, 1))).settled
    messages = Messages(after=1000, refused=1000)
    monkeypatch.setattr("tminus.alerting.told.asyncio.sleep", messages.sleep)
    with pytest.raises(UnreachableError, match="429"):
        await followed(messages, PERSON, patience(messages, 1))
    assert messages.now == 45.0


@pytest.mark.parametrize(
    "address",
    [
        "https://:tok\uff1aen@api.example",
        "https://:tok\u2100en@api.example",
        "https://:token@[api",
        "https://:token@a:b",
    ],
)
async def test_a_token_that_makes_an_address_none_is_not_shown(address: str) -> None:
    with pytest.raises(InconclusiveError) as caught:
        Door.of(address)
    assert "tok" not in str(caught.value)
    assert caught.value.__context__ is None
    with pytest.raises(InconclusiveError, match="is not whole") as told_of:
        async with Twilio(address.replace("//:", "//AC1:") + "?from=+441").texting():
            pass
    assert told_of.value.__context__ is None

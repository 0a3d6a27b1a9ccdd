"""The counter at which a worker's messages go out: a few at a time, each in bounded time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.courses import PLAN
else:
    from courses import PLAN

from tminus.domain.message import Message
from tminus.domain.plan import Notify
from tminus.errors import PlanError, UndeliveredError
from tminus.testing import FakeClock, FakeNotifier
from tminus.wiring import telling
from tminus.wiring.curtain import Curtain
from tminus.wiring.telling import AT_ONCE, Counter, Discreet, InTurn, notifiers

MESSAGE = Message("k" * 32, "env:ROOM", ("Lena Ortiz",), "a subject", "a text")


async def at_once(act: Callable[[], Awaitable[str]]) -> str:
    return await act()


class Slow:
    """A system that takes nothing before it is let."""

    def __init__(self) -> None:
        self.let, self.full = asyncio.Event(), asyncio.Event()
        self.now = self.most = 0

    async def send(self, message: Message) -> str:
        del message
        self.now += 1
        self.most = max(self.most, self.now)
        if self.now == AT_ONCE:
            self.full.set()
        await self.let.wait()
        self.now -= 1
        return "taken"


async def test_many_messages_go_out_a_few_at_a_time() -> None:
    slow = Slow()
    turn = InTurn(slow, Counter(at_once))
    sending = [asyncio.create_task(turn.send(MESSAGE)) for _ in range(3 * AT_ONCE)]
    await slow.full.wait()
    slow.let.set()
    assert await asyncio.gather(*sending) == ["taken"] * 3 * AT_ONCE
    assert slow.most == AT_ONCE


async def test_a_message_that_is_never_taken_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "LONGEST", 0.01)
    counter = Counter(at_once)
    with pytest.raises(UndeliveredError, match=r"not taken within 0\.01 s"):
        await InTurn(Slow(), counter).send(MESSAGE)
    assert await InTurn(FakeNotifier(), counter).send(MESSAGE) == "taken as number 1"


async def test_a_reference_that_leads_nowhere_is_found_when_something_is_sent() -> None:
    plan = replace(PLAN, notify=Notify("env:MAIL", "launches@shop.example", "env:ROOM"))
    made = notifiers(plan, {}, FakeClock(), Counter(at_once))
    for notifier in made.values():
        with pytest.raises(PlanError, match=r"variable (ROOM|MAIL) is not set"):
            await notifier.send(MESSAGE)


async def test_a_system_that_repeats_a_secret_is_told_without_it() -> None:
    curtain = Curtain()
    curtain.draw("env:ROOM", "https://chat.example/services/T/hush-hush", hook=True)
    curtain.draw("env:MAIL", "smtp://launches:hunter22@mail.example")
    fake = FakeNotifier()
    discreet = Discreet(fake, curtain)
    fake.errors = [
        UndeliveredError("no hook at /services/T/hush-hush", hint="is hunter22 right?", after=7.0),
        UndeliveredError("nobody knows hush-hush", hint="", after=None),
    ]
    with pytest.raises(UndeliveredError) as caught:
        await discreet.send(MESSAGE)
    assert (str(caught.value), caught.value.hint) == ("no hook at /env:ROOM", "is env:MAIL right?")
    assert caught.value.after == 7.0
    with pytest.raises(UndeliveredError, match="nobody knows env:ROOM"):
        await discreet.send(MESSAGE)
    assert await discreet.send(MESSAGE) == "taken as number 1"

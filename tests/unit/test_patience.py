"""An act is begun again while the store does not answer, where somebody is told; everything else is the act's own."""

import asyncio

import pytest

from tminus.control.ports import Json
from tminus.engine.patience import AGAIN_SECONDS, Patience
from tminus.errors import PartError, StoreError
from tminus.testing import FakeClock


class Act:
    """Meets these errors, one each time it is begun, and then succeeds."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.begun = 0

    async def __call__(self) -> Json:
        self.begun += 1
        if self.errors:
            raise self.errors.pop(0)
        return {"begun": self.begun}


def away(why: str) -> StoreError:
    return StoreError(f"the store does not answer: {why}", hint="start it")


async def test_an_act_is_begun_again_until_the_store_answers_and_each_trouble_is_told_once() -> None:
    told: list[str] = []
    act, clock = Act(away("gone"), away("gone"), away("full")), FakeClock()
    begun = clock.now()
    assert await Patience(clock, told.append).run("step 'one'", act) == {"begun": 4}
    assert clock.now() == begun + 3 * AGAIN_SECONDS
    assert told == [
        "step 'one' meets StoreError: the store does not answer: gone; it tries again every second",
        "step 'one' meets StoreError: the store does not answer: full; it tries again every second",
        "step 'one' goes on: what it met is over",
    ]


async def test_what_succeeds_at_once_is_told_to_nobody() -> None:
    told: list[str] = []
    assert await Patience(FakeClock(), told.append).run("step 'one'", Act()) == {"begun": 1}
    assert told == []


async def test_another_error_is_the_act_s_own_and_begun_again_by_nobody() -> None:
    told: list[str] = []
    act = Act(PartError("green did not come up", hint="read its log"))
    with pytest.raises(PartError, match="green"):
        await Patience(FakeClock(), told.append).run("step 'one'", act)
    assert (act.begun, told) == (1, [])


async def test_whoever_waits_for_more_than_the_store_says_so() -> None:
    told: list[str] = []
    act = Act(PartError("record.jsonl cannot be written", hint="make room"), away("gone"))
    assert await Patience(FakeClock(), told.append).run("its seal", act, not_now=PartError) == {"begun": 3}
    assert [line.partition(":")[0] for line in told] == [
        "its seal meets PartError",
        "its seal meets StoreError",
        "its seal goes on",
    ]


async def test_with_nobody_to_tell_there_is_no_patience() -> None:
    act = Act(away("full"))
    with pytest.raises(StoreError):
        await Patience(FakeClock()).run("step 'one'", act)
    assert act.begun == 1


async def test_an_act_that_is_given_up_is_not_begun_again() -> None:
    act = Act(*[away("gone")] * 10_000)
    patience = Patience(FakeClock(patience=10_000.0), lambda _: None)
    trying = asyncio.create_task(patience.run("step 'one'", act))
    while act.begun < 3:  # noqa: ASYNC110 - the act is begun by another task
        await asyncio.sleep(0)
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    begun = act.begun
    await asyncio.sleep(0)
    assert act.begun == begun

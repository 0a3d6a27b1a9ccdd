"""An act is begun again while the store does not answer, where somebody is told; everything else is the act's own."""

import asyncio

import pytest

from tminus.control.ports import Json
from tminus.engine import patience as module
from tminus.engine.patience import Patience
from tminus.errors import PartError, StoreError


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


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AGAIN_SECONDS", 0.0)


async def test_an_act_is_begun_again_until_the_store_answers_and_each_trouble_is_told_once() -> None:
    told: list[str] = []
    act = Act(away("gone"), away("gone"), away("full"))
    assert await Patience(told.append).run("step 'one'", act) == {"begun": 4}
    assert told == [
        "step 'one' meets StoreError: the store does not answer: gone; it tries again every second",
        "step 'one' meets StoreError: the store does not answer: full; it tries again every second",
        "step 'one' reaches the database again",
    ]


async def test_another_error_is_the_act_s_own_and_begun_again_by_nobody() -> None:
    told: list[str] = []
    act = Act(PartError("green did not come up", hint="read its log"))
    with pytest.raises(PartError, match="green"):
        await Patience(told.append).run("step 'one'", act)
    assert (act.begun, told) == (1, [])


async def test_with_nobody_to_tell_there_is_no_patience() -> None:
    act = Act(away("full"))
    with pytest.raises(StoreError):
        await Patience().run("step 'one'", act)
    assert act.begun == 1


async def test_an_act_that_is_given_up_is_not_begun_again() -> None:
    act = Act(*[away("gone")] * 10_000)
    trying = asyncio.create_task(Patience(lambda _: None).run("step 'one'", act))
    while act.begun < 3:  # noqa: ASYNC110 - the act is begun by another task
        await asyncio.sleep(0)
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    begun = act.begun
    await asyncio.sleep(0)
    assert act.begun == begun

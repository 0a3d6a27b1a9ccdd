"""The target of a launch that has none: every act is refused in words, and nothing looks as if it were done."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tminus.control.ports import Database, Prober, Smoke, Target, Traffic
from tminus.domain.traffic import Side, WeightChange
from tminus.errors import RolloutError, UnreachableError
from tminus.targets.absent import LACKS, AbsentTarget

NONE = AbsentTarget()
ACTS: dict[str, Callable[[], Awaitable[Any]]] = {
    "prepare": lambda: NONE.prepare("sha256:1"),
    "start": lambda: NONE.start(Side.GREEN, "sha256:1"),
    "set_weight": lambda: NONE.set_weight(10),
    "stop": lambda: NONE.stop(Side.BLUE, 5.0),
    "back_up": lambda: NONE.back_up("now"),
    "migrate": lambda: NONE.migrate("sha256:1"),
    "failures": lambda: NONE.failures("http://127.0.0.1:1"),
}


@pytest.mark.parametrize("act", ACTS)
async def test_an_act_is_refused_and_says_what_is_lacking(act: str) -> None:
    with pytest.raises(RolloutError, match="names no target") as told:
        await ACTS[act]()
    assert told.value.hint


async def test_what_cannot_be_seen_is_unknown() -> None:
    with pytest.raises(UnreachableError, match="names no target"):
        await NONE.status(Side.GREEN)
    assert not await NONE.answers()
    assert NONE.blindness() == LACKS
    assert (NONE.items(0), NONE.lost(), NONE.received(), NONE.refused()) == ([], 0, 0, 0)
    with pytest.raises(RolloutError):
        NONE.note_weight(WeightChange(0.0, 10))
    with pytest.raises(RolloutError):
        NONE.private_url(Side.GREEN)


def test_it_stands_in_every_place_of_a_target() -> None:
    places: tuple[Target, Traffic, Database, Smoke, Prober] = (NONE, NONE, NONE, NONE, NONE)
    assert all(place is NONE for place in places)

"""One launch as a page sees it: a look is done to its end, whoever has gone meanwhile."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.web.web_launch import PLAN, T0, Played
else:
    from web_launch import PLAN, T0, Played

from tminus.domain.guard import GuardLimits
from tminus.domain.record import Event
from tminus.picture.reading import Plans
from tminus.picture.watched import Watched


class Doubter:
    """Counts how many threads ask it at once; the first answer is held back until it is let go."""

    def __init__(self) -> None:
        self.asked, self.within, self.most = 0, 0, 0
        self.begun, self.goes_on = threading.Event(), threading.Event()

    def __call__(self, events: Sequence[Event]) -> Sequence[str]:
        assert events
        self.asked += 1
        self.within += 1
        self.most = max(self.most, self.within)
        self.begun.set()
        assert self.goes_on.wait(20)
        self.within -= 1
        return ["it is doubted"]


@pytest.mark.timeout(60)
async def test_a_look_that_nobody_waits_for_any_more_ends_before_the_next_begins(tmp_path: Path) -> None:
    await Played().open().keep(tmp_path)
    (folder,) = (tmp_path / "launches").iterdir()
    watched, doubter = Watched(folder, Plans((PLAN,)), lambda _: GuardLimits(), lambda: T0), Doubter()
    watched.doubt = doubter
    gone = asyncio.create_task(watched.told())
    assert await asyncio.to_thread(doubter.begun.wait, 20)
    gone.cancel()
    other = asyncio.create_task(watched.told())
    await asyncio.wait([gone, other], timeout=0.05)  # as far as both come by themselves
    doubter.goes_on.set()
    assert (await other).doubts == ("it is doubted",)
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert (doubter.asked, doubter.most) == (2, 1)

"""Which launches of the list are what they say: of those under GO the records are verified, as on their own pages."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from tminus.domain.rollout import State
from tminus.errors import RecordError, TminusError
from tminus.picture.common import CommonDatabase, CommonTail
from tminus.picture.row import HELD, Row
from tminus.picture.watched import LOOK, Doubt, readable, whole

GOING = frozenset({HELD, State.GO, State.LAUNCHING, State.SOAKING})
"""The states in which a forged decision would matter."""
MOST = 20
"""Launches that are verified for the list; of more nothing is said but that."""

UNVERIFIED = "not verified in so long a list; its page says whether it is proved"


class Believed:
    """Remembers what it has verified: of a record that has grown only what is new is looked at."""

    def __init__(self, common: CommonDatabase, doubt: Callable[[str], Doubt]) -> None:
        self._common = common
        self._doubt = doubt
        self._known: dict[str, tuple[CommonTail, Doubt]] = {}
        self._looking = asyncio.Lock()

    async def told(self, rows: Sequence[Row]) -> list[Row]:
        """The rows, each with what its record does not prove."""
        # Those that move traffic first: a clock that is held may stand before any GO.
        going = [
            row.launch
            for held in (False, True)
            for row in rows
            if row.state in GOING and (row.state == HELD) is held
        ]
        doubts = dict.fromkeys(going[MOST:], UNVERIFIED)
        async with self._looking:
            self._known = {launch: self._of(launch) for launch in going[:MOST]}
            for launch, known in self._known.items():
                doubts[launch] = await self._look(*known)
        return [_with(row, doubts.get(row.launch, "")) for row in rows]

    def _of(self, launch: str) -> tuple[CommonTail, Doubt]:
        return self._known.get(launch) or (CommonTail(self._common, launch, LOOK), self._doubt(launch))

    async def _look(self, record: CommonTail, doubt: Doubt) -> str:
        try:
            with readable(OSError):
                await record.read()
                doubts = await whole(doubt, record.events)
        except RecordError as error:
            return f"its record cannot be believed: {error}"
        except TminusError as error:
            return f"its record cannot be read: {error}"
        return doubts[0] if doubts else ""


def _with(row: Row, words: str) -> Row:
    """The row with what is to be said of it; that nobody has looked is no trouble."""
    if words == UNVERIFIED:
        return replace(row, more="; ".join(filter(None, (row.more, words))))
    return replace(row, trouble="; ".join(filter(None, (words, row.trouble))))

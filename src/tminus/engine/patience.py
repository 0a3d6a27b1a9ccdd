"""A database that is away, locked or full for a while costs a launch time, and nothing else.

Whatever an act in a step meets is remembered and given to the launch again after each restart; so what only says "not
now" must not become its result. The act is begun again until the database does its part, as it is after a death. The
same goes for what a worker does for a launch between two steps, where such an error would be the end of the launch.
"""

import sqlite3
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import OperationalError

from tminus.control.ports import Clock
from tminus.engine.keeper import Tidings, Trouble
from tminus.errors import PartError, StoreError

T = TypeVar("T")

AGAIN_SECONDS = 1.0
"""How long after one try the next begins."""
_NO_ROOM = ("database or disk is full", "disk I/O error")
"""What SQLite says when it cannot write: the disk is full, or the file may not grow."""


class Patience:
    """Begins an act again while it only meets "not now"; `tell` takes each such trouble once, and its end.

    With nobody to tell it there is no patience.
    """

    def __init__(self, clock: Clock, tell: Tidings | None = None) -> None:
        self._clock = clock
        self._tell = tell

    async def run(
        self, what: str, act: Callable[[], Awaitable[T]], not_now: type[PartError] = StoreError
    ) -> T:
        """What the act gives; raises what it raises, and `not_now` only where there is nobody to tell.

        It tries for as long as it is not cancelled. `what` names the act to people.
        """
        if self._tell is None:
            return await act()
        trouble = Trouble(what, self._tell)
        while True:
            try:
                done = await act()
            except not_now as error:
                trouble.met(error)
                await self._clock.sleep(AGAIN_SECONDS)
            else:
                trouble.gone()
                return done


def wait_for_room(engine: Engine) -> None:
    """Have DBOS wait for room on SQLite's disk as it waits for a lock, the one thing that it tries again for."""

    def told(context: ExceptionContext) -> BaseException | None:
        cause = context.original_exception
        if isinstance(cause, sqlite3.Error) and any(words in str(cause) for words in _NO_ROOM):
            locked = sqlite3.OperationalError(f"database is locked to us: {cause}")
            return OperationalError(context.statement, None, locked)
        return None

    event.listen(engine, "handle_error", told, retval=True)

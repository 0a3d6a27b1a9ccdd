"""Asking a dependency without waiting long, and without asking twice what is still open."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Question(Generic[T]):
    """A question to a dependency that may be asked often and is never open twice.

    A frozen dependency must not collect one stuck connection for each time that somebody asks; whoever comes
    while the question is open waits for the same answer.
    """

    def __init__(self, ask: Callable[[], Coroutine[Any, Any, T]], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._open: asyncio.Task[T] | None = None

    async def answer(self) -> T | None:
        """The answer; none when it does not come in time. An error of the question is raised."""
        asked = self._open
        if asked is None or asked.done():
            asked = self._open = asyncio.create_task(self._ask())
        await asyncio.wait({asked}, timeout=self._seconds)
        return asked.result() if asked.done() else None

    def drop(self) -> None:
        """Wait no longer for an answer that is still open."""
        if self._open is not None:
            self._open.cancel()

"""Ask for the service from several vantage points at once: one that is cut off itself must not roll anything back."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from tminus.control.looks import Sighting
from tminus.control.ports import Clock
from tminus.domain.canonical import JsonValue
from tminus.domain.quorum import View, told, unavailable
from tminus.domain.trigger import UNAVAILABLE
from tminus.errors import ProbeError


class Vantage(Protocol):
    """A place from which the service can be asked as a user would."""

    async def answers(self) -> tuple[bool, str]:
        """Whether a user there gets an answer, and what came instead; raises `ProbeError` when it could not look."""
        ...


class Vantages:
    """All vantage points of one launch."""

    trigger = UNAVAILABLE

    def __init__(self, vantages: Mapping[str, Vantage], clock: Clock) -> None:
        self._vantages = vantages
        self._clock = clock

    async def look(self) -> Sighting:
        """See `Source.look`; all look at the same moment."""
        at = self._clock.now()
        views = await asyncio.gather(*(_view(name, one) for name, one in self._vantages.items()))
        breached = unavailable(views)
        text = told(views)
        rows: list[JsonValue] = [view.data() for view in views]
        return Sighting(at, breached, text, text if breached else "", {"views": rows})

    def accept(self) -> None:
        """See `Source.accept`: a service that is away is not accepted, and its trigger rolls back."""


async def _view(name: str, vantage: Vantage) -> View:
    try:
        answered, why = await vantage.answers()
    except ProbeError as error:
        return View(name, None, str(error))
    return View(name, answered, "" if answered else why)

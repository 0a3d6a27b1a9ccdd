"""The stream: one look at a launch every quarter of a second, for everyone who watches it, and what changed sent on.

Each message carries the number of the newest event, so that a browser that was away says how far it had come and gets
what it missed. A beat each second says that the connection stands; its absence is what the page calls lost.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from jinja2 import TemplateError

from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Plan
from tminus.errors import RecordError, TminusError
from tminus.picture.reading import Plans, RecordTail, TraceTail, plan_digest
from tminus.picture.traffic import Traffic
from tminus.picture.view import Picture, Told, picture
from tminus.web import render

LOOK = 0.25
"""Seconds between two looks at the record."""
BEAT = 1.0
"""Seconds between two beats, and between two pictures of what changes by itself."""

Limits = Callable[[Plan | None], GuardLimits]
"""The guard's limits by a plan."""


@contextmanager
def readable() -> Iterator[None]:
    """Say of a record that it holds what this page cannot show; raises `RecordError` then."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, TemplateError) as error:
        raise RecordError(
            f"the record holds something that this page cannot show: {type(error).__name__} {error}",
            hint="`tminus verify` says whether it is whole; another version of tminus may have written it",
        ) from error


class Watched:
    """One launch as this process sees it; shared by all who watch it."""

    def __init__(self, folder: Path, plans: Plans, limits: Limits, now: Callable[[], float]) -> None:
        self._folder = folder
        self._plans = plans
        self._limits = limits
        self._now = now
        self._record = RecordTail(folder)
        self._trace = TraceTail(folder)
        self._plan: Plan | None = None
        self._traffic: Traffic | None = None
        self._shown: tuple[int, Picture] | None = None
        """Of how many events, and the picture that they made."""
        self._reading = asyncio.Lock()

    async def look(self) -> Picture:
        """What is true now; raises a `TminusError` where the launch cannot be read."""
        async with self._reading:
            with readable():
                await self._record.read()
            at = self._now()
            events = self._record.events
            if self._shown and self._shown[0] == len(events) and 0 <= at - self._shown[1].moment.at < LOOK:
                return self._shown[1]  # another who watches has just looked
            if self._traffic is None:
                digest = plan_digest(events)
                self._plan = await asyncio.to_thread(self._plans.find, digest, self._folder)
                self._traffic = Traffic(self._limits(self._plan))
            # A long trace takes its time; others who watch must not wait for it.
            await asyncio.to_thread(self._count, self._traffic)
            told = Told(events, self._record.unbroken, self._plan, self._traffic, self._trace.unread)
            with readable():
                self._shown = len(events), picture(told, at)
            return self._shown[1]

    def _count(self, traffic: Traffic) -> None:
        traffic.take(self._trace.read())

    async def stream(self, after: int) -> AsyncIterator[str]:
        """Messages for one browser, which has seen the events up to `after`."""
        sent: dict[str, str] = {}
        seen = after
        view = ""
        while True:
            try:
                now = await self.look()
                with readable():
                    made = render.parts(now)
            except TminusError as error:
                yield _message("trouble", json.dumps({"text": str(error), "hint": error.hint}))
                await asyncio.sleep(BEAT)
                continue
            if view and view != now.view.value:
                yield _message("view", now.view.value)
                return
            view = now.view.value
            changed = {name: html for name, html in made.items() if sent.get(name) != html}
            last = now.course.events[-1].seq
            if html := render.patch(changed) + render.logged(now, seen):
                yield _message("patch", html, last)
            for line in _observed(now, seen):
                yield _message(f"line-{line}", "", last)
            sent, seen = made, last
            yield _message("beat", json.dumps(beat(now)), last)
            await self._until_something_happens(last)

    async def _until_something_happens(self, last: int) -> None:
        """Wait for a new event, at most until the next beat is due."""
        for _ in range(round(BEAT / LOOK)):
            await asyncio.sleep(LOOK)
            try:
                async with self._reading:
                    with readable():
                        await self._record.read()
            except TminusError:
                return
            if self._record.events and self._record.events[-1].seq != last:
                return


def beat(now: Picture) -> dict[str, object]:
    """What the browser's clock runs by: the server's time and the launch clock at that time."""
    moment, newest = now.moment, now.course.events[-1]
    return {"now": moment.at, "t": moment.t, "runs": moment.runs, "seq": newest.seq, "at": newest.at}


def _observed(now: Picture, after: int) -> list[str]:
    """The lines that were looked at since."""
    new = [event for event in now.course.happened if event.seq > after and event.type == "check.observed"]
    return list(dict.fromkeys(str(event.data["check"]) for event in new))


def _message(kind: str, data: str, number: int | None = None) -> str:
    """One server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    lines = "".join(f"data: {line}\n" for line in data.replace("\r", "").split("\n"))
    name = "" if number is None else f"id: {number}\n"
    return f"event: {kind}\n{name}{lines}\n"

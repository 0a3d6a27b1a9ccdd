"""The stream: one look at a launch every quarter of a second, for everyone who watches it, and what changed sent on.

Each message carries the number of the newest event, so that a browser that was away says how far it had come and gets
what it missed. A beat each second says that the connection stands; its absence is what the page calls lost.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager

from jinja2 import TemplateError

from tminus.control.readiness import CLAIMS
from tminus.errors import TminusError
from tminus.picture import watched
from tminus.picture.roster import Lookout
from tminus.picture.tending import Tending
from tminus.picture.view import Picture
from tminus.picture.watched import LOOK
from tminus.web import render

BEAT = 1.0
"""Seconds between two beats, and between two pictures of what changes by itself."""


def readable() -> AbstractContextManager[None]:
    """See `watched.readable`; a template that cannot write down what it is given counts too."""
    return watched.readable(TemplateError)


class Watched(watched.Watched):
    """One launch with the browsers that watch it."""

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
                newest = await self.newest()
            except TminusError:
                return
            if newest and newest.seq != last:
                return


async def listed(
    lookout: Lookout, tending: Callable[[], Tending | None], now: Callable[[], float]
) -> AsyncIterator[str]:
    """Messages for one browser that watches the list of launches."""
    sent: dict[str, str] = {}
    while True:
        made = render.list_parts(await lookout.look(), tending())
        if html := render.patch({name: html for name, html in made.items() if sent.get(name) != html}):
            yield _message("patch", html)
        sent = made
        yield _message("beat", json.dumps({"now": now()}))
        await asyncio.sleep(BEAT)


def beat(now: Picture) -> dict[str, object]:
    """What the browser's clock runs by: the server's time and the launch clock at that time."""
    moment, newest = now.moment, now.course.events[-1]
    return {"now": moment.at, "t": moment.t, "runs": moment.runs, "seq": newest.seq, "at": newest.at}


def _observed(now: Picture, after: int) -> list[str]:
    """The lines that were looked at since."""
    new = [event for event in now.course.happened if event.seq > after and event.type in CLAIMS]
    return list(dict.fromkeys(str(event.data["check"]) for event in new))


def _message(kind: str, data: str, number: int | None = None) -> str:
    """One server-sent event: https://html.spec.whatwg.org/multipage/server-sent-events.html."""
    lines = "".join(f"data: {line}\n" for line in data.replace("\r", "").split("\n"))
    name = "" if number is None else f"id: {number}\n"
    return f"event: {kind}\n{name}{lines}\n"

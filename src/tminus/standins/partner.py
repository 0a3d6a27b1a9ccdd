"""A partner of depot: takes its events, believes only those that are rightly signed, and tells what came.

| path | what |
|---|---|
| `POST /events` | takes an event; 401 for one that is not signed by depot, or long ago |
| `GET /events?title=TEXT` | every event about a document of this title, also those that were refused |
| `GET /health` | whether it answers |

A process of its own: `python -m tminus.standins.partner --port N`. The secret comes from the environment and is never
told. depot's signature is checked here from its description: HMAC-SHA256 over the time, a full stop, and the body.
"""

import argparse
import hmac
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from . import STAND_IN
from .clock import wall_clock
from .journal import Journal, Kept

SECRET_VARIABLE = "STANDINS_PARTNER"  # noqa: S105 - the name of a variable
"""Where the secret that depot signs with is found."""

WINDOW_SECONDS = 300
"""How far an event's time may lie from now."""

BODY_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Arrival:
    """One event that came: what it says it is, whether its signature was right, and what it was answered."""

    id: str
    event: str
    title: str
    signed: bool
    answer: int


class Partner:
    """Answers depot's worker, and whoever asks what came; `answer` is what a rightly signed event gets."""

    def __init__(self, journal: Journal, secret: bytes, answer: int, now: Callable[[], float]) -> None:
        self._journal = journal
        self._secret = secret
        self._answer = answer
        self._now = now
        self._arrivals: dict[str, list[Arrival]] = {}
        for kept in journal.read():
            self._remember(Arrival(**kept.data))

    def application(self) -> web.Application:
        """The partner as a web application."""
        application = web.Application(client_max_size=BODY_BYTES)
        application.router.add_post("/events", self._take)
        application.router.add_get("/events", self._tell)
        application.router.add_get("/health", self._health)
        return application

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        signed = self._is_signed(request, body)
        content = _object(body)
        data = content.get("data")
        title = data.get("title", "") if isinstance(data, dict) else ""
        answer = self._answer if signed else 401
        arrival = Arrival(
            str(content.get("id", "")), str(content.get("event", "")), str(title), signed, answer
        )
        self._remember(arrival)
        self._journal.append(Kept("event", self._now(), asdict(arrival)))
        return web.Response(status=answer, headers={"X-Stand-In": STAND_IN})

    async def _tell(self, request: web.Request) -> web.Response:
        found = self._arrivals.get(request.query.get("title", ""), [])
        told = {"stand_in": STAND_IN, "events": [asdict(arrival) for arrival in found]}
        return web.json_response(told, headers={"X-Stand-In": STAND_IN})

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"stand_in": STAND_IN, "ok": True}, headers={"X-Stand-In": STAND_IN})

    def _remember(self, arrival: Arrival) -> None:
        self._arrivals.setdefault(arrival.title, []).append(arrival)

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        """Whether the secret's owner signed this body a short time ago."""
        at = request.headers.get("X-Depot-Timestamp", "")
        given = request.headers.get("X-Depot-Signature", "")
        right = f"v1={hmac.digest(self._secret, at.encode() + b'.' + body, 'sha256').hex()}"
        timely = at.isascii() and at.isdigit() and abs(self._now() - int(at)) <= WINDOW_SECONDS
        return hmac.compare_digest(given.encode(), right.encode()) and timely


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}  # it is no event, and the answer tells whether it was signed
    return found if isinstance(found, dict) else {}


def main(arguments: Sequence[str]) -> None:
    """Answer until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m tminus.standins.partner", description=STAND_IN)
    parser.add_argument("--port", type=int, required=True, help="where it listens on the loopback address")
    parser.add_argument("--folder", type=Path, default=Path(), help="where what arrives is kept")
    parser.add_argument("--answer", type=int, default=200, help="what a rightly signed event gets")
    options = parser.parse_args(arguments)
    journal = Journal(options.folder / "arrived.jsonl")
    partner = Partner(journal, os.environ[SECRET_VARIABLE].encode(), options.answer, wall_clock)
    web.run_app(partner.application(), host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main(sys.argv[1:])

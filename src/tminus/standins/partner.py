"""A partner of depot: takes its events, believes only those that are rightly signed, and tells what came.

`POST /events` takes an event; `GET /events?title=TEXT` tells every event about a document of this title, also those
that were refused. Runs as a process of its own: `python -m tminus.standins.partner --help`. The secret comes from the
environment and is never told.
"""

import argparse
import hmac
import json
import os
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

SECRET_VARIABLE = "TMINUS_PARTNER_SECRET"  # noqa: S105 - the name of a variable
"""Where the secret that depot signs with is found."""

KEPT = 20_000
"""Events that are remembered; older ones are forgotten."""

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
    """Answers depot's worker, and whoever asks what came."""

    def __init__(self, secret: bytes, *, answer: int, now: Callable[[], float]) -> None:
        self._secret = secret
        self._answer = answer
        self._now = now
        self._arrivals: deque[Arrival] = deque(maxlen=KEPT)

    def application(self) -> web.Application:
        """The partner as a web application."""
        application = web.Application(client_max_size=BODY_BYTES)
        application.router.add_post("/events", self.take)
        application.router.add_get("/events", self.tell)
        return application

    async def take(self, request: web.Request) -> web.Response:
        """Take an event; 401 for one that is not signed by depot, or long ago."""
        body = await request.read()
        signed = self._is_signed(request, body)
        answer = self._answer if signed else 401
        content = _object(body)
        data = content.get("data")
        title = str(data.get("title", "")) if isinstance(data, dict) else ""
        named = str(content.get("id", "")), str(content.get("event", ""))
        self._arrivals.append(Arrival(*named, title, signed, answer))
        return web.Response(status=answer)

    async def tell(self, request: web.Request) -> web.Response:
        """Every event about this title, oldest first."""
        title = request.query.get("title", "")
        events = [asdict(arrival) for arrival in self._arrivals if arrival.title == title]
        return web.json_response({"events": events})

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        """Whether the secret's owner signed this body a short time ago."""
        at = request.headers.get("X-Depot-Timestamp", "")
        given = request.headers.get("X-Depot-Signature", "")
        right = f"v1={hmac.digest(self._secret, at.encode() + b'.' + body, 'sha256').hex()}"
        if not hmac.compare_digest(given.encode(), right.encode()):
            return False
        return abs(self._now() - float(at)) <= WINDOW_SECONDS


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}  # it is no event, and the answer tells whether it was signed
    return found if isinstance(found, dict) else {}


def _epoch() -> float:
    return datetime.now(UTC).timestamp()  # noqa: TID251 - a process of its own: here is its outermost edge


def main() -> None:
    """Run the partner until it is told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m tminus.standins.partner", description="A partner that takes depot's events."
    )
    parser.add_argument("--port", type=int, required=True, help="where it listens on the loopback address")
    parser.add_argument("--answer", type=int, default=200, help="what a rightly signed event is answered")
    read = parser.parse_args()
    if not os.environ.get(SECRET_VARIABLE):
        parser.error(f"the variable {SECRET_VARIABLE} is not set")
    partner = Partner(os.environ[SECRET_VARIABLE].encode(), answer=read.answer, now=_epoch)
    web.run_app(partner.application(), host="127.0.0.1", port=read.port, print=None)


if __name__ == "__main__":
    main()

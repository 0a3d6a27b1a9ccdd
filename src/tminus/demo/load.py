"""Users for the demo: a steady stream of requests through the proxy, counted as a user counts them.

Runs as a process of its own, so that users stay when tminus is killed: `python -m tminus.demo.load --help`. It ends by
itself when its folder vanishes or its time is over. The load is *open-loop*: requests are sent when they are due,
however slow the answers are, because real users do not wait for each other.
"""

import argparse
import asyncio
import json
import os
import random
import signal
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

MOST_IN_FLIGHT = 400
"""More open requests than this are not sent but counted as skipped, so that this machine survives."""
ANSWER_SECONDS = 10.0
"""After this time a user has left; no answer is a failed request."""
RECENT = 5_000
"""The p95 is that of so many last answers."""
KNOWN_DOCUMENTS = 200
CLIENTS = 40
TICK_SECONDS = 0.005
AUDIENCES = ("everybody", "beta", "staff")
PAGE = "https://app.depot.example"
"""Where users come from: a page of another origin, as their browsers say it."""
WORDS = (
    "launch",
    "countdown",
    "orbit",
    "stage",
    "booster",
    "telemetry",
    "weather",
    "range",
    "fuel",
    "guidance",
)


class _NoAnswerError(Exception):
    """The connection ended without an answer."""


@dataclass(frozen=True, slots=True)
class Request:
    """What one user asks."""

    method: str
    path: str
    client: str
    """Who asks: the `X-Client` header."""
    body: Mapping[str, str | Mapping[str, str]] | None = None


class Schedule:
    """When requests are due: `rate` a second, evenly, from `started` on."""

    def __init__(self, rate: float, started: float) -> None:
        self._rate, self._started, self._sent = rate, started, 0

    def due(self, now: float) -> int:
        """How many requests have become due since the last time it was asked."""
        total = int((now - self._started) * self._rate)
        fresh = max(0, total - self._sent)
        self._sent += fresh
        return fresh


class Users:
    """What users do: about 30 % write, the others search, read and list, and some ask for their flags."""

    def __init__(self, seed: int | None = None) -> None:
        self._random = random.Random(seed)  # noqa: S311  a choice of requests, no secret
        self._documents: deque[str] = deque(maxlen=KNOWN_DOCUMENTS)

    def learn(self, identifier: object) -> None:
        """Remember a document that was written, to read it later."""
        self._documents.append(str(identifier))

    def next(self) -> Request:
        """The next request."""
        client = f"user-{self._random.randint(1, CLIENTS)}"
        choice, word = self._random.random(), self._random.choice(WORDS)
        if choice < 0.30:
            body = {"title": f"On {word}", "body": " ".join(self._random.choices(WORDS, k=12))}
            return Request("POST", "/documents", client, body)
        if choice < 0.55:
            return Request("GET", f"/search?q={word}", client)
        if choice < 0.80 and self._documents:
            return Request("GET", f"/documents/{self._random.choice(self._documents)}", client)
        if choice < 0.95:
            return Request("GET", "/documents?limit=10", client)
        audience = self._random.choice(AUDIENCES)
        return Request("POST", "/ofrep/v1/evaluate/flags", client, {"context": {"audience": audience}})


@dataclass(slots=True)
class Tally:
    """What users met so far."""

    started: float
    total: int = 0
    failed: int = 0
    skipped: int = 0
    """Not sent, because too many were open."""
    statuses: Counter[str] = field(default_factory=Counter)
    by_method: dict[str, Counter[str]] = field(default_factory=dict)
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    def count(self, method: str, status: int, ms: float) -> bool:
        """Count one answer (status 0: none came); whether the user would call it failed."""
        failed = status in {0, 401} or status >= 500
        self.total += 1
        self.failed += failed
        self.statuses[str(status)] += 1
        self.by_method.setdefault(method, Counter()).update({"total": 1, "failed": int(failed)})
        self.recent.append(ms)
        return failed

    def summary(self, now: float) -> dict[str, Any]:
        """Everything, for the file."""
        return {
            "total": self.total,
            "failed": self.failed,
            "skipped": self.skipped,
            "statuses": dict(self.statuses),
            "started": self.started,
            "updated": now,
            "p95_ms": _percentile_95(self.recent),
            "by_method": {method: dict(counts) for method, counts in self.by_method.items()},
        }


def _percentile_95(values: Sequence[float]) -> float | None:
    """The nearest-rank 95th percentile; none of no values."""
    if not values:
        return None
    ordered = sorted(values)
    return round(ordered[-(-95 * len(ordered) // 100) - 1], 1)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says."""

    url: str
    rate: float
    out: Path
    user: str
    password: str
    max_seconds: float


class Load:
    """Sends the requests and keeps the files; one event loop, one session."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._users = Users()
        self._tally = Tally(started=_epoch())
        self._open: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()
        self._token = ""
        self._token_until = 0.0
        self._failures = settings.out.with_suffix(".failed.jsonl")

    def stop(self) -> None:
        """Send nothing new; `run` ends after the last answer."""
        self._stop.set()

    async def run(self) -> None:
        """Send requests until told to stop, until the folder vanishes, or until the time is over."""
        loop = asyncio.get_running_loop()
        # A connection per request and `_once`: aiohttp sends a request with an idempotent method again when the
        # connection breaks, and that would hide the failure from the count. Users' browsers may or may not do that.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
        async with aiohttp.ClientSession(
            self._settings.url, connector=connector, timeout=timeout, middlewares=(_once,)
        ) as session:
            await self._log_in(session)
            started = loop.time()
            schedule, written = Schedule(self._settings.rate, started), started
            while not self._stop.is_set() and loop.time() - started < self._settings.max_seconds:
                await self._send_due(session, schedule.due(loop.time()))
                if loop.time() - written >= 1 and not self._write():
                    break
                written = loop.time() if loop.time() - written >= 1 else written
                await asyncio.sleep(TICK_SECONDS)
            await asyncio.gather(*self._open)
        self._write()

    async def _send_due(self, session: aiohttp.ClientSession, count: int) -> None:
        if asyncio.get_running_loop().time() > self._token_until:
            self._spawn(self._log_in(session))
        for _ in range(count):
            if len(self._open) >= MOST_IN_FLIGHT:
                self._tally.skipped += 1
            else:
                self._spawn(self._send(session, self._users.next()))

    def _spawn(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._open.add(task)
        task.add_done_callback(self._open.discard)

    async def _send(self, session: aiohttp.ClientSession, request: Request) -> None:
        status, body = await self._ask(session, request)
        if status == 401:
            self._token_until = 0.0
        if request.method == "POST" and status in {200, 201} and "id" in body:
            self._users.learn(body["id"])

    async def _log_in(self, session: aiohttp.ClientSession) -> None:
        loop = asyncio.get_running_loop()
        self._token_until = loop.time() + 1  # one try a second, also while it fails
        who = {"user": self._settings.user, "password": self._settings.password}
        status, body = await self._ask(session, Request("POST", "/login", "user-1", who))
        if status == 200 and "token" in body:
            self._token = body["token"]
            self._token_until = loop.time() + 0.8 * float(body.get("expires_in", 300))

    async def _ask(self, session: aiohttp.ClientSession, request: Request) -> tuple[int, dict[str, Any]]:
        """One request, counted; status 0 when no whole answer came."""
        loop = asyncio.get_running_loop()
        begun, status, raw, reason = loop.time(), 0, b"", ""
        headers = {"X-Client": request.client, "Authorization": f"Bearer {self._token}", "Origin": PAGE}
        try:
            async with session.request(
                request.method, request.path, json=request.body, headers=headers
            ) as answer:
                raw = await answer.read()
                status = answer.status
        except (aiohttp.ClientError, _NoAnswerError, TimeoutError) as error:
            reason = f"{type(error).__name__}: {error}"
        ms = (loop.time() - begun) * 1000
        if self._tally.count(request.method, status, ms):
            self._note_failure(request, status, ms, reason or raw[:200].decode(errors="replace"))
        return status, _object(raw)

    def _note_failure(self, request: Request, status: int, ms: float, reason: str) -> None:
        line = {
            "at": _epoch(),
            "client": request.client,
            "method": request.method,
            "path": request.path,
            "status": status,
            "ms": round(ms, 1),
            "reason": reason,
        }
        if self._failures.parent.is_dir():
            with self._failures.open("a") as file:
                file.write(json.dumps(line) + "\n")

    def _write(self) -> bool:
        """Write the summary whole; false when the stage has been taken away."""
        out = self._settings.out
        draft = out.with_suffix(".new")
        try:
            draft.write_text(json.dumps(self._tally.summary(_epoch())))
            draft.replace(out)
        except FileNotFoundError:
            return False  # the stage was removed, and the users go home
        return True


async def _once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Have aiohttp see a broken connection as an error that it does not try again."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _NoAnswerError(str(error)) from error


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}  # an answer that is no JSON has no id and no token; its status was counted
    return body if isinstance(body, dict) else {}


def _epoch() -> float:
    return datetime.now(UTC).timestamp()  # noqa: TID251  a process of its own: here is its outermost edge


def _settings(arguments: Sequence[str] | None) -> Settings:
    parser = argparse.ArgumentParser(
        prog="python -m tminus.demo.load", description="Steady users for the demo."
    )
    parser.add_argument("--url", required=True, help="where the proxy listens")
    parser.add_argument("--rate", type=float, default=75, help="requests a second")
    parser.add_argument("--out", type=Path, required=True, help="the summary file, written once a second")
    parser.add_argument("--user", required=True, help="who logs in")
    parser.add_argument("--password-env", required=True, help="the variable that holds the password")
    parser.add_argument("--max-seconds", type=float, default=1800, help="the end, whatever happens")
    read = parser.parse_args(arguments)
    if read.password_env not in os.environ:
        parser.error(f"the variable {read.password_env} is not set")
    password = os.environ[read.password_env]
    return Settings(read.url, read.rate, read.out.absolute(), read.user, password, read.max_seconds)


async def _run(settings: Settings) -> None:
    load = Load(settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, load.stop)
    await load.run()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the users until they are told to stop."""
    asyncio.run(_run(_settings(arguments)))


if __name__ == "__main__":
    main()

"""Misbehaviour on order, for rehearsals: errors, late answers, a sudden death, silent damage, a leaking pool.

Faults strike only user requests that came through the proxy, which adds `X-Forwarded-For`. A fault that the
private smoke test of green could see would be stopped there and would never reach traffic, and then nobody
would have seen the guard roll a launch back. `/health`, `/metrics` and `/faults` are spared for the same reason.
"""

import asyncio
import logging
import math
import os
import random
import signal
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request

from .damage import damage

MOST_LEAKED = 60
"""PostgreSQL gives 100 connections by default; a leak that took them all would fell the other side too."""

logger = logging.getLogger("depot")


_KNOWN = {
    "errors": "errors=SHARE",
    "slow": "slow=SHARE:SECONDS",
    "crash": "crash=N",
    "corrupt": "corrupt=SHARE",
    "leak": "leak=N",
}


class FaultSpecError(ValueError):
    """A fault specification that says nothing depot could do."""


@dataclass(frozen=True)
class Faults:
    """What goes wrong: shares between 0 and 1, seconds, and numbers of requests."""

    errors: float = 0.0
    slow: float = 0.0
    slow_seconds: float = 0.0
    crash: int | None = None
    corrupt: float = 0.0
    """Requests that damage a stored row while they are answered as if nothing had happened."""
    leak: int | None = None
    """Requests after which the pool has leaked all its connections; then requests fail."""

    @classmethod
    def parse(cls, spec: str) -> "Faults":
        """The faults that `errors=0.2,slow=0.3:3.0,crash=40,corrupt=0.2,leak=40` asks for; empty is none.

        Raises `FaultSpecError` for an unknown, repeated or impossible part.
        """
        found: dict[str, str] = {}
        for part in filter(None, (part.strip() for part in spec.split(","))):
            name, _, value = part.partition("=")
            if name in found:
                raise FaultSpecError(f"{name!r} is given twice")
            if name not in _KNOWN:
                raise FaultSpecError(f"unknown fault {name!r}; known are {', '.join(_KNOWN.values())}")
            found[name] = value
        share, _, seconds = found.get("slow", "0:0").partition(":")
        slow, slow_seconds = _number("slow", share, most=1.0), _number("slow", seconds, most=600.0)
        return cls(
            errors=_number("errors", found.get("errors", "0"), most=1.0),
            slow=slow,
            slow_seconds=slow_seconds if slow else 0.0,
            crash=_count("crash", found["crash"]) if "crash" in found else None,
            corrupt=_number("corrupt", found.get("corrupt", "0"), most=1.0),
            leak=_leaked(found["leak"]) if "leak" in found else None,
        )

    def __str__(self) -> str:
        parts = [f"errors={self.errors}"] if self.errors else []
        parts += [f"slow={self.slow}:{self.slow_seconds}"] if self.slow else []
        parts += [f"crash={self.crash}"] if self.crash is not None else []
        parts += [f"corrupt={self.corrupt}"] if self.corrupt else []
        parts += [f"leak={self.leak}"] if self.leak is not None else []
        return ",".join(parts)


@dataclass(frozen=True)
class Fate:
    """What one request has to suffer."""

    crash: bool
    seconds: float
    error: bool
    damage: bool
    leak: bool


class FaultInjector:
    """Draws the fate of each request; a seed makes the draw repeatable."""

    def __init__(self, faults: Faults, seed: int | None = None) -> None:
        self._dice = random.Random(seed)  # noqa: S311 - dice of a rehearsal, not a secret
        self._faults = faults
        self._requests = 0

    @property
    def faults(self) -> Faults:
        """What goes wrong now."""
        return self._faults

    @property
    def requests(self) -> int:
        """User requests through the proxy since the faults were set."""
        return self._requests

    def order(self, faults: Faults) -> None:
        """Replace the faults and count requests from zero."""
        self._faults = faults
        self._requests = 0

    def next_fate(self) -> Fate:
        """The fate of the next request: the one after `crash` requests kills the process."""
        self._requests += 1
        crash = self._faults.crash is not None and self._requests > self._faults.crash
        late = self._dice.random() < self._faults.slow
        return Fate(
            crash=crash,
            seconds=self._faults.slow_seconds if late else 0.0,
            error=self._dice.random() < self._faults.errors,
            damage=self._dice.random() < self._faults.corrupt,
            leak=self._faults.leak is not None,
        )


async def suffer_faults(request: Request) -> None:
    """Let one user request meet its fate; a dependency of every user route.

    The crash is SIGKILL to depot itself: like a process killed for its memory, it says no goodbye to the
    requests in flight.
    """
    if "x-forwarded-for" not in request.headers:
        return
    injector: FaultInjector = request.app.state.parts.injector
    fate = injector.next_fate()
    if fate.crash:
        logger.error("fault", extra={"fields": {"fault": "crash", "requests": injector.requests}})
        os.kill(os.getpid(), signal.SIGKILL)
    if fate.seconds:
        await asyncio.sleep(fate.seconds)
    if fate.leak:
        await request.app.state.parts.database.leak()
    if fate.damage:
        await damage(request.app.state.parts.database)
    if fate.error:
        raise HTTPException(500, "injected fault: errors")


def _number(name: str, text: str, *, most: float) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise FaultSpecError(f"{name}: {text!r} is not a number") from error
    if not (math.isfinite(number) and 0 <= number <= most):
        raise FaultSpecError(f"{name}: {text} is not between 0 and {most:g}")
    return number


def _leaked(text: str) -> int:
    connections = _count("leak", text)
    if not 1 <= connections <= MOST_LEAKED:
        raise FaultSpecError(f"leak: {text} is not between 1 and {MOST_LEAKED}")
    return connections


def _count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise FaultSpecError(f"{name}: {text!r} is not a number of requests")
    return int(text)

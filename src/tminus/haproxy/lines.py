"""What a log line of HAProxy says, and which lines are missing; pure, time is passed in."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any, Never

from tminus.domain.traffic import Outcome, Side

MAX_FRAME = 65_536
"""No line is longer; a larger announcement is not from our HAProxy."""
FURTHEST = 100_000
"""How far ahead of the highest number so far a number can be; the ring holds fewer lines."""
GENERATION_BITS = 32
"""A request's number is its HAProxy's start in the high bits and HAProxy's own 32-bit count in the low ones."""


class FramingError(Exception):
    """These bytes are not octet-counted log lines; the connection cannot be read on."""


@dataclass(frozen=True, slots=True)
class Line:
    """One log line: how a request ended for its user, and how it came about."""

    outcome: Outcome
    accepted: float
    """When the request came in, in seconds of the epoch."""
    method: str
    termination: str
    """HAProxy's two letters for how it ended; `--` is normal."""
    retries: int
    """How often connecting was tried again."""
    redispatched: bool
    """Whether another server than the first one answered."""

    @property
    def unserved(self) -> bool:
        """No side can be blamed or praised for it: see `_side`."""
        return self.outcome.side is None


class StrangerError(ValueError):
    """A line that does not know the secret of our HAProxy's log: somebody else wrote it."""


def parse(payload: bytes, secret: str) -> Line:
    """Read one log line; raises `ValueError` when it is none of ours, `StrangerError` without the secret."""
    try:
        fields = json.loads(payload, parse_constant=_refuse)
        if not compare_digest(str(fields.get("k")).encode(), secret.encode()):
            raise StrangerError("a line without the secret of this stage")
        return _line(fields)
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ValueError(f"not a line of our log format: {payload[:200]!r}") from error


def _refuse(name: str) -> Never:
    raise ValueError(f"{name} is no number of HAProxy's")


def _line(fields: dict[str, Any]) -> Line:
    tries = fields["tries"]
    return Line(
        outcome=Outcome(
            at=fields["done"] / 1000,
            side=_side(fields),
            status=_seen_status(fields["st"], fields["ts"]),
            ms=float(max(fields["ms"], 0)),
            client=fields["client"] if fields["client"] not in {"", "-"} else fields["from"],
            number=None if fields["n"] == "-" else (fields["g"] << GENERATION_BITS) | int(fields["n"]),
        ),
        accepted=float(fields["accepted"]),
        method=fields["method"],
        termination=fields["ts"],
        retries=int(tries.lstrip("+")),
        redispatched=tries.startswith("+"),
    )


def _side(fields: dict[str, Any]) -> Side | None:
    """Whose request it was; nobody's when no side was reached and no one side can be shown to be the cause.

    A request that reached a side is that side's, however it ended. One that did not (phase `C`, or `Q` in the queue)
    is a side's failure only when HAProxy tried that side alone, was refused (`S`: nobody listens there) and holds
    the other side for able to serve. When it tried both in vain, the last one in the line is the luck of the turn:
    with 90 % on blue it is mostly green. A connect that ran out of its 300 ms (`s`) accuses nobody either: a machine
    that stalls does that to both sides, and with all the weight on green blue is not tried, so that only green
    would be seen to suffer. A green that really hangs is ejected by its health check, and that is its failure.
    """
    name, (cause, phase) = fields["s"], fields["ts"]
    blue_up, green_up = fields["up"]
    if name not in {Side.BLUE, Side.GREEN}:
        return None
    tried = Side(name)
    if phase not in "CQ":
        return tried
    other_up = blue_up if tried is Side.GREEN else green_up
    refused_alone = cause == "S" and phase == "C" and not fields["tries"].startswith("+")
    return tried if refused_alone and other_up else None


def _seen_status(status: int, termination: str) -> int:
    """The status that reached the user whole.

    0 when the user left before any answer (`C` before the data phase: HAProxy then logs a status that nobody got) and
    when the server broke off in the middle of the body (any other cause in the data phase `D`).
    """
    cause, phase = termination[0], termination[1]
    gave_up = cause in "Cc" and phase in "RQCH"
    broke_off = cause in "SsPI" and phase == "D"
    return 0 if status < 0 or gave_up or broke_off else status


class Frames:
    """Cuts a byte stream into octet-counted lines (RFC 6587 §3.4.1)."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are whole now; raises `FramingError` when this is something else."""
        self._rest += data
        whole: list[bytes] = []
        while (end := self._length_end()) > 0:
            length = int(self._rest[:end])
            if len(self._rest) < end + 1 + length:
                break
            whole.append(self._rest[end + 1 : end + 1 + length])
            self._rest = self._rest[end + 1 + length :]
        return whole

    def _length_end(self) -> int:
        """Where the announced length ends; -1 when it is not whole yet."""
        end = self._rest.find(b" ", 0, 8)
        digits = self._rest[:8] if end < 0 else self._rest[:end]
        if digits and (not digits.isdigit() or int(digits) > MAX_FRAME or end == 0):
            raise FramingError(f"not an octet count: {digits!r}")
        if end == 0:
            raise FramingError("an octet count is missing")
        return end


class Numbers:
    """Which requests the proxy counted of which no line has arrived.

    Lines come in order of answers, numbers were given in order of requests: a hole is *pending* for the grace and
    *lost* after it. A line that still arrives then is no longer lost. What is pending when another start of HAProxy is
    heard ended with the one before: those were requests under way, whose lines will never be written.
    """

    def __init__(self, grace: float, stored: Iterable[int] = (), *, now: float = 0.0) -> None:
        self._grace = grace
        self._first: dict[int, int] = {}
        self._highest: dict[int, int] = {}
        self._pending: dict[int, float] = {}
        self._lost: set[int] = set()
        self._cut_off: set[int] = set()
        for number in sorted(stored):
            self.seen(number, now)

    @property
    def generation(self) -> int:
        """The newest start of HAProxy that was heard; 0 before the first."""
        return max(self._highest, default=0)

    @property
    def cut_off(self) -> int:
        """How many requests under way ended with their HAProxy; those that it never numbered higher are not known."""
        return len(self._cut_off)

    def plausible(self, number: int) -> bool:
        """Whether our HAProxy can have counted this far; a wrong number would make millions of holes."""
        return number <= self._highest.get(number >> GENERATION_BITS, number) + FURTHEST

    def seen(self, number: int, now: float) -> bool:
        """A line with this number has arrived; false when it had arrived before."""
        generation = number >> GENERATION_BITS
        if generation not in self._first:
            if generation > self.generation:
                self._end_of_others(now)
            self._first[generation] = self._highest[generation] = self._before_first(generation, number)
        fresh = self.awaits(number) or number <= self._first[generation]
        self._lost.discard(number)
        self._cut_off.discard(number)
        self._pending.pop(number, None)
        for missing in range(self._highest[generation] + 1, number):
            self._pending[missing] = now
        self._highest[generation] = max(self._highest[generation], number)
        return fresh

    def skip(self, run: range, now: float) -> None:
        """The lines of all these numbers have arrived, none of them seen before: for a trace of millions."""
        self.seen(run.start, now)
        generation = run.start >> GENERATION_BITS
        self._highest[generation] = max(self._highest[generation], run.stop - 1)

    def awaits(self, number: int) -> bool:
        """Whether a line with this number is missing or still to come."""
        generation = number >> GENERATION_BITS
        newer = number > self._highest.get(generation, 0)
        return newer or number in self._pending or number in self._lost or number in self._cut_off

    def _before_first(self, generation: int, number: int) -> int:
        """Where counting begins: at the first line we ever see, but at 1 for a HAProxy that we saw start."""
        return generation << GENERATION_BITS if self._highest else number - 1

    def _end_of_others(self, now: float) -> None:
        """The HAProxy before is dead: what was lost stays lost, what was pending ended with it."""
        self.lost(now)
        self._cut_off.update(self._pending)
        self._pending.clear()

    def lost(self, now: float) -> int:
        """How many have not arrived for longer than the grace after a higher one."""
        while self._pending:
            oldest, since = next(iter(self._pending.items()))
            if now - since < self._grace:
                break
            del self._pending[oldest]
            self._lost.add(oldest)
        return len(self._lost)

    def pending(self, now: float) -> int:
        """How many are missing, but not for long enough to be lost."""
        self.lost(now)
        return len(self._pending)

"""Recorded traffic: its lines, and what the guard would have said.

The format is docs/reference/trace.md. Reading is lazy, so a trace of any length needs little memory; opening files
is left to the command.
"""

import json
import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Never

from tminus.domain.guard import Action, Decision, Guard, GuardLimits, Tally
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.errors import UsageError

MOST_SECONDS_BACK = 60.0
"""Lines may be a little out of order; further back than this, two traces were put into one file."""
_MARK = "\ufeff"
_FORMAT = (
    'write {"t": 12.5, "side": "green", "status": 200, "ms": 53.1, "client": "a"} or {"t": 12, "weight": 10}'
)


def parse_line(text: str, number: int) -> Outcome | WeightChange:
    """One line of a trace; raises `UsageError` naming line `number` and what is wrong with it."""
    if text.startswith(_MARK):
        raise UsageError(f"line {number}: it begins with a byte order mark", hint="save the file without one")
    try:
        return _item(_JSON.decode(text))
    except json.JSONDecodeError as error:
        raise UsageError(f"line {number}: no JSON: {error}", hint=_FORMAT) from error
    except RecursionError as error:
        raise UsageError(f"line {number}: nested too deep", hint=_FORMAT) from error
    except (ValueError, OverflowError) as error:
        told = "a number has too many digits" if "digits" in str(error) else str(error)
        raise UsageError(f"line {number}: {told}", hint=_FORMAT) from error


def read(lines: Iterable[str]) -> Iterator[Outcome | WeightChange]:
    """All lines of a trace, one by one; empty lines are passed over.

    Raises `UsageError` for a line that is broken, or earlier than the one before by more than a minute.
    """
    latest = float("-inf")
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        item = parse_line(text, number)
        if item.at < latest - MOST_SECONDS_BACK:
            raise UsageError(
                f"line {number}: t goes back from {latest:g} to {item.at:g}",
                hint="sort the trace by t, and judge two recordings one after the other",
            )
        latest = max(latest, item.at)
        yield item


def render(item: Outcome | WeightChange) -> dict[str, Any]:
    """The JSON object of one line."""
    if isinstance(item, WeightChange):
        return {"t": item.at, "weight": item.percent}
    line: dict[str, Any] = {
        "t": item.at,
        "side": None if item.side is None else item.side.value,
        "status": item.status,
        "ms": item.ms,
        "client": item.client,
    }
    return line if item.number is None else line | {"n": item.number}


def replay(
    items: Iterable[Outcome | WeightChange], limits: GuardLimits, before: Sequence[float] = ()
) -> Iterator[Decision]:
    """Every change of the guard's decision over a trace, and last what holds at its end.

    Time is event time: the guard is asked at each whole second between two lines, and after a line that latched a
    decision. After a rollback nothing can change; the rest is only read. Before the first request nothing is
    decided, unless it is late; a trace without any request is a hold, since nothing was seen. `before` is how long
    blue's requests took before the launch, in milliseconds, where that is known.
    """
    guard = Guard(limits, before)
    last: Decision | None = None
    latest = float("-inf")
    for item in items:
        if last and last.action is Action.ROLLBACK:
            continue
        for now in _seconds_between(latest, item.at):
            decision = guard.judge(now)
            if _changed(last, decision) and _seen(guard, decision):
                last = decision
                yield last
        guard.observe(item)
        latest = max(latest, item.at)
        if guard.alarm and _changed(last, guard.alarm):
            last = guard.alarm
            yield last
    if last is None or last.action is not Action.ROLLBACK:
        guard.settle()
        final = guard.judge(latest if math.isfinite(latest) else 0.0)
        if final.action is Action.CONTINUE or _changed(last, final):
            yield final


def baseline(items: Iterable[Outcome | WeightChange], limits: GuardLimits) -> tuple[Tally, Sequence[float]]:
    """How blue answered before the launch, for people to compare with, and how long each answer took.

    It is never counted as evidence: another hour has another load, and a2 and b2 compare both sides within the same
    second. The latencies say where b2 cuts, no more.
    """
    requests = failed = slow = 0
    latencies = array("d")
    for item in items:
        if isinstance(item, Outcome) and item.side is Side.BLUE:
            requests += 1
            failed += item.failed
            slow += item.ms > limits.slow_ms
            latencies.append(item.ms)
    return Tally(requests, failed, slow), latencies


def answer(decisions: Iterable[Decision]) -> Decision:
    """The first rollback if there is one, else the first hold, else the last word."""
    first: dict[Action, Decision] = {}
    last: Decision | None = None
    for last in decisions:
        first.setdefault(last.action, last)
    if last is None:
        raise ValueError("a replay yields one decision at least")
    return first.get(Action.ROLLBACK) or first.get(Action.HOLD) or last


def _changed(last: Decision | None, new: Decision) -> bool:
    return last is None or (last.action, last.rule) != (new.action, new.rule)


def _seen(guard: Guard, decision: Decision) -> bool:
    counts = guard.counts
    return bool(counts.blue.requests + counts.green.requests) or decision.rule != "hold.blind"


def _seconds_between(earlier: float, later: float) -> Iterable[int]:
    """The whole seconds after `earlier`, up to `later`; the first two minutes of a longer gap."""
    if later // 1 <= earlier // 1 or not math.isfinite(earlier):
        return ()
    first = math.floor(earlier) + 1
    return range(first, min(math.floor(later), first + 120) + 1)


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is no JSON number")


_JSON = json.JSONDecoder(parse_constant=_refuse_constant)
"""One decoder for all lines; `json.loads` with an option builds one for each."""


def _item(line: object) -> Outcome | WeightChange:
    if not isinstance(line, dict):
        raise ValueError("this is no JSON object")  # noqa: TRY004 - wrong text, not a wrong call
    return _weight_change(line) if "weight" in line else _outcome(line)


def _weight_change(line: dict[str, Any]) -> WeightChange:
    if "side" in line:
        raise ValueError("one line is either a request or a weight")
    percent = line["weight"]
    if type(percent) is not int or not 0 <= percent <= 100:
        raise ValueError("weight must be a whole number from 0 to 100")
    return WeightChange(_number(line, "t"), percent)


def _outcome(line: dict[str, Any]) -> Outcome:
    at, ms = _number(line, "t"), _number(line, "ms")
    side, status, client, number = line.get("side"), line.get("status"), line.get("client", ""), line.get("n")
    if "side" not in line or side not in ("blue", "green", None):
        raise ValueError('side must be "blue", "green", or null where neither was reached')
    if type(status) is not int or not (status == 0 or 100 <= status <= 599):
        raise ValueError("status must be an HTTP status, or 0 for no answer")
    if ms < 0:
        raise ValueError("ms must not be negative")
    if type(client) is not str:
        raise ValueError("client must be a text")
    if number is not None and type(number) is not int:
        raise ValueError("n must be a whole number")
    return Outcome(at, None if side is None else Side(side), status, ms, client, number)


def _number(line: dict[str, Any], key: str) -> float:
    value = line.get(key)
    if type(value) not in {int, float}:
        raise ValueError(f"{key} must be a number")
    number = float(line[key])
    if not math.isfinite(number):
        raise ValueError(f"{key} must be finite")
    return number

"""Logs: whether what the service says arrives where its lines are gathered, from each instance, soon, with its fields.

The probe asks the service for something as any user would, with a mark in the address (`?tminus=MARK`) and in the
header `X-Request-Id`: whichever of the two the service writes into its log is looked for where the lines arrive.
"""

import asyncio
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from tminus.aggregators import opened
from tminus.aggregators.lines import Aggregator, Found, Line, Wanted
from tminus.domain import offsets
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError
from tminus.http import connect
from tminus.probes import Probe

LOOK_SECONDS = 0.5
"""From one look for the marks to the next."""
LONGEST_SECONDS = 120.0
"""How long the marks are waited for at most, whatever lag is allowed: a look has to end."""
BACK_SECONDS = 3600.0
"""How far back an instance is known by its lines, so that one which has fallen silent has a name."""
AHEAD_SECONDS = 600.0
"""How far ahead of ours the clock of whoever writes lines may be."""
LEVELS = ("level", "log.level", "severity", "severity_text", "loglevel", "lvl")
"""The field that lines must hold where a plan names none, by the names that it commonly has."""
_NAMED = 5
"""How many names a sentence holds at most."""


@dataclass(frozen=True, slots=True)
class System:
    """Where the lines are gathered, where the service answers, and how many instances of it there must be."""

    address: str = field(repr=False)
    now: Callable[[], float]
    site: str = field(default="", repr=False)
    """The service's public address; empty where the plan names no website."""
    instances: int = 0
    """As the plan's target says; 0 where it says nothing."""


@dataclass(frozen=True, slots=True)
class _Trail:
    """What became of the marks."""

    sent: Mapping[str, float]
    """When each was sent."""
    lags: Mapping[str, float]
    """After how many seconds each was found."""
    lines: Sequence[Line]
    """Those that hold one."""
    lost: str = ""
    waited: float = 0.0
    """Seconds since the first was sent."""


@dataclass(frozen=True, slots=True)
class _Limits:
    """From how many seconds on a line is late, and lost."""

    late: float
    lost: float

    @classmethod
    def of(cls, late: str, lost: str) -> "_Limits":
        return cls(_seconds("lag", late), _seconds("late", lost))


@Probe
async def arrived(  # noqa: PLR0913 - what a plan may say
    logs: System,
    *,
    labels: dict[str, str],
    instance: str = "pod",
    instances: int = 0,
    fields: list[str] | None = None,
    lag: str = "60s",
    late: str = "5min",
    seconds: int = 300,
    requests: int = 5,
    path: str = "/",
    tenant: str = "",
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the way of log lines: marked requests that are not in it, an instance that is silent.

    `labels` are what the lines of the new side are known by, `instance` is the label or field that tells its instances
    apart, `instances` how many there must be (left out: as many as the plan's target has); each must have a line within
    `seconds`. That many marked requests must be found, and their lines hold `fields`, or a level where none is named.
    By the lag of 95 % of them, and of other lines where the aggregator tells it, lines are late from `lag` on, which is
    remarked upon, and lost from `late` on.
    """
    expected, limits = instances or logs.instances, _Limits.of(lag, late)
    _demand(logs, expected, requests)
    aggregator = opened(logs.address, tenant)
    hour = Wanted(labels, instance, logs.now() - max(BACK_SECONDS, seconds), logs.now() + AHEAD_SECONDS)
    before = await aggregator.recent(hour)
    trail = await _followed(logs, aggregator, hour, (path, requests), limits.late)
    hour = replace(hour, until=logs.now() + AHEAD_SECONDS)
    ever, found = (
        await aggregator.recent(hour),
        await aggregator.recent(replace(hour, since=logs.now() - seconds)),
    )
    _demand_lines(ever, trail, hour)
    problems = [*dict.fromkeys(one.lost for one in (ever, found, trail) if one.lost)]
    problems += _silent(ever, found, expected, seconds)
    took = _p95([*trail.lags.values(), *(line.took for line in found.lines if line.took is not None)])
    wrong, remarks = _lagging(trail, (before.newest(), ever.newest()), took, limits, logs.now())
    unfit, odd = _unfit(trail.lines, found.lines, fields or ())
    remarks += [*odd, *_more(found, expected)]
    seen: dict[str, JsonValue] = {
        "marks": [*trail.sent],
        "found": len(trail.lags),
        "lag_p95_s": None if took is None else round(took, 2),
        "lines": dict(sorted(found.counts.items())),
        "instances": len(found.counts),
    }
    said = f"{len(trail.lags)} marked requests were in the log within {took or 0:.1f} s"
    fact = f"{said}; each of {len(found.counts)} instances has lines of the last {seconds} s"
    material: dict[str, JsonValue] = {
        "labels": dict(labels),
        "instances": expected,
        "fields": [*(fields or ())],
    }
    return Observation([*problems, *wrong, *unfit], seen, material, tuple(remarks), fact)


def _seconds(name: str, text: str) -> float:
    try:
        return offsets.seconds(text)
    except ValueError as error:
        raise InconclusiveError(f"{name}: {error}", hint="correct it in the plan") from error


def _demand(logs: System, expected: int, requests: int) -> None:
    """Raise `InconclusiveError` where nothing could be shown."""
    if expected < 1:
        raise InconclusiveError(
            "nobody says how many instances must have lines",
            hint="write `instances` under `with` in the plan",
        )
    if requests < 1:
        raise InconclusiveError(
            "no marked request is to be sent, so nothing could arrive", hint="write `requests: 1` or more"
        )
    if not logs.site:
        raise InconclusiveError(
            "nobody says where the service answers", hint="give the plan a system of kind website"
        )


def _demand_lines(ever: Found, trail: _Trail, asked: Wanted) -> None:
    """Raise `InconclusiveError` where there are no lines at all, or none says which instance it is of."""
    known = ", ".join(f"{name}={value}" for name, value in asked.labels.items()) or "the service"
    if not ever.lines and not trail.lines:
        raise InconclusiveError(
            f"no line of {known} is there, of the last hour or of the marked requests",
            hint="compare `labels` with what the lines carry; if they are right, nothing is shipped",
        )
    if not ever.counts:
        raise InconclusiveError(
            f"no line of {known} says by {asked.instance!r} which instance it is of",
            hint="name the label or field that tells instances apart as `instance`",
        )


async def _followed(
    logs: System, aggregator: Aggregator, asked: Wanted, sending: tuple[str, int], seconds: float
) -> _Trail:
    """Send marked requests, and look for them until all are found or the time is over."""
    common, (path, count) = f"tminus{secrets.token_hex(6)}", sending
    sent: dict[str, float] = {}
    async with connect(logs.site) as http:
        for number in range(count):
            mark = f"{common}n{number:03}"
            marked = f"{path}{'&' if '?' in path else '?'}tminus={mark}"
            sent[mark] = logs.now()
            await http.ask("GET", marked, headers={"X-Request-Id": mark})
    lags: dict[str, float] = {}
    begin = min(sent.values())
    while True:
        found = await aggregator.marked(replace(asked, until=logs.now() + AHEAD_SECONDS), common)
        at = logs.now()
        held = {mark for mark in sent if any(_holds(line, mark) for line in found.lines)}
        lags |= {mark: max(0.0, at - sent[mark]) for mark in held - set(lags)}
        if len(lags) == len(sent) or at - begin >= min(seconds, LONGEST_SECONDS):
            return _Trail(sent, lags, found.lines, found.lost, at - begin)
        await asyncio.sleep(LOOK_SECONDS)


def _holds(line: Line, mark: str) -> bool:
    return mark in line.text or any(mark in value for value in line.labels.values())


def _silent(ever: Found, found: Found, expected: int, seconds: int) -> list[str]:
    if len(found.counts) >= expected:
        return []
    gone = sorted(set(ever.counts) - set(found.counts))
    named = f"; silent: {', '.join(gone[:_NAMED])}" if gone else ""
    return [f"{len(found.counts)} of {expected} instances have lines of the last {seconds} s{named}"]


def _more(found: Found, expected: int) -> list[str]:
    """A remark upon instances that nobody expects: they could stand for others that are silent."""
    if len(found.counts) <= expected:
        return []
    named = ", ".join(sorted(found.counts)[:_NAMED])
    return [f"{len(found.counts)} instances have lines, and {expected} are expected; see {named}"]


def _lagging(
    trail: _Trail,
    newest: tuple[float | None, float | None],
    took: float | None,
    limits: _Limits,
    now: float,
) -> tuple[list[str], list[str]]:
    """What is wrong with how late lines are, and what is only remarkable; `newest` was seen before and after."""
    problems, remarks = [], []
    if took is not None and took > limits.late:
        (problems if took > limits.lost else remarks).append(f"lines arrive after {took:.0f} s (p95)")
    missing = len(trail.sent) - len(trail.lags)
    if not missing:
        return problems, remarks
    words = f"{missing} of {len(trail.sent)} marked requests were not in the log after {trail.waited:.0f} s"
    before, after = newest
    # What arrives meanwhile and was written before the marks comes late; what was written after them overtook them.
    flows = after is not None and (before is None or after > before) and after < min(trail.sent.values())
    if after is None or not flows or trail.lags:
        problems.append(words)
    elif now - after > limits.lost:
        problems.append(f"lines arrive {now - after:.0f} s late: {words}")
    else:
        remarks.append(f"lines arrive {now - after:.0f} s late: {words}")
    return problems, remarks


def _p95(lags: Sequence[float]) -> float | None:
    """The lag that 95 % do not exceed, by nearest rank; nothing of nothing."""
    return sorted(lags)[math.ceil(0.95 * len(lags)) - 1] if lags else None


def _unfit(
    marked: Sequence[Line], others: Sequence[Line], fields: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Which fields the marked lines lack, and how many of the others lack any."""
    lacking = sorted({name for line in marked for name in _lacking(line, fields)})
    problems = [f"marked lines hold no field {', '.join(lacking[:_NAMED])}"] if lacking else []
    odd = sum(bool(_lacking(line, fields)) for line in others)
    return problems, [] if problems or not odd else [
        f"{odd} of {len(others)} lines lack a field that lines hold"
    ]


def _lacking(line: Line, fields: Sequence[str]) -> list[str]:
    if fields:
        return [name for name in fields if not line.named(name)]
    return [] if any(line.named(name) for name in LEVELS) else [LEVELS[0]]

"""Traffic: what users met, from the trace that the proxy's log lines make."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from tminus.domain.evidence import JsonValue, Observation
from tminus.domain.traffic import Outcome, Side
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError
from tminus.probes import Probe

ALREADY_BAD = 0.01
"""The share of failed requests from which a baseline is remarked upon: the checklist's critical error rate."""


@dataclass(frozen=True, slots=True)
class System:
    """The trace of one launch, and the clock it is read by."""

    outcomes: Callable[[], Sequence[Outcome]]
    now: Callable[[], float]
    reach: Callable[[], Awaitable[None]]
    """Raises `UnreachableError` when the proxy is away: silence in its log then means nothing."""


@Probe
async def errors(
    traffic: System, *, seconds: int, requests: int = 500, spoil: float = 0.0
) -> Annotated[Observation, ValueKind.SHARE]:
    """The share of the newest requests that failed for users.

    `spoil` counts this share of them as failed on top: the negative control.
    """
    window = await _window(traffic, seconds, requests)
    failed = sum(outcome.failed for outcome in window) + round(len(window) * spoil)
    return Observation(failed / len(window), {**_figures(window), "failed": failed})


@Probe
async def p95(
    traffic: System, *, seconds: int, requests: int = 500, slower_ms: float = 0.0
) -> Annotated[Observation, ValueKind.TIME]:
    """The 95th percentile of the newest requests' times, in seconds.

    `slower_ms` makes each of them slower: the negative control.
    """
    window = await _window(traffic, seconds, requests)
    value = percentile([outcome.ms for outcome in window], 0.95) + slower_ms
    return Observation(value / 1000, {**_figures(window), "p95_ms": value})


@Probe
async def baseline(
    traffic: System, *, seconds: int, requests: int = 500
) -> Annotated[Observation, ValueKind.COUNT]:
    """How many requests the baseline rests on; rate, error share and percentiles are kept beside it.

    Fewer than `requests` are counted and told, but no percentile is made of them. Requests that fail already are
    remarked upon, because the release would be compared with them.
    """
    window = await _window(traffic, seconds, 1)
    times = [outcome.ms for outcome in window]
    rates: dict[str, JsonValue] = {
        f"p{int(q * 100)}_ms": round(percentile(times, q), 2)
        for q in (0.5, 0.95, 0.99)
        if len(window) >= requests
    }
    failed = sum(outcome.failed for outcome in window)
    bad = failed / len(window) >= ALREADY_BAD
    remarks = (f"{failed} of {len(window)} requests fail before the launch has begun",) if bad else ()
    return Observation(len(window), {**_figures(window), **rates, "failed": failed}, remarks=remarks)


@Probe
async def requests_on(
    traffic: System, *, side: Literal["blue", "green"], seconds: int, requests: int = 100
) -> Annotated[Observation, ValueKind.COUNT]:
    """How many of the newest requests one side answered."""
    window = await _window(traffic, seconds, requests)
    there = sum(outcome.side is Side(side) for outcome in window)
    return Observation(there, {**_figures(window), "side": side, "answered": there})


def percentile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-len(ordered) * q // 1) - 1)]


async def _window(traffic: System, seconds: int, requests: int) -> list[Outcome]:
    await traffic.reach()
    now = traffic.now()
    window = [outcome for outcome in traffic.outcomes() if outcome.at >= now - seconds]
    if len(window) < max(1, requests):
        raise InconclusiveError(
            f"{len(window)} requests in {seconds} s are too few to judge by; {requests} are asked for",
            hint="wait for more traffic, or send synthetic load",
        )
    return window


def _figures(window: Sequence[Outcome]) -> dict[str, JsonValue]:
    length = max(outcome.at for outcome in window) - min(outcome.at for outcome in window)
    rate = len(window) / length if length > 0 else float(len(window))
    return {"requests": len(window), "seconds": round(length, 1), "per_second": round(rate, 1)}

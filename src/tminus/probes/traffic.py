"""Traffic: what users met, from the trace that the proxy's log lines make.

Where the service's own metrics are known too, errors and times rest on both: the worse of the two counts, and when they
disagree, one of them does not see.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from tminus.domain.agreement import (
    NOT_THE_SERVICE,
    Counted,
    Histogram,
    percentile,
    shares_disagree,
    times_disagree,
)
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.traffic import Outcome, Side
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError
from tminus.probes import Probe

ALREADY_BAD = 0.01
"""The share of failed requests from which a baseline is remarked upon: the checklist's critical error rate."""


class Second(Protocol):
    """Who else counts the requests: the service itself."""

    async def counted(self, seconds: float, at: float) -> Counted:
        """The requests of the window that ends at this instant, and how many of them failed."""
        ...

    async def timed(self, seconds: float, at: float) -> Histogram:
        """How long the requests of the window that ends at this instant took."""
        ...


@dataclass(frozen=True, slots=True)
class System:
    """The trace of one launch, the clock it is read by, and the second source where there is one."""

    outcomes: Callable[[], Sequence[Outcome]]
    now: Callable[[], float]
    reach: Callable[[], Awaitable[None]]
    """Raises `UnreachableError` when the proxy is away: silence in its log then means nothing."""
    second: Second | None = None


@Probe
async def errors(
    traffic: System, *, seconds: int, requests: int = 500, spoil: float = 0.0
) -> Annotated[Observation, ValueKind.SHARE]:
    """The share of the newest requests that failed for users, by the worse of the proxy's log and the metrics.

    `spoil` counts this share of them as failed on top: the negative control.
    """
    window = await _window(traffic, seconds, requests)
    log = Counted(len(window), sum(one.failed for one in window), sum(_unanswered(one) for one in window))
    seen: dict[str, JsonValue] = {**_figures(window), "failed": round(log.failed + len(window) * spoil)}
    value = log.share
    if traffic.second is not None:
        metrics = await traffic.second.counted(seconds, traffic.now())
        _must_agree(shares_disagree(log, metrics))
        value = max(value, metrics.share)
        seen |= {"log": _percent(log.share), "metrics": _percent(metrics.share)}
    return Observation(value + spoil, seen)


@Probe
async def p95(
    traffic: System, *, seconds: int, requests: int = 500, slower_ms: float = 0.0
) -> Annotated[Observation, ValueKind.TIME]:
    """The 95th percentile of the newest requests' times in seconds, by the worse of the proxy's log and the metrics.

    `slower_ms` makes each of them slower: the negative control.
    """
    window = await _window(traffic, seconds, requests)
    times = [outcome.ms / 1000 for outcome in window]
    value = percentile(times, 0.95)
    seen: dict[str, JsonValue] = {**_figures(window), "log_ms": round(value * 1000, 1)}
    fact = f"{value * 1000:.0f} ms by the log"
    if traffic.second is not None:
        metrics = await traffic.second.timed(seconds, traffic.now())
        _must_agree(times_disagree(times, metrics))
        value = max(value, metrics.quantile(0.95))
        seen["bucket"] = metrics.within(0.95)
        fact += f", {metrics.within(0.95)} by the metrics' bucket"
    return Observation(value + slower_ms / 1000, seen, fact=fact)


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


def _must_agree(disagreement: str) -> None:
    if disagreement:
        raise InconclusiveError(
            f"two sources disagree: {disagreement}",
            hint="see which of them does not see: does Prometheus scrape both sides, does the log lose lines?",
        )


def _unanswered(outcome: Outcome) -> bool:
    return outcome.failed and (outcome.side is None or outcome.status in NOT_THE_SERVICE)


def _percent(share: float) -> str:
    return f"{share:.2%}"


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

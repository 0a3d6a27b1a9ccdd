"""Traffic: what users met, from the trace that the proxy's log lines make.

Where the service's own metrics are known too, errors and times rest on both: the worse of the two counts, and when they
disagree, one of them does not see. With the time before the launch they are compared by the log alone, which saw both.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol

from tminus.domain import worsening
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
from tminus.domain.worsening import Comparison
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
async def errors(  # noqa: PLR0913 - what a plan may say
    traffic: System,
    *,
    seconds: int,
    requests: int = 500,
    baseline_seconds: int = 0,
    ratio: float = 1.2,
    margin: float = 0.001,
    spoil: float = 0.0,
) -> Annotated[Observation, ValueKind.SHARE]:
    """The share of the newest requests that failed for users, by the worse of the proxy's log and the metrics.

    With `baseline_seconds` it is also compared with so much of the time before green's first request: what the counts
    show to be above `ratio` times the share of then, and `margin` more, fails. `spoil` counts this share of the newest
    ones as failed on top: the negative control.
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
    if not baseline_seconds:
        return Observation(value + spoil, seen)
    before = _before(traffic, baseline_seconds, requests)
    then = sum(one.failed for one in before)
    failed = min(len(window), round(log.failed + len(window) * spoil))
    shown = worsening.shares((then, len(before)), (failed, len(window)), ratio=ratio, margin=margin)
    words = (
        f"{failed} of {len(window)} requests failed, before the launch {then} of {len(before)}: "
        f"more than {_percent(shown.limit)}, which is tolerated"
    )
    seen |= {"before": f"{then} of {len(before)}", **_shown(shown, _percent(shown.limit))}
    return Observation(value + spoil, seen, worse=_worse(shown, words))


@Probe
async def p95(  # noqa: PLR0913 - what a plan may say
    traffic: System,
    *,
    seconds: int,
    requests: int = 500,
    baseline_seconds: int = 0,
    ratio: float = 1.1,
    margin_ms: float = 0.0,
    slower_ms: float = 0.0,
) -> Annotated[Observation, ValueKind.TIME]:
    """The 95th percentile of the newest requests' times in seconds, by the worse of the proxy's log and the metrics.

    With `baseline_seconds` it is also compared with so much of the time before green's first request: what the counts
    show to be above `ratio` times the percentile of then, and `margin_ms` more, fails. `slower_ms` makes each of the
    newest ones slower: the negative control.
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
    if not baseline_seconds:
        return Observation(value + slower_ms / 1000, seen, fact=fact)
    before = [one.ms for one in _before(traffic, baseline_seconds, requests)]
    now = [one.ms + slower_ms for one in window]
    shown = worsening.times(before, now, ratio=ratio, margin_ms=margin_ms)
    then = f"{percentile(before, 0.95):.0f} ms"
    words = (
        f"{shown.hits} of {shown.requests} requests took longer than {shown.limit:.0f} ms, more than a twentieth; "
        f"before the launch the 95th percentile was {then}"
    )
    seen |= {"before": then, **_shown(shown, f"{shown.limit:.0f} ms")}
    fact += f", {then} before the launch"
    return Observation(value + slower_ms / 1000, seen, fact=fact, worse=_worse(shown, words))


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


def _before(traffic: System, seconds: int, requests: int) -> list[Outcome]:
    """What users met before green answered its first request; raises `InconclusiveError` when that is too little."""
    outcomes = traffic.outcomes()
    first = min((one.at for one in outcomes if one.side is Side.GREEN), default=None)
    if first is None:
        raise InconclusiveError(
            "green has answered no request, so nothing of it can be compared with the time before",
            hint="look at it once green has traffic",
        )
    window = [one for one in outcomes if first - seconds <= one.at < first]
    if len(window) < max(1, requests):
        raise InconclusiveError(
            f"{len(window)} requests in the {seconds} s before green's first are too few to compare with; "
            f"{requests} are asked for",
            hint="open the launch earlier, so that it sees more of the time before; or add load",
        )
    return window


def _shown(comparison: Comparison, limit: str) -> dict[str, JsonValue]:
    """The figures of a comparison, for the record."""
    return {"tolerated": limit, "beyond": comparison.hits, "p": float(f"{comparison.p:.2g}")}


def _worse(comparison: Comparison, words: str) -> str:
    if not comparison.worse:
        return ""
    return (
        f"{words} (by chance in {comparison.p:.2g} of such launches at most, {worsening.ALPHA:g} is the line)"
    )


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

"""Prometheus: the alerts that it would raise, and what the service's metrics tell of its requests."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from tminus.alerting import rules
from tminus.alerting.figures import Metrics, Names
from tminus.alerting.measures import Meaning
from tminus.alerting.prometheus import Prometheus, Series, asking
from tminus.alerting.proofs import proven
from tminus.alerting.rules import Findings, Rule, Wanted
from tminus.domain.agreement import Counted, Histogram, between
from tminus.domain.argument import Duration
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError, UnreachableError
from tminus.http import connect, is_address
from tminus.probes import Probe

ALREADY_BAD = 0.01
"""The share of failed requests from which a baseline is remarked upon: the checklist's critical error rate."""

ALREADY_SLOW = 0.5
"""Seconds of the 95th percentile from which a baseline is remarked upon: the checklist's critical limit."""

SAMPLES = 60
"""Into how many instants a baseline's stretch is divided, at most."""

CAPTURED = ("memory", "connections", "queue", "cache hits", "disk")
"""What a baseline keeps beside the requests: the readings of the rules that measure it."""

_SHARES = frozenset({"errors", "connections", "memory", "disk", "cache hits"})
"""The measures that are shares of a whole."""

_RUNBOOK_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class System:
    """One Prometheus by its address; a login in it is used and never shown."""

    address: str


@Probe
async def alert(  # noqa: PLR0913 - what a plan may say
    prometheus: System,
    *,
    measure: Literal["downtime", "errors", "p95", "connections", "memory", "disk", "cache hits", "queue"],
    above: str = "",
    below: str = "",
    hold: Duration = "0s",
    severity: Literal["critical", "warning"] = "critical",
    name: str = "",
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the rule that alerts on a measure: missing, looser, later, ill, blind, without a way to fire.

    The rule is found by its `name`, or by what its expression measures. A stricter limit is noted and not wrong. For
    `downtime` the limit is the time until it fires.
    """
    asked = rules.wanted(measure, above, below, hold, severity)
    async with asking(prometheus.address) as api:
        loaded = await api.rules()
        stale = not await api.reloaded()
        candidates, missing = _candidates(loaded, asked, name)
        if missing:
            return Observation([missing], {"rules": len(loaded)})
        rule, found = await _best(api, candidates, asked, rules.meant(loaded, measure))
    if stale:
        found.problems.append("the newest configuration was refused; Prometheus runs on an older one")
    await _runbook(rule, found)
    seen: dict[str, JsonValue] = {
        "rule": rule.name,
        **found.notes,
        "for_seconds": rule.hold,
        "expression": rule.expression,
        "runbook": rule.runbook,
    }
    material: dict[str, JsonValue] = {
        "rule": rule.name,
        "expression": rule.expression,
        "for": rule.hold,
        "labels": dict(rule.labels),
    }
    fact = f"alert rule {rule.name} is loaded{_state(found, measure)}"
    return Observation(found.problems, seen, material, tuple(found.remarks), fact)


def _state(found: Findings, measure: str) -> str:
    """Whether a rule is silent and what it reads, in the unit of its measure; nothing where it compares nothing."""
    reading = found.notes.get("reading")
    if not isinstance(reading, int | float):
        return ""
    silent = "silent" if found.notes.get("silent") else "beyond its limit now"
    if measure == "p95":
        return f", {silent}, reads {_within(reading, found.notes.get('buckets'))}"
    if measure in _SHARES:
        return f", {silent}, reads {reading * 100:.3g} %"
    return f", {silent}, reads {reading:g}"


def _within(reading: float, buckets: JsonValue) -> str:
    """A percentile by the bounds of its bucket: where in there it lies, no histogram knows."""
    if not isinstance(buckets, list) or not buckets:
        return f"{reading * 1000:.0f} ms"
    bounds = [float(str(bound)) for bound in buckets]
    low = max((bound for bound in bounds if bound < reading), default=0.0)
    return between(low, min((bound for bound in bounds if bound >= reading), default=math.inf))


@Probe
async def errors(  # noqa: PLR0913 - what a plan may say
    prometheus: System,
    *,
    seconds: int,
    requests: int = 500,
    counter: str = "",
    failed: str = "",
    spoil: float = 0.0,
) -> Annotated[Observation, ValueKind.SHARE]:
    """The share of the newest requests that the service answered with a server error, by its own counter.

    `counter` selects its requests and `failed` is the matcher of those that failed; the reference service's by default.
    `spoil` counts this share of them as failed on top: the negative control.
    """
    counted = await _counted(prometheus, Names.given(counter, failed), seconds)
    _enough(counted.requests, requests, seconds)
    seen: dict[str, JsonValue] = {"requests": round(counted.requests), "failed": round(counted.failed)}
    return Observation(counted.share + spoil, seen)


@Probe
async def p95(
    prometheus: System,
    *,
    seconds: int,
    requests: int = 500,
    histogram: str = "",
    slower_ms: float = 0.0,
) -> Annotated[Observation, ValueKind.TIME]:
    """The 95th percentile of the newest requests' times in seconds, by the service's own histogram.

    It is no finer than the buckets, which are told beside it. `slower_ms` makes each request slower: the negative
    control.
    """
    timed = await _timed(prometheus, Names.given(histogram=histogram), seconds)
    _enough(timed.requests, requests, seconds)
    low, high = timed.bucket(0.95)
    seen: dict[str, JsonValue] = {
        "requests": round(timed.requests),
        "from_ms": low * 1000,
        "to_ms": high * 1000 if math.isfinite(high) else "more",
    }
    return Observation(timed.quantile(0.95) + slower_ms / 1000, seen)


@Probe
async def baseline(  # noqa: PLR0913 - what a plan may say
    prometheus: System,
    *,
    seconds: int,
    requests: int = 500,
    counter: str = "",
    failed: str = "",
    histogram: str = "",
) -> Annotated[Observation, ValueKind.COUNT]:
    """How many requests the baseline rests on; rate, error share, percentiles and the alerts' readings beside it.

    Fewer than `requests` are counted and told, but no percentile is made of them. What is bad already is remarked
    upon, because the release would be compared with it. `counter`, `failed` and `histogram` name the service's metrics.
    """
    names = Names.given(counter, failed, histogram)
    counted, timed = await _counted(prometheus, names, seconds), await _timed(prometheus, names, seconds)
    if counted.requests < 1:
        raise InconclusiveError(
            f"nobody asked the service anything in {seconds} s", hint="wait for more traffic, or send some"
        )
    kept: dict[str, JsonValue] = {
        "requests": round(counted.requests),
        "per_second": round(counted.requests / seconds, 1),
        "failed": round(counted.failed),
    }
    if counted.requests >= requests:
        kept |= {f"p{q * 100:.0f}": timed.within(q) for q in (0.5, 0.95, 0.99)}
    fact = f"{counted.requests:,.0f} requests, {kept['per_second']} a second, {counted.failed:,.0f} failed"
    if "p95" in kept:
        fact += f"; p50 {kept['p50']}, p95 {kept['p95']}, p99 {kept['p99']}"
    remarks = _already_bad(counted, timed)
    async with asking(prometheus.address) as api:
        now = await api.now()
        for measure in CAPTURED:
            for rule, meaning in rules.meant(await api.rules(), measure)[:1]:
                kept[measure] = await _captured(api, meaning, (now - seconds, now), remarks, rule)
    return Observation(round(counted.requests), kept, remarks=tuple(remarks), fact=fact)


def _candidates(loaded: list[Rule], asked: Wanted, name: str) -> tuple[list[tuple[Rule, Meaning]], str]:
    """The rules that may be meant; or why there is none."""
    known = rules.meant(loaded, asked.measure)
    if name:
        named = [rule for rule in loaded if rule.name == name]
        if not named:
            return (
                [],
                f"no rule is called {name}; there are {', '.join(one.name for one in loaded) or 'none'}",
            )
        found = [(rule, meaning) for rule, meaning in known if rule.name == name]
        return found, "" if found else f"{name} does not measure {asked.measure}: {named[0].expression}"
    found = [(rule, meaning) for rule, meaning in known if rule.severity == asked.severity]
    if found:
        return found, ""
    others = ", ".join(f"{rule.name} ({rule.severity or 'no severity'})" for rule, _ in known)
    beside = f"; {others} measures it with another severity" if others else ""
    return [], f"none of {len(loaded)} rules alerts on {asked.measure} with severity {asked.severity}{beside}"


async def _best(
    api: Prometheus,
    candidates: list[tuple[Rule, Meaning]],
    asked: Wanted,
    same: Iterable[tuple[Rule, Meaning]],
) -> tuple[Rule, Findings]:
    """The candidate with the fewest problems; one without any is enough."""
    now, judged, open_ends = await api.now(), [], []
    others = [*same]
    for rule, meaning in candidates:
        found = rules.beside(rule, meaning, asked)
        found.problems += rules.ladder(rule, meaning, others)
        try:
            found.problems += rules.evaluated(rule, now)
            shown = await proven(api, rule, meaning, now)
        except InconclusiveError as error:
            if not found.problems:
                open_ends.append(error)
                continue
        else:
            found.problems += shown.problems
            found.remarks += shown.remarks
            found.notes |= shown.notes
        judged.append((rule, found))
    good = [one for one in judged if not one[1].problems]
    if open_ends and not good:
        raise open_ends[0]
    return min(good or judged, key=lambda one: (len(one[1].problems), len(one[1].remarks)))


async def _runbook(rule: Rule, found: Findings) -> None:
    """Remark upon a runbook that nobody could open."""
    if not is_address(rule.runbook):
        if rule.runbook:
            found.remarks.append(f"the runbook of {rule.name} is no address: {rule.runbook}")
        return
    try:
        async with connect(rule.runbook, seconds=_RUNBOOK_SECONDS) as http:
            status = (await http.get("")).status
    except UnreachableError as error:
        found.remarks.append(f"the runbook of {rule.name} cannot be opened: {error}")
        return
    if status != 200:
        found.remarks.append(f"the runbook of {rule.name} answers {status}: {rule.runbook}")


async def _counted(prometheus: System, names: Names, seconds: float) -> Counted:
    return await Metrics(prometheus.address, names).counted(seconds, await _now(prometheus))


async def _timed(prometheus: System, names: Names, seconds: float) -> Histogram:
    return await Metrics(prometheus.address, names).timed(seconds, await _now(prometheus))


async def _now(prometheus: System) -> float:
    async with asking(prometheus.address) as api:
        return await api.now()


def _enough(found: float, requests: int, seconds: int) -> None:
    if found < max(1, requests):
        raise InconclusiveError(
            f"{found:.0f} requests in {seconds} s are too few to judge by; {requests} are asked for",
            hint="wait for more traffic, or send synthetic load",
        )


def _already_bad(counted: Counted, timed: Histogram) -> list[str]:
    """What of the service is bad already: the release would be compared with it."""
    remarks = []
    if counted.share >= ALREADY_BAD:
        failed = f"{counted.failed:.0f} of {counted.requests:.0f}"
        remarks.append(f"{failed} requests fail before the launch has begun")
    if (slow := timed.quantile(0.95)) >= ALREADY_SLOW:
        remarks.append(f"one request in twenty takes {slow * 1000:.0f} ms before the launch has begun")
    return remarks


async def _captured(
    api: Prometheus, meaning: Meaning, stretch: tuple[float, float], remarks: list[str], rule: Rule
) -> JsonValue:
    """A rule's reading over a stretch: least, mean and most of its series."""
    assert meaning.comparison is not None  # noqa: S101 - only downtime may lack one
    start, end = stretch
    series = await api.series(meaning.comparison.left, start, end, max(1.0, (end - start) / SAMPLES))
    values = _values(series)
    if not values:
        return "no data"
    if await api.query(rule.expression, end):
        remarks.append(f"{rule.name} is beyond its limit before the launch has begun")
    return {"least": min(values), "mean": sum(values) / len(values), "most": max(values)}


def _values(series: Iterable[Series]) -> list[float]:
    return [value for one in series for _, value in one.points if math.isfinite(value)]

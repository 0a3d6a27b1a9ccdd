"""The charts, the guard's dial and the hold timers: what the traffic itself says, second by second."""

from dataclasses import dataclass

from tminus.domain.canonical import instant
from tminus.domain.judgement import TestGauge
from tminus.domain.traffic import Side
from tminus.domain.trigger import WINDOW_REQUESTS, Action, TriggerGauge, TriggerState
from tminus.picture.charts import ERRORS, TIMES, Scale, Span, boxes, path, percent
from tminus.picture.course import Course
from tminus.picture.traffic import Traffic
from tminus.picture.words import UNKNOWN, length, millis, odds, share, span

CHART = 180
"""Seconds that a chart shows."""
SHORTEST = 30
"""Seconds that it shows at least."""
APART = 7.0
"""Percent of a chart's width between two labels, so that they can be read."""
STEP = 2
"""Seconds between two points of a chart."""
EVIDENCE = Scale(0.01, 100_000.0)
"""The guard's gauge: e-values."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A line across a chart, with its words."""

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Both sides over the last minutes."""

    name: str
    id: str
    blue_now: str
    green_now: str
    blue: str
    green: str
    grid: tuple[Mark, ...]
    hard: Mark
    soft: Mark
    steps: tuple[Mark, ...]
    zero: str
    """Where T-0 lies; empty when it is not on the chart."""
    first: str


@dataclass(frozen=True, slots=True)
class Test:
    """One test of the guard."""

    claim: str
    text: str


@dataclass(frozen=True, slots=True)
class Gauge:
    """How strong the evidence against green is, of the test that is nearest to its line."""

    now: str
    words: str
    claim: str
    value: str
    highest: str
    highest_text: str
    limit: str
    limit_text: str
    rest: str
    ticks: tuple[Mark, ...]
    tests: tuple[Test, ...]
    wrong: str


@dataclass(frozen=True, slots=True)
class Timer:
    """One rollback trigger and its hold timer."""

    text: str
    does: str
    value: str
    sign: str
    held: str
    seen: str
    filled: float | None
    """How much of its time the condition has held, from 0 to 1; nothing where it need not hold for a time."""
    boxes: tuple[tuple[str, str, str], ...]


def charts(course: Course, traffic: Traffic, now: float) -> tuple[Chart, ...]:
    """Error rate and p95 of both sides."""
    last = int(min(now, traffic.latest or now))
    first = last - min(CHART, max(SHORTEST, last - int(traffic.earliest or last)))
    stretch = Span(first, last)
    limits = traffic.limits
    sides = {side: traffic.series(side, first, last, step=STEP) for side in Side}
    errors = {
        side: [(p.at, p.failed / p.requests if p.requests else None) for p in points]
        for side, points in sides.items()
    }
    times = {side: [(p.at, p.p95) for p in points] for side, points in sides.items()}
    newest = {side: points[-1] for side, points in sides.items()}
    error_now = {side: share(p.failed, p.requests) for side, p in newest.items()}
    time_now = {side: millis(p.p95) for side, p in newest.items()}
    held = {trigger.id: length(trigger.for_seconds) for trigger in limits.triggers}
    hard = Mark(
        ERRORS.up(limits.error_rollback),
        f"roll back: {100 * limits.error_rollback:g} % for {held.get('trig.errors', UNKNOWN)}",
    )
    soft = Mark(ERRORS.up(limits.success_errors), f"success: below {100 * limits.success_errors:g} %")
    slow = Mark(
        TIMES.up(limits.slow_ms),
        f"roll back: {millis(limits.slow_ms)} for {held.get('trig.latency', UNKNOWN)}",
    )
    quick = Mark(TIMES.up(limits.success_ms), f"success: below {millis(limits.success_ms)}")
    rates = tuple(
        Mark(ERRORS.up(v), t)
        for v, t in ((0.0001, "0.01 %"), (0.001, "0.1 %"), (0.01, "1 %"), (0.1, "10 %"), (1.0, "100 %"))
    )
    clocks = tuple(Mark(TIMES.up(v), millis(v)) for v in (1.0, 10.0, 100.0, 1000.0, 10_000.0))
    marks = _marks(course, traffic, stretch, now)
    return (
        _chart("Error rate", "errors", (errors, error_now), (ERRORS, rates, hard, soft), (stretch, *marks)),
        _chart(
            "Response time p95", "p95", (times, time_now), (TIMES, clocks, slow, quick), (stretch, *marks)
        ),
    )


Lines = tuple[dict[Side, list[tuple[int, float | None]]], dict[Side, str]]
Frame = tuple[Scale, tuple[Mark, ...], Mark, Mark]
Marks = tuple[Span, tuple[Mark, ...], str, str]


def _chart(name: str, chart_id: str, lines: Lines, frame: Frame, marks: Marks) -> Chart:
    values, newest = lines
    scale, grid, hard, soft = frame
    stretch, steps, zero, first = marks
    return Chart(
        name=name,
        id=chart_id,
        blue_now=newest[Side.BLUE],
        green_now=newest[Side.GREEN],
        blue=path(values[Side.BLUE], stretch, scale),
        green=path(values[Side.GREEN], stretch, scale),
        grid=grid,
        hard=hard,
        soft=soft,
        steps=steps,
        zero=zero,
        first=first,
    )


def _marks(course: Course, traffic: Traffic, stretch: Span, now: float) -> tuple[tuple[Mark, ...], str, str]:
    """Where each step of the traffic lies, where T-0 lies, and what the left end is."""
    t, _ = course.clock(now)
    decision = course.decision
    zero = _epoch_of_zero(course, now, t)
    place = percent(stretch.along(zero)) if decision and stretch.holds(zero) else ""
    taken = [0.0, *([stretch.along(zero)] if place else [])]
    steps = []
    for change in traffic.weights:
        if stretch.holds(change.at):
            along = stretch.along(change.at)
            free = all(abs(along - other) >= APART for other in taken)
            steps.append(Mark(percent(along), f"{change.percent}%" if free else ""))
            taken += [along] if free else []
    return tuple(steps), place, f"{span(stretch.last - stretch.first)} ago"


def _epoch_of_zero(course: Course, now: float, t: float) -> float:
    """When T-0 was in real time: while the rollout runs, the launch clock runs with it."""
    decision = course.decision
    if decision is None or decision.t_ms is None:
        return now - t
    return instant(decision.at) - decision.t_ms / 1000


def gauge(traffic: Traffic, now: float) -> Gauge:
    """The tests of the guard, the nearest to its line on the dial."""
    tests = traffic.gauges(now).tests
    rolling = [test for test in tests if not test.rule.startswith("hold")]
    nearest = max(rolling, key=lambda test: test.evidence / test.threshold)
    highest = traffic.highest[nearest.rule]
    return Gauge(
        now=f"{odds(nearest.evidence)} to 1" if traffic.tally(Side.GREEN).requests else "no request yet",
        words=_strength(nearest, traffic),
        claim=nearest.claim,
        value=EVIDENCE.along(nearest.evidence),
        highest=EVIDENCE.along(highest),
        highest_text=f"highest {odds(highest)}" if _apart(highest, nearest.threshold) else "",
        limit=EVIDENCE.along(nearest.threshold),
        limit_text=f"roll back at {nearest.threshold:,.0f}",
        rest=percent(100 - 100 * EVIDENCE.part(nearest.threshold)),
        ticks=tuple(Mark(EVIDENCE.along(10.0**power), f"{10.0**power:,g}") for power in (-1, 0, 1, 2)),
        tests=tuple(
            Test(
                test.claim,
                f"{odds(test.evidence)} of {test.threshold:,.0f}{', holds' if test.rule.startswith('hold') else ''}",
            )
            for test in tests
        ),
        wrong=f"Judged after every request. Wrong in at most 1 of {1 / traffic.limits.alpha:,.0f} healthy launches."
        + _bursts(traffic),
    )


def _bursts(traffic: Traffic) -> str:
    """That evidence says less than its number, where blue's errors come in bursts."""
    told = traffic.guard.counts.bursts
    return f" {told[0].upper()}{told[1:]}." if told else ""


def _apart(evidence: float, threshold: float) -> bool:
    """Whether two labels on the dial can stand side by side."""
    return abs(EVIDENCE.part(threshold) - EVIDENCE.part(evidence)) > 0.28


def _strength(test: TestGauge, traffic: Traffic) -> str:
    if not traffic.tally(Side.GREEN).requests:
        return "green has answered nobody"
    if test.evidence >= test.threshold:
        return "the line is crossed"
    return "nothing speaks against green" if test.evidence <= 1 else "something speaks against green"


def timers(course: Course, traffic: Traffic, now: float) -> tuple[Timer, ...]:
    """Every trigger with its hold timer: requests by the trace, the rest as the launch last recorded it."""
    recorded = {}
    if seen := course.seen:
        recorded = {str(row["trigger"]): row for row in seen.data["gauges"]["triggers"]}
    return tuple(
        _timer(gauge, recorded.get(gauge.trigger.id), traffic, now) for gauge in traffic.gauges(now).triggers
    )


_BY_REQUESTS = ("trig.errors", "trig.latency")


def _timer(gauge: TriggerGauge, recorded: object, traffic: Traffic, now: float) -> Timer:
    trigger = gauge.trigger
    state, breached = gauge.state.value, gauge.breached_seconds
    if trigger.id not in _BY_REQUESTS and isinstance(recorded, dict):
        state, breached = str(recorded["state"]), float(recorded["breached_seconds"])
    known = state != TriggerState.NOT_OBSERVED.value
    sign = {"clear": "passed", "breached": "warned", "fired": "failed"}.get(state, "unknown")
    does = "rolls back" if trigger.action is Action.ROLLBACK else "holds and pages"
    lasts = f"{length(trigger.for_seconds)}, " if trigger.for_seconds else ""
    if not known:
        held = _unknown(trigger.id, traffic, now)
    elif trigger.for_seconds:
        held = f"{span(breached)} of {span(trigger.for_seconds)}"
    else:
        held = state
    seen = f"{gauge.seen:.0%} of its window seen" if trigger.id in _BY_REQUESTS else f"by {trigger.source}"
    filled = min(1.0, breached / trigger.for_seconds) if trigger.for_seconds else None
    made = boxes(filled, 5) if filled is not None else []
    return Timer(
        trigger.text, lasts + does, _measured(trigger.id, traffic, now), sign, held, seen, filled, tuple(made)
    )


def _unknown(trigger: str, traffic: Traffic, now: float) -> str:
    """Why nothing is known of a trigger: too few requests on green to judge it by, or nobody who looks."""
    came = traffic.point(Side.GREEN, int(min(now, traffic.latest or now))).requests
    if trigger in _BY_REQUESTS and 0 < came < WINDOW_REQUESTS:
        return f"{came} of {WINDOW_REQUESTS} yet"
    return "not observed"


def _measured(trigger: str, traffic: Traffic, now: float) -> str:
    point = traffic.point(Side.GREEN, int(min(now, traffic.latest or now)))
    if trigger == "trig.errors":
        return share(point.failed, point.requests)
    return millis(point.p95) if trigger == "trig.latency" else ""

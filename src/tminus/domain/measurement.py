"""Measurements of a metric in, a verdict out.

One answer is judged by the metric's limits, as Argo Rollouts judges a measurement (`evaluate.go`): what is to fail
fails, also when it is to pass as well; without a limit that fails, what does not pass fails, and the other way about;
what neither passes nor fails is inconclusive, and so is everything where there is no limit at all.

What is no number says nothing: an empty answer is not zero, `NaN` (a share of no requests) and an infinite value are
not compared, and of several series none is the one. All of these are inconclusive and never failed or passed.

Measurements add up as Argo's do (`analysis.go`): more failed ones than are borne, in all, and the metric has failed for
good; more inconclusive ones, in all, or errors in a row, and it is not known. Errors are not counted towards `count`.
Other than there, what is not known ends by itself: with the next answer that passes or fails, which begins the counts
of the unknown anew. And a metric passes only when one answer at least has passed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from tminus.domain.canonical import JsonValue, timestamp
from tminus.domain.evidence import Verdict
from tminus.domain.expectation import Expectation
from tminus.domain.metric import RETRY, Metric, Stage

Row = Mapping[str, JsonValue]
COUNTED = ("taken", "passed", "warned", "failed", "inconclusive", "errors", "consecutive")
"""What a row counts."""
RUNNING = "running"
"""What a metric is while it is neither passed nor failed, and nothing is unknown."""
_SERIES_TOLD = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """What a query gave at one instant."""

    values: tuple[float, ...]
    """One for each series."""
    series: tuple[str, ...] = ()
    """The series' labels, for people."""
    doubt: str = ""
    """Why it may not be believed, such as that nothing of it is scraped any more; empty while it may."""

    def unfit(self) -> str:
        """Why there is no number in it; empty when there is one."""
        if self.doubt:
            return self.doubt
        if not self.values:
            return "it gives nothing, which is not zero"
        if len(self.values) > 1:
            told = ", ".join(self.series[:_SERIES_TOLD])
            return (
                f"it gives {len(self.values)} series ({told}) where one number is needed; use sum, max or avg"
            )
        value = self.values[0]
        if math.isnan(value):
            return "it gives NaN, as a share of no requests does"
        return f"it gives {value}" if math.isinf(value) else ""


@dataclass(frozen=True, slots=True)
class Measurement:
    """One answer, judged."""

    at: float
    """When it was there, in seconds of the epoch."""
    verdict: Verdict
    why: str
    value: float | None = None
    baseline: float | None = None

    def data(self) -> dict[str, JsonValue]:
        """As the record keeps it."""
        return {
            "at": self.at,
            "verdict": self.verdict.value,
            "why": self.why,
            "value": self.value,
            "baseline": self.baseline,
        }


def measurement(data: Row) -> Measurement:
    """What the record kept."""
    return Measurement(
        float(cast("float", data["at"])),
        Verdict(str(data["verdict"])),
        str(data["why"]),
        cast("float | None", data["value"]),
        cast("float | None", data["baseline"]),
    )


def measured(metric: Metric, at: float, reading: Reading, beside: Reading | str | None) -> Measurement:
    """Judge an answer; `beside` is its baseline, why that could not be read, or nothing where none is needed.

    Harm that the value shows by itself needs no baseline.
    """
    if why := reading.unfit():
        return Measurement(at, Verdict.INCONCLUSIVE, why)
    value = reading.values[0]
    absolute = _absolute(metric, value)
    if absolute is Verdict.FAILED or metric.relative is None:
        return Measurement(at, absolute, f"{_shown(metric, value)}, {_expected(metric)}", value)
    if not isinstance(beside, Reading):
        why = f"the baseline cannot be read: {beside or 'none was taken'}"
        return Measurement(at, Verdict.ERROR, why, value)
    return _compared(metric, Measurement(at, absolute, "", value), beside)


def _compared(metric: Metric, seen: Measurement, beside: Reading) -> Measurement:
    """A value that does no harm by itself, beside its baseline."""
    relative, value = metric.relative, seen.value
    assert relative is not None and value is not None  # noqa: PT018, S101 - who calls has both
    if why := beside.unfit():
        return replace(seen, verdict=Verdict.INCONCLUSIVE, why=f"no baseline: {why}")
    base = beside.values[0]
    seen = replace(seen, baseline=base)
    if base == 0 and relative.margin == 0:
        why = f"the baseline is 0, and {relative.text!r} says nothing beside 0; add an amount to it"
        return replace(seen, verdict=Verdict.INCONCLUSIVE, why=why)
    words = f"{_shown(metric, value)} beside a baseline of {_shown(metric, base)}"
    if not relative.holds(value, base):
        return replace(seen, verdict=Verdict.FAILED, why=f"{words}, expected {relative.text}")
    return replace(seen, why=f"{words}, {_expected(metric)}")


def unread(at: float, why: str) -> Measurement:
    """A measurement that got no answer."""
    return Measurement(at, Verdict.ERROR, why)


def _absolute(metric: Metric, value: float) -> Verdict:
    passes, fails = _holds(metric.passes, value), _holds(metric.fails, value)
    if passes is None and fails is None:
        # A limit beside the baseline alone is a limit too: what it lets through passes.
        return Verdict.INCONCLUSIVE if metric.relative is None else _warned(metric, value)
    if fails or (fails is None and passes is False):
        return Verdict.FAILED
    if passes or passes is None:
        return _warned(metric, value)
    return Verdict.INCONCLUSIVE


def _warned(metric: Metric, value: float) -> Verdict:
    return Verdict.WARNED if _holds(metric.warns, value) is False else Verdict.PASSED


def _holds(expect: Expectation | None, value: float) -> bool | None:
    return None if expect is None else expect.holds(value)


def _shown(metric: Metric, value: float) -> str:
    limits = (metric.passes, metric.fails, metric.warns)
    return next((text for one in limits if one and (text := one.in_unit(value))), f"{value:.4g}")


def _expected(metric: Metric) -> str:
    return f"expected {metric.limits}" if metric.limits else "and no limit says what it must be"


@dataclass(frozen=True, slots=True)
class Measurements:
    """All measurements of one metric so far, counted."""

    metric: Metric
    begun: float | None = None
    """When its first stage began, in seconds of the epoch."""
    taken: int = 0
    """How many measurements there were, in all."""
    passed: int = 0
    warned: int = 0
    failed: int = 0
    inconclusive: int = 0
    errors: int = 0
    consecutive: int = 0
    """Errors since the last measurement that got an answer."""
    unknown: Verdict | None = None
    """`inconclusive` or `error` from where more of them came than are borne, until one passes or fails."""
    closed: bool = False
    """Whether the stages in which it is measured are over."""
    last: Measurement | None = None

    @property
    def over(self) -> bool:
        """Whether nothing is measured any more."""
        return self.verdict in {Verdict.PASSED, Verdict.WARNED, Verdict.FAILED}

    @property
    def verdict(self) -> Verdict | None:
        """What the measurements come to; nothing while it goes on."""
        if self.failed > self.metric.failures:
            return Verdict.FAILED
        if self.unknown is not None:
            return self.unknown
        needed, known = self.metric.needed, self.passed + self.warned
        answered = known + self.failed + self.inconclusive
        if known and (self.closed if needed is None else answered >= needed):
            return Verdict.WARNED if self.warned or self.failed else Verdict.PASSED
        return None

    @property
    def word(self) -> str:
        """The verdict in one word."""
        return self.verdict.value if self.verdict else RUNNING

    def after(self, new: Measurement) -> "Measurements":
        """With one measurement more; a metric that has failed stays so."""
        before = replace(self, taken=self.taken + 1)
        if new.verdict in {Verdict.PASSED, Verdict.WARNED, Verdict.FAILED}:
            before = before.anew() if self.unknown else before
            field = new.verdict.value
            counted = {field: getattr(before, field) + 1, "consecutive": 0}
            return replace(before, **counted, last=new)
        if new.verdict is Verdict.INCONCLUSIVE:
            after = replace(before, inconclusive=self.inconclusive + 1, consecutive=0, last=new)
            too_many = after.inconclusive > self.metric.inconclusive
            return replace(after, unknown=self.unknown or (Verdict.INCONCLUSIVE if too_many else None))
        after = replace(before, errors=self.errors + 1, consecutive=self.consecutive + 1, last=new)
        too_many = after.consecutive > self.metric.errors
        return replace(after, unknown=self.unknown or (Verdict.ERROR if too_many else None))

    def starting(self, at: float) -> "Measurements":
        """With the instant at which its first stage began."""
        return replace(self, begun=at)

    def closing(self) -> "Measurements":
        """With its stages over: one without a count is complete if it has passed, else with what passes next."""
        return replace(self, closed=True)

    def anew(self) -> "Measurements":
        """With nothing unknown: the next measurements without a verdict are counted from the beginning."""
        return replace(self, inconclusive=0, consecutive=0, unknown=None)

    def due(self) -> float | None:
        """When it is measured next, in seconds of the epoch; nothing before its first stage and once it is over."""
        if self.begun is None or self.over:
            return None
        if self.last is None:
            return self.begun + self.metric.delay
        return self.last.at + (self.metric.interval or RETRY)

    def waits_for(self, stage: Stage) -> str:
        """What is missing at the end of a stage, in words; empty where nothing is."""
        if self.metric.ends is not stage or self.over:
            return ""
        name = f"the metric {self.metric.id}"
        if self.last is None:
            return f"{name} has not been measured yet"
        needed, counted = self.metric.needed, self.passed + self.warned + self.failed + self.inconclusive
        of = (
            f"{counted} of {needed} measurements"
            if needed and counted < needed
            else "no measurement that passed"
        )
        return f"{name} has {of} yet: {self.last.why}"

    def reason(self) -> str:
        """Why it is what it is, on which counts, for people."""
        last = f"{self.last.why}; measured at {timestamp(self.last.at)}" if self.last else "not measured yet"
        return f"metric {self.metric.id}: {last} ({self.counts()})"

    def counts(self) -> str:
        """How the measurements fell out, in words, each beside what is borne of it."""
        metric = self.metric
        parts = [
            f"{self.failed} of {self.taken} measurements failed, {metric.failures} borne",
            *(
                [f"{self.inconclusive} inconclusive, {metric.inconclusive} borne"]
                if self.inconclusive
                else []
            ),
            *([f"{self.consecutive} errors in a row, {metric.errors} borne"] if self.consecutive else []),
        ]
        return "; ".join(parts)

    def data(self) -> dict[str, JsonValue]:
        """As the record keeps it."""
        return {
            "metric": self.metric.id,
            "limits": self.metric.limits,
            "verdict": self.word,
            "text": self.reason(),
            "begun": self.begun,
            "taken": self.taken,
            "passed": self.passed,
            "warned": self.warned,
            "failed": self.failed,
            "inconclusive": self.inconclusive,
            "errors": self.errors,
            "consecutive": self.consecutive,
            "unknown": self.unknown.value if self.unknown else "",
            "closed": self.closed,
            "last": self.last.data() if self.last else None,
        }


def restored(metric: Metric, row: Row) -> Measurements:
    """What the record kept of a metric."""
    counts = {name: int(cast("int", row[name])) for name in COUNTED}
    return Measurements(
        metric,
        begun=cast("float | None", row["begun"]),
        unknown=Verdict(str(row["unknown"])) if row["unknown"] else None,
        closed=bool(row["closed"]),
        last=measurement(cast("Row", row["last"])) if row["last"] else None,
        **counts,
    )

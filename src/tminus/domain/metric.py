"""Metrics that a team defines: a query of its own, what it must give, and how often it is asked.

The words and their meaning are those that Argo Rollouts documents for the metrics of its AnalysisTemplates
(https://argo-rollouts.readthedocs.io/en/stable/features/analysis/), with two differences, both on the side of not
knowing: no number is no failure, and no measurement is no success. `measurement.py` judges; nothing here asks anybody.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from tminus.domain import expectation, offsets
from tminus.domain.canonical import JsonValue
from tminus.domain.expectation import Expectation

ERRORS = 4
"""Errors in a row that are borne, where the plan says nothing: `consecutiveErrorLimit` of Argo Rollouts."""
RETRY = 10.0
"""Seconds from a measurement to the next where the plan says no interval: the first one gave no answer."""
LEAST_INTERVAL = 1.0
"""Seconds; asking more often would be load rather than care."""
SIDE = "${side}"
"""Where a query takes `green`, or `blue` for its baseline."""
BLUE, BEFORE = "blue", "before"
"""Baselines that need no query of their own: the same one about blue, or the same one before the shift."""

_RELATIVE = re.compile(
    r"(?P<sign><=|>=|<|>)\s*baseline"
    r"(?:\s*[x*]\s*(?P<ratio>\d+(?:\.\d+)?))?"
    r"(?:\s*(?P<more>[+-])\s*(?P<margin>\d+(?:\.\d+)?)\s*(?P<unit>%|[A-Za-z]*))?"
)
_UNITS = {"": 1.0, "pt": 0.01, "ms": 0.001, "s": 1.0, "min": 60.0, "kB": 1e3, "MB": 1e6}


class Stage(StrEnum):
    """A part of the rollout in which metrics are measured."""

    SHIFT = "shift"
    """From green's first weight to its promotion."""
    SOAK = "soak"
    """From there until blue ends."""


@dataclass(frozen=True, slots=True)
class Relative:
    """A limit that moves with the baseline: `<= baseline x 1.2 + 0.1pt`."""

    text: str
    """As written in the plan."""
    comparison: str
    """`<`, `<=`, `>` or `>=`."""
    ratio: float
    margin: float
    """In base units: a share for `pt`, seconds for times, bytes for sizes."""

    def limit(self, baseline: float) -> float:
        """What the value is compared with."""
        return self.ratio * baseline + self.margin

    def holds(self, value: float, baseline: float) -> bool:
        """Whether a value is within its limit."""
        return Expectation(self.text, self.comparison, self.limit(baseline)).holds(value)

    @property
    def upper(self) -> bool:
        """Whether the value must stay below."""
        return self.comparison.startswith("<")


def relative(text: str) -> Relative:
    """The limit that a plan wrote; raises `ValueError` with what could be written instead."""
    match = _RELATIVE.fullmatch(text.strip())
    unit = match["unit"] if match else None
    if match is None or not (match["ratio"] or match["margin"]) or (unit and unit not in {*_UNITS, "%"}):
        raise ValueError(
            f"{text!r} is no limit beside a baseline; write for example '<= baseline x 1.2 + 0.1pt' "
            "(percentage points), '<= baseline + 10%' (of the baseline) or '>= baseline - 20 ms'"
        )
    ratio, margin = (
        float(match["ratio"] or 1),
        float(match["margin"] or 0) * (-1 if match["more"] == "-" else 1),
    )
    if unit == "%":
        return Relative(text.strip(), match["sign"], ratio * (1 + margin / 100), 0.0)
    return Relative(text.strip(), match["sign"], ratio, margin * _UNITS[unit or ""])


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as a plan defines it."""

    id: str
    query: str
    """PromQL that gives one number."""
    system: str
    """The plan's name of the Prometheus that is asked."""
    passes: Expectation | None = None
    """What the value must be."""
    fails: Expectation | None = None
    """What shows harm; between this and `passes` nothing is known."""
    warns: Expectation | None = None
    """Outside of it a value that passes is warned about."""
    relative: Relative | None = None
    """The limit beside the baseline."""
    baseline: str = ""
    """`blue`, `before`, or a query of its own; empty where nothing is relative."""
    count: int | None = None
    """How many measurements with an answer make it complete; nothing for as many as its stages take."""
    interval: float | None = None
    """Seconds from the end of one measurement to the next; nothing where one is all."""
    delay: float = 0.0
    """Seconds from the beginning of its first stage to the first measurement."""
    failures: int = 0
    """Failed measurements that are borne, in all."""
    inconclusive: int = 0
    """Measurements without a verdict that are borne, in all."""
    errors: int = ERRORS
    """Measurements without an answer that are borne, in a row."""
    begins: Stage = Stage.SHIFT
    """The stage in which it is measured first."""
    ends: Stage = Stage.SOAK
    """The stage by whose end it must have passed."""
    blue: str = "blue"
    """What `${side}` stands for where blue is meant: its Service on a cluster."""
    green: str = "green"

    @property
    def rule(self) -> str:
        """Its name in a decision."""
        return f"metric.{self.id}"

    @property
    def needed(self) -> int | None:
        """How many answers complete it: one where neither a count nor an interval says otherwise."""
        return 1 if self.count is None and self.interval is None else self.count

    @property
    def asked(self) -> str:
        """The query about green."""
        return self.query.replace(SIDE, self.green)

    @property
    def asked_beside(self) -> str:
        """The query that gives the baseline at each measurement; empty where it was taken before, or there is none."""
        if self.baseline in {"", BEFORE}:
            return ""
        return self.query.replace(SIDE, self.blue) if self.baseline == BLUE else self.baseline

    @property
    def asked_before(self) -> str:
        """The query that gives the baseline before the shift, when blue serves alone; empty where none is taken."""
        return self.query.replace(SIDE, self.blue) if self.baseline == BEFORE else ""

    @property
    def limits(self) -> str:
        """What the value must be, in words."""
        words = [self.passes.text] if self.passes else []
        words += [f"not {self.fails.text}"] if self.fails else []
        words += [self.relative.text] if self.relative else []
        return " and ".join(words)


def declared(
    rows: tuple[Mapping[str, JsonValue], ...], blue: str = "blue", green: str = "green"
) -> tuple[Metric, ...]:
    """A plan's metrics, and what its queries call the two sides."""
    return tuple(replace(_metric(row), blue=blue, green=green) for row in rows)


def _metric(row: Mapping[str, JsonValue]) -> Metric:
    def limit(key: str) -> Expectation | None:
        return expectation.parse(str(row[key])) if row.get(key) else None

    def whole(key: str, otherwise: int) -> int:
        value = row.get(key)
        return value if isinstance(value, int) else otherwise

    count = row.get("count")
    return Metric(
        id=str(row["id"]),
        query=str(row["query"]),
        system=str(row["system"]),
        passes=limit("pass"),
        fails=limit("fail"),
        warns=limit("warn"),
        relative=relative(str(row["relative"])) if row.get("relative") else None,
        baseline=str(row.get("baseline") or ""),
        count=count if isinstance(count, int) else None,
        interval=offsets.seconds(str(row["interval"])) if row.get("interval") else None,
        delay=offsets.seconds(str(row["delay"])) if row.get("delay") else 0.0,
        failures=whole("failures", 0),
        inconclusive=whole("inconclusive", 0),
        errors=whole("errors", ERRORS),
        begins=Stage(str(row["from"])),
        ends=Stage(str(row["until"])),
    )

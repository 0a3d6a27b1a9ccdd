"""The queries of a panel as they are sent: variables in their places, narrowed to a side where one is asked for."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tminus.alerting.expression import Selector
from tminus.domain import templating
from tminus.domain.dashboard import EXPRESSIONS, OWN, Panel, Query, Source
from tminus.domain.templating import Values
from tminus.grafana import restricting
from tminus.grafana.variables import PROMETHEUS, Sources

POINT_MS = 5_000
"""Milliseconds of what is shown for each point that could be drawn, as on a screen of common width."""
STEP_MS = 15_000
"""What is said to be the least step where nothing says it: what Grafana takes for the pace of scraping."""
LONG_AGO = "1d"
"""How far back is looked for a last value."""
_PACE = "5m"
"""In steps of which that is done: Prometheus holds a sample for so long, so none is stepped over."""
_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_FORMATS = frozenset({"time_series", "table", "heatmap"})


@dataclass(frozen=True, slots=True)
class Narrow:
    """One side of a launch, by a label and its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One query of a panel, ready to be sent."""

    query: Query
    source: Source
    expression: str
    """In PromQL, the variables' values in it; empty for another language."""
    problem: str = ""
    """Why it cannot be asked; empty where it can."""
    selectors: tuple[Selector, ...] = ()
    """What it selects, in PromQL that can be read."""
    constant: bool = False
    """Whether it gives something also where nothing is measured: `… or vector(0)`, `time()`."""
    least_ms: int = 0
    """Its panel's least interval from one point to the next, in milliseconds; 0 for the data source's."""

    @property
    def ref(self) -> str:
        """Its name within the panel."""
        return self.query.ref

    @property
    def empty(self) -> bool:
        """Whether the page does not send it, for it asks nothing."""
        return not self.problem and self.source.kind == PROMETHEUS and not self.query.expression.strip()

    @property
    def sums(self) -> bool:
        """Whether it asks no data source and reckons with the answers of others."""
        return self.source.uid == EXPRESSIONS

    @property
    def by_end(self) -> bool:
        """Whether it selects by how something ended, so that it is empty while nothing ends so."""
        return any(restricting.plain(one) != one for one in self.selectors)


@dataclass(frozen=True, slots=True)
class Asker:
    """Makes queries ready: what they are filled with, and which of their selectors tell the sides apart."""

    sources: Sources
    chosen: Mapping[str, Values]
    minutes: float
    names: Collection[str] = ()
    """The variables that the dashboard has."""
    narrow: Narrow | None = None
    carrying: Collection[Selector] = ()
    """The selectors whose series tell the sides apart, without matchers of how something ended."""

    async def ready(self, query: Query, panel: Panel) -> Asked:
        """A query of a panel with its data source and its variables."""
        source = await self.source(query)
        if source.uid not in OWN and not source.kind:
            return Asked(query, source, "", f"Grafana has no data source {source.uid or 'by default'}")
        if missing := self._open(query, source):
            return Asked(query, source, "", f"nothing is known for the variable ${missing[0]}")
        least = _milliseconds(templating.interpolated(panel.interval, self.chosen))
        if source.kind != PROMETHEUS:
            return Asked(query, source, "", least_ms=least)
        expression = templating.interpolated(query.expression, self.chosen)
        asked = Asked(query, source, expression, least_ms=least)
        try:
            selectors, constant = restricting.selectors(expression), restricting.constant(expression)
        except ValueError:
            return asked  # Prometheus says what is wrong with it
        return replace(asked, selectors=tuple(selectors), constant=constant)

    def _open(self, query: Query, source: Source) -> list[str]:
        """The variables of a query that nobody knows.

        `$A` is another query where sums are made. Other languages than PromQL and LogQL have words with a `$` of their
        own, `$timeFilter`, so there what the dashboard calls a variable is one.
        """
        if source.uid == EXPRESSIONS:
            return []
        found = templating.open_names(query.text, self.chosen)
        return found if query.expression else [name for name in found if name in self.names]

    async def source(self, query: Query) -> Source:
        """The data source of a query, by uid."""
        written = templating.interpolated(query.source.uid, self.chosen)
        return await self.sources.meant(Source(written, query.source.kind))

    def text(self, one: Asked) -> str:
        """What is asked, narrowed."""
        if one.source.kind == PROMETHEUS:
            return self.narrowed(one.expression, one.selectors)
        return templating.interpolated(one.query.text, self.chosen)

    def model(self, one: Asked) -> dict[str, Any]:
        """What is sent for a query."""
        if one.source.kind != PROMETHEUS:
            return self._other(one)
        said = one.query.model
        model = prometheus(one.ref, one.source.uid, self.text(one), instant=said.get("instant") is True)
        model["range"] = said.get("range") is True or not model["instant"]
        model["format"] = said["format"] if said.get("format") in _FORMATS else "time_series"
        model["maxDataPoints"] = _points(self.minutes)
        if isinstance(said.get("interval"), str) and said["interval"]:
            model["interval"] = templating.interpolated(str(said["interval"]), self.chosen)
        if one.least_ms:
            model["intervalMs"] = one.least_ms
        return model

    def seen(self, one: Asked, *, every: bool) -> dict[str, Any]:
        """The query for whether anything that a query selects is measured, or everything is.

        How something ended is left out: where no request has failed, no series of failed ones is there.
        """
        over = f"[{self.minutes:g}m]"
        selectors = dict.fromkeys(restricting.plain(selector) for selector in one.selectors)
        parts = [f"group(last_over_time({self._narrowed(each)}{over}))" for each in selectors]
        return prometheus(one.ref, one.source.uid, (" and " if every else " or ").join(parts), instant=True)

    def last(self, one: Asked) -> dict[str, Any]:
        """The query for how many seconds ago there was a last value of what it selects, within a day."""
        # What began after the last step is there now.
        texts = [f"timestamp({self._narrowed(selector)})" for selector in one.selectors]
        newest = " or ".join(f"max({text} or max_over_time({text}[{LONG_AGO}:{_PACE}]))" for text in texts)
        return prometheus(one.ref, one.source.uid, f"time() - max({newest})", instant=True)

    def carries(self, one: Asked) -> bool:
        """Whether a query selects anything that tells the sides apart."""
        return any(restricting.plain(selector) in self.carrying for selector in one.selectors)

    def narrowed(self, text: str, selectors: Collection[Selector]) -> str:
        """An expression with the side at those of its selectors that tell the sides apart."""
        carrying = {one for one in selectors if restricting.plain(one) in self.carrying}
        if self.narrow is None or not carrying:
            return text
        return restricting.restricted(text, self.narrow.label, self.narrow.value, carrying)

    def _narrowed(self, selector: Selector) -> str:
        return self.narrowed(selector.text, [selector])

    def _other(self, one: Asked) -> dict[str, Any]:
        """A query of another language, as the dashboard has it."""
        filled = templating.filled(dict(one.query.model), self.chosen)
        assert isinstance(filled, dict)  # noqa: S101 - it was one
        # Grafana leaves what is hidden out of its answer, where sums are made.
        said = {name: value for name, value in filled.items() if name != "hide"}
        return {
            **said,
            "refId": one.ref,
            "datasource": {"uid": one.source.uid, "type": one.source.kind or EXPRESSIONS},
            "intervalMs": one.least_ms or STEP_MS,
            "maxDataPoints": _points(self.minutes),
        }


def groups(asked: Sequence[Asked], *, together: bool) -> list[list[Asked]]:
    """What is sent in one request: the queries to one data source; all of a panel that makes sums over them."""
    if together:
        return [list(asked)]
    found: dict[str, list[Asked]] = {}
    for one in asked:
        found.setdefault(one.source.uid, []).append(one)
    return list(found.values())


def prometheus(ref: str, uid: str, expression: str, *, instant: bool) -> dict[str, Any]:
    """One query of Grafana's data source for Prometheus.

    Its `intervalMs` would come before the pace of scraping that the data source is set to, so it is left out.
    """
    return {
        "refId": ref,
        "datasource": {"uid": uid, "type": PROMETHEUS},
        "expr": expression,
        "format": "time_series",
        "instant": instant,
        "range": not instant,
        "maxDataPoints": 100,
    }


def _points(minutes: float) -> int:
    return max(10, round(minutes * 60_000 / POINT_MS))


def _milliseconds(interval: str) -> int:
    """An interval as Grafana writes it, `1m`, `>10s`, `30`; 0 for what is none."""
    found = re.fullmatch(r"[<>]?(\d+(?:\.\d+)?)(ms|[smhd])?", interval.strip())
    return round(float(found[1]) * _UNITS_MS[found[2] or "s"]) if found else 0

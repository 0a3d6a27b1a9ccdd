"""What every panel of a dashboard shows now, by the queries that Grafana's page would send."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tminus.alerting.expression import Selector
from tminus.domain import templating
from tminus.domain.dashboard import EXPRESSIONS, OWN, Dashboard, Panel, Query, Source
from tminus.domain.shown import Shown
from tminus.domain.templating import Values
from tminus.grafana import restricting
from tminus.grafana.api import Grafana, Result
from tminus.grafana.variables import PROMETHEUS, Sources, chosen

AT_ONCE = 4
"""How many panels are asked for side by side: a person's browser asks for more."""
STEP_MS = 15_000
"""Milliseconds from one point to the next: Prometheus' usual pace of scraping."""
_BATCH = 20
"""How many selectors are asked about in one request."""
_SEEN = "-seen"
"""What is added to a query's name to ask whether it measures anything."""
_FORMATS = frozenset({"time_series", "table", "heatmap"})


@dataclass(frozen=True, slots=True)
class Narrow:
    """One side of a launch, by a label and its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """One query of a panel, ready to be sent."""

    query: Query
    source: Source
    expression: str
    """In PromQL, the variables' values in it; empty for another language."""
    problem: str = ""
    """Why it cannot be asked; empty where it can."""
    selectors: tuple[Selector, ...] = ()
    """What it selects, in PromQL that can be read."""


@dataclass(slots=True)
class Showing:
    """The panels of one dashboard, over the last minutes."""

    api: Grafana
    dashboard: Dashboard
    minutes: float
    narrow: Narrow | None = None
    sources: Sources = field(init=False)
    _chosen: dict[str, Values] = field(default_factory=dict)
    _carrying: set[Selector] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.sources = Sources(self.api)

    async def panels(self) -> list[Shown]:
        """Each panel that shows data, in order."""
        sides = {self.narrow.label: self.narrow.value} if self.narrow else {}
        self._chosen = await chosen(self.sources, self.dashboard, self.minutes, sides)
        own = [panel for panel in self.dashboard.shown if panel.drawn]
        asked = [[await self._asked(query) for query in panel.queries] for panel in own]
        if self.narrow:
            self._carrying = await self._carriers([one for queries in asked for one in queries])
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(panel: Panel, queries: list[_Asked]) -> Shown:
            async with limit:
                return await self._shown(panel, queries)

        found = await asyncio.gather(*(one(*pair) for pair in zip(own, asked, strict=True)))
        return self._with_sharing(found)

    async def ill(self) -> dict[str, str]:
        """The data sources that the panels ask, by uid, and what is wrong with each; empty where nothing is."""
        uids: dict[str, str] = {}
        for panel in self.dashboard.shown:
            for query in panel.drawn:
                source = await self._source(query)
                if source.uid not in OWN:
                    uids[source.uid] = ""
        return {uid: await self.api.healthy(uid) if uid else "there is no default one" for uid in uids}

    def _with_sharing(self, found: Sequence[Shown]) -> list[Shown]:
        """With the panels that show another's answers, in the order of the dashboard."""
        by_number = {one.panel.number: one for one in found}
        by_panel = {id(one.panel): one for one in found}
        every = []
        for panel in self.dashboard.shown:
            if id(panel) in by_panel:
                every.append(by_panel[id(panel)])
            elif panel.shares in by_number:
                of = by_number[panel.shares]
                every.append(Shown(panel, of.rows, of.newest, of.error, of.note, of.narrowed))
            else:
                every.append(Shown(panel, error=f"it shows panel {panel.shares}, which is not there"))
        return every

    async def _source(self, query: Query) -> Source:
        written = Source(templating.interpolated(query.source.uid, self._chosen), query.source.kind)
        return await self.sources.meant(written)

    async def _asked(self, query: Query) -> _Asked:
        source = await self._source(query)
        if source.uid not in OWN and not source.kind:
            name = source.uid or "the default one"
            return _Asked(query, source, "", f"Grafana has no data source {name}")
        missing = templating.open_names(query.text, self._chosen)
        if missing:
            return _Asked(query, source, "", f"nothing is known for the variable ${missing[0]}")
        if source.kind != PROMETHEUS:
            return _Asked(query, source, "")
        expression = templating.interpolated(query.expression, self._chosen)
        try:
            return _Asked(query, source, expression, selectors=tuple(restricting.selectors(expression)))
        except ValueError:
            return _Asked(query, source, expression)  # Prometheus says what is wrong with it

    async def _carriers(self, asked: Sequence[_Asked]) -> set[Selector]:
        """The selectors whose series tell the sides apart, as the last minutes had them."""
        assert self.narrow is not None  # noqa: S101 - asked for with a side alone
        found: set[Selector] = set()
        sources = {one.source.uid for one in asked if one.selectors}
        for uid in sources:
            wanted = {selector for one in asked if one.source.uid == uid for selector in one.selectors}
            by_metric: dict[str, list[Selector]] = {}
            for selector in wanted:
                by_metric.setdefault(selector.metric or selector.text, []).append(selector)
            names = sorted(by_metric)
            for begin in range(0, len(names), _BATCH):
                told = await self._labelled(uid, names[begin : begin + _BATCH])
                found |= {selector for name in told for selector in by_metric[name]}
        return found

    async def _labelled(self, uid: str, names: Sequence[str]) -> list[str]:
        """Which of these have the label at all."""
        assert self.narrow is not None  # noqa: S101 - the same
        label = self.narrow.label
        queries = [
            _prometheus(
                f"S{number}",
                uid,
                f"count by ({label}) (last_over_time({name}[{self.minutes:g}m]))",
                instant=True,
            )
            for number, name in enumerate(names)
        ]
        results = await self.api.query(queries, self.minutes)
        return [
            name
            for number, name in enumerate(names)
            if any(series.labels.get(label) for series in results[f"S{number}"].series)
        ]

    async def _shown(self, panel: Panel, asked: list[_Asked]) -> Shown:
        sums = any(one.source.uid == EXPRESSIONS for one in asked)
        wanted = [one for one in asked if sums or not one.query.hidden]
        if problem := next((one.problem for one in wanted if one.problem), ""):
            return Shown(panel, error=problem)
        results: dict[str, Result] = {}
        for group in _groups(wanted, together=sums):
            queries = [model for one in group for model in self._models(one)]
            results |= await self.api.query(queries, self.minutes)
        drawn = [one for one in wanted if not one.query.hidden]
        narrowed = any(self._carrying.intersection(one.selectors) for one in drawn)
        error = next((results[one.query.ref].error for one in drawn if results[one.query.ref].error), "")
        told = [results[one.query.ref] for one in drawn if self._measures(one, results)]
        unmeasured = [one for one in drawn if not self._measures(one, results)]
        series = [one for result in told for one in result.series if one.figures]
        return Shown(
            panel,
            rows=sum(result.rows for result in told),
            newest=series[0].figures[-1] if series else None,
            error=error,
            note=_unmeasured(unmeasured[0]) if unmeasured else "",
            narrowed=narrowed,
        )

    def _models(self, one: _Asked) -> list[dict[str, Any]]:
        """What is sent for a query: itself, and where it could show a constant, whether it measures anything."""
        if one.source.kind != PROMETHEUS:
            return [self._other(one)]
        said = one.query.model
        text = self._narrowed(one.expression, one.selectors)
        model = _prometheus(one.query.ref, one.source.uid, text, instant=said.get("instant") is True)
        model["range"] = said.get("range") is True or not model["instant"]
        model["format"] = said["format"] if said.get("format") in _FORMATS else "time_series"
        if isinstance(said.get("interval"), str) and said["interval"]:
            model["interval"] = templating.interpolated(str(said["interval"]), self._chosen)
        if not self._constant(one):
            return [model]
        seen = " or ".join(
            f"group(last_over_time({self._narrowed(selector.text, [selector])}[{self.minutes:g}m]))"
            for selector in one.selectors
        )
        return [model, _prometheus(one.query.ref + _SEEN, one.source.uid, seen, instant=True)]

    def _narrowed(self, text: str, selectors: Collection[Selector]) -> str:
        carrying = self._carrying.intersection(selectors)
        if self.narrow is None or not carrying:
            return text
        return restricting.restricted(text, self.narrow.label, self.narrow.value, carrying)

    def _other(self, one: _Asked) -> dict[str, Any]:
        """A query of another language, as the dashboard has it."""
        filled = templating.filled(dict(one.query.model), self._chosen)
        assert isinstance(filled, dict)  # noqa: S101 - it was one
        return {
            **filled,
            "refId": one.query.ref,
            "datasource": {"uid": one.source.uid, "type": one.source.kind or EXPRESSIONS},
            "intervalMs": STEP_MS,
            "maxDataPoints": _points(self.minutes),
        }

    @staticmethod
    def _constant(one: _Asked) -> bool:
        return bool(one.selectors) and restricting.constant(one.expression)

    def _measures(self, one: _Asked, results: Mapping[str, Result]) -> bool:
        """Whether what a query gave was measured: `… or vector(0)` shows 0 also where there is nothing."""
        return not self._constant(one) or bool(results[one.query.ref + _SEEN].series)


def _unmeasured(one: _Asked) -> str:
    metrics = ", ".join(dict.fromkeys(selector.metric or selector.text for selector in one.selectors))
    return f"it would show a constant, and nothing reports {metrics}"


def _groups(asked: Sequence[_Asked], *, together: bool) -> list[list[_Asked]]:
    """What is sent in one request: the queries to one data source; all of a panel that makes sums over them."""
    if together:
        return [list(asked)]
    found: dict[str, list[_Asked]] = {}
    for one in asked:
        found.setdefault(one.source.uid, []).append(one)
    return list(found.values())


def _prometheus(ref: str, uid: str, expression: str, *, instant: bool) -> dict[str, Any]:
    return {
        "refId": ref,
        "datasource": {"uid": uid, "type": PROMETHEUS},
        "expr": expression,
        "format": "time_series",
        "instant": instant,
        "range": not instant,
        "intervalMs": STEP_MS,
        "maxDataPoints": 100,
    }


def _points(minutes: float) -> int:
    return max(10, round(minutes * 60_000 / STEP_MS))

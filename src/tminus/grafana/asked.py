"""The queries of a panel as they are sent: variables in their places, narrowed to a side where one is asked for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tminus.alerting.expression import Selector
from tminus.domain import templating
from tminus.domain.dashboard import EXPRESSIONS, OWN, Query, Source
from tminus.domain.templating import Values
from tminus.grafana import restricting
from tminus.grafana.variables import PROMETHEUS, Sources

STEP_MS = 5_000
"""Milliseconds from one point to the next at the least; a data source that is scraped less often has fewer."""
SEEN = "-seen"
"""What is added to a query's name to ask whether it measures anything."""
LONG_AGO = "1d"
"""How far back is looked for a last value."""
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

    @property
    def ref(self) -> str:
        """Its name within the panel."""
        return self.query.ref

    @property
    def constant(self) -> bool:
        """Whether it gives something also where nothing is measured: `… or vector(0)`."""
        return bool(self.selectors) and restricting.constant(self.expression)


@dataclass(frozen=True, slots=True)
class Asker:
    """Makes queries ready: what they are filled with, and which of their selectors tell the sides apart."""

    sources: Sources
    chosen: Mapping[str, Values]
    minutes: float
    narrow: Narrow | None = None
    carrying: Collection[Selector] = ()

    async def ready(self, query: Query) -> Asked:
        """A query with its data source and its variables."""
        source = await self.source(query)
        if source.uid not in OWN and not source.kind:
            return Asked(query, source, "", f"Grafana has no data source {source.uid or 'by default'}")
        if missing := templating.open_names(query.text, self.chosen):
            return Asked(query, source, "", f"nothing is known for the variable ${missing[0]}")
        if source.kind != PROMETHEUS:
            return Asked(query, source, "")
        expression = templating.interpolated(query.expression, self.chosen)
        try:
            return Asked(query, source, expression, selectors=tuple(restricting.selectors(expression)))
        except ValueError:
            return Asked(query, source, expression)  # Prometheus says what is wrong with it

    async def source(self, query: Query) -> Source:
        """The data source of a query, by uid."""
        written = templating.interpolated(query.source.uid, self.chosen)
        return await self.sources.meant(Source(written, query.source.kind))

    def text(self, one: Asked) -> str:
        """What is asked, narrowed."""
        if one.source.kind == PROMETHEUS:
            return self.narrowed(one.expression, one.selectors)
        return templating.interpolated(one.query.text, self.chosen)

    def models(self, one: Asked) -> list[dict[str, Any]]:
        """What is sent for a query: itself, and where it could show a constant, whether it measures anything."""
        if one.source.kind != PROMETHEUS:
            return [self._other(one)]
        said = one.query.model
        model = prometheus(one.ref, one.source.uid, self.text(one), instant=said.get("instant") is True)
        model["range"] = said.get("range") is True or not model["instant"]
        model["format"] = said["format"] if said.get("format") in _FORMATS else "time_series"
        model["maxDataPoints"] = _points(self.minutes)
        if isinstance(said.get("interval"), str) and said["interval"]:
            model["interval"] = templating.interpolated(str(said["interval"]), self.chosen)
        if not one.constant:
            return [model]
        over = f"[{self.minutes:g}m]"
        seen = " or ".join(f"group(last_over_time({text}{over}))" for text in self.selected(one))
        return [model, prometheus(one.ref + SEEN, one.source.uid, seen, instant=True)]

    def last(self, one: Asked) -> dict[str, Any]:
        """The query for how many seconds ago there was a last value of what it selects, within a day."""
        newest = " or ".join(
            f"max(max_over_time(timestamp({text})[{LONG_AGO}:1m]))" for text in self.selected(one)
        )
        return prometheus(one.ref, one.source.uid, f"time() - max({newest})", instant=True)

    def narrowed(self, text: str, selectors: Collection[Selector]) -> str:
        """An expression with the side at those of its selectors that tell the sides apart."""
        carrying = set(self.carrying).intersection(selectors)
        if self.narrow is None or not carrying:
            return text
        return restricting.restricted(text, self.narrow.label, self.narrow.value, carrying)

    def selected(self, one: Asked) -> list[str]:
        """What a query selects, narrowed: as Prometheus is asked for each."""
        return [self.narrowed(selector.text, [selector]) for selector in one.selectors]

    def _other(self, one: Asked) -> dict[str, Any]:
        """A query of another language, as the dashboard has it."""
        filled = templating.filled(dict(one.query.model), self.chosen)
        assert isinstance(filled, dict)  # noqa: S101 - it was one
        return {
            **filled,
            "refId": one.ref,
            "datasource": {"uid": one.source.uid, "type": one.source.kind or EXPRESSIONS},
            "intervalMs": STEP_MS,
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
    """One query of Grafana's data source for Prometheus."""
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

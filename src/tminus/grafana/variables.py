"""A dashboard's variables as they are when somebody opens it: saved choices, and values that are asked for now."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from tminus.domain import templating
from tminus.domain.dashboard import OWN, Dashboard, Source, Variable
from tminus.domain.templating import Values
from tminus.grafana.api import DataSource, Grafana, Series

PROMETHEUS = "prometheus"
"""The plugin whose queries are PromQL."""


@dataclass(slots=True)
class Sources:
    """Grafana's data sources, asked for when a dashboard does not say by itself which it means."""

    api: Grafana
    _known: list[DataSource] | None = field(default=None, repr=False)

    async def known(self) -> list[DataSource]:
        """All of them."""
        if self._known is None:
            self._known = await self.api.sources()
        return self._known

    async def meant(self, source: Source) -> Source:
        """The data source that is meant, by uid and plugin; with no plugin where there is none like that."""
        if source.uid in OWN or (source.uid and source.kind):
            return source
        known = await self.known()
        if not source.uid or source.uid == "default":
            fitting = [one for one in known if not source.kind or one.kind == source.kind]
            found = next(
                (one for one in fitting if one.default), fitting[0] if source.kind and fitting else None
            )
        else:
            found = next((one for one in known if source.uid in {one.uid, one.name}), None)
        return Source(found.uid, found.kind) if found else source

    async def of_variable(self, variable: Variable, chosen: Mapping[str, Values]) -> Values | None:
        """The data source that a variable stands for: the saved one while there is one like that, else the default."""
        fitting = [one for one in await self.known() if one.kind == variable.query]
        names = _taken([one.name for one in fitting], variable, chosen)
        fitting = [one for one in fitting if names is None or one.name in names] or fitting
        saved = [one for one in fitting if {one.uid, one.name} & set(variable.current)]
        found = saved or [one for one in fitting if one.default] or fitting
        return Values((found[0].uid,)) if found else None


async def chosen(
    sources: Sources, dashboard: Dashboard, minutes: float, end: float = 0.0
) -> dict[str, Values]:
    """What stands for each variable when the dashboard is opened; one that cannot be known is left out.

    `minutes` are shown until `end`, in seconds of the epoch; 0 where nobody knows the time.
    """
    shown = (end - minutes * 60, end)
    found = templating.shown_time(*shown) if end else {}
    for variable in templating.order(dashboard):
        if variable.kind == "datasource":
            values = await sources.of_variable(variable, found)
        else:
            options = await _options(sources, variable, found, shown)
            values = templating.default(variable, options, seconds=shown[1] - shown[0])
        if values is not None:
            found[variable.name] = values
    return found


def _taken(values: list[str], variable: Variable, chosen: Mapping[str, Values]) -> list[str] | None:
    """What a variable's pattern takes; nothing for one that only the page can read."""
    try:
        return templating.taken(values, templating.interpolated(variable.pattern, chosen, "regex"))
    except ValueError:
        return None  # JavaScript has patterns that Python has not; then the saved choice counts


async def _options(
    sources: Sources, variable: Variable, known: Mapping[str, Values], shown: tuple[float, float]
) -> list[str] | None:
    """The values that a variable has now; nothing where they are not asked for, or nobody says them."""
    asked = None if variable.lasting and variable.current else templating.asking(variable.query)
    if variable.kind != "query" or asked is None:
        return None
    written = Source(templating.interpolated(variable.source.uid, known), variable.source.kind)
    source = await sources.meant(written)
    if source.kind != PROMETHEUS:
        return None
    of = templating.interpolated(asked.of, known)
    if asked.label:
        texts = await sources.api.labelled(source.uid, asked.label, of, shown)
    else:
        texts = await _series(sources.api, source, of, shown)
    if texts is None:
        return None
    if asked.pattern:
        try:
            holding = re.compile(templating.interpolated(asked.pattern, known, "regex"))
        except re.error:
            return None
        texts = [text for text in texts if holding.search(text)]
    return _taken([text for text in texts if text], variable, known)


async def _series(
    api: Grafana, source: Source, expression: str, shown: tuple[float, float]
) -> list[str] | None:
    """Each series of an expression as `query_result` writes it: name, labels, value and milliseconds."""
    query = {
        "refId": "A",
        "datasource": {"uid": source.uid, "type": source.kind},
        "expr": expression,
        "format": "time_series",
        "instant": True,
        "range": False,
        "maxDataPoints": 100,
    }
    result = (await api.query([query], (shown[1] - shown[0]) / 60))["A"]
    return None if result.error else [_text(series) for series in result.series]


def _text(series: Series) -> str:
    name = series.labels.get("__name__", "")
    others = ",".join(f'{key}="{value}"' for key, value in series.labels.items() if key != "__name__")
    value = series.figures[-1] if series.figures else math.nan
    written = f"{value:.0f}" if value.is_integer() else f"{value}"
    return f"{name}{{{others}}} {written} {series.newest_ms:.0f}"

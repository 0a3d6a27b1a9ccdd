"""A dashboard's variables as they are when somebody opens it: saved choices, and values that are asked for now."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tminus.domain import templating
from tminus.domain.dashboard import OWN, Dashboard, Source, Variable
from tminus.domain.templating import Values
from tminus.grafana.api import DataSource, Grafana

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

    async def of_variable(self, variable: Variable) -> Values | None:
        """The data source that a variable stands for: the saved one while there is one like that, else the default."""
        fitting = [one for one in await self.known() if one.kind == variable.query]
        if variable.pattern:
            names = templating.taken((one.name for one in fitting), variable.pattern)
            fitting = [one for one in fitting if one.name in names] or fitting
        saved = [one for one in fitting if {one.uid, one.name} & set(variable.current)]
        found = saved or [one for one in fitting if one.default] or fitting
        return Values((found[0].uid,)) if found else None


async def chosen(sources: Sources, dashboard: Dashboard, minutes: float) -> dict[str, Values]:
    """What stands for each variable when the dashboard is opened; one that cannot be known is left out."""
    found: dict[str, Values] = {}
    for variable in templating.order(dashboard):
        if variable.kind == "datasource":
            values = await sources.of_variable(variable)
        else:
            values = await _values(sources, variable, found, minutes)
        if values is not None:
            found[variable.name] = values
    return found


async def _values(
    sources: Sources, variable: Variable, known: Mapping[str, Values], minutes: float
) -> Values | None:
    asked = None if variable.lasting and variable.current else templating.asking(variable.query)
    if variable.kind != "query" or asked is None:
        return templating.default(variable, seconds=minutes * 60)
    written = Source(templating.interpolated(variable.source.uid, known), variable.source.kind)
    source = await sources.meant(written)
    if source.kind != PROMETHEUS:
        return templating.default(variable, seconds=minutes * 60)
    query = {
        "refId": "A",
        "datasource": {"uid": source.uid, "type": source.kind},
        "expr": templating.interpolated(asked.expression, known),
        "format": "time_series",
        "instant": True,
        "range": False,
        "intervalMs": 15_000,
        "maxDataPoints": 100,
    }
    result = (await sources.api.query([query], minutes))["A"]
    if result.error:
        return templating.default(variable, seconds=minutes * 60)
    texts = [
        series.labels.get(asked.label, "") if asked.label else _text(series.labels, series.figures)
        for series in result.series
    ]
    options = templating.taken([text for text in texts if text], variable.pattern)
    return templating.default(variable, options, seconds=minutes * 60)


def _text(labels: Mapping[str, str], figures: tuple[float, ...]) -> str:
    """A series as `query_result` writes it: name, labels, and value."""
    name = labels.get("__name__", "")
    others = ",".join(f'{key}="{value}"' for key, value in labels.items() if key != "__name__")
    return f"{name}{{{others}}} {figures[-1] if figures else ''}"

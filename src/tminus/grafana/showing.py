"""What every panel of a dashboard shows now, by the queries that Grafana's page would send."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tminus.alerting.expression import Selector
from tminus.domain import templating
from tminus.domain.dashboard import EXPRESSIONS, OWN, Dashboard, Panel
from tminus.domain.shown import Shown
from tminus.grafana.api import Grafana, Health, Result
from tminus.grafana.asked import LONG_AGO, SEEN, Asked, Asker, Narrow, groups, prometheus
from tminus.grafana.variables import PROMETHEUS, Sources, chosen

AT_ONCE = 4
"""How many panels are asked for side by side: a person's browser asks for more."""
_BATCH = 20
"""How many selectors are asked about in one request."""
_EXPLAINED = 10
"""For how many empty panels is asked when there was a last value."""


class Showing:
    """The panels of one dashboard, over the last minutes."""

    def __init__(self, api: Grafana, dashboard: Dashboard, minutes: float, narrow: Narrow | None) -> None:
        self._api = api
        self._dashboard = dashboard
        self._asker = Asker(Sources(api), {}, minutes, narrow)

    async def panels(self) -> list[Shown]:
        """Each panel that shows data, in order."""
        minutes, sources = self._asker.minutes, self._asker.sources
        self._asker = replace(self._asker, chosen=await chosen(sources, self._dashboard, minutes))
        own = [panel for panel in self._dashboard.shown if panel.drawn]
        asked = [[await self._asker.ready(query) for query in panel.queries] for panel in own]
        if self._asker.narrow:
            carrying = await self._carriers([one for queries in asked for one in queries])
            self._asker = replace(self._asker, carrying=carrying)
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(panel: Panel, queries: list[Asked]) -> Shown:
            async with limit:
                return await self._shown(panel, queries)

        found = await asyncio.gather(*(one(*pair) for pair in zip(own, asked, strict=True)))
        return self._with_sharing(await self._explained(found, asked))

    async def health(self) -> dict[str, Health]:
        """How the data sources are that the panels ask, by what people call them and the panels that ask them."""
        uids: dict[str, list[str]] = {}
        for panel in self._dashboard.shown:
            for query in panel.drawn:
                source = await self._asker.source(query)
                if source.uid not in OWN and panel.name not in uids.setdefault(source.uid, []):
                    uids[source.uid].append(panel.name)
        return {
            f"{uid or 'by default'} of {_few(names)}": await self._health(uid) for uid, names in uids.items()
        }

    async def _health(self, uid: str) -> Health:
        return await self._api.health(uid) if uid else Health("Grafana has none")

    def _with_sharing(self, found: Sequence[Shown]) -> list[Shown]:
        """With the panels that show another's answers, in the order of the dashboard."""
        by_number = {one.panel.number: one for one in found}
        by_panel = {id(one.panel): one for one in found}
        every = []
        for panel in self._dashboard.shown:
            if id(panel) in by_panel:
                every.append(by_panel[id(panel)])
            elif panel.shares in by_number:
                every.append(replace(by_number[panel.shares], panel=panel))
            else:
                every.append(Shown(panel, error=f"it shows panel {panel.shares}, which is not there"))
        return every

    async def _carriers(self, asked: Sequence[Asked]) -> frozenset[Selector]:
        """The selectors whose series tell the sides apart, as the last minutes had them."""
        found: set[Selector] = set()
        for uid in {one.source.uid for one in asked if one.selectors}:
            by_metric: dict[str, list[Selector]] = {}
            for selector in {
                selector for one in asked if one.source.uid == uid for selector in one.selectors
            }:
                by_metric.setdefault(selector.metric or selector.text, []).append(selector)
            names = sorted(by_metric)
            for begin in range(0, len(names), _BATCH):
                told = await self._labelled(uid, names[begin : begin + _BATCH])
                found |= {selector for name in told for selector in by_metric[name]}
        return frozenset(found)

    async def _labelled(self, uid: str, names: Sequence[str]) -> list[str]:
        """Which of these have the label at all."""
        assert self._asker.narrow is not None  # noqa: S101 - asked for with a side alone
        label, over = self._asker.narrow.label, f"[{self._asker.minutes:g}m]"
        queries = [
            prometheus(f"S{number}", uid, f"count by ({label}) (last_over_time({name}{over}))", instant=True)
            for number, name in enumerate(names)
        ]
        results = await self._api.query(queries, self._asker.minutes)
        return [
            name
            for number, name in enumerate(names)
            if any(series.labels.get(label) for series in results[f"S{number}"].series)
        ]

    async def _shown(self, panel: Panel, asked: Sequence[Asked]) -> Shown:
        sums = any(one.source.uid == EXPRESSIONS for one in asked)
        wanted = [one for one in asked if sums or not one.query.hidden]
        drawn = [one for one in wanted if not one.query.hidden]
        about = self._about(panel, drawn)
        if broken := next((one for one in wanted if one.problem), None):
            return replace(about, error=f"{broken.ref}: {broken.problem}")
        results: dict[str, Result] = {}
        for group in groups(wanted, together=sums):
            queries = [model for one in group for model in self._asker.models(one)]
            results |= await self._api.query(queries, self._asker.minutes)
        failed = next((one for one in drawn if results[one.ref].error), None)
        measuring = [one for one in drawn if _measures(one, results)]
        told = [results[one.ref] for one in measuring]
        own = [one for one in measuring if set(self._asker.carrying).intersection(one.selectors)]
        series = [one for result in told for one in result.series if one.figures]
        return replace(
            about,
            rows=sum(result.rows for result in told),
            own=sum(results[one.ref].rows for one in own),
            newest=series[0].figures[-1] if series else None,
            error=f"{failed.ref}: {results[failed.ref].error}" if failed else "",
            note=_note(drawn, results),
        )

    def _about(self, panel: Panel, drawn: Sequence[Asked]) -> Shown:
        texts = " ".join(f"{one.query.text} {one.query.source.uid}" for one in drawn)
        return Shown(
            panel,
            asked="; ".join(self._asker.text(one) for one in drawn if not one.problem),
            source=", ".join(dict.fromkeys(one.source.uid for one in drawn)),
            variables=templating.used(texts, self._asker.chosen),
        )

    async def _explained(self, found: Sequence[Shown], asked: Sequence[Sequence[Asked]]) -> list[Shown]:
        """With the time of the last value of those that are empty."""
        every, left = [], _EXPLAINED
        for one, queries in zip(found, asked, strict=True):
            query = next((each for each in queries if each.selectors and not each.query.hidden), None)
            if one.error or one.rows or query is None or not left:
                every.append(one)
                continue
            left -= 1
            result = (await self._api.query([self._asker.last(query)], self._asker.minutes))[query.ref]
            every.append(replace(one, last=_last(self._asker.selected(query)[0], result)))
        return every


def _last(selected: str, result: Result) -> str:
    if result.series and result.series[0].figures:
        return f"the last value came {result.series[0].figures[-1] / 60:.0f} min ago"
    return f"there was no value of {selected} within {LONG_AGO}"


def _measures(one: Asked, results: Mapping[str, Result]) -> bool:
    """Whether what a query gave was measured: `… or vector(0)` shows 0 also where there is nothing."""
    return one.source.kind != PROMETHEUS or not one.constant or bool(results[one.ref + SEEN].series)


def _note(drawn: Sequence[Asked], results: Mapping[str, Result]) -> str:
    """Why what came counts for nothing; empty where it counts."""
    for one in drawn:
        if not _measures(one, results):
            return "it would show a constant, and nothing is measured"
        if results[one.ref].hollow:
            return "every value is NaN, which is no data"
    return ""


def _few(names: Sequence[str]) -> str:
    listed = ", ".join(repr(name) for name in names[:3])
    return f"the panels {listed}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")

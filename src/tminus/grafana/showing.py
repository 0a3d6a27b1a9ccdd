"""What every panel of a dashboard shows now, by the queries that Grafana's page would send."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from tminus.alerting.expression import Selector
from tminus.domain import panelkinds, templating
from tminus.domain.dashboard import OWN, Dashboard, Panel
from tminus.domain.shown import Shown
from tminus.errors import InconclusiveError
from tminus.grafana import restricting
from tminus.grafana.api import Grafana, Health, Result
from tminus.grafana.asked import LONG_AGO, Asked, Asker, Narrow, groups, prometheus
from tminus.grafana.variables import Sources, chosen

AT_ONCE = 4
"""How many panels are asked for side by side: a person's browser asks for more."""
_BATCH = 10
"""How many selectors are asked about in one request."""
_EXPLAINED = 5
"""For how many empty panels is asked when there was a last value."""
_SLOW = "see why Prometheus does not answer this at the data source; a time limit is a frequent cause"


class Showing:
    """The panels of one dashboard, over the last minutes; `end` is Grafana's time now, 0 where nobody knows it."""

    def __init__(
        self,
        api: Grafana,
        dashboard: Dashboard,
        minutes: float,
        narrow: Narrow | None = None,
        *,
        end: float = 0.0,
    ) -> None:
        self._api = api
        self._dashboard = dashboard
        self._end = end
        names = [variable.name for variable in dashboard.variables]
        self._asker = Asker(Sources(api), {}, minutes, names, narrow)

    async def panels(self) -> list[Shown]:
        """Each panel that shows data, in order."""
        known = await chosen(self._asker.sources, self._dashboard, self._asker.minutes, self._end)
        self._asker = replace(self._asker, chosen=known)
        ready = [
            (panel, [await self._asker.ready(query, panel) for query in panel.queries])
            for panel in self._dashboard.shown
            if panel.drawn
        ]
        sent = [(panel, [one for one in queries if not one.empty]) for panel, queries in ready]
        every = [(panel, queries) for panel, queries in sent if any(not one.query.hidden for one in queries)]
        if self._asker.narrow:
            carrying = await self._carriers([one for _, queries in every for one in queries])
            self._asker = replace(self._asker, carrying=carrying)
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(panel: Panel, queries: list[Asked]) -> Shown:
            async with limit:
                return await self._shown(panel, queries)

        found = await asyncio.gather(*(one(*pair) for pair in every))
        return self._with_sharing(await self._explained(found, [queries for _, queries in every]))

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
            elif panel.shares:
                every.append(Shown(panel, error=f"it shows panel {panel.shares}, which is not there"))
        return every

    async def _carriers(self, asked: Sequence[Asked]) -> frozenset[Selector]:
        """The selectors whose series tell the sides apart, as the last minutes had them."""
        found: set[Selector] = set()
        for uid in dict.fromkeys(one.source.uid for one in asked if one.selectors):
            every = dict.fromkeys(
                restricting.plain(selector)
                for one in asked
                if one.source.uid == uid
                for selector in one.selectors
            )
            selectors = [*every]
            for begin in range(0, len(selectors), _BATCH):
                found |= await self._labelled(uid, selectors[begin : begin + _BATCH])
        return frozenset(found)

    async def _labelled(self, uid: str, selectors: Sequence[Selector]) -> set[Selector]:
        """Which of these have the label at all."""
        assert self._asker.narrow is not None  # noqa: S101 - asked for with a side alone
        label, over = self._asker.narrow.label, f"[{self._asker.minutes:g}m]"
        having = [Selector(one.metric, (*one.matchers, (label, "!=", ""))) for one in selectors]
        queries = [
            prometheus(f"S{number}", uid, f"group(last_over_time({one.text}{over}))", instant=True)
            for number, one in enumerate(having)
        ]
        results = await self._api.query(queries, self._asker.minutes)
        failed = next((result.error for result in results.values() if result.error), "")
        # Of an ill data source its own health says why, and its panels fail.
        if failed and not (await self._health(uid)).problem:
            raise InconclusiveError(
                f"which series have the label {label} could not be seen: {failed[:300]}",
                hint=_SLOW,
            )
        return {one for number, one in enumerate(selectors) if results[f"S{number}"].series}

    async def _shown(self, panel: Panel, asked: Sequence[Asked]) -> Shown:
        sums = any(one.sums for one in asked)
        wanted = [one for one in asked if sums or not one.query.hidden]
        drawn = [one for one in wanted if not one.query.hidden]
        about = self._about(panel, drawn)
        if broken := next((one for one in wanted if one.problem), None):
            return replace(about, error=f"{broken.ref}: {broken.problem}")
        results: dict[str, Result] = {}
        for group in groups(wanted, together=sums):
            results |= await self._api.query([self._asker.model(one) for one in group], self._asker.minutes)
        if failed := next((one for one in drawn if results[one.ref].error), None):
            return replace(about, error=f"{failed.ref}: {results[failed.ref].error}")
        measured = await self._measured(panel, wanted, results)
        counting = [one for one in drawn if one.ref in measured]
        own = [one for one in counting if self._own(one, wanted)]
        series = [one for each in counting for one in results[each.ref].series if one.figures]
        calm = await self._calm(panel, [one for one in counting if _nothing(results[one.ref])])
        return replace(
            about,
            rows=sum(results[one.ref].rows for one in counting),
            own=sum(results[one.ref].rows or one.ref in calm for one in own),
            calm=bool(calm),
            newest=series[0].figures[-1] if series else None,
            note=_note(drawn, measured, results),
        )

    async def _measured(
        self, panel: Panel, wanted: Sequence[Asked], results: Mapping[str, Result]
    ) -> set[str]:
        """Which queries gave what was measured: `… or vector(0)` shows 0 also where there is nothing."""
        doubtful = [one for one in wanted if one.constant and one.selectors and results[one.ref].rows]
        seen = await self._seen(panel, doubtful, every=False)
        asking = [one for one in wanted if not one.sums]
        found = {one.ref for one in asking if not one.constant or one.ref in seen}
        # A sum over constants is one.
        return found | {one.ref for one in wanted if one.sums and (found or not asking)}

    async def _calm(self, panel: Panel, empty: Sequence[Asked]) -> set[str]:
        """Which of these are empty since nothing has failed, while all that they select from is measured."""
        if "errors" not in panelkinds.about(panel) or panelkinds.rare(panel):
            return set()
        return await self._seen(panel, [one for one in empty if one.by_end], every=True)

    async def _seen(self, panel: Panel, asked: Sequence[Asked], *, every: bool) -> set[str]:
        found: set[str] = set()
        for group in groups(asked, together=False):
            queries = [self._asker.seen(one, every=every) for one in group]
            for ref, result in (await self._api.query(queries, self._asker.minutes)).items():
                if result.error:
                    raise InconclusiveError(
                        f"whether the panel {panel.name!r} shows what is measured could not be seen:"
                        f" {result.error[:300]}",
                        hint=_SLOW,
                    )
                found |= {ref} if result.series else set()
        return found

    def _own(self, one: Asked, wanted: Sequence[Asked]) -> bool:
        """Whether a query shows the side's own; a sum does where what it is made of does."""
        return any(self._asker.carries(each) for each in (wanted if one.sums else (one,)))

    def _about(self, panel: Panel, drawn: Sequence[Asked]) -> Shown:
        texts = " ".join(f"{one.query.text} {one.query.source.uid}" for one in drawn)
        return Shown(
            panel,
            asked="; ".join(self._asker.text(one) for one in drawn if not one.problem),
            written="; ".join(one.query.text for one in drawn),
            source=", ".join(dict.fromkeys(one.source.uid for one in drawn)),
            variables=templating.used(texts, self._asker.chosen),
        )

    async def _explained(self, found: Sequence[Shown], asked: Sequence[Sequence[Asked]]) -> list[Shown]:
        """With the time of the last value of those that are empty."""
        every, left = [], _EXPLAINED
        for one, queries in zip(found, asked, strict=True):
            query = next((each for each in queries if each.selectors and not each.query.hidden), None)
            if one.error or not one.lacking or query is None or not left:
                every.append(one)
                continue
            left -= 1
            result = (await self._api.query([self._asker.last(query)], self._asker.minutes))[query.ref]
            every.append(replace(one, last=_last(query, result)))
        return every


def _last(query: Asked, result: Result) -> str:
    if result.error:
        return "when there was a last value could not be seen"
    if result.series and result.series[0].figures:
        return f"the last value came {result.series[0].figures[-1] / 60:.0f} min ago"
    first = query.selectors[0]
    return f"there was no value of {first.metric or first.text} within {LONG_AGO}"


def _nothing(result: Result) -> bool:
    return not result.rows and not result.hollow


def _note(drawn: Sequence[Asked], measured: Collection[str], results: Mapping[str, Result]) -> str:
    """Why what came counts for nothing; empty where it counts."""
    for one in drawn:
        if one.ref not in measured and results[one.ref].rows:
            return "it would show a constant, and nothing is measured"
        if results[one.ref].hollow:
            return "every value is NaN, which is no data"
    return ""


def _few(names: Sequence[str]) -> str:
    listed = ", ".join(repr(name) for name in names[:3])
    return f"the panels {listed}" + (f" and {len(names) - 3} more" if len(names) > 3 else "")

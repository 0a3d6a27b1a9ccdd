"""Grafana Loki: streams by their labels, lines by a filter (HTTP API, `/loki/api/v1`).

A range query has its beginning and not its end; times are whole nanoseconds, which no float can hold; without a
`limit` it gives 100 lines. So each instance is asked for by itself: those that say much would push out the others.
Described in https://grafana.com/docs/loki/latest/reference/loki-http-api/.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from tminus.aggregators.lines import SAMPLE, Found, Line, Wanted, counted
from tminus.aggregators.place import Place
from tminus.errors import InconclusiveError
from tminus.http import Http, connect

MOST = 500
"""How many instances are asked for; a service with more is known by the wrong label."""
AT_ONCE = 8
_NANO = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Loki:
    """See `Aggregator`."""

    place: Place = field(repr=False)
    tenant: str = ""

    async def recent(self, wanted: Wanted) -> Found:
        """See `Aggregator.recent`."""
        names = await self._instances(wanted)
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(http: Http, name: str) -> list[Line]:
            async with limit:
                return await self._lines(http, selector({**wanted.labels, wanted.instance: name}), wanted)

        async with connect(self.place.base) as http:
            if not names:  # no stream has the label; the lines themselves may hold it
                lines = await self._lines(http, selector(wanted.labels), wanted)
                return Found(counted(lines, wanted.instance), lines, cut=len(lines) >= SAMPLE)
            # Loki may name an instance that has had no line for a while: its index is by the day.
            found = dict(zip(names, await asyncio.gather(*(one(http, name) for name in names)), strict=True))
        counts = {name: len(lines) for name, lines in found.items() if lines}
        return Found(counts, [line for lines in found.values() for line in lines])

    async def marked(self, wanted: Wanted, mark: str) -> Found:
        """See `Aggregator.marked`."""
        async with connect(self.place.base) as http:
            # A selector has to demand something: that there is one of the labels, whatever it is.
            some = next(iter(wanted.labels), wanted.instance)
            streams = f'{{{some}=~".+"}}' if wanted.anywhere else selector(wanted.labels)
            lines = await self._lines(http, f"{streams} |= {json.dumps(mark)}", wanted)
        return Found(counted(lines, wanted.instance), lines, cut=len(lines) >= SAMPLE)

    async def _instances(self, wanted: Wanted) -> list[str]:
        asked = {"query": selector(wanted.labels), **_span(wanted)}
        path = f"/loki/api/v1/label/{quote(wanted.instance, safe='')}/values"
        async with connect(self.place.base) as http:
            names = _data(await self._ask(http, path, asked), list)
        if len(names) > MOST:
            raise InconclusiveError(
                f"{len(names)} instances by the label {wanted.instance!r} are too many to look at",
                hint="name the label that tells one instance from another as `instance`",
            )
        return [str(name) for name in names]

    async def _lines(self, http: Http, query: str, wanted: Wanted) -> list[Line]:
        asked = {"query": query, **_span(wanted), "limit": str(SAMPLE), "direction": "backward"}
        data = _data(await self._ask(http, "/loki/api/v1/query_range", asked), dict)
        if data.get("resultType") != "streams":
            raise InconclusiveError(
                f"Loki gives {data.get('resultType')!r} and no lines",
                hint="see what stands at the address of the logs",
            )
        return [
            Line(int(at) / _NANO, str(text), {str(name): str(value) for name, value in labels.items()})
            for labels, values in ((one["stream"], one["values"]) for one in data.get("result") or ())
            for at, text, *_ in values
        ]

    async def _ask(self, http: Http, path: str, asked: Mapping[str, str]) -> Any:
        headers = {**self.place.headers, **({"X-Scope-OrgID": self.tenant} if self.tenant else {})}
        reply = await http.ask("GET", f"{self.place.path}{path}?{urlencode(asked)}", headers=headers)
        return self.place.read(reply, "streams")


def selector(labels: Mapping[str, str]) -> str:
    """The stream selector of these labels, as LogQL writes it."""
    return "{" + ", ".join(f"{name}={json.dumps(value)}" for name, value in labels.items()) + "}"


def _span(wanted: Wanted) -> dict[str, str]:
    return {
        "start": str(int(wanted.since * 1000) * 1_000_000),
        "end": str(int(wanted.until * 1000) * 1_000_000),
    }


def _data(answer: Any, kind: type) -> Any:
    """The data of an answer; an empty list may come as nothing."""
    if not isinstance(answer, dict) or answer.get("status") != "success":
        raise InconclusiveError(
            "Loki does not say that it succeeded", hint="see what stands at the address of the logs"
        )
    data = answer.get("data")
    if data is None and kind is list:
        return []
    if not isinstance(data, kind):
        raise InconclusiveError(
            "Loki's answer holds no data", hint="see what stands at the address of the logs"
        )
    return data

"""Prometheus' HTTP API: its answers as values, and its refusals as errors that say what to do.

Nothing is kept between calls. A figure that Prometheus does not have is absent and never zero: an empty answer is an
empty list, and `NaN` stays one.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tminus.alerting.rules import Rule, rules_of
from tminus.errors import InconclusiveError
from tminus.http import Http, bare, connect, expecting, must_serve


@dataclass(frozen=True, slots=True)
class Sample:
    """One series' value at one instant."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Series:
    """One series over a stretch of time: instants in seconds of the epoch and values, both in order."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]


class Prometheus:
    """One Prometheus, over one session."""

    def __init__(self, http: Http, address: str) -> None:
        self._http = http
        self._where = f"Prometheus at {bare(address)}"

    async def query(self, expression: str, at: float | None = None) -> list[Sample]:
        """The value of an expression now or at an instant: one sample for each series, none for an empty answer."""
        asked = {"query": expression} if at is None else {"query": expression, "time": f"{at:.3f}"}
        data = await self._ask("query", asked)
        with expecting(self._where, expression):
            if data.get("resultType") == "scalar":
                return [Sample({}, float(data["result"][1]))]
            return [Sample(dict(one["metric"]), float(one["value"][1])) for one in data["result"]]

    async def raw(self, selector: str, at: float) -> list[Series]:
        """What was scraped in a stretch that ends at an instant: `name{…}[30s]`."""
        data = await self._ask("query", {"query": selector, "time": f"{at:.3f}"})
        with expecting(self._where, selector):
            return [_series(one) for one in data["result"]]

    async def series(self, expression: str, start: float, end: float, step: float) -> list[Series]:
        """The values of an expression over a stretch of time, one every `step` seconds."""
        asked = {"query": expression, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": f"{step:g}"}
        data = await self._ask("query_range", asked)
        with expecting(self._where, expression):
            return [_series(one) for one in data["result"]]

    async def now(self) -> float:
        """Prometheus' own clock, in seconds of the epoch: what its evaluations are compared with."""
        samples = await self.query("time()")
        if not samples:
            raise InconclusiveError(f"{self._where} does not say what time it is", hint="ask it: time()")
        return samples[0].value

    async def rules(self) -> list[Rule]:
        """Every alert rule as it was loaded."""
        data = await self._ask("rules", {"type": "alert"})
        with expecting(self._where, "which rules it has"):
            return rules_of(data)

    async def reloaded(self) -> bool:
        """Whether the newest configuration was taken; if not, an older one is in force."""
        return bool((await self._ask("status/runtimeinfo", {})).get("reloadConfigSuccess"))

    async def _ask(self, path: str, asked: Mapping[str, str]) -> dict[str, Any]:
        reply = await self._http.get(f"/api/v1/{path}{'?' if asked else ''}{urlencode(asked)}")
        must_serve(reply, self._where)
        if reply.status == 404:
            raise InconclusiveError(
                f"{self._where} has no Prometheus interface (404 for {path})",
                hint="let the address be that of Prometheus itself, without /graph",
            )
        if reply.status >= 500:
            raise InconclusiveError(
                f"{self._where} answers {reply.status} for {path}", hint="see its log at this moment"
            )
        answer = reply.json()
        if not isinstance(answer, dict) or answer.get("status") != "success":
            why = answer.get("error", answer) if isinstance(answer, dict) else answer
            raise InconclusiveError(
                f"Prometheus does not answer {path}: {str(why)[:200]}",
                hint=f"ask it by hand: {asked.get('query', path)}",
            )
        data = answer.get("data")
        if not isinstance(data, dict):
            raise InconclusiveError(
                f"Prometheus' answer to {path} holds no data: {json.dumps(answer)[:100]}",
                hint="see what stands at this address",
            )
        return data


def _series(one: Mapping[str, Any]) -> Series:
    return Series(one["metric"], tuple((float(at), float(value)) for at, value in one["values"]))


@asynccontextmanager
async def asking(address: str) -> AsyncIterator[Prometheus]:
    """A Prometheus at an address; a login in it is used and never shown."""
    async with connect(address) as http:
        yield Prometheus(http, address)

"""How the stand-in for Grafana answers queries: it asks the real Prometheus behind it, and gives data frames.

What Grafana's server does with a query is done here: its own intervals are put in, the step follows from the time that
is shown, and figures that are no numbers become null with a note beside them.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from . import grafana_sums
from .grafana_store import Refused

PROMETHEUS = "prometheus"
SCRAPE_SECONDS = 15.0
"""What Grafana takes for the pace of scraping where the data source does not say it."""
LEAST_POINTS = 100
"""How many points are drawn unless a query says it."""
SECONDS = 30.0
"""How long a data source may take."""

_BODY = frozenset({"queries", "from", "to", "debug"})
_COMMON: Mapping[str, type | tuple[type, ...]] = {
    "refId": str,
    "datasource": dict,
    "datasourceId": int,
    "intervalMs": (int, float),
    "maxDataPoints": (int, float),
    "hide": bool,
    "queryType": str,
    "key": str,
}
_PROMQL: Mapping[str, type | tuple[type, ...]] = {
    **_COMMON,
    "expr": str,
    "format": str,
    "instant": bool,
    "range": bool,
    "exemplar": bool,
    "interval": str,
    "intervalFactor": (int, float),
    "legendFormat": str,
    "editorMode": str,
    "utcOffsetSec": int,
    "requestId": str,
}
"""The fields of a query to Prometheus, and of which type each is."""
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_RELATIVE = re.compile(r"now(?:-(?P<number>\d+(?:\.\d+)?)(?P<unit>[smhd]))?")


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is shown, in seconds of the epoch."""

    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Intervals:
    """The seconds that stand for Grafana's own intervals in one query."""

    step: float
    rate: float
    shown: float

    @classmethod
    def of(cls, query: Mapping[str, Any], source: Mapping[str, Any], window: Window) -> "Intervals":
        """As Grafana's data source for Prometheus reckons them."""
        own = _seconds(str(query.get("interval") or ""))
        told = str(source.get("jsonData", {}).get("timeInterval") or "")
        scrape = own or _seconds(told) or SCRAPE_SECONDS
        least = own or float(query.get("intervalMs") or 0) / 1000 or scrape
        shown = window.end - window.begin
        step = max(math.ceil(shown / float(query.get("maxDataPoints") or LEAST_POINTS)), least)
        return cls(step, max(step + scrape, 4 * scrape), shown)

    def put_in(self, text: str) -> str:
        """A query with them in their places."""
        times = {
            "__rate_interval_ms": f"{self.rate * 1000:.0f}",
            "__rate_interval": f"{self.rate * 1000:.0f}ms",
            "__interval_ms": f"{self.step * 1000:.0f}",
            "__interval": f"{self.step * 1000:.0f}ms",
            "__range_ms": f"{self.shown * 1000:.0f}",
            "__range_s": f"{self.shown:.0f}",
            "__range": f"{self.shown:.0f}s",
        }
        for name, value in times.items():
            text = re.sub(rf"\$\{{{name}\}}|\${name}\b", value, text)
        return text


async def answer(
    body: Any, sources: Mapping[str, Mapping[str, Any]], now: Callable[[], float]
) -> tuple[int, Any]:
    """The status and the body for a request; raises `Refused` for one that Grafana would not take at all."""
    queries, window = _request(body, now())
    asked = [query for query in queries if query["datasource"]["uid"] != grafana_sums.UID]
    for query in asked:
        if query["datasource"]["uid"] not in sources:
            raise Refused(404, "Data source not found")
        _check(query, sources[query["datasource"]["uid"]])
    results: dict[str, Any] = {}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session:
        for query in asked:
            source = sources[query["datasource"]["uid"]]
            results[query["refId"]] = await _result(session, query, source, window)
    results = grafana_sums.added(queries, results)
    failed = any("error" in result for result in results.values())
    return (400 if failed else 200), {"results": results}


async def health(source: Mapping[str, Any]) -> tuple[int, Any]:
    """How a data source is: Prometheus is asked, of others what was told of them is said."""
    told = source.get("told", {})
    if told.get("no_health_check"):
        raise Refused(501, "Not implemented")
    if ill := told.get("health"):
        return 400, {"status": "ERROR", "message": ill}
    if source["type"] != PROMETHEUS:
        return 200, {"status": "OK", "message": "Data source is working"}
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session,
            session.get(f"{source['url']}/api/v1/query", params={"query": "1+1"}) as reply,
        ):
            await reply.read()
            well = reply.status == 200
    except (aiohttp.ClientError, TimeoutError) as error:
        return 400, {
            "status": "ERROR",
            "message": f"{error} - There was an error returned querying the Prometheus API.",
        }
    if well:
        return 200, {"status": "OK", "message": "Successfully queried the Prometheus API."}
    return 400, {"status": "ERROR", "message": "There was an error returned querying the Prometheus API."}


async def label_values(source: Mapping[str, Any], label: str, asked: Mapping[str, str]) -> tuple[int, Any]:
    """What Prometheus says of the values of a label; raises `Refused` for a plugin that has no such path."""
    if source["type"] != PROMETHEUS:
        raise Refused(404, "Not found")
    path = f"{source['url']}/api/v1/label/{label}/values"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=SECONDS)) as session,
            session.get(path, params=dict(asked)) as reply,
        ):
            return reply.status, json.loads(await reply.read())
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise Refused(500, f"{error}") from error


def _request(body: Any, now: float) -> tuple[list[dict[str, Any]], Window]:
    if not isinstance(body, dict) or set(body) - _BODY:
        raise Refused(400, "bad request data")
    queries = body.get("queries")
    if not isinstance(queries, list) or not queries:
        raise Refused(400, "No queries found in query")
    for query in queries:
        source = query.get("datasource") if isinstance(query, dict) else None
        if (
            not isinstance(source, dict)
            or not isinstance(source.get("uid"), str)
            or set(source) - {"uid", "type"}
        ):
            raise Refused(400, "Query does not contain a valid data source identifier")
        query.setdefault("refId", "A")
    if len({query["refId"] for query in queries}) < len(queries):
        raise Refused(400, "query ids must be unique")
    window = Window(_instant(body.get("from"), now), _instant(body.get("to"), now))
    if window.begin >= window.end:
        raise Refused(400, "from must be before to")
    return queries, window


def _instant(text: Any, now: float) -> float:
    if isinstance(text, str) and text.isdigit():
        return int(text) / 1000
    found = _RELATIVE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Refused(400, "from and to are epoch milliseconds or times such as now-5m")
    return now - (float(found["number"]) * _UNITS[found["unit"]] if found["number"] else 0.0)


def _check(query: Mapping[str, Any], source: Mapping[str, Any]) -> None:
    """Refuse fields that nobody knows or that are of another type; other languages have other fields."""
    kinds = _PROMQL if source["type"] == PROMETHEUS else _COMMON
    for name, value in query.items():
        if name not in kinds and source["type"] == PROMETHEUS:
            raise Refused(400, f"unknown field {name!r} in a query")
        wanted = kinds.get(name)
        mistaken = wanted is not None and (
            not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool)
        )
        if mistaken:
            raise Refused(400, f"the field {name!r} of a query is of the wrong type")
    if query["datasource"].get("type", source["type"]) != source["type"]:
        raise Refused(400, "the data source is of another type")
    if source["type"] == PROMETHEUS and not query.get("expr"):
        raise Refused(400, "a query without an expression")


async def _result(
    session: aiohttp.ClientSession, query: Mapping[str, Any], source: Mapping[str, Any], window: Window
) -> dict[str, Any]:
    told = source.get("told", {})
    if error := told.get("error"):
        return {"error": error, "errorSource": "downstream", "status": told.get("status", 500)}
    if source["type"] != PROMETHEUS:
        return {"status": 200, "frames": told.get("frames", [])}
    intervals = Intervals.of(query, source, window)
    expression = intervals.put_in(query["expr"])
    ways = [way for way in ("range", "instant") if query.get(way)] or ["range"]
    frames: list[Any] = []
    for way in ways:
        asked = {"query": expression, "time": f"{window.end:.3f}"}
        if way == "range":
            step, begin = intervals.step, math.floor(window.begin / intervals.step) * intervals.step
            asked = {
                "query": expression,
                "start": f"{begin:.3f}",
                "end": f"{window.end:.3f}",
                "step": f"{step:g}",
            }
        try:
            async with session.post(
                f"{source['url']}/api/v1/query{'_range' if way == 'range' else ''}", data=asked
            ) as reply:
                said = json.loads(await reply.read())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return {"error": f"Post: {error}", "errorSource": "downstream", "status": 500}
        if said.get("status") != "success":
            words = f"{said.get('errorType')}: {said.get('error')}"
            return {"error": words, "errorSource": "downstream", "status": 400}
        frames += _frames(query["refId"], expression, intervals.step, said["data"])
    return {"status": 200, "frames": frames}


def _frames(ref: str, expression: str, step: float, data: Mapping[str, Any]) -> list[Any]:
    """One frame for each series; where there is none, one without fields."""
    kind = data["resultType"]
    meta = {
        "type": "timeseries-multi" if kind == "matrix" else "numeric-multi",
        "typeVersion": [0, 1],
        "custom": {"resultType": kind},
        "executedQueryString": f"Expr: {expression}\nStep: {step:g}s",
    }
    series = [{"metric": {}, "value": data["result"]}] if kind in {"scalar", "string"} else data["result"]
    if not series:
        return [{"schema": {"refId": ref, "meta": meta, "fields": []}, "data": {"values": []}}]
    return [_frame(ref, meta, one.get("metric", {}), one.get("values") or [one["value"]]) for one in series]


def _frame(ref: str, meta: Mapping[str, Any], labels: Mapping[str, str], points: list[Any]) -> dict[str, Any]:
    figures = [float(value) for _, value in points]
    odd = {name: [at for at, one in enumerate(figures) if test(one)] for name, test in _ODD.items()}
    entities = {name: places for name, places in odd.items() if places}
    values = [one if math.isfinite(one) else None for one in figures]
    fields = [
        {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}},
        {"name": "Value", "type": "number", "typeInfo": {"frame": "float64"}, "labels": dict(labels)},
    ]
    data: dict[str, Any] = {"values": [[int(float(at) * 1000) for at, _ in points], values]}
    if entities:
        data["entities"] = [None, entities]
    return {"schema": {"refId": ref, "meta": dict(meta), "fields": fields}, "data": data}


_ODD: Mapping[str, Callable[[float], bool]] = {
    "NaN": math.isnan,
    "Inf": lambda one: one == math.inf,
    "NegInf": lambda one: one == -math.inf,
}


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|[smhd])", text.lstrip(">"))
    return float(found[1]) * _UNITS[found[2]] if found else 0.0

"""Grafana's HTTP API: its answers as values, and its refusals as errors that say what to do.

Written after https://grafana.com/docs/grafana/latest/developers/http_api/ (its pages dashboard, data_source,
folder_dashboard_search, library_element and other). From Grafana 13 on the paths under `/api` are deprecated and still
answered; a Grafana that answers a dashboard only under `/apis/dashboard.grafana.app/v1` is asked there.
"""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from tminus.errors import DeniedError, InconclusiveError, RefusedError, UnreachableError
from tminus.http import BUSY, Answer, Http, bare, busy, connect

_MOVED = frozenset({301, 302, 303, 307, 308})
NAMESPACE = "default"
"""Where Grafana's first organization keeps its dashboards under `/apis`."""
FOUND_MOST = 100
"""How many dashboards a search gives at most."""


SECONDS = 40.0
"""The time limit of one call: Grafana's own for a data source is 30 s, and what it says after that must be heard."""


@dataclass(frozen=True, slots=True)
class Server:
    """The Grafana that answers."""

    version: str
    now: float
    """Its own time, in seconds of the epoch; 0 where it does not say it."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One dashboard as Grafana keeps it."""

    model: Mapping[str, Any] = field(repr=False)
    version: int
    path: str = ""
    """Where people open it, below Grafana's address."""
    folder: str = ""
    """The uid of the folder that it lies in; empty for none."""


@dataclass(frozen=True, slots=True)
class DataSource:
    """One data source of Grafana."""

    uid: str
    name: str
    kind: str
    """Its plugin: `prometheus`."""
    default: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: its labels, and its figures in the order of time, without those that are none."""

    labels: Mapping[str, str]
    figures: tuple[float, ...]
    newest_ms: float = 0.0
    """When it had its last figure, in milliseconds of the epoch; 0 where the answer does not say it."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one query gave."""

    series: tuple[Series, ...] = ()
    rows: int = 0
    """How many rows with a value there are, in all frames: the points of series, the lines of tables and logs."""
    hollow: bool = False
    """Whether rows came, and none of them holds a value: `NaN` is none."""
    error: str = ""
    """Why it failed, by Grafana's own words; empty when it did not."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a data source is."""

    problem: str = ""
    """What is wrong with it; empty when nothing is."""
    unseen: str = ""
    """Why nobody could look; empty where somebody could."""


class Grafana:
    """One Grafana, over one session."""

    def __init__(self, http: Http, where: str, token: str) -> None:
        self._http = http
        self._where = where
        self._token = token

    async def server(self) -> Server:
        """Which Grafana answers, and that its own database is well; raises `UnreachableError` when it is not."""
        reply = await self._ask("GET", "/api/health")
        found = _object(reply, f"the answer of {self._where} to /api/health")
        if found.get("database") != "ok":
            raise UnreachableError(
                f"{self._where} says that its own database is {found.get('database', 'not there')}",
                hint="see Grafana's log, and whether this address is Grafana's at all",
            )
        return Server(str(found.get("version", "")), _dated(reply.headers.get("date", "")))

    async def dashboard(self, uid: str) -> Stored | None:
        """The dashboard with this uid; nothing where there is none."""
        name = quote(uid, safe="")
        reply = await self._ask("GET", f"/api/dashboards/uid/{name}", known=frozenset({404}))
        if reply.status == 404:
            return await self._newer(name)
        found = _object(reply, f"the dashboard {uid}")
        model, meta = found.get("dashboard"), found.get("meta")
        if not isinstance(model, dict):
            raise InconclusiveError(
                f"{self._where} answers without a dashboard for {uid}", hint="see what stands at this address"
            )
        about = meta if isinstance(meta, dict) else {}
        return Stored(
            model,
            _whole(about.get("version", model.get("version"))),
            str(about.get("url", "")),
            str(about.get("folderUid") or ""),
        )

    async def _newer(self, name: str) -> Stored | None:
        """The same where only the newer structure of paths knows it."""
        path = f"/apis/dashboard.grafana.app/v1/namespaces/{NAMESPACE}/dashboards/{name}"
        reply = await self._ask("GET", path, known=frozenset({404, 406}))
        if reply.status != 200:
            return None
        found = _object(reply, f"the dashboard {name}")
        spec, meta = found.get("spec"), found.get("metadata")
        if not isinstance(spec, dict) or not isinstance(meta, dict):
            return None  # a page of something else that answers every path
        notes = meta.get("annotations")
        folder = str(notes.get("grafana.app/folder") or "") if isinstance(notes, dict) else ""
        model = {**spec, "uid": str(meta.get("name", name))}
        return Stored(model, _whole(meta.get("generation")), folder=folder)

    async def search(self, words: str) -> list[tuple[str, str]]:
        """Uid and title of the dashboards whose titles hold these words."""
        asked = urlencode({"query": words, "type": "dash-db", "limit": FOUND_MOST})
        reply = await self._ask("GET", f"/api/search?{asked}")
        return [(str(one.get("uid", "")), str(one.get("title", ""))) for one in self._list(reply, "a search")]

    async def sources(self) -> list[DataSource]:
        """Every data source; who asks must be allowed to see them."""
        return [
            _source(one) for one in self._list(await self._ask("GET", "/api/datasources"), "data sources")
        ]

    async def health(self, uid: str) -> Health:
        """How a data source is, by its own plugin's words."""
        name = quote(uid, safe="")
        reply = await self._ask(
            "GET", f"/api/datasources/uid/{name}/health", known=frozenset({400, 404, 500, 501})
        )
        # Older ones say 404 of a plugin without a health check, newer ones 501.
        if reply.status in {404, 501}:
            there = await self._ask("GET", f"/api/datasources/uid/{name}", known=frozenset({404}))
            if there.status == 200:
                return Health(unseen="its plugin has no health check")
            return Health("it is not there; panels still name it")
        found = _object(reply, f"the health of the data source {uid}")
        if found.get("status") == "OK" and reply.status == 200:
            return Health()
        return Health(str(found.get("message") or found.get("status") or f"it answers {reply.status}"))

    async def library(self, uid: str) -> Mapping[str, Any] | None:
        """The model of a library panel; nothing where there is none."""
        reply = await self._ask("GET", f"/api/library-elements/{quote(uid, safe='')}", known=frozenset({404}))
        found = _object(reply, f"the library panel {uid}").get("result")
        model = found.get("model") if isinstance(found, dict) else None
        return model if reply.status == 200 and isinstance(model, dict) else None

    async def labelled(self, uid: str, label: str, of: str, shown: tuple[float, float]) -> list[str] | None:
        """The values of a label at a Prometheus, of the series that `of` selects; nothing where it does not say them.

        This is what the page asks too: Prometheus answers from its index, and reads no series for it.
        """
        asked = {"start": f"{shown[0]:.0f}", "end": f"{shown[1]:.0f}"} if shown[1] else {}
        asked |= {"match[]": of} if of else {}
        path = f"/api/datasources/uid/{quote(uid, safe='')}/resources/api/v1/label/{quote(label, safe='')}/values"
        known = frozenset({400, 403, 404, 422, 500, 501, 502, 503, 504})
        reply = await self._ask("GET", f"{path}?{urlencode(asked)}", known=known)
        found = (
            _object(reply, f"the values of the label {label}").get("data") if reply.status == 200 else None
        )
        return [one for one in found if isinstance(one, str)] if isinstance(found, list) else None

    async def query(self, queries: Sequence[Mapping[str, Any]], minutes: float) -> dict[str, Result]:
        """What these queries give over the last minutes, by their `refId`.

        Grafana answers 400 as soon as one of them fails, with what each gave beside it. Raises `InconclusiveError`
        for an answer that is none, and for one that leaves a query out.
        """
        body = {"queries": list(queries), "from": f"now-{minutes:g}m", "to": "now"}
        # 207 came before Grafana 9 for what is 400 since.
        known = frozenset({207, 400, 404, 500, 502, 503, 504})
        reply = await self._ask("POST", "/api/ds/query", known=known, body=body)
        found = _object(reply, f"the answer of {self._where} to a query")
        results = found.get("results")
        if not isinstance(results, dict):
            why = str(found.get("message") or f"it answers {reply.status}")
            if reply.status == 200:
                raise InconclusiveError(
                    f"{self._where} answers a query without results: {why}",
                    hint="see what stands at this address",
                )
            return {str(one["refId"]): Result(error=why) for one in queries}
        return {ref: _result(results, ref, reply) for ref in (str(one["refId"]) for one in queries)}

    async def save(self, model: Mapping[str, Any], message: str, *, overwrite: bool, folder: str = "") -> str:
        """Keep a dashboard in the folder with this uid; where people open it.

        One that is there moves to where no folder is named, and gets that place's permissions.

        Raises `RefusedError` for one that somebody has changed there, and `InconclusiveError` for what Grafana does not
        take.
        """
        body = {"dashboard": dict(model), "message": message, "overwrite": overwrite}
        body |= {"folderUid": folder} if folder else {}
        reply = await self._ask(
            "POST", "/api/dashboards/db", known=frozenset({400, 404, 412, 422}), body=body
        )
        found = _object(reply, "the answer to a dashboard")
        if reply.status == 412 and found.get("status") == "version-mismatch":
            raise RefusedError(
                f"{self._where} has another version of {model.get('title')!r}: {found.get('message')}",
                hint="look at what was changed there, then push with --force",
            )
        if reply.status != 200:
            raise InconclusiveError(
                f"{self._where} does not take {model.get('title')!r}: {found.get('message', reply.status)}",
                hint="see what Grafana says of it",
            )
        return str(found.get("url", ""))

    async def _ask(
        self, method: str, path: str, *, known: frozenset[int] = frozenset(), body: Any = None
    ) -> Answer:
        """One answer with 200, or with a status that whoever asks knows what to do with."""
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        reply = await self._http.ask(method, path, headers=headers, json_body=body, redirects=False)
        if reply.status == 200 or reply.status in known:
            return reply
        what = f"{method} {path.partition('?')[0]}"
        if reply.status in _MOVED:
            to = bare(urljoin(f"{self._where}{path}", reply.headers.get("location", "")))
            raise InconclusiveError(
                f"{self._where} leads on to {to} ({reply.status} for {what})",
                hint="let the address be the one that it leads to: what is asked by POST does not follow",
            )
        if reply.status in {401, 403}:
            raise DeniedError(
                f"{self._where} refuses us: {reply.status} for {what}{_said(reply)}",
                hint="let the address hold a service account's token, `https://:TOKEN@host`, that may do this",
            )
        if reply.status == BUSY:
            raise busy(self._where, reply.headers)
        if reply.status in {500, 502, 503, 504}:
            raise UnreachableError(
                f"{self._where} answers {reply.status} for {what}", hint="see Grafana's log"
            )
        raise InconclusiveError(
            f"{self._where} answers {reply.status} for {what}",
            hint="let the address be that of Grafana itself, with the path that it is served under",
        )

    def _list(self, reply: Answer, what: str) -> list[dict[str, Any]]:
        found = reply.json()
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise InconclusiveError(
                f"{self._where} answers no list for {what}", hint="see what stands at this address"
            )
        return found


def _object(reply: Answer, what: str) -> dict[str, Any]:
    found = reply.json()
    if not isinstance(found, dict):
        raise InconclusiveError(f"{what} is no JSON object", hint="see what stands at this address")
    return found


def _said(reply: Answer) -> str:
    """Grafana's own reason, which names the permission that is missing; nothing where there is none."""
    try:
        found = reply.json()
    except InconclusiveError:
        return ""  # a proxy's page has no reason of Grafana
    message = found.get("message") if isinstance(found, dict) else None
    return f", {message}" if isinstance(message, str) else ""


def _source(one: Mapping[str, Any]) -> DataSource:
    return DataSource(
        str(one.get("uid", "")),
        str(one.get("name", "")),
        str(one.get("type", "")),
        one.get("isDefault") is True,
    )


def _dated(header: str) -> float:
    """The seconds of the epoch in a header of HTTP; 0 for what is no time."""
    try:
        return parsedate_to_datetime(header).timestamp()
    except ValueError:
        return 0.0


def _whole(found: Any) -> int:
    return found if isinstance(found, int) and not isinstance(found, bool) else 0


def _result(results: Mapping[str, Any], ref: str, reply: Answer) -> Result:
    one = results.get(ref)
    if not isinstance(one, dict):
        if reply.status != 200:
            return Result(error=f"Grafana answers {reply.status} and says nothing of it")
        raise InconclusiveError(
            f"Grafana's answer holds nothing for the query {ref}", hint="ask the panel by hand in Grafana"
        )
    if one.get("error"):
        return Result(error=str(one["error"]))
    frames = [frame for frame in one.get("frames") or [] if isinstance(frame, dict)]
    read = [_frame(frame) for frame in frames]
    rows, came = sum(rows for _, rows, _ in read), any(came for _, _, came in read)
    return Result(tuple(series for found, _, _ in read for series in found), rows, came and not rows)


def _frame(frame: Mapping[str, Any]) -> tuple[list[Series], int, bool]:
    """The series of one data frame, how many of its rows hold a value beside the time, and whether rows came at all.

    A frame comes also where there is no data: without fields, or with fields of no rows. A figure that is no number
    stands as null in it.
    """
    schema, data = frame.get("schema"), frame.get("data")
    fields = schema.get("fields") if isinstance(schema, dict) else None
    columns = data.get("values") if isinstance(data, dict) else None
    if not isinstance(fields, list) or not isinstance(columns, list):
        return [], 0, False
    values = [
        (about, column) for about, column in zip(fields, columns, strict=False) if isinstance(about, dict)
    ]
    told = [
        (about, column)
        for about, column in values
        if about.get("type") != "time" and isinstance(column, list)
    ]
    rows = max((sum(_is_value(one) for one in column) for _, column in told), default=0)
    times = next((column for about, column in values if about.get("type") == "time"), None)
    series = [
        Series(
            {str(name): str(value) for name, value in (about.get("labels") or {}).items()},
            tuple(float(one) for one in column if _is_value(one)),
            _newest(times, column),
        )
        for about, column in told
        if about.get("type") == "number"
    ]
    return series, rows, any(column for _, column in told)


def _newest(times: Any, column: Sequence[Any]) -> float:
    pairs = zip(times, column, strict=False) if isinstance(times, list) else ()
    return max(
        (float(at) for at, one in pairs if _is_value(one) and isinstance(at, int | float)), default=0.0
    )


def _is_value(one: Any) -> bool:
    if isinstance(one, int | float) and not isinstance(one, bool):
        return math.isfinite(one)
    return one is not None and one != ""


@asynccontextmanager
async def asking(address: str) -> AsyncIterator[Grafana]:
    """A Grafana at an address; the token in it, `https://:TOKEN@host/path`, is sent as a bearer's and never shown."""
    parts = urlsplit(address)
    base = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path.rstrip("/"), "", ""))
    async with connect(base, seconds=SECONDS) as http:
        yield Grafana(http, bare(base), unquote(parts.password or ""))

"""Lines of logs in the shape of Loki's HTTP API.

| path | what |
|---|---|
| `GET /ready` | whether it answers |
| `POST /loki/api/v1/push` | takes lines of streams, as JSON |
| `GET /loki/api/v1/query_range` | lines by a LogQL query (see `logql.py`), a time, a limit and a direction |
| `GET /loki/api/v1/labels`, `/loki/api/v1/label/{name}/values` | what streams are known by |
| `PUT /behaviour` | how it behaves from now on: `{"status": 429}`, `{"delay": 180}`; `Bearer …` |

Loki itself asks for no login; whoever stands before it does, and so this wants `Bearer …`. What Loki refuses is refused
here in its words: a number in the place of a text, times too old or too far ahead, streams without labels. Nothing is
kept beyond the process, and no more than the newest lines.
"""

import asyncio
import hmac
import json
import re
from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from .logql import Query, QueryError, parse

KEPT = 20_000
"""Lines of a stream; the oldest go first."""
DEFAULT, MOST = 100, 5000
"""Lines of one answer: unless told otherwise, and at most (`max_entries_limit_per_query`)."""
LONGEST_QUERY = 721 * 3600
"""Seconds that one query may be about (`max_query_length`)."""
OLDEST, AHEAD = 7 * 86_400, 600
"""Seconds into the past and the future that a pushed line may lie."""
MOST_LABELS, LONGEST_LINE, LARGEST = 15, 256 * 1024, 8 * 1024 * 1024
NANO = 1_000_000_000
Labels = tuple[tuple[str, str], ...]
"""What a stream is known by, sorted by name."""
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d|w)")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_RANGE = {"query", "limit", "start", "end", "since", "step", "interval", "direction"}
_LABELS = {"start", "end", "since", "query"}


@dataclass(slots=True)
class _Behaviour:
    status: int = 200
    """What reading is answered with."""
    push: int = 204
    """What pushing is answered with; 429 drops what came."""
    seconds: float = 0.0
    """How long an answer takes."""
    delay: float = 0.0
    """Seconds from a push to its lines being found."""
    tenant: str = ""
    """The tenant that whoever reads must name; empty where there is one only."""


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    at: int
    line: str
    seen: float = field(compare=False)
    """From when on it is found, in seconds of the epoch."""


@dataclass(slots=True)
class Loki:
    """Every line of this process."""

    now: Callable[[], float]
    token: str = field(repr=False)
    streams: dict[Labels, list[_Entry]] = field(default_factory=dict)
    behaviour: _Behaviour = field(default_factory=_Behaviour)

    def application(self) -> web.Application:
        """Its HTTP side."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_get("/ready", self._ready)
        app.router.add_post("/loki/api/v1/push", self._push)
        app.router.add_get("/loki/api/v1/query_range", self._range)
        app.router.add_get("/loki/api/v1/labels", self._labels)
        app.router.add_get("/loki/api/v1/label/{name}/values", self._values)
        app.router.add_put("/behaviour", self._behave)
        return app

    async def _ready(self, _request: web.Request) -> web.Response:
        return web.Response(text="ready\n")

    async def _push(self, request: web.Request) -> web.Response:
        self._must_show(request)
        if request.content_type != "application/json":
            raise _refused(web.HTTPBadRequest, "only JSON is taken here; Loki takes protobuf as well")
        if self.behaviour.push != 204:
            raise _Told(self.behaviour.push, "ingestion rate limit exceeded for user fake")
        now = self.now()
        for labels, at, line in [*_taken(await request.read(), now)]:
            self.take(labels, at, line, now + self.behaviour.delay)
        return web.Response(status=204)

    def take(self, labels: Labels, at: int, line: str, seen: float) -> None:
        """Have a line of a nanosecond in a stream, to be found from an instant on; told twice it is one line."""
        stream = self.streams.setdefault(labels, [])
        entry = _Entry(at, line, seen)
        place = bisect_left(stream, entry)
        if place == len(stream) or stream[place] != entry:
            insort(stream, entry)
        del stream[:-KEPT]

    async def _range(self, request: web.Request) -> web.Response:
        query = await self._asked(request, _RANGE)
        told = request.query
        begin, end = self._span(request)
        limit = _whole(told.get("limit", str(DEFAULT)), "limit")
        if limit <= 0:
            raise _refused(web.HTTPBadRequest, "limit must be a positive value")
        if limit > MOST:
            words = "max entries limit per query exceeded, limit > max_entries_limit_per_query"
            raise _refused(web.HTTPBadRequest, f"{words} ({limit} > {MOST})")
        direction = told.get("direction", "backward").lower()
        if direction not in {"forward", "backward"}:
            raise _refused(web.HTTPBadRequest, f"invalid direction '{told['direction']}'")
        if query is None:
            raise _refused(web.HTTPBadRequest, "parse error : syntax error: unexpected $end")
        found = [
            (entry, labels)
            for labels, entries in self._selected(query)
            for entry in self._between(entries, begin, end)
            if query.keeps(entry.line)
        ]
        found.sort(key=lambda one: one[0].at, reverse=direction == "backward")
        result: dict[Labels, list[list[str]]] = {}
        for entry, labels in found[:limit]:
            result.setdefault(labels, []).append([str(entry.at), entry.line])
        streams = [{"stream": dict(labels), "values": values} for labels, values in result.items()]
        return _good({"resultType": "streams", "result": streams, "stats": {}})

    async def _labels(self, request: web.Request) -> web.Response:
        return _good(sorted({name for labels in await self._known(request) for name, _ in labels}))

    async def _values(self, request: web.Request) -> web.Response:
        wanted = request.match_info["name"]
        known = await self._known(request)
        return _good(sorted({value for labels in known for name, value in labels if name == wanted}))

    async def _known(self, request: web.Request) -> list[Labels]:
        """The streams with lines in the time that is asked about."""
        query = await self._asked(request, _LABELS)
        begin, end = self._span(request)
        streams = self._selected(query) if query else iter(self.streams.items())
        return [
            labels for labels, entries in streams if any(True for _ in self._between(entries, begin, end))
        ]

    async def _asked(self, request: web.Request, known: set[str]) -> Query | None:
        """The query of a request that may be answered; nothing where it has none."""
        self._must_show(request)
        await asyncio.sleep(self.behaviour.seconds)
        if self.behaviour.status != 200:
            raise _Told(self.behaviour.status, "the stand-in was told to fail")
        if self.behaviour.tenant and request.headers.get("X-Scope-OrgID") != self.behaviour.tenant:
            raise _refused(web.HTTPUnauthorized, "no org id")
        if strange := set(request.query) - known:
            raise _refused(web.HTTPBadRequest, f"{', '.join(sorted(strange))}: there is no such parameter")
        if not (text := request.query.get("query", "")):
            return None
        try:
            return parse(text)
        except QueryError as error:
            raise _refused(web.HTTPBadRequest, str(error)) from error

    def _span(self, request: web.Request) -> tuple[int, int]:
        """The time that is asked about, in nanoseconds: with its beginning, without its end."""
        told, now = request.query, int(self.now() * NANO)
        end = _instant(told["end"]) if "end" in told else now
        since = _span(told["since"]) if "since" in told else 3600.0
        begin = _instant(told["start"]) if "start" in told else min(end, now) - int(since * NANO)
        if end <= begin:
            raise _refused(web.HTTPBadRequest, "end timestamp must not be before or equal to start time")
        if end - begin > LONGEST_QUERY * NANO:
            length = f"{(end - begin) // (3600 * NANO)}h"
            words = "the query time range exceeds the limit"
            raise _refused(web.HTTPBadRequest, f"{words} (query length: {length}, limit: 30d1h)")
        return begin, end

    def _selected(self, query: Query) -> Iterator[tuple[Labels, list[_Entry]]]:
        return (one for one in self.streams.items() if query.selects(dict(one[0])))

    def _between(self, entries: list[_Entry], begin: int, end: int) -> Iterator[_Entry]:
        now = self.now()
        first = bisect_left(entries, begin, key=lambda one: one.at)
        last = bisect_left(entries, end, key=lambda one: one.at)
        return (one for one in entries[first:last] if one.seen <= now)

    async def _behave(self, request: web.Request) -> web.Response:
        self._must_show(request)
        try:
            self.behaviour = _Behaviour(**json.loads(await request.read()))
        except (TypeError, ValueError) as error:
            raise _refused(web.HTTPBadRequest, "say status, push, seconds, delay or tenant") from error
        return web.json_response({})

    def _must_show(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            raise _refused(web.HTTPUnauthorized, "this needs the reader's token")


class _Told(web.HTTPException):
    """An answer of any status, because somebody asked for it."""

    def __init__(self, status: int, why: str) -> None:
        self.status_code = status
        super().__init__(text=why)


def _taken(body: bytes, now: float) -> Iterator[tuple[Labels, int, str]]:
    """Every line of a push: the labels of its stream, its nanosecond, itself; raises a refusal for what is none."""
    try:
        streams = json.loads(body)["streams"]
        for stream in streams:
            labels = _labels_of(stream["stream"])
            for value in stream["values"]:
                yield labels, *_line_of(value, labels, now)
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(web.HTTPBadRequest, f"loghttp.PushRequest: {type(error).__name__}: {error}") from error


def _labels_of(told: Any) -> Labels:
    if not told:
        raise _refused(web.HTTPBadRequest, "error at least one label pair is required per stream")
    if len(told) > MOST_LABELS:
        words = f"has {len(told)} label names; limit {MOST_LABELS}"
        raise _refused(web.HTTPBadRequest, f"entry for stream '{told}' {words}")
    for name, value in told.items():
        if not (_LABEL.fullmatch(name) and isinstance(value, str)):
            raise _refused(
                web.HTTPBadRequest, f"error parsing labels: {name!r} is no label, or its value no text"
            )
    return tuple(sorted(told.items()))


def _line_of(value: Any, labels: Labels, now: float) -> tuple[int, str]:
    at, line, *more = value
    if not isinstance(at, str) or not isinstance(line, str) or len(more) > 1:
        raise _refused(
            web.HTTPBadRequest, "loghttp.PushRequest: a value is [text of nanoseconds, text of the line]"
        )
    instant, about = int(at), f"entry for stream '{dict(labels)}' has timestamp too"
    if instant < (now - OLDEST) * NANO:
        raise _refused(web.HTTPBadRequest, f"{about} old: {_iso(instant)}")
    if instant > (now + AHEAD) * NANO:
        raise _refused(web.HTTPBadRequest, f"{about} new: {_iso(instant)}")
    if len(line) > LONGEST_LINE:
        raise _refused(web.HTTPBadRequest, f"Max entry size '{LONGEST_LINE}' bytes exceeded for stream")
    return instant, line


def _instant(text: str) -> int:
    """Nanoseconds of the epoch: as such, as seconds (ten digits or fewer, or with a point), or as RFC 3339."""
    if text.isascii() and text.isdigit():
        return int(text) if len(text) > 10 else int(text) * NANO
    try:
        if re.fullmatch(r"\d+\.\d+", text):
            return int(float(text) * NANO)
        return int(datetime.fromisoformat(text).timestamp() * NANO)
    except ValueError as error:
        raise _refused(web.HTTPBadRequest, f"could not parse '{text}' as a time") from error


def _span(text: str) -> float:
    if (match := _SPAN.fullmatch(text)) is None:
        raise _refused(web.HTTPBadRequest, f'not a valid duration string: "{text}"')
    return float(match[1]) * _SECONDS[match[2]]


def _whole(text: str, name: str) -> int:
    if not re.fullmatch(r"-?\d+", text):
        raise _refused(web.HTTPBadRequest, f'strconv.Atoi: parsing "{text}": invalid syntax ({name})')
    return int(text)


def _iso(nanoseconds: int) -> str:
    return datetime.fromtimestamp(nanoseconds // NANO, UTC).isoformat().replace("+00:00", "Z")


def _good(data: Any) -> web.Response:
    return web.json_response({"status": "success", "data": data})


def _refused(kind: type[web.HTTPException], why: str) -> web.HTTPException:
    """A refusal in Loki's way: its words, and nothing around them."""
    return kind(text=why)

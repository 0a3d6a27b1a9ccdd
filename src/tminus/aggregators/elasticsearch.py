"""Elasticsearch and OpenSearch: documents by their fields, counted by instance (`_count`, `_search`).

An answer may be 200 and yet partial: `_shards.failed` says of how many shards nothing came, `timed_out` that it was
given up. A pattern that matches no index is no error to them: `_shards.total` is 0 then. Described in
https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-count and `…/operation-search`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tminus.aggregators.lines import SAMPLE, Found, Line, Wanted, counted, flat, instant
from tminus.aggregators.place import Place
from tminus.errors import InconclusiveError
from tminus.http import connect

TIME, ARRIVED = "@timestamp", "event.ingested"
"""When a line was written, and when it came; as the Elastic Common Schema names them."""
TEXTS = ("message", "event.original", "log")
"""Where the line itself stands, the first that is there."""
MOST = 1000
"""How many instances are counted."""
MARKED = (
    *("message", "event.original", "log", "msg", "url.*"),
    *("*req*", "*trace*", "*correlation*", "*path*", "*uri*", "*url*", "*query*"),
)
"""The fields in which a mark is looked for, beside those of the plan.

In all of them it cannot be: beyond 1,024 fields Elasticsearch refuses that. A whole value (a keyword, as the template
of `logs-*-*` has texts) that holds an address is found by what stands before the mark too, hence the leading `*`.
"""


@dataclass(frozen=True, slots=True)
class Elasticsearch:
    """See `Aggregator`; the path of its place is the name of the indices."""

    place: Place = field(repr=False)

    async def recent(self, wanted: Wanted) -> Found:
        """See `Aggregator.recent`."""
        instances = {"instances": {"terms": {"field": wanted.instance, "size": MOST}}}
        return _found(await self._search(_query(wanted), aggs=instances), wanted)

    async def marked(self, wanted: Wanted, mark: str) -> Found:
        """See `Aggregator.marked`."""
        fields = [*dict.fromkeys((*MARKED, *wanted.fields))]
        holding = {"query_string": {"query": f"*{mark}*", "fields": fields, "lenient": True}}
        query = _query(wanted, holding)
        answer = await self._ask("_count", {"query": query})
        lost = _lost(answer)
        if not isinstance(answer.get("count"), int):
            raise _strange()
        if not answer["count"]:
            return Found({}, [], lost)
        return _found(await self._search(query), wanted)

    async def _search(self, query: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        return await self._ask(
            "_search", {"query": query, "size": SAMPLE, "sort": [{TIME: {"order": "desc"}}], **more}
        )

    async def _ask(self, act: str, body: Any) -> dict[str, Any]:
        if not self.place.path:
            raise InconclusiveError(
                "the address of the logs names no index",
                hint="let it end with the name of the indices, such as /logs-*",
            )
        async with connect(self.place.base) as http:
            reply = await http.ask(
                "POST", f"{self.place.path}/{act}", headers=self.place.headers, json_body=body
            )
        answer = self.place.read(reply, "fields")
        if not isinstance(answer, dict) or not isinstance(answer.get("_shards"), dict):
            raise _strange()
        if not answer["_shards"].get("total"):
            raise InconclusiveError(
                f"no index is called {self.place.path.removeprefix('/')}",
                hint="correct the name at the end of the address of the logs",
            )
        return answer


def _query(wanted: Wanted, *more: Mapping[str, Any]) -> dict[str, Any]:
    """The lines of the service within this time; a phrase finds a value in fields of either kind."""
    span = {"gte": int(wanted.since * 1000), "lt": int(wanted.until * 1000), "format": "epoch_millis"}
    labels = {} if wanted.anywhere else wanted.labels
    known = [{"match_phrase": {name: value}} for name, value in labels.items()]
    return {"bool": {"filter": [{"range": {TIME: span}}, *known, *more]}}


def _found(answer: Mapping[str, Any], wanted: Wanted) -> Found:
    hits = answer.get("hits", {}).get("hits")
    if not isinstance(hits, list):
        raise _strange()
    lines = [_line(hit) for hit in hits]
    counts = counted(lines, wanted.instance.removesuffix(".keyword"))
    if "aggregations" in answer:
        buckets = answer["aggregations"]["instances"]["buckets"]
        counts = {str(one["key"]): int(one["doc_count"]) for one in buckets}
    return Found(counts, lines, _lost(answer), cut=len(lines) >= SAMPLE and "aggregations" not in answer)


def _line(hit: Mapping[str, Any]) -> Line:
    fields = dict(flat(hit.get("_source") or {}))
    written, came = _date(fields.get(TIME, "")), _date(fields.get(ARRIVED, ""))
    if written is None:
        raise InconclusiveError(
            f"a line has no time in its field {TIME}", hint="let whoever ships the logs write it"
        )
    text = next((fields[name] for name in TEXTS if name in fields), "")
    return Line(written, text, fields, came)


def _date(text: str) -> float | None:
    """A date of Elasticsearch, which takes one without a zone for UTC."""
    at = instant(text)
    return instant(f"{text}Z") if at is None else at


def _lost(answer: Mapping[str, Any]) -> str:
    shards = answer["_shards"]
    if failed := shards.get("failed"):
        return f"{failed} of {shards['total']} shards failed, so the answer is not whole"
    return "the search was given up for time, so the answer is not whole" if answer.get("timed_out") else ""


def _strange() -> InconclusiveError:
    return InconclusiveError(
        "what answers is neither Elasticsearch nor OpenSearch",
        hint="see what stands at the address of the logs",
    )

"""A stand-in for Elasticsearch's `_count` and `_search`: documents of some indices, and the queries that are used.

What Elasticsearch refuses is refused here in its words: an unknown query, an aggregation over words of a text.
"""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

KEY = "key-7f3a9c-of-the-indices"
SHARDS = 5
KEYWORDS = {"service.name", "side", "pod", "log.level", "request.id", "path", "rid"}
"""The fields that are whole values; all others are texts, with a `.keyword` beside them."""
MOST_FIELDS = 1024
"""How many fields one query may be about."""


@dataclass
class Elastic:
    """Documents by index, and how it behaves."""

    documents: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    mapped: int = 20
    """How many fields documents have had in all."""
    failed: int = 0
    """Shards from which nothing comes."""
    timed_out: bool = False
    status: int = 200
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def application(self) -> web.Application:
        """Its HTTP side."""
        app = web.Application()
        app.router.add_post("/{index}/{act:_count|_search}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"ApiKey {KEY}":
            return _error(401, "security_exception", "missing authentication credentials")
        if self.status != 200:
            return _error(self.status, "es_rejected_execution_exception", "the stand-in was told to fail")
        body, act = await request.json(), request.match_info["act"]
        self.asked.append((act, body))
        allowed = {"query"} if act == "_count" else {"query", "size", "sort", "aggs"}
        if strange := set(body) - allowed:
            return _error(400, "parsing_exception", f"Unknown key for {sorted(strange)}")
        indices = [name for name in self.documents if fnmatchcase(name, request.match_info["index"])]
        try:
            self._expand(body)
            found = [one for name in indices for one in self.documents[name] if _matches(body["query"], one)]
            whole = (
                found[: len(found) - 1] if self.failed and len(found) > 1 else [] if self.failed else found
            )
            shards = {"total": SHARDS * len(indices), "failed": self.failed, "skipped": 0}
            shards["successful"] = shards["total"] - self.failed
            if act == "_count":
                return web.json_response({"count": len(whole), "_shards": shards})
            return web.json_response(self._searched(body, whole, shards))
        except ValueError as error:
            return _error(400, "illegal_argument_exception", str(error))

    def _expand(self, body: Any) -> None:
        if self.mapped > MOST_FIELDS and '"*"' in json.dumps(body):
            raise ValueError(
                f"field expansion for [*] matches too many fields, limit: {MOST_FIELDS}, got: {self.mapped}"
            )

    def _searched(
        self, body: dict[str, Any], found: list[dict[str, Any]], shards: dict[str, int]
    ) -> dict[str, Any]:
        if body["sort"] != [{"@timestamp": {"order": "desc"}}]:
            raise ValueError("No mapping found to sort on")
        newest = sorted(found, key=lambda one: _instant(one["@timestamp"]), reverse=True)
        hits = [{"_index": "logs", "_id": str(number), "_source": one} for number, one in enumerate(newest)]
        answer: dict[str, Any] = {
            "took": 1,
            "timed_out": self.timed_out,
            "_shards": shards,
            "hits": {
                "total": {"value": min(len(found), 10_000), "relation": "eq"},
                "hits": hits[: body["size"]],
            },
        }
        for name, wanted in body.get("aggs", {}).items():
            (kind, told), *more = wanted.items()
            if kind != "terms" or more or set(told) != {"field", "size"}:
                raise ValueError(f"Unknown aggregation {wanted}")
            counts = Counter(str(value) for one in found if (value := _whole(told["field"], one)) is not None)
            buckets = [{"key": key, "doc_count": count} for key, count in counts.most_common(told["size"])]
            total = {"doc_count_error_upper_bound": 0, "sum_other_doc_count": 0, "buckets": buckets}
            answer["aggregations"] = {name: total}
        return answer


def _error(status: int, kind: str, why: str) -> web.Response:
    cause = {"type": kind, "reason": why}
    return web.json_response({"error": {"root_cause": [cause], **cause}, "status": status}, status=status)


def _matches(query: Any, document: dict[str, Any]) -> bool:
    (kind, told), *more = query.items()
    if more:
        raise ValueError("[bool] malformed query, expected [END_OBJECT]")
    if kind == "bool" and set(told) == {"filter"}:
        return all(_matches(one, document) for one in told["filter"])
    if kind == "match_phrase":
        ((name, phrase),) = told.items()
        value = _value(name, document)
        return value is not None and (value == phrase if name in KEYWORDS else str(phrase) in str(value))
    if kind == "range":
        ((name, span),) = told.items()
        if set(span) != {"gte", "lt", "format"} or span["format"] != "epoch_millis":
            raise ValueError("[range] query does not support this")
        at = _instant(_value(name, document)) * 1000
        return bool(span["gte"] <= at < span["lt"])
    if kind == "query_string" and set(told) == {"query", "fields", "lenient"}:
        words = re.fullmatch(r"\*?[A-Za-z0-9]+\*?", told["query"])
        if not words:
            raise ValueError(f"Failed to parse query [{told['query']}]")
        return any(
            fnmatchcase(word, told["query"])
            for name, word in _words(document)
            if any(fnmatchcase(name, pattern) for pattern in told["fields"])
        )
    raise ValueError(f"unknown query [{kind}]")


def _words(document: dict[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """What the default analysis makes of a document, by field: words of texts, whole keywords."""
    for name, value in document.items():
        if isinstance(value, dict):
            yield from _words(value, f"{within}{name}.")
        elif f"{within}{name}" in KEYWORDS:
            yield f"{within}{name}", str(value)
        else:
            yield from ((f"{within}{name}", word) for word in re.findall(r"\w+", str(value).lower()))


def _value(name: str, document: dict[str, Any]) -> Any:
    found: Any = document
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _whole(name: str, document: dict[str, Any]) -> Any:
    if name not in KEYWORDS and not name.endswith(".keyword"):
        raise ValueError(f"Fielddata is disabled on [{name}]; please use a keyword field instead")
    return _value(name.removesuffix(".keyword"), document)


def _instant(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


@asynccontextmanager
async def elastic() -> AsyncIterator[tuple[Elastic, str]]:
    """One that runs, and the address by which a plan names it."""
    found = Elastic()
    async with TestServer(found.application()) as server:
        yield found, f"elasticsearch+http://:{KEY}@{server.host}:{server.port}/logs-*"

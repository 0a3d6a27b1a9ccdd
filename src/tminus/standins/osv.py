"""Advisories about packages, in the shape of OSV's API; what is published here is known here and nowhere else.

| path | what |
|---|---|
| `POST /v1/querybatch` | the advisories of up to 1000 packages, in the order asked, page by page |
| `GET /v1/vulns/{id}` | one advisory |
| `PUT /advisories/{id}` | publishes one, or changes it; `Bearer …` |
| `DELETE /advisories/{id}` | withdraws one; `Bearer …` |
| `PUT /behaviour` | how it answers from now on: `{"status": 503}`, `{"seconds": 30}`, `{"page": 2}`; `Bearer …` |

What OSV refuses is refused here in like words: a package URL that is none, a version told twice, a stranger's token.
"""

import asyncio
import hmac
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from .clock import written

BATCH = 1000
"""Questions in one batch at most."""
PAGE = 1000
"""Advisories of one package in one answer, unless told otherwise."""
LONGEST = 1024 * 1024
"""Bytes of a question at most."""

_PURL = re.compile(r"pkg:(?P<type>[A-Za-z0-9.+-]+)/(?P<name>[^@?#]+)(@(?P<version>[^?#]+))?([?#].*)?")
_INVALID, _MISSING = 3, 5


@dataclass(slots=True)
class _Behaviour:
    status: int = 200
    seconds: float = 0.0
    page: int = PAGE


@dataclass(slots=True)
class Advisories:
    """Everything published so far, and how the service behaves."""

    now: Callable[[], float]
    token: str = field(repr=False)
    """What whoever publishes must show."""
    keep: Callable[[dict[str, Any]], dict[str, Any]]
    """Writes an advisory down, so that it is known after a kill too, and hands it to `take`."""
    _known: dict[str, dict[str, Any]] = field(default_factory=dict)
    _behaviour: _Behaviour = field(default_factory=_Behaviour)

    def take(self, document: dict[str, Any], at: float) -> dict[str, Any]:
        """Know an advisory from this instant on, in place of the one of this id."""
        told = written(at)
        known = {"schema_version": "1.7.0", "published": told, **document, "modified": told}
        self._known[str(document["id"])] = known
        return known

    def application(self) -> web.Application:
        """Its HTTP side."""
        app = web.Application(client_max_size=LONGEST)
        app.router.add_post("/v1/querybatch", self._batch)
        app.router.add_get("/v1/vulns/{id}", self._one)
        app.router.add_put("/advisories/{id}", self._publish)
        app.router.add_delete("/advisories/{id}", self._withdraw)
        app.router.add_put("/behaviour", self._behave)
        return app

    async def _batch(self, request: web.Request) -> web.Response:
        await self._as_told()
        body = _object(await request.read())
        queries = body.get("queries")
        if not isinstance(queries, list):
            raise _refused(web.HTTPBadRequest, _INVALID, "Invalid query.")
        if len(queries) > BATCH:
            raise _refused(web.HTTPBadRequest, _INVALID, "Too many queries.")
        return web.json_response({"results": [self._result(query) for query in queries]})

    def _result(self, query: Any) -> dict[str, Any]:
        package, version = _asked(query)
        found = sorted(name for name, one in self._known.items() if _affects(one, package, version))
        begin = self._begin(query.get("page_token"), found)
        page = found[begin : begin + self._behaviour.page]
        result: dict[str, Any] = {}
        if page:
            result["vulns"] = [{"id": name, "modified": self._known[name]["modified"]} for name in page]
        if begin + len(page) < len(found):
            result["next_page_token"] = f"after:{page[-1]}"
        return result

    def _begin(self, token: Any, found: list[str]) -> int:
        if not token:
            return 0
        name = str(token).removeprefix("after:")
        if name not in self._known:
            raise _refused(web.HTTPBadRequest, _INVALID, "Invalid page token.")
        return sum(one <= name for one in found)

    async def _one(self, request: web.Request) -> web.Response:
        await self._as_told()
        found = self._known.get(request.match_info["id"])
        if found is None:
            raise _refused(web.HTTPNotFound, _MISSING, "Bug not found.")
        return web.json_response(found)

    async def _publish(self, request: web.Request) -> web.Response:
        self._must_show(request)
        document = _object(await request.read())
        return web.json_response(self.keep({**document, "id": request.match_info["id"]}))

    async def _withdraw(self, request: web.Request) -> web.Response:
        self._must_show(request)
        name = request.match_info["id"]
        if name not in self._known:
            raise _refused(web.HTTPNotFound, _MISSING, "Bug not found.")
        return web.json_response(self.keep({**self._known[name], "withdrawn": written(self.now())}))

    async def _behave(self, request: web.Request) -> web.Response:
        self._must_show(request)
        try:
            self._behaviour = _Behaviour(**_object(await request.read()))
        except TypeError as error:
            raise _refused(web.HTTPBadRequest, _INVALID, "say status, seconds or page") from error
        return web.json_response({})

    async def _as_told(self) -> None:
        """Be slow, or fail, where somebody has asked for it."""
        await asyncio.sleep(self._behaviour.seconds)
        if self._behaviour.status != 200:
            raise _Told(self._behaviour.status)

    def _must_show(self, request: web.Request) -> None:
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
            raise _refused(web.HTTPUnauthorized, 16, "this needs the publisher's token")


class _Told(web.HTTPException):
    """An answer of any status, because somebody asked for it."""

    def __init__(self, status: int) -> None:
        self.status_code = status
        super().__init__(text="the stand-in was told to fail")


def _asked(query: Any) -> tuple[tuple[str, str], str]:
    """Ecosystem and name of a package, and the version that is asked about; empty for every version."""
    if not isinstance(query, dict) or not isinstance(query.get("package"), dict):
        raise _refused(web.HTTPBadRequest, _INVALID, "Invalid query.")
    package, version = query["package"], str(query.get("version") or "")
    if not (purl := package.get("purl")):
        return (str(package.get("ecosystem", "")).lower(), str(package.get("name", ""))), version
    read = _PURL.fullmatch(str(purl))
    if read is None:
        raise _refused(web.HTTPBadRequest, _INVALID, "Invalid Package URL.")
    if version and read["version"]:
        raise _refused(web.HTTPBadRequest, _INVALID, "version specified in params and PURL query")
    return (read["type"].lower(), unquote(read["name"])), version or unquote(read["version"] or "")


def _affects(advisory: dict[str, Any], package: tuple[str, str], version: str) -> bool:
    if advisory.get("withdrawn"):
        return False
    rows = (row for row in advisory.get("affected", []) if _named(row.get("package", {})) == package)
    return any(not version or version in row.get("versions", []) or _in_ranges(row, version) for row in rows)


def _named(package: dict[str, Any]) -> tuple[str, str]:
    return str(package.get("ecosystem", "")).lower(), str(package.get("name", ""))


def _in_ranges(row: dict[str, Any], version: str) -> bool:
    """Whether a version lies in one of the ranges; numbers between dots are compared, enough for a stand-in."""
    asked = _numbers(version)
    for events in (one.get("events", []) for one in row.get("ranges", [])):
        hit = False
        for event in sorted(events, key=lambda one: _numbers(next(iter(one.values())))):
            if "introduced" in event and asked >= _numbers(event["introduced"]):
                hit = True
            elif "fixed" in event and asked >= _numbers(event["fixed"]):
                hit = False
        if hit:
            return True
    return False


def _numbers(version: str) -> list[int]:
    return list(_digits(str(version)))


def _digits(version: str) -> Iterator[int]:
    for part in version.split("."):
        yield int(re.match(r"\d*", part)[0] or 0)  # type: ignore[index] # it matches the empty text too


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise _refused(web.HTTPBadRequest, _INVALID, "Invalid JSON.") from error
    if not isinstance(found, dict):
        raise _refused(web.HTTPBadRequest, _INVALID, "Invalid JSON.")
    return found


def _refused(kind: type[web.HTTPException], code: int, why: str) -> web.HTTPException:
    return kind(text=json.dumps({"code": code, "message": why}), content_type="application/json")

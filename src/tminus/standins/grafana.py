"""Grafana's HTTP API over dashboards that are kept here and the data of a real Prometheus.

| path | what |
|---|---|
| `GET /api/health` | whether it answers, and its version; without a token |
| `POST /api/dashboards/db` | keeps a dashboard; 412 when somebody else has changed it |
| `GET`, `DELETE /api/dashboards/uid/{uid}` | one dashboard |
| `GET /apis/dashboard.grafana.app/v1/namespaces/default/dashboards/{uid}` | the same by the newer structure |
| `GET /api/search` | dashboards by words of their titles |
| `GET`, `POST /api/datasources`, `GET`, `DELETE /api/datasources/uid/{uid}` | data sources |
| `GET /api/datasources/uid/{uid}/health` | whether one answers; 400 when it does not, 501 without a health check |
| `GET /api/datasources/uid/{uid}/resources/api/v1/label/{label}/values` | the values of a label at a Prometheus |
| `GET`, `DELETE /api/library-elements/{uid}`, `POST /api/library-elements` | library panels |
| `POST /api/ds/query` | what queries give, and sums over them; 400 as soon as one fails |

A process of its own: `python -m tminus.standins.grafana --port N`. Written after Grafana's own pages about its HTTP
API. It is stricter than Grafana: a field that nobody knows is refused.
"""

import argparse
import hmac
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from . import STAND_IN, grafana_queries
from .clock import wall_clock, written
from .grafana_store import Entry, Refused, Store
from .journal import Journal

EDITOR_VARIABLE = "STANDINS_GRAFANA"
"""Where the token is found that may change what is kept."""
VIEWER_VARIABLE = "STANDINS_GRAFANA_VIEWER"
"""Where the token is found that may only look; it may be missing."""
VERSION = "12.0.0"
"""Which Grafana it behaves like."""
LARGEST_BYTES = 8 * 1024 * 1024
_SEARCHED = frozenset({"query", "type", "tag", "limit", "page", "dashboardUIDs", "folderUIDs", "starred"})


@dataclass(frozen=True, slots=True)
class Tokens:
    """Who may do what."""

    editor: str = field(repr=False)
    viewer: str = field(default="", repr=False)

    def role(self, given: str) -> str:
        """Whose token this is; empty for nobody's."""
        for name in ("editor", "viewer"):
            token = getattr(self, name)
            if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                return name
        return ""


class Grafana:
    """Answers as Grafana would; `legacy` is whether dashboards are answered under `/api` too."""

    def __init__(self, store: Store, tokens: Tokens, *, legacy: bool = True) -> None:
        self._store = store
        self._tokens = tokens
        self._legacy = legacy

    def application(self) -> web.Application:
        """The HTTP side."""
        app = web.Application(client_max_size=LARGEST_BYTES, middlewares=[self._guarded])
        app.on_response_prepare.append(_mark)
        newer = "/apis/dashboard.grafana.app/v1/namespaces/default/dashboards/{uid}"
        routes = [
            web.get("/api/health", self._health),
            web.get(newer, self._newer),
            web.get("/api/search", self._search),
            web.get("/api/datasources", self._sources),
            web.post("/api/datasources", self._add_source),
            web.get("/api/datasources/uid/{uid}", self._source),
            web.delete("/api/datasources/uid/{uid}", self._remove_source),
            web.get("/api/datasources/uid/{uid}/health", self._source_health),
            web.get("/api/datasources/uid/{uid}/resources/api/v1/label/{label}/values", self._label_values),
            web.post("/api/library-elements", self._add_element),
            web.get("/api/library-elements/{uid}", self._element),
            web.delete("/api/library-elements/{uid}", self._remove_element),
            web.post("/api/ds/query", self._query),
        ]
        if self._legacy:
            routes += [
                web.post("/api/dashboards/db", self._save),
                web.get("/api/dashboards/uid/{uid}", self._dashboard),
                web.delete("/api/dashboards/uid/{uid}", self._delete),
            ]
        app.router.add_routes(routes)
        return app

    @web.middleware
    async def _guarded(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Nobody without a token, nobody who may only look where something changes; refusals in Grafana's words."""
        if request.path != "/api/health":
            role = self._tokens.role(request.headers.get("Authorization", ""))
            if not role:
                return web.json_response({"message": "Invalid API key"}, status=401)
            if role == "viewer" and request.method != "GET" and request.path != "/api/ds/query":
                words = "You'll need additional permissions to perform this action."
                return web.json_response({"title": "Access denied", "message": words}, status=403)
        try:
            answered: web.StreamResponse = await handler(request)
        except Refused as refusal:
            return web.json_response(refusal.body, status=refusal.status)
        except web.HTTPNotFound:
            return web.json_response({"message": "Not found"}, status=404)
        return answered

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"database": "ok", "version": VERSION, "commit": "stand-in"})

    async def _save(self, request: web.Request) -> web.Response:
        entry = self._store.save(await _json(request))
        model = entry.model
        return web.json_response(
            {
                "id": entry.number,
                "uid": model["uid"],
                "url": entry.url,
                "status": "success",
                "version": model["version"],
                "slug": entry.slug,
                "folderUid": entry.folder,
            }
        )

    async def _dashboard(self, request: web.Request) -> web.Response:
        entry = self._entry(request)
        meta = {
            "type": "db",
            "isStarred": False,
            "url": entry.url,
            "slug": entry.slug,
            "version": entry.model["version"],
            "created": written(entry.created),
            "updated": written(entry.updated),
            "folderId": 0,
            "folderUid": entry.folder,
            "provisioned": entry.provisioned,
        }
        return web.json_response({"dashboard": entry.model, "meta": meta})

    async def _newer(self, request: web.Request) -> web.Response:
        entry = self._entry(request)
        model = entry.model
        meta = {"name": model["uid"], "namespace": "default", "generation": model["version"]}
        meta |= {"annotations": {"grafana.app/folder": entry.folder}} if entry.folder else {}
        spec = {name: value for name, value in model.items() if name not in {"id", "uid", "version"}}
        about = {"kind": "Dashboard", "apiVersion": "dashboard.grafana.app/v1"}
        return web.json_response({**about, "metadata": meta, "spec": spec})

    async def _delete(self, request: web.Request) -> web.Response:
        gone = self._store.delete(request.match_info["uid"])
        title = gone.model["title"]
        words = f"Dashboard {title} deleted"
        return web.json_response({"title": title, "message": words, "id": gone.number})

    def _entry(self, request: web.Request) -> Entry:
        found = self._store.dashboards.get(request.match_info["uid"])
        if found is None:
            raise Refused(404, "Dashboard not found")
        return found

    async def _search(self, request: web.Request) -> web.Response:
        asked = request.query
        limit = asked.get("limit", "1000")
        if (
            set(asked) - _SEARCHED
            or not limit.isdigit()
            or asked.get("type", "dash-db") not in {"dash-db", "dash-folder"}
        ):
            raise Refused(400, "bad request data")
        words = asked.get("query", "").lower()
        found = [
            {
                "id": one.number,
                "uid": one.model["uid"],
                "title": one.model["title"],
                "url": one.url,
                "type": "dash-db",
                "tags": one.model.get("tags", []),
                "isStarred": False,
            }
            for one in sorted(self._store.dashboards.values(), key=lambda one: str(one.model["title"]))
            if words in str(one.model["title"]).lower() and asked.get("type") != "dash-folder"
        ]
        return web.json_response(found[: int(limit)])

    async def _sources(self, _request: web.Request) -> web.Response:
        return web.json_response([_told(one) for one in self._store.sources.values()])

    async def _add_source(self, request: web.Request) -> web.Response:
        added = self._store.add_source(await _json(request))
        return web.json_response(
            {"datasource": _told(added), "message": "Datasource added", "name": added["name"]}
        )

    async def _source(self, request: web.Request) -> web.Response:
        return web.json_response(_told(self._one_source(request)))

    async def _remove_source(self, request: web.Request) -> web.Response:
        self._store.remove_source(request.match_info["uid"])
        return web.json_response({"message": "Data source deleted"})

    async def _source_health(self, request: web.Request) -> web.Response:
        status, body = await grafana_queries.health(self._one_source(request))
        return web.json_response(body, status=status)

    async def _label_values(self, request: web.Request) -> web.Response:
        label, asked = request.match_info["label"], dict(request.query)
        status, body = await grafana_queries.label_values(self._one_source(request), label, asked)
        return web.json_response(body, status=status)

    def _one_source(self, request: web.Request) -> dict[str, Any]:
        found = self._store.sources.get(request.match_info["uid"])
        if found is None:
            raise Refused(404, "Data source not found")
        return found

    async def _add_element(self, request: web.Request) -> web.Response:
        return web.json_response({"result": self._store.add_element(await _json(request))})

    async def _element(self, request: web.Request) -> web.Response:
        found = self._store.elements.get(request.match_info["uid"])
        if found is None:
            raise Refused(404, "library element could not be found")
        return web.json_response({"result": found})

    async def _remove_element(self, request: web.Request) -> web.Response:
        self._store.remove_element(request.match_info["uid"])
        return web.json_response({"message": "Library element deleted"})

    async def _query(self, request: web.Request) -> web.Response:
        status, body = await grafana_queries.answer(await _json(request), self._store.sources, wall_clock)
        return web.json_response(body, status=status)


def _told(source: dict[str, Any]) -> dict[str, Any]:
    """A data source as readers see it; what the stand-in was told of it is nobody's business."""
    return {name: value for name, value in source.items() if name != "told"}


async def _mark(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["X-Stand-In"] = STAND_IN


async def _json(request: web.Request) -> Any:
    try:
        return json.loads(await request.read())
    except ValueError as error:
        raise Refused(400, "bad request data") from error


def main(arguments: Sequence[str]) -> None:
    """Answer until SIGTERM or SIGINT; the tokens stand in the environment."""
    parser = argparse.ArgumentParser(prog="python -m tminus.standins.grafana", description=STAND_IN)
    parser.add_argument("--port", type=int, required=True, help="where it listens on the loopback address")
    parser.add_argument("--folder", type=Path, default=Path(), help="where what it is told is kept")
    parser.add_argument("--sources", type=Path, help="JSON: the data sources that it has from the start")
    parser.add_argument("--dashboards", type=Path, help="a folder of dashboards that it has from the start")
    parser.add_argument("--newer", action="store_true", help="dashboards are answered under /apis alone")
    options = parser.parse_args(arguments)
    store = Store(Journal(options.folder / "kept.jsonl"), wall_clock)
    for source in json.loads(options.sources.read_text(encoding="utf-8")) if options.sources else []:
        if source["uid"] not in store.sources:
            store.add_source(source)
    if options.dashboards:
        store.provision(options.dashboards)
    tokens = Tokens(os.environ[EDITOR_VARIABLE], os.environ.get(VIEWER_VARIABLE, ""))
    grafana = Grafana(store, tokens, legacy=not options.newer)
    web.run_app(grafana.application(), host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main(sys.argv[1:])

"""The API server: discovery, objects and their sub-resources, watches, and who may do what."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import yaml
from aiohttp import web

from . import access, fields, kinds
from .access import ADMIN, Wish
from .around import Surroundings
from .contents import admitted
from .kinds import Kind
from .operators import Operators
from .orders import Orders
from .problems import ApiProblem, bad_request, copied, not_found
from .requests import Asked, asked
from .selectors import fields_meet, labels_meet
from .store import Json, Store, labels
from .workloads import Workloads

MARK = {"X-Stand-In": "a stand-in for the Kubernetes API, shipped with tminus; it runs no containers"}
"""What every answer says of itself."""
_TURN_SECONDS = 0.02
_APPLY = "application/apply-patch+yaml"
_LARGEST = 4 * 2**20
_REASONS = {401: "Unauthorized", 403: "Forbidden", 429: "TooManyRequests", 500: "InternalError"}
_FIXED: Mapping[str, Json] = {
    "version": {
        "major": "1",
        "minor": "32",
        "gitVersion": "v1.32.0-standin",
        "gitCommit": "none",
        "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z",
        "goVersion": "none",
        "compiler": "none",
        "platform": "none",
    },
    "api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
    "apis": kinds.groups(),
    "healthz": {"status": "ok"},
    "readyz": {"status": "ok"},
    "livez": {"status": "ok"},
}
"""What is answered at these paths."""


class Cluster:
    """A cluster that does not exist: its API, its controllers, and the orders to misbehave."""

    def __init__(self, namespace: str, tokens: Mapping[str, str]) -> None:
        self.store = Store()
        self.orders = Orders()
        self.tokens = dict(tokens)
        """By bearer token: whose it is; `admin` may do everything."""
        self.workloads = Workloads(self.store, self.orders)
        self._around = Surroundings(self.store, self.orders, self.workloads)
        self._operators = Operators(self.store, self.orders)
        self.writes: list[str] = []
        """Every write that was asked for and allowed: verb, resource and name, the oldest first."""
        for name in ("default", namespace):
            if not self.store.has(kinds.named("Namespace"), "", name):
                self.store.create(kinds.named("Namespace"), "", {"metadata": {"name": name}})

    def turn(self) -> None:
        """Let every controller look once."""
        if not self.orders.idle:
            self.workloads.turn()
            self._around.turn()
            self._operators.turn()

    def settle(self, turns: int = 10) -> None:
        """Let the controllers look until nothing changes, so often at the most."""
        for _ in range(turns):
            before = self.store.version
            self.turn()
            if self.store.version == before:
                return

    def put(self, *things: Json, manager: str = "kubectl-client-side-apply") -> None:
        """Create or replace objects as an administrator does who uses no server-side apply."""
        for given in things:
            kind, meta = kinds.named(given["kind"]), given["metadata"]
            thing = admitted(kind, given)
            namespace = meta.get("namespace", "default") if kind.namespaced else ""
            if self.store.has(kind, namespace, meta["name"]):
                live = self.store.find(kind, namespace, meta["name"])
                new = {**live, **thing, "metadata": {**live["metadata"], **meta}}
                self.store.write(kind, fields.updated(live, new, manager, self.store.now()))
            else:
                self.store.create(kind, namespace, thing, manager)

    @asynccontextmanager
    async def serving(self, port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        """Within it the API is answered at the address that it gives, and the controllers act."""
        app = web.Application(client_max_size=_LARGEST)
        app.router.add_route("*", "/{path:.*}", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
        ticking = asyncio.create_task(self._tick())
        try:
            yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            await runner.cleanup()

    async def _tick(self) -> None:
        while True:
            self.turn()
            await asyncio.sleep(_TURN_SECONDS)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if self.orders.away:
            assert request.transport is not None  # noqa: S101 - a request that is answered has a connection
            request.transport.abort()
            return web.Response()
        if self.orders.slow_seconds:
            await asyncio.sleep(self.orders.slow_seconds)
        if self.orders.status:
            ordered = ApiProblem(
                self.orders.status, _REASONS.get(self.orders.status, "Unknown"), "as ordered"
            )
            return web.json_response(ordered.status(), status=ordered.code, headers=MARK)
        try:
            answer = await self._served(request)
        except ApiProblem as problem:
            return web.json_response(problem.status(), status=problem.code, headers=MARK)
        if request.method != "GET" and self.orders.hangs_up_after >= 0:
            self.orders.hangs_up_after -= 1
            if self.orders.hangs_up_after < 0:
                assert request.transport is not None  # noqa: S101 - a request that is answered has a connection
                request.transport.abort()
        return answer

    async def _served(self, request: web.Request) -> web.StreamResponse:
        user = access.user_of(self.tokens, request.headers.get("Authorization", ""))
        if (found := _discovery(request.path)) is not None:
            return web.json_response(found, headers=MARK)
        wanted = asked(request)
        if wanted.kind is kinds.REVIEWS:
            return self._review(user, await _body(request))
        access.must_be_allowed(self.store, user, wanted.wish())
        self._must_be_served(request, wanted)
        if request.method != "GET":
            self.writes.append(f"{wanted.verb} {wanted.wish().resource} {wanted.name}".rstrip())
        if wanted.watches:
            return await self._watch(request, wanted)
        handlers: Mapping[str, Callable[[web.Request, Asked], Awaitable[Any]]] = {
            "GET": self._read,
            "POST": self._create,
            "PUT": self._replace,
            "PATCH": self._patch,
            "DELETE": self._delete,
        }
        if request.content_type == _APPLY and not self.store.has(wanted.kind, wanted.namespace, wanted.name):
            access.must_be_allowed(self.store, user, replace(wanted.wish(), verb="create"))
        handler = handlers.get(request.method)
        if handler is None:
            raise ApiProblem(405, "MethodNotAllowed", f"the server does not allow {request.method} here")
        answer = await handler(request, wanted)
        if isinstance(answer, str):
            return web.Response(text=answer, headers=MARK)
        self.turn()
        status = 201 if request.method == "POST" and answer.get("kind") != "Status" else 200
        return web.json_response(answer, status=status, headers=MARK)

    def _must_be_served(self, request: web.Request, wanted: Asked) -> None:
        """Raise the `ApiProblem` that is ordered for a request of this kind."""
        if wanted.kind.group in self.orders.unserved:
            raise not_found("the server could not find the requested resource", request.path)
        if self.orders.webhook_down and request.method != "GET":
            why = f'Internal error occurred: failed calling webhook "{self.orders.webhook_down}": connection refused'
            raise ApiProblem(500, "InternalError", why)
        if self.orders.webhook_not_dry and wanted.dry:
            raise bad_request(f'admission webhook "{self.orders.webhook_not_dry}" does not support dry run')

    def _review(self, user: str, body: Json) -> web.Response:
        about = body["spec"].get("resourceAttributes") or {}
        part = f"/{about['subresource']}" if about.get("subresource") else ""
        wish = Wish(
            about.get("verb", ""),
            about.get("group", ""),
            f"{about.get('resource', '')}{part}",
            about.get("namespace", ""),
            about.get("name", ""),
        )
        answer = {**body, "status": {"allowed": access.may(self.store, user, wish)}}
        return web.json_response(answer, status=201, headers=MARK)

    async def _read(self, request: web.Request, wanted: Asked) -> Json | str:
        del request
        if not wanted.name:
            return self._list(wanted)
        thing = self.store.find(wanted.kind, wanted.namespace, wanted.name)
        if wanted.bare:
            return _bare(thing)
        if wanted.part == "log":
            return self.workloads.log(thing)
        return _scale_of(thing) if wanted.part == "scale" else thing

    def _list(self, wanted: Asked) -> Json:
        items = self._listed(wanted)
        meta = {"resourceVersion": str(self.store.version)}
        if wanted.bare:
            items = [_bare(thing) for thing in items]
            return {
                "kind": "PartialObjectMetadataList",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": meta,
                "items": items,
            }
        if not wanted.kind.custom:
            # As the API server: what a list is of stands in the list alone.
            items = [
                {key: part for key, part in thing.items() if key not in {"kind", "apiVersion"}}
                for thing in items
            ]
        kind = f"{wanted.kind.kind}List"
        return {"kind": kind, "apiVersion": wanted.kind.api_version, "metadata": meta, "items": items}

    def _listed(self, wanted: Asked) -> list[Json]:
        return [
            copied(thing)
            for thing in self.store.every(wanted.kind.kind, wanted.namespace)
            if labels_meet(wanted.labels, labels(thing)) and fields_meet(wanted.fields, thing)
        ]

    async def _create(self, request: web.Request, wanted: Asked) -> Json:
        body = admitted(wanted.kind, await _body(request))
        if wanted.part == "eviction":
            pod = self.store.find(wanted.kind, wanted.namespace, wanted.name)
            self._around.evict(pod, dry=wanted.dry)
            return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
        return self.store.create(wanted.kind, wanted.namespace, body, wanted.manager, dry=wanted.dry)

    async def _replace(self, request: web.Request, wanted: Asked) -> Json:
        live = self.store.find(wanted.kind, wanted.namespace, wanted.name)
        return self._updated(wanted, live, admitted(wanted.kind, await _body(request)))

    async def _patch(self, request: web.Request, wanted: Asked) -> Json:
        body, how = admitted(wanted.kind, await _body(request)), request.content_type
        if how == _APPLY:
            return self._applied(wanted, body)
        live = self.store.find(wanted.kind, wanted.namespace, wanted.name)
        shown = _scale_of(live) if wanted.part == "scale" else live
        if how == "application/merge-patch+json":
            return self._updated(wanted, live, fields.merge_patched(shown, body))
        if how == "application/strategic-merge-patch+json":
            return self._updated(wanted, live, fields.merged(shown, body))
        raise ApiProblem(
            415, "UnsupportedMediaType", f"the body of the request was in an unknown format: {how}"
        )

    def _updated(self, wanted: Asked, live: Json, new: Json) -> Json:
        if wanted.part == "scale":
            replicas = new["spec"]["replicas"]
            given = new.get("metadata", {}).get("resourceVersion")
            meta = {**live["metadata"], **({"resourceVersion": given} if given else {})}
            whole = {**live, "metadata": meta, "spec": {**live["spec"], "replicas": replicas}}
            managed = fields.updated(live, whole, wanted.manager, self.store.now(), "scale")
            return _scale_of(self.store.write(wanted.kind, managed, dry=wanted.dry))
        new = {**new, "apiVersion": live["apiVersion"], "kind": live["kind"]}
        new["metadata"] = {**new.get("metadata", {}), "name": wanted.name}
        if wanted.kind.namespaced:
            new["metadata"]["namespace"] = wanted.namespace
        managed = fields.updated(live, new, wanted.manager, self.store.now(), wanted.part)
        return self.store.write(wanted.kind, managed, part=wanted.part, dry=wanted.dry)

    def _applied(self, wanted: Asked, body: Json) -> Json:
        if not wanted.given_manager:
            raise bad_request("PatchOptions.meta.k8s.io is invalid: fieldManager: Required value")
        there = self.store.has(wanted.kind, wanted.namespace, wanted.name)
        empty: Json = {"apiVersion": wanted.kind.api_version, "kind": wanted.kind.kind, "metadata": {}}
        live = self.store.find(wanted.kind, wanted.namespace, wanted.name) if there else empty
        at = self.store.now()
        new = fields.applied(live, body, wanted.given_manager, at, force=wanted.force)
        new["metadata"]["name"] = wanted.name
        if there:
            return self.store.write(wanted.kind, new, dry=wanted.dry)
        return self.store.create(wanted.kind, wanted.namespace, new, dry=wanted.dry)

    async def _delete(self, request: web.Request, wanted: Asked) -> Json:
        if not wanted.name:
            raise ApiProblem(405, "MethodNotAllowed", "this stand-in deletes one object at a time")
        thing = self.store.find(wanted.kind, wanted.namespace, wanted.name)
        body = await _body(request) if request.can_read_body else {}
        conditions = body.get("preconditions") or {}
        for key in ("uid", "resourceVersion"):
            if key in conditions and conditions[key] != thing["metadata"][key]:
                raise ApiProblem(409, "Conflict", f"Precondition failed: {key}: {conditions[key]}")
        if not wanted.dry:
            if wanted.kind.kind == "Pod":
                self.workloads.end(thing, body.get("gracePeriodSeconds"))
            else:
                self.store.remove(wanted.kind, thing)
        about = {"name": wanted.name, "kind": wanted.kind.plural, "uid": thing["metadata"]["uid"]}
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": about}

    async def _watch(self, request: web.Request, wanted: Asked) -> web.StreamResponse:
        response = web.StreamResponse(headers={**MARK, "Content-Type": "application/json"})
        await response.prepare(request)
        loop = asyncio.get_running_loop()
        end = loop.time() + wanted.seconds
        seen = wanted.since
        if seen is None:
            for thing in self._listed(wanted):
                await _send(response, "ADDED", thing)
            seen = self.store.version
        while (left := end - loop.time()) > 0:
            if seen < self.store.forgotten:
                gone = ApiProblem(
                    410, "Expired", f"too old resource version: {seen} ({self.store.forgotten})"
                )
                await _send(response, "ERROR", gone.status())
                break
            for one in [one for one in self.store.history if one.version > seen]:
                seen = one.version
                if _watched(wanted, one.kind, one.thing):
                    await _send(response, one.how, one.thing)
            await self.store.change(min(left, 1.0))
        return response


def _watched(wanted: Asked, kind: Kind, thing: Json) -> bool:
    return (
        kind is wanted.kind
        and wanted.namespace in {"", thing["metadata"].get("namespace", "")}
        and labels_meet(wanted.labels, labels(thing))
        and fields_meet(wanted.fields, thing)
    )


async def _send(response: web.StreamResponse, how: str, thing: Json) -> None:
    await response.write(json.dumps({"type": how, "object": thing}).encode() + b"\n")


async def _body(request: web.Request) -> Json:
    """The body; JSON is YAML too."""
    try:
        found = yaml.safe_load(await request.read())
    except yaml.YAMLError as error:
        raise bad_request(f"the body is no YAML: {error}") from error
    if not isinstance(found, dict):
        raise bad_request("the body is no object")
    return found


def _bare(thing: Json) -> Json:
    """An object without all but its metadata."""
    about = {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1"}
    return {**about, "metadata": thing["metadata"]}


def _scale_of(thing: Json) -> Json:
    meta = {
        key: thing["metadata"][key]
        for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    }
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": meta,
        "spec": {"replicas": thing["spec"].get("replicas", 1)},
        "status": {"replicas": thing.get("status", {}).get("replicas", 0)},
    }


def _discovery(path: str) -> Json | None:
    """What discovery answers at this path; none where there are objects."""
    steps = path.strip("/")
    if steps in _FIXED:
        return _FIXED[steps]
    if steps != "api/v1" and not (steps.startswith("apis/") and steps.count("/") == 2):
        return None
    found = kinds.resources(steps.removeprefix("apis/").removeprefix("api/"))
    if found is None:
        raise not_found("the server could not find the requested resource", steps)
    return found


__all__ = ["ADMIN", "Cluster"]

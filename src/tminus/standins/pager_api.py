"""The HTTP side of the stand-in for PagerDuty.

| path | what |
|---|---|
| `POST /v2/enqueue` | the Events API v2 |
| `GET /incidents`, `/incidents/{id}`, `/incidents/{id}/alerts`, `/incidents/{id}/log_entries` | the REST API |
| `POST /incidents`, `PUT /incidents/{id}` | an incident is opened, acknowledged, resolved |
| `GET /services/{id}`, `/oncalls`, `/users/{id}/contact_methods`, `/users/{id}/notification_rules` | who is told how |
| `PUT /behaviour` | how it behaves from now on (`oncall.Behaviour`); `Bearer …` |

The REST API wants `Token token=…`. What PagerDuty's description does not have is refused: a query it does not know, a
call without the version in `Accept`, a change in nobody's name.
"""

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from aiohttp import web

from . import oncall, pager
from .clock import read, wall_clock
from .oncall import Behaviour, BehaviourError
from .pager import POLICY, SERVICE, Incident, Pager, Wanted

MOST = 100
"""How many of a list one answer holds; PagerDuty's own limit."""
MONTH = 31 * 86_400.0
ACCEPT = "application/vnd.pagerduty+json;version=2"
STATES = ("triggered", "acknowledged", "resolved")
_WINDOW = {"limit", "offset", "total"}

Handler = Callable[[web.Request], Any]


@dataclass(slots=True)
class PagerApi:
    """Everything that a pager is asked over HTTP."""

    known: Pager
    routing_key: str = field(repr=False)
    token: str = field(repr=False)
    keep: Callable[[str, dict[str, Any]], Any]
    """Writes down what came (its kind and itself), hands it to the pager, and gives what the pager gives."""
    behaviour: Behaviour = field(default_factory=Behaviour)

    def application(self) -> web.Application:
        """As a web application."""
        app = web.Application()
        app.router.add_post("/v2/enqueue", self._enqueue)
        app.router.add_get("/incidents", self._incidents)
        app.router.add_post("/incidents", self._open)
        app.router.add_get("/incidents/{id}", self._incident)
        app.router.add_put("/incidents/{id}", self._change)
        app.router.add_get("/incidents/{id}/alerts", self._alerts)
        app.router.add_get("/incidents/{id}/log_entries", self._entries)
        app.router.add_get("/services/{id}", self._service)
        app.router.add_get("/oncalls", self._oncalls)
        app.router.add_get("/users/{id}/contact_methods", self._methods)
        app.router.add_get("/users/{id}/notification_rules", self._rules)
        app.router.add_put("/behaviour", self._behave)
        return app

    async def _enqueue(self, request: web.Request) -> web.Response:
        event = await _json(request)
        if found := pager.problems(event, self.routing_key):
            refusal = {"status": "invalid event", "message": "Event object is invalid", "errors": found}
            return web.json_response(refusal, status=400)
        del event["routing_key"]  # a secret that nobody needs again
        key = self.keep("page", event)
        answer = {"status": "success", "message": "Event processed", "dedup_key": key}
        return web.json_response(answer, status=202)

    async def _incidents(self, request: web.Request) -> web.Response:
        self._must_show(request)
        self._go_on()
        query = request.query
        try:
            since, until = self._dates(query)
            wanted = Wanted(
                since=since,
                until=until,
                statuses=query.getall("statuses[]", []),
                services=query.getall("service_ids[]", []),
                urgencies=query.getall("urgencies[]", []),
                key=query.get("incident_key"),
            )
        except ValueError as error:
            raise refused(web.HTTPBadRequest, str(error)) from error
        found = [incident.shown() for incident in self.known.wanted(wanted)]
        return self._page(request, "incidents", found)

    @staticmethod
    def _dates(query: Mapping[str, str]) -> tuple[float | None, float | None]:
        """The time that is asked for: of a month where nobody says it, of no more than six."""
        if query.get("date_range") == "all":
            return None, None
        until = read(query["until"]) if "until" in query else wall_clock()
        since = read(query["since"]) if "since" in query else until - MONTH
        if until - since > 6 * MONTH:
            raise ValueError("the date range is longer than six months")
        return since, until if "until" in query else None

    async def _incident(self, request: web.Request) -> web.Response:
        self._must_show(request)
        return web.json_response({"incident": self._found(request).shown()})

    async def _alerts(self, request: web.Request) -> web.Response:
        self._must_show(request)
        return self._page(request, "alerts", [self._found(request).alert()])

    async def _entries(self, request: web.Request) -> web.Response:
        self._rest(request, {"is_overview", "time_zone", "since", "until", "include[]", *_WINDOW})
        return self._page(request, "log_entries", self._found(request).entries(wall_clock()))

    async def _open(self, request: web.Request) -> web.Response:
        self._rest(request, set())
        sender = self._sender(request)
        body = await _json(request)
        told = body.get("incident") if isinstance(body, dict) else None
        if found := self._unfit(told):
            raise refused(web.HTTPBadRequest, *found)
        assert isinstance(told, dict)  # noqa: S101 - it has no problems
        people = [self.behaviour.person(one["assignee"]["id"]) for one in told.get("assignments", [])]
        kept = {"incident": told, "people": people, "sender": sender, "behaviour": asdict(self.behaviour)}
        return web.json_response({"incident": self.keep("incident", kept).shown()}, status=201)

    def _unfit(self, told: Any) -> list[str]:
        """What PagerDuty would refuse about a new incident."""
        if not isinstance(told, dict):
            return ["'incident' is missing or no object"]
        service, assignments = told.get("service"), told.get("assignments", [])
        whole = isinstance(assignments, list) and all(
            isinstance(one, dict)
            and isinstance(one.get("assignee"), dict)
            and one["assignee"].get("type") == "user_reference"
            and self.behaviour.person(one["assignee"].get("id"))
            for one in assignments
        )
        checks = (
            (told.get("type") == "incident", "'type' is not incident"),
            (isinstance(told.get("title"), str) and told["title"], "'title' is missing"),
            (
                service == {"id": SERVICE["id"], "type": "service_reference"},
                "'service' is none that there is",
            ),
            (told.get("urgency", "high") in {"high", "low"}, "'urgency' is neither high nor low"),
            (whole, "'assignments' are no references of users that there are"),
            (
                not (assignments and told.get("escalation_policy")),
                "assignments and a policy exclude each other",
            ),
            (self._is_new(told.get("incident_key")), "an open incident has this 'incident_key'"),
        )
        return [why for fits, why in checks if not fits]

    def _is_new(self, key: Any) -> bool:
        return not any(one.key == key and one.status != "resolved" for one in self.known.incidents)

    async def _change(self, request: web.Request) -> web.Response:
        self._rest(request, set())
        self._sender(request)
        incident, body = self._found(request), await _json(request)
        told = body.get("incident") if isinstance(body, dict) else None
        if not isinstance(told, dict) or told.get("type") not in {"incident", "incident_reference"}:
            raise refused(web.HTTPBadRequest, "'incident' is no reference of an incident")
        if told.get("status") not in STATES or set(told) - {"type", "status", "resolution"}:
            raise refused(web.HTTPBadRequest, "only 'status' can be changed here")
        changed = self.keep("change", {"id": incident.id, "status": told["status"]})
        return web.json_response({"incident": changed.shown()})

    async def _service(self, request: web.Request) -> web.Response:
        self._rest(request, {"include[]"})
        if request.match_info["id"] != SERVICE["id"]:
            raise refused(web.HTTPNotFound, "no such service")
        shown: dict[str, Any] = {
            **SERVICE,
            "type": "service",
            "name": SERVICE["summary"],
            "status": self.behaviour.service,
            "incident_urgency_rule": dict(self.behaviour.urgency),
            "escalation_policy": POLICY,
            "teams": [],
            "integrations": [],
        }
        return web.json_response({"service": shown})

    async def _oncalls(self, request: web.Request) -> web.Response:
        known = {"time_zone", "include[]", "user_ids[]", "escalation_policy_ids[]", "schedule_ids[]"}
        self._rest(request, {*known, "since", "until", "earliest", *_WINDOW})
        policies = request.query.getall("escalation_policy_ids[]", [POLICY["id"]])
        found = oncall.oncalls(self.behaviour, POLICY) if POLICY["id"] in policies else []
        return self._page(request, "oncalls", found)

    async def _methods(self, request: web.Request) -> web.Response:
        self._rest(request, set())
        return web.json_response({"contact_methods": oncall.methods(self._person(request))})

    async def _rules(self, request: web.Request) -> web.Response:
        self._rest(request, {"include[]", "urgency"})
        urgency = request.query.get("urgency", "high")
        if urgency not in {"high", "low", "all"}:
            raise refused(web.HTTPBadRequest, "'urgency' is none of high, low, all")
        return web.json_response({"notification_rules": oncall.rules(self._person(request), urgency)})

    async def _behave(self, request: web.Request) -> web.Response:
        if not _same(request, f"Bearer {self.token}"):
            raise refused(web.HTTPUnauthorized, "this needs the reader's token")
        try:
            self.behaviour = Behaviour.of(await _json(request))
        except BehaviourError as error:
            raise refused(web.HTTPBadRequest, str(error)) from error
        return web.json_response({})

    def _person(self, request: web.Request) -> Any:
        if (person := self.behaviour.person(request.match_info["id"])) is None:
            raise refused(web.HTTPNotFound, "no such user")
        return person

    def _sender(self, request: web.Request) -> Any:
        """In whose name something is changed."""
        if (person := self.behaviour.known(request.headers.get("From", ""))) is None:
            raise refused(web.HTTPBadRequest, "Requester User Not Found")
        return person

    def _rest(self, request: web.Request, known: set[str]) -> None:
        """Refuse a call that is not as PagerDuty's description has it."""
        self._must_show(request)
        self._go_on()
        if request.headers.get("Accept") != ACCEPT:
            raise refused(web.HTTPBadRequest, f"'Accept' is not {ACCEPT}")
        if request.body_exists and request.content_type != "application/json":
            raise refused(web.HTTPBadRequest, "'Content-Type' is not application/json")
        if strange := set(request.query) - known:
            raise refused(
                web.HTTPBadRequest, f"the query has {', '.join(sorted(strange))}, which there is not"
            )

    def _go_on(self) -> None:
        now = wall_clock()
        for incident in self.known.incidents:
            incident.go_on(now)

    def _page(self, request: web.Request, name: str, items: list[dict[str, Any]]) -> web.Response:
        try:
            limit, offset = int(request.query.get("limit", "25")), int(request.query.get("offset", "0"))
        except ValueError as error:
            raise refused(web.HTTPBadRequest, str(error)) from error
        if not (0 < limit <= MOST and offset >= 0):
            raise refused(web.HTTPBadRequest, f"limit is 1 to {MOST}, offset 0 or more")
        limit = min(limit, self.behaviour.page)
        more, page = offset + limit < len(items), items[offset : offset + limit]
        body = {name: page, "limit": limit, "offset": offset, "more": more, "total": len(items)}
        return web.json_response(body)

    def _found(self, request: web.Request) -> Incident:
        incident = self.known.find(request.match_info["id"])
        if incident is None:
            raise refused(web.HTTPNotFound, "no such incident")
        return incident

    def _must_show(self, request: web.Request) -> None:
        if not _same(request, f"Token token={self.token}"):
            raise refused(web.HTTPUnauthorized, "this needs the reader's token")
        if self.behaviour.status != 200:
            raise _Told(self.behaviour.status)


class _Told(web.HTTPException):
    """An answer of any status, because somebody asked for it."""

    def __init__(self, status: int) -> None:
        self.status_code = status
        super().__init__(text="the stand-in was told to fail")


def _same(request: web.Request, wanted: str) -> bool:
    return hmac.compare_digest(request.headers.get("Authorization", "").encode(), wanted.encode())


def refused(kind: type[web.HTTPException], *why: str) -> web.HTTPException:
    """A refusal in PagerDuty's shape."""
    body = {"error": {"message": why[0], "code": kind.status_code, "errors": [*why]}}
    return kind(text=json.dumps(body), content_type="application/json")


async def _json(request: web.Request) -> Any:
    """The body as JSON; nothing for what is none, which no shape allows."""
    try:
        return json.loads(await request.read())
    except ValueError:
        return None

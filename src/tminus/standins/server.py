"""The process: HTTP for PagerDuty's and Slack's shapes and for reading mail, SMTP beside it.

| path | what |
|---|---|
| `POST /pager/v2/enqueue` | PagerDuty's Events API v2 |
| `GET /pager/incidents`, `/pager/incidents/{id}`, `/pager/incidents/{id}/alerts` | its REST API; `Token token=…` |
| `POST /chat/services/{hook}` | Slack's incoming webhook |
| `GET /chat/api/conversations.history`, `/chat/api/conversations.info` | its Web API; `Bearer …` |
| `GET /mail/messages?holding=…` | the mailbox; `Bearer …` |
| `/osv/…` | advisories about packages: see `osv.py` |
| `GET /runbooks/{name}` | what an alert says and what is done first |
| `GET /health` | whether it answers |
"""

import argparse
import asyncio
import hmac
import json
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from . import STAND_IN, chat, mail, pager
from .chat import Chat
from .clock import read, wall_clock
from .journal import Journal, Kept
from .mail import Mailbox
from .osv import Advisories
from .pager import Pager, Wanted

HOST = "127.0.0.1"
MOST = 100
"""How many of a list one answer holds; PagerDuty's own limit."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What senders and readers must show."""

    routing_key: str = field(repr=False)
    """PagerDuty's integration key."""
    hook: str = field(repr=False)
    """The secret end of Slack's webhook address."""
    token: str = field(repr=False)
    """What reading anything back needs."""

    @classmethod
    def of_environment(cls) -> "Secrets":
        """As the starter gave them, where no other user can read them."""
        names = ("STANDINS_ROUTING_KEY", "STANDINS_HOOK", "STANDINS_TOKEN")
        return cls(*(os.environ[name] for name in names))


class Standins:
    """Everything that arrived, and who may read it."""

    def __init__(self, folder: Path, secrets: Secrets, runbooks: dict[str, str]) -> None:
        self._secrets = secrets
        self._runbooks = runbooks
        self._journal = Journal(folder / "arrived.jsonl")
        self.pager, self.chat, self.mailbox = Pager(), Chat(), Mailbox()
        self.advisories = Advisories(wall_clock, secrets.token, self._publish)
        for kept in self._journal.read():
            self._take(kept)

    def application(self) -> web.Application:
        """The HTTP side."""
        app = web.Application(client_max_size=mail.LARGEST_BYTES)
        app.on_response_prepare.append(_mark)
        app.router.add_post("/pager/v2/enqueue", self._enqueue)
        app.router.add_get("/pager/incidents", self._incidents)
        app.router.add_get("/pager/incidents/{id}", self._incident)
        app.router.add_get("/pager/incidents/{id}/alerts", self._alerts)
        app.router.add_post("/chat/services/{hook:.+}", self._post)
        app.router.add_get("/chat/api/conversations.history", self._history)
        app.router.add_get("/chat/api/conversations.info", self._channel)
        app.router.add_get("/mail/messages", self._mails)
        app.router.add_get("/runbooks/{name}", self._runbook)
        app.router.add_get("/health", self._health)
        app.add_subapp("/osv", self.advisories.application())
        return app

    def deliver(self, data: dict[str, Any]) -> None:
        """Take a mail."""
        self._keep("mail", data)

    def _publish(self, data: dict[str, Any]) -> dict[str, Any]:
        published: dict[str, Any] = self._keep("advisory", data)
        return published

    def _keep(self, kind: str, data: dict[str, Any]) -> Any:
        """Act on what arrived and write it down; it is answered only after that."""
        kept = Kept(kind, wall_clock(), data)
        done = self._take(kept)
        self._journal.append(kept)
        return done

    def _take(self, kept: Kept) -> Any:
        takers: dict[str, Callable[[dict[str, Any], float], Any]] = {
            "page": self.pager.take,
            "message": self.chat.take,
            "mail": self.mailbox.take,
            "advisory": self.advisories.take,
        }
        return takers[kept.kind](kept.data, kept.at)

    async def _enqueue(self, request: web.Request) -> web.Response:
        event = await _json(request)
        if found := pager.problems(event, self._secrets.routing_key):
            refusal = {"status": "invalid event", "message": "Event object is invalid", "errors": found}
            return web.json_response(refusal, status=400)
        del event["routing_key"]  # a secret that nobody needs again
        key = self._keep("page", event)
        answer = {"status": "success", "message": "Event processed", "dedup_key": key}
        return web.json_response(answer, status=202)

    async def _incidents(self, request: web.Request) -> web.Response:
        self._must_show(request, f"Token token={self._secrets.token}")
        query = request.query
        try:
            wanted = Wanted(
                since=read(query["since"]) if "since" in query else None,
                until=read(query["until"]) if "until" in query else None,
                statuses=query.getall("statuses[]", []),
                services=query.getall("service_ids[]", []),
                urgencies=query.getall("urgencies[]", []),
                key=query.get("incident_key"),
            )
            limit, offset = int(query.get("limit", "25")), int(query.get("offset", "0"))
        except ValueError as error:
            raise _refused(web.HTTPBadRequest, str(error)) from error
        if not (0 < limit <= MOST and offset >= 0):
            raise _refused(web.HTTPBadRequest, f"limit is 1 to {MOST}, offset 0 or more")
        found = self.pager.wanted(wanted)
        page = [incident.shown() for incident in found[offset : offset + limit]]
        return web.json_response(_page("incidents", page, (limit, offset), len(found)))

    async def _incident(self, request: web.Request) -> web.Response:
        return web.json_response({"incident": self._found(request).shown()})

    async def _alerts(self, request: web.Request) -> web.Response:
        alerts = [self._found(request).alert()]
        return web.json_response(_page("alerts", alerts, (MOST, 0), 1))

    def _found(self, request: web.Request) -> pager.Incident:
        self._must_show(request, f"Token token={self._secrets.token}")
        incident = self.pager.find(request.match_info["id"])
        if incident is None:
            raise _refused(web.HTTPNotFound, "no such incident")
        return incident

    async def _post(self, request: web.Request) -> web.Response:
        if not hmac.compare_digest(request.match_info["hook"], self._secrets.hook):
            return web.Response(text="no_service", status=404)
        body = await _json(request)
        if problem := chat.problem(body):
            return web.Response(text=problem, status=404 if problem == "channel_not_found" else 400)
        self._keep("message", body)
        return web.Response(text="ok")

    async def _history(self, request: web.Request) -> web.Response:
        if refusal := self._unknown(request):
            return web.json_response({"ok": False, "error": refusal})
        query = request.query
        try:
            oldest, limit = float(query.get("oldest", "0")), int(query.get("limit", "100"))
            latest = float(query["latest"]) if query.get("latest") else None
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_arguments"})
        if not 0 < limit <= MOST:
            return web.json_response({"ok": False, "error": "invalid_limit"})
        return web.json_response(self.chat.history(oldest, latest, limit))

    async def _channel(self, request: web.Request) -> web.Response:
        refusal = self._unknown(request)
        return web.json_response({"ok": False, "error": refusal} if refusal else self.chat.channel())

    def _unknown(self, request: web.Request) -> str:
        """Slack's word for why this reader gets nothing."""
        if not self._shown(request, f"Bearer {self._secrets.token}"):
            return "invalid_auth" if "Authorization" in request.headers else "not_authed"
        return "" if request.query.get("channel") == chat.CHANNEL else "channel_not_found"

    async def _mails(self, request: web.Request) -> web.Response:
        self._must_show(request, f"Bearer {self._secrets.token}")
        found = self.mailbox.holding(request.query.get("holding", ""))
        return web.json_response({"stand_in": STAND_IN, "messages": found})

    async def _runbook(self, request: web.Request) -> web.Response:
        text = self._runbooks.get(request.match_info["name"])
        if text is None:
            raise _refused(web.HTTPNotFound, "no such runbook")
        return web.Response(text=text)

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"stand_in": STAND_IN, "ok": True})

    def _shown(self, request: web.Request, wanted: str) -> bool:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), wanted.encode())

    def _must_show(self, request: web.Request, wanted: str) -> None:
        if not self._shown(request, wanted):
            raise _refused(web.HTTPUnauthorized, "this needs the reader's token")


async def _mark(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["X-Stand-In"] = STAND_IN


def _page(name: str, items: list[dict[str, Any]], window: tuple[int, int], total: int) -> dict[str, Any]:
    limit, offset = window
    more = offset + limit < total
    return {name: items, "limit": limit, "offset": offset, "more": more, "total": total}


def _refused(kind: type[web.HTTPException], why: str) -> web.HTTPException:
    body = {"error": {"message": why, "code": kind.status_code, "errors": [why]}}
    return kind(text=json.dumps(body), content_type="application/json")


async def _json(request: web.Request) -> Any:
    """The body as JSON; nothing for what is none, which no shape allows."""
    try:
        return json.loads(await request.read())
    except ValueError:
        return None


async def main(arguments: Sequence[str]) -> int:
    """Answer until SIGTERM or SIGINT; the secrets stand in the environment (see `Secrets`)."""
    parser = argparse.ArgumentParser(prog="python -m tminus.standins", description=STAND_IN)
    parser.add_argument("--http", type=int, required=True, help="port of the HTTP side")
    parser.add_argument("--smtp", type=int, required=True, help="port of the mailbox")
    parser.add_argument("--folder", type=Path, default=Path(), help="where what arrives is kept")
    parser.add_argument("--runbooks", type=Path, help="JSON: the text of each runbook by name")
    options = parser.parse_args(arguments)
    runbooks = json.loads(options.runbooks.read_text()) if options.runbooks else {}
    standins = Standins(options.folder, Secrets.of_environment(), runbooks)
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    postman = mail.Postman(standins.deliver)
    mailbox = await loop.create_server(lambda: mail.smtp(postman), HOST, options.smtp)
    runner = web.AppRunner(standins.application(), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, options.http).start()
    await end.wait()
    mailbox.close()
    await runner.cleanup()
    return 0

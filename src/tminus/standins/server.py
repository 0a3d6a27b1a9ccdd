"""The process: HTTP for PagerDuty's and Slack's shapes and for reading mail, SMTP beside it.

| path | what |
|---|---|
| `/pager/…` | PagerDuty's events, and its REST API: see `pager_api.py` |
| `POST /chat/services/{hook}` | Slack's incoming webhook |
| `GET /chat/api/conversations.history`, `/chat/api/conversations.info` | its Web API; `Bearer …` |
| `GET /mail/messages?holding=…` | the mailbox; `Bearer …` |
| `/osv/…` | advisories about packages: see `osv.py` |
| `/sms/…` | text messages in Twilio's shape: see `sms.py` |
| `/logs/…` | lines of logs in Loki's shape: see `loki.py` |
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

from . import STAND_IN, chat, mail
from .chat import Chat
from .clock import wall_clock
from .journal import Journal, Kept
from .loki import Loki
from .mail import Mailbox
from .osv import Advisories
from .pager import Pager
from .pager_api import PagerApi, refused
from .sms import Texts

HOST = "127.0.0.1"
MOST = 100
"""How many messages one answer holds."""


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
        self._pager = PagerApi(self.pager, secrets.routing_key, secrets.token, self._keep)
        self.texts, self.logs = Texts(wall_clock, secrets.token), Loki(wall_clock, secrets.token)
        for kept in self._journal.read():
            self._take(kept)

    def application(self) -> web.Application:
        """The HTTP side."""
        app = web.Application(client_max_size=mail.LARGEST_BYTES)
        app.on_response_prepare.append(_mark)
        app.router.add_post("/chat/services/{hook:.+}", self._post)
        app.router.add_get("/chat/api/conversations.history", self._history)
        app.router.add_get("/chat/api/conversations.info", self._channel)
        app.router.add_get("/mail/messages", self._mails)
        app.router.add_get("/runbooks/{name}", self._runbook)
        app.router.add_get("/health", self._health)
        app.add_subapp("/pager", self._pager.application())
        app.add_subapp("/osv", self.advisories.application())
        app.add_subapp("/sms", self.texts.application())
        app.add_subapp("/logs", self.logs.application())
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
            "incident": self.pager.open,
            "change": self.pager.change,
            "message": self.chat.take,
            "mail": self.mailbox.take,
            "advisory": self.advisories.take,
        }
        return takers[kept.kind](kept.data, kept.at)

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
            raise refused(web.HTTPNotFound, "no such runbook")
        return web.Response(text=text)

    async def _health(self, _request: web.Request) -> web.Response:
        return web.json_response({"stand_in": STAND_IN, "ok": True})

    def _shown(self, request: web.Request, wanted: str) -> bool:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), wanted.encode())

    def _must_show(self, request: web.Request, wanted: str) -> None:
        if not self._shown(request, wanted):
            raise refused(web.HTTPUnauthorized, "this needs the reader's token")


async def _mark(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers["X-Stand-In"] = STAND_IN


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

"""Text messages in the shape of Twilio's API (2010-04-01): sent, delivered, and answered by a simulated person.

| path | what |
|---|---|
| `POST /2010-04-01/Accounts/{sid}/Messages.json` | sends a message; the account and the reader's token as login |
| `GET /2010-04-01/Accounts/{sid}/Messages.json` | messages by `To`, `From` and day, the newest first |
| `GET /2010-04-01/Accounts/{sid}/Messages/{message}.json` | one message |
| `PUT /behaviour` | how messages end from now on: `{"status": "undelivered", "error_code": 30003}`; `Bearer …` |

What Twilio refuses is refused here in like words: a number that is none, a message without a text, a stranger's login.
Nothing is kept beyond the process.
"""

import hmac
import json
import re
import uuid
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from email.utils import format_datetime
from typing import Any

from aiohttp import web

ACCOUNT = f"AC{'5' * 32}"
"""The one account."""
NUMBER = "+447700900100"
"""The one number that messages are sent from; Ofcom keeps it for stories."""
SENDING_SECONDS, ANSWERING_SECONDS = 0.3, 0.6
"""From the request to the last status of a message, and from there to the answer."""
ENDS = ("queued", "sent", "delivered", "undelivered", "failed")
MOST = 1000
_E164 = re.compile(r"\+[1-9]\d{6,14}")
_FORM = {"To", "From", "Body", "StatusCallback", "MessagingServiceSid"}
_QUERY = {"To", "From", "DateSent", "DateSent<", "DateSent>", "PageSize", "Page", "PageToken"}


@dataclass(slots=True)
class _Message:
    sid: str
    to: str
    sender: str
    body: str
    at: float
    direction: str = "outbound-api"
    end: str = "delivered"
    error: int | None = None

    def shown(self, now: float) -> dict[str, Any]:
        over = now >= self.at + SENDING_SECONDS or self.direction == "inbound"
        status = self.end if over else "queued"
        failed = over and self.end in {"failed", "undelivered"}
        path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{self.sid}"
        return {
            "sid": self.sid,
            "account_sid": ACCOUNT,
            "messaging_service_sid": None,
            "to": self.to,
            "from": self.sender,
            "body": self.body,
            "status": status,
            "direction": self.direction,
            "num_segments": "1",
            "num_media": "0",
            "date_created": _written(self.at),
            "date_sent": _written(self.at) if over and self.end != "queued" else None,
            "date_updated": _written(self.at),
            "error_code": self.error if failed else None,
            "error_message": "the stand-in was told to fail" if failed else None,
            "price": None,
            "price_unit": "USD",
            "api_version": "2010-04-01",
            "uri": f"{path}.json",
            "subresource_uris": {"media": f"{path}/Media.json"},
        }


@dataclass(slots=True)
class _Behaviour:
    status: str = "delivered"
    error_code: int | None = None
    replies: bool = True
    http: int = 200


@dataclass(slots=True)
class Texts:
    """Every message of this process."""

    now: Callable[[], float]
    token: str = field(repr=False)
    messages: list[_Message] = field(default_factory=list)
    behaviour: _Behaviour = field(default_factory=_Behaviour)

    def application(self) -> web.Application:
        """Its HTTP side."""
        app = web.Application()
        app.router.add_post("/2010-04-01/Accounts/{account}/Messages.json", self._send)
        app.router.add_get("/2010-04-01/Accounts/{account}/Messages.json", self._list)
        app.router.add_get("/2010-04-01/Accounts/{account}/Messages/{sid}.json", self._one)
        app.router.add_put("/behaviour", self._behave)
        return app

    async def _send(self, request: web.Request) -> web.Response:
        self._must_show(request)
        form = await request.post()
        told = {name: str(value) for name, value in form.items()}
        if strange := set(told) - _FORM:
            raise _Refusal(400, 20001, f"{', '.join(sorted(strange))}: no parameter of a message")
        if not _E164.fullmatch(told.get("To", "")):
            raise _Refusal(400, 21211, f"Invalid 'To' Phone Number: {told.get('To', '')}")
        if told.get("From") != NUMBER:
            raise _Refusal(400, 21606, "The 'From' phone number provided is not a number of this account")
        if not told.get("Body"):
            raise _Refusal(400, 21602, "Message body is required")
        sent = _Message(_sid(), told["To"], told["From"], told["Body"], self.now())
        sent.end, sent.error = self.behaviour.status, self.behaviour.error_code
        self.messages.append(sent)
        if self.behaviour.replies and sent.end == "delivered" and (code := re.search(r"\d{6}", sent.body)):
            at = sent.at + SENDING_SECONDS + ANSWERING_SECONDS
            self.messages.append(_Message(_sid(), sent.sender, sent.to, code[0], at, "inbound", "received"))
        return web.json_response(sent.shown(self.now()), status=201)

    async def _list(self, request: web.Request) -> web.Response:
        self._must_show(request)
        query = request.query
        if strange := set(query) - _QUERY:
            raise _Refusal(400, 20001, f"{', '.join(sorted(strange))}: no filter of messages")
        try:
            days = {
                key: date.fromisoformat(query[key])
                for key in ("DateSent<", "DateSent>", "DateSent")
                if key in query
            }
            size = int(query.get("PageSize", "50"))
        except ValueError as error:
            raise _Refusal(400, 20001, str(error)) from error
        if not 0 < size <= MOST:
            raise _Refusal(400, 20006, f"Page size must be between 1 and {MOST}")
        now = self.now()
        found = [
            one.shown(now)
            for one in reversed(self.messages)
            if one.at <= now
            and query.get("To", one.to) == one.to
            and query.get("From", one.sender) == one.sender
            and _within(one.at, days)
        ]
        path = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json?PageSize={size}&Page=0"
        page = {
            "first_page_uri": path,
            "next_page_uri": None,
            "previous_page_uri": None,
            "uri": path,
            "page": 0,
            "page_size": size,
            "start": 0,
            "end": max(0, len(found[:size]) - 1),
            "messages": found[:size],
        }
        return web.json_response(page)

    async def _one(self, request: web.Request) -> web.Response:
        self._must_show(request)
        for one in self.messages:
            if one.sid == request.match_info["sid"] and one.at <= self.now():
                return web.json_response(one.shown(self.now()))
        raise _Refusal(404, 20404, "The requested resource was not found")

    async def _behave(self, request: web.Request) -> web.Response:
        if not _same(request, f"Bearer {self.token}"):
            raise _Refusal(401, 20003, "this needs the reader's token")
        try:
            told = _Behaviour(**await request.json())
        except (TypeError, ValueError) as error:
            raise _Refusal(400, 20001, "say status, error_code, replies or http") from error
        if told.status not in ENDS:
            raise _Refusal(400, 20001, f"status is one of {', '.join(ENDS)}")
        self.behaviour = told
        return web.json_response({})

    def _must_show(self, request: web.Request) -> None:
        if self.behaviour.http != 200:
            raise _Refusal(self.behaviour.http, 20500, "the stand-in was told to fail")
        login = b64encode(f"{ACCOUNT}:{self.token}".encode()).decode()
        if not _same(request, f"Basic {login}"):
            raise _Refusal(401, 20003, "Authenticate")
        if request.match_info["account"] != ACCOUNT:
            raise _Refusal(404, 20404, "The requested resource was not found")


class _Refusal(web.HTTPException):
    """A refusal in Twilio's shape."""

    def __init__(self, status: int, code: int, why: str) -> None:
        self.status_code = status
        more = f"https://www.twilio.com/docs/errors/{code}"
        body = {"code": code, "message": why, "more_info": more, "status": status}
        super().__init__(text=json.dumps(body), content_type="application/json")


def _same(request: web.Request, wanted: str) -> bool:
    return hmac.compare_digest(request.headers.get("Authorization", "").encode(), wanted.encode())


def _sid() -> str:
    return f"SM{uuid.uuid4().hex}"


def _written(at: float) -> str:
    """An instant as Twilio writes it: as mails do, in whole seconds."""
    return format_datetime(datetime.fromtimestamp(int(at), UTC))


def _within(at: float, days: dict[str, date]) -> bool:
    day = datetime.fromtimestamp(at, UTC).date()
    return (
        day <= days.get("DateSent<", day)
        and day >= days.get("DateSent>", day)
        and day == days.get("DateSent", day)
    )

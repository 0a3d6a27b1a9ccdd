"""Text messages by Twilio, or what speaks as it does: sent with a code, and answered by replying with it.

Described in https://www.twilio.com/docs/messaging/api/message-resource (OpenAPI: twilio/twilio-oai, 2010-04-01).
"""

import re
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit, urlunsplit

from tminus.alerting.numbers import digits
from tminus.alerting.oncall import Person
from tminus.alerting.told import MARK, Told
from tminus.errors import DeniedError, InconclusiveError, UnreachableError
from tminus.http import BUSY, Answer, Http, bare, busy, connect

PAGE = 200
"""Messages of one answer; the newest come first."""
_FAILED = {"failed", "undelivered", "canceled"}
_DELIVERED = {"delivered", "read"}


@dataclass(frozen=True, slots=True)
class Twilio:
    """One account, by its address `https://SID:TOKEN@api.twilio.com?from=NUMBER`."""

    address: str = field(repr=False)

    @asynccontextmanager
    async def texting(self) -> AsyncIterator["Texts"]:
        """Its messages, within one session; raises `InconclusiveError` for an address that is none."""
        try:
            parts = urlsplit(self.address)
            _ = parts.port
        except ValueError:
            parts = urlsplit("")  # its words would show the token
        login, _, host = parts.netloc.rpartition("@")
        account, _, token = login.partition(":")
        # A plus that is not quoted is a blank in a query.
        ours = digits(parse_qs(parts.query).get("from", [""])[-1])
        if not (account and token and host and ours):
            raise InconclusiveError(
                "the address of the text messages is not whole",
                hint="write https://SID:TOKEN@api.twilio.com?from=NUMBER behind the plan's reference",
            )
        basic = b64encode(f"{unquote(account)}:{unquote(token)}".encode()).decode()
        base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        async with connect(base) as http:
            path = f"/2010-04-01/Accounts/{unquote(account)}/Messages"
            yield Texts(http, bare(base), path, {"Authorization": f"Basic {basic}"}, f"+{ours}")


@dataclass(frozen=True, slots=True)
class Texts:
    """See `Messenger`."""

    http: Http = field(repr=False)
    where: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    ours: str = field(repr=False)

    async def last(self, person: Person, since: float) -> Told | None:
        """See `Messenger.last`."""
        sent = [
            one
            for number in _numbers(person)
            for one in await self._list({"To": number, "From": self.ours, **_since(since)})
            if str(one.get("body", "")).startswith(MARK) and _at(one) >= since
        ]
        if not sent:
            return None
        newest = max(sent, key=_at)
        return await self.look(person, Told(str(newest["sid"]), _at(newest), open=True))

    async def send(self, person: Person) -> Told:
        """See `Messenger.send`."""
        code = f"{secrets.randbelow(1_000_000):06}"
        text = f"{MARK} {code}: nothing is wrong. Please reply with {code}."
        form = {"To": _numbers(person)[0], "From": self.ours, "Body": text}
        reply = await self.http.ask("POST", f"{self.path}.json", headers=self.headers, data=form)
        if reply.status == 400 and (fault := self._json(reply).get("code")):
            return Told("", 0.0, failed=f"the provider refuses it ({fault})")
        made = self._good(reply)
        return Told(str(made["sid"]), _at(made), open=True)

    async def look(self, person: Person, told: Told) -> Told:  # noqa: ARG002 - a message has its own number
        """See `Messenger.look`."""
        if told.failed:
            return told
        reply = await self.http.ask("GET", f"{self.path}/{told.id}.json", headers=self.headers)
        message = self._good(reply)
        status, fault = str(message.get("status", "")), message.get("error_code")
        if status in _FAILED:
            return replace(
                told, open=False, failed=f"the message ended as {status!r}{f' ({fault})' if fault else ''}"
            )
        if status not in _DELIVERED:
            return replace(told, waits=f"the message is {status!r}")
        told = replace(told, way="sms", entry=told.id, waits="", answered=None)
        wanted = re.search(r"\d{6}", str(message.get("body", "")))
        for one in await self._list({"From": str(message.get("to")), "To": self.ours, **_since(told.at)}):
            if wanted and wanted[0] in str(one.get("body", "")) and one.get("direction") == "inbound":
                return replace(told, answered=max(0.0, _at(one) - told.at))
        return told

    async def end(self, told: Told) -> None:
        """See `Messenger.end`; a text message asks nobody twice."""

    async def _list(self, asked: Mapping[str, str]) -> list[Mapping[str, Any]]:
        query = urlencode({**asked, "PageSize": str(PAGE)})
        answer = self._good(await self.http.ask("GET", f"{self.path}.json?{query}", headers=self.headers))
        found = answer.get("messages")
        if not isinstance(found, list):
            raise self._strange()
        return found

    def _good(self, reply: Answer) -> Mapping[str, Any]:
        if reply.status in {401, 403}:
            raise DeniedError(
                f"{self.where} does not let us send or read messages ({reply.status})",
                hint="renew the token that the plan's address refers to",
            )
        if reply.status == BUSY:
            raise busy(self.where, reply.headers)
        if reply.status >= 500:
            raise UnreachableError(
                f"{self.where} cannot answer now ({reply.status})", hint="look again in a minute"
            )
        if reply.status not in {200, 201}:
            raise InconclusiveError(
                f"{self.where} refuses a message or a look at it ({reply.status})",
                hint="see what the provider's own log says",
            )
        return self._json(reply)

    def _json(self, reply: Answer) -> Mapping[str, Any]:
        answer = reply.json()
        if not isinstance(answer, dict):
            raise self._strange()
        return answer

    def _strange(self) -> InconclusiveError:
        return InconclusiveError(
            f"{self.where} tells of no messages", hint="see what stands at the address of the text messages"
        )


def _numbers(person: Person) -> list[str]:
    """The numbers that take text messages first, as E.164 writes them."""
    used = sorted(person.used(), key=lambda one: one.way != "sms")
    return [f"+{digits(one.country)}{digits(one.number)}" for one in used]


def _since(at: float) -> dict[str, str]:
    return {"DateSent>": datetime.fromtimestamp(at, UTC).date().isoformat()}


def _at(message: Mapping[str, Any]) -> float:
    """When it was made; Twilio writes times as mails do."""
    return parsedate_to_datetime(str(message["date_created"])).timestamp()

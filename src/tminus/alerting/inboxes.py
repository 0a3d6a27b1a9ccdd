"""Where alerts arrive: what an incident, a message or a mail looks like to who searches for a mark in it.

The address of each holds the token that reading needs, as `https://:TOKEN@host/path`; it is sent as the service wants
it and never shown.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

from tminus.domain.canonical import timestamp
from tminus.errors import DeniedError, InconclusiveError
from tminus.http import Answer, Http, bare, connect, must_serve

NEWEST = 100
"""How many of the newest incidents or messages are searched."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that arrived and holds the mark."""

    what: str
    """What it is, in a few words: its title or subject."""
    over: bool
    """Whether it says that the alert is over."""


class Inbox(Protocol):
    """Where a kind of notification arrives."""

    @property
    def pages(self) -> bool:
        """Whether what arrives here wakes somebody."""
        ...

    async def notices(self, mark: str, since: float) -> list[Notice]:
        """What arrived since then (seconds of the epoch) and holds the mark."""
        ...


@dataclass(frozen=True, slots=True)
class Door:
    """An address taken apart: where, with which token, and what else it says."""

    base: str
    token: str = field(repr=False)
    query: Mapping[str, str]

    @classmethod
    def of(cls, address: str) -> "Door":
        """An address taken apart; raises `InconclusiveError` for what is none, in words without it."""
        try:
            parts = urlsplit(address)
            _ = parts.port
        except ValueError:
            parts = None
        if parts is None:
            raise InconclusiveError(
                "the address of the pager, chat or mailbox is none",
                hint="write it as https://:TOKEN@HOST, with what is special in the token as %XX",
            )
        host = parts.netloc.rpartition("@")[2]
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        return cls(base, unquote(parts.password or ""), query)


@dataclass(frozen=True, slots=True)
class PagerDuty:
    """Incidents of PagerDuty (REST API v2); the address is that of the API."""

    address: str = field(repr=False)

    @property
    def pages(self) -> bool:
        """See `Inbox.pages`."""
        return True

    async def notices(self, mark: str, since: float) -> list[Notice]:
        """See `Inbox.notices`."""
        door = Door.of(self.address)
        header = {"Authorization": f"Token token={door.token}"}
        async with connect(door.base) as http:
            path = f"/incidents?since={quote(timestamp(since))}&limit={NEWEST}"
            found = [
                (one, await self._text(http, header, one))
                for one in _list(await http.ask("GET", path, headers=header), "incidents", door)
            ]
        return [
            Notice(str(one.get("title", "")), one.get("status") == "resolved")
            for one, text in found
            if mark in text
        ]

    @staticmethod
    async def _text(http: Http, header: Mapping[str, str], incident: Mapping[str, Any]) -> str:
        """Everything that an incident says, its alerts' details too."""
        reply = await http.ask("GET", f"/incidents/{quote(str(incident.get('id')))}/alerts", headers=header)
        return json.dumps(incident) + (reply.body.decode(errors="replace") if reply.status == 200 else "")


@dataclass(frozen=True, slots=True)
class Slack:
    """Messages of one Slack channel (`conversations.history`); the address ends with `?channel=ID`."""

    address: str = field(repr=False)

    @property
    def pages(self) -> bool:
        """See `Inbox.pages`."""
        return False

    async def notices(self, mark: str, since: float) -> list[Notice]:
        """See `Inbox.notices`."""
        door = Door.of(self.address)
        if "channel" not in door.query:
            raise InconclusiveError(
                f"the address of the chat ({bare(self.address)}) names no channel",
                hint="let it end with ?channel= and the channel's id",
            )
        asked = f"channel={quote(door.query['channel'])}&oldest={since:.6f}&limit={NEWEST}"
        async with connect(door.base) as http:
            header = {"Authorization": f"Bearer {door.token}"}
            reply = await http.ask("GET", f"/conversations.history?{asked}", headers=header)
        messages = _list(reply, "messages", door)
        return [_message(one) for one in messages if mark in json.dumps(one)]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A monitored mailbox that can be searched over HTTP, as the stand-in's is."""

    address: str = field(repr=False)

    @property
    def pages(self) -> bool:
        """See `Inbox.pages`."""
        return False

    async def notices(self, mark: str, since: float) -> list[Notice]:  # noqa: ARG002 - a mark is made once
        """See `Inbox.notices`; no mail from before holds a mark that was made later."""
        door = Door.of(self.address)
        async with connect(door.base) as http:
            header = {"Authorization": f"Bearer {door.token}"}
            reply = await http.ask("GET", f"/messages?holding={quote(mark)}", headers=header)
        subjects = [str(one.get("subject", "")) for one in _list(reply, "messages", door)]
        return [Notice(subject, "RESOLVED" in subject.upper()) for subject in subjects]


def _message(message: Mapping[str, Any]) -> Notice:
    attached = message.get("attachments") or [{}]
    title = str(message.get("text") or attached[0].get("title") or "")
    return Notice(title, "RESOLVED" in title.upper())


def _list(reply: Answer, name: str, door: Door) -> list[Mapping[str, Any]]:
    """The list of an answer; raises `DeniedError` or `InconclusiveError` for anything else."""
    where = bare(door.base)
    denied = DeniedError(
        f"{where} does not let us read what arrived", hint="renew the token that the plan's address refers to"
    )
    if reply.status in {401, 403}:
        raise denied
    must_serve(reply, where)
    answer = reply.json()
    why = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(why, str) and why in {"invalid_auth", "not_authed", "missing_scope"}:
        raise denied
    found = answer.get(name) if isinstance(answer, dict) else None
    if reply.status != 200 or not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InconclusiveError(
            f"{where} gives no {name} ({reply.status}{f', {why}' if isinstance(why, str) else ''})",
            hint="see what stands at the address, and whether the channel or folder is the right one",
        )
    return found

"""Alertmanager's HTTP API (v2): what is active, how it is routed, and one marked alert of our own."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tminus.alerting.configuration import tree
from tminus.alerting.routes import Tree
from tminus.errors import InconclusiveError
from tminus.http import Answer, Http, bare, connect, expecting, must_serve

_COUNTER = re.compile(
    r'^alertmanager_notifications_(total|failed_total)\{.*?integration="([^"]+)".*?\}\s+(\S+)', re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Active:
    """One alert that Alertmanager holds."""

    labels: Mapping[str, str]
    state: str
    """`active`, `suppressed` or `unprocessed`."""
    silenced_by: Sequence[str]
    inhibited_by: Sequence[str]
    muted_by: Sequence[str]
    """The time intervals in which nobody is told; older Alertmanagers do not say."""
    fingerprint: str

    @property
    def name(self) -> str:
        """Its `alertname`, with where it is when that is told."""
        where = self.labels.get("instance") or self.labels.get("side") or ""
        return self.labels.get("alertname", "(no name)") + (f" on {where}" if where else "")


@dataclass(frozen=True, slots=True)
class Sent:
    """Notifications so far by integration: tried, and failed."""

    tried: Mapping[str, float]
    failed: Mapping[str, float]


class Alertmanager:
    """One Alertmanager, over one session."""

    def __init__(self, http: Http, address: str) -> None:
        self._http = http
        self._where = f"Alertmanager at {bare(address)}"

    async def tree(self) -> Tree:
        """The routing tree in force."""
        status = await self._get("/api/v2/status", {})
        config = status.get("config") if isinstance(status, dict) else None
        if not isinstance(config, dict) or not config.get("original"):
            raise InconclusiveError(
                f"{self._where} shows no configuration", hint="let the address be that of Alertmanager itself"
            )
        return tree(str(config["original"]))

    async def alerts(self, *matchers: str) -> list[Active]:
        """What it holds that meets these matchers, silenced and inhibited ones too; resolved ones are gone."""
        asked = [("active", "true"), ("silenced", "true"), ("inhibited", "true"), ("unprocessed", "true")]
        answer = await self._get("/api/v2/alerts", [*asked, *(("filter", one) for one in matchers)])
        if not isinstance(answer, list):
            raise InconclusiveError(
                f"{self._where} gives no list of alerts", hint="see what stands at this address"
            )
        with expecting(self._where, "which alerts it holds"):
            return [_active(one) for one in answer]

    async def silence(self, identifier: str) -> str:
        """Who made a silence, and why."""
        answer = await self._get(f"/api/v2/silence/{identifier}", {})
        with expecting(self._where, "who made a silence"):
            return f"silenced by {answer.get('createdBy', '?')}: {answer.get('comment', '')}"

    async def post(self, labels: Mapping[str, str], *, summary: str, starts: str, ends: str) -> None:
        """Raise an alert of our own, or end it; times are ISO 8601 with a zone."""
        alert = {
            "labels": dict(labels),
            "annotations": {"summary": summary},
            "startsAt": starts,
            "endsAt": ends,
        }
        reply = await self._http.ask("POST", "/api/v2/alerts", json_body=[alert])
        must_serve(reply, self._where)
        if reply.status != 200:
            raise InconclusiveError(
                f"{self._where} does not take the drill ({reply.status}): {reply.body[:200].decode(errors='replace')}",
                hint="see what Alertmanager's log says of it",
            )

    async def sent(self) -> Sent:
        """How many notifications it has sent by its own count."""
        reply = await self._http.get("/metrics")
        self._must_have_served(reply, "/metrics")
        tried: dict[str, float] = {}
        failed: dict[str, float] = {}
        for kind, integration, value in _COUNTER.findall(reply.body.decode(errors="replace")):
            counts = tried if kind == "total" else failed
            counts[integration] = counts.get(integration, 0.0) + float(value)
        if not tried:
            raise InconclusiveError(
                f"{self._where} does not count its notifications",
                hint="let the address be that of Alertmanager itself, with its /metrics",
            )
        return Sent(tried, failed)

    async def _get(self, path: str, asked: Any) -> Any:
        reply = await self._http.get(f"{path}{'?' if asked else ''}{urlencode(asked)}")
        self._must_have_served(reply, path)
        if reply.status != 200:
            raise InconclusiveError(
                f"{self._where} answers {reply.status} for {path}",
                hint="let the address be that of Alertmanager itself, 0.22 or newer",
            )
        return reply.json()

    def _must_have_served(self, reply: Answer, path: str) -> None:
        must_serve(reply, self._where)
        if reply.status >= 500:
            raise InconclusiveError(
                f"{self._where} answers {reply.status} for {path}", hint="see its log at this moment"
            )


def _active(entry: Mapping[str, Any]) -> Active:
    status = entry.get("status") or {}
    return Active(
        labels=dict(entry.get("labels") or {}),
        state=str(status.get("state", "")),
        silenced_by=tuple(status.get("silencedBy") or ()),
        inhibited_by=tuple(status.get("inhibitedBy") or ()),
        muted_by=tuple(status.get("mutedBy") or ()),
        fingerprint=str(entry.get("fingerprint", "")),
    )


@asynccontextmanager
async def asking(address: str) -> AsyncIterator[Alertmanager]:
    """An Alertmanager at an address; a login in it is used and never shown."""
    async with connect(address) as http:
        yield Alertmanager(http, address)

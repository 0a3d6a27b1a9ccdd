"""Test pages by PagerDuty: an incident of one person's own, and what its log says of the text message about it."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from tminus.alerting.numbers import same
from tminus.alerting.oncall import Api, Person
from tminus.alerting.told import MARK, Told
from tminus.domain.canonical import timestamp
from tminus.errors import InconclusiveError

LATE_SECONDS = 30.0
"""How long after its time by the rule a message may stay out before it counts as not sent."""
_KEY = "tminus-sms-"
_ANSWERS = {"acknowledge_log_entry", "acknowledgement_log_entry", "resolve_log_entry"}
"""What a person does who answers; PagerDuty's description has two words for the first."""
_WAYS = {"sms", "phone"}
_UNDER_WAY = {"", "in_progress", "queued", "sending", "started"}


@dataclass(frozen=True, slots=True)
class Pages:
    """See `Messenger`."""

    api: Api = field(repr=False)
    service: str
    sender: str
    """The mail address of the PagerDuty user in whose name the incidents are opened and ended."""
    urgency: Literal["high", "low"]
    now: Callable[[], float]
    known: Sequence[Mapping[str, Any]] = ()
    """The tests that were sent before."""

    async def begun(self, persons: Sequence[Person], since: float) -> "Pages":
        """The same with the tests that were sent since then, asked for once for everybody.

        Ends those that nobody would come back to: of people who are not on call any more, or sent before then.
        """
        about = {"service_ids[]": self.service}
        span = {"since": timestamp(since), "until": timestamp(self.now() + 60)}
        known = await self._tests({**about, **span})
        waiting = {"date_range": "all", "statuses[]": ["triggered", "acknowledged"]}
        there = {one.id for one in persons}
        for one in await self._tests({**about, **waiting}) if self.sender else ():
            if _at(one) < since or _whose(one) not in there:
                await self.end(_told(one))
        return replace(self, known=known)

    async def _tests(self, asked: Mapping[str, str | Sequence[str]]) -> list[Mapping[str, Any]]:
        found = await self.api.listed("/incidents", "incidents", asked)
        return [one for one in found if _whose(one)]

    async def last(self, person: Person, since: float) -> Told | None:
        """See `Messenger.last`."""
        mine = [one for one in self.known if _whose(one) == person.id and _at(one) >= since]
        if not mine:
            return None
        newest = max(mine, key=_at)
        return await self.look(person, _told(newest))

    async def send(self, person: Person) -> Told:
        """See `Messenger.send`."""
        if not self.sender:
            raise InconclusiveError(
                "nobody says in whose name a test page is sent",
                hint="write the mail address of a PagerDuty user as `sender` under `with`",
            )
        mark = secrets.token_hex(4)
        incident = {
            "type": "incident",
            "title": f"{MARK} {mark}: please acknowledge this page, nothing is wrong",
            "service": {"id": self.service, "type": "service_reference"},
            "urgency": self.urgency,
            "incident_key": f"{_KEY}{person.id}-{mark}",
            "assignments": [{"assignee": {"id": person.id, "type": "user_reference"}}],
        }
        made = await self.api.ask("POST", "/incidents", body={"incident": incident}, sender=self.sender)
        found = made.get("incident") if isinstance(made, dict) else None
        if not isinstance(found, dict) or not found.get("id"):
            raise InconclusiveError(
                "PagerDuty took a test page and does not say which incident it is",
                hint="see what stands at the address of the pager",
            )
        return _told(found)

    async def look(self, person: Person, told: Told) -> Told:
        """See `Messenger.look`."""
        path = f"/incidents/{quote(told.id, safe='')}/log_entries"
        entries = await self.api.listed(path, "log_entries", {"is_overview": "false", "time_zone": "UTC"})
        told = _answered(_delivered(told, entries, person), entries, person)
        if told.way or told.failed or told.waits:
            return told
        delay = min(person.delays[one.id] for one in person.used()) * 60
        if self.now() < told.at + delay + LATE_SECONDS:
            return replace(
                told, waits=f"it goes out after {delay / 60:g} min" if delay else "it is on its way"
            )
        return replace(told, failed="no text message and no call went out")

    async def end(self, told: Told) -> None:
        """See `Messenger.end`."""
        body = {"incident": {"type": "incident_reference", "status": "resolved"}}
        await self.api.ask("PUT", f"/incidents/{quote(told.id, safe='')}", body=body, sender=self.sender)


def _whose(incident: Mapping[str, Any]) -> str:
    """To whom a test went, by id; empty for what is no test."""
    key = str(incident.get("incident_key") or "")
    return key.removeprefix(_KEY).rpartition("-")[0] if key.startswith(_KEY) else ""


def _told(incident: Mapping[str, Any]) -> Told:
    return Told(str(incident["id"]), _at(incident), open=incident.get("status") != "resolved")


def _delivered(told: Told, entries: Sequence[Mapping[str, Any]], person: Person) -> Told:
    """The same with how the message went; one that arrived counts, whatever became of others."""
    told = replace(told, way="", entry="", failed="", waits="")
    for entry in sorted(entries, key=_at):
        mine = (entry.get("user") or {}).get("id") == person.id
        if entry.get("type") != "notify_log_entry" or not mine:
            continue
        way, status, address = _notification(entry)
        current = not address or any(same(address, one.number) for one in person.used())
        if way not in _WAYS or not current:
            continue  # a mail, a push message, or a number that is no longer used
        if status == "success":
            return replace(told, way=way, entry=str(entry.get("id", "")), failed="", waits="")
        going = status in _UNDER_WAY
        told = replace(
            told,
            waits="it is on its way" if going else "",
            failed="" if going else f"the message ended as {status!r}",
        )
    return told


def _answered(told: Told, entries: Sequence[Mapping[str, Any]], person: Person) -> Told:
    """The same with who answered, and when; the end of a test by whoever sent it is no answer."""
    told = replace(told, answered=None, other="")
    for entry in sorted(entries, key=_at):
        ours = entry.get("type") == "resolve_log_entry" and (entry.get("channel") or {}).get("type") == "api"
        if entry.get("type") not in _ANSWERS or ours:
            continue
        agent = entry.get("agent") or {}
        if agent.get("id") == person.id:
            return replace(told, answered=max(0.0, _at(entry) - told.at))
        if agent.get("type") in {"user", "user_reference"}:
            told = replace(told, other=str(agent.get("summary") or agent.get("id")))
    return told


def _notification(entry: Mapping[str, Any]) -> tuple[str, str, str]:
    """By what a person was told, how that went, and to which number; `sms_notification` is another word for `sms`."""
    channel = entry.get("channel") or {}
    sent = channel.get("notification") or {}
    way = str(sent.get("type") or channel.get("type") or "").removesuffix("_notification")
    return way, str(sent.get("status") or ""), str(sent.get("address") or "")


def _at(thing: Mapping[str, Any]) -> float:
    """When it was made; raises `InconclusiveError` for one that does not say it."""
    try:
        return datetime.fromisoformat(str(thing.get("created_at", ""))).timestamp()
    except ValueError as error:
        raise InconclusiveError(
            "PagerDuty does not say when something was made",
            hint="see what stands at the address of the pager",
        ) from error

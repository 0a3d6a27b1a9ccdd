"""PagerDuty's REST API v2: who is on call for a service, and by which number and rule they are told.

Described in https://developer.pagerduty.com/api-reference/ (OpenAPI: PagerDuty/api-schema).
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, urlencode

from tminus.alerting.inboxes import Door
from tminus.alerting.numbers import masked, wrong
from tminus.errors import DeniedError, InconclusiveError, UnreachableError
from tminus.http import BUSY, Answer, Http, bare, busy, connect

ACCEPT = "application/vnd.pagerduty+json;version=2"
PAGE = 100
"""Entries of one answer, at the most."""
MOST = 10_000
"""Entries of a list in all: PagerDuty gives no more."""
SLOW_MINUTES = 5
"""After how many minutes a page is late for whom it is to wake."""
_WAYS = {"sms_contact_method": "sms", "phone_contact_method": "phone"}
_ASLEEP = {"disabled", "maintenance"}
_BY_SEVERITY = "severity_based"
"""The urgency of a service whose critical alerts are of high urgency, and whose warnings are of low."""


@dataclass(frozen=True, slots=True)
class Number:
    """One telephone number of a person."""

    id: str
    way: str
    """`sms` or `phone`."""
    country: str
    number: str = field(repr=False)
    wrong: str = ""
    """Why nobody is reached by it, in words; empty for one that may be used."""

    @property
    def shown(self) -> str:
        """As others may see it."""
        return masked(self.country, self.number)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on call, and how that person is told."""

    id: str
    name: str
    level: int
    """Of the escalation: 1 is told first."""
    numbers: tuple[Number, ...]
    delays: Mapping[str, int] = field(hash=False)
    """By the id of a contact: after how many minutes a rule of the wanted urgency uses it."""
    gone: int = 0
    """How many of these rules use a contact that there is not any more."""

    def used(self) -> list[Number]:
        """The numbers that a page would go to."""
        return [one for one in self.numbers if not one.wrong and one.id in self.delays]

    def odd(self) -> list[str]:
        """What is not wrong with how a page is told and still not as it should be, in words."""
        if not (used := self.used()):
            return []
        delay = min(self.delays[one.id] for one in used)
        found = [f"a rule of {self.name} uses a contact that is gone"] if self.gone else []
        late = f"{self.name} is told by telephone only {delay} min after a page; lower the delay of the rule"
        return [*found, late] if delay > SLOW_MINUTES else found

    def unreached(self) -> list[str]:
        """Why no page would go to any number, in words; nothing where one would."""
        if self.used():
            return []
        if self.gone:
            return [f"a rule of {self.name} for this urgency uses a contact that is gone"]
        if not self.numbers:
            return [f"{self.name} has no telephone number for pages"]
        wrong = [
            f"the number {one.shown} of {self.name} reaches nobody: {one.wrong}"
            for one in self.numbers
            if one.wrong
        ]
        return wrong or [f"no rule of {self.name} uses a telephone number for this urgency"]


@dataclass(frozen=True, slots=True)
class Service:
    """What is paged about."""

    id: str
    name: str
    policy: str
    asleep: str
    """Why nobody is paged for it, in a word; empty while people are."""
    urgencies: Mapping[str, str] = field(default_factory=dict, hash=False)
    """By when (empty: always) the urgency of what it is paged about."""

    def otherwise(self, severity: str, urgency: str) -> tuple[list[str], list[str]]:
        """Why alerts of this severity are not of this urgency, in words: at no time, and at some."""
        told = [
            f"{severity} alerts of {self.name} are of {found} urgency{f' {when}' if when else ''}, so what is "
            f"set for {urgency} urgency tells nobody of them"
            for when, found in self.urgencies.items()
            if found not in {urgency, _BY_SEVERITY, ""}
        ]
        return (told, []) if len(told) == len(self.urgencies) else ([], told)


class Api:
    """Calls to PagerDuty, within one session."""

    def __init__(self, http: Http, door: Door) -> None:
        self._http = http
        self._door = door

    async def ask(self, method: str, path: str, *, body: Any = None, sender: str = "") -> Any:
        """One call and the JSON of its good answer.

        `sender` is the mail address of the user in whose name something is changed. Raises `DeniedError`,
        `UnreachableError` or `InconclusiveError` for any other answer.
        """
        headers = {"Authorization": f"Token token={self._door.token}", "Accept": ACCEPT}
        headers |= {"Content-Type": "application/json"} if body is not None else {}
        headers |= {"From": sender} if sender else {}
        reply = await self._http.ask(method, path, headers=headers, json_body=body)
        return self._good(reply, path)

    async def named(self, path: str, name: str) -> Mapping[str, Any]:
        """One thing by its address."""
        answer = await self.ask("GET", path)
        found = answer.get(name) if isinstance(answer, dict) else None
        if not isinstance(found, dict):
            raise self._strange(name)
        return found

    async def listed(
        self,
        path: str,
        name: str,
        asked: Mapping[str, str | Sequence[str]] | None = None,
        *,
        paged: bool = True,
    ) -> list[Mapping[str, Any]]:
        """Every entry of a list, page by page."""
        found: list[Mapping[str, Any]] = []
        while True:
            window = {"limit": str(PAGE), "offset": str(len(found))} if paged else {}
            query = urlencode({**(asked or {}), **window}, doseq=True)
            answer = await self.ask("GET", f"{path}?{query}" if query else path)
            entries = answer.get(name) if isinstance(answer, dict) else None
            if not isinstance(entries, list):
                raise self._strange(name)
            found += entries
            if not (paged and entries and answer.get("more") and len(found) < MOST):
                return found

    def _good(self, reply: Answer, path: str) -> Any:
        where = bare(self._door.base)
        if reply.status in {401, 403}:
            raise DeniedError(
                f"{where} does not let us ask ({reply.status})",
                hint="renew the token that the plan's address refers to; it has to read, and to open incidents",
            )
        if reply.status == BUSY:
            raise busy(where, reply.headers)
        if reply.status >= 500:
            raise UnreachableError(
                f"{where} cannot answer now ({reply.status})", hint="look again in a minute"
            )
        if reply.status not in {200, 201}:
            raise InconclusiveError(
                f"{where} refuses {path.partition('?')[0]} ({reply.status}{self._said(reply)})",
                hint="compare `service` and `sender` with what PagerDuty shows",
            )
        return reply.json()

    def _said(self, reply: Answer) -> str:
        """PagerDuty's own words for a refusal."""
        answer = (
            reply.json() if reply.headers.get("content-type", "").startswith("application/json") else None
        )
        error = answer.get("error") if isinstance(answer, dict) else None
        if not isinstance(error, dict):
            return ""
        words = "; ".join(map(str, [error.get("message", ""), *(error.get("errors") or ())]))
        return f": {words[:160]}"

    def _strange(self, name: str) -> InconclusiveError:
        return InconclusiveError(
            f"{bare(self._door.base)} gives no {name}", hint="see what stands at the address of the pager"
        )


@asynccontextmanager
async def asking(address: str) -> AsyncIterator[Api]:
    """PagerDuty at an address, `https://:TOKEN@api.pagerduty.com`."""
    door = Door.of(address)
    async with connect(door.base) as http:
        yield Api(http, door)


async def service(api: Api, identifier: str) -> Service:
    """A service and its policy."""
    found = await api.named(f"/services/{quote(identifier, safe='')}", "service")
    policy, status = found.get("escalation_policy") or {}, str(found.get("status", ""))
    return Service(
        str(found.get("id")),
        str(found.get("summary") or found.get("name")),
        str(policy.get("id", "")),
        status if status in _ASLEEP else "",
        _urgencies(found.get("incident_urgency_rule") or {}),
    )


def _urgencies(rule: Mapping[str, Any]) -> dict[str, str]:
    """What a service's `incident_urgency_rule` says."""
    if rule.get("type") != "use_support_hours":
        return {"": str(rule.get("urgency") or "")}
    return {
        f"{when} its support hours": str((rule.get(f"{when}_support_hours") or {}).get("urgency") or "")
        for when in ("during", "outside")
    }


async def people(api: Api, policy: str, urgency: Literal["high", "low"]) -> list[Person]:
    """Everybody who is on call now by an escalation policy, on any of its levels, the first level first."""
    asked = {"escalation_policy_ids[]": policy, "time_zone": "UTC"}
    levels: dict[str, tuple[int, str]] = {}
    for one in await api.listed("/oncalls", "oncalls", asked):
        user, level = one.get("user") or {}, int(one.get("escalation_level") or 0)
        name = str(user.get("summary") or user.get("id"))
        levels[str(user.get("id"))] = min((level, name), levels.get(str(user.get("id")), (level, name)))
    persons = [_person(api, identifier, *known, urgency) for identifier, known in levels.items()]
    return sorted(await asyncio.gather(*persons), key=lambda one: (one.level, one.id))


async def _person(api: Api, identifier: str, level: int, name: str, urgency: str) -> Person:
    path = f"/users/{quote(identifier, safe='')}"
    methods = await api.listed(f"{path}/contact_methods", "contact_methods", paged=False)
    asked = {"urgency": urgency}
    rules = await api.listed(f"{path}/notification_rules", "notification_rules", asked, paged=False)
    delays: dict[str, int] = {}
    for rule in rules:
        used, delay = (
            str((rule.get("contact_method") or {}).get("id")),
            int(rule.get("start_delay_in_minutes") or 0),
        )
        if rule.get("urgency") == urgency:
            delays[used] = min(delay, delays.get(used, delay))
    numbers = tuple(_number(one) for one in methods if one.get("type") in _WAYS)
    gone = len(set(delays) - {str(one.get("id")) for one in methods})
    return Person(identifier, name, level, numbers, delays, gone)


def _number(method: Mapping[str, Any]) -> Number:
    country, number = str(method.get("country_code") or ""), str(method.get("address") or "")
    fault = wrong(country, number)
    if method.get("blacklisted"):
        fault = "PagerDuty sends nothing to it any more"
    elif method.get("enabled") is False:
        fault = "it is disabled"
    return Number(str(method.get("id")), _WAYS[str(method["type"])], country, number, fault)

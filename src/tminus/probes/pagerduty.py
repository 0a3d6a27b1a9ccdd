"""PagerDuty: whether everybody on call is reached by a text message, and answers it.

`sms` sends a test message of its own to whoever has not answered one of late: an incident that is assigned to that
person alone, or a text message by another provider. It ends what it began, and touches nothing else.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Literal

from tminus.alerting import oncall
from tminus.alerting.oncall import Person
from tminus.alerting.pages import Pages
from tminus.alerting.texting import Twilio
from tminus.alerting.told import Messenger, Patience, Told, followed
from tminus.domain.canonical import JsonValue, timestamp
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError
from tminus.probes import Probe

DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class System:
    """One account of PagerDuty by the address of its API, and who else sends text messages."""

    address: str = field(repr=False)
    now: Callable[[], float]
    providers: Mapping[str, Twilio] = field(default_factory=dict, repr=False)
    """By the plan's name of each."""


@Probe
async def sms(  # noqa: PLR0913 - what a plan may say
    pager: System,
    *,
    service: str,
    severity: Literal["critical", "warning"] = "critical",
    sender: str = "",
    provider: str = "",
    days: int = 7,
    seconds: int = 45,
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What keeps a text message from those on call: no number, no rule that uses it, or a test that did not arrive.

    `service` is the id of the service that is paged about; critical alerts are of high urgency there. Whoever has not
    answered a test message within `days` gets one, in the name of the user with the mail address `sender`, and has
    `seconds` to answer: one that came and is not answered is remarked upon. With a `provider`, a system of kind twilio,
    the message and the answer to it go through that one. Numbers are shown by their last two digits.
    """
    urgency: Literal["high", "low"] = "high" if severity == "critical" else "low"
    async with oncall.asking(pager.address) as api:
        about = await oncall.service(api, service)
        persons = await oncall.people(api, about.policy, urgency)
        if not persons:
            raise InconclusiveError(
                f"nobody is on call for {about.name}, so nobody could be told",
                hint="fill the schedules of its escalation policy",
            )
        problems, remarks = about.otherwise(severity, urgency)
        if about.asleep:
            problems = [f"{about.name} is {about.asleep} in PagerDuty: nobody is paged for it"]
        # What fails however a test ends wakes nobody.
        reached = [one for one in persons if one.used() and not problems]
        patience = Patience(pager.now, pager.now() - days * DAY, seconds, len(reached))
        async with _messenger(pager, provider) as texts:
            pages = Pages(api, about.id, sender, urgency, pager.now)
            messenger = texts or await pages.begun(persons, patience.since)
            told = await _told(messenger, reached, patience)
    problems += [why for one in persons for why in one.unreached()]
    problems += [_undelivered(one, told[one]) for one in reached if told[one].failed]
    waiting = [f"the test message to {one.name}: {told[one].waits}" for one in reached if told[one].waits]
    if waiting and not problems:
        raise InconclusiveError("; ".join(waiting), hint="look again when it has had the time to arrive")
    remarks += [_unanswered(one, told[one]) for one in reached if told[one].way and not told[one].settled]
    remarks += [why for one in persons for why in one.odd()]
    seen: dict[str, JsonValue] = {one.name: _shown(one, told.get(one)) for one in persons}
    roster: dict[str, JsonValue] = {
        one.id: [f"{number.id} {number.shown}" for number in one.used()] for one in persons
    }
    names = ", ".join(one.name for one in persons)
    fact = f"everybody on call got a test message and answered it: {names}"
    return Observation([*problems], seen, {"service": service, "on call": roster}, tuple(remarks), fact)


async def _told(messenger: Messenger, reached: Sequence[Person], patience: Patience) -> dict[Person, Told]:
    """What became of the test message to each of these, all at once."""
    each = [followed(messenger, one, patience) for one in reached]
    # Nobody's message is given up because another one cannot be sent.
    ended = await asyncio.gather(*each, return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return {person: told for person, told in zip(reached, ended, strict=True) if isinstance(told, Told)}


@asynccontextmanager
async def _messenger(pager: System, provider: str) -> AsyncIterator[Messenger | None]:
    """What test messages go by; nothing where it is PagerDuty itself."""
    if not provider:
        yield None
    elif provider in pager.providers:
        async with pager.providers[provider].texting() as texts:
            yield texts
    else:
        known = ", ".join(pager.providers) or "none"
        raise InconclusiveError(
            f"there is no provider {provider}; there are: {known}",
            hint="name a system of the plan whose kind is twilio",
        )


def _undelivered(person: Person, told: Told) -> str:
    when = f" of {timestamp(told.at)[:16]}Z" if told.at else ""
    return f"{person.name} did not get the test message{when}: {told.failed}"


def _unanswered(person: Person, told: Told) -> str:
    if told.other:
        return f"{person.name} got the test message, and {told.other} acknowledged it in that person's place"
    return f"{person.name} got the test message and has not answered it"


def _shown(person: Person, told: Told | None) -> JsonValue:
    """What shows that somebody is reached; no number is shown whole."""
    known: dict[str, JsonValue] = {
        "id": person.id,
        "level": person.level,
        "numbers": [f"{one.way} {one.shown}" for one in person.numbers],
    }
    if told is None:
        return known
    answered = None if told.answered is None else round(told.answered, 1)
    return {**known, "message": told.id, "delivered": told.entry, "by": told.way, "answered_s": answered}

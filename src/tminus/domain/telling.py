"""Who is still to be told what, and where: read from the record of a launch each time, and kept nowhere else.

What concerns the launch as a whole (its date, a hold, an order, its end) is told to every role that the event lists; of
several changes only the last one is, since it says where the launch stands. A notice is told as long as its lines wait
and its date stands.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tminus.domain import fields
from tminus.domain.attempts import in_force
from tminus.domain.canonical import instant, sha256_hex
from tminus.domain.course import (
    DECIDED,
    GUARDED,
    HELD,
    ORDERED,
    PROPOSED,
    RAISED,
    RESCHEDULED,
    RESUMED,
    STUCK,
    TOLD,
    UNDELIVERED,
    UNPROVEN,
    Course,
    course_of,
)
from tminus.domain.delegation import DELEGATED
from tminus.domain.evidence import Claim
from tminus.domain.notices import track, wanted
from tminus.domain.paging import page
from tminus.domain.plan import Plan
from tminus.domain.reach import Address, on_call, ways
from tminus.domain.record import ENDED, OPENED, Event

NEWS = frozenset({OPENED, HELD, RESUMED, RESCHEDULED, DECIDED, PROPOSED, ORDERED, ENDED})
"""The events that say where the launch stands as a whole; so does a hold by `UNPROVEN` or `STUCK`."""

ON_CALL = "on-call"
"""Who is told by a pager, in the place of a role: the pager knows who that is."""

TRIES = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0)
"""Seconds from each failed try to the next; whoever was not reached after the last, about an hour, is given up."""


def is_news(event: Event) -> bool:
    """Whether an event says where the launch stands as a whole; other holds of the rollout are told of as pages."""
    return event.type in NEWS or (event.type == GUARDED and event.data.get("rule") in {UNPROVEN, STUCK})


def calls(event: Event) -> bool:
    """Whether people are told of an event."""
    return event.type in {RAISED, GUARDED} or is_news(event)


def hears(event: Event) -> bool:
    """Whether somebody may have to be told after it; who holds a role from now on was not told what its holder was."""
    return event.type == DELEGATED or calls(event)


@dataclass(frozen=True, slots=True)
class Telling:
    """One event of which people are to be told."""

    event: Event
    roles: tuple[str, ...]
    checks: tuple[str, ...] = ()
    """Of a notice: its lines that still wait."""
    before: Event | None = None
    """Of news: what was news before it."""
    at: float = 0.0
    """The instant from which it is to be told, in seconds of the epoch."""
    hold: Event | None = None
    """Of a hold of the rollout, and of its end: the event with which it began."""

    @property
    def over(self) -> bool:
        """Whether it tells that a hold is over."""
        return self.hold is not None and self.event is not self.hold

    @property
    def kind(self) -> str:
        """In one word: the kind of notice, or what happened to the launch."""
        data = self.event.data
        if self.over:
            return "goes-on"
        names = {
            RAISED: "notice",
            DECIDED: "decision",
            ORDERED: "order",
            ENDED: "outcome",
            GUARDED: "rule",
        }
        if name := names.get(self.event.type):
            return fields.text(data, name)
        return {PROPOSED: "no-go"}.get(self.event.type, self.event.type.rpartition(".")[2])


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one address: everybody there is told by it."""

    telling: Telling
    address: Address
    roles: tuple[str, ...]
    """Those of the telling that are reached there."""

    @property
    def key(self) -> str:
        """The same for every try, in every process."""
        named = (self.telling.event.key, self.address.channel, self.address.at)
        return sha256_hex("\n".join(named).encode())[:32]

    def data(self) -> dict[str, object]:
        """What the record says of it, delivered or not."""
        return {
            "notice": self.telling.kind,
            "roles": list(self.roles),
            "checks": list(self.telling.checks),
            "of": self.telling.event.key,
            "channel": self.address.channel.value,
            "address": self.address.at,
        }


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A message that no system has taken yet."""

    delivery: Delivery
    tries: int
    """How often it was tried in vain."""
    at: float
    """The instant from which it may be tried, in seconds of the epoch; 0 for one that never was."""


def tellings(
    plan: Plan, events: Sequence[Event], claims: Mapping[str, Claim], now: float
) -> tuple[Telling, ...]:
    """What people are to know at `now` (seconds of the epoch) by this record, told already or not."""
    course = course_of(events)
    news = [event for event in events if is_news(event)]
    found = [Telling(news[-1], _concerned(plan, news[-1]), before=news[-2] if len(news) > 1 else None)]
    if course.t0 is not None and not course.over:
        found += _pages(plan, course, events)
    if course.t0 is not None and not course.over and not course.leaving:
        found += _calls(plan, course, (events, claims), now)
    return tuple(found)


def deliveries(plan: Plan, telling: Telling) -> tuple[Delivery, ...]:
    """The messages by which it is told, one for each address."""
    by_address: dict[Address, list[str]] = {}
    for role in plan.roles:
        for address in ways(plan, role) if role.id in telling.roles else ():
            by_address.setdefault(address, []).append(role.id)
    if telling.hold is not None:
        by_address |= {address: [ON_CALL] for address in on_call(plan)}
    return tuple(Delivery(telling, address, tuple(roles)) for address, roles in by_address.items())


def outstanding(
    plan: Plan, events: Sequence[Event], claims: Mapping[str, Claim], now: float
) -> tuple[Outstanding, ...]:
    """Every message that is to be sent now or later, by what the record says was taken, and given up."""
    told = {event.key for event in events if event.type == TOLD}
    failed = {str(event.data["delivery"]): event for event in events if event.type == UNDELIVERED}
    found = []
    for telling in tellings(plan, events, claims, now):
        for delivery in deliveries(plan, telling):
            if told_key(delivery) in told or _of_nothing(delivery, told):
                continue
            last = failed.get(delivery.key)
            if last is None:
                found.append(Outstanding(delivery, 0, telling.at))
            elif last.data["again"] is not None:
                tries = int(str(last.data["try"]))
                found.append(Outstanding(delivery, tries, instant(fields.text(last.data, "again"))))
    return tuple(found)


def _of_nothing(delivery: Delivery, told: set[str]) -> bool:
    """Whether it would tell the end of a hold to somebody who was never told of the hold."""
    telling = delivery.telling
    if telling.hold is None or not telling.over:
        return False
    begun = replace(telling, event=telling.hold)
    return told_key(replace(delivery, telling=begun)) not in told


def told_key(delivery: Delivery) -> str:
    """The key of the record under which it stands as told."""
    return f"told:{delivery.key}"


def again(tries: int, after: float | None, now: float, waits_: Sequence[float] = TRIES) -> float | None:
    """The instant of the next try when this many have failed; none when there is none.

    `after` is how many seconds the system wants to be left alone, none where a later try cannot succeed.
    """
    if after is None or tries > len(waits_):
        return None
    return now + max(after, waits_[tries - 1])


def _concerned(plan: Plan, event: Event) -> tuple[str, ...]:
    if "tell" in event.data:
        return tuple(fields.texts(event.data, "tell"))
    return tuple(role.id for role in plan.roles)


def _pages(plan: Plan, course: Course, events: Sequence[Event]) -> Iterator[Telling]:
    """The newest hold of the rollout and its end; one that a person has to answer for is news already."""
    # On the way back nothing is held any more but a rollback that fails.
    found = page(
        one for one in events if not course.leaving or one.type != GUARDED or one.data["rule"] == STUCK
    )
    if found is None:
        return
    event = found.over or found.held
    roles = () if course.unproven or is_news(event) else tuple(role.id for role in plan.roles)
    if roles or on_call(plan):
        yield Telling(event, roles, at=found.at, hold=found.held)


def _calls(
    plan: Plan, course: Course, known: tuple[Sequence[Event], Mapping[str, Claim]], now: float
) -> Iterator[Telling]:
    """The notices of this date, the latest first, each with those of its lines of which no later one tells."""
    events, claims = known
    said: set[tuple[str, str, str]] = set()
    for event in reversed(in_force(events)):
        if event.type != RAISED:
            continue
        to, kind = fields.text(event.data, "to"), fields.text(event.data, "notice")
        lines = {check: (track(kind), to, check) for check in fields.texts(event.data, "checks")}
        left = tuple(
            check
            for check, named in lines.items()
            if named not in said and wanted(kind, course, plan.check(check), claims.get(check), now)
        )
        said.update(lines.values())
        if left:
            yield Telling(event, (to,), left)

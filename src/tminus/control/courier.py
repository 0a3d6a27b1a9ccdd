"""Tells people what the record says they are to be told, beside the launch and never in its way.

The record is the list of what is to be told and what was: a message is written down as told only after a system took
it, so after a crash it may be sent a second time, under the same name. Whoever runs the launch runs its courier.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from tminus.control.ports import Clock, Engine, Json, Notifier, Record
from tminus.control.readiness import claims_of
from tminus.domain import fields
from tminus.domain.attempts import in_force
from tminus.domain.canonical import plain, timestamp
from tminus.domain.course import GUARDED, TOLD, UNADDRESSED, UNDELIVERED, course_of
from tminus.domain.delegation import DELEGATED, as_held, handed
from tminus.domain.message import Message, Standing, message
from tminus.domain.paging import may_end
from tminus.domain.plan import Plan
from tminus.domain.reach import Channel, Unreached, on_call, unreached
from tminus.domain.record import ENDED, OPENED, Event
from tminus.domain.telling import (
    TRIES,
    Delivery,
    Outstanding,
    again,
    calls,
    deliveries,
    hears,
    outstanding,
    tellings,
    told_key,
)
from tminus.errors import OutOfSequenceError, TminusError, UndeliveredError

LAST_TRIES = TRIES[:5]
"""The same for the last word of a launch: its workflow stays until it is told, or given up after some ten minutes."""


@dataclass(frozen=True, slots=True)
class Post:
    """The launch that a courier works for, and by what it sends."""

    launch: str
    environment: str
    plan: Plan
    notifiers: Mapping[Channel, Notifier]
    say: Callable[[str], None]
    """Takes what cannot be written into the record."""


class Courier:
    """The messages of one launch."""

    def __init__(self, post: Post, record: Record, clock: Clock) -> None:
        self._post = post
        self._record = record
        self._clock = clock
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._idle = asyncio.Event()
        """Whether nothing is being sent just now."""
        self._next: float | None = None
        """When something is to be sent again, if nothing new comes."""
        self._handed = False
        """Whether a role was ever delegated: who holds it then may have an address where the plan's has none."""
        self._named = False
        """Whether the record names those who cannot be told."""
        self._held = False
        """Whether the rollout was held and its end is not heard yet: those who were told of it are to hear of that."""

    def hear(self, events: Sequence[Event]) -> None:
        """Take note of what is new in the record: begin to work where that is of people's concern.

        Thousands of launches wait with nothing to tell, so between two messages nothing runs.
        """
        self._named = self._named or any(event.type == UNADDRESSED for event in events)
        self._handed = self._handed or any(event.type == DELEGATED for event in events)
        if not any(map(hears, events)) and not (self._held and any(map(may_end, events))):
            return
        self._held = events[-1].type == GUARDED or (self._held and not any(map(may_end, events)))
        plan = self._post.plan
        if self._named and not self._handed and _reaches_nobody(plan) and not on_call(plan):
            return
        whole = events[0].type == OPENED
        if whole and not self._outstanding(events) and not self._without_address(events):
            return
        self._news.set()
        self._idle.clear()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self.run())
            self._task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._post.say(f"nobody is told anything until the next event: {type(error).__name__}: {error}")

    async def close(self) -> None:
        """Leave what is not sent yet."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def run(self) -> None:
        """Send until nothing is outstanding any more."""
        while True:
            self._news.clear()
            at = self._next = await self.round()
            if not self._news.is_set():
                self._idle.set()
            if at is not None:
                await self._until(at)
            elif not self._news.is_set():
                return
            self._idle.clear()

    async def settle(self, until: float) -> float:
        """Wait while something is being sent, up to an instant at most; the instant up to which nobody is to be told.

        A launch that goes to rest ends its courier, who would leave a message half sent.
        """
        if self._next is not None and self._next <= self._clock.now():
            self._news.set()
            self._idle.clear()
        while (task := self._task) is not None and not task.done() and not self._idle.is_set():
            if (left := until - self._clock.now()) <= 0:
                return until
            idle = asyncio.ensure_future(self._idle.wait())
            try:
                await asyncio.wait({task, idle}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            finally:
                idle.cancel()
        return until if self._next is None else min(until, self._next)

    async def _until(self, at: float) -> None:
        """Wait for an instant, or for news."""
        waits: set[asyncio.Future[object]] = {
            asyncio.ensure_future(self._clock.sleep(max(0.0, at - self._clock.now()))),
            asyncio.ensure_future(self._news.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def round(self) -> float | None:
        """Send everything that is due; the instant of the next try, none when nothing is outstanding."""
        events = await self._record.events()
        if course_of(events).over:
            return None
        try:
            if lost := self._without_address(events):
                rows = [{"role": one.role, "person": one.person, "why": one.why} for one in lost]
                before = sum(event.type == UNADDRESSED for event in events)
                key = f"notices:unaddressed{f'~{before}' if before else ''}"
                await self._record.append_once(key, UNADDRESSED, plain({"roles": rows}))
            now = self._clock.now()
            due = [one for one in self._outstanding(events) if one.at <= now]
            tries = (self._deliver(events, one) for one in due)
            for fault in await asyncio.gather(*tries, return_exceptions=True):
                if isinstance(fault, BaseException):
                    raise fault
        except OutOfSequenceError:
            self._post.say("the launch ended while people were told: what came of it is not in its record")
            return None
        left = self._outstanding(await self._record.events())
        return min((one.at for one in left), default=None)

    def _outstanding(self, events: Sequence[Event]) -> tuple[Outstanding, ...]:
        plan = as_held(self._post.plan, events)
        if _reaches_nobody(plan) and not on_call(plan):
            return ()
        return outstanding(plan, events, claims_of(in_force(events)), self._clock.now())

    def _without_address(self, events: Sequence[Event]) -> list[Unreached]:
        """Who cannot be told and is not written down yet, once one of them is to be; after a delegation at once."""
        plan, others = as_held(self._post.plan, events), handed(self._post.plan, events)
        if on_call(plan) and _reaches_nobody(plan) and all(role.simulated for role in plan.roles):
            return []  # a pager alone, and nobody else who could be told
        named = {(row["role"], row["person"]) for event in events for row in _unaddressed(event)}
        lost = [one for one in unreached(plan, others) if (one.role, one.person) not in named]
        if any(one.role in others for one in lost):
            return lost
        if not lost or not any(map(calls, events[1:])):
            return []
        called = tellings(plan, events, claims_of(in_force(events)), self._clock.now())
        wanted = {role for one in called if one.event.type != OPENED for role in one.roles}
        return lost if any(one.role in wanted for one in lost) else []

    async def _deliver(self, events: Sequence[Event], one: Outstanding) -> None:
        """One try, and what came of it in the record."""
        delivery, tries = one.delivery, one.tries + 1
        try:
            receipt = await self._send(delivery, self._message(events, delivery))
        except TminusError as error:
            next_ = again(tries, _after(error), self._clock.now())
            data = {
                **delivery.data(),
                "delivery": delivery.key,
                "why": str(error),
                "hint": error.hint,
                "try": tries,
                "again": None if next_ is None else timestamp(next_),
            }
            await self._record.append_once(f"undelivered:{delivery.key}:{tries}", UNDELIVERED, plain(data))
        else:
            data = {**delivery.data(), "receipt": receipt}
            await self._record.append_once(told_key(delivery), TOLD, plain(data))

    async def tell_of_the_end(self, engine: Engine) -> None:
        """Tell of the end of the launch, whose record is closed by then: each address in a step of the engine."""
        events = await self._record.events()
        plan = as_held(self._post.plan, events)
        ends = (one for one in tellings(plan, events, {}, self._clock.now()))
        for delivery in (made for one in ends if one.event.type == ENDED for made in deliveries(plan, one)):
            await engine.step(f"tell of the end: {delivery.key}", self._last_word(events, delivery))

    def _last_word(self, events: Sequence[Event], delivery: Delivery) -> Callable[[], Awaitable[Json]]:
        made = self._message(events, delivery)
        whom = f"{', '.join(made.names)}, by {delivery.address.channel}"

        async def act() -> Json:
            tries = 0
            while True:
                try:
                    receipt = await self._send(delivery, made)
                except TminusError as error:
                    tries += 1
                    now = self._clock.now()
                    next_ = again(tries, _after(error), now, LAST_TRIES)
                    rest = "it is given up" if next_ is None else "it is tried again"
                    self._post.say(f"the end could not be told to {whom}: {error}; {error.hint}; {rest}")
                    if next_ is None:
                        return {"told": False, "why": str(error)}
                    await self._clock.sleep(next_ - now)
                else:
                    self._post.say(f"the end is told to {whom}: {receipt}")
                    return {"told": True, "receipt": receipt}

        return act

    def _message(self, events: Sequence[Event], delivery: Delivery) -> Message:
        post = self._post
        claims, plan = claims_of(in_force(events)), as_held(post.plan, events)
        about = Standing(post.launch, post.environment, plan, course_of(events), claims, self._clock.now())
        return message(about, delivery)

    async def _send(self, delivery: Delivery, made: Message) -> str:
        return await self._post.notifiers[delivery.address.channel].send(made)


def _reaches_nobody(plan: Plan) -> bool:
    return len(unreached(plan)) == len(plan.roles)


def _unaddressed(event: Event) -> list[Mapping[str, object]]:
    """The roles that an event says nobody can tell anything."""
    return list(fields.rows(event.data, "roles")) if event.type == UNADDRESSED else []


def _after(error: TminusError) -> float | None:
    """A reference that leads nowhere is mended by a person, so it is tried again like a system that is away."""
    return error.after if isinstance(error, UndeliveredError) else 0.0

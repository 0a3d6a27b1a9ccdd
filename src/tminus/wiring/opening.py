"""Launches of the common database: how one is opened, and how it is read again by whoever runs or orders it.

Whatever a launch needs stands in the database from its first moment: whoever runs it later needs no file of the
person who opened it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tminus.control.launchtime import LaunchTime
from tminus.control.opening import OPENED_KEY, Binding, opening
from tminus.control.ports import Clock, Json
from tminus.domain.canonical import canonical, sha256_hex, timestamp
from tminus.domain.course import Course, course_of
from tminus.domain.expedition import Expedited, shorter
from tminus.domain.plan import Plan
from tminus.domain.record import OPENED, Entry, Event
from tminus.domain.timeline import LaunchClock
from tminus.engine.durable import ready
from tminus.engine.outbox import DurableOutbox
from tminus.errors import PlanError
from tminus.picture.reading import OWN_PLAN, plan_digest
from tminus.planfile import Loaded, loaded
from tminus.store.chain import write
from tminus.store.orders import Order
from tminus.store.record import RecordStore
from tminus.store.tables import connect
from tminus.wiring import seal
from tminus.wiring.keys import Keys

BODY = "planned"
"""The kind of workflow that a launch of the common database is."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be launched, where and when."""

    loaded: Loaded
    """A plan without problems."""
    environment: str
    release: Mapping[str, str]
    """SHA-256 of each component's image, in hex."""
    t0: float
    previous: Mapping[str, str] = field(default_factory=dict)
    """The same of the images that run now, as far as they are known."""
    expedited: Expedited | None = None
    """What makes it an expedited launch, which takes the plan's shorter form."""

    @property
    def plan(self) -> Plan:
        """The plan that the launch follows."""
        whole = self.loaded.checked()
        return shorter(whole) if self.expedited else whole

    def named(self, number: int) -> str:
        """The launch's id: the same wish is the same launch; `number` counts those of it that have ended."""
        about = {
            "plan": self.loaded.checked().digest,
            "release": dict(self.release),
            "t0": timestamp(self.t0),
            "number": number,
            **({"previous": dict(self.previous)} if self.previous else {}),
            **({"expedited": self.expedited.data()} if self.expedited else {}),
        }
        return f"{self.environment}-{sha256_hex(canonical(about))[:8]}"


@dataclass(frozen=True, slots=True)
class Opened:
    """A launch that is open in the common database."""

    launch: str
    course: Course
    new: bool
    """Whether this very wish opened it; else it was open before."""


async def open_launch(database_url: str, wanted: Wanted, clock: Clock) -> Opened:
    """Open a launch for the workers of a database: its record, its order, its environment, and its beginning.

    Done again after a kill, the same wish finds the launch that it has opened. Raises `OutOfSequenceError` while
    another launch has the environment, `PartError` when the database does not answer.
    """
    await asyncio.to_thread(ready, database_url)
    engine = connect(database_url)
    try:
        store = RecordStore(engine, DurableOutbox(engine))
        number = 1
        while True:
            launch = wanted.named(number)
            before = await store.events(launch)
            if before and course_of(before).over:
                number += 1
                continue
            binding = _binding(launch, wanted)
            await store.open(launch, _first(wanted, binding, clock.now()), _order(wanted, binding))
            return Opened(launch, course_of(await store.events(launch)), new=not before)
    finally:
        engine.dispose()


def _binding(launch: str, wanted: Wanted) -> Binding:
    release, previous = dict(wanted.release), dict(wanted.previous)
    return Binding(
        launch,
        release,
        previous,
        wanted.t0,
        1.0,
        (),
        asks=False,
        waits=True,
        environment=wanted.environment,
        expedited=wanted.expedited,
    )


async def kept(database_url: str, launch: str) -> tuple[list[Event], Plan]:
    """The events and the plan of a launch; raises `RecordError` for one that is not in this database."""
    engine = connect(database_url)
    try:
        store = RecordStore(engine)
        order, events = await store.order(launch), await store.events(launch)
    finally:
        engine.dispose()
    return events, plan_of(order, plan_digest(events))


async def seal_kept(store: RecordStore, launch: str, home: Path, time: LaunchTime) -> Path:
    """Sign the record of a launch that has ended, unless it is signed, and export it; the exported file.

    Its plan is written beside it, so that `tminus export` needs nothing else. Raises `PartError` when a file cannot be
    written; done again, it completes what is missing.
    """
    order = await store.order(launch)
    record = await seal(store, launch, home, time)
    await asyncio.to_thread(write, record.with_name(OWN_PLAN), [str(order.document["plan"]).encode()])
    return record


async def seal_ended(database_url: str, launch: str, home: Path, clock: Clock) -> Path:
    """The same for who does not run it, with the key of this machine."""
    Keys(home).enrol_server()
    engine = connect(database_url)
    try:
        store = RecordStore(engine)
        course = course_of(await store.events(launch))
        return await seal_kept(store, launch, home, LaunchTime(clock, LaunchClock(course.t0, course.speed)))
    finally:
        engine.dispose()


def _first(wanted: Wanted, binding: Binding, now: float) -> Entry:
    t_ms = round((now - binding.t0) * 1000)
    return Entry(OPENED, OPENED_KEY, opening(wanted.plan, binding), timestamp(now), t_ms)


def _order(wanted: Wanted, binding: Binding) -> Order:
    # What a plan extends is in it by now, and may be gone or changed when the launch is run.
    document = wanted.loaded.document.model_copy(update={"extends": ""})
    # As text, since the sections of a checklist have an order, and JSON objects in the database have none.
    kept_as: Json = {"plan": document.model_dump_json(by_alias=True)}
    order = Order(wanted.environment, kept_as, _bound(binding), BODY)
    plan_of(order, wanted.loaded.checked().digest)
    return order


def _bound(binding: Binding) -> Json:
    """A binding as the database keeps it."""
    return {
        "launch": binding.launch,
        "release": dict(binding.release),
        "previous": dict(binding.previous),
        "t0": binding.t0,
        "speed": binding.speed,
        "by_hand": [*binding.by_hand],
        "asks": binding.asks,
        "waits": binding.waits,
        "expedited": binding.expedited is not None,
    }


def binding_of(order: Order) -> Binding:
    """What a launch binds, from its order."""
    data = order.binding
    release, previous, by_hand = data["release"], data["previous"], data["by_hand"]
    assert isinstance(release, dict)  # noqa: S101 - _bound() wrote it
    assert isinstance(previous, dict)  # noqa: S101 - _bound() wrote it
    assert isinstance(by_hand, list)  # noqa: S101 - _bound() wrote it
    return Binding(
        launch=str(data["launch"]),
        release={name: str(digest) for name, digest in release.items()},
        previous={name: str(digest) for name, digest in previous.items()},
        t0=float(str(data["t0"])),
        speed=float(str(data["speed"])),
        by_hand=tuple(map(str, by_hand)),
        asks=bool(data["asks"]),
        waits=bool(data["waits"]),
        environment=order.environment,
    )


def plan_of(order: Order, digest: str) -> Plan:
    """The plan that a launch follows, from its order; an expedited one follows the shorter form.

    Raises `PlanError` where it is not the one of this digest any more.
    """
    plan = loaded(str(order.document["plan"]), Path(f"the plan kept for {order.environment}")).checked()
    if plan.digest != digest:
        raise PlanError(
            f"the plan kept for {order.environment} is read as {plan.digest[:16]}, but {digest[:16]} was opened",
            hint="run this launch by the tminus that opened it",
        )
    return shorter(plan) if order.binding.get("expedited") else plan

"""A person's order to a launch: judged by the record, written into it, and the launch woken, all or nothing."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import uuid4

from tminus.control.ports import Clock
from tminus.domain import orders
from tminus.domain.canonical import instant
from tminus.domain.course import course_of
from tminus.domain.delegation import as_held
from tminus.domain.orders import Order
from tminus.domain.plan import Plan
from tminus.domain.record import Entry, Event
from tminus.engine.outbox import DurableOutbox
from tminus.errors import OutOfSequenceError
from tminus.store.outbox import Message
from tminus.store.record import RecordStore
from tminus.store.tables import connect
from tminus.wiring.discretion import check_said


def new_id() -> str:
    """What tells one order from all others."""
    return uuid4().hex


async def give(database_url: str, launch: str, order: Order, plan: Plan, clock: Clock) -> list[Event]:
    """Give an order to the launch of this name; what the record says of it.

    The same order given again is one. Raises `OutOfSequenceError` and `RefusedError` in words for one that makes no
    sense now, `PartError` when the database does not answer.
    """
    engine = connect(database_url)
    try:
        store = RecordStore(engine, DurableOutbox(engine))
        message = Message(f"order-{order.id}", {"id": order.id, "order": order.act.value})
        return await store.act(launch, lambda events: _chosen(events, order, plan, clock), message)
    finally:
        engine.dispose()


def _chosen(events: Sequence[Event], order: Order, plan: Plan, clock: Clock) -> Sequence[Entry]:
    course = course_of(events)
    if orders.taken(events, order):
        return []
    if course.speed != 1 and order.new_t0 is not None:
        raise OutOfSequenceError(
            f"{order.act} makes no sense now: the waits of this launch are shortened, so it follows no calendar",
            hint="start it again when it is wanted",
        )
    now, last = clock.now(), events[-1]
    made = orders.ordered(course, order, now, as_held(plan, events))
    check_said(made)
    if course.speed == 1 or course.held or last.t_ms is None:
        return made
    # What shortened waits have skipped is known to the launch alone; its newest event tells.
    t_ms = last.t_ms + max(0, round((now - instant(last.at)) * 1000))
    return [replace(entry, t_ms=t_ms) for entry in made]

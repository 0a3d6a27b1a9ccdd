"""`tminus hold`, `resume`, `reschedule`, `scrub`, `abort`, `rollback`, `report`: a word to a launch that another runs.

Each is judged by the record and written into it at once; the launch then acts on it. One that makes no sense now is
refused in words and leaves nothing.
"""

import asyncio
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, cast

import typer

from tminus.cli.account import whoever
from tminus.cli.launches import Found, launches, open_launch
from tminus.config import evidence_place, home, writable_home
from tminus.demo.custody import Custody, custody
from tminus.domain.canonical import timestamp
from tminus.domain.course import Course, course_of
from tminus.domain.freezes import Override
from tminus.domain.orders import BEFORE_GO, Act, Order
from tminus.domain.plan import Plan
from tminus.domain.record import Event
from tminus.domain.words import shown_files
from tminus.engine.survey import survey
from tminus.engine.upkeep import PULSE
from tminus.errors import OutOfSequenceError, PartError, PlanError, TminusError, UsageError
from tminus.evidence import place
from tminus.picture.reading import Plans, plan_digest
from tminus.planfile.lints import instant
from tminus.planfile.problem import printable
from tminus.store.record import RecordStore
from tminus.store.tables import connect
from tminus.wiring import SystemClock
from tminus.wiring.opening import kept, seal_ended
from tminus.wiring.orders import give, new_id
from tminus.wiring.shown import bundled

_ACTED_UPON = frozenset({Act.ABORT, Act.ROLLBACK, Act.REPORT})
"""Orders that somebody has to carry out; the others are done once they are recorded."""

Reason = Annotated[str, typer.Option(help="Why; it stands in the record.")]
Second = Annotated[str, typer.Option(help="The second person who allows a T-0 within a freeze.")]
Launch = Annotated[
    str, typer.Argument(help="The launch, or its environment; the only open one when left out.")
]


def hold(launch: Launch = "", *, reason: Reason) -> None:
    """Stop the clock of a launch; the guard goes on.

    T-0 and every milestone move by the time it stands.
    """
    _order(launch, Order(new_id(), Act.HOLD, whoever(), reason))


def resume(launch: Launch = "", *, reason: Reason, override_by: Second = "") -> None:
    """Let a held launch go on.

    A held clock runs again; where it runs, a hold on evidence ends, and the guard gathers it anew.
    """
    override = Override(override_by, reason) if override_by else None
    _order(launch, Order(new_id(), Act.RESUME, whoever(), reason, override=override))


def reschedule(
    t0: Annotated[str, typer.Argument(help="When: ISO 8601 with zone, such as 2026-01-31T14:00:00+01:00.")],
    launch: Launch = "",
    *,
    reason: Reason,
    override_by: Second = "",
) -> None:
    """Give a launch another T-0.

    Milestones move; sign-offs and people's words for the old date are void.
    """
    try:
        at = instant(t0)
    except ValueError as error:
        raise UsageError(
            f"T-0 {t0!r} is no time with a zone", hint="write for example 2026-01-31T14:00:00+01:00"
        ) from error
    override = Override(override_by, reason) if override_by else None
    order = Order(new_id(), Act.RESCHEDULE, whoever(), reason, new_t0=at, override=override)
    _order(launch, order)


def scrub(launch: Launch = "", *, reason: Reason) -> None:
    """Call a launch off before GO; that ends it."""
    _order(launch, Order(new_id(), Act.SCRUB, whoever(), reason))


def abort(launch: Launch = "", *, reason: Reason) -> None:
    """Bring all traffic back to blue and end the launch as aborted."""
    _order(launch, Order(new_id(), Act.ABORT, whoever(), reason))


def rollback(launch: Launch = "", *, reason: Reason) -> None:
    """Bring all traffic back to blue and end it as rolled back."""
    _order(launch, Order(new_id(), Act.ROLLBACK, whoever(), reason))


def report(
    trigger: Annotated[str, typer.Argument(help="The trigger: trig.vulnerability, trig.corruption, …")],
    launch: Launch = "",
    *,
    because: Annotated[str, typer.Option(help="What you found; it stands in the record.")],
) -> None:
    """Say that a rollback trigger's condition holds; it fires at once.

    What follows is the trigger's own: a vulnerability holds the shift, damaged data and an outage roll back.
    """
    _order(launch, Order(new_id(), Act.REPORT, whoever(), because, trigger=trigger))


def _order(word: str, order: Order) -> None:
    folder = writable_home() if home().exists() else home()
    chosen = open_launch(word, asyncio.run(launches(folder)))
    if chosen.environment:
        _order_common(chosen, order)
    else:
        _order_demo(folder, chosen, order)


def _order_common(chosen: Found, order: Order) -> None:
    """An order to a launch that any worker runs: it is done once it is recorded, whether or not one runs now."""
    events, plan = asyncio.run(kept(chosen.database, chosen.id))
    made = asyncio.run(give(chosen.database, chosen.id, order, plan, SystemClock()))
    course = course_of([*events, *made])
    works = order.act not in _ACTED_UPON or course.over or _somebody_works(chosen.database)
    if works is None:
        typer.echo("whether a worker lives to act on it is not known: see `tminus doctor`", err=True)
    elif not works:
        told = next((event.data["by_hand"] for event in events if event.type == "rollback.told"), [])
        raise PartError(
            f"{order.act} of {chosen.id} is recorded, but no worker lives to act on it",
            hint=f"start one: `tminus worker`{_at_once(order, '; '.join(map(str, cast('list[str]', told))))}",
        )
    typer.echo(
        f"{order.act} of {chosen.id} is recorded; {_next(order.act, course)}{_left_alone(order, events)}"
    )
    if course.over:
        record = asyncio.run(seal_ended(chosen.database, chosen.id, writable_home(), SystemClock()))
        typer.echo(f"record: {record}")
        _bundle(record, [*events, *made])


def _somebody_works(database: str) -> bool | None:
    """Whether a worker lives; nothing where the database does not say so: the order is recorded by then."""
    try:
        hearts = survey(database, SystemClock().now).hearts
    except PartError:
        return None
    return None if hearts is None else any(PULSE.alive(heart) for heart in hearts)


def _left_alone(order: Order, events: Sequence[Event]) -> str:
    """Of a launch that has not found users on blue: that it sends nobody there."""
    begun = any(event.key == "done:initiate" for event in events)
    begins = any(event.key.startswith("start:initiate") for event in events)
    if order.act not in {Act.ABORT, Act.ROLLBACK} or begun or not begins:
        return ""
    return ": it ends the launch, and leaves users where they are, for it did not find them on blue"


def _bundle(record: Path, events: Sequence[Event]) -> None:
    """Lay what people showed beside the record, where all machines keep it in one place; the order is done by now."""
    try:
        named = evidence_place()
        lacking = asyncio.run(bundled(place(named), shown_files(events), record)) if named else []
    except TminusError as error:
        lacking = [f"evidence is not beside the record: {error}; {error.hint}"]
    for words in lacking:
        typer.echo(printable(words), err=True)


def _order_demo(folder: Path, found: Found, order: Order) -> None:
    """An order to a launch that only its own tminus runs."""
    chosen = found.id
    events = asyncio.run(recorded(found))
    state = custody(folder, chosen)
    by_hand = "; ".join(map(str, cast("list[str]", events[0].data.get("by_hand", []))))
    if state is Custody.LOST:
        raise OutOfSequenceError(
            f"{chosen} cannot take an order: its tminus has ended, and too little of its stage is left to go on",
            hint=f"end it with `tminus demo --clear`; all traffic to blue, if its proxy still runs: {by_hand}",
        )
    plan = plan_at_hand(folder, chosen, events)
    made = asyncio.run(give(found.database, chosen, order, plan, SystemClock()))
    if state is Custody.WAITING:
        raise PartError(
            f"{order.act} is left for {chosen}, but nobody acts on it now: its tminus has ended",
            hint=f"type `tminus demo`: it takes the launch over and then acts on the order{_at_once(order, by_hand)}",
        )
    typer.echo(f"{order.act} of {chosen} is recorded; {_next(order.act, course_of([*events, *made]))}")


def plan_at_hand(folder: Path, launch: str, events: list[Event]) -> Plan:
    """The plan of a demo's launch; raises `PlanError` where no copy of it is left."""
    with as_file(files("tminus.demo") / "demo.yaml") as own:
        plan = Plans((own,)).find(plan_digest(events), folder / "launches" / launch)
    if plan is None:
        raise PlanError(
            f"the plan of {launch} is not at hand", hint="its copy beside the record was changed or lost"
        )
    return plan


def _next(act: Act, course: Course) -> str:
    """What comes of it."""
    if act is Act.HOLD:
        return "its clock stands until `tminus resume`" + (
            "" if course.phase in BEFORE_GO else "; the guard goes on"
        )
    if course.t0 is not None and act in {Act.RESUME, Act.RESCHEDULE}:
        return f"T-0 is {timestamp(course.t0)}"
    return "the launch has ended" if act is Act.SCRUB else "it acts on it within seconds"


def _at_once(order: Order, by_hand: str) -> str:
    back = order.act in {Act.ABORT, Act.ROLLBACK} and by_hand
    return f"; or all traffic to blue at once, without tminus: {by_hand}" if back else ""


async def recorded(found: Found) -> list[Event]:
    """What the record of a launch holds."""
    engine = connect(found.database)
    try:
        return await RecordStore(engine).events(found.id)
    finally:
        engine.dispose()

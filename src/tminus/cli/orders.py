"""`tminus resume`, `abort`, `rollback`: a person's word to a launch that another process runs."""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated, cast
from uuid import uuid4

import typer

from tminus.cli.launches import open_launch, open_launches
from tminus.config import home, writable_home
from tminus.demo.custody import Custody, custody
from tminus.domain.record import Event
from tminus.engine.outbox import send_from_outside
from tminus.errors import OutOfSequenceError, PartError
from tminus.store.record import RecordStore
from tminus.store.tables import connect

Reason = Annotated[str, typer.Option(help="Why; it stands in the record.")]
Launch = Annotated[str, typer.Argument(help="The launch; the only open one when left out.")]


def resume(launch: Launch = "", *, reason: Reason) -> None:
    """End a hold on evidence; the guard gathers its evidence for a hold anew."""
    _order("resume", launch, reason)


def abort(launch: Launch = "", *, reason: Reason) -> None:
    """Bring all traffic back to blue and end the launch as aborted."""
    _order("abort", launch, reason)


def rollback(launch: Launch = "", *, reason: Reason) -> None:
    """Bring all traffic back to blue and end the launch as rolled back."""
    _order("rollback", launch, reason)


def _order(order: str, launch: str, reason: str) -> None:
    folder = writable_home() if home().exists() else home()
    chosen = open_launch(launch, asyncio.run(open_launches(folder)))
    events = asyncio.run(_events(folder, chosen))
    if not any(event.type == "step.started" for event in events):
        raise OutOfSequenceError(
            f"{chosen} has not begun: there is nothing to {order}",
            hint="before GO, answer the poll with no-go, or stop it with Ctrl-C",
        )
    state = custody(folder, chosen)
    by_hand = "; ".join(map(str, cast("list[str]", events[0].data.get("by_hand", []))))
    if state is Custody.LOST:
        raise OutOfSequenceError(
            f"{chosen} cannot take an order: its tminus has ended, and too little of its stage is left to go on",
            hint=f"end it with `tminus demo --clear`; all traffic to blue, if its proxy still runs: {by_hand}",
        )
    message = {"order": order, "by": getpass.getuser(), "reason": reason}
    send_from_outside(
        f"sqlite:///{_database(folder, chosen)}", chosen, dict(message), f"{order}-{uuid4().hex}"
    )
    if state is Custody.WAITING:
        raise PartError(
            f"{order} is left for {chosen}, but nobody acts on it now: its tminus has ended",
            hint=f"type `tminus demo`: it takes the launch over and then acts on the order{_at_once(order, by_hand)}",
        )
    typer.echo(
        f"{order} is left for {chosen}; it acts on it within seconds, while traffic is shifted or soaks"
    )


def _at_once(order: str, by_hand: str) -> str:
    return "" if order == "resume" else f"; or all traffic to blue at once, without tminus: {by_hand}"


async def _events(folder: Path, launch: str) -> list[Event]:
    return await RecordStore(connect(f"sqlite:///{_database(folder, launch)}")).events(launch)


def _database(folder: Path, launch: str) -> Path:
    return folder / "launches" / launch / "launch.db"

"""`tminus resume`, `abort`, `rollback`: a person's word to a launch that another process runs."""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from tminus.config import home
from tminus.engine.durable import send_from_outside
from tminus.errors import OutOfSequenceError, PartError, UsageError
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
    chosen = _chosen(launch, asyncio.run(_open_launches()))
    if not asyncio.run(_flying(chosen)):
        raise OutOfSequenceError(
            f"{chosen} has not begun: there is nothing to {order}",
            hint="before GO, answer the poll with no-go, or stop it with Ctrl-C",
        )
    message = {"order": order, "by": getpass.getuser(), "reason": reason}
    send_from_outside(_database(chosen), chosen, dict(message), f"{order}-{uuid4().hex}")
    typer.echo(
        f"{order} is left for {chosen}; it acts on it within seconds, while traffic is shifted or soaks"
    )


def _chosen(launch: str, open_launches: list[str]) -> str:
    if launch and launch not in open_launches:
        raise UsageError(f"{launch!r} is no open launch", hint=f"open: {', '.join(open_launches) or 'none'}")
    if not launch and len(open_launches) != 1:
        if not open_launches:
            raise OutOfSequenceError("no launch is under way", hint="see `tminus demo`")
        raise UsageError(
            f"{len(open_launches)} launches are open", hint=f"name one: {', '.join(open_launches)}"
        )
    return launch or open_launches[0]


async def _open_launches() -> list[str]:
    found = []
    for database in sorted((home() / "launches").glob("*/launch.db")):
        try:
            store = RecordStore(connect(f"sqlite:///{database}"))
            await store.prepare()
            found += [row.id for row in await store.launches() if row.state == "open"]
        except PartError as error:
            typer.echo(f"passed over: {error}", err=True)
    return found


async def _flying(launch: str) -> bool:
    """Whether GO was given and the first step was begun; only then is there somebody who listens to orders."""
    store = RecordStore(connect(f"sqlite:///{_database(launch)}"))
    return any(event.type == "step.started" for event in await store.events(launch))


def _database(launch: str) -> Path:
    return home() / "launches" / launch / "launch.db"

"""`tminus database migrate` and `prune`: the upkeep of the common database, by whoever runs it."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from tminus.config import database_url, writable_home
from tminus.domain.retention import KEPT_DAYS
from tminus.engine.retention import overdue
from tminus.engine.retention import prune as remove
from tminus.engine.survey import survey
from tminus.engine.upkeep import bring_up
from tminus.errors import PartError
from tminus.store.record import RecordStore
from tminus.store.tables import connect, shown
from tminus.wiring import SystemClock


def migrate(
    *,
    post: Annotated[
        bool,
        typer.Option(
            "--post", help="Also what earlier code would not survive; refused while such a worker lives."
        ),
    ] = False,
) -> None:
    """Bring the common database's tables to this tminus.

    It makes those that are not there yet. Starting a worker does the same, without --post.
    """
    writable_home()
    done = bring_up(database_url(), SystemClock().now, post=post)
    where = shown(database_url())
    moved = (
        f"{done.before or 'nothing'} → {done.after}" if done.before != done.after else f"{done.after} already"
    )
    typer.echo(f"{where}: {moved}")
    if done.waits:
        typer.echo(f"{done.waits} waits until no earlier tminus runs: then `tminus database migrate --post`")


def prune(
    *,
    days: Annotated[
        float, typer.Option(min=1.0, help="For how many days a launch that is over is kept.")
    ] = KEPT_DAYS,
    archive: Annotated[
        Path | None, typer.Option(help="Where the records go; `archive` in the home by default.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would leave, and leave it.")] = False,
) -> None:
    """Archive launches that are long over, and remove them.

    Each is archived as its signed record, and removed from the common database. A launch whose record is not sealed
    stays, and is named.
    """
    url, clock = database_url(), SystemClock()
    folder = archive or writable_home() / "archive"
    asyncio.run(_prune(url, clock.now(), days, folder, dry_run=dry_run))


async def _prune(url: str, now: float, days: float, archive: Path, *, dry_run: bool) -> None:
    _prepared(url)
    engine = connect(url)
    try:
        store = RecordStore(engine)
        due = await overdue(store, now=now, days=days)
        for launch in due.sealed:
            if not dry_run:
                _folder(archive)
                await remove(store, url, archive, (launch,))
            typer.echo(f"{'would leave' if dry_run else 'archived'}  {launch}  {archive / f'{launch}.jsonl'}")
        for launch in due.unsealed:
            typer.echo(f"stays  {launch}  its record is not sealed, so nobody could verify it")
        if not due.sealed:
            typer.echo(f"no sealed launch has been over for {days:g} days")
    finally:
        engine.dispose()


def _prepared(url: str) -> None:
    """Raise `PartError` unless there is a database with the tables of this tminus: none is made here."""
    schema = survey(url, SystemClock().now).schema
    if not schema.right:
        raise PartError(
            f"the tables of {shown(url)} are not those of this tminus",
            hint="see `tminus doctor` and what it says to do",
        )


def _folder(archive: Path) -> None:
    try:
        archive.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PartError(
            f"{archive} cannot be made: {error.strerror}", hint="choose another place with --archive"
        ) from error

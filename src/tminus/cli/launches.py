"""Which launch a command means: the one that is named, or the only open one."""

from pathlib import Path

import typer

from tminus.errors import OutOfSequenceError, PartError, UsageError
from tminus.store.record import RecordStore
from tminus.store.tables import connect


def open_launch(launch: str, found: list[str]) -> str:
    """The launch that is named, or the only open one; raises `UsageError` where it cannot be told which is meant.

    Raises `OutOfSequenceError` when none is under way.
    """
    if launch and launch not in found:
        raise UsageError(f"{launch!r} is no open launch", hint=f"open: {', '.join(found) or 'none'}")
    if not launch and not found:
        raise OutOfSequenceError("no launch is under way", hint="see `tminus demo`")
    if not launch and len(found) > 1:
        raise UsageError(f"{len(found)} launches are open", hint=f"name one: {', '.join(found)}")
    return launch or found[0]


async def open_launches(home: Path) -> list[str]:
    """The launches under this home that have not ended; a database that cannot be read is told and passed over."""
    found = []
    for database in sorted((home / "launches").glob("*/launch.db")):
        try:
            store = RecordStore(connect(f"sqlite:///{database}"))
            await store.prepare()
            found += [row.id for row in await store.launches() if row.state == "open"]
        except PartError as error:
            typer.echo(f"passed over: {error}", err=True)
    return found

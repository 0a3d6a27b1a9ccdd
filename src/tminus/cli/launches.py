"""Which launch a command means: the one that is named, by its id or its environment, or the only open one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from sqlalchemy import make_url

from tminus.config import database_url
from tminus.errors import OutOfSequenceError, PartError, UsageError
from tminus.picture.reading import DATABASE
from tminus.store.chain import OPEN
from tminus.store.record import RecordStore
from tminus.store.tables import address, connect


@dataclass(frozen=True, slots=True)
class Found:
    """A launch, and where it stands."""

    id: str
    database: str
    """The address of its database."""
    opened_at: str = ""
    state: str = OPEN
    environment: str = ""
    """Where it takes place; empty for a demo's, which only its own tminus runs."""

    @property
    def told(self) -> str:
        """How it can be named."""
        return f"{self.id} ({self.environment})" if self.environment else self.id


def own(home: Path, launch: str) -> Found:
    """The launch of a demo under this home, whether or not it can be read."""
    return Found(launch, f"sqlite:///{home / 'launches' / launch / DATABASE}")


def open_launch(word: str, found: Sequence[Found]) -> Found:
    """The open launch that is named, or the only one; raises `UsageError` where it cannot be told which is meant.

    Raises `OutOfSequenceError` when none is under way.
    """
    under_way = [one for one in found if one.state == OPEN]
    meant = [one for one in under_way if not word or word in {one.id, one.environment}]
    listed = ", ".join(one.told for one in under_way) or "none"
    if word and not meant:
        raise UsageError(f"{word!r} is no open launch", hint=f"open: {listed}")
    if not meant:
        raise OutOfSequenceError("no launch is under way", hint="see `tminus launch` and `tminus demo`")
    if len(meant) > 1:
        raise UsageError(f"{len(meant)} launches are open", hint=f"name one: {listed}")
    return meant[0]


def any_launch(word: str, found: Sequence[Found]) -> Found:
    """The same, or the latest that has ended where none is open; raises `UsageError` for a word that names none."""
    same = [one for one in found if not word or word in {one.id, one.environment}]
    if any(one.state == OPEN for one in same) or not found:
        return open_launch(word, same)
    if not same:
        raise UsageError(
            f"there is no launch {word!r} here", hint=f"known: {', '.join(one.told for one in found[:10])}"
        )
    return same[0]


async def launches(home: Path) -> list[Found]:
    """Every launch under this home and in the common database, the latest first.

    A database that cannot be read is told and passed over; raises its `PartError` where nothing else is found, since
    then nobody knows whether there is a launch.
    """
    found: list[Found] = []
    trouble: PartError | None = None
    for url in _databases(home):
        engine = connect(url)
        try:
            store = RecordStore(engine)
            rows = await store.launches() if await store.is_there() else ()
            found += [Found(row.id, url, row.opened_at, row.state, row.environment or "") for row in rows]
        except PartError as error:
            trouble = error
            typer.echo(f"passed over: {error}", err=True)
        finally:
            engine.dispose()
    if trouble is not None and not found:
        raise trouble
    return sorted(found, key=lambda one: one.opened_at, reverse=True)


def _databases(home: Path) -> Iterator[str]:
    """The address of each database that is there; a file that nobody has made yet is not made by looking."""
    for path in sorted((home / "launches").glob(f"*/{DATABASE}")):
        yield f"sqlite:///{path}"
    common = database_url()
    made = make_url(address(common))
    if made.get_backend_name() != "sqlite" or (made.database and Path(made.database).exists()):
        yield common

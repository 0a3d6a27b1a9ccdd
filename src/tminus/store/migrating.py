"""Our tables from one release of tminus to the next, by Alembic.

Each revision says when it is safe: `pre` before the new code runs, while the previous code still does, or `post`
only once no previous code runs any more. Starting tminus applies the first kind; the second kind has to be asked for.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from tminus.errors import PartError

VERSIONS = "tm_version"
"""The table that says which revision the tables have."""


class Revision(Protocol):
    """What an Alembic revision is to us."""

    @property
    def revision(self) -> str:
        """Its name."""
        ...

    @property
    def module(self) -> object:
        """Its file, which says `phase`."""
        ...


def migrate(connection: Connection, *, post: bool = False) -> None:
    """Bring the tables to the newest revision that is safe now, within the caller's transaction.

    `post` says that no earlier code runs any more. Raises `PartError` for tables of a newer tminus, which this one does
    not know.
    """
    wanted = revisions()[-1].revision if post else newest_safe(revisions())
    if is_behind(revision(connection), wanted):
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, wanted)


def is_behind(here: str | None, wanted: str) -> bool:
    """Whether tables of this revision, or none, have to be brought to the wanted one.

    Raises `PartError` for a revision of a newer tminus.
    """
    names = [found.revision for found in revisions()]
    if here is not None and here not in names:
        raise PartError(
            f"the store is at revision {here}, which this tminus does not know",
            hint="use the tminus that wrote it, or a newer one",
        )
    return here is None or names.index(here) < names.index(wanted)


def revision(connection: Connection) -> str | None:
    """The revision that the tables have; none before the first."""
    if not inspect(connection).has_table(VERSIONS):
        return None
    found: str | None = connection.scalar(text(f"select version_num from {VERSIONS}"))  # noqa: S608 - ours
    return found


@cache
def revisions() -> tuple[Revision, ...]:
    """Every revision that this tminus knows, the first one first."""
    return tuple(reversed(list(ScriptDirectory.from_config(_config()).walk_revisions())))


def newest_safe(known: Sequence[Revision]) -> str:
    """The newest revision before the first that needs the previous code to be gone."""
    safe = known[0].revision
    for found in known:
        if getattr(found.module, "phase", None) != "pre":
            break
        safe = found.revision
    return safe


def _config() -> Config:
    config = Config()
    # Alembic reads its options like an ini file, where a percent sign begins a substitution.
    folder = str(Path(__file__).resolve().parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config

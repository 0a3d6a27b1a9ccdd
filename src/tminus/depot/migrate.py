"""Schema migrations of the running release: up, down, where it stands, and as SQL to read.

Revisions are found beside the running code, so an image migrates to what it holds and to nothing else. All
revisions of one command are one transaction under one lock: two migrations at once wait for each other, and a
failure leaves the schema as it was.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError

from .errors import MigrationError
from .release import Release

LOCK = 0x6465706F74
"""The advisory lock of migrations ("depot")."""
CONNECT_SECONDS = 5
LOCK_SECONDS = 5
"""A table lock that is not given soon would queue live requests behind it."""
STATEMENT_SECONDS = 120


def up(release: Release, url: str, to: str = "head") -> None:
    """Bring the schema up to a revision; already there changes nothing.

    Raises `MigrationError` on a schema of a newer release, whose revisions this one does not know.
    """
    _change(release, url, lambda config: command.upgrade(config, to))


def down(release: Release, url: str, to: str) -> None:
    """Bring the schema down to a revision; `base` removes everything."""
    _change(release, url, lambda config: command.downgrade(config, to))


def current(url: str) -> str | None:
    """The revision the schema has now; none before the first migration.

    Read from the table and not through Alembic, which refuses revisions that this release does not know.
    """
    with _connected(url) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        revision: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return revision


def sql(release: Release) -> None:
    """Print the statements of every revision, without a database."""
    command.upgrade(_config(release), "head", sql=True)


def head(release: Release) -> str | None:
    """The newest revision that this release knows."""
    return ScriptDirectory.from_config(_config(release)).get_current_head()


def _change(release: Release, url: str, act: Callable[[Config], None]) -> None:
    config = _config(release)
    with _connected(url) as connection:
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        config.attributes["connection"] = connection
        try:
            act(config)
        except CommandError as error:
            raise MigrationError(f"{error}; this release knows revisions up to {head(release)}") from error


def _config(release: Release) -> Config:
    here = Path(__file__).resolve().parent / "migrations"
    config = Config()
    # Alembic reads its options like an ini file, where a percent sign begins a substitution.
    config.set_main_option("script_location", str(here).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    folders = "\n".join(str(folder) for folder in (here / "versions", *release.migrations))
    config.set_main_option("version_locations", folders.replace("%", "%%"))
    return config


@contextmanager
def _connected(url: str) -> Iterator[sa.Connection]:
    """One transaction with time limits."""
    limits = f"-c lock_timeout={LOCK_SECONDS * 1000} -c statement_timeout={STATEMENT_SECONDS * 1000}"

    def connect() -> psycopg.Connection:
        return psycopg.connect(
            url, connect_timeout=CONNECT_SECONDS, options=limits, application_name="depot migrate"
        )

    engine = sa.create_engine("postgresql+psycopg://", creator=connect, poolclass=sa.pool.NullPool)
    try:
        with engine.begin() as connection:
            yield connection
    except sa.exc.SQLAlchemyError as error:
        raise MigrationError(str(error)) from error

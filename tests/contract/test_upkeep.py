"""The tables of the common database are brought up in two halves, and old launches leave it, on both databases."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.config import Config
from sqlalchemy import Engine, insert, inspect, text, update

from tminus.engine.survey import survey
from tminus.engine.upkeep import Migrated, bring_up
from tminus.errors import OutOfSequenceError
from tminus.store import connect, migrating
from tminus.store.tables import WORKERS, WRITE, database_now

if TYPE_CHECKING:
    from tests.conftest import Cluster

NEWEST = "r0003"
POST = '''"""A revision that earlier code would not survive."""

import sqlalchemy as sa
from alembic import op

revision = "r9000"
down_revision = "r0003"
phase = "post"


def upgrade() -> None:
    """A table stands for it."""
    op.create_table("tm_later", sa.Column("id", sa.Integer, primary_key=True))
'''


def now() -> float:
    return 0.0


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tminus.db'}"
    cluster: Cluster = request.getfixturevalue("postgres")
    return cluster.engine_database()


@pytest.fixture
def later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A tminus that knows one more revision, which waits until no earlier code runs."""
    folder = tmp_path / "migrations"
    shutil.copytree(Path(migrating.__file__).parent / "migrations", folder)
    (folder / "versions" / "r9000_later.py").write_text(POST)

    def config() -> Config:
        made = Config()
        made.set_main_option("script_location", str(folder))
        made.set_main_option("path_separator", "newline")
        return made

    monkeypatch.setattr(migrating, "_config", config)
    migrating.revisions.cache_clear()
    yield
    migrating.revisions.cache_clear()


def worker(engine: Engine, executor: str, knows: str | None, *, ago: float = 0.0) -> None:
    with engine.execution_options(**{WRITE: True}).begin() as connection:
        at = database_now(connection) - ago
        row = {"executor": executor, "host": "", "pid": 7, "version": "", "beats": 1, "knows": knows}
        connection.execute(insert(WORKERS).values(**row, started=at, seen=at))


def test_tables_are_made_once_and_are_then_what_is_needed(url: str) -> None:
    first = bring_up(url, now)
    assert (first.after, first.waits) == (NEWEST, "")
    assert bring_up(url, now, post=True) == Migrated(NEWEST, NEWEST)
    seen = survey(url, now)
    assert seen.schema.right
    assert not seen.schema.waits
    assert seen.queues == {}


@pytest.mark.usefixtures("later")
def test_what_earlier_code_would_not_survive_waits_until_it_is_asked_for(url: str) -> None:
    assert bring_up(url, now).waits == "r9000"
    schema = survey(url, now).schema
    assert (schema.right, schema.waits) == (True, True)
    assert bring_up(url, now, post=True) == Migrated(NEWEST, "r9000")
    engine = connect(url)
    assert inspect(engine).has_table("tm_later")
    engine.dispose()


@pytest.mark.usefixtures("later")
def test_it_is_refused_while_a_worker_lives_that_may_run_earlier_code(url: str) -> None:
    bring_up(url, now)
    engine = connect(url)
    worker(engine, "new", "r9000")
    worker(engine, "dead", None, ago=60.0)
    for executor, knows in (("silent", None), ("old", "r0003")):
        worker(engine, executor, knows)
        with pytest.raises(OutOfSequenceError, match=f"^{executor} may run an earlier tminus"):
            bring_up(url, now, post=True)
        with engine.execution_options(**{WRITE: True}).begin() as connection:
            gone = update(WORKERS).where(WORKERS.c.executor == executor)
            connection.execute(gone.values(buried=database_now(connection)))
    with engine.connect() as connection:
        assert connection.scalar(text(f"select version_num from {migrating.VERSIONS}")) == NEWEST
    assert bring_up(url, now, post=True).after == "r9000"
    engine.dispose()

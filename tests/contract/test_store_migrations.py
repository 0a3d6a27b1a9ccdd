"""Our tables from one release to the next, on both databases, beside those of the workflow engine."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, inspect, text

from tminus.domain.record import Entry
from tminus.errors import PartError
from tminus.store import RecordStore, connect, migrating, tables
from tminus.store.tables import METADATA, WRITE

if TYPE_CHECKING:
    from tests.conftest import Cluster

AT = "2026-01-31T12:00:00.000Z"
LAUNCH = """create table tm_launch (id varchar(200) not null primary key, plan_digest varchar(64) not null,
    state varchar(20) not null, opened_at varchar(24) not null, ended_at varchar(24))"""
EVENT = """create table tm_event (launch varchar(200) not null references tm_launch (id), seq bigint not null,
    prev varchar(64) not null, key varchar(200) not null, type varchar(100) not null, at varchar(24) not null,
    line {binary} not null, primary key (launch, seq), constraint tm_event_key unique (launch, key))"""
BEFORE_REVISIONS = (LAUNCH, EVENT)
"""The tables as tminus made them before there were revisions."""
OLD_ROW = "select id, plan_digest, state, opened_at, ended_at from tm_launch where id = 'old'"
PREVIOUS_CODE = (
    "insert into tm_launch (id, plan_digest, state, opened_at, ended_at) values ('old', 'd', 'open', 'at', null)",
    "insert into tm_event (launch, seq, prev, key, type, at, line) values ('old', 0, 'p', 'k', 't', 'at', {line})",
    OLD_ROW,
    "select seq, line from tm_event where launch = 'old' and key = 'k'",
    "update tm_launch set state = 'landed', ended_at = 'at' where id = 'old'",
)
"""What the code of revision r0001 sends."""


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        made = connect(f"sqlite:///{tmp_path / 'tminus.db'}")
    else:
        cluster: Cluster = request.getfixturevalue("postgres")
        made = connect(cluster.database())
    yield made
    made.dispose()


def run(engine: Engine, *statements: str) -> None:
    """Send statements in one transaction, in the words of this database."""
    words = {"sqlite": ("blob", "x'00'"), "postgresql": ("bytea", "'\\x00'::bytea")}
    binary, line = words[engine.dialect.name]
    with engine.execution_options(**{WRITE: True}).begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement.format(binary=binary, line=line))


def differences(connection: Connection) -> list[object]:
    """What a new revision would have to change, tables of others left out."""
    options = {
        "include_name": lambda name, kind, _: kind != "table" or str(name).startswith("tm_"),
        "version_table": migrating.VERSIONS,
        "compare_type": True,
    }
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), METADATA))


async def test_the_migrated_tables_are_those_of_the_code_and_tables_of_others_are_left_alone(
    engine: Engine,
) -> None:
    run(engine, "create table workflow_status (id integer primary key)")
    store = RecordStore(engine)
    await store.prepare()
    await store.prepare()
    with engine.connect() as connection:
        assert differences(connection) == []
        assert inspect(connection).has_table("workflow_status")


async def test_a_store_from_before_there_were_revisions_is_adopted_with_its_records(engine: Engine) -> None:
    run(engine, *BEFORE_REVISIONS, *PREVIOUS_CODE[:1])
    store = RecordStore(engine)
    await store.prepare()
    assert [(row.id, row.state, row.environment) for row in await store.launches()] == [("old", "open", None)]
    opened = {"launch": "new", "plan": {"digest": "a" * 64}}
    await store.append_once("new", Entry("launch.opened", "opened", opened, AT))
    with engine.connect() as connection:
        assert differences(connection) == []


async def test_whoever_only_looks_makes_no_tables_and_brings_older_ones_up_to_date(engine: Engine) -> None:
    store = RecordStore(engine)
    assert not await store.is_there()
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    run(engine, *BEFORE_REVISIONS, *PREVIOUS_CODE[:1])
    assert await store.is_there()
    assert [row.id for row in await store.launches()] == ["old"]
    with engine.connect() as connection:
        assert differences(connection) == []


async def test_whoever_only_looks_writes_nothing_where_all_is_as_it_should_be(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = RecordStore(engine)
    await store.prepare()
    monkeypatch.setattr(tables, "prepare", None)
    assert await store.is_there()
    run(engine, f"update {migrating.VERSIONS} set version_num = 'r9999'")
    with pytest.raises(PartError, match="r9999, which this tminus does not know"):
        await store.is_there()


async def test_the_previous_code_works_on_the_new_tables(engine: Engine) -> None:
    await RecordStore(engine).prepare()
    run(engine, *PREVIOUS_CODE)
    assert [(row.id, row.state) for row in await RecordStore(engine).launches()] == [("old", "landed")]


async def test_tables_of_a_newer_tminus_are_refused(engine: Engine) -> None:
    store = RecordStore(engine)
    await store.prepare()
    run(engine, f"update {migrating.VERSIONS} set version_num = 'r9999'")
    with pytest.raises(PartError, match="r9999, which this tminus does not know"):
        await store.prepare()


def test_every_revision_says_when_it_is_safe() -> None:
    assert [getattr(found.module, "phase", None) for found in migrating.revisions()] == ["pre", "pre", "pre"]
    assert migrating.newest_safe(migrating.revisions()) == migrating.revisions()[-1].revision


def test_a_revision_that_needs_the_previous_code_to_be_gone_waits_with_all_behind_it() -> None:
    known = [
        SimpleNamespace(revision=name, module=SimpleNamespace(phase=phase))
        for name, phase in (("r1", "pre"), ("r2", "pre"), ("r3", "post"), ("r4", "pre"))
    ]
    assert migrating.newest_safe(known) == "r2"


async def test_the_revision_is_named(engine: Engine) -> None:
    with engine.connect() as connection:
        assert migrating.revision(connection) is None
    await RecordStore(engine).prepare()
    with engine.connect() as connection:
        assert migrating.revision(connection) == migrating.revisions()[-1].revision
        assert connection.scalar(text("select count(*) from tm_launch")) == 0

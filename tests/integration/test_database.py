"""The service's database as a launch changes it: backups under load, and the release's own migration."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tminus.domain.evidence import Verdict
from tminus.errors import RolloutError, UnreachableError
from tminus.targets.database import LocalDatabase

if TYPE_CHECKING:
    from tests.integration.line_world import NOWHERE, Scene, World, back_up, execute, fails, shows
else:
    from line_world import NOWHERE, Scene, World, back_up, execute, fails, shows


class Writer:
    """Users who add documents all the time, two rows at once that belong together."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.written = 0
        self.enough = asyncio.Event()
        self._stop = False

    async def run(self) -> None:
        async with await psycopg.AsyncConnection.connect(self._address) as connection:
            while not self._stop:
                for _ in range(2):
                    await connection.execute(
                        "INSERT INTO documents (title, body, owner) VALUES ('t', 'b', 'pair')"
                    )
                await connection.commit()
                self.written += 2
                if self.written > 20:
                    self.enough.set()

    def stop(self) -> None:
        self._stop = True


def on(world: World, database: str, tmp_path: Path) -> tuple[Scene, LocalDatabase]:
    """A scene on a copy of a database, with backups of its own."""
    address = world.copy(database)
    scene = world.scene.on(stage=tmp_path, database=address).given(DATABASE_URL=address)
    return scene, back_up(scene, tmp_path / "backups")


async def test_a_backup_under_load_is_of_one_moment_and_restores_equal(world: World, tmp_path: Path) -> None:
    scene, database = on(world, world.after, tmp_path)
    writer = Writer(scene.site.database)
    writing = asyncio.create_task(writer.run())
    await asyncio.wait_for(writer.enough.wait(), 20)
    before = writer.written
    taken = await database.back_up("first")
    writer.stop()
    await writing
    (file,) = (tmp_path / "backups").glob("*.json")
    rows = int(json.loads(file.read_text())["contents"]["public.documents"]["rows"])
    assert rows % 2 == 0
    assert before - 2 <= rows - 100 < writer.written
    assert taken["revision"] == "0002"
    for claim in (await scene.judged("bk.db", "bk.restore")).values():
        shows(claim, Verdict.PASSED)


async def test_a_second_backup_stands_beside_the_first_and_counts(world: World, tmp_path: Path) -> None:
    scene, database = on(world, world.after, tmp_path)
    first = await database.back_up("first")
    execute(scene.site.database, "DELETE FROM documents WHERE id = 1")
    second = await database.back_up("second")
    assert first["file"] != second["file"]
    assert second["rows"] == int(str(first["rows"])) - 1
    (tmp_path / "backups" / str(first["file"])).write_bytes(b"")  # the old one no longer counts
    shows(await scene.judge("bk.db"), Verdict.PASSED)
    (tmp_path / "backups" / str(second["file"])).write_bytes(b"")
    fails(await scene.judge("bk.db"), scene.plan, "is not what was written")


async def test_a_backup_of_the_same_name_takes_the_place_of_what_an_earlier_try_has_left(
    world: World, tmp_path: Path
) -> None:
    scene, database = on(world, world.after, tmp_path)
    first = await database.back_up("first")
    backups = tmp_path / "backups"
    (backups / "first.0badcafe.new").write_bytes(b"half")  # begun by a process that was killed
    execute(scene.site.database, "DELETE FROM documents WHERE id = 1")
    second = await database.back_up("first")
    assert second["file"] == first["file"]
    assert second["rows"] == int(str(first["rows"])) - 1
    assert sorted(file.name for file in backups.iterdir()) == ["first.dump", "first.json"]
    shows(await scene.judge("bk.db"), Verdict.PASSED)


async def test_a_backup_that_broke_off_is_no_backup(world: World, tmp_path: Path) -> None:
    scene, database = on(world, world.after, tmp_path)
    address = scene.site.database
    with pytest.raises(UnreachableError):
        await back_up(scene.on(database=NOWHERE), tmp_path / "backups").back_up("first")
    shows(await scene.judge("bk.db"), Verdict.INCONCLUSIVE, "no backup")
    await database.back_up("first")
    (note,) = (tmp_path / "backups").glob("*.json")
    note.unlink()  # what a kill before the last act leaves: a dump without a note
    shows(await scene.on(database=address).judge("bk.db"), Verdict.INCONCLUSIVE, "no backup")


async def test_a_migration_is_read_back_and_may_be_repeated(world: World, tmp_path: Path) -> None:
    scene, database = on(world, world.before, tmp_path)
    assert await database.migrate(scene.release) == {"before": "0001", "after": "0002"}
    assert await database.migrate(scene.release) == {"before": "0002", "after": "0002"}
    shows(await scene.judge("ok.migrations"), Verdict.PASSED)


async def test_a_migration_that_fails_leaves_the_schema_as_it_was(world: World, tmp_path: Path) -> None:
    scene, database = on(world, world.before, tmp_path)
    execute(scene.site.database, "CREATE TABLE document_labels (in_the_way int)")
    with pytest.raises(RolloutError, match="already exists") as caught:
        await database.migrate(scene.release)
    assert caught.value.hint
    fails(await scene.judge("ok.migrations"), scene.plan, "revision 0001, not 0002")


async def test_a_migration_that_waits_for_a_lock_gives_up_in_words_and_blocks_no_user(
    world: World, tmp_path: Path
) -> None:
    scene, database = on(world, world.before, tmp_path)
    async with await psycopg.AsyncConnection.connect(scene.site.database) as somebody:
        await somebody.execute("LOCK TABLE documents IN ROW EXCLUSIVE MODE")
        with pytest.raises(
            RolloutError, match="waited too long for a lock that somebody else holds"
        ) as caught:
            await database.migrate(scene.release)
        assert "pg_stat_activity" in caught.value.hint
        async with await psycopg.AsyncConnection.connect(scene.site.database) as user:
            await user.execute("SET lock_timeout = '1s'")
            await user.execute("INSERT INTO documents (title, body, owner) VALUES ('t', 'b', 'user')")
        await somebody.rollback()
    fails(await scene.judge("ok.migrations"), scene.plan, "revision 0001, not 0002")
    assert await database.migrate(scene.release) == {"before": "0001", "after": "0002"}

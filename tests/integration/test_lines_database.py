"""Lines about the database: its backup, the backup's restore, and its schema after the launch."""

import asyncio
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.domain.evidence import Verdict
from tminus.postgres import Tools, dump

if TYPE_CHECKING:
    from tests.integration.line_register import line
    from tests.integration.line_world import NOWHERE, Scene, World, back_up, execute, fails, shows
else:
    from line_register import line
    from line_world import NOWHERE, Scene, World, back_up, execute, fails, shows

OLD = "2020-01-01T00:00:00Z"


@pytest.fixture(scope="module")
def taken(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of one good backup, to be copied."""
    backups = tmp_path_factory.mktemp("taken") / "backups"
    scene = world.scene.on(database=world.address(world.after))
    asyncio.run(back_up(scene, backups).back_up("first"))
    return backups


@pytest.fixture
def kept(world: World, taken: Path, tmp_path: Path) -> Scene:
    """A stage folder with a backup of its own, to be damaged."""
    shutil.copytree(taken, tmp_path / "backups")
    return world.scene.on(stage=tmp_path, database=world.address(world.after))


def dump_of(scene: Scene) -> Path:
    (found,) = (scene.site.stage / "backups").glob("*.dump")
    return found


def renote(scene: Scene, **changes: str) -> None:
    note = dump_of(scene).with_suffix(".json")
    note.write_text(json.dumps({**json.loads(note.read_text()), **changes}))


class TestBackup:
    @line("bk.db", "passed", "a backup was just taken")
    async def test_passes(self, kept: Scene) -> None:
        shows(await kept.judge("bk.db"), Verdict.PASSED)

    @line("bk.db", "inconclusive", "no backup was taken", mutation=19)
    async def test_no_backup_proves_nothing(self, kept: Scene, tmp_path: Path) -> None:
        shutil.rmtree(tmp_path / "backups")
        shows(await kept.judge("bk.db"), Verdict.INCONCLUSIVE, "no backup", "take one")

    @line("bk.db", "failed", "the backup is older than two hours", mutation=20)
    async def test_fails_with_an_old_backup(self, kept: Scene) -> None:
        renote(kept, taken_at=OLD)
        fails(await kept.judge("bk.db"), kept.plan, "h old, more than 2 h")

    @line("bk.db", "failed", "the dump was cut off", mutation=21)
    async def test_fails_with_a_cut_off_dump(self, kept: Scene) -> None:
        for length in (2000, 10):
            dump_of(kept).write_bytes(dump_of(kept).read_bytes()[:length])
            fails(await kept.judge("bk.db"), kept.plan, "is not what was written")

    async def test_fails_without_its_dump(self, kept: Scene) -> None:
        note = dump_of(kept).with_suffix(".json")
        dump_of(kept).unlink()
        fails(await kept.judge("bk.db"), kept.plan, "cannot be read")
        note.write_text("{")
        shows(await kept.judge("bk.db"), Verdict.INCONCLUSIVE, "no note of a backup")

    @line("bk.db", "error", "PostgreSQL does not answer")
    async def test_without_a_database_nothing_is_known(self, kept: Scene) -> None:
        shows(await kept.on(database=NOWHERE).judge("bk.db"), Verdict.ERROR, "does not answer")


class TestRestore:
    @line("bk.restore", "passed", "the backup was restored, and every table is equal")
    async def test_passes(self, kept: Scene) -> None:
        shows(await kept.judge("bk.restore"), Verdict.PASSED)

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            pytest.param(
                "DELETE FROM documents WHERE id % 2 = 0", "documents: source 100, copy 50", id="rows"
            ),
            pytest.param(
                "UPDATE documents SET body = 'x' WHERE id = 1", "documents: .*other content", id="content"
            ),
            pytest.param("DROP INDEX documents_search", "the restored schema is another", id="schema"),
        ],
    )
    @line("bk.restore", "failed", "the copy has fewer rows than the source had", mutation=22)
    @line("bk.restore", "failed", "the copy has as many rows, but another content in one", mutation=24)
    async def test_fails(self, world: World, kept: Scene, change: str, words: str) -> None:
        other = world.copy(world.after)
        execute(other, change)
        await dump(Tools(kept.site.postgres_bin, other), dump_of(kept))
        fails(await kept.judge("bk.restore"), kept.plan, words)

    @line("bk.restore", "failed", "the dump was cut off, and the restore breaks off", mutation=23)
    async def test_fails_with_a_cut_off_dump(self, kept: Scene) -> None:
        whole = dump_of(kept).read_bytes()
        dump_of(kept).write_bytes(whole[: len(whole) * 2 // 3])
        fails(await kept.judge("bk.restore"), kept.plan, "broke off")

    @line("bk.restore", "inconclusive", "there is no backup")
    async def test_no_backup_proves_nothing(self, kept: Scene, tmp_path: Path) -> None:
        shutil.rmtree(tmp_path / "backups")
        shows(await kept.judge("bk.restore"), Verdict.INCONCLUSIVE, "no backup")

    @line("bk.restore", "error", "PostgreSQL does not answer")
    async def test_without_a_database_nothing_is_known(self, kept: Scene) -> None:
        shows(await kept.on(database=NOWHERE).judge("bk.restore"), Verdict.ERROR, "does not answer")


class TestSchema:
    @line("ok.migrations", "passed", "the schema is at the release's revision")
    async def test_passes(self, world: World) -> None:
        scene = world.scene.on(database=world.copy(world.after))
        shows(await scene.judge("ok.migrations"), Verdict.PASSED)

    @line("ok.migrations", "failed", "the schema is one revision behind", mutation=51)
    async def test_fails_one_revision_behind(self, world: World) -> None:
        scene = world.scene.on(database=world.copy(world.before))
        fails(await scene.judge("ok.migrations"), scene.plan, "revision 0001, not 0002")

    @line("ok.migrations", "failed", "an index is invalid", mutation=53)
    async def test_fails_with_an_invalid_index(self, world: World) -> None:
        scene = world.scene.on(database=world.copy(world.after))
        with pytest.raises(Exception, match="could not create unique index"):
            execute(scene.site.database, "CREATE UNIQUE INDEX CONCURRENTLY broken ON documents (owner)")
        fails(await scene.judge("ok.migrations"), scene.plan, "index broken is invalid")

    @line("ok.migrations", "failed", "an invariant of the data is broken")
    async def test_fails_with_damaged_data(self, world: World) -> None:
        scene = world.scene.on(database=world.copy(world.after))
        execute(scene.site.database, "UPDATE documents SET body = body || '#' WHERE owner = 'canary'")
        words = (
            r"ledger says \(oldest and newest 10,000\): found 20, expected == 0",
            "digest of the canaries",
        )
        fails(await scene.judge("ok.migrations"), scene.plan, *words)

    @line("ok.migrations", "inconclusive", "the database was never migrated")
    async def test_no_revision_proves_nothing(self, world: World) -> None:
        scene = world.scene.on(database=world.copy(world.after))
        execute(scene.site.database, "DROP TABLE alembic_version")
        shows(await scene.judge("ok.migrations"), Verdict.INCONCLUSIVE, "no alembic_version")

    @line("ok.migrations", "error", "PostgreSQL does not answer")
    async def test_without_a_database_nothing_is_known(self, world: World) -> None:
        shows(await world.scene.on(database=NOWHERE).judge("ok.migrations"), Verdict.ERROR, "does not answer")

"""The line about Redis' snapshot: real Redis servers, one of them damaged in each way."""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tminus import loopback, processes
from tminus.domain.evidence import Verdict
from tminus.probes import redis as redis_probe

if TYPE_CHECKING:
    from tests.integration.alert_world import address
    from tests.integration.line_register import line
    from tests.integration.line_world import Scene, World, answering, fails, shows
else:
    from alert_world import address
    from line_register import line
    from line_world import Scene, World, answering, fails, shows

LINE = "bk.redis"


@asynccontextmanager
async def own_redis(folder: Path, keys: int) -> AsyncIterator[str]:
    """A Redis of the test's own, with so many keys; its address."""
    data, port = folder / "data", loopback.free_port()
    data.mkdir()
    argv = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(data)]
    process = processes.start(folder, "redis", argv, env={"PATH": os.environ["PATH"]})
    where = f"redis://127.0.0.1:{port}/0"
    client = Redis.from_url(where)

    async def answers() -> bool:
        try:
            return bool(await client.ping())
        except RedisError:
            return False

    try:
        await process.ready(answers, 20)
        for number in range(keys):
            await client.set(f"key:{number}", "value" * 20)
        yield where
    finally:
        await client.aclose()
        await process.kill()


def looking_at(scene: Scene, where: str) -> Scene:
    return replace(scene, handles={"redis": redis_probe.System(where)})


def damaging(monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]) -> None:
    """Let the disk give back other bytes than were written."""

    def copy(source: Path, target: Path) -> None:
        target.write_bytes(damage(source.read_bytes()))

    monkeypatch.setattr(shutil, "copyfile", copy)


@line(LINE, "passed", "a snapshot of the stage's Redis, loaded into another one")
async def test_a_snapshot_that_loads_elsewhere_passes(world: World) -> None:
    client = Redis.from_url(address(world.scene, "REDIS"))
    await client.mset({f"test:{number}": "value" for number in range(200)})
    claim = await world.scene.judge(LINE)
    await client.delete(*(f"test:{number}" for number in range(200)))
    await client.aclose()
    shows(claim, Verdict.PASSED, " was loaded anew: ")


async def test_what_was_seen_names_the_file_and_counts_its_keys(tmp_path: Path) -> None:
    async with own_redis(tmp_path, 300) as where:
        found = await redis_probe.snapshot.run(redis_probe.System(where))
        again = await redis_probe.snapshot.run(redis_probe.System(where))
    assert found.value == again.value == []
    assert (found.seen["file"], found.seen["keys"], found.seen["loaded"]) == ("dump.rdb", 300, 300)


@line(LINE, "failed", "Redis cannot write: its folder is gone", mutation=240)
async def test_a_snapshot_that_cannot_be_written_fails(world: World, tmp_path: Path) -> None:
    async with own_redis(tmp_path, 50) as where:
        shutil.rmtree(tmp_path / "data")
        claim = await looking_at(world.scene, where).judge(LINE)
    fails(claim, world.scene.plan, "could not be written .*rdb_last_bgsave_status: err")


@line(LINE, "failed", "the file is cut off", mutation=241)
@line(LINE, "failed", "one byte of the file is flipped", mutation=242)
@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-40], lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:]],
    ids=["cut off", "flipped"],
)
async def test_a_damaged_snapshot_fails(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[bytes], bytes]
) -> None:
    async with own_redis(tmp_path, 50) as where:
        damaging(monkeypatch, damage)
        claim = await looking_at(world.scene, where).judge(LINE)
    fails(claim, world.scene.plan, "dump.rdb is not readable by redis-check-rdb")


async def test_a_copy_that_lost_keys_fails(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "few").mkdir()
    async with own_redis(tmp_path / "few", 40) as few:
        await redis_probe.snapshot.run(redis_probe.System(few))
        old = (tmp_path / "few" / "data" / "dump.rdb").read_bytes()
    async with own_redis(tmp_path, 50) as where:
        damaging(monkeypatch, lambda _: old)
        claim = await looking_at(world.scene, where).judge(LINE)
    fails(claim, world.scene.plan, "the copy holds 40 keys, and Redis 50")


@pytest.mark.parametrize("lasting", [40, 0])
async def test_keys_that_run_out_meanwhile_are_no_loss_but_show_nothing_either(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lasting: int
) -> None:
    (tmp_path / "few").mkdir()
    async with own_redis(tmp_path / "few", lasting) as few:
        async with Redis.from_url(few) as client:
            await client.save()
        old = (tmp_path / "few" / "data" / "dump.rdb").read_bytes()
    async with own_redis(tmp_path, lasting) as where:
        async with Redis.from_url(where) as client:
            for number in range(10):
                await client.set(f"mortal-{number}", "x", ex=3600)
        damaging(monkeypatch, lambda _: old)
        claim = await looking_at(world.scene, where).judge(LINE)
    if lasting:
        shows(claim, Verdict.PASSED)
    else:
        shows(claim, Verdict.INCONCLUSIVE, "had run out before it was loaded")


@line(LINE, "inconclusive", "Redis holds nothing", mutation=243)
async def test_a_snapshot_of_nothing_proves_nothing(world: World, tmp_path: Path) -> None:
    async with own_redis(tmp_path, 0) as where:
        claim = await looking_at(world.scene, where).judge(LINE)
    shows(claim, Verdict.INCONCLUSIVE, "holds no key", "not_applicable")


@line(LINE, "error", "Redis does not answer")
async def test_a_redis_that_is_away_is_an_error(world: World) -> None:
    shows(
        await looking_at(world.scene, "redis://127.0.0.1:1/0").judge(LINE), Verdict.ERROR, "does not answer"
    )


async def test_a_wrong_password_is_an_error_that_does_not_repeat_it(world: World) -> None:
    password = address(world.scene, "REDIS").partition("://:")[2].partition("@")[0]
    wrong = address(world.scene, "REDIS").replace(password, "not-the-password")
    claim = await looking_at(world.scene, wrong).judge(LINE)
    shows(claim, Verdict.ERROR, "refuses us", "write the password")
    assert "not-the-password" not in claim.why


async def test_what_is_no_redis_is_an_error(world: World) -> None:
    async with answering(200, "hello") as where:
        claim = await looking_at(world.scene, where.replace("http", "redis")).judge(LINE)
    assert claim.verdict is Verdict.ERROR

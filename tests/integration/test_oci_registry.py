"""The real registry: what is pushed is pulled again byte for byte, survives its death, and is always compared."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus import loopback, oci, processes
from tminus.demo.machine import ThisMachine
from tminus.demo.parts.registry import NAME, address, registry
from tminus.demo.supervisor import News, Supervisor
from tminus.errors import ReleaseError
from tminus.oci import ImageConfig, Repository, build_layout, pull, push
from tminus.oci.remote import MANIFEST_TYPES
from tminus.processes import Process

if TYPE_CHECKING:
    from tests.integration.registry_world import flip, stored
else:
    from registry_world import flip, stored

PROGRAM = ThisMachine().which("docker-registry")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="docker-registry is not installed")


@dataclass(frozen=True)
class Running:
    """A registry under its supervisor, and an image to push."""

    folder: Path
    supervisor: Supervisor
    repository: Repository
    layout: Path
    digest: str

    def process(self) -> Process:
        found = processes.find(self.folder, NAME)
        assert found is not None
        return found


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    port = loopback.free_port()
    layers = [{"app/a.py": b"print('a')\n" * 5000}, {"app/b.py": b"print('b')\n"}]
    layout = tmp_path / "built"
    digest = build_layout(layout, "1.0.0", layers, ImageConfig("1.0.0", ("python", "-m", "app")))
    supervisor = Supervisor(tmp_path)
    await supervisor.start(registry(tmp_path, str(PROGRAM), port, {}))
    yield Running(tmp_path, supervisor, Repository.at(address(port)), layout, digest)
    await supervisor.stop(NAME)


async def test_what_is_pushed_is_pulled_again_byte_for_byte(running: Running, tmp_path: Path) -> None:
    first = await push(running.repository, running.layout, running.digest, ["1.0.0"])
    again = await push(running.repository, running.layout, running.digest, ["1.0.0", "latest"])
    assert (first.sent, first.there, again.sent, again.there) == (3, 0, 0, 3)
    pulled = await pull(running.repository, running.digest, tmp_path / "into", "1.0.0")
    assert (pulled.fetched, pulled.kept) == (4, 0)
    assert oci.verify(tmp_path / "into", running.digest) == oci.verify(running.layout, running.digest)
    built, came = (
        {path.name: path.read_bytes() for path in (tmp_path / name / "blobs" / "sha256").iterdir()}
        for name in ("built", "into")
    )
    assert built == came
    assert oci.images(tmp_path / "into") == {"1.0.0": running.digest}


async def test_a_tag_moves_and_a_digest_does_not(running: Running, tmp_path: Path) -> None:
    await push(running.repository, running.layout, running.digest, ["stable"])
    config = ImageConfig("1.0.1", ("python", "-m", "app"))
    other = build_layout(running.layout, "1.0.1", [{"app/c.py": b"print('c')\n"}], config)
    await push(running.repository, running.layout, other, ["stable"])
    _, manifest = await running.repository.text(running.repository.manifest("stable"))
    assert manifest == oci.layout.blob_path(running.layout, other).read_bytes()
    await pull(running.repository, running.digest, tmp_path / "into")
    assert oci.verify(tmp_path / "into", running.digest).blobs == 4


async def test_one_flipped_byte_in_its_storage_is_found_by_a_pull(running: Running, tmp_path: Path) -> None:
    await push(running.repository, running.layout, running.digest)
    for blob in oci.verify(running.layout, running.digest).layers:
        file = stored(running.folder, blob.digest)
        whole = file.read_bytes()
        flip(file)
        with pytest.raises(ReleaseError, match=f"{blob.digest} arrives with the digest"):
            await pull(running.repository, running.digest, tmp_path / "into")
        file.write_bytes(whole)
    await pull(running.repository, running.digest, tmp_path / "into")


async def test_a_manifest_is_not_found_by_who_does_not_say_what_it_accepts(running: Running) -> None:
    await push(running.repository, running.layout, running.digest)
    path = running.repository.manifest(running.digest)
    found = []
    for headers in ({}, {"Accept": MANIFEST_TYPES}):
        async with running.repository.asked("HEAD", path, headers=headers) as reply:
            found.append(reply.status)
    assert found == [404, 200]


async def test_killed_it_is_started_again_and_holds_what_it_held(running: Running, tmp_path: Path) -> None:
    await push(running.repository, running.layout, running.digest)
    news: list[News] = []

    async def told(one: News) -> None:
        news.append(one)

    watching = asyncio.create_task(running.supervisor.watch(told, asyncio.get_running_loop().time))
    await running.process().kill()

    async def restarted() -> bool:
        return [one.event for one in news] == ["ended", "restarted"]

    try:
        await processes.wait_until(restarted, 20, "the restart")
        await pull(running.repository, running.digest, tmp_path / "into")
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert oci.verify(tmp_path / "into", running.digest).blobs == 4


async def test_it_listens_on_this_machine_alone_and_keeps_everything_in_its_folder(running: Running) -> None:
    await push(running.repository, running.layout, running.digest)
    connections = running.process()._process.net_connections("tcp")
    assert {connection.laddr.ip for connection in connections} == {"127.0.0.1"}
    assert stored(running.folder, running.digest).is_file()
    assert (running.folder / NAME).stat().st_mode & 0o077 == 0

"""HAProxy itself, in folders with unusual names."""

import os
import shutil
from pathlib import Path

import pytest

from tminus import loopback, processes
from tminus.haproxy import Proxy, Runtime, render

HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
pytestmark = pytest.mark.skipif(HAPROXY is None, reason="haproxy is not installed")


@pytest.mark.parametrize("name", ["a b", "it's", 'a "q"', "back\\slash", "ha#sh"])
async def test_haproxy_answers_on_a_socket_in_a_folder_with_quotes_and_spaces(
    name: str, tmp_path: Path
) -> None:
    folder = tmp_path / name
    folder.mkdir()
    ports: list[int] = []
    for _ in range(4):
        ports.append(loopback.free_port(ports))
    proxy = Proxy(ports[0], ports[1], ports[3], folder / "admin.sock", blue_port=ports[2])
    (folder / "haproxy.cfg").write_text(render(proxy))
    argv = [str(HAPROXY), "-db", "-f", str(folder / "haproxy.cfg")]
    try:
        processes.start(folder, "haproxy", argv, env={"PATH": os.environ["PATH"]})

        async def there() -> bool:
            return (folder / "admin.sock").exists()

        await processes.wait_until(there, 10, "haproxy", log=folder / "haproxy" / "log")
        assert (await Runtime(folder / "admin.sock").ask("show info")).startswith("Name: HAProxy")
    finally:
        await processes.end_strays(folder)

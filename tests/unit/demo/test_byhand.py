"""The way back without tminus: the commands do what they say, and the file beside the record holds them."""

import asyncio
import errno
import os
import sys
from pathlib import Path

import pytest

from tminus import files
from tminus.demo.byhand import by_hand_file, write_by_hand
from tminus.errors import PartError
from tminus.haproxy import by_hand

STATS = (
    "# pxname,svname\n"
    + ",".join(["app", "blue", *[""] * 15, "UP", "100"])
    + "\n"
    + ",".join(["front", "x", *[""] * 15, "OPEN", "1"])
    + "\n\n"
)


class AdminSocket:
    """Stands in for the proxy's admin socket: one order for each connection, then it closes."""

    def __init__(self) -> None:
        self.orders: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note an order, and answer where one waits for it."""
        order = (await reader.readline()).decode().strip()
        self.orders.append(order)
        if order == "show stat":
            writer.write(STATS.encode())
        writer.close()


async def typed(command: str) -> str:
    """What a shell prints of a command."""
    process = await asyncio.create_subprocess_shell(
        command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return out.decode()


@pytest.fixture
def admin(tmp_path: Path) -> Path:
    return tmp_path / "admin.sock"


async def test_what_the_file_holds_sends_all_traffic_to_blue_and_reads_it_back(
    admin: Path, tmp_path: Path
) -> None:
    text = write_by_hand(tmp_path, "demo-1", admin).read_text()
    back, read_back = [line for line in text.splitlines() if line.startswith(sys.executable)]
    assert (back,) == by_hand(admin)
    proxy = AdminSocket()
    async with await asyncio.start_unix_server(proxy.serve, admin):
        told = [await typed(back), await typed(read_back)]
    assert proxy.orders == ["set server app/blue weight 100; set server app/green weight 0", "show stat"]
    assert told == ["", "[('blue', '100', 'UP')]\n"]


def test_a_launch_that_is_taken_over_has_its_file_also_where_nothing_can_be_written_any_more(
    admin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_by_hand(tmp_path, "demo-1", admin)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files, "replace", full)
    assert write_by_hand(tmp_path, "demo-1", admin) == path
    path.unlink()
    with pytest.raises(PartError, match="cannot be written: No space left on device"):
        write_by_hand(tmp_path, "demo-1", admin)


def test_the_file_says_of_which_launch_it_is_and_lies_beside_the_record(admin: Path, tmp_path: Path) -> None:
    path = write_by_hand(tmp_path, "demo-1", admin)
    assert path == by_hand_file(tmp_path) == tmp_path / "rollback.txt"
    assert "all traffic of launch demo-1 to blue" in path.read_text()

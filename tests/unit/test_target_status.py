"""What the local target says of a side that the proxy is not sure of."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tminus import processes
from tminus.domain.traffic import Side
from tminus.errors import UnreachableError
from tminus.haproxy import Runtime, ServerStatus
from tminus.releases import Releases
from tminus.targets.local import LocalTarget


class Proxy(Runtime):
    """A proxy that reports one state of green."""

    def __init__(self, status: str, check: str) -> None:
        super().__init__(Path("nowhere"))
        self._green = ServerStatus(Side.GREEN, status, 10, 0, 0, check, 0, 0, 0, "127.0.0.1:1")

    async def servers(self) -> dict[Side, ServerStatus]:
        return {Side.GREEN: self._green}


@pytest.fixture
async def green(tmp_path: Path) -> AsyncIterator[processes.Process]:
    yield processes.start(tmp_path, "green", ["sleep", "300"], env={"PATH": "/usr/bin:/bin"})
    await processes.end_strays(tmp_path)


def target(folder: Path, status: str, check: str) -> LocalTarget:
    ports = {Side.BLUE: 1, Side.GREEN: 1}
    return LocalTarget(folder, Releases(folder, folder, {}), Proxy(status, check), ports)


@pytest.mark.usefixtures("green")
@pytest.mark.parametrize("check", ["INI", "L4TOUT", "L4CON", "L7STS"])
async def test_not_checked_yet_or_failed_once_is_not_known(tmp_path: Path, check: str) -> None:
    with pytest.raises(UnreachableError, match=f"not decided whether green can serve; .* {check}"):
        await target(tmp_path, "UP", check).status(Side.GREEN)


@pytest.mark.usefixtures("green")
@pytest.mark.parametrize(("status", "check", "up"), [("UP", "L7OK", True), ("DOWN", "L4CON", False)])
async def test_a_verdict_of_the_proxy_is_known(tmp_path: Path, status: str, check: str, *, up: bool) -> None:
    seen = await target(tmp_path, status, check).status(Side.GREEN)
    assert (seen.running, seen.up) == (True, up)


async def test_a_green_whose_process_is_gone_is_dead_whatever_the_proxy_doubts(tmp_path: Path) -> None:
    assert not (await target(tmp_path, "UP", "L4CON").status(Side.GREEN)).running

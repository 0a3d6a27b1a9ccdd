"""Real parts that several integration tests share."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tminus.demo.machine import ThisMachine
from tminus.demo.packages import locate

if TYPE_CHECKING:
    from tests.integration import line_world
else:
    import line_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[line_world.World]:
    """The stage that all lines are judged on; a test puts back what it broke."""
    binaries = locate(ThisMachine())
    if binaries is None:
        pytest.skip("a program of the stage is not installed")
    built = asyncio.run(line_world.build(tmp_path_factory.mktemp("world"), binaries))
    yield built
    asyncio.run(built.stage.remove())

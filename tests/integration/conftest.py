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

LONGEST = (
    "test_lines_release.py",
    "test_engine_workers.py",
    "test_lines_sources.py",
    "test_lines_gates.py",
    "test_kills.py",
    "test_lines_routes.py",
    "test_lines_sms.py",
    "test_launch_workers.py",
    "test_alerts_arrive.py",
    "test_depot_queue.py",
    "test_depot.py",
    "test_engine_durable.py",
    "test_depot_harm.py",
    "test_parts_come_up.py",
    "test_engine_trouble.py",
)
"""Files that take long, the longest first; processes that share the tests come to their end at about the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take long."""
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(rank)))


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[line_world.World]:
    """The stage that all lines are judged on; a test puts back what it broke."""
    binaries = locate(ThisMachine())
    if binaries is None:
        pytest.skip("a program of the stage is not installed")
    built = asyncio.run(line_world.build(tmp_path_factory.mktemp("world"), binaries))
    yield built
    asyncio.run(built.stage.remove())

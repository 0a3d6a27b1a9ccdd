"""The trace of one launch: what the proxy logged is on disk, and a restarted tminus reads all of it again."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus import processes
from tminus.domain.traffic import Outcome, WeightChange
from tminus.errors import PartError
from tminus.targets.trace import ProxyTrace

if TYPE_CHECKING:
    from tests.integration.line_world import World, listening, send_users
else:
    from line_world import World, listening, send_users


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "trace.jsonl"


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines(keepends=True)


def cut_off(file: Path, count: int) -> None:
    """What a kill in the middle of a write leaves."""
    file.write_bytes(file.read_bytes()[:-count])


async def told(trace: ProxyTrace, user: str, count: int) -> list[Outcome]:
    """The outcomes of one group of users, once there are this many."""

    def theirs() -> list[Outcome]:
        return [outcome for outcome in trace.outcomes() if outcome.client.startswith(user)]

    async def there() -> bool:
        return len(theirs()) >= count

    await processes.wait_until(there, 20, f"{count} lines of {user}")
    return theirs()


async def test_a_restart_reads_everything_again_and_misses_nothing_of_the_time_between(
    world: World, file: Path
) -> None:
    trace = listening(world, file)
    await trace.start()
    trace.note_weight(WeightChange(5.0, 25))
    await send_users(world.scene, 30, at_once=5, name="early")
    early = await told(trace, "early", 30)
    await trace.stop()
    assert len(early) == 30
    assert len(lines(file)) == len(trace.items(0))

    await send_users(world.scene, 20, at_once=5, name="away")
    again = listening(world, file)
    assert again.items(0) == trace.items(0)
    assert WeightChange(5.0, 25) in again.items(0)
    await again.start()
    assert len(await told(again, "away", 20)) == 20
    await again.stop()
    assert [o for o in again.outcomes() if o.client.startswith("early")] == early
    numbers = [outcome.number for outcome in again.outcomes()]
    assert len(set(numbers)) == len(numbers)
    assert again.missing() == 0
    assert again.items(0)[:3] + again.items(3) == again.items(0)


async def test_a_line_that_a_kill_cut_off_is_fetched_from_the_proxy_again(world: World, file: Path) -> None:
    trace = listening(world, file)
    await trace.start()
    await send_users(world.scene, 25, at_once=1, name="cut")
    whole = await told(trace, "cut", 25)
    await trace.stop()
    cut_off(file, 9)

    again = listening(world, file)
    assert len(again.outcomes()) == len(trace.outcomes()) - 1
    assert lines(file)[-1].endswith("}\n")
    await again.start()
    assert sorted(await told(again, "cut", 25), key=str) == sorted(whole, key=str)
    await again.stop()
    assert (again.missing(), again.lost()) == (0, 0)


async def test_a_trace_whose_port_is_taken_says_so(world: World, file: Path, tmp_path: Path) -> None:
    trace = listening(world, file)
    await trace.start()
    with pytest.raises(PartError, match="log lines, cannot be opened"):
        await listening(world, tmp_path / "other.jsonl").start()
    await trace.stop()

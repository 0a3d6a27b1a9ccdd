"""Opening a launch, on every database: all of it or nothing, the same wish once, one launch in an environment."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine

from tminus.control.opening import opening
from tminus.domain.canonical import plain
from tminus.domain.orders import Act
from tminus.domain.orders import Order as Given
from tminus.domain.rollout import State
from tminus.engine.durable import ready
from tminus.errors import OutOfSequenceError, PartError, RecordError
from tminus.planfile import load
from tminus.signing import load_trust, trust_path, verify_file
from tminus.store import RecordStore, connect
from tminus.wiring import SystemClock, launch_folder
from tminus.wiring.opening import Wanted, binding_of, kept, open_launch, seal_ended
from tminus.wiring.orders import give

if TYPE_CHECKING:
    from tests.contract import engine_homes
    from tests.unit import small_plan
else:
    import sys

    import engine_homes

    sys.path.append(str(Path(__file__).parents[1] / "unit"))
    import small_plan

CLOCK = SystemClock()


@dataclass
class Place:
    """One database, and a wish for a launch in it."""

    url: str
    folder: Path
    wish: Wanted
    engine: Engine

    @property
    def store(self) -> RecordStore:
        return RecordStore(self.engine)

    async def end(self, launch: str) -> None:
        _, plan = await kept(self.url, launch)
        order = Given(f"end {launch}", Act.SCRUB, "Lena Ortiz", "not today")
        await give(self.url, launch, order, plan, CLOCK)


@pytest.fixture(params=["sqlite", "postgresql"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    path = tmp_path / "plan.yaml"
    path.write_text(small_plan.REAL, encoding="utf-8")
    t0 = round(CLOCK.now()) + 86400.0
    url = engine_homes.database(request, tmp_path)
    found = Place(url, tmp_path, Wanted(load(path), "staging", {"depot": "ab" * 32}, t0), connect(url))
    yield found
    found.engine.dispose()


async def test_a_launch_is_open_with_all_that_a_worker_needs_to_run_it(place: Place) -> None:
    opened = await open_launch(place.url, place.wish, CLOCK)
    assert (opened.new, opened.course.phase, opened.course.t0) == (True, State.COUNTING, place.wish.t0)
    (place.folder / "plan.yaml").unlink()
    (first,), plan = await kept(place.url, opened.launch)
    binding = binding_of(await place.store.order(opened.launch))
    assert (first.key, first.data) == ("opened", plain(opening(plan, binding)))
    assert plan.digest == place.wish.loaded.checked().digest


async def test_the_same_wish_again_finds_the_launch_that_it_has_opened(place: Place) -> None:
    first = await open_launch(place.url, place.wish, CLOCK)
    again = await open_launch(place.url, place.wish, CLOCK)
    assert (again.launch, again.new) == (first.launch, False)
    assert len(await place.store.events(first.launch)) == 1


async def test_an_environment_has_one_launch_and_the_next_when_that_has_ended(place: Place) -> None:
    first = await open_launch(place.url, place.wish, CLOCK)
    other = replace(place.wish, t0=place.wish.t0 + 3600)
    with pytest.raises(OutOfSequenceError, match=f"staging is taken by launch {first.launch}") as told:
        await open_launch(place.url, other, CLOCK)
    assert f"tminus scrub {first.launch}" in told.value.hint
    assert await place.store.events(other.named(1)) == []
    assert (await open_launch(place.url, replace(other, environment="canary"), CLOCK)).new
    await place.end(first.launch)
    assert (await open_launch(place.url, other, CLOCK)).new


async def test_a_wish_whose_launch_has_ended_opens_another(place: Place) -> None:
    first = await open_launch(place.url, place.wish, CLOCK)
    await place.end(first.launch)
    second = await open_launch(place.url, place.wish, CLOCK)
    assert second.new
    assert second.launch != first.launch


async def test_what_was_called_off_while_nobody_ran_it_has_a_record_that_verifies(place: Place) -> None:
    opened = await open_launch(place.url, place.wish, CLOCK)
    await place.end(opened.launch)
    home = place.folder / "home"
    record = await seal_ended(place.url, opened.launch, home, CLOCK)
    assert await seal_ended(place.url, opened.launch, home, CLOCK) == record
    report = verify_file(record, load_trust(trust_path(home)))
    assert (report.trusted, report.outcome, report.launch) == (True, "scrubbed", opened.launch)
    plan = load(record.with_name("plan.json")).checked()
    assert plan.digest == place.wish.loaded.checked().digest, "an export needs nothing else"


async def test_a_seal_without_room_for_its_plan_says_so_and_is_completed_by_the_next(place: Place) -> None:
    opened = await open_launch(place.url, place.wish, CLOCK)
    await place.end(opened.launch)
    home = place.folder / "home"
    # What cannot be replaced by a file is a folder.
    in_the_way = launch_folder(home, opened.launch) / "plan.json"
    in_the_way.mkdir(parents=True)
    with pytest.raises(PartError, match=r"plan\.json cannot be written"):
        await seal_ended(place.url, opened.launch, home, CLOCK)
    in_the_way.rmdir()
    record = await seal_ended(place.url, opened.launch, home, CLOCK)
    assert verify_file(record, load_trust(trust_path(home))).trusted
    assert record.with_name("plan.json").is_file()


async def test_a_launch_that_was_never_opened_is_not_there(place: Place) -> None:
    ready(place.url)
    with pytest.raises(RecordError, match="nobody but its own tminus"):
        await kept(place.url, "staging-12345678")

"""A sample of the kill test (`make chaos`): whole launches, ended with `kill -9`, end as if nothing had happened."""

import asyncio
import random
from pathlib import Path

import pytest
from kill_driver import Kills, Run, Site, SqliteFile, drawn

SEED = 4
RUNS = 10
LANES = 3


async def killed(site: Site, release: str, clean: Run, dice: random.Random, runs: int) -> list[Run]:
    """Launches of a release, every second one killed at three boundaries, the others at drawn moments."""
    lanes = asyncio.Semaphore(LANES)

    async def one(kills: Kills) -> Run:
        async with lanes:
            return await site.run(release, kills, clean.story)

    boundaries = clean.story.boundaries
    plans = [
        drawn(dice, clean.seconds) if number % 2 else Kills(tuple(dice.sample(boundaries, 3)))
        for number in range(runs)
    ]
    return await asyncio.gather(*(one(kills) for kills in plans))


@pytest.mark.timeout(1800)
async def test_launches_that_are_killed_end_as_one_that_nobody_disturbed(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    async with Site(tmp_path, SqliteFile()).open() as site:
        good, bad = await asyncio.gather(site.run("good", Kills()), site.run("bad", Kills()))
        assert (good.faults, good.story.outcome) == ([], "landed")
        assert (bad.faults, bad.story.outcome) == ([], "rolled-back")
        assert len(good.story.milestones) == 6, "T-0 is no milestone of the record: GO stands for it"
        runs = [
            *await killed(site, "good", good, dice, RUNS // 2),
            *await killed(site, "bad", bad, dice, RUNS // 2),
        ]
    assert len(runs) == RUNS
    assert sum(run.killed for run in runs) > RUNS, "a launch that nobody killed shows nothing"
    assert [str(run) for run in runs if run.faults] == []

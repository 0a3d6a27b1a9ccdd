"""Kill compressed launches at every boundary of every step and at seeded random moments; figures into the page.

`make chaos RUNS=100 SEED=1` runs it on SQLite and on PostgreSQL. A launch that is killed must end as one that nobody
disturbed; whatever it does otherwise is a violation, told with the kills that brought it about.
"""

import argparse
import asyncio
import os
import platform
import random
import shutil
import statistics
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "integration" / "kills"))

from kill_driver import Database, Kills, Run, Site, SqliteFile, drawn, spread
from kill_postgres import PostgresCluster

if TYPE_CHECKING:
    from benchmarks.chaos_page import put
else:
    from chaos_page import put

RELEASES = ("good", "bad")
EACH = 4
"""How many boundaries are killed at in one launch."""
LANES = 4
"""How many launches go side by side: they mostly wait."""
HOME = Path(__file__).parents[1] / "build" / "kills"
"""Where launches are kept while they go on, and afterwards those with a violation."""


@dataclass(slots=True)
class Campaign:
    """All launches of one release on one database."""

    database: str
    release: str
    clean: Run
    boundaries: int
    missed: list[str] = field(default_factory=list)
    """Boundaries at which nobody died, since their step did not come."""
    runs: list[Run] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How many processes were ended."""
        return sum(run.killed for run in self.runs)

    @property
    def exposed(self) -> list[float]:
        """For each run, how many seconds green had users while no process lived that could take them away."""
        return [run.exposed for run in self.runs]

    @property
    def bad(self) -> list[Run]:
        """The runs that were otherwise than the undisturbed one."""
        return [run for run in self.runs if run.faults]


async def campaign(site: Site, release: str, runs: int, seed: int) -> Campaign:
    """One release on one database: an undisturbed launch first, then every boundary, then the drawn moments."""
    clean = await site.run(release, Kills())
    if clean.faults:
        sys.exit(f"undisturbed, the {release} release already has faults: {clean.faults}")
    boundaries = clean.story.boundaries
    found = Campaign(site.database.name, release, clean, len(boundaries))
    dice = random.Random(f"{seed} {site.database.name} {release}")
    plans = [*spread(boundaries, EACH), *(drawn(dice, clean.seconds) for _ in range(runs))]
    lanes = asyncio.Semaphore(LANES)

    async def one(kills: Kills) -> None:
        async with lanes:
            run = await site.run(release, kills, clean.story)
        found.runs.append(run)
        found.missed += [boundary for boundary in kills.boundaries if boundary not in run.died]
        print(f"{site.database.name} {release} {len(found.runs)}/{len(plans)} {run}", flush=True)

    await asyncio.gather(*(one(kills) for kills in plans))
    return found


def section(campaigns: list[Campaign], arguments: argparse.Namespace, minutes: float) -> str:
    """The figures as a section of the page."""
    runs = [run for one in campaigns for run in one.runs]
    late = [late for run in runs for late in run.story.lateness]
    clean = max(one.clean.seconds for one in campaigns)
    repeated = sum(run.story.repeated for run in runs)
    head = f"""Whole launches with their waits shortened, and the world outside as a process that counts what is
done to it; ended with `kill -9` at every boundary of every step (begun, acted but not recorded, recorded),
{EACH} of them in one launch, and {arguments.runs} launches for each row at moments drawn by seed {arguments.seed}.
Made by `make chaos`. Machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()};
{LANES} launches side by side.

{len(runs)} runs, {sum(one.kills for one in campaigns)} kills, {sum(len(one.bad) for one in campaigns)} violations, in
{minutes:.0f} minutes. An undisturbed launch took {clean:.1f} s at most. {len(late)} waits were over
{statistics.median(late):.3f} s after their time at the median, {max(late):.3f} s at most. {repeated} calls to the world
were made again after a kill and changed nothing. *Unwatched* is for how long green had users while no process of the
launch lived, in all runs and at most in one: who starts a dead process again decides about that, here at once. A launch
that is rolled back ends with 0 % on green, or that is a violation.

| database | release | ends | boundaries | not reached | runs | kills | unwatched | violations |
|--|--|--|--|--|--|--|--|--|
"""
    rows = (
        f"| {one.database} | {one.release} | {one.clean.story.outcome} | {one.boundaries} | {len(one.missed)} "
        f"| {len(one.runs)} | {one.kills} | {sum(one.exposed):.1f} s, {max(one.exposed, default=0.0):.1f} s "
        f"| {len(one.bad)} |"
        for one in campaigns
    )
    told = (
        f"- {one.database}, {one.release}, killed {run.kills}: {'; '.join(run.faults)}"
        for one in campaigns
        for run in one.bad
    )
    return head + "\n".join(rows) + "\n\n" + "\n".join(told)


async def everything(arguments: argparse.Namespace) -> list[Campaign]:
    """Both releases on each database."""
    campaigns: list[Campaign] = []
    async with AsyncExitStack() as stack:
        shutil.rmtree(HOME, ignore_errors=True)
        databases: list[Database] = []
        if arguments.only in {None, "sqlite"}:
            databases.append(SqliteFile())
        if arguments.only in {None, "postgres"}:
            databases.append(stack.enter_context(PostgresCluster.running()))
        for database in databases:
            site = await stack.enter_async_context(Site(HOME / database.name, database).open())
            campaigns += [
                await campaign(site, release, arguments.runs, arguments.seed) for release in RELEASES
            ]
    return campaigns


def main() -> None:
    """Run what was asked for; only a whole campaign writes the page. Exit 1 when there was any violation."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=50, help="launches killed at drawn moments")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["sqlite", "postgres"], default=None)
    arguments = parser.parse_args()
    began = time.monotonic()
    campaigns = asyncio.run(everything(arguments))
    text = section(campaigns, arguments, (time.monotonic() - began) / 60)
    print(text)
    if arguments.only is None:
        put("Compressed launches", text)
    if any(one.bad for one in campaigns):
        sys.exit(1)


if __name__ == "__main__":
    main()

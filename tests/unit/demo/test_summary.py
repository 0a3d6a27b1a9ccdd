"""The page about one launch."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.demo.summary import write_summary
from tminus.domain.evidence import Observation

if TYPE_CHECKING:
    from tests.unit.launch_world import NEW, World
else:
    from launch_world import NEW, World

USERS = {"total": 4321, "failed": 12}


async def page(tmp_path: Path, world: World) -> str:
    await world.launch()
    path = write_summary(tmp_path / "summary.md", world.chain, USERS)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("release", "title"), [("good", "# LANDED: launch depot-7"), ("errors", "# ROLLED-BACK: launch depot-7")]
)
async def test_the_title_is_the_ending(release: str, title: str, tmp_path: Path) -> None:
    text = await page(tmp_path, World(release=release))
    assert text.startswith(f"{title}\n")
    assert text.endswith("\n")


async def test_the_page_says_what_was_launched_and_what_users_met(tmp_path: Path) -> None:
    text = await page(tmp_path, World())
    assert f"`sha256:{NEW}`" in text
    assert "4321" in text or "4,321" in text
    assert "2 of 16 lines are not in this plan" in text
    assert "rolled back by" not in text


async def test_a_rollback_names_its_rule(tmp_path: Path) -> None:
    text = await page(tmp_path, World(release="errors"))
    assert "rolled back by `a1`: Roll back by a1: evidence that green fails" in text


async def test_each_line_stands_once_with_its_last_verdict(tmp_path: Path) -> None:
    world = World()
    world.observer.scripts["cfg.env"] = [Observation(None), Observation([])]
    text = await page(tmp_path, world)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == sorted(world.verdicts())
    (environment,) = [row for row in rows if "`cfg.env`" in row]
    assert "| passed | probe |" in environment


async def test_a_bar_in_a_text_breaks_no_table(tmp_path: Path) -> None:
    world = World()
    world.observer.scripts["ok.logs"] = [Observation(["a | b"])]
    text = await page(tmp_path, world)
    (row,) = [line for line in text.splitlines() if "`ok.logs`" in line]
    assert r"a \| b" in row
    assert row.count("|") - row.count(r"\|") == 6


async def test_signatures_and_shares_of_traffic_are_listed(tmp_path: Path) -> None:
    text = await page(tmp_path, World())
    assert "| qa | Quentin Mbeki (simulated) | GO |" in text
    assert "| lead | Lena Ortiz (simulated) | GO |" in text
    assert "| 50 % | 50.00% |" in text
    assert "| 100 % | 100.00% |" in text

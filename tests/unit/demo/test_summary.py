"""The page about one launch."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus import __version__
from tminus.demo.summary import Told, write_summary
from tminus.domain.evidence import Observation
from tminus.domain.plan import Plan
from tminus.domain.record import ENDED

if TYPE_CHECKING:
    from tests.unit.launch_world import NEW, OLD, PLAN, World
else:
    from launch_world import NEW, OLD, PLAN, World

USERS = {"total": 4321, "failed": 12}


async def page(tmp_path: Path, world: World) -> str:
    await world.launch()
    return written(tmp_path, world)


def written(
    tmp_path: Path, world: World, users: Mapping[str, object] | None = USERS, plan: Plan = PLAN
) -> str:
    path = write_summary(tmp_path / "summary.md", Told(world.chain, users, plan))
    return path.read_text(encoding="utf-8")


def fact(text: str, name: str) -> str:
    (value,) = [line for line in text.splitlines() if line.startswith(f"| {name} | ")]
    return value.removeprefix(f"| {name} | ").removesuffix(" |")


@pytest.mark.parametrize(
    ("release", "title"), [("good", "# LANDED: launch depot-7"), ("errors", "# ROLLED-BACK: launch depot-7")]
)
async def test_the_title_is_the_ending(release: str, title: str, tmp_path: Path) -> None:
    text = await page(tmp_path, World(release=release))
    assert text.startswith(f"{title}\n")
    assert text.endswith("\n")


async def test_the_page_says_what_was_launched_and_what_users_met(tmp_path: Path) -> None:
    text = await page(tmp_path, World())
    assert fact(text, "release of depot") == f"`sha256:{NEW}`"
    assert fact(text, "previous depot") == f"`sha256:{OLD}`"
    assert fact(text, "users") == "sent 4,321 requests, 12 failed"
    assert "Rolled back by" not in text


async def test_an_acknowledged_warning_stands_before_the_signatures_that_rest_on_it(tmp_path: Path) -> None:
    world = World()
    world.observer.scripts["bk.db"] = [Observation([], remarks=("it took long",))]
    told = (await page(tmp_path, world)).partition("## Acknowledged warnings")[2]
    said, _, signatures = told.partition("## Signatures")
    assert "`bk.db` is warned, acknowledged by Lena Ortiz (simulated) as lead: seen: it took long" in said
    assert "| qa | Quentin Mbeki" in signatures


async def test_answers_that_came_late_are_counted_beside_those_that_failed(tmp_path: Path) -> None:
    world = World(release="slow")
    told = fact(await page(tmp_path, world), "requests")
    ended = world.events(ENDED)[0]
    assert ended["slow"] > 0
    assert told == (
        f"0 of {ended['requests']:,} requests through the proxy failed, {ended['slow']} answered later than 2 s "
        "(all on green), until the end of the launch"
    )


async def test_damaged_data_is_a_person_s_to_decide_at_the_top_and_in_the_story(tmp_path: Path) -> None:
    world = World(inspected=True)
    world.target.after_weight[50] = lambda: world.data.now.update(orphans=3)
    text = await page(tmp_path, world)
    head, _, story = text.partition("## Holds, orders, rollback")
    assert (
        "Rolled back by `trigger.corruption`: Data corruption detected: orphans: found 3, expected == 0"
        in head
    )
    assert (
        "**The data needs a person's decision:** 1 of 2 invariants of the data are broken: orphans: found 3, "
        "expected == 0; traffic is back on blue, but that repairs no row: a person decides whether to restore "
        "the backup backup.dump, taken before the migration\n"
    ) in head
    assert "1 of 2 invariants of the data are broken: orphans: found 3" in story
    assert "person's decision" not in await page(tmp_path, World(release="errors", inspected=True))


async def test_the_page_says_when_by_which_plan_and_which_tminus(tmp_path: Path) -> None:
    world = World()
    text = await page(tmp_path, world)
    opened, ended = world.chain[0], next(event for event in world.chain if event.type == ENDED)
    assert fact(text, "opened").startswith(f"{opened.at[:10]} {opened.at[11:19]} UTC at T-")
    assert fact(text, "ended").startswith(f"{ended.at[:10]} {ended.at[11:19]} UTC at T+")
    assert fact(text, "took") == "12 s; waits ran 3,600 times as fast"
    assert fact(text, "plan") == f"a small launch (not for production), digest `{PLAN.digest}`"
    assert fact(text, "tminus") == __version__
    assert fact(text, "record").endswith(f"{len(world.chain)} events, head `{world.chain[-1].digest}`")


async def test_the_page_says_who_decided_and_who_is_simulated(tmp_path: Path) -> None:
    text = await page(tmp_path, World())
    assert fact(text, "decision").startswith("GO by Lena Ortiz, a simulated person, ")
    assert fact(text, "people") == "simulated: all 3"
    world = World()
    roles = tuple(
        replace(role, person="kim (viewer)", simulated=False) if role.decides else role for role in PLAN.roles
    )
    world.plan = replace(PLAN, roles=roles)
    text = await page(tmp_path, world)
    assert fact(text, "decision").startswith("GO by kim (viewer), a real person, ")
    assert fact(text, "people") == "real: kim (viewer); simulated: the other 2"


async def test_what_nobody_observed_is_counted_and_named(tmp_path: Path) -> None:
    text = await page(tmp_path, World(release="errors"))
    counted = fact(text, "lines")
    assert counted.startswith("16 on the checklist: ")
    assert (
        sum(int(part.split()[0]) for part in counted.partition(": ")[2].split(", ") if part[0].isdigit())
        == 16
    )
    assert "1 said by simulated people" in counted
    assert "2 left out of the plan" in counted
    never = text.partition("## Never observed")[2]
    assert "- 3 never reached: `ok.err`, `ok.logs`, `t4p.blueoff`" in never
    assert "- 1 said by simulated people: `rb.authority`" in never
    assert "- 2 left out of the plan: not built: `cfg.cors`, `rb.tested`" in never


async def test_by_a_plan_that_was_changed_since_no_line_is_named(tmp_path: Path) -> None:
    world = World(release="errors")
    await world.launch()
    text = written(tmp_path, world, plan=replace(PLAN, digest="f" * 64))
    assert "which lines were never reached is not known" in text
    assert "`t4p.blueoff`" not in text


async def test_what_users_met_may_be_unknown(tmp_path: Path) -> None:
    world = World()
    await world.launch()
    assert fact(written(tmp_path, world, users=None), "users") == "what they met was not written down"


async def test_a_launch_that_was_interrupted_at_once_has_a_page_too(tmp_path: Path) -> None:
    world = World()
    await world.launch()
    ended = next(event for event in world.chain if event.type == ENDED)
    data = {"outcome": "aborted", "text": "interrupted by the viewer", "after": "opened"}
    cut = (world.chain[0], replace(ended, data=data))
    text = write_summary(tmp_path / "summary.md", Told(cut, None, PLAN)).read_text(encoding="utf-8")
    assert text.startswith("# ABORTED: launch depot-7\n")
    assert "interrupted by the viewer; the last event before it: `opened`" in text
    assert fact(text, "decision") == "none: it ended before GO or NO-GO"
    assert "14 never reached" in fact(text, "lines")


async def test_what_is_not_green_stands_at_the_top(tmp_path: Path) -> None:
    world = World()
    world.observer.scripts["ok.logs"] = [Observation(["disk full"])]
    text = await page(tmp_path, world)
    above = text.partition("## Signatures")[0]
    assert "- `ok.logs` the line ok.logs: **failed**: " in above
    assert "- `cfg.env`" not in above


async def test_a_rollback_names_its_rule(tmp_path: Path) -> None:
    text = await page(tmp_path, World(release="errors"))
    assert "Rolled back by `a1`: evidence that green fails" in text
    assert "Roll back by" not in text
    assert "s from green's first bad answer to all traffic on blue |" in text
    assert "| way back | the schema stays at 0002 |" in text
    assert "green drained to 0 sessions and stopped" in text.partition("## Holds, orders, rollback")[2]
    assert "all traffic to blue, set and read back within" in text


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
    (row,) = [line for line in text.splitlines() if line.startswith("| `ok.logs`")]
    assert r"a \| b" in row
    assert row.count("|") - row.count(r"\|") == 6


async def test_signatures_and_shares_of_traffic_are_listed(tmp_path: Path) -> None:
    text = await page(tmp_path, World())
    assert "| qa | Quentin Mbeki (simulated) | GO |" in text
    assert "| lead (decides) | Lena Ortiz (simulated) | GO |" in text
    rows = [line for line in text.splitlines() if line.startswith(("| 50 % |", "| 100 % |"))]
    assert [row.split(" | ")[1] for row in rows] == ["50.00%", "100.00%"], "one row for each weight"

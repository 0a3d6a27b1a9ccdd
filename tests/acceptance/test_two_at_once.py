"""Two launches on one machine, at the same time and from the same home: they do not meet."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from demos import Demo, nothing_left

from tminus.signing import load_trust, trust_path, verify_file

BOTH = 700.0
"""Seconds for two launches on one machine: what is tried beside blue takes only the time that both of them leave."""

Begin = Callable[..., Awaitable[Demo]]


@pytest.mark.slow
@pytest.mark.chaos
@pytest.mark.timeout(900)
async def test_a_good_and_a_bad_release_launched_at_once_end_each_as_it_deserves(
    start: Begin, home: Path
) -> None:
    users = ("--rate", "50")  # two machines' load on one: two cores carry no more
    good, bad = await asyncio.gather(start(*users), start(*users, "--release", "errors"))
    codes = await asyncio.gather(good.ends(BOTH), bad.ends(BOTH))
    assert [*codes] == [0, 0], f"{good.text}\n\n{bad.text}"
    assert good.lines[-1].startswith("outcome=landed record=/")
    assert bad.lines[-1].startswith("outcome=rolled-back record=/")
    assert good.stage != bad.stage
    assert not _ports(good) & _ports(bad)
    trust = load_trust(trust_path(home))
    reports = [verify_file(demo.record, trust) for demo in (good, bad)]
    assert [report.outcome for report in reports] == ["landed", "rolled-back"]
    assert reports[0].launch != reports[1].launch
    assert reports[0].release != reports[1].release
    assert nothing_left(home, good.stage)
    assert nothing_left(home, bad.stage)


def _ports(demo: Demo) -> set[str]:
    """Every address of this machine that the demo named."""
    found = set(re.findall(r"127\.0\.0\.1:(\d+)", demo.text))
    assert found, demo.text
    return found

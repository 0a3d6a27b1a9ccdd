"""That every automatic line was seen to come out in all four ways, and what follows from it.

Each is judged as the demo plan has it; what has no place on the demo's stage, as the built-in plan has it.
"""

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.domain.evidence import Verdict
from tminus.domain.plan import Kind
from tminus.planfile import load, read

if TYPE_CHECKING:
    from tests.integration import line_register
    from tests.integration.alert_world import silence
    from tests.integration.line_world import PLAN, World, fails, preceded, record, shows
else:
    import line_register
    from alert_world import silence
    from line_world import PLAN, World, fails, preceded, record, shows

    # Their tests register what they show, also when this file runs alone.
    for module in (
        "release",
        "database",
        "service",
        "traffic",
        "gates",
        "integrations",
        "registry",
        "alerts",
        "routes",
        "redis",
        "sources",
        "configmaps",
        "secrets",
        "vault",
        "logs",
        "sms",
        "dashboards",
        "machines",
        "figures",
        "green_boards",
        "reviewed",
    ):
        __import__(f"test_lines_{module}")


DOCS = Path(__file__).parents[2] / "docs" / "reference"
DEMO = {check.id: check for check in read(PLAN).checks if check.probe}
ELSEWHERE = ("cfg.configmaps", "cfg.secrets", "bk.vault")
"""Lines that the built-in plan has and the demo has not: it has no cluster and no Vault."""
BUILT_IN = load("production").plan
assert BUILT_IN is not None
PROBED = DEMO | {name: BUILT_IN.check(name) for name in ELSEWHERE}
CONTROLLED = [check.id for check in PROBED.values() if check.control is not None]


def test_every_automatic_line_is_shown_to_come_out_in_four_ways() -> None:
    assert line_register.lacking(list(PROBED)) == []
    assert {case.line for case in line_register.CASES} == set(PROBED)


def test_every_line_without_a_person_is_probed_made_of_others_or_a_step_of_the_launch() -> None:
    by_itself = [check for check in read(PLAN).checks if check.kind not in {Kind.PERSON, Kind.SIGNATURE}]
    for check in by_itself:
        assert check.probe or check.of or check.step or check.kind is Kind.NOT_APPLICABLE, check.id
        assert set(check.of) <= set(PROBED), check.id


def test_every_success_criterion_has_a_negative_control() -> None:
    criteria = [check.id for check in DEMO.values() if check.section == "Success Criteria"]
    assert criteria
    assert set(criteria) <= set(CONTROLLED)


async def test_each_negative_control_fails_and_a_line_whose_control_does_not_proves_nothing(
    world: World, tmp_path: Path
) -> None:
    await silence(world, 30)
    trace = await record(world, tmp_path / "trace.jsonl", ("", 510))
    scene = replace(world.scene, trace=preceded(trace, trace))
    alone = [
        replace(check, arguments={**(check.arguments or {}), **(check.control or {})}, control=None)
        for check in (PROBED[name] for name in CONTROLLED)
    ]
    for claim in (await scene.judged(*alone)).values():
        fails(claim, scene.plan)
    blind = [replace(PROBED[name], control={}) for name in CONTROLLED]
    for claim in (await scene.judged(*blind)).values():
        shows(claim, Verdict.INCONCLUSIVE, "negative control came out (passed|warned) instead of failed")


def _same(file: Path, text: str) -> None:
    """Compare a page with what it should be; with UPDATE_DOCS=1, make it so."""
    if os.environ.get("UPDATE_DOCS") == "1":
        file.write_text(text, encoding="utf-8")
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        pytest.fail(f"{file.name} should read (UPDATE_DOCS=1 writes it):\n{text}")


def test_the_page_of_checks_is_what_the_tests_show() -> None:
    _same(DOCS / "checks.md", line_register.page({name: check.text for name, check in PROBED.items()}))


def test_the_score_of_the_mutations_is_what_the_tests_show() -> None:
    page = (DOCS / "mutations.md").read_text(encoding="utf-8")
    numbers = {int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)}
    missed = {int(number) for number in re.findall(r"^- No\. (\d+) ", page, re.MULTILINE)}
    assert line_register.caught() == numbers - missed
    assert f"**{len(numbers - missed)} of {len(numbers)}**" in page

"""What README and tutorial say of the demo is what the demo's plan and its parts say."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tminus import demo, planfile, probes
from tminus.demo.theatre import DOCUMENTS, LONGEST_SECONDS, RATE
from tminus.domain import offsets
from tminus.domain.plan import Kind

ROOT = Path(__file__).parents[2]
PLAN = planfile.read(Path(demo.__file__).parent / "demo.yaml")
README = (ROOT / "README.md").read_text(encoding="utf-8")
TUTORIAL = (ROOT / "docs" / "tutorial" / "first-launch.md").read_text(encoding="utf-8")
REFERENCE = (ROOT / "docs" / "reference" / "demo.md").read_text(encoding="utf-8")
NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight")
SHORTENED = 120.0
"""Seconds of the launch clock that may pass between a moment and the line that is printed of it."""


def clock(text: str) -> float:
    """Seconds from T-0 of what the first column shows."""
    hours, minutes, seconds = map(int, text[2:].split(":"))
    return (hours * 3600 + minutes * 60 + seconds) * (-1 if text[1] == "-" else 1)


def quoted(pattern: str) -> Iterator[re.Match[str]]:
    """Lines of the demo that README and tutorial show."""
    for page in (README, TUTORIAL):
        yield from re.finditer(rf"^(T[-+]\d\d:\d\d:\d\d)  {pattern}", page, re.MULTILINE)


def test_every_line_that_is_shown_stands_in_the_demo_s_plan_and_is_shown_when_it_is_due() -> None:
    shown = list(quoted(r"[✔▲] (?:passed|warned) +(\S+) +(.+?): "))
    assert len(shown) >= 5
    for line in shown:
        check = PLAN.check(line[2])
        assert line[3] == check.text
        assert check.due <= clock(line[1]) < check.due + SHORTENED, line[0]


def test_the_sign_offs_that_are_shown_are_of_the_demo_s_people_once_the_poll_is_open() -> None:
    (shown,) = quoted(r"✔ GO +(.+?) {2,}(.+?) \(simulated\): (\d+) of (\d+) lines passed, warned: (\S+)$")
    (role,) = (role for role in PLAN.roles if role.title == shown[2])
    assert (role.person, role.signs, role.simulated) == (shown[3], True, True)
    assert PLAN.poll_opens <= clock(shown[1]) < PLAN.poll_opens + SHORTENED
    judged = {check.id for check in PLAN.before_go() if check.kind is not Kind.NOT_APPLICABLE}
    assert int(shown[5]) == len(judged)
    assert shown[6] in judged
    assert int(shown[4]) == len(judged) - len([shown[6]])


def test_readme_and_tutorial_show_one_and_the_same_good_launch() -> None:
    assert len({line[2] for line in quoted(r"■ (LANDED.*)$")}) == 1
    assert len({line[2] for line in quoted(r"· (watch 10 % #3: .*?, 0 failed), ")}) == 1


def test_the_people_and_stand_ins_are_counted_as_they_are() -> None:
    simulated = [role for role in PLAN.roles if role.simulated]
    assert f"The {NUMBERS[len(simulated)]} people are simulated" in README
    assert f"its {NUMBERS[len(simulated)]} are simulated" in README
    signers = [role for role in simulated if role.signs]
    assert f"simulated: {NUMBERS[len(signers)]} sign" in " ".join(README.split())
    assert f"{NUMBERS[len(signers)].title()} simulated people sign" in TUTORIAL
    named = re.search(r"but for (\w+): ([\w, ]+) are stand-ins", README)
    assert named is not None
    plays = [name for name, system in PLAN.systems.items() if not system["real"]]
    assert len(re.split(r", | and ", named[2])) == NUMBERS.index(named[1]) == len(plays)


def test_the_lines_are_counted_as_the_plans_count_them() -> None:
    assert f"holds {len(PLAN.checks)} of the checklist's {PLAN.total} lines" in README
    assert f"other {PLAN.left_out} are left out" in " ".join(README.split())
    assert f"the {PLAN.left_out} lines that the demo leaves out" in README
    production = planfile.load("production").plan
    assert production is not None
    assert production.total == PLAN.total
    assert f"The built-in plan has {len(production.checks)} of its lines in" in README
    assert f"The probes that {production.left_out} of the built-in plan's {production.total} lines" in README


@pytest.mark.parametrize("page", [TUTORIAL, REFERENCE])
def test_the_load_and_the_documents_are_those_of_the_demo(page: str) -> None:
    words = " ".join(page.split())
    assert f"PostgreSQL with {DOCUMENTS:,} documents" in words
    assert re.search(rf"\b{RATE:.0f} (?:user )?requests a second", words)
    assert not re.search(rf"\b(?!{RATE:.0f}\b)\d+ (?:user )?requests a second", words)


def test_how_long_users_stay_is_said_as_it_is() -> None:
    assert offsets.seconds("1h") == LONGEST_SECONDS
    assert "for an hour beside the shortened waits" in " ".join(REFERENCE.split())
    how_to = (ROOT / "docs" / "how-to" / "run-the-demo.md").read_text(encoding="utf-8")
    assert "users stay for an hour beside these waits" in " ".join(how_to.split())


def test_every_kind_of_system_that_is_observed_has_its_address_in_the_reference_of_plans() -> None:
    page = (ROOT / "docs" / "reference" / "plan.md").read_text(encoding="utf-8")
    table = page.partition("| kind | its address |")[2].partition("\n\n")[0]
    told = {
        kind
        for row in table.splitlines()
        for kind in re.findall(r"`(\w+)`", row.split("|")[1:2][0] if row else "")
    }
    own = {name for name, module in probes.systems().items() if module.startswith("tminus.probes.")}
    assert own - told == set()

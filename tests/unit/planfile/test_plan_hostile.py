"""Plans and checklists that are no files, have no end or take for ever: refused at once, in plain words."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus import checklist, files, readers
from tminus.checklist.source import MAX_LINE
from tminus.errors import ChecklistError, PlanError, UsageError
from tminus.planfile import load, loaded

SMALL, changed, problems = small_plan.SMALL, small_plan.changed, small_plan.problems
LAST = "    - {id: all.ready, line: All is ready, due: T-2h, owner: lead, of: [site.up, team.ready]}\n"


@pytest.fixture(params=["pipe", "device", "folder", "no name"])
def no_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "pipe":
        os.mkfifo(tmp_path / "pipe.yaml")
        return tmp_path / "pipe.yaml"
    return {"device": Path("/dev/zero"), "folder": tmp_path, "no name": Path("a\0b")}[request.param]


@pytest.mark.timeout(10)
def test_a_plan_that_is_no_regular_file_is_refused(no_file: Path) -> None:
    with pytest.raises(PlanError, match=r"cannot be read: (it is no regular file|no file has such a name)"):
        load(no_file)


@pytest.mark.timeout(10)
def test_a_checklist_that_is_no_regular_file_is_refused(no_file: Path) -> None:
    with pytest.raises(ChecklistError, match=r"cannot be read: (it is no regular|no file has such)"):
        checklist.load(no_file)


@pytest.mark.timeout(10)
def test_no_reader_looks_at_what_is_no_regular_file(no_file: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        readers.guess(no_file)
    for kind in ("record", "trace"):
        with pytest.raises(UsageError, match="cannot be read"):
            readers.reader(kind).see(no_file)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", ["pipe.yaml", "/dev/zero", '"a\\0b"', '"a\\0b.yaml"', "x" * 300, "."])
def test_a_base_that_is_no_plan_is_one_problem(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    found = loaded(f"plan: ours\nextends: {name}\n", tmp_path / "plan.yaml")
    assert [problem.line for problem in found.problems] == [2]


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert files.regular(tmp_path / "file", 3) == b"123"
    assert files.regular(tmp_path / "file", 9) == b"12345"


def test_plans_may_extend_one_another_twenty_times_and_no_further(tmp_path: Path) -> None:
    (tmp_path / "p0.yaml").write_text(SMALL, encoding="utf-8")
    for number in range(1, 2001):
        (tmp_path / f"p{number}.yaml").write_text(f"plan: x\nextends: p{number - 1}.yaml\n", encoding="utf-8")
    assert load(tmp_path / "p20.yaml").problems == ()
    for number in (21, 2000):
        found = load(tmp_path / f"p{number}.yaml")
        assert [problem.what for problem in found.problems] == ["more than 20 plans extend one another"]


def test_a_circle_of_plans_by_way_of_a_link_is_seen(tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    (tmp_path / "link.yaml").symlink_to(plan)
    plan.write_text("plan: x\nextends: link.yaml\n", encoding="utf-8")
    assert "this plan extends itself" in load(plan).problems[0].what


def test_a_block_written_as_a_mapping_is_a_problem() -> None:
    for block in ("roles", "contacts"):
        found = loaded(f"plan: x\n{block}: {{a: b}}\n", Path("plan.yaml"))
        assert any(problem.line == 2 and block in problem.what for problem in found.problems)


def rollups(parts: dict[str, list[str]]) -> str:
    lines = "".join(
        f"    - {{id: {name}, line: A, due: T-2h, owner: lead, of: [{', '.join(of)}]}}\n"
        for name, of in parts.items()
    )
    return changed(LAST, lines)


def circles(parts: dict[str, list[str]]) -> list[str]:
    return [
        one.partition("itself: ")[2].partition(";")[0] for one in problems(rollups(parts)) if "itself" in one
    ]


def test_circles_of_roll_ups_without_a_common_member_are_all_told() -> None:
    parts = {
        "a.a": ["a.b", "b.a"],
        "a.b": ["a.a", "a.b"],
        "b.a": ["b.b"],
        "b.b": ["b.c", "b.a"],
        "b.c": ["b.a"],
    }
    assert circles(parts) == ["a.a → a.b → a.a", "b.a → b.b → b.c → b.a"]


def test_two_ways_to_one_line_are_no_circle() -> None:
    assert circles({"a.a": ["a.b", "a.c"], "a.b": ["a.d"], "a.c": ["a.d"], "a.d": ["site.up"]}) == []


def test_of_a_long_circle_five_members_are_named() -> None:
    found = circles({f"a.{n}": [f"a.{(n + 1) % 9}"] for n in range(9)})
    assert found == ["a.0 → a.1 → a.2 → a.3 → a.4 → (4 more) → a.0"]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("end", ["site.up", "a.0"])
def test_a_chain_of_thousands_of_roll_ups_is_read(end: str) -> None:
    parts = {f"a.{n}": [f"a.{n + 1}"] for n in range(2999)} | {"a.2999": [end]}
    text = rollups(parts)
    found = problems(text)
    assert sum("itself" in one for one in found) == (end == "a.0")


def test_a_near_id_is_looked_for_fifty_times_at_most() -> None:
    found = [
        one for one in problems(rollups({f"a.{n}": [f"site.uq{n}"] for n in range(60)})) if "no line" in one
    ]
    assert len(found) == 60
    assert sum("did you mean 'site.up'" in one for one in found) == 50


@pytest.mark.parametrize("name", ["T+9999999d", "T-3653d"])
def test_a_milestone_ten_years_away_is_a_problem(name: str) -> None:
    text = SMALL.replace("T-2h", name)
    assert any("more than ten years from T-0" in one for one in problems(text))


def test_a_duration_of_thousands_of_digits_is_a_problem_in_our_own_words() -> None:
    found = problems(changed("drain: 20s", f"drain: {'9' * 5000}h"))
    assert len(found) == 1
    assert "has a number of more than 9 digits" in found[0]
    assert len(found[0]) < 200


@pytest.mark.timeout(60)
def test_a_checklist_s_line_without_end_is_refused_by_its_number() -> None:
    fits = "- [ ] " + "x" * (MAX_LINE - 6)
    assert len(checklist.read(fits.encode()).items) == 1
    for long in ("- [ ] Sign: " + "☐ GO ☐ NO-GO " * 16_000, "- " * 900_000 + "[ ] x", fits + "x"):
        with pytest.raises(ChecklistError, match=r"line 2 has .* characters; 20,000 are read at most"):
            checklist.read(f"# Checks\n{long}\n".encode())


@pytest.mark.parametrize("good", [0, 1500], ids=["at the beginning", "behind many good lines"])
def test_very_many_wrong_lines_are_told_by_the_first_of_them(good: int) -> None:
    right = [
        f"    - {{id: line.{number}, line: it is so, due: T-2h, owner: lead, attest: so}}\n"
        for number in range(good)
    ]
    text = SMALL.replace(LAST, "".join([LAST, *right, "    - {id: 5, lin: x}\n" * 3000]))
    found = loaded(text, Path("plan.yaml"))
    assert found.plan is None
    assert len(found.problems) == 1000
    first = 1 + text[: text.index("    - {id: 5,")].count("\n")
    assert found.problems[0].line == first
    assert "`lin` is no key here" in "".join(problem.what for problem in found.problems)

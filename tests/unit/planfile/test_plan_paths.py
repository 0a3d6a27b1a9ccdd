"""Paths in a plan: down from its folder, or absolute; never up."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.planfile import load

SMALL, changed, line_of, problems = (
    small_plan.SMALL,
    small_plan.changed,
    small_plan.line_of,
    small_plan.problems,
)
ADDRESS = 'website: {kind: website, real: true, address: "env:SITE"}'
SOURCE = 'production: false\nsource: {path: "%s", sha256: abc}'


@pytest.mark.parametrize(
    "path", ["../other.md", "docs/../../other.md", "/srv/plans/../other.md", "..\\\\other.md"]
)
def test_a_checklist_that_lies_upward_is_told(path: str) -> None:
    text = changed("production: false", SOURCE % path)
    (problem,) = problems(text)
    assert problem.startswith(f"{line_of(text, 'source:')}: `path` goes up with `..` in ")
    assert problem.endswith("; write a path below the folder, or an absolute one")


@pytest.mark.parametrize(
    "path", ["go-live.md", "docs/go-live.md", "/srv/docs/go-live.md", "notes..md", "./go-live.md"]
)
def test_a_checklist_below_or_at_an_absolute_path_is_fine(path: str) -> None:
    assert problems(changed("production: false", SOURCE % path)) == []


@pytest.mark.parametrize(
    "reference", ["file:../secret", "file:/run/secrets/../../etc/shadow", "file:a/../../b"]
)
def test_a_reference_that_goes_up_is_told_where_it_stands(reference: str) -> None:
    text = changed(ADDRESS, ADDRESS.replace("env:SITE", reference))
    (problem,) = problems(text)
    assert problem.startswith(f"{line_of(text, reference)}: `address` goes up with `..` in ")
    argument = changed("with: {path: /health,", f'with: {{path: "{reference}",')
    assert any("`path` goes up" in problem for problem in problems(argument))


@pytest.mark.parametrize(
    "reference", ["file:/run/secrets/site", "file:secrets/site", "env:SITE", "https://a.example/../b"]
)
def test_a_reference_to_a_mounted_secret_or_below_is_fine(reference: str) -> None:
    assert problems(changed(ADDRESS, ADDRESS.replace("env:SITE", reference))) == []


def test_a_path_that_goes_up_in_a_base_is_told_in_the_base(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    base = tmp_path / "shared" / "base.yaml"
    base.write_text(changed("production: false", SOURCE % "../../other.md"), encoding="utf-8")
    plan = tmp_path / "plans" / "own.yaml"
    plan.parent.mkdir()
    plan.write_text("plan: own\nextends: ../shared/base.yaml\n", encoding="utf-8")
    (problem,) = load(plan).problems
    assert Path(problem.file).resolve() == base
    assert "goes up with `..`" in problem.what


def test_a_base_in_a_folder_above_and_its_checklist_are_fine(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text(changed("production: false", SOURCE % "docs/go-live.md"), encoding="utf-8")
    plan = tmp_path / "plans" / "own.yaml"
    plan.parent.mkdir()
    plan.write_text("plan: own\nextends: ../base.yaml\n", encoding="utf-8")
    found = load(plan)
    assert found.problems == ()
    assert found.document.source is not None
    assert found.document.source.path == str(tmp_path / "docs" / "go-live.md")


def test_every_file_below_a_plan_is_named_also_one_that_cannot_be_read(tmp_path: Path) -> None:
    top, middle, lowest = (tmp_path / f"{name}.yaml" for name in ("top", "middle", "lowest"))
    top.write_text("plan: top\nextends: middle.yaml\n", encoding="utf-8")
    middle.write_text("plan: middle\nextends: lowest.yaml\n", encoding="utf-8")
    assert load(top).bases == (middle, lowest)
    lowest.write_text(SMALL, encoding="utf-8")
    assert load(top).bases == (middle, lowest)
    assert load("production").bases == ()

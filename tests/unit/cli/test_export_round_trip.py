"""Checklists of other teams: imported and exported again, untouched."""

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tminus.cli.exporting import export
from tminus.cli.importing import import_

SHARED = Path(__file__).parents[4] / "shared"
FILES = [*sorted((SHARED / "corpora" / "checklists").glob("*.md")), *sorted((SHARED / "seed").glob("*.md"))]

IMPORT = typer.Typer()
IMPORT.command()(import_)
EXPORT = typer.Typer()
EXPORT.command()(export)


@pytest.mark.skipif(not FILES, reason="the corpus of checklists is not beside this repository")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:40])
def test_an_untouched_import_is_handed_back_byte_for_byte(path: Path, tmp_path: Path) -> None:
    plan = tmp_path / "plan.yaml"
    made = CliRunner().invoke(IMPORT, [str(path), "-o", str(plan), "--also", "tables,ballots"])
    assert made.exit_code == 0, made.output
    back = CliRunner().invoke(EXPORT, [str(plan)])
    assert back.exit_code == 0, back.exception
    assert back.stdout_bytes == path.read_bytes()

"""`tminus import` and `tminus init`: a plan from a team's own checklist, or the built-in one to begin with."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tminus import checklist, planfile
from tminus.checklist import Form
from tminus.cli import outputs
from tminus.errors import ChecklistError, UsageError
from tminus.importing import Answers, assembled, commenting, initial, matcher_of, report

_FORMS = {"tables": Form.TABLE, "ballots": Form.BALLOT}
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where to write the plan.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


def import_(
    file: Annotated[Path, typer.Argument(help="The checklist, a Markdown file.")],
    *,
    output: Output = None,
    also: Annotated[
        str,
        typer.Option(help="Further boxes to read: tables (boxes in cells), ballots (☐ ☑ ✅); with a comma."),
    ] = "",
    force: Force = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as one JSON object.")] = False,
) -> None:
    """Turn a checklist into a plan, and say what was understood, guessed, and left to a person."""
    forms = _forms(also)
    target = output or Path(f"{file.stem}.plan.yaml")
    outputs.may_write(target, [file], force=force)
    found = checklist.read(checklist.load(file), also=forms)
    if not found.items:
        raise ChecklistError(
            f"{file} holds no boxes",
            hint="a checklist has lines like `- [ ] Backup taken`"
            + (
                f"; {found.left} boxes in tables or ballots are read with --also tables,ballots"
                if found.left
                else ""
            ),
        )
    builtin = planfile.load("production").document
    imported = assembled(found, matcher_of(builtin), builtin, path=_path_from(target, file), also=forms)
    outputs.write(target, commenting.text(imported).encode(), [file], force=force)
    if as_json:
        typer.echo(json.dumps(report.as_json(imported, target), ensure_ascii=False))
    else:
        typer.echo(report.as_text(imported, file, target))


def init(
    *,
    output: Output = None,
    name: Annotated[str, typer.Option(help="The plan's name.")] = "",
    force: Force = False,
) -> None:
    """Write a first plan on top of the built-in one; on a terminal it asks at most five questions."""
    target = output or Path("plan.yaml")
    outputs.may_write(target, [], force=force)
    answers = (
        _asked(name) if sys.stdin.isatty() and sys.stdout.isatty() else Answers(name=name or "production")
    )
    outputs.write(target, initial.text(answers).encode(), force=force)
    typer.echo(f"wrote {target}: the built-in production plan, yours to override")
    typer.echo(
        f"next: tminus plan check {target}    what is to fill; tminus plan show {target}    every line"
    )


def _asked(name: str) -> Answers:
    name = name or typer.prompt("Name of the plan", default="production")
    components = typer.prompt(
        "Components that are launched, with commas (empty: later)", default="", show_default=False
    )
    website = typer.prompt("Public address of the service (empty: later)", default="", show_default=False)
    lead = typer.prompt("Who leads the deployment (empty: later)", default="", show_default=False)
    devops = typer.prompt("Who is the DevOps engineer (empty: later)", default="", show_default=False)
    return Answers(
        name, tuple(part.strip() for part in components.split(",") if part.strip()), website, lead, devops
    )


def _forms(also: str) -> frozenset[Form]:
    words = [word.strip() for word in also.split(",") if word.strip()]
    if unknown := [word for word in words if word not in _FORMS]:
        raise UsageError(
            f"--also does not know {unknown[0]!r}", hint="write tables, ballots or tables,ballots"
        )
    return frozenset(_FORMS[word] for word in words)


def _path_from(target: Path, file: Path) -> str:
    """The checklist's path from the plan's folder, so that both can move together; a linked plan has two folders."""
    folder, source = target.resolve().parent, file.resolve()
    if target.is_symlink():
        return str(source)
    return str(source.relative_to(folder)) if source.is_relative_to(folder) else str(source)

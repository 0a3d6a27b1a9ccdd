"""`tminus import` and `tminus init`: a plan from a team's own checklist, or the built-in one to begin with."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from tminus import checklist, planfile
from tminus.checklist import Checklist, Form
from tminus.cli import outputs, reimporting
from tminus.domain.canonical import JsonValue
from tminus.errors import ChecklistError, UsageError
from tminus.importing import (
    Answers,
    Imported,
    assembled,
    commenting,
    initial,
    matcher_of,
    merging,
    report,
    with_near_misses,
)
from tminus.planfile.leaks import kind_of_secret
from tminus.planfile.problem import printable

_FORMS = {"tables": Form.TABLE, "ballots": Form.BALLOT}
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Where to write the plan.")]
Force = Annotated[bool, typer.Option("--force", help="Write over a file that is there.")]


def import_(  # noqa: PLR0913 - each is an option that a person may type
    file: Annotated[Path, typer.Argument(help="The checklist, a Markdown file.")],
    *,
    output: Output = None,
    also: Annotated[
        str,
        typer.Option(help="Further boxes to read: tables (boxes in cells), ballots (☐ ☑ ✅); with a comma."),
    ] = "",
    merge: Annotated[
        bool,
        typer.Option(
            "--merge", help="Take the checklist's changes over into the plan that is there; edits stay."
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Make the plan that is there anew; edits in it are lost.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Say it as one JSON object.")] = False,
) -> None:
    """Turn a checklist into a plan, and say what was understood.

    It says too what was guessed, what was left to a person, and what no word of the checklist gave. A plan that is
    there already is left as it is, and the difference is told; --merge takes it over.
    """
    if merge and force:
        raise UsageError("--merge keeps what --force loses", hint="give one of them")
    target = output or Path(f"{file.stem}.plan.yaml")
    there = reimporting.there(target, file)
    forms = _forms(also) or (reimporting.forms(there) if there is not None and not force else frozenset())
    imported = _imported(file, target, forms)
    if there is None or force:
        outputs.write(target, commenting.text(imported).encode(), [file], force=force)
        _told(report.as_json(imported, target) if as_json else report.as_text(imported, file, target))
        return
    merged = merging.merged(there, imported)
    if not merge:
        raise reimporting.refusal(target, merged)
    outputs.write(target, merged.text.encode(), [file], force=True)
    _told(reimporting.as_json(target, merged) if as_json else reimporting.as_text(target, merged))


def _told(what: str | dict[str, JsonValue]) -> None:
    typer.echo(printable(what) if isinstance(what, str) else json.dumps(what, ensure_ascii=False))


def _imported(file: Path, target: Path, forms: frozenset[Form]) -> Imported:
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
    _demand_no_secrets(file, found)
    builtin = planfile.load("production").document
    matcher = matcher_of(builtin)
    made = assembled(found, matcher, builtin, path=_path_from(target, file), also=forms)
    return with_near_misses(made, matcher)


def _demand_no_secrets(file: Path, found: Checklist) -> None:
    """Raise `ChecklistError` for a line that holds a secret: a plan would carry it on, and so would this screen."""
    held = [(item.line, kind) for item in found.items if (kind := kind_of_secret(item.text))]
    if held:
        lines = "".join(f"\n  {file}:{line}: the line holds {kind}" for line, kind in held)
        raise ChecklistError(
            f"{file} holds secrets, and nothing was written:{lines}",
            hint="take them out of the checklist, and change them: they have been seen",
        )


def init(
    *,
    output: Output = None,
    name: Annotated[str, typer.Option(help="The plan's name.")] = "",
    force: Force = False,
) -> None:
    """Write a first plan on top of the built-in one.

    On a terminal it asks at most five questions.
    """
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

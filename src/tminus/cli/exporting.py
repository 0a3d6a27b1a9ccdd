"""`tminus export`: a plan or a launch as the team's own checklist, as a page to print, or as JSON."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tminus.cli import outputs
from tminus.cli.streams import told
from tminus.exporting import inputs, markdown, objects, page


class Format(StrEnum):
    """What is written."""

    MD = "md"
    HTML = "html"
    JSON = "json"


def export(  # noqa: PLR0913 - each is an option that a person may type
    what: Annotated[
        str,
        typer.Argument(
            metavar="PLAN|LAUNCH", help="A plan's file; a record's file; a launch's folder or name."
        ),
    ],
    *,
    form: Annotated[
        Format,
        typer.Option("--format", help="md: your checklist, ticked; html: a page to print; json: one object."),
    ] = Format.MD,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file instead of standard output.")
    ] = None,
    source: Annotated[
        Path | None, typer.Option(help="The checklist, where it is no longer at the path in the plan.")
    ] = None,
    plan: Annotated[
        Path | None, typer.Option(help="The plan of a launch that has none beside its record.")
    ] = None,
    trust: Annotated[
        Path | None, typer.Option(help="The trust root; by default the one of this machine.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
) -> None:
    """Hand a plan or a launch on as Markdown, a page, or JSON.

    It is your checklist ticked with evidence links, a page to print, or JSON. Ends with 1 when the record is broken, 2
    when a file is missing, 3 when the checklist or the plan has changed or the output is a file that is there.
    """
    found = inputs.gathered(what, plan, trust, problems=form is Format.MD)
    read = (*found.files, *inputs.sources(found, source))
    if output:
        outputs.may_write(output, read, force=force)
    if form is Format.MD:
        data = inputs.source_of(found, source)
        assert found.document is not None  # noqa: S101 - source_of() refuses a launch without its plan
        result = markdown.handed_back(data, found.document, found.content)
    else:
        result = (
            page.page(found.content) if form is Format.HTML else objects.as_json(found.content)
        ).encode()
    if output:
        outputs.write(output, result, read, force=force)
    else:
        with told():
            typer.echo(result, nl=False)
    if found.remark:
        typer.echo(found.remark, err=True)

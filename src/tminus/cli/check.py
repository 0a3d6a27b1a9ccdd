"""`tminus check`: look at a plan's lines now, on a desk or in CI."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from tminus import planfile
from tminus.cli import appraisals
from tminus.control.appraisal import Standing, appraise, worst
from tminus.control.readiness import AT_ONCE
from tminus.errors import Exit, UsageError
from tminus.wiring.appraisal import looking_at

_EXITS = {Standing.FAILED: Exit.FAILED, Standing.UNKNOWN: Exit.UNKNOWN, Standing.PENDING: Exit.UNKNOWN}
MOST_AT_ONCE = 200
"""A connection each; most systems take no more from one machine."""
_FORMATS = ("text", "json", "junit", "md")


def check(
    file: Annotated[Path, typer.Argument(help="The plan, a YAML file.")],
    *,
    only: Annotated[list[str] | None, typer.Option(help="Only this line; may be given again.")] = None,
    at_once: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST_AT_ONCE,
            help="How many lines are looked at side by side; many measure each other.",
        ),
    ] = AT_ONCE,
    shape: Annotated[str, typer.Option("--format", help=f"One of {', '.join(_FORMATS)}.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Look at the systems now, and say how every line stands.

    It observes what can be observed before a launch. Ends with 0 when every line that was looked at is green, 1 when
    one failed, 4 when one could not be determined or waits for a person.
    """
    wanted = "json" if as_json else shape
    if wanted not in _FORMATS:
        raise UsageError(f"--format does not know {shape!r}", hint=f"write one of {', '.join(_FORMATS)}")
    plan = planfile.read(file)
    sight = looking_at(plan, os.environ, at_once)
    lines = asyncio.run(appraise(plan, sight.readiness, only or [], sight.now))
    ending = worst(lines)
    if wanted == "json":
        typer.echo(appraisals.as_json(lines, plan.name, ending))
    elif wanted == "junit":
        typer.echo(appraisals.as_junit(lines, plan.name))
    elif wanted == "md":
        typer.echo(appraisals.as_markdown(lines, plan.name))
    else:
        typer.echo(appraisals.as_text(lines, plan.name))
    raise typer.Exit(_EXITS.get(ending, Exit.PASSED))

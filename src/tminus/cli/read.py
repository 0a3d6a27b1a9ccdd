"""`tminus read`: what tminus sees in a file, to find out why a check judged as it did."""

import json
from pathlib import Path
from typing import Annotated

import typer

from tminus import readers
from tminus.errors import UsageError
from tminus.planfile.problem import printable
from tminus.readers import Sight, alertmanager


def read(
    file: Annotated[Path, typer.Argument(help="Any file that tminus can read.")],
    *,
    kind: Annotated[str, typer.Option("--as", help=f"What it is: {', '.join(readers.KINDS)}.")] = "",
    route: Annotated[
        str, typer.Option(help="Labels as severity=critical,team=x: which receivers hear of such an alert.")
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything that was seen, as one JSON object.")
    ] = False,
) -> None:
    """Say what is in a file, as the checks themselves read it.

    It is read by the very code that they use, and told with counts. A file that would be refused where it is used is
    refused here too, with each reason and its line.
    """
    known = kind or readers.guess(file)
    sight = _routed(file, known, route) if route else readers.reader(known).see(file)
    if as_json:
        seen = {
            "file": str(file),
            "kind": known,
            "counts": dict(sight.counts),
            "remarks": list(sight.remarks),
        }
        typer.echo(json.dumps({**seen, "details": sight.details}, ensure_ascii=False, default=str))
    else:
        _tell(file, known, sight)
    if sight.refused:
        raise UsageError(
            f"{file}: {sight.refused}",
            hint="mend it, say with --as what else it is, or see whether the tool is of your version",
        )


def _tell(file: Path, kind: str, sight: Sight) -> None:
    typer.echo(f"{file}: {kind}")
    for name, number in sight.counts.items():
        typer.echo(f"  {number:>7}  {name.replace('_', ' ')}")
    for line in (*sight.lines, *sight.remarks):
        typer.echo(printable(f"  {line}"))


def _routed(file: Path, kind: str, labels: str) -> Sight:
    if kind != "alertmanager":
        raise UsageError(
            f"{file} is of kind {kind}, which routes no alerts",
            hint="give a configuration of Alertmanager with --route",
        )
    return alertmanager.routed(file, labels)

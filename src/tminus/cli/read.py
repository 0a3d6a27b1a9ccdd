"""`tminus read`: what tminus sees in a file, to find out why a check judged as it did."""

import json
from pathlib import Path
from typing import Annotated

import typer

from tminus import readers


def read(
    file: Annotated[Path, typer.Argument(help="Any file that tminus can read.")],
    *,
    kind: Annotated[str, typer.Option("--as", help=f"What it is: {', '.join(readers.KINDS)}.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything that was seen, as one JSON object.")
    ] = False,
) -> None:
    """Say what is in a file, as the checks themselves read it.

    It is read by the very code that they use, and told with counts.
    """
    known = kind or readers.guess(file)
    sight = readers.reader(known).see(file)
    if as_json:
        seen = {
            "file": str(file),
            "kind": known,
            "counts": dict(sight.counts),
            "remarks": list(sight.remarks),
        }
        typer.echo(json.dumps({**seen, "details": sight.details}, ensure_ascii=False, default=str))
        return
    typer.echo(f"{file}: {known}")
    for name, number in sight.counts.items():
        typer.echo(f"  {number:>7}  {name.replace('_', ' ')}")
    for remark in sight.remarks:
        typer.echo(f"  {remark}")

"""`tminus plan check` and `tminus probes`: what a plan says, and what it may say."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from tminus import probes as probe_kit
from tminus.planfile import read

plan_app = typer.Typer(no_args_is_help=True, help="Plans: read and check them.")


@plan_app.callback()
def plan() -> None:
    """Plans: read and check them."""


@plan_app.command("check")
def check(file: Annotated[Path, typer.Argument(help="The plan, a YAML file.")]) -> None:
    """Read a plan and say what it holds; everything that is wrong is reported together, with its line."""
    found = read(file)
    kinds = Counter(line.kind.value for line in found.checks)
    typer.echo(f"{file}: {found.name}, {found.digest}")
    typer.echo(
        f"{len(found.checks)} lines: {', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))}"
    )
    typer.echo(f"{found.left_out} of {found.total} lines are not in this plan")


def probes(
    name: Annotated[str, typer.Argument(help="One probe, such as website.answer; all when left out.")] = "",
) -> None:
    """What can be observed, and with which arguments."""
    if name:
        typer.echo(f"{name}: {probe_kit.describe(probe_kit.find(name))}")
        return
    for system in sorted(probe_kit.systems()):
        for full in probe_kit.names(system):
            typer.echo(f"{full:<24} {probe_kit.find(full).summary}")

"""The `tminus` command: every group of commands registered, every deliberate error turned into words and a code."""

import sys
from typing import Annotated

import typer

from tminus import __version__
from tminus.cli.demo import demo
from tminus.cli.guard import guard
from tminus.cli.orders import abort, resume, rollback
from tminus.cli.plan import plan_app, probes
from tminus.cli.verify import verify
from tminus.errors import TminusError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Launch control for production deployments: a checklist that executes itself.",
)


def _version(*, asked: bool) -> None:
    if asked:
        typer.echo(f"tminus {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=lambda value: _version(asked=value), is_eager=True, help="Print it."
        ),
    ] = False,
) -> None:
    """Launch control for production deployments: a checklist that executes itself."""
    del version  # typer has acted on it


app.command("demo")(demo)
app.command("guard")(guard)
app.command("verify")(verify)
app.command("resume")(resume)
app.command("abort")(abort)
app.command("rollback")(rollback)
app.command("probes")(probes)
app.add_typer(plan_app, name="plan")


def run() -> None:
    """Run the command line; a deliberate error becomes one message and its exit code."""
    try:
        app(prog_name="tminus")
    except TminusError as error:
        sys.stderr.write(f"tminus: {error}\n  what to do: {error.hint}\n")
        sys.exit(int(error.code))

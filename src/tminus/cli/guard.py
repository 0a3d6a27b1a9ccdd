"""`tminus guard`: what the guard says about a recorded trace."""

import json as json_text
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from tminus.cli.looks import mistaken
from tminus.domain.guard import Action, Decision, GuardLimits, Tally
from tminus.domain.trace import answer, baseline, read, replay
from tminus.domain.traffic import Outcome, WeightChange
from tminus.errors import Exit, UsageError

_EXITS = {Action.CONTINUE: Exit.PASSED, Action.HOLD: Exit.UNKNOWN, Action.ROLLBACK: Exit.FAILED}


def guard(
    trace: Annotated[Path, typer.Argument(help="JSON Lines: one request or weight change each.")],
    *,
    baseline_trace: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            help="A trace of blue before the launch: shown beside the answer, and b2's idea of slow.",
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object: the answer.")] = False,
) -> None:
    """Judge a recorded trace as the guard would have done live.

    Exits with 0 to continue, 1 for a rollback, 4 for a hold (also when nothing was seen), 2 for a broken trace.
    """
    limits = GuardLimits()
    try:
        before, latencies = (None, ()) if baseline_trace is None else baseline(_items(baseline_trace), limits)
        found = answer(_shown(replay(_items(trace), limits, latencies), quiet=json))
    except UsageError as error:
        typer.echo(f"tminus: {error}\n  what to do: {error.hint}", err=True)
        raise typer.Exit(error.code) from error
    _print_answer(found, before, as_json=json)
    raise typer.Exit(_EXITS[found.action])


def _items(path: Path) -> Iterator[Outcome | WeightChange]:
    """The lines of a file as they are needed; every error names the file."""
    try:
        with path.open(encoding="utf-8") as lines:
            yield from read(lines)
    except UsageError as error:
        raise mistaken(path, "trace", UsageError(f"{path}: {error}", hint=error.hint)) from error
    except UnicodeDecodeError as error:
        broken = UsageError(f"{path}: not UTF-8 text ({error})", hint="a trace is JSON Lines in UTF-8")
        raise mistaken(path, "trace", broken) from error
    except OSError as error:
        unread = UsageError(f"{path}: {error.strerror}", hint="name a file that can be read")
        raise mistaken(path, "trace", unread) from error


def _shown(decisions: Iterator[Decision], *, quiet: bool) -> Iterator[Decision]:
    for decision in decisions:
        if not quiet:
            when = "" if decision.at is None else f"{decision.at:.3f} s  "
            typer.echo(f"{when}{decision.text}")
        yield decision


def _print_answer(found: Decision, before: Tally | None, *, as_json: bool) -> None:
    if as_json:
        shown = found.as_dict()
        if before is not None:
            counts = {"requests": before.requests, "failed": before.failed, "slow": before.slow}
            shown["counts"] = shown["counts"] | {"baseline": counts}
        typer.echo(json_text.dumps(shown))
        return
    if before is not None:
        typer.echo(f"Baseline: blue {before}.")
    when = "" if found.at is None else f" at {found.at:.3f} s"
    typer.echo(f"Answer: {found.action.value}{when}{f' by {found.rule}' if found.rule else ''}.")

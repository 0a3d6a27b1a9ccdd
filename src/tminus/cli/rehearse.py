"""`tminus rehearse`: each trigger and the guard fired by a fault on staging, and every rollback timed."""

import asyncio
import json as json_text
import os
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tminus.cli.account import whoever
from tminus.cli.demo import agree
from tminus.config import writable_home
from tminus.demo.crowding import crowding
from tminus.demo.drills import chosen
from tminus.demo.prompter import Prompter
from tminus.demo.rehearsing import Request, playable
from tminus.demo.rehearsing import rehearse as rehearsed
from tminus.demo.run import have_packages
from tminus.demo.screen import Screen
from tminus.domain import offsets
from tminus.domain.evidence import Verdict
from tminus.errors import Exit, UsageError

LEAST_HOLD = 5.0
"""Seconds; a shorter hold time is no hold time."""
_EXITS = {Verdict.PASSED: Exit.PASSED, Verdict.WARNED: Exit.PASSED, Verdict.FAILED: Exit.FAILED}


def rehearse(  # noqa: PLR0913 - each is an option that a person may type
    trigger: Annotated[
        list[str] | None,
        typer.Argument(help="errors, latency, vulnerability, corruption, unavailable, guard; all without."),
    ] = None,
    *,
    plan: Annotated[Path | None, typer.Option(help="Whose triggers; the demo's plan when left out.")] = None,
    digest: Annotated[str | None, typer.Option(help="The release to be launched, as sha256:….")] = None,
    images: Annotated[Path | None, typer.Option(help="An image layout; built there when missing.")] = None,
    hold: Annotated[str | None, typer.Option(help="A shorter hold time, such as 30s; it only warns.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Install missing packages without asking.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object: the rehearsal.")] = False,
) -> None:
    """Make each trigger fire on staging, and time the way back.

    Ends with 0 when all fired and every rollback was whole, 1 when one did not, 3 for a plan marked production, 4 when
    it could not be determined. The result is kept, and is the evidence of rb.criteria and rb.tested.
    """
    subjects = chosen(trigger or [])
    seconds = _hold(hold)
    home = writable_home()
    with as_file(files("tminus.demo") / "demo.yaml") as own:
        path = (plan or own).resolve()
        known = playable(path)
        screen = Screen(Console(highlight=False, stderr=json), as_json=False)
        agreed = yes or bool(os.environ.get("CI"))
        binaries = have_packages(home, screen, lambda missing: agreed or agree(missing))
        if busy := crowding():
            screen.say(busy, style="yellow")
        request = Request(home, path, subjects, seconds, _whole(images), digest, whoever())
        with Prompter(Console(highlight=False, stderr=json), subjects, quiet=json) as prompter:
            found, kept = asyncio.run(rehearsed(request, known, binaries, prompter.tell))
    if json:
        typer.echo(json_text.dumps({"file": str(kept), **json_text.loads(found.content)}))
    else:
        prompter.end(found, kept)
    raise typer.Exit(_EXITS.get(found.verdict, Exit.UNKNOWN))


def _whole(path: Path | None) -> Path | None:
    return path.resolve() if path else None


def _hold(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = offsets.seconds(text)
    except ValueError as error:
        raise UsageError(f"--hold: {error}", hint="write for example --hold 30s") from error
    if seconds < LEAST_HOLD:
        raise UsageError(f"--hold {text} is too short", hint=f"give at least {LEAST_HOLD:g}s")
    return seconds

"""`tminus demo`: a whole launch of the reference service on this machine."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from enum import StrEnum
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tminus.board.live import LiveBoard
from tminus.board.terminal import Terminal, usable
from tminus.config import writable_home
from tminus.control.ports import Json
from tminus.demo.options import Options
from tminus.demo.packages import Missing
from tminus.demo.page import Viewing, browser_of
from tminus.demo.run import clear_all, have_packages, run
from tminus.demo.screen import Screen
from tminus.demo.theatre import RATE
from tminus.errors import Exit, UsageError

FASTEST = 1e9
"""The largest `--speed`: a day of waiting in a tenth of a millisecond."""

LEAST_RATE, MOST_RATE = 50.0, 400.0
"""The range of `--rate`: with fewer the guard would need longer than the demo's windows are, with more the service
would limit them (`demo.service.LIMITS`)."""

TYPED = 20
"""Characters of a word that nobody understands that are shown again."""


class Kind(StrEnum):
    """Which release the demo launches."""

    GOOD = "good"
    ERRORS = "errors"
    SLOW = "slow"
    CRASH = "crash"
    CORRUPT = "corrupt"
    LEAK = "leak"


Release = Annotated[Kind, typer.Option(help="good, or one that misbehaves.")]
Headless = Annotated[bool, typer.Option("--headless", help="Ask nothing; the plan decides.")]
Yes = Annotated[bool, typer.Option("--yes", help="Install missing packages without asking.")]
Speed = Annotated[float, typer.Option(help="How many times as fast waits run; never guard or load.")]
Rate = Annotated[float, typer.Option(help="User requests a second; 50 where machines are small.")]
Port = Annotated[int | None, typer.Option(help="The public port; a free one when left out.")]
PlanFile = Annotated[Path | None, typer.Option(help="Another plan than the demo's own.")]
Images = Annotated[Path | None, typer.Option(help="An image layout; built there when it does not exist.")]
Digest = Annotated[str | None, typer.Option(help="The image to launch, as sha256:….")]
Keep = Annotated[bool, typer.Option("--keep", help="Leave the stage running at the end.")]
InstallOnly = Annotated[bool, typer.Option("--install-only", help="Install packages and stop.")]
ForTests = Annotated[bool, typer.Option("--for-tests", help="When only installing: what tests need too.")]
NoPage = Annotated[bool, typer.Option("--no-page", help="Serve no mission page meanwhile.")]
Clear = Annotated[bool, typer.Option("--clear", help="Take down what earlier demos left, and stop.")]
AsJson = Annotated[bool, typer.Option("--json", help="Events as JSON lines.")]


def demo(  # noqa: PLR0913 - each is an option that a person may type
    *,
    release: Release = Kind.GOOD,
    headless: Headless = False,
    yes: Yes = False,
    speed: Speed = 20000.0,
    rate: Rate = RATE,
    port: Port = None,
    plan: PlanFile = None,
    images: Images = None,
    digest: Digest = None,
    keep: Keep = False,
    install_only: InstallOnly = False,
    clear: Clear = False,
    no_page: NoPage = False,
    for_tests: ForTests = False,
    json: AsJson = False,
) -> None:
    """Launch the reference service on this machine, start to end.

    Proxy, database, registry, metrics, alerts, load and record are real; pager, chat, mailbox, partner and people are
    stand-ins.
    """
    _must_be_in_range(speed, rate, port)
    screen = Screen(Console(highlight=False), as_json=json)
    folder = writable_home()
    agreed = yes or headless or bool(os.environ.get("CI"))
    binaries = have_packages(
        folder, screen, lambda missing: agreed or agree(missing), tests=for_tests and install_only
    )
    if install_only:
        screen.say("every package that the demo needs is installed")
        return
    asks = not headless and not json and sys.stdin.isatty() and sys.stdout.isatty()
    # Of its own: a console with a board on it would write the board into every plain line.
    board = LiveBoard(Console(highlight=False), Terminal()) if _has_board(as_json=json) else None
    with as_file(files("tminus.demo") / "demo.yaml") as own_plan:
        options = Options(
            home=folder,
            kind=release.value,
            digest=digest,
            plan=(plan or own_plan).resolve(),
            images=images.resolve() if images else None,
            speed=speed,
            port=port,
            keep=keep,
            rate=rate,
            ask=(_ask if board is None else partial(_asked_on, board)) if asks else None,
            board=board,
            viewing=Viewing(not no_page, browser_of(os.environ) if asks else ()),
        )
        code = asyncio.run(clear_all(options, screen) if clear else run(options, binaries, screen))
    if code is not Exit.PASSED:
        raise typer.Exit(int(code))


def _must_be_in_range(speed: float, rate: float, port: int | None) -> None:
    if not 1 <= speed <= FASTEST:
        raise UsageError(f"--speed {speed:g} is out of range", hint=f"give a number from 1 to {FASTEST:g}")
    if not LEAST_RATE <= rate <= MOST_RATE:
        raise UsageError(
            f"--rate {rate:g} is out of range",
            hint=f"give a number from {LEAST_RATE:g} to {MOST_RATE:g}: user requests a second",
        )
    if port is not None and not 1 <= port <= 65535:
        raise UsageError(f"--port {port} is no port", hint="give a number from 1 to 65535")


def agree(missing: Missing) -> bool:
    """Ask before anything is installed; without a terminal nobody can agree."""
    if not sys.stdin.isatty():
        return False
    typer.echo(f"This machine lacks {missing.named}. They are installed without starting a service by")
    typer.echo(f"  {missing.command}")
    return typer.confirm("Install them now?", default=True)


def _has_board(*, as_json: bool) -> bool:
    return not as_json and usable(sys.stdin, sys.stdout)


async def _ask() -> Json:
    """The viewer's word, typed below the plain lines."""
    return await _word(_line)


async def _asked_on(board: LiveBoard) -> Json:
    """The viewer's word, typed on the board, or below the plain lines once that was left."""
    return await _word(lambda question: board.line(question) if board.shown else _line(question))


async def _word(line: Callable[[str], Awaitable[str]]) -> Json:
    """The viewer's word: GO, or NO-GO with a reason; a terminal that is closed says NO-GO."""
    question = "Type go or no-go: "
    while word := await line(question):
        typed = word.strip()
        if typed.lower() == "go":
            return {"decision": "go", "reason": "decided at this terminal"}
        if typed.lower() in {"no-go", "nogo", "no"}:
            break
        question = (
            f"{typed[:TYPED]!r} is neither go nor no-go. Type go or no-go: "
            if typed
            else "Type go or no-go: "
        )
    # A NO-GO without a reason helps nobody, so it is asked for until there is one.
    while word and not (word := await line("Why not? ")).strip() and word:
        continue
    return {"decision": "no-go", "reason": word.strip() or "the viewer's terminal was closed"}


async def _line(question: str) -> str:
    """One line from the terminal, its end included; empty when the terminal is closed.

    Read without a thread: a thread that waits for a key could not be interrupted.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not answer.done():
            answer.set_result(sys.stdin.readline())

    sys.stdout.write(question)
    sys.stdout.flush()
    loop.add_reader(sys.stdin.fileno(), read)
    try:
        return await answer
    finally:
        loop.remove_reader(sys.stdin.fileno())

"""`tminus status`: where a launch stands, once or for as long as one watches; it only reads."""

import asyncio
import json as json_text
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from tminus.board.model import Board, board
from tminus.board.render import drawn
from tminus.cli.doubts import Doubts
from tminus.cli.launches import Found, any_launch, own
from tminus.cli.launches import launches as known
from tminus.config import home
from tminus.demo.screen import Screen
from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Plan
from tminus.domain.rollout import State
from tminus.errors import Exit, RecordError
from tminus.picture.course import phase
from tminus.picture.lines import Line
from tminus.picture.metered import measured
from tminus.picture.reading import Plans, StoreTail, launches
from tminus.picture.view import Picture
from tminus.picture.watched import LOOK, Watched, readable
from tminus.planfile.problem import printable
from tminus.wiring import SystemClock
from tminus.wiring.judging import guard_limits
from tminus.wiring.opening import kept

Shown = tuple[Board, tuple[str, ...]]
"""The board, and what keeps one from believing it."""

LINES = 60
"""Lines of a board that is printed once; a terminal's own height when that is more."""

ENDINGS = {State.LANDED.value: Exit.PASSED}
"""The exit code of `--watch` by how the launch ended; any other ending is a failure."""


def status(
    launch: Annotated[
        str,
        typer.Argument(
            help="The launch, or its environment; the only open one, or the latest, when left out."
        ),
    ] = "",
    *,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until the launch is over, or Ctrl-C.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object; with --watch one per event.")
    ] = False,
) -> None:
    """Say where a launch stands, once or with --watch.

    It shows its clock, what it waits for, every section, the traffic, the log. With --watch it ends with 0 when the
    launch landed and with 1 when it ended otherwise.
    """
    clock = SystemClock()
    with as_file(files("tminus.demo") / "demo.yaml") as own_plan, suppress(KeyboardInterrupt):
        found = _meant(launch)
        watched = _watched(found, own_plan, clock)
        watched.doubt = Doubts(home(), found.id, clock.now)
        console = Console(highlight=False)
        if not watch:
            asyncio.run(_once(watched, clock, console, as_json=json))
        elif json or not console.is_terminal:
            raise typer.Exit(asyncio.run(_follow(watched, Screen(console, as_json=json))))
        else:
            raise typer.Exit(asyncio.run(_live(watched, clock, console)))


def _meant(word: str) -> Found:
    """The launch that is named; the only open one; the latest when none is open."""
    if word in launches(home()):
        return own(home(), word)
    return any_launch(word, asyncio.run(known(home())))


def _watched(found: Found, own_plan: Path, clock: SystemClock) -> Watched:
    folder = home() / "launches" / found.id
    if not found.environment:
        return Watched(folder, Plans((own_plan,)), _limits, clock.now)
    _, plan = asyncio.run(kept(found.database, found.id))
    tail = StoreTail(found.database, found.id)
    return Watched(folder, Plans((), known=(plan,)), _limits, clock.now, tail)


def _limits(plan: Plan | None) -> GuardLimits:
    """The limits of the launch's own plan; the checklist's where the plan is not at hand."""
    return guard_limits(plan) if plan else GuardLimits()


async def _once(watched: Watched, clock: SystemClock, console: Console, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json_text.dumps(_as_json(await watched.look()), indent=2, ensure_ascii=False))
        return
    _print(await _board(watched, clock), console)


def _print(shown: Shown, console: Console) -> None:
    for line in _drawn(shown, console, max(LINES, console.height)):
        console.print(line, no_wrap=True, crop=True)


def _drawn(shown: Shown, console: Console, height: int) -> list[RenderableType]:
    """The doubts, whole, above as much of the board as there is room for."""
    above = [
        line
        for words in shown[1]
        for line in Text(f"✖ {printable(words)}", "bold red").wrap(console, console.width)
    ]
    return [*above, *drawn(shown[0], console.width, max(1, height - len(above)))]


async def _board(watched: Watched, clock: SystemClock) -> Shown:
    told = await watched.told()
    with readable():
        return board(told, clock.now()), told.doubts


async def _live(watched: Watched, clock: SystemClock, console: Console) -> int:
    """The board on the terminal's other screen; what stood on it last is printed when it is left."""
    shown = await _board(watched, clock)
    try:
        with Live(console=console, screen=True, auto_refresh=False) as live:
            while not shown[0].outcome:
                live.update(Group(*_drawn(shown, console, console.height)), refresh=True)
                await clock.sleep(LOOK)
                shown = await _board(watched, clock)
    finally:
        _print(shown, console)
    return _code(shown[0].outcome)


async def _follow(watched: Watched, screen: Screen) -> int:
    """One line for each event, from the first to the last, and for each doubt when it comes up."""
    said, doubted = 0, set[str]()
    while True:
        told = await watched.told()
        for words in told.doubts:
            if words not in doubted:
                screen.say(f"✖ {words}")
        doubted = set(told.doubts)
        for event in told.events[said:]:
            screen.show(event)
        said = len(told.events)
        with readable():
            outcome = (await watched.look()).course.outcome
        if outcome:
            return _code(outcome)
        await SystemClock().sleep(LOOK)


def _code(outcome: str) -> int:
    return int(ENDINGS.get(outcome, Exit.FAILED))


def _as_json(shown: Picture) -> dict[str, Any]:
    course, moment = shown.course, shown.moment
    if moment.t0 is None:
        raise RecordError("the launch has no T-0 in its record", hint="see `tminus verify`")
    return {
        "launch": course.launch,
        "phase": phase(course),
        "outcome": course.outcome or None,
        "t": round(moment.t, 3),
        "t0": moment.t0,
        "speed": moment.speed,
        "green_percent": None if course.cut_short else course.weight,
        "held": course.held.data if course.held else None,
        "stands": course.stands.data if course.stands else None,
        "decision": course.decision.data["decision"] if course.decision else None,
        "lines": shown.counts,
        "left_out": sum(shown.left_out.values()),
        "expedited": course.expedited or None,
        "needs": [_needed(line) for line in shown.needs],
        "metrics": [_metric(row) for row in measured(course)],
        "events": len(course.events),
        "doubts": list(shown.doubts),
    }


def _metric(row: Mapping[str, Any]) -> dict[str, Any]:
    """What a metric of the team has come to."""
    return {name: row[name] for name in ("metric", "limits", "verdict", "taken", "failed", "text")}


def _needed(line: Line) -> dict[str, Any]:
    """A line that needs someone; of an acknowledgement, who could give it and what they type."""
    about: dict[str, Any] = {"check": line.check.id, "owner": line.check.owner}
    if need := line.awaited:
        able = [{"role": role.id, "person": role.person} for role in need.able]
        about["acknowledgement"] = {"able": able, "command": need.command}
    return about

"""`tminus serve`: the mission page of every launch that can be seen from here, and the worker beside it."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated, Any

import typer

from tminus.cli.doubts import Doubts
from tminus.cli.reported import report
from tminus.config import database_url, evidence_place, home, hook_token
from tminus.domain.canonical import timestamp
from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Plan
from tminus.engine.survey import survey
from tminus.evidence import place
from tminus.metrics import METRICS_SECONDS, Metrics
from tminus.picture.common import CommonDatabase
from tminus.picture.reading import Plans
from tminus.picture.tending import Post, Tending
from tminus.picture.watched import Doubt
from tminus.planfile.problem import printable
from tminus.web.app import Mission
from tminus.web.app import serve as run
from tminus.web.render import live
from tminus.wiring import SystemClock
from tminus.wiring.judging import guard_limits
from tminus.wiring.opening import plan_of
from tminus.wiring.tended import COMMAND, OwnWorker

MISSING = "its script library is not installed (`make page` does, where the sources are)"
PORT = 8460
"""Where the page is found when nobody names another port."""
STOPS = (signal.SIGTERM, signal.SIGINT)
"""What tells it to end."""


def serve(
    launch: Annotated[str, typer.Argument(help="The launch whose address is printed; all can be seen.")] = "",
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = PORT,
    plan: Annotated[
        list[Path] | None, typer.Option("--plan", help="Plans whose lines, by digest, are shown in full.")
    ] = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Show the page alone; keep no worker beside it.")
    ] = False,
    trust: Annotated[
        Path | None,
        typer.Option(help="The trust root that its worker verifies a GO with; this machine's by default."),
    ] = None,
) -> None:
    """Show every launch in a browser, and keep a worker running.

    It does so until SIGTERM or Ctrl-C. The launches are those of the common database (TMINUS_DATABASE_URL, or a SQLite
    file in the home) and the demos of this machine. The page only reads, and answers on 127.0.0.1 alone; with a token
    in TMINUS_HOOK_TOKEN programs may report what holds or rolls back a launch, at /hooks/report. Its worker runs the
    launches of the common database; it is started again whenever it ends, and ends with the page.
    """
    clock, url, token = SystemClock(), database_url(), hook_token()
    command = (*COMMAND, *(("--trust", str(trust)) if trust else ()))
    own = None if no_worker else OwnWorker(url, clock, lambda words: _say(clock, words), command)

    def started(at: int) -> None:
        typer.echo(f"http://127.0.0.1:{at}/{f'launches/{launch}' if launch else ''}")
        if not live():
            typer.echo(f"the page does not change by itself: {MISSING}", err=True)

    with as_file(files("tminus.demo") / "demo.yaml") as own_plan:
        plans = Plans((*(path.resolve() for path in plan or ()), own_plan))
        doubt = partial(Doubts, home(), now=clock.now, trust=trust)
        asyncio.run(_serve(clock, (url, token), (plans, doubt), (port, started), own))


async def _serve(
    clock: SystemClock,
    kept: tuple[str, str],
    read_by: tuple[Plans, Callable[[str], Doubt]],
    at: tuple[int, Callable[[int], None]],
    own: OwnWorker | None,
) -> None:
    (url, token), (plans, doubt), (port, started) = kept, read_by, at
    common = CommonDatabase(url, plan_of)
    mission = Mission(
        home(),
        plans,
        _limits,
        clock.now,
        Metrics(lambda: survey(url, clock.now, METRICS_SECONDS)),
        common,
        place(evidence_place()) if evidence_place() else None,
        tending=lambda: own.tending if own else Tending(Post.LEFT_OUT),
        doubt=doubt,
        token=token,
        report=partial(report, home()),
    )
    listens = asyncio.Event()

    def listening(where: int) -> None:
        started(where)
        listens.set()

    async def keep() -> None:
        await listens.wait()  # a page that cannot be served starts nothing
        await (own.keep() if own else asyncio.Event().wait())

    try:
        await _until_told(run(mission, port, listening), keep())
    finally:
        common.close()


async def _until_told(*acts: Coroutine[Any, Any, object]) -> None:
    """Do all of this side by side until the process is told to end, or one of them fails; then end each."""
    told = asyncio.Event()
    for number in STOPS:
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    tasks = [asyncio.create_task(act) for act in (told.wait(), *acts)]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


def _say(clock: SystemClock, words: str) -> None:
    line = " ".join(printable(words).split())
    typer.echo(f"{timestamp(clock.now())} serve  {line}")


def _limits(plan: Plan | None) -> GuardLimits:
    """The limits of the launch's own plan; the checklist's where the plan is not at hand."""
    return guard_limits(plan) if plan else GuardLimits()

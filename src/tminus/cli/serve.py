"""`tminus serve`: the mission page of this machine's launches, in a process of its own that only reads."""

import asyncio
from contextlib import suppress
from importlib.resources import as_file, files
from pathlib import Path
from typing import Annotated

import typer

from tminus.config import database_url, home
from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Plan
from tminus.engine.survey import survey
from tminus.metrics import METRICS_SECONDS, Metrics
from tminus.picture.reading import Plans
from tminus.web.app import Mission
from tminus.web.app import serve as run
from tminus.web.render import live
from tminus.wiring import SystemClock
from tminus.wiring.judging import guard_limits

MISSING = "its script library is not installed (`make page` does, where the sources are)"
PORT = 8460
"""Where the page is found when nobody names another port."""


def serve(
    launch: Annotated[str, typer.Argument(help="The launch whose address is printed; all can be seen.")] = "",
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = PORT,
    plan: Annotated[
        list[Path] | None, typer.Option("--plan", help="Plans whose lines, by digest, are shown in full.")
    ] = None,
) -> None:
    """Show this machine's launches in a browser: read-only, on 127.0.0.1 alone, until it is interrupted."""

    def started(at: int) -> None:
        typer.echo(f"http://127.0.0.1:{at}/{f'launches/{launch}' if launch else ''}")
        if not live():
            typer.echo(f"the page does not change by itself: {MISSING}", err=True)

    with as_file(files("tminus.demo") / "demo.yaml") as own_plan:
        plans = Plans((*(path.resolve() for path in plan or ()), own_plan))
        now = SystemClock().now
        metrics = Metrics(lambda: survey(database_url(), now, METRICS_SECONDS))
        mission = Mission(home(), plans, _limits, now, metrics)
        with suppress(KeyboardInterrupt):
            asyncio.run(run(mission, port, started))


def _limits(plan: Plan | None) -> GuardLimits:
    """The limits of the launch's own plan; the checklist's where the plan is not at hand."""
    return guard_limits(plan) if plan else GuardLimits()

"""What `tminus launch` does and says once nothing is open any more: the launch stands in the common database."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tminus.config import database_url, writable_home
from tminus.domain.canonical import timestamp
from tminus.domain.freezes import Weekly
from tminus.domain.orders import stands
from tminus.domain.plan import Plan
from tminus.domain.zones import in_zone
from tminus.planfile import Loaded
from tminus.planfile.problem import printable
from tminus.wiring import SystemClock
from tminus.wiring.opening import Opened, Wanted, open_launch


def opened(found: Loaded, environment: str, digests: Mapping[str, str], t0: float, *, as_json: bool) -> str:
    """Open the launch; what a person reads of it, or a program."""
    writable_home()
    release = {name: digest.removeprefix("sha256:") for name, digest in digests.items()}
    wanted = Wanted(found, environment, release, t0)
    done = asyncio.run(open_launch(database_url(), wanted, SystemClock()))
    if as_json:
        return json.dumps(_as_json(done, wanted), indent=2, ensure_ascii=False)
    return printable("\n".join(_lines(done, wanted)))


def _as_json(done: Opened, wanted: Wanted) -> dict[str, Any]:
    plan, course = wanted.loaded.checked(), done.course
    return {
        "launch": done.launch,
        "new": done.new,
        "environment": wanted.environment,
        "plan": plan.name,
        "digest": plan.digest,
        "release": {name: f"sha256:{digest}" for name, digest in wanted.release.items()},
        "t0": None if course.t0 is None else timestamp(course.t0),
        "phase": course.phase.value,
    }


def _lines(done: Opened, wanted: Wanted) -> Iterator[str]:
    plan, course = wanted.loaded.checked(), done.course
    if done.new:
        yield f"launch {done.launch} is open in {wanted.environment}"
    else:
        yield f"launch {done.launch} was opened before, in {wanted.environment}; it {stands(course)}"
    yield f"plan {plan.name}, {plan.digest}"
    yield from (f"{name} sha256:{digest}" for name, digest in wanted.release.items())
    if course.t0 is not None:
        yield from _t0(course.t0, plan)
    yield "next:"
    yield "  tminus worker                       runs it, here or wherever the same database is reached"
    yield f"  tminus status {done.launch} --watch"
    yield f"  tminus hold | reschedule T0 | scrub {done.launch} --reason WHY"
    yield "It counts down to T-0 and no further: this version has no target for it, so nobody can give GO."


def _t0(t0: float, plan: Plan) -> Iterator[str]:
    """T-0 by the clocks here, in UTC, and in each zone that the plan itself speaks in."""
    here = datetime.fromtimestamp(t0, UTC).astimezone()
    yield f"T-0  {here:%a %Y-%m-%d %H:%M:%S %Z}  {timestamp(t0)}"
    zones = {freeze.when.zone for freeze in plan.freezes if isinstance(freeze.when, Weekly)}
    yield from (f"     {in_zone(t0, zone)} in {zone}" for zone in sorted(zones))

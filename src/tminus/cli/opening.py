"""What `tminus launch` does and says once nothing is open any more: the launch stands in the common database."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tminus.cli.hands import asker, trusted
from tminus.config import database_url, writable_home
from tminus.domain.canonical import timestamp
from tminus.domain.course import Course
from tminus.domain.expedition import Expedited, told
from tminus.domain.freezes import Weekly
from tminus.domain.offsets import named
from tminus.domain.orders import stands
from tminus.domain.plan import Check, Plan
from tminus.domain.zones import in_zone
from tminus.planfile import Loaded
from tminus.planfile.problem import printable
from tminus.wiring import SystemClock
from tminus.wiring.acts import Desk
from tminus.wiring.appraisal import blind
from tminus.wiring.expediting import ask
from tminus.wiring.opening import Opened, Wanted, open_launch

Digests = tuple[Mapping[str, str], Mapping[str, str]]
"""By component: the image to launch, and the one that runs now, as far as it was named."""


def wish(found: Loaded, environment: str, digests: Digests, t0: float, path: Expedited | None) -> Wanted:
    """What is to be opened, from what was typed."""
    release, previous = (
        {name: digest.removeprefix("sha256:") for name, digest in named_.items()} for named_ in digests
    )
    return Wanted(found, environment, release, t0, previous, path)


def opened(wanted: Wanted, *, as_json: bool) -> str:
    """Open the launch; what a person reads of it, or a program. Of an expedited one the wish is signed, too."""
    writable_home()
    path = wanted.expedited
    # Who has no key here is told so before anything is opened.
    signer = asker(wanted.plan, path.role) if path else None
    done = asyncio.run(open_launch(database_url(), wanted, SystemClock()))
    if path and signer:
        desk = Desk(database_url(), done.launch, wanted.plan, trusted(), SystemClock())
        asyncio.run(desk.do(ask(signer, path)))
    if as_json:
        return json.dumps(_as_json(done, wanted), indent=2, ensure_ascii=False)
    return printable("\n".join(_lines(done, wanted)))


def _as_json(done: Opened, wanted: Wanted) -> dict[str, Any]:
    plan, course = wanted.plan, done.course
    return {
        "launch": done.launch,
        "new": done.new,
        "environment": wanted.environment,
        "plan": plan.name,
        "digest": plan.digest,
        "release": {name: f"sha256:{digest}" for name, digest in wanted.release.items()},
        "t0": None if course.t0 is None else timestamp(course.t0),
        "phase": course.phase.value,
        **({"expedited": wanted.expedited.data()} if wanted.expedited else {}),
    }


def _lines(done: Opened, wanted: Wanted) -> Iterator[str]:
    plan, course = wanted.plan, done.course
    if done.new:
        yield f"launch {done.launch} is open in {wanted.environment}"
    else:
        yield f"launch {done.launch} was opened before, in {wanted.environment}; it {stands(course)}"
    yield f"plan {plan.name}, {plan.digest}"
    yield from (f"{name} sha256:{digest}" for name, digest in wanted.release.items())
    if course.t0 is not None:
        yield from _t0(course.t0, plan)
    if path := wanted.expedited:
        yield from told(path)
    yield "next:"
    if path := wanted.expedited:
        confirms = f"{path.second} confirms it, and GO waits for that"
        yield f"  tminus expedite {done.launch} --role {path.second_role}     {confirms}"
    yield "  tminus worker                       runs it, here or wherever the same database is reached"
    yield f"  tminus status {done.launch} --watch"
    yield f"  tminus hold | reschedule T0 | scrub {done.launch} --reason WHY"
    yield from _warnings(plan, course)
    if not plan.target:
        yield "It counts down to T-0 and no further: the plan names no target."


def _warnings(plan: Plan, course: Course) -> Iterator[str]:
    """What will surprise people soon."""
    t = course.clock(SystemClock().now())
    late = [check for check in plan.checks if t is not None and check.due <= t]
    if late:
        past = ", ".join(named(offset) for offset in sorted({check.due for check in late}))
        yield f"{past}: past already, so {_lines_of(late)} due at once"
    if unseen := blind(plan):
        names = ", ".join(check.id for check in unseen)
        yield f"no worker of this version can observe these, which stay unknown: {names}"


def _lines_of(checks: Sequence[Check]) -> str:
    return "1 line is" if len(checks) == 1 else f"{len(checks)} lines are"


def _t0(t0: float, plan: Plan) -> Iterator[str]:
    """T-0 by the clocks here, in UTC, and in each zone that the plan itself speaks in."""
    here = datetime.fromtimestamp(t0, UTC).astimezone()
    yield f"T-0  {here:%a %Y-%m-%d %H:%M:%S %Z}  {timestamp(t0)}"
    zones = {freeze.when.zone for freeze in plan.freezes if isinstance(freeze.when, Weekly)}
    yield from (f"     {in_zone(t0, zone)} in {zone}" for zone in sorted(zones))

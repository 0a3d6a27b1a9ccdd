"""What a program reports over `tminus serve` is given to its launch as a person's `tminus report` is."""

from pathlib import Path

from tminus.cli.launches import Found, launches, open_launch
from tminus.cli.orders import plan_at_hand, recorded
from tminus.demo.custody import Custody, custody
from tminus.domain import fields
from tminus.domain.canonical import sha256_hex
from tminus.domain.orders import Act, Order
from tminus.domain.plan import Plan
from tminus.domain.record import Event
from tminus.errors import RefusedError
from tminus.planfile.problem import printable
from tminus.web.hooks import Reported
from tminus.wiring import SystemClock
from tminus.wiring.opening import kept
from tminus.wiring.orders import give


async def report(home: Path, given: Reported) -> dict[str, str]:
    """Record it; which launch took it, and what comes of it.

    Raises `UsageError` for a launch that is not here, `RefusedError` and `OutOfSequenceError` where it makes no sense
    now or is about another image, `PartError` when the database does not answer.
    """
    found = open_launch(given.launch, await launches(home))
    events, plan = await _read(home, found)
    released = {f"sha256:{digest}" for digest in fields.table(events[0].data, "release").values()}
    if given.digest not in released:
        raise RefusedError(
            f"{found.id} launches {', '.join(sorted(released))}, and the report is about {given.digest}",
            hint="report what was found in the image that is being launched",
        )
    # The same report is the same order, whoever sends it again and however often.
    identity = f"hook-{sha256_hex(f'{given.by} {given.id}'.encode())[:24]}"
    by, because = printable(f"{given.by} (program)"), printable(given.because)
    await give(
        found.database,
        found.id,
        Order(identity, Act.REPORT, by, because, trigger=given.trigger),
        plan,
        SystemClock(),
    )
    return {"launch": found.id, "trigger": given.trigger, "recorded": identity, "next": _next(home, found)}


async def _read(home: Path, found: Found) -> tuple[list[Event], Plan]:
    if found.environment:
        events, plan = await kept(found.database, found.id)
        return list(events), plan
    events = await recorded(found)
    return events, plan_at_hand(home, found.id, events)


def _next(home: Path, found: Found) -> str:
    if found.environment or custody(home, found.id) is Custody.ALIVE:
        return "it acts on it within seconds"
    return "nobody acts on it now: its tminus has ended; `tminus demo` takes it over, if its stage is still there"

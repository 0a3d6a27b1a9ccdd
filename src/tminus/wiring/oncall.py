"""Who a local launch tells what its record says, beside the launch: the same courier as a worker's."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from tminus.control.courier import Courier, Post
from tminus.control.ports import Clock, Record
from tminus.domain.plan import Plan
from tminus.wiring.telling import Counter, notifiers


def courier(
    launch: str,
    plan: Plan,
    record: Record,
    clock: Clock,
    known: Mapping[str, str],
) -> Courier:
    """The courier of a launch of this process; `known` is what the plan's references stand for."""

    async def at_once(act: Callable[[], Awaitable[str]]) -> str:
        return await act()

    told_by = notifiers(plan, known, clock, Counter(at_once, asyncio.Semaphore(1)))
    return Courier(Post(launch, plan.environment or "this machine", plan, told_by, _unsaid), record, clock)


def _unsaid(words: str) -> None:
    """What the record cannot hold is about a launch that has ended, in front of whoever watches it."""
    del words

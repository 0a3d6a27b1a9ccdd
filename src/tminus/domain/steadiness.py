"""Since when lines are green without a break; GO may ask that they have been for some time."""

from collections.abc import Iterable, Mapping, Sequence

from tminus.domain.canonical import instant, timestamp
from tminus.domain.decision import GREEN
from tminus.domain.plan import Check, Kind, Plan, Severity
from tminus.domain.record import Event

_WATCHED = frozenset({Kind.PROBE, Kind.ROLLUP})
"""What is looked at can waver; a person's word cannot."""


def green_since(checks: Iterable[Check], claims: Iterable[Event]) -> Mapping[str, float]:
    """By line: the instant (seconds of the epoch) since which each look found it green, and none came too late.

    `claims` are the events that made a claim, in order.
    """
    limits = {check.id: check.fresh.limit for check in checks}
    since: dict[str, float] = {}
    last: dict[str, float] = {}
    for event in claims:
        name, at = str(event.data["check"]), instant(event.at)
        limit = limits.get(name)
        stale = limit is not None and name in last and at - last[name] > limit
        if event.data["verdict"] not in GREEN or stale:
            since.pop(name, None)
        if event.data["verdict"] in GREEN:
            since.setdefault(name, at)
        last[name] = at
    return since


def unsteady(plan: Plan, claims: Sequence[Event], waived: Iterable[str], now: float) -> list[str]:
    """The lines that GO judges and that are green, but not for as long yet as the plan asks for, in words."""
    if not plan.steady_seconds:
        return []
    since, left_out = green_since(plan.checks, claims), frozenset(waived)
    return [
        f"{check.id} is green since {timestamp(since[check.id])}, for {now - since[check.id]:.0f} s;"
        f" the plan asks for {plan.steady_seconds:.0f} s"
        for check in plan.before_go()
        if check.kind in _WATCHED
        and check.severity is not Severity.ADVISORY
        and check.id in since
        and check.id not in left_out
        and now - since[check.id] < plan.steady_seconds
    ]

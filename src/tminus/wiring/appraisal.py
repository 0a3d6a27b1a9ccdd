"""Systems as they can be observed outside a launch, for `tminus check`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tminus.config import resolve
from tminus.control.readiness import Readiness
from tminus.domain.canonical import timestamp
from tminus.domain.evidence import JsonValue, Observation
from tminus.domain.plan import Check, Plan
from tminus.errors import InconclusiveError, TminusError, UnreachableError
from tminus.probes import plan as plan_probes
from tminus.probes import website
from tminus.store.unkept import UnkeptRecord
from tminus.wiring import SystemClock, Systems, foreign, guard_limits

_LAUNCHED = ("depot", "postgres", "release", "staging", "local", "traffic")
"""Kinds whose probes need more than an address: a stage, tools, or a proxy's trace."""


@dataclass(frozen=True, slots=True)
class Unlaunched:
    """The systems of a plan as they can be observed outside a launch: by their addresses alone."""

    systems: Systems
    out_of_reach: Mapping[str, TminusError]
    """By name: why a system cannot be observed now."""

    async def observe(self, check: Check, arguments: Mapping[str, JsonValue]) -> Observation:
        """See `Observer.observe`."""
        name = str(arguments.get("system", check.probe.partition(".")[0]))
        if name in self.out_of_reach:
            raise self.out_of_reach[name]
        return await self.systems.observe(check, arguments)


@dataclass(frozen=True, slots=True)
class Sight:
    """What is needed to look at a plan's lines once."""

    readiness: Readiness
    now: float


def looking_at(plan: Plan, environment: Mapping[str, str]) -> Sight:
    """Observe a plan's lines outside a launch; what needs a launch is unknown, with these words."""
    makers: dict[str, Callable[[str], object]] = {
        "website": website.System,
        "plan": lambda _: plan_probes.System(plan, guard_limits(plan)),
    }
    handles: dict[str, object] = {}
    out_of_reach: dict[str, TminusError] = {}
    for name, entry in plan.systems.items():
        kind = str(entry["kind"])
        try:
            make = makers.get(kind) or _other(kind)
            handles[name] = make(_address(name, str(entry["address"]), environment, needed=kind != "plan"))
        except TminusError as error:
            out_of_reach[name] = error
    clock = SystemClock()
    record = UnkeptRecord(timestamp(clock.now()))
    observer = Unlaunched(Systems(handles, {}), out_of_reach)
    return Sight(Readiness(plan.checks, record, observer, clock), clock.now())


def _address(name: str, reference: str, environment: Mapping[str, str], *, needed: bool) -> str:
    if needed and not reference:
        raise UnreachableError(
            f"the system {name!r} has no address", hint=f"write systems.{name}.address in the plan"
        )
    return resolve(reference, environment)


def _other(kind: str) -> Callable[[str], object]:
    if kind in _LAUNCHED:
        raise InconclusiveError(
            f"systems of kind {kind!r} are observed within a launch only",
            hint="its lines are looked at in the countdown",
        )
    return foreign(kind)

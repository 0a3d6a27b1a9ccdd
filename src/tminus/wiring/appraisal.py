"""Systems as they can be observed by their addresses alone: for `tminus check`, and for launches without a stage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tminus.config import home, resolve
from tminus.control.appraisal import SENDING
from tminus.control.readiness import AT_ONCE, Readiness
from tminus.domain.canonical import JsonValue, timestamp
from tminus.domain.evidence import Observation
from tminus.domain.plan import Check, Plan
from tminus.domain.webaddress import no_web
from tminus.errors import InconclusiveError, PlanError, TminusError, UnreachableError
from tminus.planfile.asking import OVER_HTTP
from tminus.planfile.filling import unfilled
from tminus.planfile.targeting import AT_TARGET, BY_TARGET
from tminus.probes import plan as plan_probes
from tminus.probes import website
from tminus.signing import trust_path
from tminus.store.rehearsals import FOLDER, KeptRehearsals
from tminus.store.unkept import UnkeptRecord
from tminus.wiring import SystemClock, Systems, alerting, clusters, dashboards, foreign
from tminus.wiring.confirming import Voucher
from tminus.wiring.curtain import Curtain
from tminus.wiring.judging import guard_limits

_STAGED = ("depot", "flags", "postgres", "release", "staging", "local", "traffic", "partner")
"""Kinds whose probes need more than an address: a stage, tools, or a proxy's trace."""

_WITHIN = "are observed while a launch of this plan is under way"

Makers = Mapping[str, Callable[[str], object]]
"""By the kind of a system: how it is made from its address."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Who looks at the systems, and what that one cannot see or may not do."""

    unseen: str
    """Why what needs more than an address is not seen, as a sentence goes on after `systems of kind 'x'`."""
    hint: str
    """What to do about that."""
    sends: bool
    """Whether probes that send something to people may run."""


DESK = Scene(
    "are observed on the demo's stage only",
    "observe its lines by a system that needs an address alone, or have a person attest them",
    sends=False,
)
"""Outside a launch."""
AFAR = Scene(
    "are observed on the demo's stage only",
    "observe them by a system that needs an address alone, or have a person attest the line",
    sends=True,
)
"""Within a launch that has no stage."""


@dataclass(frozen=True, slots=True)
class Afar:
    """The systems of a plan as they can be observed by their addresses alone."""

    systems: Systems
    scene: Scene
    out_of_reach: Mapping[str, TminusError]
    """By name: why a system cannot be observed now."""
    curtain: Curtain = field(default_factory=Curtain)

    async def observe(self, check: Check, arguments: Mapping[str, JsonValue]) -> Observation:
        """See `Observer.observe`."""
        name = str(arguments.get("system", system_of(check)))
        if name in self.out_of_reach:
            raise self.out_of_reach[name]
        if check.probe in SENDING and not self.scene.sends:
            raise InconclusiveError(
                f"{check.probe} sends a test to people, so it is done within a launch only",
                hint="its lines are looked at in the countdown",
            )
        if missing := unfilled(arguments):
            raise InconclusiveError(
                f"to fill: {', '.join(missing)}", hint=f"write it under `with` of {check.id} in the plan"
            )
        try:
            return self.curtain.observation(await self.systems.observe(check, arguments))
        except TminusError as error:
            raise self.curtain.error(error) from error


@dataclass(frozen=True, slots=True)
class Sight:
    """What is needed to look at a plan's lines once."""

    readiness: Readiness
    now: float


def looking_at(plan: Plan, environment: Mapping[str, str], at_once: int = AT_ONCE) -> Sight:
    """Observe a plan's lines outside a launch, so many side by side; what needs a launch is told to be unknown."""
    clock = SystemClock()
    record = UnkeptRecord(timestamp(clock.now()))
    observer = afar(plan, environment, DESK, {}, trust=trust_path(home()))
    return Sight(Readiness(plan.checks, record, observer, clock, at_once=at_once), clock.now())


def afar(  # noqa: PLR0913 - what a launch's systems are made from
    plan: Plan,
    environment: Mapping[str, str],
    scene: Scene,
    values: Mapping[str, str],
    *,
    trust: Path,
    by_target: Makers | None = None,
) -> Afar:
    """The systems of a plan by their addresses alone; `values` is what `${name}` stands for.

    `trust` is the trust root by which what people have signed is theirs. `by_target` makes what the launch's target
    shows, where it has one.

    What cannot be made now is kept with its reason, which each of its lines then tells.
    """
    curtain = Curtain()
    by_target = by_target or {}
    addresses, out_of_reach = _addresses(plan, environment, (scene, by_target), curtain)
    makers: Makers = {
        **alerting.makers(plan, addresses, SystemClock().now, out_of_reach),
        **clusters.makers(plan, addresses, environment, SystemClock().now),
        "grafana": dashboards.maker(plan, addresses, Voucher(trust, plan.production, SystemClock().now)),
        **by_target,
        "website": website.System,
        "plan": lambda _: plan_probes.System(plan, guard_limits(plan), rehearsals=_kept()),
    }
    handles: dict[str, object] = {}
    for name, address in addresses.items():
        kind = str(plan.systems[name]["kind"])
        try:
            handles[name] = (makers.get(kind) or foreign(kind))(address)
        except TminusError as error:
            out_of_reach[name] = curtain.error(error)
    return Afar(Systems(handles, values), scene, out_of_reach, curtain)


def _kept() -> KeptRehearsals:
    """The rehearsals of this machine."""
    return KeptRehearsals(home() / FOLDER, SystemClock().now)


def blind(plan: Plan) -> tuple[Check, ...]:
    """The lines of a plan that no launch of a worker can observe: each stays unknown, and closes its gate."""
    unseen = {*_STAGED} - ({*BY_TARGET} if plan.target else set())
    kinds = {name: str(entry["kind"]) for name, entry in plan.systems.items()}
    return tuple(check for check in plan.checks if check.probe and kinds.get(system_of(check)) in unseen)


def system_of(check: Check) -> str:
    """The name of the system that a line's probe looks at."""
    return str((check.arguments or {}).get("system", check.probe.partition(".")[0]))


def _addresses(
    plan: Plan, environment: Mapping[str, str], seen_by: tuple[Scene, Makers], curtain: Curtain
) -> tuple[dict[str, str], dict[str, TminusError]]:
    """The addresses of the plan's systems by name, hidden from now on; and why some are not known."""
    scene, by_target = seen_by
    known: dict[str, str] = {}
    unknown: dict[str, TminusError] = {}
    for name, entry in plan.systems.items():
        kind, reference = str(entry["kind"]), str(entry["address"])
        if not reference and kind in AT_TARGET and plan.target:
            reference = str(plan.target["address"])
        try:
            if kind in by_target and kind in BY_TARGET:
                known[name] = ""
                continue
            if kind in BY_TARGET and plan.target:
                raise InconclusiveError(f"systems of kind {kind!r} {_WITHIN}", hint=scene.hint)
            if kind in _STAGED:
                raise InconclusiveError(f"systems of kind {kind!r} {scene.unseen}", hint=scene.hint)
            value = _address(name, reference, environment, needed=kind != "plan")
            curtain.draw(reference, value)
            if kind in OVER_HTTP:
                _demand_http(name, reference, value)
            known[name] = value
        except TminusError as error:
            unknown[name] = curtain.error(error)
    return known, unknown


def _address(name: str, reference: str, environment: Mapping[str, str], *, needed: bool) -> str:
    if needed and not reference:
        raise UnreachableError(
            f"the system {name!r} has no address", hint=f"write systems.{name}.address in the plan"
        )
    return resolve(reference, environment)


def _demand_http(name: str, reference: str, value: str) -> None:
    what, _, instead = no_web(value).partition("; ")
    if what:
        which = f"behind {reference}" if value != reference else f"of the system {name!r}"
        raise PlanError(f"the address {which} {what}", hint=instead)

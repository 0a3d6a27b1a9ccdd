"""What a launch acts by that rolls a release out on a cluster, made from its plan's target."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from tminus.config import resolve
from tminus.control.launchtime import LaunchTime
from tminus.control.ports import Clock, Record, Verifier
from tminus.control.stages import Stages
from tminus.control.watch import Watch
from tminus.domain.canonical import JsonValue, instant
from tminus.domain.offsets import seconds
from tminus.domain.plan import Plan
from tminus.domain.record import Event
from tminus.domain.traffic import Side, WeightChange
from tminus.errors import UnreachableError
from tminus.kubernetes import Access, Api
from tminus.oci import Repository
from tminus.probes import local, logs, traffic
from tminus.targets.inventory import RegistryInventory
from tminus.targets.kubernetes import (
    Component,
    Jobs,
    KubernetesCommands,
    KubernetesComponents,
    KubernetesDatabase,
    KubernetesSmoke,
    KubernetesTarget,
    Service,
)
from tminus.targets.memory import GuardMemory
from tminus.targets.polled import Counted, PolledTrace
from tminus.wiring import PublicProber
from tminus.wiring.judging import equip, guard_limits, traffic_seconds

SPARING = 2.0
"""Seconds for which it counts how green was seen on a cluster."""
YOUNG = 60.0
"""Seconds for which a pod may be new, so that no line of it is missed."""
LEAD = 120.0
"""Seconds before the first step from which requests are counted: blue's usual times are learned from them."""

Target = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Rolling:
    """The target of one launch, and who counts its requests; `close` ends all connections."""

    stages: Stages
    target: KubernetesTarget
    trace: PolledTrace
    smoke: KubernetesSmoke
    plan: Plan
    clock: Clock
    public: str = field(repr=False)
    """The service's public address."""

    async def count(self, record: Record) -> None:
        """Count requests from here on, and those of the last minutes; what was counted before goes on."""
        events = await record.events()
        self.trace.begin(_begun(events, self.clock.now()), _weights(events))
        await self.trace.start()

    async def close(self) -> None:
        """Count no longer, and end the connections to the cluster."""
        await self.trace.stop()
        await self.target.close()

    def probes(self) -> dict[str, Callable[[str], object]]:
        """By the kind of a plan's system: what the target shows of it."""
        back = traffic_seconds(self.plan)

        async def reach() -> None:
            if why := self.trace.blindness():
                raise UnreachableError(
                    f"requests cannot be counted: {why}", hint="see the system that counts them"
                )

        return {
            "local": lambda _: local.System(self.target, dict, self.smoke.failures),
            "traffic": lambda _: traffic.System(
                lambda: self.trace.since(self.clock.now() - back), self.clock.now, reach
            ),
            "logs": lambda address: logs.System(address, self.clock.now, self.public, self._pods),
        }

    async def _pods(self) -> list[str]:
        """The pods of the new side that run now, by name; without new ones, unless all are."""
        alive = (await self.target.seen(Side.GREEN)).alive
        before = self.clock.now() - YOUNG
        settled = [pod for pod in alive if _made(pod) < before]
        return [str(pod["metadata"]["name"]) for pod in settled or alive]


def _made(pod: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(pod["metadata"]["creationTimestamp"]).timestamp()


def rolling(
    plan: Plan,
    environment: Mapping[str, str],
    folder: Path,
    clocks: tuple[LaunchTime, Clock],
    verifier: Verifier,
) -> Rolling:
    """Everything that a launch of a plan with a target needs; nothing is called yet.

    `environment` is what the plan's references stand for; `folder`, named after the launch, keeps what was counted.
    Raises `PlanError` for a reference that stands for nothing here, `PartError` and `OSError` for a folder that cannot
    be gone on with.
    """
    time, clock = clocks
    entry = cast("Target", plan.target)
    service = _service(entry)
    api = Api(Access(resolve(str(entry["address"]), environment), str(entry["context"])))
    ends_blue = any(check.step == "end blue" for check in plan.checks)
    target = KubernetesTarget(api, service, ends_blue=ends_blue)
    jobs = Jobs(api, service)
    long = replace(jobs, seconds=seconds(str(entry["job"])))
    folder.mkdir(parents=True, exist_ok=True)
    counted = cast("Target", entry["traffic"])
    trace = PolledTrace(
        folder / "trace.jsonl",
        _address(plan, counted["system"], environment),
        Counted(str(counted["requests"]), str(counted["status"]), str(counted["seconds"]), service.sides),
        clock,
    )
    limits = guard_limits(plan)
    public = _address(plan, entry["public"], environment)
    prober = PublicProber(public, str(entry["path"]))
    watch = Watch(target, trace, prober, clock, limits)
    equip(watch, plan, environment, (target, _inventory(plan, entry, environment)), clock)
    watch.memory = GuardMemory(folder / "guard.state", limits)
    watch.delay, watch.sparing = trace.delay, SPARING
    smoke = KubernetesSmoke(jobs, target, _command(entry["smoke"]))
    database = KubernetesDatabase(long, _command(entry["migrate"]), folder.name, _command(entry["back_up"]))
    stages = Stages(
        target,
        trace,
        database,
        smoke,
        watch,
        time,
        KubernetesCommands(jobs),
        _components(api, service, entry),
        verifier,
    )
    return Rolling(stages, target, trace, smoke, plan, clock, public)


def _service(entry: Target) -> Service:
    return Service(
        namespace=str(entry["namespace"]),
        image=str(entry["image"]),
        sides={side: str(entry[side.value]) for side in Side},
        route=str(entry["route"]),
        switch=str(entry["switch"]),
        container=str(entry["container"]),
        port=int(str(entry["port"])),
        replicas=int(str(entry["replicas"])),
        ready_seconds=seconds(str(entry["ready"])),
        take=bool(entry["take"]),
    )


def _components(api: Api, service: Service, entry: Target) -> KubernetesComponents:
    others = cast("Sequence[Target]", entry["others"])
    named = {
        str(one["component"]): Component(str(one["deployment"]), str(one["image"]), str(one["container"]))
        for one in others
    }
    return KubernetesComponents(api, service, named)


def _address(plan: Plan, system: JsonValue, environment: Mapping[str, str]) -> str:
    return resolve(str(plan.systems[str(system)]["address"]), environment)


def _inventory(plan: Plan, entry: Target, environment: Mapping[str, str]) -> RegistryInventory | None:
    """Who says what images are made of, for a plan that scans."""
    if not entry["images"]:
        return None
    return RegistryInventory(Repository.at(_address(plan, entry["images"], environment)))


def _command(words: JsonValue) -> tuple[str, ...]:
    return tuple(map(str, cast("Sequence[JsonValue]", words)))


def _begun(events: Sequence[Event], now: float) -> float:
    """From when on is counted: a while before the first step, be it done already or not."""
    began = [instant(event.at) for event in events if event.type == "step.started"]
    return (began[0] if began else now) - LEAD


def _weights(events: Sequence[Event]) -> list[WeightChange]:
    """Every weight that was confirmed, by the record: for a machine that has no trace of this launch."""
    found = []
    for event in events:
        if event.type == "step.done" and str(event.data["step"]).startswith("shift "):
            found.append(WeightChange(instant(event.at), int(str(event.data["set"]))))
        elif event.type == "rollback.done":
            found.append(WeightChange(instant(event.at), 0))
    return found

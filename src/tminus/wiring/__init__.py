"""Settings to objects: the only file that knows everybody."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tminus.config import resolve
from tminus.control.courier import Courier
from tminus.control.inspection import Inspection
from tminus.control.launch import Crew, Launch
from tminus.control.launchtime import LaunchTime
from tminus.control.opening import Binding
from tminus.control.ports import Clock, Engine, Json
from tminus.control.readiness import Readiness
from tminus.control.stages import Stages
from tminus.control.watch import Watch
from tminus.domain.canonical import JsonValue, timestamp
from tminus.domain.course import Course, course_of
from tminus.domain.evidence import Observation
from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Check, Plan
from tminus.domain.record import ENDED, Entry, Event
from tminus.domain.timeline import LaunchClock
from tminus.domain.traffic import Side
from tminus.engine.durable import DurableEngine
from tminus.errors import PlanError, ProbeError, TminusError
from tminus.haproxy import Runtime
from tminus.http import connect
from tminus.oci import Repository
from tminus.planfile import bound
from tminus.postgres import Tools
from tminus.probes import (
    depot,
    find,
    flags,
    local,
    module_of,
    postgres,
    registry,
    release,
    staging,
    traffic,
    website,
)
from tminus.probes import plan as plan_probes
from tminus.releases import Releases
from tminus.signing import checkpoint_entry, trust_path
from tminus.store.record import RecordStore
from tminus.store.rehearsals import KeptRehearsals
from tminus.store.reserve import Reserve
from tminus.store.tables import connect as connect_store
from tminus.targets.absent import AbsentTarget
from tminus.targets.commands import LocalCommands
from tminus.targets.database import LocalDatabase
from tminus.targets.inventory import ReleaseInventory
from tminus.targets.local import LocalTarget
from tminus.targets.memory import GuardMemory
from tminus.targets.trace import ProxyTrace
from tminus.webhooks import Hooks
from tminus.wiring import alerting, clusters, dashboards
from tminus.wiring.confirming import Voucher
from tminus.wiring.judging import equip, guard_limits, traffic_seconds
from tminus.wiring.keys import Keys
from tminus.wiring.oncall import courier
from tminus.wiring.proving import OwnTrust

LAUNCH = "launch"
"""The kind of workflow that a launch is."""


class SystemClock:
    """Real time."""

    def now(self) -> float:
        """See `Clock.now`."""
        return time.time()  # noqa: TID251 - the one place where the time is read

    async def sleep(self, seconds: float) -> None:
        """See `Clock.sleep`."""
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Site:
    """Where a local launch takes place: addresses, folders, and the service's settings."""

    stage: Path
    images: Path
    """The image layout that the target runs releases from."""
    registry: str
    """The address of the repository from which the target pulls what the layout lacks."""
    public: str
    """The public address of the service."""
    admin: Path
    """HAProxy's admin socket."""
    log_port: int
    log_secret: str = field(repr=False)
    """What the lines of this stage's proxy are known by."""
    ports: Mapping[Side, int]
    postgres_bin: Path
    database: str
    """`postgresql://…`; it holds a password."""
    settings: Mapping[str, str] = field(repr=False)
    """The service's environment; it holds secrets."""
    user: str
    password: str = field(repr=False)
    parts: Callable[[], Mapping[str, bool]] = field(repr=False)
    trust: Path
    """The trust root by which a confirmation is somebody's word."""
    partner: str = ""
    """Where the service's partner tells which events came; empty where it has none."""
    staging: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What differs in the service's environment while a release is tried, so that a trial never meets users' data."""
    supporting: Mapping[str, str] = field(default_factory=dict, repr=False)
    """By the name that a plan refers to it with: where each supporting part answers; some hold a password."""
    missing: Callable[[], str] = field(default=str, repr=False)
    """Which supporting part is not there, in words; empty while all are."""
    rehearsals: Path | None = None
    """The folder of the rehearsals that are evidence for a launch here; nothing where nobody keeps any."""
    copies: Path | None = None
    """What the paths of dashboards' copies begin at; nothing for where tminus is started."""

    DATABASE_VARIABLE = "DEPOT_DATABASE_URL"
    HOOK_VARIABLE = "DEPOT_HOOK_SECRET"

    def hooks(self, clock: Clock) -> Hooks | None:
        """How to be the service's partner; none where it has no partner or takes no messages."""
        secret = self.settings.get(self.HOOK_VARIABLE, "")
        return Hooks(secret.encode(), self.partner, clock.now) if secret and self.partner else None

    def addresses(self) -> dict[str, str]:
        """What a plan's `env:` references stand for on this site."""
        return {
            "TMINUS_DEMO_PUBLIC": self.public,
            "TMINUS_DEMO_DATABASE": self.database,
            "TMINUS_DEMO_IMAGES": str(self.images),
            "TMINUS_DEMO_REGISTRY": self.registry,
            "TMINUS_DEMO_PARTNER": self.partner,
            **self.supporting,
        }


class LaunchRecord:
    """The record of one launch: the store, with both clocks read when something is written."""

    def __init__(self, store: RecordStore, launch: str, clock: LaunchTime) -> None:
        self._store = store
        self._launch = launch
        self._time = clock
        self._one_by_one = asyncio.Lock()

    async def append_once(self, key: str, kind: str, data: Json) -> Event:
        """See `Record.append_once`; what is observed side by side is timed in the order in which it is written."""
        async with self._one_by_one:
            return await self._store.append_once(self._launch, self._entry(key, kind, data))

    async def append_while(self, allowed: Callable[[Course], None], key: str, kind: str, data: Json) -> Event:
        """See `Record.append_while`; where the launch stands is asked in the transaction that writes."""

        def choose(events: Sequence[Event]) -> Sequence[Entry]:
            course = course_of(events)
            allowed(course)
            # NO-GO takes the date away; an end that follows from it is still timed by that date.
            if kind != ENDED or course.t0 is not None:
                self._time.follow(course, None)
            return [self._entry(key, kind, data)]

        async with self._one_by_one:
            return (await self._store.act(self._launch, choose))[-1]

    def _entry(self, key: str, kind: str, data: Json) -> Entry:
        return Entry(kind, key, data, timestamp(self._time.now()), self._time.t_ms())

    async def events(self, after_seq: int = -1) -> list[Event]:
        """See `Record.events`."""
        return await self._store.events(self._launch, after_seq)


@dataclass(frozen=True, slots=True)
class Systems:
    """Every system of a plan, ready to be observed."""

    handles: Mapping[str, object]
    values: Mapping[str, str]
    """What `${name}` stands for in this launch."""

    async def observe(self, check: Check, arguments: Mapping[str, JsonValue]) -> Observation:
        """See `Observer.observe`."""
        given = bound(arguments, self.values)
        name = str(given.pop("system", check.probe.partition(".")[0]))
        try:
            return await find(check.probe).run(self.handles[name], **given)
        except TminusError:
            raise
        except Exception as error:
            # A probe of another package may raise anything; the launch must outlive it.
            raise ProbeError(
                f"{check.probe} broke: {type(error).__name__}: {error}",
                hint="report this to whoever wrote the probe",
            ) from error


@dataclass(frozen=True, slots=True)
class PublicProber:
    """Asks the service through its public name, independently of the proxy's log."""

    address: str
    path: str = "/health"

    async def answers(self) -> bool:
        """See `Prober.answers`."""
        try:
            async with connect(self.address, seconds=2.0) as http:
                return (await http.get(self.path)).status == 200
        except ProbeError:
            return False  # not answering is the answer


@dataclass(frozen=True, slots=True)
class DepotSmoke:
    """depot's smoke tests at any address."""

    user: str
    password: str

    async def failures(self, url: str) -> list[str]:
        """See `Smoke.failures`."""
        return await depot.smoke_failures(depot.System(url, self.user, self.password))


@dataclass(frozen=True, slots=True)
class LocalLaunch:
    """One launch on this machine, put together."""

    url: str
    """The address of its database."""
    engine: DurableEngine
    store: RecordStore
    trace: ProxyTrace
    time: LaunchTime
    target: LocalTarget
    database: LocalDatabase
    reserve: Reserve
    courier: Courier
    """Who tells people what the record says; it has to hear of each event."""


def local_launch(site: Site, plan: Plan, binding: Binding, home: Path, ref: str) -> LocalLaunch:
    """Everything that a local launch needs; nothing is started yet.

    Called again after a crash with the same arguments, it finds the same launch.
    """
    folder = launch_folder(home, binding.launch)
    folder.mkdir(parents=True, exist_ok=True)
    database = f"sqlite:///{folder / 'launch.db'}"
    clock = SystemClock()
    launch_time = LaunchTime(clock, LaunchClock(binding.t0, binding.speed))
    store = RecordStore(connect_store(database))
    trace = ProxyTrace(folder / "trace.jsonl", site.log_port, site.log_secret, Runtime(site.admin))
    repository = Repository.at(site.registry)
    releases = Releases(site.images, site.stage / "releases", site.settings, repository)
    target = LocalTarget(site.stage, releases, Runtime(site.admin), site.ports)
    tools = Tools(site.postgres_bin, site.database)
    backups = LocalDatabase(tools, site.stage / "backups", releases, clock.now)
    smoke = DepotSmoke(site.user, site.password)
    limits = guard_limits(plan)
    watch = Watch(target, trace, PublicProber(site.public), clock, limits)
    known = {**os.environ, **site.addresses()}
    equip(watch, plan, known, (target, ReleaseInventory(releases)), clock)
    watch.missing = site.missing
    watch.memory = GuardMemory(folder / "guard.state", limits)
    record = LaunchRecord(store, binding.launch, launch_time)
    systems = Systems(
        _handles(site, plan, (releases, tools, target, trace, smoke, limits, clock, watch.inspection)),
        _values(binding, plan, ref),
    )

    def crew() -> Crew:
        readiness = Readiness(plan.checks, record, systems, clock)
        verifier = OwnTrust(trust_path(home))
        commands, none = LocalCommands(releases), AbsentTarget()
        stages = Stages(target, trace, backups, smoke, watch, launch_time, commands, none, verifier)
        return Crew(plan, record, readiness, Keys(home).signatory(plan), launch_time, stages)

    async def body(engine: Engine, _launch: str) -> Json:
        return await Launch(binding, crew(), engine).run()

    # Whoever runs a local launch holds the lock of its stage, so nobody else can live in this database.
    engine = DurableEngine(database, {LAUNCH: body}, clock, alone=True)
    people = courier(binding.launch, plan, record, clock, known)
    return LocalLaunch(database, engine, store, trace, launch_time, target, backups, Reserve(folder), people)


def launch_folder(home: Path, launch: str) -> Path:
    """Where everything about one launch is kept, its exported record included."""
    return home / "launches" / launch


async def seal(store: RecordStore, launch: str, home: Path, clock: LaunchTime) -> Path:
    """Sign the record with the server's key and export it; the exported file.

    The process may not be the one that saw the launch end: how far its clock has come is taken from the record.
    """
    clock.go_on_from((await store.events(launch))[-1])
    at, t_ms = timestamp(clock.now()), clock.t_ms()
    await store.checkpoint(launch, checkpoint_entry(Keys(home).server(), launch, at, t_ms))
    path = launch_folder(home, launch) / "record.jsonl"
    await store.export(launch, path)
    return path


Adapters = tuple[
    Releases, Tools, LocalTarget, ProxyTrace, DepotSmoke, GuardLimits, SystemClock, Inspection | None
]


def _handles(site: Site, plan: Plan, adapters: Adapters) -> dict[str, object]:
    """By the plan's name of each system: what its probes observe."""
    releases, tools, target, trace, smoke, limits, clock, data = adapters

    def service(address: str) -> depot.System:
        return depot.System(address, site.user, site.password, site.hooks(clock))

    async def suite(probe: Callable[..., object], address: str) -> Observation:
        found = await probe(service(address))  # type: ignore[misc] # a probe is async
        assert isinstance(found, Observation)  # noqa: S101 - every probe gives one
        return found

    suites: dict[str, staging.Suite] = {
        "smoke": lambda address: suite(depot.smoke.run, address),
        "integration": lambda address: suite(depot.integration.run, address),
    }
    known = {**os.environ, **site.addresses()}
    addresses = {name: resolve(str(entry["address"]), known) for name, entry in plan.systems.items()}
    metrics, back = alerting.metrics(plan, addresses), traffic_seconds(plan)
    vouch = Voucher(site.trust, plan.production, clock.now)
    kept = KeptRehearsals(site.rehearsals, clock.now) if site.rehearsals else None
    own: dict[str, Callable[[str], object]] = {
        **alerting.makers(plan, addresses, clock.now),
        **clusters.makers(plan, addresses, known, clock.now),
        "grafana": dashboards.maker(plan, addresses, vouch, site.copies),
        "website": website.System,
        "depot": service,
        # No line observes it by itself; the plan names it, so that the record says whether it is real.
        "partner": lambda _: site.hooks(clock),
        # The same holds for what the triggers ask.
        "osv": str,
        "blackbox": str,
        "flags": lambda address: flags.System(address, lambda: depot.token(service(address))),
        "postgres": lambda address: postgres.System(
            Tools(site.postgres_bin, address), site.stage / "backups", data
        ),
        "release": lambda address: release.System(
            replace(releases, layout=Path(address), aside=True),
            tools,
            site.stage / "copies",
            Site.DATABASE_VARIABLE,
        ),
        "registry": registry.System,
        "staging": lambda address: staging.System(
            site.stage,
            replace(releases, settings={**site.settings, **site.staging}, aside=True),
            Tools(site.postgres_bin, address),
            Site.DATABASE_VARIABLE,
            site.user,
            suites,
            kept,
        ),
        "local": lambda _: local.System(target, site.parts, smoke.failures),
        "traffic": lambda _: traffic.System(
            lambda: trace.since(clock.now() - back), clock.now, target.proxy.reach, metrics
        ),
        "plan": lambda _: plan_probes.System(plan, limits, data, kept),
    }
    return {
        name: (own.get(str(entry["kind"])) or foreign(str(entry["kind"])))(addresses[name])
        for name, entry in plan.systems.items()
    }


def foreign(kind: str) -> Callable[[str], object]:
    """How a system of another package is made from its address."""
    system: Callable[[str], object] | None = getattr(module_of(kind), "System", None)
    if system is None:
        raise PlanError(
            f"the system kind {kind!r} has no System", hint="its module needs a class of this name"
        )
    return system


def _values(binding: Binding, plan: Plan, ref: str) -> dict[str, str]:
    component = plan.components[0]
    return {
        "release": f"sha256:{binding.release[component]}",
        "release.ref": ref,
        "previous": f"sha256:{binding.previous[component]}",
    }

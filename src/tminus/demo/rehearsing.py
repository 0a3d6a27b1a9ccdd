"""`tminus rehearse` from first to last line: stages, drills side by side, the document, and nothing left behind.

Staging is made of the demo's own parts: for each lane of drills a stage with HAProxy, blue, green and users; registry,
PostgreSQL and the unpacked releases are those of the first. A rehearsal that was killed leaves its stages in the list
of stages; the next one takes them down first, and begins anew.
"""

import asyncio
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import tminus
from tminus import oci
from tminus.control.drills import Progress, Scene, Tell
from tminus.control.inspection import Inspection
from tminus.control.rehearsal import drill
from tminus.demo.drills import FAULT_VARIABLE, Injector, lanes, with_hold
from tminus.demo.images import BLUE, GREEN
from tminus.demo.packages import Binaries
from tminus.demo.run import INTERRUPTS, image_layout
from tminus.demo.stage import Stage
from tminus.demo.supervisor import together
from tminus.demo.theatre import USER, Playbill, Wish, supply
from tminus.demo.writers import Account, Documents
from tminus.domain.canonical import timestamp
from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Plan
from tminus.domain.rehearsal import FORMAT, Drill, Rehearsal, all_definitions, definitions
from tminus.domain.traffic import Side
from tminus.domain.trigger import CORRUPTION
from tminus.engine.unkept import UnkeptSteps
from tminus.errors import PartError, RefusedError
from tminus.haproxy import Runtime
from tminus.planfile import load
from tminus.releases import Releases
from tminus.store.rehearsals import FOLDER, KeptRehearsals
from tminus.store.unkept import UnkeptRecord
from tminus.targets.local import LocalTarget
from tminus.targets.trace import ProxyTrace
from tminus.wiring import DepotSmoke, PublicProber, SystemClock
from tminus.wiring.judging import guard_limits, inspection

MARK = "rehearsal"
"""The file that marks a stage as one of a rehearsal."""
DOCUMENTS = 500
"""Documents in each database before the drills."""
LONG_RATE, QUICK_RATE = 8.0, 20.0
"""Users' requests a second: a window of a minute wants one a second on green, a sequential test some ten failures."""
DRAIN_SECONDS = 10.0
MOST_SECONDS = 1800.0
"""How long the users stay at most; they go when their stage does."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be rehearsed."""

    home: Path
    plan: Path
    subjects: tuple[str, ...]
    hold: float | None
    """Seconds; nothing: the plan's own times."""
    images: Path | None
    digest: str | None
    """The release; nothing: the demo's good one."""
    by: str


@dataclass(frozen=True, slots=True)
class _Bound:
    """What all lanes share."""

    plan: Plan
    planned: GuardLimits
    used: GuardLimits
    defined: Mapping[str, str]
    previous: str
    release: str
    password: str = field(repr=False)
    token: str = field(repr=False)
    token_secret: str = field(repr=False)
    one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock)
    """See `Scene.one_by_one`."""


def playable(path: Path) -> Plan:
    """The plan whose triggers are rehearsed; raises `RefusedError` for one that is marked production."""
    plan = load(path).checked()
    if plan.production:
        raise RefusedError(
            f"{path} is marked production, and a rehearsal injects faults",
            hint="rehearse the plan of your staging, with the same triggers: they are known by their definitions",
        )
    return plan


async def rehearse(request: Request, plan: Plan, binaries: Binaries, tell: Tell) -> tuple[Rehearsal, Path]:
    """Rehearse, and keep the document; it and where it is. Interrupted, it takes everything down and keeps nothing."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - this is a coroutine
    loop = asyncio.get_running_loop()
    for number in INTERRUPTS:
        loop.add_signal_handler(number, task.cancel)
    stages: list[Stage] = []
    try:
        for stage in leftovers(request.home):
            stages.append(stage)
            tell(Progress("", f"stage {stage.id} was left by a rehearsal that was killed; it is taken down"))
        await _take_down(stages)
        return await _rehearsed(request, plan, binaries, tell, stages)
    except asyncio.CancelledError as error:
        task.uncancel()
        raise PartError(
            "the rehearsal was interrupted, and nothing of it is kept", hint="start it again"
        ) from error
    finally:
        # What is half taken down would be left behind.
        for number in INTERRUPTS:
            loop.add_signal_handler(number, lambda: None)
        await _take_down(stages)


def leftovers(home: Path) -> Iterator[Stage]:
    """The stages that no living tminus uses and no launch can go on upon; from now on they are ours."""
    for stage in Stage.adopt(home):
        if (stage.folder / MARK).exists() or Playbill.load(stage) is None:
            yield stage
        else:
            stage.release()


async def _take_down(stages: list[Stage]) -> None:
    """Stop and remove every stage in the list, the one that holds the database last, and empty the list."""

    async def one(stage: Stage) -> None:
        await stage.stop_all()
        await stage.remove()

    try:
        await asyncio.gather(*(one(stage) for stage in stages[1:]))
    finally:
        for stage in stages[:1]:
            await one(stage)
        stages.clear()


async def _rehearsed(
    request: Request, plan: Plan, binaries: Binaries, tell: Tell, stages: list[Stage]
) -> tuple[Rehearsal, Path]:
    clock = SystemClock()
    began = clock.now()
    images = await asyncio.to_thread(image_layout, request.images, request.home)
    release = request.digest or oci.resolve(images, GREEN["good"])
    bound = _bound(request, plan, oci.resolve(images, BLUE), release)
    wanted = lanes(request.subjects, bound.used)
    for _ in wanted:
        stage = Stage.create(request.home, binaries)
        stages.append(stage)
        (stage.folder / MARK).touch()
    tell(Progress("", f"{len(stages)} stages, {bound.previous[:19]}… as blue and {release[:19]}… as green"))
    base = stages[0]
    wish = Wish(
        "good", _name(images, release), release, bound.previous, images, request.plan, 1.0, asks=False
    )
    await supply(base, wish)
    await base.start_postgres()
    drills: list[Drill] = []
    opened = [
        _Lane(bound, base, stage, patient=_is_long(subjects, bound.used))
        for stage, subjects in zip(stages, wanted, strict=True)
    ]
    try:
        for database in dict.fromkeys(lane.database for lane in opened):
            await _fill(bound, base, database)
        for lane in opened:
            await lane.open()
        tell(Progress("", "blue serves its users on each of them"))
        runs = zip(opened, wanted, strict=True)
        await together(*(lane.run(subjects, tell, drills.append) for lane, subjects in runs))
    finally:
        await asyncio.gather(*(lane.close() for lane in opened))
    order = {subject: place for place, subject in enumerate(request.subjects)}
    rehearsal = Rehearsal(
        format=FORMAT,
        by=request.by,
        tminus=tminus.__version__,
        began=timestamp(began),
        ended=timestamp(clock.now()),
        plan=plan.name,
        plan_digest=plan.digest,
        previous=bound.previous,
        release=release,
        definitions=all_definitions(bound.defined),
        drills=tuple(sorted(drills, key=lambda one: order[one.subject])),
    )
    return rehearsal, KeptRehearsals(request.home / FOLDER, clock.now).keep(rehearsal)


def _bound(request: Request, plan: Plan, previous: str, release: str) -> _Bound:
    planned = guard_limits(plan)
    return _Bound(
        plan=plan,
        planned=planned,
        used=with_hold(planned, request.hold),
        defined=definitions(plan, planned),
        previous=previous,
        release=release,
        password=secrets.token_urlsafe(18),
        token=secrets.token_urlsafe(18),
        token_secret=secrets.token_urlsafe(32),
    )


def _name(images: Path, digest: str) -> str:
    return next((name for name, one in oci.images(images).items() if one == digest), GREEN["good"])


def _is_long(subjects: tuple[str, ...], limits: GuardLimits) -> bool:
    held = {trigger.id for trigger in limits.triggers if trigger.for_seconds > 0}
    return bool(held & set(subjects))


def _releases(bound: _Bound, base: Stage, database: str) -> Releases:
    """The releases as they run on staging, on one of its databases."""
    settings = {
        "DEPOT_DATABASE_URL": base.dsn(database),
        "DEPOT_TOKEN_SECRET": bound.token_secret,
        "DEPOT_USER_PASSWORD": bound.password,
        FAULT_VARIABLE: bound.token,
    }
    repository = oci.Repository.at(base.registry)
    return Releases(base.folder / "images", base.folder / "releases", settings, repository)


async def _fill(bound: _Bound, base: Stage, database: str) -> None:
    """Have a database with documents, as the previous release would leave it, and then with the release's schema."""
    await base.create_database(database)
    releases = _releases(bound, base, database)
    await releases.run(bound.previous, "migrate", "up")
    await releases.run(bound.previous, "seed", "--documents", str(DOCUMENTS), "--user", USER)
    await releases.run(bound.release, "migrate", "up")


class _Lane:
    """One stage, and the drills that are done on it one after the other."""

    def __init__(self, bound: _Bound, base: Stage, stage: Stage, *, patient: bool) -> None:
        self._bound = bound
        self._base = base
        self._stage = stage
        self._clock = SystemClock()
        self._patient = patient
        self._trace = ProxyTrace(
            stage.folder / "trace.jsonl", stage.log_port, stage.log_secret, Runtime(stage.admin)
        )
        ports = {Side.BLUE: stage.blue_port, Side.GREEN: stage.green_port}
        releases = _releases(bound, base, self.database)
        self._target = LocalTarget(stage.folder, releases, Runtime(stage.admin), ports)

    @property
    def database(self) -> str:
        """Its database: rows are damaged in the quick lane, so that one has its own."""
        return "patient" if self._patient else "quick"

    async def open(self) -> None:
        """Have the previous release serve users."""
        bound, stage = self._bound, self._stage
        await stage.start_haproxy()
        await self._target.start(Side.BLUE, bound.previous)
        await self._trace.start()
        rate = LONG_RATE if self._patient else QUICK_RATE
        await stage.start_load(rate, USER, bound.password, max_seconds=MOST_SECONDS)

    async def run(self, subjects: tuple[str, ...], tell: Tell, done: Callable[[Drill], None]) -> None:
        """Do these drills in turn."""
        bound = self._bound
        watched = _inspection(bound.plan, "", self._clock) is not None
        injector = Injector(self._target, self._clock, bound.token, watched)
        for subject in subjects:
            wish = injector.wish(subject, bound.defined, bound.planned, bound.used)
            one = await drill(self._scene(), wish, tell)
            tell(Progress(subject, f"{one.verdict.value}: {one.why}", one.fired_seconds))
            done(one)

    async def close(self) -> None:
        """Take no more lines."""
        await self._trace.stop()

    def _scene(self) -> Scene:
        bound, stage, clock = self._bound, self._stage, self._clock
        database = self._base.dsn(self.database)
        return Scene(
            target=self._target,
            traffic=self._trace,
            prober=PublicProber(stage.url),
            smoke=DepotSmoke(USER, bound.password),
            writers=Documents(Account(stage.url, database, USER, bound.password)),
            clock=clock,
            limits=bound.used,
            engine=UnkeptSteps(clock),
            record=lambda: UnkeptRecord(timestamp(clock.now())),
            inspection=lambda: _inspection(bound.plan, database, clock),
            previous=bound.previous,
            release=bound.release,
            drain_seconds=DRAIN_SECONDS,
            one_by_one=bound.one_by_one,
        )


def _inspection(plan: Plan, database: str, clock: SystemClock) -> Inspection | None:
    """The plan's invariants, read in the stage's own database wherever the plan's system is."""
    entry = next((one for one in plan.triggers if one["id"] == CORRUPTION), None)
    if entry is None or not entry.get("invariants"):
        return None
    name = str(entry["system"])
    here = {**plan.systems, name: {**plan.systems[name], "address": database}}
    return inspection(replace(plan, systems=here), {}, clock)

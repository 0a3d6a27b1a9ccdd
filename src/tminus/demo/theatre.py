"""A launch on a stage: what is set up before it, what is kept for a restart, and what is taken down after it."""

import asyncio
import getpass
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from tminus import oci
from tminus.control.opening import Binding
from tminus.demo import service
from tminus.demo.byhand import by_hand_file
from tminus.demo.images import BLUE, GREEN
from tminus.demo.parts import addresses
from tminus.demo.stage import PARTS, Stage
from tminus.demo.worker import Serving
from tminus.domain.plan import Plan
from tminus.domain.traffic import Side
from tminus.errors import PartError
from tminus.haproxy import by_hand
from tminus.planfile import load
from tminus.signing import trust_path
from tminus.store.rehearsals import FOLDER
from tminus.wiring import LocalLaunch, Site, SystemClock, launch_folder, local_launch
from tminus.wiring.keeping import keep_plan

RATE = 60.0
"""User requests in a second, unless others were wished for; at 10 % on green that is 6 a second to judge."""

DOCUMENTS = 2000
"""Documents in the store before the launch."""

USER = "tminus"

DAY = 86400.0
"""Seconds from the opening to T-0, and from T-0 to the last milestone."""

LONGEST_SECONDS = 3600.0
"""How long the users stay beside the shortened waits; they must not leave before the launch has ended."""

NEEDED = {"postgres", "load"}
"""The parts without which an interrupted launch cannot go on; HAProxy and the registry are started again, and of blue
and green one is enough."""


@dataclass(frozen=True, slots=True)
class Playbill:
    """What is launched: kept in the stage folder, so that a restarted tminus goes on with the same launch."""

    launch: str
    kind: str
    """Which release: good, or one that misbehaves."""
    ref: str
    """The name that the release has in the image layout."""
    plan: str
    """The plan's path."""
    release: str
    previous: str
    t0: float
    speed: float
    asks: bool
    password: str
    token_secret: str
    rate: float = RATE
    """User requests in a second."""

    def save(self, stage: Stage) -> None:
        """Write it whole, readable by its owner alone."""
        path = _playbill_path(stage)
        new = path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(self), file)
        new.replace(path)

    @classmethod
    def load(cls, stage: Stage) -> "Playbill | None":
        """What an interrupted stage was playing; nothing when it was killed before that was decided."""
        path = _playbill_path(stage)
        if not path.exists():
            return None
        try:
            return cls(**json.loads(path.read_text()))
        except (ValueError, TypeError):
            # Cut off, altered, or of another version of tminus: such a launch cannot go on, and is cleared.
            return None


def _playbill_path(stage: Stage) -> Path:
    return stage.folder / "playbill.json"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked the demo for."""

    kind: str
    ref: str
    release: str
    previous: str
    images: Path
    """The image layout that the releases are pushed from."""
    plan: Path
    speed: float
    asks: bool
    """Whether the viewer decides GO or NO-GO; else the plan does."""
    rate: float = RATE
    """User requests in a second."""


def new_playbill(wish: Wish) -> Playbill:
    """A launch as wished for; its T-0 is set when everything that it needs is there."""
    return Playbill(
        launch=f"demo-{secrets.token_hex(4)}",
        kind=wish.kind,
        ref=wish.ref,
        plan=str(wish.plan),
        release=wish.release,
        previous=wish.previous,
        t0=0.0,
        speed=wish.speed,
        asks=wish.asks,
        password=secrets.token_urlsafe(18),
        token_secret=secrets.token_urlsafe(32),
        rate=wish.rate,
    )


def site(stage: Stage, playbill: Playbill) -> Site:
    """The launch site on a stage."""
    database = stage.dsn("depot")

    def parts() -> dict[str, bool]:
        alive = stage.parts_alive()
        return {part: part in alive for part in PARTS}

    return Site(
        stage=stage.folder,
        images=_images(stage),
        registry=stage.registry,
        public=stage.url,
        admin=stage.admin,
        log_port=stage.log_port,
        log_secret=stage.log_secret,
        ports={Side.BLUE: stage.blue_port, Side.GREEN: stage.green_port},
        postgres_bin=stage.postgres_bin,
        database=database,
        settings={
            "DEPOT_DATABASE_URL": database,
            "DEPOT_TOKEN_SECRET": playbill.token_secret,
            "DEPOT_USER_PASSWORD": playbill.password,
            **service.settings(stage.setting),
        },
        user=USER,
        password=playbill.password,
        parts=parts,
        partner=service.partner(stage.setting),
        staging=service.tried(stage.setting),
        supporting=addresses(stage.setting),
        missing=lambda: stage.missing(SystemClock().now()),
        rehearsals=stage.home / FOLDER,
        copies=stage.folder / "grafana",
        trust=trust_path(stage.home),
    )


def prepare_launch(stage: Stage, playbill: Playbill, home: Path) -> tuple[LocalLaunch, Plan]:
    """The launch of a playbill, put together; after a crash the same one again."""
    loaded = load(Path(playbill.plan))
    plan = _decided_by(loaded.checked(), playbill)
    keep_plan(home, playbill.launch, loaded)
    component = plan.components[0]
    binding = Binding(
        launch=playbill.launch,
        release={component: playbill.release.removeprefix("sha256:")},
        previous={component: playbill.previous.removeprefix("sha256:")},
        t0=playbill.t0,
        speed=playbill.speed,
        by_hand=by_hand(stage.admin),
        asks=playbill.asks,
        by_hand_file=str(by_hand_file(launch_folder(home, playbill.launch))),
    )
    return local_launch(site(stage, playbill), plan, binding, home, playbill.ref), plan


def _decided_by(plan: Plan, playbill: Playbill) -> Plan:
    """The plan with its decision in the viewer's hands, when there is a viewer: a person, and not simulated."""
    if not playbill.asks:
        return plan
    roles = tuple(
        replace(role, person=f"{getpass.getuser()} (at this terminal)", simulated=False)
        if role.decides
        else role
        for role in plan.roles
    )
    return replace(plan, roles=roles)


def serving(playbill: Playbill, launch: LocalLaunch) -> Serving:
    """Which of the two releases the worker is to be of."""
    target = launch.target
    return Serving(target.releases, playbill.previous, playbill.release, target.desired)


async def supply(stage: Stage, wish: Wish) -> str:
    """Have the registry hold the releases, and the target's own layout what is launched, pulled from there; in words.

    Nothing serves yet. Raises `ReleaseError` when an image was altered, on whichever side.
    """
    await stage.start_registry()
    repository = oci.Repository.at(stage.registry)
    names = await asyncio.to_thread(oci.images, wish.images)
    pushed = await _publish(repository, wish, names)
    bound = {wish.previous: BLUE, wish.release: wish.ref}
    pulled = [
        await oci.pull(repository, digest, _images(stage), ref if names.get(ref) == digest else "")
        for digest, ref in bound.items()
    ]
    blobs, size = sum(one.fetched for one in pulled), sum(one.size for one in pulled)
    return (
        f"registry {repository.shown}: {pushed} images pushed by digest; {' and '.join(bound.values())} pulled from"
        f" there, {blobs} blobs of {size / 1000:,.0f} kB compared"
    )


async def _publish(repository: oci.Repository, wish: Wish, names: Mapping[str, str]) -> int:
    """Push what this launch runs and every other release of the demo, each under its names; how many images."""
    known = {BLUE, wish.ref, *GREEN.values()} & set(names)
    digests = dict.fromkeys([wish.previous, wish.release, *(names[name] for name in sorted(known))])
    for digest in digests:
        tags = [name for name in sorted(known) if names[name] == digest]
        await oci.push(repository, wish.images, digest, tags)
    return len(digests)


def _images(stage: Stage) -> Path:
    """The layout that the target pulls into and runs releases from."""
    return stage.folder / "images"


async def set_up(stage: Stage, playbill: Playbill, launch: LocalLaunch) -> None:
    """Have the previous release serve users: schema, documents, blue behind the proxy, steady load."""
    releases = launch.target.releases
    await releases.run(playbill.previous, "migrate", "up")
    await releases.run(playbill.previous, "seed", "--documents", str(DOCUMENTS), "--user", USER)
    await stage.start_haproxy()
    await launch.target.start(Side.BLUE, playbill.previous)
    await stage.start_worker(serving(playbill, launch))
    await stage.start_load(
        playbill.rate, USER, playbill.password, max_seconds=LONGEST_SECONDS + 2 * DAY / playbill.speed
    )


def users_met(stage: Stage) -> dict[str, object]:
    """What the users themselves counted; raises `PartError` when they never wrote it down."""
    try:
        summary: dict[str, object] = json.loads(stage.load_summary.read_text())
    except (OSError, ValueError) as error:
        raise PartError(
            f"the load left no summary: {error}", hint="read the log of the part `load`"
        ) from error
    return summary

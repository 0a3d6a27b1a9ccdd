"""`tminus demo` from its first to its last line: packages, releases, stage, launch, and nothing left behind."""

import asyncio
import json
import signal
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from tminus import oci
from tminus.demo.crowding import crowding
from tminus.demo.custody import can_go_on
from tminus.demo.images import BLUE, GREEN, build_releases
from tminus.demo.machine import ThisMachine
from tminus.demo.options import Options
from tminus.demo.packages import Binaries, Missing, install, locate, plan_installation, undo
from tminus.demo.screen import Screen
from tminus.demo.show import Show
from tminus.demo.stage import Stage
from tminus.demo.theatre import Playbill, Wish
from tminus.domain.plan import Plan
from tminus.errors import Exit, PartError, PlanError, RefusedError, TminusError
from tminus.planfile import read

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, an ordinary kill, and a terminal that is closed."""


def have_packages(
    home: Path, screen: Screen, agree: Callable[[Missing], bool], *, tests: bool = False
) -> Binaries:
    """Where the programs of the stage are, after installing what is missing and was agreed to.

    `tests` adds what tests need beside the stage.
    """
    machine = ThisMachine()
    journal = home / "installation.json"
    undo(machine, journal)
    missing = plan_installation(machine, tests=tests)
    if missing:
        if not agree(missing):
            lacking = f"this machine lacks {missing.named}, and nobody agreed to install it"
            raise PartError(lacking, hint=f"say --yes (`make demo YES=1`), or type: {missing.command}")
        screen.say(f"installing {missing.named} without starting a service …")
        install(missing, machine, journal)
    found = locate(machine)
    if found is None:
        raise PartError(
            "the installed programs are not found", hint="see `dpkg -L` of each package that was installed"
        )
    return found


async def run(options: Options, binaries: Binaries, screen: Screen) -> Exit:
    """One demo; the exit code that its ending deserves."""
    interrupted = await _take_over(options, screen)
    if interrupted is not None:
        show, playbill = interrupted
        return await _play(show, lambda: show.go_on(playbill))
    _must_be_playable(read(options.plan))
    if busy := crowding():
        screen.say(busy, style="yellow")
    images = await asyncio.to_thread(image_layout, options.images, options.home)
    release = options.digest or oci.resolve(images, GREEN[options.kind])
    ref = next(
        (name for name, digest in oci.images(images).items() if digest == release), GREEN[options.kind]
    )
    previous = oci.resolve(images, BLUE)
    for digest in (previous, release):
        await asyncio.to_thread(oci.verify, images, digest)
    stage = Stage.create(options.home, binaries, options.port)
    screen.say(
        f"stage {stage.id}: registry, PostgreSQL, HAProxy, Redis, Prometheus and Alertmanager with all that they watch"
        f" and page, blue and its users, for the release {ref}, in {stage.folder}"
    )
    show = Show(stage, options, screen)
    wish = Wish(
        options.kind,
        ref,
        release,
        previous,
        images,
        options.plan,
        options.speed,
        options.ask is not None,
        options.rate,
    )
    return await _play(show, lambda: show.begin(wish))


def _must_be_playable(plan: Plan) -> None:
    """A demo signs in the name of simulated people only; for a real one nobody but that person may sign."""
    real = [role.person for role in plan.roles if (role.signs or role.decides) and not role.simulated]
    if plan.production or real:
        who = f"{', '.join(real)} would have to sign" if real else "it is marked production"
        raise PlanError(
            f"this plan cannot be played by a demo: {who}",
            hint="mark the signing roles `simulated: true` and the plan `production: false`",
        )
    if plan.open_points:
        raise RefusedError(
            f"this plan cannot be played by a demo: {'; '.join(plan.open_points)}",
            hint="fill what is to fill, and take the waivers out; `tminus plan check` names the lines",
        )


async def clear_all(options: Options, screen: Screen) -> Exit:
    """Take down every stage that no living tminus uses, launches that could go on included."""
    stages = Stage.adopt(options.home)
    for stage in stages:
        await Show(stage, options, screen).clear(Playbill.load(stage))
    if not stages:
        screen.say("nothing to clear; a stage that a living tminus uses is left alone")
    return Exit.PASSED


async def _play(show: Show, begin: Callable[[], Awaitable[None]]) -> Exit:
    """One launch on its stage, and the stage taken down whatever happens."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - this is a coroutine
    loop = asyncio.get_running_loop()
    for number in INTERRUPTS:
        loop.add_signal_handler(number, task.cancel)
    loop.add_signal_handler(signal.SIGINT, lambda: show.interrupt(task.cancel))
    try:
        await begin()
        return await show.run()
    except TminusError as error:
        _ignore_interrupts(loop)
        await show.failed(error)
        raise
    except asyncio.CancelledError:
        _ignore_interrupts(loop)
        task.uncancel()
        return await show.interrupted()
    finally:
        # What is half taken down would be left behind.
        _ignore_interrupts(loop)
        await show.take_down()


def _ignore_interrupts(loop: asyncio.AbstractEventLoop) -> None:
    for number in INTERRUPTS:
        loop.add_signal_handler(number, lambda: None)


def image_layout(images: Path | None, home: Path) -> Path:
    """The image layout whose images are pushed into the registry.

    A folder that a person names is built when it is new, and else taken as it is. Our own is named by what it must
    hold, so that it never changes. Either way every blob is proven before use.
    """
    if images is None:
        with TemporaryDirectory() as fresh:
            names = build_releases(Path(fresh))
        content = sha256(json.dumps(names, sort_keys=True).encode()).hexdigest()
        images = home / "images" / content[:12]
    if not images.exists():
        images.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=images.parent, prefix=".building-") as fresh:
            build_releases(Path(fresh) / "layout")
            try:
                (Path(fresh) / "layout").rename(images)
            except OSError:
                # Another demo built the same meanwhile; a folder that is not there is a real fault.
                if not images.exists():
                    raise
    return images


async def _take_over(options: Options, screen: Screen) -> tuple[Show, Playbill] | None:
    """The launch that a killed tminus left alive, if there is one; what cannot go on is reported and cleared."""
    found: tuple[Show, Playbill] | None = None
    for stage in Stage.adopt(options.home):
        show = Show(stage, options, screen)
        playbill = Playbill.load(stage)
        if playbill and found is None and can_go_on(stage, playbill):
            found = show, playbill
        else:
            await show.clear(playbill)
    return found

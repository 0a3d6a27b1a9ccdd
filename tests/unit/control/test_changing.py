"""Flags and settings that a launch changes: made once, read back, undone on the way back, and nobody else's touched."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tminus.control.launch import Launch
from tminus.control.opening import Binding
from tminus.control.ports import Engine
from tminus.domain.change import Change, When
from tminus.domain.traffic import Side
from tminus.errors import RolloutError, UnreachableError
from tminus.testing import Behaviour, Fate
from tminus.testing.stage import BY_HAND

if TYPE_CHECKING:
    from tests.unit.launch_world import NAME, NEW, OLD, PLAN, World
else:
    from launch_world import NAME, NEW, OLD, PLAN, World


def flag(name: str, when: When) -> Change:
    return Change(name, when, ("on", name), ("off", name), ("show", name), "on", "off")


EARLY, LATE = flag("search", When.GREEN), flag("checkout", When.PROMOTED)
CHANGED = replace(PLAN, changes=(EARLY, LATE))


def order(world: World, *kinds: str) -> list[str]:
    """What happened, in order."""
    named = {"step.done": "step", "change.made": "change", "change.undone": "change"}
    return [
        f"{event.type} {event.data.get(named.get(event.type, ''), '')}".strip()
        for event in world.chain
        if event.type in kinds
    ]


def goes_bad(world: World, seconds: float) -> None:
    """Green fails half of its requests so many seconds from now on."""
    bad = {Side.GREEN: Behaviour(errors=0.5)}
    world.clock.later(seconds, lambda: world.traffic.behaviour.update(bad))


async def test_changes_are_made_at_their_moments_and_stay_with_a_release_that_lands() -> None:
    world = World(plan=CHANGED)
    assert (await world.launch())["outcome"] == "landed"
    assert world.commands.ran == ["on search", "on checkout"]
    assert world.commands.flags == {"search": "on", "checkout": "on"}
    steps = order(world, "step.done", "change.made")
    early, late = steps.index("change.made search"), steps.index("change.made checkout")
    assert steps.index("step.done smoke") < early < steps.index("step.done shift 50")
    assert steps.index("step.done promote") < late < steps.index("step.done end blue")
    assert not world.events("change.undone")


async def test_a_release_that_is_bad_from_the_start_takes_back_only_what_was_changed() -> None:
    world = World(plan=CHANGED, release="errors")
    assert (await world.launch())["outcome"] == "rolled-back"
    assert world.commands.ran == ["on search", "off search"]
    kinds = order(world, "rollback.done", "change.undone", "rollback.seen")
    assert kinds == ["rollback.done", "change.undone search", "rollback.seen"], "users come first"


async def test_one_that_goes_bad_in_the_soak_takes_back_both_the_last_one_first() -> None:
    world = World(plan=CHANGED)
    world.observer.scripts["ok.err"] = [UnreachableError("away", hint="look")]
    world.target.after_weight[100] = lambda: goes_bad(world, 15.0)
    assert (await world.launch())["outcome"] == "rolled-back"
    assert world.commands.ran == ["on search", "on checkout", "off checkout", "off search"]


async def test_what_was_so_before_is_not_changed_and_not_taken_back() -> None:
    world = World(plan=CHANGED, release="errors")
    world.commands.flags["search"] = "on"
    assert (await world.launch())["outcome"] == "rolled-back"
    assert (world.commands.ran, world.commands.flags["search"]) == ([], "on")
    assert world.events("change.begun") == [{"change": "search", "was": "on"}]


async def test_a_value_that_somebody_else_gave_ends_the_launch_and_is_left_alone() -> None:
    world = World(plan=CHANGED)
    world.commands.flags["search"] = "half"
    ended = await world.launch()
    assert ended["outcome"] == "rolled-back"
    (end,) = world.events("launch.ended")
    assert "search is 'half', neither 'off' nor 'on'" in end["text"]
    assert world.commands.ran == []


@pytest.mark.parametrize("change", [EARLY, LATE])
async def test_a_change_that_cannot_be_read_back_ends_the_launch(change: Change) -> None:
    world = World(plan=CHANGED)
    world.commands.deaf.add(change.id)
    assert (await world.launch())["outcome"] == "rolled-back"
    (end,) = world.events("launch.ended")
    assert (end["rule"], f"{change.id} was changed and is 'off', not 'on'" in end["text"]) == (
        "step.failed",
        True,
    )


@pytest.mark.parametrize("change", [EARLY, LATE])
async def test_a_change_of_which_nobody_can_tell_holds_until_somebody_can(change: Change) -> None:
    world = World(plan=CHANGED)
    away: Any = {f"show {change.id}": UnreachableError("the API is away", hint="wait")}
    world.commands.broken |= away
    world.clock.later(60.0, world.commands.broken.clear)
    assert (await world.launch())["outcome"] == "landed"
    assert world.commands.flags == {"search": "on", "checkout": "on"}
    held = [data for data in world.events("launch.held") if "the API is away" in data["text"]]
    assert held, [event.type for event in world.chain]


async def test_harm_is_seen_while_a_change_is_waited_for() -> None:
    world = World(plan=CHANGED)
    world.commands.broken["show checkout"] = UnreachableError("the API is away", hint="wait")
    world.target.after_weight[100] = lambda: goes_bad(world, 15.0)
    world.clock.later(120.0, world.commands.broken.clear)
    assert (await world.launch())["outcome"] == "rolled-back"
    assert world.commands.flags == {"search": "off"}


async def test_an_undoing_that_fails_is_tried_until_it_is_done() -> None:
    world = World(plan=CHANGED, release="errors")
    world.commands.broken["off search"] = UnreachableError("the API is away", hint="wait")
    world.clock.later(60.0, world.commands.broken.clear)
    assert (await world.launch())["outcome"] == "rolled-back"
    assert world.commands.flags == {"search": "off"}
    assert world.events("change.undone") == [{"change": "search", "is": "off"}]


@pytest.mark.parametrize(
    ("release", "command"),
    [("good", "on search"), ("good", "on checkout"), ("errors", "on search"), ("errors", "off search")],
)
async def test_a_process_that_dies_behind_a_command_goes_on_from_what_stands(
    release: str, command: str
) -> None:
    alive = World(plan=CHANGED, release=release)
    await alive.launch()
    world = World(plan=CHANGED, release=release, fate=Fate(dies_at=alive.fate.moments.index(command)))
    ended = await world.launch()
    assert ended["outcome"] == ("landed" if release == "good" else "rolled-back")
    assert world.fate.starts == 2
    assert world.commands.flags == alive.commands.flags
    assert world.commands.ran == alive.commands.ran, "what was done is read, and not done again"


WORKER_OLD, WORKER_NEW = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


class Several(World):
    """A launch of two components: the sides', and a worker's that is brought to its image once green is promoted."""

    def put_together(self, engine: Engine) -> Launch:
        """See `World.put_together`."""
        release = {"depot": NEW, "worker": "2" * 64}
        previous = {"depot": OLD, "worker": "1" * 64}
        binding = Binding(NAME, release, previous, self.t0, self.speed, BY_HAND, asks=self.asks)
        return Launch(binding, self.boot(), engine)


def several(when: When, release: str = "good") -> Several:
    plan = replace(PLAN, components=("depot", "worker"), others={"worker": when}, changes=(LATE,))
    world = Several(plan=plan, release=release)
    world.components.runs["worker"] = WORKER_OLD
    return world


@pytest.mark.parametrize(("when", "before"), [(When.GREEN, "shift 50"), (When.PROMOTED, "end blue")])
async def test_another_component_gets_its_image_at_its_moment_and_before_flags(
    when: When, before: str
) -> None:
    world = several(when)
    assert (await world.launch())["outcome"] == "landed"
    assert world.components.runs == {"worker": WORKER_NEW}
    steps = order(world, "step.done", "change.made")
    assert steps.index("change.made worker") < steps.index(f"step.done {before}")
    assert steps.index("change.made worker") < steps.index("change.made checkout")
    assert world.fate.moments.count("set worker") == 1


async def test_another_component_goes_back_with_the_sides() -> None:
    world = several(When.GREEN, "errors")
    assert (await world.launch())["outcome"] == "rolled-back"
    assert world.components.runs == {"worker": WORKER_OLD}
    assert world.events("change.undone") == [{"change": "worker", "is": WORKER_OLD}]


async def test_one_that_does_not_come_up_takes_the_launch_back_with_all_that_was_changed() -> None:
    world = several(When.PROMOTED)
    world.components.broken[WORKER_NEW] = RolloutError("worker did not come up", hint="see its log")
    assert (await world.launch())["outcome"] == "rolled-back"
    (end,) = world.events("launch.ended")
    assert "worker did not come up" in end["text"]
    assert (world.components.runs, world.commands.flags) == ({"worker": WORKER_OLD}, {})
    assert world.target.sides[Side.BLUE].running


async def test_one_that_runs_its_image_already_is_not_touched() -> None:
    world = several(When.GREEN)
    world.components.runs["worker"] = WORKER_NEW
    assert (await world.launch())["outcome"] == "landed"
    assert "set worker" not in world.fate.moments


async def test_a_command_that_was_given_up_and_goes_on_is_waited_for_before_it_is_undone() -> None:
    world = World(plan=CHANGED)
    world.target.after_weight[100] = lambda: goes_bad(world, 15.0)

    async def never(digest: str, command: Sequence[str], name: str = "") -> str:
        """The command for the late change is begun and has not ended when the guard speaks."""
        if command == LATE.apply:
            world.commands.under_way[f"change:{LATE.id}"] = LATE.id
            await world.clock.sleep(500.0)
        return await real(digest, command, name)

    real, world.commands.run = world.commands.run, never  # type: ignore[method-assign] # a slow one in its place
    assert (await world.launch())["outcome"] == "rolled-back"
    assert world.commands.flags == {"search": "off", "checkout": "off"}
    assert world.commands.ran[-2:] == ["off checkout", "off search"]


async def test_a_component_that_is_half_way_is_brought_back_at_once() -> None:
    world = several(When.PROMOTED)
    world.components.broken[WORKER_NEW] = RolloutError("of 2 pods 1 is of this release", hint="see its log")
    half: Any = UnreachableError("its pods run two images", hint="wait")

    async def mixed(digest: str, command: Sequence[str], name: str = "") -> str:
        if command[0] == "set":
            world.components.runs["worker"] = ""
        if command[0] == "set" and command[2] == WORKER_OLD:
            world.components.broken.clear()
        if command[0] == "read" and not world.components.runs["worker"]:
            raise half
        return await real(digest, command, name)

    real, world.components.run = world.components.run, mixed  # type: ignore[method-assign] # one that is half way
    assert (await world.launch())["outcome"] == "rolled-back"
    assert world.components.runs == {"worker": WORKER_OLD}

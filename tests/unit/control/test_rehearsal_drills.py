"""A drill in virtual time: a fault, the one rule that acts on it, the others noted, and the way back."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tminus.control.drills import Progress, Scene, Wish
from tminus.control.inspection import Inspection
from tminus.control.ports import SideStatus
from tminus.control.rehearsal import drill
from tminus.control.watch import Watch
from tminus.domain.evidence import Verdict
from tminus.domain.guard import GuardLimits
from tminus.domain.rehearsal import Drill
from tminus.domain.traffic import Side
from tminus.engine.unkept import UnkeptSteps
from tminus.errors import UnreachableError
from tminus.store.unkept import UnkeptRecord
from tminus.testing import Behaviour

if TYPE_CHECKING:
    from tests.unit.launch_world import INVARIANTS, RUNS_NEW, RUNS_OLD, World
else:
    from launch_world import INVARIANTS, RUNS_NEW, RUNS_OLD, World


class Writing:
    """Users who wrote ten documents, of which these are lost."""

    def __init__(self) -> None:
        self.lost: tuple[str, ...] = ()
        self.writes = False

    async def begin(self) -> None:
        self.writes = True

    async def end(self) -> None:
        self.writes = False

    async def look(self) -> tuple[int, tuple[str, ...]]:
        assert not self.writes, "who still writes cannot be counted"
        return 10, self.lost


class Ground:
    """Staging in virtual time, with 20 requests a second."""

    def __init__(self) -> None:
        self.world = World(rate=20.0)
        self.world.clock._ends += 10_000
        self.writing = Writing()
        self.told: list[Progress] = []
        self.inspected = False

    def scene(self, **more: Any) -> Scene:
        world = self.world
        given: dict[str, Any] = {
            "target": world.target,
            "traffic": world.traffic,
            "prober": world.prober,
            "smoke": world.smoke,
            "writers": self.writing,
            "clock": world.clock,
            "limits": GuardLimits(),
            "engine": UnkeptSteps(world.clock),
            "record": lambda: UnkeptRecord("2026-01-01T00:00:00.000Z"),
            "inspection": lambda: (
                Inspection(INVARIANTS, world.data, world.clock, every=1.0) if self.inspected else None
            ),
            "previous": RUNS_OLD,
            "release": RUNS_NEW,
            "drain_seconds": 5.0,
        }
        return Scene(**given | more)

    async def drill(
        self, subject: str, strike: Callable[[Watch], Any], weight: int = 50, hold: float = 0.0, **more: Any
    ) -> Drill:
        async def struck(watch: Watch) -> None:
            found = strike(watch)
            if isinstance(found, Awaitable):
                await found

        wish = Wish(subject, "as it is", "a fault", struck, weight, hold, more.pop("planned", hold))
        return await drill(self.scene(**more), wish, self.told.append)

    def green(self, **behaviour: float) -> Callable[[Watch], None]:
        """The fault: green behaves like this from now on."""
        return lambda _: self.world.traffic.behaviour.__setitem__(Side.GREEN, Behaviour(**behaviour))


@pytest.fixture
def ground() -> Ground:
    return Ground()


async def test_a_trigger_fires_after_its_whole_time_while_the_quick_tests_are_only_noted(
    ground: Ground,
) -> None:
    found = await ground.drill("trig.errors", ground.green(errors=0.2), hold=300.0)
    assert (found.verdict, found.action) == (Verdict.PASSED, "rollback")
    assert found.fired_seconds is not None
    assert 300 <= found.fired_seconds < 330
    assert found.zero_seconds == pytest.approx(found.fired_seconds, abs=1)
    others = {other.rule: other.seconds for other in found.others}
    assert {"a1", "a2", "hold.errors"} <= set(others)
    assert max(others.values()) < 60, "each would have acted minutes before"
    assert found.back is not None
    assert (found.back.ordered_by, found.back.digest, found.back.weight) == ("trigger.errors", RUNS_OLD, 100)
    assert found.failed == pytest.approx(0.2 * 10 * found.fired_seconds, rel=0.05)
    assert not ground.world.target.sides[Side.GREEN].running


@pytest.mark.parametrize(
    ("subject", "weight", "behaviour"),
    [("guard.a1", 100, {"errors": 0.3}), ("guard.a2", 50, {"errors": 0.3}), ("guard.b1", 50, {"slow": 0.4})],
)
async def test_each_test_of_the_guard_fires_within_seconds(
    ground: Ground, subject: str, weight: int, behaviour: dict[str, float]
) -> None:
    found = await ground.drill(subject, ground.green(**behaviour), weight)
    assert found.verdict is Verdict.PASSED
    assert found.back is not None
    assert found.back.ordered_by == subject.removeprefix("guard.")
    assert found.fired_seconds is not None
    assert found.fired_seconds < 60


async def test_a_service_that_is_away_is_seen_by_the_prober_alone(ground: Ground) -> None:
    def stop(_: Watch) -> None:
        ground.world.target.change(Side.GREEN, running=False, up=False)
        ground.world.prober.ok = False
        ground.world.target.after_weight[0] = lambda: setattr(ground.world.prober, "ok", True)

    found = await ground.drill("trig.unavailable", stop, 100, hold=300.0)
    assert found.verdict is Verdict.PASSED, found.why
    assert found.fired_seconds is not None
    assert 300 <= found.fired_seconds < 305
    assert "green.died" in {other.rule for other in found.others}


async def test_damaged_data_rolls_back_by_the_invariants(ground: Ground) -> None:
    ground.inspected = True
    found = await ground.drill("trig.corruption", lambda _: ground.world.data.now.update(orphans=3))
    assert found.verdict is Verdict.PASSED, found.why
    assert found.back is not None
    assert found.back.ordered_by == "trigger.corruption"


async def test_a_finding_holds_the_shift_and_a_person_rolls_back(ground: Ground) -> None:
    def hand_over(watch: Watch) -> None:
        watch.guard.observe_finding("trig.vulnerability", ground.world.clock.now(), breached=True)

    found = await ground.drill("trig.vulnerability", hand_over, 10)
    assert (found.verdict, found.action) == (Verdict.PASSED, "hold")
    assert found.back is not None
    assert found.back.ordered_by == "person.rollback"


async def test_a_hold_that_lets_the_shift_go_on_fails(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, looks = ground.world.target, iter((10, 25))
    seen = target.status

    async def status(side: Side) -> SideStatus:
        told = await seen(side)
        return replace(told, weight=next(looks, told.weight))

    def hand_over(watch: Watch) -> None:
        watch.guard.observe_finding("trig.vulnerability", ground.world.clock.now(), breached=True)
        monkeypatch.setattr(target, "status", status)

    found = await ground.drill("trig.vulnerability", hand_over, 10)
    assert found.verdict is Verdict.FAILED
    assert "green has 25 % while held at 10 %" in found.why


async def test_a_trigger_that_does_not_fire_fails_and_blue_serves_again(ground: Ground) -> None:
    found = await ground.drill("trig.errors", ground.green(errors=0.02), hold=300.0)
    assert (found.verdict, found.fired, found.back) == (Verdict.FAILED, "", None)
    assert "trigger.errors did not fire within 420 s" in found.why
    assert ground.world.traffic.weight == 0


async def test_a_shorter_time_than_the_plan_s_can_only_warn(ground: Ground) -> None:
    limits = GuardLimits(
        triggers=tuple(replace(one, for_seconds=min(one.for_seconds, 30.0)) for one in GuardLimits().triggers)
    )
    fault = ground.green(errors=0.5)
    found = await ground.drill("trig.errors", fault, hold=30.0, planned=300.0, limits=limits)
    assert (found.verdict, found.shortened) == (Verdict.WARNED, True)
    assert "a hold of 30 s instead of 300 s" in found.why


async def test_a_write_that_is_lost_fails_the_drill(ground: Ground) -> None:
    ground.writing.lost = ("Drill 7",)
    found = await ground.drill("guard.a2", ground.green(errors=0.3))
    assert found.verdict is Verdict.FAILED
    assert "1 of 10 documents that users stored are lost" in found.why


async def test_a_blue_that_fails_its_smoke_tests_afterwards_fails_the_drill(ground: Ground) -> None:
    def break_blue(watch: Watch) -> None:
        ground.green(errors=0.5)(watch)
        ground.world.smoke.found["http://blue.test"] = ["login: 500"]

    found = await ground.drill("guard.a2", break_blue)
    assert found.verdict is Verdict.FAILED
    assert "smoke test on blue: login: 500" in found.why


async def test_a_green_that_is_ill_without_a_fault_proves_nothing(ground: Ground) -> None:
    ground.world.traffic.behaviour[Side.GREEN] = Behaviour(errors=0.5)
    found = await ground.drill("guard.a2", lambda _: None)
    assert (found.verdict, found.injected) == (Verdict.INCONCLUSIVE, "")
    assert "before any fault" in found.why
    assert ground.world.traffic.weight == 0
    assert not ground.world.target.sides[Side.GREEN].running
    assert not ground.writing.writes


async def test_a_blue_that_is_ill_without_a_fault_proves_nothing(ground: Ground) -> None:
    ground.world.traffic.behaviour[Side.BLUE] = Behaviour(errors=0.5)
    found = await ground.drill("guard.b1", ground.green(slow=0.4))
    assert (found.verdict, found.injected) == (Verdict.INCONCLUSIVE, "")
    assert "before any fault: blue failed" in found.why


async def test_what_was_bad_before_the_drill_is_not_counted_in_it(ground: Ground) -> None:
    first = await ground.drill("guard.a2", ground.green(errors=0.5))
    assert first.verdict is Verdict.PASSED
    ground.world.traffic.behaviour[Side.GREEN] = Behaviour()
    second = await ground.drill("guard.b1", ground.green(slow=0.4))
    assert second.verdict is Verdict.PASSED
    assert second.failed == 0
    assert "a2" not in {other.rule for other in second.others}


async def test_a_fault_that_cannot_be_injected_proves_nothing(ground: Ground) -> None:
    def refuse(_: Watch) -> None:
        raise UnreachableError("green does not answer", hint="is it running?")

    found = await ground.drill("guard.a2", refuse)
    assert (found.verdict, found.why) == (Verdict.INCONCLUSIVE, "green does not answer; is it running?")
    assert ground.world.traffic.weight == 0


async def test_a_proxy_that_is_away_while_rolling_back_fails_and_says_what_to_type(ground: Ground) -> None:
    def strike(watch: Watch) -> None:
        ground.green(errors=0.5)(watch)
        ground.world.target.unreachable = set(range(ground.world.target.calls, 10_000))

    found = await ground.drill("guard.a2", strike)
    assert found.verdict is Verdict.FAILED
    assert "the rollback failed 15 times" in found.why
    assert "and green could not be taken out" in found.why


async def test_how_far_it_is_can_be_seen_while_a_condition_holds(ground: Ground) -> None:
    await ground.drill("trig.errors", ground.green(errors=0.5), hold=300.0)
    breached = [one.breached for one in ground.told if one.routine]
    assert breached == sorted(breached)
    assert breached[-1] > 250
    assert {one.hold for one in ground.told} == {300.0}

"""After the shift: soak, criteria, and the end of blue."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tminus.control.liftoff import Liftoff
from tminus.control.ports import SideStatus
from tminus.control.review import WATCHED, Review
from tminus.control.stretch import LOOK
from tminus.domain.agenda import not_leaving
from tminus.domain.canonical import JsonValue, timestamp
from tminus.domain.course import course_of
from tminus.domain.evidence import Observation
from tminus.domain.guard import Action
from tminus.domain.orders import Act
from tminus.domain.plan import Check, Kind, Plan, Severity
from tminus.domain.record import Entry, append
from tminus.domain.traffic import Side
from tminus.errors import OutOfSequenceError, RolloutError, UnreachableError
from tminus.testing import Behaviour

if TYPE_CHECKING:
    from tests.unit.launch_world import NEW, OLD, PLAN, World, line, with_line
else:
    from launch_world import NEW, OLD, PLAN, World, line, with_line


async def shifted(world: World | None = None) -> tuple[World, Liftoff, Review]:
    world = world or World()
    await world.open()
    world.go()
    await world.clock.sleep(2.0)
    world.time.launch.ahead = 7200.0
    liftoff = world.liftoff()
    await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    return world, liftoff, Review(liftoff, world.time)


async def test_criteria_hold_and_blue_ends() -> None:
    world, _, review = await shifted()
    seen = await world.passing(review.run())
    assert (seen.action, seen.text) == (Action.CONTINUE, "landed")
    assert not world.target.sides[Side.BLUE].running
    assert world.verdicts()["t4p.blueoff"] == "passed"
    assert [data["milestone"] for data in world.events("milestone.reached")] == ["T+01:00:00", "T+04:00:00"]


async def test_milestones_come_on_the_launch_clock() -> None:
    world, _, review = await shifted()
    await world.passing(review.run())
    reached = [event.t_ms for event in world.chain if event.type == "milestone.reached"]
    assert reached == [pytest.approx(3_600_000, abs=2000), pytest.approx(14_400_000, abs=2000)]
    assert world.time.read() >= 14400


async def test_blue_stands_until_every_criterion_is_known() -> None:
    world, _, review = await shifted()
    world.observer.scripts["ok.err"] = [Observation(0.5)]
    seen = await world.passing(review.run())
    assert (seen.action, seen.rule) == (Action.ROLLBACK, "criterion.ok.err")
    assert world.target.sides[Side.BLUE].running


async def test_a_criterion_that_fails_after_it_was_unknown_rolls_back() -> None:
    world, _, review = await shifted()
    world.observer.scripts["ok.err"] = [UnreachableError("gone", hint="wait"), Observation(0.5)]
    assert (await world.passing(review.run())).rule == "criterion.ok.err"


async def test_an_unknown_advisory_line_is_not_waited_for() -> None:
    world, _, review = await shifted(World(plan=with_line(PLAN, "ok.err", severity=Severity.ADVISORY)))
    world.observer.scripts["ok.err"] = [UnreachableError("gone", hint="wait")]
    assert (await world.passing(review.run())).action is Action.CONTINUE
    assert world.verdicts()["ok.err"] == "error"


async def test_a_blue_that_does_not_end_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world, _, review = await shifted()
    stop, tries = world.target.stop, []

    async def stubborn(side: Side, drain: float) -> int:
        tries.append(side)
        return await stop(side, drain) if len(tries) > 2 else 0

    monkeypatch.setattr(world.target, "stop", stubborn)
    assert (await world.passing(review.run())).action is Action.CONTINUE
    assert len(tries) == 3
    assert "still runs" in world.events("launch.held")[0]["text"]


async def test_a_blue_that_may_not_be_ended_holds_and_rolls_nothing_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, _, review = await shifted()
    stop, tries = world.target.stop, []

    async def refused(side: Side, drain: float) -> int:
        tries.append(side)
        if len(tries) < 3:
            raise RolloutError(
                "deployments/blue was not changed: .spec.replicas belongs to helm", hint="see helm"
            )
        return await stop(side, drain)

    monkeypatch.setattr(world.target, "stop", refused)
    assert (await world.passing(review.run())).action is Action.CONTINUE
    assert "belongs to helm" in world.events("launch.held")[0]["text"]
    assert not world.target.sides[Side.BLUE].running


async def test_a_last_look_that_is_refused_holds_and_rolls_nothing_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, _, review = await shifted()
    status = world.target.status
    tries: list[Side] = []

    async def refused(side: Side) -> SideStatus:
        if side is Side.GREEN and not world.target.sides[Side.BLUE].running and len(tries) < 2:
            tries.append(side)
            raise RolloutError("the cluster has no HTTPRoute shop", hint="see the names in the plan's target")
        return await status(side)

    monkeypatch.setattr(world.target, "status", refused)
    assert (await world.passing(review.run())).action is Action.CONTINUE
    assert len(tries) == 2
    assert any("has no HTTPRoute" in str(data["text"]) for data in world.events("launch.held"))


async def test_a_plan_that_keeps_blue_ends_without_stopping_it() -> None:
    world = World(plan=with_line(PLAN, "t4p.blueoff", step="initiate"))
    world, _, review = await shifted(world)
    assert (await world.passing(review.run())).action is Action.CONTINUE
    assert world.target.sides[Side.BLUE].running


def test_a_line_of_the_end_of_blue_is_a_step() -> None:
    assert PLAN.check("t4p.blueoff").step == "end blue"
    assert line("x", 3600.0).probe == "website.health"


async def slow_to_see(world: World, seconds: float, meanwhile: Callable[[], None]) -> list[str]:
    """Have the line `ok.err` take so long to be observed; what became of that."""
    observe = world.observer.observe
    told: list[str] = []

    async def observed(check: Check, arguments: Mapping[str, JsonValue]) -> Observation:
        if check.id == "ok.err" and not told:
            told.append("begun")
            meanwhile()
            until = world.clock.now() + seconds
            try:
                while world.clock.now() < until:
                    await world.clock.sleep(0.25)
            except asyncio.CancelledError:
                told.append("given up")
                raise
            told.append("seen")
        return await observe(check, arguments)

    world.observer.observe = observed  # type: ignore[method-assign] # it is slow in this test alone
    return told


async def test_harm_rolls_back_while_a_criterion_is_still_being_observed() -> None:
    world, _, review = await shifted()
    bad = Behaviour(errors=0.3)
    began: list[float] = []

    def go_bad() -> None:
        began.append(world.clock.now())
        world.traffic.flow()
        world.traffic.behaviour[Side.GREEN] = bad

    told = await slow_to_see(world, 120.0, go_bad)
    seen = await world.passing(review.run())
    assert (seen.action, seen.rule) == (Action.ROLLBACK, "a1")
    assert world.clock.now() - began[0] < 10.0
    assert told == ["begun", "given up"]
    looks = [data["where"] for data in world.events("traffic.seen")]
    assert looks[-1].startswith("watch while T+01:00:00 is observed #")


async def test_an_order_back_is_heard_while_a_criterion_is_still_being_observed() -> None:
    world, _, review = await shifted()
    told = await slow_to_see(world, 120.0, lambda: world.order(Act.ROLLBACK))
    seen = await world.passing(review.run())
    assert (seen.action, seen.rule) == (Action.ROLLBACK, "person.rollback")
    assert told == ["begun", "given up"]


async def test_an_order_that_lets_go_on_has_the_lines_observed_again() -> None:
    world, _, review = await shifted()

    def hold_and_resume() -> None:
        world.order(Act.HOLD)
        world.clock.later(20.0, lambda: world.order(Act.RESUME))

    told = await slow_to_see(world, 120.0, hold_and_resume)
    seen = await world.passing(review.run())
    assert (seen.action, seen.text) == (Action.CONTINUE, "landed")
    assert told == ["begun", "given up"]
    assert world.verdicts()["ok.err"] == "passed"


async def test_a_launch_from_before_the_guard_judged_meanwhile_observes_as_it_did() -> None:
    world, liftoff, review = await shifted()
    patched = liftoff.engine.patched

    async def older(change: str) -> bool:
        return change != WATCHED and await patched(change)

    liftoff.engine.patched = older  # type: ignore[method-assign] # the engine of a launch that began before
    seen = await world.passing(review.run())
    assert (seen.action, seen.text) == (Action.CONTINUE, "landed")


def _asked(until: float = -6900.0) -> Plan:
    """The plan with a line that a person of flesh and blood has to speak of, until five minutes after the start.

    People's time is not shortened: on the clock that only the test's waits move, T+1h is two hours away.
    """
    word = replace(
        line("dash.seen", 3600.0, kind=Kind.PERSON, note="I have looked"),
        simulated=False,
        person="Dario Voss",
        until=until,
    )
    return replace(PLAN, checks=(*PLAN.checks, word))


async def test_nobody_s_absence_rolls_back_and_the_launch_goes_on_with_the_line_failed() -> None:
    world, _, review = await shifted(World(plan=_asked()))
    seen = await world.passing(review.run())
    assert (seen.action, seen.text) == (Action.CONTINUE, "landed")
    assert world.verdicts()["dash.seen"] == "failed"
    (last,) = [data for data in world.events("check.observed") if data["check"] == "dash.seen"][-1:]
    assert "devops had to say it, and has not" in str(last["why"])


async def test_a_line_without_a_time_is_waited_for() -> None:
    world, _, review = await shifted(World(plan=without_a_time()))
    with pytest.raises(AssertionError, match="nothing ends this wait"):
        await world.passing(review.run())
    assert world.verdicts()["dash.seen"] == "inconclusive"


def says(world: World, verdict: str = "failed", **seen: object) -> None:
    """A person's word for `dash.seen`, as it stands in the record."""
    word: dict[str, object] = {"check": "dash.seen", "verdict": verdict, "text": "dash.seen"}
    word |= {"fingerprint": "f" * 64, "source": "person", "why": "Dario Voss: the panel climbs"}
    word |= {"seen": {"person": "Dario Voss", **seen}, "observed_at": world.clock.now()}
    word |= {"harm": True} if verdict == "failed" and "late_s" not in seen else {}
    at, t_ms = timestamp(world.clock.now()), world.time.t_ms()
    entry = Entry("check.attested", f"word:{len(world.chain)}", word, at, t_ms)
    world.chain.append(append(world.chain[-1], entry))


def spoken(world: World) -> None:
    """Harm, as a person's command records it: with a message that wakes the launch."""
    says(world)
    world.tell("control", {"id": "an act's own", "order": "look"}, "an act's own")


def without_a_time() -> Plan:
    plan = _asked()
    return replace(plan, checks=(*plan.checks[:-1], replace(plan.checks[-1], until=None)))


@pytest.mark.parametrize("plan", [_asked(), without_a_time()], ids=["in time or not", "at any time"])
async def test_harm_that_somebody_sees_in_a_soak_rolls_back_within_a_look(plan: Plan) -> None:
    world, _, review = await shifted(World(plan=plan))
    told: list[float] = []

    def speak() -> None:
        told.append(world.clock.now())
        says(world)

    world.clock.later(20.0, speak)
    back = await world.passing(review.run())
    assert (back.action, back.rule) == (Action.ROLLBACK, "criterion.dash.seen")
    assert "the panel climbs" in back.text
    assert world.clock.now() - told[0] <= 2 * LOOK
    assert world.target.sides[Side.BLUE].running


async def test_harm_that_somebody_sees_while_nothing_can_be_measured_rolls_back() -> None:
    world, _, review = await shifted(World(plan=without_a_time()))
    told: list[float] = []

    def go_dark() -> None:
        world.watch.missing = lambda: "prometheus does not answer"

    def speak() -> None:
        told.append(world.clock.now())
        says(world)

    world.clock.later(5.0, go_dark)
    world.clock.later(60.0, speak)
    back = await world.passing(review.run())
    assert (back.action, back.rule) == (Action.ROLLBACK, "criterion.dash.seen")
    assert world.rules(), "it was held when they spoke"
    assert world.clock.now() - told[0] <= 2 * LOOK


async def test_harm_that_somebody_sees_while_the_clock_is_held_rolls_back() -> None:
    world, _, review = await shifted(World(plan=without_a_time()))
    world.clock.later(5.0, lambda: world.order(Act.HOLD))
    told: list[float] = []

    def speak() -> None:
        told.append(world.clock.now())
        says(world)

    world.clock.later(60.0, speak)
    back = await world.passing(review.run())
    assert (back.action, back.rule) == (Action.ROLLBACK, "criterion.dash.seen")
    assert world.clock.now() - told[0] <= 2 * LOOK


async def test_harm_that_somebody_sees_in_the_shift_rolls_back() -> None:
    world = World(plan=without_a_time())
    await world.open()
    world.go()
    await world.clock.sleep(2.0)

    def speak() -> None:
        if any(data["step"] == "shift 50" for data in world.events("step.done")):
            says(world)
        else:
            world.clock.later(0.25, speak)

    world.clock.later(0.25, speak)
    back = await world.passing(world.liftoff().run({"depot": NEW}, {"depot": OLD}))
    assert (back.action, back.rule) == (Action.ROLLBACK, "criterion.dash.seen")
    assert not any(data["step"] == "shift 100" for data in world.events("step.started"))


async def test_harm_that_somebody_sees_while_a_step_is_held_rolls_back_before_it_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(plan=without_a_time())
    await world.open()
    world.go()
    await world.clock.sleep(2.0)
    set_weight, tried = world.target.set_weight, []

    async def dark(percent: int) -> int:
        if percent == 100:
            tried.append(world.clock.now())
            if len(tried) == 1:
                world.clock.later(5.0, lambda: spoken(world))
            raise UnreachableError("the proxy's socket is gone", hint="wait")
        return await set_weight(percent)

    monkeypatch.setattr(world.target, "set_weight", dark)
    back = await world.passing(world.liftoff().run({"depot": NEW}, {"depot": OLD}))
    assert (back.action, back.rule) == (Action.ROLLBACK, "criterion.dash.seen")
    assert world.clock.now() - tried[0] < 15.0


async def test_harm_that_somebody_sees_at_the_very_end_keeps_the_launch_from_landing() -> None:
    world, liftoff, review = await shifted(World(plan=without_a_time()))
    says(world, "passed")
    assert (await world.passing(review.run())).text == "landed"
    spoken(world)
    with pytest.raises(OutOfSequenceError, match="on its way to be rolled-back"):
        not_leaving(course_of(world.chain))
    back = await world.passing(liftoff.called_back())
    assert (back.action, back.rule) == (Action.ROLLBACK, "criterion.dash.seen")
    with pytest.raises(OutOfSequenceError):  # it is heard of once
        await world.passing(liftoff.called_back())


@pytest.mark.parametrize(
    ("verdict", "seen"),
    [("failed", {"late_s": 60}), ("passed", {}), ("inconclusive", {"item": "application"})],
)
async def test_a_word_that_tells_of_no_harm_brings_nothing_back(
    verdict: str, seen: dict[str, object]
) -> None:
    world, _, review = await shifted(World(plan=_asked()))
    world.clock.later(20.0, lambda: says(world, verdict, **seen))
    assert (await world.passing(review.run())).text == "landed"


async def test_a_roll_up_of_roll_ups_of_an_absent_line_rolls_nothing_back() -> None:
    plan = _asked()
    inner = line("in.a", 3600.0, kind=Kind.ROLLUP, of=("dash.seen", "ok.err"))
    outer = line("out.a", 3600.0, kind=Kind.ROLLUP, of=("in.a",))
    plan = replace(plan, checks=(outer, *plan.checks, inner))
    world, _, review = await shifted(World(plan=plan))
    assert (await world.passing(review.run())).text == "landed"
    assert world.verdicts()["out.a"] == "failed"

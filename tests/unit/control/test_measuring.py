"""A team's metrics beside the guard: harm rolls back, darkness holds and ends by itself, nothing passes unmeasured."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tminus.control.green import Green
from tminus.control.measuring import Measuring
from tminus.control.watch import SLICE
from tminus.domain.expectation import parse
from tminus.domain.guard import Action
from tminus.domain.measurement import Reading
from tminus.domain.metered import MEASURED, Metered
from tminus.domain.metric import Metric, Stage, relative
from tminus.domain.orders import Act
from tminus.domain.traffic import Side
from tminus.errors import InconclusiveError, RecordError, UnreachableError
from tminus.testing import FakeClock, FakeMeter

if TYPE_CHECKING:
    from tests.unit.launch_world import RUNS_NEW, KeySignatory, World
else:
    from launch_world import RUNS_NEW, KeySignatory, World

GONE = UnreachableError("Prometheus does not answer", hint="is it running?")
NOTHING = Reading(())
ERRORS = Metric("errors", "green?", "prometheus", passes=parse("< 1%"), interval=1.0, errors=1)


def measured(*metrics: Metric, speed: float = 3600.0, **answers: list[Any]) -> World:
    """A launch of a plan with these metrics; the answers by the query's first word."""
    world = World(metrics=metrics, speed=speed)
    world.signatory = KeySignatory(world.fate)
    for query, given in answers.items():
        world.meter.tell(f"{query}?", given)
    return world


def rows(world: World) -> list[dict[str, Any]]:
    """What was recorded last of each metric."""
    kept = [event.data for event in world.chain if event.type in {"traffic.seen", MEASURED}][-1]
    return kept["metrics"] if "metrics" in kept else kept["gauges"]["metrics"]  # type: ignore[return-value, call-overload, index] # JSON


async def test_a_metric_that_passes_lands_and_every_measurement_stands_in_the_record() -> None:
    world = measured(ERRORS, green=[0.001])
    assert (await world.launch())["outcome"] == "landed"
    (row,) = rows(world)
    assert (row["metric"], row["verdict"], row["failed"]) == ("errors", "passed", 0)
    kept = [
        each["number"]
        for look in world.events("traffic.seen")
        for each in look["gauges"]["metrics"][0]["measurements"]
    ]
    assert kept == list(range(1, row["taken"] + 1)), "each once, in order"
    assert len(kept) > 3
    assert world.sealed().outcome == "landed"
    assert {system for system, _ in world.meter.asked} == {"prometheus"}


async def test_a_metric_that_fails_rolls_back_by_its_name_with_its_value() -> None:
    world = measured(replace(ERRORS, failures=1), green=[0.001, 0.03, 0.001, 0.04, 0.001])
    assert (await world.launch())["outcome"] == "rolled-back"
    (ended,) = world.events("launch.ended")
    assert ended["rule"] == "metric.errors"
    assert "metric errors: 4%, expected < 1%; measured at" in ended["text"]
    assert "(2 of 4 measurements failed, 1 borne)" in ended["text"]
    assert world.events("traffic.seen")[-1]["action"] == "rollback"
    assert world.sealed().outcome == "rolled-back"
    assert world.harmed() == 0, "no request failed: the guard alone had seen nothing"


async def test_darkness_holds_and_neither_promotes_nor_rolls_back_and_ends_by_itself() -> None:
    world = measured(ERRORS, green=[0.001, *[GONE] * 60, 0.001])
    assert (await world.launch())["outcome"] == "landed"
    held = [data for data in world.events("launch.held") if data["rule"] == "hold.metric"]
    assert held
    assert "Prometheus does not answer (is it running?)" in held[0]["text"]
    assert len(world.meter.asked) > 60, "it was asked all the time"
    assert not world.events("rollback.done")
    assert world.sealed().outcome == "landed"


@pytest.mark.parametrize("answer", [NOTHING, Reading((float("nan"),)), Reading((0.0, 0.0), ("a", "b")), GONE])
async def test_a_metric_that_never_gives_a_number_lands_never(answer: Any) -> None:
    world = measured(ERRORS, green=[answer])
    world.clock.later(40.0, lambda: world.order(Act.ABORT))
    assert (await world.launch())["outcome"] == "aborted"
    done = [data["step"] for data in world.events("step.done")]
    assert "promote" not in done
    assert "hold.metric" in world.rules()
    assert rows(world)[0]["verdict"] in {"inconclusive", "error"}


async def test_a_person_may_let_it_go_on_and_it_is_measured_again() -> None:
    world = measured(ERRORS, green=[NOTHING])
    measuring = Measuring((ERRORS,), world.meter, world.clock)
    measuring.enter(Stage.SHIFT)
    await _one(measuring, world)
    assert "it gives nothing, which is not zero" in measuring.unknown()
    measuring.resume(world.clock.now())
    measuring.poll(world.clock.now())
    assert measuring.unknown() == ""
    await measuring.stop()


async def _one(measuring: Measuring, world: World) -> None:
    """Let one measurement be taken."""
    measuring.poll(world.clock.now())
    await asyncio.gather(*measuring._tasks.values())
    measuring.poll(world.clock.now())


async def test_the_end_of_the_shift_waits_for_the_count() -> None:
    world = measured(replace(ERRORS, count=30, ends=Stage.SHIFT), green=[0.001])
    assert (await world.launch())["outcome"] == "landed"
    waits = [data["text"] for data in world.events("launch.held") if data["rule"] == "hold.metric"]
    assert any("of 30 measurements yet" in text for text in waits)
    assert rows(world)[0]["taken"] == 30, "and no more is measured than is asked for"
    keys = [event.key for event in world.chain]
    assert keys.index("done:promote") > keys.index("hold:metrics of the shift #0")
    assert world.sealed().outcome == "landed"


async def test_blue_does_not_end_before_the_soak_was_measured() -> None:
    world = measured(replace(ERRORS, count=20, begins=Stage.SOAK), green=[0.001] * 19 + [0.5])
    assert (await world.launch())["outcome"] == "rolled-back"
    assert "end blue" not in [data["step"] for data in world.events("step.done")]
    assert "promote" in [data["step"] for data in world.events("step.done")]
    assert world.target.sides[Side.BLUE].running


async def test_the_first_measurement_comes_after_its_delay() -> None:
    world = measured(replace(ERRORS, delay=3.0), green=[0.001])
    await world.launch()
    begun = rows(world)[0]["begun"]
    first = next(
        each["at"]
        for look in world.events("traffic.seen")
        for each in look["gauges"]["metrics"][0]["measurements"]
    )
    assert 3.0 <= first - begun <= 3.6


async def test_a_baseline_beside_it_is_asked_of_blue_and_compared() -> None:
    metric = Metric(
        "p95",
        "${side}?",
        "prometheus",
        relative=relative("<= baseline x 1.1 + 10 ms"),
        baseline="blue",
        interval=1.0,
    )
    world = measured(metric, green=[0.12], blue=[0.1])
    assert (await world.launch())["outcome"] == "landed"
    assert rows(world)[0]["last"]["baseline"] == 0.1
    world = measured(metric, green=[0.13], blue=[0.1])
    assert (await world.launch())["outcome"] == "rolled-back"
    assert (
        "0.13 beside a baseline of 0.1, expected <= baseline x 1.1 + 10 ms"
        in world.events("launch.ended")[0]["text"]
    )


async def test_a_baseline_from_before_is_read_once_before_anything_changes() -> None:
    metric = Metric(
        "p95",
        "${side}?",
        "prometheus",
        relative=relative("<= baseline + 10%"),
        baseline="before",
        interval=1.0,
    )
    world = measured(metric, green=[0.12], blue=[NOTHING, 0.1])
    assert (await world.launch())["outcome"] == "rolled-back"
    steps = [data["step"] for data in world.events("step.done")]
    assert steps[:3] == ["initiate", "baseline", "back up"]
    assert [query for _, query in world.meter.asked].count("blue?") == 2, "again until it was a number"
    assert world.rules()[0] == "hold.blind"
    assert "the metric p95 has no baseline: it gives nothing" in world.events("launch.held")[0]["text"]


async def test_a_measurement_that_hangs_delays_no_judgement() -> None:
    world = measured(ERRORS, green=[0.001])
    asked = asyncio.Event()

    async def never(system: str, query: str) -> Reading:
        del system, query
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    world.meter.read = never  # type: ignore[method-assign] # a Prometheus that hangs
    status = await world.target.start(Side.GREEN, RUNS_NEW)
    await world.clock.sleep(5.0)
    await world.target.set_weight(50)
    world.watch.note_weight(50)
    measuring = world.watch.measuring
    assert measuring is not None
    measuring.enter(Stage.SHIFT)
    seen = await world.watch.slice(Green(status.started, status.digest), SLICE)
    assert asked.is_set()
    assert seen.action is Action.CONTINUE
    assert seen.seconds == pytest.approx(SLICE)
    await measuring.stop()


async def test_a_later_process_goes_on_from_what_is_recorded() -> None:
    clock, meter = FakeClock(), FakeMeter()
    meter.tell("green?", [0.03])
    metric = replace(ERRORS, failures=2)
    first = Measuring((metric,), meter, clock)
    first.enter(Stage.SHIFT)
    first.poll(clock.now())
    await asyncio.gather(*first._tasks.values())
    first.poll(clock.now())
    kept = first.gauge()
    await clock.sleep(60.0)
    second = Measuring((metric,), meter, clock)
    second.enter(Stage.SHIFT)
    second.recall(kept)
    (row,) = second.gauge()
    assert isinstance(row, dict)
    assert isinstance(kept[0], dict)
    assert (row["failed"], row["begun"]) == (1, kept[0]["begun"]), "the delay does not begin anew"
    assert row["measurements"] == [], "which stand in the record already"
    assert isinstance(kept[0]["measurements"], list)
    assert len(kept[0]["measurements"]) == 1


@pytest.mark.parametrize("harm", [False, True])
async def test_a_crash_at_many_moments_neither_hides_harm_nor_lands_unmeasured(harm: bool) -> None:  # noqa: FBT001 - what is tried
    def world_of() -> World:
        return measured(replace(ERRORS, count=6, failures=1), green=[0.001, 0.002, 0.03 if harm else 0.001])

    clean = world_of()
    ending = await clean.launch()
    assert ending["outcome"] == ("rolled-back" if harm else "landed")
    for moment in range(3, len(clean.fate.moments), 37):
        world = world_of()
        world.fate.dies_at = moment
        result = await world.launch()
        told = f"crash at moment {moment}, {clean.fate.moments[moment]!r}"
        assert result["outcome"] == ending["outcome"], told
        assert world.sealed().outcome == ending["outcome"], told


class TestVerify:
    """What `tminus verify` says of a record whose metrics do not fit what was done."""

    @staticmethod
    async def forged(**changes: Any) -> World:
        world = measured(ERRORS, green=[0.001])
        await world.launch()
        for event in world.chain:
            gauges = event.data["gauges"] if event.type == "traffic.seen" else event.data
            if isinstance(gauges, dict) and isinstance(found := gauges.get("metrics"), list):
                assert isinstance(found[0], dict)
                found[0].update(changes)
        return world

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"verdict": "failed"}, "the metric errors had failed, and the launch went on"),
            ({"verdict": "error"}, "landed while the metric errors was error"),
            ({"passed": 10**6}, "are not as they are recorded"),
            ({"passed": -1}, "are not as they are recorded"),
            ({"passed": 0}, "are not as they are recorded"),
            ({"verdict": "fine"}, "are not as they are recorded"),
        ],
    )
    async def test_it_is_refused(self, changes: dict[str, Any], words: str) -> None:
        world = await self.forged(**changes)
        with pytest.raises(RecordError, match=words):
            _judged(world)


def _judged(world: World) -> None:
    """Judge the chain as it stands, each event by its meaning alone."""
    metered = Metered()
    for event in world.chain:
        if event.type in {"traffic.seen", MEASURED}:
            metered.take(event)
        elif event.type == "launch.ended":
            metered.end(str(event.data["outcome"]))


async def test_a_baseline_that_cannot_be_read_is_told_at_once() -> None:
    meter = FakeMeter()
    meter.tell("blue?", [Reading((0.1, 0.2), ("a", "b"))])
    metric = Metric(
        "p95", "${side}?", "prometheus", relative=relative("<= baseline + 10%"), baseline="before"
    )
    with pytest.raises(InconclusiveError, match="has no baseline: it gives 2 series"):
        await Measuring((metric,), meter, FakeClock()).begin()

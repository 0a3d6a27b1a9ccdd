"""Whole launches in virtual time: how they end, and by which rule."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tminus.control.launch import Launch
from tminus.control.opening import Binding
from tminus.control.ports import Json
from tminus.control.rollback import TRIES
from tminus.domain.course import STUCK
from tminus.domain.evidence import Observation
from tminus.domain.orders import Act
from tminus.domain.plan import Rollout, Rung
from tminus.domain.traffic import Side
from tminus.errors import RolloutError, UnreachableError
from tminus.testing.stage import BY_HAND

if TYPE_CHECKING:
    from tests.unit.launch_world import (
        NAME,
        NEW,
        OLD,
        PLAN,
        RUNS_NEW,
        RUNS_OLD,
        KeySignatory,
        World,
        with_line,
    )
else:
    from launch_world import NAME, NEW, OLD, PLAN, RUNS_NEW, RUNS_OLD, KeySignatory, World, with_line


def sealed_world(release: str) -> World:
    world = World(release=release)
    world.signatory = KeySignatory(world.fate)
    return world


async def test_a_good_release_lands() -> None:
    world = World()
    result = await world.launch()
    assert result["outcome"] == "landed"
    assert set(world.verdicts().values()) == {"passed", "not-applicable"}
    assert world.verdicts().keys() == {
        check.id for check in PLAN.checks if not check.id.startswith("sign.")
    }, "every line has a verdict"
    assert world.harmed() == 0
    assert world.traffic.weight == 100
    assert not world.target.sides[Side.BLUE].running
    assert world.target.sides[Side.GREEN].digest == RUNS_NEW


async def test_a_landed_launch_says_what_users_met() -> None:
    world = World()
    await world.launch()
    (ended,) = world.events("launch.ended")
    assert ended["requests"] == len(world.watch.outcomes()) > 500
    assert ended["failed"] == 0


@pytest.mark.parametrize(("release", "rule"), [("errors", "a1"), ("slow", "b1")])
async def test_a_bad_release_is_rolled_back_by_the_rule_that_sees_it(release: str, rule: str) -> None:
    world = World(release=release)
    result = await world.launch()
    (ended,) = world.events("launch.ended")
    assert (result["outcome"], ended["rule"]) == ("rolled-back", rule)
    assert world.traffic.weight == 0
    assert not world.target.sides[Side.GREEN].running
    (proof,) = world.events("rollback.proved")
    assert proof["as_before"]
    assert proof["up"]
    assert proof["schema_compatible"]
    (seen,) = world.events("rollback.seen")
    assert seen["blue"] > 100
    assert seen["green"] == 0


def sealed_and_inspected() -> World:
    world = World(inspected=True)
    world.signatory = KeySignatory(world.fate)
    return world


async def test_the_data_is_read_before_anything_changes_and_a_whole_one_lands() -> None:
    world = sealed_and_inspected()
    assert (await world.launch())["outcome"] == "landed"
    steps = [data["step"] for data in world.events("step.done")]
    assert steps[:4] == ["initiate", "data", "back up", "migrate"]
    (read,) = [data for data in world.events("step.done") if data["step"] == "data"]
    assert (read["invariants"], read["floors"]) == (2, {"rows": 100})
    assert {data["gauges"]["data"]["unseen"] for data in world.events("traffic.seen")} == {""}
    assert world.sealed().outcome == "landed"


@pytest.mark.parametrize("speed", [3600.0, 600.0])
async def test_damaged_rows_are_rolled_back_while_every_answer_is_right(speed: float) -> None:
    world = sealed_and_inspected()
    world.speed = speed
    percent = 50 if speed == 3600.0 else 100
    world.target.after_weight[percent] = lambda: world.clock.later(
        1.0, lambda: world.data.now.update(rows=97, orphans=2)
    )
    result = await world.launch()
    (ended,) = world.events("launch.ended")
    assert (result["outcome"], ended["rule"]) == ("rolled-back", "trigger.corruption")
    assert "rows: found 97, expected >= 100, as before the shift; orphans: found 2" in ended["text"]
    assert ended["failed"] == world.harmed() == 0
    (left,) = world.events("rollback.data")
    assert left == ended["data"]
    assert [row["invariant"] for row in left["broken"]] == ["rows", "orphans"]
    assert left["decide"] == (
        "traffic is back on blue, but that repairs no row: a person decides whether to restore "
        "the backup backup.dump, taken before the migration"
    )
    assert world.sealed().outcome == "rolled-back"


async def test_damage_in_the_soak_is_rolled_back() -> None:
    world = sealed_and_inspected()
    world.speed = 600.0
    world.boot()
    world.target.after_weight[100] = lambda: world.clock.later(6.0, lambda: world.data.now.update(orphans=1))
    assert (await world.launch())["outcome"] == "rolled-back"
    (ended,) = world.events("launch.ended")
    assert ended["rule"] == "trigger.corruption"
    assert [data["where"] for data in world.events("traffic.seen")][-1].startswith(
        "watch soak until T+01:00:00"
    )


async def test_a_launch_that_went_back_for_another_reason_says_that_the_data_is_whole() -> None:
    world = World(release="errors", inspected=True)
    await world.launch()
    (left,) = world.events("rollback.data")
    assert (left["text"], left["decide"]) == ("all 2 invariants of the data hold", "")


async def test_a_database_that_is_gone_at_the_end_leaves_the_data_to_a_person() -> None:
    world = World(release="errors", inspected=True)
    gone = UnreachableError("PostgreSQL does not answer", hint="is it running?")
    world.target.after_weight[50] = lambda: setattr(world.data, "error", gone)
    await world.launch()
    (left,) = world.events("rollback.data")
    assert left["broken"] == []
    assert "PostgreSQL does not answer" in left["text"]
    assert left["decide"].startswith("whether it is whole is not known: a person decides")


async def test_data_that_was_damaged_before_is_met_by_no_release() -> None:
    world = World(inspected=True)
    world.data.now["orphans"] = 5
    assert (await world.launch())["outcome"] == "rolled-back"
    (ended,) = world.events("launch.ended")
    assert ended["rule"] == "step.failed"
    assert "damaged before the release has met it: orphans: found 5" in ended["text"]
    assert not world.target.sides[Side.GREEN].running


async def test_a_rollback_is_decided_before_a_person_could_have_looked() -> None:
    world = World(release="errors")
    await world.launch()
    (ended,), (shifted, *_) = (
        world.events("launch.ended"),
        [e for e in world.chain if e.key == "done:shift 50"],
    )
    shifted_at = next(item.at for item in world.traffic.items(0) if hasattr(item, "percent"))
    assert ended["at"] - shifted_at < 2.0
    assert shifted.type == "step.done"
    assert 0 < world.harmed() < 30


FAILINGS: dict[str, tuple[Callable[[World], None], str]] = {
    "died": (lambda world: world.target.change(Side.GREEN, running=False, up=False), "died"),
    "restarted": (lambda world: world.target.change(Side.GREEN, started=1.0), "restarted"),
    "ejected": (lambda world: world.target.change(Side.GREEN, up=False), "ejected"),
    "replaced": (lambda world: world.target.change(Side.GREEN, digest="sha256:other"), "replaced"),
}


@pytest.mark.parametrize("how", FAILINGS)
@pytest.mark.parametrize("percent", [50, 100])
async def test_a_green_that_failed_without_being_asked_is_rolled_back(how: str, percent: int) -> None:
    world = World()
    act, word = FAILINGS[how]
    world.target.after_weight[percent] = lambda: world.clock.later(1.0, lambda: act(world))
    result = await world.launch()
    (ended,) = world.events("launch.ended")
    assert (result["outcome"], ended["rule"]) == ("rolled-back", "green.died")
    assert word in ended["text"]
    assert world.traffic.weight == 0


async def test_a_green_that_dies_in_the_soak_is_rolled_back() -> None:
    world = World(speed=600.0)
    world.target.after_weight[100] = lambda: world.clock.later(5.0, lambda: FAILINGS["died"][0](world))
    result = await world.launch()
    assert result["outcome"] == "rolled-back"
    assert "T+01:00:00" in world.events("traffic.seen")[-1]["where"]


async def test_a_proxy_that_cannot_be_reached_holds_and_never_rolls_back_blind() -> None:
    clean = World()
    await clean.launch()
    for call in range(clean.target.calls):
        world = World()
        world.target.unreachable = {call, call + 1, call + 2}
        result = await world.launch()
        assert result["outcome"] == "landed", f"call {call}"
        assert world.harmed() == 0
    assert clean.target.calls > 40


async def test_a_proxy_that_cannot_be_reached_is_told_as_a_hold() -> None:
    world = World()
    world.target.unreachable = {0}
    await world.launch()
    assert world.rules() == ["hold.blind"]
    (held,) = world.events("launch.held")
    assert held["where"] == "initiate"
    assert "does not answer" in held["text"]


async def test_a_rollback_is_insisted_on_while_the_proxy_does_not_answer() -> None:
    clean = World(release="errors")
    await clean.launch()
    last = clean.target.calls
    for call in range(last - 4, last):
        world = World(release="errors")
        world.target.unreachable = {call, call + 1, call + 2}
        assert (await world.launch())["outcome"] == "rolled-back", f"call {call} of {last}"
        assert world.traffic.weight == 0


async def test_lost_log_lines_hold_until_they_are_few_again() -> None:
    world = World()

    def lose() -> None:
        world.traffic.loss = 0.5
        world.clock.later(0.2, lambda: setattr(world.traffic, "loss", 0.0))

    world.target.after_weight[50] = lambda: world.clock.later(0.5, lose)
    result = await world.launch()
    assert result["outcome"] == "landed"
    assert set(world.rules()) == {"hold.blind"}
    assert "log lines were lost" in world.events("launch.held")[0]["text"]


async def test_no_traffic_holds_until_there_is_some() -> None:
    world = World()

    def leave() -> None:
        world.traffic.flow()
        world.traffic.rate = 0.0
        world.clock.later(30.0, come_back)

    def come_back() -> None:
        world.traffic.flow()
        world.traffic.rate = 100.0

    world.target.after_weight[50] = lambda: world.clock.later(0.5, leave)
    result = await world.launch()
    assert result["outcome"] == "landed"
    # The prober gets answers that no line tells of: that is a silent log rather than a service without users.
    assert "hold.blind" in world.rules()


async def test_a_rung_waits_for_its_number_of_requests() -> None:
    ladder = (Rung(50, 1.0, 200), Rung(100, 1.0, 100))
    world = World(plan=replace(PLAN, rollout=Rollout(ladder, 5.0)))
    assert (await world.launch())["outcome"] == "landed"
    rung = [data for data in world.events("traffic.seen") if data["where"].startswith("watch 50 %")]
    assert [data["proven"] for data in rung] == [False] * (len(rung) - 1) + [True]
    assert rung[-1]["share"]["green"] >= 200


async def test_a_weight_that_is_read_back_wrong_is_rolled_back() -> None:
    world = World()
    world.target.misread[50] = 40
    result = await world.launch()
    (ended,) = world.events("launch.ended")
    assert (result["outcome"], ended["rule"]) == ("rolled-back", "step.failed")
    assert "50 % was set, but 40 % is read back" in ended["text"]


async def test_a_migration_that_breaks_the_old_release_is_rolled_back_before_any_traffic() -> None:
    world = World()
    blue = world.target.private_url(Side.BLUE)
    world.database.on_migrate = lambda: world.smoke.found.update({blue: ["login fails: no column"]})
    result = await world.launch()
    (ended,) = world.events("launch.ended")
    assert (result["outcome"], ended["rule"]) == ("rolled-back", "step.failed")
    assert "the old release fails on the new schema: login fails" in ended["text"]
    assert world.verdicts()["t0.migrate"] == "failed"
    assert not any("set weight" in what and what != "set weight 0" for _, what in world.fate.acts)
    (proof,) = world.events("rollback.proved")
    assert not proof["schema_compatible"]


async def test_failing_smoke_tests_roll_back_with_no_user_harmed() -> None:
    world = World()
    world.smoke.found[world.target.private_url(Side.GREEN)] = ["upload fails"]
    result = await world.launch()
    assert result["outcome"] == "rolled-back"
    assert world.verdicts()["t0.smoke"] == "failed"
    assert world.harmed() == 0
    assert not any(outcome.side is Side.GREEN for outcome in world.watch.outcomes())


async def test_a_green_that_runs_something_else_is_rolled_back() -> None:
    world = World()
    world.target.started_as[RUNS_NEW] = "sha256:something-else"
    assert (await world.launch())["outcome"] == "rolled-back"
    assert f"instead of sha256:{NEW}" in world.events("launch.ended")[0]["text"]


def rolled_out(world: World) -> list[str]:
    """What was done to the service: nothing as long as users are not known to be on blue."""
    return [
        what for _, what in world.fate.acts if what.partition(" ")[0] in {"set", "start", "stop", "migrate"}
    ]


async def test_a_blue_that_is_not_the_recorded_release_stops_the_launch_at_its_first_step() -> None:
    world = World()
    world.target.change(Side.BLUE, digest="sha256:unknown")
    assert (await world.launch())["outcome"] == "aborted"
    assert world.verdicts()["t0.bg"] == "failed"
    assert not rolled_out(world), "nobody knows where users belong"


async def test_users_who_are_on_green_already_stay_there_and_the_launch_ends() -> None:
    world = World()
    await world.target.start(Side.GREEN, world.target.sides[Side.BLUE].digest)
    await world.target.set_weight(100)
    world.fate.acts.clear()
    result = await world.launch()
    (ended,) = world.events("launch.ended")
    assert (result["outcome"], ended["rule"]) == ("aborted", "step.failed")
    assert "green has a weight of 100 already; a launch begins with all requests on blue" in ended["text"]
    assert "the two have changed places" in ended["text"]
    assert not rolled_out(world)
    assert (await world.target.status(Side.GREEN)).weight == 100


async def test_a_release_that_cannot_be_rolled_out_ends_the_launch_before_the_backup(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()

    async def prepare(digest: str) -> Json:
        raise RolloutError(f"{digest}: .spec.rules belongs to helm", hint="hand it to tminus")

    monkeypatch.setattr(world.target, "prepare", prepare)
    assert (await world.launch())["outcome"] == "aborted"
    assert not rolled_out(world)


async def test_a_success_criterion_that_fails_rolls_back_while_blue_stands() -> None:
    world = World()
    world.observer.scripts["ok.err"] = [Observation(0.02)]
    result = await world.launch()
    (ended,) = world.events("launch.ended")
    assert (result["outcome"], ended["rule"]) == ("rolled-back", "criterion.ok.err")
    assert "failed at T+01:00:00" in ended["text"]
    assert world.target.sides[Side.BLUE].running


async def test_an_advisory_line_that_fails_rolls_nothing_back() -> None:
    world = World()
    world.observer.scripts["ok.logs"] = [Observation(["a line without a level"])]
    assert (await world.launch())["outcome"] == "landed"
    assert world.verdicts()["ok.logs"] == "failed"


async def test_an_unknown_criterion_is_looked_at_again() -> None:
    world = World()
    unseen = UnreachableError("no answer", hint="wait")
    world.observer.scripts["ok.err"] = [unseen, unseen, Observation(0.0)]
    assert (await world.launch())["outcome"] == "landed"
    keys = [event.key for event in world.chain if event.key.startswith("check:ok.err@")]
    assert keys == [
        "check:ok.err@T+01:00:00",
        "check:ok.err@T+01:00:00 try 1",
        "check:ok.err@T+01:00:00 try 2",
    ]


async def test_a_launch_does_not_land_while_a_criterion_is_unknown_and_green_dies() -> None:
    world = World()
    world.observer.scripts["ok.err"] = [UnreachableError("no answer", hint="wait")]
    world.target.after_weight[100] = lambda: world.clock.later(20.0, lambda: FAILINGS["died"][0](world))
    assert (await world.launch())["outcome"] == "rolled-back"
    assert len([e for e in world.chain if e.key.startswith("check:ok.err@")]) > 2


async def test_a_person_aborts() -> None:
    world = World()
    world.target.after_weight[50] = lambda: world.order(Act.ABORT, "the wrong release")
    result = await world.launch()
    (ended,) = world.events("launch.ended")
    assert (result["outcome"], ended["rule"]) == ("aborted", "person.abort")
    assert ended["text"] == "Lena Ortiz ordered abort: the wrong release"
    assert world.traffic.weight == 0


async def test_a_person_rolls_back() -> None:
    world = World()
    world.target.after_weight[100] = lambda: world.order(Act.ROLLBACK, "users complain")
    result = await world.launch()
    (ended,) = world.events("launch.ended")
    assert (result["outcome"], ended["rule"]) == ("rolled-back", "person.rollback")
    assert ended["text"] == "Lena Ortiz ordered rollback: users complain"


async def test_a_hold_on_evidence_ends_by_a_person_s_word_and_by_nothing_else() -> None:
    world = World()

    def heal() -> None:
        world.traffic.flow()
        world.traffic.behaviour[Side.GREEN] = replace(world.traffic.behaviour[Side.GREEN], errors=0.0)

    ladder = (Rung(50, 20.0, 100), Rung(100, 2.0, 100))
    world.plan = replace(PLAN, rollout=Rollout(ladder, 5.0))
    world.traffic.behaviour[Side.GREEN] = replace(world.traffic.behaviour[Side.GREEN], errors=0.04)
    world.traffic.behaviour[Side.BLUE] = replace(world.traffic.behaviour[Side.BLUE], errors=0.04)
    world.target.after_weight[50] = lambda: world.clock.later(15.0, heal)
    world.clock.later(60.0, lambda: world.order(Act.RESUME, "blue does it too"))
    assert (await world.launch())["outcome"] == "landed"
    assert world.rules() == ["hold.errors"], "recorded once"
    held = [data for data in world.events("traffic.seen") if data["action"] == "hold"]
    assert len(held) >= 6, "healed, it held on until somebody said so"
    (order,) = world.events("order.taken")
    assert order["text"] == "Lena Ortiz ordered resume: blue does it too"


async def test_a_rollback_that_cannot_be_read_back_calls_people_and_is_tried_on() -> None:
    world = World(release="errors")

    def misread_for_two_minutes() -> None:
        world.target.misread[0] = 7
        world.clock.later(120.0, world.target.misread.clear)

    world.target.after_weight[50] = misread_for_two_minutes
    assert (await world.launch())["outcome"] == "rolled-back"
    (held,) = [data for data in world.events("launch.held") if data["rule"] == STUCK]
    assert "green still has a weight" in held["text"]
    assert held["by_hand"] == world.events("launch.opened")[0]["by_hand"], (
        "they were printed, and are told again"
    )
    assert [what for _, what in world.fate.acts].count("set weight 0") > TRIES


async def test_what_rolls_back_by_hand_stands_in_the_record_also_where_the_opening_does_not_know_it() -> None:
    world = World()
    binding = Binding(NAME, {"depot": NEW}, {"depot": OLD}, world.t0, world.speed, (), asks=False)
    world.code = lambda engine: Launch(binding, world.boot(), engine).run()
    await world.launch()
    assert world.events("launch.opened")[0]["by_hand"] == []
    assert world.events("rollback.told") == [{"by_hand": list(BY_HAND)}]
    assert world.chain[1].type == "rollback.told"
    told = World()
    await told.launch()
    assert told.events("rollback.told") == []


async def test_a_backup_that_fails_is_seen_by_its_line_and_refuses_go() -> None:
    world = World()
    world.database.errors["back up"] = [UnreachableError("no database", hint="start it")]
    world.observer.scripts["bk.db"] = [Observation(["there is no backup"])]
    result = await world.launch()
    assert result["outcome"] == "no-go"
    assert world.events("act.done")[0]["failed"] == "no database (start it)"
    assert world.verdicts()["t2.backup"] == "failed"
    assert not any(what.startswith(("migrate", "start", "set weight")) for _, what in world.fate.acts)


async def test_a_migration_that_fails_is_rolled_back() -> None:
    world = World()
    world.database.errors["migrate"] = [RolloutError("no space", hint="make some")]
    assert (await world.launch())["outcome"] == "rolled-back"
    assert world.verdicts()["t0.migrate"] == "failed"
    assert world.target.sides[Side.BLUE].digest == RUNS_OLD


@pytest.mark.parametrize("ending", ["landed", "rolled-back", "no-go"])
async def test_the_record_proves_the_ending(ending: str) -> None:
    world = sealed_world("errors" if ending == "rolled-back" else "good")
    if ending == "no-go":
        world.observer.scripts["cfg.env"] = [Observation(["DEPOT_TOKEN is missing"])]
    assert (await world.launch())["outcome"] == ending
    report = world.sealed()
    assert report.trusted
    assert (report.outcome, report.lines, report.omitted) == (ending, 16, 2)
    assert report.decision is not None
    assert report.decision.decision == ("no-go" if ending == "no-go" else "go")
    assert {vote.role for vote in report.sign_offs} == {"devops", "qa"}
    assert report.simulated
    assert report.notes == ()


async def test_a_plan_whose_lines_are_due_before_its_first_milestone_has_them_observed_all_the_same() -> None:
    world = World(plan=with_line(PLAN, "cfg.env", due=-9999.0))
    assert (await world.launch())["outcome"] == "landed"
    (key,) = [e.key for e in world.chain if e.key.startswith("check:cfg.env@")]
    assert key.startswith("check:cfg.env@event ")

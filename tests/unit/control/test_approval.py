"""The poll and the decision: GO is refused while the gate is closed, whoever asks."""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tminus.domain.evidence import Freshness, Observation
from tminus.domain.orders import Act
from tminus.domain.plan import Severity
from tminus.engine.memory import MemorySteps
from tminus.errors import OutOfSequenceError, UnreachableError
from tminus.testing.people import Seen

if TYPE_CHECKING:
    from tests.unit.launch_world import NAME, PLAN, KeySignatory, World, line, with_line
else:
    from launch_world import NAME, PLAN, KeySignatory, World, line, with_line

GO = {"decision": "go", "reason": "all green"}


async def polled(world: World) -> World:
    """Everything up to the signatures, a minute before T-0."""
    await world.open()
    world.time.launch.ahead = 7140.0
    await world.readiness.observe([c for c in world.plan.before_go() if c.id != "never"], "T-2h")
    await world.approval().poll(NAME, world.readiness)
    return world


async def decided(world: World, wish: dict[str, Any] = GO) -> tuple[str, str]:
    word = await world.approval().decide(NAME, {**wish}, world.readiness)
    (made,) = world.events("decision.made")
    assert made["decision"] == word
    return word, made["reason"]


def says(world: World, decision: str, reason: str) -> None:
    """Have the person who decides say it, by the same key however often, as soon as time passes."""
    world.clock.later(0.0, lambda: world.tell("decision", {"decision": decision, "reason": reason}, "1"))


def signed(world: World) -> dict[str, dict[str, Any]]:
    texts = {}
    for data in world.events("signoff.given"):
        statement = json.loads(b64decode(data["envelope"]["payload"]))
        texts[data["role"]] = statement["predicate"]
    return texts


async def test_an_open_gate_and_every_signature_are_go() -> None:
    world = await polled(World())
    assert await decided(world) == ("go", "all green")
    assert {role: text["decision"] for role, text in signed(world).items()} == {"devops": "go", "qa": "go"}


@pytest.mark.parametrize(
    ("seen", "obstacle"),
    [
        (
            Observation(["a variable is missing"]),
            "cfg.env is failed (a variable is missing, expected empty; mend cfg.env)",
        ),
        (UnreachableError("no answer", hint="wait"), "cfg.env is unknown (no answer; wait)"),
        (Observation(None), "cfg.env is unknown (None, expected empty; mend cfg.env)"),
    ],
)
async def test_a_line_that_is_not_green_refuses_go_with_its_reason(seen: Seen, obstacle: str) -> None:
    world = World()
    world.observer.scripts["cfg.env"] = [seen]
    await polled(world)
    word, reason = await decided(world)
    assert word == "no-go"
    assert reason == f"GO is refused: {obstacle}; DevOps Lead said no-go; QA Lead said no-go"


async def test_a_line_that_was_never_observed_refuses_go() -> None:
    plan = replace(PLAN, checks=(*PLAN.checks, line("never", -60.0)))
    word, reason = await decided(await polled(World(plan=plan)))
    assert word == "no-go"
    assert "never is pending (never observed)" in reason


async def test_what_grows_stale_between_signature_and_decision_refuses_go() -> None:
    world = World(plan=with_line(PLAN, "cfg.env", fresh=Freshness("live", seconds=60)))
    await polled(world)
    assert signed(world)["qa"]["decision"] == "go"
    await world.clock.sleep(61)
    word, reason = await decided(world)
    assert (word, "cfg.env is stale" in reason) == ("no-go", True)


async def test_every_obstacle_is_named() -> None:
    world = World()
    world.observer.scripts |= {"cfg.env": [Observation(["x"])], "bk.db": [Observation(["y"])]}
    _, reason = await decided(await polled(world))
    for name in ("cfg.env is failed", "bk.db is failed", "t2.backup is failed"):
        assert name in reason


async def test_one_signer_who_says_no_go_is_enough() -> None:
    world = World()
    await world.open()
    world.time.launch.ahead = 7140.0
    await world.readiness.observe(world.plan.before_go(), "T-2h")
    world.observer.scripts["cfg.env"] = [Observation(["x"]), Observation([])]
    await world.readiness.observe([PLAN.check("cfg.env")], "bad moment")
    await world.approval().poll(NAME, world.readiness)
    await world.readiness.observe([PLAN.check("cfg.env")], "good again")
    assert (await world.approval().gate(world.readiness)).open
    words = "DevOps Lead said no-go; QA Lead said no-go; cfg.env has changed since it was signed"
    assert await decided(world) == ("no-go", f"GO is refused: {words}")


async def test_a_role_that_did_not_sign_refuses_go() -> None:
    world = await polled(World())
    role = replace(PLAN.roles[2], id="cto", title="CTO", person="Chiyo Tanaka")
    world.plan = replace(PLAN, roles=(*PLAN.roles, role))
    assert await decided(world) == ("no-go", "GO is refused: CTO said nothing")


async def test_a_plan_without_lines_is_never_go() -> None:
    world = World(plan=replace(PLAN, checks=()))
    word, reason = await decided(await polled(world))
    assert word == "no-go"
    assert "no line that GO judges was observed" in reason


async def test_a_person_s_no_go_stands_with_its_reason() -> None:
    world = await polled(World())
    assert await decided(world, {"decision": "no-go", "reason": "not today"}) == ("no-go", "not today")


async def test_nobody_s_word_is_no_go() -> None:
    world = World(asks=True)
    began = world.clock.now()
    assert (await world.launch())["outcome"] == "no-go"
    assert world.events("decision.made")[0]["reason"] == "nobody decided within 15 minutes"
    assert world.clock.now() - began >= 900


@pytest.mark.parametrize(("word", "outcome"), [("go", "landed"), ("no-go", "no-go")])
async def test_a_person_s_word_decides(word: str, outcome: str) -> None:
    world = World(asks=True)
    for decision, reason in ((word, "the lead says so"), ("go", "a second time")):
        says(world, decision, reason)
    assert (await world.launch())["outcome"] == outcome
    (made,) = world.events("decision.made")
    assert (made["by"], made["reason"]) == ("Lena Ortiz", "the lead says so")
    assert world.events("decision.asked") == [{"minutes": 15}]


async def test_a_person_s_go_over_a_closed_gate_is_refused() -> None:
    world = World(asks=True)
    world.observer.scripts["cfg.env"] = [Observation(["x"])]
    says(world, "go", "I insist")
    assert (await world.launch())["outcome"] == "no-go"
    assert world.events("decision.made")[0]["reason"].startswith("GO is refused: cfg.env is failed")


async def test_a_warned_line_passes_and_stands_in_the_signed_text() -> None:
    world = World()
    world.observer.scripts["cfg.env"] = [Observation([], remarks=("an old name is still set",))]
    assert (await decided(await polled(world)))[0] == "go"
    text = signed(world)["devops"]
    assert text["warned"] == ["cfg.env"]
    assert "cfg.env" in text["note"]
    assert text["omitted"]["text"] == "2 of 16 lines are not in this plan"
    assert text["not_applicable"] == ["t2.maint"]


async def test_an_advisory_line_that_failed_does_not_refuse_go() -> None:
    world = World(plan=with_line(PLAN, "cfg.env", severity=Severity.ADVISORY))
    world.observer.scripts["cfg.env"] = [Observation(["x"])]
    assert (await decided(await polled(world)))[0] == "go"


async def test_the_poll_looks_again_at_what_is_stale_or_unknown_and_at_nothing_else() -> None:
    world = World(plan=with_line(PLAN, "cfg.env", fresh=Freshness("live", seconds=60)))
    await world.open()
    world.observer.scripts["bk.db"] = [UnreachableError("gone", hint="wait")]
    await world.readiness.observe(world.plan.before_go(), "T-2h")
    await world.clock.sleep(61)
    await world.approval().freshen(world.readiness)
    again = {event.key for event in world.chain if event.key.endswith("@poll")}
    assert again == {"check:cfg.env@poll", "check:t2.backup@poll"}, "an event cannot be observed afterwards"


async def test_without_a_poll_nothing_can_be_decided() -> None:
    world = World()
    await world.open()
    with pytest.raises(OutOfSequenceError, match="no poll is open"):
        await world.approval().decide(NAME, {**GO}, world.readiness)


async def test_a_decision_made_is_not_made_again() -> None:
    world = await polled(World())
    assert (await decided(world))[0] == "go"
    world.observer.scripts["cfg.env"] = [Observation(["x"])]
    await world.readiness.observe([PLAN.check("cfg.env")], "later")
    world.boot()
    await world.approval().poll(NAME, world.readiness)
    assert await world.approval().decide(NAME, {**GO}, world.readiness) == "go"


async def test_simulated_people_acknowledge_a_warned_blocker_before_they_sign() -> None:
    world = World()
    world.observer.scripts["bk.db"] = [Observation([], remarks=("it took long",))]
    await polled(world)
    (said,) = world.events("warning.acknowledged")
    assert (said["check"], said["by"], said["simulated"]) == ("bk.db", "Lena Ortiz", True)
    assert "it took long" in said["because"]
    assert await decided(world) == ("go", "all green")


async def test_nothing_is_acknowledged_in_the_name_of_a_real_person() -> None:
    mixed = replace(PLAN, roles=tuple(replace(role, simulated=not role.decides) for role in PLAN.roles))
    world = World(plan=mixed)
    world.observer.scripts["bk.db"] = [Observation([], remarks=("it took long",))]
    await polled(world)
    (said,) = world.events("warning.acknowledged")
    assert (said["by"], said["simulated"]) == ("Quentin Mbeki", True), "not by the lead, who is real"


async def test_a_warning_that_only_real_people_could_acknowledge_waits_for_them() -> None:
    real = replace(PLAN, roles=tuple(replace(role, simulated=role.id == "devops") for role in PLAN.roles))
    world = World(plan=real)
    world.observer.scripts["bk.db"] = [Observation([], remarks=("it took long",))]
    word, reason = await decided(await polled(world))
    assert world.events("warning.acknowledged") == []
    assert word == "no-go"
    assert "bk.db is a blocker and warned" in reason


async def test_go_over_a_warned_blocker_that_nobody_could_acknowledge_is_refused() -> None:
    own = replace(PLAN, roles=tuple(replace(role, person="Dario Voss") for role in PLAN.roles))
    world = World(plan=own)
    world.observer.scripts["bk.db"] = [Observation([], remarks=("it took long",))]
    word, reason = await decided(await polled(world))
    assert word == "no-go"
    assert "bk.db is a blocker and warned" in reason


async def test_a_whole_launch_with_a_warned_blocker_lands_and_its_record_proves_it() -> None:
    world = World()
    world.signatory = KeySignatory(world.fate)
    world.observer.scripts["bk.db"] = [Observation([], remarks=("it took long",))]
    assert (await world.launch())["outcome"] == "landed"
    assert len(world.events("warning.acknowledged")) == 1
    assert world.sealed().outcome == "landed"


async def test_a_death_while_it_is_acknowledged_says_it_once() -> None:
    clean = World()
    clean.observer.scripts["bk.db"] = [Observation([], remarks=("it took long",))]
    await clean.launch()
    moments = [at for at, what in enumerate(clean.fate.moments) if "acknowledge" in what]
    assert moments
    for moment in moments:
        world = World()
        world.signatory = KeySignatory(world.fate)
        world.observer.scripts["bk.db"] = [Observation([], remarks=("it took long",))]
        world.fate.dies_at = moment
        assert (await world.launch())["outcome"] == "landed"
        assert len(world.events("warning.acknowledged")) == 1
        assert world.sealed().outcome == "landed"


def asking(*later: tuple[float, Callable[[World], None]]) -> World:
    """A launch that asks for the decision, with what happens so many seconds after it has begun to."""
    world = World(asks=True)
    world.signatory = KeySignatory(world.fate)
    world.boot()
    asked = world.t0 - 7200 + 7200 / world.speed
    for seconds, do in later:
        world.clock.later(asked + seconds - world.clock.now(), partial(do, world))
    return world


def says_go(world: World) -> None:
    world.tell("decision", {"decision": "go", "reason": "now"}, "the word")
    world.tell("control", {"id": "the word", "order": "look"}, "look at the word")


async def test_an_order_is_heard_at_once_while_the_decision_is_asked_for() -> None:
    world = asking((60.0, lambda world: world.order(Act.SCRUB, "the vendor is down")))
    assert (await world.launch())["outcome"] == "scrubbed"
    assert not world.events("decision.made")
    assert world.clock.now() < world.t0 - 7200 + 120, "it did not wait for the word"


async def test_a_hold_while_the_decision_is_asked_for_has_it_asked_again_when_the_clock_runs() -> None:
    world = asking(
        (60.0, lambda world: world.order(Act.HOLD)),
        (120.0, lambda world: world.order(Act.RESUME)),
        (180.0, says_go),
    )
    assert (await world.launch())["outcome"] == "landed"
    (made,) = world.events("decision.made")
    assert (made["decision"], made["reason"]) == ("go", "now")
    assert len(world.events("decision.asked")) == 1, "the question is the same"


async def test_a_launch_that_asked_before_the_change_hears_the_word_in_the_old_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    word = {"decision": "no-go", "reason": "old"}
    world = asking((60.0, lambda world: world.tell("decision", {**word}, "the word")))

    async def old(_steps: MemorySteps, _change: str) -> bool:
        return False

    monkeypatch.setattr(MemorySteps, "patched", old)  # as the engine answers for a launch in flight
    assert (await world.launch())["outcome"] == "no-go"
    assert world.events("decision.made")[0]["reason"] == "old"


async def test_killed_at_any_moment_an_order_while_it_asks_is_obeyed_once() -> None:
    def staged() -> World:
        return asking((60.0, lambda world: world.order(Act.SCRUB, "the vendor is down")))

    clean = staged()
    await clean.launch()
    for moment in range(0, len(clean.fate.moments), 3):
        world = staged()
        world.fate.dies_at = moment
        assert (await world.launch())["outcome"] == "scrubbed", moment
        assert len(world.events("launch.ended")) == 1, moment

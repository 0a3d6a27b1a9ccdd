"""A GO that its record does not prove: nothing is done, the launch holds, and only a person has it look again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.control.test_people_decide import GO, Attended, all_go, at, attended
    from tests.unit.launch_world import NEW, OLD, KeySignatory, World
else:
    from launch_world import NEW, OLD, KeySignatory, World
    from test_people_decide import GO, Attended, all_go, at, attended

from tminus.control.liftoff import Liftoff
from tminus.domain.attestation import evidence_root
from tminus.domain.course import course_of
from tminus.domain.guard import Action
from tminus.domain.orders import Act, may
from tminus.domain.record import Entry, Event, append
from tminus.domain.rollout import State
from tminus.domain.traffic import Side
from tminus.domain.trust import TrustRoot
from tminus.domain.verification import check_open
from tminus.errors import RecordError, RefusedError
from tminus.signing import Signer, open_envelope
from tminus.testing import Behaviour, FakeVerifier
from tminus.wiring.acts import Hand
from tminus.wiring.polling import decide

FORGED = RecordError("line 9: a stranger signed this", hint="do not trust it")
TOLD = "the record does not prove its GO: line 9: a stranger signed this (do not trust it)"
STEP = 180.0
"""Seconds between what people do; all of it within the time that a GO holds."""


class Reading:
    """Verifies for one world, with everybody's keys, as a worker does."""

    def __init__(self, world: Attended) -> None:
        self._world = world

    async def verify(self, events: Sequence[Event]) -> None:
        check_open(events, open_envelope, self._world.trust())


def doubted(world: World, error: RecordError | None = FORGED) -> FakeVerifier:
    """Have the record of a world prove nothing from now on."""
    verifier = FakeVerifier()
    verifier.error = error
    world.verifier = verifier
    world.boot()
    return verifier


def decided() -> Attended:
    world = attended()
    at(world, -600.0, lambda: all_go(world))
    at(world, -500.0, lambda: world.decide(GO))
    return world


def holds(world: World) -> list[tuple[object, object, object]]:
    return [(data["where"], data["rule"], data["text"]) for data in world.events("launch.held")]


async def test_without_a_target_it_is_held_at_t_0_says_why_and_waits_for_a_person() -> None:
    world = decided()
    doubted(world)
    seen: list[tuple[State, bool, tuple[Act, ...]]] = []

    def look() -> None:
        course = course_of(world.chain)
        seen.append((course.phase, course.unproven, may(course)))

    at(world, 4 * STEP, look)
    at(world, 4.5 * STEP, lambda: world.order(Act.ABORT, "somebody was in our database"))
    assert (await world.launch())["outcome"] == "aborted"
    assert holds(world) == [("GO", "hold.record", TOLD)], "it says so once, however long it waits"
    assert seen == [(State.GO, True, (Act.HOLD, Act.RESUME, Act.ABORT))]
    (ended,) = world.events("launch.ended")
    assert ended["rule"] == "person.abort"


async def test_a_go_that_is_resumed_after_its_time_has_expired_and_needs_a_new_date() -> None:
    world = decided()
    verifier = doubted(world)
    seen: list[State] = []

    def mended() -> None:
        verifier.error = None
        world.order(Act.RESUME, "the key is enrolled")

    at(world, 20 * STEP, mended)
    at(world, 21 * STEP, lambda: seen.append(course_of(world.chain).phase))
    at(world, 22 * STEP, lambda: world.order(Act.SCRUB, "another day"))
    assert (await world.launch())["outcome"] == "scrubbed"
    assert holds(world) == [("GO", "hold.record", TOLD)]
    assert seen == [State.POSTPONED]
    assert len(world.events("decision.proposed")) == 1


async def test_it_looks_again_when_a_person_says_so_and_goes_on_only_when_it_is_proved() -> None:
    world = decided()
    verifier = doubted(world)

    def mended() -> None:
        verifier.error = None

    at(world, STEP, lambda: world.order(Act.RESUME, "try again"))
    at(world, 2 * STEP, mended)
    at(world, 3 * STEP, lambda: world.order(Act.RESUME, "the key is enrolled"))
    assert (await world.launch())["outcome"] == "aborted"
    assert holds(world) == [("GO", "hold.record", TOLD)] * 2
    assert verifier.asked == 3, "at T-0, and after each of the two orders"
    (ended,) = world.events("launch.ended")
    assert ended["rule"] == "target.absent"
    assert world.chain[-1].t_ms is not None
    assert world.chain[-1].t_ms >= 3 * STEP * 1000


async def test_a_clock_that_is_held_at_t_0_keeps_it_from_being_verified_until_it_runs() -> None:
    world = decided()
    verifier = doubted(world)
    at(world, STEP, lambda: world.order(Act.HOLD, "we look into it"))
    at(world, 2 * STEP, lambda: world.order(Act.RESUME, "we know"))
    at(world, 3 * STEP, lambda: setattr(verifier, "error", None))
    at(world, 4 * STEP, lambda: world.order(Act.RESUME, "it is mended"))
    assert (await world.launch())["outcome"] == "aborted"
    assert len(holds(world)) == 1
    assert [event.type for event in world.chain][-4:] == [
        "clock.held",
        "clock.resumed",
        "order.taken",
        "launch.ended",
    ]


async def test_a_worker_without_a_trust_root_refuses_in_words() -> None:
    world = decided()
    verifier = doubted(world)
    verifier.error = RefusedError("trust.json is not there: nobody's key is trusted", hint="copy it there")
    at(world, STEP, lambda: world.order(Act.ABORT, "enough"))
    await world.launch()
    ((_, _, text),) = holds(world)
    assert text == (
        "the record does not prove its GO: trust.json is not there: nobody's key is trusted (copy it there)"
    )


async def test_a_go_that_a_stranger_wrote_into_the_database_is_not_acted_on() -> None:
    world = attended()
    world.verifier = Reading(world)
    world.boot()

    def forge() -> None:
        """What the code of `decide` would write, with a key of one's own and without anybody's sign-off."""
        scene = world.scene
        lead = next(role for role in world.plan.roles if role.decides)
        everybody = replace(
            scene, plan=replace(scene.plan, roles=tuple(r for r in scene.plan.roles if not r.signs))
        )
        root = evidence_root(everybody.evidence)[1]
        for entry in decide(Hand(lead, Signer.generate()), GO, root)(everybody):
            world.chain.append(append(world.chain[-1], entry))

    at(world, -600.0, forge)
    at(world, STEP, lambda: world.order(Act.RESUME, "it looks well to me"))
    at(world, 2 * STEP, lambda: world.order(Act.ABORT, "it is forged"))
    assert (await world.launch())["outcome"] == "aborted"
    assert course_of(world.chain[:-1]).phase is State.GO, "the record says GO"
    texts = [str(text) for _, _, text in holds(world)]
    assert len(texts) == 2
    assert all("a stranger signed this" in text for text in texts)
    (ended,) = world.events("launch.ended")
    assert ended["rule"] == "person.abort"


async def test_evidence_that_was_changed_under_a_go_holds_it() -> None:
    world = decided()
    world.verifier = Reading(world)
    world.boot()

    def reword() -> None:
        """Every line behind a changed observation is written anew, as who has the database's password can."""
        changed: list[Event] = []
        for event in world.chain:
            data = dict(event.data)
            if event.type == "check.observed" and data["check"] == "cfg.env":
                data |= {"fingerprint": "0" * 64}
            entry = Entry(event.type, event.key, data, event.at, event.t_ms)
            changed.append(append(changed[-1] if changed else None, entry))
        world.chain[:] = changed

    at(world, -100.0, reword)
    at(world, STEP, lambda: world.order(Act.ABORT, "it is forged"))
    await world.launch()
    ((_, rule, text),) = holds(world)
    assert rule == "hold.record"
    assert "the evidence does not hold: `claims[1].fingerprint`" in str(text)


async def test_killed_at_any_moment_an_unproven_launch_is_held_once_and_does_nothing() -> None:
    def staged() -> Attended:
        world = decided()
        doubted(world)
        at(world, STEP, lambda: world.order(Act.ABORT, "enough"))
        return world

    clean = staged()
    await clean.launch()
    for moment in range(0, len(clean.fate.moments), 3):
        world = staged()
        world.fate.dies_at = moment
        assert (await world.launch())["outcome"] == "aborted", moment
        assert len(holds(world)) == 1, moment


async def ready(world: World) -> Liftoff:
    await world.open()
    world.go()
    await world.clock.sleep(2.0)
    return world.liftoff()


async def test_with_a_target_no_step_is_begun_on_a_go_that_is_not_proved() -> None:
    world = World()
    doubted(world)
    liftoff = await ready(world)
    world.clock.later(300.0, lambda: world.order(Act.ABORT, "it is forged"))
    seen = await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert (seen.action, seen.rule) == (Action.ROLLBACK, "person.abort")
    assert holds(world) == [("initiate", "hold.record", TOLD)]
    assert not world.fate.acts
    assert not world.events("step.started")


async def test_a_record_that_is_altered_on_the_way_holds_before_the_next_step_and_goes_on_once_resumed() -> (
    None
):
    world = World()
    verifier = doubted(world, None)
    liftoff = await ready(world)

    def altered() -> None:
        verifier.error = FORGED

    def mended() -> None:
        verifier.error = None
        world.order(Act.RESUME, "the copy is back")

    world.database.on_migrate = altered
    world.clock.later(100.0, lambda: world.order(Act.RESUME, "try again"))
    world.clock.later(200.0, mended)
    seen = await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert seen.action is Action.CONTINUE
    assert holds(world) == [("green", "hold.record", TOLD)] * 2
    assert [what for _, what in world.fate.acts].count("migrate") == 1


async def test_users_who_meet_green_are_watched_while_the_shift_is_held() -> None:
    world = World()
    verifier = doubted(world, None)
    liftoff = await ready(world)

    def altered() -> None:
        verifier.error = FORGED
        world.clock.later(60.0, turned_bad)

    def turned_bad() -> None:
        world.traffic.flow()
        world.traffic.behaviour[Side.GREEN] = Behaviour(errors=0.3)

    world.target.after_weight[50] = altered
    seen = await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))
    assert (seen.action, seen.rule) == (Action.ROLLBACK, "a1")
    assert ("shift 100", "hold.record", TOLD) in holds(world)
    assert "set weight 100" not in [what for _, what in world.fate.acts]
    assert world.verdicts()["t0.shift"] == "failed"


async def test_a_shift_that_was_held_goes_on_with_the_same_step_after_a_resume() -> None:
    world = World()
    verifier = doubted(world, None)
    liftoff = await ready(world)

    def altered() -> None:
        verifier.error = FORGED
        world.clock.later(120.0, mended)

    def mended() -> None:
        verifier.error = None
        world.order(Act.RESUME, "the copy is back")

    world.target.after_weight[50] = altered
    began = world.clock.now()
    assert (await world.passing(liftoff.run({"depot": NEW}, {"depot": OLD}))).action is Action.CONTINUE
    assert world.clock.now() - began > 120
    assert [what for _, what in world.fate.acts].count("set weight 100") == 1


class Counted:
    """Verifies a demo's record with its people's keys, and counts how often."""

    def __init__(self, trust: TrustRoot) -> None:
        self._trust = trust
        self.asked = 0

    async def verify(self, events: Sequence[Event]) -> None:
        self.asked += 1
        check_open(events, open_envelope, self._trust)


async def test_a_demo_verifies_before_each_thing_that_it_does() -> None:
    world = World()
    world.signatory = KeySignatory(world.fate)
    counted = Counted(world.signatory.trust())
    world.verifier = counted
    world.boot()
    assert (await world.launch())["outcome"] == "landed"
    assert counted.asked == len(world.events("step.done")) == 10
    assert not holds(world)

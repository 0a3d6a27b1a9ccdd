"""A launch whose people are real: they sign and decide while the launch waits, and it does what they decided."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.launch_world import NAME, NEW, PLAN, KeySignatory, World
else:
    from launch_world import NAME, NEW, PLAN, KeySignatory, World

from tminus.control.launch import Launch
from tminus.control.opening import Binding
from tminus.control.ports import Engine, Json
from tminus.control.readiness import Readiness
from tminus.domain.attestation import evidence_root
from tminus.domain.clearance import clearance
from tminus.domain.course import Course, course_of
from tminus.domain.evidence import Observation
from tminus.domain.orders import Act, Category
from tminus.domain.record import Entry, Event, append
from tminus.domain.rollout import State
from tminus.domain.trust import KeyKind, TrustedKey, TrustRoot
from tminus.domain.verification import check_open
from tminus.errors import OutOfSequenceError, RecordError, RefusedError
from tminus.signing import Signer, open_envelope
from tminus.testing import MemoryRecord
from tminus.wiring.acts import Choose, Hand, Scene
from tminus.wiring.polling import Verdict, decide, sheet, sign

LACKS = "there is no target"
HOUR = 3600.0
REAL = replace(PLAN, roles=tuple(replace(role, simulated=False) for role in PLAN.roles))


class Attended(World):
    """A world in whose launch real people sign."""

    def put_together(self, engine: Engine) -> Launch:
        binding = Binding(NAME, {"depot": NEW}, {}, self.t0, 1.0, (), asks=False, waits=True)
        return Launch(binding, replace(self.boot(), signatory=None, lacks=LACKS), engine)

    @property
    def scene(self) -> Scene:
        return Scene(NAME, self.plan, tuple(self.chain), self.clock.now())

    def act(self, choose: Choose) -> None:
        """What a person's command does: chosen by the record, verified, recorded, and the launch woken."""
        for entry in choose(self.scene):
            self._record(entry)
        check_open(self.chain, open_envelope, self.trust())
        self.tell("control", {"order": "look"}, str(len(self.chain)))

    def hand(self, role: str) -> Hand:
        return Hand(next(one for one in self.plan.roles if one.id == role), self.signatory.signers[role])

    def sign(self, role: str, word: str = "go") -> None:
        self.act(sign(self.hand(role), word, "seen", sheet(self.scene, role).root))

    def decide(self, verdict: Verdict) -> None:
        self.act(decide(self.hand("lead"), verdict, sheet(self.scene, "lead").root))

    def trust(self) -> TrustRoot:
        keys: dict[str, Signer] = self.signatory.signers
        people = [
            TrustedKey(keys[role.id].keyid, role.person, KeyKind.PERSON, (role.id,))
            for role in self.plan.roles
        ]
        return TrustRoot((*people, TrustedKey(keys["server"].keyid, "server", KeyKind.SERVER)))


def attended(kind: type[Attended] = Attended) -> Attended:
    # A simulated person's line stays one: who attests is not what is tested here.
    world = kind(plan=REAL, speed=1.0, rate=0.001)
    world.signatory = KeySignatory(world.fate)
    world.boot()
    return world


def at(world: World, offset: float, do: Callable[[], None]) -> None:
    world.clock.later(world.t0 + offset - world.clock.now(), do)


def all_go(world: Attended) -> None:
    for role in ("devops", "qa"):
        world.sign(role)


GO = Verdict(go=True, text="all is well")


async def test_go_that_every_role_signed_waits_for_t_0_and_says_what_the_launch_lacks() -> None:
    world = attended()
    seen: list[State] = []
    at(world, -600.0, lambda: all_go(world))
    at(world, -500.0, lambda: world.decide(GO))
    at(world, -10.0, lambda: seen.append(course_of(world.chain).phase))
    assert (await world.launch())["outcome"] == "aborted"
    assert seen == [State.GO]
    (ended,) = world.events("launch.ended")
    assert (ended["rule"], ended["text"]) == ("target.absent", LACKS)
    assert not world.events("step.started")
    assert world.chain[-1].t_ms is not None
    assert world.chain[-1].t_ms >= 0, "not before T-0"
    check_open(world.chain, open_envelope, world.trust())


async def test_an_abort_between_go_and_t_0_is_what_ended_the_launch_and_no_lack() -> None:
    world = attended()
    at(world, -600.0, lambda: all_go(world))
    at(world, -500.0, lambda: world.decide(GO))
    at(world, -100.0, lambda: world.order(Act.ABORT, "the office burns"))
    assert (await world.launch())["outcome"] == "aborted"
    (ended,) = world.events("launch.ended")
    assert (ended["rule"], ended["text"]) == ("person.abort", "Lena Ortiz ordered abort: the office burns")
    with pytest.raises(OutOfSequenceError, match="no GO stands"):
        clearance(world.chain, world.t0 + 1)


class SpokenInto(MemoryRecord):
    """A record into which a line's new claim comes just before the poll over the old one."""

    spoken = 0

    async def append_while(self, allowed: Callable[[Course], None], key: str, kind: str, data: Json) -> Event:
        if kind == "poll.opened" and self.spoken < 2:
            self.spoken += 1
            seen = next(event for event in reversed(self.chain) if event.type == "check.observed")
            claim = {**seen.data, "fingerprint": str(self.spoken) * 64}
            last = self.chain[-1]
            at = Entry(seen.type, f"meanwhile {self.spoken}", claim, last.at, last.t_ms)
            self.chain.append(append(last, at))
        return await super().append_while(allowed, key, kind, data)


class Interrupted(Attended):
    def put_together(self, engine: Engine) -> Launch:
        binding = Binding(NAME, {"depot": NEW}, {}, self.t0, 1.0, (), asks=False, waits=True)
        crew = self.boot()
        record = SpokenInto(crew.time, self.chain, self.fate)
        readiness = Readiness(self.plan.checks, record, crew.readiness._observer, self.clock)
        crew = replace(crew, signatory=None, lacks=LACKS, record=record, readiness=readiness)
        return Launch(binding, crew, engine)


async def test_a_poll_is_opened_over_what_stands_there_however_much_comes_in_between() -> None:
    world = attended(Interrupted)
    at(world, -600.0, lambda: all_go(world))
    at(world, -500.0, lambda: world.decide(GO))
    assert (await world.launch())["outcome"] == "aborted"
    meanwhile = [event.key for event in world.chain if event.key.startswith("meanwhile")]
    assert meanwhile == ["meanwhile 1", "meanwhile 2"]
    check_open(world.chain, open_envelope, world.trust())


class DecidedInto(MemoryRecord):
    """A record into which GO comes just before somebody is to be told that a signature is missing."""

    decide: Callable[[], None]
    decided = False

    async def append_while(self, allowed: Callable[[Course], None], key: str, kind: str, data: Json) -> Event:
        if kind == "notice.raised" and not self.decided and course_of(self.chain).phase is State.POLLING:
            self.decided = True
            self.decide()
        return await super().append_while(allowed, key, kind, data)


class Overtaken(Attended):
    def put_together(self, engine: Engine) -> Launch:
        binding = Binding("depot-7", {"depot": NEW}, {}, self.t0, 1.0, (), asks=False, waits=True)
        crew = self.boot()
        record = DecidedInto(crew.time, self.chain, self.fate)
        record.decide = self.go_at_once
        readiness = Readiness(self.plan.checks, record, crew.readiness._observer, self.clock)
        crew = replace(crew, signatory=None, lacks=LACKS, record=record, readiness=readiness)
        return Launch(binding, crew, engine)

    def go_at_once(self) -> None:
        all_go(self)
        self.decide(GO)


async def test_a_go_that_comes_while_somebody_is_being_told_is_gone_on_with() -> None:
    world = attended(Overtaken)
    assert (await world.launch())["outcome"] == "aborted"
    (ended,) = world.events("launch.ended")
    assert ended["rule"] == "target.absent"
    assert [data["decision"] for data in world.events("decision.made")] == ["go"]


async def test_go_can_be_taken_back_before_t_0_by_an_abort() -> None:
    world = attended()
    at(world, -600.0, lambda: all_go(world))
    at(world, -500.0, lambda: world.decide(GO))
    at(world, -400.0, lambda: world.order(Act.ABORT))
    assert (await world.launch())["outcome"] == "aborted"
    assert world.chain[-1].t_ms is not None
    assert world.chain[-1].t_ms < 0


async def test_a_change_under_a_signature_voids_it_at_once_and_go_is_refused_until_it_is_given_again() -> (
    None
):
    world = attended()
    refused: list[str] = []

    def in_vain() -> None:
        with pytest.raises(RefusedError) as caught:
            world.decide(GO)
        refused.append(str(caught.value))

    def otherwise() -> None:
        world.observer.scripts["cfg.env"] = [Observation([], {}, {"version": 2})]

    world.plan = replace(
        world.plan,
        checks=tuple(
            replace(check, fresh=replace(check.fresh, kind="fingerprint")) if check.id == "cfg.env" else check
            for check in world.plan.checks
        ),
    )
    at(world, -800.0, lambda: all_go(world))
    at(world, -700.0, otherwise)
    at(world, -500.0, in_vain)
    at(world, -400.0, lambda: world.sign("qa"))
    at(world, -300.0, in_vain)
    at(world, -200.0, lambda: world.sign("devops"))
    at(world, -100.0, lambda: world.decide(GO))
    assert (await world.launch())["outcome"] == "aborted"
    assert ["cfg.env has changed since it was signed" in words for words in refused] == [True, True]
    assert [(void["role"], void["changes"]) for void in world.events("signoff.voided")] == [
        ("devops", ["cfg.env: passed, now passed, of something else"]),
        ("qa", ["cfg.env: passed, now passed, of something else"]),
    ]
    assert len(world.events("poll.renewed")) == 1
    check_open(world.chain, open_envelope, world.trust())


async def test_no_go_with_a_new_date_is_counted_down_to_and_signed_anew() -> None:
    world = attended()
    later = world.t0 + 4 * HOUR
    no_go = Verdict(go=False, text="a test is red", category=Category.READINESS, new_t0=later)
    at(world, -600.0, lambda: all_go(world))
    at(world, -500.0, lambda: world.decide(no_go))
    at(world, 4 * HOUR - 600.0, lambda: all_go(world))
    at(world, 4 * HOUR - 500.0, lambda: world.decide(GO))
    assert (await world.launch())["outcome"] == "aborted"
    first, second = world.events("decision.made")
    assert (first["category"], first["by"], second["decision"]) == ("readiness", "Lena Ortiz", "go")
    assert len(world.events("poll.opened")) == 2
    check_open(world.chain, open_envelope, world.trust())


async def test_no_go_without_a_date_waits_for_people() -> None:
    world = attended()
    no_go = Verdict(go=False, text="the vendor is down", category=Category.ENVIRONMENT, unscheduled=True)
    at(world, -2 * HOUR + 60.0, lambda: world.decide(no_go))
    at(world, 9 * HOUR, lambda: world.order(Act.SCRUB))
    assert (await world.launch())["outcome"] == "scrubbed"
    assert not world.events("decision.proposed")
    assert not world.events("poll.opened"), "NO-GO needs no poll"
    check_open(world.chain, open_envelope, world.trust())


async def test_go_is_refused_with_everything_that_is_missing() -> None:
    world = attended()
    refused: list[str] = []
    world.observer.scripts["cfg.env"] = [Observation(["x"])]

    def in_vain() -> None:
        world.sign("devops", "no-go")
        with pytest.raises(RefusedError) as caught:
            world.decide(GO)
        refused.append(str(caught.value))

    at(world, -600.0, in_vain)
    at(world, HOUR, lambda: world.order(Act.SCRUB))
    await world.launch()
    (words,) = refused
    assert words.split("\n  - ")[1:] == [
        "cfg.env is failed (x, expected empty; mend cfg.env)",
        "DevOps Lead said no-go",
        "QA Lead said nothing",
    ]
    (proposal,) = world.events("decision.proposed")
    assert proposal["reasons"][1:3] == [
        "cfg.env is failed (x, expected empty; mend cfg.env)",
        "DevOps Lead said no-go",
    ]


async def test_what_was_shown_is_what_is_signed() -> None:
    world = attended()
    seen: list[bool] = []

    def late() -> None:
        with pytest.raises(OutOfSequenceError, match="what you were shown has changed"):
            world.act(sign(world.hand("qa"), "go", "", "0" * 64))
        root = evidence_root(world.scene.evidence)[1]
        seen.append(sheet(world.scene, "qa").root == root)

    at(world, -600.0, late)
    at(world, HOUR, lambda: world.order(Act.SCRUB))
    await world.launch()
    assert seen == [True]


async def test_another_s_key_signs_nothing() -> None:
    world = attended()
    refused: list[str] = []

    def forged() -> None:
        hand = Hand(world.hand("qa").role, Signer.generate())
        before = list(world.chain)
        with pytest.raises(RecordError) as caught:
            world.act(sign(hand, "go", "", sheet(world.scene, "qa").root))
        refused.append(str(caught.value))
        world.chain[:] = before

    at(world, -600.0, forged)
    at(world, HOUR, lambda: world.order(Act.SCRUB))
    await world.launch()
    assert "a stranger signed this" in refused[0]


async def test_killed_at_any_moment_a_decided_launch_ends_the_same() -> None:
    def staged() -> Attended:
        world = attended()
        at(world, -600.0, lambda: all_go(world))
        at(world, -500.0, lambda: world.decide(GO))
        return world

    clean = staged()
    await clean.launch()
    for moment in range(0, len(clean.fate.moments), 5):
        world = staged()
        world.fate.dies_at = moment
        assert (await world.launch())["outcome"] == "aborted", moment
        assert len(world.events("launch.ended")) == 1, moment


async def test_a_go_that_a_hold_moved_away_from_t_0_expires_and_a_new_date_has_a_poll_of_its_own() -> None:
    world = attended()
    later = world.t0 + 9 * HOUR
    at(world, -600.0, lambda: all_go(world))
    at(world, -500.0, lambda: world.decide(GO))
    at(world, -400.0, lambda: world.order(Act.HOLD))
    at(world, 2 * HOUR, lambda: world.order(Act.RESUME))
    at(world, 3 * HOUR, lambda: world.order(Act.RESCHEDULE, new_t0=later))
    at(world, 9 * HOUR - 600.0, lambda: all_go(world))
    at(world, 9 * HOUR - 500.0, lambda: world.decide(GO))
    assert (await world.launch())["outcome"] == "aborted"
    (proposal,) = world.events("decision.proposed")
    assert "has expired" in str(proposal["reasons"])
    assert len(world.events("poll.opened")) == 2
    assert len(world.events("decision.made")) == 2
    assert course_of(world.chain[:-1]).t0 == later
    check_open(world.chain, open_envelope, world.trust())


async def test_killed_at_any_moment_a_go_expires_once() -> None:
    def staged() -> Attended:
        world = attended()
        at(world, -600.0, lambda: all_go(world))
        at(world, -500.0, lambda: world.decide(GO))
        at(world, -400.0, lambda: world.order(Act.HOLD))
        at(world, HOUR, lambda: world.order(Act.RESUME))
        at(world, 5 * HOUR, lambda: world.order(Act.SCRUB))
        return world

    clean = staged()
    assert (await clean.launch())["outcome"] == "scrubbed"
    for moment in range(0, len(clean.fate.moments), 5):
        world = staged()
        world.fate.dies_at = moment
        assert (await world.launch())["outcome"] == "scrubbed", moment
        assert len(world.events("decision.proposed")) == 1, moment


async def test_go_is_refused_with_words_after_the_poll_has_ended() -> None:
    world = attended()
    await world.open()
    await world.readiness.observe(world.plan.before_go(), "now")
    await world.approval().poll("depot-7", world.readiness)
    world.clock._now = world.t0 + 16 * 60
    with pytest.raises(RefusedError, match=r"the poll ended at T\+00:15:00; a new poll is needed"):
        world.decide(GO)

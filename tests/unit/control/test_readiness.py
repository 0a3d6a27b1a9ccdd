"""Observing lines: verdicts, negative controls, roll-ups, and what is recorded of them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tminus.control import readiness as module
from tminus.control.ports import Json
from tminus.control.readiness import Readiness, facts, shown
from tminus.domain.canonical import JsonValue
from tminus.domain.course import Course
from tminus.domain.evidence import Observation, Source, Verdict
from tminus.domain.expectation import parse
from tminus.domain.overdue import ABSENT
from tminus.domain.plan import Check, Kind
from tminus.domain.record import Entry, Event, append
from tminus.errors import DeniedError, InconclusiveError, ReleaseError, RolloutError, UnreachableError
from tminus.testing import ScriptedObserver
from tminus.testing.people import MemoryRecord, Seen

if TYPE_CHECKING:
    from tests.unit.launch_world import World, line
else:
    from launch_world import World, line

RATE = {"probe": "traffic.errors", "expect": parse("< 1%"), "warn": parse("< 0.5%")}


async def observed(
    check: Check, *seen: Seen, control: Seen | None = None
) -> tuple[Verdict, dict[str, JsonValue]]:
    world = World()
    await world.open()
    observer = ScriptedObserver({check.id: list(seen)})
    if control is not None:
        observer.controls[check.id] = control
    found = await Readiness([check], world.record, observer, world.clock).observe([check], "now")
    (data,) = world.events("check.observed")
    return found[check.id], data


@pytest.mark.parametrize(
    ("seen", "verdict", "why"),
    [
        (Observation(0.001), Verdict.PASSED, "expected < 1%"),
        (Observation(0.007), Verdict.WARNED, "expected < 0.5%; mend ok.err"),
        (Observation(0.02), Verdict.FAILED, "expected < 1%; mend ok.err"),
        (Observation("none"), Verdict.INCONCLUSIVE, "none, expected < 1%"),
        (Observation(None), Verdict.INCONCLUSIVE, "expected < 1%"),
        (InconclusiveError("no requests", hint="wait"), Verdict.INCONCLUSIVE, "no requests; wait"),
        (UnreachableError("no answer", hint="start it"), Verdict.ERROR, "no answer; start it"),
        (DeniedError("wrong password", hint="mend it"), Verdict.ERROR, "wrong password; mend it"),
        (RolloutError("refused", hint="look"), Verdict.ERROR, "refused; look"),
        (ReleaseError("blob missing", hint="fetch"), Verdict.ERROR, "blob missing; fetch"),
    ],
)
async def test_what_is_seen_gives_a_verdict_and_a_sentence(seen: Seen, verdict: Verdict, why: str) -> None:
    found, data = await observed(line("ok.err", 3600.0, **RATE), seen)
    assert found is verdict
    assert data["verdict"] == verdict.value
    assert why in str(data["why"])
    assert data["source"] == "probe"


async def test_remarks_turn_a_passed_line_into_a_warned_one_and_no_other() -> None:
    remark = ("nobody has rehearsed it",)
    found, data = await observed(line("a", 0.0), Observation([], remarks=remark))
    assert (found, data["why"]) == (Verdict.WARNED, "nobody has rehearsed it")
    assert (await observed(line("a", 0.0), Observation(["wrong"], remarks=remark)))[0] is Verdict.FAILED


async def test_a_probe_that_does_not_answer_in_time_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(ScriptedObserver):
        async def observe(self, check: Check, arguments: Mapping[str, JsonValue]) -> Observation:
            await asyncio.Event().wait()
            return await super().observe(check, arguments)

    monkeypatch.setattr(module, "SECONDS", 0.0)
    world = World()
    await world.open()
    check = line("cfg.env", -60.0)
    found = await Readiness([check], world.record, Silent(), world.clock).observe([check], "now")
    assert found == {"cfg.env": Verdict.ERROR}
    assert "gave no answer within" in world.events("check.observed")[0]["why"]


CONTROLLED = line("ok.health", 3600.0, arguments={"path": "/health"}, control={"path": "/no-such-page"})


async def test_a_negative_control_that_fails_lets_the_verdict_stand() -> None:
    found, data = await observed(CONTROLLED, Observation([]), control=Observation(["404"]))
    assert found is Verdict.PASSED
    assert data["seen"] == {"control": ["404"]}


@pytest.mark.parametrize(
    ("control", "word"),
    [
        (Observation([]), "passed"),
        (UnreachableError("gone", hint="wait"), "error"),
        (Observation(None), "inconclusive"),
    ],
)
async def test_a_negative_control_that_does_not_fail_proves_nothing(control: Seen, word: str) -> None:
    found, data = await observed(CONTROLLED, Observation([]), control=control)
    assert found is Verdict.INCONCLUSIVE
    assert f"its negative control came out {word} instead of failed" in str(data["why"])


async def test_a_line_that_failed_needs_no_negative_control() -> None:
    world = World()
    await world.open()
    observer = ScriptedObserver({"ok.health": [Observation(["down"])]})
    await Readiness([CONTROLLED], world.record, observer, world.clock).observe([CONTROLLED], "now")
    assert [arguments["path"] for _, arguments in observer.looks] == ["/health"]


async def test_a_roll_up_is_the_worst_of_its_lines() -> None:
    world = World()
    await world.open()
    world.observer.scripts |= {"cfg.env": [Observation([])], "bk.db": [Observation(["no backup"])]}
    parts = [line("cfg.env", -60.0), line("bk.db", -60.0)]
    roll_up = line("t24.all", -60.0, kind=Kind.ROLLUP, of=("cfg.env", "bk.db"))
    found = await world.readiness.observe([roll_up, *parts], "now")
    assert found == {"t24.all": Verdict.FAILED, "cfg.env": Verdict.PASSED, "bk.db": Verdict.FAILED}
    assert world.chain[-1].key == "check:t24.all@now", "it comes last, whatever the order"


async def test_a_roll_up_of_nothing_or_of_what_was_never_observed_is_unknown() -> None:
    empty = line("t24.all", -60.0, kind=Kind.ROLLUP, of=())
    assert (await observed(empty))[0] is Verdict.INCONCLUSIVE
    found, data = await observed(replace(empty, of=("test.smoke",)))
    assert (found, data["why"]) == (Verdict.INCONCLUSIVE, "never observed: test.smoke")


async def test_a_roll_up_over_an_unknown_line_is_unknown() -> None:
    world = World()
    await world.open()
    world.observer.scripts["a"] = [UnreachableError("gone", hint="wait")]
    roll_up = line("all", -60.0, kind=Kind.ROLLUP, of=("a", "b"))
    found = await world.readiness.observe([line("a", -60.0), line("b", -60.0), roll_up], "now")
    assert found["all"] is Verdict.ERROR


async def test_only_a_simulated_person_attests_by_themselves() -> None:
    check = line("t24.brief", -60.0, kind=Kind.PERSON, note="the team was briefed")
    found, data = await observed(replace(check, simulated=True))
    assert (found, data["source"]) == (Verdict.PASSED, "simulated")
    found, data = await observed(check)
    assert (found, data["source"]) == (Verdict.INCONCLUSIVE, "person")


async def test_a_line_that_does_not_apply_says_so_in_the_record() -> None:
    found, data = await observed(line("t2.maint", -60.0, kind=Kind.NOT_APPLICABLE, note="no page is needed"))
    assert (found, data["verdict"], data["why"]) == (Verdict.PASSED, "not-applicable", "no page is needed")


async def test_a_step_that_runs_again_records_nothing_twice_and_keeps_what_was_recorded() -> None:
    world = World()
    await world.open()
    world.observer.scripts["a"] = [Observation([]), Observation(["wrong"])]
    check = line("a", -60.0)
    assert await world.readiness.observe([check], "T-1h") == {"a": Verdict.PASSED}
    assert await world.readiness.observe([check], "T-1h") == {"a": Verdict.PASSED}
    assert len(world.events("check.observed")) == 1
    assert await world.readiness.observe([check], "poll") == {"a": Verdict.FAILED}
    assert (await world.readiness.claims())["a"].verdict is Verdict.FAILED


async def test_equal_material_is_the_same_claim_and_other_material_another() -> None:
    world = World()
    await world.open()
    world.observer.scripts["a"] = [
        Observation([], {"ms": 1}, {"digest": "x"}),
        Observation([], {"ms": 2}, {"digest": "x"}),
        Observation([], {"ms": 2}, {"digest": "y"}),
    ]
    prints = []
    for moment in "123":
        await world.readiness.observe([line("a", -60.0)], moment)
        prints.append((await world.readiness.claims())["a"].fingerprint)
    assert prints[0] == prints[1] != prints[2]


async def test_nothing_to_observe_is_nothing() -> None:
    assert await World().readiness.observe([], "now") == {}


def test_values_are_told_briefly() -> None:
    assert shown([]) == "nothing"
    assert shown(["a", 0.12345678]) == "a; 0.1235"
    assert facts({}) == ""
    assert facts({"a": 1, "rows": [1]}) == " (a 1)"
    assert facts({"a": "x" * 20, "b": "y" * 20}, length=10).endswith("…)")


class Interrupted(MemoryRecord):
    """A record into which a person's word comes just before a look is recorded."""

    def speak(self) -> None:
        data = {
            "check": "team.ready",
            "verdict": "passed",
            "fingerprint": "f" * 64,
            "source": "person",
            "why": "Lena Ortiz: all answered",
            "observed_at": 1.0,
        }
        last = self.chain[-1]
        self.chain.append(append(last, Entry("check.attested", f"word {last.seq}", data, last.at)))

    async def append_while(self, allowed: Callable[[Course], None], key: str, kind: str, data: Json) -> Event:
        self.speak()
        return await super().append_while(allowed, key, kind, data)


def never(course: Course) -> None:
    del course


async def test_a_look_never_takes_a_person_s_word_back() -> None:
    world = World()
    await world.open()
    check = line("team.ready", -7200.0, kind=Kind.PERSON, note="everybody answered", person="Lena Ortiz")
    record = Interrupted(world.time, world.chain)
    readiness = Readiness([check], record, world.observer, world.clock)
    assert await readiness.observe([check], "T-2h", never) == {"team.ready": Verdict.PASSED}
    assert await readiness.observe([check], "T-1h", never) == {"team.ready": Verdict.PASSED}
    assert (await readiness.claims())["team.ready"].source is Source.PERSON
    assert not world.events("check.observed")


async def test_a_line_for_which_nobody_spoke_waits_for_a_word() -> None:
    world = World()
    await world.open()
    check = line("team.ready", -7200.0, kind=Kind.PERSON, note="everybody answered", owner="lead")
    readiness = Readiness([check], world.record, world.observer, world.clock)
    assert await readiness.observe([check], "T-2h", never) == {"team.ready": Verdict.INCONCLUSIVE}
    assert world.events("check.observed")[0]["why"] == "lead has not attested it: everybody answered"


async def test_another_remark_is_another_claim_and_the_same_with_other_figures_is_not() -> None:
    async def print_of(*remarks: str) -> object:
        found, data = await observed(line("a", 0.0), Observation([], material={"v": 1}, remarks=remarks))
        assert found is Verdict.WARNED
        assert data["why"] == "; ".join(remarks)
        return data["fingerprint"]

    assert await print_of("3 of 40 requests fail") == await print_of("5 of 41 requests fail")
    assert await print_of("3 of 40 requests fail") != await print_of("3 of 40 rows are old")
    assert await print_of("3 of 40 requests fail") != await print_of("3 of 40 requests fail", "no runbook")


async def test_what_is_warned_by_its_value_says_its_remarks_too() -> None:
    check = line("a", 0.0, probe="website.health", expect=parse("< 5"), warn=parse("< 2"))
    found, data = await observed(check, Observation(3.0, remarks=("it restarted",)))
    assert found is Verdict.WARNED
    assert data["why"] == "3, expected < 2; mend a; it restarted"
    _, other = await observed(check, Observation(4.0, remarks=("it restarted",)))
    assert other["fingerprint"] == data["fingerprint"]
    _, without = await observed(check, Observation(3.0))
    assert without["fingerprint"] != data["fingerprint"]


class Spoken(MemoryRecord):
    """A record into which one person's word comes just before a look is recorded."""

    word: Json

    async def append_while(self, allowed: Callable[[Course], None], key: str, kind: str, data: Json) -> Event:
        if not any(event.key == "word" for event in self.chain):
            last = self.chain[-1]
            self.chain.append(append(last, Entry("check.attested", "word", self.word, last.at)))
        return await super().append_while(allowed, key, kind, data)


async def overdue() -> World:
    """A launch in which people were asked for their word a hundred seconds ago."""
    world = World()
    await world.open()
    last = world.chain[-1]
    reached = Entry("milestone.reached", "reached", {"milestone": "T-02:01:40"}, last.at, -7_300_000)
    world.chain.append(append(last, reached))
    return world


def after_go(check: Check, world: World) -> Readiness:
    """The same line due after T-0, as each is that asks for a word by a time; these records have not come to that."""
    asked = replace(check, due=3600.0, until=5400.0)
    return Readiness([asked], world.record, world.observer, world.clock)


def word(verdict: Verdict, **seen: Any) -> Json:
    said: Json = {"check": "dash.seen", "verdict": verdict.value, "fingerprint": "f" * 64, "source": "person"}
    return {**said, "why": "Dario Voss: I have looked", "observed_at": 1.0, "seen": seen}


@pytest.mark.parametrize(
    ("verdict", "seen", "counts_as"),
    [
        (Verdict.FAILED, {"person": "Dario Voss"}, "failed"),
        (Verdict.FAILED, {"late_s": 60}, "absent"),
        (Verdict.PASSED, {}, ""),
    ],
)
async def test_a_word_that_comes_while_nobody_s_absence_is_recorded_counts(
    verdict: Verdict, seen: dict[str, JsonValue], counts_as: str
) -> None:
    world = await overdue()
    check = line("dash.seen", -7300.0, kind=Kind.PERSON, note="I have looked", until=-7299.0)
    record = Spoken(world.time, world.chain)
    record.word = word(verdict, **seen)
    readiness = Readiness([check], record, world.observer, world.clock)
    assert await readiness.observe([check], "T+1h") == {"dash.seen": verdict}
    assert not world.events("check.observed")
    told = {"failed": "failed", "absent": ABSENT, "": "passed"}[counts_as]
    readiness = after_go(check, world)
    assert await readiness.for_the_rollout({"dash.seen": verdict}) == {"dash.seen": told}
    harm = {"dash.seen": "failed"} if counts_as == "failed" else {}
    assert await readiness.for_the_rollout({}) == harm


async def test_of_what_is_said_in_part_the_rest_is_lacking_once_the_time_is_over() -> None:
    world = await overdue()
    check = line(
        "dash.seen", -7300.0, kind=Kind.PERSON, note="I have looked", until=-7299.0, each=("a", "b", "c")
    )
    record = Spoken(world.time, world.chain)
    record.word = word(Verdict.INCONCLUSIVE, item="b")
    readiness = Readiness([check], record, world.observer, world.clock)
    assert await readiness.observe([check], "T+1h") == {"dash.seen": Verdict.FAILED}
    (data,) = world.events("check.observed")
    assert "devops had to say it of a, c, and has not: I have looked; look now" in data["why"]
    told = await after_go(check, world).for_the_rollout({"dash.seen": Verdict.FAILED})
    assert told == {"dash.seen": ABSENT}

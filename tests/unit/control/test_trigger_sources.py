"""The five triggers, from source to traffic: each clear, fired, with nothing to see, and with nobody there."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import pytest

from tminus.control.green import Green
from tminus.control.looks import Looks
from tminus.control.scanning import Scanning
from tminus.control.sight import Sight
from tminus.control.vantages import Vantages
from tminus.control.watch import SLICE
from tminus.domain.guard import Action
from tminus.domain.traffic import Side
from tminus.domain.trigger import CORRUPTION, TRIGGERS, UNAVAILABLE, VULNERABILITY
from tminus.domain.vulnerability import Advisory, Contents
from tminus.errors import InconclusiveError, ProbeError, UnreachableError
from tminus.testing import Behaviour

if TYPE_CHECKING:
    from tests.unit.launch_world import RUNS_NEW, World
else:
    from launch_world import RUNS_NEW, World

T = TypeVar("T")
AWAY = UnreachableError("it does not answer", hint="is it there?")
EMPTY = InconclusiveError("the release has no SBOM", hint="add one")
SITUATIONS = ("healthy", "broken", "empty", "unreachable")
CASES: set[tuple[str, str]] = set()
"""Which trigger has a test of which situation."""
BAD = Advisory("CVE-1", "pkg:pypi/a@1", 9.8)
MILD = Advisory("CVE-2", "pkg:pypi/a@1", 5.0)


def case(trigger: str, situation: str) -> Callable[[T], T]:
    """Marks a test as the one of this trigger in this situation."""
    CASES.add((trigger, situation))
    return lambda test: test


def test_each_trigger_has_its_four_tests() -> None:
    lacking = {(trigger.id, situation) for trigger in TRIGGERS for situation in SITUATIONS} - CASES
    assert lacking == set()


@dataclass
class FakeScanner:
    known: list[Advisory] = field(default_factory=list)
    error: ProbeError | None = None
    asked: list[Sequence[str]] = field(default_factory=list)

    async def advisories(self, packages: Sequence[str]) -> Sequence[Advisory]:
        self.asked.append(packages)
        if self.error is not None:
            raise self.error
        return self.known


@dataclass
class FakeInventory:
    found: Contents = field(default_factory=lambda: Contents(("pkg:pypi/a@1",), "sbom.cdx.json"))
    error: ProbeError | None = None
    asked: list[str] = field(default_factory=list)

    async def contents(self, digest: str) -> Contents:
        self.asked.append(digest)
        if self.error is not None:
            raise self.error
        return self.found


@dataclass
class FakeVantage:
    seen: bool | ProbeError = True

    async def answers(self) -> tuple[bool, str]:
        if isinstance(self.seen, ProbeError):
            raise self.seen
        return self.seen, "status 503"


@dataclass
class Scene:
    world: World
    green: Green
    scanner: FakeScanner = field(default_factory=FakeScanner)
    inventory: FakeInventory = field(default_factory=FakeInventory)
    here: FakeVantage = field(default_factory=FakeVantage)
    there: FakeVantage = field(default_factory=FakeVantage)

    async def watch(self, seconds: float) -> Sight:
        """The first sight that is no reason to go on, or the last one."""
        seen = await self.world.watch.slice(self.green, min(SLICE, seconds))
        while seconds > SLICE and seen.action is Action.CONTINUE:
            seconds -= SLICE
            seen = await self.world.watch.slice(self.green, min(SLICE, seconds))
        return seen

    def state(self, trigger: str) -> str:
        rows = self.world.watch.gauges()["triggers"]
        assert isinstance(rows, list)
        return next(str(row["state"]) for row in rows if isinstance(row, dict) and row["trigger"] == trigger)

    def told(self, trigger: str) -> str:
        rows = self.world.watch.gauges()["sources"]
        assert isinstance(rows, list)
        return next(str(row["text"]) for row in rows if isinstance(row, dict) and row["trigger"] == trigger)


async def scene(*, every: float = 5.0) -> Scene:
    """A launch at 50 % with a scanner and two vantage points; each looks every `every` and every second."""
    world = World()
    status = await world.target.start(Side.GREEN, RUNS_NEW)
    await world.clock.sleep(5.0)
    await world.target.set_weight(50)
    world.watch.note_weight(50)
    made = Scene(world, Green(status.started, status.digest))
    scanning = Scanning(world.target, made.inventory, made.scanner, world.clock)
    vantages = Vantages({"here": made.here, "there": made.there}, world.clock)
    world.watch.sources = (
        Looks(scanning, world.clock, every, patience=3 * every, retry=1.0),
        Looks(vantages, world.clock, 1.0, patience=30.0, retry=1.0),
    )
    return made


@case(VULNERABILITY, "healthy")
async def test_vulnerability_clear_while_nothing_critical_is_published() -> None:
    at = await scene()
    at.scanner.known = [MILD]
    assert (await at.watch(20.0)).action is Action.CONTINUE
    assert at.state(VULNERABILITY) == "clear"
    assert at.told(VULNERABILITY) == "1 packages by sbom.cdx.json: 0 critical; 1 others"
    assert len(at.scanner.asked) == 4, "once in five seconds"
    assert set(at.inventory.asked) == {RUNS_NEW}, "what green itself says it runs"


@case(VULNERABILITY, "broken")
async def test_vulnerability_fires_when_one_is_published_while_users_are_on_the_release() -> None:
    at = await scene()
    await at.watch(7.0)
    at.scanner.known = [MILD, BAD]
    seen = await at.watch(20.0)
    assert (seen.action, seen.rule) == (Action.HOLD, "trigger.vulnerability")
    assert "vulnerability discovered: CVE-1 in pypi/a@1 (CVSS 9.8); in sha256:" in seen.text
    assert at.state(VULNERABILITY) == "fired"


@case(VULNERABILITY, "empty")
async def test_vulnerability_of_a_release_that_says_nothing_about_itself_is_not_observed_and_holds_in_time() -> (
    None
):
    at = await scene()
    at.inventory.error = EMPTY
    assert (await at.watch(14.0)).action is Action.CONTINUE
    assert at.state(VULNERABILITY) == "not observed"
    seen = await at.watch(10.0)
    assert (seen.action, seen.rule) == (Action.HOLD, "hold.blind")
    assert (
        "trig.vulnerability has not been observed for 15 s: not scanned: the release has no SBOM" in seen.text
    )
    at.inventory.error = None
    await at.watch(5.0)
    assert (await at.watch(5.0)).action is Action.CONTINUE, "it resumes by itself"


async def test_vulnerability_of_an_sbom_without_packages_is_not_observed() -> None:
    at = await scene()
    at.inventory.found = Contents((), "sbom.cdx.json")
    await at.watch(7.0)
    assert at.state(VULNERABILITY) == "not observed"
    assert at.told(VULNERABILITY) == "not scanned: sbom.cdx.json names no package"


@case(VULNERABILITY, "unreachable")
async def test_vulnerability_is_not_observed_while_the_scanner_is_away_and_never_clear() -> None:
    at = await scene()
    await at.watch(2.0)
    assert at.state(VULNERABILITY) == "clear"
    at.scanner.error = AWAY
    await at.watch(6.0)
    assert at.state(VULNERABILITY) == "not observed"
    seen = await at.watch(20.0)
    assert (seen.action, seen.rule) == (Action.HOLD, "hold.blind")
    assert "not scanned: it does not answer (is it there?)" in seen.text


async def test_a_finding_that_a_person_let_pass_holds_no_more_and_another_one_does() -> None:
    at = await scene()
    at.scanner.known = [BAD]
    assert (await at.watch(5.0)).rule == "trigger.vulnerability"
    at.world.watch.resume(at.world.clock.now())
    assert (await at.watch(20.0)).action is Action.CONTINUE
    assert "1 accepted by a person" in at.told(VULNERABILITY)
    at.scanner.known = [BAD, Advisory("CVE-3", "pkg:pypi/a@1", None, "CRITICAL")]
    seen = await at.watch(10.0)
    assert seen.rule == "trigger.vulnerability"
    assert "CVE-3 in pypi/a@1 (critical)" in seen.text
    assert "CVE-1" not in seen.text


@case(UNAVAILABLE, "healthy")
async def test_unavailable_clear_while_each_gets_answers() -> None:
    at = await scene()
    assert (await at.watch(10.0)).action is Action.CONTINUE
    assert at.state(UNAVAILABLE) == "clear"
    assert at.told(UNAVAILABLE) == "2 of 2 vantage points get answers"
    assert at.world.prober.asked > 0, "by it a log that falls silent is noticed"


@case(UNAVAILABLE, "broken")
async def test_unavailable_fires_when_none_has_got_an_answer_for_its_time() -> None:
    at = await scene()
    at.here.seen = at.there.seen = False
    began = at.world.clock.now()
    seen = await at.watch(400.0)
    assert (seen.action, seen.rule) == (Action.ROLLBACK, "trigger.unavailable")
    assert 299 <= at.world.clock.now() - began <= 303
    assert "0 of 2 vantage points get answers; here gets none (status 503); there gets none" in seen.text


async def test_unavailable_by_one_alone_is_told_and_holds_nothing() -> None:
    at = await scene()
    at.here.seen = False
    assert (await at.watch(320.0)).action is Action.CONTINUE
    assert at.state(UNAVAILABLE) == "clear"
    assert at.told(UNAVAILABLE) == "1 of 2 vantage points get answers; here gets none (status 503)"


@case(UNAVAILABLE, "empty")
@case(UNAVAILABLE, "unreachable")
@pytest.mark.parametrize("error", [AWAY, EMPTY])
async def test_unavailable_is_not_observed_when_only_one_could_look_and_holds_in_time(
    error: ProbeError,
) -> None:
    at = await scene()
    at.here.seen, at.there.seen = False, error
    assert (await at.watch(25.0)).action is Action.CONTINUE
    assert at.state(UNAVAILABLE) == "not observed"
    seen = await at.watch(20.0)
    assert (seen.action, seen.rule) == (Action.HOLD, "hold.blind")
    assert "1 of 2 vantage points could look, 2 are needed: there could not look" in seen.text


async def test_unavailable_begins_anew_after_a_time_in_which_too_few_could_look() -> None:
    at = await scene()
    at.here.seen = at.there.seen = False
    await at.watch(200.0)
    at.there.seen = AWAY
    await at.watch(2.0)
    at.there.seen = False
    assert (await at.watch(250.0)).action is Action.CONTINUE, "what was not seen is not proven"
    assert (await at.watch(60.0)).rule == "trigger.unavailable"


RATES = {"trig.errors": Behaviour(errors=0.06), "trig.latency": Behaviour(slow=0.06)}
"""A little over each limit on both sides: too little for the sequential tests, and only the backstop is left."""


async def shifted(behaviour: Behaviour, rate: float = 20.0) -> Scene:
    at = await scene()
    at.world.traffic.rate = rate
    at.world.traffic.behaviour = dict.fromkeys(Side, behaviour)
    return at


@case("trig.errors", "healthy")
@case("trig.latency", "healthy")
@pytest.mark.parametrize("trigger", RATES)
async def test_a_rate_is_clear_below_its_limit(trigger: str) -> None:
    at = await shifted(Behaviour())
    await at.watch(60.0)
    assert at.state(trigger) == "clear"


@case("trig.errors", "broken")
@case("trig.latency", "broken")
@pytest.mark.parametrize(("trigger", "behaviour"), RATES.items())
async def test_a_rate_over_its_limit_fires_after_its_time(trigger: str, behaviour: Behaviour) -> None:
    at = await shifted(behaviour)
    began = at.world.clock.now()
    seen = await at.watch(5.0)
    while seen.action is not Action.ROLLBACK and at.world.clock.now() - began < 400:
        seen = await at.watch(5.0)
    assert (seen.action, seen.rule) == (Action.ROLLBACK, trigger.replace("trig", "trigger"))
    assert "for 5 minutes" in seen.text
    assert at.world.clock.now() - began > 300
    assert at.state(trigger) == "fired"


@case("trig.errors", "empty")
@case("trig.latency", "empty")
@pytest.mark.parametrize(("trigger", "behaviour"), RATES.items())
async def test_a_rate_of_too_few_requests_is_not_observed(trigger: str, behaviour: Behaviour) -> None:
    at = await shifted(behaviour, rate=1.0)
    await at.watch(120.0)
    assert at.state(trigger) == "not observed"


@case("trig.errors", "unreachable")
@case("trig.latency", "unreachable")
@pytest.mark.parametrize(("trigger", "behaviour"), RATES.items())
async def test_a_rate_is_not_observed_when_no_line_comes(trigger: str, behaviour: Behaviour) -> None:
    at = await shifted(behaviour)
    await at.watch(30.0)
    at.world.traffic.loss = 1.0
    seen = [await at.watch(5.0) for _ in range(6)]
    assert at.state(trigger) == "not observed"
    assert not any(one.action is Action.ROLLBACK for one in seen)


async def inspected() -> Scene:
    world = World(inspected=True)
    status = await world.target.start(Side.GREEN, RUNS_NEW)
    await world.clock.sleep(5.0)
    await world.target.set_weight(50)
    world.watch.note_weight(50)
    assert world.watch.inspection is not None
    world.watch.inspection.remember(await world.watch.inspection.begin())
    return Scene(world, Green(status.started, status.digest))


@case(CORRUPTION, "healthy")
async def test_corruption_is_clear_while_every_invariant_holds() -> None:
    at = await inspected()
    await at.watch(5.0)
    assert at.state(CORRUPTION) == "clear"


@case(CORRUPTION, "broken")
async def test_corruption_fires_at_the_second_look_with_what_is_broken() -> None:
    at = await inspected()
    at.world.data.now["orphans"] = 3
    seen = await at.watch(5.0)
    assert (seen.action, seen.rule) == (Action.ROLLBACK, "trigger.corruption")
    assert "orphans: found 3, expected == 0" in seen.text


@case(CORRUPTION, "empty")
@case(CORRUPTION, "unreachable")
@pytest.mark.parametrize("error", [EMPTY, AWAY])
async def test_corruption_is_not_observed_when_the_data_says_nothing_and_holds_in_time(
    error: ProbeError,
) -> None:
    at = await inspected()
    at.world.data.error = error
    seen = await at.watch(10.0)
    assert at.state(CORRUPTION) == "not observed"
    assert (seen.action, seen.rule) == (Action.HOLD, "hold.blind")

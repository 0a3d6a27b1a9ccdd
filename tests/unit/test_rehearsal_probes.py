"""What the lines about rolling back say of the rehearsals that are kept: passed, failed, unknown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tminus.control.inspection import Inspection
from tminus.control.readiness import Readiness
from tminus.domain.evidence import Claim, Verdict
from tminus.domain.expectation import parse
from tminus.domain.invariant import declared
from tminus.domain.plan import Check, Plan
from tminus.domain.rehearsal import CRITERIA_SECONDS, SUBJECTS, Rehearsal, definitions
from tminus.domain.trigger import CORRUPTION
from tminus.errors import InconclusiveError, TminusError, UnreachableError
from tminus.planfile import load
from tminus.postgres import Tools
from tminus.probes import plan as plan_probes
from tminus.probes import staging
from tminus.releases import Releases
from tminus.store.rehearsals import KeptRehearsals
from tminus.store.unkept import UnkeptRecord
from tminus.testing import FakeClock, FakeInvariants
from tminus.wiring import Systems
from tminus.wiring.judging import guard_limits

if TYPE_CHECKING:
    from tests.rehearsal_builder import ENDED, NEW, OLD, a_drill, rehearsal, way_back, whole
    from tests.unit.launch_world import line
else:
    from launch_world import line

    from rehearsal_builder import ENDED, NEW, OLD, a_drill, rehearsal, way_back, whole


@dataclass
class Kept:
    """Rehearsals as they are read; or why they are not."""

    found: Sequence[Rehearsal] = ()
    error: TminusError | None = None
    at: float = ENDED + 60

    def now(self) -> float:
        return self.at

    async def kept(self) -> Sequence[Rehearsal]:
        if self.error:
            raise self.error
        return self.found


def demo() -> Plan:
    with as_file(files("tminus.demo") / "demo.yaml") as path:
        return load(path).checked()


PLAN = demo()
DEFINED = definitions(PLAN, guard_limits(PLAN))
CRITERIA = PLAN.check("rb.criteria")
TESTED = line(
    "rb.tested",
    -7200.0,
    probe="staging.rollback",
    expect=parse("empty"),
    arguments={"digest": NEW, "previous": OLD, "within": "5min"},
    hint="roll exactly this pair of releases back, and time it",
)


def criteria_system(kept: Any) -> plan_probes.System:
    """The demo's plan over data that is whole."""
    (trigger,) = [one for one in PLAN.triggers if one["id"] == CORRUPTION]
    invariants = declared(trigger)
    values = {one.name: one.expect.limit if one.expect else 2000 for one in invariants}
    looked = Inspection(invariants, FakeInvariants(values), FakeClock(), 2.0)
    return plan_probes.System(PLAN, guard_limits(PLAN), looked, kept)


def staging_system(kept: Any) -> staging.System:
    nowhere = Path("/nowhere")
    return staging.System(nowhere, Releases(nowhere, nowhere, {}), Tools(nowhere, ""), "", "", {}, kept)


async def judged(check: Check, kept: Any) -> Claim:
    """The claim of a line by the product's own path: probe, expectation, record."""
    systems = Systems({"plan": criteria_system(kept), "staging": staging_system(kept)}, {})
    readiness = Readiness([check], UnkeptRecord("2026-01-01T00:00:00.000Z"), systems, FakeClock())
    await readiness.observe([check], "test")
    return (await readiness.claims())[check.id]


def without(subject: str, **more: Any) -> Rehearsal:
    drills = whole(DEFINED).drills
    return rehearsal(*(replace(one, **more) if one.subject == subject else one for one in drills))


class TestCriteria:
    async def test_passes_when_each_trigger_has_fired_as_it_is_defined(self) -> None:
        claim = await judged(CRITERIA, Kept([whole(DEFINED)]))
        assert (claim.verdict, claim.why) == (Verdict.PASSED, "all 5 triggers were seen to fire on staging")

    async def test_fails_with_a_trigger_that_did_not_fire_and_says_what_to_do(self) -> None:
        kept = Kept([without("trig.latency", verdict=Verdict.FAILED, why="it did not fire within 420 s")])
        claim = await judged(CRITERIA, kept)
        assert claim.verdict is Verdict.FAILED
        assert "trig.latency in its last rehearsal: it did not fire within 420 s" in claim.why
        assert claim.why.endswith(CRITERIA.hint)

    async def test_one_that_is_no_rehearsal_proves_nothing(self) -> None:
        error = InconclusiveError(
            "x.json is not what its name says", hint="remove this file, and rehearse again"
        )
        claim = await judged(CRITERIA, Kept(error=error))
        assert claim.verdict is Verdict.INCONCLUSIVE
        assert "remove this file" in claim.why

    async def test_rehearsals_that_cannot_be_read_are_no_observation(self) -> None:
        claim = await judged(CRITERIA, Kept(error=UnreachableError("cannot be read", hint="mend its rights")))
        assert (claim.verdict, claim.why) == (Verdict.ERROR, "cannot be read; mend its rights")

    @pytest.mark.parametrize(
        ("kept", "words"),
        [
            (Kept(), plan_probes.UNREHEARSED),
            (
                Kept([whole(dict.fromkeys(SUBJECTS, "of another plan"))]),
                "by another definition than the plan's",
            ),
            (Kept([whole(DEFINED)], at=ENDED + CRITERIA_SECONDS + 1), "was not rehearsed within 30 days"),
            (Kept([without("trig.errors", verdict=Verdict.WARNED)]), "a shorter hold time than the plan's"),
        ],
    )
    async def test_warns_of_what_was_not_rehearsed_so_with_what_to_do(self, kept: Kept, words: str) -> None:
        claim = await judged(CRITERIA, kept)
        assert claim.verdict is Verdict.WARNED
        assert words in claim.why
        assert "`tminus rehearse`" in claim.why

    async def test_a_newer_rehearsal_voids_no_signature(self) -> None:
        claims = [await judged(CRITERIA, Kept([whole(DEFINED, at=ENDED + later)])) for later in (0, 50)]
        assert claims[0].fingerprint == claims[1].fingerprint


class TestTested:
    async def test_passes_for_the_pair_that_is_to_be_launched(self) -> None:
        claim = await judged(TESTED, Kept([whole(DEFINED)]))
        assert claim.verdict is Verdict.PASSED
        assert claim.why.startswith("8 rollbacks of this pair on staging, the slowest 6.5 s")

    async def test_fails_with_a_write_that_was_lost_and_says_what_to_do(self) -> None:
        kept = Kept([without("guard.a2", verdict=Verdict.FAILED, back=way_back(lost=("Drill 1",)))])
        claim = await judged(TESTED, kept)
        assert claim.verdict is Verdict.FAILED
        assert "1 of 12 documents that users stored are lost" in claim.why
        assert claim.why.endswith(TESTED.hint)

    async def test_fails_for_a_pair_that_was_never_rehearsed(self) -> None:
        claim = await judged(TESTED, Kept())
        assert claim.verdict is Verdict.FAILED
        assert "was ever rehearsed" in claim.why

    async def test_warns_of_a_slow_one(self) -> None:
        kept = Kept([rehearsal(a_drill("guard.a2", back=way_back(served_seconds=301.0)))])
        claim = await judged(TESTED, kept)
        assert (claim.verdict, claim.why) == (
            Verdict.WARNED,
            "the slowest rollback took 301 s, more than 300 s",
        )

    async def test_a_rehearsal_that_came_to_no_rollback_proves_nothing(self) -> None:
        nothing = a_drill("guard.a2", verdict=Verdict.INCONCLUSIVE, back=None, why="it was not well")
        claim = await judged(TESTED, Kept([rehearsal(nothing)]))
        assert claim.verdict is Verdict.INCONCLUSIVE
        assert "came to no rollback" in claim.why

    async def test_where_nobody_keeps_rehearsals_nothing_is_known(self) -> None:
        assert (await judged(TESTED, None)).verdict is Verdict.INCONCLUSIVE

    async def test_rehearsals_that_cannot_be_read_are_no_observation(self) -> None:
        claim = await judged(TESTED, Kept(error=UnreachableError("cannot be read", hint="mend its rights")))
        assert (claim.verdict, claim.why) == (Verdict.ERROR, "cannot be read; mend its rights")

    async def test_reads_what_lies_on_disk(self, tmp_path: Path) -> None:
        kept = KeptRehearsals(tmp_path / "rehearsals", lambda: ENDED + 60)
        kept.keep(whole(DEFINED))
        for check in (CRITERIA, TESTED):
            assert (await judged(check, kept)).verdict is Verdict.PASSED

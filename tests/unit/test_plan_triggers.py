"""What `plan.triggers` says of the trigger that watches the data."""

from importlib.resources import as_file, files

import pytest

from tminus.control.inspection import Inspection
from tminus.domain.invariant import declared
from tminus.domain.plan import Plan
from tminus.domain.trigger import CORRUPTION
from tminus.errors import InconclusiveError, UnreachableError
from tminus.planfile import load
from tminus.probes import plan as probes
from tminus.testing import FakeClock, FakeInvariants
from tminus.wiring.judging import guard_limits

CANARIES = "digest of the canaries"
FLOOR = "rows of archive and canary"


def demo() -> Plan:
    with as_file(files("tminus.demo") / "demo.yaml") as path:
        return load(path).checked()


def watched(plan: Plan) -> tuple[probes.System, FakeInvariants]:
    """The demo's plan over data that is whole."""
    (trigger,) = [trigger for trigger in plan.triggers if trigger["id"] == CORRUPTION]
    invariants = declared(trigger)
    data = FakeInvariants(
        {one.name: one.expect.limit if one.name == CANARIES and one.expect else 0 for one in invariants}
    )
    data.now[FLOOR] = 2000
    return probes.System(plan, guard_limits(plan), Inspection(invariants, data, FakeClock(), 2.0)), data


async def test_a_source_that_returns_data_now_is_no_person_s_order() -> None:
    system, _ = watched(demo())
    seen = await probes.triggers.run(system)
    assert (seen.value, seen.remarks) == ([], (probes.UNREHEARSED,))
    assert isinstance(seen.seen["data now"], dict)
    assert seen.seen["data now"][FLOOR] == "2,000"
    assert seen.material[CORRUPTION] == "Data corruption detected (invariant queries, each 2 s)"


async def test_data_that_is_damaged_already_fails_the_criteria() -> None:
    system, data = watched(demo())
    data.now[CANARIES] = None
    problems = (await probes.triggers.run(system)).value
    assert isinstance(problems, list)
    assert len(problems) == 1
    assert str(problems[0]).startswith(
        f"{CORRUPTION} has fired already: {CANARIES}: found nothing, expected is "
    )


@pytest.mark.parametrize("kind", [UnreachableError, InconclusiveError])
async def test_a_source_without_data_proves_nothing(kind: type[UnreachableError | InconclusiveError]) -> None:
    system, data = watched(demo())
    data.error = kind("PostgreSQL does not answer", hint="is it running?")
    with pytest.raises(kind, match=r"trig\.corruption has no data now: PostgreSQL does not answer") as told:
        await probes.triggers.run(system)
    assert told.value.hint == "is it running?"


async def test_outside_a_launch_the_data_is_not_looked_at_and_that_is_said() -> None:
    plan = demo()
    seen = await probes.triggers.run(probes.System(plan, guard_limits(plan)))
    assert (seen.value, seen.remarks) == ([], (probes.UNLAUNCHED, probes.UNREHEARSED))


async def test_a_plan_that_leaves_the_data_to_people_works_and_is_warned_of() -> None:
    found = load("production")
    assert found.plan is not None
    seen = await probes.triggers.run(probes.System(found.plan, guard_limits(found.plan)))
    assert (seen.value, seen.remarks) == ([], (probes.NO_INVARIANTS, probes.UNREHEARSED))

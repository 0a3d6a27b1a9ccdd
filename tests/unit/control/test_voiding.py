"""Whatever kind of line is looked at: noise voids nobody's signature, and what matters voids it."""

import asyncio
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.unit.launch_world import PLAN, World
else:
    from launch_world import PLAN, World

from tminus.control.readiness import Finding
from tminus.control.voiding import tell_void
from tminus.domain.evidence import Observation, Source, Verdict
from tminus.domain.plan import Kind
from tminus.domain.poll import evidence_of, void

JUDGED = PLAN.before_go()
PARTS = {check.id: check.of for check in JUDGED if check.kind is Kind.ROLLUP}
PROBED = tuple(check.id for check in JUDGED if check.kind is Kind.PROBE)


def looked(value: list[str], noise: int, version: int, *, odd: bool) -> Observation:
    """One look: what it measured differs every time, what matters only with its version."""
    remarks = (f"it took {noise} ms",) if odd else ()
    return Observation([*value], {"ms": noise}, {"version": version}, remarks)


async def signed_world() -> World:
    world = World()
    await world.open()
    for name in PROBED:
        world.observer.scripts[name] = [looked([], 0, 0, odd=False)]
    await world.readiness.observe(JUDGED, "T-2h")
    await world.approval().poll("depot-7", world.readiness)
    return world


async def voided(world: World) -> dict[str, set[str]]:
    evidence = evidence_of(world.plan, world.chain, await world.readiness.claims())
    return {
        role: {change.check for change in changed} for role, changed in void(world.chain, evidence).items()
    }


LOOK = st.tuples(st.lists(st.just("wrong"), max_size=1), st.integers(1, 99), st.integers(0, 1), st.booleans())
LOOKS = st.lists(st.fixed_dictionaries(dict.fromkeys(PROBED, LOOK)), min_size=1, max_size=4)


@settings(max_examples=40)
@given(LOOKS)
def test_each_look_voids_exactly_by_what_is_materially_otherwise(looks: list[dict[str, Any]]) -> None:
    async def history() -> None:
        world = await signed_world()
        for number, seen in enumerate(looks):
            for name, (value, noise, version, odd) in seen.items():
                world.observer.scripts[name] = [looked(value, noise, version, odd=odd)]
            await world.readiness.observe(JUDGED, f"look {number}")
            changed = {name for name, (value, _, version, odd) in seen.items() if value or version or odd}
            changed |= {name for name, parts in PARTS.items() if changed & {*parts}}
            assert await voided(world) == ({"devops": changed, "qa": changed} if changed else {})

    asyncio.run(history())


async def test_the_kinds_of_lines_that_go_judges_are_all_among_these() -> None:
    world = await signed_world()
    sources = {claim.source for claim in (await world.readiness.claims()).values()}
    assert sources == {Source.PROBE, Source.SIMULATED, Source.PLAN, Source.ROLLUP}
    assert await voided(world) == {}


async def test_a_step_that_read_back_something_else_has_another_claim() -> None:
    world = await signed_world()
    prints = []
    for number, version in enumerate((1, 1, 2)):
        step = Finding(Verdict.PASSED, "read back", Source.STEP, looked([], number, version, odd=False))
        await world.readiness.conclude("migrate", step, f"step {number}")
        prints.append((await world.readiness.claims())["t0.migrate"].fingerprint)
    assert prints[0] == prints[1] != prints[2]


async def test_a_void_signature_is_told_once_with_what_changed() -> None:
    world = await signed_world()
    world.observer.scripts["cfg.env"] = [looked([], 5, 1, odd=False)]
    await world.readiness.observe([PLAN.check("cfg.env")], "again")
    for _ in range(2):
        await tell_void(world.plan, world.record, world.chain, await world.readiness.claims())
    told = world.events("signoff.voided")
    assert [(row["role"], row["changes"]) for row in told] == [
        (role, ["cfg.env: passed, now passed, of something else"]) for role in ("devops", "qa")
    ]

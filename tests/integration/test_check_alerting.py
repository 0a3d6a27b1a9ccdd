"""`tminus check` looks at Prometheus, Alertmanager and Redis by their addresses alone, and pages nobody."""

from typing import TYPE_CHECKING

from tminus.domain.evidence import Claim, Verdict
from tminus.wiring.appraisal import looking_at

if TYPE_CHECKING:
    from tests.integration.line_world import World, shows
else:
    from line_world import World, shows


async def looked_at(world: World, *lines: str, **changed: str) -> dict[str, Claim]:
    scene = world.scene
    environment = {**scene.site.addresses(), **changed}
    sight = looking_at(scene.plan, environment)
    await sight.readiness.observe([scene.plan.check(name) for name in lines], "now")
    return await sight.readiness.claims()


async def test_an_address_alone_is_enough(world: World) -> None:
    claims = await looked_at(world, "alert.crit.disk", "alert.crit.dbconn", "route.all")
    words = {
        "alert.crit.disk": "alert rule DiskCritical is loaded, silent, reads ",
        "alert.crit.dbconn": "alert rule DatabaseConnectionsCritical is loaded, silent, reads ",
        "route.all": "alert rules reaches the receivers that it must",
    }
    for name, claim in claims.items():
        shows(claim, Verdict.PASSED, words[name])


async def test_a_drill_is_not_sent_by_the_way(world: World) -> None:
    claims = await looked_at(world, "route.pd", "t1.alerts")
    for claim in claims.values():
        shows(claim, Verdict.INCONCLUSIVE, "sends a test to people", "in the countdown")


async def test_what_stands_behind_a_reference_is_never_shown(world: World) -> None:
    password = "correct-horse"
    claims = await looked_at(
        world,
        "bk.redis",
        "alert.crit.disk",
        TMINUS_DEMO_REDIS=f"redis://:{password}@127.0.0.1:1/0",
        TMINUS_DEMO_PROMETHEUS=f"http://reader:{password}@127.0.0.1:1",
    )
    for claim in claims.values():
        shows(claim, Verdict.ERROR)
        assert password not in claim.why


async def test_an_address_that_is_none_says_which(world: World) -> None:
    claims = await looked_at(world, "alert.crit.disk", TMINUS_DEMO_PROMETHEUS="127.0.0.1:9090")
    shows(claims["alert.crit.disk"], Verdict.ERROR, "behind env:TMINUS_DEMO_PROMETHEUS is no http address")

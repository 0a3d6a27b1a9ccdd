"""Lines about the gates of the service: flags, rate limits, and pages of other origins."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tminus.domain.evidence import Verdict
from tminus.domain.plan import Check

if TYPE_CHECKING:
    from tests.integration.line_register import line
    from tests.integration.line_world import Scene, World, answering, execute, fails, serving, shows
    from tests.integration.test_lines_service import unreachable
else:
    from line_register import line
    from line_world import Scene, World, answering, execute, fails, serving, shows
    from test_lines_service import unreachable

NO_REDIS = "redis://127.0.0.1:1/0"
APP = "https://app.depot.example"
STAFF = {"flag": "result-style", "context": {"audience": "staff"}, "value": "cards"}


def with_arguments(scene: Scene, name: str, **changes: Any) -> Check:
    """A line of the plan with other arguments."""
    check = scene.plan.check(name)
    return replace(check, arguments={**(check.arguments or {}), **changes})


def flag(key: str, **changes: Any) -> str:
    """The statement that changes parts of a flag's definition."""
    return f"UPDATE flags SET definition = definition || '{json.dumps(changes)}' WHERE key = '{key}'"


@asynccontextmanager
async def a_depot(world: World, scene: Scene, name: str) -> AsyncIterator[Scene]:
    """One more depot as this scene has it, seen as the public address."""
    async with serving(world, scene, name) as address:
        yield scene.on(public=address)


@asynccontextmanager
async def flagged(world: World, statement: str) -> AsyncIterator[Scene]:
    """A depot on a database of its own, whose flags were changed before it read them."""
    database = world.copy(world.after)
    execute(database, statement)
    async with a_depot(world, world.scene.given(DATABASE_URL=database), "flagged") as scene:
        yield scene


@asynccontextmanager
async def limited(world: World, limits: str) -> AsyncIterator[Scene]:
    """A depot with these limits, which counts in a Redis database of its own."""
    async with a_depot(world, own_counts(world.scene).given(RATE_LIMITS=limits), "limited") as scene:
        yield scene


def own_counts(scene: Scene) -> Scene:
    """A scene whose clients have not asked for anything yet."""
    address = scene.site.settings["DEPOT_REDIS_URL"]
    _numbers.append(2 + len(_numbers) % 14)
    return scene.given(REDIS_URL=f"{address.removesuffix('/0')}/{_numbers[-1]}")


_numbers: list[int] = []
"""The Redis databases that were given away; 0 is the users' and 1 that of trials."""


class TestFlags:
    @line(
        "cfg.flags", "passed", "every flag says to each audience what the plan's table says, for its reason"
    )
    async def test_passes(self, world: World) -> None:
        shows(await world.scene.judge("cfg.flags"), Verdict.PASSED)

    @line("cfg.flags", "failed", "a flag was deleted", mutation=121)
    async def test_fails_without_a_flag(self, world: World) -> None:
        async with flagged(world, "DELETE FROM flags WHERE key = 'exports'") as scene:
            fails(await scene.judge("cfg.flags"), scene.plan, "exports for everybody: FLAG_NOT_FOUND")

    @line("cfg.flags", "failed", "a rule gives one audience another variant", mutation=122)
    async def test_fails_when_an_audience_gets_another_variant(self, world: World) -> None:
        rules = [{"attribute": "audience", "values": ["beta"], "variant": "cards"}]
        async with flagged(world, flag("result-style", rules=rules)) as scene:
            words = "result-style for audience staff is 'plain', not 'cards'"
            fails(await scene.judge("cfg.flags"), scene.plan, words)

    @line("cfg.flags", "failed", 'a flag holds the text "true"', mutation=123)
    async def test_fails_when_the_type_differs(self, world: World) -> None:
        async with flagged(world, flag("exports", variants={"on": "true", "off": "false"})) as scene:
            words = "exports for everybody is text 'true', not boolean True"
            fails(await scene.judge("cfg.flags"), scene.plan, words)

    @line("cfg.flags", "failed", "the new feature is on for everybody", mutation=124)
    async def test_fails_when_everybody_has_the_new_feature(self, world: World) -> None:
        async with flagged(world, flag("result-style", default="cards")) as scene:
            words = "result-style for everybody is 'cards', not 'plain'"
            fails(await scene.judge("cfg.flags"), scene.plan, words)

    @line("cfg.flags", "passed", "(warned) the rule is gone, and the default gives the same", mutation=125)
    async def test_warns_when_the_value_is_right_for_another_reason(self, world: World) -> None:
        async with flagged(world, flag("result-style", default="cards", rules=[])) as scene:
            table = [{**STAFF, "reason": "TARGETING_MATCH"}]
            claim = await scene.judge(with_arguments(scene, "cfg.flags", expected=table))
            shows(claim, Verdict.WARNED, "the reason is STATIC, not TARGETING_MATCH")

    @line("cfg.flags", "passed", "(warned) the kill switch is disabled", mutation=126)
    async def test_warns_when_the_kill_switch_is_disabled(self, world: World) -> None:
        async with flagged(world, flag("exports", enabled=False)) as scene:
            shows(await scene.judge("cfg.flags"), Verdict.WARNED, "the reason is DISABLED, not STATIC")

    @line("cfg.flags", "inconclusive", "the synthetic user cannot log in")
    async def test_without_a_login_nothing_is_shown(self, world: World) -> None:
        claim = await world.scene.on(password="another password").judge("cfg.flags")
        shows(claim, Verdict.INCONCLUSIVE, "cannot log in")

    async def test_an_empty_table_proves_nothing(self, world: World) -> None:
        claim = await world.scene.judge(with_arguments(world.scene, "cfg.flags", expected=[]))
        shows(claim, Verdict.INCONCLUSIVE, "table of flags is empty")
        odd = with_arguments(world.scene, "cfg.flags", expected=[{"flag": "exports", "worth": True}])
        shows(await world.scene.judge(odd), Verdict.INCONCLUSIVE, "row 1 of the plan's table holds worth")

    @line("cfg.flags", "error", "nothing listens at the public address")
    async def test_without_an_answer_nothing_is_known(self, world: World) -> None:
        shows(await unreachable(world.scene).judge("cfg.flags"), Verdict.ERROR, "is something listening")


class TestRateLimits:
    @line(
        "cfg.ratelimit", "passed", "exactly the excess is refused; another client and the health page are not"
    )
    async def test_passes(self, world: World) -> None:
        shows(await world.scene.judge("cfg.ratelimit"), Verdict.PASSED)

    async def test_passes_again_in_the_next_window(self, world: World) -> None:
        first, second = [await world.scene.judge("cfg.ratelimit") for _ in range(2)]
        shows(first, Verdict.PASSED)
        shows(second, Verdict.PASSED)
        assert first.fingerprint == second.fingerprint

    @line("cfg.ratelimit", "failed", "the probe's key has no limit", mutation=127)
    async def test_fails_without_a_limit(self, world: World) -> None:
        async with limited(world, "*=30000/60,neighbour=20/10") as scene:
            words = "25 of 25 requests were let through, planned are 20"
            fails(await scene.judge("cfg.ratelimit"), scene.plan, words)

    @line("cfg.ratelimit", "failed", "the limit is twice as high", mutation=128)
    async def test_fails_when_the_limit_is_too_high(self, world: World) -> None:
        async with limited(world, "probe=40/10,neighbour=20/10") as scene:
            words = "25 of 25 requests were let through, planned are 20"
            fails(await scene.judge("cfg.ratelimit"), scene.plan, words)

    @line("cfg.ratelimit", "failed", "the limit is half as high", mutation=129)
    async def test_fails_when_the_limit_is_too_low(self, world: World) -> None:
        async with limited(world, "probe=10/10,neighbour=20/10") as scene:
            words = "10 of 25 requests were let through, planned are 20"
            fails(await scene.judge("cfg.ratelimit"), scene.plan, words)

    async def test_warns_when_the_limit_is_nearly_right(self, world: World) -> None:
        async with limited(world, "probe=21/10,neighbour=20/10") as scene:
            words = "21 of 25 requests were let through, planned are 20"
            shows(await scene.judge("cfg.ratelimit"), Verdict.WARNED, words)

    @line("cfg.ratelimit", "failed", "all clients share one count", mutation=130)
    async def test_fails_when_clients_are_not_told_apart(self, world: World, tmp_path: Path) -> None:
        shared = ('return f"key:{key}", ruler', 'return "everybody", ruler')
        async with a_depot(
            world, own_counts(world.patched(tmp_path / "images", rate=shared)), "limited"
        ) as scene:
            fails(await scene.judge("cfg.ratelimit"), scene.plan, "another client's key was refused too")

    @line("cfg.ratelimit", "failed", "what is above the limit gets 503", mutation=131)
    async def test_fails_when_the_excess_looks_like_a_fault(self, world: World, tmp_path: Path) -> None:
        broken = ('JSONResponse({"detail": "too many requests"}, 429', 'JSONResponse({"detail": "no"}, 503')
        async with a_depot(
            world, own_counts(world.patched(tmp_path / "images", rate=broken)), "limited"
        ) as scene:
            fails(await scene.judge("cfg.ratelimit"), scene.plan, "were answered with 503, not with 429")

    @line("cfg.ratelimit", "failed", "the health page is limited too", mutation=132)
    async def test_fails_when_the_health_page_is_limited(self, world: World, tmp_path: Path) -> None:
        patched = world.patched(tmp_path / "images", operations=('{"health", ', "{"))
        async with a_depot(world, own_counts(patched), "limited") as scene:
            fails(await scene.judge("cfg.ratelimit"), scene.plan, "the health page was refused too")

    @line("cfg.ratelimit", "passed", "(warned) 429 does not say when to come back", mutation=133)
    async def test_warns_when_nothing_says_when_to_come_back(self, world: World, tmp_path: Path) -> None:
        silent = ("headers = standing.headers()", "headers: dict[str, str] = {}")
        async with a_depot(
            world, own_counts(world.patched(tmp_path / "images", rate=silent)), "limited"
        ) as scene:
            shows(await scene.judge("cfg.ratelimit"), Verdict.WARNED, "without Retry-After and RateLimit")

    @line("cfg.ratelimit", "failed", "the Redis that counts is away", mutation=134)
    async def test_fails_when_nobody_counts(self, world: World) -> None:
        async with a_depot(world, world.scene.given(REDIS_URL=NO_REDIS), "limited") as scene:
            words = "25 of 25 requests were let through, planned are 20"
            fails(await scene.judge("cfg.ratelimit"), scene.plan, words)

    @line("cfg.ratelimit", "inconclusive", "the path answers 503 at the first request")
    async def test_a_path_that_fails_proves_nothing(self, world: World) -> None:
        async with answering(503, "") as address:
            claim = await world.scene.on(public=address).judge("cfg.ratelimit")
            shows(claim, Verdict.INCONCLUSIVE, "answers 503 below every limit")

    async def test_a_key_that_somebody_else_uses_proves_nothing(self, world: World) -> None:
        async with answering(429, "", {"RateLimit-Reset": "0"}) as address:
            claim = await world.scene.on(public=address).judge("cfg.ratelimit")
            shows(claim, Verdict.INCONCLUSIVE, "refused at the start of a window")

    async def test_a_window_that_is_over_too_soon_proves_nothing(self, world: World) -> None:
        check = with_arguments(world.scene, "cfg.ratelimit", window_seconds=0.001)
        async with limited(world, "probe=20/10,neighbour=20/10") as scene:
            shows(await scene.judge(check), Verdict.INCONCLUSIVE, "longer than the window")

    @line("cfg.ratelimit", "error", "nothing listens at the public address")
    async def test_without_an_answer_nothing_is_known(self, world: World) -> None:
        claim = await unreachable(world.scene).judge("cfg.ratelimit")
        shows(claim, Verdict.ERROR, "is something listening")


ALLOWED = "allowed = origin if origin in self._origins else None"
MARKED = 'if allowed is not None:\n                    marked["Access-Control-Allow-Origin"] = allowed'
ANYBODY = """if True:
                    marked["Access-Control-Allow-Origin"] = "*"
                    marked["Access-Control-Allow-Credentials"] = "true\""""


class TestOrigins:
    @line("cfg.cors", "passed", "the plan's origins are let in by name, and eight others are not")
    async def test_passes(self, world: World) -> None:
        shows(await world.scene.judge("cfg.cors"), Verdict.PASSED)

    @line("cfg.cors", "failed", "an origin is missing from the service's list", mutation=135)
    async def test_fails_when_an_allowed_origin_is_kept_out(self, world: World) -> None:
        scene = world.scene.given(CORS_ORIGINS="https://admin.depot.example")
        async with a_depot(world, scene, "origins") as seen:
            fails(await seen.judge("cfg.cors"), seen.plan, f"{APP} is not let in by its name")

    async def _fails(self, world: World, folder: Path, patch: tuple[str, str], *words: str) -> None:
        async with a_depot(world, world.patched(folder / "images", cors=patch), "origins") as scene:
            fails(await scene.judge("cfg.cors"), scene.plan, *words)

    @line("cfg.cors", "failed", "every origin is reflected", mutation=136)
    async def test_fails_when_every_origin_is_reflected(self, world: World, tmp_path: Path) -> None:
        patch = (ALLOWED, "allowed = origin or None")
        await self._fails(
            world, tmp_path, patch, "https://evil.example is let in: preflight GET allows https://evil"
        )

    @line("cfg.cors", "failed", "`null` is let in", mutation=137)
    async def test_fails_when_null_is_let_in(self, world: World, tmp_path: Path) -> None:
        patch = (ALLOWED, 'allowed = origin if origin in {*self._origins, "null"} else None')
        await self._fails(world, tmp_path, patch, "^null is let in: preflight GET allows null, expected")

    @line("cfg.cors", "failed", "every subdomain is let in", mutation=138)
    async def test_fails_when_a_sibling_is_let_in(self, world: World, tmp_path: Path) -> None:
        patch = (ALLOWED, 'allowed = origin if origin.endswith(".depot.example") else None')
        await self._fails(world, tmp_path, patch, "https://not-app.depot.example is let in")

    @line("cfg.cors", "failed", "the `http` form of an allowed origin is let in", mutation=139)
    async def test_fails_when_http_is_let_in(self, world: World, tmp_path: Path) -> None:
        patch = (ALLOWED, 'allowed = origin if origin.replace("http:", "https:") in self._origins else None')
        await self._fails(world, tmp_path, patch, "^http://app.depot.example is let in")

    @line("cfg.cors", "failed", "`*` with credentials", mutation=140)
    async def test_fails_when_any_page_may_act_as_the_user(self, world: World, tmp_path: Path) -> None:
        words = r"https://evil.example is let in: GET allows \* with credentials"
        await self._fails(world, tmp_path, (MARKED, ANYBODY), words)

    @line("cfg.cors", "failed", "answers do not vary by origin", mutation=141)
    async def test_fails_when_a_cache_would_mix_origins_up(self, world: World, tmp_path: Path) -> None:
        patch = ('marked.add_vary_header("Origin")', "pass")
        await self._fails(world, tmp_path, patch, f"GET for {APP} does not vary")

    @line("cfg.cors", "failed", "a planned method is not allowed", mutation=142)
    async def test_fails_when_a_method_is_missing(self, world: World, tmp_path: Path) -> None:
        await self._fails(world, tmp_path, (', "DELETE")', ")"), f"{APP} may not DELETE")

    async def test_fails_when_a_header_is_missing(self, world: World, tmp_path: Path) -> None:
        patch = ('("Authorization", "Content-Type"', '("Content-Type"')
        await self._fails(world, tmp_path, patch, f"{APP} may not send Authorization with GET")

    @line("cfg.cors", "passed", "(warned) browsers keep a preflight for a week", mutation=143)
    async def test_warns_when_a_preflight_is_kept_for_long(self, world: World, tmp_path: Path) -> None:
        patched = world.patched(
            tmp_path / "images", cors=("MAX_AGE_SECONDS = 600", "MAX_AGE_SECONDS = 604800")
        )
        async with a_depot(world, patched, "origins") as scene:
            shows(await scene.judge("cfg.cors"), Verdict.WARNED, "keep a preflight .* for 604800 s")

    @line("cfg.cors", "inconclusive", "the service answers 500 to preflights")
    async def test_a_service_that_fails_proves_nothing(self, world: World) -> None:
        async with answering(500, "") as address:
            claim = await world.scene.on(public=address).judge("cfg.cors")
            shows(
                claim,
                Verdict.INCONCLUSIVE,
                "preflight GET for https://app.depot.example is answered with 500",
            )

    async def test_a_plan_that_lets_nobody_in_proves_nothing(self, world: World) -> None:
        claim = await world.scene.judge(with_arguments(world.scene, "cfg.cors", origins=[]))
        shows(claim, Verdict.INCONCLUSIVE, "allows no origin or no method")

    @line("cfg.cors", "error", "nothing listens at the public address")
    async def test_without_an_answer_nothing_is_known(self, world: World) -> None:
        shows(await unreachable(world.scene).judge("cfg.cors"), Verdict.ERROR, "is something listening")

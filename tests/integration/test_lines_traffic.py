"""Lines about what users met: real requests through the proxy, judged from its log alone.

What the service's own metrics say beside it stands in `test_lines_sources.py`.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus.domain.evidence import Verdict
from tminus.domain.expectation import parse
from tminus.domain.plan import Check
from tminus.domain.traffic import Outcome, Side
from tminus.probes import traffic

if TYPE_CHECKING:
    from tests.integration.line_register import line
    from tests.integration.line_world import (
        Scene,
        World,
        fails,
        hurried,
        in_order,
        listening,
        preceded,
        record,
        send_users,
        shows,
    )
else:
    from line_register import line
    from line_world import (
        Scene,
        World,
        fails,
        hurried,
        in_order,
        listening,
        preceded,
        record,
        send_users,
        shows,
    )

Trace = tuple[Outcome, ...]
WATCHED = ("t4p.err", "t4p.perf", "ok.err", "ok.p95", "t1.all")


@pytest.fixture(scope="module")
def users(world: World, tmp_path_factory: pytest.TempPathFactory) -> "Users":
    """Recordings of users at the stage, each made once."""
    return Users(world, tmp_path_factory)


class Users:
    def __init__(self, world: World, folder: pytest.TempPathFactory) -> None:
        self._world = world
        self._folder = folder
        self._made: dict[object, Trace] = {}

    async def scene(self, *phases: tuple[str, int], percent: int = 100) -> Scene:
        """What the lines see after these phases."""
        key = (phases, percent)
        if key not in self._made:
            file = self._folder.mktemp("trace") / "trace.jsonl"
            self._made[key] = await record(self._world, file, *phases, percent=percent)
        return by_the_log(replace(self._world.scene, trace=self._made[key]))

    async def healthy(self) -> Scene:
        return await self.scene(("", 520))

    async def after(self, scene: Scene, *, faster: float = 1.0) -> Scene:
        """The same after healthy users of blue: a real recording, moved to before green's first request."""
        trace = preceded(scene.trace, (await self.healthy()).trace, faster=faster)
        return by_the_log(replace(scene, trace=trace, handles=None))


def by_the_log(scene: Scene) -> Scene:
    """The scene without a second source."""
    both = scene.wired()["traffic"]
    assert isinstance(both, traffic.System)
    return replace(scene, handles={"traffic": replace(both, second=None)})


class TestAllIsWell:
    @line("t4p.err", "passed", "520 requests, none failed")
    @line("t4p.perf", "passed", "520 requests, all fast")
    @line("ok.err", "passed", "520 requests, none failed")
    @line("ok.p95", "passed", "520 requests, all fast")
    @line("t1.all", "passed", "520 requests, all on green")
    async def test_every_line_passes(self, users: Users) -> None:
        scene = await users.healthy()
        assert {outcome.side for outcome in scene.trace} == {Side.GREEN}
        scene = await users.after(scene)
        for claim in (await scene.judged(*WATCHED)).values():
            shows(claim, Verdict.PASSED)


class TestErrors:
    @line("t4p.err", "failed", "exactly 1 % of the answers are 500", mutation=36)
    async def test_fails_at_one_percent(self, users: Users) -> None:
        scene = await users.scene(("", 495), ("errors=1", 5))
        assert len(scene.trace) == 500
        scene = await users.after(scene)
        fails(await scene.judge("t4p.err"), scene.plan, "1%, expected < 1%")

    @line("ok.err", "failed", "2 % of the answers are 500", mutation=44)
    @line("t4p.err", "failed", "all errors come at the end of the window", mutation=38)
    async def test_fails_at_two_percent(self, users: Users) -> None:
        scene = await users.after(await users.scene(("", 490), ("errors=1", 10)))
        for claim in (await scene.judged("t4p.err", "ok.err")).values():
            fails(claim, scene.plan, "2%, expected < 1%")

    @line("t4p.err", "failed", "0.9 % of the answers are 500, before the launch none of 2,600", mutation=37)
    async def test_fails_below_its_limit_when_the_counts_show_more_than_before(self, users: Users) -> None:
        scene = await users.scene(("", 2577), ("errors=1", 23))
        before = [await users.after(scene, faster=1.0 + number / 1000) for number in range(5)]
        blue = [outcome for one in before for outcome in one.trace if outcome.side is Side.BLUE]
        scene = by_the_log(replace(scene, trace=in_order(*blue, *hurried(scene.trace)), handles=None))
        fails(
            await scene.judge("t4p.err"),
            scene.plan,
            "23 of 2600 requests failed, before the launch 0 of 2600",
        )

    async def test_one_error_more_than_before_is_no_evidence(self, users: Users) -> None:
        scene = await users.after(await users.scene(("", 519), ("errors=1", 1)))
        shows(await scene.judge("t4p.err"), Verdict.PASSED)

    @line("ok.err", "failed", "green is killed while it answers", mutation=45)
    async def test_fails_when_requests_get_no_answer(self, users: Users) -> None:
        scene = await users.scene(("", 480), ("crash=5", 40))
        fails(await scene.judge("ok.err"), scene.plan, r"[1-9].*%, expected < 1%")


class TestTimes:
    @line("t4p.perf", "failed", "10 % of the requests take a second", mutation=39)
    async def test_fails_with_a_tenth_of_a_second_late(self, users: Users) -> None:
        scene = await users.after(await users.scene(("", 450), ("slow=1:1.0", 50)))
        fails(await scene.judge("t4p.perf"), scene.plan, r"^1\d\d\d ms, expected < 500 ms")

    @line("t4p.perf", "failed", "a tenth of the requests are 300 ms late", mutation=40)
    async def test_fails_below_its_limit_when_the_times_are_shown_to_be_longer(self, users: Users) -> None:
        # The time before is made the quicker, since on a busy machine its slowest answers would hide 300 ms; and the
        # limit wider, since there 300 ms more come to more than 500.
        scene = await users.after(await users.scene(("", 440), ("slow=1:0.3", 80)), faster=3.0)
        claim = await scene.judge(replace(scene.plan.check("t4p.perf"), expect=parse("< 5 s")))
        fails(claim, scene.plan, r"\d+ of 520 requests took longer than \d+ ms, more than a twentieth")

    @line("ok.p95", "failed", "30 % of the requests are three seconds late", mutation=46)
    async def test_fails_with_three_seconds(self, users: Users) -> None:
        scene = await users.scene(("", 350), ("slow=1:3.0", 150))
        fails(await scene.judge("ok.p95"), scene.plan, r"^3\d\d\d ms, expected < 500 ms")

    @line("ok.p95", "failed", "6 % of the requests are 600 ms late", mutation=47)
    async def test_fails_with_six_percent(self, users: Users) -> None:
        scene = await users.scene(("", 470), ("slow=1:0.6", 30))
        fails(await scene.judge("ok.p95"), scene.plan, r"^[67]\d\d ms, expected < 500 ms")

    async def test_warns_above_the_lower_limit(self, users: Users) -> None:
        scene = await users.scene(("", 470), ("slow=1:0.35", 30))
        claim = await scene.judge("ok.p95")
        shows(claim, Verdict.WARNED, "expected < 300 ms")


class TestSides:
    @line("t1.all", "failed", "blue still has a fifth of the weight", mutation=31)
    async def test_fails_when_blue_has_weight(self, users: Users) -> None:
        scene = await users.scene(("", 320), percent=80)
        fails(await scene.judge("t1.all"), scene.plan, r"^\d+, expected == 0")

    @line("t1.all", "failed", "the weight says 100, but blue answered requests of the window", mutation=32)
    async def test_fails_when_blue_answered_whatever_the_weight_says(self, users: Users) -> None:
        scene = await users.scene(("weight=0", 3), ("weight=100", 310))
        assert (await scene.target().status(Side.GREEN)).weight == 100
        fails(await scene.judge("t1.all"), scene.plan, "^3, expected == 0")


class TestBaseline:
    """`traffic.baseline`, for a plan that has no Prometheus."""

    @staticmethod
    def _line(scene: Scene) -> Check:
        return replace(scene.plan.check("t2.baseline"), probe="traffic.baseline")

    async def test_fails_with_too_few_requests(self, users: Users) -> None:
        scene = await users.healthy()
        passed = await scene.judge(self._line(scene))
        shows(passed, Verdict.PASSED, "520, expected >= 300")
        few = by_the_log(replace(scene, trace=scene.trace[:120]))
        fails(await few.judge(self._line(scene)), scene.plan, "120, expected >= 300")

    async def test_warns_when_the_service_fails_already(self, users: Users) -> None:
        scene = await users.scene(("", 300), ("errors=1", 15), percent=0)
        claim = await scene.judge(self._line(scene))
        assert claim.verdict is Verdict.WARNED
        assert "15 of 315 requests fail before" in claim.why


class TestNothingSeen:
    @line("t4p.err", "inconclusive", "120 requests are too few")
    @line("t4p.perf", "inconclusive", "120 requests are too few")
    @line("ok.err", "inconclusive", "120 requests are too few")
    @line("ok.p95", "inconclusive", "120 requests are too few")
    @line("t1.all", "inconclusive", "120 requests are too few")
    async def test_too_few_requests_prove_nothing(self, users: Users) -> None:
        scene = await users.healthy()
        scene = by_the_log(replace(scene, trace=scene.trace[:120]))
        for claim in (await scene.judged(*WATCHED)).values():
            shows(claim, Verdict.INCONCLUSIVE, "120 requests in .* too few")

    async def test_nobody_asked(self, world: World) -> None:
        for claim in (await world.scene.judged(*WATCHED)).values():
            shows(claim, Verdict.INCONCLUSIVE, "^0 requests", "wait for more traffic")

    @line("t4p.err", "error", "the proxy is dead")
    @line("t4p.perf", "error", "the proxy is dead")
    @line("ok.err", "error", "the proxy is dead")
    @line("ok.p95", "error", "the proxy is dead")
    @line("t1.all", "error", "the proxy is dead")
    async def test_a_dead_proxy_tells_of_nobody(self, world: World, tmp_path: Path) -> None:
        """Nothing is known; that users are not served is seen by ok.health, and by the prober at all times."""
        await world.process("haproxy").kill()
        try:
            trace = listening(world, tmp_path / "trace.jsonl")
            await trace.start()
            await send_users(world.scene, 20, at_once=5)
            await trace.stop()
            assert trace.outcomes() == []
            claims = await world.scene.judged(*WATCHED, "ok.health")
        finally:
            await world.stage.start_haproxy()
            await asyncio.gather(*(world.restart(side) for side in Side))
        shows(claims.pop("ok.health"), Verdict.ERROR, "is something listening")
        for claim in claims.values():
            shows(claim, Verdict.ERROR, "HAProxy does not answer")

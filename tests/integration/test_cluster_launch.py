"""Launches of a plan that names a cluster: a real worker rolls out on a stand-in of Kubernetes, by real metrics."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.integration.cluster_world import ClusterWorld, cluster_world, needs_prometheus
    from tests.integration.test_launch_signed import SECRET, Team
    from tests.integration.test_launch_workers import Yard, yard_at
    from tests.kubernetes_world import BLUE, GREEN
else:
    from cluster_world import ClusterWorld, cluster_world, needs_prometheus
    from test_launch_signed import SECRET, Team
    from test_launch_workers import Yard, yard_at

    from kubernetes_world import BLUE, GREEN

from tminus.domain.record import Event
from tminus.domain.rollout import State
from tminus.domain.traffic import Side
from tminus.domain.trust import KeyKind, TrustedKey
from tminus.engine.survey import survey
from tminus.engine.upkeep import PULSE
from tminus.errors import Exit, OutOfSequenceError
from tminus.processes import wait_until
from tminus.signing import People, enrol, trust_path
from tminus.standins.kubernetes.orders import Run
from tminus.wiring import SystemClock
from tminus.wiring.acts import Hand
from tminus.wiring.opening import kept
from tminus.wiring.polling import Verdict

pytestmark = [pytest.mark.slow, needs_prometheus]

PLAN = Path(__file__).with_name("cluster_plan.yaml")
GO = Verdict(go=True, text="all is well")
DARK_SECONDS = 60.0


@dataclass
class Crew(Team):
    """Two people and one launch on a cluster."""

    async def enrol(self) -> None:
        _, plan = await kept(self.yard.url, self.launch)
        people = People(self.yard.home)
        for role in plan.roles:
            public = people.new(role.person, [role.id], SECRET)
            enrol(
                trust_path(self.yard.home), TrustedKey(public.keyid, role.person, KeyKind.PERSON, (role.id,))
            )
            self.hands[role.id] = Hand(role, people.open(public, SECRET))

    async def go(self) -> None:
        """A GO for a date so near as this machine allows."""
        seconds = 15.0
        while True:
            await self.another_date(seconds)
            try:
                await self.polling()
                await self.sign("devops")
                await self.decide(GO)
            except (OutOfSequenceError, TimeoutError):
                seconds *= 2
                assert seconds < 500, "this machine is too slow"
            else:
                return

    async def step(self, name: str) -> Event:
        """Wait until a step is done."""

        async def done() -> bool:
            return any(event.key == f"done:{name}" for event in await self.yard.events(self.launch))

        await wait_until(done, 120, f"the step {name}", log=self.yard.log("w1"))
        return next(event for event in await self.yard.events(self.launch) if event.key == f"done:{name}")

    async def end(self) -> Event:
        """Wait for the end of the launch."""
        await self.yard.recorded(self.launch, "launch.ended")
        return next(event for event in await self.yard.events(self.launch) if event.type == "launch.ended")


async def works(yard: Yard) -> None:
    """A worker of its own."""
    await yard.work("w1")


@asynccontextmanager
async def launched(
    tmp_path: Path, begin: Callable[[Yard], Awaitable[None]] = works
) -> AsyncIterator[tuple[Crew, ClusterWorld]]:
    """A launch of the plan with GO, whose T-0 is seconds away, and who runs it, by the name of `w1`."""
    async with (
        cluster_world(tmp_path / "world") as world,
        yard_at(f"sqlite:///{tmp_path / 'tminus.db'}", tmp_path) as yard,
    ):
        world.kube.cluster.orders.jobs["depot-blue-backup"] = Run(log='{"file": "s3/depot.dump", "rows": 3}')
        world.kube.cluster.orders.jobs["depot-green-migrate"] = Run(log="r0002")
        yard.site = world.site
        yard.more = {"KUBE": str(world.kube.config), "METRICS": world.metrics}
        t0 = datetime.fromtimestamp(SystemClock().now() + 3500, UTC).isoformat()
        words = ("--release", f"depot={GREEN}", "--previous", f"depot={BLUE}", "--t0", t0, "--json")
        code, said = await yard.typed("launch", str(PLAN), *words)
        assert code == 0, said
        crew = Crew(yard, str(json.loads(said)["launch"]))
        await crew.enrol()
        await begin(yard)
        await crew.go()
        yield crew, world


async def test_a_good_release_is_shifted_by_weights_and_lands(tmp_path: Path) -> None:
    async with launched(tmp_path) as (crew, world):
        ended = await crew.end()
        assert ended.data["outcome"] == "landed", ended.data
        assert world.users.green_weight() == 100
        assert [pod["status"]["phase"] for pod in world.kube.pods(Side.GREEN)] == ["Running", "Running"]
        assert not world.kube.pods(Side.BLUE)
        events = await crew.yard.events(crew.launch)
        assert [event.data["set"] for event in events if event.key.startswith("done:shift ")] == [10, 50, 100]
        await crew.yard.says("w1", "has ended: landed")
        report = await crew.proved()
        assert (report.trusted, report.outcome) == (True, "landed")


async def test_a_release_that_fails_requests_is_rolled_back_by_the_guard(tmp_path: Path) -> None:
    async with launched(tmp_path) as (crew, world):
        world.users.errors[Side.GREEN] = 0.2
        ended = await crew.end()
        assert ended.data["outcome"] == "rolled-back", ended.data
        assert ended.data["rule"] in {"a1", "a2"}, ended.data
        assert world.users.green_weight() == 0
        assert not world.kube.pods(Side.GREEN)
        events = await crew.yard.events(crew.launch)
        seen = next(event.data for event in events if event.type == "rollback.seen")
        assert (int(str(seen["blue"])) > 50, seen["green"]) == (True, 0), seen
        proved = next(event.data for event in events if event.type == "rollback.proved")
        assert (proved["as_before"], proved["smoke_failures"], proved["schema"]) == (True, [], "r0002")


@pytest.mark.chaos
async def test_smoke_tests_that_fail_end_the_launch_before_any_user_meets_green(tmp_path: Path) -> None:
    async with launched(tmp_path) as (crew, world):
        world.kube.cluster.orders.jobs["depot-green-smoke"] = Run(succeeds=False, log="search answers 500")
        ended = await crew.end()
        assert ended.data["outcome"] == "rolled-back", ended.data
        assert "search answers 500" in str(ended.data["text"])
        assert not any(service == "depot-green" for service, _ in world.users.answers)


async def test_a_worker_that_is_killed_in_the_shift_goes_on_and_a_bad_release_does_not_stay(
    tmp_path: Path,
) -> None:
    async with launched(tmp_path) as (crew, world):
        await crew.step("shift 10")
        await crew.yard.kill("w1")
        world.users.errors[Side.GREEN] = 0.3
        await crew.yard.work("w2")
        ended = await crew.end()
        assert (ended.data["outcome"], ended.data["rule"] in {"a1", "a2"}) == ("rolled-back", True), (
            ended.data
        )
        assert world.users.green_weight() == 0


@pytest.mark.chaos
@pytest.mark.parametrize("dark", ["metrics", "API server"])
async def test_a_minute_without_one_holds_the_shift_until_it_is_back(tmp_path: Path, dark: str) -> None:
    async with launched(tmp_path) as (crew, world):

        def away(*, now: bool) -> None:
            if dark == "metrics":
                world.users.silent = now
            else:
                world.kube.cluster.orders.away = now

        async def held() -> bool:
            return any(
                event.data.get("rule") == "hold.blind" for event in await crew.yard.events(crew.launch)
            )

        await crew.step("shift 10")
        began = SystemClock().now()
        away(now=True)
        await wait_until(held, 60, "a hold", log=crew.yard.log("w1"))

        async def a_minute() -> bool:
            assert world.users.green_weight() == 10
            assert (await crew.scene()).course.phase is State.LAUNCHING
            return SystemClock().now() - began >= DARK_SECONDS

        await wait_until(a_minute, 2 * DARK_SECONDS, "a minute", log=crew.yard.log("w1"))
        away(now=False)
        ended = await crew.end()
        assert ended.data["outcome"] == "landed", ended.data


@pytest.mark.chaos
async def test_a_worker_that_cannot_reach_the_target_holds_until_one_can(tmp_path: Path) -> None:
    async with launched(tmp_path) as (crew, world):
        await crew.step("shift 10")
        await crew.yard.kill("w1")
        reaches = crew.yard.more
        crew.yard.more = {"METRICS": world.metrics}
        await crew.yard.work("w2")

        async def held() -> bool:
            events = await crew.yard.events(crew.launch)
            return any(event.data.get("rule") == "hold.target" for event in events)

        await wait_until(held, 60, "a hold", log=crew.yard.log("w2"))
        (said,) = {
            str(event.data["text"])
            for event in await crew.yard.events(crew.launch)
            if event.data.get("rule") == "hold.target"
        }
        assert "this worker cannot reach the launch's target" in said
        assert "KUBE" in said
        assert world.users.green_weight() == 10
        await crew.yard.kill("w2")
        crew.yard.more = reaches
        await crew.yard.work("w3")
        ended = await crew.end()
        assert ended.data["outcome"] == "landed", ended.data


@pytest.mark.chaos
async def test_an_order_that_no_worker_could_hear_says_so_with_what_to_type(tmp_path: Path) -> None:
    async with launched(tmp_path) as (crew, world):
        await crew.step("shift 10")
        await crew.yard.kill("w1")

        async def silent() -> bool:
            seen = await asyncio.to_thread(survey, crew.yard.url, SystemClock().now)
            return not any(PULSE.alive(heart) for heart in seen.hearts or ())

        await wait_until(silent, 30, "the worker to be missed")
        code, said = await crew.yard.typed("rollback", "production", "--reason", "it is slow")
        assert code == Exit.UNKNOWN, said
        assert "is recorded, but no worker lives to act on it" in said
        assert "tminus worker" in said
        assert "kubectl" in said
        await crew.yard.work("w2")
        ended = await crew.end()
        assert (ended.data["outcome"], ended.data["rule"]) == ("rolled-back", "person.rollback")
        assert world.users.green_weight() == 0

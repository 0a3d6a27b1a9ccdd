"""Whose lines must arrive where a plan has a target: the pods of the new side that run when they are looked for."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tminus.domain.plan import Plan
from tminus.domain.traffic import Side
from tminus.planfile import read
from tminus.probes import logs
from tminus.wiring import SystemClock
from tminus.wiring.rolling import Rolling

if TYPE_CHECKING:
    from tests.kubernetes_world import GREEN, kube
else:
    from kubernetes_world import GREEN, kube

PLAN = Path(__file__).parents[2] / "src" / "tminus" / "demo" / "demo.yaml"


async def test_the_pods_of_green_are_named_as_they_are_now(tmp_path: Path) -> None:
    async with kube(tmp_path) as world:
        target, none = world.target(), cast("Any", None)
        plan: Plan = read(PLAN)
        rolled = Rolling(none, target, none, none, plan, SystemClock(), "https://shop.example")
        system = rolled.probes()["logs"]("loki+https://logs.example")
        assert isinstance(system, logs.System)
        assert (system.address, system.site) == ("loki+https://logs.example", "https://shop.example")
        assert system.running is not None
        assert await system.running() == []
        await target.start(Side.GREEN, GREEN)
        named = {pod["metadata"]["name"] for pod in world.pods(Side.GREEN)}
        assert named
        assert set(await system.running()) == named

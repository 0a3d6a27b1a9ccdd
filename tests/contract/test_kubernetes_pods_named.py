"""Whose lines must arrive where a plan has a target: the pods of the new side that run when they are looked for."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
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

NOW = 1_800_000_000.0
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


async def test_a_pod_that_is_seconds_old_is_not_missed_yet_unless_all_are() -> None:
    alive: list[dict[str, Any]] = []

    async def seen(side: Side) -> SimpleNamespace:
        assert side is Side.GREEN
        return SimpleNamespace(alive=alive)

    def pod(name: str, age: float) -> dict[str, Any]:
        made = datetime.fromtimestamp(NOW - age, UTC).isoformat().replace("+00:00", "Z")
        return {"metadata": {"name": name, "creationTimestamp": made}}

    target, none = cast("Any", SimpleNamespace(seen=seen)), cast("Any", None)
    clock = cast("Any", SimpleNamespace(now=lambda: NOW))
    system = Rolling(none, target, none, none, read(PLAN), clock, "").probes()["logs"](
        "loki+https://l.example"
    )
    assert isinstance(system, logs.System)
    assert system.running is not None
    alive.append(pod("new", 5))
    assert await system.running() == ["new"]
    alive.append(pod("old", 600))
    assert await system.running() == ["old"]

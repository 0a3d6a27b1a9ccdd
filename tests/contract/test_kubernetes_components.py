"""A service's other components on a cluster: brought to an image where they are, and read from their pods."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tminus.errors import DeniedError, RolloutError, UnreachableError
from tminus.targets.kubernetes import Component, KubernetesComponents, role

if TYPE_CHECKING:
    from tests.kubernetes_world import BLUE, GREEN, NAMESPACE, ROUTED, Kube, kube
else:
    from kubernetes_world import BLUE, GREEN, NAMESPACE, ROUTED, Kube, kube

IMAGE = "registry.example/worker"


def deployment(digest: str) -> dict[str, Any]:
    labels = {"app.kubernetes.io/name": "worker"}
    containers = [
        {"name": "sidecar", "image": "registry.example/log@sha256:" + "d" * 64},
        {"name": "worker", "image": f"{IMAGE}@{digest}", "env": [{"name": "QUEUE", "value": "jobs"}]},
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "depot-worker", "namespace": NAMESPACE, "labels": labels},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Kube]:
    async with kube(tmp_path) as made:
        made.cluster.put(role(ROUTED, ["depot-worker"]), deployment(BLUE))
        made.cluster.settle()
        yield made


def components(world: Kube, **other: Any) -> KubernetesComponents:
    named = {"worker": Component("depot-worker", IMAGE, "worker")}
    service = replace(world.service, **other)
    return KubernetesComponents(world.target().api, service, named, poll_seconds=0.01)


async def test_a_component_is_brought_to_an_image_and_back_and_the_rest_of_it_stays(world: Kube) -> None:
    beside = components(world)
    assert await beside.run(GREEN, ("read", "worker")) == BLUE
    for digest in (GREEN, GREEN, BLUE):
        assert await beside.run(GREEN, ("set", "worker", digest)) == digest
        spec = world.find("Deployment", "depot-worker")["spec"]
        found = {one["name"]: one for one in spec["template"]["spec"]["containers"]}
        assert found["worker"]["image"] == f"{IMAGE}@{digest}"
        assert found["worker"]["env"] == [{"name": "QUEUE", "value": "jobs"}]
        assert (spec["replicas"], set(found)) == (2, {"sidecar", "worker"})
    assert sum(write == "patch deployments depot-worker" for write in world.cluster.writes) == 2


async def test_one_that_does_not_come_up_is_told_in_time(world: Kube) -> None:
    world.cluster.orders.never_ready.add("depot-worker")
    with pytest.raises(RolloutError, match=r"worker did not come up in 0.3 s: of 2 pods"):
        await components(world, ready_seconds=0.3).run(GREEN, ("set", "worker", GREEN))


async def test_an_image_that_is_not_there_ends_it_at_once(world: Kube) -> None:
    world.cluster.orders.no_image.add(GREEN)
    with pytest.raises(RolloutError, match="ImagePullBackOff"):
        await components(world).run(GREEN, ("set", "worker", GREEN))


async def test_one_that_hangs_half_way_is_brought_back(world: Kube) -> None:
    beside = components(world, ready_seconds=0.3)
    world.cluster.orders.no_image.add(GREEN)
    with pytest.raises(RolloutError, match="ImagePullBackOff"):
        await beside.run(GREEN, ("set", "worker", GREEN))
    with pytest.raises(UnreachableError, match=f"are told to run {GREEN}"):
        await beside.run(GREEN, ("read", "worker"))
    assert await components(world).run(GREEN, ("set", "worker", BLUE)) == BLUE


async def test_one_without_pods_runs_what_it_would(world: Kube) -> None:
    idle = deployment(BLUE)
    idle["spec"]["replicas"] = 0
    world.cluster.put(idle)
    world.cluster.settle()
    beside = components(world)
    assert await beside.run(GREEN, ("read", "worker")) == BLUE


async def test_pods_of_two_images_are_no_answer(world: Kube) -> None:
    world.cluster.orders.ready_seconds = 3600.0
    api = world.target().api
    wish = deployment(GREEN)
    world.cluster.put(wish)
    world.cluster.settle()
    with pytest.raises(UnreachableError) as caught:
        await components(world).run(GREEN, ("read", "worker"))
    assert f"run {BLUE}, {GREEN}, and are told to run {GREEN}" in str(caught.value)
    await api.close()


async def test_what_is_not_there_and_what_is_another_s_is_told(world: Kube) -> None:
    absent = KubernetesComponents(world.target().api, world.service, {"cron": Component("depot-cron", IMAGE)})
    with pytest.raises(DeniedError, match="forbidden"):
        await absent.run(GREEN, ("read", "cron"))
    world.cluster.put(role(ROUTED, ["depot-worker", "depot-cron"]))
    with pytest.raises(RolloutError, match="has no Deployment depot-cron"):
        await absent.run(GREEN, ("read", "cron"))
    with pytest.raises(RolloutError, match="kubectl-client-side-apply"):
        await components(world, take=False).run(GREEN, ("set", "worker", GREEN))

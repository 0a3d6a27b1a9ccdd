"""What can be wrong in a cluster, and what the target says of it; against the stand-in, by the official client."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tminus.domain.traffic import Side
from tminus.errors import (
    DeniedError,
    InconclusiveError,
    PartError,
    ReleaseError,
    RolloutError,
    TminusError,
    UnreachableError,
)
from tminus.kubernetes import Access, Api
from tminus.processes import wait_until
from tminus.standins.kubernetes.orders import Rewrite, Run
from tminus.targets.kubernetes import KubernetesTarget
from tminus.targets.kubernetes.jobs import NOT_READ

if TYPE_CHECKING:
    from tests.kubernetes_world import BLUE, GREEN, OTHER, OWN_TOKEN, ROUTED, SWITCHED, Kube, kube
else:
    from kubernetes_world import BLUE, GREEN, OTHER, OWN_TOKEN, ROUTED, SWITCHED, Kube, kube


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Kube]:
    async with kube(tmp_path) as made:
        yield made


async def refused(kind: type[TminusError], act: Any, words: str) -> None:
    with pytest.raises(kind) as caught:
        await act
    assert re.search(words, str(caught.value)), str(caught.value)
    assert caught.value.hint


async def test_what_another_manager_holds_is_told_with_its_name_before_anything_starts(world: Kube) -> None:
    polite = world.target(take=False)
    await refused(RolloutError, polite.prepare(GREEN), r"\.spec\.rules belongs to kubectl-client-side-apply")
    await refused(RolloutError, polite.set_weight(10), r"\.spec\.rules belongs to kubectl-client-side-apply")
    assert (await polite.status(Side.GREEN)).weight == 0
    assert not any(write.startswith("create") for write in world.cluster.writes)


async def test_who_rewrites_weights_is_named_and_not_fought(world: Kube) -> None:
    target = world.target()
    await target.start(Side.GREEN, GREEN)
    await target.set_weight(10)
    blue = [{"name": "depot-blue", "port": 8080, "weight": 100}]
    world.cluster.orders.rewrites.append(
        Rewrite("HTTPRoute", "depot", "argocd-controller", {"rules": [{"backendRefs": blue}]})
    )
    world.cluster.settle()
    before = len(world.cluster.writes)
    await refused(RolloutError, target.set_weight(50), r"0 % for green; argocd-controller wrote it last")
    assert world.cluster.writes[before:] == ["patch httproutes depot"]


async def test_a_crash_loop_and_an_image_that_is_not_there_end_the_start_at_once(world: Kube) -> None:
    orders, target = world.cluster.orders, world.target(ready_seconds=600.0)
    orders.crash_loops.add("depot-green")
    await refused(RolloutError, target.start(Side.GREEN, GREEN), r"does not start: CrashLoopBackOff")
    orders.crash_loops.clear()
    orders.no_image.add(OTHER)
    await refused(RolloutError, target.start(Side.GREEN, OTHER), r"does not start: ImagePullBackOff")


async def test_pods_that_never_become_ready_end_the_start_in_time_and_words(world: Kube) -> None:
    world.cluster.orders.never_ready.add("depot-green")
    words = r"green did not come up in 0.3 s: of 2 pods of depot-green 2 are of this release, 0 ready"
    await refused(RolloutError, world.target(ready_seconds=0.3).start(Side.GREEN, GREEN), words)


async def test_another_image_than_the_one_that_was_signed_is_no_start(world: Kube) -> None:
    world.cluster.orders.runs_instead[GREEN] = OTHER
    words = rf"the pods of depot-green run {OTHER} instead of {GREEN}"
    await refused(RolloutError, world.target().start(Side.GREEN, GREEN), words)


async def test_a_restarted_container_and_a_pod_in_anothers_place_show(world: Kube) -> None:
    target = world.target()
    seen = [(await target.start(Side.GREEN, GREEN)).started]
    world.cluster.workloads.crash("depot-green")
    seen.append((await target.status(Side.GREEN)).started)
    for pod in world.pods(Side.GREEN):
        world.cluster.workloads.end(pod)
    world.cluster.settle()
    seen.append((await target.status(Side.GREEN)).started)
    assert len(set(seen)) == 3


async def test_pods_that_come_for_more_load_are_no_restart(world: Kube) -> None:
    target = world.target()
    before = await target.start(Side.GREEN, GREEN)
    made = max(pod["metadata"]["creationTimestamp"] for pod in world.pods(Side.GREEN))

    async def later() -> bool:
        return world.cluster.store.now() > str(made)

    await wait_until(later, 10, "the next second, which is as exactly as objects tell the time")
    live = world.find("Deployment", "depot-green")
    more = {**live, "spec": {**live["spec"], "replicas": 4}}
    world.cluster.put(more, manager="horizontal-pod-autoscaler")
    world.cluster.settle()
    assert len(world.pods(Side.GREEN)) == 4
    assert (await target.status(Side.GREEN)).started == before.started
    assert (await target.start(Side.GREEN, GREEN)).started == before.started
    assert len(world.pods(Side.GREEN)) == 4


async def test_green_is_not_changed_while_users_are_on_it(world: Kube) -> None:
    target = world.target()
    await target.start(Side.GREEN, GREEN)
    await target.set_weight(10)
    await refused(RolloutError, target.start(Side.GREEN, OTHER), r"green has 10 % of the requests")
    await target.set_weight(0)
    assert (await target.start(Side.GREEN, OTHER)).digest == OTHER


async def test_green_has_blues_settings_and_no_label_by_which_blue_is_found(world: Kube) -> None:
    await world.target().start(Side.GREEN, GREEN)
    blue, green = (world.find("Deployment", f"depot-{side}")["spec"] for side in Side)
    container = {**blue["template"]["spec"]["containers"][0], "image": f"{ROUTED.image}@{GREEN}"}
    assert green["template"]["spec"] == {**blue["template"]["spec"], "containers": [container]}
    assert green["selector"] != blue["selector"]


async def test_two_sides_that_cannot_be_told_apart_are_refused(world: Kube) -> None:
    front = world.find("Service", "depot-green")
    selector = {"app.kubernetes.io/name": "depot"}
    world.cluster.put({**front, "spec": {**front["spec"], "selector": selector}})
    await refused(
        RolloutError, world.target().start(Side.GREEN, GREEN), r"would also take the pods of depot-green"
    )


@pytest.mark.parametrize("condition", ["Accepted", "ResolvedRefs", "Programmed"])
async def test_a_gateway_that_refuses_is_told_with_its_reason(world: Kube, condition: str) -> None:
    target = world.target()
    world.cluster.orders.conditions[condition] = ("False", "NoSuchThing", "it is not there")
    await refused(RolloutError, target.set_weight(10), rf"{condition} is False, NoSuchThing: it is not there")


async def test_a_weight_that_no_gateway_has_seen_is_not_told_as_set(world: Kube) -> None:
    world.cluster.orders.unobserved = True
    target = replace(world.target(), take_seconds=0.2)
    await refused(UnreachableError, target.set_weight(10), r"has not seen generation 2 \(Accepted\)")
    world.cluster.orders.unobserved = False
    assert await world.target().set_weight(10) == 10


async def test_a_service_knows_all_or_nothing(tmp_path: Path) -> None:
    async with kube(tmp_path, SWITCHED) as world:
        await refused(
            RolloutError, world.target().set_weight(10), r"cannot give green 10 %: it has no weights"
        )


async def test_a_disruption_budget_is_kept_and_named(world: Kube) -> None:
    target = world.target()
    await target.start(Side.GREEN, GREEN)
    await target.set_weight(100)

    def ask_for(pods: int) -> None:
        budget = world.find("PodDisruptionBudget", "depot")
        world.cluster.put({**budget, "spec": {**budget["spec"], "minAvailable": pods}})
        world.cluster.settle()

    ask_for(4)
    await refused(InconclusiveError, target.stop(Side.BLUE, 0.0), r"the disruption budget depot allows none")
    assert len(world.pods(Side.BLUE)) == 2
    ask_for(3)
    # One may go now, and then none: the other one stays.
    await refused(InconclusiveError, target.stop(Side.BLUE, 0.0), r"the disruption budget depot allows none")
    assert len(world.pods(Side.BLUE)) == 1
    ask_for(1)
    await target.stop(Side.BLUE, 0.0)
    assert world.pods(Side.BLUE) == []


async def test_a_stop_waits_until_the_pods_have_ended(world: Kube) -> None:
    target = world.target()
    await target.start(Side.GREEN, GREEN)
    world.cluster.orders.stop_seconds = 3600.0
    stopping = asyncio.create_task(target.stop(Side.GREEN, 0.0))

    async def told_to_end() -> bool:
        return all("deletionTimestamp" in pod["metadata"] for pod in world.pods(Side.GREEN))

    await wait_until(told_to_end, 30, "green's pods to be told to end")
    assert (await target.status(Side.GREEN)).running
    assert not stopping.done()
    world.cluster.orders.stop_seconds = 0.0
    await stopping
    assert not (await target.status(Side.GREEN)).running


async def test_a_side_that_serves_is_not_stopped(world: Kube) -> None:
    await refused(RolloutError, world.target().stop(Side.BLUE, 0.0), r"blue still has 100 % of the requests")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, DeniedError, "does not know us"),
        (403, DeniedError, "as ordered"),
        (429, UnreachableError, "429"),
        (500, UnreachableError, "500"),
    ],
)
async def test_a_refusal_of_the_api_is_told_by_its_kind(
    world: Kube, status: int, kind: type[TminusError], words: str
) -> None:
    world.cluster.orders.status = status
    await refused(kind, world.target().status(Side.BLUE), words)


async def test_an_api_that_is_too_slow_or_away_is_unreachable(world: Kube) -> None:
    hasty = KubernetesTarget(world.api(seconds=0.2), world.service)
    world.made.append(hasty)
    world.cluster.orders.slow_seconds = 30.0
    await refused(UnreachableError, hasty.status(Side.BLUE), "does not answer GET")


async def test_a_lost_answer_does_nothing_twice(world: Kube) -> None:
    for writes in range(3):
        world.cluster.orders.hangs_up_after = writes
        try:
            await world.target().start(Side.GREEN, GREEN)
            await world.target().set_weight(50)
            await world.target().set_weight(0)
        except UnreachableError:
            world.cluster.orders.hangs_up_after = -1
        assert (await world.target().start(Side.GREEN, GREEN)).digest == GREEN
        assert await world.target().set_weight(0) == 0
        assert len(list(world.cluster.store.every("ReplicaSet"))) == 2
    assert len(world.pods(Side.GREEN)) == 2


async def test_credentials_that_have_run_out_are_read_anew(
    world: Kube, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tminus.kubernetes.api.RENEW_SECONDS", 0.0)
    target = world.target()
    assert (await target.status(Side.BLUE)).running
    world.cluster.tokens["another-token"] = world.cluster.tokens.pop(OWN_TOKEN)
    await refused(DeniedError, target.status(Side.BLUE), "does not know us")
    written = world.config.read_text().replace(OWN_TOKEN, "another-token")
    world.config.write_text(written)
    assert (await target.status(Side.BLUE)).running


async def test_that_blue_cannot_be_ended_is_found_before_anything_starts(world: Kube) -> None:
    for percent in (10, 0):  # from now on the route's weights are ours
        await world.target().set_weight(percent)
    polite = replace(world.target(take=False), ends_blue=True)
    with pytest.raises(RolloutError) as caught:
        await polite.prepare(GREEN)
    assert ".spec.replicas belongs to kubectl-client-side-apply" in str(caught.value)
    assert not any(write.startswith("create") for write in world.cluster.writes)


async def test_a_route_that_its_gateway_refuses_says_so_and_its_sides_can_still_be_seen(world: Kube) -> None:
    await world.target().start(Side.GREEN, GREEN)
    await world.target().set_weight(10)
    world.cluster.orders.conditions["ResolvedRefs"] = ("False", "BackendNotFound", "no such Service")
    await refused(RolloutError, world.target().set_weight(50), "the gateway refuses HTTPRoute depot")
    status = await world.target().status(Side.BLUE)
    assert (status.running, status.up, status.weight) == (True, True, 50)


@pytest.mark.parametrize("digest", ["", "latest", "sha256:abc"])
async def test_what_is_no_digest_is_refused(world: Kube, digest: str) -> None:
    await refused(ReleaseError, world.target().prepare(digest), "is no digest of an image")


async def test_credentials_that_are_not_there_are_told(tmp_path: Path, world: Kube) -> None:
    for access in (
        Access(str(tmp_path / "none")),
        Access(str(world.config), "nowhere"),
        Access("in-cluster"),
    ):
        await refused(PartError, Api(access).get("/version"), "no cluster can be reached")


async def test_a_migration_is_one_job_of_the_release_and_tells_what_it_printed(world: Kube) -> None:
    world.cluster.orders.jobs["depot-green-migrate"] = Run(log="upgrading\nr0002\n")
    for _ in range(2):
        done = await world.database().migrate(GREEN)
        assert (done["before"], done["after"]) == (NOT_READ, "r0002")
    (job,) = world.cluster.store.every("Job")
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert (container["image"], container["command"]) == (f"{ROUTED.image}@{GREEN}", ["migrate"])
    assert "readinessProbe" not in container
    assert len(world.pods(Side.BLUE)) == 2
    assert sum(write == "create jobs" for write in world.cluster.writes) == 1


async def test_a_migration_that_fails_hangs_or_says_nothing_is_told(world: Kube) -> None:
    jobs = world.cluster.orders.jobs
    jobs["depot-green-migrate"] = Run(succeeds=False, log="lock timeout")
    words = "failed: BackoffLimitExceeded, .*; its last line: lock timeout"
    await refused(RolloutError, world.database().migrate(GREEN), words)
    jobs["depot-green-migrate"] = Run()
    await refused(InconclusiveError, world.database().migrate(OTHER), "what it printed is not there")
    jobs["depot-green-migrate"] = Run(ends=False)
    database = world.database()
    hasty = replace(database, jobs=replace(database.jobs, seconds=0.2))
    await refused(RolloutError, hasty.migrate(BLUE), "has not ended in 0.2 s")


async def test_smoke_tests_are_jobs_of_each_side_s_own_image_at_its_own_address(world: Kube) -> None:
    await world.target().start(Side.GREEN, GREEN)
    smoke = world.smoke("smoke", "--all")
    for side, digest in ((Side.BLUE, BLUE), (Side.GREEN, GREEN)):
        assert await smoke.failures(smoke.target.private_url(side)) == []
        job = next(
            job
            for job in world.cluster.store.every("Job")
            if f"depot-{side}-smoke" in job["metadata"]["name"]
        )
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["image"] == f"registry.example/depot@{digest}"
        assert container["command"] == ["smoke", "--all"]
        assert {"name": "TMINUS_URL", "value": smoke.target.private_url(side)} in container["env"]
        assert job["spec"]["ttlSecondsAfterFinished"] == 3600
    assert await smoke.failures(smoke.target.private_url(Side.GREEN)) == []
    assert len([*world.cluster.store.every("Job")]) == 3, "what was well before is tested again"


async def test_smoke_tests_that_fail_say_what_they_printed(world: Kube) -> None:
    await world.target().start(Side.GREEN, GREEN)
    smoke = world.smoke()
    green = smoke.target.private_url(Side.GREEN)
    world.cluster.orders.jobs["depot-green-smoke"] = Run(succeeds=False, log="1 passed\nsearch: 500\n")
    assert await smoke.failures(green) == ["1 passed", "search: 500"]
    world.cluster.orders.jobs["depot-green-smoke"] = Run(succeeds=False)
    (said,) = await smoke.failures(green)
    assert "printed nothing" in said
    await smoke.target.stop(Side.GREEN, 0.0)
    assert await smoke.failures(green) == ["green runs no image that could test itself"]
    world.cluster.orders.jobs["depot-blue-smoke"] = Run(ends=False)
    hasty = replace(smoke, jobs=replace(smoke.jobs, seconds=0.2))
    await refused(RolloutError, hasty.failures(smoke.target.private_url(Side.BLUE)), "has not ended in 0.2 s")


async def test_a_backup_is_a_job_of_the_running_release_and_says_what_it_made(world: Kube) -> None:
    made = '{"file": "s3/depot.dump", "sha256": "ab", "bytes": 1, "rows": 2}'
    world.cluster.orders.jobs["depot-blue-backup"] = Run(log=f"dumping\n{made}\n")
    database = world.database(back_up=("back-up",))
    assert (await database.back_up("2026-01-01T00:00:00Z"))["file"] == "s3/depot.dump"
    (job,) = world.cluster.store.every("Job")
    container = job["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == f"{ROUTED.image}@{BLUE}"
    assert {"name": "TMINUS_BACKUP", "value": "2026-01-01T00:00:00Z"} in container["env"]
    await refused(RolloutError, world.database().back_up("x"), "names no command")
    world.cluster.orders.jobs["depot-blue-backup"] = Run(log="done")
    await refused(InconclusiveError, database.back_up("another"), "is no JSON object")


async def test_after_a_launch_that_landed_the_sides_change_places(world: Kube) -> None:
    first = world.target()
    await first.prepare(GREEN)
    await first.start(Side.GREEN, GREEN)
    await first.set_weight(100)
    await first.stop(Side.BLUE, 0.0)
    sides = {Side.BLUE: "depot-green", Side.GREEN: "depot-blue"}
    second = world.target(sides=sides)
    serving = await second.status(Side.BLUE)
    assert (serving.digest, serving.weight, serving.running) == (GREEN, 100, True)
    await second.prepare(OTHER)
    assert (await second.start(Side.GREEN, OTHER)).digest == OTHER
    for percent in (10, 100):
        assert await second.set_weight(percent) == percent
    await second.stop(Side.BLUE, 0.0)
    third = world.target()
    await third.prepare(BLUE)
    assert (await third.start(Side.GREEN, BLUE)).digest == BLUE
    assert await third.set_weight(100) == 100
    assert {pod["metadata"]["labels"]["side"] for pod in world.pods(Side.GREEN)} == {"green"}


async def test_green_has_none_of_the_labels_by_which_a_gitops_controller_prunes(world: Kube) -> None:
    blue = world.find("Deployment", "depot-blue")
    blue["metadata"]["labels"] = {
        **blue["metadata"].get("labels", {}),
        "app.kubernetes.io/instance": "shop",
        "team": "a",
    }
    world.cluster.put(blue)
    await world.target().start(Side.GREEN, GREEN)
    labels = world.find("Deployment", "depot-green")["metadata"]["labels"]
    assert (labels.get("app.kubernetes.io/instance"), labels["team"]) == (None, "a")

"""See `KubernetesTarget`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tminus.control.ports import Json, SideStatus
from tminus.domain.traffic import Side
from tminus.errors import InconclusiveError, ReleaseError, RolloutError, UnreachableError
from tminus.kubernetes import MANAGER, Api, ChangedError, Object

from .managers import own
from .routing import Division, Router, RouteWeights, ServiceSwitch, endpoints
from .service import Service, labels_of, selects
from .sides import Seen

POLL_SECONDS = 0.5
"""How often a condition is looked at."""
TAKE_SECONDS = 15.0
"""How long whatever divides the traffic may take to see a new division."""
BUDGET_SECONDS = 60.0
"""How long a stop waits for a disruption budget to allow it."""
_TRIES = 3
_OTHER = {Side.BLUE: Side.GREEN, Side.GREEN: Side.BLUE}
TRACKING = frozenset({"app.kubernetes.io/instance", "argocd.argoproj.io/instance"})
"""Labels by which Argo CD knows what belongs to an application, and prunes what its repository does not have."""


@dataclass(frozen=True, slots=True)
class KubernetesTarget:
    """Two Deployments of one service, and what divides the traffic between them.

    Green is made from blue's own pod template, so that what differs between them is the image.
    """

    api: Api
    service: Service
    poll_seconds: float = POLL_SECONDS
    take_seconds: float = TAKE_SECONDS
    budget_seconds: float = BUDGET_SECONDS
    ends_blue: bool = False
    """Whether a launch ends blue, and so has to hold its number of pods."""

    @property
    def router(self) -> Router:
        """What divides the traffic; raises `RolloutError` where the plan names nothing that does."""
        if self.service.route:
            return RouteWeights(self.api, self.service)
        if self.service.switch:
            return ServiceSwitch(self.api, self.service)
        raise RolloutError(
            "nothing is named that divides the traffic", hint="name a route or a switch in the plan's target"
        )

    def private_url(self, side: Side) -> str:
        """See `Target.private_url`: the Service of that side, as the cluster's own names have it."""
        return f"http://{self.service.sides[side]}.{self.service.namespace}.svc:{self.service.port}"

    def by_hand(self) -> tuple[str, ...]:
        """See `Target.by_hand`; what divides the traffic is edited, for only that says which rule it is."""
        service = self.service
        kubectl = f"kubectl -n {service.namespace}"
        blue = f"{kubectl} scale deployment {service.sides[Side.BLUE]} --replicas={service.replicas or 'N'}"
        if service.route:
            edit = f"{kubectl} edit httproute {service.route}  # blue's weight 100, green's 0"
        else:
            edit = f"{kubectl} edit service {service.switch}  # the selector of Service {service.sides[Side.BLUE]}"
        return (blue, edit)

    async def prepare(self, digest: str) -> Json:
        """See `Target.prepare`: whatever will be written is tried without being kept.

        Whether the image is there only a node can tell, when it pulls it: the result says so.
        """
        if not digest.startswith("sha256:") or len(digest) != 71:
            raise ReleaseError(f"{digest!r} is no digest of an image", hint="give sha256: and 64 hex digits")
        await self._divided_dry()
        wish = await self._wish(Side.GREEN, digest)
        await self._apply_deployment(Side.GREEN, wish, dry=True)
        blue = (await self.seen(Side.BLUE)).deployment
        if self.ends_blue and blue is not None:
            ended = own(blue)
            ended["spec"] = {**ended.get("spec", {}), "replicas": 0}
            await self._apply_deployment(Side.BLUE, ended, dry=True)
        return {
            "digest": digest,
            "image": self.service.pinned(digest),
            "pulled": (await self.seen(Side.GREEN)).digest == digest,
            "note": "an image that is not pulled is looked for by the nodes when green starts",
        }

    async def start(self, side: Side, digest: str) -> SideStatus:
        """See `Target.start`; raises `RolloutError` when the pods do not become ready, or run another image."""
        seen = await self.seen(side)
        if seen.replicas == 0 or digest not in {seen.digest, seen.image().rpartition("@")[2]}:
            await self._may_change(side, seen)
            await self._apply_deployment(side, await self._wish(side, digest))

        async def missing() -> str:
            if lacks := (await self.seen(side)).waits_for(digest):
                return lacks
            name = self.service.sides[side]
            return (
                "" if await endpoints(self.api, self.service, name) else f"Service {name} has no endpoint yet"
            )

        if lacks := await self._until_nothing(missing, self.service.ready_seconds):
            raise RolloutError(
                f"{side} did not come up in {self.service.ready_seconds:g} s: {lacks}",
                hint=f"kubectl -n {self.service.namespace} describe deployment {self.service.sides[side]}",
            )
        return await self.status(side)

    async def set_weight(self, percent: int) -> int:
        """See `Target.set_weight`; raises `RolloutError` where another manager holds the weights or rewrites them."""
        await self._divided(percent)

        async def pending() -> str:
            division = await self.router.read()
            if division.percent != percent:
                raise _rewritten(percent, division)
            if division.refused:
                raise RolloutError(division.refused, hint="see the route's status")
            return division.pending

        if why := await self._until_nothing(pending, self.take_seconds):
            raise UnreachableError(
                f"{percent} % is written, but what divides the traffic has not taken it: {why}",
                hint="see whether the gateway's controller lives",
            )
        return percent

    async def status(self, side: Side) -> SideStatus:
        """See `Target.status`; nobody counts sessions here."""
        seen, division = await self.seen(side), await self.router.read()
        able = await endpoints(self.api, self.service, self.service.sides[side])
        green = division.percent
        return SideStatus(
            running=seen.running,
            started=seen.started if seen.running else 0.0,
            digest=seen.digest if seen.running else "",
            version=seen.version if seen.running else "",
            up=bool(able),
            weight=green if side is Side.GREEN else 100 - green,
            sessions=None,
        )

    async def stop(self, side: Side, drain_seconds: float) -> int | None:
        """See `Target.stop`: scaled to none, as fast as every disruption budget allows, once nothing new comes.

        Nobody counts sessions, so the drain is waited for in full; then each pod has its own grace period. The
        Deployment stays, with no pods, and can be started again. Raises `RolloutError` for a side that has weight.
        """
        weight = (await self.status(side)).weight
        if weight:
            raise RolloutError(
                f"{side} still has {weight} % of the requests and is not stopped",
                hint="give the other side all of them first",
            )
        seen = await self.seen(side)
        if seen.replicas:
            await asyncio.sleep(drain_seconds)
        while (seen := await self.seen(side)).replicas:
            await self._scale(side, seen.replicas - await self._allowed(side))
        await self._gone(side, 0)
        return None

    async def close(self) -> None:
        """End the connections to the API."""
        await self.api.close()

    async def seen(self, side: Side) -> Seen:
        """A side's Deployment and its pods."""
        name = self.service.sides[side]
        deployment = await self.api.get(self.service.path("deployments", name))
        if deployment is None:
            return Seen(self.service, None, ())
        labels = deployment["spec"]["selector"].get("matchLabels") or {}
        return Seen(self.service, deployment, await self.api.items(self.service.path("pods"), labels))

    async def _wish(self, side: Side, digest: str) -> Object:
        """The Deployment that is wanted: ours changed, green made from blue, or of another's as little as it takes."""
        seen, other = await self.seen(side), await self.seen(_OTHER[side])
        replicas = self.service.replicas or max(seen.replicas, other.replicas, 1)
        name = self.service.sides[side]
        if side is Side.GREEN and other.deployment is not None:
            wish = await self._made_from(other.deployment, side)
        elif seen.deployment is not None:
            wish = own(seen.deployment)
        else:
            raise RolloutError(
                f"the cluster has no Deployment {self.service.sides[Side.BLUE]}",
                hint="blue is the team's own: it is there before a launch",
            )
        spec = wish.setdefault("spec", {})
        spec["replicas"] = replicas
        if side is Side.GREEN or seen.image().rpartition("@")[2] != digest:
            template = spec.setdefault("template", {}).setdefault("spec", {})
            known = seen.deployment or other.deployment or {}
            container = self.service.container_of(known["spec"]["template"])["name"]
            held = template.setdefault("containers", [{"name": container}])
            template["containers"] = [
                {**one, "image": self.service.pinned(digest)} if one["name"] == container else one
                for one in held
            ]
        wish["metadata"] = {**wish["metadata"], "name": name, "namespace": self.service.namespace}
        return wish

    async def _made_from(self, blue: Object, side: Side) -> Object:
        """A Deployment with the pod template of another and the labels that the side's own Service selects."""
        name = self.service.sides[side]
        front = await self.api.must_get(self.service.path("services", name), f"Service {name}")
        marks = dict(front["spec"].get("selector") or {})
        template = blue["spec"]["template"]
        labels = {**labels_of(template), **marks}
        if selects(blue["spec"]["selector"], labels):
            raise RolloutError(
                f"the selector of Deployment {blue['metadata']['name']} would also take the pods of {name}",
                hint=f"give both Deployments and Services a label that differs, for example side: {side}",
            )
        kept = {key: value for key, value in template["metadata"].items() if key == "annotations"}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"labels": {**_untracked(blue), **marks, "app.kubernetes.io/managed-by": MANAGER}},
            "spec": {
                "selector": {"matchLabels": {**(blue["spec"]["selector"].get("matchLabels") or {}), **marks}},
                "template": {"metadata": {**kept, "labels": labels}, "spec": template["spec"]},
            },
        }

    async def _may_change(self, side: Side, seen: Seen) -> None:
        """Raise `RolloutError` where users would meet another image than the one that was watched."""
        if seen.deployment is None or not seen.replicas:
            return
        division = await self.router.read()
        weight = division.percent if side is Side.GREEN else 100 - division.percent
        if weight:
            raise RolloutError(
                f"{side} has {weight} % of the requests and runs {seen.digest or 'nothing'}: it is not changed",
                hint="take its weight first",
            )

    async def _apply_deployment(self, side: Side, wish: Object, *, dry: bool = False) -> None:
        path = self.service.path("deployments", self.service.sides[side])
        await self.api.apply(path, wish, dry=dry, force=self.service.take)

    async def _divided(self, percent: int, *, dry: bool = False) -> None:
        for again in range(_TRIES):
            try:
                return await self.router.divide(percent, dry=dry)
            except ChangedError:
                if again == _TRIES - 1:
                    raise
        return None

    async def _divided_dry(self) -> None:
        """See, before any user meets green, whether somebody else holds what divides the traffic."""
        division = await self.router.read()
        await self._divided(0 if division.percent else 100, dry=True)

    async def _scale(self, side: Side, replicas: int) -> None:
        seen = await self.seen(side)
        if seen.deployment is None:
            return
        wish = own(seen.deployment)
        wish["spec"] = {**wish.get("spec", {}), "replicas": replicas}
        await self._apply_deployment(side, wish)
        await self._gone(side, replicas)

    async def _gone(self, side: Side, left: int) -> None:
        """Wait until no more pods are there than these, each for as long as its own grace period."""
        pods = (await self.seen(side)).pods
        grace = max((int(pod["spec"].get("terminationGracePeriodSeconds", 30)) for pod in pods), default=0)

        async def more() -> str:
            there = len((await self.seen(side)).pods)
            return f"{there} pods of {side} are there, {left} should be" if there > left else ""

        if why := await self._until_nothing(more, grace + 30.0):
            raise UnreachableError(
                why, hint=f"see why they do not end: kubectl -n {self.service.namespace} get pods"
            )

    async def _allowed(self, side: Side) -> int:
        """How many pods of a side may go now; waits while it is none."""
        budgets: list[str] = []
        found = 0

        async def forbidden() -> str:
            nonlocal found, budgets
            found, budgets = await self._may_go(side)
            return (
                "" if found else f"the disruption budget {', '.join(budgets)} allows none of its pods to go"
            )

        if why := await self._until_nothing(forbidden, self.budget_seconds):
            raise InconclusiveError(
                f"{side} is not stopped: {why}",
                hint="let the other side have enough ready pods, or make the budget about both sides",
            )
        return found

    async def _may_go(self, side: Side) -> tuple[int, list[str]]:
        """How many pods may go by every budget that is about them, and which budgets allow the fewest.

        What is healthy is counted from the pods now: what a budget says of it may be a moment old.
        """
        seen = await self.seen(side)
        pods = await self.api.items(self.service.path("pods"))
        fewest, names = max(seen.replicas, 1), []
        for budget in await self.api.items(self.service.path("poddisruptionbudgets")):
            selector = budget["spec"].get("selector")
            if not any(selects(selector, labels_of(pod)) for pod in seen.alive):
                continue
            healthy = sum(selects(selector, labels_of(pod)) and _is_ready(pod) for pod in pods)
            idle = sum(not _is_ready(pod) for pod in seen.alive)
            may = max(0, healthy - int((budget.get("status") or {}).get("desiredHealthy", healthy))) + idle
            if may < fewest:
                fewest, names = may, [str(budget["metadata"]["name"])]
        return fewest, names

    async def _until_nothing(self, why: Callable[[], Awaitable[str]], seconds: float) -> str:
        """Ask until there is no reason left, so long at the most; the last reason, or nothing."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while last := await why():
            if loop.time() > deadline:
                return last
            await asyncio.sleep(self.poll_seconds)
        return ""


def _is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return "deletionTimestamp" not in pod["metadata"] and any(
        one["type"] == "Ready" and one["status"] == "True" for one in conditions
    )


def _rewritten(percent: int, division: Division) -> RolloutError:
    who = f"; {division.writer} wrote it last" if division.writer else ""
    return RolloutError(
        f"{percent} % was set, but what divides the traffic has {division.percent} % for green{who}",
        hint=f"tell {division.writer or 'whoever changes it'} to leave the weights alone; tminus does not fight it",
    )


def _untracked(blue: Object) -> dict[str, str]:
    """Blue's labels but those by which Argo CD knows what it may prune: green stands in no repository."""
    return {name: value for name, value in labels_of(blue).items() if name not in TRACKING}

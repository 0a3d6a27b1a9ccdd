"""A service's other components: Deployments beside the two sides, each brought to another image where it is.

They have no users of their own whose traffic could be divided (workers, schedulers), so there is one of each: the
cluster rolls it, and what it comes to is read from its pods.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tminus.domain.traffic import Side
from tminus.errors import RolloutError, UnreachableError
from tminus.kubernetes import Api, Object

from .managers import own
from .service import Service
from .sides import Seen

POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Component:
    """One Deployment beside the sides."""

    deployment: str
    image: str
    """The repository of its images, without tag and digest."""
    container: str = ""
    """Which container runs the release; empty for a pod's only one."""


@dataclass(frozen=True, slots=True)
class KubernetesComponents:
    """The other components by their names in the plan; see `Commands`: `read NAME`, `set NAME DIGEST`."""

    api: Api
    service: Service
    components: Mapping[str, Component]
    poll_seconds: float = POLL_SECONDS

    async def run(self, digest: str, command: Sequence[str], name: str = "") -> str:
        """What runs by now, its digest; raises `RolloutError` where that is another one than was set.

        Neither `digest`, the image of the sides, nor a name is asked for: what is wished stands in the cluster.
        """
        del digest, name
        word, component, *wanted = command
        if word == "set":
            await self._set(component, wanted[0])
        return await self._runs(component)

    async def settle(self, name: str) -> None:
        """See `Commands.settle`: the newest wish counts, whatever the cluster does about an older one."""

    async def _seen(self, name: str) -> Seen:
        service = self._as_service(name)
        path = service.path("deployments", service.sides[Side.BLUE])
        deployment = await self.api.must_get(path, f"Deployment {service.sides[Side.BLUE]}")
        labels = deployment["spec"]["selector"].get("matchLabels") or {}
        return Seen(service, deployment, await self.api.items(service.path("pods"), labels))

    def _as_service(self, name: str) -> Service:
        one = self.components[name]
        return replace(
            self.service, image=one.image, container=one.container, sides={Side.BLUE: one.deployment}
        )

    async def _runs(self, name: str) -> str:
        """The digest that its pods run; raises `UnreachableError` while that is not yet what they are told to run.

        Where no pods are wished it is what they would run.
        """
        seen = await self._seen(name)
        found, told = seen.digest, seen.image().rpartition("@")[2]
        if not seen.replicas and not seen.alive:
            return told
        if found != told:
            raise UnreachableError(
                f"the pods of {self.components[name].deployment} run {found or 'nothing that they tell'}, and are "
                f"told to run {told}",
                hint="wait until the cluster has brought all of them to one image",
            )
        return found

    async def _set(self, name: str, digest: str) -> None:
        """Have all of its pods run a digest; so already, nothing is written."""
        seen = await self._seen(name)
        service, path = seen.service, seen.service.path("deployments", self.components[name].deployment)
        if seen.deployment is None:
            raise RolloutError(f"there is no Deployment for {name}", hint="see `others` in the plan's target")
        if seen.image() != service.pinned(digest):
            container = service.container_of(seen.deployment["spec"]["template"])["name"]
            wish = own(seen.deployment)
            template = wish.setdefault("spec", {}).setdefault("template", {}).setdefault("spec", {})
            others = [one for one in template.get("containers", []) if one["name"] != container]
            held: Object = next(
                (one for one in template.get("containers", []) if one["name"] == container), {}
            )
            template["containers"] = [*others, {**held, "name": container, "image": service.pinned(digest)}]
            await self.api.apply(path, wish, force=service.take)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + service.ready_seconds
        while lacks := (await self._seen(name)).waits_for(digest):
            if loop.time() > deadline:
                raise RolloutError(
                    f"{name} did not come up in {service.ready_seconds:g} s: {lacks}",
                    hint=f"kubectl -n {service.namespace} describe deployment {self.components[name].deployment}",
                )
            await asyncio.sleep(self.poll_seconds)

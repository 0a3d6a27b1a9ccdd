"""What divides the traffic: the weights of an HTTPRoute, or the selector of one Service, all or nothing.

References: Gateway API v1, HTTPRoute (`backendRefs`, `status.parents`): a weight is a share of the sum of a rule's
weights, and a condition counts once its controller has observed the object's generation.
"""

import copy
from dataclasses import dataclass
from typing import Protocol

from tminus.domain.traffic import Side
from tminus.errors import InconclusiveError, RolloutError
from tminus.kubernetes import Api, Object

from .managers import own, writers
from .service import Service

NEEDED = ("Accepted", "ResolvedRefs")
"""Conditions that a route must have before its weights count."""
ALSO = ("Programmed",)
"""Conditions that count where a controller gives them."""
SERVICE_NAME = "kubernetes.io/service-name"


@dataclass(frozen=True, slots=True)
class Division:
    """How the traffic is divided now."""

    percent: int
    """Green's share."""
    pending: str
    """Why what divides the traffic has not taken it yet, in words; empty once it has."""
    refused: str = ""
    """Why whoever divides the traffic refuses what is written, in words."""
    writer: str = ""
    """Who but us wrote the division last, where it is not we who hold it."""


class Router(Protocol):
    """What divides the traffic."""

    async def read(self) -> Division:
        """How it is divided now; raises `RolloutError` where that is refused or makes no sense."""
        ...

    async def divide(self, percent: int, *, dry: bool = False) -> None:
        """Write green's share, if it is another; raises `HeldError` for what others hold, `ChangedError`."""
        ...


@dataclass(frozen=True, slots=True)
class RouteWeights:
    """An HTTPRoute whose rules weigh the Services of both sides."""

    api: Api
    service: Service

    async def read(self) -> Division:
        """See `Router.read`."""
        route = await self._route()
        percent = self._percent(route)
        found = writers(route, "spec", "rules")
        pending, refused = _pending(route)
        return Division(percent, pending, refused, found[0] if found else "")

    async def divide(self, percent: int, *, dry: bool = False) -> None:
        """See `Router.divide`; rules of other paths are left as they are."""
        route = await self._route()
        rules = [self._weighed(rule, percent) for rule in route["spec"].get("rules") or ()]
        if rules == route["spec"].get("rules"):
            return
        if not any(self._ours(rule) for rule in rules):
            raise self._no_rule()
        wish = own(route)
        # A route's rules are one value to the API: they are written as they were read, or not at all.
        wish["metadata"]["resourceVersion"] = route["metadata"]["resourceVersion"]
        wish["spec"] = {**wish.get("spec", {}), "rules": rules}
        path = self.service.path("httproutes", self.service.route)
        await self.api.apply(path, wish, dry=dry, force=self.service.take)

    async def _route(self) -> Object:
        name = self.service.route
        return await self.api.must_get(self.service.path("httproutes", name), f"HTTPRoute {name}")

    def _ours(self, rule: Object) -> bool:
        names = {str(ref["name"]) for ref in rule.get("backendRefs") or ()}
        return bool(names & set(self.service.sides.values()))

    def _weighed(self, rule: Object, percent: int) -> Object:
        """The same rule with these weights; one that is about other Services stays as it is."""
        if not self._ours(rule):
            return rule
        given = {ref["name"]: ref for ref in rule["backendRefs"]}
        if strangers := sorted(set(given) - set(self.service.sides.values())):
            raise RolloutError(
                f"a rule of HTTPRoute {self.service.route} also sends requests to {', '.join(strangers)}",
                hint="a rule that tminus weighs has the Services of blue and green and no other",
            )
        known = next(iter(given.values()))
        refs = []
        for side, weight in ((Side.BLUE, 100 - percent), (Side.GREEN, percent)):
            name = self.service.sides[side]
            ref = given.get(name) or {**copy.deepcopy(known), "name": name}
            refs.append({**ref, "weight": weight})
        order = {name: index for index, name in enumerate(given)}
        refs.sort(key=lambda ref: order.get(ref["name"], len(order)))
        return {**rule, "backendRefs": refs}

    def _percent(self, route: Object) -> int:
        shares = {self._share(rule) for rule in route["spec"].get("rules") or () if self._ours(rule)}
        if len(shares) == 1:
            return shares.pop()
        if not shares:
            raise self._no_rule()
        raise InconclusiveError(
            f"the rules of HTTPRoute {self.service.route} give green different shares: {sorted(shares)} %",
            hint="does something else change the route's weights?",
        )

    def _share(self, rule: Object) -> int:
        weights = {ref["name"]: int(ref.get("weight", 1)) for ref in rule["backendRefs"]}
        total, green = sum(weights.values()), weights.get(self.service.sides[Side.GREEN], 0)
        if total == 0:
            raise InconclusiveError(
                f"a rule of HTTPRoute {self.service.route} gives nobody any weight",
                hint="users get errors: give blue or green a weight",
            )
        # However few users meet green, it is not nobody; and with blue's last ones it is not everybody.
        return min(max(round(100 * green / total), 1), 99) if 0 < green < total else 100 * green // total

    def _no_rule(self) -> RolloutError:
        names = " or ".join(self.service.sides.values())
        return RolloutError(
            f"no rule of HTTPRoute {self.service.route} sends requests to {names}",
            hint="see the names of the sides in the plan's target",
        )


def _pending(route: Object) -> tuple[str, str]:
    """Why a route's weights do not count yet, and why its controller refuses them; each empty where it does not."""
    parents = (route.get("status") or {}).get("parents") or []
    if not parents:
        return "no gateway has looked at it", ""
    generation = route["metadata"]["generation"]
    for parent in parents:
        given = {one["type"]: one for one in parent.get("conditions") or ()}
        for kind in (*NEEDED, *(kind for kind in ALSO if kind in given)):
            one = given.get(kind)
            if one is None or one.get("observedGeneration", 0) < generation:
                who = parent.get("controllerName", "its gateway")
                return f"{who} has not seen generation {generation} ({kind})", ""
            if one["status"] == "False":
                name = route["metadata"]["name"]
                why = f"{kind} is False, {one.get('reason')}: {one.get('message')}"
                return "", f"the gateway refuses HTTPRoute {name}: {why}"
            if one["status"] != "True":
                return f"{kind} is {one['status']}", ""
    return "", ""


@dataclass(frozen=True, slots=True)
class ServiceSwitch:
    """A Service whose selector is that of one side; it knows no shares between nothing and all."""

    api: Api
    service: Service

    async def read(self) -> Division:
        """See `Router.read`."""
        switch = await self._service(self.service.switch)
        for side in Side:
            if switch["spec"].get("selector") == (await self._side(side))["spec"].get("selector"):
                found = writers(switch, "spec", "selector")
                percent = 100 if side is Side.GREEN else 0
                return Division(percent, await self._pending(side), "", found[0] if found else "")
        raise InconclusiveError(
            f"Service {self.service.switch} selects neither blue nor green",
            hint="give it the selector of the side that is to serve",
        )

    async def divide(self, percent: int, *, dry: bool = False) -> None:
        """See `Router.divide`; raises `RolloutError` for any share between nothing and all."""
        if percent not in {0, 100}:
            raise RolloutError(
                f"a Service cannot give green {percent} %: it has no weights",
                hint="name an HTTPRoute in the plan's target, or make the ladder 100 alone",
            )
        switch = await self._service(self.service.switch)
        selector = (await self._side(Side.GREEN if percent else Side.BLUE))["spec"].get("selector")
        if switch["spec"].get("selector") == selector:
            return
        wish = own(switch)
        wish["metadata"]["resourceVersion"] = switch["metadata"]["resourceVersion"]
        wish["spec"] = {**wish.get("spec", {}), "selector": selector}
        path = self.service.path("services", self.service.switch)
        await self.api.apply(path, wish, dry=dry, force=self.service.take)

    async def _pending(self, side: Side) -> str:
        """Until its endpoints are those of the side, and one of them is ready."""
        served = await endpoints(self.api, self.service, self.service.switch)
        wanted = await endpoints(self.api, self.service, self.service.sides[side])
        if not wanted or set(served) != set(wanted):
            return f"its endpoints are {len(served)} and not yet the {len(wanted)} of {side}"
        return ""

    async def _side(self, side: Side) -> Object:
        return await self._service(self.service.sides[side])

    async def _service(self, name: str) -> Object:
        return await self.api.must_get(self.service.path("services", name), f"Service {name}")


async def endpoints(api: Api, service: Service, name: str) -> list[str]:
    """The pods behind a Service that take requests, by name."""
    slices = await api.items(service.path("endpointslices"), {SERVICE_NAME: name})
    return sorted(
        str(one.get("targetRef", {}).get("name", one["addresses"][0]))
        for held in slices
        for one in held.get("endpoints") or ()
        if one.get("conditions", {}).get("ready", True)
    )

"""Clusters and Vaults of a plan, each with what the plan says beside: the target's names, the Vaults to look into."""

from collections.abc import Callable, Mapping

from tminus.config import resolve
from tminus.domain.plan import Plan
from tminus.errors import PlanError
from tminus.probes import kubernetes, vault


def makers(
    plan: Plan, addresses: Mapping[str, str], environment: Mapping[str, str], now: Callable[[], float]
) -> dict[str, Callable[[str], object]]:
    """By kind: how a system is made from its address.

    `addresses` are those of the plan's systems by name, as far as they are known.
    """
    vaults = {
        name: addresses[name]
        for name, entry in plan.systems.items()
        if entry["kind"] == "vault" and addresses.get(name)
    }
    target = plan.target or {}
    there = _of_target(plan, environment)

    def cluster(address: str) -> kubernetes.System:
        # Another cluster than the target's has other contexts and namespaces.
        context, namespace = (
            (str(target["context"]), str(target["namespace"])) if target and address == there else ("", "")
        )
        return kubernetes.System(address, now, context, namespace, vaults)

    return {"kubernetes": cluster, "vault": lambda address: vault.System(address, now)}


def _of_target(plan: Plan, environment: Mapping[str, str]) -> str:
    """The address of the target's cluster; empty where there is none that is known here."""
    try:
        return resolve(str(plan.target["address"]), environment) if plan.target else ""
    except PlanError:
        return ""  # a launch tells it by itself; a line that names no cluster of its own tells it too

"""What depot is told about the stage around it: its Redis, its limits, the pages that may use it, its partner."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from tminus.demo.parts import Setting, redis

LIMITS: Final = "*=30000/60,probe=20/10,neighbour=20/10"
"""Everybody's limit is far above the users' rate. The two keys exist for the line about limits: they open nothing."""

PAGES: Final = "https://app.depot.example,https://admin.depot.example"
"""The origins that may use depot from a browser."""

TRIED: Final = 1
"""The number of the Redis database for releases that are only tried: no trial does users' jobs."""


def settings(setting: Setting) -> Mapping[str, str]:
    """The environment of a depot that serves users; it holds secrets."""
    return MappingProxyType(
        {
            "DEPOT_REDIS_URL": redis.address(setting.ports["redis"], setting.secrets["redis"]),
            "DEPOT_RATE_LIMITS": LIMITS,
            "DEPOT_CORS_ORIGINS": PAGES,
            "DEPOT_WEBHOOK_URL": f"{partner(setting)}/events",
            "DEPOT_WEBHOOK_SECRET": setting.secrets["partner"],
            "DEPOT_HOOK_SECRET": setting.secrets["message"],
        }
    )


def tried(setting: Setting) -> Mapping[str, str]:
    """What is different for a release that is only tried."""
    address = redis.address(setting.ports["redis"], setting.secrets["redis"])
    return MappingProxyType({"DEPOT_REDIS_URL": f"{address.removesuffix('/0')}/{TRIED}"})


def partner(setting: Setting) -> str:
    """Where the partner answers."""
    return setting.place("partner").url

"""Exporters: they tell Prometheus how the machine, PostgreSQL and Redis are."""

from dataclasses import replace

from tminus.demo.parts.place import HOST, Place
from tminus.demo.supervisor import AGAIN, Part


def node(place: Place) -> Part:
    """Processors, memory, disks and network of this machine; file systems that live in memory are no disks."""
    arguments = (
        "--collector.disable-defaults",
        "--collector.cpu",
        "--collector.meminfo",
        "--collector.netdev",
        "--collector.filesystem",
        "--collector.filesystem.fs-types-exclude=^(tmpfs|devtmpfs|proc|sysfs|cgroup2?|squashfs|iso9660|nsfs|mqueue)$",
        "--web.disable-exporter-metrics",
        "--log.level=error",
    )
    return _exporter(place, *arguments)


def postgres(place: Place, monitor: str) -> Part:
    """PostgreSQL, seen by a user who may watch and nothing else."""
    given = {"DATA_SOURCE_NAME": f"{monitor}?sslmode=disable"}
    return _exporter(replace(place, environment={**place.environment, **given}), "--log.level=error")


def redis(place: Place, port: int, password: str) -> Part:
    """Redis at this port."""
    given = {"REDIS_ADDR": f"redis://{HOST}:{port}", "REDIS_PASSWORD": password}
    return _exporter(replace(place, environment={**place.environment, **given}))


def _exporter(place: Place, *arguments: str) -> Part:
    async def ready() -> bool:
        return await place.answers("/metrics")

    command = [str(place.program), f"--web.listen-address={place.listen}", *arguments]
    return Part(place.name, command, place.environment, answers=ready, restarts=AGAIN)

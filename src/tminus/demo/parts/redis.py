"""Redis: the service's queue and the counts of its rate limits."""

import asyncio

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tminus.demo.parts.place import HOST, LOOK_SECONDS, Place
from tminus.demo.supervisor import AGAIN, Part


def render(port: int, password: str) -> str:
    """The configuration file.

    Every write is in the append-only file within a second, so that a Redis that was killed comes back with its queue;
    snapshots are taken when somebody asks for one.
    """
    return f"""\
bind {HOST}
port {port}
requirepass {password}
daemonize no
dir ./
save ""
appendonly yes
appendfsync everysec
"""


def address(port: int, password: str) -> str:
    """Where it is, with the password: not for logs."""
    return f"redis://:{password}@{HOST}:{port}/0"


def part(place: Place, password: str) -> Part:
    """How it is started; the password stands in its file and not among its arguments, which everybody can read."""

    async def prepare() -> None:
        place.write("redis.conf", render(place.port, password))

    async def ready() -> bool:
        return await answers(address(place.port, password))

    command = [str(place.program), "redis.conf"]
    return Part(place.name, command, place.environment, answers=ready, prepare=prepare, restarts=AGAIN)


async def answers(url: str) -> bool:
    """Whether it answers; one that still loads its file does not.

    Whoever gives up asking is let go when the answer, or its time limit, is there: redis-py is never stopped in the
    middle. It would leave connections open, and with Python 3.11's `asyncio.wait_for`, by which it sends, it can lose
    a cancellation altogether (python/cpython#86296): who asks again and again would then never end.
    """
    asking = asyncio.ensure_future(_pings(url))
    try:
        return await asyncio.shield(asking)
    finally:
        await asyncio.wait([asking])


async def _pings(url: str) -> bool:
    try:
        async with Redis.from_url(
            url, socket_timeout=LOOK_SECONDS, socket_connect_timeout=LOOK_SECONDS
        ) as redis:
            return bool(await redis.ping())
    except RedisError:
        return False

"""depot's connection to Redis: short time limits, one immediate second try, and whether it answers.

Redis holds the queue of jobs and the counts of the rate limits. Without it depot still stores, finds and gives
back; what needs it is answered with 503, or with 501 where no Redis is configured at all.
"""

import time

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from .database import Ping
from .patience import Question

CONNECT_SECONDS = 0.5
COMMAND_SECONDS = 1.0
PING_SECONDS = 0.8


def connect(url: str, command_seconds: float = COMMAND_SECONDS) -> Redis:
    """A client that connects when it is first used.

    The second try is for connections that a restarted Redis has closed; more tries would only make users wait.
    """
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=command_seconds,
        retry=Retry(NoBackoff(), 1),
        client_name="depot",
    )


class KeyStore:
    """The Redis of one app."""

    def __init__(self, url: str) -> None:
        self.client = connect(url)
        self._ping = Question(self._answers, PING_SECONDS)

    async def ping(self) -> Ping:
        """Ask whether Redis answers, in at most `PING_SECONDS`."""
        started = time.monotonic()
        ok = bool(await self._ping.answer())
        return Ping(ok=ok, ms=round((time.monotonic() - started) * 1000, 2))

    async def close(self) -> None:
        """Close every connection."""
        self._ping.drop()
        await self.client.aclose()

    async def _answers(self) -> bool:
        try:
            await self.client.ping()
        except RedisError:
            return False
        return True

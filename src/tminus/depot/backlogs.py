"""How much is not done yet: jobs in the queue, events in the outbox.

What cannot be read now is absent and never a figure from before.
"""

import psycopg
from redis.exceptions import RedisError

from . import outbox
from .clock import wall_clock
from .database import Database
from .jobs import Queue, QueueState
from .keystore import KeyStore
from .outbox import OutboxState
from .patience import Question

READ_SECONDS = 1.0


class Backlogs:
    """Reads the backlogs of one app; one question to each dependency at a time."""

    def __init__(self, database: Database, keystore: KeyStore | None, *, has_partner: bool) -> None:
        self._database = database
        self._keystore = keystore
        self._has_partner = has_partner
        self._queue = Question(self._read_queue, READ_SECONDS)
        self._outbox = Question(self._read_outbox, READ_SECONDS)

    async def queue(self) -> QueueState | None:
        """The queue; none without Redis, or while it does not answer."""
        return None if self._keystore is None else await self._queue.answer()

    async def outbox(self) -> OutboxState | None:
        """The outbox; none without a partner, or while the database does not answer."""
        return await self._outbox.answer() if self._has_partner else None

    def close(self) -> None:
        """Wait no longer for what is still open."""
        self._queue.drop()
        self._outbox.drop()

    async def _read_queue(self) -> QueueState | None:
        if self._keystore is None:
            return None
        try:
            return await Queue(self._keystore.client).state(wall_clock())
        except RedisError:
            return None

    async def _read_outbox(self) -> OutboxState | None:
        try:
            return await outbox.state(self._database)
        except (psycopg.Error, TimeoutError):
            return None

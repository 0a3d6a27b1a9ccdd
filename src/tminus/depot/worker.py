"""The worker: does the jobs of the queue and delivers the outbox, as a process of its own.

Any number may run beside each other. SIGTERM lets the job in hand finish. A dependency that is away is waited for;
the job in hand goes back to the queue. Whatever else goes wrong ends the process, so that its supervisor sees it;
the job then counts one attempt more when it is taken up again.
"""

import asyncio
import logging
import os
import signal
import socket
import uuid
from collections.abc import Awaitable, Callable

import aiohttp
import psycopg
from redis.exceptions import RedisError

from . import hooks, keystore, outbox, sessions
from .database import Database
from .delivery import BATCH, SEND_SECONDS, deliver_due
from .errors import SettingsError
from .exports import JobError, make_export
from .jobs import Job, Queue
from .settings import Partner, Settings

logger = logging.getLogger("depot")

TAKE_SECONDS = 1.0
"""A stop is noticed after this at the latest."""
IDLE_SECONDS = 0.5
"""Between two looks at an empty outbox."""
AWAY_SECONDS = 1.0
TIDY_SECONDS = 600.0

_AWAY = (RedisError, psycopg.OperationalError, TimeoutError)

Turn = Callable[[], Awaitable[float]]
"""One turn of a round; returns how long to rest after it, in seconds."""


class Worker:
    """One worker with its name, its connections and its rounds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._name = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._database = Database(settings.database_url)
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Work until told to stop.

        Raises `SettingsError` when there is nothing to work on.
        """
        settings = self._settings
        if settings.redis_url is None and settings.partner is None:
            raise SettingsError("nothing to do: neither DEPOT_REDIS_URL nor DEPOT_WEBHOOK_URL is set")
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        await self._database.open()
        logger.info("worker started", extra={"fields": {"worker": self._name}})
        try:
            async with asyncio.TaskGroup() as rounds:
                rounds.create_task(self._round(self._tidy))
                if settings.redis_url is not None:
                    rounds.create_task(self._work(settings.redis_url))
                if settings.partner is not None:
                    rounds.create_task(self._deliver(settings.partner))
        finally:
            await self._database.close()
        logger.info("worker stopped", extra={"fields": {"worker": self._name}})

    async def _work(self, url: str) -> None:
        client = keystore.connect(url, command_seconds=TAKE_SECONDS + keystore.COMMAND_SECONDS)
        queue = Queue(client)
        lost = self._settings.worker_lost_seconds

        async def live() -> float:
            await queue.show_alive(self._name, lost)
            recovered = await queue.recover()
            if recovered:
                logger.warning("jobs recovered", extra={"fields": {"jobs": recovered}})
            return lost / 3

        async def take() -> float:
            # Each time: a Redis that came back empty knows no workers, and would lose the job of an unknown one.
            await queue.show_alive(self._name, lost)
            job = await queue.take(self._name, TAKE_SECONDS)
            if job is not None:
                await self._do(queue, job)
            return 0.0

        try:
            # Known as alive before the first job, so that nobody takes it for dead.
            await self._attempt(live)
            async with asyncio.TaskGroup() as rounds:
                rounds.create_task(self._round(live))
                rounds.create_task(self._round(take))
            await self._attempt(lambda: _left(queue, self._name))
        finally:
            await client.aclose()

    async def _do(self, queue: Queue, job: Job) -> None:
        fields = {"job": job.id, "kind": job.kind, "attempt": job.attempt}
        try:
            file = await make_export(self._database, job, self._settings.upload_max_bytes)
        except JobError as error:
            await queue.fail(self._name, job, str(error))
            logger.warning("job failed", extra={"fields": {**fields, "why": str(error)}})
        except (psycopg.OperationalError, TimeoutError):
            await queue.give_back(self._name, job)
            raise
        else:
            await queue.finish(self._name, job, {"file": str(file)})
            logger.info("job done", extra={"fields": fields})

    async def _deliver(self, partner: Partner) -> None:
        timeout = aiohttp.ClientTimeout(total=SEND_SECONDS)
        async with aiohttp.ClientSession(timeout=timeout) as http:

            async def deliver() -> float:
                tried = await deliver_due(self._database, partner, http)
                return 0.0 if tried == BATCH else IDLE_SECONDS

            await self._round(deliver)

    async def _tidy(self) -> float:
        """Forget what nobody needs any more."""
        await sessions.forget_old(self._database, self._settings.token_seconds)
        await outbox.forget_delivered(self._database)
        await hooks.forget_old(self._database)
        return TIDY_SECONDS

    async def _round(self, turn: Turn) -> None:
        """Take one turn after the other until told to stop."""
        while not self._stop.is_set():
            rest = await self._attempt(turn)
            if rest:
                await self._rest(rest)

    async def _attempt(self, turn: Turn) -> float:
        try:
            return await turn()
        except _AWAY as error:
            logger.warning("dependency away", extra={"fields": {"why": f"{type(error).__name__}: {error}"}})
            return AWAY_SECONDS

    async def _rest(self, seconds: float) -> None:
        stopped = asyncio.create_task(self._stop.wait())
        await asyncio.wait({stopped}, timeout=seconds)
        stopped.cancel()


def work(settings: Settings) -> None:
    """Work until SIGTERM; the job in hand is finished first."""
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    await Worker(settings).run()


async def _left(queue: Queue, name: str) -> float:
    await queue.leave(name)
    return 0.0

"""The queue of jobs in Redis: each is done at least once, also when a worker dies in the middle.

Keys begin with `depot:`. `waiting` is a list of job numbers; a worker moves one at a time to its own list
`processing:WORKER`, in one step of Redis, and removes it when the job is done. `alive:WORKER` ends by itself when
the worker stops renewing it; then any other worker moves that list back. What a job is stands in the hash `job:ID`,
which is forgotten after a day. A job that was begun `MOST_ATTEMPTS` times is put on the list `dead` and left there.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis

MOST_ATTEMPTS = 5
KEEP_SECONDS = 86_400

_WAITING = "depot:waiting"
_DEAD = "depot:dead"
_WORKERS = "depot:workers"
_COUNTS = "depot:counts"
_OUTCOMES = ("done", "dead", "recovered")
"""What can become of a job: each is counted from the first moment, so that nothing is not taken for no figure."""


@dataclass(frozen=True)
class Job:
    """One job: what is to be done, for whom, and which attempt this is."""

    id: str
    kind: str
    owner: str
    attempt: int


@dataclass(frozen=True)
class QueueState:
    """How many jobs wait, are being done and were given up; the age of the oldest not done; what became of all."""

    waiting: int
    processing: int
    dead: int
    oldest_seconds: float
    counts: dict[str, int]


class Queue:
    """The queue, as those who ask for jobs and those who do them see it."""

    def __init__(self, redis: Redis) -> None:
        # redis-py's types do not know that every answer is a text (`decode_responses`), nor of parts of seconds.
        self._redis: Any = redis

    async def put(self, kind: str, owner: str, now: int) -> str:
        """Ask for a job and return its id; it waits from this moment on."""
        job = uuid.uuid4().hex
        fields = {"kind": kind, "owner": owner, "state": "waiting", "asked_at": str(now), "attempts": "0"}
        async with self._redis.pipeline(transaction=True) as step:
            step.hset(_job(job), mapping=fields)
            step.expire(_job(job), KEEP_SECONDS)
            step.lpush(_WAITING, job)
            await step.execute()
        return job

    async def read(self, job: str) -> dict[str, str]:
        """What is known of a job; empty for an unknown one."""
        found: dict[str, str] = await self._redis.hgetall(_job(job))
        return found

    async def take(self, worker: str, seconds: float) -> Job | None:
        """The job that waits longest, now on this worker's own list; none when nothing came in this time."""
        taken: str | None = await self._redis.blmove(_WAITING, _processing(worker), seconds, "RIGHT", "LEFT")
        if taken is None:
            return None
        fields = await self.read(taken)
        if not fields:
            # Forgotten before anybody came to it: nobody can say any more what was to be done.
            await self._close(worker, taken, {}, "forgotten")
            return None
        if int(fields["attempts"]) >= MOST_ATTEMPTS:
            await self._close(worker, taken, {"state": "dead"}, "dead")
            return None
        attempt = int(await self._redis.hincrby(_job(taken), "attempts", 1))
        await self._redis.hset(_job(taken), "state", "processing")
        return Job(taken, fields["kind"], fields["owner"], attempt)

    async def finish(self, worker: str, job: Job, result: dict[str, str]) -> None:
        """The job is done."""
        await self._close(worker, job.id, {"state": "done", **result}, "done")

    async def fail(self, worker: str, job: Job, why: str) -> None:
        """The job cannot be done, now or ever."""
        await self._close(worker, job.id, {"state": "failed", "why": why}, "failed")

    async def give_back(self, worker: str, job: Job) -> None:
        """Not the job's fault: it waits again, as the next one, and this attempt does not count."""
        async with self._redis.pipeline(transaction=True) as step:
            step.lrem(_processing(worker), 1, job.id)
            step.rpush(_WAITING, job.id)
            step.hincrby(_job(job.id), "attempts", -1)
            step.hset(_job(job.id), "state", "waiting")
            await step.execute()

    async def show_alive(self, worker: str, seconds: int) -> None:
        """This worker lives; after so many seconds without this it is held for dead."""
        async with self._redis.pipeline(transaction=True) as step:
            step.sadd(_WORKERS, worker)
            step.set(_alive(worker), "1", ex=seconds)
            await step.execute()

    async def leave(self, worker: str) -> None:
        """This worker ends."""
        await self._redis.delete(_alive(worker))
        await self.recover()

    async def recover(self) -> int:
        """Put back what dead workers were doing; returns how many jobs wait again."""
        recovered = 0
        for worker in await self._redis.smembers(_WORKERS):
            if await self._redis.exists(_alive(worker)):
                continue
            while await self._redis.lmove(_processing(worker), _WAITING, "RIGHT", "RIGHT") is not None:
                recovered += 1
            await self._redis.srem(_WORKERS, worker)
        if recovered:
            await self._redis.hincrby(_COUNTS, "recovered", recovered)
        return recovered

    async def state(self, now: int) -> QueueState:
        """How the queue stands."""
        lists = [_processing(worker) for worker in await self._redis.smembers(_WORKERS)]
        processing = [job for name in lists for job in await self._redis.lrange(name, 0, -1)]
        oldest = [job for job in (await self._redis.lindex(_WAITING, -1), *processing) if job is not None]
        asked = [await self._redis.hget(_job(job), "asked_at") for job in oldest]
        counts = await self._redis.hgetall(_COUNTS)
        return QueueState(
            waiting=await self._redis.llen(_WAITING),
            processing=len(processing),
            dead=await self._redis.llen(_DEAD),
            oldest_seconds=max((float(now - int(at)) for at in asked if at is not None), default=0.0),
            counts=dict.fromkeys(_OUTCOMES, 0) | {name: int(count) for name, count in counts.items()},
        )

    async def _close(self, worker: str, job: str, fields: dict[str, str], outcome: str) -> None:
        async with self._redis.pipeline(transaction=True) as step:
            step.lrem(_processing(worker), 1, job)
            if fields:
                step.hset(_job(job), mapping=fields)
                step.expire(_job(job), KEEP_SECONDS)
            if outcome == "dead":
                step.lpush(_DEAD, job)
            step.hincrby(_COUNTS, outcome, 1)
            await step.execute()


def _job(job: str) -> str:
    return f"depot:job:{job}"


def _processing(worker: str) -> str:
    return f"depot:processing:{worker}"


def _alive(worker: str) -> str:
    return f"depot:alive:{worker}"

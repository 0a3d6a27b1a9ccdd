"""Durable workflows on DBOS: one launch, one workflow, steps that are not repeated after a crash.

DBOS is used as its maintainers mean it to be, with what trials taught us: a version pinned by us, portable JSON instead
of pickle, an executor id of our own for each process, SQLite in WAL mode, everything started through a queue, and
acts as messages, never as a cancellation. Nothing outside this file knows DBOS.
"""

import asyncio
import socket
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID

from tminus import errors
from tminus.control.ports import Engine, Json
from tminus.errors import PartError, TminusError

_VERSION = "launch-1"
"""Raised only when a launch in flight could not go on under the new code."""

_QUEUE = "timeline"

Body = Callable[[Engine, str], Awaitable[Json]]
"""A launch: what is done, given the engine and the launch's id; its last result."""


class DurableSteps:
    """The engine as a launch sees it, inside its workflow."""

    async def step(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.step`."""

        async def kept() -> Json:
            try:
                return {"result": await act()}
            except TminusError as error:
                return {"error": type(error).__name__, "message": str(error), "hint": error.hint}

        answer = await DBOS.run_step_async({"name": name}, kept)
        if "error" in answer:
            kind: type[TminusError] = getattr(errors, str(answer["error"]))
            raise kind(str(answer["message"]), hint=str(answer["hint"]))
        result = answer["result"]
        assert isinstance(result, dict)  # noqa: S101 - kept() made it
        return result

    async def receive(self, topic: str, seconds: float) -> Json | None:
        """See `Engine.receive`."""
        message: Json | None = await DBOS.recv_async(topic, timeout_seconds=seconds)
        return message


class DurableEngine:
    """One process's share in running launches, over one SQLite file."""

    def __init__(self, database: Path, body: Body) -> None:
        self._database = database
        self._body = body
        self._executor = f"{socket.gethostname()}-{uuid4().hex[:8]}"

    async def start(self) -> None:
        """Begin to work, and take over what dead processes left behind.

        The caller holds the lock of this database's launch, so every other executor named in it is dead.
        """
        use_write_ahead_log(self._database)
        config = DBOSConfig(
            name="tminus",
            system_database_url=f"sqlite:///{self._database}",
            executor_id=self._executor,
            application_version=_VERSION,
            serializer=DBOSPortableJSONSerializer(),
            log_level="ERROR",
        )
        DBOS(config=config)
        body = self._body

        @DBOS.workflow(name="launch", max_recovery_attempts=1000)
        async def launch(launch_id: str) -> Json:
            return await body(DurableSteps(), launch_id)

        self._workflow = launch
        await asyncio.to_thread(DBOS.launch)
        await DBOS.register_queue_async(_QUEUE, polling_interval_sec=0.1)
        await asyncio.to_thread(self._take_over)

    def _take_over(self) -> None:
        waiting = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        dead = sorted({str(workflow.executor_id) for workflow in waiting} - {self._executor})
        if dead:
            # The public resume has no guard against a living owner and forgets attempts; this is what DBOS itself
            # calls at start-up, for executors of its own name only.
            DBOS._recover_pending_workflows(dead)  # noqa: SLF001 - no public equivalent, see above

    async def begin(self, launch_id: str) -> None:
        """Start this launch; one that was started before goes on instead."""
        with SetWorkflowID(launch_id):
            await DBOS.enqueue_workflow_async(_QUEUE, self._workflow, launch_id)

    async def result(self, launch_id: str) -> Json | None:
        """The launch's last result once it is over; nothing while it goes on.

        Raises `PartError` when it ended by an error of ours instead of a result.
        """
        status = await DBOS.get_workflow_status_async(launch_id)
        if status is None or status.status in {"PENDING", "ENQUEUED", "DELAYED"}:
            return None
        if status.status != "SUCCESS":
            raise PartError(
                f"the launch {launch_id} stopped by an error of its own: {status.error}",
                hint="report this with the record; nothing was rolled back by it",
            )
        output = status.output
        assert isinstance(output, dict)  # noqa: S101 - a body returns Json
        return output

    async def send(self, launch_id: str, topic: str, message: Json, key: str) -> None:
        """Leave a message for a launch; the same key is delivered once."""
        await DBOS.send_async(launch_id, message, topic, idempotency_key=key)

    async def stop(self) -> None:
        """Stop working; a launch in flight stays and is taken over by the next start."""
        await asyncio.to_thread(DBOS.destroy)
        # DBOS makes its own pool the loop's default and shuts it down; whatever comes after needs another.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())


def send_from_outside(database: Path, launch_id: str, message: Json, key: str) -> None:
    """Leave a `control` message for a launch that another process runs."""
    client = DBOSClient(system_database_url=f"sqlite:///{database}", serializer=DBOSPortableJSONSerializer())
    try:
        client.send(launch_id, message, "control", idempotency_key=key)
    finally:
        client.destroy()


def use_write_ahead_log(database: Path) -> None:
    """Put a SQLite file into WAL mode unless it is; to be done before a second process opens it."""
    connection = sqlite3.connect(database, timeout=10)
    try:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
        if mode != "wal":
            connection.execute("PRAGMA journal_mode=WAL")
    finally:
        connection.close()

"""Durable workflows on DBOS: one launch, one workflow, steps that are not repeated after a crash.

DBOS is used as its maintainers mean it to be, with what trials taught us: a version pinned by us, portable JSON instead
of pickle, an executor id of our own for each process, SQLite in WAL mode, everything started through a queue, and
acts as messages, never as a cancellation. Nothing outside this package knows DBOS.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import uuid4

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID

from tminus.control.ports import Clock, Engine, Json
from tminus.control.remembered import given, kept
from tminus.engine.fence import Fence
from tminus.engine.keeper import Keeper, Keeping, Worker
from tminus.engine.meter import Meter, NoMeter
from tminus.engine.patience import Patience, wait_for_room
from tminus.engine.rests import Rests, Whose
from tminus.errors import PartError
from tminus.store.migrating import revisions
from tminus.store.tables import IDLE_SECONDS, address, connect, patience, prepare

NAME = "tminus"
"""Our workflows among those of others in one database."""
VERSION = "launch-2"
"""Raised only when a launch in flight could not go on under the new code."""
TIMELINE = "timeline"
"""The queue of launches. It has no limit: a launch waits for days and must never keep another from beginning."""
ATTEMPTS = 1000
"""How often a launch may be taken over; each restart of tminus in its days counts as one."""
POLL_SECONDS = 0.1
LONGEST_SLEEP = 10.0
"""Seconds after which a sleeper reads the clock again: it may have been set, or the machine suspended."""

THREADS = 32
"""How many threads wait for the database at once; it has 20 connections. Without a limit each of 10,000 launches that
a start takes over begins one of its own: half a gigabyte, a heart that is not heard, and acts that wait for half a
minute to be given a connection."""

LEAVE_SECONDS = 5.0
"""How long launches may take to let go when the engine stops; one that does not is left as by a kill."""

T = TypeVar("T")

Body = Callable[[Engine, str], Awaitable[Json]]
"""A launch: what is done, given the engine and the launch's id; its last result."""
Workflow = Callable[[str], Coroutine[Any, Any, Json]]


@dataclass(frozen=True, slots=True)
class Means:
    """What the launches of one process share."""

    clock: Clock
    fence: Fence
    patience: Patience
    meter: Meter
    rests: Rests


class DurableSteps:
    """The engine as a launch sees it, inside its workflow."""

    def __init__(self, means: Means, launch: str) -> None:
        self._clock = means.clock
        self._means = means
        self._launch = launch

    async def step(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.step`."""

        async def fenced() -> Json:
            return await self._fenced(name, act)

        return given(await DBOS.run_step_async({"name": name}, fenced))

    async def act(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        """See `Engine.act`."""
        return given(await self._fenced(name, act))

    async def _fenced(self, name: str, act: Callable[[], Awaitable[Json]]) -> Json:
        means = self._means
        try:
            done = await kept(lambda: means.patience.run(f"step {name!r}", lambda: means.fence.run(act)))
        except BaseException:
            means.meter.broke()
            raise
        means.meter.step(failed="error" in done)
        return done

    async def rest(self, until: float) -> None:
        """See `Engine.rest`."""
        await self._means.rests.rest(self._launch, until)

    async def receive(self, topic: str, until: float) -> Json | None:
        """See `Engine.receive`; DBOS keeps the instant, and reads the clock again at least once a minute."""
        seconds = max(0.0, until - self._clock.now())
        message: Json | None = await DBOS.recv_async(topic, timeout_seconds=seconds)
        if message is None:
            self._woke(until, waited=seconds > 0)
        return message

    async def sleep_until(self, until: float) -> None:
        """See `Engine.sleep_until`; the instant itself is what a later run needs, so nothing is written."""
        waited = False
        while (rest := until - self._clock.now()) > 0:
            waited = True
            await self._clock.sleep(min(rest, LONGEST_SLEEP))
        self._woke(until, waited=waited)

    def _woke(self, until: float, *, waited: bool) -> None:
        # What an earlier run has waited for is over at once, however long ago that was.
        if waited:
            self._means.meter.woke(max(0.0, self._clock.now() - until))

    async def now(self) -> float:
        """See `Engine.now`."""

        async def read() -> float:
            return self._clock.now()

        return float(await DBOS.run_step_async({"name": "now"}, read))

    async def patched(self, change: str) -> bool:
        """See `Engine.patched`."""
        return await DBOS.patch_async(change)


def _connection() -> dict[str, str | int]:
    """What the engine's own connections to PostgreSQL ask for."""
    return {"application_name": NAME, **patience()}


class DurableEngine:
    """One process's share in running the launches of one database, `sqlite:///…` or `postgresql+psycopg://…`.

    `bodies` are the kinds of launches by name. With `alone` the caller holds a lock of its own on this database: any
    other process named in it is dead, its work is taken over at once, and nobody will take over ours meanwhile.
    Otherwise a keeper beats, and takes over from those whose heart stands still; `keeping` says how long it may.
    """

    def __init__(
        self,
        database_url: str,
        bodies: Mapping[str, Body],
        clock: Clock,
        *,
        alone: bool = False,
        keeping: Keeping = Keeping(),  # noqa: B008 - it is frozen
    ) -> None:
        self.executor = keeping.executor or new_executor()
        self._url = database_url
        self._bodies = bodies
        self._clock = clock
        self._workflows: dict[str, Workflow] = {}
        self._flying: set[asyncio.Task[Any]] = set()
        """The launches that this process runs now, each as DBOS runs it."""
        self._fence = Fence()
        self._patience = Patience(clock)
        self.meter: Meter = NoMeter()
        """Is told what is done; set before `start`."""
        self._keeper: Keeper | None = None
        if not alone:
            knows = revisions()[-1].revision
            worker = Worker(self.executor, socket.gethostname(), VERSION, knows)
            self._keeper = Keeper(connect(database_url, keeper=True), worker, keeping, clock.now)
            self._fence = self._keeper.fence
            self._patience = Patience(clock, keeping.tidings)
        self._tidings = keeping.tidings
        self._rests = Rests(connect(database_url), Whose(NAME, self.executor), clock.now, self._patience)

    async def start(self) -> None:
        """Begin to work, and take over what dead processes left behind.

        Raises `PartError` when the database does not answer.
        """
        await asyncio.to_thread(ready, self._url)
        made = DBOS(config=self._config())
        for name, body in self._bodies.items():
            self._workflows[name] = self._registered(name, body)
        if self._keeper is not None:
            await asyncio.to_thread(self._keeper.begin)
            self._keeper.beat()
        # In this loop, where it then runs the launches too: a lock of `asyncio` that two loops share may never open.
        DBOS.launch()
        if self._keeper is not None and address(self._url).startswith("sqlite"):
            wait_for_room(made._sys_db.engine)  # noqa: SLF001 - an engine of ours would begin transactions otherwise
        await DBOS.register_queue_async(TIMELINE, polling_interval_sec=POLL_SECONDS)
        self._rests.watch(self._tidings)
        if self._keeper is None:
            await asyncio.to_thread(take_over_all_but, self.executor)
        else:
            self._keeper.watch(owners, take_over)

    def _config(self) -> DBOSConfig:
        url = address(self._url)
        return DBOSConfig(
            name=NAME,
            system_database_url=url,
            executor_id=self.executor,
            application_version=VERSION,
            serializer=DBOSPortableJSONSerializer(),
            sys_db_idle_transaction_timeout_sec=IDLE_SECONDS,
            max_executor_threads=THREADS,
            log_level="ERROR",
            **({} if url.startswith("sqlite") else {"db_engine_kwargs": {"connect_args": _connection()}}),
        )

    def _registered(self, name: str, body: Body) -> Workflow:
        means = Means(self._clock, self._fence, self._patience, self.meter, self._rests)

        @DBOS.workflow(name=name, max_recovery_attempts=ATTEMPTS)
        async def launch(launch_id: str) -> Json:
            if (due := self._rests.due(launch_id)) is not None:
                self.meter.woke(max(0.0, self._clock.now() - due))
            task = asyncio.current_task()
            assert task is not None  # noqa: S101 - this is a coroutine
            self._flying.add(task)
            try:
                return await body(DurableSteps(means, launch_id), launch_id)
            finally:
                self._flying.discard(task)

        return launch

    async def fenced(self, act: Callable[[], Awaitable[T]]) -> T:
        """Act outside of any step, while this process may: see `Fence.run`."""
        return await self._fence.run(act)

    def silent(self) -> float:
        """For how many seconds the heart of this process has been silent; meaningless where it is alone."""
        return self._fence.silent()

    async def begin(self, body: str, launch_id: str) -> None:
        """Start this launch; one that was started before goes on instead."""
        with SetWorkflowID(launch_id):
            await DBOS.enqueue_workflow_async(TIMELINE, self._workflows[body], launch_id)

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
        """Stop working; a launch in flight stays and is taken over by the next start, or by another process."""
        if self._keeper is not None:
            await asyncio.to_thread(self._keeper.rest)
        await asyncio.to_thread(self._rests.stop)
        # DBOS ends what runs in its own loop; what runs in ours would meet a pool that is shut down.
        flying = set(self._flying)
        for task in flying:
            task.cancel()
        if flying:
            await asyncio.wait(flying, timeout=LEAVE_SECONDS)
        await asyncio.to_thread(lambda: DBOS.destroy(destroy_registry=True))
        # DBOS makes its own pool the loop's default and shuts it down; whatever comes after needs another.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        if self._keeper is not None:
            await asyncio.to_thread(self._keeper.leave)


def new_executor() -> str:
    """A name for a process on this machine, which no other ever had."""
    return f"{socket.gethostname()}-{uuid4().hex[:8]}"


def ready(database_url: str) -> None:
    """Have a database hold every table that launches need; raises `PartError` when it does not answer."""
    engine = connect(database_url)
    try:
        # DBOS locks its migrations for 30 s only, and then lets two processes make the same tables at once.
        prepare(engine, lambda: DBOS.migrate(address(database_url)))
    finally:
        engine.dispose()


def owners() -> set[str]:
    """The processes, living or dead, that have work under way in this database."""
    under_way = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
    return {str(workflow.executor_id) for workflow in under_way}


def take_over(dead: Sequence[str]) -> int:
    """Take over the work of dead processes; how many launches, none when that was done before.

    Whoever calls this again takes nothing twice: only what is still theirs is taken.
    """
    # The public resume has no guard against a living owner and forgets attempts; this is what DBOS itself calls at
    # start-up, for executors of its own name only.
    return len(DBOS._recover_pending_workflows(list(dead)))  # noqa: SLF001 - no public equivalent, see above


def take_over_all_but(executor: str) -> None:
    """Take over the work of everybody else."""
    if dead := sorted(owners() - {executor}):
        take_over(dead)

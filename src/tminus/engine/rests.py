"""Launches at rest: those that wait are rows of the database that nobody runs, until they are due or told something.

A launch at rest is what DBOS calls a delayed workflow, so DBOS itself would begin it when it is due, by a look each
second; the looks here are closer, and see messages too. Nothing of a launch at rest is in the memory of any process,
and nothing that its steps gave is remembered: it begins again by its record.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select, bindparam, case, column, delete, or_, select, table, update
from sqlalchemy.exc import SQLAlchemyError

from tminus.control.turns import Rested
from tminus.engine.keeper import Tidings, Trouble
from tminus.engine.patience import Patience
from tminus.store.tables import WRITE, unreachable

LOOK_SECONDS = 0.2
"""How often it is looked which launches at rest are due or told something."""
FORGOTTEN_MS = 60_000
"""How long it is remembered of a launch that was woken, and that another process may have begun, when it was due."""
AT_ONCE = 1000
"""How many launches one look wakes at most, the first due first."""


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose launches these are."""

    name: str
    """What tells our workflows from those of others in one database."""
    executor: str
    """This process, which lays only its own to rest, and wakes everybody's."""


class Rests:
    """What one process lays to rest, and what it wakes."""

    def __init__(
        self, database: Engine, whose: Whose, clock: Callable[[], float], patience: Patience
    ) -> None:
        self._database = database
        self._writer = database.execution_options(**{WRITE: True})
        self._whose = whose
        self._clock = clock
        self._patience = patience
        self._asked: dict[str, float] = {}
        self._told: dict[str, bool] = {}
        self._one_by_one = asyncio.Lock()
        self._woken: dict[str, int] = {}
        self._over = Event()
        self._laying = Lock()
        self._looks: Thread | None = None
        schema = "dbos" if database.dialect.name == "postgresql" else None
        names = (
            "workflow_uuid",
            "status",
            "executor_id",
            "owner_xid",
            "application_name",
            "recovery_attempts",
        )
        dates = ("delay_until_epoch_ms", "started_at_epoch_ms")
        self._work = table("workflow_status", *map(column, names + dates), schema=schema)
        self._mail = table("notifications", *map(column, ("destination_uuid", "consumed")), schema=schema)
        self._memory = table("operation_outputs", column("workflow_uuid"), schema=schema)

    async def rest(self, launch: str, until: float) -> None:
        """Lay a launch to rest until an instant, in seconds of the epoch: raises `Rested`.

        Returns instead where messages have come, which are taken thereby. All who ask while others are laid to rest
        are laid in one transaction: it costs more than a launch.
        """
        self._asked[launch] = until
        async with self._one_by_one:
            if launch in self._asked:
                await self._lay_all()
            if self._told.pop(launch):
                return
        raise Rested(launch)

    async def _lay_all(self) -> None:
        asked, self._asked = self._asked, {}
        tried: dict[str, str | None] = {}

        async def lay() -> dict[str, bool]:
            return await asyncio.to_thread(self._laid, asked, tried)

        try:
            self._told |= await self._patience.run("the rest of launches", lay)
        except BaseException:
            # The others try by themselves; who has ended meanwhile is not theirs to lay any more.
            self._asked = asked | self._asked
            raise

    def _laid(self, asked: Mapping[str, float], tried: dict[str, str | None]) -> dict[str, bool]:
        with self._laying:
            if self._over.is_set():
                # What a process that ends has not laid to rest is taken over from it.
                return dict.fromkeys(asked, False)
            return self._transact(lambda connection: self._lay(connection, asked, tried))

    def _lay(
        self, connection: Connection, asked: Mapping[str, float], tried: dict[str, str | None]
    ) -> dict[str, bool]:
        """By launch whether it was told something. One that is not ours any more ends as if it were laid to rest.

        `tried` are the launches that an earlier try has found, each with what tells this run of it from the next: that
        try may have taken their messages, although the answer to its commit was lost. Those of them that are not at
        rest count as told, and look at their record again.
        """
        work, mail = self._work, self._mail
        ours = select(work.c.workflow_uuid, work.c.owner_xid).where(
            work.c.workflow_uuid.in_(list(asked)),
            work.c.status == "PENDING",
            work.c.executor_id == self._whose.executor,
        )
        # Locked, so that nobody takes them over in the middle.
        rows = connection.execute(ours.with_for_update(key_share=True))
        runs = {row.workflow_uuid: row.owner_xid for row in rows}
        mine = runs.keys() - tried.keys()
        doubtful = {launch for launch, run in runs.items() if launch in tried and tried[launch] == run}
        tried.update(runs)
        heard = (
            update(mail)
            .where(mail.c.destination_uuid.in_(list(mine)), mail.c.consumed.is_(False))
            .values(consumed=True)
            .returning(mail.c.destination_uuid)
        )
        told = doubtful | (set(connection.scalars(heard)) if mine else set())
        if rests := sorted(mine - told):
            connection.execute(delete(self._memory).where(self._memory.c.workflow_uuid.in_(rests)))
            laid = update(work).where(work.c.workflow_uuid == bindparam("launch"))
            laid = laid.values(
                status="DELAYED",
                delay_until_epoch_ms=bindparam("until"),
                owner_xid=None,
                started_at_epoch_ms=None,
                recovery_attempts=0,
            )
            until = [{"launch": launch, "until": round(asked[launch] * 1000)} for launch in rests]
            connection.execute(laid, until)
        return {launch: launch in told for launch in asked}

    def watch(self, tell: Tidings) -> None:
        """Wake what is due or told something, from now on; `tell` takes what keeps it from that."""
        self._looks = Thread(target=self._keep, args=(tell,), name="tminus rests", daemon=True)
        self._looks.start()

    def due(self, launch: str) -> float | None:
        """The instant until which a launch that begins now was at rest, if this process woke it for that."""
        waited = self._woken.pop(launch, None)
        return None if waited is None or waited > self._clock() * 1000 else waited / 1000

    def stop(self) -> None:
        """Wake nothing any more, and lay nothing to rest."""
        self._over.set()
        if self._looks is not None:
            self._looks.join()
        with self._laying:
            self._database.dispose()

    def _keep(self, tell: Tidings) -> None:
        trouble = Trouble(f"the look at launches at rest of {self._whose.executor}", tell)
        while not self._over.wait(LOOK_SECONDS):
            # Without these looks only DBOS's own is left, which hears no orders.
            try:
                self.look()
            except Exception as error:  # noqa: BLE001 - told, and tried again at the next look
                trouble.met(error)
            else:
                trouble.gone()

    def look(self) -> None:
        """Have everything begin that is due or told something; who begins it is whoever is first."""
        now = round(self._clock() * 1000)
        with self._database.connect() as connection:
            rows = connection.execute(self._due(now)).all()
        # Launches that begin take theirs out meanwhile, on another thread: so it is changed in place, from a copy.
        for launch, due in list(self._woken.items()):
            if due <= now - FORGOTTEN_MS:
                self._woken.pop(launch, None)
        self._woken.update({row.workflow_uuid: row.delay_until_epoch_ms for row in rows})
        if wakes := [row.workflow_uuid for row in rows]:
            # What a message wakes has waited since now, so that nobody takes it for late.
            woken = update(self._work).where(
                self._work.c.workflow_uuid.in_(wakes), self._work.c.status == "DELAYED"
            )
            waited = self._work.c.delay_until_epoch_ms
            values = {"status": "ENQUEUED", "delay_until_epoch_ms": case((waited > now, now), else_=waited)}
            self._transact(lambda connection: connection.execute(woken.values(values)))

    def _due(self, now_ms: int) -> Select[Any]:
        work, mail = self._work.c, self._mail.c
        told = select(mail.destination_uuid).where(mail.consumed.is_(False))
        ours = work.status == "DELAYED", work.application_name == self._whose.name
        due = or_(work.delay_until_epoch_ms <= now_ms, work.workflow_uuid.in_(told))
        wanted = select(work.workflow_uuid, work.delay_until_epoch_ms).where(*ours, due)
        return wanted.order_by(work.delay_until_epoch_ms).limit(AT_ONCE)

    def _transact(self, act: Callable[[Connection], T]) -> T:
        try:
            with self._writer.begin() as connection:
                return act(connection)
        except SQLAlchemyError as error:
            raise unreachable(self._database, error) from error

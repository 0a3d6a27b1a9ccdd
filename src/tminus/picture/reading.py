"""Where the page's facts come from: a launch's folder, read and never written.

The record is read from the launch's own database by short read-only transactions, which in SQLite's WAL mode no
writer ever waits for; the trace is a file that is read on from where the last look ended.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tminus.domain.plan import Plan
from tminus.domain.record import NO_LINE, Event
from tminus.domain.trace import parse_line
from tminus.domain.traffic import Outcome, WeightChange
from tminus.errors import PlanError, RecordError, UsageError
from tminus.planfile import read as read_plan
from tminus.store.record import RecordStore
from tminus.store.tables import connect

DATABASE = "launch.db"
TRACE = "trace.jsonl"
OWN_PLAN = "plan.json"
"""The copy of its plan that a launch keeps in its folder."""


def launches(home: Path) -> list[str]:
    """The launches that are kept under this home, the latest first."""
    folder = home / "launches"
    if not folder.is_dir():
        return []
    found = [path for path in folder.iterdir() if (path / DATABASE).is_file()]
    return [path.name for path in sorted(found, key=_begun, reverse=True)]


def _begun(folder: Path) -> float:
    return (folder / DATABASE).stat().st_mtime


class Tail(ABC):
    """The record of one launch, read on from the last event that was seen."""

    def __init__(self, launch: str) -> None:
        self._launch = launch
        self.events: list[Event] = []
        self.unbroken = True
        """Whether every event so far names the digest of the one before it."""

    @abstractmethod
    async def read(self) -> bool:
        """Take what was added; whether anything was.

        Raises `PartError` when the database cannot be read, `RecordError` for an event that is none.
        """

    async def _read_on(self, address: str) -> bool:
        engine = connect(address)
        try:
            store, last = RecordStore(engine), len(self.events) - 1
            return await self._take(await store.as_they_stand(self._launch, last))
        finally:
            engine.dispose()

    async def _take(self, new: Sequence[Event]) -> bool:
        # A long record takes its time; others who watch must not wait for it.
        self.unbroken = self.unbroken and await asyncio.to_thread(_follows, self.events[-1:], new)
        self.events += new
        return bool(new)


class StoreTail(Tail):
    """The same in a database that others write and that holds more launches than this one."""

    def __init__(self, database_url: str, launch: str) -> None:
        super().__init__(launch)
        self._url = database_url

    async def read(self) -> bool:
        """See `Tail.read`."""
        return await self._read_on(self._url)


class RecordTail(Tail):
    """The same in a launch's own folder, read only when its files have changed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.name)
        self._database = folder / DATABASE
        self._looked: tuple[tuple[int, int], ...] = ()

    async def read(self) -> bool:
        """See `Tail.read`."""
        state = written(self._database)
        if state == self._looked:
            return False
        new = await self._read_on(read_only(self._database))
        self._looked = state
        return new


def written(database: Path) -> tuple[tuple[int, int], ...]:
    """What changes in the files of an SQLite database whenever something is written."""
    found = []
    for path in (database, Path(f"{database}-wal")):
        try:
            stat = path.stat()
        except FileNotFoundError:
            continue
        found.append((stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def read_only(database: Path) -> str:
    """The address by which it is only read.

    Without a journal nobody has it open, and SQLite must not leave one beside it.
    """
    journal = Path(f"{database}-wal").exists()
    return f"sqlite:///file:{quote(str(database))}?{'mode=ro' if journal else 'immutable=1'}&uri=true"


def _follows(last: Sequence[Event], new: Sequence[Event]) -> bool:
    """Whether each new event names the digest of the one before it."""
    before, seq = (last[0].digest, last[0].seq + 1) if last else (NO_LINE, 0)
    for number, event in enumerate(new, seq):
        if event.prev != before or event.seq != number:
            return False
        before = event.digest
    return True


class TraceTail:
    """The trace of one launch, read on from the last whole line; a line that is being written waits."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / TRACE
        self._offset = 0
        self._number = 0
        self.unread = 0
        """Lines that are none, and are left out."""

    def read(self) -> list[Outcome | WeightChange]:
        """The items that were added; none while there is no trace. A line that is none is counted, and left out."""
        try:
            with self._file.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        made = []
        for line in whole.splitlines():
            self._number += 1
            if not line.strip():
                continue
            try:
                made.append(parse_line(line.decode("utf-8", "replace"), self._number))
            except UsageError:
                self.unread += 1  # the page says so; the record, which decides, is read all the same
        return made


@dataclass(frozen=True, slots=True)
class Plans:
    """The plans that are at hand, to be known again by the digest that a record names."""

    files: tuple[Path, ...]
    known: tuple[Plan, ...] = field(default=(), kw_only=True)
    """Those that need no file."""

    def find(self, digest: str, folder: Path) -> Plan | None:
        """The plan with this digest; nothing when it is not at hand, for the page must not guess."""
        read = (_plan(path) for path in (folder / OWN_PLAN, *self.files))
        for plan in (*self.known, *read):
            if plan is not None and plan.digest == digest:
                return plan
        return None


def _plan(path: Path) -> Plan | None:
    try:
        return read_plan(path) if path.is_file() else None
    except PlanError:
        return None  # a plan that cannot be read is not the one that the launch was opened with


def folder_of(home: Path, launch: str) -> Path:
    """The folder of a launch; raises `UsageError` for one that is not kept here."""
    if launch not in launches(home):
        raise UsageError(f"there is no launch {launch!r} here", hint="the list of launches is at /")
    return home / "launches" / launch


def plan_digest(events: list[Event]) -> str:
    """Which plan a launch was opened with; raises `RecordError` before it has opened."""
    if not events:
        raise RecordError("the launch has not opened yet", hint="load the page again in a moment")
    plan = events[0].data["plan"]
    return str(plan["digest"]) if isinstance(plan, dict) else ""

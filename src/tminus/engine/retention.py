"""Launches that are over for long leave the store: their record is archived first, whole, signed, and in one file."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from dbos import DBOSClient, DBOSPortableJSONSerializer

from tminus.domain import retention
from tminus.domain.record import CHECKPOINT
from tminus.engine.durable import NAME
from tminus.store.record import RecordStore
from tminus.store.tables import address


@dataclass(frozen=True, slots=True)
class Overdue:
    """The launches that have been over for long enough, the longest first."""

    sealed: tuple[str, ...]
    """Those that may leave."""
    unsealed: tuple[str, ...]
    """Those whose record the server has not signed: nobody could verify its file, so they stay."""


async def overdue(store: RecordStore, *, now: float, days: float) -> Overdue:
    """What has been over for so many days at `now`, in seconds of the epoch."""
    ended = {row.id: row.ended_at for row in await store.launches()}
    sealed: dict[str, bool] = {}
    for launch in retention.due(ended, now, days):
        last = await store.last(launch)
        sealed[launch] = last is not None and last.type == CHECKPOINT
    return Overdue(
        tuple(launch for launch, is_sealed in sealed.items() if is_sealed),
        tuple(launch for launch, is_sealed in sealed.items() if not is_sealed),
    )


async def prune(store: RecordStore, database_url: str, archive: Path, launches: tuple[str, ...]) -> None:
    """Archive each of these launches as `archive/LAUNCH.jsonl`, then remove it.

    Interrupted at any moment, the next call completes it: a launch is listed until everything else of it is gone.
    """
    for launch in launches:
        await store.export(launch, archive / f"{launch}.jsonl")
        await asyncio.to_thread(_forget, database_url, launch)
        await store.forget(launch)


def _forget(database_url: str, launch: str) -> None:
    """Remove what the engine remembers of a launch, messages included; nothing when that was done."""
    client = DBOSClient(
        system_database_url=address(database_url),
        serializer=DBOSPortableJSONSerializer(),
        application_name=NAME,
    )
    try:
        client.delete_workflows([launch])
    finally:
        client.destroy()

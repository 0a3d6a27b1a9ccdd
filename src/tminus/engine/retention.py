"""Launches that are over for long leave the store: their record is archived first, whole, signed, and in one file."""

import asyncio
from pathlib import Path

from dbos import DBOSClient, DBOSPortableJSONSerializer

from tminus.domain import retention
from tminus.domain.record import CHECKPOINT
from tminus.engine.durable import NAME
from tminus.store.record import RecordStore
from tminus.store.tables import address


async def prune(
    store: RecordStore, database_url: str, archive: Path, *, now: float, days: float
) -> list[str]:
    """Archive as `archive/LAUNCH.jsonl`, then remove, what has been over for so many days; the launches removed.

    A record that the server has not signed stays, since nobody could verify its file. Interrupted at any moment, the
    next call completes it: the launch is listed until everything else of it is gone.
    """
    ended = {row.id: row.ended_at for row in await store.launches()}
    done = []
    for launch in retention.due(ended, now, days):
        if (await store.events(launch))[-1].type == CHECKPOINT:
            await store.export(launch, archive / f"{launch}.jsonl")
            await asyncio.to_thread(_forget, database_url, launch)
            await store.forget(launch)
            done.append(launch)
    return done


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

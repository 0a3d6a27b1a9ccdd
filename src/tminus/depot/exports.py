"""Exports: all documents of a user in one file, made by the worker; `POST /exports`, then `GET /exports/{id}`.

The flag `exports` switches them off for everybody or for some, without a release.
"""

import hashlib
import json
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path
from psycopg.rows import DictRow

from .clock import wall_clock
from .database import Database
from .jobs import Job, Queue
from .keystore import KeyStore
from .login import User, current_user
from .parts import Wired

router = APIRouter(dependencies=[Depends(current_user)])

KIND = "export"
FLAG = "exports"


class JobError(Exception):
    """A job that cannot be done; the message says why."""


async def needed_keystore(parts: Wired) -> KeyStore:
    """The Redis that the queue lies in; 501 where none is configured."""
    if parts.keystore is None:
        raise HTTPException(501, "off: DEPOT_REDIS_URL is not set")
    return parts.keystore


Keys = Annotated[KeyStore, Depends(needed_keystore)]


@router.post("/exports", status_code=202)
async def ask_for_export(parts: Wired, user: User, keys: Keys) -> dict[str, str]:
    """Ask for a file with all documents of the user."""
    if not await parts.flags.is_on(FLAG, user, default=True):
        raise HTTPException(403, "exports are switched off")
    return {"id": await Queue(keys.client).put(KIND, user, wall_clock()), "state": "waiting"}


@router.get("/exports/{job}")
async def see_export(
    user: User, keys: Keys, job: Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
) -> dict[str, str | int]:
    """How far an export is; when it is done, the number of its file."""
    found = await Queue(keys.client).read(job)
    if found.get("owner") != user or found.get("kind") != KIND:
        raise HTTPException(404, f"no export {job}")
    told: dict[str, str | int] = {"id": job, "state": found["state"]}
    if "file" in found:
        told["file"] = int(found["file"])
    if "why" in found:
        told["why"] = found["why"]
    return told


async def make_export(database: Database, job: Job, most_bytes: int) -> int:
    """Do the job and return the number of the file; doing it again finds the same file.

    Raises `JobError` when the documents do not fit in one file.
    """
    name = f"export-{job.id}.jsonl"
    async with database.transaction() as connection:
        # Two workers may do one job; the second waits here and then finds the file of the first.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (name,))
        query = "SELECT id FROM files WHERE owner = %s AND name = %s"
        made = await (await connection.execute(query, (job.owner, name))).fetchone()
        if made is not None:
            return int(made["id"])
        cursor = await connection.execute(
            "SELECT id, title, body, created_at FROM documents WHERE owner = %s ORDER BY id", (job.owner,)
        )
        content = _lines(await cursor.fetchall(), most_bytes)
        added = await connection.execute(
            "INSERT INTO files (name, media_type, size, sha256, content, owner)"
            " VALUES (%s, 'text/plain', %s, %s, %s, %s) RETURNING id",
            (name, len(content), hashlib.sha256(content).hexdigest(), content, job.owner),
        )
        return int((await added.fetchall())[0]["id"])


def _lines(rows: list[DictRow], most_bytes: int) -> bytes:
    content = "".join(json.dumps(row, default=str) + "\n" for row in rows).encode()
    if len(content) > most_bytes:
        raise JobError(f"the export would be larger than {most_bytes} bytes")
    return content

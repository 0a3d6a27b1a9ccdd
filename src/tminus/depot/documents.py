"""Documents: put, read, list, remove; each with its row in the ledger and its event for the partner."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, Field

from . import canaries, outbox
from .database import Row
from .login import User, current_user
from .parts import NO_NUL, Id, Wired

router = APIRouter(dependencies=[Depends(current_user)])


class NewDocument(BaseModel):
    """A title and a text; longer texts do not fit PostgreSQL's search vector."""

    title: str = Field(min_length=1, max_length=200, pattern=NO_NUL)
    body: str = Field(max_length=200_000, pattern=NO_NUL)


@router.post("/documents", status_code=201)
async def put_document(parts: Wired, user: User, new: NewDocument) -> Row:
    """Store a document."""
    async with parts.database.transaction() as connection:
        added = await connection.execute(
            "INSERT INTO documents (title, body, owner) VALUES (%s, %s, %s)"
            " RETURNING id, title, body, owner, created_at",
            (new.title, new.body, user),
        )
        (row,) = await added.fetchall()
        await connection.execute(
            "INSERT INTO document_ledger (document_id, owner, sha256) VALUES (%s, %s, %s)",
            (row["id"], user, canaries.sha256(new.title, new.body)),
        )
        if parts.settings.partner is not None:
            data = {"id": row["id"], "title": new.title, "owner": user}
            await outbox.put(connection, "document.stored", data)
    return row


@router.get("/documents")
async def list_documents(
    parts: Wired, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> dict[str, list[Row]]:
    """The newest documents, without their texts."""
    rows = await parts.database.rows(
        "SELECT id, title, owner, created_at FROM documents ORDER BY id DESC LIMIT %s", (limit,)
    )
    return {"documents": rows}


@router.get("/documents/{number}")
async def get_document(parts: Wired, number: Id) -> Row:
    """One document."""
    found = await parts.database.row(
        "SELECT id, title, body, owner, created_at FROM documents WHERE id = %s", (number,)
    )
    if found is None:
        raise HTTPException(404, f"no document {number}")
    return found


@router.delete("/documents/{number}", status_code=204)
async def remove_document(parts: Wired, number: Id) -> None:
    """Remove a document and what belongs to it."""
    async with parts.database.transaction() as connection:
        removed = await connection.execute("DELETE FROM documents WHERE id = %s RETURNING id", (number,))
        if await removed.fetchone() is None:
            raise HTTPException(404, f"no document {number}")
        await connection.execute("DELETE FROM document_ledger WHERE document_id = %s", (number,))
        if parts.settings.partner is not None:
            await outbox.put(connection, "document.removed", {"id": number})

"""Labels on documents, and the search that knows them."""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel, Field, StringConstraints

from ...database import Row
from ...login import current_user
from ...parts import Id, Wired
from ...search import Limit, Words

router = APIRouter(dependencies=[Depends(current_user)])

Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]


class Labels(BaseModel):
    """All the labels a document shall have."""

    labels: set[Label] = Field(max_length=20)


@router.put("/documents/{number}/labels")
async def set_labels(parts: Wired, number: Id, wanted: Labels) -> dict[str, list[str]]:
    """Give a document exactly these labels."""
    labels = sorted(wanted.labels)
    async with parts.database.transaction() as connection:
        locked = await connection.execute("SELECT id FROM documents WHERE id = %s FOR UPDATE", (number,))
        if await locked.fetchone() is None:
            raise _missing(number)
        await connection.execute(
            "DELETE FROM document_labels WHERE document_id = %s AND NOT label = ANY(%s)", (number, labels)
        )
        await connection.execute(
            "INSERT INTO document_labels (document_id, label) SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING",
            (number, labels),
        )
    return {"labels": labels}


@router.get("/documents/{number}/labels")
async def get_labels(parts: Wired, number: Id) -> dict[str, list[str]]:
    """The labels of a document."""
    found = await parts.database.row(
        "SELECT array(SELECT label FROM document_labels WHERE document_id = id ORDER BY label) AS labels"
        " FROM documents WHERE id = %s",
        (number,),
    )
    if found is None:
        raise _missing(number)
    return {"labels": found["labels"]}


@router.get("/search")
async def search(
    parts: Wired, q: Words, label: Annotated[Label | None, Query()] = None, limit: Limit = 20
) -> dict[str, list[Row]]:
    """The documents that match best, all or those with one label; each with its labels."""
    rows = await parts.database.rows(
        "SELECT id, title, left(body, 160) AS excerpt, ts_rank(search, query) AS rank,"
        " array(SELECT l.label FROM document_labels l WHERE l.document_id = id ORDER BY l.label) AS labels"
        " FROM documents, websearch_to_tsquery('english', %s) AS query"
        " WHERE search @@ query AND (%s::text IS NULL"
        " OR EXISTS (SELECT FROM document_labels l WHERE l.document_id = id AND l.label = %s))"
        " ORDER BY rank DESC, id LIMIT %s",
        (q, label, label, limit),
    )
    return {"results": rows}


def _missing(number: int) -> HTTPException:
    return HTTPException(404, f"no document {number}")

"""Full-text search over documents: PostgreSQL's text search over a generated column with a GIN index."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from .database import Row
from .login import current_user
from .parts import NO_NUL, Wired

router = APIRouter(dependencies=[Depends(current_user)])

Words = Annotated[str, Query(min_length=1, max_length=500, pattern=NO_NUL)]
"""As people type it: words, "phrases", or, -not."""
Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/search")
async def search(parts: Wired, q: Words, limit: Limit = 20) -> dict[str, list[Row]]:
    """The documents that match best."""
    rows = await parts.database.rows(
        "SELECT id, title, left(body, 160) AS excerpt, ts_rank(search, query) AS rank"
        " FROM documents, websearch_to_tsquery('english', %s) AS query WHERE search @@ query"
        " ORDER BY rank DESC, id LIMIT %s",
        (q, limit),
    )
    return {"results": rows}

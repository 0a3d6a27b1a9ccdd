"""Silent damage to stored rows: the fault `corrupt`.

Each stroke does one of three things to a document of the archive or to a canary, as faulty code does: it alters one
character, removes the document but not its ledger row (an orphan), or removes both (rows go missing). What users
stored is spared, so that every answer stays what it would have been. See `canaries.py` for how it can be seen.
"""

import random
from typing import Final, LiteralString

from . import canaries
from .database import Database
from .seed import OWNER as ARCHIVE

STROKES: Final[tuple[LiteralString, ...]] = (
    """UPDATE documents SET body = overlay(body placing '#' from 1 + floor(random() * length(body))::int for 1)
    WHERE id = (SELECT id FROM documents WHERE owner = %s ORDER BY random() LIMIT 1) RETURNING id""",
    """DELETE FROM documents
    WHERE id = (SELECT id FROM documents WHERE owner = %s ORDER BY random() LIMIT 1) RETURNING id""",
    """WITH gone AS (
    DELETE FROM documents
    WHERE id = (SELECT id FROM documents WHERE owner = %s ORDER BY random() LIMIT 1) RETURNING id)
    DELETE FROM document_ledger l USING gone WHERE l.document_id = gone.id RETURNING gone.id""",
)
"""Alter, orphan, lose; the order is that of the description above."""


async def damage(database: Database) -> None:
    """Damage one row, and say nothing about it to anybody."""
    stroke = random.choice(STROKES)  # noqa: S311 - dice of a rehearsal, not a secret
    owner = random.choice((ARCHIVE, canaries.OWNER))  # noqa: S311 - dice of a rehearsal, not a secret
    await database.rows(stroke, (owner,))

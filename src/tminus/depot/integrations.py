"""How the integrations stand, for whoever looks after them: `GET /integrations`.

A part that is configured and cannot be read now says `"ok": false` and gives no figures.
"""

import asyncio
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Depends

from .jobs import QueueState
from .login import current_user
from .outbox import OutboxState
from .parts import Wired

router = APIRouter(dependencies=[Depends(current_user)])


@router.get("/integrations")
async def integrations(parts: Wired) -> dict[str, dict[str, Any]]:
    """The queue of jobs, the outbox to the partner, and what came in."""
    queue, outbox = await asyncio.gather(parts.backlogs.queue(), parts.backlogs.outbox())
    came = await parts.database.row("SELECT count(*) AS messages, max(received_at) AS last FROM received")
    return {
        "queue": _told(queue, configured=parts.keystore is not None),
        "outgoing": _told(outbox, configured=parts.settings.partner is not None),
        "incoming": {"configured": parts.settings.hook_secret is not None, "ok": True, **(came or {})},
    }


def _told(state: QueueState | OutboxState | None, *, configured: bool) -> dict[str, Any]:
    found = {} if state is None else asdict(state)
    return {"configured": configured, "ok": state is not None or not configured, **found}

"""Sending the outbox's events to the partner, signed; whatever is not a 2xx is tried again later."""

import asyncio
import json
import logging

import aiohttp

from . import outbox
from .clock import wall_clock
from .database import Database
from .outbox import Event
from .settings import Partner
from .webhooks import signed_headers

logger = logging.getLogger("depot")

SEND_SECONDS = 5.0
BATCH = 20
"""Events on their way at once; their time limit together stays below the lease."""


async def deliver_due(database: Database, partner: Partner, http: aiohttp.ClientSession) -> int:
    """Try every event that is due, at most `BATCH`; returns how many were tried."""
    events = await outbox.claim(database, BATCH)
    await asyncio.gather(*(_deliver(database, partner, http, event) for event in events))
    return len(events)


async def _deliver(database: Database, partner: Partner, http: aiohttp.ClientSession, event: Event) -> None:
    why = await _send(partner, http, event)
    fields = {"id": event.content["id"], "kind": event.content["event"], "attempt": event.attempt}
    if why is None:
        await outbox.delivered(database, event)
        logger.info("event delivered", extra={"fields": fields})
    else:
        await outbox.failed(database, event, why)
        logger.warning("event not delivered", extra={"fields": {**fields, "why": why}})


async def _send(partner: Partner, http: aiohttp.ClientSession, event: Event) -> str | None:
    """What went wrong; none when the partner took it."""
    body = json.dumps(event.content, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", **signed_headers(partner.secret, wall_clock(), body)}
    try:
        # A redirect would send what is signed for the partner to somebody else.
        async with http.post(partner.url, data=body, headers=headers, allow_redirects=False) as reply:
            return None if 200 <= reply.status < 300 else f"status {reply.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"{type(error).__name__}: {error}"[:200]

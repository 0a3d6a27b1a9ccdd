"""What partners send: `POST /hooks`, signed, each message once; and `GET /hooks/{delivery}` to see that it came."""

import json
from typing import Annotated, Any

import psycopg
from fastapi import APIRouter, Depends, Header, HTTPException, Path, Request
from psycopg.types.json import Jsonb
from pydantic import BaseModel, Field

from .clock import wall_clock
from .database import Database, Row
from .login import current_user
from .parts import NO_NUL, Wired
from .webhooks import is_signed, is_timely

router = APIRouter()

BODY_BYTES = 65_536
KEEP_SECONDS = 30 * 86_400
"""Far longer than the window of timestamps, so that no recorded message outlives the memory of it."""

Delivery = Annotated[str, Path(min_length=1, max_length=100, pattern=NO_NUL)]


class Message(BaseModel):
    """The envelope of a message; the id tells repeats of one message."""

    id: str = Field(min_length=1, max_length=100, pattern=NO_NUL)
    event: str = Field(min_length=1, max_length=100, pattern=NO_NUL)
    data: dict[str, Any] = Field(default_factory=dict)


@router.post("/hooks")
async def receive(
    request: Request,
    parts: Wired,
    x_depot_timestamp: Annotated[str, Header()] = "",
    x_depot_signature: Annotated[str, Header()] = "",
) -> dict[str, str | bool]:
    """Take a partner's message: 401 unsigned or out of time, 409 played again; a repeat is taken once."""
    secret = parts.settings.hook_secret
    if secret is None:
        raise HTTPException(501, "off: DEPOT_HOOK_SECRET is not set")
    body = await _body(request)
    if not is_signed(secret, x_depot_timestamp, x_depot_signature, body):
        raise HTTPException(401, "the signature is missing or wrong")
    if not is_timely(x_depot_timestamp, wall_clock()):
        raise HTTPException(401, "the timestamp is too far from now")
    message = _message(body)
    try:
        fresh = await _keep(parts.database, message, x_depot_signature)
    except psycopg.DataError as error:
        raise HTTPException(422, "the data holds what no database can store") from error
    return {"id": message.id, "duplicate": not fresh}


@router.get("/hooks/{delivery}", dependencies=[Depends(current_user)])
async def received(parts: Wired, delivery: Delivery) -> Row:
    """A message that came."""
    found = await parts.database.row(
        "SELECT delivery AS id, event, body AS data, received_at FROM received WHERE delivery = %s",
        (delivery,),
    )
    if found is None:
        raise HTTPException(404, f"no message {delivery}")
    return found


async def forget_old(database: Database) -> int:
    """Remove messages that came more than `KEEP_SECONDS` ago; returns how many."""
    query = "DELETE FROM received WHERE received_at < now() - make_interval(secs => %s) RETURNING delivery"
    return len(await database.rows(query, (KEEP_SECONDS,)))


async def _keep(database: Database, message: Message, signature: str) -> bool:
    """Store a message and say whether it is new."""
    stored = await database.row(
        "INSERT INTO received (delivery, signature, event, body) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING RETURNING delivery",
        (message.id, signature, message.event, Jsonb(message.data)),
    )
    if stored is not None:
        return True
    query = "SELECT delivery FROM received WHERE signature = %s"
    if await database.row(query, (signature,)) is not None:
        raise HTTPException(409, "this very message came before")
    return False


async def _body(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES:
            raise HTTPException(
                413, f"messages are limited to {BODY_BYTES} bytes", headers={"Connection": "close"}
            )
    return body


def _message(body: bytes) -> Message:
    try:
        return Message.model_validate(json.loads(body))
    except (ValueError, RecursionError) as error:
        raise HTTPException(422, "the body is no JSON object with id, event and data") from error

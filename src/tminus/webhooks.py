"""depot's webhooks as a partner sees them: signed messages in its name, and the partner's own word about events.

The signature is written here from its description and not taken from depot's code: a mistake of both would stay unseen.
"""

import asyncio
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from urllib.parse import quote

from tminus.errors import InconclusiveError
from tminus.http import Answer, Http, connect

POLL_SECONDS = 0.2
"""How often the partner is asked whether an event came."""

LATE_SECONDS = 3600
"""How old a message is that must be refused; depot takes those of five minutes."""


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is needed to try webhooks both ways."""

    secret: bytes = field(repr=False)
    """What the partner signs its messages to depot with."""
    partner: str
    """Where the partner tells which events came."""
    now: Callable[[], float]
    """The time, in seconds of the epoch."""

    async def arrived(self, title: str, seconds: float) -> dict[str, Any]:
        """The partner's word about the event of a document of this title; empty when none came in this time."""
        deadline = monotonic() + seconds
        async with connect(self.partner) as http:
            while True:
                found = _events(await http.get(f"/events?title={quote(title)}"))
                taken = [event for event in found if event.get("answer") == 200]
                if taken or monotonic() >= deadline:
                    return (taken or found or [{}])[-1]
                await asyncio.sleep(POLL_SECONDS)

    def message(self) -> "Message":
        """A new message in the partner's name, which asks for nothing."""
        identity = f"tminus-{secrets.token_hex(8)}"
        body = json.dumps({"id": identity, "event": "tminus.check", "data": {}}).encode()
        return Message(self, identity, body)


@dataclass(frozen=True, slots=True)
class Message:
    """One message to depot; nothing is signed or sent yet."""

    hooks: Hooks
    id: str
    body: bytes

    def proof(self, *, forged: bool = False, late: bool = False) -> dict[str, str]:
        """The headers that prove who sends it and when: rightly and now, unless told otherwise."""
        secret = secrets.token_bytes(32) if forged else self.hooks.secret
        at = str(int(self.hooks.now()) - (LATE_SECONDS if late else 0))
        signature = hmac.digest(secret, at.encode() + b"." + self.body, "sha256").hex()
        return {"X-Depot-Timestamp": at, "X-Depot-Signature": f"v1={signature}"}

    async def send(self, http: Http, proof: Mapping[str, str]) -> Answer:
        """Send it with this proof; the answer, whatever it is."""
        headers = {"Content-Type": "application/json", **proof}
        return await http.ask("POST", "/hooks", headers=headers, data=self.body)


def _events(reply: Answer) -> list[dict[str, Any]]:
    body = reply.json() if reply.status == 200 else None
    found = body.get("events") if isinstance(body, dict) else None
    if not isinstance(found, list) or not all(isinstance(event, dict) for event in found):
        raise InconclusiveError(
            f"the partner does not tell which events came ({reply.status})",
            hint="see what stands at the partner's address",
        )
    return found

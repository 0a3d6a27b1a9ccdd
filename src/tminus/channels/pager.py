"""A pager by PagerDuty's Events API v2: an incident is opened under a name of its own, and resolved under the same.

Who is on call, and how they are woken, is that system's business: the plan knows the integration alone.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from tminus.domain.message import Message
from tminus.errors import UndeliveredError, UnreachableError
from tminus.http import connect

SECONDS = 15.0
"""For an event to be taken."""
_LONGEST_SUMMARY = 1024
_MOST_BYTES = 4096
"""Of an answer."""
_HINT = "write https://ROUTING_KEY@events.pagerduty.com/v2/enqueue behind the plan's reference"
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Pager:
    """See `Notifier`. A message's address is a reference; `resolve` gives what stands behind it, with the key."""

    resolve: Callable[[str], str] = field(repr=False)

    async def send(self, message: Message) -> str:
        """See `Notifier.send`."""
        base, path, key = _parts(self.resolve(message.address).strip(), message.address)
        headers = {"Content-Type": "application/json"}
        body = json.dumps(_event(message, key)).encode()
        try:
            async with (
                connect(base, seconds=SECONDS) as http,
                http.arriving("POST", path, headers=headers, data=body) as answer,
            ):
                data = b""
                async for piece in answer.pieces:
                    data = (data + piece)[:_MOST_BYTES]
                return _judged(answer.status, data, message)
        except UnreachableError as error:
            late = isinstance(error.__cause__, TimeoutError)
            why = f"no answer within {SECONDS:g} s" if late else str(error)
            raise UndeliveredError(
                f"pager ({message.address}): {why}", hint="is the pager up, and may this machine reach it?"
            ) from None  # the cause's text may hold the key


def _event(message: Message, key: str) -> dict[str, object]:
    incident = message.incident or message.key
    event: dict[str, object] = {
        "routing_key": key,
        "event_action": "resolve" if message.resolves else "trigger",
        "dedup_key": incident,
    }
    if not message.resolves:
        event["payload"] = {
            "summary": message.subject[:_LONGEST_SUMMARY],
            "source": "tminus",
            "severity": "critical",
            "custom_details": {"text": message.text, "message": message.key},
        }
    return event


def _judged(status: int, data: bytes, message: Message) -> str:
    """The receipt of an answer that says that the event was taken; else raises `UndeliveredError`."""
    told = f"pager ({message.address}) answered {status}"
    if status == 202:
        try:
            answer = json.loads(data)
        except ValueError:
            answer = None
        if isinstance(answer, dict) and answer.get("status") == "success":
            what = "resolves" if message.resolves else "opens"
            return f"{status}: {what} incident {str(answer.get('dedup_key', ''))[:40]}"
        raise UndeliveredError(f"{told}, but not that it took the event", hint=_HINT, after=None)
    if status == 429 or status >= 500:
        raise UndeliveredError(told, hint="nothing; it is tried again")
    raise UndeliveredError(told, hint=_HINT, after=None)


def _parts(address: str, reference: str) -> tuple[str, str, str]:
    """Host, path and routing key; raises `UndeliveredError` for what is none, or would be read on the way."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    safe = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    if not (safe and host and parts.username):
        raise UndeliveredError(f"{reference} holds no address of a pager", hint=_HINT, after=None)
    place = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{place}{f':{port}' if port else ''}", parts.path or "/", unquote(parts.username)

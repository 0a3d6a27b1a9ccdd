"""Chat by an incoming webhook: `{"text": …}` posted to a secret address, as Slack and those who copy it take it."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from urllib.parse import urlsplit

from tminus.control.ports import Clock
from tminus.domain.message import Message
from tminus.errors import UndeliveredError, UnreachableError
from tminus.http import Arriving, connect, is_address

SECONDS = 15.0
"""For a message to be taken."""
_MOST_BYTES = 4096
"""Of an answer; Slack's is `ok`."""
_LONGEST_TEXT = 12_000
"""Characters of a message; Slack cuts at 40,000 and shows less."""
_HINT = "is this the address of an incoming webhook? See the reference in the plan"


@dataclass(frozen=True, slots=True)
class Slack:
    """See `Notifier`. A message's address is a reference, which `resolve` leads to the webhook."""

    resolve: Callable[[str], str] = field(repr=False)
    clock: Clock

    async def send(self, message: Message) -> str:
        """See `Notifier.send`."""
        hook = self.resolve(message.address).strip()
        base, path = _parts(hook, message.address)
        body = json.dumps({"text": _text(message)}).encode()
        # Slack knows no name of a message; who stands before it may.
        headers = {"Content-Type": "application/json", "Idempotency-Key": message.key}
        try:
            async with (
                connect(base, seconds=SECONDS) as http,
                http.arriving("POST", path, headers=headers, data=body) as answer,
            ):
                return self._judged(answer, await _read(answer), message.address)
        except UnreachableError as error:
            why = _why(error.__cause__)
            raise UndeliveredError(
                f"chat ({message.address}): {why}", hint="is the chat up, and may this machine reach it?"
            ) from None  # the cause's text holds the webhook

    def _judged(self, answer: Arriving, said: str, reference: str) -> str:
        """The receipt of an answer that says that the message was taken; else raises `UndeliveredError`."""
        status = answer.status
        if status == 200 and _taken(said):
            return f"{status} {said}"
        known = "" if not said.isascii() or len(said) > 60 or "<" in said else f" {said}"
        told = f"chat ({reference}) answered {status}{known}"
        if status == 429 or status >= 500:
            raise UndeliveredError(told, hint="nothing; it is tried again", after=self._retry_after(answer))
        if 300 <= status < 400:
            raise UndeliveredError(f"{told}: a redirect, which is not followed", hint=_HINT, after=None)
        if status == 200:
            raise UndeliveredError(f"{told}, but not that it took the message", hint=_HINT, after=None)
        raise UndeliveredError(told, hint=_HINT, after=None)

    def _retry_after(self, answer: Arriving) -> float:
        """How many seconds the system wants to be left alone; 0 where it says nothing that can be read."""
        text = answer.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit() and len(text) < 9:
            return float(text)
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return 0.0
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return max(0.0, (at - datetime.fromtimestamp(self.clock.now(), UTC)).total_seconds())


def _parts(hook: str, reference: str) -> tuple[str, str]:
    """The webhook's host and its path; raises `UndeliveredError` for what is none, or would be read on the way."""
    parts = urlsplit(hook) if is_address(hook) else None
    if parts is None or (parts.scheme != "https" and not _here(parts.hostname or "")):
        raise UndeliveredError(
            f"{reference} holds no https address", hint="put the address of an incoming webhook there"
        )
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}", f"{parts.path or '/'}{query}"


def _here(host: str) -> bool:
    """Whether this is the machine's own address, where nobody listens in."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _read(answer: Arriving) -> str:
    data = b""
    async for piece in answer.pieces:
        data += piece
        if len(data) > _MOST_BYTES:
            break
    return " ".join(data[:_MOST_BYTES].decode("utf-8", "replace").split())


def _taken(said: str) -> bool:
    """Whether the answer says so: Slack's `ok`, or JSON of those who copy it."""
    if said == "ok":
        return True
    try:
        read = json.loads(said)
    except ValueError:
        return False
    return isinstance(read, dict) and (read.get("ok") is True or read.get("success") is True)


def _why(cause: BaseException | None) -> str:
    """Why there was no answer, without the address: its path is the secret."""
    if isinstance(cause, TimeoutError):
        return f"no answer within {SECONDS:g} s"
    system = getattr(cause, "os_error", None)
    if isinstance(system, OSError) and system.errno:
        return os.strerror(system.errno)
    return f"no answer that can be read ({type(cause).__name__})"


def _text(message: Message) -> str:
    whole = f"*{_plain(message.subject)}*\n{_plain(message.text)}"
    return whole if len(whole) <= _LONGEST_TEXT else f"{whole[: _LONGEST_TEXT - 1]}…"


def _plain(text: str) -> str:
    """Text in which nothing calls the whole channel or becomes a link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

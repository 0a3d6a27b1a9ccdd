"""The address of an aggregator that is asked over HTTP, taken apart; and its answers, without what opens it."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

from tminus.credentials import forms, without
from tminus.errors import DeniedError, InconclusiveError, UnreachableError
from tminus.http import BUSY, Answer, bare, busy

_QUOTED = 160
"""Characters of an answer that are repeated at most."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where it is, and what opens it."""

    base: str
    """Scheme, host and port."""
    path: str
    """What follows; without a slash at its end."""
    headers: Mapping[str, str] = field(repr=False)
    secrets: frozenset[str] = field(repr=False)
    """What opens it, in every form in which an answer could repeat it."""

    @classmethod
    def of(cls, address: str, word: str) -> "Place":
        """The place at an address; `word` is what its tokens are sent with.

        Raises `InconclusiveError` for an address without a host.
        """
        try:
            parts = urlsplit(address)
            host, _ = parts.hostname, parts.port
        except ValueError:
            parts, host = urlsplit(""), None
        if not host:
            raise InconclusiveError(
                "the address of the logs names no host", hint="write it as SYSTEM+https://USER:PASSWORD@HOST"
            )
        login, _, netloc = parts.netloc.rpartition("@")
        user, _, password = login.partition(":")
        user, password = unquote(user), unquote(password)
        basic = b64encode(f"{user}:{password}".encode()).decode()
        shown = f"Basic {basic}" if user else f"{word} {password}" if password else ""
        return cls(
            urlunsplit((parts.scheme, netloc, "", "", "")),
            parts.path.rstrip("/"),
            {"Authorization": shown} if shown else {},
            forms(address=address, headers={"Authorization": shown}),
        )

    def read(self, reply: Answer, what: str) -> Any:
        """The JSON of a good answer.

        Raises `DeniedError` where what opens it does not, `UnreachableError` where it cannot answer now, and
        `InconclusiveError` for any other answer.
        """
        where, said = bare(self.base + self.path), self.told(reply)
        if reply.status in {401, 403}:
            raise DeniedError(
                f"{where} does not let us read logs ({reply.status}{said})",
                hint="renew what the plan's address refers to; it may need a `tenant`",
            )
        if reply.status == BUSY:
            raise busy(where, reply.headers)
        if reply.status >= 500:
            raise UnreachableError(
                f"{where} cannot answer now ({reply.status}{said})", hint="see whether it is overloaded"
            )
        if reply.status != 200:
            raise InconclusiveError(
                f"{where} does not understand what is asked about {what} ({reply.status}{said})",
                hint="compare `labels` and `instance` with what it holds",
            )
        return reply.json()

    def told(self, reply: Answer) -> str:
        """The beginning of an answer in words, without anything that opens it."""
        text = without(" ".join(reply.body.decode(errors="replace").split()), self.secrets)
        return f": {text[:_QUOTED]}" if text else ""

"""One repository of an OCI registry, as it is asked: addresses, redirects, refusals, patience.

Nothing that a registry says of itself is believed: its `Docker-Content-Digest` least of all. What counts are the bytes
that arrive and the digest that is computed of them. Source: OCI Distribution Specification 1.1.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Self
from urllib.parse import urljoin, urlsplit

from tminus.errors import DeniedError, InconclusiveError, PlanError, ReleaseError, UnreachableError
from tminus.http import Arriving, bare, connect, is_address
from tminus.oci.layout import INDEX_TYPE, MANIFEST_TYPE, MAX_JSON_BYTES

MANIFEST_TYPES: Final = (
    f"{MANIFEST_TYPE}, {INDEX_TYPE}, application/vnd.docker.distribution.manifest.v2+json,"
    " application/vnd.docker.distribution.manifest.list.v2+json"
)
"""Said with every question for a manifest: without it a registry answers 404 for an image that is there."""

SECONDS: Final = 20.0
"""The time limit of one short answer."""
BLOB_SECONDS: Final = 900.0
"""The time limit of one blob, either way."""
IDLE_SECONDS: Final = 20.0
"""How long a transfer may stand still."""
MOST_REDIRECTS: Final = 3
MOST_TRIES: Final = 3
"""How often a registry that asks for patience is asked in all."""
LONGEST_WAIT: Final = 10.0
"""How many seconds of patience a registry gets at a time."""

_NAME: Final = re.compile(r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*")
_DIGITS: Final = 15
"""Of the largest size that is read: a petabyte, less a byte."""
_BUSY: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_MOVED: Final = frozenset({301, 302, 303, 307, 308})

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Repository:
    """Where the images of one service are kept."""

    registry: str = field(repr=False)
    """The registry's address, `http://host:port`; it may hold a login."""
    name: str
    elsewhere: frozenset[str] = frozenset()
    """Hosts, with their ports, from which the registry may have its blobs fetched; none unless a person planned it."""
    pause: Pause = asyncio.sleep

    @classmethod
    def at(cls, address: str) -> Self:
        """The repository of an address like `https://registry.example.org/team/service`; raises `PlanError`."""
        wrong = PlanError(
            f"{bare(address)} names no repository of a registry",
            hint="write http:// or https://, the registry's host, and the repository's name as the path",
        )
        if not is_address(address):
            raise wrong
        parts = urlsplit(address)
        name = parts.path.strip("/")
        if not _NAME.fullmatch(name) or parts.query or parts.fragment:
            raise wrong
        return cls(f"{parts.scheme}://{parts.netloc}", name)

    @property
    def shown(self) -> str:
        """Its address as it may be shown: without login."""
        return f"{bare(self.registry)}/{self.name}"

    def blob(self, digest: str) -> str:
        """The path of a blob."""
        return f"/v2/{self.name}/blobs/{digest}"

    def manifest(self, reference: str) -> str:
        """The path of a manifest, by digest or by tag."""
        return f"/v2/{self.name}/manifests/{reference}"

    def uploads(self) -> str:
        """The path at which an upload begins."""
        return f"/v2/{self.name}/blobs/uploads/"

    @asynccontextmanager
    async def asked(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
        seconds: float | None = None,
    ) -> AsyncIterator[Arriving]:
        """The answer to one question, after redirects that were planned for and the patience it asked for.

        Raises `DeniedError` when it wants a login, `UnreachableError` when it cannot answer now, and `ReleaseError` for
        a redirect that leads to a host that nobody planned. Every other answer is the caller's to judge.
        """
        base, redirects, tries = self.registry, 0, 1
        while True:
            async with (
                connect(base, seconds=SECONDS if seconds is None else seconds, idle=IDLE_SECONDS) as http,
                http.arriving(method, path, headers=headers, data=data) as reply,
            ):
                # What was sent with a question is sent to the registry alone.
                if reply.status in _MOVED and data is None:
                    redirects += 1
                    base, path = self._onward(base + path, reply, redirects)
                    continue
                wait = _asked_patience(reply)
                if wait is None or tries == MOST_TRIES or data is not None:
                    self._must_answer(method, path, reply)
                    yield reply
                    return
            tries += 1
            await self.pause(wait)

    async def text(self, path: str, most: int = MAX_JSON_BYTES) -> tuple[Arriving, bytes]:
        """A document with its answer; raises `ReleaseError` when it is longer than `most` bytes."""
        async with self.asked("GET", path, headers={"Accept": MANIFEST_TYPES}) as reply:
            return reply, await read(reply, most, self.shown)

    async def size(self, digest: str) -> int | None:
        """How many bytes a blob has as the registry says; nothing when it has no such blob."""
        async with self.asked("HEAD", self.blob(digest), headers={"Accept-Encoding": "identity"}) as reply:
            if reply.status == HTTPStatus.NOT_FOUND:
                return None
            length = reply.headers.get("Content-Length", "")
            if reply.status != HTTPStatus.OK or not length.isdecimal() or len(length) > _DIGITS:
                raise InconclusiveError(
                    f"{self.shown} answers {reply.status} for the blob {digest} and tells no size",
                    hint="is this address a registry's? a proxy before it may answer in its place",
                )
            return int(length)

    def unexpected(self, act: str, reply: Arriving) -> InconclusiveError:
        """The error for an answer that this act does not have."""
        return InconclusiveError(
            f"{self.shown} answers {reply.status} when {act}", hint="see the registry's log at this moment"
        )

    def onward(self, path: str, reply: Arriving) -> str:
        """The path at which an upload goes on; raises `ReleaseError` when that is another host's."""
        base, following = self._onward(self.registry + path, reply, 1)
        if base != self.registry:
            raise self._elsewhere(base)
        return following

    def _onward(self, url: str, reply: Arriving, redirects: int) -> tuple[str, str]:
        """The host and path to which an answer leads."""
        try:
            target = urlsplit(urljoin(url, reply.headers.get("Location", "")))
        except ValueError as error:
            raise self._elsewhere("") from error
        host = target.netloc.rpartition("@")[2]
        base = f"{target.scheme}://{host}"
        if base == bare(self.registry):
            base = self.registry
        elif host not in self.elsewhere or target.scheme not in {"http", "https"}:
            raise self._elsewhere(base)
        if redirects > MOST_REDIRECTS:
            raise ReleaseError(
                f"{self.shown} redirects more than {MOST_REDIRECTS} times",
                hint="see how the registry is set up; nothing was fetched from where it led",
            )
        return base, target.path + (f"?{target.query}" if target.query else "")

    def _elsewhere(self, base: str) -> ReleaseError:
        return ReleaseError(
            f"{self.shown} redirects to {bare(base)}, which nobody planned",
            hint="if that host is the registry's own store, name it as one; else find out who answers here",
        )

    def _must_answer(self, method: str, path: str, reply: Arriving) -> None:
        what = f"{self.shown}: {method} {path.partition('?')[0]}"
        if reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise DeniedError(
                f"{what} is denied ({reply.status})", hint="give the address a login that may do this"
            )
        if reply.status in _BUSY:
            later = reply.headers.get("Retry-After", "")
            raise UnreachableError(
                f"{what} is put off ({reply.status}{f', Retry-After: {later}' if later else ''})",
                hint="the registry is busy or limits its callers; try again later",
            )
        if reply.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UnreachableError(f"{what} fails ({reply.status})", hint="see the registry's log")


async def read(reply: Arriving, most: int, whose: str) -> bytes:
    """A body of at most so many bytes; raises `ReleaseError` for a longer one, without reading on."""
    body = b""
    async for piece in reply.pieces:
        body += piece
        if len(body) > most:
            raise ReleaseError(
                f"{whose} answers more than the {most} bytes that a document may have",
                hint="nothing of it was kept; is this address a registry's?",
            )
    return body


def _asked_patience(reply: Arriving) -> float | None:
    """The seconds that a busy registry asks to be left alone; nothing when it does not, or asks for too many."""
    later = reply.headers.get("Retry-After", "")
    if reply.status not in _BUSY or not later.isdecimal() or float(later) > LONGEST_WAIT:
        return None
    return float(later)

"""Vault as it is asked over HTTP, OpenBao too: whether it is well, what stands at a path, and never what it says.

An address reads `https://:TOKEN@vault.example:8200`, behind a reference; `?namespace=NAME` names a namespace of Vault
Enterprise. The token goes to that host alone: a redirect is told and not followed. Values are not read: what is known
of a secret are its versions (`metadata`) and the names of its keys (`subkeys`), and nothing is asked for that Vault
makes on being asked, such as credentials of a database.

Source: Vault HTTP API, `sys/health`, `sys/internal/ui/mounts`, `sys/leases/lookup`, KV version 2.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit, urlunsplit

from tminus.credentials import forms, without
from tminus.errors import DeniedError, InconclusiveError, UnreachableError
from tminus.gotime import instant
from tminus.http import BUSY, Arriving, Http, bare, busy, connect

SECONDS = 10.0
"""The time limit of one call."""
LONGEST = 150.0
"""Seconds that a snapshot may take: a probe's own limit is little more."""
MAX_BYTES = 4 * 1024 * 1024
ACTIVE, STANDBY, RECOVERY, PERFORMANCE, UNINITIALISED, SEALED = 200, 429, 472, 473, 501, 503
ALONE, REMOVED = 474, 530
"""What `sys/health` answers with."""
_LONGEST_REFUSAL = 16 * 1024
_QUOTED = 200
"""Characters of a refusal that are repeated at most."""
_NO_RAFT = ("raft storage is not in use", "unsupported path")
"""What Vault and OpenBao say to who wants a snapshot of another storage."""
_WELL = {ACTIVE, STANDBY, PERFORMANCE}
_STATES = {
    RECOVERY: "is a secondary for disaster recovery and answers nobody",
    UNINITIALISED: "is not initialised",
    SEALED: "is sealed",
    ALONE: "is a standby that does not reach its active node",
    REMOVED: "was removed from its cluster",
}


@dataclass(frozen=True, slots=True)
class Health:
    """How Vault says that it is."""

    status: int
    version: str
    cluster: str

    @property
    def problem(self) -> str:
        """Why nobody gets a secret from it; empty where it gives them."""
        return "" if self.status in _WELL else f"Vault {_STATES[self.status]}"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a secret, without what it says."""

    number: int
    created: float
    deleted: float | None
    """When it is or was deleted; nothing for never."""
    destroyed: bool


@dataclass(frozen=True, slots=True)
class Metadata:
    """A secret of KV version 2, without what it says."""

    current: int
    """The number of its newest version; 0 where it has none."""
    versions: Mapping[int, Version]


@dataclass(frozen=True, slots=True)
class Engine:
    """What answers below a path."""

    mount: str
    """Where it is mounted, without a slash at its end."""
    kind: str
    """`kv`, `database`, …"""
    version: str
    """Of `kv`: `1` or `2`; empty for others."""


@dataclass(frozen=True, slots=True)
class Lease:
    """How long what Vault gave out still counts."""

    seconds: float
    renewable: bool


@dataclass(frozen=True, slots=True)
class Automatic:
    """What Vault Enterprise says of a snapshot that it takes by itself."""

    end: float | None
    """When the last one was done."""
    error: str
    """Why the last one failed; empty where it did not."""


@dataclass(frozen=True, slots=True)
class _Door:
    """An address taken apart."""

    base: str
    token: str = field(repr=False)
    namespace: str

    @classmethod
    def of(cls, address: str) -> "_Door":
        parts = urlsplit(address)
        host = parts.netloc.rpartition("@")[2]
        base = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
        named = parse_qs(parts.query).get("namespace", [""])[-1]
        return cls(base, unquote(parts.password or parts.username or ""), named)


class Vault:
    """One Vault, over one session."""

    def __init__(self, http: Http, door: _Door) -> None:
        self._http = http
        self._door = door
        self.where = bare(door.base)
        """Its address as it may be shown."""

    async def health(self) -> Health:
        """How it is; raises `UnreachableError` for an answer that Vault does not give."""
        status, answer = await self._asked("GET", "sys/health", "", health=True)
        if status not in _WELL and status not in _STATES:
            raise UnreachableError(
                f"{self.where} answers {status} when it is asked how it is",
                hint="is this the address of Vault? a proxy before it may answer in its place",
            )
        if status == ACTIVE and "sealed" not in answer:
            raise InconclusiveError(
                f"{self.where} answers {status} when it is asked how it is, but not as Vault does",
                hint="is this the address of Vault? another server may answer there",
            )
        return Health(status, str(answer.get("version") or ""), str(answer.get("cluster_name") or ""))

    async def engine(self, path: str, namespace: str | None = None) -> Engine | None:
        """What answers below a path; nothing where nothing is mounted, or the token may see nothing of it."""
        try:
            status, answer = await self._asked("GET", f"sys/internal/ui/mounts/{_path(path)}", namespace)
        except DeniedError:
            # Vault says so of a path where nothing is mounted, too.
            return None
        found = answer.get("data")
        if status != 200 or not isinstance(found, dict):
            return None
        options = found.get("options")
        version = str(options.get("version", "1")) if isinstance(options, dict) else "1"
        kind = str(found.get("type") or "")
        return Engine(str(found.get("path") or "").strip("/"), kind, version if kind == "kv" else "")

    async def metadata(self, mount: str, path: str, namespace: str | None = None) -> Metadata | None:
        """The versions of a secret; nothing where there is none at this path."""
        status, answer = await self._asked("GET", f"{_path(mount)}/metadata/{_path(path)}", namespace)
        if status == 404:
            return None
        found = answer.get("data")
        if not isinstance(found, dict) or not isinstance(found.get("versions"), dict):
            raise InconclusiveError(
                f"{self.where} tells no versions of {mount}/{path}", hint="is it a KV engine of version 2?"
            )
        try:
            versions = {int(number): _version(int(number), one) for number, one in found["versions"].items()}
            return Metadata(int(found.get("current_version") or 0), versions)
        except (ValueError, TypeError) as error:
            raise InconclusiveError(
                f"{self.where} tells versions of {mount}/{path} that are no numbers", hint="is it Vault?"
            ) from error

    async def subkeys(
        self, mount: str, path: str, version: int, namespace: str | None = None
    ) -> frozenset[str]:
        """The names of a version's keys; raises `InconclusiveError` where this Vault does not tell them."""
        asked = f"{_path(mount)}/subkeys/{_path(path)}?version={version}&depth=1"
        status, answer = await self._asked("GET", asked, namespace)
        data = answer.get("data")
        found = data.get("subkeys") if isinstance(data, dict) else None
        if status != 200 or not isinstance(found, dict):
            raise InconclusiveError(
                f"{self.where} does not tell the names of the keys of {mount}/{path} ({status})",
                hint="they are told by Vault 1.10 and newer, and by every OpenBao",
            )
        return frozenset(map(str, found))

    async def lease(self, identity: str, namespace: str | None = None) -> Lease | None:
        """How long a lease still runs; nothing where there is none of this identity any more."""
        status, answer = await self._asked("POST", "sys/leases/lookup", namespace, {"lease_id": identity})
        found = answer.get("data")
        if status in {400, 404}:
            return None
        if not isinstance(found, dict):
            raise InconclusiveError(f"{self.where} tells nothing of a lease", hint="see its audit log")
        ttl = found.get("ttl")
        return Lease(float(ttl) if isinstance(ttl, int | float) else 0.0, bool(found.get("renewable")))

    async def automatic(self, name: str) -> Automatic:
        """How an automatic snapshot went; raises `InconclusiveError` where there is none of this name."""
        path = f"sys/storage/raft/snapshot-auto/status/{_path(name)}"
        # Vault answers this in its root alone, wherever the plan's secrets are.
        status, answer = await self._asked("GET", path, "")
        found = answer.get("data")
        if status != 200 or not isinstance(found, dict) or "last_snapshot_end" not in found:
            raise InconclusiveError(
                f"{self.where} knows no automatic snapshot {name} ({status})",
                hint="correct its name; only Vault Enterprise takes them",
            )
        error = str(found.get("last_snapshot_error") or "")
        return Automatic(instant(found.get("last_snapshot_end")), "" if error == "<nil>" else error)

    async def snapshot(self) -> AsyncIterator[bytes]:
        """A snapshot of the raft storage, piece by piece, as it is taken.

        Raises `InconclusiveError` where this Vault stores otherwise, and `UnreachableError` when it breaks off.
        """
        path = "sys/storage/raft/snapshot"
        headers = {"X-Vault-Request": "true", "X-Vault-Token": self._door.token}
        async with self._http.arriving("GET", f"/v1/{path}", headers=headers) as reply:
            if reply.status != 200:
                said = without(await _said(reply), forms(headers=headers))[:_QUOTED]
                if any(one in said for one in _NO_RAFT):
                    raise InconclusiveError(
                        f"{self.where} gives no snapshot ({reply.status}): it does not store by raft",
                        hint="back its storage up by the storage's own means, and have a person attest the line",
                    )
                self._must_answer(path, reply, said)
                raise InconclusiveError(
                    f"{self.where} gives no snapshot ({reply.status}): {said or 'it does not say why'}",
                    hint="see its log",
                )
            async for piece in reply.pieces:
                yield piece

    async def _asked(
        self,
        method: str,
        path: str,
        namespace: str | None,
        body: Mapping[str, str] | None = None,
        *,
        health: bool = False,
    ) -> tuple[int, Mapping[str, Any]]:
        """One answer; raises `DeniedError` and `UnreachableError` for those that are none, but of `health`."""
        named = self._door.namespace if namespace is None else namespace
        headers = {
            "X-Vault-Request": "true",
            **({"X-Vault-Token": self._door.token} if self._door.token and not health else {}),
            **({"X-Vault-Namespace": named} if named and not health else {}),
            **({"Content-Type": "application/json"} if body else {}),
        }
        data = json.dumps(body) if body else None
        async with self._http.arriving(method, f"/v1/{path}", headers=headers, data=data) as reply:
            text = b""
            async for piece in reply.pieces:
                text += piece
                if len(text) > MAX_BYTES:
                    raise UnreachableError(f"{self.where} answers without end", hint="is it Vault?")
        if not health:
            self._must_answer(path.partition("?")[0], reply)
        return reply.status, _mapping(text)

    def _must_answer(self, path: str, reply: Arriving, said: str = "") -> None:
        """Raise for an answer that is none; `said` is what it says itself."""
        status = reply.status
        if status == BUSY and reply.headers.get("Retry-After"):
            raise busy(self.where, reply.headers)  # a limit on rates; a standby says 429 without it
        if status == 403:
            raise DeniedError(
                f"{self.where} refuses us {path}",
                hint="give the token a policy that reads it, see docs/how-to/kubernetes.md; or renew the token",
            )
        if 300 <= status < 400:
            raise UnreachableError(
                f"{self.where} sends us elsewhere for {path} ({status})",
                hint="name the address of the active node: a token is shown to no other host",
            )
        if status in {STANDBY, RECOVERY, PERFORMANCE} or status >= 500:
            raise UnreachableError(
                f"{self.where} answers {status} for {path}{f': {said}' if said else ''}",
                hint="see how it is, and its log",
            )


async def _said(reply: Arriving) -> str:
    """What a refusal says, the beginning of it."""
    text = b""
    async for piece in reply.pieces:
        text += piece
        if len(text) > _LONGEST_REFUSAL:
            break
    errors = _mapping(text[:_LONGEST_REFUSAL]).get("errors")
    told = errors if isinstance(errors, list) else []
    return " ".join(" ".join(map(str, told)).split())


def _version(number: int, about: Any) -> Version:
    told = about if isinstance(about, dict) else {}
    created = instant(told.get("created_time")) or 0.0
    return Version(number, created, instant(told.get("deletion_time")), told.get("destroyed") is True)


def _mapping(text: bytes) -> Mapping[str, Any]:
    """An answer's JSON; an empty one for what is none, since some refusals have no body."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def is_path(text: str) -> bool:
    """Whether this can be a path in Vault: no part of it empty, and none that leads elsewhere."""
    return bool(text) and all(part not in {"", ".", ".."} for part in text.strip("/").split("/"))


def _path(text: str) -> str:
    """A path as it is asked for; raises `InconclusiveError` for one that could lead elsewhere."""
    if not is_path(text):
        raise InconclusiveError(f"{text[:80]!r} is no path in Vault", hint="correct it where it is named")
    return quote(text.strip("/"), safe="/")


@asynccontextmanager
async def asking(address: str, *, long: bool = False) -> AsyncIterator[Vault]:
    """A Vault at an address; the token in it is used and never shown.

    Each call ends within `SECONDS`; a `long` one within `LONGEST`, and when nothing has come for `SECONDS`.
    """
    door = _Door.of(address)
    async with connect(
        door.base, seconds=LONGEST if long else SECONDS, idle=SECONDS if long else None
    ) as http:
        yield Vault(http, door)

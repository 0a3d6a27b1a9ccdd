"""Calls to the Kubernetes API through the official client: each with a time limit, each refusal in words.

Objects are JSON as the API sends it. The client brings credentials, TLS and the request; its models are not used,
since server-side apply is about exactly the fields that one names.
"""

from __future__ import annotations

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import aiohttp

from tminus.credentials import forms, without
from tminus.errors import DeniedError, RolloutError, TminusError, UnreachableError
from tminus.http import BUSY, bare, busy, led_to

if TYPE_CHECKING:
    from kubernetes.aio.client import ApiClient, Configuration

    from .access import Access

Object = dict[str, Any]
"""An object of the API, as JSON."""

MANAGER = "tminus"
"""Our name as a field manager."""

SECONDS = 10.0
"""The time limit of one call."""
MAX_BYTES = 64 * 1024 * 1024
"""The longest answer that is read: a list of thousands of the largest objects that etcd keeps."""
RENEW_SECONDS = 30.0
"""How old credentials must be to be read anew when they are refused: new ones that are refused stay so."""
_APPLY = {"Content-Type": "application/apply-patch+yaml"}
_METADATA = {"Accept": "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"}
"""Asks for an object without its data (API concepts, "Fetching specific fields": metadata alone)."""
_POLICY = re.compile(r"admission webhook|ValidatingAdmissionPolicy")
_HELD = re.compile(r'conflict with "([^"]+)"')


class ChangedError(RolloutError):
    """The object has been changed since it was read; to be read again."""


class InvalidError(RolloutError):
    """The object is not one that the API takes, whoever writes it and whenever."""


class HeldError(RolloutError):
    """Another field manager holds what we want to write, and wants it otherwise."""

    def __init__(self, what: str, holders: dict[str, list[str]]) -> None:
        told = "; ".join(f"{', '.join(paths)} belongs to {who}" for who, paths in holders.items())
        super().__init__(
            f"{what} was not changed: {told}",
            hint="tell that manager to leave the field, or hand it to tminus, and try again; a plan that says "
            "`take: true` lets tminus take it",
        )
        self.holders = holders


class Api:
    """One cluster's API; `close` ends its connections."""

    def __init__(self, access: Access, *, seconds: float | None = None) -> None:
        self._access = access
        self._seconds = SECONDS if seconds is None else seconds
        self._client: ApiClient | None = None
        self._where = ""
        """Its address, once it was called."""
        self._secrets: frozenset[str] = frozenset()
        """What it is shown, in every form in which a refusal could repeat it."""
        self._read_at = 0.0
        """When the credentials were read, on the loop's clock."""
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """End the connections; a later call makes new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()  # type: ignore[no-untyped-call] # the client is partly typed

    async def get(self, path: str) -> Object | None:
        """One object; nothing where there is none."""
        status, answer = await self._call("GET", path)
        if status == 404:
            return None
        return self._read("GET", path, status, answer)

    async def must_get(self, path: str, what: str) -> Object:
        """The same; raises `RolloutError` where there is none."""
        found = await self.get(path)
        if found is None:
            raise RolloutError(f"the cluster has no {what}", hint="see the names in the plan's target")
        return found

    async def metadata(self, path: str) -> Object | None:
        """An object's metadata, of its annotations the names alone; nothing where there is no such object.

        Of a Secret nothing else is asked for, and whatever else arrives is dropped here: also what `kubectl apply`
        keeps in an annotation, which is the whole object.
        """
        status, answer = await self._call("GET", path, headers=_METADATA)
        if status == 404 and _is_status(answer):
            return None
        told = self._read("GET", path, status, answer).get("metadata")
        about: Object = told if isinstance(told, dict) else {}
        return {**about, "annotations": dict.fromkeys(about.get("annotations") or {}, "")}

    async def items(self, path: str, labels: dict[str, str] | None = None) -> list[Object]:
        """The objects of a kind, by their labels."""
        query = urlencode(
            {"labelSelector": ",".join(f"{key}={value}" for key, value in (labels or {}).items())}
        )
        status, answer = await self._call("GET", f"{path}?{query}" if labels else path)
        return self._items(path, status, answer)

    async def listed(self, path: str) -> list[Object] | None:
        """The objects of a kind; nothing where the cluster does not know the kind."""
        status, answer = await self._call("GET", path)
        if status == 404:
            return None
        return self._items(path, status, answer)

    async def apply(self, path: str, wish: Object, *, dry: bool = False, force: bool = False) -> Object:
        """Server-side apply as `tminus`: what is wished and nothing else; the object afterwards.

        Raises `HeldError` for fields of others, unless `force`, and `ChangedError` when the wish names a resource
        version that is not the newest.
        """
        query = {"fieldManager": MANAGER, "force": str(force).lower(), **({"dryRun": "All"} if dry else {})}
        status, answer = await self._call("PATCH", f"{path}?{urlencode(query)}", wish, headers=_APPLY)
        return self._read("PATCH", path, status, answer)

    async def create(self, path: str, name: str, wish: Object) -> Object:
        """A new object, or the one that has its name already."""
        query = urlencode({"fieldManager": MANAGER})
        status, answer = await self._call("POST", f"{path}?{query}", wish)
        if status == 409 and (there := await self.get(f"{path}/{name}")) is not None:
            return there
        return self._read("POST", path, status, answer)

    async def text(self, path: str) -> str:
        """An answer that is no object: a log."""
        status, answer = await self._call("GET", path)
        if status != 200:
            self._read("GET", path, status, answer)
        return answer

    async def _call(
        self, method: str, path: str, body: Object | None = None, *, headers: Mapping[str, str] | None = None
    ) -> tuple[int, str]:
        """One call; where the API server does not know us any more, once more with credentials that are read anew.

        Those of a kubeconfig's program last for minutes, and a launch for days.
        """
        client = await self._connected()
        status, answer = await self._sent(client, method, path, body, headers or {})
        if status == 401 and await self._renewed(client):
            status, answer = await self._sent(await self._connected(), method, path, body, headers or {})
        return status, answer

    async def _renewed(self, client: ApiClient) -> bool:
        """Have the next call read the credentials anew; not again and again where that does not help."""
        now = asyncio.get_running_loop().time()
        async with self._opening:
            if self._client is client and now - self._read_at >= RENEW_SECONDS:
                self._client = None
                await client.close()  # type: ignore[no-untyped-call] # the client is partly typed
            return self._client is not client

    async def _sent(
        self, client: ApiClient, method: str, path: str, body: Object | None, headers: Mapping[str, str]
    ) -> tuple[int, str]:
        told = {"Accept": "application/json", **headers}
        try:
            async with asyncio.timeout(self._seconds):
                request = await client.param_serialize(
                    method, path, header_params=told, body=body, auth_settings=["BearerToken"]
                )
                self._secrets |= _shown(client.configuration)  # the client reads a token anew by itself
                response = await client.call_api(*request, _request_timeout=self._seconds)
                answer = await _whole(response.response, f"{method} {_bare(path)}")
                if response.status == BUSY:
                    raise busy(f"the Kubernetes API at {self._where}", response.headers)
                text = answer.decode(errors="replace")
                return response.status, without(text, self._secrets) if response.status >= 400 else text
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            why = without(str(error), self._secrets) or f"no answer in {self._seconds:g} s"
            if to := led_to(error, self._where):
                why = f"it leads on to {to}, as to a person's login page"
            raise UnreachableError(
                f"the Kubernetes API at {self._where} does not answer {method} {_bare(path)}: {why}",
                hint="see whether the API server is up and this machine reaches it; it is safe to try again",
            ) from error

    async def _connected(self) -> ApiClient:
        async with self._opening:
            if self._client is None:
                configuration = await self._access.configuration()
                from kubernetes.aio.client import ApiClient  # noqa: PLC0415 - slow, see `Access`

                self._client = ApiClient(configuration)
                self._where = bare(str(configuration.host))
                self._read_at = asyncio.get_running_loop().time()
            return self._client

    def _items(self, path: str, status: int, answer: str) -> list[Object]:
        """The objects of a list; raises what the API refused, and for what is no list of objects."""
        found = self._read("GET", path, status, answer).get("items")
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise _strange(f"GET {_bare(path)} was answered without a list of objects")
        return found

    def _read(self, method: str, path: str, status: int, answer: str) -> Object:
        """The object of an answer; raises what the API refused, in words."""
        try:
            body = json.loads(answer)
        except ValueError as error:
            raise _strange(f"{method} {_bare(path)} was answered by {status} and no JSON") from error
        if 200 <= status < 300:
            if not isinstance(body, dict):
                raise _strange(f"{method} {_bare(path)} was answered by {status} and no object")
            return body
        raise _refusal(f"{method} {_bare(path)}", status, body, self._where)


async def _whole(reply: aiohttp.ClientResponse, what: str) -> bytes:
    """An answer's body; raises `UnreachableError` for one that is too long."""
    body = bytearray()
    # A connection whose answer was not read to its end serves for nothing else, and is closed.
    async with reply:
        async for piece in reply.content.iter_any():
            body += piece
            if len(body) > MAX_BYTES:
                raise UnreachableError(
                    f"{what} was answered by more than {MAX_BYTES // 1024 // 1024} MiB",
                    hint="name a namespace with less in it; is it the Kubernetes API?",
                )
    return bytes(body)


def _is_status(answer: str) -> bool:
    """Whether a refusal is the API server's own; any other server answers 404 to every path that it does not know."""
    try:
        told = json.loads(answer)
    except ValueError:
        return False
    return isinstance(told, dict) and told.get("kind") == "Status"


def _strange(what: str) -> UnreachableError:
    return UnreachableError(what, hint="is a proxy between this machine and the API server?")


def _shown(configuration: Configuration) -> frozenset[str]:
    """What a cluster is shown with every call: a token with its scheme, a name and a password, and a proxy's login."""
    keys = [str(one) for one in (configuration.api_key or {}).values()]
    prefix = configuration.api_key_prefix or {}
    keys += [f"{prefix[name]} {key}" for name, key in (configuration.api_key or {}).items() if name in prefix]
    user, password = configuration.username, configuration.password
    basic = b64encode(f"{user or ''}:{password or ''}".encode()).decode()
    keys += [f"Basic {basic}"] if user or password else []
    found = frozenset[str]().union(*(forms(headers={"Authorization": key}) for key in keys))
    proxy = forms(address=str(configuration.proxy or ""), headers=configuration.proxy_headers or {})
    return found | proxy | forms(address=str(configuration.host))


def _bare(path: str) -> str:
    return path.partition("?")[0]


def _refusal(what: str, status: int, body: Any, where: str) -> TminusError:
    told = body if isinstance(body, dict) else {}
    message = str(told.get("message") or status)
    details = told.get("details")
    causes = (details.get("causes") or []) if isinstance(details, dict) else []
    held = [one for one in causes if one.get("reason") == "FieldManagerConflict"]
    if held:
        return HeldError(_thing(what), _holders(held))
    if status == 409:
        return ChangedError(f"{what}: {message}", hint="somebody changes it at the same time; see who")
    if status == 401:
        return DeniedError(
            f"{what}: the API server does not know us ({status}): {message}", hint="renew the credentials"
        )
    if status == 403:
        own = "compare our Role with docs/how-to/kubernetes.md"
        policy = "an admission policy of the cluster refuses it, whatever our Role allows; see that policy"
        return DeniedError(f"{what}: {message} ({status})", hint=policy if _POLICY.search(message) else own)
    if status in {408, 429} or status >= 500:
        return UnreachableError(
            f"{what} at {where}: {status}, {message}",
            hint="see what the API server lacks; it is safe to try again",
        )
    kind = InvalidError if status == 422 else RolloutError
    return kind(f"{what}: {status}, {message}", hint="see what the cluster refuses")


def _thing(what: str) -> str:
    return "/".join(what.split("/")[-2:])


def _holders(held: list[Object]) -> dict[str, list[str]]:
    holders: dict[str, list[str]] = {}
    for one in held:
        found = _HELD.search(str(one.get("message")))
        holders.setdefault(found[1] if found else "another manager", []).append(str(one.get("field")))
    return holders

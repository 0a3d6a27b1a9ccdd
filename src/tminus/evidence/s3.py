"""Evidence in S3-compatible storage: one object for each, named by its SHA-256 below a prefix.

Endpoint, region and credentials are those of every S3 program: `AWS_ENDPOINT_URL_S3`, `AWS_DEFAULT_REGION`,
`AWS_ACCESS_KEY_ID` and the other ways that botocore knows. What the server and the library say in their own words is
never repeated: it may hold an address with a login, or a key.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiobotocore.config import AioConfig  # type: ignore[import-untyped] # it has no types of its own
from aiobotocore.session import get_session  # type: ignore[import-untyped] # the same
from botocore import exceptions as boto  # type: ignore[import-untyped] # the same
from botocore.parsers import ResponseParserError  # type: ignore[import-untyped] # the same

from tminus.errors import EvidenceError, UsageError
from tminus.evidence.contents import MOST, compared, name_of, named
from tminus.http import bare

_NAME = re.compile(
    r"s3://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{1,254})(?P<prefix>(?:/[A-Za-z0-9!_*'()=-][A-Za-z0-9!_.*'()=-]*)*)/?"
)
_CODE = re.compile(r"[A-Za-z0-9.]{1,60}")
_CHUNK = 64 * 1024

_CREDENTIALS = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where they are for a time"
)
_STRANGE = ("our credentials are not known there, or no longer", _CREDENTIALS)
_DENIED = ("access is refused", "these credentials need s3:GetObject, s3:PutObject and s3:ListBucket there")
_ELSEWHERE = (
    "the bucket is in another region, or behind another endpoint",
    "set AWS_DEFAULT_REGION and AWS_ENDPOINT_URL_S3 to those of the bucket",
)
_BUSY = ("the server is overloaded", "try again later")
_FULL = ("the server has no room", "make room there")
_FOREIGN = (
    "what answers does not speak S3",
    "see what stands at this address; AWS_ENDPOINT_URL_S3 names the endpoint",
)
_SILENT_HINT = "see whether the storage is well and reached from here; try again"
_UNREACHED_HINT = "is the storage listening there? AWS_ENDPOINT_URL_S3 names the endpoint"
_BY_CODE: Mapping[str, tuple[str, str]] = {
    "NoSuchBucket": ("there is no such bucket", "create it, or name another with TMINUS_EVIDENCE"),
    "InvalidBucketName": ("the bucket cannot have this name", "name another with TMINUS_EVIDENCE"),
    "InvalidAccessKeyId": _STRANGE,
    "SignatureDoesNotMatch": _STRANGE,
    "InvalidToken": _STRANGE,
    "ExpiredToken": _STRANGE,
    "RequestTimeTooSkewed": ("its clock differs from ours by too much", "set the clock of this machine"),
    "PermanentRedirect": _ELSEWHERE,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "QuotaExceeded": _FULL,
    "XMinioStorageFull": _FULL,
}
"""By the error code of S3: what people are told, and what they can do."""
_BY_STATUS: Mapping[int, tuple[str, str]] = {
    301: _ELSEWHERE,
    307: _ELSEWHERE,
    401: _STRANGE,
    403: _DENIED,
    404: _FOREIGN,
    405: _FOREIGN,
    429: _BUSY,
    503: _BUSY,
    507: _FULL,
}
"""The same by the status, for codes that are not known."""
_NO_CREDENTIALS = (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError)
_UNREACHED = (boto.EndpointConnectionError, boto.ProxyConnectionError, boto.SSLError)
_BROKEN_OFF = (boto.IncompleteReadError, boto.ConnectionClosedError, boto.ResponseStreamingError)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the storage is waited for, in seconds, and how often it is asked."""

    connect: float = 5.0
    idle: float = 10.0
    """How long nothing may come while an answer is awaited or read."""
    whole: float = 60.0
    """For keeping or reading one file, all tries together."""
    tries: int = 3
    """How often a call is made at the most; only what may succeed later is tried again."""


LIMITS = Limits()


class S3Evidence:
    """See `EvidenceStore`. The server compares what arrives with the signed digest of what was sent."""

    def __init__(self, bucket: str, prefix: str, limits: Limits = LIMITS) -> None:
        self.where = "/".join(filter(None, ("s3:/", bucket, prefix)))
        self._bucket = bucket
        self._prefix = prefix
        self._limits = limits
        self._session = get_session()
        self._config = AioConfig(
            connect_timeout=limits.connect,
            read_timeout=limits.idle,
            retries={"mode": "standard", "total_max_attempts": limits.tries},
            # Buckets as names of hosts need a name server that knows them, and most of what is like S3 has none.
            s3={"addressing_style": "path", "payload_signing_enabled": True},
            signature_version="s3v4",
            # Checksums in trailers are newer than most of what is like S3; the signed digest says the same.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )

    @classmethod
    def named(cls, name: str) -> "S3Evidence":
        """The place `s3://BUCKET/PREFIX`; raises `UsageError` for a name that is none, and does not repeat it."""
        found = _NAME.fullmatch(name)
        if found is None:
            raise UsageError(
                "evidence cannot be kept there: that is no bucket with a prefix",
                hint="write s3://BUCKET/PREFIX, without a login; credentials stand in the environment",
            )
        return cls(found["bucket"], found["prefix"].strip("/"))

    async def put(self, content: bytes) -> str:
        """See `EvidenceStore.put`."""
        digest = named(content)
        about = {"Bucket": self._bucket, "Key": self._key(digest), "ContentType": "application/octet-stream"}
        async with self._client() as client:
            answer = await client.put_object(Body=content, **about)
            if not answer.get("ETag"):
                raise self._trouble(client, *_FOREIGN)
        return digest

    async def get(self, digest: str) -> bytes | None:
        """See `EvidenceStore.get`."""
        key = self._key(digest)
        async with self._client() as client:
            body = await self._body(client, key)
            if body is None:
                return None
            content = await _read(body)
        return compared(digest, content, f"{self.where}/{digest}")

    async def has(self, digest: str) -> bool:
        """See `EvidenceStore.has`; a HEAD would not tell a missing bucket from a missing object."""
        key = self._key(digest)
        async with self._client() as client:
            body = await self._body(client, key)
            if body is not None:
                body.close()
        return body is not None

    def _key(self, digest: str) -> str:
        return "/".join(filter(None, (self._prefix, name_of(digest))))

    async def _body(self, client: Any, key: str) -> Any:
        """What comes under a key, still to be read; nothing where nothing is."""
        try:
            return (await client.get_object(Bucket=self._bucket, Key=key))["Body"]
        except client.exceptions.NoSuchKey:
            return None

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[Any]:
        """A client for one act; within it every failure is an `EvidenceError`, and all of it has one time limit."""
        client: Any = None
        try:
            async with asyncio.timeout(self._limits.whole), AsyncExitStack() as stack:
                client = await self._entered(stack)
                self._check_endpoint(client)
                yield client
        except boto.ClientError as error:
            raise self._trouble(client, *_answered(error)) from error
        except (boto.BotoCoreError, ResponseParserError, aiohttp.ClientError) as error:
            raise self._trouble(client, *_failed(error)) from error
        except RecursionError as error:
            # botocore asks a bucket that is elsewhere for its region, and a redirect of that question for it again.
            raise self._trouble(client, *_ELSEWHERE) from error
        except TimeoutError as error:
            words = f"no answer within {self._limits.whole:g} s"
            raise self._trouble(client, words, _SILENT_HINT) from error

    async def _entered(self, stack: AsyncExitStack) -> Any:
        made = self._session.create_client("s3", config=self._config)
        try:
            return await stack.enter_async_context(made)
        except ValueError as error:
            raise UsageError(
                "the endpoint of the storage is no address",
                hint="write AWS_ENDPOINT_URL_S3 as https://HOST:PORT",
            ) from error

    @staticmethod
    def _check_endpoint(client: Any) -> None:
        parts = urlsplit(client.meta.endpoint_url)
        if parts.username or parts.password:
            raise UsageError("the address of the endpoint holds a login", hint=_CREDENTIALS)

    def _trouble(self, client: Any, words: str, hint: str) -> EvidenceError:
        at = f" at {bare(client.meta.endpoint_url)}" if client is not None else ""
        return EvidenceError(f"{self.where}{at}: {words}", hint=hint)


async def _read(body: Any) -> bytes:
    """What comes, up to one byte more than evidence may have; a stranger's object has no end of its own."""
    content = bytearray()
    async with body:
        while len(content) <= MOST and (piece := await body.read(_CHUNK)):
            content += piece
    return bytes(content[: MOST + 1])


def _answered(error: boto.ClientError) -> tuple[str, str]:
    """What the server's refusal means, and what to do."""
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    code = str(error.response.get("Error", {}).get("Code", ""))
    told = f" ({status} {code})" if _CODE.fullmatch(code) and code != str(status) else f" ({status})"
    if known := _BY_CODE.get(code) or _BY_STATUS.get(status):
        return f"{known[0]}{told}", known[1]
    if status >= 500:
        return f"the server failed{told}", "see the log of the storage; try again"
    return f"the server refused{told}", "see what the storage's manual says of this code"


def _failed(error: Exception) -> tuple[str, str]:
    """What it means that no answer came, or none that can be read, and what to do."""
    if isinstance(error, _NO_CREDENTIALS):
        return "there are no credentials for it", _CREDENTIALS
    if isinstance(error, boto.ConnectTimeoutError | boto.ReadTimeoutError):
        return "it is silent", _SILENT_HINT
    if isinstance(error, _UNREACHED):
        return "it cannot be reached", _UNREACHED_HINT
    if isinstance(error, (*_BROKEN_OFF, aiohttp.ClientError)):
        return "the connection broke off", _SILENT_HINT
    if isinstance(error, (ResponseParserError, boto.HTTPClientError)):
        return _FOREIGN
    return f"it cannot be asked ({type(error).__name__})", "see the settings of AWS on this machine"

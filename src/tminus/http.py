"""One HTTP client for every system: time limits, and errors that say where.

Built on aiohttp. Its silent retry of idempotent requests on a dropped connection is met in `alongside` alone, where it
is wanted: each other session serves one probe and closes.
"""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from tminus.credentials import forms, without
from tminus.errors import DeniedError, InconclusiveError, UnreachableError

SECONDS = 10.0
"""The time limit of one call unless the caller names another."""
BUSY = 429
"""The status of a server that takes no more requests of us for now."""
_REFUSED = 400
"""The status from which an answer is a refusal."""

MAX_BYTES = 64 * 1024 * 1024
"""The longest answer that is read."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read whole."""

    status: int
    body: bytes
    """Where it is a refusal: without anything of ours that opens the system, which some servers repeat."""
    headers: Mapping[str, str]
    """By name, whatever the case of its letters; what came more than once is joined by commas."""
    ms: float
    shown: bool = False
    """Whether the request held a login."""
    led: str = ""
    """The address at another host that it was led on to, and that answered; empty for none."""

    def json(self) -> Any:
        """The body as JSON; raises `InconclusiveError` when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            if self.led:
                raise leads_on("the address", self.led) from error
            raise InconclusiveError(
                f"the answer ({self.status}, {len(self.body)} bytes) is no JSON",
                hint="see what stands at this address; a proxy's error page is a frequent cause",
            ) from error


@dataclass(frozen=True, slots=True)
class Arriving:
    """One HTTP answer whose body is read piece by piece, or not at all."""

    status: int
    headers: Mapping[str, str]
    """By name, whatever the case of its letters."""
    pieces: AsyncIterator[bytes]
    """The body; raises `UnreachableError` when it breaks off or comes too slowly."""


class Http:
    """Calls to one address, over one session."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        address, shown = _login(base)
        self._base = address.rstrip("/")
        self._headers = {"Authorization": shown} if shown else {}
        self._secrets = forms(address=base, headers=self._headers)

    async def ask(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        json_body: Any = None,
        data: Any = None,
        redirects: bool = True,
    ) -> Answer:
        """One request and its whole answer, whatever its status; raises `UnreachableError` when there is none.

        Without `redirects` one is an answer like any other: to follow it makes a GET of a POST.
        """
        url = self._base + path
        secrets = self._secrets | forms(headers=headers)
        began = monotonic()
        with self._telling(method, url, secrets):
            async with self._session.request(
                method,
                url,
                headers={**self._headers, **(headers or {})},
                json=json_body,
                data=data,
                allow_redirects=redirects,
            ) as reply:
                body = await reply.content.read(MAX_BYTES + 1)
                while not reply.content.at_eof() and len(body) <= MAX_BYTES:
                    body += await reply.content.read(MAX_BYTES)
                if reply.status >= _REFUSED:
                    text = body.decode(errors="surrogateescape")
                    body = without(text, secrets).encode(errors="surrogateescape")
                ms = (monotonic() - began) * 1000
                asked = reply.history[0].url if reply.history else reply.url
                led = "" if reply.url.origin() == asked.origin() else bare(str(reply.url))
                return Answer(reply.status, body, _joined(reply.headers), ms, bool(secrets), led)

    @asynccontextmanager
    async def arriving(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, data: Any = None
    ) -> AsyncIterator[Arriving]:
        """One request and its answer as it arrives; a redirect is an answer like any other and is not followed.

        Raises `UnreachableError` when there is no answer.
        """
        url = self._base + path
        secrets = self._secrets | forms(headers=headers)
        with self._telling(method, url, secrets):
            reply = await self._session.request(
                method, url, headers={**self._headers, **(headers or {})}, data=data, allow_redirects=False
            )
        # Closed with the answer, so that nobody reads on from a connection that is somebody else's by then.
        async with reply, aclosing(self._pieces(method, url, reply, secrets)) as pieces:
            yield Arriving(reply.status, reply.headers, pieces)

    async def _pieces(
        self, method: str, url: str, reply: aiohttp.ClientResponse, secrets: frozenset[str]
    ) -> AsyncGenerator[bytes, None]:
        with self._telling(method, url, secrets):
            async for piece in reply.content.iter_any():
                yield piece

    @contextmanager
    def _telling(self, method: str, url: str, secrets: frozenset[str]) -> Iterator[None]:
        """Within it, no answer is `UnreachableError`."""
        try:
            yield
        except (aiohttp.ClientError, TimeoutError, asyncio.IncompleteReadError) as error:
            if to := led_to(error, self._base):
                raise leads_on(bare(self._base), to) from error
            # An InvalidURL's text is the address as it was given, its login included.
            given = isinstance(error, aiohttp.InvalidURL) or not str(error)
            what = type(error).__name__ if given else without(str(error), secrets)
            raise UnreachableError(
                f"{method} {bare(url)}: {what}", hint=f"is something listening at {bare(self._base)}?"
            ) from error

    async def get(self, path: str, *, token: str = "") -> Answer:
        """A GET, with a bearer token where one is given."""
        return await self.ask("GET", path, headers={"Authorization": f"Bearer {token}"} if token else None)


def _login(address: str) -> tuple[str, str]:
    """An address without its login, and how that is shown: `:TOKEN@` as Bearer, a name and a password as Basic.

    aiohttp would write the latter in Latin-1, in which not every password can be.
    """
    parts = _parts(address) if "@" in address else None
    if parts is None or not (parts.username or parts.password):
        return address, ""
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    shown = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}" if user else f"Bearer {password}"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2])), shown


def _joined(headers: Mapping[str, str]) -> Mapping[str, str]:
    found: CIMultiDict[str] = CIMultiDict()
    for name, value in headers.items():
        found[name.lower()] = f"{found[name.lower()]}, {value}" if name.lower() in found else value
    return found


def must_serve(reply: Answer, where: str) -> None:
    """Raise for an answer that says nothing of what was asked: our login is refused, or it cannot serve us now.

    Raises `DeniedError` for 401 and 403; `UnreachableError` for 429, and for what says that a server is not ready.
    """
    if reply.status in {401, 403}:
        act = "renew the login in" if reply.shown else "write the login into"
        raise DeniedError(
            f"{where} refuses us ({reply.status})",
            hint=f"{act} the variable or file that the plan's address refers to",
        )
    if reply.status == BUSY:
        raise busy(where, reply.headers)
    if reply.status in {502, 503, 504}:
        raise UnreachableError(
            f"{where} answers {reply.status}", hint="wait until it is ready, or see what it waits for"
        )


def led_to(error: BaseException, base: str) -> str:
    """The other host that a redirect of this address led to, and that nobody reached; empty for none."""
    # Of a proxy that is not there nobody was led to.
    if not isinstance(error, aiohttp.ClientConnectorError) or isinstance(
        error, aiohttp.ClientProxyConnectionError
    ):
        return ""
    asked = URL(base)  # in the form in which aiohttp asks for a name
    same = (error.host, error.port) == (asked.raw_host, asked.port)
    return "" if same else f"{error.host}:{error.port}"


def leads_on(where: str, to: str) -> InconclusiveError:
    """What it means that an address sends us to another host: it is a login page, or it has moved."""
    return InconclusiveError(
        f"{where} leads on to {to}, and not to an answer",
        hint="let the address be the one that answers by itself, past the login page of a person",
    )


def busy(where: str, headers: Mapping[str, str]) -> UnreachableError:
    """What a 429 means, with the time that the server asks for."""
    later = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return UnreachableError(
        f"{where} takes no more requests of us now ({BUSY}{f', Retry-After: {later[:40]}' if later else ''})",
        hint="look again when it says; or let it allow tminus more",
    )


@contextmanager
def expecting(where: str, what: str) -> Iterator[None]:
    """Within it, an answer of another shape than was expected is `InconclusiveError`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        lacking = f"it holds no {error}" if isinstance(error, KeyError) else "a part of it is of another kind"
        raise InconclusiveError(
            f"{where} answers {what} in a way that it never would: {lacking}",
            hint="see what stands at this address; another server may answer there",
        ) from error


def is_address(text: str) -> bool:
    """Whether this is an http or https address with a host."""
    return _parts(text) is not None


def _parts(text: str) -> SplitResult | None:
    """What an http or https address with a host is made of."""
    try:
        parts = urlsplit(text)
        right = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if right else None


def bare(url: str) -> str:
    """An address as it may be shown, without login and query; `the address` for what is none."""
    parts = _parts(url)
    if parts is None:
        return "the address"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@asynccontextmanager
async def connect(
    base: str, *, seconds: float | None = None, idle: float | None = None, local: str = ""
) -> AsyncIterator[Http]:
    """A client for one address; every call on it ends within `seconds`, or after `idle` seconds of silence.

    Without `seconds` the limit is `SECONDS`. `local` is the address of this machine that it asks from; the system
    chooses where it is empty.
    """
    timeout = aiohttp.ClientTimeout(total=SECONDS if seconds is None else seconds, sock_read=idle)
    way = aiohttp.TCPConnector(local_addr=(local, 0)) if local else None
    async with aiohttp.ClientSession(timeout=timeout, auto_decompress=True, connector=way) as session:
        yield Http(session, base)


@dataclass(slots=True)
class _Common:
    """One session that several checks have in common, and how many of them use it now."""

    session: aiohttp.ClientSession
    users: int = 0


_COMMON: dict[asyncio.AbstractEventLoop, _Common] = {}


@asynccontextmanager
async def alongside(base: str) -> AsyncIterator[Http]:
    """The same for a single GET, by connections that whoever asks at this very moment has in common.

    A thousand checks of a few hosts then need no thousand connections. With the last of those that ask at the same
    time they are closed, so that a check by itself makes a new one, as a user does. Each call ends within `SECONDS`.
    """
    loop = asyncio.get_running_loop()
    common = _COMMON.get(loop)
    if common is None:
        common = _COMMON[loop] = _Common(
            aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=SECONDS),
                connector=aiohttp.TCPConnector(limit=0),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        )
    common.users += 1
    try:
        yield Http(common.session, base)
    finally:
        common.users -= 1
        if not common.users:
            del _COMMON[loop]
            await common.session.close()

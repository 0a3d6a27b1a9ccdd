"""Rate limits: so many requests of one client in a window, counted in Redis for all depots together.

A client is, in this order: a key named in `DEPOT_RATE_LIMITS` and sent as `X-Client-Key`, the user of a valid
token, or the address. A key that is not named counts for nothing, so that nobody gets a fresh allowance by making
one up. A window begins with a client's first request. Where Redis does not answer, requests pass unlimited and are
counted in `depot_rate_limit_skipped_total`: a limit is no reason to refuse everybody.
"""

import time
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .clock import wall_clock
from .credentials import read_token
from .limits import Limit, Limits
from .operations import is_operation
from .telemetry import Metrics

PAUSE_SECONDS = 1.0
"""After a failure Redis is not asked for so long: a frozen one must not cost every request its time limit."""

_COUNT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}
"""
"""One step in Redis: a process that dies between the two commands would leave a count that never ends."""


@dataclass(frozen=True)
class Standing:
    """Where a client stands in its window; `reset` is in whole seconds from now."""

    limit: Limit
    count: int
    reset: int

    @property
    def exceeded(self) -> bool:
        """Whether this request is one too many."""
        return self.count > self.limit.requests

    def headers(self) -> dict[str, str]:
        """What the client is told."""
        told = {
            "RateLimit-Limit": str(self.limit.requests),
            "RateLimit-Remaining": str(max(0, self.limit.requests - self.count)),
            "RateLimit-Reset": str(self.reset),
            "RateLimit-Policy": f"{self.limit.requests};w={self.limit.seconds}",
        }
        return {**told, "Retry-After": str(self.reset)} if self.exceeded else told


@dataclass(frozen=True)
class Ruler:
    """What the middleware needs to judge a request."""

    limits: Limits
    client: Redis
    token_secret: bytes
    metrics: Metrics


class RateLimit:
    """ASGI middleware that counts each request of a user, and refuses those over the limit."""

    def __init__(self, app: ASGIApp, ruler: Ruler | None) -> None:
        self._app = app
        self._ruler = ruler
        self._pause_until = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it with 429."""
        standing = await self._standing(scope)
        if standing is None:
            await self._app(scope, receive, send)
            return
        headers = standing.headers()
        if standing.exceeded:
            await JSONResponse({"detail": "too many requests"}, 429, headers)(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, send_marked)

    async def _standing(self, scope: Scope) -> Standing | None:
        """Where the client stands with this request; none for a request that is not limited."""
        ruler = self._ruler
        if ruler is None or scope["type"] != "http" or is_operation(scope["path"]):
            return None
        name, limit = _client(scope, ruler)
        if limit is None:
            return None
        if time.monotonic() < self._pause_until:
            ruler.metrics.limit_skipped.inc()
            return None
        try:
            count, left = await ruler.client.eval(_COUNT, 1, f"depot:rate:{name}", str(limit.seconds * 1000))
        except RedisError:
            self._pause_until = time.monotonic() + PAUSE_SECONDS
            ruler.metrics.limit_skipped.inc()
            return None
        return Standing(limit, int(count), max(1, -(-int(left) // 1000)))


def _client(scope: Scope, ruler: Ruler) -> tuple[str, Limit | None]:
    headers = Headers(scope=scope)
    key = headers.get("x-client-key", "")
    if key in ruler.limits.keys:
        return f"key:{key}", ruler.limits.keys[key]
    scheme, _, token = headers.get("authorization", "").partition(" ")
    user = read_token(token.strip(), wall_clock(), ruler.token_secret) if scheme.lower() == "bearer" else None
    if user is not None:
        return f"user:{user}", ruler.limits.everyone
    return f"address:{_address(scope, headers)}", ruler.limits.everyone


def _address(scope: Scope, headers: Headers) -> str:
    """The address that the proxy saw: the last one, since a client can send others before it."""
    forwarded = headers.getlist("x-forwarded-for")
    if forwarded:
        return forwarded[-1].rpartition(",")[2].strip()
    client = scope.get("client")
    return str(client[0]) if client else "unknown"

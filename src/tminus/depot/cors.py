"""Which pages of other origins may use depot from a browser: an allow list, and nothing for anybody else.

Written here because a forbidden origin gets no header at all, every answer varies by origin (a shared cache must
not give one origin's answer to another), and operations are for no page. Credentials are never allowed: users bring
a bearer token and no cookie.
"""

import re
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .operations import is_operation

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE")
ALLOWED_HEADERS = ("Authorization", "Content-Type", "X-Client-Key", "X-Request-Id")
EXPOSED_HEADERS = (
    "RateLimit-Limit",
    "RateLimit-Policy",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "Retry-After",
    "X-Content-SHA256",
    "X-Request-Id",
)
MAX_AGE_SECONDS = 600

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")


def is_origin(text: str) -> bool:
    """Whether a text is one exact origin as browsers write it; `*` and `null` are none."""
    return _ORIGIN.fullmatch(text) is not None


class Cors:
    """ASGI middleware that answers preflights and marks the answers to allowed origins."""

    def __init__(self, app: ASGIApp, origins: Sequence[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, and mark its answer for its origin."""
        if not self._origins or scope["type"] != "http" or is_operation(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        allowed = origin if origin in self._origins else None
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _preflight(allowed)(scope, receive, send)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                marked = MutableHeaders(scope=message)
                marked.add_vary_header("Origin")
                if allowed is not None:
                    marked["Access-Control-Allow-Origin"] = allowed
                    marked["Access-Control-Expose-Headers"] = ", ".join(EXPOSED_HEADERS)
            await send(message)

        await self._app(scope, receive, send_marked)


def _preflight(allowed: str | None) -> Response:
    vary = {"Vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"}
    if allowed is None:
        return Response(status_code=403, headers=vary)
    return Response(
        status_code=204,
        headers={
            **vary,
            "Access-Control-Allow-Origin": allowed,
            "Access-Control-Allow-Methods": ", ".join(METHODS),
            "Access-Control-Allow-Headers": ", ".join(ALLOWED_HEADERS),
            "Access-Control-Max-Age": str(MAX_AGE_SECONDS),
        },
    )

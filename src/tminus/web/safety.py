"""What every answer of the page carries, and who is answered at all.

The page has no login yet, so it listens on this machine only. A name that points at this machine from outside
(DNS rebinding) would let a foreign page read it through the viewer's browser: the Host must be one of ours. Nor may a
foreign page use up its streams: what another site's page asks for is refused, a link that a person follows is not.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
"""The names under which the page may be asked for."""
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing but our own files, nothing inline, nothing evaluated."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
}


def name_of(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host[: host.find("]") + 1]
    return host.partition(":")[0].lower()


class Safety:
    """Refuses foreign names, and puts the policy on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the ASGI specification."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                if "cache-control" not in headers:
                    headers["cache-control"] = "no-store"
            await send(message)

        refused = _refusal(Headers(scope=scope))
        await (refused or self._app)(scope, receive, guarded)


def _refusal(headers: Headers) -> PlainTextResponse | None:
    """Why nobody is answered; nothing where somebody is."""
    if name_of(headers.get("host", "")) not in HOSTS:
        return PlainTextResponse("This page answers only as 127.0.0.1 or localhost.\n", status_code=421)
    # https://www.w3.org/TR/fetch-metadata/: a browser says whose page asks; other programs say nothing.
    foreign = headers.get("sec-fetch-site", "none") in {"cross-site", "same-site"}
    if foreign and headers.get("sec-fetch-mode") != "navigate":
        return PlainTextResponse("This page answers no other page.\n", status_code=403)
    return None

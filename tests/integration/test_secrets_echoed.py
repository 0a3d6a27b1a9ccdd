"""A server that repeats a request's headers and query in its refusal makes nobody print what opens it."""

import json
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

if TYPE_CHECKING:
    from tests.integration.test_systems_in_trouble import ROWS, TOKEN, Row, judged
else:
    from test_systems_in_trouble import ROWS, TOKEN, Row, judged

SECRET = "canary/echoed 7f3a9c"
LOGINS = {
    "a login": "http://user:canary%2Fechoed%207f3a9c@{host}",
    "a token": "http://:canary%2Fechoed%207f3a9c@{host}",
    "a query": "http://{host}/?key=canary%2Fechoed%207f3a9c",
}
OVER_HTTP = [row for row in ROWS if not row.scheme]
STATUSES = (400, 401, 403, 422, 500)
CASES = [
    pytest.param(row, [*LOGINS][(number + place) % len(LOGINS)], status, id=f"{number} {row.probe} {status}")
    for number, row in enumerate(OVER_HTTP)
    for place, status in enumerate(STATUSES)
]
"""Each line with each status, and with each login once at least."""


def _forms() -> set[str]:
    """What must not be told: as it is written, in an address, and as HTTP Basic has it, less its end."""
    basic = {b64encode(f"{user}:{one}".encode()).decode() for user in ("user", "") for one in (SECRET, TOKEN)}
    return {SECRET, "canary%2Fechoed", "echoed", TOKEN, *(one[8:-4] for one in basic)}


def _echoing(status: int, heard: list[str]) -> TestServer:
    async def echo(request: web.Request) -> web.Response:
        shown = ("Authorization", "X-Vault-Token", "Cookie")
        told = "; ".join(request.headers.get(name, "") for name in shown) + f"; {request.query_string}"
        heard.append(told)
        # Each system's own place for a reason, so that each finds one to repeat.
        about = {"kind": "Status", "status": "error", "message": told, "error": told, "errors": [told]}
        paged = request.path.startswith(("/services", "/users"))
        body = json.dumps({**about, "error": {"message": told, "errors": [told]}} if paged else about)
        return web.Response(
            status=status, text=body, content_type="application/json", headers={"WWW-Authenticate": told}
        )

    site = web.Application()
    site.router.add_route("*", "/{path:.*}", echo)
    return TestServer(site)


@pytest.mark.parametrize(("row", "login", "status"), CASES)
async def test_what_opens_a_system_is_told_by_no_refusal_that_repeats_it(
    row: Row, login: str, status: int, tmp_path: Path
) -> None:
    heard: list[str] = []
    server = _echoing(status, heard)
    await server.start_server()
    host = urlsplit(str(server.make_url("/"))).netloc
    # A kubeconfig and who asks for flags have a token of their own; a path of the row ends its address.
    bare = row.by_file or row.probe == "flags.evaluate" or (row.path and login == "a query")
    try:
        claim = await judged(row, f"http://{host}" if bare else LOGINS[login].format(host=host), tmp_path)
    finally:
        await server.close()
    assert heard, "it was asked"
    told = repr(claim)
    assert not [form for form in sorted(_forms()) if form in told], told

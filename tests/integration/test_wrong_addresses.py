"""An address that leads to somebody else, or whose login is refused: said in words, with what to do about it."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tminus import loopback
from tminus.domain.evidence import Claim, Verdict

if TYPE_CHECKING:
    from tests.integration.test_systems_in_trouble import ROWS, judged
else:
    from test_systems_in_trouble import ROWS, judged

Answering = Callable[[web.Request], Awaitable[web.Response]]
BY_PROBE = {row.probe: row for row in ROWS}


async def _seen(probe: str, answering: Answering, folder: Path, login: str = "") -> Claim:
    """What a line says of a server that answers everything so."""
    site = web.Application()
    site.router.add_route("*", "/{path:.*}", answering)
    server = TestServer(site)
    await server.start_server()
    try:
        host = urlsplit(str(server.make_url("/"))).netloc
        return await judged(BY_PROBE[probe], f"http://{login}{host}", folder)
    finally:
        await server.close()


def _giving(status: int, text: str, kind: str = "application/json") -> Answering:
    async def give(_request: web.Request) -> web.Response:
        return web.Response(status=status, text=text, content_type=kind)

    return give


@pytest.mark.parametrize(
    "probe",
    [
        "prometheus.errors",
        "alertmanager.firing",
        "logs.arrived",
        "kubernetes.configmaps",
        "grafana.dashboard",
    ],
)
async def test_a_login_page_of_another_host_that_nobody_reaches_is_named(probe: str, tmp_path: Path) -> None:
    elsewhere = f"127.0.0.1:{loopback.free_port()}"

    async def login(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": f"http://{elsewhere}/login"})

    claim = await _seen(probe, login, tmp_path)
    # A cluster that is not reached is retried, also by a rollback.
    assert claim.verdict is (Verdict.ERROR if probe.startswith("kubernetes") else Verdict.INCONCLUSIVE)
    assert f" leads on to {'http://' if probe.startswith('grafana') else ''}{elsewhere}" in claim.why
    assert "is something listening" not in claim.why


@pytest.mark.parametrize("probe", ["prometheus.errors", "alertmanager.firing"])
async def test_a_login_page_of_another_host_is_no_answer(probe: str, tmp_path: Path) -> None:
    page = TestServer(web.Application())
    page.app.router.add_get("/login", _giving(200, "<html>log in</html>", "text/html"))
    await page.start_server()

    async def login(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": str(page.make_url("/login"))})

    try:
        claim = await _seen(probe, login, tmp_path)
        assert f"leads on to {page.make_url('/login')}" in claim.why
    finally:
        await page.close()


@pytest.mark.parametrize(
    ("login", "words"), [("", "write the login into"), ("user:wrong@", "renew the login in")]
)
@pytest.mark.parametrize(
    ("probe", "system"),
    [
        ("prometheus.errors", "Prometheus"),
        ("alertmanager.firing", "Alertmanager"),
        ("alertmanager.routes", "Prometheus"),
    ],
)
async def test_a_login_that_is_refused_is_to_be_renewed(
    probe: str, system: str, login: str, words: str, tmp_path: Path
) -> None:
    claim = await _seen(probe, _giving(401, "{}"), tmp_path, login)
    assert f"{system} at http://127.0.0.1" in claim.why
    assert "refuses us (401)" in claim.why
    assert words in claim.why


async def test_routes_say_that_it_is_prometheus_which_is_not_there(tmp_path: Path) -> None:
    claim = await _seen("alertmanager.routes", _giving(404, "no"), tmp_path)
    assert "Prometheus at http://127.0.0.1" in claim.why
    assert "has no Prometheus interface (404" in claim.why


async def test_alerts_of_another_shape_are_told_in_words(tmp_path: Path) -> None:
    claim = await _seen("alertmanager.firing", _giving(200, "[1, 2]"), tmp_path)
    assert "which alerts it holds in a way that it never would: a part of it is of another kind" in claim.why
    assert "AttributeError" not in claim.why


@pytest.mark.parametrize(("text", "kind"), [("<html>hello</html>", "text/html"), ("{}", "application/json")])
async def test_what_is_no_vault_is_said_to_be_none(text: str, kind: str, tmp_path: Path) -> None:
    claim = await _seen("vault.snapshot", _giving(200, text, kind), tmp_path)
    assert claim.verdict is Verdict.INCONCLUSIVE
    assert "but not as Vault does" in claim.why
    assert "Enterprise" not in claim.why

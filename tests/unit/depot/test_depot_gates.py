"""What meets a request before its route: origins, maintenance, and the paths of operations."""

from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message

from tminus.depot import canaries
from tminus.depot.cors import Cors, is_origin
from tminus.depot.credentials import Claims, issue_token, read_claims
from tminus.depot.maintenance import Maintenance, MaintenanceOrder, Switch
from tminus.depot.operations import is_operation

GOOD = "https://app.example"


async def ask(
    app: ASGIApp, path: str = "/documents", method: str = "GET", **headers: str
) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer."""
    given = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": given}
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start = sent[0]
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}


def cors(*origins: str) -> ASGIApp:
    return Cors(PlainTextResponse("hello", headers={"Vary": "Accept"}), origins)


@pytest.mark.parametrize("origin", [GOOD, "http://localhost:3000", "http://127.0.0.1"])
def test_an_origin_is_scheme_host_and_port(origin: str) -> None:
    assert is_origin(origin)


@pytest.mark.parametrize(
    "text", ["*", "null", "", "app.example", GOOD + "/", "https://*.example", "ftp://a", "https://A.example"]
)
def test_anything_else_is_no_origin(text: str) -> None:
    assert not is_origin(text)


async def test_an_allowed_origin_is_echoed_exactly() -> None:
    status, headers = await ask(cors(GOOD), origin=GOOD)
    assert status == 200
    assert headers["access-control-allow-origin"] == GOOD
    assert headers["vary"] == "Accept, Origin"
    assert "access-control-allow-credentials" not in headers


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://app.example", "https://www.app.example", GOOD + ".evil.example"],
)
async def test_a_forbidden_origin_gets_nothing(origin: str) -> None:
    status, headers = await ask(cors(GOOD), origin=origin)
    assert (status, headers["vary"]) == (200, "Accept, Origin")
    assert not [name for name in headers if name.startswith("access-control")]
    status, headers = await ask(
        cors(GOOD), method="OPTIONS", origin=origin, access_control_request_method="GET"
    )
    assert (status, headers["vary"].split(",")[0]) == (403, "Origin")
    assert not [name for name in headers if name.startswith("access-control")]


async def test_a_preflight_of_an_allowed_origin_names_methods_and_headers() -> None:
    status, headers = await ask(
        cors(GOOD), method="OPTIONS", origin=GOOD, access_control_request_method="PUT"
    )
    assert (status, headers["access-control-allow-origin"]) == (204, GOOD)
    assert "PUT" in headers["access-control-allow-methods"].split(", ")
    assert "Authorization" in headers["access-control-allow-headers"].split(", ")
    assert 0 < int(headers["access-control-max-age"]) <= 86_400


async def test_operations_and_a_depot_without_a_list_are_for_no_page() -> None:
    for app, path in ((cors(GOOD), "/faults"), (cors(), "/documents")):
        status, headers = await ask(app, path, origin=GOOD)
        assert (status, headers["vary"]) == (200, "Accept")
        assert "access-control-allow-origin" not in headers


async def test_maintenance_keeps_users_out_and_operations_in() -> None:
    switch = Switch()
    app = Maintenance(PlainTextResponse("hello"), switch)
    assert (await ask(app))[0] == 200
    switch.order = MaintenanceOrder(on=True, retry_after=7)
    status, headers = await ask(app)
    assert (status, headers["retry-after"]) == (503, "7")
    for path in ("/health", "/metrics", "/faults", "/maintenance", "/flags/exports"):
        assert (await ask(app, path))[0] == 200, path
    switch.order = None
    assert (await ask(app))[0] == 200


@pytest.mark.parametrize("path", ["/healthy", "/", "", "/x/health", "//health", "/documents/health"])
def test_a_path_of_users_does_not_pass_for_one_of_operations(path: str) -> None:
    assert not is_operation(path)


def test_a_token_tells_its_session() -> None:
    secret = b"a secret for tests"
    assert read_claims(issue_token("ada", 10, secret, "s1"), 0, secret) == Claims("ada", "s1")
    assert read_claims(issue_token("ada", 10, secret), 0, secret) == Claims("ada", None)
    assert read_claims(issue_token("ada", 10, secret, "s1"), 10, secret) is None


def test_the_canaries_are_known_in_advance() -> None:
    assert len(list(canaries.texts())) == canaries.COUNT == 20
    assert [title for _, title, _ in canaries.texts()] == sorted(title for _, title, _ in canaries.texts())
    # Written here once more: a changed text would make every stored canary look damaged.
    assert canaries.DIGEST == "0ca91d1644d0fa1633285c235e2c707594fca876a9520de07568388aa01a3337"

"""What we send to Alertmanager and read from it, beside its own description of its interface."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from aiohttp import web

from tminus import loopback
from tminus.alerting import alertmanager
from tminus.alerting.drill import Drill
from tminus.http import connect
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.integration.alert_world import address, silenced
    from tests.integration.line_world import World
else:
    from alert_world import address, silenced
    from line_world import World

DESCRIPTION = (Path(__file__).parents[3] / "shared/openapi/alertmanager/openapi.yaml").resolve()


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    if not DESCRIPTION.is_file():
        pytest.skip("Alertmanager's own description is not beside this repository")
    found: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text())
    # The description is of a newer Alertmanager than Debian's, which does not say these two yet.
    found["definitions"]["alertStatus"]["required"].remove("mutedBy")
    found["definitions"]["gettableSilence"]["allOf"][0]["required"].remove("annotations")
    return found


def fits(value: Any, name: str, described: dict[str, Any]) -> None:
    """Demand that a value is as the description has it, and that something else would not be."""
    schema = {"$ref": f"#/definitions/{name}", "definitions": described["definitions"]}
    validator = jsonschema.Draft4Validator(schema)
    validator.validate(value)
    assert not validator.is_valid("no such thing")


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[str, list[Any]]]:
    """Something that takes alerts and keeps them; its address."""
    taken: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        taken.append(json.loads(await request.read()))
        return web.Response()

    application = web.Application()
    application.router.add_post("/api/v2/alerts", take)
    runner = web.AppRunner(application)
    await runner.setup()
    port = loopback.free_port()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}", taken
    finally:
        await runner.cleanup()


async def test_a_drill_is_an_alert_as_alertmanager_describes_it(described: dict[str, Any]) -> None:
    async with listening() as (where, taken), alertmanager.asking(where) as api:
        drill = Drill.new(
            api, "0123456789abcdef", {"severity": "critical", "side": "green"}, SystemClock().now
        )
        await drill.begin()
        await drill.end()
    begun, ended = taken
    for body in (begun, ended):
        fits(body, "postableAlerts", described)
        assert body[0]["labels"]["tminus"] == "drill"
        assert body[0]["labels"] == begun[0]["labels"], "the end is the end of the same alert"
        assert body[0]["startsAt"] <= body[0]["endsAt"]
    assert begun[0]["endsAt"] > ended[0]["endsAt"]


async def test_what_alertmanager_answers_is_as_it_describes_it(
    world: World, described: dict[str, Any]
) -> None:
    async with connect(address(world.scene, "ALERTMANAGER")) as http:
        fits((await http.get("/api/v2/status")).json(), "alertmanagerStatus", described)
        fits((await http.get("/api/v2/alerts?active=true")).json(), "gettableAlerts", described)
        async with silenced(world.scene, "alertname", "NobodyKnows"):
            silences = (await http.get("/api/v2/silences")).json()
        assert silences, "a list of none would fit any description"
        fits(silences, "gettableSilences", described)

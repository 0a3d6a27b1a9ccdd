"""From a fault of the service to the page: real Prometheus, Alertmanager and HAProxy, and the three sinks."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from tminus import processes

if TYPE_CHECKING:
    from tests.integration.parts_world import PartsWorld, needs_parts, parts_world
else:
    from parts_world import PartsWorld, needs_parts, parts_world

__all__ = ["parts_world"]
pytestmark = needs_parts

PROMISED_SECONDS = 4.0
"""From the first failed answer to the last of the three sinks, with a second between scrapes and judgements."""


class Service:
    """Blue: well at first, and then every second answer is an error."""

    def __init__(self) -> None:
        self.failing = False
        self.failed_first: float | None = None
        self._asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        self._asked += 1
        if self.failing and request.path != "/health" and self._asked % 2:
            self.failed_first = self.failed_first or time.monotonic()
            return web.Response(status=500)
        return web.Response(text="ok")


@asynccontextmanager
async def served(world: PartsWorld) -> AsyncIterator[Service]:
    """A service behind the proxy, with users who ask steadily."""
    service = Service()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", world.stage.blue_port).start()
    try:
        await _until_forgotten(world)
        users = asyncio.create_task(_use(world.stage.url))
        try:
            yield service
        finally:
            users.cancel()
            await asyncio.gather(users, return_exceptions=True)
    finally:
        await runner.cleanup()


async def _until_forgotten(world: PartsWorld) -> None:
    """Wait until what the prober met before there was a service is out of the alerts' window."""

    async def well() -> bool:
        asked = "sum(rate(haproxy_frontend_http_responses_total{proxy='public',code='%s'}[5s]))"
        return bool(await world.query(f"{asked % '2xx'} > 0 and {asked % '5xx'} == 0"))

    await processes.wait_until(well, 30, "the prober to meet the service")


async def _use(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.post(f"{url}/documents") as answer:
                await answer.read()
            await asyncio.sleep(0.02)  # the users' own pace, not a wait for anything


async def incidents(world: PartsWorld) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await world.read("PAGER", "/incidents"))["incidents"]
    return found


async def messages(world: PartsWorld) -> list[str]:
    history = await world.read("CHAT", "/conversations.history", channel="C0STANDIN")
    return [str(message["attachments"][0]["title"]) for message in history["messages"]]


async def mails(world: PartsWorld) -> list[str]:
    return [str(mail["subject"]) for mail in (await world.read("MAIL", "/messages"))["messages"]]


async def titles(world: PartsWorld) -> list[str]:
    return [str(incident["title"]) for incident in await incidents(world)]


Sink = Callable[[PartsWorld], Awaitable[list[str]]]
SINKS: dict[str, Sink] = {"pager": titles, "chat": messages, "mail": mails}


async def heard(world: PartsWorld, name: str, sink: Sink) -> float:
    """When this sink has heard of an alert."""

    async def there() -> bool:
        return any(name in text for text in await sink(world))

    await processes.wait_until(there, 30, f"{name} to arrive")
    return time.monotonic()


async def post_alert(world: PartsWorld, **labels: str) -> None:
    """Make a marked alert, as a launch does to see whether it arrives."""
    url = f"{world.addresses['TMINUS_DEMO_ALERTMANAGER']}/api/v2/alerts"
    async with aiohttp.ClientSession() as http, http.post(url, json=[{"labels": labels}]) as answer:
        assert answer.status == 200, await answer.text()


async def test_a_failing_service_pages_tells_the_channel_and_mails_within_four_seconds(
    parts_world: PartsWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    async with served(parts_world) as service:

        async def seen() -> bool:
            share = "sum(rate(haproxy_frontend_http_responses_total{proxy='public'}[5s])) > 5"
            return bool(await parts_world.query(share))

        await processes.wait_until(seen, 30, "Prometheus to see the traffic")
        assert await titles(parts_world) == [], "nobody is paged while all is well, also without green"
        service.failing = True
        at = await asyncio.gather(*(heard(parts_world, "ErrorRateCritical", sink) for sink in SINKS.values()))
        assert service.failed_first is not None
        seconds = {name: when - service.failed_first for name, when in zip(SINKS, at, strict=True)}
        with capsys.disabled():
            told = ", ".join(f"{name} {took:.2f} s" for name, took in seconds.items())
            sys.stdout.write(f"\nfault -> alert: {told}\n")
        assert max(seconds.values()) <= PROMISED_SECONDS

        service.failing = False

        async def resolved() -> bool:
            return {one["status"] for one in await incidents(parts_world)} == {"resolved"}

        await processes.wait_until(resolved, 60, "the page to be resolved")


async def test_a_marked_critical_alert_arrives_everywhere_and_a_warning_in_the_channel_alone(
    parts_world: PartsWorld,
) -> None:
    await post_alert(parts_world, alertname="Marked", severity="warning", nonce="w1")
    await heard(parts_world, "Marked", messages)
    await post_alert(parts_world, alertname="Drill", severity="critical", nonce="c1")
    await asyncio.gather(*(heard(parts_world, "Drill", sink) for sink in SINKS.values()))
    assert "Marked" not in str([await titles(parts_world), await mails(parts_world)])
    (incident,) = await incidents(parts_world)
    alerts = await parts_world.read("PAGER", f"/incidents/{incident['id']}/alerts")
    assert alerts["alerts"][0]["body"]["details"]["nonce"] == "c1"
    assert (incident["urgency"], alerts["alerts"][0]["severity"]) == ("high", "critical")


async def test_an_alert_that_no_route_knows_is_told_in_the_channel(parts_world: PartsWorld) -> None:
    await post_alert(parts_world, alertname="Stranger", nonce="s1")
    await heard(parts_world, "Stranger", messages)
    assert await titles(parts_world) == []


async def test_what_arrived_is_still_known_after_the_sinks_were_killed(parts_world: PartsWorld) -> None:
    await post_alert(parts_world, alertname="Drill", severity="critical", nonce="k1")
    await asyncio.gather(*(heard(parts_world, "Drill", sink) for sink in SINKS.values()))
    before = [await sink(parts_world) for sink in SINKS.values()]
    sinks = processes.find(parts_world.stage.folder, "sinks")
    assert sinks is not None
    await sinks.kill()
    await parts_world.stage.start_supporting()
    # The alert that always fires may have come meanwhile.
    for sink, known in zip(SINKS.values(), before, strict=True):
        assert set(known) <= set(await sink(parts_world))

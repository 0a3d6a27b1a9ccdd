"""The ports of a launch, as they speak to the world in the other process."""

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tminus.control.ports import Json, SideStatus
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.plan import Check
from tminus.domain.trace import parse_line, render
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.errors import UnreachableError
from tminus.http import connect

SECONDS = 20.0
"""The time limit of one call."""


@dataclass(slots=True)
class Line:
    """The way to one launch's world."""

    port: int
    launch: str
    by: Callable[[], Json]
    """Who asks: the process, and the step that is under way."""
    lines: Json = field(default_factory=dict)
    """How many of the proxy's lines were lost and arrived, as of the last look at the trace."""

    async def ask(self, what: str, **asked: JsonValue) -> Json:
        """Have the world do something, or look at it."""
        async with connect(f"http://127.0.0.1:{self.port}", seconds=SECONDS) as http:
            body = {"asked": asked, "by": self.by()}
            answer = await http.ask("POST", f"/{self.launch}/{what}", json_body=body)
        if answer.status != 200:
            raise UnreachableError(f"the world answered {answer.status} to {what}", hint="read its output")
        result: Json = answer.json()
        return result

    def ask_at_once(self, what: str, **asked: JsonValue) -> Json:
        """The same for the ports that are not asynchronous."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request(
                "POST", f"/{self.launch}/{what}", json.dumps({"asked": asked, "by": self.by()})
            )
            result: Json = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return result


@dataclass(frozen=True, slots=True)
class WorldTarget:
    """Blue and green."""

    line: Line

    async def prepare(self, digest: str) -> Json:
        return await self.line.ask("prepare", digest=digest)

    async def start(self, side: Side, digest: str) -> SideStatus:
        return _status(await self.line.ask("start", side=side.value, digest=digest))

    async def set_weight(self, percent: int) -> int:
        return int(str((await self.line.ask("set_weight", percent=percent))["percent"]))

    async def status(self, side: Side) -> SideStatus:
        return _status(await self.line.ask("status", side=side.value))

    async def stop(self, side: Side, drain_seconds: float) -> int:
        del drain_seconds
        return int(str((await self.line.ask("stop", side=side.value))["sessions"]))

    def by_hand(self) -> tuple[str, ...]:
        """See `Target.by_hand`: a person would write 0 into the file of the weight."""
        return ("echo 0 > weight",)

    def private_url(self, side: Side) -> str:
        return f"http://{side.value}.test"


@dataclass(frozen=True, slots=True)
class WorldTraffic:
    """What users meet."""

    line: Line

    def items(self, after: int) -> list[Outcome | WeightChange]:
        told = self.line.ask_at_once("traffic", after=after)
        self.line.lines = {"lost": told["lost"], "received": told["received"]}
        items = told["items"]
        assert isinstance(items, list)
        return [parse_line(json.dumps(item), number) for number, item in enumerate(items, 1)]

    def lost(self) -> int:
        return int(str(self.line.lines["lost"]))

    def received(self) -> int:
        return int(str(self.line.lines["received"]))

    def blindness(self) -> str:
        return ""

    def refused(self) -> int:
        return 0

    def note_weight(self, change: WeightChange) -> None:
        self.line.ask_at_once("note_weight", line=json.dumps(render(change)))


@dataclass(frozen=True, slots=True)
class WorldDatabase:
    """The service's database."""

    line: Line

    async def back_up(self, name: str) -> Json:
        return await self.line.ask("back_up", name=name)

    async def migrate(self, digest: str) -> Json:
        return await self.line.ask("migrate", digest=digest)

    async def values(self) -> Mapping[str, JsonValue]:
        return await self.line.ask("invariants")


@dataclass(frozen=True, slots=True)
class WorldOutlook:
    """Whoever looks at the service: smoke tests, the public prober, the probes."""

    line: Line

    async def failures(self, url: str) -> list[str]:
        found = (await self.line.ask("smoke", url=url))["failures"]
        assert isinstance(found, list)
        return [str(one) for one in found]

    async def answers(self) -> bool:
        return bool((await self.line.ask("answers"))["ok"])

    async def observe(self, check: Check, arguments: Mapping[str, JsonValue]) -> Observation:
        control = check.control is not None and dict(arguments) != dict(check.arguments or {})
        seen = await self.line.ask("probe", probe=check.probe, control=control)
        return Observation(seen["value"])


def _status(told: Json) -> SideStatus:
    return SideStatus(
        running=bool(told["running"]),
        started=float(str(told["started"])),
        digest=str(told["digest"]),
        version=str(told["version"]),
        up=bool(told["up"]),
        weight=int(str(told["weight"])),
        sessions=int(str(told["sessions"])),
    )

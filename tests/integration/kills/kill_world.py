"""The world outside a launch, in a process that nobody kills: it answers over loopback and counts what is done to it.

One server holds a world for each launch. Its parts are the fakes of `tminus.testing` in real time; around them stands
the count: every call that may change something is kept with what asked for it and whether anything changed by it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from multiprocessing.connection import Connection

from aiohttp import web

from tminus.control.ports import Json
from tminus.domain.canonical import JsonValue, sha256_hex
from tminus.domain.trace import parse_line, render
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.standins.clock import wall_clock
from tminus.testing import Behaviour, FakeTarget, FakeTraffic

OLD, NEW = sha256_hex(b"the old image"), sha256_hex(b"the new image")
RUNS_OLD, RUNS_NEW = f"sha256:{OLD}", f"sha256:{NEW}"
BEHAVIOURS = {"good": Behaviour(), "bad": Behaviour(errors=1.0)}
RATE = 100.0
"""Requests of users in a second."""
WHOLE: Json = {"rows": 100, "orphans": 0}
"""The data's invariants while nothing is damaged."""
TAKES = {"prepare": 0.1, "start": 0.15, "set_weight": 0.02, "stop": 0.1, "back_up": 0.15, "migrate": 0.2}
"""Seconds that each effect takes; it happens in the middle, so that a kill may come before or after it."""


class RealTime:
    """The clock of the fakes."""

    def now(self) -> float:
        return wall_clock()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class World:
    """Everything outside one launch."""

    def __init__(self, release: str) -> None:
        clock = RealTime()
        self.traffic = FakeTraffic(clock, RATE)
        self.traffic.behaviour[Side.GREEN] = BEHAVIOURS[release]
        self.target = FakeTarget(clock, self.traffic, RUNS_OLD)
        self.revision = "0001"
        self.backups: dict[str, str] = {}
        self.prepared: set[str] = set()
        self.calls: list[Json] = []
        self._one_by_one = asyncio.Lock()
        self.effects: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "prepare": self._prepare,
            "start": self._start,
            "set_weight": self._set_weight,
            "stop": self._stop,
            "back_up": self._back_up,
            "migrate": self._migrate,
        }
        self.looks: dict[str, Callable[[Json], Awaitable[Json]]] = {
            "status": self._status,
            "smoke": self._smoke,
            "answers": self._answers,
            "probe": self._probe,
            "invariants": self._invariants,
            "traffic": self._trace,
            "note_weight": self._note_weight,
        }

    async def act(self, what: str, asked: Json, by: Json) -> Json:
        """Do one thing to the world, and count it."""
        began = wall_clock()
        async with self._one_by_one:
            await asyncio.sleep(TAKES[what] / 2)
            before = self.state()
            answer = await self.effects[what](asked)
            changed = self.state() != before
            call: Json = {"effect": what, "asked": asked, "changed": changed, "began": began}
            self.calls.append({**call, **by, "at": wall_clock()})
            await asyncio.sleep(TAKES[what] / 2)
        return answer

    def state(self) -> Json:
        """All that an effect can change."""
        sides: Json = {side.value: {**asdict(there)} for side, there in self.target.sides.items()}
        return {
            "sides": sides,
            "weight": self.traffic.weight,
            "revision": self.revision,
            "backups": {**self.backups},
            "prepared": [*sorted(self.prepared)],
        }

    async def _prepare(self, asked: Json) -> Json:
        self.prepared.add(str(asked["digest"]))
        return await self.target.prepare(str(asked["digest"]))

    async def _start(self, asked: Json) -> Json:
        return asdict(await self.target.start(Side(str(asked["side"])), str(asked["digest"])))

    async def _set_weight(self, asked: Json) -> Json:
        return {"percent": await self.target.set_weight(int(str(asked["percent"])))}

    async def _stop(self, asked: Json) -> Json:
        return {"sessions": await self.target.stop(Side(str(asked["side"])), 0.0)}

    async def _back_up(self, asked: Json) -> Json:
        file = str(asked["name"])
        self.backups[file] = self.revision
        return {"file": file, "sha256": sha256_hex(file.encode()), "bytes": 6, "rows": 2}

    async def _migrate(self, asked: Json) -> Json:
        del asked
        before, self.revision = self.revision, "0002"
        return {"before": before, "after": self.revision}

    async def _status(self, asked: Json) -> Json:
        return asdict(await self.target.status(Side(str(asked["side"]))))

    async def _smoke(self, asked: Json) -> Json:
        side = Side.GREEN if Side.GREEN in str(asked["url"]) else Side.BLUE
        return {"failures": [] if self.target.sides[side].running else [f"{side} does not answer"]}

    async def _answers(self, asked: Json) -> Json:
        del asked
        return {"ok": any(side.running and side.up for side in self.target.sides.values())}

    async def _probe(self, asked: Json) -> Json:
        if asked["probe"] == "postgres.backup":
            return {"value": [] if self.backups else ["there is no backup"]}
        if asked["probe"] == "traffic.errors":
            return {"value": self._errors(spoiled=bool(asked["control"]))}
        return {"value": []}

    def _errors(self, *, spoiled: bool) -> float:
        """The share of failed requests among the newest; a negative control adds five of a hundred."""
        newest = [item for item in self.traffic.items(0) if isinstance(item, Outcome)][-200:]
        return sum(item.failed for item in newest) / max(1, len(newest)) + (0.05 if spoiled else 0.0)

    async def _invariants(self, asked: Json) -> Json:
        del asked
        return WHOLE

    async def _trace(self, asked: Json) -> Json:
        items: list[JsonValue] = [render(item) for item in self.traffic.items(int(str(asked["after"])))]
        return {"items": items, "lost": self.traffic.lost(), "received": self.traffic.received()}

    async def _note_weight(self, asked: Json) -> Json:
        change = parse_line(str(asked["line"]), 1)
        assert isinstance(change, WeightChange)
        self.traffic.note_weight(change)
        return {}


class Worlds:
    """The server's worlds, by the id of their launch."""

    def __init__(self) -> None:
        self._worlds: dict[str, World] = {}

    def application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.put("/{launch}", self._make),
                web.get("/{launch}", self._told),
                web.post("/{launch}/{what}", self._called),
                web.delete("/{launch}", self._end),
            ]
        )
        return application

    async def _make(self, request: web.Request) -> web.Response:
        self._worlds[request.match_info["launch"]] = World(str((await request.json())["release"]))
        return web.json_response({})

    async def _told(self, request: web.Request) -> web.Response:
        world = self._worlds[request.match_info["launch"]]
        return web.json_response({"state": world.state(), "calls": [*world.calls]})

    async def _called(self, request: web.Request) -> web.Response:
        world, what = self._worlds[request.match_info["launch"]], request.match_info["what"]
        said: Json = await request.json()
        asked, by = said["asked"], said["by"]
        assert isinstance(asked, dict)
        assert isinstance(by, dict)
        if what in world.effects:
            # What was asked for happens, whether or not whoever asked still lives.
            return web.json_response(await asyncio.shield(world.act(what, asked, by)))
        return web.json_response(await world.looks[what](asked))

    async def _end(self, request: web.Request) -> web.Response:
        del self._worlds[request.match_info["launch"]]
        return web.json_response({})


async def _serve(told: Connection) -> None:
    runner = web.AppRunner(Worlds().application(), access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    told.send(runner.addresses[0][1])
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(told.fileno(), over.set)
    await over.wait()
    await runner.cleanup()


def serve(told: Connection) -> None:
    """Serve for as long as whoever started it holds the other end of the pipe; the port goes there."""
    asyncio.run(_serve(told))

"""A shipper of logs: follows files and pushes their lines to what speaks as Loki does.

A process of its own: `python -m tminus.standins.shipper --port N --to URL --app NAME FILE…`. A stream is known by
`app`, `side` (the folder of the file), and by `instance` and `release`, which are taken out of lines that are JSON.
Lines are stamped with the time at which they were read. How far each file was read is kept, so that a shipper which was
killed goes on where it was. The token comes from the environment and is never told.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from . import STAND_IN
from .clock import wall_clock

TOKEN_VARIABLE = "STANDINS_TOKEN"  # noqa: S105 - the name of a variable
"""Where what opens the aggregator is found."""
LOOK_SECONDS = 0.5
"""From one look at the files to the next."""
SECONDS = 5.0
"""How long the aggregator may take for one push."""
MOST_BYTES = 512 * 1024
"""How much of a file is read at once; the rest follows at the next look."""
PROMOTED = ("instance", "release")
"""The fields of a line that its stream is known by."""
POSITIONS = "positions.json"
_NANO = 1_000_000_000


@dataclass(slots=True)
class Shipper:
    """Follows files; one round after the other."""

    app: str
    files: Sequence[Path]
    folder: Path
    """Where it keeps how far it has read."""
    shipped: int = 0
    refused: str = ""
    """Why the last push was not taken; empty when it was."""
    _positions: dict[str, int] = field(default_factory=dict)

    def begin(self) -> None:
        """Go on where the one before was."""
        path = self.folder / POSITIONS
        self._positions = json.loads(path.read_text()) if path.exists() else {}

    async def round(self, session: aiohttp.ClientSession, url: str) -> None:
        """Push what the files have got since the last round; what is not taken is pushed again."""
        streams: dict[tuple[tuple[str, str], ...], list[list[str]]] = {}
        read = dict(self._positions)
        count = 0
        for path in self.files:
            lines, read[str(path)] = _fresh(path, self._positions.get(str(path), 0))
            for line in lines:
                stamp = str(int(wall_clock() * _NANO) + count)
                streams.setdefault(self._labels(path, line), []).append([stamp, line])
                count += 1
        if not count:
            return
        body = {"streams": [{"stream": dict(one), "values": values} for one, values in streams.items()]}
        try:
            async with session.post(url, json=body) as reply:
                self.refused = "" if reply.status == 204 else f"{reply.status}: {(await reply.text())[:200]}"
        except (aiohttp.ClientError, TimeoutError) as error:
            self.refused = type(error).__name__
        if not self.refused:
            self.shipped += count
            self._keep(read)

    def _labels(self, path: Path, line: str) -> tuple[tuple[str, str], ...]:
        labels = {"app": self.app, "side": path.parent.name}
        fields = _fields(line)
        labels |= {name: value for name in PROMOTED if isinstance(value := fields.get(name), str) and value}
        return tuple(sorted(labels.items()))

    def _keep(self, positions: dict[str, int]) -> None:
        self._positions = positions
        draft = self.folder / f"{POSITIONS}.new"
        draft.write_text(json.dumps(positions))
        draft.replace(self.folder / POSITIONS)


def _fresh(path: Path, begin: int) -> tuple[list[str], int]:
    """The whole lines of a file behind a position, and the position behind them; a shorter file is a new one."""
    if not path.exists():
        return [], begin
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) < begin:
            begin = 0
        file.seek(begin)
        data = file.read(MOST_BYTES)
    whole = data[: data.rfind(b"\n") + 1] or (data if len(data) == MOST_BYTES else b"")
    return whole.decode(errors="replace").splitlines(), begin + len(whole)


def _fields(line: str) -> dict[str, Any]:
    if not line.startswith("{"):
        return {}
    try:
        found = json.loads(line)
    except ValueError:
        return {}  # a line like any other, without fields
    return found if isinstance(found, dict) else {}


def _health(shipper: Shipper) -> Iterator[web.RouteDef]:
    async def health(_request: web.Request) -> web.Response:
        told = {
            "stand_in": STAND_IN,
            "ok": not shipper.refused,
            "shipped": shipper.shipped,
            "refused": shipper.refused,
        }
        return web.json_response(told, headers={"X-Stand-In": STAND_IN})

    yield web.get("/health", health)


async def main(arguments: Sequence[str]) -> int:
    """Follow until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m tminus.standins.shipper", description=STAND_IN)
    parser.add_argument(
        "--port", type=int, required=True, help="where it tells how it is, on the loopback address"
    )
    parser.add_argument("--to", required=True, help="where lines are pushed to: …/loki/api/v1/push")
    parser.add_argument("--app", required=True, help="the label `app` of every line")
    parser.add_argument("--folder", type=Path, default=Path(), help="where it keeps how far it has read")
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    shipper = Shipper(options.app, options.files, options.folder)
    shipper.begin()
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    application = web.Application()
    application.add_routes([*_health(shipper)])
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", options.port).start()
    headers = {"Authorization": f"Bearer {os.environ[TOKEN_VARIABLE]}"}
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout) as session:
        while not end.is_set():
            await shipper.round(session, options.to)
            with suppress(TimeoutError):
                await asyncio.wait_for(end.wait(), LOOK_SECONDS)
    await runner.cleanup()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))

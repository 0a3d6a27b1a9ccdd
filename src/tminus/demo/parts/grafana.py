"""Grafana, or who stands in for it: the dashboards of the plan over the stage's own Prometheus."""

import json
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote

from tminus.control.ports import Json
from tminus.demo.parts.place import HOST, Place, as_yaml
from tminus.demo.supervisor import AGAIN, POLITE_SECONDS, Part
from tminus.grafana.boards import Service, boards
from tminus.grafana.describing import Board
from tminus.processes import polite

SOURCE = "prometheus"
"""The uid of its data source."""
UNREPORTED = ("audit", "vulnerabilities")
"""What nothing on a stage reports: there is no Vault, and no scanner that tells Prometheus."""
COPIES = "dashboards"
"""The folder of the dashboards' files, below the part's own: what a repository would hold."""
CONFIRMED = "86cf460d8d88750f330df616f5f364eb32baf004078a2041fef379e3cca3ae61"
"""The version of the business dashboard whose figures the demo's simulated product owner has confirmed."""
OWNER = "Lena Ortiz"
_CONFIRMATION = (
    "documents, files and exports are those that were stored or finished, not those that were tried"
)


def made() -> tuple[Board, ...]:
    """The dashboards of a stage."""
    return tuple(board.without(UNREPORTED) for board in boards(Service()))


def address(port: int, token: str) -> str:
    """Where dashboards are read, with the token that opens it: not for logs."""
    return f"http://reader:{quote(token, safe='')}@{HOST}:{port}"


def part(place: Place, prometheus: str, token: str, confirm: Callable[[str, str, str], Json]) -> Part:
    """How it is started; a dashboard that was changed before a kill is as it was after it.

    `confirm` has a version's sha256, its owner and what they say of it signed.
    """
    place = replace(place, environment={**place.environment, "STANDINS_GRAFANA": token})
    source = {
        "uid": SOURCE,
        "name": "Prometheus",
        "type": "prometheus",
        "url": prometheus,
        "isDefault": True,
        "jsonData": {"timeInterval": "1s"},
    }

    async def prepare() -> None:
        (place.folder / COPIES).mkdir(exist_ok=True)
        place.write("sources.json", json.dumps([source]))
        if not (place.folder / "confirmed.yaml").exists():  # signed once, before anything depends on it
            place.write("confirmed.yaml", as_yaml([confirm(CONFIRMED, OWNER, _CONFIRMATION)]))
        for board in made():
            place.write(f"{COPIES}/{board.kind}.json", json.dumps(board.model(SOURCE), indent=2))

    async def ready() -> bool:
        return await place.answers("/api/health")

    command = [str(place.program), "-P", "-m", "tminus.standins.grafana", "--port", str(place.port)]
    command += ["--sources", "sources.json", "--dashboards", COPIES]
    # Users come first; whoever looks at a dashboard waits for them.
    return Part(
        place.name,
        polite(command),
        place.environment,
        answers=ready,
        prepare=prepare,
        restarts=AGAIN,
        start_seconds=POLITE_SECONDS,
    )

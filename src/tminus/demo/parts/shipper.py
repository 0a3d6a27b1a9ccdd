"""The shipper of logs: follows what depot's processes print, and pushes it where lines are gathered."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tminus.demo.parts.place import Place
from tminus.demo.supervisor import AGAIN, POLITE_SECONDS, Part
from tminus.processes import polite

FOLLOWED = ("blue", "green", "worker")
"""The parts of a stage whose lines are shipped."""


def files(stage: Path) -> Sequence[Path]:
    """What is followed; none of it need be there yet."""
    return [stage / name / "log" for name in FOLLOWED]


def part(place: Place, gathered: str, token: str) -> Part:
    """How it is started; one that was killed goes on where it was."""
    place = replace(place, environment={**place.environment, "STANDINS_TOKEN": token})

    async def ready() -> bool:
        return await place.answers("/health")

    command = [str(place.program), "-P", "-m", "tminus.standins.shipper", "--port", str(place.port)]
    command += ["--to", f"{gathered}/loki/api/v1/push", "--app", "depot", *map(str, files(place.stage))]
    return Part(
        place.name,
        polite(command),
        place.environment,
        answers=ready,
        restarts=AGAIN,
        start_seconds=POLITE_SECONDS,
    )

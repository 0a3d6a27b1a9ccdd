"""depot's partner: the stand-in that its events go to, and in whose name messages come."""

from dataclasses import replace

from tminus.demo.parts.place import Place
from tminus.demo.supervisor import AGAIN, Part


def part(place: Place, secret: str) -> Part:
    """How it is started; what arrived before a kill is still known after it."""
    place = replace(place, environment={**place.environment, "STANDINS_PARTNER": secret})

    async def ready() -> bool:
        return await place.answers("/health")

    command = [str(place.program), "-P", "-m", "tminus.standins.partner", "--port", str(place.port)]
    return Part(place.name, command, place.environment, answers=ready, restarts=AGAIN)

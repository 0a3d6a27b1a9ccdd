"""What one slice of watching came to."""

from dataclasses import dataclass
from typing import cast

from tminus.control.ports import Json
from tminus.domain.guard import Action


@dataclass(frozen=True, slots=True)
class Sight:
    """What one slice of watching came to."""

    action: Action
    rule: str
    text: str
    seconds: float
    """How long was watched with nothing to hold for."""
    at: float | None
    """Event time of what fired, in seconds of the epoch."""

    def data(self) -> Json:
        """As a step remembers it."""
        return {
            "action": self.action.value,
            "rule": self.rule,
            "text": self.text,
            "seconds": self.seconds,
            "at": self.at,
        }


def sight(data: Json) -> Sight:
    """What a step remembered."""
    return Sight(
        Action(str(data["action"])),
        str(data["rule"]),
        str(data["text"]),
        float(cast("float", data["seconds"])),
        cast("float | None", data["at"]),
    )

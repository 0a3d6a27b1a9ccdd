"""What a store leaves for launches in its own transactions; the engine delivers it once they are committed."""

from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from tminus.control.ports import Json

CONTROL = "control"
"""The topic of acts upon a launch."""


@dataclass(frozen=True, slots=True)
class Message:
    """What is told to a running launch."""

    key: str
    """The same key is delivered once to a launch."""
    body: Json = field(hash=False)
    topic: str = CONTROL


class Outbox(Protocol):
    """Leaves things for launches within a transaction of the caller: both are there, or neither."""

    def send(self, connection: Connection, launch: str, message: Message) -> None:
        """Leave a message; raises `OutOfSequenceError` for a launch that was never begun."""
        ...

    def begin(self, connection: Connection, launch: str, body: str) -> None:
        """Have a launch begun by whoever runs launches; `body` names its kind. Begun before: nothing happens."""
        ...

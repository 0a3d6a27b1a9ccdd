"""The wall clock of commands that start nothing; the wiring's own clock would load the engine with it."""

from datetime import UTC, datetime


def now() -> float:
    """This moment, in seconds of the epoch."""
    return datetime.now(UTC).timestamp()  # noqa: TID251 - the edge: a command passes the time down

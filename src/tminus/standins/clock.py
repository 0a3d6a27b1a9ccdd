"""The time of day, read in one place."""

import time
from datetime import UTC, datetime


def wall_clock() -> float:
    """Seconds of the epoch."""
    return time.time()  # noqa: TID251 - the stand-ins run without tminus and its clock


def written(at: float) -> str:
    """An instant as these services write it: UTC, with milliseconds."""
    text = datetime.fromtimestamp(at, tz=UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def read(text: str) -> float:
    """Seconds of the epoch of an ISO 8601 instant; raises `ValueError` for what is none."""
    given = datetime.fromisoformat(text)
    return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()

"""Instants and durations as programs in Go write them: Kubernetes, its operators, Vault."""

import re
from datetime import datetime
from typing import Any

_PART = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_FRACTION = re.compile(r"(\.\d{6})\d+")


def instant(text: Any) -> float | None:
    """Seconds of the epoch of an RFC 3339 instant, its nanoseconds cut off; nothing for what is none."""
    try:
        at = datetime.fromisoformat(_FRACTION.sub(r"\1", str(text)))
    except ValueError:
        return None
    # Go's zero time stands for none.
    return at.timestamp() if at.tzinfo and at.year > 1 else None


def seconds(text: Any) -> float | None:
    """The seconds of a duration as Go writes it, `1h30m0s`; nothing for what is none."""
    parts = _PART.findall(str(text))
    if str(text) == "0":
        return 0.0
    if not parts or "".join(number + unit for number, unit in parts) != str(text):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)

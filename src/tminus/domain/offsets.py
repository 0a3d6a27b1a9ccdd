"""Durations and offsets from T-0, as people write and read them."""

import re

_PART = re.compile(r"(\d+)\s*(d|h|min|m|s)")
_TOO_LONG = re.compile(r"\d{10}")
FARTHEST = 3652 * 86400
"""Ten years in seconds: what lies farther away is a slip of the pen, and in the end beyond all calendars."""
_SECONDS = {"d": 86400, "h": 3600, "min": 60, "m": 60, "s": 1}


def seconds(text: str) -> float:
    """A duration such as `24h`, `90s` or `1h30min`, in seconds; raises `ValueError` for anything else."""
    compact = text.replace(" ", "")
    if _TOO_LONG.search(compact):
        raise ValueError(f"{text[:40]!r} has a number of more than 9 digits; write a shorter time")
    parts = _PART.findall(compact)
    if not parts or "".join(number + unit for number, unit in parts) != compact:
        raise ValueError(f"{text[:40]!r} is no duration; write for example '24h', '90s' or '1h30min'")
    return float(sum(int(number) * _SECONDS[unit] for number, unit in parts))


def offset(text: str) -> float:
    """A milestone such as `T-24h`, `T-0` or `T+1h`, in seconds from T-0; raises `ValueError` for anything else."""
    match = re.fullmatch(r"T([+-])(.+)", text.strip())
    if not match:
        raise ValueError(f"{text[:40]!r} is no milestone; write for example 'T-24h', 'T-0' or 'T+1h'")
    sign, rest = match.groups()
    distance = 0.0 if rest == "0" else seconds(rest)
    if distance > FARTHEST:
        raise ValueError(f"{text[:40]!r} is more than ten years from T-0; write a nearer time")
    return -distance if sign == "-" else distance


def named(at: float) -> str:
    """A milestone as a plan writes it: the reverse of `offset`, in the largest units that are whole."""
    return "T-0" if at == 0 else f"T{'-' if at < 0 else '+'}{length(abs(at))}"


def length(duration: float) -> str:
    """A duration as a plan writes it, in the largest units that are whole: `1h30min`; `0s` for less than a second."""
    left, words = int(duration), ""
    for unit in ("h", "min", "s"):
        count, left = divmod(left, _SECONDS[unit])
        words += f"{count}{unit}" if count else ""
    return words or "0s"


def clock(t: float) -> str:
    """The T-clock as people read it: `T-03:42:10`, `T+00:01:05`."""
    whole = int(abs(t))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"T{'-' if t < 0 and whole else '+'}{hours:02}:{minutes:02}:{secs:02}"

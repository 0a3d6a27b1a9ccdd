"""A trace: one request or weight change on each line."""

from collections import Counter
from io import TextIOWrapper
from pathlib import Path

from tminus import files
from tminus.domain import trace
from tminus.domain.traffic import Outcome
from tminus.errors import UsageError
from tminus.readers import Sight


def likely(path: Path, head: bytes) -> bool:
    """See `Reader.likely`."""
    first = head.partition(b"\n")[0]
    return (
        first.startswith(b"{")
        and b'"t"' in first
        and (b'"side"' in first or b'"weight"' in first)
        and bool(path)
    )


def see(path: Path) -> Sight:
    """Requests by side and how many failed, weights as they changed."""
    counts: Counter[str] = Counter()
    seconds: list[float] = []
    try:
        with files.opened_regular(path) as file, TextIOWrapper(file, encoding="utf-8") as lines:
            for item in trace.read(lines):
                seconds.append(item.at)
                if isinstance(item, Outcome):
                    side = item.side or "unserved"
                    counts[f"{side}_requests"] += 1
                    counts[f"{side}_failed"] += item.failed
                else:
                    counts["weight_changes"] += 1
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read as text: {error}", hint="a trace is JSON Lines in UTF-8"
        ) from error
    times = {"first_seconds": min(seconds), "last_seconds": max(seconds)} if seconds else {}
    return Sight(dict(counts), {**times}, () if seconds else ("the trace holds nothing",))

"""A launch record."""

import re
from collections import Counter
from pathlib import Path

from tminus import files
from tminus.domain import record
from tminus.domain.canonical import JsonValue
from tminus.errors import UsageError
from tminus.readers import Sight

_FIRST = re.compile(rb'\{"at":"[^"]{1,40}","data":\{')
"""How the first line of a record begins."""


def likely(path: Path, head: bytes) -> bool:
    """See `Reader.likely`."""
    # The keys of a canonical line are sorted; the first line of a long plan fills more than a head.
    return _FIRST.match(head) is not None and bool(path)


def see(path: Path) -> Sight:
    """Its events by type; the chain is checked on the way, the signatures by `tminus verify`."""
    counts: Counter[str] = Counter()
    newest: dict[str, JsonValue] = {}
    try:
        with files.opened_regular(path) as chunks:
            for event in record.read(chunks):
                counts[event.type] += 1
                newest = {"last_event": event.type, "last_at": event.at}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    return Sight(dict(counts), newest, ("the chain is whole; `tminus verify` proves who signed",))

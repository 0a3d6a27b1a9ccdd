"""A dashboard beside the repository's copy of it: the same after what only the place tells is taken away.

Grafana gives a dashboard an id and counts its versions; a file that was exported for others lists what it needs and
leaves data sources open. None of that is a change. Everything else is.
"""

import math
import re
from collections.abc import Iterator, Mapping

from tminus.domain.canonical import JsonValue
from tminus.domain.dashboard import bare
from tminus.domain.evidence import digest

PLACE = frozenset({"id", "version", "iteration", "gnetId", "__inputs", "__requires", "__elements"})
"""What a dashboard has of the place where it lies, and not of whoever made it."""

_INPUT = re.compile(r"\$\{(\w+)\}")
_EXACT = 2**53 - 1
_MOST = 5
"""How many differences are told."""


def normalised(document: JsonValue) -> dict[str, JsonValue]:
    """A dashboard's model without what only its place tells; raises `ValueError` as `dashboard.bare` does.

    Keys that hold nothing are left out: Grafana writes some of them and forgets others.
    """
    model = {name: value for name, value in bare(document).items() if name not in PLACE}
    found = _without_nothing(model)
    assert isinstance(found, dict)  # noqa: S101 - it was one
    return found


def fingerprint(document: JsonValue) -> str:
    """SHA-256 over the canonical form (RFC 8785) of what is left, in hex."""
    return digest(normalised(document))


def differences(live: JsonValue, copy: JsonValue) -> list[str]:
    """Where a dashboard is not what the copy says, in words, panels by their titles; nothing where they are the same.

    A data source that the copy leaves open (`${DS_PROMETHEUS}`) fits any.
    """
    written = bare(copy)
    inputs = written.get("__inputs")
    given = inputs if isinstance(inputs, list) else []
    free = {str(one.get("name")) for one in given if isinstance(one, Mapping)}
    found = list(dict.fromkeys(_compared(normalised(copy), normalised(live), "", free)))
    return found if len(found) <= _MOST else [*found[:_MOST], f"{len(found) - _MOST} more places"]


def _without_nothing(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {_whole(name): _without_nothing(one) for name, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_nothing(one) for one in value]
    if isinstance(value, str):
        return _whole(value)
    return _number(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _whole(text: str) -> str:
    """A text without half characters, which a file may hold and nobody can write."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _number(number: float) -> JsonValue:
    """A number as Grafana's page reads it: whole ones beyond 2^53 lose their last figures there."""
    if isinstance(number, int) and abs(number) <= _EXACT:
        return number
    try:
        read = float(number)
    except OverflowError:
        return str(number)
    return read if math.isfinite(read) else str(read)


def _compared(copy: JsonValue, live: JsonValue, place: str, free: set[str]) -> Iterator[str]:
    if isinstance(copy, dict) and isinstance(live, dict):
        yield from _objects(copy, live, place, free)
    elif isinstance(copy, list) and isinstance(live, list) and len(copy) == len(live):
        for one, other in zip(copy, live, strict=True):
            yield from _compared(one, other, place, free)
    elif copy != live and not _open(copy, free):
        yield f"{place} was changed"


def _objects(
    copy: dict[str, JsonValue], live: dict[str, JsonValue], place: str, free: set[str]
) -> Iterator[str]:
    for name in sorted({*copy, *live}):
        within = f"{place}.{name}" if place else name
        if name == "panels":
            yield from _panels(copy.get(name), live.get(name), free)
        elif name not in live:
            yield f"{within} is missing"
        elif name not in copy:
            yield f"{within} was added"
        else:
            yield from _compared(copy[name], live[name], within, free)


def _open(copy: JsonValue, free: set[str]) -> bool:
    found = _INPUT.fullmatch(copy) if isinstance(copy, str) else None
    return found is not None and found[1] in free


def _panels(copy: JsonValue, live: JsonValue, free: set[str]) -> Iterator[str]:
    """Differences of panels by their names; where one stands in the list is part of it."""
    wanted, there = _named(copy), _named(live)
    yield from (f"the panel {name} is missing" for name in wanted if name not in there)
    yield from (f"the panel {name} was added" for name in there if name not in wanted)
    for name, panel in wanted.items():
        if name in there:
            for one in _compared(panel, there[name], "", free):
                yield one if one.startswith("the panel") else f"the panel {name}: {one}"
    if list(wanted) != list(there) and set(wanted) == set(there):
        yield "the panels stand in another order"


def _named(panels: JsonValue) -> dict[str, JsonValue]:
    """Panels by title; those of one title by their place among them."""
    found: dict[str, JsonValue] = {}
    for panel in panels if isinstance(panels, list) else []:
        title = str(panel.get("title") or panel.get("type") or "") if isinstance(panel, Mapping) else ""
        name = repr(title)
        if name in found:
            name = f"{name} ({sum(one.startswith(name) for one in found) + 1})"
        found[name] = panel
    return found

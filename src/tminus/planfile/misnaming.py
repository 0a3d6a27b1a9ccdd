"""An entry that was to override one of the base and has its id misspelled: it would be told to say everything anew."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from tminus.planfile.extending import BY_ID
from tminus.planfile.problem import meant

_FEW = 20
"""So many entries are compared with all others; of more, a plan of its own lacks them."""
_REQUIRED: Mapping[str, int] = {"checks": 3, "roles": 1, "triggers": 3}
"""By block: how many keys an entry needs beside its id, where it is not one for every entry."""


def misnamed(values: Any, missing: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], str]:
    """By the place of an entry: what to say in place of each key that it lacks; `missing` are the keys' places."""
    if not values.get("extends"):
        return {}
    lacking: defaultdict[tuple[Any, ...], list[str]] = defaultdict(list)
    for place in missing:
        if len(place) == (4 if place[0] == "checks" else 3) and place[0] in {"checks", *BY_ID}:
            lacking[place[:-1]].append(str(place[-1]))
    if len(lacking) > _FEW:
        return {}
    told = {}
    for place, keys in lacking.items():
        ids = _ids(values, place[0])
        name = _entry(values, place).get("id")
        if isinstance(name, str) and len(keys) * 2 > _REQUIRED.get(place[0], 1):
            near = meant(name, [one for one in ids if one != name])
            if near:
                needs = ", ".join(f"`{key}`" for key in keys)
                told[place] = (
                    f"{name}: the plan that is extended has no such entry{near} A new one needs {needs}"
                )
    return told


def _entry(values: Any, place: tuple[Any, ...]) -> dict[str, Any]:
    for step in place:
        values = values[step]
    return values if isinstance(values, dict) else {}


def _ids(values: Any, block: str) -> list[str]:
    entries = values[block]
    if block == "checks":
        groups = values.get("omitted") or ()
        entries = [
            *(line for lines in entries.values() if isinstance(lines, list) for line in lines),
            *(line for group in groups if isinstance(group, dict) for line in group.get("lines") or ()),
        ]
    names = [one.get("id") if isinstance(one, dict) else one for one in entries]
    return [name for name in names if isinstance(name, str)]

"""Label and field selectors, as lists and watches name them, and as objects hold them."""

import re
from collections.abc import Mapping
from typing import Any

from .problems import bad_request

_SET = re.compile(r"^(\S+)\s+(in|notin)\s+\(([^)]*)\)$")
_EQUAL = re.compile(r"^([^=!\s]+)\s*(==|=|!=)\s*([^=!\s]*)$")


def _parts(text: str) -> list[str]:
    """The requirements of a selector; a comma within parentheses parts none."""
    return [part.strip() for part in re.split(r",(?![^(]*\))", text) if part.strip()]


def _meets(part: str, labels: Mapping[str, str]) -> bool:
    if found := _SET.match(part):
        key, how, listed = found.groups()
        among = labels.get(key) in {value.strip() for value in listed.split(",")}
        return among if how == "in" else not among
    if found := _EQUAL.match(part):
        key, how, value = found.groups()
        return (labels.get(key) == value) is (how != "!=")
    if part.startswith("!"):
        return part[1:] not in labels
    if re.search(r"[\s()=!]", part):
        raise bad_request(f"unable to parse requirement: {part!r}")
    return part in labels


def labels_meet(text: str, labels: Mapping[str, str]) -> bool:
    """Whether labels meet a selector that is written as text; an empty one takes all."""
    return all(_meets(part, labels) for part in _parts(text))


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether labels meet an object's `LabelSelector`; none takes nothing, an empty one everything."""
    if selector is None:
        return False
    wanted = selector.get("matchLabels") or {}
    if any(labels.get(key) != value for key, value in wanted.items()):
        return False
    for one in selector.get("matchExpressions") or ():
        key, how, values = one["key"], one["operator"], one.get("values") or ()
        holds = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not holds[how]:
            return False
    return True


def fields_meet(text: str, thing: Mapping[str, Any]) -> bool:
    """Whether an object meets a field selector."""
    for part in _parts(text):
        found = _EQUAL.match(part)
        if found is None:
            raise bad_request(f"invalid field selector: {part!r}")
        path, how, wanted = found.groups()
        value: Any = thing
        for step in path.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if (str(value or "") == wanted) is not (how != "!="):
            return False
    return True

"""What a plan may say under `with:`: the arguments of a probe, their types in plain words, and what does not fit."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

from tminus.domain import expectation, offsets
from tminus.domain.canonical import JsonValue

Duration: TypeAlias = Annotated[str, "duration"]
"""A time as people write it: `60s`, `5min`."""
Part: TypeAlias = Annotated[str, "share"]
"""A share above 0 as people write it: `95%`, `0.95`."""

_WORDS: Mapping[Any, str] = {
    str: "text",
    Duration: "time such as 5min",
    Part: "share such as 95%",
    int: "whole number",
    float: "number",
    bool: "true or false",
    NoneType: "nothing",
}
_FITS: Mapping[Any, Callable[[Any], bool]] = {
    str: lambda value: isinstance(value, str),
    Duration: lambda value: isinstance(value, str) and _is_duration(value),
    Part: lambda value: isinstance(value, str) and _is_share(value),
    int: lambda value: isinstance(value, int) and not isinstance(value, bool),
    float: lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    bool: lambda value: isinstance(value, bool),
    NoneType: lambda value: value is None,
}
_UNITS = {
    "seconds": "seconds",
    "minutes": "minutes",
    "hours": "hours",
    "days": "days",
    "ms": "milliseconds",
    "bytes": "bytes",
    "kilobytes": "kB",
    "megabytes": "MB",
    "requests": "requests",
    "times": "times",
    "share": "share, 0 to 1",
    "spoil": "share, 0 to 1",
    "percent": "percent",
}
"""By the last word of an argument's name: its unit."""
_SOME = ("minutes", "requests")
"""Units of what is looked at: in none of it nothing is seen."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a probe."""

    kind: Any
    """Its type, as the function is annotated."""
    default: Any
    unit: str
    """What its number counts; empty for anything else."""

    @property
    def needed(self) -> bool:
        """Whether a plan must give it."""
        return self.default is inspect.Parameter.empty

    @property
    def words(self) -> str:
        """Its type, unit and default in one line."""
        unit = f" ({self.unit})" if self.unit else ""
        given = "needed" if self.needed else f"{shown(self.default)} when left out"
        return f"{type_words(self.kind)}{unit}, {given}"


def unit_of(name: str) -> str:
    """What a number of this name counts, by the convention that an argument's name ends with its unit."""
    return _UNITS.get(name.rpartition("_")[2], "")


def type_words(kind: Any) -> str:
    """A type as people say it: `text`, `whole number`, `` `blue` or `green` ``, `list of text`."""
    inner = get_args(kind)
    origin = get_origin(kind)
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in {list, tuple}:
        return f"list of {type_words(inner[0])}"
    if origin is dict:
        return f"mapping of {type_words(inner[1])}"
    if origin is Annotated and kind not in _WORDS:
        return type_words(inner[0])
    if origin in {Union, UnionType}:
        return " or ".join(type_words(part) for part in inner)
    return _WORDS.get(kind, "any value" if kind in {Any, JsonValue} else str(kind))


def shown(value: Any) -> str:
    """A value as a plan would write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or value == "":
        return "nothing"
    return f"{value:g}" if isinstance(value, float) else str(value)


def misfits(known: Mapping[str, Argument], given: Mapping[str, JsonValue]) -> list[str]:
    """Everything that is wrong with the arguments that a plan gives; nothing when they fit.

    `${name}` stands for what a launch binds and fits every type.
    """
    problems = [
        f"{name!r} is no argument of this probe{_instead(name, list(known))}"
        for name in given
        if name not in known
    ]
    problems += [
        f"the argument {name!r} is missing; write {_article(type_words(argument.kind))}"
        for name, argument in known.items()
        if argument.needed and name not in given
    ]
    for name, value in given.items():
        if name in known and not (isinstance(value, str) and value.startswith("${")):
            argument = known[name]
            problems += misfit(name, value, argument.kind) or _range(name, value, argument)
    return problems


def _range(name: str, value: JsonValue, argument: Argument) -> list[str]:
    """What is wrong with an argument's amount: nothing counted is negative, no share above 1, no needed list empty."""
    if argument.needed and value == []:
        return [f"the argument {name!r} is an empty list; write one entry at least"]
    unit = argument.unit
    if not unit or isinstance(value, bool) or not isinstance(value, int | float):
        return []
    if unit.startswith("share") and not 0 <= value <= 1:
        return [f"the argument {name!r} is {shown(value)}; write a share from 0 to 1: 5 % is 0.05"]
    if unit in _SOME and value < 1:
        return [f"the argument {name!r} is {shown(value)}; write 1 or more"]
    return [f"the argument {name!r} is {shown(value)}; write 0 or more"] if value < 0 else []


def _instead(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; write one of {', '.join(known)}" if known else "; it has none"


def misfit(name: str, value: JsonValue, kind: Any) -> list[str]:
    """What is wrong with a value for an argument of this type; nothing when it fits."""
    if fits(value, kind):
        return []
    return [f"the argument {name!r} is {_what(value)}; write {_article(type_words(kind))}"]


def fits(value: Any, kind: Any) -> bool:
    """Whether a value of a plan is of this type, nothing converted: `"5"` is no number and `true` no count."""
    inner = get_args(kind)
    origin = get_origin(kind)
    if origin is Literal:
        return value in inner
    if origin in {list, tuple}:
        return isinstance(value, list) and all(fits(part, inner[0]) for part in value)
    if origin is dict:
        return isinstance(value, dict) and all(fits(part, inner[1]) for part in value.values())
    if origin is Annotated and kind not in _FITS:
        return fits(value, inner[0])
    if origin in {Union, UnionType}:
        return any(fits(value, part) for part in inner)
    test = _FITS.get(kind)
    return test is None or test(value)


def _is_duration(text: str) -> bool:
    try:
        offsets.seconds(text)
    except ValueError:
        return False
    return True


def _is_share(text: str) -> bool:
    try:
        limit = expectation.parse(f">= {text}").limit
    except ValueError:
        return False
    return isinstance(limit, float) and 0 < limit <= 1


def _what(value: Any) -> str:
    for kind, words in ((dict, "a mapping"), (list, "a list"), (NoneType, "left empty")):
        if isinstance(value, kind):
            return words
    return f"{shown(value)[:40]!r}" if isinstance(value, str) else shown(value)


def _article(words: str) -> str:
    return words if words.startswith(("`", "text", "true", "any", "nothing")) else f"a {words}"

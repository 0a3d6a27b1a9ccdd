"""What kind of value a probe gives, and which expectations can be judged on it.

`< 2 MB` says nothing about a share, and no HTTP status is below 100: such a line would be inconclusive, green or red
for ever, whatever the system does.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tminus.domain.expectation import Expectation


class ValueKind(StrEnum):
    """What a probe's value is; declared as `-> Annotated[Observation, ValueKind.SHARE]`."""

    SHARE = "share"
    """A part of a whole, 0 to 1; plans write it in `%`."""
    TIME = "time"
    """Seconds; plans write `ms`, `s`, `min` or `h`."""
    SIZE = "size"
    """Bytes; plans write `kB` or `MB`."""
    COUNT = "count"
    """A whole number, not negative."""
    STATUS = "HTTP status"
    """100 to 599."""
    FINDINGS = "list of what is wrong"
    """Empty when nothing is."""
    FLAG = "true or false"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class _Numbers:
    """How a kind of number is written, and between which limits it lies."""

    units: frozenset[str]
    example: str
    least: float
    most: float
    said: str
    """The limits in words."""
    whole: bool = False


_TIMES = frozenset({"ms", "s", "min", "h"})
_NUMBERS: Mapping[ValueKind, _Numbers] = {
    ValueKind.SHARE: _Numbers(frozenset({"%"}), "< 1%", 0.0, 1.0, "0% to 100%"),
    ValueKind.TIME: _Numbers(_TIMES, "< 500 ms", 0.0, math.inf, "never negative"),
    ValueKind.SIZE: _Numbers(frozenset({"", "kB", "MB"}), "< 2 MB", 0.0, math.inf, "never negative"),
    ValueKind.COUNT: _Numbers(frozenset({""}), ">= 1", 0.0, math.inf, "whole and never negative", whole=True),
    ValueKind.STATUS: _Numbers(frozenset({""}), "== 200", 100.0, 599.0, "100 to 599", whole=True),
}
_WORDS: Mapping[ValueKind, tuple[tuple[str, ...], str]] = {
    ValueKind.FINDINGS: (("empty",), "'empty'"),
    ValueKind.FLAG: (("true", "false"), "'true' or 'false'"),
    ValueKind.TEXT: (("is", "empty"), "for example 'is ready'"),
}


def misfit(kind: ValueKind, expect: Expectation) -> str:
    """What is wrong with an expectation of such a value, and what to write; empty when it fits.

    A limit of 0 needs no unit.
    """
    if kind in _WORDS:
        fitting, instead = _WORDS[kind]
        return "" if expect.comparison in fitting else f"{_no_limit(kind, expect)}; write {instead}"
    numbers = _NUMBERS[kind]
    limit = expect.limit
    if not isinstance(limit, float) or expect.unit is None:
        return f"{_no_limit(kind, expect)}; write for example '{numbers.example}'"
    if expect.unit not in numbers.units and not (limit == 0 and expect.unit == ""):
        return f"{_no_limit(kind, expect)}; write {_with_unit(kind, expect)}"
    return _out_of_range(kind, expect, limit)


def _no_limit(kind: ValueKind, expect: Expectation) -> str:
    return f"{expect.text!r} is no limit of a {kind}, and that is what is observed"


def _with_unit(kind: ValueKind, expect: Expectation) -> str:
    """A bare number gets the unit that was probably meant: 5 is five per cent, 0.05 too, and 500 are milliseconds."""
    limit, bare = expect.limit, expect.unit == ""
    assert isinstance(limit, float)  # noqa: S101 - only numbers have units
    if bare and kind is ValueKind.SHARE and 0 < limit <= 100:
        return f"'{expect.comparison} {limit if limit >= 1 else limit * 100:g}%'"
    if bare and kind is ValueKind.TIME and limit > 0:
        return f"'{expect.comparison} {limit:g} {'ms' if limit >= 60 else 's'}'"
    return f"for example '{_NUMBERS[kind].example}'"


def _out_of_range(kind: ValueKind, expect: Expectation, limit: float) -> str:
    numbers = _NUMBERS[kind]
    instead = f"write for example '{numbers.example}'"
    if not numbers.least <= limit <= numbers.most or (numbers.whole and limit != int(limit)):
        return f"{expect.text!r} cannot be the limit of a {kind}, which is {numbers.said}; {instead}"
    never = {"<": limit == numbers.least, ">": limit == numbers.most}
    if never.get(expect.comparison, False):
        return f"{expect.text!r} can never be met: a {kind} is {numbers.said}; {instead}"
    always = {">=": limit == numbers.least, "<=": limit == numbers.most}
    if kind is ValueKind.STATUS and always.get(expect.comparison, False):
        return f"{expect.text!r} cannot fail: a {kind} is {numbers.said}; {instead}"
    return ""


def impossible(expect: Expectation) -> str:
    """What is wrong with a limit whatever it limits: a share above 100 %, anything negative; empty for a sane one."""
    if not isinstance(expect.limit, float):
        return ""
    kind = ValueKind.SHARE if expect.unit == "%" else ValueKind.TIME if expect.unit in _TIMES else None
    if kind is not None:
        return _out_of_range(kind, expect, expect.limit)
    if expect.limit < 0:
        return f"{expect.text!r} is below zero, and nothing that is counted is; write for example '== 0'"
    return ""

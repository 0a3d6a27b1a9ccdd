"""What a value must be: `< 1%`, `== 200`, `<= 500 ms`, `empty`, `true`.

A probe observes and never judges; the plan's expectation does. The same probe so serves a readiness check, a
success criterion and a trigger.
"""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Verdict

_UNITS = {"": 1.0, "%": 0.01, "ms": 0.001, "s": 1.0, "min": 60.0, "h": 3600.0, "kB": 1e3, "MB": 1e6}
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_NUMERIC = re.compile(r"(<=|>=|==|!=|<|>)\s*(-?\d[\d_]*(?:\.\d+)?)\s*(%|[A-Za-z]*)")
_WORDS = {"empty", "true", "false"}


@dataclass(frozen=True, slots=True)
class Expectation:
    """One comparison that a plan wrote down, with its words kept."""

    text: str
    """As written in the plan, for people and for the fingerprint."""
    comparison: str
    """`<`, `<=`, `>`, `>=`, `==`, `!=`, `is`, `empty`, `true` or `false`."""
    limit: float | str = 0.0
    """In base units: a share for `%`, seconds for times, bytes for sizes."""

    @property
    def unit(self) -> str | None:
        """The unit of its limit as written, empty for a bare number; `None` for what compares no number."""
        match = _NUMERIC.fullmatch(self.text)
        return match.group(3) if match else None

    def in_unit(self, value: JsonValue) -> str:
        """A number in the unit in which the plan wrote its limit; empty for anything else."""
        unit = self.unit
        if unit is None or isinstance(value, bool) or not isinstance(value, int | float):
            return ""
        number = value / _UNITS[unit]
        return f"{number:.4g}{'' if unit in {'', '%'} else ' '}{unit}"

    def holds(self, value: JsonValue) -> bool:
        """Whether the value is as expected.

        Raises `TypeError` for a value that cannot be compared this way: that is no answer, so the caller makes it
        inconclusive.
        """
        if self.comparison == "empty":
            return self._is_empty(value)
        if self.comparison in _WORDS:
            if not isinstance(value, bool):
                raise TypeError(f"{value!r} is neither true nor false")
            return value is (self.comparison == "true")
        if self.comparison == "is":
            if not isinstance(value, str):
                raise TypeError(f"{value!r} is not text")
            return value == self.limit
        return self._compares(value)

    @staticmethod
    def _is_empty(value: JsonValue) -> bool:
        if not isinstance(value, list | dict | str):
            raise TypeError(f"{value!r} is nothing that could be empty")
        return len(value) == 0

    def _compares(self, value: JsonValue) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:  # noqa: PLR0124 - NaN
            raise TypeError(f"{value!r} is not a number")
        assert isinstance(self.limit, float)  # noqa: S101 - parse() makes it so
        return _COMPARISONS[self.comparison](value, self.limit)


def parse(text: str) -> Expectation:
    """The expectation that a plan wrote; raises `ValueError` with what could be written instead."""
    written = text.strip()
    if written in _WORDS:
        return Expectation(written, written)
    if written.startswith("is "):
        return Expectation(written, "is", written[3:].strip())
    if match := _NUMERIC.fullmatch(written):
        comparison, number, unit = match.groups()
        if unit not in _UNITS:
            raise ValueError(f"{unit!r} is no unit; write one of {', '.join(u for u in _UNITS if u)}")
        return Expectation(written, comparison, float(number.replace("_", "")) * _UNITS[unit])
    raise ValueError(
        f"{text!r} is no expectation; write for example '< 1%', '== 200', '<= 500 ms', 'empty' or 'true'"
    )


def judge(value: JsonValue, expect: Expectation, warn: Expectation | None) -> Verdict:
    """The verdict on a value: failed outside `expect`, warned inside it but outside `warn`."""
    try:
        if not expect.holds(value):
            return Verdict.FAILED
        return Verdict.PASSED if warn is None or warn.holds(value) else Verdict.WARNED
    except TypeError:
        return Verdict.INCONCLUSIVE


def cannot_fail(expect: Expectation) -> bool:
    """Whether every count, share or time is as expected: `>= 0`, `> -1`, `!= -5`, `<= 100%`.

    Probes give counts, shares and times, and none of them is negative; what is written in `%` is a share, 1 at most.
    """
    if not isinstance(expect.limit, float):
        return False
    share = expect.unit == "%"
    limit = expect.limit
    always = {
        ">=": limit <= 0,
        ">": limit < 0,
        "!=": limit < 0 or (share and limit > 1),
        "<=": share and limit >= 1,
        "<": share and limit > 1,
    }
    return always.get(expect.comparison, False)


def stricter(one: Expectation, other: Expectation) -> bool:
    """Whether one expectation lets less pass than another; `True` where the two cannot be compared."""
    sign = one.comparison[0]
    if sign not in "<>" or other.comparison[0] != sign:
        return True
    assert isinstance(one.limit, float) and isinstance(other.limit, float)  # noqa: PT018, S101 - both compare numbers
    if one.limit == other.limit:
        return one.comparison == sign and other.comparison != sign
    return (one.limit < other.limit) is (sign == "<")

"""Invariants: what holds for a service's data at any moment, whatever its users do.

A plan holds them as data: a query that gives one value, and what that value must be. A *floor* must never fall below
what it was before the release met any user; it may rise, because users store things.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tminus.domain import expectation, offsets
from tminus.domain.canonical import JsonValue
from tminus.domain.expectation import Expectation
from tminus.errors import InconclusiveError

EVERY = 60.0
"""Seconds from one look at the data to the next, where the plan says nothing."""
UNSEEN_TURNS = 3
"""After so many turns without a look that succeeded the data counts as not observed."""
LEAST_EVERY = 1.0
"""Seconds; looking more often would be load rather than care."""

Values = Mapping[str, JsonValue]
"""By the name of each invariant: what its query gave."""


@dataclass(frozen=True, slots=True)
class Invariant:
    """One promise about the data."""

    name: str
    """What is counted or compared, in the words of people."""
    query: str
    """One statement that gives one row of one column."""
    expect: Expectation | None
    """What the value must be; nothing for a floor."""


@dataclass(frozen=True, slots=True)
class Broken:
    """One promise that does not hold."""

    name: str
    expected: str
    found: str

    def __str__(self) -> str:
        return f"{self.name}: found {self.found}, expected {self.expected}"

    def data(self) -> dict[str, JsonValue]:
        """As the record keeps it."""
        return {"invariant": self.name, "expected": self.expected, "found": self.found}


def declared(trigger: Mapping[str, JsonValue]) -> tuple[Invariant, ...]:
    """The invariants under one of a plan's triggers; none where it names none."""
    rows = trigger.get("invariants") or []
    assert isinstance(rows, list)  # noqa: S101 - the plan reader made it
    return tuple(_invariant(row) for row in rows if isinstance(row, dict))


def every(trigger: Mapping[str, JsonValue]) -> float:
    """Seconds from one look at a trigger's invariants to the next."""
    return offsets.seconds(str(trigger["every"])) if trigger.get("every") else EVERY


def broken(invariants: Sequence[Invariant], values: Values, floors: Values) -> tuple[Broken, ...]:
    """Which of them do not hold; a floor that was never read is not judged.

    Raises `InconclusiveError` for a value that cannot be compared with what is expected: nothing is known then.
    """
    found = (_broken(invariant, values[invariant.name], floors) for invariant in invariants)
    return tuple(one for one in found if one is not None)


def floors(invariants: Sequence[Invariant], values: Values) -> Values:
    """Of these values those that must not fall; raises `InconclusiveError` for one that is no number."""
    return {one.name: _number(one, values[one.name]) for one in invariants if one.expect is None}


def shown(value: JsonValue) -> str:
    """A value as people and the record get to see it: a text by its beginning only."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:,}"
    text = str(value)
    return text if len(text) <= 16 else f"{text[:12]}…"


def _invariant(row: Mapping[str, JsonValue]) -> Invariant:
    expect = None if row["floor"] else expectation.parse(str(row["expect"]))
    return Invariant(str(row["name"]), str(row["query"]), expect)


def _broken(invariant: Invariant, value: JsonValue, floors: Values) -> Broken | None:
    expect = invariant.expect
    if expect is None:
        floor = floors.get(invariant.name)
        number = _number(invariant, value)
        if floor is None or number >= _number(invariant, floor):
            return None
        return Broken(invariant.name, f">= {shown(floor)}, as before the shift", shown(value))
    if value is None:
        return Broken(invariant.name, _words(expect), "nothing")
    try:
        holds = expect.holds(value)
    except TypeError as error:
        raise _incomparable(invariant, value, _words(expect)) from error
    return None if holds else Broken(invariant.name, _words(expect), shown(value))


def _number(invariant: Invariant, value: JsonValue) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _incomparable(invariant, value, "a number")
    return value


def _incomparable(invariant: Invariant, value: JsonValue, wanted: str) -> InconclusiveError:
    return InconclusiveError(
        f"the invariant {invariant.name!r} cannot be judged: {shown(value)!r} cannot be compared with {wanted}",
        hint="let its query give one number or one text, as its expectation needs",
    )


def _words(expect: Expectation) -> str:
    """What was expected; a checksum is known by its beginning."""
    return f"is {shown(expect.limit)}" if expect.comparison == "is" else expect.text

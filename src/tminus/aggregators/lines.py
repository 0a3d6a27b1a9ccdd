"""Lines of logs as an aggregator shows them, and what is asked of it."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

SAMPLE = 200
"""How many of an instance's newest lines are looked at."""

TIMES = ("@timestamp", "time", "timestamp", "ts")
"""The fields by which a line says when it was written."""
_PAIR = re.compile(r'(?<![\w.-])([A-Za-z_][\w.-]*+)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
"""A name begins where a word does: else a long word is read once for each of its letters."""
_LEAST_PAIRS = 2
"""A text with fewer is a sentence that has an equals sign in it."""
_DEEPEST = 20
"""How deep fields are named, as Elasticsearch maps them where nobody says otherwise."""
_EARLIEST = 1e9
"""Seconds of the epoch: a smaller number is how long something took."""
_YEAR_SECONDS = 366 * 86_400.0
"""A line that is said to be further than that from when it was seen says something else by this field."""


@dataclass(frozen=True)
class Line:
    """One line; its text is read once, when somebody asks what it holds."""

    at: float
    """Its time in the aggregator: when it was written, or when whoever ships it has read it; seconds of the epoch."""
    text: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the aggregator itself knows of it: a stream's labels, a document's fields."""
    came: float | None = None
    """When it arrived; nothing where the aggregator does not tell."""

    @cached_property
    def own(self) -> Mapping[str, str]:
        """The fields of its text."""
        return structured(self.text)

    def named(self, name: str) -> str:
        """What a label or a field of the text is; empty where the line has neither."""
        return self.labels.get(name) or self.own.get(name, "")

    @cached_property
    def written(self) -> float:
        """When it was written, by its own word, or else by the aggregator's."""
        at = own_time(self.own)
        return self.at if at is None or abs(at - self.at) > _YEAR_SECONDS else at

    @property
    def lag(self) -> float:
        """Seconds from its writing to its arrival, as far as the two are told apart."""
        return (self.at if self.came is None else self.came) - self.written


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines are asked for."""

    labels: Mapping[str, str]
    """What every line of the service is known by."""
    instance: str
    """The label or field that tells one instance from another."""
    since: float
    until: float
    anywhere: bool = False
    """Whether lines with other values of these labels, or without them, are asked for as well."""
    fields: Sequence[str] = ()
    """What else its lines hold, where an aggregator has to be told where to look for a mark."""

    def takes(self, line: Line) -> bool:
        """Whether this is one of them, for an aggregator that cannot be asked."""
        known = all(line.named(name) == value for name, value in self.labels.items())
        return self.since <= line.at < self.until and (known or self.anywhere)


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a question."""

    counts: Mapping[str, int]
    """By instance, how many lines there are; `SAMPLE` means that or more."""
    lines: Sequence[Line]
    """Some of them, the newest at least."""
    lost: str = ""
    """What is missing of the answer, in words; empty when it is whole."""
    cut: bool = False
    """Whether there are more lines than were read, so that an instance may be missing."""

    def newest(self) -> float | None:
        """When the newest line was written; nothing where there is none."""
        return max((line.written for line in self.lines), default=None)


class Aggregator(Protocol):
    """A place where the lines of all instances are gathered."""

    async def recent(self, wanted: Wanted) -> Found:
        """The lines of this time, by instance.

        Raises `UnreachableError`, `DeniedError` or `InconclusiveError`.
        """
        ...

    async def marked(self, wanted: Wanted, mark: str) -> Found:
        """The lines of this time that hold a mark, which is letters and digits; raises as `recent` does.

        They may be the newest of these only; `Found.cut` says so.
        """
        ...


def gathered(lines: Sequence[Line], wanted: Wanted, *, cut: bool = False) -> Found:
    """An answer of an aggregator that cannot be asked, from all its lines."""
    kept = [line for line in lines if wanted.takes(line)]
    return Found(counted(kept, wanted.instance), kept, cut=cut)


def counted(lines: Sequence[Line], instance: str) -> dict[str, int]:
    """By instance, how many of these lines there are."""
    return dict(Counter(name for line in lines if (name := line.named(instance))))


def own_time(fields: Mapping[str, str]) -> float | None:
    """When a line was written, by the first of its fields that says it; nothing where none does."""
    return next((at for name in TIMES if (at := instant(fields.get(name, ""))) is not None), None)


def instant(text: str) -> float | None:
    """Seconds of the epoch, of an ISO 8601 time or a number of seconds, milliseconds, …; nothing for what is none.

    A time without its zone is none, since nobody knows where it was that late; and so is a number too small for one.
    """
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    while 1e11 < number < math.inf:
        number /= 1000
    if _EARLIEST <= number < math.inf:
        return number
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        return None
    return given.timestamp() if given.tzinfo else None


def structured(text: str) -> dict[str, str]:
    """The fields that a line holds, as JSON (nested ones with full stops) or as `name=value`; none of a sentence."""
    if text.lstrip().startswith("{"):
        try:
            read = json.loads(text)
            return dict(flat(read)) if isinstance(read, dict) else {}
        except (ValueError, RecursionError):
            return {}  # it is no JSON, or deeper than anybody reads, and so has no fields
    pairs = {name: value.strip('"') for name, value in _PAIR.findall(text)}
    return pairs if len(pairs) >= _LEAST_PAIRS else {}


def flat(value: Mapping[str, Any], within: str = "", depth: int = 1) -> Iterator[tuple[str, str]]:
    """The fields of an object as texts, nested ones with full stops between their names; empty ones are left out."""
    for name, part in value.items():
        if isinstance(part, dict) and depth < _DEEPEST:
            yield from flat(part, f"{within}{name}.", depth + 1)
        elif part is not None and part != "":
            yield f"{within}{name}", part if isinstance(part, str) else json.dumps(part)

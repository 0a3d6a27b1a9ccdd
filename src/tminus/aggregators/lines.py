"""Lines of logs as an aggregator shows them, and what is asked of it."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

SAMPLE = 200
"""How many of an instance's newest lines are looked at."""

TIMES = ("@timestamp", "time", "timestamp", "ts")
"""The fields by which a line says when it was written."""
_PAIR = re.compile(r'([A-Za-z_][\w.-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_LEAST_PAIRS = 2
"""A text with fewer is a sentence that has an equals sign in it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line."""

    at: float
    """Its time in the aggregator: when it was written, or when whoever ships it has read it; seconds of the epoch."""
    text: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the aggregator itself knows of it: a stream's labels, a document's fields."""
    came: float | None = None
    """When it arrived; nothing where the aggregator does not tell."""

    def named(self, name: str) -> str:
        """What a label or a field of the text is; empty where the line has neither."""
        return self.labels.get(name) or structured(self.text).get(name, "")

    @property
    def written(self) -> float:
        """When it was written, by its own word, or else by the aggregator's."""
        own = structured(self.text)
        return next((at for name in TIMES if (at := instant(own.get(name, ""))) is not None), self.at)

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
        """The lines of this time that hold a mark, which is letters and digits; raises as `recent` does."""
        ...


def gathered(lines: Sequence[Line], wanted: Wanted, *, cut: bool = False) -> Found:
    """An answer of an aggregator that cannot be asked, from all its lines."""
    kept = [line for line in lines if wanted.takes(line)]
    return Found(counted(kept, wanted.instance), kept, cut=cut)


def counted(lines: Sequence[Line], instance: str) -> dict[str, int]:
    """By instance, how many of these lines there are."""
    return dict(Counter(name for line in lines if (name := line.named(instance))))


def instant(text: str) -> float | None:
    """Seconds of the epoch, of an ISO 8601 time or a number of seconds, milliseconds, … ; nothing for what is none."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    while 1e11 < number < math.inf:
        number /= 1000
    if 0 < number < math.inf:
        return number
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp()


def structured(text: str) -> dict[str, str]:
    """The fields that a line holds, as JSON (nested ones with full stops) or as `name=value`; none of a sentence."""
    if text.lstrip().startswith("{"):
        try:
            read = json.loads(text)
        except ValueError:
            return {}  # it is no JSON, and so has no fields
        return dict(flat(read)) if isinstance(read, dict) else {}
    pairs = {name: value.strip('"') for name, value in _PAIR.findall(text)}
    return pairs if len(pairs) >= _LEAST_PAIRS else {}


def flat(value: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, str]]:
    """The fields of an object as texts, nested ones with full stops between their names; empty ones are left out."""
    for name, part in value.items():
        if isinstance(part, dict):
            yield from flat(part, f"{within}{name}.")
        elif part is not None and part != "":
            yield f"{within}{name}", part if isinstance(part, str) else json.dumps(part)

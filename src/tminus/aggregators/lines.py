"""Lines of logs as an aggregator shows them, and what is asked of it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

SAMPLE = 200
"""How many of an instance's newest lines are looked at."""

_PAIR = re.compile(r'([A-Za-z_][\w.-]*)=("(?:[^"\\]|\\.)*"|[^\s"]*)')
_LEAST_PAIRS = 2
"""A text with fewer is a sentence that has an equals sign in it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line."""

    at: float
    """When it was written, as the aggregator has it; seconds of the epoch."""
    text: str
    labels: Mapping[str, str] = field(default_factory=dict)
    """What the aggregator itself knows of it: a stream's labels, a document's fields."""
    took: float | None = None
    """Seconds from its writing to its arrival; nothing where the aggregator does not tell."""

    def named(self, name: str) -> str:
        """What a label or a field of the text is; empty where the line has neither."""
        return self.labels.get(name) or structured(self.text).get(name, "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines are asked for."""

    labels: Mapping[str, str]
    """What every line of the service is known by."""
    instance: str
    """The label or field that tells one instance from another."""
    since: float
    until: float

    def takes(self, line: Line) -> bool:
        """Whether this is one of them, for an aggregator that cannot be asked."""
        return self.since <= line.at < self.until and all(
            line.named(name) == value for name, value in self.labels.items()
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What came of a question."""

    counts: Mapping[str, int]
    """By instance, how many lines there are; `SAMPLE` means that or more."""
    lines: Sequence[Line]
    """Some of them, the newest at least."""
    lost: str = ""
    """What is missing of the answer, in words; empty when it is whole."""

    def newest(self) -> float | None:
        """When the newest line was written; nothing where there is none."""
        return max((line.at for line in self.lines), default=None)


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


def gathered(lines: Sequence[Line], wanted: Wanted) -> Found:
    """An answer of an aggregator that cannot be asked, from all its lines."""
    counts: dict[str, int] = {}
    for line in (kept := [line for line in lines if wanted.takes(line)]):
        if name := line.named(wanted.instance):
            counts[name] = counts.get(name, 0) + 1
    return Found(counts, kept)


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

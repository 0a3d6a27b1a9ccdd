"""YAML as Prometheus and Alertmanager read it: each value as it is written, with its place; aliases within bounds.

Both are written in Go and take a value for what the field wants: `code: 0x10` is the text `0x10` where a text is
wanted. So nothing is converted here before somebody asks. Anchors, aliases and merged keys are followed, as they are
usual in rule files; what they stand for counts as if it were written out, so that a few lines cannot be a whole
machine's memory.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import yaml

from tminus.garbage import uncollected

MAX_BYTES = 8 * 1024 * 1024
"""The longest text that is read; the largest known collection of rules has a tenth of it."""
MAX_VALUES = 300_000
"""The most values in one text, those behind aliases counted as if they were written out."""
MAX_DEPTH = 64
"""How deep values may be nested, aliases followed."""

_EVENTS = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = {"", "~", "null", "Null", "NULL"}
_TRUE = {"true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"}
_FALSE = {"false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"}
_TAGS = {
    "!",
    *(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")),
}
_MERGE = "<<"
_DURATION = re.compile(
    r"(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?", re.ASCII
)
_SECONDS = (365 * 86400.0, 7 * 86400.0, 86400.0, 3600.0, 60.0, 1.0, 0.001)
_LONGEST_SECONDS = (2**63 - 1) / 1e9
"""Go counts nanoseconds in 64 bits."""


class FaultError(Exception):
    """What stands here is not what the program takes; `line` counts from 1."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Why a file is refused, and on which line."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.sentence}"


@dataclass(slots=True, eq=False)
class Node:
    """One value and where it stands."""

    line: int
    size: int = field(default=1, init=False)
    """How many values it is, written out."""
    depth: int = field(default=1, init=False)


@dataclass(slots=True, eq=False)
class Scalar(Node):
    """A single value, as it is written."""

    written: str
    plain: bool
    """Whether it stands without quotes, so that it may be nothing, true or false."""

    @property
    def empty(self) -> bool:
        """Whether it is YAML's `null`, which leaves a field as it is."""
        return self.plain and self.written in _NULL


@dataclass(slots=True, eq=False)
class Items(Node):
    """A list."""

    nodes: list[Node] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Fields(Node):
    """A mapping: its values by key, and the line of each key."""

    nodes: dict[str, Node] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def get(self, name: str) -> Node | None:
        """The value of a field; nothing where it is absent or `null`."""
        found = self.nodes.get(name)
        return None if isinstance(found, Scalar) and found.empty else found

    def line_of(self, name: str) -> int:
        """The line of a field; that of the mapping where it has none."""
        return self.lines.get(name, self.line)

    def unknown(self, known: Collection[str]) -> Iterator[tuple[int, str]]:
        """Line and name of each field that is none of these."""
        return ((line, name) for name, line in self.lines.items() if name not in known)

    def text(self, name: str) -> str:
        """A field as text; empty where it is absent."""
        return "" if (found := self.get(name)) is None else as_text(found, name)

    def texts(self, name: str) -> list[tuple[int, str]]:
        """A field as a list of texts with their lines; empty where it is absent."""
        return [(one.line, as_text(one, f"each of {name}")) for one in self.listed(name)]

    def listed(self, name: str) -> list[Node]:
        """A field as a list; empty where it is absent."""
        found = self.get(name)
        if found is None:
            return []
        if not isinstance(found, Items):
            raise FaultError(found.line, f"{name} is no list")
        return found.nodes

    def mapped(self, name: str) -> "Fields":
        """A field as a mapping; an empty one where it is absent."""
        found = self.get(name)
        return Fields(self.line_of(name)) if found is None else as_fields(found, name)

    def flag(self, name: str) -> bool:
        """A field as true or false; false where it is absent."""
        found = self.get(name)
        if found is None:
            return False
        if not isinstance(found, Scalar) or not found.plain or found.written not in _TRUE | _FALSE:
            raise FaultError(found.line, f"{name} is neither true nor false")
        return found.written in _TRUE

    def seconds(self, name: str) -> float | None:
        """A field as a length of time; none where it is absent."""
        found = self.get(name)
        if found is None:
            return None
        try:
            return seconds(as_text(found, name))
        except ValueError as error:
            raise FaultError(found.line, f"{name}: {error}") from error


def as_text(node: Node, what: str) -> str:
    """A value as text, as it is written; `null` is an empty one."""
    if not isinstance(node, Scalar):
        raise FaultError(node.line, f"{what} is no text")
    return "" if node.empty else node.written


def as_fields(node: Node | None, what: str) -> Fields:
    """A value as a mapping."""
    if not isinstance(node, Fields):
        raise FaultError(node.line if node else 1, f"{what} is no mapping")
    return node


def seconds(text: str) -> float:
    """A length of time as Prometheus writes it, `1h30m` or `0`; raises `ValueError` for anything else.

    Source: `ParseDuration` of prometheus/common.
    """
    if text == "0":
        return 0.0
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        raise ValueError(f"{text!r} is no length of time such as 30s or 1h30m")
    total = sum(int(part or 0) * unit for part, unit in zip(found.groups(), _SECONDS, strict=True))
    if total > _LONGEST_SECONDS:
        raise ValueError(f"{text!r} is longer than 292 years")
    return total


@contextmanager
def telling(faults: list[Fault]) -> Iterator[None]:
    """Keep the first fault within, and go on after it."""
    try:
        yield
    except FaultError as error:
        faults.append(Fault(error.line, str(error)))


@dataclass(slots=True)
class _Builder:
    """Values out of libyaml's events, without recursion."""

    documents: list[Node] = field(default_factory=list)
    _anchors: dict[str, Node] = field(default_factory=dict)
    _open: list[tuple[str, Items | Fields]] = field(default_factory=list)
    """What is being filled, each with its anchor."""
    _keys: list[tuple[str, int] | None] = field(default_factory=list)
    _values: int = 0

    def build(self, text: str) -> list[Node]:
        loader = _EVENTS(text)
        taken: Mapping[type, Callable[[Any, int], None]] = {
            yaml.ScalarEvent: self._scalar,
            yaml.MappingStartEvent: self._mapping,
            yaml.SequenceStartEvent: self._list,
            yaml.MappingEndEvent: self._end,
            yaml.SequenceEndEvent: self._end,
            yaml.AliasEvent: self._alias,
            yaml.DocumentStartEvent: self._document,
        }
        try:
            with uncollected():
                while (event := loader.get_event()) is not None:
                    act = taken.get(type(event))
                    if act is not None:
                        act(event, event.start_mark.line + 1)
        finally:
            loader.dispose()
        return self.documents

    def _document(self, event: Any, line: int) -> None:
        del event, line
        self._anchors.clear()

    def _scalar(self, event: Any, line: int) -> None:
        self._tagged(event, line)
        node = Scalar(line, event.value, plain=not event.style and event.tag is None)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._counted(node)
        self._met(node)

    def _mapping(self, event: Any, line: int) -> None:
        self._begins(event, Fields(line))

    def _list(self, event: Any, line: int) -> None:
        self._begins(event, Items(line))

    def _begins(self, event: Any, node: Items | Fields) -> None:
        self._tagged(event, node.line)
        if self._wants_key():
            raise FaultError(node.line, "a key is a word, no list and no mapping")
        self._counted(node)
        self._open.append((event.anchor or "", node))
        self._keys.append(None)

    def _end(self, event: Any, line: int) -> None:
        del event, line
        anchor, node = self._open.pop()
        self._keys.pop()
        if isinstance(node, Fields):
            _merge(node)
        inside = node.nodes if isinstance(node, Items) else [*node.nodes.values()]
        node.size += sum(one.size for one in inside)
        node.depth += max((one.depth for one in inside), default=0)
        if anchor:
            self._anchors[anchor] = node
        self._met(node)

    def _alias(self, event: Any, line: int) -> None:
        if any(anchor == event.anchor for anchor, _ in self._open):
            raise FaultError(line, "an alias stands within what it stands for")
        node = self._anchors.get(event.anchor)
        if node is None:  # it may be a password that begins with an asterisk
            raise FaultError(line, "an alias (`*…`) stands for nothing; is it a text that lacks its quotes?")
        self._counted(node, line)
        self._met(node)

    def _met(self, node: Node) -> None:
        if not self._open:
            self.documents.append(node)
            return
        there = self._open[-1][1]
        if isinstance(there, Items):
            there.nodes.append(node)
        elif (key := self._keys[-1]) is None:
            if not isinstance(node, Scalar):
                raise FaultError(node.line, "a key is a word, no list and no mapping")
            self._keys[-1] = (node.written, node.line)
        else:
            self._keys[-1] = None
            _put(there, key, node)

    def _wants_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1][1], Fields) and self._keys[-1] is None

    def _counted(self, node: Node, line: int = 0) -> None:
        self._values += node.size
        if self._values > MAX_VALUES:
            raise FaultError(line or node.line, f"it holds more than {MAX_VALUES:,} values, aliases followed")
        if len(self._open) + node.depth > MAX_DEPTH:
            raise FaultError(line or node.line, f"it is nested deeper than {MAX_DEPTH} levels")

    @staticmethod
    def _tagged(event: Any, line: int) -> None:
        if event.tag is not None and event.tag not in _TAGS:
            raise FaultError(line, "a tag (`!…`) is not read; is it a text that lacks its quotes?")


def _put(there: Fields, key: tuple[str, int], node: Node) -> None:
    name, line = key
    if name in there.nodes:
        raise FaultError(line, f"{name} stands here twice, first on line {there.lines[name]}")
    there.nodes[name] = node
    there.lines[name] = line


def _merge(node: Fields) -> None:
    """Take in what `<<` brings and the mapping does not have itself."""
    if _MERGE not in node.nodes:
        return
    line = node.lines.pop(_MERGE)
    brought = node.nodes.pop(_MERGE)
    for one in brought.nodes if isinstance(brought, Items) else [brought]:
        if not isinstance(one, Fields):
            raise FaultError(line, "`<<` takes a mapping, or a list of them")
        for name, value in one.nodes.items():
            if name not in node.nodes:
                node.nodes[name] = value
                node.lines[name] = one.lines[name]


def documents(text: str) -> list[Node]:
    """Every document of this text; raises `FaultError` for what is no YAML, or too much of it."""
    try:
        return _Builder().build(text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise FaultError(line, "it is no YAML: a control character stands here") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise FaultError(mark.line + 1 if mark else 1, f"it is no YAML: {error.problem}") from error

"""YAML text as plain values that remember where they stand: fast, without recursion, nothing followed or executed.

The events come from libyaml. What a plain word means is YAML 1.2's core schema (`yes` is a text, `2025-01-15` too), as
editors and the round-trip writer read it. Aliases, tags and second documents are refused: a plan writes everything
out, and a few nested aliases are a whole machine's memory.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from tminus.garbage import uncollected
from tminus.planfile.problem import Mark, Problem, problem_at

MAX_BYTES = 6 * 1024 * 1024
"""The longest plan that is read; one of 10,000 lines of a checklist has about 3 MB."""
MAX_VALUES = 220_000
"""The most values in one plan."""
MAX_TEXT = 20_000
"""The longest single value, in characters; more is no sentence, and patterns are slow on it."""
MAX_DEPTH = 40
"""How deep values may be nested."""

EVENTS = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""What parses: libyaml where the platform has it; the same events from Python, slower, where not."""

_NULL = {"", "~", "null", "Null", "NULL"}
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_ENDLESS = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_SAFE = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly: RFC 8785, appendix D."""


class Map(dict[str, Any]):
    """A mapping that knows where each of its keys stands."""

    __slots__ = ("mark", "marks")

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.marks: dict[str, Mark] = {}

    def put(self, key: str, value: Any, mark: Mark) -> None:
        """Set a key, and where it stands."""
        self[key] = value
        self.marks[key] = mark


class Seq(list[Any]):
    """A list that knows where each of its entries stands."""

    __slots__ = ("mark", "marks")

    def __init__(self, mark: Mark) -> None:
        super().__init__()
        self.mark = mark
        self.marks: list[Mark] = []

    def add(self, value: Any, mark: Mark) -> None:
        """Append an entry, and where it stands."""
        self.append(value)
        self.marks.append(mark)


class _RefusedError(Exception):
    """No plan can be made of this text; carries the one problem."""

    def __init__(self, line: int, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(slots=True)
class _Builder:
    file: str
    problems: list[Problem] = field(default_factory=list)
    root: Any = None
    _open: list[Map | Seq] = field(default_factory=list)
    _key: list[tuple[str, Mark] | None] = field(default_factory=list)
    _values: int = 0
    _documents: int = 0
    _dropped: int = 0

    def build(self, text: str) -> Any:
        loader = EVENTS(text)
        next_event = loader.get_event
        taken: dict[type, Callable[[Any, int], None]] = {
            yaml.ScalarEvent: self._scalar_met,
            yaml.MappingStartEvent: self._mapping_begins,
            yaml.SequenceStartEvent: self._list_begins,
            yaml.MappingEndEvent: self._ends,
            yaml.SequenceEndEvent: self._ends,
            yaml.AliasEvent: self._alias_met,
            yaml.DocumentStartEvent: self._document_begins,
        }
        passed_over = _nothing
        try:
            with uncollected():
                while (event := next_event()) is not None:
                    taken.get(type(event), passed_over)(event, event.start_mark.line + 1)
        finally:
            loader.dispose()
        return self.root

    def _scalar_met(self, event: Any, line: int) -> None:
        if len(event.value) > MAX_TEXT:
            raise _RefusedError(
                line, f"a value has {len(event.value):,} characters; write {MAX_TEXT:,} at most"
            )
        self._counted(event, line)
        if self._wants_key():
            self._key[-1] = (event.value, Mark(self.file, line))
        else:
            self._place(self._scalar(event, line), Mark(self.file, line))

    def _mapping_begins(self, event: Any, line: int) -> None:
        self._counted(event, line)
        self._enter(Map(Mark(self.file, line)))

    def _list_begins(self, event: Any, line: int) -> None:
        self._counted(event, line)
        self._enter(Seq(Mark(self.file, line)))

    def _ends(self, event: Any, line: int) -> None:
        del event, line
        self._open.pop()
        self._key.pop()

    def _alias_met(self, event: Any, line: int) -> None:
        del event
        raise _RefusedError(line, "aliases are not read; write the value out")

    def _document_begins(self, event: Any, line: int) -> None:
        del event
        self._documents += 1
        if self._documents > 1:
            raise _RefusedError(line, "a second document begins; a plan is one document, take the `---` out")

    def _counted(self, event: Any, line: int) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _RefusedError(line, f"it holds more than {MAX_VALUES:,} values; split the plan")
        if event.tag is not None and event.tag != "!":
            raise _RefusedError(line, f"tags are not read; write the value without {event.tag[:40]!r}")

    def _enter(self, node: Map | Seq) -> None:
        if len(self._open) >= MAX_DEPTH:
            raise _RefusedError(node.mark.line, "nested too deep to read; a plan has a few levels")
        if self._wants_key():
            raise _RefusedError(
                node.mark.line, "a key is a word, not a list or a mapping; write `key: value`"
            )
        self._place(node, node.mark)
        self._open.append(node)
        self._key.append(None)

    def _wants_key(self) -> bool:
        return bool(self._key) and self._key[-1] is None and type(self._open[-1]) is Map

    def _place(self, value: Any, mark: Mark) -> None:
        if not self._open:
            self.root = value
            return
        there = self._open[-1]
        if type(there) is Seq:
            there.append(value)
            there.marks.append(mark)
        else:
            self._put(there, value)

    def _put(self, there: Any, value: Any) -> None:
        key, mark = self._key[-1] or ("", there.mark)
        self._key[-1] = None
        if key in there:
            first = there.marks[key].line
            self._problem(mark.line, f"duplicate key `{key}`, first on line {first}; keep one of them")
        else:
            there.put(key, value, mark)

    def _scalar(self, event: Any, line: int) -> Any:
        text: str = event.value
        if event.style or event.tag == "!":
            return text
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if text[0].isalpha() or text[0] == "/":  # most words; no number begins so
            return text
        return self._number(text, line)

    def _number(self, text: str, line: int) -> Any:
        number: int | float
        if _INT.fullmatch(text) and len(text) < 40:
            number = int(text, 8 if text[:2] == "0o" else 16 if text[:2] == "0x" else 10)
        elif _INT.fullmatch(text) or _ENDLESS.fullmatch(text):
            number = float("inf")
        elif _FLOAT.fullmatch(text):
            number = float(text)
        else:
            return text
        if not abs(number) <= _SAFE:
            self._problem(
                line, f"{text[:40]} is no number that JSON keeps exactly; write a smaller one, or a text"
            )
        return number

    def _problem(self, line: int, sentence: str) -> None:
        self.problems.append(problem_at(Mark(self.file, line), sentence))


def _nothing(event: Any, line: int) -> None:
    """What begins and ends a stream holds no value."""
    del event, line


def parsed(text: str, file: str) -> tuple[Any, list[Problem]]:
    """The value that this YAML text is, and what is wrong with it as YAML; nothing where it cannot be read."""
    builder = _Builder(file)
    try:
        return builder.build(text), builder.problems
    except _RefusedError as error:
        found = problem_at(Mark(file, error.line), f"no YAML that a plan can be: {error}")
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        found = problem_at(Mark(file, line), "no YAML: a control character stands here; take it out")
    except yaml.MarkedYAMLError as error:
        found = _unreadable(error, text, file)
    return None, [*builder.problems, found]


def _unreadable(error: Any, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    lines = text.splitlines()
    near = lines[line - 1] if line <= len(lines) else ""
    blanks = near[: len(near) - len(near.lstrip())]
    if "\t" in blanks:
        return problem_at(Mark(file, line), "no YAML: the line begins with a tab; indent with blanks")
    context = f" {error.context}" if error.context else ""
    return Problem(
        file,
        line,
        f"no YAML: {error.problem}{context}",
        "see the line and those above it: quotes, brackets, blanks",
    )


def mark_of(tree: Any, place: tuple[Any, ...]) -> Mark:
    """Where the innermost part of this place that is in the file stands."""
    node, mark = tree, tree.mark
    for step in place:
        known = step in node if isinstance(node, Map) else isinstance(node, Seq) and step in range(len(node))
        if not known:
            break
        mark, node = node.marks[step], node[step]
    found: Mark = mark
    return found


def plain(node: Any, *, keep_null: bool = False) -> Any:
    """The same value without its marks; a key without a value counts as not given, except among arguments."""
    if isinstance(node, Map):
        return {
            key: plain(value, keep_null=keep_null or key in {"with", "control"})
            for key, value in node.items()
            if value is not None or keep_null
        }
    if isinstance(node, Seq):
        return [plain(value, keep_null=keep_null) for value in node]
    return node


def texts(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every text in this value with its place, in the order of the file."""
    # One loop and no generator within a generator: a long plan has a hundred thousand values.
    left = [(place, node)]
    while left:
        here, value = left.pop()
        if isinstance(value, str):
            yield here, value
        elif isinstance(value, Map):
            left += [
                ((*here, key), part) for key, part in reversed(value.items()) if isinstance(part, _HOLDS)
            ]
        elif isinstance(value, Seq):
            last = len(value) - 1
            left += [
                ((*here, last - back), part)
                for back, part in enumerate(reversed(value))
                if isinstance(part, _HOLDS)
            ]


_HOLDS = (str, Map, Seq)
"""What is a text or may hold one."""

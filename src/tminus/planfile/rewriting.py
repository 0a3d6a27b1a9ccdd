"""Changes to a plan's file that leave every other byte as it is: comments, order, quotes, blanks.

A value is replaced where it stands in the text; a round-trip writer would break long lists anew and touch lines that
nobody changed. What comes out is read again and must mean the old plan with exactly these changes.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tminus import files
from tminus.errors import PlanError
from tminus.planfile.nodes import EVENTS, parsed, plain

Scalar = str | int | float | bool
Where = tuple[str | int, ...]
"""Keys from the top; within a list an index, or the `id` of the entry that is meant: `("roles", "lead", "person")`."""

_PLAIN = re.compile(r"[A-Za-z][\w./+@%-]*(?: [\w./+@%-]+)*", re.ASCII)
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_HINT = "write the value into the file by hand"


@dataclass(slots=True)
class Span:
    """A value's place in the text."""

    start: int
    end: int
    event: Any
    pairs: list[tuple["Span", "Span"]] = field(default_factory=list)
    entries: list["Span"] = field(default_factory=list)

    @property
    def column(self) -> int:
        """Where it begins in its line; of a list in block style, where its dashes stand."""
        column: int = self.event.start_mark.column
        return column

    @property
    def last(self) -> int:
        """Behind its last value; the parser counts blanks and comments below a block to it."""
        below = [value for _, value in self.pairs[-1:]] + self.entries[-1:]
        return below[0].last if below else self.end

    def get(self, key: str) -> "Span | None":
        """The value of a mapping's key; nothing where it has none."""
        return next((value for name, value in self.pairs if name.event.value == key), None)


def rewrite(path: Path, changes: Mapping[Where, Scalar]) -> bool:
    """Change values in a plan's file; false, and the file is untouched, when it says all of this already.

    Raises `PlanError` for a place that is not in the file.
    """
    try:
        before = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise PlanError(f"{path} cannot be read: {error}", hint="check the path") from error
    after = rewritten(before, changes)
    if after == before:
        return False
    try:
        files.replace(path, [after.encode()], path.stat().st_mode & 0o777)
    except OSError as error:
        raise PlanError(f"{path} cannot be written: {error.strerror}", hint="check the folder") from error
    return True


def rewritten(text: str, changes: Mapping[Where, Scalar]) -> str:
    """The text with these values; the same text where it says so already."""
    root, wanted = spans(text), plain(_read(text), keep_null=True)
    edits: list[tuple[int, int, str]] = []
    for where, value in changes.items():
        holder, values = root, wanted
        for step in where[:-1]:
            holder, values = _inside(holder, values, step, where)
        key = where[-1]
        if not isinstance(values, dict) or not isinstance(key, str):
            raise _nowhere(where)
        if values.get(key) != value or type(values.get(key)) is not type(value):
            edits.append(_edit(text, holder, key, value))
            values[key] = value
    for start, end, new in sorted(edits, key=lambda edit: edit[0], reverse=True):
        text = text[:start] + new + text[end:]
    if plain(_read(text), keep_null=True) != wanted:
        raise PlanError("these changes cannot be written without changing more", hint=_HINT)
    return text


def _read(text: str) -> Any:
    tree, problems = parsed(text, "the plan")
    if problems:
        raise PlanError(f"{problems[0]}", hint="mend the file first: `tminus plan check`")
    return tree


def _nowhere(where: Where) -> PlanError:
    return PlanError(f"the plan has no {'.'.join(map(str, where))}", hint=_HINT)


def _inside(span: Span, values: Any, step: str | int, where: Where) -> tuple[Span, Any]:
    if isinstance(values, dict):
        inner = span.get(str(step))
        if inner is None:
            raise _nowhere(where)
        return inner, values[str(step)]
    if isinstance(values, list):
        for index, entry in enumerate(values):
            if step == index or (isinstance(entry, dict) and step in {entry.get("id"), entry.get("check")}):
                return span.entries[index], entry
    raise _nowhere(where)


def _edit(text: str, holder: Span, key: str, value: Scalar) -> tuple[int, int, str]:
    span = holder.get(key)
    if span is None:
        return _addition(text, holder, key, value)
    if not isinstance(span.event, yaml.ScalarEvent):
        raise PlanError(f"`{key}` holds more than one value", hint=_HINT)
    new = _scalar(value)
    if span.start == span.end:  # a key without a value
        return span.start, span.end, f" {new}" if text[span.start - 1 : span.start] == ":" else new
    return span.start, span.end, new + ("\n" if span.event.style in {"|", ">"} else "")


def _addition(text: str, holder: Span, key: str, value: Scalar) -> tuple[int, int, str]:
    """A new key: at the end of a mapping in braces, else on its own line below a key that has its value beside it."""
    if holder.event.flow_style:
        at = holder.pairs[-1][1].end if holder.pairs else holder.end - 1
        return at, at, f"{', ' if holder.pairs else ''}{key}: {_scalar(value)}"
    for name, span in reversed(holder.pairs):
        if "\n" not in text[name.start : span.end]:
            end = text.find("\n", span.end)
            at = len(text) if end < 0 else end
            line = "\r\n" if text[at - 1 : at] == "\r" else "\n"
            at -= line == "\r\n"
            return at, at, f"{line}{' ' * name.event.start_mark.column}{key}: {_scalar(value)}"
    raise PlanError(f"there is no line after which `{key}` could be written", hint=_HINT)


def _scalar(value: Scalar) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return _UNPRINTABLE.sub(
        lambda match: f"\\u{ord(match.group()):04x}", json.dumps(value, ensure_ascii=False)
    )


def _index(mark: Any) -> int:
    """Where an event begins or ends; the parser marks every one of them."""
    index: int = mark.index
    return index


def spans(text: str) -> Span:
    """Every value with its place, from the same events that the reader takes."""
    loader = EVENTS(text)
    shift = text.startswith("\ufeff")  # the parser counts from behind it
    root: Span | None = None
    stack: list[Span] = []
    keys: list[Span | None] = []
    try:
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.CollectionEndEvent):
                stack.pop().end = _index(event.end_mark) + shift
                keys.pop()
            elif isinstance(event, yaml.NodeEvent):
                span = Span(_index(event.start_mark) + shift, _index(event.end_mark) + shift, event)
                root = root or span
                if stack:
                    _into(stack[-1], keys, span)
                if isinstance(event, yaml.CollectionStartEvent):
                    stack.append(span)
                    keys.append(None)
    finally:
        loader.dispose()
    if root is None:
        raise PlanError("the plan is empty", hint=_HINT)
    return root


def _into(holder: Span, keys: list[Any], span: Span) -> None:
    if isinstance(holder.event, yaml.SequenceStartEvent):
        holder.entries.append(span)
    elif keys[-1] is None:
        keys[-1] = span
    else:
        holder.pairs.append((keys[-1], span))
        keys[-1] = None

"""New entries written into a plan's text, each below its likes; what is there stays, but for a row of milestones."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tminus.domain import offsets
from tminus.errors import PlanError
from tminus.importing.yamltext import Comments, in_row, keyed, listed
from tminus.planfile.nodes import parsed, plain
from tminus.planfile.rewriting import Span, Where, spans

_HINT = "write this list in block style, a line with `- ` for each entry, and merge again"


@dataclass(slots=True)
class Additions:
    """What is to be written into a plan."""

    comments: Comments
    """By id of an entry: lines to stand above it."""
    entries: dict[Where, list[dict[str, Any]]] = field(default_factory=dict)
    """By the list that they belong to: `("checks", "Alerts")`, `("roles",)`, `("omitted", 0, "lines")`."""
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Whole groups of lines that are left out, by their reason."""
    systems: Mapping[str, Any] = field(default_factory=dict)
    milestones: Sequence[str] = ()

    def lines(self) -> Iterator[Mapping[str, Any]]:
        """The lines among them."""
        for where, entries in self.entries.items():
            if where[0] in {"checks", "omitted"}:
                yield from entries
        for group in self.groups.values():
            yield from group["lines"]


def inserted(text: str, more: Additions) -> str:
    """The text with these additions; raises `PlanError` where they cannot be written without changing more."""
    made = _Text(text, more.comments)
    for where, entries in more.entries.items():
        made.entries(where, entries)
    if more.groups:
        made.entries(("omitted",), list(more.groups.values()))
    if more.systems:
        made.systems(more.systems)
    if more.milestones:
        made.milestones(more.milestones)
    return made.written()


class _Text:
    """A plan's text, where its values stand, and what is to be put where."""

    def __init__(self, text: str, comments: Comments) -> None:
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.text = text if text.endswith("\n") else text + self.newline
        self.comments = comments
        self.root = spans(self.text)
        self.wanted: Any = plain(parsed(self.text, "the plan")[0], keep_null=True)
        self.edits: list[tuple[int, int, int, str]] = []
        """Where from and to, how far out it stands, and what: at one place the innermost comes first."""

    def entries(self, where: Where, entries: list[dict[str, Any]]) -> None:
        """Entries at the end of a list; a list that is not there yet is made."""
        span, holder = self.root, self.wanted
        for depth, step in enumerate(where):
            inner = span.get(step) if isinstance(step, str) else span.entries[step]
            if inner is None or _nothing(inner):
                self._block(span, where[depth:], entries, holder)
                return
            span, holder = inner, holder[step]
        if span.event.flow_style:
            raise PlanError(f"nothing can be added to `{where[-1]}`, which stands on one line", hint=_HINT)
        indent = " " * span.column
        self._below(
            span, indent, [line for entry in entries for line in listed(entry, indent, self.comments)]
        )
        holder.extend(entries)

    def _block(self, span: Span, path: Where, entries: list[dict[str, Any]], holder: dict[str, Any]) -> None:
        """A list under keys that are not there yet."""
        value: Any = entries
        for key in reversed(path[1:]):
            value = {key: value}
        self._key(span, str(path[0]), value)
        holder[str(path[0])] = value

    def systems(self, more: Mapping[str, Any]) -> None:
        """Further systems, below those that are there."""
        span = self.root.get("systems")
        if span is None or _nothing(span):
            self._key(self.root, "systems", dict(more))
            self.wanted["systems"] = dict(more)
            return
        for name, value in more.items():
            self._key(span, name, value)
            self.wanted["systems"][name] = value

    def _key(self, span: Span, name: str, value: Any) -> None:
        """A key at the end of a mapping, or in the place where it stands without a value."""
        indent = " " * span.column
        lines = list(keyed(name, value, indent, self.comments))
        empty = next((pair for pair in span.pairs if pair[0].event.value == name), None)
        if span.event.flow_style:
            raise PlanError(f"`{name}` cannot be added to a mapping on one line", hint=_HINT)
        if empty is not None:
            written = self.newline.join(lines).lstrip()
            self.edits.append((empty[0].start, empty[1].end, 0, written))
        else:
            self._below(span, indent, ["", *lines] if span is self.root else lines)

    def milestones(self, more: Sequence[str]) -> None:
        """Further milestones, each where its time is."""
        span = self.root.get("milestones")
        if span is None or _nothing(span):
            self._key(self.root, "milestones", list(more))
            self.wanted["milestones"] = list(more)
            return
        there = self.wanted["milestones"]
        self.wanted["milestones"] = sorted([*there, *more], key=offsets.offset)
        if span.event.flow_style:
            self.edits.append((span.start, span.end, 0, in_row(self.wanted["milestones"])))
            return
        for text in more:
            later = [entry for entry, old in zip(span.entries, there, strict=True) if _after(old, text)]
            line = f"{' ' * span.column}- {text}{self.newline}"
            at = self._line_start(later[0].start) if later else self._line_end(span.last)
            self.edits.append((at, at, 0, line))

    def _below(self, span: Span, indent: str, lines: list[str]) -> None:
        at = self._line_end(span.last)
        self.edits.append((at, at, -len(indent), "".join(f"{line}{self.newline}" for line in lines)))

    def _line_end(self, place: int) -> int:
        """Behind the line in which a value ends; a text in block style ends behind its line already."""
        if self.text[place - 1 : place] == "\n":
            return place
        return self.text.find("\n", place) + 1

    def _line_start(self, place: int) -> int:
        return self.text.rfind("\n", 0, place) + 1

    def written(self) -> str:
        """The text; what stood there means the same as before."""
        text, place = self.text, 0
        parts: list[str] = []
        for start, end, _, new in sorted(self.edits, key=lambda edit: (edit[0], edit[2])):
            parts += (text[place:start], new)
            place = end
        after = "".join([*parts, text[place:]])
        tree, problems = parsed(after, "the plan")
        if problems or plain(tree, keep_null=True) != self.wanted:
            raise PlanError("the new lines cannot be written without changing more", hint=_HINT)
        return after


def _after(one: str, other: str) -> bool:
    return offsets.offset(one) > offsets.offset(other)


def _nothing(span: Span) -> bool:
    """Whether a key stands there without a value, or with an empty one."""
    return span.start == span.end or not (span.pairs or span.entries)

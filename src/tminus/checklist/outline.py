"""One pass over a file's passages: which are boxes, and under what each of them stands."""

import re
from dataclasses import replace
from typing import NamedTuple

from tminus.checklist.blocks import Kind, Passage
from tminus.checklist.boxes import Box, ballots, cells, in_cells, odd, task
from tminus.checklist.limits import limits
from tminus.checklist.milestones import of_heading, of_item
from tminus.checklist.model import Form, Heading, Item
from tminus.checklist.notes import Note, Row
from tminus.checklist.plain import plain, titled
from tminus.checklist.source import Source
from tminus.checklist.words import day, optional, owner

_LONGEST_LEAD = 80
_OWNERS = re.compile(
    r"owner|assign|responsib|responsab|responsáv|verantwort|zuständig|who\b|qui\b|wer\b|quién|quem",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"^(?:due|when|deadline|date|time|timing|timeline|milestone|by when|target date|due (?:date|by|at)"
    r"|fällig(?: am)?|wann|termin|échéance|quand|fecha|cuándo|prazo|quando)$",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"#|no\.?|nr\.?|n°|nº", re.IGNORECASE)
_FIGURE = re.compile(r"\d")
_DETAIL = re.compile(r"[^:]{2,30}:\s*\S")


class _Lead(NamedTuple):
    """Words that introduce what stands below them and are no heading."""

    text: str = ""
    line: int = 0
    due: float | None = None


class Outline:
    """The boxes, headings and other lines of a file, each with what it stands under."""

    def __init__(self, source: Source, found: list[Passage], also: frozenset[Form]) -> None:
        self.source = source
        self.found = found
        self.also = also
        self.items: list[Item] = []
        self.headings: list[Heading] = []
        self.notes: list[Note] = []
        self.rows: list[Row] = []
        self.left = 0
        self.odd = 0
        self._path: list[Heading] = []
        self._section: tuple[str, ...] = ()
        self._due: float | None = None
        self._lead = _Lead()
        self._head: tuple[str, ...] = ()
        self._boxed: dict[int, int] = {}
        """The item of each list item's passage that is a box."""
        self._points: dict[int, _Lead] = {}
        """What a list item's passage says to the boxes under it."""

    def read(self) -> None:
        """Take every passage in its order."""
        take = {Kind.HEADING: self._heading, Kind.ROW: self._row, Kind.PARAGRAPH: self._paragraph}
        for number, passage in enumerate(self.found):
            if passage.kind is Kind.POINT:
                self._point(number, passage)
            else:
                take[passage.kind](passage)

    def _heading(self, passage: Passage) -> None:
        text = titled(passage.content)
        heading = Heading(passage.line + 1, passage.level, text, of_heading(text))
        self.headings.append(heading)
        while self._path and self._path[-1].level >= heading.level:
            self._path.pop()
        self._path.append(heading)
        self._section = tuple(above.text for above in self._path)
        self._due = next((above.due for above in reversed(self._path) if above.due is not None), None)
        self._lead = _Lead()

    def _point(self, number: int, passage: Passage) -> None:
        above = self._above(passage)
        box = task(self.source, passage)
        if box is not None:
            self._boxed[number] = len(self.items)
            self._points[number] = above
            self._item(box, passage, plain(box.text))
            return
        taken = len(self.items)
        self._ballots(passage)
        if len(self.items) > taken:
            self._boxed[number] = taken
            self._points[number] = above
            return
        self.odd += odd(passage)
        text = plain(passage.content)
        self._note(passage.line + 1, passage, text, above)
        due = of_heading(text) if len(text) <= _LONGEST_LEAD else None
        self._points[number] = _Lead(text.rstrip(" :"), passage.line + 1, above.due if due is None else due)
        if passage.point in self._boxed and _DETAIL.match(text):
            self._detail(self._boxed[passage.point], passage.content, text)

    def _detail(self, index: int, content: str, text: str) -> None:
        """A point under a box that says who answers for the box, or by when."""
        item = self.items[index]
        item = replace(item, owner=item.owner or owner(content, text), date=item.date or day(text))
        self.items[index] = item

    def _paragraph(self, passage: Passage) -> None:
        self._ballots(passage)
        above = self._above(passage) if passage.level else _Lead()
        lines = passage.content.split("\n")
        for number, line in enumerate(lines, passage.line + 1):
            self._note(number, passage, plain(line), above)
        if not passage.level:
            self._lead = _introduced(lines[-1].strip(), passage.line + len(lines))

    def _note(self, line: int, passage: Passage, text: str, above: _Lead) -> None:
        place = (self._section, above.text, above.line, passage.level, self._lead.text)
        self.notes.append(Note(line, passage.kind, text, *place))

    def _row(self, passage: Passage) -> None:
        line = self.source.lines[passage.line]
        words = tuple(plain(line[start:end]) for start, end in cells(line))
        if not passage.level:
            self._head = words
            return
        row = Row(passage.line + 1, self._section, self._head, words)
        self.rows.append(row)
        boxes = in_cells(self.source, passage.line)
        rest = _said(row, {cell for cell, _ in boxes})
        for cell, box in boxes:
            if box.form not in self.also:
                self.left += 1
                continue
            text = plain(box.text) or rest
            self._item(box, passage, f"{text}: {row.column(cell)}" if len(boxes) > 1 else text)
            self._columns(row)

    def _columns(self, row: Row) -> None:
        """What the columns for owner and due say of the newest box."""
        item, when = self.items[-1], row.under(_WHEN)
        due = of_item(when)
        if due is None:
            due = of_heading(when)
        self.items[-1] = replace(
            item,
            owner=item.owner or row.under(_OWNERS).removeprefix("@"),
            due=item.due if due is None else due,
            date=item.date or day(when),
        )

    def _ballots(self, passage: Passage) -> None:
        found = ballots(self.source, passage)
        if Form.BALLOT not in self.also:
            self.left += len(found)
            return
        for box in found:
            self._item(box, passage, plain(box.text))

    def _item(self, box: Box, passage: Passage, text: str) -> None:
        parent, above, due = self._parent(passage), self._above(passage), of_item(text)
        if due is None:
            due = self.items[parent].due if parent is not None else above.due
        figures = _FIGURE.search(text)
        self.items.append(
            Item(
                line=box.line + 1,
                text=text,
                checked=box.checked,
                section=self._section,
                parent=parent,
                form=box.form,
                mark=box.mark,
                end=box.end,
                due=self._due if due is None else due,
                limits=limits(text) if figures else (),
                owner=owner(box.text, text),
                date=day(text) if figures else "",
                optional=optional(text),
                group=above.text,
            )
        )

    def _parent(self, passage: Passage) -> int | None:
        place = passage.point
        while place >= 0 and place not in self._boxed:
            place = self.found[place].point
        return self._boxed[place] if place >= 0 else None

    def _above(self, passage: Passage) -> _Lead:
        return self._points.get(passage.point, self._lead)


def _said(row: Row, boxes: set[int]) -> str:
    """The words of a row without its boxes, its number, and the columns for owner and due where its head has them."""
    aside = {
        cell
        for cell, name in enumerate(row.head)
        if _OWNERS.search(name) or _WHEN.search(name) or _NUMBER.fullmatch(name)
    }
    for left_out in (boxes | aside, boxes):
        words = " \u00b7 ".join(word for cell, word in enumerate(row.words) if word and cell not in left_out)
        if words:
            return words
    return ""


def _introduced(line: str, number: int) -> _Lead:
    if len(line) > _LONGEST_LEAD:
        return _Lead()
    bold = line.startswith("**") and line.endswith(("**", "**:"))
    if not bold and not plain(line).endswith(":"):
        return _Lead()
    text = titled(line)
    return _Lead(text, number, of_heading(text))

"""A checklist's bytes read into its items, headings and facts."""

import hashlib
from dataclasses import replace

from tminus.checklist import blanks, cards, entries, signoff
from tminus.checklist.blocks import Passage, passages
from tminus.checklist.boxes import number_of
from tminus.checklist.model import Blank, Checklist, Form, Item, Span
from tminus.checklist.outline import Outline
from tminus.checklist.source import Source, opened, readable
from tminus.garbage import uncollected


@uncollected()
def read(data: bytes, *, also: frozenset[Form] = frozenset()) -> Checklist:
    """The checklist that a Markdown file holds.

    Boxes in tables and ballots are items only if `also` asks for them. A file without any box reads as no items;
    whether that will do is the caller's to say. Raises `ChecklistError` for what is empty, binary, larger than
    `MAX_BYTES` or nested beyond all use.
    """
    source = opened(data)
    found, fenced = passages(source.lines)
    outline = Outline(source, found, also)
    outline.read()
    roles, contacts = cards.cards(outline.notes, outline.rows)
    items, signatures, waiting = _signed(outline.items, _Blanks(source, outline).found())
    return Checklist(
        sha256=hashlib.sha256(data).hexdigest(),
        items=tuple(items),
        headings=tuple(outline.headings),
        blanks=tuple(waiting),
        roles=roles,
        contacts=contacts,
        signatures=signatures,
        triggers=entries.triggers(outline.notes),
        figures=entries.figures(outline.notes),
        document=entries.document(outline.notes),
        decisions=signoff.decisions(source, found),
        fenced=fenced,
        repaired=len(source.layers),
        undecodable=source.undecodable,
        bom=source.bom,
        newline=source.newline,
        left=outline.left,
        odd=outline.odd,
    )


class _Blanks:
    """The blanks of a file, each with what it belongs to as far as its place says."""

    def __init__(self, source: Source, outline: Outline) -> None:
        self.source = source
        self.passages = outline.found
        self.rows = {row.line: row for row in outline.rows}
        self.notes = {note.line: note for note in outline.notes}
        self.items = {item.line: item for item in outline.items}
        self.signers: dict[int, str] = {}
        """By line: the signer, which all blanks of the line share."""

    def found(self) -> list[Blank]:
        return [blank for passage in self.passages for blank in self._of(passage)]

    def _of(self, passage: Passage) -> list[Blank]:
        if not blanks.may_wait(passage.content):
            return []
        last = passage.line + passage.content.count("\n")
        return [
            self._blank(line, gap)
            for line in range(passage.line, last + 1)
            for gap in blanks.gaps(self.source.lines[line])
        ]

    def _blank(self, line: int, gap: blanks.Gap) -> Blank:
        span = Span(self.source.at(line, gap.start), self.source.at(line, gap.end))
        label, owner = gap.label, self._owner(line + 1, gap.label)
        if row := self.rows.get(line + 1):
            cell = number_of(self.source.lines[line], gap.start)
            label = label or row.column(cell)
            owner = row.words[0] if cell and row.words and row.words[0] != label else ""
        return Blank(line + 1, label, readable(gap.text), span, owner)

    def _owner(self, line: int, label: str) -> str:
        if item := self.items.get(line):
            if line not in self.signers:
                self.signers[line] = signoff.signer(item)
            return self.signers[line]
        note = self.notes.get(line)
        if note is None:
            return ""
        if signoff.signed(label) and not note.group:
            return note.behind
        return note.place if cards.label_of(label) else note.group


def _signed(items: list[Item], waiting: list[Blank]) -> tuple[list[Item], tuple[int, ...], list[Blank]]:
    """Sign-off lines by their role alone, and their blanks as that role's name and date."""
    labels: dict[int, list[str]] = {}
    for blank in waiting:
        labels.setdefault(blank.line, []).append(blank.label)
    alone = signoff.roles_alone(items)
    signing = {
        index: signoff.signer(item)
        for index, item in enumerate(items)
        if index in alone or signoff.signs(item, labels.get(item.line, []))
    }
    lines = {items[index].line for index in signing}
    owned = [
        replace(blank, label="Name") if blank.line in lines and blank.label == blank.owner else blank
        for blank in waiting
    ]
    named = [
        replace(item, text=signing[index]) if index in signing else item for index, item in enumerate(items)
    ]
    return named, tuple(signing), owned

"""The team's own checklist, handed back: the same bytes but for box marks, filled blanks and a link to each evidence.

A plan without a launch changes no box. After a launch a box is ticked when its line is green and empty when it is not,
whatever the source said, and every line ends with one link into the record that names its standing.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from tminus import checklist
from tminus.checklist.model import Checklist, Form, Item, Span
from tminus.checklist.writing import Edit, evidence_link, spelled, written
from tminus.errors import RefusedError
from tminus.exporting.blanks import Poll, decision_marks, escaped, filled, mark
from tminus.exporting.content import Content, Line, Signed, Standing
from tminus.planfile.document import Document

_FORMS = {"tables": Form.TABLE, "ballots": Form.BALLOT}


@dataclass(frozen=True, slots=True)
class Box:
    """What becomes of one box after a launch."""

    ticked: bool
    words: str
    """The link's text."""
    entry: str
    """SHA-256 of the record's line that the link names."""


def forms(document: Document) -> frozenset[Form]:
    """The further forms of boxes that the plan's source was read with."""
    also = document.source.also if document.source else []
    return frozenset(_FORMS[name] for name in also if name in _FORMS)


def handed_back(data: bytes, document: Document, content: Content) -> bytes:
    """The checklist's bytes as this plan or launch leaves them.

    Raises `RefusedError` when the plan takes one line for another, and when what was written would not read back as
    the same boxes.
    """
    also = forms(document)
    found = checklist.read(data, also=also)
    boxes = _boxes(found, content) if content.launch else {}
    result = written(data, _edits(data, found, document, content, boxes))
    if result != data:
        _read_back(found, checklist.read(result, also=also), boxes)
    return result


def _edits(
    data: bytes, found: Checklist, document: Document, content: Content, boxes: Mapping[int, Box]
) -> Iterator[Edit]:
    yield from filled(data, found, document, _poll(content))
    if content.launch is None:
        return
    yield from decision_marks(data, found, content.decision.decision if content.decision else "")
    for index, box in boxes.items():
        item = found.items[index]
        if item.checked != box.ticked:
            yield mark(data, item.mark, ticked=box.ticked)
        suffix = evidence_link(escaped(box.words), quote(content.launch.record, safe=""), box.entry)
        yield Edit(Span(item.end, item.end), spelled(data, item.mark.start, suffix))


def _boxes(found: Checklist, content: Content) -> dict[int, Box]:
    """By index of the item: what becomes of its box."""
    launch = content.launch
    assert launch is not None  # noqa: S101 - the caller asks only after a launch
    opened = content.course[0].entry if content.course else launch.head
    lines = _by_item(found.items, [*content.lines, *content.omitted])
    return {
        index: _box(line, opened, launch.head)
        if line
        else Box(ticked=False, words="not in this plan", entry=opened)
        for index, line in enumerate(lines)
    }


def _by_item(items: Sequence[Item], lines: Sequence[Line]) -> list[Line | None]:
    """The plan's line for each box: by its place in the file, and by its words where a row holds several boxes."""
    there: defaultdict[int, list[Line]] = defaultdict(list)
    for line in lines:
        if line.source_line:
            there[line.source_line].append(line)
    words = {line.text for line in lines}
    found: list[Line | None] = []
    for item in items:
        here = there[item.line]
        same = next((line for line in here if line.text == item.text), here[0] if here else None)
        if same:
            here.remove(same)
        # A plan's identity does not hold where its lines stand: what it calls by another line's words was moved.
        if same and same.text != item.text and item.text in words:
            raise RefusedError(
                f"line {item.line} of the checklist is {item.text!r}, but the plan takes it for {same.text!r}",
                hint="bring back the plan's `source_line` as the import wrote it",
            )
        found.append(same)
    return found


def _box(line: Line, opened: str, head: str) -> Box:
    standing = line.standing or Standing.PENDING
    if standing is Standing.OMITTED:
        return Box(ticked=False, words="not in this plan", entry=opened)
    if standing is Standing.WAIVED and line.waived:
        return Box(ticked=True, words=f"waived by {line.waived.by}", entry=line.waived.entry)
    if line.seen is None:
        return Box(ticked=False, words=standing.value, entry=head)
    return Box(ticked=standing.green, words=_words(line, standing), entry=line.seen.entry)


def _words(line: Line, standing: Standing) -> str:
    if standing is Standing.PASSED:
        return "evidence"
    if standing in {Standing.ATTESTED, Standing.SIGNED, Standing.NO_GO} and line.seen and line.seen.by:
        simulated = " (simulated)" if line.seen.simulated else ""
        return f"{standing.value} by {line.seen.by}{simulated}"
    return standing.value


def _poll(content: Content) -> Poll:
    signed: dict[int, Signed] = {}
    by_role = {signature.role: signature for signature in content.signatures}
    for line in content.lines:
        if line.standing is Standing.SIGNED and line.source_line and (vote := by_role.get(line.signer)):
            signed[line.source_line] = vote
    return Poll(signed, content.decision)


def _read_back(before: Checklist, after: Checklist, boxes: Mapping[int, Box]) -> None:
    """Raise `RefusedError` unless the written file holds the same boxes, marked as they were meant to be."""
    if len(before.items) != len(after.items):
        raise _refused(f"{len(after.items)} boxes instead of {len(before.items)}")
    for index, (was, now) in enumerate(zip(before.items, after.items, strict=True)):
        meant = boxes[index].ticked if index in boxes else was.checked
        if (was.line, was.form, was.parent) != (now.line, now.form, now.parent) or now.checked != meant:
            raise _refused(f"another box at line {now.line}")


def _refused(what: str) -> RefusedError:
    return RefusedError(
        f"the checklist cannot be handed back: what was written would read as {what}",
        hint="export as html or json, and report the line that tminus cannot write",
    )

"""What belongs in a checklist's blanks, as far as its plan and its launch know it.

A blank is filled only where the file says whose it is and what it asks for; what nobody knows stays blank.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tminus.checklist.model import Blank, Checklist, Span
from tminus.checklist.writing import Edit, spelled
from tminus.exporting.content import Signed
from tminus.planfile.document import Document
from tminus.planfile.filling import is_placeholder

_MARKUP = re.compile(r"[\\`*\[\]<>~]|(?<![^\W_])_|_(?![^\W_])|&(?=#?\w+;)")
_BLOCK = re.compile(r"(?:[-+=#]+|\d+(?=[.)]))(?=[\s.)]|$)")
_EMPTY = "\u2610"
"""An empty ballot."""
_DAY = 10
"""Characters of an ISO date."""

_LABELS = {
    "person": ("name", "person", "signature", "signed", "signed by"),
    "phone": ("phone", "telephone", "mobile", "tel"),
    "email": ("email", "e-mail", "mail"),
}
"""By what a plan knows of a person: how checklists call it, in lower case."""


@dataclass(frozen=True, slots=True)
class Poll:
    """What a launch knows about signatures and the decision; nothing of it for a plan."""

    signed: Mapping[int, Signed]
    """By line of the checklist, from 1."""
    decision: Signed | None = None


def escaped(text: str) -> str:
    """Text that is words and nothing else wherever it is put into Markdown, a table's cell included."""
    words = _MARKUP.sub(lambda match: f"\\{match.group()}", " ".join(text.split()))
    if block := _BLOCK.match(words):
        place = block.end() if words[0].isdigit() else 0
        words = f"{words[:place]}\\{words[place:]}"
    # Even an escaped bar makes a table's head of its line where dashes follow; its name does not.
    return words.replace("|", "&#124;")


def filled(data: bytes, checklist: Checklist, document: Document, poll: Poll) -> Iterator[Edit]:
    """One edit for each blank whose answer is known and is not what stands there already."""
    people = _people(document)
    signing = {checklist.items[index].line for index in checklist.signatures}
    for blank in checklist.blanks:
        answer = _signature(blank, poll) or _decided(blank, checklist, document, poll.decision)
        if not answer and blank.line not in signing:
            answer = people.get((_plain(blank.owner), _asked(blank.label)), "") or _stated(blank, document)
        words = _new_words(data, blank, answer)
        if words:
            yield Edit(blank.span, spelled(data, blank.span.start, escaped(words)))


def _new_words(data: bytes, blank: Blank, answer: str) -> str:
    """What is to be written; nothing where the plan still holds a placeholder.

    An answer may hold what stands behind the blank already, as in `+49-xxx (24/7)`.
    """
    behind = data[blank.span.end :].splitlines()[:1]
    tail = behind[0].decode(errors="replace").strip() if behind else ""
    words = " ".join(answer.split())
    if is_placeholder(words) or blank.text in words:
        return ""
    return words.removesuffix(tail).rstrip() if tail else words


def mark(data: bytes, span: Span, *, ticked: bool) -> Edit:
    """A ticked or empty box in the file's own kind: a letter between brackets, or a ballot."""
    if data[span.start : span.end].isascii():
        return Edit(span, b"x" if ticked else b" ")
    return Edit(span, spelled(data, span.start, "\u2611" if ticked else _EMPTY))


def decision_marks(data: bytes, checklist: Checklist, decided: str) -> Iterator[Edit]:
    """GO or NO-GO ticked, or neither, where the file asks once; of several decisions nobody knows which was meant."""
    if len(checklist.decisions) != 1:
        return
    asked = checklist.decisions[0]
    for span, word in ((asked.go, "go"), (asked.no_go, "no-go")):
        now = data[span.start : span.end].strip()
        if (now not in {b"", spelled(data, span.start, _EMPTY)}) != (decided == word):
            yield mark(data, span, ticked=decided == word)


def _signature(blank: Blank, poll: Poll) -> str:
    """On a line that somebody signed: the day for a date, the name for anything else."""
    signed = poll.signed.get(blank.line)
    if signed is None:
        return ""
    if "date" in blank.label.lower():
        return signed.at[:_DAY]
    return f"{signed.person} (simulated)" if signed.simulated else signed.person


def _decided(blank: Blank, checklist: Checklist, document: Document, decision: Signed | None) -> str:
    """In the part of the file that holds its one decision: the reason of a NO-GO and the new date."""
    if len(checklist.decisions) != 1 or not _stands_with(blank, checklist):
        return ""
    label = blank.label.lower()
    if "reason" in label:
        if decision is None:
            return document.decision.reason
        return decision.note if decision.decision == "no-go" or "no-go" not in label else ""
    if "reschedul" in label or "new date" in label:
        return decision.new_t0 if decision else document.decision.new_date
    if decision is None:
        return ""
    return decision.at[:_DAY] if "date" in label else ""


def _stands_with(blank: Blank, checklist: Checklist) -> bool:
    """Whether a blank stands between the decision's own heading and the next one."""
    line = checklist.decisions[0].line
    above = max((heading.line for heading in checklist.headings if heading.line <= line), default=0)
    below = min((heading.line for heading in checklist.headings if heading.line > line), default=0)
    return above <= blank.line and (not below or blank.line < below)


def _people(document: Document) -> dict[tuple[str, str], str]:
    """By the title of a role or contact and what is asked: what the plan knows."""
    found: dict[tuple[str, str], str] = {}
    for role in document.roles:
        for name in _LABELS:
            found[_plain(role.title), name] = str(getattr(role, name))
    for contact in document.contacts:
        for name in ("phone", "email"):
            found.setdefault((_plain(contact.title), name), str(getattr(contact, name)))
    return found


def _asked(label: str) -> str:
    words = _plain(label)
    return next((name for name, known in _LABELS.items() if words in known), "")


def _stated(blank: Blank, document: Document) -> str:
    """A contact's number on the contact's own line, or a fact about the document."""
    title = _plain(blank.label or blank.owner)
    for contact in document.contacts:
        if title and _plain(contact.title) == title:
            return contact.email if "@" in blank.text else contact.phone
    for fact in document.document:
        if _plain(fact.text) == _plain(blank.label):
            return fact.value
    return ""


def _plain(text: str) -> str:
    return " ".join(text.casefold().strip(" :*_").split())

"""Who signs, and the decision: sign-off lines among the boxes, and the pair GO and NO-GO."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from tminus.checklist.blocks import Passage
from tminus.checklist.model import Decision, Item, Span
from tminus.checklist.plain import wordless
from tminus.checklist.source import Source

_SECTION = re.compile(
    r"sign-?\s?offs?\b|\bgo\s?/\s?no-?\s?go\b|approv|signature|signator|authori[sz]ation|approbation|valideurs?|freigabe"
    r"|unterschrift|abnahme|genehmigung|aprobaci|firmas?\b|aprovaç|assinatura"
    r"|autoriza",
    re.IGNORECASE,
)
_TITLES = (
    r"lead(?:er|ership)?|manager|director|head|officer|owner|engineer|architect|coordinator|team|CTO|CEO"
    r"|CISO|COO|CIO|CPO|CFO|VP|PM|PO|DBA|stakeholders?|sponsor"
    r"|responsable(?: \w+)?|chef(?: de \w+)?|directeur(?: \w+)?|leiter(?:in)?|leitung|jefe(?: de \w+)?"
    r"|directora?(?: \w+)?|gerente(?: de \w+)?|líder(?: \w+)?"
    r"|responsável(?: \w+)?|diretora?(?: \w+)?"
)
_PARTS = (
    r"QA|SRE|DevOps|engineering|security|product|legal|compliance|operations|ops|business|marketing"
    r"|support|finance|UX|infrastructure|database"
)
_ACT = r"(?:[ :-]+(?:sign-?\s?off|approval|approved|approves|signature|signed|go))"
_SIGNER = re.compile(
    rf"(?:[\w&/.'-]+ ){{0,4}}?(?:{_TITLES})(?:\s*\([^()]*\))?{_ACT}?\W*"
    rf"|(?:[\w&/.'-]+ ){{0,4}}?(?:{_PARTS}){_ACT}\W*|(?:{_PARTS})\W*",
    re.IGNORECASE,
)
_SAID = (
    r"(?:'s)?(?:\s[-\u2013\u2014:]\s|[ :-]+)(?:has )?"
    r"(?:sign-?\s?off|signed[ -]?off|signs off|approval|approved|approves|signature|signed)"
)
_BY = (
    r"(?:signed[ -]?off|sign-?\s?off|approved|approval|signature)"
    r"(?:\s?[:\u2013\u2014-]\s|\s(?:by|from|of)\s)\s*(?:the )?"
)
_EXPLICIT = re.compile(
    rf"(?P<role>(?:[\w&/.'-]+ ){{0,4}}?(?:{_TITLES}|{_PARTS})(?:\s*\([^()]*\))?){_SAID}\W*"
    rf"|{_BY}(?P<by>(?:[\w&/.'-]+ ){{0,4}}?(?:{_TITLES}|{_PARTS})(?:\s*\([^()]*\))?)\W*",
    re.IGNORECASE,
)
"""A line that says by itself that a role signs, wherever it stands."""
_OFFICE = re.compile(rf"(?:[\w&/.'-]+ ){{0,4}}?(?:{_TITLES})(?:\s*\([^()]*\))?\W*", re.IGNORECASE)
_NO_OFFICE = re.compile(r"\b(?:team|stakeholders?|leadership)\b", re.IGNORECASE)
_OTHER_LIST = re.compile(
    r"\b(?:roles?|teams?|contact|on-?call|escalat|notif|inform|communicat|tell|alert|attend|invite|present|people"
    r"|responsib|assign|staff|who|stakeholder|rollen|équipe|equipo|equipe|kontakt|verantwort)",
    re.IGNORECASE,
)
"""Lists of roles that are there to be filled, told or called, and do not sign."""
_FEWEST = 2
"""Bare roles in one list that are signatures where no heading says so."""
_TITLE = re.compile(rf"\b(?:{_TITLES}|{_PARTS})\b", re.IGNORECASE)
_BEHIND = re.compile(r":|_{2,}|\s[-\u2013\u2014=]\s")
_DATED = re.compile(
    r"\b(?:date|datum|fecha|data|signature|unterschrift|firma|assinatura|signed)\b", re.IGNORECASE
)
_NO_GO = re.compile(r"\bno[\s-]?go\b", re.IGNORECASE)
_GO = re.compile(r"\bgo\b", re.IGNORECASE)
_BOX = r"(?:\[(?P<mark>[ xX])\]|(?P<ballot>[\u2610\u2611\u2612\u2705]))"
_WORD = r"(?:(?P<no>no[\s-]?go)|go(?![\s*_]*/\s*no[\s-]?go))"
_BOXED = re.compile(
    rf"{_BOX}[\s*_`]*{_WORD}(?=[\s*_`]*(?:$|[|/,;.()\[\]\u2610-\u2612\u2705:\u2013\u2014-]|or\b|ou\b"
    rf"|oder\b|o\b))",
    re.IGNORECASE,
)
_NEAR = 3
"""Lines between the two boxes of one decision."""


def signs(item: Item, labels: Sequence[str]) -> bool:
    """Whether a box is a person's signature: a role with blanks, or a bare role where signatures are collected.

    `labels` are those of the blanks on its line.
    """
    if _EXPLICIT.fullmatch(item.text):
        return True
    asked = _asked(item.section[-2:], item.group)
    if labels and _TITLE.search(signer(item)):
        return asked or any(_DATED.search(label) for label in labels)
    return asked and _SIGNER.fullmatch(item.text) is not None


def roles_alone(items: Sequence[Item]) -> set[int]:
    """Indexes of boxes in lists of nothing but offices, two at least: `QA Lead`, `CTO`; such a list is signed."""
    lists: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        lists[item.section, item.group, item.parent].append(index)
    return {
        index
        for (_, group, _), indexes in lists.items()
        if len(indexes) >= _FEWEST
        and all(_office(items[index].text) for index in indexes)
        and not _OTHER_LIST.search(" ".join(map(str, (*items[indexes[0]].section[-1:], group))))
        for index in indexes
    }


def _office(text: str) -> bool:
    return _OFFICE.fullmatch(text) is not None and _NO_OFFICE.search(text) is None


@lru_cache(maxsize=64)
def _asked(section: tuple[str, ...], group: str) -> bool:
    """Whether signatures are collected in this place."""
    return any(_SECTION.search(words) for words in (*section, group))


def signer(item: Item) -> str:
    """The role of a sign-off line, without the blanks behind it and the words that it signs."""
    if match := _EXPLICIT.fullmatch(item.text):
        return wordless(match.group("role") or match.group("by")).strip(" .*")
    return wordless(_BEHIND.split(item.text, 1)[0]).strip(" .*")


def signed(label: str) -> bool:
    """Whether a blank's label asks for a signature or its day."""
    return _DATED.search(label) is not None


def decisions(source: Source, passages: Iterable[Passage]) -> tuple[Decision, ...]:
    """Every pair of boxes for GO and NO-GO outside code."""
    if not any(_NO_GO.search(line) for line in source.lines):
        return ()
    lines = (
        passage.line + offset
        for passage in passages
        for offset in range(passage.content.count("\n") + 1)
        if _GO.search(passage.content)
    )
    return tuple(_pairs(list(_boxes(source, lines))))


def _boxes(source: Source, lines: Iterable[int]) -> Iterator[tuple[int, bool, Span]]:
    for line in lines:
        text = source.lines[line]
        for match in _BOXED.finditer(text):
            name = "mark" if match.group("mark") else "ballot"
            span = Span(source.at(line, match.start(name)), source.at(line, match.end(name)))
            yield line, match.group("no") is None, span


def _pairs(boxes: list[tuple[int, bool, Span]]) -> Iterator[Decision]:
    waiting: tuple[int, bool, Span] | None = None
    for box in boxes:
        if waiting is None or waiting[1] == box[1] or box[0] - waiting[0] > _NEAR:
            waiting = box
            continue
        go, no_go = (waiting[2], box[2]) if waiting[1] else (box[2], waiting[2])
        yield Decision(waiting[0] + 1, go, no_go)
        waiting = None

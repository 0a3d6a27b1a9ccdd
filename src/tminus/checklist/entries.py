"""What stands around the boxes: rollback triggers, test figures, and what the document says about itself."""

import re
from collections.abc import Iterable, Iterator

from tminus.checklist.blocks import Kind
from tminus.checklist.limits import limits
from tminus.checklist.model import Measure, Statement
from tminus.checklist.notes import Note
from tminus.checklist.quantities import NUMBER, UNIT, measured, number

_TRIGGERS = re.compile(
    r"(?:roll-?\s?back|roll back|abort|revert|backout).{0,20}\b(?:trigger|criteri|condition|if\b|when\b"
    r"|threshold)|\b(?:when|if) to (?:roll back|abort)"
    r"|\btriggers? (?:for|of) (?:a |the )?(?:roll|abort|revert)|(?:crit[eéè]r|condition|condici|condiç"
    r"|déclencheur|disparador|gatilho|umbral)\w*"
    r" (?:de |du |para |d['\u2019])?(?:la |el |o |le )?(?:roll-?\s?back|retour|revers|marcha atr"
    r"|reverter|annul)"
    r"|rollback-?\s?(?:kriteri|auslös|beding)|(?:auslöser|kriterien|bedingungen) für (?:den |einen "
    r"|ein )?(?:roll|rück|abbruch)|abbruchkriteri",
    re.IGNORECASE,
)
_RESULTS = re.compile(
    r"\b(?:test|testing|qa|load|performance|scan|benchmark)s?[ -](?:results?|figures?|metrics?|reports?"
    r"|summary|status)\b|\bresults? of (?:the )?tests?"
    r"|résultats? d(?:es|e|u) tests?|testergebnis|ergebnisse|resultados? d(?:e|os|as)(?: la| las"
    r"| los)? (?:prueba|teste)|^results?$|^résultats?$"
    r"|^resultados?$",
    re.IGNORECASE,
)
_TESTS = re.compile(r"\b(?:tests?|coverage|tester|prueba|teste|prüf)", re.IGNORECASE)
_DOCUMENT = re.compile(
    r"(?:document |doc\.? |checklist )?(?:last (?:updated?|modified|reviewed|revised|review|revision)"
    r"|next (?:review|update|revision)(?: date)?|review (?:date|cycle|frequency)"
    r"|(?:document|doc|checklist|page|template) (?:owner|author|version|date|status|maintainer)|version"
    r"|author|maintained by|maintainer|prepared by|created(?: on| by)?"
    r"|updated(?: on)?|dernière (?:mise à jour|révision|modification)|prochaine (?:révision|revue"
    r"|mise à jour)|(?:responsable|propriétaire|auteur) du document|auteur"
    r"|(?:letzte|nächste) (?:aktualisierung|änderung|überprüfung|prüfung|revision)"
    r"|zuletzt (?:aktualisiert|geändert)|stand|dokument(?:en)?(?:verantwortliche?r?|eigentümer)"
    r"|(?:última|próxima) (?:actualización|revisión|modificación|atualização|revisão)|(?:responsable"
    r"|propietario|autor) del documento|(?:responsável|autor) (?:do|pelo) documento|autor)",
    re.IGNORECASE,
)
_OUTCOME = re.compile(
    r"pass(?:ed|ing)?|fail(?:ed|ing)?|ok|done|clean|none|green|réussi\w*|bestanden|aprobad[oa]"
    r"|superad[oa]|aprovad[oa]|échou\w*|nicht bestanden|fallid[oa]|reprovad[oa]",
    re.IGNORECASE,
)
_OF = re.compile(rf"\s*(?P<number>{NUMBER})\s*(?:/|of|von|sur|de)\s*(?P<total>{NUMBER})(?!\w)", re.IGNORECASE)
_AMOUNT = re.compile(rf"\s*[<>=\u2264\u2265~\u2248]*\s*(?P<number>{NUMBER}){UNIT}", re.IGNORECASE)
_COUNTED = re.compile(rf"(?P<count>{NUMBER}) (?P<what>[^\W\d][\w-]*)")


def triggers(notes: Iterable[Note]) -> tuple[Statement, ...]:
    """The conditions under which the release is to be undone."""
    return tuple(
        Statement(note.line, note.text, note.place, note.section, limits(note.text))
        for note in notes
        if note.kind is Kind.POINT and note.depth == 1 and _TRIGGERS.search(note.place)
    )


def figures(notes: Iterable[Note]) -> tuple[Statement, ...]:
    """The results of tests that the document claims; several counts on one line are a figure each."""
    return tuple(statement for note in notes if _reports(note) for statement in _figures(note))


def document(notes: Iterable[Note]) -> tuple[Statement, ...]:
    """What the document says about itself: its dates, its version and its owner."""
    found = []
    for note in notes:
        label, value = note.labelled()
        if value and not note.group and is_about_itself(label):
            found.append(Statement(note.line, value, label, note.section))
    return tuple(found)


def is_about_itself(label: str) -> bool:
    """Whether a label introduces something about the document, such as when it was last updated."""
    return _DOCUMENT.fullmatch(label) is not None


def _reports(note: Note) -> bool:
    if note.kind is not Kind.POINT:
        return False
    return any(_RESULTS.search(words) for words in note.under[-2:])


def _figures(note: Note) -> Iterator[Statement]:
    label, value = note.labelled()
    if not label or not (value[:1].isdigit() or _AMOUNT.match(value) or _OUTCOME.match(value)):
        return
    counts = _COUNTED.findall(value)
    if len(counts) > 1 and re.fullmatch(
        rf"{_COUNTED.pattern}(?:[,;/] {_COUNTED.pattern.replace('?P<count>', '').replace('?P<what>', '')})+",
        value,
    ):
        for count, what in counts:
            text = f"{count} {what}"
            yield Statement(note.line, text, f"{label}, {what}", note.under, (), number(count), Measure.COUNT)
        return
    amount, measure, total = _amount(value)
    yield Statement(note.line, value, label, note.under, limits(value), amount, measure, total)


def _amount(value: str) -> tuple[float | None, Measure | None, float | None]:
    if match := _OF.match(value):
        return number(match.group("number")), Measure.COUNT, number(match.group("total"))
    match = _AMOUNT.match(value)
    meant = measured(match.group("number"), match.group("unit")) if match else None
    return (*meant, None) if meant else (None, None, None)

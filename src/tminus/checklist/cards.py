"""Roles and contacts: a title with a name, a telephone number or an address under it, in lists or tables."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tminus.checklist.blanks import placeholder
from tminus.checklist.entries import is_about_itself
from tminus.checklist.model import Card
from tminus.checklist.notes import Note, Row

FIELDS = {
    "name": "name full-name nom nombre nome person personne persona pessoa assigned assignee holder who",
    "phone": "phone telephone tel mobile cell téléphone tél telefon telefonnummer handy teléfono móvil"
    " telefone celular number",
    "email": "email e-mail mail courriel correo",
    "role": "role rôle rolle rol papel função funktion responsibility responsibilities duty duties",
    "slack": "slack chat teams",
    "url": "url link website portal",
    "backup": "backup deputy alternate substitute suppléant vertretung suplente",
    "availability": "availability hours timezone available",
}
_FIELD = {word: name for name, words in FIELDS.items() for word in words.split()}
_CONTACTS = re.compile(
    r"contact|kontakt|contat|emergenc|notfall|urgence|escalat|eskalation|hotline|helpdesk|who to call|annuaire",
    re.IGNORECASE,
)
_ROLES = re.compile(
    r"\broles?\b|^rol$|^rolle$|rôles?\b|rollen|responsib|responsab|verantwort|zuständig|funciones|papéis"
    r"|\bteam (?:members?|roster)|\bcrew\b|\braci\b",
    re.IGNORECASE,
)
_TITLE = re.compile(
    r"\b(?:lead|leader|manager|director|head|officer|owner|engineer|architect|coordinator|commander"
    r"|master|analyst|sponsor|tester|developer|administrator|admin|CTO|CEO|CISO|COO|CIO"
    r"|CPO|VP|PM|PO|DBA|QA|SRE|DevOps|responsable|chef|ingénieur|directeur|leiter(?:in)?|ingenieur"
    r"|entwickler|jefe|ingenier[oa]|gerente|líder|responsável|engenheir[oa]|diretor)\b",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PHONE = re.compile(r"(?<![\w.@/-])\+?\(?[\dxX][\dxX\s().-]{5,}[\dxX](?![\w@])")
_DAY = re.compile(r"\d{4}-\d\d-\d\d|\d{1,2}[./]\d{1,2}[./]\d{4}")
_URL = re.compile(r"https?://\S+")
_ENTITLES = re.compile(
    r"role|rôle|rolle|rol\b|papel|função|position|title|function|contact|kontakt|contato|team|service"
    r"|vendor|fournisseur|proveedor",
    re.IGNORECASE,
)


@dataclass(slots=True)
class _Draft:
    line: int
    title: str
    section: tuple[str, ...]
    contact: bool
    fields: dict[str, str] = field(default_factory=dict)

    def card(self) -> Card:
        return Card(self.line, self.title, self.section, self.fields)


def label_of(word: str) -> str:
    """The field that a label names in any of the languages; empty for none."""
    words = word.lower().strip(" .*").split()
    return (
        _FIELD.get(words[0], "")
        if words and (len(words) == 1 or words[1] in {"number", "address", "no"})
        else ""
    )


def cards(notes: Iterable[Note], rows: Iterable[Row]) -> tuple[tuple[Card, ...], tuple[Card, ...]]:
    """The roles and the contacts of a document, in its order."""
    drafts: dict[tuple[str, int], _Draft] = {}
    for note in notes:
        _from_note(note, drafts)
    found = [*drafts.values(), *_from_rows(rows)]
    useful = sorted(
        (draft for draft in found if draft.fields and _is_one(draft)), key=lambda draft: draft.line
    )
    roles = tuple(draft.card() for draft in useful if not draft.contact)
    return roles, tuple(draft.card() for draft in useful if draft.contact)


def _is_one(draft: _Draft) -> bool:
    if draft.contact:
        return bool(draft.title)
    return _TITLE.search(draft.title) is not None or _places(draft.section)


def _places(section: Iterable[str]) -> bool:
    return any(_ROLES.search(words) for words in section)


def _from_note(note: Note, drafts: dict[tuple[str, int], _Draft]) -> None:
    label, value = note.labelled()
    if is_about_itself(label):
        return
    contact = any(_CONTACTS.search(words) for words in note.under)
    known = label_of(label) if label else ""
    if known:
        entitled = note.place and (contact or "name" in known or (note.place, note.group_line) in drafts)
        if entitled or _places(note.section):
            _grouped(note, drafts, contact=contact).fields.setdefault(known, value)
        return
    if not label:
        if contact and not value.startswith("[") and (reach := reached(value)):
            _grouped(note, drafts, contact=True).fields.update(reach)
        return
    if contact and (reach := reached(value)):
        drafts[label, note.line] = _Draft(note.line, label, note.under, contact=True, fields=reach)
    elif value and _TITLE.search(label) and _places(note.under):
        fields = reached(value) or {"name": value}
        drafts[label, note.line] = _Draft(note.line, label, note.under, contact=False, fields=fields)


def _grouped(note: Note, drafts: dict[tuple[str, int], _Draft], *, contact: bool) -> _Draft:
    """The card whose title is what the note stands under."""
    key = (note.place, note.group_line)
    if key not in drafts:
        section = note.section if note.group else note.section[:-1]
        drafts[key] = _Draft(note.group_line or note.line, note.place, section, contact)
    return drafts[key]


def reached(value: str) -> dict[str, str]:
    """The addresses and numbers in a value; a placeholder counts as the number that belongs there."""
    found = {}
    if match := _EMAIL.search(value):
        found["email"] = match.group()
    if match := _URL.search(value):
        found["url"] = match.group()
    rest = _DAY.sub("", _URL.sub("", _EMAIL.sub("", value)))
    if match := _PHONE.search(rest):
        found["phone"] = match.group() if found else value
    if not found and value and placeholder(value):
        found["phone"] = value
    return found


def _from_rows(rows: Iterable[Row]) -> Iterable[_Draft]:
    for row in rows:
        fields = {name: column for column, name in enumerate(row.head) if label_of(name) not in {"", "role"}}
        title = next((column for column, name in enumerate(row.head) if _ENTITLES.search(name)), None)
        reach = {label_of(name) for name in fields}
        if title is None or title >= len(row.words) or not reach & {"name", "phone", "email"}:
            continue
        contact = any(_CONTACTS.search(words) for words in row.section) and not _ROLES.search(row.head[title])
        if not contact and "name" not in reach and not _places(row.section):
            continue
        values = {
            label_of(name): row.words[column]
            for name, column in fields.items()
            if column < len(row.words) and column != title
        }
        yield _Draft(row.line, row.words[title], row.section, contact, values)

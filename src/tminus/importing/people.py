"""Roles of a checklist: its cards, its sign-off lines, and the roles that its lines need and it does not name."""

from collections.abc import Sequence
from dataclasses import replace

from tminus.checklist.model import Card, Checklist
from tminus.importing.entries import Line
from tminus.importing.naming import Names, slug
from tminus.planfile.document import Document, LineEntry, RoleEntry

_WORDS = {
    "lead": (
        "deployment lead",
        "release manager",
        "launch lead",
        "release lead",
        "incident commander",
        "coordinator",
    ),
    "devops": ("devops", "infrastructure", "sre", "platform", "operations", "sysadmin"),
    "security": ("security", "sécurité", "sicherheit", "seguridad"),
    "qa": ("qa", "quality", "tester", "test"),
    "backend": ("backend", "developer", "engineer", "application"),
}
"""By role of the built-in plan: words of a card's title; the first role that has one is meant."""


def roles(
    checklist: Checklist, made: Sequence[Line], builtin: Document
) -> tuple[list[RoleEntry], list[Line]]:
    """Every role that the plan needs, and the lines with their owners and signers among them."""
    there = {role.id: role for role in builtin.roles}
    names = Names()
    cards: dict[str, RoleEntry] = {}
    for card in checklist.roles:
        key = names.take(_meant(card.title) or slug(card.title) or f"role-{card.line}")
        cards[key] = _from_card(key, card, there.get(key))
    made = _signing(checklist, made, names, there, cards)
    for line in made:
        if isinstance(line.entry, LineEntry) and line.entry.sign not in {"", *cards}:
            cards[line.entry.sign] = there[line.entry.sign]
    owners = {line.entry.owner for line in made}
    for name in sorted(owners - set(cards), key=lambda name: [*there, name].index(name)):
        cards[name] = (
            there[name].model_copy(update={"signs": False, "decides": False})
            if name in there
            else RoleEntry(id=name, title=name)
        )
    return _deciding(list(cards.values()), there), made


def _signing(
    checklist: Checklist,
    made: Sequence[Line],
    names: Names,
    there: dict[str, RoleEntry],
    cards: dict[str, RoleEntry],
) -> list[Line]:
    """Sign-off lines become signatures of a role each; a role that the built-in plan knows keeps its name."""
    after = list(made)
    for index in checklist.signatures:
        line = after[index]
        if not isinstance(line.entry, LineEntry):
            continue
        known = line.entry.sign
        key = known if known and known not in cards else names.take(f"{slug(line.item.text) or line.id}")
        title = line.item.text
        base = there[key] if key in there else RoleEntry(id=key, title=title)
        cards[key] = base.model_copy(update={"title": title, "signs": True, "decides": base.decides})
        entry = LineEntry.model_validate(
            {**_signed(line.entry), "sign": key, "owner": key, "due": "T-0", "line": title}
        )
        after[index] = replace(line, entry=entry, guess="")
    return after


def _signed(entry: LineEntry) -> dict[str, object]:
    """What stays of a line that turns out to be a signature: who wrote it where, and nothing of how it was observed."""
    kept = {"id", "severity", "fresh", "source_line", "checked", "confidence"}
    return {key: value for key, value in entry.model_dump(by_alias=True).items() if key in kept}


def _deciding(found: list[RoleEntry], there: dict[str, RoleEntry]) -> list[RoleEntry]:
    """Somebody must decide and somebody must sign: the lead does what nobody else is there for."""
    signs, decides = any(role.signs for role in found), any(role.decides for role in found)
    if signs and decides:
        return found
    lead = next((role for role in found if role.id == "lead"), there["lead"])
    wanted = lead.model_copy(update={"decides": True, "signs": lead.signs or not signs})
    return [wanted, *(role for role in found if role.id != "lead")]


def _meant(title: str) -> str:
    words = title.lower()
    return next((role for role, known in _WORDS.items() if any(word in words for word in known)), "")


def _from_card(key: str, card: Card, known: RoleEntry | None) -> RoleEntry:
    fields = card.fields
    return RoleEntry(
        id=key,
        title=card.title,
        person=fields.get("name", ""),
        phone=fields.get("phone", ""),
        email=fields.get("email", ""),
        duty=fields.get("role", known.duty if known else ""),
        decides=known.decides if known else False,
    )

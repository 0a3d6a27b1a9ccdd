"""A checklist in Markdown."""

from dataclasses import asdict
from pathlib import Path

from tminus import checklist
from tminus.checklist import Checklist, Form
from tminus.domain.canonical import JsonValue
from tminus.readers import Sight

_PARTS = ("headings", "blanks", "roles", "contacts", "triggers", "figures", "document", "decisions")


def likely(path: Path, head: bytes) -> bool:
    """See `Reader.likely`."""
    return path.suffix.lower() in {".md", ".markdown"} or b"- [ ]" in head or b"- [x]" in head


def see(path: Path) -> Sight:
    """Every box and what stands around it; boxes in tables and ballots are seen too, and told apart by their form."""
    found = checklist.read(checklist.load(path), also=frozenset({Form.TABLE, Form.BALLOT}))
    return Sight(_counts(found), asdict(found), tuple(_remarks(found)))


def _counts(found: Checklist) -> dict[str, int]:
    by_form = {f"{form}_boxes": sum(item.form is form for item in found.items) for form in Form}
    checked = sum(item.checked and item.form is Form.LIST for item in found.items)
    parts = {part: len(getattr(found, part)) for part in _PARTS}
    return {
        **by_form,
        "list_boxes_checked": checked,
        "boxes_in_code": found.fenced,
        "sign_offs": len(found.signatures),
        **parts,
    }


def _remarks(found: Checklist) -> list[str]:
    remarks: dict[str, JsonValue] = {
        "lines were decoded wrongly once and are read repaired": found.repaired,
        "bytes are no UTF-8 and stay as they are": found.undecodable,
    }
    return [f"{number} {words}" for words, number in remarks.items() if number]

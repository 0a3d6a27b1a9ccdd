"""What is put into a checklist's blanks."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tminus import checklist
from tminus.checklist.model import Blank, Checklist, Decision, Form, Heading, Span
from tminus.checklist.repair import broken
from tminus.checklist.writing import spelled, written
from tminus.exporting.blanks import Poll, decision_marks, escaped, filled, mark
from tminus.exporting.content import Signed

if TYPE_CHECKING:
    from tests.unit.exporting.export_world import document
else:
    from export_world import document

SIGNED = Signed(
    "cto", "CTO", "Cleo Chief", "go", "2027-01-15T08:00:01.000Z", "all green", simulated=False, entry="e" * 64,
    number=7, age_seconds=1.0, keyid="k" * 64,
)  # fmt: skip
EMPTY = checklist.read(b"# nothing")


def asked(label: str, owner: str = "", text: str = "____", line: int = 5) -> Blank:
    return Blank(line, label, text, Span(line, line + 1), owner)


def answers(
    blanks: list[Blank], poll: Poll | None = None, around: Checklist = EMPTY, **changes: Any
) -> list[str]:
    found = replace(around, blanks=tuple(blanks))
    return [
        edit.replacement.decode() for edit in filled(b"\n" * 20, found, document(**changes), poll or Poll({}))
    ]


def test_a_role_that_the_plan_names_is_filled_in() -> None:
    role = {
        "id": "qa",
        "title": "QA Engineer",
        "person": "Quentin",
        "phone": "+49 30 1",
        "email": "q_a@x.org",
    }
    blanks = [asked(label, "QA Engineer", f"[{label}]") for label in ("Name", "Phone", "Email", "Role")]
    assert answers(blanks, roles=[role]) == ["Quentin", "+49 30 1", "q_a@x.org"]


def test_what_is_still_a_placeholder_in_the_plan_stays_as_it_stands() -> None:
    roles = [{"id": "qa", "title": "QA Engineer", "person": "[Name]", "phone": ""}]
    assert (
        answers(
            [asked("Name", "QA Engineer", "[Name]"), asked("Phone", "QA Engineer", "[Phone]")], roles=roles
        )
        == []
    )


def test_a_number_keeps_what_stands_behind_its_blank_once() -> None:
    source = b"# Contacts\n\n**Security Emergency:**\n- +49-xxx-xxx-xxxx (24/7)\n"
    found = checklist.read(source)
    for phone, line in (
        ("+49-xxx-xxx-xxxx (24/7)", "- +49-xxx-xxx-xxxx (24/7)"),
        ("+49 30 3 (24/7)", "- +49 30 3 (24/7)"),
        ("+49 30 3", "- +49 30 3 (24/7)"),
    ):
        contact = {"id": "contact.security", "title": "Security Emergency", "phone": phone}
        edits = filled(source, found, document(contacts=[contact]), Poll({}))
        assert written(source, edits).decode().splitlines()[3] == line


def test_the_name_of_a_contact_is_not_its_number() -> None:
    contact = {"id": "contact.oncall", "title": "Primary On-Call", "phone": "+49 30 4"}
    blanks = [
        asked("Name", "Primary On-Call", "TBD"),
        asked("Phone", "Primary On-Call"),
        asked("", "Primary On-Call"),
    ]
    assert answers(blanks, contacts=[contact]) == ["+49 30 4", "+49 30 4"]


def test_a_plan_never_signs_in_anybodys_place() -> None:
    source = b"# Sign-Off\n\n- [ ] **CTO:** ________ Date: ____\n"
    role = {"id": "cto", "title": "CTO", "person": "Cleo Chief", "signs": True}
    found = checklist.read(source)
    assert [blank.owner for blank in found.blanks] == ["CTO", "CTO"]
    assert list(filled(source, found, document(roles=[role]), Poll({}))) == []


def test_a_blank_of_nobody_known_stays() -> None:
    assert answers([asked("Name", "Somebody Else"), asked("Lucky number")]) == []


def test_contacts_and_facts_about_the_document_are_filled_in() -> None:
    contacts = [
        {"id": "contact.hotline", "title": "Deployment Hotline", "phone": "+49 30 2", "email": "h@x.org"}
    ]
    facts = [{"id": "doc.review", "text": "Next Review", "value": "2027-02-01"}]
    blanks = [
        asked("Deployment Hotline:", text="+49-xxx"),
        asked("Deployment Hotline", text="you@example"),
        asked("Next Review", text="TBD"),
    ]
    assert answers(blanks, contacts=contacts, document=facts) == ["+49 30 2", "h@x.org", "2027-02-01"]


def test_a_signature_fills_its_own_line_and_no_other() -> None:
    poll = Poll({5: SIGNED, 6: replace(SIGNED, person="Sim", simulated=True)})
    assert answers([asked("CTO"), asked("Date")], poll) == ["Cleo Chief", "2027-01-15"]
    assert answers([asked("CTO", line=6)], poll) == ["Sim (simulated)"]
    assert answers([asked("CTO", line=7)], poll) == []


def decided(line: int = 4) -> Checklist:
    headings = tuple(Heading(number, 2, "h") for number in (1, 3, 9))
    return replace(EMPTY, headings=headings, decisions=(Decision(line, Span(0, 1), Span(2, 3)),))


def test_a_no_go_leaves_its_reason_and_its_new_date() -> None:
    no_go = replace(SIGNED, decision="no-go", note="error budget | spent", new_t0="2027-01-20T08:00:00.000Z")
    blanks = [asked("Reason (if NO-GO)"), asked("Rescheduled Date"), asked("Date")]
    assert answers(blanks, Poll({}, no_go), decided()) == [
        "error budget &#124; spent",
        "2027-01-20T08:00:00.000Z",
        "2027-01-15",
    ]


def test_a_go_leaves_the_reason_of_a_no_go_blank() -> None:
    blanks = [asked("Reason (if NO-GO)"), asked("Rescheduled Date"), asked("Reason")]
    assert answers(blanks, Poll({}, SIGNED), decided()) == ["all green"]


def test_a_reason_elsewhere_in_the_file_is_not_the_decisions() -> None:
    no_go = replace(SIGNED, decision="no-go")
    assert answers([asked("Reason", line=2), asked("Reason", line=9)], Poll({}, no_go), decided()) == []
    several = replace(decided(), decisions=decided().decisions * 2)
    assert answers([asked("Reason")], Poll({}, no_go), several) == []
    assert list(decision_marks(b"[ ] GO [ ] NO-GO", several, "go")) == []


def test_a_plan_may_hold_the_reason_itself() -> None:
    plan = {"reason": "freeze", "new_date": "Monday"}
    assert answers([asked("Reason"), asked("New Date")], None, decided(), decision=plan) == [
        "freeze",
        "Monday",
    ]


@pytest.mark.parametrize(
    ("now", "ticked", "after"),
    [
        ("- [ ] a", True, "- [x] a"),
        ("- [x] a", False, "- [ ] a"),
        ("\u2610 a", True, "\u2611 a"),
        ("\u2705 a", False, "\u2610 a"),
    ],
)
def test_a_mark_keeps_the_files_own_kind(now: str, ticked: bool, after: str) -> None:  # noqa: FBT001 - a parameter
    data = now.encode()
    item = checklist.read(data, also=frozenset({Form.BALLOT})).items
    assert written(data, [mark(data, item[0].mark, ticked=ticked)]).decode() == after


def test_what_is_added_to_a_line_that_was_decoded_wrongly_makes_the_same_mistake() -> None:
    once = broken("\u2610 gepr\u00fcft", 1).encode()
    item = checklist.read(once, also=frozenset({Form.BALLOT})).items[0]
    after = written(once, [mark(once, item.mark, ticked=True)])
    assert after == broken("\u2611 gepr\u00fcft", 1).encode()
    assert spelled(b"\xef\xbb\xbf# a\r\n" + once, 9, "J\u00fcrgen") == broken("J\u00fcrgen", 1).encode()
    assert spelled(b"# caf\xc3\xa9", 3, "J\u00fcrgen") == "J\u00fcrgen".encode()


@pytest.mark.parametrize(
    "text", ["[x] a box", "- list", "12. first", "# head", "---", "a|b", "~~~", "<b>", "_it_", "&lt;"]
)
def test_what_is_filled_in_is_words_and_never_markup(text: str) -> None:
    assert MarkdownIt("commonmark").enable("table").render(escaped(text)) == MarkdownIt().render(
        re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", text)
    )


@given(st.text(max_size=40))
def test_whatever_is_filled_in_reads_as_its_own_words(text: str) -> None:
    words = " ".join(text.split())
    tokens = MarkdownIt("commonmark").enable("table").parse(f"before\n\n{escaped(text)}\n\nafter")
    said = [token.children for token in tokens if token.type == "inline"]
    assert len(said) == (3 if words else 2)
    if words:
        assert "".join(part.content for part in said[1] or []) == words.replace("\0", "\ufffd")

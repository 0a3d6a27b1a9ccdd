"""Owners, dates, blanks, cards, signatures and decisions in lines of any wording."""

import pytest

from tminus.checklist import read
from tminus.checklist.blanks import gaps, placeholder
from tminus.checklist.words import day, optional, owner


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("Freeze code @alice", "alice"),
        ("Review by @org/release-team", "org/release-team"),
        ("Deploy (owner: Jane Doe)", "Jane Doe"),
        ("Deploy — Owner: Platform team, Due: 2026-01-15", "Platform team"),
        ("Owner: @bob", "bob"),
        ("Responsable : Zoé Martin", "Zoé Martin"),
        ("Verantwortlich: Max Müller", "Max Müller"),
        ("Run tests (QA)", "QA"),
        ("[DevOps] rotate keys", "DevOps"),
        ("Review (Security Team)", "Security Team"),
        ("Owner: [Name]", ""),
        ("Owner: TBD", ""),
        ("Owner: ____", ""),
        ("Product owner: OK", ""),
        ("mail bob@example.org", ""),
        ("add `@vue/test-utils`", ""),
        ("SMS for critical (on-call)", ""),
        ("War room scheduled (Google Meet/Zoom)", ""),
    ],
)
def test_an_owner_is_who_the_line_names(text: str, who: str) -> None:
    assert owner(text, text.replace("`", "")) == who


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Due: 2026-01-15", "2026-01-15"),
        ("by 15.01.2026", "2026-01-15"),
        ("25/12/2026", "2026-12-25"),
        ("12/25/2026", "2026-12-25"),
        ("January 15, 2026", "2026-01-15"),
        ("15 janvier 2026", "2026-01-15"),
        ("3. März 2026", "2026-03-03"),
        ("15 de enero de 2026", "2026-01-15"),
        ("03/04/2026", ""),
        ("2026-13-45", ""),
        ("30.02.2026", ""),
        ("[DATE]", ""),
    ],
)
def test_a_date_is_a_day_of_the_calendar(text: str, iso: str) -> None:
    assert day(text) == iso


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("Maintenance mode enabled (optional)", True),
        ("Email template ready (if needed)", True),
        ("Si nécessaire, purger le cache", True),
        ("Cache leeren (falls nötig)", True),
        ("Cookie Policy (si aplica)", True),
        ("Avisar clientes, se necessário", True),
        ("Blue environment terminated (if stable)", False),
        ("Adoption reviewed", False),
    ],
)
def test_a_line_says_that_it_may_be_left_out(text: str, *, may: bool) -> None:
    assert optional(text) is may


def test_a_point_under_a_box_may_name_its_owner_and_date() -> None:
    found = read(b"- [ ] Freeze\n  - Owner: Ann\n  - Due: 2026-01-15\n- [ ] Other\n")
    assert [(item.owner, item.date) for item in found.items] == [("Ann", "2026-01-15"), ("", "")]


@pytest.mark.parametrize(
    ("line", "waiting"),
    [
        ("- [ ] **CTO:** _____ Date: ___", [("CTO", "_____"), ("Date", "___")]),
        ("**Reason (if NO-GO):** ______", [("Reason (if NO-GO)", "______")]),
        ("- Date: ___/___/____ Time: ____", [("Date", "___/___/____"), ("Time", "____")]),
        ("- Name: [Name]", [("Name", "[Name]")]),
        ("- Nom : [Nom] Téléphone : [Téléphone]", [("Nom", "[Nom]"), ("Téléphone", "[Téléphone]")]),
        ("- Model: `[Cloud, On-prem]`", [("Model", "[Cloud, On-prem]")]),
        ("1. `[Action]` - Owner: `[Name]` - Due: `[Date]`", [("Owner", "[Name]"), ("Due", "[Date]")]),
        ("Approved by [Name] on [Date]", [("", "[Name]"), ("", "[Date]")]),
        ("- Contact: <your-name>", [("Contact", "<your-name>")]),
        ("- Version: {{ version }}", [("Version", "{{ version }}")]),
        ("- Owner: TBD", [("Owner", "TBD")]),
        ("- Date: YYYY-MM-DD", [("Date", "YYYY-MM-DD")]),
        ("- Approved by: ............", [("Approved by", "............")]),
        ("- +49-xxx-xxx-xxxx (24/7)", [("", "+49-xxx-xxx-xxxx")]),
        ("- Call 555-555-XXXX", [("", "555-555-XXXX")]),
        ("**Decision:** [ ] GO / [ ] NO-GO", []),
        ("- Done: [x] Owner: [Name]", [("Owner", "[Name]")]),
        ("- [x] See [docs](http://x), [ref][1], [1] and [^2]", []),
        ("- [ ] `kubectl get <pod>` and List<Item> and <b>bold</b>", []),
        ("- [ ] handle 4xx and 5xx", []),
        ("- [ ] Remove all TODO comments", []),
        ("- [ ] [QA] run", []),
        ("- Status: [DONE]", []),
        ("- Filter: `[WHATSAPP]`", []),
        ("- __init__ and ___bold___ and a___b", []),
    ],
)
def test_a_blank_is_a_place_that_waits(line: str, waiting: list[tuple[str, str]]) -> None:
    assert [(gap.label, gap.text) for gap in gaps(line)] == waiting
    assert all(line[gap.start : gap.end] == gap.text for gap in gaps(line))


@pytest.mark.parametrize(
    ("value", "waits"),
    [("[Name]", True), ("", True), ("TBD", True), ("+49-xxx-xxx", True), ("Ann", False), ("a@b.org", False)],
)
def test_a_placeholder_is_no_fact(value: str, *, waits: bool) -> None:
    assert placeholder(value) is waits


def test_blanks_in_a_table_belong_to_its_row() -> None:
    found = read(b"| Metric | Now | Later |\n|--|--|--|\n| Errors | TBD | ___ |\n")
    assert [(blank.owner, blank.label) for blank in found.blanks] == [("Errors", "Now"), ("Errors", "Later")]


def test_blanks_in_code_are_none() -> None:
    assert read(b"```\nName: [Name] ____\n```\n\n    Name: ____\n").blanks == ()


def test_a_signature_behind_a_list_belongs_to_who_introduces_it() -> None:
    found = read(b"**Engineering Lead:**\n- [ ] Tests passing\n\n**Signed:** ____ **Date:** ____\n")
    assert [(blank.owner, blank.label) for blank in found.blanks] == [
        ("Engineering Lead", "Signed"),
        ("Engineering Lead", "Date"),
    ]


@pytest.mark.parametrize(
    ("section", "line", "signs"),
    [
        ("Final Sign-Off", "**QA Lead:** ______ Date: ____", True),
        ("Sign-offs", "**Product Owner** ✍️", True),
        ("Approvals", "Database team approval", True),
        ("Freigabe", "Leiter: ______", True),
        ("Firmas", "Jefe de proyecto: ______", True),
        ("Anything", "CTO: ______ Date: ______", True),
        ("Approvals", "All tests pass on staging", False),
        ("Approvals", "GDPR compliance", False),
        ("Anything", "QA Lead", False),
        ("Setup", "Phone id: ______", False),
    ],
)
def test_a_sign_off_line_is_known(section: str, line: str, *, signs: bool) -> None:
    assert len(read(f"## {section}\n- [ ] {line}\n".encode()).signatures) == signs


@pytest.mark.parametrize(
    "text",
    [
        "**Decision:** [ ] GO / [ ] NO-GO",
        "- [ ] **GO**: proceed\n- [x] **NO-GO**: stop",
        "[ ] NO GO or [x] GO",
        "☐ Go ☐ No-Go",
    ],
)
def test_a_decision_is_a_pair_of_boxes(text: str) -> None:
    data = f"{text}\n".encode()
    decisions = read(data).decisions
    assert len(decisions) == 1
    for span, word in ((decisions[0].go, b"GO"), (decisions[0].no_go, b"NO")):
        assert data[span.start : span.end] in {b" ", b"x", "☐".encode()}
        assert data[span.end :].lstrip(b"] *").upper().startswith(word)


@pytest.mark.parametrize(
    "text", ["- [ ] Go/No-Go meeting held", "- [ ] GO", "- [ ] Go to page\n- [ ] No-go areas"]
)
def test_words_about_a_decision_are_none(text: str) -> None:
    assert read(f"{text}\n".encode()).decisions == ()


def test_cards_come_from_lists_lines_and_tables() -> None:
    found = read(
        b"## Roles\n- **Release Manager**: Ann Lee\n\n### SRE Lead\n- Name: Bo\n- Phone: +1 555 0100 22\n\n"
        b"| Role | Name | Email |\n|--|--|--|\n| QA Lead | Cy | cy@example.org |\n\n"
        b"## Kontakte\n- Hosting: help@example.org, +49 30 1234567\n\n**Document Owner:** doc@example.org\n\n"
        b"## Notes\n- Name: value\n"
    )
    assert [(card.title, card.fields) for card in found.roles] == [
        ("Release Manager", {"name": "Ann Lee"}),
        ("SRE Lead", {"name": "Bo", "phone": "+1 555 0100 22"}),
        ("QA Lead", {"name": "Cy", "email": "cy@example.org"}),
    ]
    assert [(card.title, card.fields) for card in found.contacts] == [
        ("Hosting", {"email": "help@example.org", "phone": "+49 30 1234567"}),
    ]


@pytest.mark.parametrize(
    "heading",
    [
        "## Rollback Triggers", "**Roll back if:**", "## Critères de rollback", "## Auslöser für Rollback",
        "## Criterios de rollback", "## Critérios de reversão", "## When to roll back",
    ],
)  # fmt: skip
def test_triggers_stand_under_their_own_words(heading: str) -> None:
    found = read(
        f"{heading}\n- Error rate >5% for 5 minutes\n  - detail\n\n## Rollback Steps\n- shift traffic\n".encode()
    )
    assert [trigger.text for trigger in found.triggers] == ["Error rate >5% for 5 minutes"]


@pytest.mark.parametrize(
    "heading",
    [
        "Test Results",
        "Load test results",
        "Résultats des tests",
        "Testergebnisse",
        "Resultados de las pruebas",
    ],
)
def test_figures_are_claims_about_tests(heading: str) -> None:
    found = read(
        f"## {heading}\n- P95: 120 ms\n- Suite: 10/12\n- Scan: passed\n- Tool: k6\n\n## Other\n- P95: 1 s\n".encode()
    )
    assert [(figure.label, figure.value, figure.total) for figure in found.figures] == [
        ("P95", 0.12, None),
        ("Suite", 10, 12),
        ("Scan", None, None),
    ]


@pytest.mark.parametrize(
    ("line", "role"),
    [
        ("QA Lead sign-off", "QA Lead"),
        ("QA Lead \u2014 approved", "QA Lead"),
        ("Engineering Manager approves", "Engineering Manager"),
        ("Signed off by the CTO", "CTO"),
        ("Approved by security team", "security team"),
        ("Sign-off: Product Owner", "Product Owner"),
        ("Head of Operations (Ann) has signed off", "Head of Operations (Ann)"),
    ],
)
def test_a_line_that_says_that_a_role_signs_is_a_signature_under_any_heading(line: str, role: str) -> None:
    found = read(f"## Whatever\n\n- [ ] {line}\n".encode())
    assert found.signatures == (0,)
    assert found.items[0].text == role


@pytest.mark.parametrize(
    "line",
    [
        "Get approval from legal",
        "Security review signed off",
        "QA approved the build",
        "Change approval",
        "CTO",
    ],
)
def test_a_task_about_an_approval_is_no_signature(line: str) -> None:
    assert read(f"## Whatever\n\n- [ ] {line}\n".encode()).signatures == ()


@pytest.mark.parametrize("heading", ["Final go/no-go", "Last words"])
def test_a_list_of_nothing_but_offices_is_signed(heading: str) -> None:
    found = read(f"## {heading}\n\n- [ ] QA Lead\n- [ ] CTO\n- [ ] Product Owner\n".encode())
    assert found.signatures == (0, 1, 2)


@pytest.mark.parametrize("heading", ["Roles", "Notify", "On-call", "Who is there"])
def test_a_list_of_offices_to_fill_or_to_tell_is_not_signed(heading: str) -> None:
    assert read(f"## {heading}\n\n- [ ] QA Lead\n- [ ] CTO\n".encode()).signatures == ()


def test_a_list_with_anything_else_in_it_is_not_signed() -> None:
    assert read(b"## Last words\n\n- [ ] QA Lead\n- [ ] CTO\n- [ ] Cake eaten\n").signatures == ()

"""Which boxes a checklist has, what they stand under, and where their bytes are."""

import pytest

from tminus.checklist import read
from tminus.checklist.model import Form

TABLES = frozenset({Form.TABLE})
BALLOTS = frozenset({Form.BALLOT})


def texts(markdown: str, also: frozenset[Form] = frozenset()) -> list[str]:
    return [item.text for item in read(markdown.encode(), also=also).items]


@pytest.mark.parametrize("marker", ["-", "*", "+", "1.", "12.", "1)"])
def test_every_list_marker_may_carry_a_box(marker: str) -> None:
    found = read(f"{marker} [ ] open\n{marker} [x] done\n{marker} [X] done too\n".encode())
    assert [(item.text, item.checked) for item in found.items] == [
        ("open", False),
        ("done", True),
        ("done too", True),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "- [✓] odd mark",
        "- [-] odd mark",
        "- [](no mark)",
        "- [x](https://example.org)",
        "- [ ]glued",
        "- text [ ] inside",
        "[ ] no list",
        "-[ ] no list",
        "    - [ ] indented code",
        "- \\[ ] escaped",
        "<!-- - [ ] hidden -->",
        "<div>\n- [ ] in HTML\n</div>",
    ],
)
def test_what_is_no_box_is_none(line: str) -> None:
    assert texts(f"{line}\n") == []


def test_boxes_in_code_are_counted_and_are_no_items() -> None:
    found = read(b"```md\n- [ ] a\n- [x] b\n1. [ ] c\n[ ] no list\n```\n\n- [ ] real\n\n      - [ ] code\n")
    assert [item.text for item in found.items] == ["real"]
    assert found.fenced == 3


def test_an_unclosed_fence_holds_the_rest_of_the_file() -> None:
    found = read(b"- [ ] a\n\n~~~\n- [ ] b\n")
    assert len(found.items) == 1
    assert found.fenced == 1


def test_a_box_without_words_is_a_box() -> None:
    assert texts("- [ ]\n- [x] \n") == ["", ""]


def test_boxes_in_quotes_and_in_other_lists_are_boxes() -> None:
    assert texts("> - [ ] quoted\n\n1. step\n   - [ ] nested\n\n- - [ ] twice\n") == [
        "quoted",
        "nested",
        "twice",
    ]


def test_nested_boxes_know_their_parent() -> None:
    found = read(b"- [ ] a\n  - [ ] b\n    - [ ] c\n  - plain\n    - [ ] d\n- [ ] e\n")
    assert [(item.text, item.parent) for item in found.items] == [
        ("a", None),
        ("b", 0),
        ("c", 1),
        ("d", 0),
        ("e", None),
    ]


def test_a_box_stands_under_its_headings_without_pictures_and_markup() -> None:
    found = read(
        "# 🚀 **Launch**\n## Part `A` ✅\n- [ ] a\n# Other\n- [ ] b\n\nThird\n---\n- [ ] c\n".encode()
    )
    assert [item.section for item in found.items] == [("Launch", "Part A"), ("Other",), ("Other", "Third")]
    assert [(heading.line, heading.level) for heading in found.headings] == [(1, 1), (2, 2), (4, 1), (7, 2)]


def test_words_before_a_list_introduce_it() -> None:
    found = read(b"**Before the launch:**\n\n- [ ] a\n\nA sentence.\n\n- [ ] b\n\n1. Database\n   - [ ] c\n")
    assert [item.group for item in found.items] == ["Before the launch", "", "Database"]


def test_text_is_one_line_without_markup() -> None:
    lines = (
        "- [ ] **Bold** and *it* and `code_x` and [link](https://e.org) and ~~old~~\n"
        "- [ ] wrapped\n  line\n"
        "- [ ] a &amp; b <br> \\*c\\* <https://e.org> ![alt](i.png) snake_case_word 2 * 3 * 4\n"
        "- [ ] `**kept**` <!-- note -->end\n"
    )
    assert texts(lines) == [
        "Bold and it and code_x and link and old",
        "wrapped line",
        "a & b *c* https://e.org alt snake_case_word 2 * 3 * 4",
        "**kept** end",
    ]


def test_the_mark_and_the_end_are_bytes_of_the_file() -> None:
    data = "\ufeff# Ünï\r\n>\t- [x] größer  \r\n- [ ] naïve\t\r- [ ] last".encode()
    found = read(data)
    assert [data[item.mark.start - 1 : item.mark.end + 1] for item in found.items] == [b"[x]", b"[ ]", b"[ ]"]
    assert [data[: item.end].split(b"] ")[-1].decode() for item in found.items] == ["größer", "naïve", "last"]
    assert [item.line for item in found.items] == [2, 3, 4]
    assert found.bom
    assert found.newline == "mixed"


@pytest.mark.parametrize(
    ("data", "newline"), [(b"a\nb\n", "lf"), (b"a\r\nb", "crlf"), (b"a\r\nb\n", "mixed"), (b"a\rb", "mixed")]
)
def test_the_kind_of_line_ending_is_known(data: bytes, newline: str) -> None:
    assert read(data).newline == newline


def test_bytes_that_are_no_utf8_are_counted_and_read_as_windows_letters() -> None:
    data = b"- [ ] Validaci\xf3n \xff\xfe\n- [x] ok\n"
    found = read(data)
    assert found.undecodable == 3
    assert found.items[0].text == "Validación ÿþ"
    assert data[found.items[1].mark.start : found.items[1].mark.end] == b"x"


TABLE = "| Check | Owner | Done |\n|---|---|---|\n| Logs \\| metrics | QA | [ ] |\n| Alerts | | [x] noted |\n"


def test_boxes_in_cells_are_items_when_asked_for() -> None:
    found = read(TABLE.encode(), also=TABLES)
    assert [(item.text, item.checked, item.owner, item.form) for item in found.items] == [
        ("Logs | metrics", False, "QA", Form.TABLE),
        ("noted", True, "", Form.TABLE),
    ]
    assert [TABLE.encode()[item.mark.start : item.mark.end] for item in found.items] == [b" ", b"x"]
    assert TABLE.encode()[: found.items[0].end].endswith(b"| [ ]")


def test_boxes_that_nobody_asked_for_are_counted() -> None:
    both = f"{TABLE}\n- ☐ a\n- ✅ b\n\n☑ c\n"
    assert (len(read(both.encode()).items), read(both.encode()).left) == (0, 5)
    assert (len(read(both.encode(), also=TABLES).items), read(both.encode(), also=TABLES).left) == (2, 3)


def test_ballots_begin_a_point_a_cell_or_a_line() -> None:
    markdown = "- ☐ a\n- ✅ b\n\n☑ c\n☐ d\nno ☐ here\n\n| x | ok |\n|--|--|\n| e | ☐ |\n\n## ✅ heading\n- [ ] ✅ box\n"
    found = read(markdown.encode(), also=BALLOTS)
    assert [(item.text, item.checked) for item in found.items] == [
        ("a", False),
        ("b", True),
        ("c", True),
        ("d", False),
        ("e", False),
        ("✅ box", False),
    ]
    marks = [markdown.encode()[item.mark.start : item.mark.end].decode() for item in found.items]
    assert marks == ["☐", "✅", "☑", "☐", "☐", " "]


def test_several_ballots_of_a_row_are_told_apart_by_their_column() -> None:
    markdown = "| Id | Check | Pass | Fail |\n|--|--|--|--|\n| A-1 | Tokens random | ☐ | ☐ |\n"
    assert texts(markdown, BALLOTS) == ["A-1 · Tokens random: Pass", "A-1 · Tokens random: Fail"]


def test_a_file_without_boxes_has_no_items() -> None:
    assert read(b"# Title\n\nwords\n").items == ()


def test_the_columns_for_owner_and_due_are_known_by_their_head_and_leave_the_text() -> None:
    markdown = (
        "| # | Task | Owner | Due | Notes | Done |\n|--|--|--|--|--|--|\n"
        "| 1 | Backup of the shop | Ann | T-4h | see wiki | [ ] |\n"
        "| 2 | Tell the shops | @bob | 2 h before | | [x] |\n"
        "| 3 | Close the till | | 2026-01-05 | | [ ] |\n"
        "| 4 | | Cy | Day -1 | | [ ] |\n"
    )
    assert [
        (item.text, item.owner, item.due, item.date) for item in read(markdown.encode(), also=TABLES).items
    ] == [
        ("Backup of the shop \u00b7 see wiki", "Ann", -14400.0, ""),
        ("Tell the shops", "bob", -7200.0, ""),
        ("Close the till", "", None, "2026-01-05"),
        ("4 \u00b7 Cy \u00b7 Day -1", "Cy", -86400.0, ""),
    ]


def test_a_table_without_such_heads_keeps_all_its_words() -> None:
    markdown = "| What | How | Done |\n|--|--|--|\n| Backup | by hand | [ ] |\n"
    assert texts(markdown, TABLES) == ["Backup \u00b7 by hand"]

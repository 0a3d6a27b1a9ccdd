"""What holds for any text, any bytes and any generated checklist."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from tminus.checklist import read
from tminus.checklist.model import Checklist, Form
from tminus.errors import ChecklistError

EVERY = frozenset(Form)
MARKS = {
    Form.LIST: {b" ", b"x", b"X"},
    Form.TABLE: {b" ", b"x", b"X"},
    Form.BALLOT: {char.encode() for char in "☐☑☒✅"},
}
WORDS = st.text(st.sampled_from("ab é✅Ã©_*`[]<>|&:@-+T0159%.()\\!#☐"), max_size=30)
BITS = st.sampled_from(
    ["- [ ] ", "* [x] ", "1. [X] ", "- ", "> ", "    ", "\t", "# ", "## T-2h ", "```\n",
     "| [ ] | ", "|--|--|\n", "☐ ", "- ✅ ",
     "\n", "\r\n", "\r", "\n\n",
     "[Name]", "____", "Date:", "GO [ ] NO-GO", "<b>", "<!--", "---\n", "===\n", ">5% for 5 min"]
)  # fmt: skip
MARKDOWN = st.lists(st.one_of(BITS, WORDS), max_size=40).map("".join)


def whole(data: bytes) -> Checklist | None:
    try:
        found = read(data, also=EVERY)
    except ChecklistError:
        return None
    for item in found.items:
        mark = data[item.mark.start : item.mark.end]
        assert mark in MARKS[item.form] or item.form is Form.BALLOT
        assert item.mark.end <= item.end <= len(data)
        assert item.parent is None or item.parent < len(found.items)
        assert "\n" not in item.text
        if item.form is not Form.BALLOT:
            assert data[item.mark.start - 1 : item.mark.end + 1] == b"[" + mark + b"]"
    ends = [0, *(span for blank in found.blanks for span in (blank.span.start, blank.span.end))]
    assert ends == sorted(ends)
    return found


@given(MARKDOWN)
@settings(max_examples=400, deadline=None)
def test_any_markdown_is_read_or_refused(text: str) -> None:
    data = text.encode()
    found = whole(data)
    if found:
        marks = [data[item.mark.start : item.mark.end] for item in found.items if item.form is Form.BALLOT]
        assert found.repaired or all(mark in MARKS[Form.BALLOT] for mark in marks)


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    whole(data)


@given(st.lists(st.one_of(st.binary(max_size=5), BITS.map(str.encode)), max_size=30).map(b"".join))
@settings(max_examples=300, deadline=None)
def test_markdown_with_stray_bytes_is_read_or_refused(data: bytes) -> None:
    whole(data)


LINE = st.tuples(
    st.sampled_from(["-", "*", "+", "7.", "3)"]),
    st.sampled_from([" ", "x", "X", "✓", "-", ""]),
    st.text(st.sampled_from("abc é_*`.,"), min_size=1, max_size=20).map(lambda text: f"w{text}".strip()),
)


@given(st.lists(LINE, min_size=1, max_size=30), st.sampled_from(["\n", "\r\n", "\r"]), st.booleans())
@settings(max_examples=200, deadline=None)
def test_the_boxes_of_a_generated_list_are_those_written(
    lines: list[tuple[str, str, str]],
    end: str,
    bom: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    text = f"{end}{end}".join(f"{marker} [{mark}] {words}" for marker, mark, words in lines)
    data = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    found = read(data)
    wanted = re.findall(r"(?:^|[\r\n])(?:[-*+]|\d[.)]) \[([ xX])\] ", text)
    assert [data[item.mark.start : item.mark.end].decode() for item in found.items] == wanted
    assert [item.checked for item in found.items] == [mark != " " for mark in wanted]
    assert found.bom == bom

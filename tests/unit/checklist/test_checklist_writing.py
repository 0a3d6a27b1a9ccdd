"""Writing a checklist back: the same bytes but for the edits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.checklist.model import Span
from tminus.checklist.writing import Edit, written
from tminus.errors import RefusedError

ODD = b"\xef\xbb\xbf- [ ] one\r\n\t- [x] tw\xff\xfe o\r- [ ] \xe2\x98\x90 three"


def test_a_file_without_edits_is_written_byte_for_byte() -> None:
    assert written(ODD, []) == ODD


def test_only_what_an_edit_names_is_changed() -> None:
    place = ODD.index(b" ]")
    after = written(ODD, [Edit(Span(len(ODD), len(ODD)), b" end"), Edit(Span(place, place + 1), b"x")])
    assert after == ODD.replace(b"[ ] one", b"[x] one") + b" end"


def test_an_insertion_may_stand_where_a_replacement_ends() -> None:
    assert written(b"abcd", [Edit(Span(3, 3), b"!"), Edit(Span(1, 3), b"XY")]) == b"aXY!d"


@pytest.mark.parametrize(
    ("one", "other"),
    [((0, 3), (2, 4)), ((0, 4), (1, 2)), ((2, 2), (2, 2)), ((1, 3), (1, 3)), ((1, 3), (2, 2))],
)
def test_edits_that_overlap_are_refused(one: tuple[int, int], other: tuple[int, int]) -> None:
    with pytest.raises(RefusedError, match="two changes meet"):
        written(b"abcdef", [Edit(Span(*other), b"x"), Edit(Span(*one), b"y")])


@pytest.mark.parametrize("span", [(-1, 0), (0, 7), (3, 2), (7, 7)])
def test_an_edit_outside_the_file_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(RefusedError, match="not in a file of 6 bytes"):
        written(b"abcdef", [Edit(Span(*span), b"x")])


@given(
    st.binary(max_size=60), st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5), st.binary(max_size=3)))
)
def test_every_byte_between_edits_stays(data: bytes, gaps: list[tuple[int, int, bytes]]) -> None:
    edits: list[Edit] = []
    kept: list[bytes] = []
    place = 0
    for gap, length, new in gaps:
        start, end = place + gap, place + gap + length
        if end > len(data):
            break
        kept += (data[place:start], new)
        edits.append(Edit(Span(start, end), new))
        place = end
    assert written(data, reversed(edits)) == b"".join([*kept, data[place:]])

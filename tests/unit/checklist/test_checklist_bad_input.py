"""Files that are no checklist are refused at once, with what to do about it."""

import tracemalloc
from pathlib import Path

import pytest

from tminus.checklist import MAX_BYTES, load, read
from tminus.errors import ChecklistError, Exit

BAD = {
    "empty": (b"", "empty"),
    "blank": (b"\xef\xbb\xbf\n \r\n\t", "empty"),
    "binary": (b"# a\n- [ ] b\0c\n", "line 2"),
    "UTF-16": ("- [ ] a\n".encode("utf-16"), "UTF-16"),
    "50 MB": (b"- [ ] x\n" * 6_500_000, "larger"),
    "9,000 nested lists": (b"- " * 9_000 + b"[ ] x\n", "nested"),
    "6,000 nested numbers": (b"1. " * 6_000 + b"[ ] x\n", "nested"),
    "10,000 quotes": (b">" * 10_000 + b"- [ ] x\n", "nested"),
    "deep lines": (b"".join(b" " * (2 * depth) + b"- [ ] x\n" for depth in range(1000)), "nested"),
}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_checklist_is_refused_and_says_why(name: str) -> None:
    data, why = BAD[name]
    with pytest.raises(ChecklistError, match=why) as refused:
        read(data)
    assert refused.value.hint
    assert refused.value.code is Exit.USAGE


@pytest.mark.parametrize("name", BAD)
def test_a_refusal_takes_little_memory(name: str) -> None:
    tracemalloc.start()
    with pytest.raises(ChecklistError):
        read(BAD[name][0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000


def test_a_file_of_far_too_many_parts_is_refused() -> None:
    with pytest.raises(ChecklistError, match="parts"):
        read(b"- - - - - - - - - x\n" * 10_000)


def test_lists_as_deep_as_people_write_them_are_read() -> None:
    data = b"".join(b"  " * depth + b"- [ ] x\n" for depth in range(40))
    assert [item.parent for item in read(data).items] == [None, *range(39)]


def test_tabs_are_read() -> None:
    data = b"-\t[ ]\ta\n\t-\t[x]\tb\n\n1.\t[ ] c\n"
    found = read(data)
    assert [(item.text, item.checked, item.parent) for item in found.items] == [
        ("a", False, None),
        ("b", True, 0),
        ("c", False, None),
    ]
    assert [data[item.mark.start : item.mark.end] for item in found.items] == [b" ", b"x", b" "]


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "filler",
    ["_", "`` ` ", "*a ", "[", "[Name] ", "<a ", "x", "+1 ", "1,111", "Ã©", "a: ", "> ", "** ", "| "],
)
def test_a_line_of_endless_repetition_costs_no_endless_time(filler: str) -> None:
    read(b"- [ ] a " + filler.encode() * (19_000 // len(filler)))


def test_a_file_is_loaded_only_as_far_as_it_may_be_read(tmp_path: Path) -> None:
    path = tmp_path / "list.md"
    path.write_bytes(b"- [ ] a\n")
    assert load(path) == b"- [ ] a\n"
    path.write_bytes(b"x" * (MAX_BYTES + 1))
    with pytest.raises(ChecklistError, match="larger"):
        load(path)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(ChecklistError, match=r"absent\.md"):
        load(tmp_path / "absent.md")
    with pytest.raises(ChecklistError, match="cannot be read"):
        load(tmp_path)

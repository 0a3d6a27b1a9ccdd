"""The table of defects for the complaints' tests: one for each test, each an edit that can still be made."""

import ast
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

if TYPE_CHECKING:
    from benchmarks.complaints import DEFECTS, Defect, Found, broken, judged, name_of, section, unbroken
else:
    from complaints import DEFECTS, Defect, Found, broken, judged, name_of, section, unbroken


def test_every_complaint_s_test_has_a_defect() -> None:
    assert unbroken() == []


SOURCES = Path(__file__).parents[2] / "src" / "tminus"


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.what.replace(" ", "-"))
def test_a_defect_is_one_edit_of_sources_that_can_still_be_read(defect: Defect) -> None:
    text = (SOURCES / defect.path).read_text(encoding="utf-8")
    assert text.count(defect.old) == 1
    ast.parse(text.replace(defect.old, defect.new))


def test_a_defect_is_made_in_a_copy(tmp_path: Path) -> None:
    defect = DEFECTS[0]
    file = SOURCES / defect.path
    before = file.read_text(encoding="utf-8")
    made = broken(defect, tmp_path) / "tminus" / defect.path
    assert made.read_text(encoding="utf-8") == before.replace(defect.old, defect.new)
    assert file.read_text(encoding="utf-8") == before


def test_a_test_that_fails_for_another_reason_has_not_seen_the_defect() -> None:
    defect = DEFECTS[0]
    failed = f"\nFAILED tests/acceptance/test_complaints.py::{name_of(defect)} - AssertionError\n"
    assert judged(defect, 1, f"E   waited 120 s in vain for {defect.says}{failed}").failed
    assert not judged(defect, 1, f"E   the machine is too slow{failed}").failed
    assert not judged(defect, -1, f"E   {defect.says}{failed}").failed
    assert not judged(defect, 0, "1 passed").failed


def test_the_page_tells_what_was_not_seen_and_what_was_not_made() -> None:
    first, second = DEFECTS[:2]
    found = [
        Found(first, "test_01", failed=True, words="assert | `a`"),
        Found(second, "test_02", failed=False, words="1 passed"),
    ]
    told = section(found, 2.0, sound=False)
    assert f"{len(DEFECTS)} defects, 1 not seen, {len(DEFECTS) - 2} not made yet." in told
    assert "was not over in time" in told
    assert "| `assert \\| 'a'` |" in told
    assert "| not seen: 1 passed |" in told
    assert told.count("not made yet |") == len(DEFECTS) - 2

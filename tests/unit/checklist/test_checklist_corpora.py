"""What the reader finds in checklists that nobody on the project wrote, against counts made without it."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

from tminus.checklist import read
from tminus.checklist.model import Checklist, Form

FOLDER = Path(__file__).parents[3].parent / "shared" / "corpora" / "checklists"
BALLOTS = {char.encode() for char in "☐☑☒"}


def expected() -> dict[str, dict[str, Any]]:
    if not FOLDER.exists():
        return {}
    with (FOLDER / "MANIFEST.csv").open(encoding="utf-8") as file:
        return {row["file"]: json.loads(row["expected"]) for row in csv.DictReader(file)}


EXPECTED = expected()
pytestmark = pytest.mark.skipif(not EXPECTED, reason=f"{FOLDER} is absent")


def opened(name: str, *also: Form) -> tuple[bytes, Checklist]:
    data = (FOLDER / name).read_bytes()
    return data, read(data, also=frozenset(also))


@pytest.mark.parametrize("name", EXPECTED)
def test_boxes_and_headings_are_those_of_the_manifest(name: str) -> None:
    data, found = opened(name)
    want = EXPECTED[name]
    assert len(found.items) == want["task_items"]
    assert sum(item.checked for item in found.items) == want["task_items_checked"]
    assert found.fenced == want["task_items_in_code_fences"]
    assert len(found.headings) == want["gfm_parser"]["headings"]
    assert found.undecodable == want["invalid_utf8"]
    assert found.bom == want["bom"]
    assert (found.newline == "crlf") == (want["crlf"] > 0)
    for item in found.items:
        assert data[item.mark.start - 1 : item.mark.end + 1] in {b"[ ]", b"[x]", b"[X]"}
        assert data[: item.mark.start].count(b"\n") == item.line - 1
        assert item.text


@pytest.mark.parametrize("name", EXPECTED)
def test_a_plain_search_counts_the_same_boxes(name: str) -> None:
    data, found = opened(name)
    lines = {
        number
        for number, line in enumerate(data.split(b"\n"), 1)
        if re.match(rb"\s*(?:[-*+]|\d+[.)])\s+\[[ xX]\]\s", line + b"\n")
    }
    assert len(lines) == len(found.items) + found.fenced
    assert {item.line for item in found.items} <= lines


@pytest.mark.parametrize("name", EXPECTED)
def test_boxes_in_tables_and_ballots_are_found_when_asked_for(name: str) -> None:
    data, found = opened(name, Form.TABLE, Form.BALLOT)
    want = EXPECTED[name]
    forms = [item.form for item in found.items]
    ballots = [data[item.mark.start : item.mark.end] for item in found.items if item.form is Form.BALLOT]
    assert forms.count(Form.LIST) == want["task_items"]
    assert forms.count(Form.TABLE) == want["boxes_in_table_cells"]
    assert sum(mark in BALLOTS for mark in ballots) == want["unicode_ballot_boxes"]
    assert opened(name)[1].left == len(found.items) - want["task_items"]


@pytest.mark.parametrize("name", [name for name in EXPECTED if name.startswith("MOJIBAKE__")])
def test_a_double_encoded_file_reads_as_its_original(name: str) -> None:
    broken, healthy = opened(name)[1], opened(name.removeprefix("MOJIBAKE__"))[1]
    assert broken.repaired > 0
    assert healthy.repaired == 0
    assert [(item.text, item.section, item.due) for item in broken.items] == [
        (item.text, item.section, item.due) for item in healthy.items
    ]
    assert broken.headings == healthy.headings


@pytest.mark.parametrize("name", [name for name in EXPECTED if not name.startswith("MOJIBAKE__")])
def test_no_line_of_a_healthy_file_is_repaired(name: str) -> None:
    assert opened(name)[1].repaired == 0


@pytest.mark.parametrize("name", EXPECTED)
def test_milestones_are_those_of_the_timeline(name: str) -> None:
    timed = {heading.text: heading.due for heading in opened(name)[1].headings if heading.due is not None}
    without_unit = {"Phase 2: 50% Traffic (T+15 to T+30)", "Phase 3: 100% Traffic (T+30 onwards)"}
    assert set(timed) == set(EXPECTED[name]["timeline_headings"]) - without_unit


def test_hours_and_days_before_and_after_are_offsets() -> None:
    found = opened("seanchatmangpt+yawl__PRODUCTION_GOLIVE_CHECKLIST.md")[1]
    assert [heading.due for heading in found.headings if heading.due is not None] == [
        -604800, -86400, -3600, -1800, -900, 0, 0, 7200,
    ]  # fmt: skip


@pytest.mark.parametrize("name", EXPECTED)
def test_blanks_stand_where_they_say(name: str) -> None:
    data, found = opened(name)
    for blank in found.blanks:
        assert data[blank.span.start : blank.span.end].decode(errors="replace") == blank.text
        assert data[: blank.span.start].count(b"\n") == blank.line - 1

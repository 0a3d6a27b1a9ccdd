"""The team's own checklist, handed back after a launch."""

import csv
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus import checklist
from tminus.checklist.model import Checklist, Form, Item, Span
from tminus.checklist.writing import unlinked
from tminus.errors import RefusedError
from tminus.exporting import markdown
from tminus.exporting.content import Content, LaunchFacts, Line, PlanFacts, Seen, Standing, Waived
from tminus.exporting.gathering import of_plan
from tminus.exporting.markdown import handed_back

if TYPE_CHECKING:
    from tests.unit.exporting.export_world import CHECKLIST, content, document, planned
    from tests.unit.record_builder import RecordBuilder
else:
    from export_world import CHECKLIST, content, document, planned
    from record_builder import RecordBuilder

CORPUS = Path(__file__).parents[4] / "shared" / "corpora" / "checklists"
SEED = Path(__file__).parents[4] / "shared" / "seed" / "production-deployment-checklist.md"
FILES = sorted(CORPUS.glob("*.md"))
ALL_FORMS = ["tables", "ballots"]


def link_at(line: str) -> tuple[str, str]:
    """The words and the fragment of the link that ends a line."""
    found = re.search(r" \[((?:\\.|[^\]\\])*)\]\(launch\.jsonl#([0-9a-f]{64})\)$", line)
    assert found, line
    return found.group(1), found.group(2)


def handed(builder: RecordBuilder, source: bytes = CHECKLIST) -> list[str]:
    plan = document(source)
    return handed_back(source, plan, content(builder, plan)).decode().splitlines()


def test_an_untouched_plan_hands_back_the_same_bytes() -> None:
    assert handed_back(CHECKLIST, document(), of_plan(planned(document()))) == CHECKLIST


def test_green_lines_are_ticked_and_each_links_to_its_entry(record: RecordBuilder) -> None:
    lines = handed(record.complete())
    assert lines[3].startswith("- [x] Database backup taken [evidence](launch.jsonl#")
    entry = next(event for event in record.events if event.data.get("check") == "bk.db")
    assert link_at(lines[3]) == ("evidence", entry.digest)


def test_what_is_not_green_is_unticked_even_when_it_was_ticked(record: RecordBuilder) -> None:
    record.open()
    record.observe("bk.db", "failed")
    record.observe("cfg.cors", "error")
    record.poll()
    record.decide("no-go")
    record.add("launch.ended", {"outcome": "no-go"})
    record.seal()
    lines = handed(record)
    assert lines[3].startswith("- [ ] Database")
    assert link_at(lines[3])[0] == "failed"
    assert lines[4].startswith("* [ ] Backup verified | twice")
    assert link_at(lines[4])[0] == "unknown"
    assert lines[5].startswith("  1. [ ] Roll-up of *both*")
    assert link_at(lines[5]) == (
        "pending",
        record.events[-1].digest,
    )


def test_a_line_that_the_plan_leaves_out_or_never_knew_says_so(record: RecordBuilder) -> None:
    lines = handed(record.complete())
    opened = record.events[0].digest
    assert lines[8] == f"- [ ] SMS for on-call [not in this plan](launch.jsonl#{opened})"
    assert lines[9] == f"- [ ] Something nobody imported [not in this plan](launch.jsonl#{opened})"


def test_who_attested_and_who_signed_is_named(record: RecordBuilder) -> None:
    record.open()
    record.observe("bk.db")
    record.poll()
    claim = {"check": "cfg.cors", "verdict": "passed", "fingerprint": "f", "source": "simulated"}
    record.add("check.observed", claim | {"seen": {"person": "Ann [b] | c"}})
    record.sign("devops-lead")
    record.sign("cto", "no-go")
    record.decide("no-go")
    record.add("launch.ended", {"outcome": "no-go"})
    record.seal()
    lines = handed(record)
    assert link_at(lines[4])[0] == r"attested by Ann \[b\] &#124; c (simulated)"
    assert lines[12].startswith("- [x] **DevOps Lead:**")
    assert link_at(lines[12])[0] == "signed by Dana Ops"
    assert lines[13].startswith("- [ ] **CTO:**")
    assert link_at(lines[13])[0] == "no-go by Cleo Chief"


def test_a_line_that_was_moved_to_the_place_of_another_is_refused(record: RecordBuilder) -> None:
    record.complete()
    checks = document().model_dump(mode="json", by_alias=True)["checks"]
    checks["Backups"][0]["source_line"], checks["Backups"][1]["source_line"] = 5, 4
    plan = document(checks=checks)
    with pytest.raises(
        RefusedError, match="line 4 of the checklist is 'Database backup taken', but the plan takes it"
    ):
        handed_back(CHECKLIST, plan, content(record, plan))


def test_a_line_may_have_other_words_in_its_plan(record: RecordBuilder) -> None:
    record.complete()
    checks = document().model_dump(mode="json", by_alias=True)["checks"]
    checks["Backups"][0]["line"] = "A backup of the database was taken"
    plan = document(checks=checks)
    assert b"- [x] Database backup taken [evidence]" in handed_back(CHECKLIST, plan, content(record, plan))


def test_a_waived_line_is_ticked_and_names_who_answers_for_it(record: RecordBuilder) -> None:
    record.open()
    record.observe("bk.db")
    record.observe("cfg.cors", "failed")
    record.waive("cfg.cors")
    record.poll()
    record.decide("no-go")
    record.add("launch.ended", {"outcome": "no-go"})
    record.seal()
    line = handed(record)[4]
    assert line.startswith("* [X] Backup verified")
    assert link_at(line)[0] == "waived by Dana Ops"


def test_a_file_without_a_newline_at_its_end_and_with_odd_bytes_keeps_them(record: RecordBuilder) -> None:
    source = b"\xef\xbb\xbf# h\r\n\r\n- [x] caf\xe9 \t\r\n- [ ] Database backup taken"
    line = {"id": "bk.db", "line": "Database backup taken", "source_line": 4, "probe": "postgres.backup"}
    plan = document(source, checks={"h": [{"due": "T-2h", "owner": "cto"} | line]})
    written = handed_back(source, plan, content(record.complete(), plan))
    assert re.fullmatch(
        rb"\xef\xbb\xbf# h\r\n\r\n- \[ \] caf\xe9 \[not in this plan\]\(\S+\) \t\r\n"
        rb"- \[x\] Database backup taken \[evidence\]\(\S+\)",
        written,
    )


def test_what_would_read_back_as_other_boxes_is_refused(
    monkeypatch: pytest.MonkeyPatch, record: RecordBuilder
) -> None:
    monkeypatch.setattr(markdown, "evidence_link", lambda *_: "\n- [x] one more")
    with pytest.raises(RefusedError, match="boxes instead of"):
        handed(record.complete())


def launched(items: tuple[Item, ...], standings: list[Standing], name: str = "a|b] (c).jsonl") -> Content:
    """Any standing for each box, as a launch that somebody called badly."""
    lines: list[Line] = []
    for item, standing in zip(items, standings, strict=True):
        seen = Seen("e" * 64, 3, "2027-01-15T08:00:01.000Z", 0, 1.0, "passed", "person", by="A | [x] B")
        waived = Waived("f" * 64, "C `|` D", "because", "2027-01-15T08:00:01.000Z")
        lines.append(
            Line(
                id=f"l{len(lines)}",
                text=item.text,
                section="s",
                standing=standing,
                source_line=item.line,
                seen=None if standing is Standing.PENDING else seen,
                waived=waived if standing is Standing.WAIVED else None,
            )
        )
    launch = LaunchFacts("l", "landed", name, "a" * 64, 9, True, "", "", "", 1.0, {}, {})  # noqa: FBT003 - unread
    return Content(PlanFacts("p", "d", production=False, lines=len(lines)), launch, tuple(lines), ())


def unmarked(found: Checklist) -> list[str]:
    """The words of every box; a box in a table's head stands in the words of the boxes under it."""
    return [re.sub("\\[[ xX]\\]|[\u2610\u2611\u2612\u2705]", "", item.text) for item in found.items]


def reads_back(data: bytes, also: list[str], standings: list[Standing]) -> Checklist:
    """Hand it back with these standings and read it again; what must hold for any file is checked here."""
    forms = frozenset({Form.TABLE, Form.BALLOT}) if also else frozenset[Form]()
    before = checklist.read(data, also=forms)
    source = {"path": "c.md", "sha256": sha256(data).hexdigest(), "also": also}
    plan = document(None, source=source, roles=document().model_dump()["roles"][:1])
    standings = [standings[index % len(standings)] for index in range(len(before.items))]
    written = handed_back(data, plan, launched(before.items, standings))
    after = checklist.read(written, also=forms)
    assert [item.line for item in after.items] == [item.line for item in before.items]
    assert [item.checked for item in after.items] == [standing.green for standing in standings]
    for was, now in zip(before.items, after.items, strict=True):
        assert (now.section, now.parent, now.form) == (was.section, was.parent, was.form)
    bare = checklist.read(
        unlinked(written.decode(errors="surrogateescape")).encode(errors="surrogateescape"), also=forms
    )
    assert unmarked(bare) == unmarked(before)
    assert len(re.findall(rb"\(a%7Cb%5D%20%28c%29\.jsonl#(?:a{64}|e{64}|f{64})\)", written)) == len(
        before.items
    )
    assert handed_back(data, plan, of_plan(planned(plan))) == data
    return after


MARKERS = st.sampled_from(["- ", "* ", "+ ", "1. ", "2) ", "  - ", "    * ", "> - "])
WORDS = st.sampled_from(
    [
        "Backup taken",
        "`code` here",
        "a | b",
        "**bold:** ____",
        "tail \\",
        "[a](b)",
        "ends [",
        "é ☐",
        "",
        "<!-- x",
    ]
)
BOX = st.builds(lambda marker, box, words: f"{marker}[{box}] {words}", MARKERS, st.sampled_from(" xX"), WORDS)
OTHER = st.sampled_from(
    [
        "",
        "# Head",
        "text",
        "```",
        "| a | b |",
        "|--|--|",
        "| [ ] one | [x] |",
        "| ☐ | ✅ two |",
        "☐ ballot",
        "- ☑ in a list",
        "---",
    ]
)
ENDS = st.sampled_from(["\n", "\r\n", " \n", "\t\r\n"])


@given(
    st.lists(st.tuples(st.one_of(BOX, OTHER), ENDS), max_size=14),
    st.lists(st.sampled_from([*Standing]), min_size=1, max_size=5),
    st.sampled_from([[], ALL_FORMS]),
    st.booleans(),
)
def test_any_checklist_reads_back_as_the_same_boxes(
    lines: list[tuple[str, str]],
    standings: list[Standing],
    also: list[str],
    bom: bool,  # noqa: FBT001 - drawn by Hypothesis
) -> None:
    text = "# Start\n" + "".join(f"{line}{end}" for line, end in lines)
    reads_back(b"\xef\xbb\xbf" * bom + text.encode(), also, standings)


@pytest.mark.skipif(not FILES, reason="the corpus of checklists is not beside this repository")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:40])
def test_every_checklist_of_the_corpus_reads_back_as_the_same_boxes(path: Path) -> None:
    with (CORPUS / "MANIFEST.csv").open(encoding="utf-8", newline="") as manifest:
        rows = {row["file"]: json.loads(row["expected"]) for row in csv.DictReader(manifest)}
    after = reads_back(path.read_bytes(), ALL_FORMS, [Standing.PASSED, Standing.FAILED, Standing.WAIVED])
    assert sum(item.form is Form.LIST for item in after.items) == rows[path.name]["task_items"]
    reads_back(path.read_bytes(), [], [Standing.PENDING])


@pytest.mark.skipif(not SEED.exists(), reason="the seed is not beside this repository")
def test_the_seed_is_handed_back_with_109_evidence_links() -> None:
    assert len(reads_back(SEED.read_bytes(), [], [Standing.PASSED]).items) == 109


def test_a_box_between_nothing_can_be_ticked() -> None:
    item = checklist.read(b"- [ ] a").items[0]
    assert (item.mark, item.end) == (Span(3, 4), 7)

"""Real checklists as plans: the seed wholly understood, labelled lines of others rarely wrong."""

import csv
import hashlib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from tminus import checklist, planfile
from tminus.importing import Imported, assembled, commenting, matcher_of
from tminus.planfile.document import Document, LineEntry, OmittedLine

_DATA = Path(__file__).parents[2] / "data"
_SHARED = Path(__file__).parents[4] / "shared"
_SEED = _SHARED / "seed" / "production-deployment-checklist.md"
_CHECKLISTS = _SHARED / "corpora" / "checklists"
needs_seed = pytest.mark.skipif(not _SEED.exists(), reason="the seed is not beside this repository")
needs_corpora = pytest.mark.skipif(
    not _CHECKLISTS.exists(), reason="the corpus of checklists is not beside this repository"
)


@cache
def _builtin() -> Document:
    return planfile.load("production").document


@cache
def _imported(path: Path) -> Imported:
    found = checklist.read(checklist.load(path))
    builtin = _builtin()
    return assembled(found, matcher_of(builtin), builtin, path=path.name, also=frozenset())


def _rows(name: str) -> list[dict[str, str]]:
    with (_DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@needs_seed
def test_every_line_of_the_seed_is_understood_as_itself() -> None:
    expected = {int(row["line"]): row["id"] for row in _rows("seed_ids.csv")}

    assert {line.item.line: line.id for line in _imported(_SEED).lines} == expected


@needs_seed
def test_the_seeds_headings_read_right_although_they_were_decoded_wrongly_once() -> None:
    headings = [heading.text for heading in _imported(_SEED).checklist.headings]

    assert "Monitoring Readiness" in headings
    assert "Emergency Contacts" in headings
    assert not [text for text in headings if not text.isascii()]
    assert _imported(_SEED).checklist.repaired == 14


@needs_seed
@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("alert.crit.down", {"above": "1 min"}),
        ("alert.crit.err", {"above": "1%"}),
        ("alert.crit.p95", {"above": "500 ms"}),
        ("alert.crit.dbconn", {"above": "80%"}),
        ("alert.crit.mem", {"above": "85%"}),
        ("alert.crit.disk", {"above": "80%"}),
        ("alert.warn.err", {"above": "0.5%"}),
        ("alert.warn.p95", {"above": "300 ms"}),
        ("alert.warn.cache", {"below": "90%"}),
        ("alert.warn.queue", {"above": "1000"}),
    ],
)
def test_the_alerts_have_the_seeds_thresholds(name: str, limit: dict[str, str]) -> None:
    [line] = [line for line in _imported(_SEED).lines if line.id == name]

    assert limit.items() <= {key: str(value) for key, value in line.entry.arguments.items()}.items()


@needs_seed
def test_the_criteria_and_triggers_have_the_seeds_thresholds() -> None:
    document = _imported(_SEED).document
    expectations = {line.id: line.entry.expect for line in _imported(_SEED).lines}
    triggers = {trigger.id: (trigger.above, trigger.hold) for trigger in document.triggers}

    assert expectations["ok.err"] == "< 1%"
    assert expectations["ok.p95"] == "< 500 ms"
    assert triggers["trig.errors"] == ("5%", "5min")
    assert triggers["trig.latency"] == ("2 s", "5min")
    assert triggers["trig.unavailable"] == ("", "5min")
    assert set(triggers) == {
        "trig.errors", "trig.latency", "trig.vulnerability", "trig.corruption", "trig.unavailable",
    }  # fmt: skip


@needs_seed
def test_everything_around_the_seeds_boxes_has_the_built_in_plans_ids() -> None:
    document, builtin = _imported(_SEED).document, _builtin()

    assert {figure.id for figure in document.figures} == {figure.id for figure in builtin.figures}
    assert {contact.id for contact in document.contacts} == {contact.id for contact in builtin.contacts}
    assert {fact.id for fact in document.document} == {fact.id for fact in builtin.document}
    assert {role.id for role in document.roles} == {role.id for role in builtin.roles}
    assert {role.id for role in document.roles if role.signs} == {
        "devops-lead", "engineering-lead", "security-lead", "qa-lead", "cto",
    }  # fmt: skip


@needs_seed
def test_the_seeds_plan_is_right_and_lists_its_placeholders_as_to_fill(tmp_path: Path) -> None:
    path = tmp_path / "seed.plan.yaml"
    path.write_text(commenting.text(_imported(_SEED)), encoding="utf-8")

    loaded = planfile.load(path)

    assert loaded.problems == ()
    to_fill = " ".join(str(entry) for entry in loaded.to_fill)
    assert all(words in to_fill for words in ("[Name]", "[Phone]", "[Email]", "+49-xxx-xxx-xxxx"))


@needs_corpora
def test_labelled_lines_are_rarely_taken_for_another_check() -> None:
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    rows = _rows("labelled_lines.csv")
    for row in rows:
        path, right = _CHECKLISTS / row["file"], row["label"].split("|")
        raw = path.read_bytes().split(b"\n")[int(row["line"]) - 1].rstrip(b"\r")
        assert hashlib.sha256(raw).hexdigest()[:16] == row["sha256_16"], "another version of the file"
        [line] = [line for line in _imported(path).lines if line.item.line == int(row["line"])]
        if (line.known or "none") in right:
            counts["right"] += 1
        elif line.known:
            wrong.append(f"{row['file']}:{row['line']}: {line.known}, not {row['label']}")
        else:
            counts["missed"] += 1

    assert len(rows) >= 150
    assert len(wrong) / len(rows) <= 0.03, wrong
    assert counts["right"] / len(rows) >= 0.7, counts


@needs_corpora
@pytest.mark.parametrize("path", sorted(_CHECKLISTS.glob("*.md")), ids=lambda path: path.name[:40])
def test_every_real_checklist_becomes_a_plan_that_reads_back_the_same(path: Path, tmp_path: Path) -> None:
    imported = _imported(path)
    target = tmp_path / "plan.yaml"
    target.write_text(commenting.text(imported), encoding="utf-8")

    loaded = planfile.load(target)

    assert loaded.shape is not None
    lines = [entry for entries in loaded.shape.checks.values() for entry in entries]
    waiting = [entry for omission in loaded.shape.omitted for entry in omission.lines]
    assert len(lines) + len(waiting) == len(imported.lines)
    assert {entry.id for entry in [*lines, *waiting] if isinstance(entry, LineEntry | OmittedLine)} == {
        line.id for line in imported.lines
    }
    # What the team itself wrote may contradict itself (an alert beyond its own success criterion): that is told.
    assert [problem for problem in loaded.problems if "limit" not in problem.what] == []

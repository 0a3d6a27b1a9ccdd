"""A checklist that changed is merged into a plan that people have changed: their edits and comments stay."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tminus import checklist, planfile
from tminus.importing import Imported, assembled, commenting, matcher_of
from tminus.importing.merging import Kept, Merged, is_imported, merged
from tminus.planfile.nodes import parsed, plain

_PATH = Path("p.yaml")
BUILTIN = planfile.load("production").document
MATCHER = matcher_of(BUILTIN)
BEFORE = """\
# Shop

## T-24 Hours

- [ ] Tell the shops
- [x] Database backup taken
- [ ] Order the cake

## Success Criteria

- [ ] Error rate <1%
"""
AFTER = """\
# Shop

## T-24 Hours

- [x] Tell the shops
- [ ] Ask the lawyers
- [ ] Database backup taken

## T-3 Hours

- [ ] Close the till

## Success Criteria

- [ ] Error rate <0.5%
"""


def imported(text: str) -> Imported:
    found = checklist.read(text.encode())
    return assembled(found, MATCHER, BUILTIN, path="go-live.md", also=frozenset())


def plan_of(text: str) -> str:
    return commenting.text(imported(text))


def edited(text: str) -> str:
    """What a person does to a plan: an owner, an address, a comment, a line of their own."""
    for old, new in (
        ("attest: Tell the shops", 'attest: "I called every shop."   # Lena, 2 May'),
        ("production: false", "production: false   # until the probes are built"),
        (
            "checks:\n",
            "checks:\n  Ours:\n    - {id: own.a, line: Ours, due: T-24h, owner: lead, attest: Done}\n",
        ),
    ):
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def values(text: str) -> dict[str, object]:
    tree, problems = parsed(text, "p.yaml")
    assert problems == []
    read = plain(tree)
    assert isinstance(read, dict)
    return read


def merge(plan: str, text: str) -> Merged:
    made = merged(plan, imported(text))
    values(made.text)
    return made


def test_an_import_of_the_same_checklist_changes_not_a_byte() -> None:
    plan = edited(plan_of(BEFORE))
    made = merge(plan, BEFORE)
    assert made.text == plan
    assert (made.added, made.gone, made.followed) == ([], [], 0)
    assert made.kept == [Kept("tell-the-shops", "attest", "I called every shop.", "Tell the shops")]


def test_new_lines_come_gone_ones_stay_as_own_and_edits_are_kept_with_their_comments() -> None:
    made = merge(edited(plan_of(BEFORE)), AFTER)
    assert made.added == ["ask-the-lawyers", "close-the-till"]
    assert made.gone == ["order-the-cake"]
    for kept in ('"I called every shop."   # Lena, 2 May', "# until the probes are built", "id: own.a"):
        assert kept in made.text
    lines = {
        line.id: line
        for lines in planfile.loaded(made.text, _PATH).document.checks.values()
        for line in lines
    }
    assert lines["order-the-cake"].source_line == 0
    assert lines["own.a"].attest == "Done"
    assert (lines["tell-the-shops"].checked, lines["tell-the-shops"].source_line) == (True, 5)
    assert lines["ask-the-lawyers"].source_line == 6
    assert (lines["close-the-till"].due, lines["close-the-till"].source_line) == ("T-3h", 11)


def test_a_milestone_and_a_section_that_new_lines_need_are_written_in_order() -> None:
    made = merge(plan_of(BEFORE), AFTER)
    plan = planfile.loaded(made.text, _PATH)
    assert plan.problems == ()
    assert "T-3h" in plan.document.milestones
    assert "T-3 Hours" in plan.document.checks


def test_what_the_checklist_now_says_otherwise_is_told_and_not_taken_over() -> None:
    plan = plan_of(BEFORE)
    made = merge(plan, AFTER)
    told = [one for one in made.kept if one.key == "expect"]
    assert [(one.yours, one.checklist) for one in told] == [("< 1%", "< 0.5%")]
    assert 'expect: "< 1%"' in made.text


def test_the_words_of_a_line_and_the_files_digest_follow_the_checklist() -> None:
    made = merge(plan_of(BEFORE), BEFORE.replace("Database backup taken", "Database backup was taken"))
    assert "line: Database backup was taken" in made.text
    assert checklist.read(BEFORE.replace("backup taken", "backup was taken").encode()).sha256 in made.text


def test_a_line_that_was_given_another_id_is_found_by_its_words() -> None:
    plan = re.sub(r"id: order-the-cake", "id: cake", plan_of(BEFORE))
    made = merge(plan, BEFORE)
    assert (made.text, made.added, made.gone) == (plan, [], [])


def test_equal_words_are_matched_in_their_order() -> None:
    text = "- [ ] Tell them\n- [ ] Tell them\n"
    made = merge(plan_of(text), f"- [ ] Ask them\n{text}")
    assert (made.added, made.gone) == (["ask-them"], [])


def test_a_new_line_whose_name_is_taken_gets_another() -> None:
    plan = plan_of(BEFORE).replace("id: order-the-cake", "id: ask-the-lawyers")
    made = merge(plan, f"{BEFORE}- [ ] Ask the lawyers\n")
    assert made.added == ["ask-the-lawyers-2"]


def test_a_role_that_somebody_took_out_stays_out_unless_a_new_line_needs_it() -> None:
    plan = plan_of("- [ ] Tell the shops\n- [ ] Run the regression tests\n")
    assert "id: qa" in plan
    without = re.sub(r"  - id: qa\n(?:    .*\n)+", "", plan).replace("owner: qa", "owner: lead")
    assert "id: qa" not in without
    assert "id: qa" not in merge(without, "- [ ] Tell the shops\n- [ ] Run the regression tests\n").text
    more = "- [ ] Tell the shops\n- [ ] Run the regression tests\n- [ ] Run the smoke tests by hand twice\n"
    made = merge(without, more)
    assert planfile.loaded(made.text, _PATH).problems == ()


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_ends_stay_what_they_are(newline: str) -> None:
    plan = plan_of(BEFORE).replace("\n", newline)
    made = merge(plan, AFTER)
    assert made.text.count("\n") == made.text.count(newline)


def test_a_plan_of_an_import_is_told_from_one_by_hand() -> None:
    assert is_imported(plan_of(BEFORE))
    assert not is_imported("plan: own\nextends: go-live.plan.yaml\n")
    assert not is_imported("mine")
    assert not is_imported("a: [")


_BOX = st.sampled_from(
    [
        "Tell the shops",
        "Database backup taken",
        "Ask the lawyers",
        "Error rate <1%",
        "Smoke tests pass",
        "QA Lead",
        "",
    ]
)
_PART = st.tuples(
    st.sampled_from(["", "## T-24 Hours", "## Success Criteria", "### Sign-off"]), st.lists(_BOX, max_size=4)
)


def _text(parts: list[tuple[str, list[str]]]) -> str:
    lines = [f"{title}\n\n" + "\n".join(f"- [ ] {box}" for box in boxes) for title, boxes in parts]
    return "- [ ] Somebody is there\n\n" + "\n\n".join(lines) + "\n"


@settings(max_examples=40, deadline=None)
@given(st.lists(_PART, max_size=4), st.lists(_PART, max_size=4))
def test_whatever_changes_every_box_has_its_line_and_no_old_line_is_lost(
    before: list[tuple[str, list[str]]], after: list[tuple[str, list[str]]]
) -> None:
    plan = plan_of(_text(before))
    made = merge(plan, _text(after))
    found = checklist.read(_text(after).encode())
    shape = planfile.loaded(made.text, _PATH).shape
    assert shape is not None
    lines = [line for lines in shape.checks.values() for line in lines]
    lines += [line for group in shape.omitted for line in group.lines if not isinstance(line, str)]  # type: ignore[misc] # both have what is asked
    places = sorted(line.source_line for line in lines if line.source_line)
    assert places == sorted(item.line for item in found.items)
    old = {line.id for lines in planfile.loaded(plan, _PATH).document.checks.values() for line in lines}
    assert old <= {line.id for line in lines}

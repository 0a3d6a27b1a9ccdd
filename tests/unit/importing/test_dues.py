"""When lines fall due of which nobody wrote when: a guess, and said to be one."""

from pathlib import Path

import pytest

from tminus import checklist, planfile
from tminus.importing import Imported, assembled, commenting, matcher_of, report

BUILTIN = planfile.load("production").document
MATCHER = matcher_of(BUILTIN)
TIMELINE = "# Launch\n\n## T-24 Hours\n\n- [ ] Tell the shops\n\n## T-3 Hours\n\n- [ ] Close the till\n\n"


def imported(text: str) -> Imported:
    return assembled(checklist.read(text.encode()), MATCHER, BUILTIN, path="go-live.md", also=frozenset())


def last(text: str) -> tuple[str, str]:
    line = imported(text).lines[-1]
    return line.entry.due, line.guess


@pytest.mark.parametrize(
    ("heading", "due", "why"),
    [
        ("## Furniture", "T-3h", "after the heading 'T-3 Hours'"),
        ("## Backups", "T-2h", "as lines under 'Backups' are in the built-in plan"),
        ("## Security review", "T-2h", "as lines under 'Security review' are in the built-in plan"),
        ("## Post-Deployment", "T+15min", "its heading says afterwards"),
        ("## Afterwards", "T+15min", "its heading says afterwards"),
        ("## T-30 Minutes", "T-30min", ""),
    ],
)
def test_a_section_without_a_time_gets_one_by_its_name_or_its_place(heading: str, due: str, why: str) -> None:
    assert last(f"{TIMELINE}{heading}\n\n- [ ] Water the plants\n") == (due, why)


@pytest.mark.parametrize("text", ["", "# Launch\n\n## T-24 Hours\n\n- [ ] Tell the shops\n\n"])
def test_without_a_timeline_it_is_two_hours_before(text: str) -> None:
    assert last(f"{text}## Furniture\n\n- [ ] Water the plants\n") == ("T-2h", "nothing says when")


def test_before_the_first_time_nothing_says_when() -> None:
    first = imported(TIMELINE.replace("## T-24", "## Furniture\n\n- [ ] Water the plants\n\n## T-24")).lines[
        0
    ]
    assert (first.entry.due, first.guess) == ("T-2h", "nothing says when")


def test_behind_the_launch_itself_a_person_is_asked_afterwards() -> None:
    assert (
        last("## T-1 Hour\n\n- [ ] A\n\n## T-0\n\n- [ ] B\n\n## Furniture\n\n- [ ] Plants\n")[0] == "T+15min"
    )


def test_a_line_that_the_built_in_plan_knows_is_no_guess() -> None:
    assert last(f"{TIMELINE}## Furniture\n\n- [ ] Database backup taken\n")[1] == ""


def test_a_signature_and_a_condition_are_no_guesses() -> None:
    text = f"{TIMELINE}## Approval\n\n- [ ] QA Lead\n\n## Rollback triggers\n\n- [ ] The shop is on fire\n"
    assert [line.guess for line in imported(text).lines[-2:]] == ["", ""]


def test_a_limit_in_a_box_that_is_no_trigger_is_said_with_its_line() -> None:
    found = imported(f"{TIMELINE}## Rollback triggers\n\n- [ ] Error rate above 2% for 5 minutes\n")
    told = report.as_text(found, Path("go-live.md"), Path("p.yaml"))
    line = found.lines[-1].item.line
    assert f"  line {line:<5} Error rate above 2% for 5 minutes" in told
    assert "they are no lines and no triggers" in told
    assert "the built-in ones hold" in told


def test_the_plan_and_the_report_say_what_was_guessed() -> None:
    found = imported(f"{TIMELINE}## Furniture\n\n- [ ] Water the plants\n")
    assert (
        "    # guessed due: T-3h, after the heading 'T-3 Hours'\n    - id: water-the-plants"
        in commenting.text(found)
    )
    told = report.as_text(found, Path("go-live.md"), Path("p.yaml"))
    assert "guessed due           1" in told
    assert "      1 at T-3h     after the heading 'T-3 Hours'" in told
    assert report.as_json(found, Path("p.yaml"))["due_guessed"] == 1


@pytest.mark.parametrize(
    ("heading", "section"), [("#", "Checklist"), ("# Shop\n\n##", "Shop"), ("# \u200b", "Checklist")]
)
def test_a_heading_without_words_gives_a_section_with_a_name(heading: str, section: str) -> None:
    found = imported(f"{heading}\n\n- [ ] Water the plants\n")
    assert [line.section for line in found.lines] == [section]
    assert planfile.loaded(commenting.text(found), Path("p.yaml")).problems == ()

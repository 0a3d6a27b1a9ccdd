"""What an import chose itself, and what it left to a person because of a heading: both are said."""

from pathlib import Path

import pytest

from tminus import checklist, planfile
from tminus.importing import Imported, assembled, commenting, matcher_of, report, with_near_misses
from tminus.importing.choices import Choice, choices
from tminus.importing.entries import Understanding

BUILTIN = planfile.load("production").document
MATCHER = matcher_of(BUILTIN)
TRIGGERS = "\n## Rollback triggers\n\n"


def imported(text: str) -> Imported:
    made = assembled(checklist.read(text.encode()), MATCHER, BUILTIN, path="go-live.md", also=frozenset())
    return with_near_misses(made, MATCHER)


def told(found: Imported) -> str:
    return report.as_text(found, Path("go-live.md"), Path("p.yaml"))


def chosen(text: str) -> dict[tuple[str, str], str]:
    return {
        (one.where, one.key): one.value
        for one in choices(imported(f"# Shop\n\n- [ ] Tell the shops\n{text}"))
    }


@pytest.mark.parametrize(
    "heading",
    [
        "After",
        "After the go-live",
        "Afterwards",
        "4. After launch",
        "Danach",
        "Après",
        "Post-Deployment",
        "Success Criteria",
    ],
)
@pytest.mark.parametrize(
    ("text", "name"), [("Error rate < 0.5%", "ok.err"), ("P95 response time <400ms", "ok.p95")]
)
def test_a_limit_of_the_team_s_own_is_understood_under_every_heading_that_says_afterwards(
    heading: str, text: str, name: str
) -> None:
    (line,) = imported(f"## {heading}\n\n- [ ] {text}\n").lines
    assert (line.known, line.understanding, line.kept_apart) == (name, Understanding.GUESSED, "")
    assert text.replace(" ", "").endswith(line.entry.expect.replace(" ", ""))


@pytest.mark.parametrize(
    "heading", ["After the code review", "After lunch", "After Rollback Decision", "Thereafter"]
)
def test_after_something_else_is_no_moment_of_the_launch(heading: str) -> None:
    (line,) = imported(f"## {heading}\n\n- [ ] Error rate < 0.5%\n").lines
    assert line.known == ""


def test_a_line_that_only_its_heading_keeps_apart_is_said_to_be_close() -> None:
    found = imported("## Load testing\n\n- [ ] Error rate < 1%\n- [ ] Tell the shops\n")
    assert [(line.known, line.kept_apart) for line in found.lines] == [("", "ok.err"), ("", "")]
    assert "close to ok.err, not taken because of the heading" in told(found)
    assert told(found).count("close to") == 1
    above = "    # its words are close to those of ok.err, not taken because of the heading\n    - id: error-rate-1"
    assert above in commenting.text(found)
    assert report.as_json(found, Path("p.yaml"))["kept_apart"] == {"error-rate-1": "ok.err"}


def test_a_trigger_without_a_time_gets_one_that_is_counted_as_chosen() -> None:
    assert chosen(f"{TRIGGERS}- p95 > 900 ms\n")["trig.latency", "hold"] == "5min"
    assert ("trig.latency", "above") not in chosen(f"{TRIGGERS}- p95 > 900 ms\n")
    assert ("trig.latency", "hold") not in chosen(f"{TRIGGERS}- p95 > 900 ms for 3 minutes\n")


def test_triggers_that_the_checklist_does_not_name_are_chosen() -> None:
    named = {where for where, key in chosen(f"{TRIGGERS}- p95 > 900 ms for 3 minutes\n") if key == "text"}
    assert named == {trigger.id for trigger in BUILTIN.triggers} - {"trig.latency"}


def test_steps_owners_deciders_and_signers_that_nobody_named_are_chosen() -> None:
    found = chosen("")
    assert found["rollout", "ladder"] == "1/5/10/25/50/100 %, 5min each"
    assert found["checks", "owner"] == "lead"
    assert (found["roles.lead", "decides"], found["roles.lead", "signs"]) == ("true", "true")
    assert ("roles.cto", "signs") not in chosen("\n## Approval\n\n- [ ] QA Lead\n- [ ] CTO\n")


def test_a_limit_is_chosen_where_the_line_states_none() -> None:
    assert chosen("\n## T+4 Hours\n\n- [ ] Error rates normal\n")["t4p.err", "expect"] == "< 1%"
    assert ("ok.err", "expect") not in chosen("\n## After\n\n- [ ] Error rate < 0.5%\n")


def test_the_report_the_plan_and_programs_get_every_choice() -> None:
    found = imported(f"# Shop\n\n- [ ] Tell the shops\n{TRIGGERS}- p95 > 900 ms\n")
    every = choices(found)
    assert f"chosen            {len(every):>5}  values that no word of the checklist gives" in told(found)
    assert "  trig.latency: hold 5min " in told(found)
    assert "  # chosen: `hold` 5min, the built-in plan's; the trigger states none\n  - id: trig.latency" in (
        commenting.text(found)
    )
    listed = report.as_json(found, Path("p.yaml"))["chosen"]
    assert isinstance(listed, list)
    assert [Choice(**one) for one in listed if isinstance(one, dict)] == every  # type: ignore[arg-type] # all text


def test_one_line_is_not_called_lines() -> None:
    found = told(imported("# Shop\n\n- [ ] Database backup taken\n"))
    assert "1 line  write systems.postgres.address" in found
    assert "1 lines" not in found


def test_signatures_among_the_lines_left_to_people_are_counted_apart() -> None:
    found = told(imported("# Shop\n\n- [ ] Tell the shops\n\n## Approval\n\n- [ ] Warehouse Lead sign-off\n"))
    assert "left to a person      2  1 of them a signature" in found
    assert "is signed by warehouse-lead" in found

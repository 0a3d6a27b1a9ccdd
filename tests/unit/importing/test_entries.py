"""Boxes become lines: matched ones look where the built-in plan looks, the others ask a person, nested ones roll up."""

import pytest

from tminus.checklist.model import Checklist, Form, Item, Limit, Measure, Span
from tminus.importing.dues import milestone
from tminus.importing.entries import Known, Line, Understanding, Unlock, lines, unlocks
from tminus.matching import Match
from tminus.planfile.document import LineEntry, OmittedLine

_KNOWN = {
    "ok.err": Known(
        LineEntry.model_validate(
            {"id": "ok.err", "line": "Error rate <1%", "due": "T+1h", "owner": "devops", "probe": "traffic.errors",
             "with": {"seconds": 15}, "expect": "< 1%", "hint": "see the trace"}
        ),
        "Success Criteria",
    ),
    "alert.crit.err": Known(
        OmittedLine.model_validate(
            {"id": "alert.crit.err", "line": "Error rate >1%", "section": "Alerts", "due": "T-2h", "owner": "devops",
             "probe": "prometheus.alert", "with": {"above": "1%"}, "expect": "empty"}
        ),
        "Alerts",
        "prometheus",
    ),
    "t0.green": Known(
        LineEntry(id="t0.green", line="New version deployed", due="T-0", owner="devops", step="green"), "T-0"
    ),
    "bk.db": Known(
        LineEntry(id="bk.db", line="Database backup taken", due="T-2h", owner="devops", attest="Taken."), "Backups"
    ),
    "t2.backup": Known(
        LineEntry(id="t2.backup", line="Database backup taken", due="T-2h", owner="devops", of=["bk.db"]), "T-2"
    ),
}  # fmt: skip


def _item(text: str, line: int = 1, **changes: object) -> Item:
    given: dict[str, object] = {
        "line": line, "text": text, "checked": False, "section": ("Plan",), "parent": None, "form": Form.LIST,
        "mark": Span(0, 1), "end": 9,
    }  # fmt: skip
    return Item(**{**given, **changes})  # type: ignore[arg-type] # the fields are those of Item, changed one by one


def _made(items: list[Item], matches: list[Match | None], more: dict[str, Known] | None = None) -> list[Line]:
    checklist = Checklist(
        sha256="", items=tuple(items), headings=(), blanks=(), roles=(), contacts=(), signatures=(), triggers=(),
        figures=(), document=(), decisions=(), fenced=0, repaired=0, undecodable=0, bom=False, newline="lf",
    )  # fmt: skip
    return lines(checklist, matches, {**_KNOWN, **(more or {})})


def test_a_matched_line_is_observed_as_the_built_in_plan_observes_it() -> None:
    [line] = _made([_item("Error rate below 1 %", 7)], [Match("ok.err", 1.0)])

    assert isinstance(line.entry, LineEntry)
    assert (line.entry.id, line.entry.probe, line.entry.expect) == ("ok.err", "traffic.errors", "< 1%")
    assert line.entry.line == "Error rate below 1 %"
    assert line.entry.source_line == 7
    assert line.understanding is Understanding.UNDERSTOOD


def test_a_match_that_is_not_sure_is_a_guess() -> None:
    [line] = _made([_item("Few errors")], [Match("ok.err", 0.82)])

    assert line.understanding is Understanding.GUESSED
    assert line.entry.confidence == 0.82


def test_a_line_of_its_own_asks_a_person() -> None:
    [line] = _made([_item("Penetration test report filed")], [None])

    assert isinstance(line.entry, LineEntry)
    assert line.entry.attest == "Penetration test report filed"
    assert line.entry.owner == "security"
    assert line.entry.id == "penetration-test-report-filed"
    assert line.understanding is Understanding.LEFT


def test_a_line_whose_probe_is_not_built_is_left_out_and_names_it() -> None:
    [line] = _made(
        [_item("Error rate >2%", limits=(Limit(">", 0.02, Measure.SHARE),))], [Match("alert.crit.err", 1)]
    )

    assert isinstance(line.entry, OmittedLine)
    assert line.entry.probe == "prometheus.alert"
    assert line.entry.arguments == {"above": "2%"}
    assert line.system == "prometheus"


def test_the_teams_own_threshold_takes_the_place_of_the_built_in_one() -> None:
    [line] = _made(
        [_item("Error rate <0.1%", limits=(Limit("<", 0.001, Measure.SHARE),))], [Match("ok.err", 1)]
    )

    assert line.entry.expect == "< 0.1%"


def test_nested_boxes_are_rolled_up() -> None:
    parent, child = _item("Backups"), _item("Backup of the shop", 2, parent=0)
    made = _made([parent, child], [None, None])

    assert made[0].entry.of == [made[1].id]


def test_a_roll_up_with_a_part_that_is_left_out_is_left_out_too() -> None:
    made = _made([_item("Alerts"), _item("Error rate >1%", 2, parent=0)], [None, Match("alert.crit.err", 1)])

    assert isinstance(made[0].entry, OmittedLine)
    assert made[0].entry.of == ["alert.crit.err"]


def test_a_known_roll_up_sums_the_lines_that_mean_its_parts() -> None:
    made = _made(
        [_item("Database backup taken"), _item("DB backup", 2)], [Match("t2.backup", 1), Match("bk.db", 0.9)]
    )

    assert made[0].entry.of == ["bk.db"]


def test_a_known_roll_up_without_its_parts_asks_a_person() -> None:
    [line] = _made([_item("Database backup taken")], [Match("t2.backup", 1)])

    assert isinstance(line.entry, LineEntry)
    assert line.entry.attest == "Database backup taken"


def test_lines_that_mean_the_same_each_have_a_name() -> None:
    made = _made(
        [_item("Error rate <1%"), _item("Errors <1%", 2)], [Match("ok.err", 1), Match("ok.err", 0.9)]
    )

    assert [line.id for line in made] == ["ok.err", "ok.err-2"]


def test_the_heading_says_when_a_line_is_due() -> None:
    [line] = _made([_item("Error rate <1%", due=4 * 3600.0)], [Match("ok.err", 1)])

    assert line.entry.due == "T+4h"


def test_a_step_of_the_launch_stays_at_t0_whatever_the_heading_says() -> None:
    [line] = _made([_item("New version deployed", due=-3600.0)], [Match("t0.green", 1)])

    assert line.entry.due == "T-0"


def test_what_a_person_does_at_t0_is_asked_right_after_it() -> None:
    [line] = _made([_item("Announce the start", due=0.0)], [None])

    assert line.entry.due == "T+15min"


def test_what_stands_under_afterwards_is_due_after_t0() -> None:
    [line] = _made([_item("Thank the team", section=("Post-Deployment",))], [None])

    assert line.entry.due == "T+15min"


def test_sections_of_the_same_name_are_told_apart_by_what_stands_above_them() -> None:
    made = _made(
        [_item("a", section=("Before", "Checks")), _item("b", 2, section=("After", "Checks"))], [None, None]
    )

    assert [line.section for line in made] == ["Before / Checks", "After / Checks"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-86400, "T-24h"), (0, "T-0"), (3600, "T+1h"), (900, "T+15min"), (-14 * 86400, "T-14d")],
)
def test_milestones_are_written_as_people_say_them(seconds: float, text: str) -> None:
    assert milestone(seconds) == text


def test_the_system_that_unlocks_most_lines_comes_first() -> None:
    made = _made(
        [_item("Error rate >1%"), _item("Backup taken", 2), _item("Errors >1%", 3)],
        [Match("alert.crit.err", 1), Match("bk.db", 1), Match("alert.crit.err", 1)],
    )

    assert unlocks(made) == [Unlock("prometheus", 2, built=False)]


def test_a_system_whose_probes_exist_is_unlocked_by_its_address() -> None:
    assert unlocks(_made([_item("Error rate <1%")], [Match("ok.err", 1)])) == [
        Unlock("traffic", 1, built=True)
    ]


def test_a_ticked_box_is_kept_as_the_documents_claim() -> None:
    [line] = _made([_item("Backup of the shop", checked=True)], [None])

    assert line.entry.checked


def test_a_heading_without_end_is_cut_so_that_it_can_be_a_key() -> None:
    [line] = _made([_item("a", section=("x" * 3000,))], [None])

    assert len(line.section) == 200


def test_a_box_without_words_still_asks_a_person() -> None:
    [line] = _made([_item("", 12)], [None])

    assert isinstance(line.entry, LineEntry)
    assert line.entry.id == "line-12"
    assert line.entry.attest == "The box on line 12 has no words."


@pytest.mark.parametrize(
    ("text", "section"),
    [
        ("Data corruption detected", ("Rollback", "Trigger Conditions")),
        ("Rollback procedure executed", ("Rollback (if needed)",)),
        ("NO-GO: roll back", ("Decision",)),
    ],
)
def test_what_nobody_wants_to_come_true_is_set_aside(text: str, section: tuple[str, ...]) -> None:
    [line] = _made([_item(text, section=section)], [None])

    assert isinstance(line.entry, OmittedLine)
    assert line.entry.probe == ""


def test_a_roll_up_does_not_wait_for_what_was_set_aside() -> None:
    items = [_item("Decision"), _item("NO-GO: roll back", 2, parent=0), _item("Numbers read", 3, parent=0)]
    made = _made(items, [None, None, None])

    assert isinstance(made[0].entry, LineEntry)
    assert made[0].entry.of == ["numbers-read"]


@pytest.mark.parametrize(
    ("due", "until"), [(3600.0, "T+1h30min"), (4 * 3600.0, "T+4h30min"), (-2 * 3600.0, "")]
)
def test_the_time_for_a_word_moves_with_its_line(due: float, until: str) -> None:
    known = LineEntry(
        id="t1.dash", line="Reviewed", due="T+1h", owner="devops", attest="I have looked.", until="T+1h30min"
    )
    pattern = Known(known, "T+1 Hour")
    [line] = _made([_item("Dashboards reviewed", due=due)], [Match("t1.dash", 1.0)], {"t1.dash": pattern})
    assert isinstance(line.entry, LineEntry)
    assert (line.entry.due, line.entry.until) == (milestone(due), until)

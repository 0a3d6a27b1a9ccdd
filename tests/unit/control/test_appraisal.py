"""Looking at a plan's lines once: every line has a standing, and nothing unknown counts as green."""

from dataclasses import replace

import pytest

from tminus.control.appraisal import Appraised, Standing, worst


def _line(standing: Standing) -> Appraised:
    return Appraised("bk.db", "Backup taken", "Backups", "devops", standing, "because")


def test_no_line_at_all_is_unknown() -> None:
    assert worst([]) is Standing.UNKNOWN


def test_lines_that_nobody_could_look_at_are_unknown() -> None:
    assert worst([_line(Standing.OMITTED), _line(Standing.LATER)]) is Standing.UNKNOWN


@pytest.mark.parametrize(
    ("found", "ending"),
    [
        ([Standing.PASSED, Standing.FAILED, Standing.UNKNOWN], Standing.FAILED),
        ([Standing.PASSED, Standing.UNKNOWN, Standing.PENDING], Standing.UNKNOWN),
        ([Standing.PASSED, Standing.PENDING, Standing.WARNED], Standing.PENDING),
        ([Standing.PASSED, Standing.WARNED], Standing.WARNED),
        ([Standing.PASSED, Standing.NOT_APPLICABLE], Standing.PASSED),
    ],
)
def test_the_worst_standing_decides(found: list[Standing], ending: Standing) -> None:
    lines = [replace(_line(standing), id=f"line-{number}") for number, standing in enumerate(found)]

    assert worst(lines) is ending

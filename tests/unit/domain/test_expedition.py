"""The expedited path: what the short form leaves out and moves, who asks for it, and whose second word it needs."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, PLAN, T0, Launched
else:
    from courses import HOUR, PLAN, T0, Launched

from tminus.domain.canonical import timestamp
from tminus.domain.expedition import Expedited, expedited, lacking, read_expedited, shorter, told
from tminus.domain.plan import Omission, Shortened
from tminus.errors import RecordError, RefusedError

LEAD, DEVOPS = PLAN.roles
SHORT = replace(
    PLAN, expedited=Shortened((Omission(("cfg.maps",), "no map changes"),), {-4 * HOUR: -3 * HOUR})
)
PATH = expedited(SHORT, "a token leaks", DEVOPS, LEAD)


def opened(**changes: Any) -> dict[str, Any]:
    """The data of a record's first line."""
    omitted = [{"check": "cfg.maps", "reason": "expedited: no map changes"}]
    return {
        "launch": "prod-1",
        "schedule": {"t0": timestamp(T0), "speed": 1},
        "omitted": omitted,
        "expedited": {**PATH.data(), **changes},
    }


def test_the_short_form_leaves_lines_out_counts_them_and_moves_milestones() -> None:
    short = shorter(SHORT)
    assert "cfg.maps" not in [check.id for check in short.checks]
    assert short.omitted == (Omission(("cfg.maps",), "expedited: no map changes"),)
    assert (short.total, short.left_out) == (SHORT.total, 1)
    assert short.milestones == (-3 * HOUR, -2 * HOUR, 0.0, HOUR)
    assert (short.check("team.ready").due, short.check("site.up").due) == (-3 * HOUR, -2 * HOUR)
    assert short.digest == SHORT.digest


def test_a_plan_without_a_short_form_has_none() -> None:
    with pytest.raises(RefusedError, match="has no shorter form for a hotfix") as refused:
        shorter(PLAN)
    assert "expedited:" in refused.value.hint


def test_it_needs_a_reason_and_a_second_person_who_signs_or_decides() -> None:
    with pytest.raises(RefusedError, match="needs a reason"):
        expedited(SHORT, "  ", DEVOPS, LEAD)
    with pytest.raises(RefusedError, match="cannot confirm what Dario Voss asks for") as refused:
        expedited(SHORT, "a token leaks", DEVOPS, DEVOPS)
    assert refused.value.hint == "who could: Lena Ortiz as lead"
    twice = replace(LEAD, person="dario  voss")
    with pytest.raises(RefusedError) as refused:
        expedited(replace(SHORT, roles=(twice, DEVOPS)), "a token leaks", DEVOPS, twice)
    assert refused.value.hint == "who could: nobody of this plan"


def test_the_first_line_says_all_of_it() -> None:
    assert read_expedited(opened()) == PATH
    assert read_expedited({"launch": "prod-1"}) is None
    assert list(told(PATH)) == [
        "expedited  a token leaks",
        "           asked for by Dario Voss as devops; Lena Ortiz as lead has to confirm it",
        "left out   cfg.maps (required): expedited: no map changes",
        "later      T-04:00:00 comes at T-03:00:00",
    ]
    assert PATH.row() == {
        "reason": "a token leaks",
        "by": "Dario Voss",
        "role": "devops",
        "second": "Lena Ortiz",
        "second_role": "lead",
        "left_out": 1,
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"second": "dario  voss"}, "asks for an expedited launch and confirms it, too"),
        (
            {
                "left_out": [
                    {"check": "cfg.maps", "severity": "blocker", "reason": "expedited: no map changes"}
                ]
            },
            "leaves out cfg.maps, a blocker",
        ),
        (
            {"left_out": [{"check": "site.up", "severity": "required", "reason": "why not"}]},
            "site.up is left out and does not stand among the omitted lines",
        ),
        ({"reason": 1}, "reason"),
    ],
)
def test_a_first_line_that_breaks_the_rules_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(RecordError, match=words):
        read_expedited(opened(**changes))


def test_both_words_are_waited_for_one_after_the_other() -> None:
    launch = Launched()
    launch.events.clear()
    launch.add("launch.opened", **opened())
    assert lacking(launch.events) == [
        "expedited, which Dario Voss has not signed: type `tminus launch` again, as before"
    ]
    launch.add("launch.expedited", confirms="")
    assert lacking(launch.events) == [
        "expedited, which Lena Ortiz has not confirmed: tminus expedite prod-1 --role lead"
    ]
    launch.add("launch.expedited", confirms="a" * 64)
    assert lacking(launch.events) == []
    assert lacking(Launched().events) == []


def test_what_is_read_is_what_was_written() -> None:
    assert Expedited(**{name: getattr(PATH, name) for name in Expedited.__slots__}) == PATH

"""`tminus rehearse`: its words, its endings, and what it prints; the drills themselves are played."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner, Result

from tminus.cli import rehearse as command
from tminus.cli.app import app
from tminus.control.drills import Progress
from tminus.demo.rehearsing import Request
from tminus.domain.evidence import Verdict
from tminus.domain.rehearsal import Drill, Rehearsal
from tminus.errors import Exit, RefusedError, TminusError, UsageError

if TYPE_CHECKING:
    from tests.rehearsal_builder import a_drill, rehearsal
else:
    from rehearsal_builder import a_drill, rehearsal

Played = Callable[..., Result]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Played:
    """Type the command while the rehearsal comes out as these drills; nothing is started."""
    monkeypatch.setenv("TMINUS_HOME", str(tmp_path))
    monkeypatch.setattr(command, "have_packages", lambda *_: None)
    monkeypatch.setattr(command, "crowding", str)

    def typed(words: list[str], *drills: Drill) -> Result:
        async def rehearsed(request: Request, *rest: Any) -> tuple[Rehearsal, Path]:
            tell = rest[-1]
            tell(Progress("", "4 stages"))
            for subject in request.subjects:
                tell(Progress(subject, "fault: a fifth of green's answers are errors", 0.0))
                tell(Progress(subject, "waiting", 5.0, 2.0, 300.0, routine=True))
            return rehearsal(*drills), tmp_path / "rehearsals" / "x.json"

        monkeypatch.setattr(command, "rehearsed", rehearsed)
        return CliRunner().invoke(app, ["rehearse", *words])

    return typed


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([Verdict.PASSED], Exit.PASSED),
        ([Verdict.PASSED, Verdict.WARNED], Exit.PASSED),
        ([Verdict.PASSED, Verdict.FAILED], Exit.FAILED),
        ([Verdict.PASSED, Verdict.INCONCLUSIVE], Exit.UNKNOWN),
        ([], Exit.UNKNOWN),
    ],
)
def test_it_ends_as_its_worst_drill(play: Played, verdicts: list[Verdict], code: Exit) -> None:
    drills = (a_drill("trig.errors", verdict=verdict) for verdict in verdicts)
    assert play(["errors"], *drills).exit_code == code


def test_elsewhere_than_on_a_terminal_there_is_one_plain_line_for_each_thing(play: Played) -> None:
    lines = play(["errors", "guard"], a_drill("trig.errors")).output.splitlines()
    assert lines[0].endswith("4 stages")
    assert sum("fault: a fifth" in line for line in lines) == 4
    assert not any("waiting" in line for line in lines), "the same thing a moment later is no line"
    assert (
        "rollback 315.5 s after the fault, weight 0 after 315.7 s, old release serves after 322.0 s; "
        "250 of 2500 requests failed, 0 slow; 0 of 12 writes lost; a2 would have acted after 8.2 s"
    ) in lines[-2]
    assert lines[-1].startswith("rehearsal=passed kept=")


def test_json_is_one_object_the_document_and_where_it_is(play: Played) -> None:
    found = json.loads(play(["errors", "--json"], a_drill("trig.errors")).stdout)
    assert found["file"].endswith("x.json")
    assert found["kind"] == "tminus rehearsal"
    assert [drill["subject"] for drill in found["drills"]] == ["trig.errors"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["eros"], "nothing is called 'eros' here"),
        (["--hold", "soon"], "--hold: 'soon' is no duration"),
        (["--hold", "1s"], "--hold 1s is too short"),
    ],
)
def test_words_that_mean_nothing_are_refused_before_anything_starts(
    play: Played, words: list[str], told: str
) -> None:
    refused = play(words).exception
    assert isinstance(refused, UsageError)
    assert str(refused).startswith(told)
    assert refused.hint


def test_a_plan_marked_production_is_refused(play: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> TminusError:
        raise RefusedError("it is marked production", hint="rehearse the plan of your staging")

    monkeypatch.setattr(command, "playable", refuse)
    refused = play([]).exception
    assert isinstance(refused, RefusedError)
    assert refused.code is Exit.REFUSED

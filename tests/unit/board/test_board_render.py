"""What fits on a terminal: nothing wraps, what matters most stays, and no verdict is told by colour alone."""

from functools import cache
from io import StringIO
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from tests.unit.board.board_world import T0, Played, block, lines, made, titles
else:
    from board_world import T0, Played, block, lines, made, titles

from tminus.board.layout import Block, fitted
from tminus.board.model import board
from tminus.board.render import drawn
from tminus.board.signs import SIGNS, said
from tminus.board.waiting import Question
from tminus.picture.view import Told

ABORT = Question("Abort the launch?", "", ("All traffic is on blue.", "y aborts"), urgent=True)


def counting() -> Played:
    return Played().open().ready(rb__images="failed", bk__db="error").poll()


@cache
def recorded(name: str) -> Played:
    """Launches to their end, with a hold, a part that died and a question on the way."""
    if name == "fell":
        return Played().fall()
    launch = counting()
    launch.add("decision.asked", {"minutes": 30})
    launch.t = 0.0
    launch.add("decision.made", {"decision": "go", "by": "Lena", "reason": "fine", "simulated": False})
    launch.shift(10)
    launch.serve(10, weight=10)
    launch.look("watch 10 % #0", 10)
    launch.add(
        "launch.held", {"where": "watch 10 % #1", "rule": "hold.blind", "text": "Hold: 日本語 \x1b[31m\n\t."}
    )
    launch.add("part.ended", {"part": "haproxy", "text": "it does not run any more"})
    launch.add("part.restarted", {"part": "haproxy", "text": "it was started again and answers"})
    launch.shift(100)
    launch.step("promote", set=100, read_back=100)
    launch.add("launch.ended", {"outcome": "landed", "requests": 10, "failed": 0})
    return launch


@given(
    name=st.sampled_from(["fell", "landed"]),
    part=st.floats(0, 1),
    width=st.integers(1, 240),
    height=st.integers(1, 70),
    asked=st.sampled_from([None, ABORT]),
)
@settings(max_examples=150, deadline=None)
def test_any_beginning_of_a_launch_fits_any_terminal(
    name: str, part: float, width: int, height: int, asked: Question | None
) -> None:
    launch = recorded(name)
    events = launch.events[: 1 + round(part * (len(launch.events) - 1))]
    now = T0 + (events[-1].t_ms or 0) / 1000
    told = Told(events, unbroken=True, plan=launch.plan, traffic=launch.traffic())
    shown = drawn(board(told, now, asked), width, height)
    assert len(shown) <= height
    assert all(line.cell_len <= width for line in shown)
    assert all(character.isprintable() for line in shown for character in line.plain)


def test_at_80_by_24_a_countdown_shows_what_blocks_and_where() -> None:
    shown = lines(made(counting()))
    assert shown[0].startswith("T−00:09:5")  # noqa: RUF001 - a true minus
    assert "Counting, poll under way" in shown[0]
    assert titles(shown) == ["Needs you now", "Under way, nobody is needed", "Sections, failing first", "Log"]
    assert block(shown, "Under way, nobody is needed")[0].startswith("▶ wait 5 signatures to come")
    assert block(shown, "Needs you now")[0].startswith("✖ failed rb.images Previous version images")
    head, first, second, *_ = block(shown, "Sections, failing first")
    assert head.split() == ["failed", "unknown", "pending", "passed", "n/a", "later", "left", "out"]
    assert first.split()[:4] == ["✖", "Rollback", "Plan", "1"]
    assert second.split()[:5] == ["?", "Backup", "Verification", "·", "1"]


def test_at_80_by_24_what_is_decided_stands_under_the_question_and_is_never_cut() -> None:
    launch = Played().open().ready(rb__criteria="warned").poll()
    launch.add("decision.asked", {"minutes": 30})
    shown = lines(made(launch, question=Question("Type go or no-go:", "g", ())))
    assert shown[0] == "▶ Type go or no-go: g▏"
    assert shown[1].startswith("  depot ")
    assert shown[2].endswith("warned: rb.criteria")
    assert f"{launch.plan.left_out} of {launch.plan.total} left out" in shown[2]
    assert "GO or NO-GO?" in "\n".join(block(shown, "Needs you now"))


def test_at_80_by_24_a_lift_off_shows_traffic_guard_and_all_five_timers() -> None:
    shown = lines(made(Played().lift_off(), 1))
    assert titles(shown)[:3] == ["Traffic", "Guard: evidence against green", "Rollback triggers"]
    bar, words, ladder = block(shown, "Traffic")
    assert bar.startswith("green 10 % █")
    assert bar.endswith("░ blue 90 %")
    assert words.strip().startswith("set and read back 10 %")
    assert ladder.startswith("▶ 10 % holding 0:06 of 0:20")
    meters = block(shown, "Guard: evidence against green")
    assert [line.count("┃") for line in meters] == [1, 1, 1, 1, 1]
    assert meters[0].endswith("rolls back at 5,000")
    assert len(block(shown, "Rollback triggers")) == 5
    assert len(shown) <= 24


def test_at_80_by_24_a_hold_and_a_dead_part_take_the_room_of_what_matters_less() -> None:
    launch = Played().lift_off()
    text = (
        "Hold by hold.errors: evidence that green fails more than 1 % of its requests; green failed 6 of 44."
    )
    launch.add("launch.held", {"where": "watch 10 % #1", "rule": "hold.errors", "text": text})
    launch.add("part.ended", {"part": "haproxy", "text": "it does not run any more"})
    shown = lines(made(launch, 1))
    assert titles(shown) == ["Needs you now", "Traffic", "Guard: evidence against green", "Rollback triggers"]
    assert block(shown, "Needs you now") == [
        "‖ hold held at watch 10 % #1 by hold.errors",
        "  do: tminus resume --reason WHY   or   tminus rollback --reason WHY",
        "✖ failed part haproxy is away: it is being started again",
    ]
    assert "" not in shown


def test_at_200_by_50_two_blocks_stand_side_by_side_and_nothing_is_left_out() -> None:
    shown = lines(made(Played().lift_off(), 1), 200, 50)
    text = "\n".join(shown)
    left = ("Traffic", "Guard: evidence against green", "Rollback triggers", "Success criteria")
    for title in (*left, "Checklist", "Sections, failing first", "Log"):
        assert f"── {title} ─" in text, title
    beside = next(line for line in shown if "── Traffic" in line)
    assert "── Checklist" in beside
    assert "5 min, rolls back" in text, "there is room for what each timer does"
    assert " more" not in text


def test_a_rollback_shows_the_rule_both_sides_and_what_comes_now() -> None:
    shown = lines(made(Played().fall()), 80, 50)
    assert "↩ Rolled back  Green harmed users, by the rule a1." in "\n".join(shown)
    assert block(shown, "What it cost")[0].startswith("12 failed user requests")
    assert ["Failed", "12", "0"] in [line.split() for line in block(shown, "What fired")]
    assert any(line.startswith("✔ done   Blue serves") for line in block(shown, "What comes now"))


def test_a_question_stands_above_everything_with_what_answers_it() -> None:
    shown = lines(made(Played().lift_off(), 1, ABORT), 80, 6)
    assert shown[:3] == ["✖ Abort the launch?", "  All traffic is on blue.", "  y aborts"]
    typed = lines(made(counting(), 0, Question("Type go or no-go:", "no-", ())))
    assert typed[0] == "▶ Type go or no-go: no-▏"


def test_what_matters_least_goes_first() -> None:
    blocks = [
        Block("a", [Text("a1"), Text("a2"), Text("a3")], least=1),
        Block("b", [Text("b1"), Text("b2")], least=2, rank=2),
        Block("log", [Text("l1"), Text("l2"), Text("l3")], tail=True, rank=1),
    ]

    def words(room: int) -> list[str]:
        return [line.plain.strip("─ ") for line in fitted(blocks, room, 10)]

    assert words(1) == []
    assert words(2) == ["a", "… and 3 lines more"]
    assert words(4) == ["a", "… and 3 lines more", "log", "l3"]
    assert words(6) == ["a", "a1", "a2", "a3", "log", "l3"]
    assert words(7) == ["a", "… and 3 lines more", "b", "b1", "b2", "log", "l3"]
    assert words(11) == ["a", "a1", "a2", "a3", "b", "b1", "b2", "log", "l1", "l2", "l3"]


def test_no_two_verdicts_have_the_same_sign_and_no_colour_is_a_background() -> None:
    verdicts = ("passed", "failed", "unknown", "stale", "warned", "pending", "later", "n/a", "hold", "wait")
    assert len({SIGNS[name][0] for name in verdicts}) == len(verdicts)
    assert not any(
        " on " in f" {style} " or "white" in style or "black" in style for _, style in SIGNS.values()
    )


@pytest.mark.parametrize(("no_color", "coloured"), [(True, False), (False, True)])
def test_without_colour_the_words_are_the_same(*, no_color: bool, coloured: bool) -> None:
    out = StringIO()
    console = Console(file=out, width=80, force_terminal=True, no_color=no_color, color_system="standard")
    for line in drawn(made(counting()), 80, 24):
        console.print(line)
    assert ("\x1b[1;31m" in out.getvalue()) is coloured
    assert Text.from_ansi(out.getvalue()).plain.split("\n")[5].startswith("── Needs you now")


def test_words_from_outside_move_no_cursor() -> None:
    assert said("a\x1b[2Jb\nc").plain == "a [2Jb c"

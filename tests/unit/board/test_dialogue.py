"""Ctrl-C asks before it abandons, and a line is typed on the board."""

import pytest

from tminus.board.dialogue import AGAIN, PATIENCE, Dialogue

WHAT = ("Green has 10 % of the traffic now.",)


def test_the_first_ctrl_c_asks_and_says_what_would_happen() -> None:
    dialogue = Dialogue()
    assert dialogue.interrupt(100.0, WHAT) is False
    question = dialogue.question(100.0)
    assert question is not None
    assert question.urgent
    assert question.help[0] == WHAT[0]
    assert "y aborts, or Ctrl-C again within 3 s" in question.help[1]


@pytest.mark.parametrize(("later", "given_up"), [(AGAIN - 0.1, True), (AGAIN + 0.1, False)])
def test_a_second_ctrl_c_gives_up_only_when_it_comes_soon(later: float, *, given_up: bool) -> None:
    dialogue = Dialogue()
    dialogue.interrupt(100.0, WHAT)
    assert dialogue.interrupt(100.0 + later, WHAT) is given_up


@pytest.mark.parametrize(
    ("key", "given_up"), [(b"y", True), (b"Y", True), (b"n", False), (b"x", False), (b"\r", False)]
)
def test_only_y_gives_up(key: bytes, *, given_up: bool) -> None:
    dialogue = Dialogue()
    dialogue.interrupt(100.0, WHAT)
    assert dialogue.keys(key, 101.0) is given_up


def test_n_and_nobodys_answer_go_on() -> None:
    dialogue = Dialogue()
    dialogue.interrupt(100.0, WHAT)
    dialogue.keys(b"n", 101.0)
    assert dialogue.question(101.0) is None
    dialogue.interrupt(200.0, WHAT)
    assert dialogue.question(200.0 + PATIENCE + 0.1) is None
    assert dialogue.keys(b"y", 200.0 + PATIENCE + 0.1) is False, "a late word gives nothing up"


def test_a_y_that_nobody_asked_for_gives_nothing_up() -> None:
    assert Dialogue().keys(b"y", 0.0) is False


def test_a_line_is_typed_mended_and_ended() -> None:
    heard: list[str] = []
    dialogue = Dialogue()
    dialogue.ask("Why not? ", heard.append)
    dialogue.keys("räin\x1b\x00".encode(), 0.0)
    dialogue.keys(b"\x7f\x7f", 0.0)
    question = dialogue.question(0.0)
    assert question is not None
    assert (question.text, question.typed, question.urgent) == ("Why not?", "rä", False)
    dialogue.keys(b"\x15wind\r", 0.0)
    assert heard == ["wind"]
    assert dialogue.question(0.0) is None


def test_a_letter_that_comes_in_two_pieces_is_one() -> None:
    heard: list[str] = []
    dialogue = Dialogue()
    dialogue.ask("Why not?", heard.append)
    for piece in "ü\r".encode():
        dialogue.keys(bytes([piece]), 0.0)
    assert heard == ["ü"]


def test_what_was_being_typed_waits_behind_the_question_of_ctrl_c() -> None:
    heard: list[str] = []
    dialogue = Dialogue()
    dialogue.ask("Type go or no-go:", heard.append)
    dialogue.keys(b"g", 0.0)
    dialogue.interrupt(1.0, WHAT)
    assert dialogue.keys(b"o\r", 1.5) is False
    dialogue.keys(b"n", 2.0)
    question = dialogue.question(2.0)
    assert question is not None
    assert question.typed == "g"
    dialogue.keys(b"o\r", 3.0)
    assert heard == ["go"]

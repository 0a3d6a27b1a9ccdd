"""What is typed for a demo: its options, and the viewer's word at a terminal that may also be closed."""

import pytest
from typer.testing import CliRunner

from tminus.cli import demo
from tminus.cli.app import app
from tminus.errors import UsageError


def typing(monkeypatch: pytest.MonkeyPatch, *lines: str) -> list[str]:
    """A viewer who types these lines; an empty one is a closed terminal. Returns the questions as they are asked."""
    left, asked = list(lines), []

    async def line(question: str) -> str:
        asked.append(question)
        return left.pop(0)

    monkeypatch.setattr(demo, "_line", line)
    return asked


async def test_only_go_is_go(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = typing(monkeypatch, "yes\n", "\n", " GO \n")
    assert (await demo._ask())["decision"] == "go"
    assert len(asked) == 3


async def test_a_word_that_is_neither_is_said_to_be_neither() -> None:
    asked: list[str] = []
    words = iter(["maybe\n", "\n", "g" * 99 + "\n", "go\n"])

    async def line(question: str) -> str:
        asked.append(question)
        return next(words)

    assert (await demo._word(line))["decision"] == "go"
    assert asked == [
        "Type go or no-go: ",
        "'maybe' is neither go nor no-go. Type go or no-go: ",
        "Type go or no-go: ",
        f"'{'g' * 20}' is neither go nor no-go. Type go or no-go: ",
    ]


async def test_a_no_go_is_asked_for_its_reason_until_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, "no-go\n", "\n", "  \n", "rain over the range\n")
    assert await demo._ask() == {"decision": "no-go", "reason": "rain over the range"}


@pytest.mark.parametrize("lines", [("",), ("maybe\n", ""), ("no-go\n", ""), ("no-go\n", "\n", "")])
async def test_a_closed_terminal_says_no_go(lines: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    typing(monkeypatch, *lines)
    assert await demo._ask() == {"decision": "no-go", "reason": "the viewer's terminal was closed"}


@pytest.mark.parametrize("words", [("--rate", "49"), ("--rate", "401"), ("--speed", "0.5"), ("--port", "0")])
def test_a_number_out_of_its_range_is_refused_with_the_range(words: tuple[str, str]) -> None:
    refused = CliRunner().invoke(app, ["demo", *words])
    assert isinstance(refused.exception, UsageError)
    assert str(refused.exception).startswith(f"{words[0]} {words[1]} is ")
    assert "give a number from" in refused.exception.hint

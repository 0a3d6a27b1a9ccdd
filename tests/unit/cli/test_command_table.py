"""The table of commands: each loaded when it is typed, its help the function's own."""

import inspect
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tminus.cli.app import COMMANDS, GROUPS, PANELS, app

HEAVY = ("dbos", "numpy", "scipy", "aiohttp", "psycopg", "sqlalchemy", "fastapi", "uvicorn", "rich", "ruamel")


def modules_after(*words: str) -> set[str]:
    """The heavy packages that a command has loaded when it ends."""
    code = (
        "import sys\nsys.argv = ['tminus', *sys.argv[1:]]\n"
        "from tminus.cli.app import run\n"
        "try:\n    run()\nexcept SystemExit:\n    pass\n"
        f"print('LOADED', *[name for name in {HEAVY!r} if name in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return set(ended.stdout.rpartition("LOADED")[2].split())


@pytest.mark.parametrize("words", COMMANDS)
def test_the_table_says_of_a_command_what_its_function_says(words: str) -> None:
    command = COMMANDS[words]
    assert (inspect.getdoc(command.load()) or "").partition("\n")[0] == command.help


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_of_the_table_can_be_typed(words: str) -> None:
    shown = CliRunner().invoke(app, [*words.split(), "--help"])
    assert shown.exit_code == 0
    assert "Usage: " in shown.output
    assert words.rsplit(maxsplit=1)[-1] in shown.output.partition("\n")[0]


def test_a_command_of_two_words_belongs_to_a_group() -> None:
    assert {words.partition(" ")[0] for words in COMMANDS if " " in words} == set(GROUPS)
    for group in GROUPS:
        shown = CliRunner().invoke(app, [group, "--help"]).output
        assert all(words.partition(" ")[2] in shown for words in COMMANDS if words.startswith(f"{group} "))


def test_the_commands_stand_in_panels_and_each_line_is_whole_at_80_columns() -> None:
    shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "80"}).output
    lines = shown.splitlines()
    assert [line[:-1] for line in lines if re.fullmatch(r"[A-Z]\w+:", line)] == ["Options", *PANELS]
    assert max(map(len, lines)) < 80
    for words, command in COMMANDS.items():
        first, _, second = words.partition(" ")
        about = GROUPS[first] if second else command.help
        assert any(re.fullmatch(rf"  {first} +{re.escape(about)}", line) for line in lines), words


def test_the_commands_of_a_group_stand_in_one_panel_in_the_order_of_the_table() -> None:
    for group in GROUPS:
        (panel,) = (
            panel for panel in PANELS.values() if any(typed.startswith(f"{group} ") for typed in panel)
        )
        members = [typed.partition(" ")[2] for typed in panel if typed.startswith(f"{group} ")]
        shown = CliRunner().invoke(app, [group, "--help"], env={"COLUMNS": "80"}).output
        assert re.findall(r"^  (\w+)  ", shown.partition("Commands:")[2], re.MULTILINE) == members
        assert max(map(len, shown.splitlines())) < 80


def test_the_list_of_commands_loads_none_of_them() -> None:
    assert modules_after("--help") == set()


def test_a_plan_is_read_without_loading_a_vendor_s_library() -> None:
    assert modules_after("plan", "check", "production") == set()


def test_a_command_that_is_nearly_right_is_suggested() -> None:
    assert "Did you mean 'verify'?" in CliRunner().invoke(app, ["verfy"]).output
    assert "'check'" in CliRunner().invoke(app, ["plan", "chek"]).output

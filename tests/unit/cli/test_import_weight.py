"""What a command list costs: `tminus --help` loads no engine, no web, no arithmetic and no live display."""

import subprocess
import sys

HEAVY = (
    "aiohttp",
    "dbos",
    "fastapi",
    "jinja2",
    "numpy",
    "psycopg",
    "pydantic",
    "rich.live",
    "scipy",
    "sqlalchemy",
    "uvicorn",
)
PRINT = """
import sys
from tminus.cli.app import app
try:
    app({words}, prog_name="tminus")
finally:
    print("loaded:", *sorted(sys.modules), file=sys.stderr)
"""


def loaded(*words: str) -> set[str]:
    """The modules that a fresh process has when it has printed this command's help."""
    code = PRINT.format(words=[*words, "--help"])
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert "Usage: tminus" in done.stdout
    return set(done.stderr.rpartition("loaded:")[2].split())


def test_the_list_of_commands_loads_nothing_that_is_heavy() -> None:
    assert loaded() & set(HEAVY) == set()


def test_a_command_loads_what_it_needs_when_it_is_typed() -> None:
    assert "rich.live" in loaded("demo"), "or the test above would see nothing"
    assert not loaded("verify") & {"dbos", "fastapi", "rich.live", "scipy"}

"""What may be said to `make`."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_OUTER = {"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"}
"""What a `make` that runs these tests would say to ours."""


def make(*words: str) -> subprocess.CompletedProcess[str]:
    """What `make` would do; nothing is run."""
    return subprocess.run(
        ["make", "--dry-run", "--old-file=requirements/dev.txt", "demo", *words],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if name not in _OUTER},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize("word", ["RELESE=errors", "release=errors", "SPED=1"])
def test_a_misspelt_variable_is_refused_with_those_that_are_known(word: str) -> None:
    refused = make(word, "YES=1")
    assert refused.returncode == 2
    assert f"make knows no {word.partition('=')[0]}; known: RELEASE YES HEADLESS" in refused.stderr
    assert "tminus demo" not in refused.stdout


def test_every_variable_reaches_the_demo() -> None:
    words = (
        "RELEASE=errors",
        "YES=1",
        "HEADLESS=1",
        "SPEED=5",
        "RATE=50",
        "PORT=8080",
        "PAGE=0",
        "KEEP=1",
        "JSON=1",
    )
    asked = make(*words, "IMAGES=im ages", "PLAN=it's.yaml", "DIGEST=sha256:0")
    assert asked.returncode == 0, asked.stderr
    command = " ".join(asked.stdout.replace("\\\n", " ").split())
    assert command.endswith(
        "tminus demo --release 'errors' --yes --headless --speed '5' --rate '50' --port '8080' --no-page --keep --json "
        r"--images 'im ages' --plan 'it'\''s.yaml' --digest 'sha256:0'"
    )


@pytest.mark.parametrize("word", ["PAGE=1", "PAGE=yes", "PAGE="])
def test_the_page_is_served_unless_it_is_switched_off(word: str) -> None:
    assert "page" not in make(word).stdout.rpartition("tminus demo")[2]


@pytest.mark.parametrize("word", ["YES=0", "YES=no", "YES=false", "YES=", "HEADLESS=0", "KEEP=0", "JSON=0"])
def test_a_switch_that_says_no_is_off(word: str) -> None:
    assert f"--{word.partition('=')[0].lower()}" not in make(word).stdout


@pytest.mark.parametrize("target", ["$(STAMP)", "$(VENDOR)/sse.min.js"])
def test_an_installation_says_in_words_what_it_does(target: str) -> None:
    rules = (ROOT / "Makefile").read_text(encoding="utf-8").split("\n\n")
    (recipe,) = (rule.splitlines()[1:] for rule in rules if rule.startswith(f"{target}: "))
    assert recipe[0].startswith('\t@echo "')
    assert all(command.startswith("\t@") for command in recipe), "a raw command says nothing to a newcomer"

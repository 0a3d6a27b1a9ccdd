"""The command line as a whole: help, errors and exit codes."""

import gc
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from tminus import __version__, errors
from tminus import probes as probe_kit
from tminus.cli import app as module
from tminus.errors import Exit, TminusError
from tminus.planfile import read

DEMO_PLAN = str(files("tminus.demo") / "demo.yaml")
DELIBERATE = [
    kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, TminusError)
]


def typed(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run `tminus WORDS…` as a shell would; its exit code."""
    monkeypatch.setattr(sys, "argv", ["tminus", *words])
    with pytest.raises(SystemExit) as ended:
        module.run()
    code = ended.value.code
    return code if isinstance(code, int) else 0


@pytest.mark.parametrize("kind", DELIBERATE, ids=lambda kind: kind.__name__)
def test_every_deliberate_error_is_one_message_with_what_to_do_and_its_code(
    kind: type[TminusError], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(prog_name: str) -> None:
        assert prog_name == "tminus"
        raise kind("the thing broke", hint="mend the thing")

    monkeypatch.setattr(module, "app", fail)
    assert typed(monkeypatch) == int(kind.code)
    said = capsys.readouterr()
    assert said.err == "tminus: the thing broke\n  what to do: mend the thing\n"
    assert said.out == ""


def test_exit_codes_are_those_that_are_documented() -> None:
    assert len(DELIBERATE) >= 14
    assert {name: int(code) for name, code in Exit.__members__.items()} == {
        "PASSED": 0,
        "FAILED": 1,
        "USAGE": 2,
        "REFUSED": 3,
        "UNKNOWN": 4,
    }
    codes = {kind.__name__: kind.code for kind in DELIBERATE}
    assert (codes["PlanError"], codes["UsageError"], codes["RefusedError"]) == (2, 2, 3)
    assert (codes["OutOfSequenceError"], codes["RollbackError"], codes["RecordError"]) == (3, 1, 1)
    assert (codes["UnreachableError"], codes["PartError"]) == (4, 4)


def test_an_error_that_nobody_meant_is_not_dressed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(prog_name: str) -> None:
        raise ZeroDivisionError(prog_name)

    monkeypatch.setattr(module, "app", fail)
    with pytest.raises(ZeroDivisionError):
        module.run()


def test_help_names_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "--help") == Exit.PASSED
    text = capsys.readouterr().out
    for command in ("demo", "guard", "verify", "probes", "plan", "resume", "abort", "rollback"):
        assert f" {command} " in text, command


@pytest.mark.parametrize("command", ["demo", "guard", "verify", "probes", "resume", "abort", "rollback"])
def test_every_command_explains_itself(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, command, "--help") == Exit.PASSED
    assert "Usage: tminus" in capsys.readouterr().out


def test_the_version_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed(monkeypatch, "--version") == Exit.PASSED
    assert capsys.readouterr().out == f"tminus {__version__}\n"


@pytest.mark.parametrize(
    "words",
    [
        ("launhc",),
        ("plan", "chek"),
        ("demo", "--release", "brilliant"),
        ("demo", "--speed", "fast"),
        ("demo", "--speed", "0.5"),
        ("plan", "check"),
        ("verify",),
        ("probes", "website.heath"),
        ("probes", "websight"),
        ("plan", "check", "/no/such/plan.yaml"),
    ],
)
def test_what_does_not_exist_is_a_usage_error(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, *words) == Exit.USAGE
    said = capsys.readouterr()
    assert said.err
    assert "Traceback" not in said.err


def test_a_good_plan_is_summed_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "plan", "check", DEMO_PLAN) == Exit.PASSED
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"{DEMO_PLAN}: depot on one machine"
    assert lines[1] == f"digest {read(Path(DEMO_PLAN)).digest}"
    assert "5 signature" in lines[2]
    assert lines[-1] == f"{read(Path(DEMO_PLAN)).left_out} of 109 lines are not in this plan"


def test_a_bad_plan_is_refused_with_every_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        Path(DEMO_PLAN).read_text(encoding="utf-8").replace("release.environment\n", "release.enviroment\n")
    )
    path = tmp_path / "plan.yaml"
    path.write_text(text.replace("expect: < 500 ms", "expect: quick"), encoding="utf-8")
    assert typed(monkeypatch, "plan", "check", str(path)) == Exit.USAGE
    said = capsys.readouterr().err
    assert "did you mean 'release.environment'?" in said
    assert said.count("'quick' is no expectation") == 2
    assert "what to do: mend these lines" in said


def test_probes_are_listed_with_what_they_observe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "probes") == Exit.PASSED
    text = capsys.readouterr().out
    for system in probe_kit.systems():
        for name in probe_kit.names(system):
            assert f"{name} " in text
            assert probe_kit.find(name).summary in text


def test_one_probe_is_described_with_its_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "probes", "traffic.errors") == Exit.PASSED
    text = capsys.readouterr().out
    assert text.startswith("traffic.errors: ")
    assert "seconds: whole number (seconds), needed" in text
    assert "probe: traffic.errors" in text
    assert "spoil" in text


def test_a_probe_that_is_nearly_right_is_suggested(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed(monkeypatch, "probes", "traffic.eror")
    assert "did you mean 'traffic.errors'?" in capsys.readouterr().err


def test_garbage_is_looked_for_again_once_a_command_is_there() -> None:
    gc.disable()
    try:
        module.COMMANDS["plan check"].load()
        assert gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()

"""What holds for the whole source: sizes, docstrings, probes, words and commands."""

import ast
import inspect
import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from tminus import errors, probes
from tminus.errors import TminusError

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tminus"
MODULES = sorted(SOURCE.rglob("*.py"))
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TOO_LONG = 400
LONGER: dict[str, str] = {}
"""Files that may be longer, and why."""
OUTLIVES: dict[str, str] = {
    "engine/keeper.py": "told, and tried again in a second: without its heartbeat the whole process may not act",
    "engine/rests.py": "told, and tried again at the next look: without it no launch at rest hears an order",
}
"""Files with a loop that must outlive everything, and why."""


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_what_it_is_for_and_is_not_too_long(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), "a module begins with its docstring"
    if name_of(path) not in LONGER:
        assert len(text.splitlines()) <= TOO_LONG


def test_files_that_may_be_longer_are() -> None:
    for name in LONGER:
        assert len((SOURCE / name).read_text(encoding="utf-8").splitlines()) > TOO_LONG, name


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_an_exception_is_made_to_order_with_a_hint(path: Path) -> None:
    kinds = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, TminusError)
    }
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds:
            assert "hint" in {keyword.arg for keyword in node.keywords}, f"{path}:{node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nothing_is_swallowed(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ExceptHandler):
            broad = node.type is None or (isinstance(node.type, ast.Name) and node.type.id == "Exception")
            last = node.body[-1]
            again = isinstance(last, ast.Raise) and (last.exc is None or last.cause is not None)
            assert not broad or again or name_of(path) in OUTLIVES, f"{path}:{node.lineno} catches everything"
            assert not all(isinstance(part, ast.Pass) for part in node.body), f"{path}:{node.lineno}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_exception_to_a_rule_has_its_reason(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for mark in ("# noqa", "# type: ignore"):
            if mark in line:
                rest = line.partition(mark)[2]
                assert re.match(r"(: |\[)[A-Za-z0-9, -]+\]? (- |# | )\S", rest), f"{path}:{number}"


@pytest.mark.parametrize("system", sorted(probes.systems()))
def test_a_system_has_its_handle_and_documented_probes(system: str) -> None:
    module = import_module(probes.systems()[system])
    assert inspect.isclass(getattr(module, "System", None)), "the file about a system has its `System`"
    assert inspect.getdoc(module.System)
    assert probes.names(system), "and probes"
    for name in probes.names(system):
        found = probes.find(name)
        assert found.summary.endswith("."), f"{name}: one sentence says what is observed"
        assert len(found.summary) <= 120, name
        assert inspect.iscoroutinefunction(found.run), name


def test_every_probe_stands_in_the_reference() -> None:
    page = ROOT / "docs" / "reference" / "probes.md"
    if not page.exists():
        pytest.skip("docs/reference/probes.md is not written yet")
    text = page.read_text(encoding="utf-8")
    missing = [name for system in probes.systems() for name in probes.names(system) if name not in text]
    assert missing == []


def test_the_glossary_defines_the_words_of_the_domain() -> None:
    page = ROOT / "docs" / "reference" / "glossary.md"
    if not page.exists():
        pytest.skip("docs/reference/glossary.md is not written yet")
    text = page.read_text(encoding="utf-8").lower()
    for word in (
        "checklist", "plan", "launch", "release", "milestone", "t-0", "hold", "abort", "check", "probe",
        "observation", "expectation", "verdict", "evidence", "gate", "sign-off", "poll", "decision", "rollout",
        "weight", "blue", "green", "soak", "trigger", "rollback", "record", "target", "system", "owner",
    ):  # fmt: skip
        assert re.search(rf"\b{re.escape(word)}\b", text), word


def test_tests_that_the_documents_name_exist() -> None:
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", path.read_text(encoding="utf-8"))
    }
    security = (ROOT / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", security))
    assert named
    assert named <= defined, sorted(named - defined)


def test_commands_that_the_documents_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {
        target
        for page in DOCUMENTS
        for block in re.findall(r"```.*?```|`[^`\n]+`", page.read_text(encoding="utf-8"), re.DOTALL)
        for target in re.findall(r"^\W*make ([a-z]+)", block, re.MULTILINE)
    }
    assert named
    assert named <= targets


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    project = tomllib.loads(text)["project"]
    wanted = project["dependencies"] + [
        d for extra in project["optional-dependencies"].values() for d in extra
    ]
    for dependency in wanted:
        assert re.search(rf'"{re.escape(dependency)}",?\s+# \S', text), dependency


def test_no_machine_stands_in_the_source() -> None:
    for path in (*MODULES, *DOCUMENTS):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"/(home|root|work)/[a-z]+/", text), path

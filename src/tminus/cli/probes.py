"""`tminus probes`: what can be observed, with which arguments, and how a plan writes it."""

import inspect
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from tminus import planfile
from tminus import probes as probe_kit
from tminus.domain.argument import Argument
from tminus.planfile.document import Document, LineEntry


def probes(
    name: Annotated[
        str,
        typer.Argument(help="One probe (website.answer) or one system (website); all when left out."),
    ] = "",
) -> None:
    """Say what can be observed, and with which arguments."""
    if "." in name:
        typer.echo(f"{name}: {probe_kit.describe(probe_kit.find(name))}")
        typer.echo("\nin a plan:\n")
        typer.echo("\n".join(f"  {line}" for line in example(name)))
        return
    systems = [name] if name else sorted(probe_kit.systems())
    for system in systems:
        for full in probe_kit.names(system):
            typer.echo(f"{full:<24} {probe_kit.find(full).summary}")


def example(name: str) -> Iterator[str]:
    """A line of a plan with this probe: one of the built-in plan or the demo's, else one made of its arguments."""
    known = _known().get(name)
    probe = probe_kit.find(name)
    given = dict(known.arguments) if known else {}
    for key, argument in probe.arguments().items():
        if argument.needed and key not in given:
            given[key] = _value(key, argument)
    yield f"- id: {known.id if known else 'own.line'}"
    yield f"  line: {known.line if known else 'In the words of your checklist'}"
    yield f"  due: {known.due if known else 'T-2h'}"
    yield f"  owner: {known.owner if known else 'devops'}"
    yield f"  probe: {name}"
    if given:
        yield f"  with: {_written(given)}"
    yield f"  expect: {_quoted(known.expect) if known else _expected(inspect.getdoc(probe.run) or '')}"
    if known and known.control:
        yield f"  control: {_written(known.control)}"


@cache
def _known() -> dict[str, LineEntry]:
    """By probe: a line that uses it."""
    demo = Path(str(files("tminus.demo") / "demo.yaml"))
    documents: list[Document] = [planfile.load(demo).document, planfile.load("production").document]
    return {
        line.probe: line
        for document in documents
        for lines in document.checks.values()
        for line in lines
        if line.probe
    }


def _value(key: str, argument: Argument) -> object:
    examples: dict[object, object] = {str: f"<{key}>", int: 1, float: 1.0, bool: True}
    return "${release}" if key == "digest" else examples.get(argument.kind, f"<{key}>")


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(_written(part) for part in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_written(part)}' for key, part in value.items())}}}"
    text = str(value)
    plain = not isinstance(value, str) or text.replace("-", "").replace("_", "").replace("/", "").isalpha()
    return text if plain else f'"{text}"'


def _quoted(expect: str) -> str:
    return f'"{expect}"' if expect.startswith(">") else expect


_EXPECTED = {
    "The HTTP status": "== 200",
    "The share": "< 1%",
    "The 95th": "< 500 ms",
    "How long": "<= 1 min",
    "How old": "<= 1 h",
    "How many": ">= 1",
    "The number": ">= 1",
}
"""By how a probe's description begins: what a line may expect. Each fails where the system is plainly ill."""


def _expected(doc: str) -> str:
    """A probe that gives a figure says so first; others list what is wrong, and nothing is when all is well."""
    return next((expect for words, expect in _EXPECTED.items() if doc.startswith(words)), "empty")

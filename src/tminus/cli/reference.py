"""The reference pages that are made from the code: `python -m tminus.cli.reference` writes them.

`docs/reference/cli.md` is read from the commands' own signatures, `docs/reference/probes.md` from the probes',
`docs/reference/plan.schema.json` from the plan file's models. A unit test fails while a page is stale, so what the
pages say is what the code does.
"""

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from tminus import probes
from tminus.cli.app import COMMANDS
from tminus.cli.probes import example
from tminus.domain.argument import Argument, shown, type_words
from tminus.errors import Exit, PartError
from tminus.planfile.schema import schema

FOLDER = Path(__file__).parents[3] / "docs" / "reference"
"""Where the pages stand in a checkout."""

_MADE = "<!-- Made from the code by `make docs`; a test fails when this page is stale. -->"


def pages() -> dict[str, str]:
    """Every generated page by its file name."""
    return {
        "cli.md": _page(_cli()),
        "probes.md": _page(_probes()),
        "plan.schema.json": json.dumps(schema(), indent=1, ensure_ascii=False) + "\n",
    }


def stale(folder: Path) -> list[str]:
    """The pages that are not as the code would have them now."""
    return [name for name, text in pages().items() if _stored(folder / name) != text]


def main(
    *, check: Annotated[bool, typer.Option("--check", help="Write nothing; 1 when a page is stale.")] = False
) -> None:
    """Write the generated reference pages, or say which are stale."""
    found = stale(FOLDER)
    for name in found:
        typer.echo(f"{FOLDER / name} {'is stale; type `make docs`' if check else 'is written'}")
        if not check:
            _write(FOLDER / name, pages()[name])
    if check and found:
        raise typer.Exit(int(Exit.FAILED))


def _stored(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _write(path: Path, text: str) -> None:
    if not path.parent.is_dir():
        raise PartError(
            f"{path.parent} is not there", hint="run this in a checkout, not in an installed wheel"
        )
    path.write_text(text, encoding="utf-8")


def _page(lines: Iterator[str]) -> str:
    return "\n".join([*lines, ""])


def _cli() -> Iterator[str]:
    yield from ("# Commands", "", _MADE, "")
    yield "`tminus --version` prints the version, `tminus COMMAND --help` what stands here. Exit codes:"
    yield "[exit-codes.md](exit-codes.md)."
    for name, entry in sorted(COMMANDS.items()):
        command = entry.load()
        yield from ("", f"## tminus {name}", "", inspect.getdoc(command) or "")
        yield from _arguments(command)


def _arguments(command: Callable[..., Any]) -> Iterator[str]:
    hints = get_type_hints(command, include_extras=True)
    parameters = inspect.signature(command).parameters
    rows = list(filter(None, (_row(hints[name], parameter) for name, parameter in parameters.items())))
    if rows:
        yield from ("", "| argument | default | meaning |", "|---|---|---|", *rows)


def _row(hint: Any, parameter: inspect.Parameter) -> str:
    kind, *notes = get_args(hint)
    for info in notes:
        if isinstance(info, ArgumentInfo):
            return f"| `{parameter.name.upper()}` | {_default(parameter)} | {info.help} |"
        if isinstance(info, OptionInfo):
            return f"| `{_option(info, kind, parameter.name)}` | {_default(parameter)} | {info.help} |"
    return ""


def _option(info: OptionInfo, kind: Any, name: str) -> str:
    """The option as it is typed, with what it takes."""
    written = [text for text in (info.default, *(info.param_decls or ())) if isinstance(text, str)]
    spelled = written[0] if written else f"--{name.replace('_', '-')}"
    return spelled if kind is bool else f"{spelled} {_takes(kind)}"


def _takes(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return r"\|".join(kind)
    accepted = get_args(kind) or (kind,)
    words: Mapping[Any, str] = {Path: "PATH", int: "NUMBER", float: "NUMBER", str: "TEXT", list[str]: "TEXT"}
    return words.get(accepted[0], "VALUE")


def _default(parameter: inspect.Parameter) -> str:
    value = parameter.default
    if value is inspect.Parameter.empty:
        return "needed"
    if value is None or value is False or value == "":
        return "off" if value is False else "none"
    return f"`{value:g}`" if isinstance(value, float) else f"`{value}`"


def _probes() -> Iterator[str]:
    yield from ("# Probes", "", _MADE, "")
    yield "What a plan may name under `probe:`. A probe observes and never judges; the line's `expect:` does, and must"
    yield "fit what the probe gives ([expectations](plan.md#lines)). `tminus probes NAME` prints one of these."
    for system, module in sorted(probes.systems().items()):
        if module.startswith("tminus."):
            about = inspect.getdoc(probes.module_of(system)) or ""
            yield from ("", f"## {system}", "", about.partition("\n")[0])
            for name in sorted(probes.names(system)):
                yield from ("", f"### {name}", "", *_probe(name))


def _probe(name: str) -> Iterator[str]:
    probe = probes.find(name)
    yield inspect.getdoc(probe.run) or ""
    if kind := probe.value():
        yield from ("", f"Gives: {kind}.")
    rows = [
        f"| `{key}` | {type_words(argument.kind)} | {argument.unit} | {_given(argument)} |"
        for key, argument in probe.arguments().items()
    ]
    if rows:
        yield from ("", "| argument | type | unit | default |", "|---|---|---|---|", *rows)
    yield from ("", "```yaml", *example(name), "```")


def _given(argument: Argument) -> str:
    return "needed" if argument.needed else f"`{shown(argument.default)}`"


if __name__ == "__main__":
    typer.run(main)

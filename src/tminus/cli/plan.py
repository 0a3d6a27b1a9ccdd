"""`tminus plan check` and `tminus plan show`: what a plan says, what is wrong with it, what is to fill."""

import json as json_text
import shutil
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Annotated, Any

import typer

from tminus import planfile
from tminus.cli.clock import now
from tminus.errors import Exit
from tminus.planfile import schema as plan_schema
from tminus.planfile.document import SURE
from tminus.planfile.listing import listed
from tminus.planfile.problem import Problem, printable

File = Annotated[
    str, typer.Argument(help="The plan, a YAML file; or the name of a built-in one: production.")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")]


def check(file: File, *, json: AsJson = False) -> None:
    """Say what is wrong with a plan, and what is to fill.

    Everything that is wrong is told together, with what the plan holds. Ends with 0 for a plan that reads, also while
    something is to fill or warned of; with 2 when anything is wrong.
    """
    found = planfile.load(file, now=now())
    if json:
        typer.echo(json_text.dumps(_as_json(found), indent=2, ensure_ascii=False))
        if found.problems:
            raise typer.Exit(int(Exit.USAGE))
        return
    plan = found.checked()
    kinds = Counter(line.kind.value for line in plan.checks)
    typer.echo(printable(f"{found.path}: {plan.name}"))
    typer.echo(f"digest {plan.digest}")
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    typer.echo(f"{len(plan.checks)} line{'' if len(plan.checks) == 1 else 's'}: {counted}")
    left_out = (
        f"{plan.left_out} of {plan.total} lines {'is' if plan.left_out == 1 else 'are'} not in this plan"
    )
    typer.echo(left_out if plan.left_out else "no line is left out")
    if found.to_fill:
        typer.echo(f"to fill before a launch ({len(found.to_fill)}):")
        for one in found.to_fill:
            typer.echo(f"  {one}")
    if found.warnings:
        typer.echo(f"warnings ({len(found.warnings)}):")
        for warning in found.warnings:
            typer.echo(f"  {warning}")


def show(file: File, *, json: AsJson = False) -> None:
    """List every line of a plan and all else it holds, by id."""
    whole = listed(planfile.load(file, now=now()))
    if json:
        typer.echo(json_text.dumps(whole, indent=2, ensure_ascii=False))
    else:
        typer.echo(printable("\n".join(_shown(whole, shutil.get_terminal_size((80, 24)).columns))))


def schema() -> None:
    """Print the JSON Schema of plans, for editors.

    They complete and check a plan with it.
    """
    typer.echo(json_text.dumps(plan_schema.schema(), indent=2, ensure_ascii=False))


def _sentences(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    return [
        {"file": one.file, "line": one.line, "what": one.what, "instead": one.instead} for one in problems
    ]


def _as_json(found: planfile.Loaded) -> dict[str, Any]:
    plan = found.plan
    return {
        "file": str(found.path),
        "ok": not found.problems,
        "plan": plan.name if plan else None,
        "digest": plan.digest if plan else None,
        "total": plan.total if plan else None,
        "left_out": plan.left_out if plan else None,
        "problems": _sentences(found.problems),
        "warnings": _sentences(found.warnings),
        "to_fill": [{"file": one.file, "line": one.line, "what": one.what} for one in found.to_fill],
    }


def _shown(whole: dict[str, Any], width: int) -> Iterator[str]:
    yield f"{whole['plan']}, {whole['digest']}"
    if whole["source"]:
        yield f"made from {whole['source']['path']}"
    yield f"{whole['total']} lines, {whole['left_out']} of them left out; milestones {', '.join(whole['milestones'])}"
    for section, lines in groupby(whole["lines"], key=lambda line: line["section"]):
        yield from ("", section or "Left out, by id only")
        for line in lines:
            yield from _line(line, width)
    for title, block in (("Roles", "roles"), ("Triggers", "triggers"), ("Figures", "figures")):
        yield from _block(title, whole[block], width)
    for title, block in (("Contacts", "contacts"), ("Document", "document")):
        yield from _block(title, whole[block], width)
    yield from _times(whole)
    if whole["to_fill"]:
        yield from ("", f"To fill before a launch ({len(whole['to_fill'])})")
        for one in whole["to_fill"]:
            yield from _wrapped(f"{one['file']}:{one['line']}: {one['what']}", "  ", width)


def _times(whole: dict[str, Any]) -> Iterator[str]:
    """When it is decided, when owners are told, and when nothing is launched."""
    decision = whole["decision"]
    yield from ("", f"Decision: {decision['line']}, valid {decision['valid']} around T-0")
    notices = ", ".join(f"{kind} {lead}" for kind, lead in whole["notices"].items())
    yield f"Notices, from a line's milestone: {notices}"
    for freeze in whole["freezes"]:
        zone = f" ({freeze['zone']})" if freeze["zone"] else ""
        yield f"No launch: {freeze['name']}, {freeze['from']} to {freeze['to']}{zone}"


def _line(line: dict[str, Any], width: int) -> Iterator[str]:
    box = "x" if line["checked"] else " "
    how = line["probe"] if line["kind"] == "probe" else line["kind"]
    facts = f"{line['due']:<7} {line['owner']:<16} {line['severity']:<9} {how}".rstrip()
    if len(line["id"]) > 18:
        yield f"  [{box}] {line['id']}"
        yield f"{' ' * 25}{facts}"
    else:
        yield f"  [{box}] {line['id']:<18} {facts}"
    where = f" (line {line['source_line']})" if line["source_line"] else ""
    sure = f" — guessed, {line['confidence']:.2f}" if line["confidence"] < SURE else ""
    if line["text"]:
        yield from _wrapped(f"{line['text']}{where}{sure}", " " * 6, width)
    if line["omitted"] is not None:
        yield from _wrapped(f"left out: {line['omitted']}", " " * 6, width)


def _block(title: str, entries: list[dict[str, Any]], width: int) -> Iterator[str]:
    if entries:
        yield from ("", title)
    for entry in entries:
        name = entry.get("title") or entry.get("text") or ""
        keys = ("person", "phone", "email", "value", "claimed", "above", "hold", "action")
        said = [str(entry[key]) for key in keys if entry.get(key) and entry[key] != "0s"]
        yield from _wrapped(f"{entry['id']:<18} {name}: {', '.join(said) or 'to fill'}", "  ", width)


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(width, 40), initial_indent=indent, subsequent_indent=f"{indent}  ")

"""Plans as YAML files: read whole, refused with every problem at once, each with its line.

`document` is the file's shape, `reader` its meaning; the domain's `Plan` is what the rest of tminus works with.
"""

from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent

from tminus.domain.evidence import JsonValue
from tminus.domain.plan import Plan
from tminus.errors import PlanError
from tminus.planfile.document import Document
from tminus.planfile.reader import Problem, Reader, freshness, line_of

__all__ = ["MAX_BYTES", "Problem", "bound", "freshness", "parse", "read"]

MAX_BYTES = 2 * 1024 * 1024
"""The longest plan that is read."""


class _PlainComposer(Composer):
    """Refuses aliases: a few of them, nested, are a whole machine's memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.parser.check_event(AliasEvent):
            mark = self.parser.peek_event().start_mark
            raise ComposerError(
                problem="a plan writes everything out; aliases are not read", problem_mark=mark
            )
        return super().compose_node(parent, index)


def read(path: Path) -> Plan:
    """The plan in this file; raises one `PlanError` that lists every problem with its line."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PlanError(
                f"{path} is larger than {MAX_BYTES} bytes", hint="a plan is a text file of some 1,000 lines"
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PlanError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    except UnicodeDecodeError as error:
        raise PlanError(f"{path} is not UTF-8: {error.reason}", hint="save the plan as UTF-8 text") from error
    plan, problems = parse(text)
    if plan is None or problems:
        listed = "\n".join(f"  {path}:{problem.line}: {problem.what}" for problem in problems)
        raise PlanError(
            f"{path} is no plan that can be launched:\n{listed}", hint="mend these lines and try again"
        )
    return plan


def parse(text: str) -> tuple[Plan | None, list[Problem]]:
    """The plan in this text, or everything that is wrong with it."""
    yaml = YAML(typ="rt")
    yaml.Composer = _PlainComposer
    try:
        tree = yaml.load(StringIO(text))
    except RecursionError:
        return None, [Problem(0, "no YAML: nested too deep to read")]
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        return None, [Problem(line, f"no YAML: {error.problem}")]
    except YAMLError as error:
        return None, [Problem(0, f"no YAML: {error}")]
    if not isinstance(tree, CommentedMap):
        return None, [Problem(1, "a plan is a mapping; it starts with `plan: NAME`")]
    try:
        document = Document.model_validate(_plain(tree))
    except ValidationError as error:
        return None, [
            Problem(line_of(tree, list(p["loc"])), _words(p["loc"], p["msg"])) for p in error.errors()
        ]
    return Reader(tree, document).plan()


def bound(arguments: Mapping[str, JsonValue], values: Mapping[str, str]) -> dict[str, JsonValue]:
    """Arguments with `${name}` replaced by what this launch binds; raises `PlanError` for an unknown name."""
    result: dict[str, JsonValue] = {}
    for key, value in arguments.items():
        if isinstance(value, str) and value.startswith("${") and value.endswith("}"):
            name = value[2:-1]
            if name not in values:
                raise PlanError(
                    f"{value} stands for nothing in this launch",
                    hint=f"names that are bound: {', '.join(sorted(values))}",
                )
            result[key] = values[name]
        else:
            result[key] = value
    return result


def _plain(node: Any) -> Any:
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _words(place: tuple[Any, ...], message: str) -> str:
    where = ".".join(str(step) for step in place)
    return f"{where}: {message[0].lower()}{message[1:]}"

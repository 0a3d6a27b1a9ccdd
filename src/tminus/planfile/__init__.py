"""Plans as YAML files: read whole, refused with every problem at once, each with its file and line.

`document` is the file's shape, `reader` and the modules beside it its meaning; the domain's `Plan` is what the rest of
tminus works with. `loading` is where to begin: text → `nodes` (values with their lines) → `extending` (bases) → `shape`
(a document) → `reader` (a plan). `schema` publishes the shape, `rewriting` changes a file and keeps its comments.
"""

from collections.abc import Mapping
from pathlib import Path

from tminus.domain.canonical import JsonValue
from tminus.domain.plan import Plan
from tminus.errors import PlanError
from tminus.planfile.lines import freshness
from tminus.planfile.loading import Loaded, builtin, builtins, load, loaded
from tminus.planfile.nodes import MAX_BYTES
from tminus.planfile.problem import Mark, Problem, ToFill

__all__ = [
    "MAX_BYTES",
    "Loaded",
    "Mark",
    "Problem",
    "ToFill",
    "bound",
    "builtin",
    "builtins",
    "freshness",
    "load",
    "loaded",
    "parse",
    "read",
]


def read(path: Path | str, *, now: float | None = None) -> Plan:
    """The plan in this file; raises one `PlanError` that lists every problem with its line."""
    return load(path, now=now).checked()


def parse(text: str) -> tuple[Plan | None, list[Problem]]:
    """The plan in this text, or everything that is wrong with it; what it extends is looked for where one stands."""
    found = loaded(text, Path("plan.yaml"))
    return found.plan, list(found.problems)


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

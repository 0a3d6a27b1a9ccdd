"""The signatures of probes, read from a file's text: what a plan may say is known without running what observes.

A plan names probes of many systems. Importing them all would load every vendor's library to read a text file; their
signatures are plain annotations, so the text says the same. Where one is not plain, the caller imports the file.
"""

import ast
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tminus.domain.argument import Argument, Duration, Part, unit_of
from tminus.domain.value import ValueKind

_TYPES: Mapping[str, Any] = {
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "Duration": Duration,
    "Part": Part,
}
_HEAD = re.compile(r"^@Probe\n(?:@.*\n)*async def [^\n]*?(?:\n[^\n]*?)*?:$", re.MULTILINE)
"""A probe from its mark to the first line that ends with a colon: without its body, which is most of a file."""


@dataclass(frozen=True, slots=True)
class Signature:
    """What a plan may say of one probe."""

    arguments: Mapping[str, Argument] | None
    """What may stand under `with:`, by name; nothing where the text alone does not say their types."""
    value: ValueKind | None = None
    """What its expectation judges; nothing where it declares none."""


def signatures(source: str) -> dict[str, Signature]:
    """The probes of one file by their function's name: the functions decorated with `@Probe`."""
    return {
        node.name: Signature(_arguments(node), _value(node.returns))
        for node in _heads(source).body
        if isinstance(node, ast.AsyncFunctionDef) and _is_probe(node)
    }


def _heads(source: str) -> ast.Module:
    """The probes without their bodies; the whole file where a head does not end with its first colon."""
    try:
        return ast.parse("\n".join(f"{head} ..." for head in _HEAD.findall(source)))
    except SyntaxError:
        return ast.parse(source)


def _is_probe(node: ast.AsyncFunctionDef) -> bool:
    return any(isinstance(mark, ast.Name) and mark.id == "Probe" for mark in node.decorator_list)


def _arguments(node: ast.AsyncFunctionDef) -> Mapping[str, Argument] | None:
    found: dict[str, Argument] = {}
    for argument, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        try:
            kind = _kind(argument.annotation)
            value = inspect.Parameter.empty if default is None else ast.literal_eval(default)
        except (LookupError, ValueError):
            return None
        found[argument.arg] = Argument(kind, value, unit_of(argument.arg))
    return found


def _value(node: ast.expr | None) -> ValueKind | None:
    """The kind in `Annotated[Observation, ValueKind.SHARE]`; raises `LookupError` for one that there is not."""
    if not (isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple)):
        return None
    named = [part for part in node.slice.elts if isinstance(part, ast.Attribute)]
    return next((ValueKind[part.attr] for part in named if ast.unparse(part.value) == "ValueKind"), None)


def _kind(node: ast.expr | None) -> Any:
    """The type that an annotation means; raises `LookupError` for one that only the running file knows."""
    if isinstance(node, ast.Name):
        return _TYPES[node.id]
    if isinstance(node, ast.Constant) and node.value is None:
        return type(None)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _kind(node.left) | _kind(node.right)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        inner = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        if node.value.id == "Literal":
            return Literal[tuple(ast.literal_eval(part) for part in inner)]
        if node.value.id == "list":
            return list[_kind(inner[0])]  # type: ignore[misc] # a type made at run time
        if node.value.id == "dict":
            return dict[_kind(inner[0]), _kind(inner[1])]  # type: ignore[misc] # a type made at run time
    raise LookupError(ast.dump(node) if node else "no annotation")

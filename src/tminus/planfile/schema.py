"""The plan file's published JSON Schema (draft 2020-12): what editors complete and check while a plan is written.

Made from the models of `document.py`, so it says what the reader accepts; the models' docstrings are its descriptions.
Two forms are one schema: a plan that stands alone needs its blocks, one that `extends` another needs only its name, and
its entries only the `id` by which they override.
"""

import ast
import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tminus.planfile import document, metricentry, targetentry
from tminus.planfile.document import Document
from tminus.planfile.lines import ACTS, STEPS

ADDRESS = "urn:tminus:plan:1"
"""The schema's `$id`: a name that needs no network and does not change with the place it is stored."""

_BLANK = {
    "RoleEntry": ("person", "phone", "email"),
    "ContactEntry": ("phone", "email"),
    "FactEntry": ("value",),
    "SystemEntry": ("address",),
}
"""Keys that may stand without a value: they are to fill."""
_KEY = {
    "WaiverEntry": ("check",),
    "FreezeEntry": ("name",),
    "SystemEntry": (),
    "RungEntry": ("weight", "watch", "requests"),
}
"""What an entry of a plan that extends another must say, where it is not its `id`."""
_PARTIAL = "Part"
_WORDS = {"step": STEPS, "act": ACTS}
"""Keys of lines that take one of a few words."""


def schema() -> dict[str, Any]:
    """The schema as JSON."""
    made = Document.model_json_schema(by_alias=True, ref_template="#/$defs/{model}")
    definitions: dict[str, Any] = made.pop("$defs")
    definitions["Document"] = made
    _describe(definitions)
    _allow_blanks(definitions)
    alone = definitions.pop("Document")
    part = _partial(definitions, alone)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": ADDRESS,
        "title": "tminus plan",
        "description": "A production deployment checklist that executes itself. Reference: docs/reference/plan.md.",
        "type": "object",
        "if": {"required": ["extends"], "properties": {"extends": {"type": "string", "minLength": 1}}},
        "then": {"$ref": "#/$defs/Extending"},
        "else": {"$ref": "#/$defs/Standing"},
        "$defs": definitions | {"Standing": alone, "Extending": part},
    }


def _describe(definitions: dict[str, Any]) -> None:
    docs = dict(_docs())
    for name, definition in definitions.items():
        definition.pop("title", None)
        for key, about in definition.get("properties", {}).items():
            about.pop("title", None)
            if text := docs.get(f"{name}.{key}") or docs.get(f"LineEntry.{key}"):
                about["description"] = text
            if key in _WORDS and name.endswith("LineEntry"):
                about["enum"] = ["", *_WORDS[key]]


def _docs() -> Iterator[tuple[str, str]]:
    """The texts that stand under the fields in the source, by `Model.key`."""
    for module in (document, metricentry, targetentry):
        for node in ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                for field, text in zip(node.body, node.body[1:], strict=False):
                    if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                        yield _key(getattr(module, node.name), field), str(ast.literal_eval(text.value))


def _key(model: type[BaseModel], field: ast.AnnAssign) -> str:
    name = ast.unparse(field.target)
    return f"{model.__name__}.{model.model_fields[name].alias or name}"


def _allow_blanks(definitions: dict[str, Any]) -> None:
    for model, keys in _BLANK.items():
        for key in keys:
            about = definitions[model]["properties"][key]
            about["type"] = ["string", "null"]


def _partial(definitions: dict[str, Any], alone: dict[str, Any]) -> dict[str, Any]:
    """The form of a plan that extends another; its entries are added to the definitions."""
    names = [name for name in definitions if name.endswith(("Entry", "Line"))]
    for name in names:
        part: dict[str, Any] = copy.deepcopy(definitions[name])
        _point_to_parts(part, names)
        keys = _KEY.get(name, ("id",) if "id" in part["properties"] else ())
        needed = [key for key in keys if key in part["properties"]]
        if name in {"OmittedEntry", "SourceEntry", "InvariantEntry"}:
            needed = list(part.get("required", []))
        part["required"] = needed
        definitions[name + _PARTIAL] = part
    extending = copy.deepcopy(alone)
    _point_to_parts(extending, names)
    extending["required"] = ["plan", "extends"]
    extending["description"] = "A plan on top of another one: what is given here wins, entries by their id."
    return extending


def _point_to_parts(node: Any, names: list[str]) -> None:
    if isinstance(node, dict):
        reference = str(node.get("$ref", ""))
        if reference.rpartition("/")[2] in names:
            node["$ref"] = reference + _PARTIAL
        for value in node.values():
            _point_to_parts(value, names)
    elif isinstance(node, list):
        for value in node:
            _point_to_parts(value, names)

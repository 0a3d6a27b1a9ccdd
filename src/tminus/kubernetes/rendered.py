"""Rendered manifests as files hold them: YAML or JSON, many documents in one, each with the line it begins at.

A file is read whole or refused with the line that is to blame; nothing in it is executed or followed. Templates are no
manifests: render them first.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tminus import files
from tminus.errors import UsageError

from .api import Object
from .references import mapping, mappings, text

MAX_BYTES = 8 * 1024 * 1024
"""The longest file that is read."""
MAX_VALUES = 1_000_000
"""The most values in one document, each alias counted as often as it stands there."""
MAX_FILES = 5_000
SUFFIXES = (".yaml", ".yml", ".json")

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Values are read as kubectl does, by the rules of its YAML in Go: a date stays the text that the API server reads, and
# a plain `=` is one too; `22:30` is no number of base 60, and `12e3` and `08` are numbers; `y` is a truth value.
_OTHERWISE = {f"tag:yaml.org,2002:{name}" for name in ("timestamp", "value", "int", "float")}
_RESOLVERS = {
    first: [(tag, pattern) for tag, pattern in known if tag not in _OTHERWISE]
    for first, known in _BASE.yaml_implicit_resolvers.items()
}
_NUMBER = re.compile(
    r"[-+]?(?:0[bB][01_]+|0[oO][0-7_]+|0[xX][0-9a-fA-F_]+|(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?)$"
)
_TRUTH = {**_BASE.bool_values, "y": True, "n": False}
_Loader: Any = type("_Loader", (_BASE,), {"yaml_implicit_resolvers": _RESOLVERS, "bool_values": _TRUTH})


def _number(loader: Any, node: Any) -> int | float | str:
    """A number as Go reads it; the text where it is too large for one."""
    del loader
    plain = node.value.replace("_", "")
    if re.fullmatch(r"[-+]?0[0-7]+", plain):
        return int(plain, 8)
    if re.fullmatch(r"[-+]?(?:0[bBoOxX].+|[1-9][0-9]*|0)", plain):
        return int(plain, 0)
    value = float(plain)
    return value if math.isfinite(value) else str(node.value)


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _NUMBER, list("-+.0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"[yYnN]$"), list("yYnN"))
_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_TEMPLATE = "it may be a template: render it first (`helm template`, `kustomize build`)"
_MERGE = "tag:yaml.org,2002:merge"
_ONCE = "keep one of both: the other would be lost"


@dataclass(frozen=True, slots=True)
class Document:
    """One document of one file."""

    value: Any
    file: Path
    line: int
    """Where it begins."""

    @property
    def thing(self) -> Object:
        """It as an object; an empty one where it is none."""
        return mapping(self.value)

    @property
    def is_object(self) -> bool:
        """Whether it says what it is, as every object of the API does."""
        return bool(text(self.thing.get("kind")) and text(self.thing.get("apiVersion")))


def documents(file: Path) -> list[Document]:
    """Every document of a file that holds something; raises `UsageError` with the line that cannot be read."""
    try:
        data = files.regular(file, MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}", hint="check the path") from error
    if len(data) > MAX_BYTES:
        raise UsageError(f"{file} has more than {MAX_BYTES:,} bytes", hint="split it into smaller files")
    try:
        whole = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{file}:{line}: no UTF-8", hint="a manifest is text in UTF-8") from error
    found = _json(whole, file) if file.suffix.lower() == ".json" else list(_yaml(whole, file))
    return [one for one in found if one.value is not None]


def objects(place: Path) -> list[Document]:
    """Every object of a file, or of all manifests below a folder, lists taken apart.

    Raises `UsageError` for what cannot be read, for a document that is no object, and where there is none at all.
    """
    found: list[Document] = []
    for file in _files(place):
        for document in documents(file):
            if not document.is_object:
                raise UsageError(
                    f"{document.file}:{document.line}: no Kubernetes object, for it has no `kind` and `apiVersion`",
                    hint="name a folder that holds rendered manifests and nothing else",
                )
            found += _apart(document)
    if not found:
        raise UsageError(f"{place} holds no manifest", hint="render the manifests there first")
    return found


def _files(place: Path) -> list[Path]:
    if not place.is_dir():
        return [place]
    found = sorted(file for file in place.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
    if len(found) > MAX_FILES:
        raise UsageError(f"{place} holds {len(found):,} files", hint="name the folder of one service")
    return found


def _apart(document: Document) -> list[Document]:
    kind, items = text(document.thing.get("kind")), document.thing.get("items")
    if not kind.endswith("List") or not isinstance(items, list):
        return [document]
    return [Document(one, document.file, document.line) for one in mappings(items)]


class _TwiceError(Exception):
    """A key stands twice in one mapping, of which the API server takes one."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the key {key[:60]!r} stands twice in one mapping")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; raises `_TwiceError` for a key that it has twice."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(key)
        found[key] = value
    return found


def _json(whole: str, file: Path) -> list[Document]:
    try:
        return [Document(json.loads(whole, object_pairs_hook=_object), file, 1)]
    except _TwiceError as error:
        raise UsageError(f"{file}: {error}", hint=_ONCE) from error
    except json.JSONDecodeError as error:
        raise UsageError(f"{file}:{error.lineno}: no JSON: {error.msg}", hint="see the line") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file}: no JSON that can be read", hint="see how deep it is nested") from error


def _yaml(whole: str, file: Path) -> Iterator[Document]:
    line = 1
    loader = None
    try:
        loader = _Loader(whole)
        while loader.check_node():
            node = loader.get_node()
            line = node.start_mark.line + 1
            if _values(node, {}) > MAX_VALUES:
                raise UsageError(
                    f"{file}:{line}: more than {MAX_VALUES:,} values", hint="write it without nested aliases"
                )
            if (key := _twice(node)) is not None:
                raise UsageError(f"{file}:{key.start_mark.line + 1}: {_TwiceError(key.value)}", hint=_ONCE)
            yield Document(loader.construct_document(node), file, line)
    except yaml.reader.ReaderError as error:
        line = whole.count("\n", 0, error.position) + 1
        raise UsageError(f"{file}:{line}: no YAML: a control character", hint="take it out") from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = mark.line + 1 if mark else line
        raise UsageError(
            f"{file}:{at}: no YAML: {error.problem}", hint=f"see the line; {_TEMPLATE}"
        ) from error
    except (ValueError, RecursionError) as error:
        why = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UsageError(
            f"{file}:{line}: no YAML that can be read: {why}", hint="see this document"
        ) from error
    finally:
        if loader is not None:
            loader.dispose()


def _values(node: Any, known: dict[int, int]) -> int:
    """How many values a node stands for, those of its aliases again at each place."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = MAX_VALUES + 1  # what holds itself has no end
    parts: list[Any] = []
    if isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        parts = node.value
    known[id(node)] = 1 + sum(_values(part, known) for part in parts)
    return known[id(node)]


def _twice(root: Any) -> Any:
    """The first key, in the order of the file, that its mapping has already; nothing where all differ."""
    left, seen = [root], set()
    found: list[Any] = []
    while left:
        node = left.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            left += node.value
        elif isinstance(node, yaml.MappingNode):
            left += [value for _, value in node.value]
            found += _repeated(node)
    return min(found, key=lambda key: key.start_mark.index, default=None)


def _repeated(node: Any) -> list[Any]:
    known: set[tuple[str, str]] = set()
    found = []
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE:
            if (key.tag, key.value) in known:
                found.append(key)
            known.add((key.tag, key.value))
    return found

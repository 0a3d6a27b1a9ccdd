"""A configuration of Alertmanager, by itself or within a Kubernetes Secret or ConfigMap."""

import base64
import binascii
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from tminus.alerting import configuration, matchers
from tminus.alerting.configuration import Configuration
from tminus.alerting.routes import Route, Tree
from tminus.alerting.yamltree import Fault, FaultError, Fields, as_text, documents, telling
from tminus.domain.canonical import JsonValue
from tminus.errors import UsageError
from tminus.readers import Sight
from tminus.readers.textfiles import refuse, text_of
from tminus.readers.tools import Word, word

_WHAT = "a configuration of Alertmanager"
_KINDS = ("Secret", "ConfigMap")
_NAMES = ("alertmanager.yaml", "alertmanager.yml", "config.yml", "config.yaml")
"""How the configuration is called within an object."""

_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACES = re.compile(r"\s*\{(.*)\}\s*", re.DOTALL)
_BARE = re.compile(r"\s*(?:[^\s=]+\s*=\s*[^\s=]*\s*)?")


def likely(path: Path, head: bytes) -> bool:
    """See `Reader.likely`."""
    text = b"\n" + head
    yaml = path.suffix.lower() in {".yaml", ".yml"}
    within = b"\nkind: Secret" in text and any(name.encode() in text for name in _NAMES[:2])
    return yaml and ((b"\nroute:" in text and b"plan:" not in text) or b"\ninhibit_rules:" in text or within)


def see(path: Path) -> Sight:
    """Its routes and what each receiver tells; refused with every fault that Alertmanager would refuse it for."""
    found, tree, said = _read(path)
    details: dict[str, JsonValue] = {
        "route": _route(tree.root),
        "receivers": {name: [*what] for name, what in tree.integrations.items()},
        "time_intervals": [*found.intervals],
        "amtool": said.text,
    }
    lines = (*_drawn(tree.root, tree.integrations), *_told(tree.integrations))
    return Sight(_counts(found, tree), details, (*_remarks(found, tree), said.text), lines, said.refused)


def routed(path: Path, labels: str) -> Sight:
    """Who hears of an alert with these labels, in the order of the routes."""
    given = _labels(labels)
    found, tree, said = _read(path)
    taken = tree.root.taken_by(given)
    names = tree.receivers(given)
    details: dict[str, JsonValue] = {
        "labels": {**given},
        "receivers": [*names],
        "integrations": {name: [*tree.integrations.get(name, ())] for name in names},
        "routes": [_node(route) for route in taken],
        "amtool": said.text,
    }
    lines = (
        f"{', '.join(f'{name}={value}' for name, value in given.items()) or 'no label'} goes to",
        *(f"  {name}: {', '.join(tree.integrations.get(name, ())) or 'nobody'}" for name in names),
        *(f"  {line}" for line in _times(taken)),
    )
    return Sight(_counts(found, tree), details, (*_remarks(found, tree), said.text), lines, said.refused)


def _read(path: Path) -> tuple[Configuration, Tree, Word]:
    """What a file holds, and what amtool says of it."""
    text = text_of(path)
    within = ""
    faults: list[Fault] = []
    with telling(faults):
        within = _within(path, text)
    refuse(path, _WHAT, faults)
    found = configuration.read(within or text)
    refuse(path, _WHAT, found.faults)
    assert found.tree is not None  # noqa: S101 - a configuration without faults has its tree
    return found, found.tree, word("amtool", "check-config", path=path, within=within)


def _within(path: Path, text: str) -> str:
    """The configuration itself, out of the object that holds it; empty where the file is no object."""
    try:
        roots = documents(text)
    except FaultError:
        return ""  # told with its line when it is read
    root = roots[0] if roots else None
    if not isinstance(root, Fields) or root.get("kind") is None:
        return ""
    kind = root.text("kind")
    if kind not in _KINDS:
        raise UsageError(
            f"{path} is an object of kind {kind} and no {' or '.join(_KINDS)} with a configuration of Alertmanager",
            hint="give the configuration that Alertmanager itself reads",
        )
    for block, packed in (("stringData", False), ("data", kind == "Secret")):
        fields = root.mapped(block)
        name = next((one for one in _NAMES if fields.get(one) is not None), "")
        if name:
            content = as_text(fields.nodes[name], name)
            return _unpacked(path, content) if packed else content
    raise UsageError(
        f"{path} holds none of {', '.join(_NAMES)}",
        hint="give the configuration that Alertmanager itself reads",
    )


def _unpacked(path: Path, content: str) -> str:
    try:
        return base64.b64decode("".join(content.split()), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{path} holds what is no base64 of a text", hint="make the Secret anew") from error


def _labels(text: str) -> dict[str, str]:
    """The labels of `severity=critical,team=x`; a value with a comma stands in double quotes."""
    hint = (
        "write them as severity=critical,team=x; a value with a blank, a comma or = stands in double quotes"
    )
    try:
        found, _ = matchers.parse(text)
    except ValueError as error:
        raise UsageError(f"{text!r} names no labels: {error}", hint=hint) from error
    other = next((one for one in found if one.operator != "="), None)
    if other is not None:
        raise UsageError(f"{other} says nothing of one alert; its labels have one value each", hint=hint)
    for at, one in enumerate(found):
        if not matchers.CLASSIC_NAME.fullmatch(one.name) and f'"{one.name}"' not in text:
            named = "letters, digits and _, and no digit first"
            raise UsageError(f"{one.name!r} is no name of a label: it has {named}", hint=hint)
        if any(one.name == other.name for other in found[:at]):
            raise UsageError(f"{one.name} is given twice; an alert has each label once", hint=hint)
    # The classic parser takes blanks and signs into a value: `a=b c=d` would be one label.
    plain = _BRACES.sub(r"\1", _QUOTED.sub('""', text))
    odd = next((part for part in plain.split(",") if not _BARE.fullmatch(part)), None)
    if odd is not None:
        raise UsageError(f"{odd.strip()!r} is not one label with one value", hint=hint)
    return {one.name: one.value for one in found}


def _counts(found: Configuration, tree: Tree) -> dict[str, int]:
    kinds = Counter(kind for what in tree.integrations.values() for kind in what)
    return {
        "route_nodes": sum(1 for _ in tree.root.below()),
        "receivers": len(tree.integrations),
        "inhibit_rules": found.inhibitions,
        "time_intervals": len(found.intervals),
        **{f"{kind}_integrations": number for kind, number in sorted(kinds.items())},
    }


def _node(route: Route) -> dict[str, JsonValue]:
    return {
        "receiver": route.receiver,
        "matchers": [str(one) for one in route.matchers],
        "continue": route.goes_on,
        "group_by": [*route.group_by],
        "mute_time_intervals": [*route.muted],
        "active_time_intervals": [*route.active],
        "line": route.line,
    }


def _route(route: Route) -> dict[str, JsonValue]:
    return {**_node(route), "routes": [_route(child) for child in route.children]}


def _drawn(route: Route, integrations: Mapping[str, tuple[str, ...]], depth: int = 0) -> Iterator[str]:
    """The tree, a line for each node."""
    asks = ", ".join(str(one) for one in route.matchers) or ("everything" if depth else "what no route takes")
    yield f"{'  ' * depth}{asks} -> {route.receiver}{', and on' if route.goes_on else ''}"
    for child in route.children:
        yield from _drawn(child, integrations, depth + 1)


def _told(integrations: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for name, what in integrations.items():
        yield f"{name} tells {', '.join(what) or 'nobody'}"


def _times(taken: list[Route]) -> Iterator[str]:
    for route in taken:
        for words, names in (("not within", route.muted), ("only within", route.active)):
            if names:
                yield f"{route.receiver}: {words} {', '.join(names)}"


def _remarks(found: Configuration, tree: Tree) -> Iterator[str]:
    yield from found.remarks
    for route in tree.unreachable:
        yield f"line {route.line}: no alert ever arrives at the route {route}"
    used = {route.receiver for route in tree.root.below()}
    for name, what in tree.integrations.items():
        if not what:
            leads = "alerts go to it" if name in used else "nothing leads to it"
            yield f"the receiver {name} tells nobody, and {leads}"
        elif name not in used:
            yield f"nothing leads to the receiver {name}"

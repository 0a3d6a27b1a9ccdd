"""What only the team knows and has not written yet: names, numbers, addresses that are empty or a placeholder."""

import re
from collections.abc import Iterator, Mapping

from tminus.domain.canonical import JsonValue
from tminus.domain.people import alike
from tminus.planfile.beside import needed
from tminus.planfile.findings import Findings
from tminus.planfile.nodes import Map, Seq
from tminus.planfile.problem import ToFill
from tminus.planfile.shape import Place
from tminus.planfile.targeting import AT_TARGET, BY_TARGET, systems

_WHOLE = re.compile(
    r"\[[^\]]*\]|<[^>]*>|[.…?·-]+|n/?n|tb[da]|todo|fixme|change[ _-]?me|placeholder|name", re.IGNORECASE
)
_WITHIN = re.compile(r"_{3,}|(?<![A-Za-z])[xX]{3,}(?![A-Za-z])|\b(?:TBD|TBA|TODO|FIXME|CHANGEME|changeme)\b")


def is_placeholder(text: str) -> bool:
    """Whether a value is empty or stands for one: `[Name]`, `+49-xxx-…`, `____`, `TBD`, `changeme`."""
    written = text.strip()
    return not alike(written) or bool(_WHOLE.fullmatch(written) or _WITHIN.search(written))


def to_fill(found: Findings) -> tuple[ToFill, ...]:
    """Everything that is to fill before a launch, in the order of the file."""
    listed = [
        ToFill(*found.mark(place), f"{name}: {_said(_name(place), text)}")
        for place, name, text in _values(found)
        if is_placeholder(text) and not found.shaped.within_broken(place)
    ]
    return tuple(sorted(set(listed)))


def unfilled(arguments: Mapping[str, JsonValue]) -> list[str]:
    """The arguments of a line that hold a placeholder, by name; what a probe would see with one means nothing."""
    return [
        name for name, value in arguments.items() if any(is_placeholder(text) for _, text in _texts(value))
    ]


def _said(key: object, text: str) -> str:
    return f"`{key}` is empty" if not alike(text) else f"`{key}` is the placeholder {text.strip()[:40]!r}"


def _name(place: Place) -> object:
    """The key at a place; of a list's item the list's own."""
    return next(key for key in reversed(place) if isinstance(key, str))


def _values(found: Findings) -> Iterator[tuple[Place, str, str]]:
    document = found.document
    for index, role in enumerate(document.roles):
        yield ("roles", index, "person"), f"role.{role.id}", role.person
        yield from _reach(found, ("roles", index), f"role.{role.id}")
    for index, contact in enumerate(document.contacts):
        place = ("contacts", index)
        yield from _reach(found, place, contact.id)
        if not {"phone", "email"} & _given(found, place):
            yield (*place, "phone"), contact.id, ""
    for index, fact in enumerate(document.document):
        yield ("document", index, "value"), fact.id, fact.value
    for index, figure in enumerate(document.figures):
        yield ("figures", index, "claimed"), figure.id, figure.claimed
    yield from _addresses(found)
    yield from _arguments(found)


def _given(found: Findings, place: Place) -> set[str]:
    block, index = place[0], place[1]
    entries = found.tree.get(block)
    entry = entries[index] if isinstance(entries, Seq) and index in range(len(entries)) else None
    return set(entry) if isinstance(entry, Map) else set()


def _reach(found: Findings, place: Place, name: str) -> Iterator[tuple[Place, str, str]]:
    """Ways to reach somebody, where the plan has a place for them; a key that it does not have is not wanted."""
    entry = getattr(found.document, place[0])[place[1]]
    for key in sorted({"phone", "email"} & _given(found, place)):
        yield (*place, key), name, getattr(entry, key)


def _addresses(found: Findings) -> Iterator[tuple[Place, str, str]]:
    """The addresses of the systems that a line needs, or the rollout."""
    kinds = {name: system.kind for name, system in found.document.systems.items()}
    used = {*systems(found.document)}.union(
        *(needed(line.probe, line.arguments, kinds) for _, _, line in found.lines() if line.probe)
    )
    for name, system in found.document.systems.items():
        shown = found.document.target is not None and system.kind in {*BY_TARGET, *AT_TARGET}
        if name in used and not shown:
            yield ("systems", name, "address"), f"system {name}", system.address


def _arguments(found: Findings) -> Iterator[tuple[Place, str, str]]:
    for place, _, line in found.lines():
        for within, text in _texts(line.arguments):
            yield (*place, "with", *within), line.id, text


def _texts(value: JsonValue) -> Iterator[tuple[Place, str]]:
    """Every text in an argument that is not empty, and where it stands in it; tables of a team's own hold many."""
    if isinstance(value, str) and value:
        yield (), value
    parts = value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else ())
    for key, part in parts:
        for within, text in _texts(part):
            yield (key, *within), text

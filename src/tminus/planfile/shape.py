"""From plain values to a document: what is shaped wrongly is told in plain words, and the rest is still read.

An entry that is shaped wrongly is replaced by a neutral one of the same id, so that everything else can be checked for
its meaning in the same run. What stands within such an entry is not checked further.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from tminus.domain.argument import shown
from tminus.planfile.document import (
    ContactEntry,
    Document,
    FactEntry,
    FigureEntry,
    FreezeEntry,
    InvariantEntry,
    LineEntry,
    OmittedEntry,
    OmittedLine,
    RoleEntry,
    RungEntry,
    ShortenedEntry,
    SystemEntry,
    TriggerEntry,
    VantageEntry,
    WaiverEntry,
)
from tminus.planfile.metricentry import MetricEntry
from tminus.planfile.misnaming import misnamed
from tminus.planfile.nodes import Map, mark_of, plain
from tminus.planfile.problem import Problem, meant, problem_at
from tminus.planfile.targetentry import ChangeEntry, CountedEntry, OtherEntry

Place = tuple[Any, ...]

_ENTRIES: tuple[tuple[tuple[str, ...], type[BaseModel]], ...] = (
    (("checks", "*", "*"), LineEntry),
    (("omitted", "*", "lines", "*"), OmittedLine),
    (("omitted", "*"), OmittedEntry),
    (("roles", "*"), RoleEntry),
    (("systems", "*"), SystemEntry),
    (("contacts", "*"), ContactEntry),
    (("document", "*"), FactEntry),
    (("figures", "*"), FigureEntry),
    (("waivers", "*"), WaiverEntry),
    (("freezes", "*"), FreezeEntry),
    (("expedited", "omitted", "*"), ShortenedEntry),
    (("triggers", "*", "invariants", "*"), InvariantEntry),
    (("triggers", "*", "vantages", "*"), VantageEntry),
    (("triggers", "*"), TriggerEntry),
    (("metrics", "*"), MetricEntry),
    (("rollout", "ladder", "*"), RungEntry),
    (("target", "traffic"), CountedEntry),
    (("target", "others", "*"), OtherEntry),
    (("changes", "*"), ChangeEntry),
)
"""Where entries stand that can be replaced one by one, the innermost first."""
_LINE = {"id": "?", "line": "?", "due": "T-0", "owner": "?", "not_applicable": "?"}
_ROLE = {"id": "?", "title": "?", "signs": True, "decides": True}
_NEUTRAL: Mapping[str, Any] = {
    "plan": "?",
    "production": False,
    "release": {"components": ["?"]},
    "systems": {},
    "roles": [_ROLE],
    "milestones": ["T-0"],
    "checks": {"?": [_LINE]},
    "rollout": {"ladder": [{"weight": 100, "watch": "0s", "requests": 1}], "drain": "0s"},
    "triggers": [],
}
"""What stands in for a whole block that is missing or shaped wrongly."""
_MOST = 1000
"""Shape problems that are told of one plan."""
_VERY_MANY = 10 * _MOST
"""From this number on they are looked for again among the first entries only."""


@dataclass(slots=True)
class Shaped:
    """A document, and where it is not what was written."""

    document: Document | None
    problems: list[Problem] = field(default_factory=list)
    broken: set[Place] = field(default_factory=set)
    """Blocks and entries that stand for ones that are shaped wrongly."""

    def within_broken(self, place: Place) -> bool:
        """Whether a place lies in something that was replaced, so that what stands there means nothing."""
        return any(place[:length] in self.broken for length in range(len(place) + 1))


def shaped(tree: Map) -> Shaped:
    """The document in these values, whatever is shaped wrongly replaced by something neutral."""
    values = plain(tree)
    try:
        return Shaped(Document.model_validate(values))
    except ValidationError as error:
        many, found = error.error_count() > _MOST, _first(error, values)
    result = Shaped(None)
    told = [*_without_other_branches(found, values)]
    misspelled = misnamed(values, (_place(one["loc"]) for one in told if one["type"] == "missing"))
    for one in told:
        place = _place(one["loc"])
        lacks = misspelled.get(place[:-1], "") if one["type"] == "missing" else ""
        problem = problem_at(mark_of(tree, place), lacks or _sentence(one, place, values))
        if not lacks or problem not in result.problems:
            result.problems.append(problem)
        if one["type"] != "extra_forbidden":
            result.broken.add(_entry_of(place))
    if many:
        return result  # not everything is told, so not everything can be mended either
    try:
        result.document = Document.model_validate(_mended(values, found, result.broken))
    except ValidationError:
        result.document = None  # what is wrong has been said; nothing is left whose meaning could be checked
    return result


def _first(error: ValidationError, values: dict[str, Any]) -> list[Any]:
    """The first shape problems; of very many only those of the first entries, since to tell each takes a second."""
    if error.error_count() > _VERY_MANY:
        try:
            Document.model_validate(_beginning(values))
        except ValidationError as fewer:
            error = fewer
    return error.errors(include_url=False, include_context=True, include_input=True)[:_MOST]


def _beginning(value: Any) -> Any:
    """The same with as many entries of each list as there are problems to tell."""
    if isinstance(value, dict):
        return {key: _beginning(part) for key, part in value.items()}
    return [_beginning(part) for part in value[:_MOST]] if isinstance(value, list) else value


def _without_other_branches(found: Sequence[Any], values: Any) -> Iterator[Any]:
    """A line under `omitted` is a text or a mapping: what it is not is not told."""
    for one in found:
        place = one["loc"]
        if place[:1] == ("omitted",) and len(place) > 4 and place[2] == "lines":
            written = _at(values, place[:4])
            if isinstance(written, dict) is not (place[4] == OmittedLine.__name__):
                continue
        yield one


def _place(loc: Sequence[Any]) -> Place:
    """Pydantic's place without the names of the branches of a union."""
    place = tuple(loc)
    if place[:1] == ("omitted",) and len(place) > 4 and place[2] == "lines":
        return (*place[:4], *place[5:])
    return place


def _entry_of(place: Place) -> Place:
    for pattern, _ in _ENTRIES:
        if len(place) >= len(pattern) and _fits(place[: len(pattern)], pattern):
            return place[: len(pattern)]
    return place[:1]


def _fits(place: Place, pattern: Sequence[str]) -> bool:
    return len(place) == len(pattern) and all(
        want in {"*", step} for step, want in zip(place, pattern, strict=True)
    )


def _mended(values: Any, found: Sequence[Any], broken: set[Place]) -> dict[str, Any]:
    for one in found:
        place = _place(one["loc"])
        if one["type"] == "extra_forbidden" and isinstance(holder := _at(values, place[:-1]), dict):
            holder.pop(place[-1], None)
    for place in sorted(broken, key=len, reverse=True):
        _replace(values, place)
    return dict(values)


def _replace(values: Any, place: Place) -> None:
    if len(place) == 1 or not isinstance(holder := _at(values, place[:-1]), dict | list):
        values.pop(place[0], None)
        if place[0] in _NEUTRAL:
            values[place[0]] = _NEUTRAL[place[0]]
        return
    model = next(model for pattern, model in _ENTRIES if _fits(place, pattern))
    # A block of a block may be missing altogether.
    given = holder.get(place[-1]) if isinstance(holder, dict) else holder[place[-1]]
    holder[place[-1]] = _neutral(model, given)


def _neutral(model: type[BaseModel], whole: Any) -> dict[str, Any]:
    """An entry of this shape with its own id, and as much of it as is shaped well."""
    given = whole if isinstance(whole, dict) else {}
    if isinstance(whole, str) and model is OmittedLine:
        given = {"id": whole}
    entry: dict[str, Any] = {}
    for name, about in model.model_fields.items():
        written = given.get(name)
        if isinstance(written, _plain_kinds(about.annotation)) and (written is False or str(written).strip()):
            entry[name] = written
        elif about.is_required():
            entry[name] = _empty(about.annotation)
    if model is LineEntry:
        entry = {"id": entry["id"], "line": "?", "due": "T-0", "owner": "?", "not_applicable": "?"}
    return entry


def _plain_kinds(annotation: Any) -> tuple[type, ...]:
    return (annotation,) if annotation in {str, bool} else ()


def _empty(annotation: Any) -> Any:
    if get_origin(annotation) is list:
        return ["?"]
    return {str: "?", bool: False, int: 1}.get(annotation, "?")


def _at(values: Any, place: Sequence[Any]) -> Any:
    for step in place:
        inside = isinstance(values, dict) and step in values
        if not inside and not (isinstance(values, list) and step in range(len(values))):
            return None
        values = values[step]
    return values


def _sentence(one: Any, place: Place, values: Any) -> str:
    """What is wrong, in the words of plans; pydantic's own words are for programmers."""
    name = str(place[-1]) if place else "the plan"
    about = _about(place, values)
    kind = str(one["type"])
    if kind == "extra_forbidden":
        return f"{about}`{name}` is no key here{_known_keys(place, name)}"
    if kind == "missing":
        return f"{about}`{name}` is missing; write `{name}: …`"
    key = f"`{name}`" if not isinstance(place[-1], int) else f"entry {place[-1] + 1} of `{place[-2]}`"
    return f"{about}{key} {_wrong(kind, one)}"


def _about(place: Place, values: Any) -> str:
    """The name of the entry that a place lies in, with a colon; nothing at the top."""
    for length in range(len(place), 0, -1):
        holder = _at(values, place[:length])
        if isinstance(holder, dict) and isinstance(holder.get("id"), str) and length < len(place) + 1:
            return f"{holder['id']}: "
    return f"{place[0]}: " if len(place) > 1 else ""


def _known_keys(place: Place, name: str) -> str:
    model = _model_at(place[:-1])
    if model is None:
        return ""
    known = [about.alias or key for key, about in model.model_fields.items()]
    return meant(name, known) or f"; keys here: {', '.join(known)}"


def _model_at(place: Place) -> type[BaseModel] | None:
    if not place:
        return Document
    for pattern, model in _ENTRIES:
        if _fits(place, pattern):
            return model
    about = Document.model_fields.get(str(place[0]))
    kinds = [about.annotation, *get_args(about.annotation)] if about and len(place) == 1 else []
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


_KINDS = {
    "string": ("is no text", "a text, in quotes where YAML would read a number or true or false"),
    "bool": ("is neither true nor false", "true or false"),
    "int": ("is no whole number", "a whole number"),
    "float": ("is no number", "a number"),
    "list": ("is no list", "a list: `[A, B]`, or a line with `- ` for each"),
    "dict": ("is no mapping", "`key: value` lines"),
    "model": ("is no mapping", "`key: value` lines"),
    "dataclass": ("is no mapping", "`key: value` lines"),
}


def _wrong(kind: str, one: Any) -> str:
    context = one.get("ctx", {})
    if kind == "enum":
        words = [
            word.strip("' ") for word in str(context.get("expected", "")).replace(" or ", ",").split(",")
        ]
        every = f"; write one of {', '.join(words)}"
        return f"is {_shown(one)}{meant(str(one['input']), words) or every}"
    for word, bound in (("greater_than_equal", "ge"), ("less_than_equal", "le")):
        if kind == word:
            more = "more" if bound == "ge" else "less"
            return f"is {_shown(one)}; write {shown(context[bound])} or {more}"
    if kind in {"too_short", "string_pattern_mismatch"}:
        return f"is empty; write {'at least one entry' if kind == 'too_short' else 'a text'}"
    what, write = _KINDS.get(kind.partition("_")[0], ("does not fit", "what the reference of plans shows"))
    return f"{what}; write {write}"


def _shown(one: Any) -> str:
    value = one["input"].value if isinstance(one["input"], Enum) else one["input"]
    return f"{str(value)[:40]!r}" if isinstance(value, str) else shown(value)

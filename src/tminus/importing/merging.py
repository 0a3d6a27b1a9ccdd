"""A checklist that changed, taken over into a plan that people have changed meanwhile: their edits stay.

Lines are found again by their words, then by their id. What the checklist alone knows follows it: the words, the place
and the tick of a line, and the file's SHA-256. Everything else stays as it stands in the plan, with its comments; where
the checklist now says otherwise, that is told. New lines are added; a line that is gone stays as the team's own.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tminus.domain import offsets
from tminus.errors import PlanError
from tminus.importing import inserting
from tminus.importing.assembling import Imported
from tminus.importing.commenting import remarks
from tminus.importing.naming import Names
from tminus.planfile.beside import needed
from tminus.planfile.filling import is_placeholder
from tminus.planfile.nodes import parsed, plain
from tminus.planfile.rewriting import Scalar, Where, rewritten

_FOLLOWS: Mapping[str, Scalar] = {"line": "", "text": "", "source_line": 0, "checked": False}
"""Keys that follow the checklist, and what they are where they are left out."""
_OF_IMPORT = {"id", "confidence", "section", *_FOLLOWS}
_BLOCKS = ("roles", "contacts", "document", "figures", "triggers")


@dataclass(frozen=True, slots=True)
class Kept:
    """A value of the plan that the checklist would now have otherwise."""

    id: str
    key: str
    yours: Any
    checklist: Any


@dataclass(slots=True)
class Merged:
    """The plan's new text, and what the merge did."""

    text: str
    added: list[str] = field(default_factory=list)
    """Ids of new lines."""
    gone: list[str] = field(default_factory=list)
    """Ids of lines that are no longer in the checklist; they stay in the plan, without a place in it."""
    kept: list[Kept] = field(default_factory=list)
    followed: int = 0
    """Values that followed the checklist."""


@dataclass(frozen=True, slots=True)
class _Old:
    """A line of the plan as it stands."""

    place: Where
    id: str
    values: Mapping[str, Any]


def is_imported(text: str) -> bool:
    """Whether this is a plan that an import made: one that names its checklist and stands alone."""
    tree, problems = parsed(text, "the plan")
    values = plain(tree, keep_null=True) if not problems else None
    if not isinstance(values, dict) or values.get("extends"):
        return False
    source = values.get("source")
    return isinstance(source, dict) and isinstance(source.get("sha256"), str)


def merged(text: str, imported: Imported) -> Merged:
    """The plan of this text with the changes of its checklist.

    Raises `PlanError` for a plan in which something new cannot be written without changing more.
    """
    tree, problems = parsed(text, "the plan")
    if problems:
        raise PlanError(str(problems[0]), hint="mend the file first: `tminus plan check`")
    old = plain(tree, keep_null=True)
    new = imported.document.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return _Merge(text, old, new, imported).result()


class _Merge:
    """One merge: which new line is which old one, then what changes and what is added."""

    def __init__(self, text: str, old: dict[str, Any], new: dict[str, Any], imported: Imported) -> None:
        self.text, self.old, self.new = text, old, new
        self.comments = remarks(imported)
        self.lines = list(_lines(old))
        self.fresh = list(_lines(new))
        self.found = _matches(self.lines, self.fresh)
        self.names = self._names()
        self.changes: dict[Where, Scalar] = {}
        self.made = Merged(text)

    def result(self) -> Merged:
        self._follow()
        self._blocks()
        self._gone()
        self.made.followed = len(self.changes)
        for key in ("path", "sha256"):
            self.changes["source", key] = self.new["source"][key]
        self.made.text = inserting.inserted(rewritten(self.text, self.changes), self._additions())
        return self.made

    def _names(self) -> dict[str, str]:
        """By id in a fresh import: the id in the plan."""
        taken, names = Names(), {}
        for line in self.lines:
            taken.take(line.id)
        for index, line in enumerate(self.fresh):
            there = self.found.get(index)
            names[line.id] = there.id if there else taken.take(line.id)
        return names

    def _follow(self) -> None:
        for index, line in enumerate(self.fresh):
            if (there := self.found.get(index)) is not None:
                self._entry(there, self._renamed(line.values))

    def _entry(self, there: _Old, values: Mapping[str, Any]) -> None:
        """One entry that both have: what follows the checklist, and what stays and differs."""
        if not there.values:
            return  # an id alone
        for key, empty in _FOLLOWS.items():
            if key in values or key in there.values:
                value = values.get(key, empty)
                if there.values.get(key, empty) != value:
                    self.changes[*there.place, key] = value
        for key, value in values.items():
            yours = there.values.get(key)
            if key not in _OF_IMPORT and yours != value and not _blank(value):
                self.made.kept.append(Kept(there.id, key, yours, value))

    def _blocks(self) -> None:
        for block in _BLOCKS:
            there = {
                entry["id"]: _Old((block, at), entry["id"], entry) for at, entry in _entries(self.old, block)
            }
            for _, entry in _entries(self.new, block):
                if entry["id"] in there:
                    self._entry(there[entry["id"]], entry)

    def _gone(self) -> None:
        matched = {line.id for line in self.found.values()}
        for line in self.lines:
            if line.id not in matched and line.values.get("source_line"):
                self.made.gone.append(line.id)
                self.changes[*line.place, "source_line"] = 0

    def _renamed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        changed = {**values, "id": self.names[values["id"]]}
        if "of" in changed:
            changed["of"] = [self.names[part] for part in changed["of"]]
        return changed

    def _additions(self) -> inserting.Additions:
        """Everything that the plan does not have yet."""
        comments = {self.names.get(name, name): lines for name, lines in self.comments.items()}
        more = inserting.Additions(comments)
        for index, line in enumerate(self.fresh):
            if index not in self.found:
                values = self._renamed(line.values)
                self.made.added.append(values["id"])
                self._added(more, line, values)
        for block in _BLOCKS:
            if missing := [entry for entry in self._missing(block) if self._wanted(block, entry, more)]:
                more.entries[block,] = missing
        self._surroundings(more)
        return more

    def _missing(self, block: str) -> list[dict[str, Any]]:
        there = {entry["id"] for _, entry in _entries(self.old, block)}
        return [entry for _, entry in _entries(self.new, block) if entry["id"] not in there]

    def _wanted(self, block: str, entry: Mapping[str, Any], more: inserting.Additions) -> bool:
        """What new lines need, and what the checklist says; a default that somebody took out stays out."""
        if block == "roles":
            return any(entry["id"] in {line.get("owner"), line.get("sign")} for line in more.lines())
        return block != "triggers" or bool(entry.get("source_line"))

    def _surroundings(self, more: inserting.Additions) -> None:
        """The systems and milestones that new lines need."""
        there = self.old.get("systems") or {}
        new = self.new.get("systems", {})
        kinds = {name: str(entry.get("kind", "")) for name, entry in {**new, **there}.items()}
        probed = [line for line in more.lines() if line.get("probe")]
        used: set[str] = set().union(
            *(needed(str(line["probe"]), line.get("with") or {}, kinds) for line in probed)
        )
        more.systems = {name: new[name] for name in new if name in used and name not in there}
        known = {offsets.offset(text) for text in self.old.get("milestones") or ()}
        due = {offsets.offset(str(line["due"])) for line in more.lines() if "due" in line}
        more.milestones = [text for text in self.new["milestones"] if offsets.offset(text) in due - known]

    def _added(self, more: inserting.Additions, line: _Old, values: dict[str, Any]) -> None:
        if line.place[0] == "checks":
            more.entries.setdefault(("checks", line.place[1]), []).append(values)
            return
        group = self.new["omitted"][line.place[1]]
        there = [
            at
            for at, old in enumerate(self.old.get("omitted") or ())
            if isinstance(old, dict) and old.get("system", "") == group.get("system", "") and old.get("lines")
        ]
        if there:
            more.entries.setdefault(("omitted", there[0], "lines"), []).append(values)
        else:
            more.groups.setdefault(str(group["reason"]), {**group, "lines": []})["lines"].append(values)


def _lines(values: Mapping[str, Any]) -> Iterator[_Old]:
    """Every line of a plan's values with its place; of one that is left out by its id alone, the id."""
    for section, lines in (values.get("checks") or {}).items():
        for at, line in enumerate(lines or ()):
            if isinstance(line, dict) and isinstance(line.get("id"), str):
                yield _Old(("checks", section, at), line["id"], line)
    for group, entry in enumerate(values.get("omitted") or ()):
        for at, line in enumerate(entry.get("lines") or () if isinstance(entry, dict) else ()):
            if isinstance(line, str):
                yield _Old(("omitted", group, "lines", at), line, {})
            elif isinstance(line, dict) and isinstance(line.get("id"), str):
                yield _Old(("omitted", group, "lines", at), line["id"], line)


def _entries(values: Mapping[str, Any], block: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for at, entry in enumerate(values.get(block) or ()):
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            yield at, entry


def _matches(old: list[_Old], new: list[_Old]) -> dict[int, _Old]:
    """By index of a new line: the old one that it is, by words and id, by words alone, and by id alone."""
    found: dict[int, _Old] = {}
    left = {line.id: line for line in old}
    for way in (_words_and_id, _words, _id):
        waiting: defaultdict[Any, list[_Old]] = defaultdict(list)
        for line in left.values():
            waiting[way(line)].append(line)
        for index, line in enumerate(new):
            if index not in found and waiting[way(line)]:
                found[index] = waiting[way(line)].pop(0)
                del left[found[index].id]
    return found


def _words_and_id(line: _Old) -> tuple[str, str]:
    return line.id, str(line.values.get("line", ""))


def _words(line: _Old) -> str:
    """A line without words is only found by its id."""
    return " ".join(str(line.values.get("line", "")).split()).casefold() or f"id {line.id}"


def _id(line: _Old) -> str:
    return line.id


def _blank(value: Any) -> bool:
    return isinstance(value, str) and is_placeholder(value)

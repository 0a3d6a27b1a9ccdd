"""`extends`: a plan on top of another one, overridden by id; every value keeps the file and line it was written in.

- `checks`, `omitted`, `roles`, `contacts`, `document`, `figures`, `triggers`, `metrics`, `changes`, `waivers`,
  `freezes`: entry by entry, by id (a freeze by its name); the keys that are given win, what is new is added at the end.
- `systems`, `target`, `release`, `rollout`, `decision`, `expedited`, `notices`, `notify`: key by key, as deep as they
  go. Lists (`ladder`, `components`, `milestones`, what an expedited launch leaves out) are replaced whole.
- A line that is listed under `omitted` leaves the checks; one that is given under `checks` comes out of `omitted`. In
  both cases what is not said again stays as it was.
- A line that says anew how it gets its verdict (another probe, or `attest` in place of a probe) loses what the base
  said about that. Under the same probe, `with` is overridden argument by argument.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from tminus.planfile.nodes import Map, Seq

BY_ID = ("roles", "contacts", "document", "figures", "triggers", "metrics", "changes")
_NAMED = {"waivers": "check", "freezes": "name"}
"""Lists whose entries are known by another key than `id`."""
OWN = ("plan", "extends", "$schema")
"""What a plan says of itself; never taken from its base."""
_VERDICT = ("probe", "step", "attest", "of", "sign", "not_applicable")
_OF_A_VERDICT = (*_VERDICT, "with", "expect", "warn", "control", "act", "each", "shown", "until")
_ONLY_IN_CHECKS = ("control", "step", "act", "attest", "sign", "not_applicable", "each", "shown", "until")


def merged(base: Map, own: Map) -> Map:
    """The plan that `own` is on top of `base`."""
    result = Map(own.mark)
    for key in dict.fromkeys([*own, *base]):
        if key in OWN or key not in base or key not in own:
            holder = own if key in own else base
            if key in own or key not in OWN:
                result.put(key, holder[key], holder.marks[key])
        elif key not in {"checks", "omitted"}:
            result.put(key, _block(key, base[key], own[key]), own.marks[key])
    _merge_lines(result, base, own)
    return result


def _block(key: str, base: Any, own: Any) -> Any:
    if key in BY_ID and isinstance(base, Seq) and isinstance(own, Seq):
        return _by_id(base, own, "id")
    if key in _NAMED and isinstance(base, Seq) and isinstance(own, Seq):
        return _by_id(base, own, _NAMED[key])
    return _deep(base, own)


def _deep(base: Any, own: Any) -> Any:
    if not (isinstance(base, Map) and isinstance(own, Map)):
        return own
    result = _copy(base)
    for key, value in own.items():
        result.put(key, _deep(base[key], value) if key in base else value, own.marks[key])
    return result


def _over(base: Map, own: Map) -> Map:
    """An entry over one of the same id: the keys that are given win."""
    result = _copy(base)
    for key, value in own.items():
        result.put(key, value, own.marks[key])
    result.mark = own.mark
    return result


def _by_id(base: Seq, own: Seq, key: str) -> Seq:
    """Entries over entries; one that stands twice in its own file stays twice, to be told as such."""
    waiting = {id(entry): entry for entry in own}
    result = Seq(own.mark)
    for index, entry in enumerate(base):
        same = next(
            (given for given in waiting.values() if _name(given, key) == _name(entry, key) != ""), None
        )
        if isinstance(same, Map) and isinstance(entry, Map):
            del waiting[id(same)]
            result.add(_over(entry, same), own.marks[_index(own, same)])
        else:
            result.add(entry, base.marks[index])
    for index, entry in enumerate(own):
        if id(entry) in waiting:
            result.add(entry, own.marks[index])
    return result


def _index(holder: Seq, entry: Any) -> int:
    return next(index for index, there in enumerate(holder) if there is entry)


def _name(entry: Any, key: str = "id") -> str:
    name = entry.get(key) if isinstance(entry, Map) else entry
    return name if isinstance(name, str) else ""


def _merge_lines(result: Map, base: Map, own: Map) -> None:
    """Both blocks of lines: what the plan lists anew, under `checks` or `omitted`, leaves its old place."""
    holders = [plan for plan in (base, own) if "checks" in plan]
    groups = [plan for plan in (base, own) if "omitted" in plan]
    if not all(isinstance(plan["checks"], Map) for plan in holders) or not all(
        isinstance(plan["omitted"], Seq) for plan in groups
    ):
        return  # shaped wrongly: told as it stands
    known = dict(_lines_of(base))
    if holders:
        result.put("checks", _checks(base, own, known), holders[-1].marks["checks"])
    if groups:
        left = _omitted(base, own, known)
        if left or own.get("omitted") is not None:
            result.put("omitted", left, groups[-1].marks["omitted"])
        else:
            del result["omitted"]


def _lines_of(plan: Map) -> Iterator[tuple[str, Map]]:
    """Every line of a plan that says what it is, by its id; with its section, wherever it stands."""
    for section, entry in _checked(plan):
        if isinstance(entry, Map):
            line = _copy(entry)
            line.put("section", section, entry.mark)
            yield _name(entry), line
    for group in _groups(plan):
        for entry in group.get("lines") or ():
            if isinstance(entry, Map):
                yield _name(entry), entry


def _checked(plan: Map) -> Iterator[tuple[str, Any]]:
    for section, entries in (plan.get("checks") or {}).items():
        for entry in entries if isinstance(entries, Seq) else ():
            yield section, entry


def _groups(plan: Map) -> list[Map]:
    return [
        group
        for group in plan.get("omitted") or ()
        if isinstance(group, Map) and isinstance(group.get("lines"), Seq)
    ]


def _checks(base: Map, own: Map, known: dict[str, Map]) -> Map:
    """The base's lines in their sections, overridden; then the plan's own lines, in theirs."""
    result = Map(own.mark)
    given = {_name(entry): section for section, entry in _checked(own)}
    left = {_name(line) for group in _groups(own) for line in group.get("lines") or ()}
    placed: set[int] = set()
    mine = {_name(entry): entry for _, entry in reversed(list(_checked(own))) if isinstance(entry, Map)}
    for section, entries in (base.get("checks") or {}).items():
        kept = Seq(entries.mark) if isinstance(entries, Seq) else entries
        for index, entry in enumerate(entries if isinstance(entries, Seq) else ()):
            name = _name(entry)
            if name in left and name not in given:
                continue
            if given.get(name, section) != section:
                continue
            same = mine.get(name)
            placed.add(id(same))
            kept.add(
                _line(entry, same) if same is not None else entry,
                same.mark if same is not None else entries.marks[index],
            )
        if kept or not entries:
            result.put(section, kept, base["checks"].marks[section])
    _add_own(result, own, known, placed)
    return result


def _add_own(result: Map, own: Map, known: dict[str, Map], placed: set[int]) -> None:
    taken: set[str] = set()
    for section, entries in (own.get("checks") or {}).items():
        if not isinstance(entries, Seq):
            result.put(section, entries, own["checks"].marks[section])
            continue
        if section not in result:
            result.put(section, Seq(entries.mark), own["checks"].marks[section])
        for index, entry in enumerate(entries):
            if id(entry) in placed:
                continue
            name = _name(entry)
            over = isinstance(entry, Map) and name in known and name not in taken
            taken.add(name)
            result[section].add(
                _line(_without(known[name], "section"), entry) if over else entry, entries.marks[index]
            )
        if not result[section] and entries:
            del result[section]


def _line(base: Map, own: Map) -> Map:
    """A line over the base's: another way to its verdict takes the base's way out."""
    anew = [key for key in _VERDICT if own.get(key) and own.get(key) != base.get(key)]
    if not anew or (anew == ["of"] and base.get("of")):
        result = _over(base, own)
        if isinstance(base.get("with"), Map) and isinstance(own.get("with"), Map):
            result.put("with", _deep(base["with"], own["with"]), own.marks["with"])
        return result
    return _over(_without(base, *_OF_A_VERDICT), own)


def _omitted(base: Map, own: Map, known: dict[str, Map]) -> Seq:
    """The plan's own groups, then what is left of the base's."""
    mark = own.marks.get("omitted") or base.marks.get("omitted") or own.mark
    result = Seq(mark)
    given = {_name(entry) for _, entry in _checked(own)}
    listed: set[str] = set()
    for group in own.get("omitted") or ():
        result.add(_group(group, known, listed), group.mark if isinstance(group, Map) else mark)
    for group in base.get("omitted") or ():
        kept = _remaining(group, given | listed)
        if kept is not None:
            result.add(kept, group.mark if isinstance(group, Map) else mark)
    return result


def _group(group: Any, known: dict[str, Map], listed: set[str]) -> Any:
    """A group of the plan, its lines filled up with what the base knows of them."""
    if not isinstance(group, Map) or not isinstance(group.get("lines"), Seq):
        return group
    result, lines = _copy(group), Seq(group["lines"].mark)
    for index, line in enumerate(group["lines"]):
        name, mark = _name(line), group["lines"].marks[index]
        whole = known.get(name)
        if whole is None or name in listed:
            lines.add(line, mark)
        elif isinstance(line, Map):
            lines.add(_line(_as_omitted(whole), line), mark)
        else:
            lines.add(_as_omitted(whole), mark)
        listed.add(name)
    result.put("lines", lines, group.marks["lines"])
    return result


def _as_omitted(line: Map) -> Map:
    return _without(line, *_ONLY_IN_CHECKS)


def _remaining(group: Any, gone: Iterable[str]) -> Any:
    if not isinstance(group, Map) or not isinstance(group.get("lines"), Seq):
        return group
    result, lines = _copy(group), Seq(group["lines"].mark)
    for index, line in enumerate(group["lines"]):
        if _name(line) not in gone:
            lines.add(line, group["lines"].marks[index])
    result.put("lines", lines, group.marks["lines"])
    return result if lines else None


def _copy(node: Map) -> Map:
    return _without(node)


def _without(node: Map, *keys: str) -> Map:
    result = Map(node.mark)
    for key, value in node.items():
        if key not in keys:
            result.put(key, value, node.marks[key])
    return result

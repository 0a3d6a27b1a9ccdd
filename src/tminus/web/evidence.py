"""The evidence drawer: why one line says so, how old that is, and who answers for it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tminus.control.readiness import CLAIMS, shown
from tminus.domain.canonical import instant
from tminus.domain.overdue import ITEM, LACKING, LATE
from tminus.domain.plan import Kind, Severity
from tminus.domain.words import shown_files
from tminus.picture.course import Course, Data, Happened
from tminus.picture.lines import BLOCKING, Line
from tminus.picture.words import MINUS, length, offset, plural, t_text

MOST = 24_000
"""Characters of the raw answer that are shown."""
_SAID = {
    "probe": "tminus looked at the system itself",
    "step": "a step of the launch read back what it had done",
    "person": "a named person said so",
    "simulated": "a simulated person said so; it never counts as observed",
    "rollup": "the worst of the lines it is made of",
    "plan": "the plan declares it not applicable",
}
_NAMES = {ITEM: "of", LATE: "seconds late", LACKING: "nobody spoke of", "sha256": "SHA-256"}
"""What people read for what stands among what was seen of a person's line."""


@dataclass(frozen=True, slots=True)
class Look:
    """One observation in the line's history."""

    stands: str
    t: str
    why: str


@dataclass(frozen=True, slots=True)
class Drawer:
    """One line, opened."""

    line: Line
    place: str
    """Which of the lines that block it is; empty for one that does not."""
    previous: str
    next: str
    value: str
    allowed: str
    due: str
    owner: str
    said: str
    looks: tuple[Look, ...]
    facts: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]
    """What people showed with their words for it: by SHA-256, what each was called."""
    raw: str
    cut: bool
    entry: str
    """The digest of the record's line that holds the observation."""
    number: int | None
    at: float | None
    life: float
    fingerprint: str
    waits: tuple[str, ...]
    severity: str


def drawer(course: Course, lines: Sequence[Line], check_id: str) -> Drawer | None:
    """Everything the record holds about one line; nothing for a line that the plan does not have."""
    line = next((line for line in lines if line.check.id == check_id), None)
    if line is None:
        return None
    looks = [e for e in course.happened if e.type in CLAIMS and e.data["check"] == check_id]
    newest = looks[-1] if looks else None
    data: Data = newest.data if newest else {}
    order = [each.check.id for each in lines if each.stands in BLOCKING] or [each.check.id for each in lines]
    index = order.index(check_id) if check_id in order else -1
    raw = json.dumps(_answer(data), indent=2, ensure_ascii=False) if newest else ""
    check = line.check
    return Drawer(
        line=line,
        place=f"{index + 1} of {len(order)} blocking" if line.stands in BLOCKING else "",
        previous=order[index - 1] if index > 0 else "",
        next=order[index + 1] if 0 <= index < len(order) - 1 else "",
        value=_value(data.get("value")) if newest and check.kind is not Kind.PERSON else "",
        allowed=str(data.get("expect", "")) or (check.expect.text if check.expect else ""),
        due=f"before T{MINUS}0" if check.kind is Kind.SIGNATURE else offset(check.due),
        owner=_owner(course, check.owner),
        said=_SAID.get(line.source, ""),
        looks=tuple(
            Look(_stands(e), t_text((e.t_ms or 0) / 1000), str(e.data.get("why", ""))) for e in looks
        ),
        facts=_facts(data),
        files=tuple(shown_files(e for e in course.events if e.data.get("check") == check_id).items()),
        raw=raw[:MOST],
        cut=len(raw) > MOST,
        entry=newest.digest if newest else "",
        number=newest.line if newest else None,
        at=instant(newest.at) if newest else None,
        life=check.fresh.seconds if check.fresh.kind == "live" else 0.0,
        fingerprint=str(data.get("fingerprint", "")),
        waits=tuple(each.check.id for each in lines if check_id in each.check.of),
        severity="" if check.severity is Severity.REQUIRED else check.severity.value,
    )


def _value(value: Any) -> str:
    """The value in a few words; findings are counted here, and named in full below."""
    if isinstance(value, list):
        return plural(len(value), "finding") if value else "empty"
    return shown(value)


def fresh_words(found: Drawer) -> str:
    """How long this line's evidence counts."""
    fresh = found.line.check.fresh
    if fresh.kind == "live":
        return f"counts for {length(fresh.seconds)}"
    if fresh.kind == "event":
        return f"must have happened between {offset(fresh.earliest)} and {offset(fresh.latest)}"
    return "counts until this launch ends"


def _answer(data: Data) -> Mapping[str, object]:
    return {name: data[name] for name in ("value", "seen", "material") if name in data}


def _facts(data: Data) -> tuple[tuple[str, str], ...]:
    seen = data.get("seen")
    if not isinstance(seen, dict):
        return ()
    told = {
        name: ", ".join(map(str, value)) if name == LACKING and isinstance(value, list) else value
        for name, value in seen.items()
    }
    return tuple(
        (_NAMES.get(name, name), shown(value))
        for name, value in told.items()
        if isinstance(value, str | int | float) and value != ""
    )


def _stands(event: Happened) -> str:
    verdict = str(event.data["verdict"])
    return {"inconclusive": "unknown", "error": "unknown", "not-applicable": "na"}.get(verdict, verdict)


def _owner(course: Course, role: str) -> str:
    for row in course.opened.get("roles", ()):
        if row["role"] == role:
            return f"{row['title']}: {row['person']}{' (simulated)' if row['simulated'] else ''}"
    return role or "the plan names the owner; it is not at hand"

"""An export as one JSON object with stable keys; `docs/reference/export.md` says what each means."""

import json
from dataclasses import asdict

from tminus.exporting.content import Content, Line, Signed

VERSION = 1
"""Raised when a key changes its meaning or goes away; new keys leave it."""


def as_json(content: Content) -> str:
    """The object as text, the same for the same content, with a final newline."""
    return f"{json.dumps(as_object(content), indent=2, ensure_ascii=False, allow_nan=False)}\n"


def as_object(content: Content) -> dict[str, object]:
    """Everything that an export says."""
    return {
        "version": VERSION,
        "kind": "launch" if content.launch else "plan",
        "plan": asdict(content.plan),
        "launch": asdict(content.launch) if content.launch else None,
        "counts": {"total": content.total, "green": content.green, **_counts(content)},
        "simulated": content.simulated,
        "decision": _signed(content.decision) if content.decision else None,
        "signatures": [_signed(signed) for signed in content.signatures],
        "sections": [
            {"section": section, "lines": [_line(line) for line in lines]}
            for section, lines in content.sections().items()
        ],
        "omitted": [_line(line) for line in content.omitted],
        "roles": [asdict(role) for role in content.roles],
        "systems": dict(content.systems),
        "to_fill": list(content.to_fill),
        "course": [asdict(moment) for moment in content.course],
    }


def _counts(content: Content) -> dict[str, int]:
    return {word.replace(" ", "_").replace("-", "_"): count for word, count in content.counts.items()}


def _line(line: Line) -> dict[str, object]:
    fields = asdict(line)
    fields["green"] = line.standing is not None and line.standing.green
    return fields


def _signed(signed: Signed) -> dict[str, object]:
    return asdict(signed)

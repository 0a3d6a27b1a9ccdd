"""Everything that a plan holds, by public id, as plain JSON: what `tminus plan show` prints and other programs read."""

from collections.abc import Iterator

from tminus.domain.canonical import JsonValue
from tminus.planfile.document import Document, LineEntry, OmittedLine
from tminus.planfile.loading import Loaded

KINDS = {
    "probe": "probe",
    "step": "step",
    "attest": "attestation",
    "of": "roll-up",
    "sign": "signature",
    "not_applicable": "not applicable",
}
"""By the key that says how a line gets its verdict: the word for it."""
UNKNOWN = "not said"
"""The kind of a line that is left out and of which the plan knows only the id."""

Row = dict[str, JsonValue]


def listed(found: Loaded) -> Row:
    """The whole plan; raises `PlanError` when it has problems."""
    plan, document = found.checked(), found.document
    lines = [*_checks(document), *_omitted(document)]
    if all(line["source_line"] for line in lines):
        lines.sort(key=lambda line: (_number(line["source_line"]), str(line["id"])))
    whole = document.model_dump(mode="json", by_alias=True)
    return {
        "plan": document.plan,
        "production": document.production,
        "environment": document.environment,
        "digest": plan.digest,
        "extends": document.extends,
        "source": whole["source"],
        "components": whole["release"]["components"],
        "total": plan.total,
        "left_out": plan.left_out,
        "milestones": whole["milestones"],
        "lines": [*lines],
        "target": whole["target"],
        "changes": whole["changes"],
        "systems": whole["systems"],
        "roles": [{**role, "id": f"role.{role['id']}"} for role in whole["roles"]],
        "triggers": whole["triggers"],
        "metrics": whole["metrics"],
        "figures": whole["figures"],
        "contacts": whole["contacts"],
        "document": whole["document"],
        "decision": whole["decision"],
        "expedited": whole["expedited"],
        "freezes": whole["freezes"],
        "notices": whole["notices"],
        "notify": whole["notify"],
        "signatures": [
            {"id": line["id"], "role": f"role.{line['sign']}"}
            for lines_ in whole["checks"].values()
            for line in lines_
            if line["sign"]
        ],
        "waivers": whole["waivers"],
        "to_fill": [{"file": one.file, "line": one.line, "what": one.what} for one in found.to_fill],
    }


def kind_of(line: LineEntry | OmittedLine) -> str:
    """How a line gets its verdict, in one word."""
    return next((word for key, word in KINDS.items() if getattr(line, key, None)), UNKNOWN)


def _checks(document: Document) -> Iterator[Row]:
    for section, lines in document.checks.items():
        for line in lines:
            yield _row(line, section)


def _omitted(document: Document) -> Iterator[Row]:
    for group in document.omitted:
        for line in group.lines:
            about: Row = {"omitted": group.reason, "system": group.system}
            if isinstance(line, OmittedLine):
                yield _row(line, line.section) | about
            else:
                yield _bare(line) | about


def _row(line: LineEntry | OmittedLine, section: str) -> Row:
    return {
        "id": line.id,
        "text": line.line,
        "source_line": line.source_line,
        "section": section,
        "checked": line.checked,
        "kind": kind_of(line),
        "probe": line.probe,
        "arguments": dict(line.arguments),
        "expect": line.expect,
        "of": [*line.of],
        "confidence": line.confidence,
        "due": line.due,
        "owner": line.owner,
        "severity": line.severity.value,
        "fresh": line.fresh,
        "hint": line.hint,
        "omitted": None,
        "system": "",
    }


def _bare(name: str) -> Row:
    """A line of which the plan says nothing but that it is left out."""
    words: Row = dict.fromkeys(
        ("text", "section", "probe", "expect", "due", "owner", "severity", "fresh", "hint"), ""
    )
    return {"id": name, **words, "kind": UNKNOWN, "source_line": 0, "checked": False, "confidence": 1.0} | {
        "arguments": {},
        "of": [],
    }


def _number(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0

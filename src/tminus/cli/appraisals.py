"""How `tminus check` tells what it found: for people, for programs, for a CI's test report and its job summary."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from tminus.control.appraisal import Appraised, Standing
from tminus.planfile.problem import printable

_ORDER = (
    Standing.FAILED,
    Standing.UNKNOWN,
    Standing.WARNED,
    Standing.PENDING,
    Standing.LATER,
    Standing.OMITTED,
    Standing.NOT_APPLICABLE,
    Standing.PASSED,
)
_SIGNS = {
    Standing.FAILED: "✗",
    Standing.UNKNOWN: "?",
    Standing.WARNED: "!",
    Standing.PASSED: "✓",
    Standing.PENDING: "…",
    Standing.LATER: "·",
    Standing.OMITTED: "-",
    Standing.NOT_APPLICABLE: "n/a",
}
_LISTED = 8
"""Lines of one group that are named; the rest is counted."""


def as_text(lines: Sequence[Appraised], plan: str) -> str:
    """For people: what failed with its reason, what is unknown by the system that is missing, the rest counted."""
    return printable("\n".join(_text(lines, plan)))


def _text(lines: Sequence[Appraised], plan: str) -> Iterator[str]:
    yield f"{plan}: {len(lines)} {'line' if len(lines) == 1 else 'lines'}, {_counted(lines)}"
    for standing in (Standing.FAILED, Standing.WARNED):
        for line in _of(lines, standing):
            yield f"{_SIGNS[standing]} {line.id:<20} {line.text}"
            yield f"  {standing}: {line.why} (owner: {line.owner})"
    unknown = _of(lines, Standing.UNKNOWN)
    for reason, members in groups(unknown):
        yield f"? {len(members)} unknown: {reason}"
        yield f"  {_names(members)}"
    pending = _of(lines, Standing.PENDING)
    for owner, number in Counter(line.owner for line in pending).most_common():
        waits = "waits" if number == 1 else "wait"
        names = _names([line for line in pending if line.owner == owner])
        yield f"… {number} {waits} for a word of {owner}: {names}"
    left_out = groups(_of(lines, Standing.OMITTED))
    for reason, members in left_out[:_LISTED]:
        yield f"- {len(members)} left out: {reason}"
    if rest := left_out[_LISTED:]:
        yield f"- {sum(len(members) for _, members in rest)} left out for {len(rest)} other reasons: tminus plan show"


def groups(lines: Sequence[Appraised]) -> list[tuple[str, list[Appraised]]]:
    """Lines that share a system and a reason, the largest group first: one cause is told once."""
    by_cause: dict[tuple[str, str], list[Appraised]] = {}
    for line in lines:
        cause = line.why.removeprefix(f"{line.id}: ")
        by_cause.setdefault((line.system, cause), []).append(line)
    ordered = sorted(by_cause.items(), key=lambda entry: (-len(entry[1]), entry[0]))
    return [(f"{system}: {cause}" if system else cause, members) for (system, cause), members in ordered]


def as_json(lines: Sequence[Appraised], plan: str, ending: Standing) -> str:
    """One object: the counts, and every line."""
    counts = {standing.value: len(_of(lines, standing)) for standing in _ORDER}
    shown = [
        {"id": line.id, "text": line.text, "section": line.section, "owner": line.owner, "system": line.system,
         "standing": line.standing.value, "why": line.why}
        for line in lines
    ]  # fmt: skip
    return json.dumps(
        {"plan": plan, "standing": ending.value, "counts": counts, "lines": shown}, ensure_ascii=False
    )


def as_junit(lines: Sequence[Appraised], plan: str) -> str:
    """JUnit XML: failed is a failure, unknown and pending are errors, what only a launch answers is skipped."""
    skipped = {Standing.LATER, Standing.OMITTED, Standing.NOT_APPLICABLE}
    suite = ET.Element(
        "testsuite",
        name=_xml(plan),
        tests=str(len(lines)),
        failures=str(len(_of(lines, Standing.FAILED))),
        errors=str(len(_of(lines, Standing.UNKNOWN)) + len(_of(lines, Standing.PENDING))),
        skipped=str(sum(line.standing in skipped for line in lines)),
    )
    for line in lines:
        case = ET.SubElement(suite, "testcase", classname=_xml(line.section or "omitted"), name=_xml(line.id))
        if line.standing in skipped:
            ET.SubElement(case, "skipped", message=_xml(f"{line.standing}: {line.why}"))
        elif line.standing in {Standing.FAILED, Standing.UNKNOWN, Standing.PENDING}:
            kind = "failure" if line.standing is Standing.FAILED else "error"
            why = _xml(f"{line.standing}: {line.why}")
            ET.SubElement(case, kind, message=why).text = _xml(f"{line.text}\n{line.why}")
        elif line.standing is Standing.WARNED:
            ET.SubElement(case, "system-out").text = _xml(f"warned: {line.why}")
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def as_markdown(lines: Sequence[Appraised], plan: str) -> str:
    """A job summary: the counts, then every line that is not green, one row each."""
    rows = [
        f"| {_SIGNS[line.standing]} {line.standing} | `{line.id}` | {_cell(line.text)} | {_cell(line.why)} |"
        for standing in (Standing.FAILED, Standing.UNKNOWN, Standing.WARNED, Standing.PENDING)
        for line in _of(lines, standing)
    ]
    head = [f"### {_cell(plan)}", "", _counted(lines), ""]
    table = (
        ["| | line | what | why |", "|--|--|--|--|", *rows]
        if rows
        else ["Everything that was looked at is green."]
    )
    return "\n".join([*head, *table])


def _counted(lines: Sequence[Appraised]) -> str:
    counts = Counter(line.standing for line in lines)
    return ", ".join(f"{counts[standing]} {standing}" for standing in _ORDER if counts[standing])


def _of(lines: Sequence[Appraised], standing: Standing) -> list[Appraised]:
    return [line for line in lines if line.standing is standing]


def _names(lines: Sequence[Appraised]) -> str:
    more = f" and {len(lines) - _LISTED} more" if len(lines) > _LISTED else ""
    return ", ".join(line.id for line in lines[:_LISTED]) + more


def _cell(text: str) -> str:
    escaped = re.sub(r"[\\|`\[]", r"\\\g<0>", printable(text))
    return escaped.replace("\n", " ").replace("<", "&lt;")


def _xml(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return printable(text)

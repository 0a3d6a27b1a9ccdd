"""A launch in one page of Markdown, for a pull request or a job summary; everything in it stands in the record."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tminus.domain.record import Event
from tminus.domain.timeline import clock


def write_summary(path: Path, events: Sequence[Event], users: Mapping[str, object]) -> Path:
    """Write the page beside the record."""
    path.write_text("\n".join([*_lines(events, users), ""]), encoding="utf-8")
    return path


def _lines(events: Sequence[Event], users: Mapping[str, object]) -> Iterator[str]:
    opened, ended = events[0].data, next(event for event in events if event.type == "launch.ended")
    yield f"# {str(ended.data['outcome']).upper()}: launch {opened['launch']}"
    yield ""
    for component, digest in _table(opened["release"]).items():
        yield f"- {component}: `sha256:{digest}`"
    yield f"- users sent {users['total']} requests, {users['failed']} failed"
    omitted = opened["omitted"]
    plan = _table(opened["plan"])
    assert isinstance(omitted, list)  # noqa: S101 - the launch wrote it
    yield f"- {len(omitted)} of {plan['lines']} lines are not in this plan; the people are simulated"
    if "rule" in ended.data:
        yield f"- rolled back by `{ended.data['rule']}`: {ended.data['text']}"
    yield from _checks(events)
    yield from _signatures(events)
    yield from _shares(events)


def _checks(events: Sequence[Event]) -> Iterator[str]:
    latest = {str(event.data["check"]): event for event in events if event.type == "check.observed"}
    yield from ("", "## Lines", "", "| line | verdict | by | what was seen | at |", "|--|--|--|--|--|")
    for check, event in sorted(latest.items()):
        data = event.data
        text, why = _cell(data["text"]), _cell(data["why"])
        yield f"| `{check}` {text} | {data['verdict']} | {data['source']} | {why} | {_when(event)} |"


def _signatures(events: Sequence[Event]) -> Iterator[str]:
    yield from ("", "## Signatures", "", "| role | person | says | note |", "|--|--|--|--|")
    for event in events:
        if event.type in {"signoff.given", "decision.made"}:
            data = event.data
            person = str(data.get("person", data.get("by")))
            simulated = " (simulated)" if data["simulated"] else ""
            note = data.get("note", data.get("reason"))
            yield f"| {data['role']} | {_cell(person)}{simulated} | {str(data['decision']).upper()} | {_cell(note)} |"


def _shares(events: Sequence[Event]) -> Iterator[str]:
    yield from (
        "",
        "## Traffic",
        "",
        "| where | weight set | seen on green | requests | guard |",
        "|--|--|--|--|--|",
    )
    for event in events:
        if event.type == "traffic.seen" and event.data.get("share"):
            share = _table(event.data["share"])
            total = int(str(share["total"]))
            seen = f"{int(str(share['green'])) / total:.2%}" if total else "nothing"
            yield f"| {event.data['where']} | {share['set']} % | {seen} | {total} | {event.data['action']} |"


def _cell(value: object) -> str:
    """Text that stays in its cell of a Markdown table."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _when(event: Event) -> str:
    return clock((event.t_ms or 0) / 1000)


def _table(value: object) -> dict[str, object]:
    assert isinstance(value, dict)  # noqa: S101 - the launch wrote it
    return value

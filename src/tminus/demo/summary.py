"""A launch in one page of Markdown, for a pull request or a job summary.

What it says stands in the sealed record, but for what the users counted and which tminus wrote it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tminus import __version__
from tminus.demo.cast import people
from tminus.demo.wording import came_back, spent, without_verb
from tminus.domain.canonical import instant
from tminus.domain.offsets import clock
from tminus.domain.plan import Kind, Plan
from tminus.domain.record import ENDED, Event
from tminus.domain.traffic import drained

_SOURCES = {
    "probe": "observed by probes",
    "step": "read back by steps of the launch",
    "rollup": "made of other lines",
    "plan": "declared not applicable by the plan",
    "person": "attested by people",
    "simulated": "said by simulated people",
}
"""By a line's source: what that means; in the order in which they are counted."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a page is made of."""

    events: Sequence[Event]
    """The whole record, its seal included."""
    users: Mapping[str, object] | None
    """What the users counted; nothing when they never wrote it down."""
    plan: Plan

    @property
    def opened(self) -> Mapping[str, object]:
        """What the first event binds."""
        return self.events[0].data

    @property
    def ended(self) -> Event:
        """The launch's end."""
        return next(event for event in self.events if event.type == ENDED)

    def of(self, *kinds: str) -> list[Event]:
        """Every event of these types."""
        return [event for event in self.events if event.type in kinds]

    @property
    def lines(self) -> dict[str, Event]:
        """The last verdict on each line that has one."""
        return {str(event.data["check"]): event for event in self.of("check.observed")}

    @property
    def same_plan(self) -> bool:
        """Whether the plan's file is still the plan that was opened."""
        return self.plan.digest == _table(self.opened["plan"])["digest"]

    @property
    def signed(self) -> set[str]:
        """The lines of the plan that are signatures and were given."""
        roles = {str(event.data["role"]) for event in self.of("signoff.given")}
        return {c.id for c in self.plan.checks if c.kind is Kind.SIGNATURE and c.note in roles}

    @property
    def omitted(self) -> dict[str, str]:
        """The lines that the plan leaves out, each with its reason."""
        rows = self.opened["omitted"]
        assert isinstance(rows, list)  # noqa: S101 - the launch wrote it
        return {str(row["check"]): str(row["reason"]) for row in rows}

    @property
    def unreached(self) -> list[str]:
        """The lines of the plan that were neither observed nor signed."""
        return sorted({check.id for check in self.plan.checks} - self.signed - self.lines.keys())


def write_summary(path: Path, told: Told) -> Path:
    """Write the page beside the record."""
    path.write_text("\n".join([*_page(told), ""]), encoding="utf-8")
    return path


def _page(told: Told) -> Iterator[str]:
    yield f"# {str(told.ended.data['outcome']).upper()}: launch {told.opened['launch']}"
    yield from _why(told.ended.data)
    yield from ("", "| | |", "|--|--|")
    for name, value in _facts(told):
        yield f"| {name} | {value} |"
    yield from _not_green(told)
    yield from _signatures(told)
    yield from _events(told)
    yield from _shares(told)
    yield from _checks(told)
    yield from _unseen(told)


def _why(ended: Mapping[str, object]) -> Iterator[str]:
    """Why it ended as it did, where that is not as it should have ended."""
    if "rule" in ended:
        yield from ("", f"Rolled back by `{ended['rule']}`: {_cell(without_verb(str(ended['text'])))}")
        if (left := _table(ended.get("data", {}))) and left["decide"]:
            yield from (
                "",
                f"**The data needs a person's decision:** {_cell(left['text'])}; {_cell(left['decide'])}",
            )
    elif ended.get("text"):
        yield from (
            "",
            f"{_cell(ended['text'])}; the last event before it: `{_cell(ended.get('after', 'none'))}`",
        )


def _facts(told: Told) -> Iterator[tuple[str, str]]:
    opened, plan = told.opened, _table(told.opened["plan"])
    began, ended = told.events[0].at, told.ended.at
    schedule = _table(opened["schedule"])
    for component, digest in _table(opened["release"]).items():
        yield f"release of {component}", f"`sha256:{digest}`"
        yield f"previous {component}", f"`sha256:{_table(opened['previous'])[component]}`"
    kind = "production" if plan["production"] else "not for production"
    yield "plan", f"{_cell(plan['name'])} ({kind}), digest `{plan['digest']}`"
    yield "opened", f"{_date(began)} at {_when(told.events[0])}"
    speed = float(str(schedule["speed"]))
    shortened = ", on a clock whose waits are shortened" if speed > 1 else ""
    yield "T-0", f"planned for {_date(str(schedule['t0']))}{shortened}"
    yield "ended", f"{_date(ended)} at {_when(told.ended)}"
    yield "took", f"{_duration(instant(ended) - instant(began))}; waits ran {speed:,g} times as fast"
    yield "decision", _decision(told)
    yield "people", _cell(people(opened))
    yield "users", _users(told.users)
    if "requests" in told.ended.data:
        yield "requests", f"{spent(told.ended.data)}, until the end of the launch"
    for words in came_back(told.ended.data):
        yield "way back", _cell(words)
    yield "lines", _counted(told)
    yield "tminus", __version__
    yield "record", f"`record.jsonl`, {len(told.events)} events, head `{told.events[-1].digest}`"


def _decision(told: Told) -> str:
    made = told.of("decision.made")
    if not made:
        return "none: it ended before GO or NO-GO"
    data = made[-1].data
    who = "a simulated person" if data["simulated"] else "a real person"
    return f"{str(data['decision']).upper()} by {_cell(data['by'])}, {who}, {_date(made[-1].at)}"


def _users(users: Mapping[str, object] | None) -> str:
    if users is None:
        return "what they met was not written down"
    return f"sent {int(str(users['total'])):,} requests, {int(str(users['failed'])):,} failed"


def _counted(told: Told) -> str:
    sources = [str(event.data["source"]) for event in told.lines.values()]
    counts = [(sources.count(source), words) for source, words in _SOURCES.items()]
    if told.same_plan:
        counts += [(len(told.signed), "signed"), (len(told.unreached), "never reached")]
    counts += [(len(told.omitted), "left out of the plan")]
    total = _table(told.opened["plan"])["lines"]
    return f"{total} on the checklist: {', '.join(f'{count} {words}' for count, words in counts if count)}"


def _not_green(told: Told) -> Iterator[str]:
    bad = {
        check: event
        for check, event in told.lines.items()
        if event.data["verdict"] not in {"passed", "not-applicable"}
    }
    if bad:
        yield from ("", "## Not green", "")
        for check, event in sorted(bad.items()):
            yield f"- `{check}` {_cell(event.data['text'])}: **{event.data['verdict']}**: {_reason(event)}"


def _signatures(told: Told) -> Iterator[str]:
    given = told.of("signoff.given", "decision.made")
    if acknowledged := told.of("warning.acknowledged"):
        yield from ("", "## Acknowledged warnings", "")
    for event in acknowledged:
        data = event.data
        who = f"{_signer(data)} as {data['role']}: {_cell(data['because'])}"
        yield f"- {_when(event)} `{data['check']}` is warned, acknowledged by {who}"
    if given:
        yield from ("", "## Signatures", "", "| role | person | says | note | at |", "|--|--|--|--|--|")
    for event in given:
        data = event.data
        person = _signer(data)
        role = f"{data['role']} (decides)" if event.type == "decision.made" else data["role"]
        note = _cell(data.get("note", data.get("reason")))
        yield f"| {role} | {person} | {str(data['decision']).upper()} | {note} | {_when(event)} |"


def _signer(data: Mapping[str, object]) -> str:
    return _cell(data.get("person", data.get("by"))) + (" (simulated)" if data["simulated"] else "")


def _events(told: Told) -> Iterator[str]:
    """Holds, orders and the way back: what a launch that goes well has none of."""
    words = {
        "launch.held": lambda data: (
            f"held at {data['where']} by `{data['rule']}`: {without_verb(str(data['text']))}"
        ),
        "order.taken": lambda data: str(data["text"]),
        "clock.held": lambda data: f"{data['by']} stopped the clock: {data['reason']}",
        "clock.resumed": lambda data: f"{data['by']} let the clock run again: {data['reason']}",
        "rollback.done": lambda data: (
            f"all traffic to blue, set and read back within {float(str(data['seconds'])) * 1000:.0f} ms"
        ),
        "rollback.seen": lambda data: (
            f"not seen in traffic: {data['unseen']}"
            if data.get("unseen")
            else f"seen in traffic: {data['blue']} requests answered by blue, {data['green']} by green"
        ),
        "rollback.proved": lambda data: (
            f"blue runs `{data['digest']}`, {'as' if data['as_before'] else 'NOT as'} before; its smoke tests "
            f"{'pass' if data['schema_compatible'] else 'FAIL'}"
        ),
        "side.stopped": lambda data: f"{data['side']} {drained(data['sessions'])} and stopped",
        "rollback.data": lambda data: str(data["text"]),
    }
    happened = told.of(*words)
    if happened:
        yield from ("", "## Holds, orders, rollback", "")
    for event in happened:
        yield f"- {_when(event)} {_cell(words[event.type](event.data))}"


def _shares(told: Told) -> Iterator[str]:
    seen = {str(_table(e.data["share"])["set"]): e for e in told.of("traffic.seen") if e.data.get("share")}
    if seen:
        head = (
            "| weight set | seen on green | requests | green failed | blue failed | guard |",
            "|--|--|--|--|--|--|",
        )
        yield from (
            "",
            "## Traffic",
            "",
            "The last look at each weight; failures since the launch began.",
            "",
            *head,
        )
    for percent, event in seen.items():
        share, counts = _table(event.data["share"]), _table(_table(event.data["gauges"])["counts"])
        total = int(str(share["total"]))
        part = f"{int(str(share['green'])) / total:.2%}" if total else "nothing"
        failed = (f"{_table(counts[side])['failed']}" for side in ("green", "blue"))
        yield f"| {percent} % | {part} | {total:,} | {' | '.join(failed)} | {event.data['action']} |"


def _checks(told: Told) -> Iterator[str]:
    if told.lines:
        yield from ("", "## Lines", "", "| line | verdict | by | what was seen | at |", "|--|--|--|--|--|")
    for check, event in sorted(told.lines.items()):
        data = event.data
        row = (
            f"`{check}` {_cell(data['text'])}",
            data["verdict"],
            data["source"],
            _reason(event),
            _when(event),
        )
        yield f"| {' | '.join(map(str, row))} |"


def _unseen(told: Told) -> Iterator[str]:
    """Whatever nobody observed, named: simulated words, what was not reached, what the plan leaves out."""
    simulated = sorted(check for check, event in told.lines.items() if event.data["source"] == "simulated")
    groups = {"said by simulated people": simulated}
    if told.same_plan:
        groups["never reached"] = told.unreached
    for check, reason in told.omitted.items():
        groups.setdefault(f"left out of the plan: {reason}", []).append(check)
    if any(groups.values()) or not told.same_plan:
        yield from ("", "## Never observed", "")
    if not told.same_plan:
        yield "- which lines were never reached is not known: the plan's file is no longer what was opened"
    for why, checks in groups.items():
        if checks:
            yield f"- {len(checks)} {_cell(why)}: {', '.join(f'`{check}`' for check in checks)}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _date(at: str) -> str:
    """An instant of the record, to the second and with its zone."""
    return f"{at[:10]} {at[11:19]} UTC"


def _reason(event: Event) -> str:
    return _cell(without_verb(str(event.data["why"])))


def _cell(value: object) -> str:
    """Text that stays in its cell of a Markdown table."""
    return " ".join(str(value).split()).replace("|", "\\|")


def _when(event: Event) -> str:
    return clock((event.t_ms or 0) / 1000)


def _table(value: object) -> dict[str, object]:
    assert isinstance(value, dict)  # noqa: S101 - the launch wrote it
    return value

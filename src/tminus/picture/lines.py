"""The lines of a launch as the board shows them: how each stands, in which order, how many of each.

Pure decisions over the plan's checks and the record's events. The verdict rules are those of `domain.decision`; here
they get the board's columns, and an order in which a row moves only when its worst verdict changes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tminus.control.readiness import CLAIMS, claims_of
from tminus.domain.acknowledging import Awaited
from tminus.domain.canonical import instant
from tminus.domain.decision import GREEN as OPENS
from tminus.domain.decision import GateResult, gate, standing
from tminus.domain.evidence import Claim, Freshness, Source
from tminus.domain.plan import Check, Kind, Severity
from tminus.domain.poll import SIGNED, VOIDED, waived_until
from tminus.domain.record import Event
from tminus.picture.course import Happened

Data = Mapping[str, Any]

COLUMNS = (
    "failed",
    "unknown",
    "stale",
    "pending",
    "warned",
    "passed",
    "attested",
    "waived",
    "na",
    "later",
)
"""The board's columns, worst first."""
BLOCKING = ("failed", "unknown", "stale")
"""What blocks GO; pending and warned are not green yet, the rest counts as green or comes after T-0."""
GREEN = ("passed", "attested", "waived", "na")
UNPLANNED = "Lines of the record"
"""The section of every line when the plan is not at hand: the record names no sections."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the checklist, as it stands now."""

    check: Check
    stands: str
    """One of `COLUMNS`."""
    why: str
    source: str
    """Who saw it; empty while nobody has."""
    at: float | None
    """When it was last observed, in seconds of the epoch."""
    waiting: int = 0
    """How many roll-ups are made of it."""
    awaited: Awaited | None = None
    """The acknowledgement that GO waits for, where it is a blocker and warned."""

    @property
    def before_go(self) -> bool:
        """Whether it is counted before GO: due before T-0, or a signature of the poll."""
        return self.check.due < 0 or self.check.kind is Kind.SIGNATURE

    @property
    def simulated(self) -> bool:
        """Whether a simulated person said so."""
        return self.source == Source.SIMULATED.value


@dataclass(frozen=True, slots=True)
class Section:
    """One row of the matrix."""

    name: str
    lines: tuple[Line, ...]
    counts: Mapping[str, int]

    @property
    def green(self) -> int:
        """How many of its lines count as green."""
        return sum(self.counts.get(column, 0) for column in GREEN)

    @property
    def oldest(self) -> Line | None:
        """The live line that was observed the longest ago, measured by how long it counts."""
        live = [line for line in self.lines if line.at is not None and line.check.fresh.kind == "live"]
        return min(live, key=lambda line: (line.at or 0.0) + line.check.fresh.seconds, default=None)


def planned(opened: Data, checks: Sequence[Check], events: Iterable[Event]) -> tuple[Check, ...]:
    """The checks of the plan, or, where the plan is not at hand, what the record itself names of them."""
    if checks:
        return tuple(checks)
    found = {str(row["check"]): _from_record(row) for row in opened.get("required", ())}
    for event in events:
        if event.type in CLAIMS:
            name = str(event.data["check"])
            due = found[name].due if name in found else (0.0 if (event.t_ms or 0) < 0 else 1.0)
            row = {"check": name, "due_ms": due * 1000, "severity": "required"}
            base = found.get(name) or _from_record(row)
            found[name] = _named(base, str(event.data.get("text") or name))
    return tuple(found.values())


def _from_record(row: Data) -> Check:
    live = row.get("live_ms")
    return Check(
        id=str(row["check"]),
        text=str(row["check"]),
        section=UNPLANNED,
        kind=Kind.PROBE,
        due=float(row["due_ms"]) / 1000,
        owner="",
        severity=Severity(str(row["severity"])),
        fresh=Freshness("live", live / 1000) if live else Freshness("launch"),
    )


def _named(check: Check, text: str) -> Check:
    return Check(check.id, text, check.section, check.kind, check.due, "", check.severity, check.fresh)


def lines_of(checks: Sequence[Check], events: Sequence[Event], now: float) -> tuple[Line, ...]:
    """Every line as it stands at `now`, in the checklist's order.

    A claim that the decision was made on does not grow stale afterwards: its age was judged then.
    """
    claims = claims_of(events)
    words: dict[str, Happened] = {}
    for event in events:
        if event.type == SIGNED:
            words[str(event.data["role"])] = event
        elif event.type == VOIDED:
            words.pop(str(event.data["role"]), None)
    waived = waived_until(events)
    decided = next((e for e in events if e.type == "decision.made"), None)
    judged_at = instant(decided.at) if decided else now
    waiting = Counter(part for check in checks for part in check.of)
    return tuple(
        _signature(check, words.get(check.owner))
        if check.kind is Kind.SIGNATURE
        else _accepted(
            _line(check, claims.get(check.id), judged_at if check.due < 0 else now, waiting[check.id]),
            waived.get(check.id, 0.0) > (judged_at if check.due < 0 else now),
        )
        for check in checks
    )


def _accepted(line: Line, waived: bool) -> Line:  # noqa: FBT001 - whether it is waived is what this is about
    """The line as it stands where two persons let it stand so; a blocker cannot be waived."""
    accepted = waived and line.check.severity is not Severity.BLOCKER and line.stands not in {*OPENS, *GREEN}
    return replace(line, stands="waived") if accepted else line


def _line(check: Check, claim: Claim | None, now: float, waiting: int) -> Line:
    if claim is None:
        stands = "pending" if check.due < 0 else "later"
        return Line(check, stands, check.note, "", None, waiting)
    stands = standing(check, claim, now)
    if stands == "not-applicable":
        stands = "na"
    elif stands == "passed" and claim.source in {Source.PERSON, Source.SIMULATED}:
        stands = "attested"
    return Line(check, stands, claim.why, claim.source.value, claim.at, waiting)


def _signature(check: Check, signed: Happened | None) -> Line:
    if signed is None:
        return Line(check, "pending", "not signed yet", "", None)
    stands = "attested" if signed.data["decision"] == "go" else "failed"
    source = Source.SIMULATED if signed.data.get("simulated") else Source.PERSON
    return Line(check, stands, str(signed.data.get("note", "")), source.value, None)


def rank(stands: str) -> int:
    """The place of a standing, worst first."""
    return COLUMNS.index(stands)


def count(lines: Iterable[Line]) -> dict[str, int]:
    """How many lines stand in each column; every column is named."""
    found = Counter(line.stands for line in lines)
    return {column: found[column] for column in COLUMNS}


def sections(lines: Sequence[Line]) -> tuple[Section, ...]:
    """The sections, failing first; within a tier in the order of the checklist."""
    names = list(dict.fromkeys(line.check.section for line in lines))
    made = []
    for name in names:
        mine = tuple(line for line in lines if line.check.section == name)
        made.append(Section(name, tuple(sorted(mine, key=lambda line: rank(line.stands))), count(mine)))
    return tuple(sorted(made, key=lambda section: rank(section.lines[0].stands)))


def needs(lines: Sequence[Line]) -> tuple[Line, ...]:
    """What needs someone now, worst first: what blocks, is pending before GO, or waits to be acknowledged."""
    wanted = [
        line
        for line in lines
        if line.stands in BLOCKING or line.awaited or (line.stands == "pending" and line.before_go)
    ]
    return tuple(sorted(wanted, key=lambda line: (rank(line.stands), line.check.due)))


def may_go(checks: Sequence[Check], events: Sequence[Event], now: float) -> GateResult:
    """How the GO gate would answer now, by the launch's own rule."""
    judged = [check for check in checks if check.due < 0 and check.kind is not Kind.SIGNATURE]
    return gate(judged, claims_of(events), now, waived_until(events))

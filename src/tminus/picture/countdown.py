"""The countdown view: whether we may go; if not, what is in the way, and whose move it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tminus.domain.decision import GateResult
from tminus.domain.offsets import clock
from tminus.domain.plan import Check, Kind
from tminus.picture import words
from tminus.picture.charts import percent
from tminus.picture.course import Course, Data
from tminus.picture.lines import BLOCKING, COLUMNS, GREEN, Line, count, may_go
from tminus.picture.words import MINUS, plural, t_text

SHOWN = 12
"""How many lines that need someone are listed; the others are counted."""

Rows = tuple[Sequence[Check], Sequence[Line]]
"""The checks of a launch, and how each of them stands."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a bar: its column, how many, and where it lies."""

    column: str
    word: str
    number: int
    start: str
    width: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why GO would be refused."""

    sign: str
    number: str
    text: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The decision as it stands."""

    sign: str
    word: str
    lead: str
    reasons: tuple[Reason, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Vote:
    """One role of the poll."""

    title: str
    look: str
    """The colour of the card: `go`, `failed`, `wait` or `pending`."""
    sign: str
    word: str
    why: str


@dataclass(frozen=True, slots=True)
class Milestone:
    """One milestone and how far it is."""

    name: str
    state: str
    sign: str
    lines: str
    late: str


@dataclass(frozen=True, slots=True)
class Readiness:
    """How many of the lines due before GO are green."""

    green: int
    total: int
    parts: tuple[Part, ...]

    @property
    def spoken(self) -> str:
        """The bar in words."""
        told = ", ".join(f"{part.number} {part.word}" for part in self.parts)
        return f"Of {self.total} lines due before GO: {told}"


def readiness(lines: Sequence[Line]) -> Readiness:
    """The bar over the lines that are counted before GO; warned ones open the gate, and stay apart."""
    mine = [line for line in lines if line.before_go]
    numbers = count(mine)
    green = sum(numbers[column] for column in GREEN)
    shown = [(column, column, numbers[column]) for column in COLUMNS[:5]]
    shown.append(("passed", "green", green))
    total = len(mine)
    parts: list[Part] = []
    start = 0.0
    for column, word, number in shown:
        width = 100 * number / total if total else 0.0
        if number:
            parts.append(Part(column, word, number, percent(start), percent(max(0.2, width - 0.25))))
        start += width
    return Readiness(green, total, tuple(parts))


def strip(lines: Sequence[Line], widest: int) -> list[tuple[str, str, str]]:
    """One small box for each line of a section, on the scale of the longest section."""
    size = 100 / max(1, widest)
    return [(line.stands, percent(number * size), percent(size * 0.8)) for number, line in enumerate(lines)]


def verdict(course: Course, rows: Rows, now: float) -> Verdict:
    """The decision, or what it would be now."""
    decision = course.decision
    if decision is not None:
        no_go = decision.data["decision"] != "go"
        by = str(decision.data.get("by", ""))
        return Verdict(
            "failed" if no_go else "go", "NO-GO" if no_go else "GO", str(decision.data["reason"]), (), by
        )
    if course.outcome:
        ended = course.ended
        text = str(ended.data.get("text", "")) if ended else ""
        return Verdict("void", course.outcome.capitalize(), text, (), "")
    if proposed := course.proposed:
        lead = f"GO was not possible at T{MINUS}0: {'; '.join(map(str, proposed.data['reasons']))}"
        return Verdict("failed", "No GO", lead, (), "signed by nobody")
    gate = may_go(rows[0], course.events, now)
    reasons = _reasons(course, gate, _awaited(rows))
    asked = course.last("decision.asked") is not None
    lead = "GO would be refused now." if reasons else "Nothing stands in the way of GO."
    return Verdict(
        "wait" if asked else "pending",
        "GO or NO-GO?" if asked else "No decision yet",
        lead,
        reasons,
        _note(course),
    )


def _note(course: Course) -> str:
    asked = course.last("decision.asked")
    if asked is None:
        return f"It is decided at T{MINUS}0, over the evidence that the poll was shown."
    return f"The word is asked for in the terminal of the launch, within {asked.data['minutes']} minutes."


def _awaited(rows: Rows) -> int:
    """How many acknowledgements GO waits for."""
    return sum(line.awaited is not None for line in rows[1])


def _reasons(course: Course, gate: GateResult, awaited: int) -> tuple[Reason, ...]:
    """What keeps GO closed, by the launch's own gate; the poll last."""
    obstacles = [o.standing for o in gate.obstacles]
    blocking = sum(stands in BLOCKING for stands in obstacles)
    pending = len(obstacles) - blocking
    votes = course.votes
    missing = [vote for vote in votes if vote["word"] != "go"]
    found = []
    if blocking:
        word = "line blocks" if blocking == 1 else "lines block"
        found.append(Reason("failed", str(blocking), f"{word}: failed, unknown or stale"))
    if pending:
        word = "line is" if pending == 1 else "lines are"
        found.append(Reason("pending", str(pending), f"{word} still pending"))
    if awaited:
        word = "blocker is" if awaited == 1 else "blockers are"
        found.append(Reason("warned", str(awaited), f"{word} warned and not acknowledged"))
    if missing:
        no_go = sum(vote["word"] == "no-go" for vote in missing)
        told = f"{no_go} no-go, {len(missing) - no_go} open" if no_go else "not given yet"
        found.append(Reason("void", f"{len(missing)} of {len(votes)}", f"signatures missing: {told}"))
    if not gate.seen and not found:
        found.append(Reason("unknown", "0", "lines that GO judges were observed"))
    return tuple(found)


def votes(course: Course) -> tuple[Vote, ...]:
    """The poll, one card for each role that signs."""
    polling = course.last("poll.opened") is not None
    return tuple(_vote(vote, polling=polling) for vote in course.votes)


def _vote(vote: Data, *, polling: bool) -> Vote:
    who = f"{vote['person'] or 'This role'}{' (simulated)' if vote['simulated'] else ''}"
    if vote["word"] == "go":
        return Vote(vote["title"], "go", "go", "GO", f"{who} at {t_text(vote['t'])}: {vote['note']}")
    if vote["word"]:
        return Vote(
            vote["title"], "failed", "failed", "NO-GO", f"{who} at {t_text(vote['t'])}: {vote['note']}"
        )
    if polling:
        return Vote(vote["title"], "wait", "wait", "NO ANSWER", f"{who} is asked.")
    return Vote(vote["title"], "pending", "pending", "NOT POLLED", f"{who} is asked when the poll opens.")


def milestones(course: Course, offsets: Sequence[float], lines: Sequence[Line]) -> tuple[Milestone, ...]:
    """Every milestone with its lines, and whether its gate opened."""
    reached = {str(event.data["milestone"]) for event in course.of("milestone.reached")}
    gates = {str(event.data["milestone"]): event.data for event in course.of("gate.judged")}
    return tuple(
        _milestone(offset, clock(offset) in reached, gates.get(clock(offset)), lines) for offset in offsets
    )


def _milestone(due_at: float, reached: bool, gate: Data | None, lines: Sequence[Line]) -> Milestone:  # noqa: FBT001 - called once, above
    due = sum(line.check.due == due_at and line.check.kind is not Kind.SIGNATURE for line in lines)
    name = words.offset(due_at)
    told = plural(due, "line")
    if gate is not None and not gate["open"]:
        late = ", ".join(str(row["check"]) for row in gate["late"])
        return Milestone(name, "stayed closed", "failed", told, f"late: {late}")
    if gate is not None:
        return Milestone(name, "open", "passed", told, "")
    return Milestone(name, "reached" if reached else "to come", "wait" if reached else "later", told, "")


def forecast(course: Course, rows: Rows, now: float) -> str:
    """When GO can be given if nothing else goes wrong; empty once it is decided.

    A line that waits is seen at its milestone; one that blocks waits for a person, and nobody can say how long.
    """
    if course.decision or course.proposed or course.outcome:
        return ""
    checks = rows[0]
    obstacles = may_go(checks, course.events, now).obstacles
    blocking = sum(each.standing in BLOCKING for each in obstacles)
    if blocking:
        verb = "blocks" if blocking == 1 else "block"
        return f"forecast: no GO while {plural(blocking, 'line')} {verb}"
    if awaited := _awaited(rows):
        return f"forecast: no GO until {plural(awaited, 'warning')} {'is' if awaited == 1 else 'are'} acknowledged"
    dues = {check.id: check.due for check in checks}
    last = max((dues[each.check] for each in obstacles), default=None)
    if last is None:
        return "forecast: every line is ready for GO"
    if last < course.clock(now)[0]:
        return f"forecast: late, lines of {words.offset(last)} are still pending"
    return f"forecast: lines ready for GO at {words.offset(last)}, {words.length(-last)} to spare"


def left_out(opened: Data) -> Mapping[str, int]:
    """How many lines the plan leaves out, by reason."""
    found: dict[str, int] = {}
    for row in opened.get("omitted", ()):
        found[str(row["reason"])] = found.get(str(row["reason"]), 0) + 1
    return found

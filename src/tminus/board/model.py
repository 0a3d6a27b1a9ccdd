"""What the board says of a launch at one moment: pure, made from its picture, before anything is drawn.

Everything that a person reads stands here as words, a sign's name and figures; `render` decides what fits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tminus.board.deciding import at_stake
from tminus.board.waiting import Need, Question, needs
from tminus.domain.guard import GuardLimits
from tminus.domain.judgement import TestGauge
from tminus.domain.plan import Plan
from tminus.picture import countdown
from tminus.picture.course import Course, View
from tminus.picture.events import Entry
from tminus.picture.gauges import EVIDENCE, Timer
from tminus.picture.liftoff import Step
from tminus.picture.lines import Line, rank
from tminus.picture.rolledback import RolledBack
from tminus.picture.view import Picture, Told, picture
from tminus.picture.words import claim, odds, offset, plural, span, t_text

COUNTED = ("failed", "unknown", "stale", "pending", "warned", "passed", "n/a", "later", "left out")
"""The columns of the sections, worst first; what people attested is passed, what is waived is not applicable."""
_COLUMN = {"attested": "passed", "waived": "n/a", "na": "n/a"}
_ELSEWHERE = "Left out whole"
"""The row of lines that are left out of a section of which the plan has nothing."""


@dataclass(frozen=True, slots=True)
class Head:
    """The clock, what happens, and what comes next."""

    clock: str
    phase: str
    more: str
    launch: str
    next: str
    sign: str
    word: str
    lead: str
    """Why it stands so, one sentence."""
    reasons: tuple[str, ...] = ()
    expedited: str = ""
    """Of an expedited launch: why, and who stands for it."""
    at_stake: tuple[str, ...] = ()
    """What would be launched and how its lines stand, while GO or NO-GO is asked for."""


@dataclass(frozen=True, slots=True)
class Row:
    """One section of the checklist."""

    name: str
    sign: str
    """How its worst line stands."""
    counts: Mapping[str, int]
    """By the names of `COUNTED`."""


@dataclass(frozen=True, slots=True)
class Chip:
    """Roles that gave the same word."""

    sign: str
    word: str
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The traffic: what was set, what was seen."""

    green: int
    """Percent of new requests on green, as read back."""
    words: str
    interval: str
    """Where the share lies with 99 % certainty; empty while nobody knows."""
    ladder: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Meter:
    """One test of the guard beside the line where it acts."""

    claim: str
    sign: str
    value: str
    limit: str
    filled: float
    """Where the evidence lies on a logarithmic scale, from 0 to 1."""
    mark: float
    """Where its line lies."""


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the board shows."""

    head: Head
    question: Question | None
    chips: tuple[Chip, ...]
    people: str
    needs: tuple[Need, ...]
    rows: tuple[Row, ...]
    split: Split | None
    meters: tuple[Meter, ...]
    timers: tuple[Timer, ...]
    criteria: tuple[Line, ...]
    back: RolledBack | None
    log: tuple[Entry, ...]
    """Oldest first."""
    view: View
    outcome: str


def board(told: Told, now: float, question: Question | None = None) -> Board:
    """The board at `now` (seconds of the epoch); raises `RecordError` for a launch that has not opened."""
    shown = picture(told, now)
    course, at = shown.course, shown.course.now(now)
    flies = shown.view is View.LIFTOFF
    return Board(
        head=_head(shown, told.plan),
        question=question,
        chips=tuple(_chips(course)),
        people=_people(course),
        needs=needs(shown),
        rows=tuple(_rows(shown)),
        split=_split(shown) if flies else None,
        meters=tuple(_meters(told, at)) if flies else (),
        timers=shown.parts["timers"] if flies else (),
        criteria=shown.parts["criteria"] if flies else (),
        back=shown.parts.get("back"),
        log=shown.log[::-1],
        view=shown.view,
        outcome=course.outcome,
    )


def _head(shown: Picture, plan: Plan | None) -> Head:
    moment, course = shown.moment, shown.course
    sign, word, lead, reasons = _standing(shown)
    if held := course.held:
        sign, word, lead, reasons = "hold", "Held", f"{claim(str(held.data['text']))}.", ()
    return Head(
        clock=t_text(moment.t),
        phase=moment.phase,
        more=moment.more,
        launch=course.launch,
        next=_next(shown, plan),
        sign=sign,
        word=word,
        lead=lead,
        reasons=reasons,
        expedited=course.expedited,
        at_stake=at_stake(shown),
    )


def _standing(shown: Picture) -> tuple[str, str, str, tuple[str, ...]]:
    """The verdict of the moment, from the view that the launch is in."""
    if shown.view is View.COUNTDOWN:
        verdict = shown.parts["verdict"]
        reasons = tuple(f"{reason.number} {reason.text}" for reason in verdict.reasons)
        return verdict.sign, verdict.word, verdict.lead, reasons
    if shown.view is View.LIFTOFF:
        now = shown.parts["now"]
        return now.sign, now.word, now.lead, (now.next,) if now.next else ()
    back = shown.parts["back"]
    return back.sign, shown.moment.phase, back.lead, (back.note,) if back.note else ()


def _next(shown: Picture, plan: Plan | None) -> str:
    """The next milestone, how far it is, and how many lines fall due there."""
    if plan is None or shown.course.outcome or shown.view is View.ROLLED_BACK:
        return ""
    coming = [each for each in plan.milestones if each > shown.moment.t]
    if not coming:
        return ""
    due = len(plan.due(coming[0]))
    told = f", {plural(due, 'line')} due" if due else ""
    faster = f"; waits run {shown.moment.speed:,g} times as fast" if shown.moment.speed > 1 else ""
    return f"next {offset(coming[0])} in {span(coming[0] - shown.moment.t)}{told}{faster}"


def _chips(course: Course) -> Iterator[Chip]:
    """The poll: roles by the word that they gave, in the order of the worst word first."""
    votes = countdown.votes(course)
    for sign in ("failed", "wait", "pending", "go"):
        mine = [vote for vote in votes if vote.look == sign]
        if mine:
            yield Chip(sign, mine[0].word, tuple(vote.title for vote in mine))


def _people(course: Course) -> str:
    """Who of those that sign is simulated, so that no chip is taken for a person's word."""
    votes = course.votes
    simulated = sum(vote["simulated"] for vote in votes)
    if not simulated:
        return ""
    return "all simulated people" if simulated == len(votes) else f"{simulated} of {len(votes)} are simulated"


def _rows(shown: Picture) -> Iterator[Row]:
    """The sections, failing first; lines that the plan leaves out are counted where their neighbours stand."""
    left = _left_out(shown)
    for section in shown.sections:
        worst = min((line.stands for line in section.lines), key=rank)
        yield Row(section.name, worst, _counted(section.counts, left.pop(section.name, 0)))
    if rest := sum(left.values()):
        yield Row(_ELSEWHERE, "later", _counted({}, rest))


def _counted(counts: Mapping[str, int], left_out: int) -> dict[str, int]:
    made = dict.fromkeys(COUNTED, 0)
    for stands, number in counts.items():
        made[_COLUMN.get(stands, stands)] += number
    made["left out"] = left_out
    return made


def _left_out(shown: Picture) -> dict[str, int]:
    """How many lines are left out by section: a line stands with those whose name begins as its own does."""
    sections = {_family(line.check.id): line.check.section for line in shown.lines}
    found: dict[str, int] = {}
    for row in shown.course.opened.get("omitted", ()):
        section = sections.get(_family(str(row["check"])), _ELSEWHERE)
        found[section] = found.get(section, 0) + 1
    return found


def _family(name: str) -> str:
    return name.partition(".")[0]


def _split(shown: Picture) -> Split:
    shift, seen = shown.parts["shift"], shown.course.seen
    measured: Mapping[str, Any] = (seen.data.get("share") or {}) if seen else {}
    spread = ""
    if measured.get("total") and measured["set"] == shift.weight and measured["low"] < measured["high"]:
        spread = f"(99 %: {100 * measured['low']:.1f} to {100 * measured['high']:.1f} %)"
    return Split(shift.weight or 0, shift.sub, spread, shift.ladder)


def _short(test: TestGauge, limits: GuardLimits) -> str:
    """What a test gathers evidence for, in so few words that a bar has room beside it."""
    words = {
        "a1": f"errors above {100 * limits.error_rollback:g} %",
        "a2": f"errors over {limits.r0:g} times blue's",
        "b1": f"p95 above {limits.slow_ms:g} ms",
        "b2": f"slow over {limits.r0_slow:g} times blue's",
        "hold.errors": f"errors above {100 * limits.error_hold:g} %",
    }
    return words.get(test.rule, test.claim)


def _meters(told: Told, at: float) -> Iterator[Meter]:
    for test in told.traffic.gauges(at).tests:
        holds = test.rule.startswith("hold")
        crossed = test.evidence >= test.threshold
        yield Meter(
            claim=_short(test, told.traffic.limits),
            sign=("hold" if holds else "failed") if crossed else "passed" if test.evidence <= 1 else "warned",
            value=odds(test.evidence),
            limit=f"{'holds' if holds else 'rolls back'} at {test.threshold:,.0f}",
            filled=EVIDENCE.part(test.evidence),
            mark=EVIDENCE.part(test.threshold),
        )

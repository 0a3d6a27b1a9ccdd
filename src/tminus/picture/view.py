"""One picture of a launch: everything that the page shows at one moment, decided without I/O.

The same events, plan, traffic and moment give the same picture. Templates only write it down.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tminus.domain.canonical import instant
from tminus.domain.delegation import as_held
from tminus.domain.plan import Kind, Plan
from tminus.domain.record import Event
from tminus.errors import RecordError
from tminus.picture import countdown, gauges, liftoff
from tminus.picture.awaiting import awaiting
from tminus.picture.course import PHASES, Course, View, phase, phase_words
from tminus.picture.cutshort import cut_short
from tminus.picture.events import Entry, entries
from tminus.picture.lines import Line, Section, count, lines_of, needs, planned, sections
from tminus.picture.metered import metered
from tminus.picture.rolledback import RolledBack, rolled_back
from tminus.picture.traffic import Traffic
from tminus.picture.words import MINUS, spent

LOGGED = 200
"""Entries of the log that a page starts with."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The clock and what happens."""

    phase: str
    more: str
    t: float
    runs: bool
    at: float
    """The instant at which the clock showed `t`."""
    t0: float | None
    """T-0 as planned, in seconds of the epoch, before waits were shortened."""
    speed: float
    steps: tuple[tuple[str, str], ...]
    """Each state and whether it is `done`, `at` or `todo`."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What the page shows."""

    course: Course
    view: View
    moment: Moment
    lines: tuple[Line, ...]
    sections: tuple[Section, ...]
    counts: dict[str, int]
    needs: tuple[Line, ...]
    left_out: dict[str, int]
    planned: bool
    """Whether the plan is at hand; else lines have the words of the record alone."""
    unbroken: bool
    unread: int
    """Lines of the trace that could not be read."""
    doubts: tuple[str, ...]
    """What keeps one from believing it; shown before everything else."""
    parts: dict[str, Any]
    """What only this view has, by name."""
    log: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """All that is known of a launch at one moment."""

    events: Sequence[Event]
    unbroken: bool
    plan: Plan | None
    traffic: Traffic
    unread: int = 0
    doubts: tuple[str, ...] = ()
    """What keeps one from believing the record, in sentences; empty where nothing does."""


def picture(told: Told, now: float) -> Picture:
    """The picture at `now` (seconds of the epoch); raises `RecordError` for a launch that has not opened."""
    if not told.events:
        raise RecordError("the launch has not opened yet", hint="load the page again in a moment")
    course = Course(told.events[0].data, told.events)
    at = course.now(now)
    plan = as_held(told.plan, told.events) if told.plan else None
    checks = planned(course.opened, plan.checks if plan else (), told.events)
    lines = awaiting(lines_of(checks, told.events, at), plan, course, at)
    view = course.view
    return Picture(
        course=course,
        view=view,
        moment=_moment(course, now),
        lines=lines,
        sections=sections(lines),
        counts=count(lines),
        needs=needs(lines) if view is View.COUNTDOWN and not course.outcome else (),
        left_out=dict(countdown.left_out(course.opened)),
        planned=told.plan is not None,
        unbroken=told.unbroken,
        unread=told.unread,
        doubts=told.doubts,
        parts=_parts(view, course, told, (checks, lines), at),
        log=tuple(entries(told.events, LOGGED)),
    )


def _moment(course: Course, now: float) -> Moment:
    t, runs = course.clock(now)
    schedule = course.opened.get("schedule") or {}
    t0 = instant(course.t0) if course.t0 else None
    word, more = phase_words(course)
    if course.asked and not course.stands and t >= 1:
        more = f"{spent(t)} past T{MINUS}0"
    return Moment(word, more, t, runs, now, t0, float(schedule.get("speed", 1)), _steps(course))


def _steps(course: Course) -> tuple[tuple[str, str], ...]:
    """The states of the launch, the present one marked; one that left the path ends it."""
    name = {"shifting": "launching"}.get(phase(course), phase(course))
    if name not in PHASES:
        kept = ("planned", "counting", "GO", "launching") if course.decision else ("planned", "counting")
        return (*((each, "done") for each in kept), (name.replace("-", " "), "at"))
    index = PHASES.index(name)
    states = ("done" if n < index else "at" if n == index else "todo" for n in range(len(PHASES)))
    return tuple(zip(PHASES, states, strict=True))


def _parts(view: View, course: Course, told: Told, rows: countdown.Rows, at: float) -> dict[str, Any]:
    lines = rows[1]
    if view is View.COUNTDOWN:
        return {
            "verdict": countdown.verdict(course, rows, at),
            "ready": countdown.readiness(lines),
            "votes": countdown.votes(course),
            "forecast": countdown.forecast(course, rows, at),
            "milestones": countdown.milestones(course, told.plan.milestones if told.plan else (), lines),
        }
    told.traffic.settle(at)
    if view is View.ROLLED_BACK:
        return {"back": _back(course, told.traffic)}
    rollout = told.plan.rollout if told.plan else None
    return {
        "now": liftoff.now_of(course, rollout),
        "votes": countdown.votes(course),
        "shift": liftoff.shift(course, told.traffic, rollout, at),
        "charts": gauges.charts(course, told.traffic, at),
        "gauge": gauges.gauge(told.traffic, at),
        "timers": (*gauges.timers(course, told.traffic, at), *metered(course)),
        "criteria": tuple(
            line for line in lines if line.check.due >= 0 and line.check.kind is not Kind.SIGNATURE
        ),
    }


def _back(course: Course, traffic: Traffic) -> RolledBack:
    decision = course.decision
    zero = instant(decision.at) - (decision.t_ms or 0) / 1000 if decision else 0.0
    back = rolled_back(course, traffic, zero)
    return cut_short(course, traffic, back) if course.cut_short else back

"""The lift-off view: whether green is well, what happens next, which line would roll it back."""

from collections.abc import Sequence
from dataclasses import dataclass

from tminus.domain.plan import Rollout, Rung
from tminus.picture.charts import percent
from tminus.picture.course import SHIFT, Course, phase
from tminus.picture.traffic import Traffic
from tminus.picture.words import claim, length, share, span


@dataclass(frozen=True, slots=True)
class Step:
    """One rung of the ladder."""

    percent: int
    state: str
    """`done`, `at`, `next` or `todo`."""
    words: str
    requests: str
    filled: str
    """How much of its time has passed, in percent; empty where no timer runs."""


@dataclass(frozen=True, slots=True)
class Shift:
    """How the traffic is divided, and how far the shift is."""

    weight: int | None
    sub: str
    ladder: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Now:
    """The verdict of the moment."""

    sign: str
    word: str
    lead: str
    next: str


def now_of(course: Course, rollout: Rollout | None) -> Now:
    """What the launch is doing, and what it does next by itself."""
    weight, held, name = course.weight, course.held, phase(course)
    if held is not None:
        return Now("hold", "Held", f"{claim(str(held.data['text']))}.", _unheld(str(held.data["rule"])))
    if name == "landed":
        return Now(
            "go", "Landed", "All traffic is on green, and every criterion was seen.", "The record is closed."
        )
    if course.outcome:
        return Now("void", course.outcome.capitalize(), "The launch ended after GO.", "")
    at = "Green is not serving users yet." if not weight else f"Green is at {weight} %."
    return Now("go", "GO", f"{at} {_breaches(course)}", _next(course, rollout, name))


def _unheld(rule: str) -> str:
    if rule == "hold.errors":
        return "A person ends it: `tminus resume`. Evidence of harm would roll back."
    if rule == "hold.metric":
        return "It ends by itself with the first answer that passes; `tminus resume` goes on without one."
    return "It ends by itself when it can be seen again. It neither promotes nor rolls back."


def _breaches(course: Course) -> str:
    seen = course.seen
    if seen is None:
        return "The guard has not judged traffic yet."
    rows = seen.data["gauges"]["triggers"]
    breached = [str(row["trigger"]) for row in rows if row["state"] in {"breached", "fired"}]
    return f"In breach: {', '.join(breached)}." if breached else "No trigger is in breach."


def _next(course: Course, rollout: Rollout | None, name: str) -> str:
    if name == "soaking":
        return "Next: the success criteria at their milestones, then blue ends."
    if rollout is None:
        return "What comes next stands in the plan, which is not at hand."
    above = [rung.percent for rung in rollout.ladder if rung.percent > (course.weight or 0)]
    return f"Next: {above[0]} %, by itself, if all stays clear." if above else "Next: promotion, by itself."


def shift(course: Course, traffic: Traffic, rollout: Rollout | None, now: float) -> Shift:
    """The traffic bar with its three numbers, and the ladder."""
    weight = course.weight
    told = [f"set and read back {weight} %" if weight is not None else "no weight was set yet"]
    seen = course.seen
    measured = seen.data.get("share") if seen else None
    if weight and measured and measured["set"] == weight and measured["total"]:
        told.append(f"seen in requests {share(measured['green'], measured['total'])}")
    rate = traffic.rate(now)
    told.append(f"{rate:.0f} requests/s" if rate is not None and not course.outcome else "no request seen")
    if course.outcome:
        told.pop()
    rungs = rollout.ladder if rollout else ()
    return Shift(weight, ", ".join(told), tuple(_step(course, rung, rungs, now) for rung in rungs))


def _step(course: Course, rung: Rung, rungs: Sequence[Rung], now: float) -> Step:
    """One rung: done, under way with its timer, or to come."""
    key = f"{SHIFT}{rung.percent}"
    looks = [
        event
        for event in course.of("traffic.seen")
        if str(event.data["where"]).startswith(f"watch {rung.percent} % #")
    ]
    watched = sum(float(event.data["seconds"]) for event in looks)
    requests = looks[-1].data["share"]["green"] if looks and "share" in looks[-1].data else None
    told = "no request seen" if requests is None else f"{requests:,} requests on green"
    above = [other for other in rungs if other.percent > rung.percent]
    over = any(f"{SHIFT}{other.percent}" in course.steps for other in above) or "promote" in course.steps
    if key not in course.steps:
        nearest = not any(
            f"{SHIFT}{other.percent}" not in course.steps for other in rungs if other.percent < rung.percent
        )
        words = f"{length(rung.watch_seconds)}, {rung.min_requests:,} requests"
        return Step(rung.percent, "next" if nearest else "todo", words, "", "")
    if over:
        return Step(rung.percent, "done", f"held {span(watched)}", told, "")
    if not course.outcome and course.held is None:
        watched = min(rung.watch_seconds, watched + _since(course, now))
    part = percent(100 * min(1.0, watched / rung.watch_seconds))
    return Step(rung.percent, "at", f"holding {span(watched)} of {span(rung.watch_seconds)}", told, part)


def _since(course: Course, now: float) -> float:
    """Seconds since the newest event, on the launch's own clock."""
    at, _ = course.clock(now)
    return max(0.0, at - (course.events[-1].t_ms or 0) / 1000)

"""The rolled-back view: what fired, on which numbers, what it cost, what comes now."""

from collections.abc import Sequence
from dataclasses import dataclass

from tminus.domain.canonical import instant
from tminus.domain.judgement import TESTS
from tminus.picture.charts import percent
from tminus.picture.climb import Climb, climb_of
from tminus.picture.course import Course, Data, Happened
from tminus.picture.traffic import Traffic
from tminus.picture.words import UNKNOWN, claim, odds, share, short_digests, span, t_text

LISTED = 12
"""Bad answers that are listed one by one."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One of the four figures."""

    value: str
    unit: str
    text: str


@dataclass(frozen=True, slots=True)
class Fired:
    """The rule, and both sides' numbers when it fired."""

    rule: str
    text: str
    rows: tuple[tuple[str, str, str, bool], ...]
    """Name, green, blue, and whether it is what counted."""
    evidence: str
    as_of: str
    trigger: str
    timer: str
    filled: str


@dataclass(frozen=True, slots=True)
class Next:
    """One thing after the rollback."""

    sign: str
    word: str
    text: str
    why: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One bad answer on green."""

    number: int
    t: str
    status: str
    ms: str
    client: str


@dataclass(frozen=True, slots=True)
class RolledBack:
    """Everything of the view."""

    lead: str
    since: str
    facts: tuple[Fact, ...]
    climb: Climb | None
    fired: Fired
    nexts: tuple[Next, ...]
    answers: tuple[Answer, ...]
    more: int
    by_hand: tuple[str, ...]
    note: str = ""
    """What else whoever reads the lead has to know."""
    sign: str = "back"
    why: str = "What fired"
    """The title over the rule, or over the reason where no rule ended it."""


def rolled_back(course: Course, traffic: Traffic, zero: float) -> RolledBack:
    """The view of a launch whose traffic went back to blue; `zero` is the instant of T-0."""
    done = course.last("rollback.done")
    rule = str((done or course.ended or course.happened[-1]).data.get("rule", ""))
    climb = climb_of(course, traffic, rule) if done and rule in TESTS else None
    return RolledBack(
        lead=_lead(course, rule),
        since=t_text((done.t_ms or 0) / 1000) if done else UNKNOWN,
        facts=_facts(course, traffic, done),
        climb=climb,
        fired=_fired(course, traffic, rule),
        nexts=_nexts(course),
        answers=tuple(
            Answer(
                hit.number, t_text(hit.at - zero), str(hit.status or "none"), f"{hit.ms:,.0f} ms", hit.client
            )
            for hit in traffic.hits[:LISTED]
        ),
        more=max(0, traffic.bad - LISTED),
        by_hand=tuple(map(str, course.opened.get("by_hand", ()))),
    )


def _lead(course: Course, rule: str) -> str:
    proved = course.last("rollback.proved")
    unproved = "was not proven" if course.outcome else "is being proven"
    where = "Everyone is on blue." if proved else f"All traffic is set to blue; that blue serves {unproved}."
    if rule == "step.failed":
        step = course.step or "a step"
        return f"The step {step} failed. {where}"
    if rule.startswith("person."):
        return f"A person ordered it. {where}"
    if rule == "trigger.corruption":
        return f"Green damaged data, by the rule {rule}. {where}"
    return f"Green harmed users, by the rule {rule}. {where}"


def _facts(course: Course, traffic: Traffic, done: Happened | None) -> tuple[Fact, ...]:
    """What it cost: figures of the record once it has ended, of the trace until then."""
    ended = course.ended
    data: Data = ended.data if ended else {}
    if "failed" in data:
        failed, on_blue = f"{data['failed']:,}", f"{data['failed_on_blue']:,}"
        more = ""
    else:
        counts = traffic.guard.counts
        failed = f"{counts.green.failed + counts.blue.failed + counts.unserved:,}"
        on_blue, more = f"{counts.blue.failed:,}", " so far"
    took = instant(done.at) - traffic.first_bad if done and traffic.first_bad else None
    before = weight_before(course)
    return (
        Fact(failed, "", f"failed user requests{more}"),
        Fact(
            UNKNOWN if took is None else f"{took:.1f}",
            "" if took is None else "s",
            "from the first bad answer to blue",
        ),
        Fact(
            UNKNOWN if before is None else str(before), "" if before is None else "%", "on green at the time"
        ),
        Fact(on_blue, "", f"of them failed on blue{more}"),
    )


def weight_before(course: Course) -> int | None:
    """Green's share of the traffic, in percent, before it was sent back."""
    for event in reversed(course.happened):
        if event.type == "step.done" and "read_back" in event.data and "set" in event.data:
            return int(event.data["read_back"])
    return 0


def _fired(course: Course, traffic: Traffic, rule: str) -> Fired:
    done, seen = course.last("rollback.done"), course.seen
    text = str(done.data["text"]) if done else ""
    rows: tuple[tuple[str, str, str, bool], ...] = ()
    as_of = ""
    evidence = trigger = timer = filled = ""
    if seen is not None:
        gauges = seen.data["gauges"]
        rows, as_of = _rows(gauges["counts"]), str(seen.data["where"])
        test = next((row for row in gauges["tests"] if row["rule"] == rule), None)
        if test:
            evidence = f"{odds(float(test['evidence']))} to 1, limit {float(test['threshold']):,.0f} to 1"
        trigger, timer, filled = _backstop(gauges["triggers"], rule, traffic)
    words = next((t.claim for t in traffic.gauges(0.0).tests if t.rule == rule), "")
    return Fired(rule, words or short_digests(claim(text)), rows, evidence, as_of, trigger, timer, filled)


def _rows(counts: Data) -> tuple[tuple[str, str, str, bool], ...]:
    green, blue = counts["green"], counts["blue"]
    return (
        ("Requests", f"{green['requests']:,}", f"{blue['requests']:,}", False),
        ("Failed", f"{green['failed']:,}", f"{blue['failed']:,}", green["failed"] > 0),
        (
            "Error rate",
            share(green["failed"], green["requests"]),
            share(blue["failed"], blue["requests"]),
            green["failed"] > 0,
        ),
        ("Slow", f"{green['slow']:,}", f"{blue['slow']:,}", False),
    )


def _backstop(rows: Sequence[Data], rule: str, traffic: Traffic) -> tuple[str, str, str]:
    """The checklist's own trigger for the same harm, and how far its timer had come."""
    wanted = "trig.latency" if rule in {"b1", "b2"} else "trig.errors"
    row = next((row for row in rows if row["trigger"] == wanted), None)
    words = next((trigger.text for trigger in traffic.limits.triggers if trigger.id == wanted), "")
    if row is None or not row["for_seconds"] or rule not in TESTS:
        return "", "", ""
    held, lasts = float(row["breached_seconds"]), float(row["for_seconds"])
    return words, f"{span(held)} of {span(lasts)}", percent(min(100.0, 100 * held / lasts))


def _nexts(course: Course) -> tuple[Next, ...]:
    """What the record says was done, what is still to come, and what is left to people."""
    seen, proved = course.last("rollback.seen"), course.last("rollback.proved")
    stopped = next((e for e in course.of("side.stopped") if e.data["side"] == "green"), None)
    found = [
        _seen_on_blue(course, seen),
        _proof(proved) if proved else _undone(course, "Blue shown to serve what it served"),
        _stopped(course, stopped),
        Next(
            "passed" if course.sealed else "pending",
            "done" if course.sealed else "next",
            "The record is sealed",
            "`tminus verify` proves it without a network" if course.sealed else "after the launch has ended",
        ),
    ]
    if (left := course.last("rollback.data")) and left.data["decide"]:
        found.append(
            Next("pending", "now", "Decide about the data", f"{left.data['text']}; {left.data['decide']}")
        )
    if course.outcome:
        found.append(
            Next("pending", "now", "Find the cause", "a person's work; the trace keeps every request")
        )
    return tuple(found)


def _proof(proved: Happened) -> Next:
    data = proved.data
    good = data["as_before"] and data["up"] and data["schema_compatible"]
    failures = data["smoke_failures"]
    told = (
        "; ".join(map(str, failures))
        if isinstance(failures, list) and failures
        else "its smoke tests pass on the schema as it is now"
    )
    return Next(
        "passed" if good else "failed",
        "done" if good else "failed",
        "Blue serves what it served before",
        told,
    )


def _seen_on_blue(course: Course, event: Happened | None) -> Next:
    text = "Traffic seen on blue"
    if event is None:
        return _undone(course, text)
    data = event.data
    if unseen := data.get("unseen"):
        return Next("failed", "not seen", text, str(unseen))
    failed = int(data.get("failed", 0))
    why = f"{data['blue']:,} new requests on blue, {data['green']:,} on green, {failed:,} failed"
    if not data["blue"] or data["green"]:
        return Next("failed", "not seen", text, why)
    return Next("warned" if failed else "passed", "done", text, why)


def _stopped(course: Course, event: Happened | None) -> Next:
    text = "Green drained and stopped"
    if event is None:
        return _undone(course, text)
    left = event.data["sessions"]
    why = "sessions are not counted" if left is None else f"{left} sessions when it was stopped"
    return Next("passed", "done", text, why)


def _undone(course: Course, text: str) -> Next:
    """Something that has not happened: it still will, unless the launch has ended without it."""
    if course.outcome:
        return Next("unknown", "not done", text, "the launch ended without it")
    return Next("pending", "next", text, "")

"""What people may order of a launch, and what the record says of it when they do.

An order that makes sense becomes entries, recorded together; one that does not is refused with words that say where
the launch stands and what may be done instead. Who may give an order is decided elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from tminus.domain.canonical import timestamp
from tminus.domain.course import DECIDED, HELD, ORDERED, REPORTED, RESCHEDULED, RESUMED, Course
from tminus.domain.freezes import Override, Window, frozen, permit
from tminus.domain.offsets import FARTHEST
from tminus.domain.people import alike
from tminus.domain.plan import Kind, Plan
from tminus.domain.record import ENDED, Entry, Event
from tminus.domain.rollout import State
from tminus.domain.trigger import REPORTABLE
from tminus.errors import OutOfSequenceError, RefusedError

Data = dict[str, object]


class Act(StrEnum):
    """What may be ordered."""

    HOLD = "hold"
    """Stop the clock; T-0 moves by the time it stands."""
    RESUME = "resume"
    """Let the clock run again, or the shift that the guard holds."""
    RESCHEDULE = "reschedule"
    """Another T-0, and a new attempt."""
    SCRUB = "scrub"
    """Call the launch off before GO; that ends it."""
    NO_GO = "no-go"
    """Decide against this T-0, with a new one or none yet."""
    ABORT = "abort"
    """Stop after GO; traffic goes back to blue."""
    ROLLBACK = "rollback"
    """Bring all traffic back to blue."""
    REPORT = "report"
    """Say that the condition of a rollback trigger holds: it fires."""


BEFORE_GO = frozenset({State.COUNTING, State.POLLING})
"""The phases of a launch that has a date and no GO yet."""
_RUNNING = BEFORE_GO | {State.GO, State.LAUNCHING, State.SOAKING}

LONGEST_REASON = 2000
"""Characters; a reason stands in every later refusal too."""

MAY: Mapping[Act, frozenset[State]] = {
    Act.HOLD: _RUNNING,
    Act.RESUME: _RUNNING,
    Act.RESCHEDULE: BEFORE_GO | {State.POSTPONED},
    Act.SCRUB: BEFORE_GO | {State.POSTPONED},
    Act.NO_GO: BEFORE_GO,
    Act.ABORT: frozenset({State.GO, State.LAUNCHING, State.SOAKING}),
    Act.ROLLBACK: frozenset({State.LAUNCHING, State.SOAKING}),
    Act.REPORT: frozenset({State.LAUNCHING, State.SOAKING}),
}
"""In which phases each act makes sense."""


class Category(StrEnum):
    """What kept a launch from going."""

    READINESS = "readiness"
    """Lines that are not green."""
    RELEASE = "release"
    """The release itself: a defect was found."""
    ENVIRONMENT = "environment"
    """An incident, a freeze, a vendor's trouble."""
    PEOPLE = "people"
    """Somebody who is needed is not there."""
    BUSINESS = "business"
    """Another time is better."""


@dataclass(frozen=True, slots=True)
class Order:
    """One person's order to one launch."""

    id: str
    """Unique: the same order delivered twice is one."""
    act: Act
    by: str
    reason: str
    category: Category | None = None
    """For NO-GO."""
    new_t0: float | None = None
    """For reschedule and NO-GO: seconds of the epoch."""
    unscheduled: bool = False
    """For NO-GO: there is no new date yet, said in so many words."""
    trigger: str = ""
    """For report: the trigger's id."""
    override: Override | None = None
    """A second person's word where T-0 would lie in a freeze."""


def may(course: Course) -> tuple[Act, ...]:
    """What may be ordered now, in the order in which people would think of it."""
    return tuple(act for act in Act if not _wrong(act, course))


def taken(events: Iterable[Event], order: Order) -> bool:
    """Whether the record holds this very order already: a step that runs again does nothing more."""
    return any(event.data.get("id") == order.id for event in events)


def ordered(course: Course, order: Order, now: float, plan: Plan) -> tuple[Entry, ...]:
    """The entries that this order makes at `now` (seconds of the epoch), to be recorded in one transaction.

    To a `decision.made` the caller adds `role`, `simulated` and the signed `envelope`. Raises `OutOfSequenceError`
    where the launch does not stand so that the act makes sense, `RefusedError` where the order itself lacks something
    or T-0 would lie in a freeze.
    """
    if wrong := _wrong(order.act, course):
        raise OutOfSequenceError(wrong, hint=_instead(course))
    _complete(order)
    return tuple(_entry(course, order, now, one) for one in _ACTS[order.act](course, order, now, plan))


def stands(course: Course) -> str:
    """Where the launch stands, as a sentence goes on after `the launch`: `is counting, held by Lena Ortiz`."""
    if course.over:
        return f"has ended: {course.phase}"
    words = f"is {course.phase}"
    if course.leaving:
        return f"{words}, on its way to be {course.leaving}"
    if course.held:
        return f"{words}, held by {course.held.by} since {timestamp(course.held.since)}: {course.held.reason}"
    return words


def _wrong(act: Act, course: Course) -> str:
    """Why an act makes no sense now; empty when it does."""
    if course.over or course.leaving or course.phase not in MAY[act]:
        return f"{act} makes no sense now: the launch {stands(course)}"
    if act is Act.HOLD and course.held:
        return f"the clock stands already: the launch {stands(course)}"
    if act is Act.RESUME and not (course.held or course.guard):
        return f"nothing is held: the launch {stands(course)} and its clock runs"
    return ""


def _instead(course: Course) -> str:
    if course.over:
        return "open a new launch"
    if course.leaving:
        return "wait for its end; it cannot be turned back"
    return f"what may be ordered now: {', '.join(may(course))}"


def _complete(order: Order) -> None:
    """Raise `RefusedError` unless the order says all that its act needs, and no more."""
    lacking = [
        word
        for word, there in (
            ("an id", order.id.strip()),
            ("a person", alike(order.by)),
            ("a reason", any(sign.isprintable() and not sign.isspace() for sign in order.reason)),
            ("a category", order.category or order.act is not Act.NO_GO),
            ("a trigger", order.trigger or order.act is not Act.REPORT),
            ("a new T-0", order.new_t0 is not None or order.act is not Act.RESCHEDULE),
            (
                "a new T-0, or the word that there is none yet",
                (order.new_t0 is not None) is not order.unscheduled or order.act is not Act.NO_GO,
            ),
        )
        if not there
    ]
    if lacking:
        raise RefusedError(f"{order.act} needs {lacking[0]}", hint="order it again, and say so")
    if len(order.reason) > LONGEST_REASON or not _is_text(order.reason):
        what = "is no text" if not _is_text(order.reason) else f"has more than {LONGEST_REASON} characters"
        raise RefusedError(f"the reason {what}", hint="say it in a few words; they stand in the record")
    if order.new_t0 is not None and order.act not in {Act.RESCHEDULE, Act.NO_GO}:
        raise RefusedError(f"{order.act} takes no new T-0", hint=f"to move T-0, order {Act.RESCHEDULE}")


def _is_text(words: str) -> bool:
    """Whether no byte stands in it that the terminal could not read as text."""
    return not any("\ud800" <= sign <= "\udfff" for sign in words)


@dataclass(frozen=True, slots=True)
class _Made:
    type: str
    key: str
    data: Data


def _entry(course: Course, order: Order, now: float, made: _Made) -> Entry:
    t = course.clock(now)
    data = {"id": order.id, "by": order.by, "reason": order.reason, **made.data}
    return Entry(made.type, made.key, data, timestamp(now), None if t is None else round(t * 1000))


def _hold(course: Course, order: Order, now: float, plan: Plan) -> list[_Made]:
    return [_Made(HELD, f"order:{order.id}", {"since": timestamp(now), "tell": _tell(course, plan)})]


def _resume(course: Course, order: Order, now: float, plan: Plan) -> list[_Made]:
    """The clock first; where it runs, the shift that the guard holds."""
    if course.held is None or course.t0 is None:
        text = f"{order.by} ordered resume: {order.reason}"
        return [_Made(ORDERED, f"order:{order.id}", {"order": "resume", "text": text})]
    stood = max(0.0, now - course.held.since)
    t0 = course.t0 + stood
    data: Data = {
        "since": timestamp(course.held.since),
        "stood_ms": round(stood * 1000),
        "from": timestamp(course.t0),
        "t0": timestamp(t0),
        "sequence": course.sequence + (timestamp(t0) != timestamp(course.t0)),
        "tell": _tell(course, plan),
    }
    if course.phase in BEFORE_GO | {State.GO}:
        data |= _permitted(frozen(plan.freezes, t0), order, plan)
    return [_Made(RESUMED, f"order:{order.id}", data)]


def _reschedule(course: Course, order: Order, now: float, plan: Plan) -> list[_Made]:
    assert order.new_t0 is not None  # noqa: S101 - _complete() saw to it
    t0 = order.new_t0
    if not now < t0 <= now + FARTHEST:
        away = "is past" if t0 <= now else "is more than ten years away"
        raise RefusedError(f"the new T-0 {away}", hint="name a T-0 that is still to come")
    if timestamp(t0) == timestamp(course.t0 or 0.0) and course.held is None:
        raise RefusedError(f"T-0 is {timestamp(t0)} already", hint="name another T-0")
    data: Data = {
        "schedule": {"t0": timestamp(t0), "speed": course.speed},
        "from": None if course.t0 is None else timestamp(course.t0),
        "attempt": course.attempt + 1,
        "sequence": course.sequence + 1,
        "void": _void(course, plan),
        "tell": _tell(course, plan),
        **_permitted(frozen(plan.freezes, t0), order, plan),
    }
    return [_Made(RESCHEDULED, f"order:{order.id}:date", data)]


def _no_go(course: Course, order: Order, now: float, plan: Plan) -> list[_Made]:
    data: Data = {
        "decision": "no-go",
        "category": order.category,
        "new_t0": None if order.new_t0 is None else timestamp(order.new_t0),
        "tell": _tell(course, plan),
    }
    decision = _Made(DECIDED, f"order:{order.id}", data)
    if order.new_t0 is None:
        return [decision]
    # The decision takes the old date out of calendars, and the new one enters it.
    return [decision, *_reschedule(replace(course, sequence=course.sequence + 1), order, now, plan)]


def _scrub(course: Course, order: Order, now: float, plan: Plan) -> list[_Made]:
    del order, now
    return [_Made(ENDED, "ended", {"outcome": State.SCRUBBED.value, "tell": _tell(course, plan)})]


def _back(course: Course, order: Order, now: float, plan: Plan) -> list[_Made]:
    del now
    text = f"{order.by} ordered {order.act}: {order.reason}"
    data: Data = {"order": order.act.value, "text": text, "tell": _tell(course, plan)}
    return [_Made(ORDERED, f"order:{order.id}", data)]


def _report(course: Course, order: Order, now: float, plan: Plan) -> list[_Made]:
    del course, now
    declared = {str(trigger["id"]): str(trigger["text"]) for trigger in plan.triggers}
    if order.trigger not in REPORTABLE or order.trigger not in declared:
        why = "is counted, not reported" if order.trigger in declared else "is no trigger of this plan"
        known = ", ".join(sorted(REPORTABLE & declared.keys())) or "none"
        raise RefusedError(
            f"{order.trigger} {why}", hint=f"what may be reported: {known}; or order {Act.ROLLBACK}"
        )
    text = f"{order.by} reported: {order.reason}"
    data: Data = {"order": Act.REPORT.value, "trigger": order.trigger, "text": text}
    return [_Made(REPORTED, f"order:{order.id}", data)]


_ACTS = {
    Act.HOLD: _hold,
    Act.RESUME: _resume,
    Act.RESCHEDULE: _reschedule,
    Act.SCRUB: _scrub,
    Act.NO_GO: _no_go,
    Act.ABORT: _back,
    Act.ROLLBACK: _back,
    Act.REPORT: _report,
}


def _permitted(window: Window | None, order: Order, plan: Plan) -> Data:
    """What the record says of a freeze that was overridden; nothing where T-0 is free."""
    permit(window, order.override, order.by)
    if window is None or order.override is None:
        return {}
    known = {alike(role.person): role.person for role in plan.roles}
    if alike(order.override.by) not in known:
        others = ", ".join(name for key, name in known.items() if key != alike(order.by))
        raise RefusedError(f"{order.override.by} is nobody of this plan", hint=f"who could: {others}")
    return {"freeze": window.name, "override": order.override.data()}


def _void(course: Course, plan: Plan) -> Data:
    """What was said for the old T-0 and does not hold for the new one."""
    words = {check.id for check in plan.checks if check.kind is Kind.PERSON and check.fresh.kind == "launch"}
    return {
        "poll": course.polled,
        "signoffs": sorted(course.signed),
        "gates": sorted(course.judged),
        "attestations": sorted(words & course.attested),
        "notices": sorted(course.raised),
    }


def _tell(course: Course, plan: Plan) -> list[str]:
    """The roles that know the old time: those of the plan, and whoever was told by a notice."""
    return sorted({role.id for role in plan.roles} | course.audience)

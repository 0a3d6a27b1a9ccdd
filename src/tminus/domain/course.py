"""Where a launch stands: a fold over its record.

Whoever wants to know reads the events again and folds them; nothing else remembers it. An attempt is the time between
two dates: a launch that is rescheduled begins a new one, and what was said for the old date is void.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from tminus.domain import fields
from tminus.domain.canonical import instant
from tminus.domain.evidence import Source, Verdict
from tminus.domain.record import ENDED, OPENED, Event
from tminus.domain.rollout import ENDS, MOVES, State
from tminus.errors import RecordError

HELD = "clock.held"
"""A person stopped the clock of the launch; not `GUARDED`, which keeps the rollout where it is."""
RESUMED = "clock.resumed"
"""The clock runs again; T-0 has moved by the time it stood."""
RESCHEDULED = "launch.rescheduled"
"""A new date and a new attempt."""
DECIDED = "decision.made"
"""GO or NO-GO."""
PROPOSED = "decision.proposed"
"""No GO by T-0, or it has expired: NO-GO with its reasons, signed by nobody; the launch waits for a date."""
RAISED = "notice.raised"
"""A role is to be told that lines wait for it."""
TOLD = "notice.told"
"""A system took a message to the people who hold these roles; in older records also what `RAISED` says."""
UNDELIVERED = "notice.undelivered"
"""A system did not take a message; it is tried again, unless that has no sense any more."""
UNADDRESSED = "notice.unaddressed"
"""Roles to which no message can be sent: once for each person who holds one."""
ORDERED = "order.taken"
"""A person's order to a launch after GO: resume the shift, abort, roll back."""
REPORTED = "trigger.reported"
"""A person's word that the condition of a rollback trigger holds; the guard takes it as if it had seen it."""

GUARDED = "launch.held"
"""The rollout goes no further by itself: the guard, or launch control, says by which rule and why."""
UNPROVEN = "hold.record"
"""The rule by which a launch is held whose record does not prove its GO; only a person lets it go on."""

STUCK = "rollback.stuck"
"""The rule of the call for people while a rollback fails again and again; `by_hand` in its event is what to type."""

_HINT = "the record was not written by tminus, or was altered"


@dataclass(frozen=True, slots=True)
class Hold:
    """The clock stands, by a person's word."""

    since: float
    """Seconds of the epoch."""
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Course:
    """Where one launch stands, what its present attempt has come to, and who was told."""

    phase: State
    t0: float | None
    """T-0 in seconds of the epoch, finished holds added; none while there is no date."""
    planned: float | None
    """T-0 as it was announced for this attempt."""
    speed: float
    """How many seconds of waiting pass in one real second."""
    began: float
    """When this attempt began, in seconds of the epoch."""
    attempt: int = 1
    """Counted from 1; each new date is a new attempt."""
    sequence: int = 0
    """The calendar's count of changes: one more whenever T-0 moves or is given up."""
    held: Hold | None = None
    holds: int = 0
    """How often people stopped the clock so far."""
    guard: str = ""
    """Why the guard keeps the shift where it is; empty while it does not."""
    unproven: bool = False
    """Whether it is held by `UNPROVEN`: nobody has ordered it to resume since."""
    leaving: State | None = None
    """The end that the launch is on its way to, after an order or a rule that cannot be taken back."""
    polled: bool = False
    """Whether a poll is open, or was, in this attempt."""
    decided: float | None = None
    """When GO was decided for this date, in seconds of the epoch; none while it was not."""
    reached: frozenset[str] = frozenset()
    """The milestones of this attempt that were reached, as `offsets.clock` writes them."""
    judged: frozenset[str] = frozenset()
    """The milestones of this attempt whose gate was judged."""
    signed: Mapping[str, str] = field(default_factory=dict, hash=False)
    """By role: what it said in the open poll."""
    attested: frozenset[str] = frozenset()
    """The lines that stand on a person's word of this attempt."""
    acknowledged: Mapping[str, str] = field(default_factory=dict, hash=False)
    """By line: the fingerprint of its warned claim that somebody has acknowledged; another one voids it."""
    voids: Mapping[str, int] = field(default_factory=dict, hash=False)
    """By role and by line: how often their sign-off or acknowledgement was voided in this attempt."""
    raised: frozenset[str] = frozenset()
    """The notices of this attempt that were raised, as `notice_name` writes them."""
    audience: frozenset[str] = frozenset()
    """The roles that were ever told something of this launch."""
    seq: int = field(default=0, compare=False)
    """Of the last event of its record, whatever that was about."""

    @property
    def over(self) -> bool:
        """Whether the launch has ended."""
        return self.phase in ENDS

    def clock(self, now: float) -> float | None:
        """Seconds from T-0 at `now` (seconds of the epoch), standing while held; none while there is no date.

        Where waits are shortened, `now` here and in all that takes a course is the instant that the launch clock shows.
        """
        if self.t0 is None:
            return None
        return (min(now, self.held.since) if self.held else now) - self.t0

    def key(self, name: str) -> str:
        """A key of the record for what happens once in each attempt, such as `milestone:T-02:00:00`."""
        return of_attempt(name, self.attempt)


def notice_name(kind: str, to: str, check: str, voided: int) -> str:
    """What a notice is known by: its kind, role and line, and how often what it asks for was voided before."""
    return f"{kind}:{to}:{check}{f'~{voided}' if voided else ''}"


def of_attempt(name: str, attempt: int) -> str:
    """What happens once for each date of a launch, named for one of them: `poll` for the first, then `poll#2`."""
    return name if attempt == 1 else f"{name}#{attempt}"


def course_of(events: Iterable[Event]) -> Course:
    """Where the launch with these events stands.

    Raises `RecordError` for a record that does not open, and for events that contradict each other.
    """
    course: Course | None = None
    seq = 0
    for event in events:
        course, seq = follow(course, event), event.seq
    if course is None:
        raise RecordError("the record is empty: no launch stands anywhere", hint=_HINT)
    return replace(course, seq=seq)


def follow(course: Course | None, event: Event) -> Course:
    """Where the launch stands after one more event; of no course before the first."""
    if course is None:
        return _opened(event)
    fold = _FOLDS.get(event.type)
    if fold is None:
        return course
    try:
        return fold(course, event)
    except RecordError as error:
        raise RecordError(f"line {event.line} ({event.type}): {error}", hint=error.hint) from error


def void_lines(data: Mapping[str, object]) -> list[str]:
    """The lines whose claims a `launch.rescheduled` voids: a person's word for the old date; raises `RecordError`."""
    return fields.texts(fields.table(data, "void"), "attestations") if "void" in data else []


def _opened(event: Event) -> Course:
    if event.type != OPENED:
        raise RecordError(f"line {event.line}: the record does not begin with {OPENED}", hint=_HINT)
    schedule = fields.table(event.data, "schedule")
    t0 = instant(fields.text(schedule, "t0"))
    speed = schedule.get("speed", 1)
    if not isinstance(speed, int | float) or isinstance(speed, bool) or speed <= 0:
        raise RecordError(f"line {event.line}: `speed` must be above 0, not {speed!r}", hint=_HINT)
    return Course(State.COUNTING, t0, t0, float(speed), instant(event.at))


def _moved(course: Course, phase: State) -> Course:
    """The course in this phase; raises `RecordError` where no move leads there."""
    if phase is course.phase:
        return course
    if phase not in MOVES.get(course.phase, frozenset()):
        raise RecordError(f"a launch that is {course.phase} cannot be {phase} next", hint=_HINT)
    return replace(course, phase=phase)


def _held(course: Course, event: Event) -> Course:
    if course.held or course.t0 is None or course.over:
        raise RecordError("the clock does not run, so nobody can stop it", hint=_HINT)
    data = event.data
    hold = Hold(instant(fields.text(data, "since")), fields.text(data, "by"), fields.text(data, "reason"))
    return replace(course, held=hold, holds=course.holds + 1)


def _resumed(course: Course, event: Event) -> Course:
    if course.held is None or course.t0 is None:
        raise RecordError("the clock was not held", hint=_HINT)
    t0 = instant(fields.text(event.data, "t0"))
    if t0 < course.t0:
        raise RecordError("a hold cannot bring T-0 forward", hint=_HINT)
    return replace(course, held=None, t0=t0, sequence=course.sequence + (t0 != course.t0))


def _rescheduled(course: Course, event: Event) -> Course:
    t0 = instant(fields.text(fields.table(event.data, "schedule"), "t0"))
    course = _moved(course, State.COUNTING)
    return Course(
        State.COUNTING,
        t0,
        t0,
        course.speed,
        instant(event.at),
        attempt=course.attempt + 1,
        sequence=course.sequence + 1,
        holds=course.holds,
        audience=course.audience,
    )


def _polled(course: Course, _: Event) -> Course:
    return replace(_moved(course, State.POLLING), polled=True, signed={})


def _signed(course: Course, event: Event) -> Course:
    words = {**course.signed, fields.text(event.data, "role"): fields.text(event.data, "decision")}
    return replace(course, signed=words)


def _voided(course: Course, event: Event) -> Course:
    gone = fields.text(event.data, "role")
    signed = {role: word for role, word in course.signed.items() if role != gone}
    return replace(course, signed=signed, voids={**course.voids, gone: course.voids.get(gone, 0) + 1})


def _decided(course: Course, event: Event) -> Course:
    if fields.text(event.data, "decision") == "go":
        return replace(_moved(course, State.GO), decided=instant(event.at))
    return _postponed(course, event)


def _postponed(course: Course, event: Event) -> Course:
    del event
    moved = _moved(course, State.POSTPONED)
    return replace(moved, t0=None, planned=None, held=None, decided=None, sequence=course.sequence + 1)


def _reached(course: Course, event: Event) -> Course:
    return replace(course, reached=course.reached | {fields.text(event.data, "milestone")})


def _judged(course: Course, event: Event) -> Course:
    return replace(course, judged=course.judged | {fields.text(event.data, "milestone")})


_SAID = frozenset(verdict.value for verdict in Verdict if verdict.known)


def _observed(course: Course, event: Event) -> Course:
    check = fields.text(event.data, "check")
    # That nobody has spoken yet is no word of theirs.
    spoken = event.type == "check.attested" or event.data.get("verdict") in _SAID
    said = spoken and fields.text(event.data, "source") in {Source.PERSON, Source.SIMULATED}
    seen = course.acknowledged.get(check)
    if seen is not None and seen != event.data.get("fingerprint"):
        left = {name: other for name, other in course.acknowledged.items() if name != check}
        again = course.voids.get(check, 0) + 1
        course = replace(course, acknowledged=left, voids={**course.voids, check: again})
    return replace(course, attested=course.attested | {check} if said else course.attested - {check})


def _attested(course: Course, event: Event) -> Course:
    course = _observed(course, event)
    harm = event.data.get("harm") is True and course.phase in {State.LAUNCHING, State.SOAKING}
    return replace(course, leaving=course.leaving or State.ROLLED_BACK) if harm else course


def _acknowledged(course: Course, event: Event) -> Course:
    check, seen = fields.text(event.data, "check"), fields.text(event.data, "fingerprint")
    return replace(course, acknowledged={**course.acknowledged, check: seen})


def _raised(course: Course, event: Event) -> Course:
    kind, to = fields.text(event.data, "notice"), fields.text(event.data, "to")
    voided = fields.number(event.data, "voided") if "voided" in event.data else 0
    raised = {notice_name(kind, to, check, voided) for check in fields.texts(event.data, "checks")}
    return replace(course, raised=course.raised | raised)


def _told(course: Course, event: Event) -> Course:
    if "roles" not in event.data:  # as it was written when raising a notice was all there was
        course = _raised(course, event)
        return replace(course, audience=course.audience | {fields.text(event.data, "to")})
    return replace(course, audience=course.audience | set(fields.texts(event.data, "roles")))


def _stepped(course: Course, event: Event) -> Course:
    if course.phase not in {State.LAUNCHING, State.SOAKING}:
        course = _moved(course, State.LAUNCHING)
    if event.type == "step.done":
        promoted = event.data.get("step") == "promote"
        guard = course.guard if course.unproven else ""
        course = replace(_moved(course, State.SOAKING) if promoted else course, guard=guard)
    return course


def _guarded(course: Course, event: Event) -> Course:
    unproven = course.unproven or event.data.get("rule") == UNPROVEN
    return replace(course, guard=fields.text(event.data, "text"), unproven=unproven)


def _seen(course: Course, event: Event) -> Course:
    """A slice of watching: the guard goes on, holds, or has seen enough to roll back."""
    action = event.data.get("action")
    if action == "rollback":
        return replace(course, leaving=course.leaving or State.ROLLED_BACK)
    # What the guard sees proves nothing about the record.
    goes_on = action == "continue" and not course.unproven
    return replace(course, guard="" if goes_on else course.guard)


def _taken(course: Course, event: Event) -> Course:
    order = fields.text(event.data, "order")
    if order == "resume":
        return replace(course, guard="", unproven=False)
    return replace(course, leaving=State.ABORTED if order == "abort" else State.ROLLED_BACK)


def _rolled_back(course: Course, event: Event) -> Course:
    del event
    return replace(course, leaving=course.leaving or State.ROLLED_BACK)


def _ended(course: Course, event: Event) -> Course:
    outcome = fields.text(event.data, "outcome")
    if outcome not in ENDS:
        raise RecordError(f"{outcome!r} is no end of a launch", hint=_HINT)
    moved = _moved(course, State(outcome))
    # Who has the date in a calendar has to take it out.
    gone = outcome in {State.SCRUBBED, State.NO_GO}
    return replace(moved, held=None, guard="", unproven=False, leaving=None, sequence=course.sequence + gone)


_FOLDS: Mapping[str, Callable[[Course, Event], Course]] = {
    HELD: _held,
    RESUMED: _resumed,
    RESCHEDULED: _rescheduled,
    "poll.opened": _polled,
    "signoff.given": _signed,
    "signoff.voided": _voided,
    DECIDED: _decided,
    PROPOSED: _postponed,
    "milestone.reached": _reached,
    "gate.judged": _judged,
    "check.observed": _observed,
    "check.attested": _attested,
    "warning.acknowledged": _acknowledged,
    RAISED: _raised,
    TOLD: _told,
    "step.started": _stepped,
    "step.done": _stepped,
    GUARDED: _guarded,
    "traffic.seen": _seen,
    ORDERED: _taken,
    "rollback.done": _rolled_back,
    ENDED: _ended,
}

MOVING = frozenset(_FOLDS) - {
    "check.observed",
    "check.attested",
    "warning.acknowledged",
    "signoff.given",
    "signoff.voided",
    "gate.judged",
    GUARDED,
    "traffic.seen",
    RAISED,
    TOLD,
}
"""The events that say where a launch is and what it has reached; a record holds many more, of lines and people."""

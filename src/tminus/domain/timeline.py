"""The timeline of a launch: its clock, its milestones and what they wait for, and when anything is due next."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tminus.domain.cadence import next_look
from tminus.domain.course import Course
from tminus.domain.decision import GREEN, standing
from tminus.domain.evidence import Claim
from tminus.domain.notices import next_notice
from tminus.domain.offsets import clock
from tminus.domain.orders import BEFORE_GO
from tminus.domain.plan import Check, Kind, Plan
from tminus.domain.rollout import State
from tminus.errors import OutOfSequenceError


@dataclass(slots=True)
class LaunchClock:
    """Maps real seconds to seconds from T-0, with waits shortened by `speed`.

    Only waits are shortened: while work is done, a guard watches or a person thinks, the launch clock runs like any
    other. While people hold it, it stands.
    """

    t0: float | None
    """T-0 in seconds of the epoch, finished holds added and before any shortening; none while there is no date."""
    speed: float
    """How many seconds of waiting pass in one real second; 1 is real time."""
    ahead: float = 0.0
    """Seconds of waiting already skipped; a wait that was finished adds to it."""
    stands: float | None = None
    """Since when people hold it, in seconds of the epoch; none while it runs."""

    @property
    def dated(self) -> bool:
        """Whether there is a T-0 to count from."""
        return self.t0 is not None

    def read(self, now: float) -> float:
        """The launch clock at a real instant, in seconds from T-0; raises `OutOfSequenceError` without a T-0."""
        if self.t0 is None:
            raise OutOfSequenceError(
                "the launch has no T-0 to count from", hint="give it one: `tminus reschedule`"
            )
        return self.running(now) + self.ahead - self.t0

    def running(self, now: float) -> float:
        """The instant up to which the clock has run: now, or since when it stands."""
        return now if self.stands is None else min(now, self.stands)

    def wait(self, now: float, until: float) -> float:
        """How many real seconds to wait for the launch clock to read `until`."""
        return max(0.0, until - self.read(now)) / self.speed

    def skipped(self, now: float, until: float) -> float:
        """`ahead` as it must be for the launch clock to read `until` at this real instant, never less than now."""
        return self.ahead + max(0.0, until - self.read(now))

    def shortened(self, since: float, until: float, now: float) -> float:
        """`ahead` after a wait from `since` to this real instant, which ends where the clock reads `until`."""
        passed = max(0.0, self.running(now) - since)
        return min(self.ahead + passed * (self.speed - 1), self.skipped(now, until))


@dataclass(frozen=True, slots=True)
class Waiting:
    """One line that a milestone waits for."""

    check: str
    text: str
    owner: str
    """The role that answers for it, or that signs."""
    person: str
    """Who holds that role; empty while nobody does."""
    standing: str
    """How it stands: `pending`, `failed`, `unknown`, `stale`, or a signer's `no-go`."""


@dataclass(frozen=True, slots=True)
class Milestone:
    """One milestone of a launch as it stands."""

    offset: float
    """Seconds from T-0."""
    name: str
    """As `offsets.clock` writes it."""
    at: float | None
    """Its instant in seconds of the epoch, moved by a hold as far as it has lasted; none while there is no T-0."""
    reached: bool
    lines: int
    """How many lines are due at it."""
    waiting: tuple[Waiting, ...]
    """Those that are not green."""


def milestones(plan: Plan, course: Course, claims: Mapping[str, Claim], now: float) -> tuple[Milestone, ...]:
    """Every milestone of the plan at `now` (seconds of the epoch), in order, with what each waits for."""
    moved = now - course.held.since if course.held else 0.0
    found = []
    for offset in plan.milestones:
        checks = [check for check in plan.checks if check.due == offset and check.kind is not Kind.STEP]
        waiting = (_waiting(plan, course, check, claims.get(check.id), now) for check in checks)
        found.append(
            Milestone(
                offset,
                clock(offset),
                None if course.t0 is None else course.t0 + offset + max(0.0, moved),
                clock(offset) in course.reached,
                len(checks),
                tuple(line for line in waiting if line is not None),
            )
        )
    return tuple(found)


def poll_expires(plan: Plan) -> float:
    """The offset after which no decision may be made of this poll any more."""
    return plan.decision_seconds


def next_wake(
    plan: Plan, course: Course, claims: Mapping[str, Claim], now: float, *, again: bool = True
) -> float | None:
    """The next instant at which anything is due, never before `now` (seconds of the epoch); none when nothing is.

    That is a milestone, a notice, a look at a line, the opening of the poll, T-0, or the end of the decision's time.
    While the clock is held only looks fall due; between GO and the shift the launch's own steps need no waking.
    Without `again` only first looks count.
    """
    if course.t0 is None or course.over or course.leaving:
        return None
    instants = [
        at
        for check in plan.checks
        if (again or check.id not in claims)
        and (at := next_look(plan, course, check, claims.get(check.id), now))
    ]
    if (told := next_notice(plan, course, claims, now)) is not None:
        instants.append(told)
    if not course.held:
        instants += (course.t0 + offset for offset in _stops(plan, course, now - course.t0))
    return max(now, min(instants)) if instants else None


def in_attempt(course: Course, claims: Mapping[str, Claim]) -> dict[str, Claim]:
    """Claims as the present attempt sees them: what was observed before it lies farther from its T-0.

    An act that had to lie within two hours of the old date does not lie within two hours of the new one.
    """
    if course.t0 is None:
        return dict(claims)
    return {
        name: replace(claim, t=claim.at - course.t0) if claim.at < course.began else claim
        for name, claim in claims.items()
    }


def _waiting(plan: Plan, course: Course, check: Check, claim: Claim | None, now: float) -> Waiting | None:
    if check.kind is Kind.SIGNATURE:
        word = course.signed.get(check.note, "pending")
        person = next((role.person for role in plan.roles if role.id == check.note), "")
        return None if word == "go" else Waiting(check.id, check.text, check.note, person, word)
    stands = standing(check, claim, now)
    if stands in GREEN:
        return None
    return Waiting(check.id, check.text, check.owner, check.person, stands)


def _stops(plan: Plan, course: Course, t: float) -> Iterator[float]:
    """The offsets at which the launch itself has something to do."""
    if course.phase in BEFORE_GO:
        yield from (at for at in plan.milestones if at < 0 and clock(at) not in course.reached)
        yield poll_expires(plan)
        if course.phase is State.COUNTING:
            yield plan.poll_opens
        if t < 0:
            yield 0.0
    elif course.phase in {State.LAUNCHING, State.SOAKING}:
        yield from (at for at in plan.milestones if at > 0 and clock(at) not in course.reached)

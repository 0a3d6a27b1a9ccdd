"""Any orders in any sequence: what is legal is taken, what is not is refused, and the record says where it stands.

The machine keeps the launch's state in variables of its own, by rules that are written anew here.
"""

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, T0, Launched
else:
    from courses import HOUR, T0, Launched

from tminus.domain.freezes import Override
from tminus.domain.orders import Act, Category, may
from tminus.errors import OutOfSequenceError, RefusedError

BEFORE_GO = ("counting", "polling")
RUNNING = (*BEFORE_GO, "go", "launching", "soaking")
FROZEN = (T0 + 10 * HOUR, T0 + 20 * HOUR)
DATES = st.one_of(
    st.integers(-30 * 3600, 60 * 3600).map(lambda seconds: T0 + seconds),
    st.sampled_from([*FROZEN, FROZEN[0] - 1, FROZEN[1] - 1]),
)
SECOND = st.sampled_from([None, Override("Dario Voss", "a security fix"), Override("lena ORTIZ", "mine")])


def in_freeze(t0: float) -> bool:
    return FROZEN[0] <= t0 < FROZEN[1]


class Courses(RuleBasedStateMachine):
    """One launch, and what it must be."""

    def __init__(self) -> None:
        super().__init__()
        self.launch = Launched()
        self.phase = "counting"
        self.t0: float | None = T0
        self.planned: float | None = T0
        self.since: float | None = None
        self.guard = False
        self.leaving = ""
        self.attempt, self.sequence, self.voided = 1, 0, 0
        self.signed = False

    def give(self, act: Act, *, legal: bool, whole: bool = True, **more: Any) -> bool:
        """Whether an order was taken, which must be so exactly when it is legal and lacks nothing."""
        before = len(self.launch.events)
        assert (act in may(self.launch.course)) is legal
        if legal and whole:
            self.launch.order(act, **more)
            return True
        with pytest.raises(RefusedError) as refused:
            self.launch.order(act, **more)
        assert isinstance(refused.value, OutOfSequenceError) is not legal
        assert refused.value.hint
        assert len(self.launch.events) == before
        return False

    def free(self, *phases: str) -> bool:
        """Whether the launch is in one of these phases and not on its way out of them."""
        return self.phase in phases and not self.leaving

    def permitted(self, t0: float, override: Override | None) -> bool:
        return not in_freeze(t0) or (override is not None and override.by == "Dario Voss")

    def dated(self, t0: float) -> None:
        self.phase, self.t0, self.planned, self.since = "counting", t0, t0, None
        self.attempt, self.sequence, self.signed = self.attempt + 1, self.sequence + 1, False

    @rule(seconds=st.sampled_from([0, 1, 59, 3600, 30000, 86400]))
    def time_passes(self, seconds: int) -> None:
        self.launch.now += seconds

    @rule()
    def hold(self) -> None:
        if self.give(Act.HOLD, legal=self.free(*RUNNING) and self.since is None):
            self.since = self.launch.now

    @rule(override=SECOND)
    def resume(self, override: Override | None) -> None:
        held = self.since is not None
        legal = self.free(*RUNNING) and (held or self.guard)
        t0 = (self.t0 or 0.0) + (self.launch.now - self.since if self.since is not None else 0.0)
        whole = not (held and self.phase in BEFORE_GO) or self.permitted(t0, override)
        if self.give(Act.RESUME, legal=legal, whole=whole, override=override):
            if held:
                self.sequence += t0 != self.t0
                self.t0, self.since = t0, None
            else:
                self.guard = False

    @rule(t0=DATES, override=SECOND)
    def reschedule(self, t0: float, override: Override | None) -> None:
        whole = t0 > self.launch.now and self.permitted(t0, override)
        whole = whole and (t0 != self.t0 or self.since is not None)
        legal = self.free(*BEFORE_GO, "postponed")
        if self.give(Act.RESCHEDULE, legal=legal, whole=whole, new_t0=t0, override=override):
            data = self.launch.events[-1].data
            assert data["attempt"] == self.attempt + 1
            assert data["sequence"] == self.sequence + 1
            assert isinstance(data["void"], dict)
            assert data["void"]["signoffs"] == (["devops"] if self.signed else [])
            self.dated(t0)

    @rule(t0=st.none() | DATES)
    def no_go(self, t0: float | None) -> None:
        whole = t0 is None or (t0 > self.launch.now and not in_freeze(t0))
        whole = whole and (t0 is None or t0 != self.t0 or self.since is not None)
        more = {"category": Category.RELEASE, "unscheduled": t0 is None, "new_t0": t0}
        if self.give(Act.NO_GO, legal=self.free(*BEFORE_GO), whole=whole, **more):
            self.phase, self.t0, self.planned, self.since = "postponed", None, None, None
            self.sequence += 1
            if t0 is not None:
                assert self.launch.events[-1].data["sequence"] == self.sequence + 1
                self.dated(t0)

    @rule()
    def scrub(self) -> None:
        if self.give(Act.SCRUB, legal=self.free(*BEFORE_GO, "postponed")):
            self.phase, self.since, self.sequence = "scrubbed", None, self.sequence + 1

    @rule()
    def abort(self) -> None:
        if self.give(Act.ABORT, legal=self.free("go", "launching", "soaking")):
            self.leaving = "aborted"

    @rule()
    def roll_back(self) -> None:
        if self.give(Act.ROLLBACK, legal=self.free("launching", "soaking")):
            self.leaving = "rolled-back"

    @precondition(lambda self: self.phase in BEFORE_GO)
    @rule()
    def the_poll_opens(self) -> None:
        self.launch.add("poll.opened")
        self.launch.add("signoff.given", role="devops", decision="go")
        self.phase, self.signed = "polling", True

    @precondition(lambda self: self.phase in {"polling", "go"} and not self.leaving)
    @rule()
    def the_launch_goes_on(self) -> None:
        if self.phase == "polling":
            self.launch.add("decision.made", decision="go")
            self.phase = "go"
        else:
            self.launch.add("step.started", step="initiate")
            self.phase = "launching"

    @precondition(lambda self: self.phase in {"launching", "soaking"} and not self.leaving)
    @rule()
    def the_guard_holds(self) -> None:
        self.launch.add("launch.held", where="10 %", rule="a1", text="errors")
        self.guard = True

    @precondition(lambda self: self.phase == "launching" and not self.leaving)
    @rule()
    def green_is_promoted(self) -> None:
        self.launch.add("step.done", step="promote")
        self.phase, self.guard = "soaking", False

    @precondition(lambda self: self.leaving or self.phase == "soaking")
    @rule()
    def the_launch_ends(self) -> None:
        outcome = self.leaving or "landed"
        self.launch.add("launch.ended", outcome=outcome)
        self.phase, self.leaving, self.since, self.guard = outcome, "", None, False

    @invariant()
    def the_record_says_where_it_stands(self) -> None:
        course = self.launch.course
        assert course.phase == self.phase
        assert (course.t0, course.planned) == (self.t0, self.planned)
        assert (course.held.since if course.held else None) == self.since
        assert (course.attempt, course.sequence) == (self.attempt, self.sequence)
        assert bool(course.guard) is self.guard
        assert (course.leaving or "") == self.leaving
        assert ("devops" in course.signed) is self.signed
        assert course.over is (self.phase in {"scrubbed", "aborted", "rolled-back", "landed"})

    @invariant()
    def the_clock_stands_exactly_while_it_is_held(self) -> None:
        course, now = self.launch.course, self.launch.now
        first, later = course.clock(now), course.clock(now + 60)
        if self.t0 is None:
            assert first is None
            assert later is None
        else:
            assert first is not None
            assert later is not None
            assert later - first == (0 if self.since is not None else 60)


Courses.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCourses = Courses.TestCase

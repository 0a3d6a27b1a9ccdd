"""Everything before GO: wait, observe what falls due, tell owners, and do as people order.

Each turn reads the record and the clock and does the one thing that is due. A person's order is in the record before
the launch hears of it; its message only wakes the launch. The clock runs on past an earlier gate that stays closed; its
lines are late, and GO will judge them.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from tminus.control.launchtime import LaunchTime, Wait
from tminus.control.ports import Json, Record, Steps, recorded
from tminus.control.readiness import Readiness, claims_of
from tminus.control.voiding import tell_void
from tminus.domain.agenda import TICK, Agenda, Date, Due, agenda
from tminus.domain.attempts import in_force
from tminus.domain.canonical import plain
from tminus.domain.course import RAISED, Course, course_of
from tminus.domain.decision import gate
from tminus.domain.evidence import Claim
from tminus.domain.notices import Notice
from tminus.domain.offsets import clock
from tminus.domain.plan import Plan
from tminus.domain.poll import waived_until
from tminus.domain.timeline import in_attempt
from tminus.errors import ProbeError, RolloutError

CONTROL = "control"
"""Where people's orders arrive."""
LONGEST = 86400.0
"""Seconds after which a launch that waits for nothing but people looks again all the same."""

Acts = Mapping[str, Callable[[str], Awaitable[Json]]]
"""What a line may ask for before it is observed, by the plan's word for it; given when it was first begun."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Where the countdown has come to, and somebody else goes on."""

    due: Due
    """`POLL`, `DECISION`, `EXPIRED`, `GONE` or `OVER`."""
    date: Date


@dataclass(frozen=True, slots=True)
class _Turn:
    """What a look found, as the engine remembers it."""

    due: Due
    date: Date
    milestone: float
    checks: tuple[str, ...]
    wait: Wait | None
    until: float
    recorded: int
    """How many events the record held, by which a look is told from every other one of the same launch."""


class Countdown:
    """The turns of one launch before GO."""

    def __init__(
        self, plan: Plan, engine: Steps, record: Record, readiness: Readiness, time: LaunchTime
    ) -> None:
        self._plan = plan
        self._engine = engine
        self._record = record
        self._readiness = readiness
        self._time = time
        self.turns = 0
        """How many looks it has taken so far."""
        self.date = Date(1, 0)
        """The date of the launch as the last look found it."""
        self._waited: Wait | None = None

    async def run(self, acts: Acts) -> Stop:
        """Until the poll is to open, a decision is due, or there is nothing to count down to any more.

        `acts` are what lines may ask for before they are seen. Called again it goes on from where the record stands.
        """
        while True:
            turn = await self._turn()
            if turn.due in {Due.POLL, Due.DECISION, Due.EXPIRED, Due.GONE, Due.OVER}:
                return Stop(turn.due, turn.date)
            if turn.due is Due.MILESTONE:
                await self._act(turn, acts)
                await self._reach(turn)
            elif turn.due is Due.LOOK:
                await self._look_again(turn)
            elif turn.due is Due.NOTHING:
                self._waited = turn.wait
                await self._engine.receive(CONTROL, turn.until)

    async def _turn(self) -> _Turn:
        """What is due now; notices are raised within the same step, since that only writes."""
        number, waited = self.turns, self._waited
        self.turns, self._waited = number + 1, None

        async def look() -> Json:
            events = await self._record.events()
            course = course_of(events)
            told = {"recorded": len(events), **self._time.follow(course, waited)}
            claims = claims_of(in_force(events))
            await tell_void(self._plan, self._record, events, claims)
            due = self._agenda(course, claims)
            if due.due is Due.TELL:
                await self._tell(due.notices, Date(course.attempt, course.holds))
            return {**told, **self._told(course, due)}

        told = await self._engine.step(f"turn {number}", look)
        self._time.remember(told)
        turn = _read(told)
        self.date = turn.date
        return turn

    def _agenda(self, course: Course, claims: Mapping[str, Claim]) -> Agenda:
        # Skipped time is taken off T-0, so that all ages are measured by the real clock.
        here = course if course.t0 is None else replace(course, t0=course.t0 - self._time.launch.ahead)
        return agenda(self._plan, here, in_attempt(here, claims), self._time.now(), again=course.speed == 1)

    def _told(self, course: Course, due: Agenda) -> Json:
        now = self._time.now()
        told: Json = {
            "due": due.due.value,
            "attempt": course.attempt,
            "holds": course.holds,
            "milestone": due.milestone,
            "checks": list(due.checks),
            "since": now,
        }
        if due.due is Due.NOTHING:
            wake = due.wake if due.wake is not None else now + LONGEST * course.speed
            # A clock that stands skips nothing, however long it is waited for.
            runs = course.t0 is not None and not course.held
            told["offset"] = wake + self._time.launch.ahead - (course.t0 or 0.0) if runs else None
            told["until"] = now + min(LONGEST, max(TICK, (wake - now) / course.speed))
        return told

    async def _tell(self, told: tuple[Notice, ...], date: Date) -> None:
        for notice in told:
            await self._record.append_while(date.stands, notice.key, RAISED, plain(notice.data()))

    async def _act(self, turn: _Turn, acts: Acts) -> None:
        name = turn.date.key(clock(turn.milestone))

        def acting(wanted: str) -> Callable[[], Awaitable[Json]]:
            async def act() -> Json:
                if done := await recorded(self._record, f"act:{wanted}@{name}"):
                    return dict(done.data)
                begun = await self._record.append_while(
                    turn.date.stands, f"begin:{wanted}@{name}", "act.started", {"act": wanted}
                )
                try:
                    result = await acts[wanted](begun.at)
                except (ProbeError, RolloutError) as error:
                    # The line that asked for it will be seen to fail, with its own words.
                    result = {"failed": f"{error} ({error.hint})"}
                data: Json = {"act": wanted, **result}
                await self._record.append_while(turn.date.stands, f"act:{wanted}@{name}", "act.done", data)
                return result

            return act

        for wanted in dict.fromkeys(check.act for check in self._plan.due(turn.milestone) if check.act):
            await self._engine.step(f"{name} {wanted}", acting(wanted))

    async def _reach(self, turn: _Turn) -> None:
        """Observe the lines that are due at a milestone, as one step, and record how its gate stands."""
        milestone = clock(turn.milestone)
        name = turn.date.key(milestone)

        async def act() -> Json:
            checks = self._plan.due(turn.milestone)
            stands = turn.date.stands
            data: Json = {"milestone": milestone, "lines": len(checks)}
            await self._record.append_while(stands, f"milestone:{name}", "milestone.reached", data)
            verdicts = await self._readiness.observe(checks, name, stands)
            waived = waived_until(await self._record.events())
            result = gate(checks, await self._readiness.claims(), self._time.now(), waived)
            late: list[Json] = [
                {"check": o.check, "standing": o.standing, "why": o.why} for o in result.obstacles
            ]
            judged: Json = {
                "milestone": milestone,
                "judged": result.judged,
                "open": not result.obstacles,
                "late": [*late],
            }
            await self._record.append_while(stands, f"gate:{name}", "gate.judged", judged)
            return {check: verdict.value for check, verdict in verdicts.items()}

        await self._engine.step(f"milestone {name}", act)

    async def _look_again(self, turn: _Turn) -> None:
        """Observe lines again, and the roll-ups that are made of them."""

        async def act() -> Json:
            wanted = [check for check in self._plan.checks if check.id in turn.checks]
            verdicts = await self._readiness.observe(wanted, f"event {turn.recorded}", turn.date.stands)
            return {check: verdict.value for check, verdict in verdicts.items()}

        await self._engine.step(f"look again, turn {self.turns}", act)


def _read(told: Json) -> _Turn:
    """What a look found, from what the engine remembers."""
    checks, offset, since = told["checks"], told.get("offset"), told["since"]
    assert isinstance(checks, list)  # noqa: S101 - our own step wrote it
    return _Turn(
        due=Due(str(told["due"])),
        date=Date(int(str(told["attempt"])), int(str(told["holds"]))),
        milestone=float(str(told["milestone"])),
        checks=tuple(map(str, checks)),
        wait=None if offset is None else Wait(float(str(since)), float(str(offset))),
        until=float(str(told.get("until", since))),
        # A turn that an earlier tminus has remembered does not say it, nor does it look again under this one.
        recorded=int(str(told.get("recorded", 0))),
    )

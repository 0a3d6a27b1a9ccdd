"""One launch from its opening to its end: countdown, poll, GO, rollout, soak, landing or rollback.

Runs inside the engine's workflow: whatever happens between two steps may happen again after a crash, so everything
that touches the world or the record stands inside a step.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tminus.control.approval import Approval
from tminus.control.changing import changing
from tminus.control.countdown import Countdown
from tminus.control.launchtime import LaunchTime
from tminus.control.liftoff import Liftoff, OrderedError
from tminus.control.opening import BY_HAND, OPENED_KEY, Binding, opening
from tminus.control.ports import Engine, Json, Record, Signatory, Steps, recorded
from tminus.control.proof import Proof
from tminus.control.readiness import Readiness
from tminus.control.review import Review
from tminus.control.rollback import Rollback
from tminus.control.sight import Sight
from tminus.control.stages import Stages
from tminus.control.turns import Settle, Turns
from tminus.domain.agenda import Date, Due, not_leaving
from tminus.domain.course import ORDERED, Course, course_of
from tminus.domain.guard import Action
from tminus.domain.plan import Plan
from tminus.domain.record import ENDED, OPENED
from tminus.domain.rollout import NO_TARGET, State
from tminus.errors import OutOfSequenceError, ReleaseError, RolloutError


@dataclass(frozen=True, slots=True)
class Crew:
    """Everything a launch works with; wiring puts it together."""

    plan: Plan
    record: Record
    readiness: Readiness
    signatory: Signatory | None
    """Who signs in the names of the plan's people; none where they are real: then only they may."""
    time: LaunchTime
    stages: Stages
    lacks: str = ""
    """What the launch lacks to act upon the service, in words: a reason against GO; empty where it lacks nothing."""
    begin: Callable[[], Awaitable[None]] | None = None
    """What is begun behind GO, by each process that goes on from there: to count users' requests."""
    settle: Settle | None = None
    """What is waited for before the launch rests; nothing runs beside it without."""


async def _reviewed(review: Review) -> Sight:
    """The soak to its end, or to a person's order while one of its steps was held."""
    try:
        return await review.run()
    except OrderedError as order:
        return order.sight
    except (RolloutError, ReleaseError) as error:
        # Seen to have failed while blue can still be brought back: as in the shift.
        return Sight(Action.ROLLBACK, "step.failed", f"{error} ({error.hint})", 0.0, None)


def _postponed(date: Date) -> Callable[[Course], None]:
    """Allows an end after NO-GO, unless somebody gave the launch another date meanwhile."""

    def allowed(course: Course) -> None:
        if course.attempt != date.attempt or course.over:
            raise OutOfSequenceError("the launch has another date", hint="count down to it")

    return allowed


class Launch:
    """The acts of one launch, in order."""

    def __init__(self, binding: Binding, crew: Crew, engine: Engine) -> None:
        self._binding = binding
        self._crew = crew
        self._engine = engine
        # A person's word that is asked for is a message, which the record does not hold; and shortened waits are known
        # to the run alone.
        turns = binding.waits and binding.speed == 1 and not binding.asks
        self._steps: Steps = Turns(engine, crew.time, crew.settle) if turns else engine
        self._rollback = Rollback(engine, crew.record, crew.stages.target, crew.stages.clock)

    async def run(self) -> Json:
        """From the opening to the end; the result names the outcome."""
        crew = self._crew
        await self._steps.step("open", self._open)
        if (ended := await self._before_go()) is not None:
            return ended
        if crew.lacks:
            return await self._without_target()
        if crew.begin:
            await crew.begin()
        liftoff = Liftoff(crew.plan, self._engine, crew.record, crew.readiness, crew.stages)
        sight = await liftoff.run(self._binding.release, self._binding.previous)
        if sight.action is Action.CONTINUE:
            sight = await _reviewed(Review(liftoff, crew.time))
        if sight.action is not Action.ROLLBACK:
            try:
                return await self._end(State.LANDED, {}, not_leaving)
            except OutOfSequenceError:
                # Somebody ordered it back in the last moment: what is recorded is done.
                sight = await liftoff.called_back()
        if not liftoff.begun:
            # Whoever serves was not found as the plan says, so nobody knows where to send users back to.
            return await self._end(State.ABORTED, {"rule": sight.rule, "text": sight.text, "at": sight.at})
        return await self._roll_back(sight)

    async def _without_target(self) -> Json:
        """End at T-0 what has nothing to act upon: since others act, or by the word of a person who came first.

        Others act on this GO, so it is verified before the record says that it stood.
        """
        await Proof(self._crew.record, self._crew.stages.verifier).awaited(self._steps, self._crew.time)
        try:
            return await self._end(State.ABORTED, {"rule": NO_TARGET, "text": self._crew.lacks}, not_leaving)
        except OutOfSequenceError:
            orders = [event.data for event in await self._crew.record.events() if event.type == ORDERED]
            back = next(data for data in orders if data["order"] in {"abort", "rollback"})
            why: Json = {"rule": f"person.{back['order']}", "text": str(back["text"])}
            return await self._end(State.ABORTED, why)

    async def _before_go(self) -> Json | None:
        """Count down, once for each date that the launch gets, to a GO, which gives nothing, or to its end."""
        crew = self._crew
        countdown = Countdown(crew.plan, self._steps, crew.record, crew.readiness, crew.time)
        approval = Approval(crew.plan, self._steps, crew.record, crew.signatory, crew.time)
        while True:
            try:
                stop = await countdown.run({"back up": crew.stages.database.back_up})
                approval.date = stop.date
                if stop.due is Due.OVER:
                    return await self._end(State.SCRUBBED, {})
                if stop.due is Due.POLL:
                    await approval.freshen(crew.readiness)
                    await approval.poll(self._binding.launch, crew.readiness)
                elif stop.due is Due.EXPIRED:
                    await approval.expire()
                elif stop.due is Due.GONE or await self._decided(approval) == "go":
                    return None
                elif not self._binding.waits:
                    return await self._end(State.NO_GO, {}, _postponed(stop.date))
            except OutOfSequenceError as error:
                await self._overtaken(countdown, error)

    async def _overtaken(self, countdown: Countdown, error: OutOfSequenceError) -> None:
        """Count on where a person's order came first: another date, a clock that stands, an end; else raise."""
        date = countdown.date

        async def look() -> Json:
            return {"overtaken": date.overtaken(course_of(await self._crew.record.events()))}

        if not (await self._steps.step(f"overtaken in turn {countdown.turns}", look))["overtaken"]:
            raise error

    async def _open(self) -> Json:
        crew = self._crew
        opened = await crew.record.append_once(OPENED_KEY, OPENED, opening(crew.plan, self._binding))
        commands = () if crew.lacks else crew.stages.target.by_hand()
        if commands and not opened.data.get("by_hand"):
            # Whoever opened it did not know its target.
            await crew.record.append_once("by hand", BY_HAND, {"by_hand": list(commands)})
        return {}

    async def _decided(self, approval: Approval) -> str:
        if self._crew.signatory is None:
            return await approval.propose(self._crew.readiness, self._crew.lacks)
        wish: Json = {
            "decision": "go",
            "reason": "decided by the plan: the gate is open and every role said go",
        }
        if self._binding.asks:
            await self._steps.step(
                approval.date.key("ask for the decision"), lambda: self._ask(approval.date)
            )
            wish = await approval.ask(self._minutes)
        return await approval.decide(self._binding.launch, wish, self._crew.readiness)

    async def _ask(self, date: Date) -> Json:
        asked: Json = {"minutes": self._minutes}
        await self._crew.record.append_while(date.runs, date.key("asked"), "decision.asked", asked)
        return {}

    @property
    def _minutes(self) -> float:
        """How long the word is waited for: from T-0 on, as long as the poll holds."""
        minutes = self._crew.plan.decision_seconds / 60
        return int(minutes) if minutes.is_integer() else minutes

    async def _roll_back(self, sight: Sight) -> Json:
        stages = self._crew.stages
        component = self._crew.plan.components[0]
        release, previous = self._binding.release, self._binding.previous
        blue = f"sha256:{previous[component]}"
        undo = changing(self._crew.plan, stages, self._crew.record, release, previous)
        suffered = await self._rollback.run(sight.rule, sight.text, stages.watch, blue, undo)
        proof = await self._rollback.prove(blue, stages.smoke)
        if proof["up"] and proof["schema_compatible"]:
            await self._rollback.stop_green(self._crew.plan.rollout.drain_seconds)
        outcome = State.ABORTED if sight.rule == "person.abort" else State.ROLLED_BACK
        # What a launch from before this was counted remembers of the step is more than that.
        bad: Json = {name: suffered[name] for name in ("bad_seconds",) if name in suffered}
        ending: Json = {"rule": sight.rule, "text": sight.text, "at": sight.at, "blue": proof, **bad}
        return await self._end(outcome, {**ending, **await self._data_left()})

    async def _data_left(self) -> Json:
        """How a release that was rolled back has left the data; nothing where nobody can say."""
        inspection = self._crew.stages.watch.inspection
        if inspection is None:
            return {}
        return {"data": await self._rollback.look_at_data(inspection)}

    async def _end(self, outcome: State, more: Json, allowed: Callable[[Course], None] | None = None) -> Json:
        """Record the end, unless `allowed` raises; the result names the end that is recorded."""
        if inspection := self._crew.stages.watch.inspection:
            await inspection.stop()
        if measuring := self._crew.stages.watch.measuring:
            await measuring.stop()

        async def act() -> Json:
            record = self._crew.record
            data: Json = {"outcome": outcome.value, **more, **self._cost()}
            ended = await recorded(record, "ended")
            if ended is None and allowed is not None:
                ended = await record.append_while(allowed, "ended", ENDED, data)
            elif ended is None:
                ended = await record.append_once("ended", ENDED, data)
            return {"outcome": ended.data["outcome"], "ended": ended.seq}

        return await self._steps.step(f"end {outcome}" if allowed else "end", act)

    def _cost(self) -> Json:
        """How many user requests there were, how many failed and how many came late, by the proxy's log."""
        return self._crew.stages.watch.toll().data()

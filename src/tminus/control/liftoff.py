"""T-0: back up, migrate, start green, smoke-test it, shift the traffic to it rung by rung.

Each step states a desired result, does it, reads it back, and is safe to run again. What cannot be read back holds;
what is seen to have failed rolls back.
"""

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from tminus.control import ascent, heard
from tminus.control.changing import Changing, changing
from tminus.control.countdown import CONTROL, LONGEST
from tminus.control.green import Green
from tminus.control.measured import measured
from tminus.control.ports import Engine, Json, Record, recorded
from tminus.control.proof import Proof, held_by
from tminus.control.readiness import Finding, Readiness
from tminus.control.sight import Sight, sight
from tminus.control.stages import Stages
from tminus.control.stretch import SEEN, UNPROVEN_SHARE, Stretch, Task
from tminus.control.watch import SLICE
from tminus.domain.canonical import JsonValue
from tminus.domain.change import Change, When, of
from tminus.domain.course import GUARDED, course_of
from tminus.domain.evidence import Observation, Source, Verdict
from tminus.domain.guard import Action
from tminus.domain.metric import Stage
from tminus.domain.plan import Plan, Rung
from tminus.domain.record import Event
from tminus.domain.sufficiency import rungs
from tminus.domain.traffic import Side
from tminus.errors import (
    OutOfSequenceError,
    PartError,
    ProbeError,
    RecordError,
    ReleaseError,
    RolloutError,
    TminusError,
)

RETRY = 2.0
"""Seconds between two tries to read back what could not be read."""

STRETCHES = "watch in stretches"
"""The change by which a watch is one step; launches that were watching before it go on in slices."""
JUDGED_WHILE_HELD = "the guard judges while a step is held"
"""What has changed in the order of steps: before, nobody watched between two tries of a step."""

Act = Callable[[], Awaitable[Json]]


class OrderedError(RolloutError):
    """A person ordered the launch back while a step was held."""

    def __init__(self, sight: Sight) -> None:
        super().__init__(sight.text, hint="the launch rolls back")
        self.sight = sight


class Liftoff:
    """The rollout of one launch."""

    def __init__(
        self, plan: Plan, engine: Engine, record: Record, readiness: Readiness, stages: Stages
    ) -> None:
        self.plan = plan
        self.engine = engine
        self.record = record
        self.readiness = readiness
        self.stages = stages
        self.green: Green | None = None
        self.changing: Changing | None = None
        """What is changed beside the release; known once its images are."""
        self.begun = False
        """Whether users were seen on blue: before that nothing of theirs is changed."""
        self._held = False
        """Whether people stopped the clock, or the record proves no GO: the guard goes on, and nothing else does."""
        self._orders, self._heard = 0, set[str]()
        """The ids of the orders that were done as they say."""

    async def run(self, release: dict[str, str], previous: dict[str, str]) -> Sight:
        """Everything from GO to all traffic on green; says whether to go on or to roll back."""
        self.changing = changing(self.plan, self.stages, self.record, release, previous)
        component = self.plan.components[0]
        new, old = f"sha256:{release[component]}", f"sha256:{previous[component]}"
        try:
            await self._stand_up(new, old)
            for rung in rungs(self.plan):
                seen = await self._climb(rung)
                if seen.action is not Action.CONTINUE:
                    return await self._fallen(seen)
            if back := await measured(self, Stage.SHIFT):
                return await self._fallen(back)
            await self._promote()
        except OrderedError as order:
            return order.sight
        except (RolloutError, ReleaseError) as error:
            seen = Sight(Action.ROLLBACK, "step.failed", _words(error), 0.0, self.stages.clock.now())
            return await self._fallen(seen)
        return Sight(Action.CONTINUE, "", "all traffic on green", 0.0, None)

    async def _stand_up(self, new: str, old: str) -> None:
        """Everything before the first user meets green."""
        await self.steady("initiate", lambda: ascent.initiate(self.stages, old, new))
        self.begun = True
        await self._while_held()
        if inspection := self.stages.watch.inspection:
            inspection.remember(await self.steady("data", inspection.begin))
        if (measuring := self.stages.watch.measuring) and measuring.needs_baseline:
            measuring.remember(await self.steady("baseline", measuring.begin))
        await self.steady("back up", self._back_up)
        await self._while_held()
        await self.steady("migrate", lambda: ascent.migrate(self.stages, new))
        await self._while_held()
        started = await self.steady("green", lambda: ascent.start_green(self.stages, new))
        self.green = Green(float(str(started["started"])), str(started["digest"]))
        await self.steady("smoke", lambda: ascent.smoke(self.stages))
        await self._while_held()
        for change, make in self.made(When.GREEN):
            await self.steady(change.step, make)
            await self._while_held()

    def made(self, when: When) -> Iterator[tuple[Change, Act]]:
        """The changes of one moment, each with the act that makes it."""
        if self.changing is not None:
            for change in of(self.changing.changes, when):
                yield change, partial(self.changing.make, change)

    async def _fallen(self, seen: Sight) -> Sight:
        """The shift did not come to its end: the line about it has failed, unless it never began."""

        async def act() -> Json:
            if any(event.key.startswith("start:shift") for event in await self.record.events()):
                await self._conclude("shift", Verdict.FAILED, seen.text, {})
            return {}

        await self.engine.step("the shift has failed", act)
        return seen

    async def steady(self, name: str, act: Act) -> Json:
        """Run a step; while its result cannot be read, hold and try again. Its verdict goes to the lines about it.

        While the record does not prove its GO the step is not begun: a person has to resume the launch first. Raises
        `OrderedError` when a person orders the launch back while it is held, or the guard does.
        """
        tries = 0
        while True:
            suffix = f" (try {tries + 1})" if tries else ""
            try:
                return await self.engine.step(f"{name}{suffix}", self._recorded(name, act))
            except (ProbeError, PartError) as error:
                await self._hold(name, tries, {"where": name, "rule": "hold.blind", "text": _words(error)})
                if ordered := await self._ordered(f"hold {name}{suffix}"):
                    raise OrderedError(ordered) from error
                await self._until_seen(f"{name}{suffix}")
            except RecordError as error:
                await self._hold(name, tries, held_by(name, error))
                self._held = True
                await self._until_resumed(f"{name}{suffix}")
            tries += 1

    async def _hold(self, name: str, tries: int, held: Json) -> None:
        suffix = f" (try {tries + 1})" if tries else ""
        await self.engine.step(f"hold {name}{suffix}", self._noting(f"hold:{name}:{tries}", GUARDED, held))

    async def _until_seen(self, name: str) -> None:
        """Judge on while a step is held and users meet green: what went bad unseen is found before the next try.

        A weight that took effect without an answer is set once more. Raises `OrderedError` when the launch goes back.
        """
        if not self.stages.watch.exposed or not await self.engine.patched(JUDGED_WHILE_HELD):
            return
        number = 0
        while True:
            label = f"watch while {name} is held #{number}"
            seen = sight(await self.engine.step(label, self._slice(label, RETRY, None)))
            if seen.action is Action.ROLLBACK:
                raise OrderedError(await self._fallen(seen))
            if ordered := await self._ordered(label):
                raise OrderedError(ordered)
            if not self._held and (seen.action is Action.CONTINUE or seen.rule == "hold.weight"):
                return
            number += 1

    async def _until_resumed(self, name: str) -> None:
        """Wait for a person's word; once green runs the guard judges meanwhile. Raises `OrderedError`."""
        if self.green is None:
            await self._while_held()
        elif seen := await self.still(f"before {name}"):
            raise OrderedError(await self._fallen(seen))

    def _recorded(self, name: str, act: Act) -> Act:
        async def run() -> Json:
            if done := await recorded(self.record, f"done:{name}"):
                # A process before this one did it and died before the engine knew: once more could only differ.
                await self._conclude(name, Verdict.PASSED, "done and read back", _result(done))
                return _result(done)
            await Proof(self.record, self.stages.verifier).check()
            await self._begun(name)
            began = self.stages.clock.now()
            try:
                result = await act()
            except (RolloutError, ReleaseError) as error:
                await self._conclude(name, Verdict.FAILED, _words(error), {})
                raise
            except (ProbeError, PartError):
                await self.stages.clock.sleep(RETRY)
                raise
            seconds = round(self.stages.clock.now() - began, 3)
            await self.record.append_once(
                f"done:{name}", "step.done", {"step": name, "seconds": seconds, **result}
            )
            await self._conclude(name, Verdict.PASSED, "done and read back", result)
            return result

        return run

    def _noting(self, key: str, kind: str, data: Json) -> Act:
        async def act() -> Json:
            await self.record.append_once(key, kind, data)
            return {}

        return act

    async def _conclude(self, name: str, verdict: Verdict, why: str, seen: Json) -> None:
        value: JsonValue = verdict.value
        finding = Finding(verdict, why, Source.STEP, Observation(value, seen))
        await self.readiness.conclude(name, finding, name)

    async def _begun(self, name: str) -> Event:
        return await self.record.append_once(f"start:{name}", "step.started", {"step": name})

    async def _back_up(self) -> Json:
        """Into the file named after when the step was first begun: a step that runs again makes no second one."""
        return await self.stages.database.back_up((await self._begun("back up")).at)

    async def _climb(self, rung: Rung) -> Sight:
        """One rung: set the weight, read it back, and watch until it has proven itself."""
        if ordered := await self.still(f"before {rung.percent} %"):
            return ordered
        if rung.percent:
            await self.steady(f"shift {rung.percent}", lambda: ascent.shift(self.stages, rung.percent))
            if self.stages.watch.measuring:
                self.stages.watch.measuring.enter(Stage.SHIFT)
        return await self.watch(f"{rung.percent} %", rung.watch_seconds, rung)

    async def watch(self, label: str, seconds: float, rung: Rung | None = None) -> Sight:
        """Watch for this long in all, not counting holds; on a rung also until enough requests were seen."""
        if not await self.engine.patched(STRETCHES):
            return await self._watch_in_slices(label, seconds, rung)
        number = 0
        while True:
            name = f"watch {label}, stretch {number}"
            data = await self.engine.step(
                name, self.stretch(Task(label, seconds, rung, self.plan.rollout.per_second))
            )
            number += 1
            self.stages.watch.recall(data)
            seen = sight(data)
            if seen.action is Action.ROLLBACK or not data["ordered"]:
                return seen
            if ordered := await self.obey(name, {"id": data["ordered"]}):
                return ordered

    def stretch(self, task: Task) -> Act:
        """An act that watches until there is reason to do something else; see `Stretch.run`."""

        async def act() -> Json:
            known = frozenset(self._heard)
            return await Stretch(self.record, self.stages, task).run(self.green, known, stands=self._held)

        return act

    async def _watch_in_slices(self, label: str, seconds: float, rung: Rung | None) -> Sight:
        """As `watch` was before: each slice a step, each look for an order another. For launches begun that way."""
        well = 0.0
        number = 0
        while True:
            name = f"watch {label} #{number}"
            rest = max(0.5, min(SLICE, seconds - well))
            data = await self.engine.step(name, self._slice(name, rest, rung))
            self.stages.watch.recall(data)
            seen = sight(data)
            well += 0.0 if self._held else seen.seconds
            number += 1
            if seen.action is Action.ROLLBACK:
                return seen
            if ordered := await self._ordered(name):
                return ordered
            if not self._held and seen.action is Action.CONTINUE and well >= seconds - 0.05:
                if data["proven"]:
                    return seen
                lacks = str(data.get("lacks", "not yet enough was seen on green"))
                held: Json = {"where": name, "rule": UNPROVEN_SHARE, "text": lacks}
                await self.engine.step(f"hold after {name}", self._noting(f"hold:{name}", GUARDED, held))

    def _slice(self, name: str, seconds: float, rung: Rung | None) -> Act:
        async def act() -> Json:
            seen = await self.stages.watch.slice(self.green, seconds)
            proof = self.stages.watch.proof(rung, self.plan.rollout.per_second) if rung else {"proven": True}
            data: Json = {**seen.data(), "where": name, **proof, "gauges": self.stages.watch.gauges()}
            kept = await self.record.append_once(f"seen:{name}", SEEN, data)
            self.stages.watch.recall({**kept.data})
            if seen.action is Action.HOLD:
                held: Json = {"where": name, "rule": seen.rule, "text": seen.text}
                await self.record.append_once(f"hold:{name}", GUARDED, held)
            return data

        return act

    async def _while_held(self) -> None:
        """Begin nothing more while people hold the clock; raises `OrderedError` when they order the launch back."""
        ordered = await self._ordered("between two steps")
        while self._held and ordered is None:
            again = await self.engine.now() + LONGEST
            if (message := await self.engine.receive(CONTROL, until=again)) is not None:
                ordered = await self.obey("while the clock was held", message)
        if ordered is not None:
            raise OrderedError(ordered)

    async def still(self, where: str) -> Sight | None:
        """Watch on for as long as people hold the clock; what brings the launch back, if anything does."""
        if ordered := await self._ordered(where):
            return ordered
        if not self._held:
            return None
        seen = await self.watch(f"held {where}", 0.0)
        return seen if seen.action is Action.ROLLBACK else None

    async def called_back(self) -> Sight:
        """What somebody ordered when all else was done; raises `OutOfSequenceError` when nobody did."""
        where = "before the end"
        if ordered := await self._ordered(where) or await self.obey(where, {}):
            return ordered
        raise OutOfSequenceError(
            "the launch is on its way back by no order that it heard", hint="report this with the record"
        )

    async def _ordered(self, where: str) -> Sight | None:
        """Do as people ordered meanwhile; what brings the launch back, if one of the orders does."""
        while (message := await self.engine.receive(CONTROL, until=0.0)) is not None:
            # A watch hears an order by the record, and its message may come later.
            if message.get("id") not in self._heard and (ordered := await self.obey(where, message)):
                return ordered
        return None

    async def obey(self, where: str, message: Json) -> Sight | None:
        """Do as one order says: as it stands in the record, where it was written before the launch was told of it."""
        number, self._orders = self._orders, self._orders + 1
        self._heard |= {str(message["id"])} if "id" in message else set()

        async def given() -> Json:
            events = await self.record.events()
            course = course_of(events)
            told = self.stages.clock.follow(course, None)
            held, now = bool(course.held or course.unproven), self.stages.clock.now()
            return {**told, "held": held, "at": now, **heard.told(events, message, self._heard)}

        told = await self.engine.step(f"order {number} {where}", given)
        self.stages.clock.remember(told)
        self._heard |= {str(told["key"])} if "key" in told else set()
        self._held, order, at = bool(told["held"]), told.get("order"), float(str(told["at"]))
        if order == "resume":
            self.stages.watch.resume(at)
        if order == "report":
            self.stages.watch.report(str(told["trigger"]), at, str(told["text"]))
        if order in {"abort", "rollback", heard.HARM}:
            return Sight(
                Action.ROLLBACK, str(told.get("rule", f"person.{order}")), str(told["text"]), 0.0, at
            )
        return None

    async def _promote(self) -> None:
        async def act() -> Json:
            status = await self.stages.target.status(Side.GREEN)
            if status.weight != 100:
                raise RolloutError(
                    f"green has {status.weight} % after the last rung",
                    hint="does something else change the weights?",
                )
            rungs: JsonValue = [rung.percent for rung in self.plan.rollout.ladder]
            seen: Json = {"rungs": rungs, "read_back": status.weight}
            await self._conclude(
                "shift", Verdict.PASSED, "every rung set, read back and seen in traffic", seen
            )
            return seen

        await self.steady("promote", act)


def _result(done: Event) -> Json:
    """What a step gave, as it was recorded."""
    return {name: value for name, value in done.data.items() if name not in {"step", "seconds"}}


def _words(error: TminusError) -> str:
    return f"{error} ({error.hint})"

"""Watch for as long as nothing changes, in one step: what is seen stands in the record, the engine remembers the end.

A soak of a day is tens of thousands of looks at the traffic. Were each a step of its own, the engine would remember
them all and read them again at each start. So one step watches on until there is reason to do something else; a process
that begins it anew goes on from what the record holds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tminus.control.green import Green
from tminus.control.ports import Json, Record
from tminus.control.sight import Sight
from tminus.control.stages import Stages
from tminus.control.watch import SLICE, TICK
from tminus.domain.canonical import instant
from tminus.domain.course import DECIDED, GUARDED, HELD, ORDERED, REPORTED, RESUMED
from tminus.domain.guard import Action
from tminus.domain.plan import Rung
from tminus.domain.record import Event
from tminus.domain.words import is_harm

LOOK = 1.0
"""Seconds between two looks for a person's order."""

SELDOM = 60.0
"""Seconds between two recorded looks at the most: a day then fits into a record that people read."""

PART = 1 / 60
"""A look is recorded again after this part of the time that was watched so far, but no sooner than after a slice."""

ENOUGH = 0.05
"""Seconds that may be missing at the end: sums of times are not exact."""

SEEN = "traffic.seen"
"""A recorded look."""

UNPROVEN_SHARE = "hold.requests"
"""The rule that keeps a rung whose time is over and whose traffic does not show its weight yet."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be watched."""

    label: str
    """What its looks are called in the record."""
    seconds: float
    """How long in all, holds not counted."""
    rung: Rung | None = None
    """What has to be seen of a weight before the watching may end; none in a soak."""
    per_second: float = 0.0
    """On a rung: how many requests a second there have to be."""

    def name(self, number: int) -> str:
        """What one of its looks is called; they are counted from 0."""
        return f"watch {self.label} #{number}"


@dataclass(slots=True)
class _Told:
    """What the record says of a watch and of people's orders, read on as it grows."""

    well: float = 0.0
    """For how many seconds was watched with nothing to hold for."""
    number: int = 0
    """How many looks of this watch there are."""
    since: float | None = None
    """When the first of them was recorded, in seconds of the epoch."""
    rule: str = ""
    """What the newest look of the launch held by; empty where it did not."""
    seq: int = -1
    orders: list[str] = field(default_factory=list)
    """The ids of the orders since GO, and the keys of the words by which people told of harm."""

    def take(self, events: Sequence[Event], task: Task) -> None:
        for event in events:
            self.seq = event.seq
            if event.type == DECIDED:
                self.orders.clear()
            elif event.type in {HELD, RESUMED, ORDERED, REPORTED} and "id" in event.data:
                self.orders.append(str(event.data["id"]))
            elif is_harm(event):
                self.orders.append(event.key)
            elif event.type == SEEN:
                self._look(event, task)

    def _look(self, event: Event, task: Task) -> None:
        self.rule = str(event.data["rule"]) if event.data["action"] == Action.HOLD.value else ""
        if str(event.data["where"]).startswith(f"watch {task.label} #"):
            self.number += 1
            self.well = float(str(event.data.get("well", 0.0)))
            self.since = instant(event.at) if self.since is None else self.since


class Stretch:
    """One watch, up to the next reason to do something else."""

    def __init__(self, record: Record, stages: Stages, task: Task) -> None:
        self._record = record
        self._stages = stages
        self._task = task
        self._told = _Told()
        self._rule = ""
        """What the watch is held by, as it was last recorded."""

    async def run(self, green: Green | None, heard: frozenset[str], *, stands: bool) -> Json:
        """Watch to the end, or until harm is seen, or until a person says what is not among what was `heard`.

        `stands` says that people hold the clock: no time counts then, and only one of these two ends the watch. The
        result is the last look; `ordered` in it is the order's id, or the key of a word of harm, empty without one.
        """
        await self._read()
        self._rule = self._told.rule
        told_at = self._stages.clock.now()
        since = told_at if self._told.since is None else self._told.since
        well = unsaid = 0.0
        while True:
            rest = self._task.seconds - self._told.well - well
            seen = await self._stages.watch.slice(green, max(TICK, min(LOOK, rest)))
            unsaid += seen.seconds
            well += 0.0 if stands else seen.seconds
            await self._read()
            ordered = next((order for order in self._told.orders if order not in heard), "")
            watched = not stands and seen.action is Action.CONTINUE and rest - seen.seconds <= ENOUGH
            # Of all requests of the rung: read only where it decides something, and told as it decided.
            proof = self._proof() if watched else None
            rule = self._held_by(seen, watched=watched, proven=proof is None or bool(proof["proven"]))
            ends = bool(ordered) or seen.action is Action.ROLLBACK or (watched and not rule)
            now = self._stages.clock.now()
            if ends or rule != self._rule or now - told_at >= pause(now - since):
                proof = proof or self._proof()
                data = await self._tell(seen, proof, unsaid, self._told.well + well)
                lacks = str(proof.get("lacks", "")) if rule == UNPROVEN_SHARE else seen.text
                await self._hold(str(data["where"]), rule, lacks)
                if ends:
                    return {**data, "ordered": ordered}
                await self._read()
                told_at, well, unsaid = now, 0.0, 0.0

    async def _read(self) -> None:
        events = await self._record.events(self._told.seq)
        self._told.take(events, self._task)
        for event in events:
            if event.type == SEEN:
                self._stages.watch.recall({**event.data})

    def _proof(self) -> Json:
        rung = self._task.rung
        return {"proven": True} if rung is None else self._stages.watch.proof(rung, self._task.per_second)

    @staticmethod
    def _held_by(seen: Sight, *, watched: bool, proven: bool) -> str:
        """By which rule the watch goes no further; empty where it does."""
        if seen.action is Action.HOLD:
            return seen.rule
        return UNPROVEN_SHARE if watched and not proven else ""

    async def _tell(self, seen: Sight, proof: Json, seconds: float, well: float) -> Json:
        """Record a look: what was seen last, and for how long all was well since the look before, and in all."""
        name = self._task.name(self._told.number)
        data: Json = {**seen.data(), "where": name, **proof}
        data |= {"seconds": seconds, "well": well, "gauges": self._stages.watch.gauges()}
        kept = dict((await self._record.append_once(f"seen:{name}", SEEN, data)).data)
        self._stages.watch.recall(kept)
        return kept

    async def _hold(self, name: str, rule: str, text: str) -> None:
        """Record a hold when it begins; that of a rung after each look, which would seem to end it otherwise."""
        if rule and (rule != self._rule or rule == UNPROVEN_SHARE):
            held: Json = {"where": name, "rule": rule, "text": text}
            await self._record.append_once(f"hold:{name}", GUARDED, held)
        self._rule = rule


def pause(watched: float) -> float:
    """How long it may take until a look is recorded again, after this many seconds of watching.

    The first looks come each `SLICE`, later ones each minute: some 1,600 in a day.
    """
    return min(SELDOM, max(SLICE, watched * PART))

"""Roll back: all traffic to blue, seen in traffic, green stopped, blue shown to serve.

The weight is the one act that matters and comes first; whatever follows only tidies and proves. A rollback that cannot
be read back is repeated until it can. When it keeps failing people are called and told what to type; it goes on
meanwhile.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from tminus.control.changing import Changing
from tminus.control.inspection import Inspection, Look
from tminus.control.ports import Clock, Engine, Json, Record, Smoke, Target
from tminus.control.watch import Watch
from tminus.domain.change import Change
from tminus.domain.course import GUARDED, STUCK
from tminus.domain.rollout import served_by
from tminus.domain.traffic import Side
from tminus.errors import InconclusiveError, PartError, ProbeError, RollbackError, RolloutError

T = TypeVar("T")

TRIES = 15
"""How often each part of a rollback is tried before people are called; it is tried on for as long as it takes."""

CALL_SECONDS = 30.0
"""After how many seconds they are called where users may still meet green and a single try takes long."""

RETRY = 2.0
"""Seconds between two tries."""

SILENCE = 10.0
"""Seconds without any request after which there is no traffic to see the rollback in."""

LOOKS = 3
"""How often the data is looked at when it cannot be seen; a rollback does not wait for it for long."""

PATIENCE = 60.0
"""Seconds that the rollback is looked for in traffic."""

QUIET = 3.0
"""Seconds without a new request on green that show that all traffic is on blue."""


class Rollback:
    """The way back of one launch."""

    def __init__(
        self, engine: Engine, record: Record, target: Target, clock: Clock, *, rehearsed: bool = False
    ) -> None:
        """`rehearsed` says that no users depend on it: what fails as often as people are called then ends it."""
        self._rehearsed = rehearsed
        self._engine = engine
        self._record = record
        self._target = target
        self._clock = clock

    async def run(self, rule: str, text: str, watch: Watch, blue: str, undo: Changing | None = None) -> Json:
        """Bring all traffic back to blue, which runs the image `blue`; `rule` and `text` say what fired and why.

        `undo` is what the launch may have changed beside the release.

        A blue that was stopped is started first: traffic never goes to a side that cannot serve. The result says for
        how long users had met bad answers of green: `bad_seconds`, nothing where green gave none.
        """

        async def weight() -> Json:
            fired_at = self._clock.now()
            await self._insist("blue stands by", lambda: self._stand_by(blue), seconds=CALL_SECONDS)
            await self._insist("all traffic to blue", self._to_blue, seconds=CALL_SECONDS)
            now = self._clock.now()
            watch.note_weight(0)
            bad = watch.toll().first_bad
            suffered: Json = {} if bad is None else {"bad_seconds": round(now - bad, 3)}
            data: Json = {"rule": rule, "text": text, "seconds": round(now - fired_at, 3), **suffered}
            done = await self._record.append_once("rollback", "rollback.done", data)
            # Of this what the record has, also where a process before this one wrote it.
            return {name: done.data[name] for name in ("bad_seconds",) if name in done.data}

        async def seen() -> Json:
            data = await self._insist("seen in traffic", lambda: self._seen_on_blue(watch), tries=1)
            await self._record.append_once("rollback:seen", "rollback.seen", data)
            return data

        suffered = await self._engine.step("roll back: all traffic to blue", weight)
        if undo:
            await self._change_back(undo)
        await self._engine.step("roll back: see it in traffic", seen)
        return suffered

    async def _change_back(self, changing: Changing) -> None:
        """Change back what the launch changed beside the release, the last one first: blue knows it as it was."""
        for change in reversed(changing.changes):

            async def act(change: Change = change) -> Json:
                return await self._insist(f"undo {change.step}", lambda: changing.undo(change))

            await self._engine.step(f"roll back: undo {change.step}", act)

    async def stop_green(self, drain_seconds: float) -> None:
        """Drain green and stop it; last, because a blue that does not prove itself leaves green to a person."""

        async def act() -> Json:
            left = await self._insist("stop green", lambda: self._target.stop(Side.GREEN, drain_seconds))
            data: Json = {"side": "green", "sessions": left}
            await self._record.append_once("rollback:green", "side.stopped", data)
            return data

        await self._engine.step("roll back: stop green", act)

    async def prove(self, blue: str, smoke: Smoke) -> Json:
        """Show that blue serves what it served before, also on the schema, which stays as the release made it."""

        async def act() -> Json:
            status = await self._insist("see blue", lambda: self._target.status(Side.BLUE))
            url = self._target.private_url(Side.BLUE)
            failures = await self._insist("smoke-test blue", lambda: smoke.failures(url))
            data: Json = {
                "digest": status.digest,
                "as_before": status.digest == blue,
                "weight": status.weight,
                "up": status.up,
                "smoke_failures": list(failures),
                "schema_compatible": not failures,
                **await self._schema(),
            }
            await self._record.append_once("rollback:blue", "rollback.proved", data)
            return data

        return await self._engine.step("roll back: blue serves", act)

    async def look_at_data(self, inspection: Inspection) -> Json:
        """Say how the release has left the data: traffic on blue repairs no row, so what is broken is for a person.

        With it stands the backup that this launch took before the migration, which a restore could begin from.
        """

        async def act() -> Json:
            look = await inspection.look()
            for _ in range(LOOKS - 1):
                if not look.unseen:
                    break
                await self._clock.sleep(RETRY)
                look = await inspection.look()
            backup = await self._backup()
            seen = look.data(len(inspection.invariants))
            data: Json = {**seen, "backup": backup, "decide": _to_decide(look, backup)}
            await self._record.append_once("rollback:data", "rollback.data", data)
            return data

        return await self._engine.step("roll back: look at the data", act)

    async def _backup(self) -> str:
        """The name of the backup that this launch took at T-0; empty when it did not come to that."""
        taken = [event for event in await self._record.events() if event.key == "done:back up"]
        return str(taken[-1].data["file"]) if taken else ""

    async def _schema(self) -> Json:
        """The schema's revision since this launch migrated it, which no rollback undoes; nothing where it did not."""
        migrated = [event for event in await self._record.events() if event.key == "done:migrate"]
        return {"schema": migrated[-1].data["after"]} if migrated else {}

    async def _stand_by(self, blue: str) -> None:
        try:
            status = await self._target.status(Side.BLUE)
            if not (status.running and status.up):
                await self._target.start(Side.BLUE, blue)
        except InconclusiveError:
            # What divides the traffic makes no sense: the weight that is set next mends it, and nothing else does.
            with suppress(InconclusiveError):
                await self._target.start(Side.BLUE, blue)

    async def _to_blue(self) -> None:
        if await self._target.set_weight(0) != 0:
            raise RolloutError("green still has a weight", hint="does something else change the weights?")

    async def _insist(
        self,
        what: str,
        act: Callable[[], Awaitable[T]],
        tries: int = TRIES,
        seconds: float = float("inf"),
    ) -> T:
        """What the act gives, after as many tries as it takes; people are called after `tries`, or `seconds`."""
        tried, called, began = 0, False, self._clock.now()
        while True:
            try:
                return await act()
            except (ProbeError, PartError, RolloutError) as error:
                tried += 1
                late = self._clock.now() - began >= seconds and not self._rehearsed
                enough = tried >= tries or late
                if enough and self._rehearsed:
                    raise RollbackError(
                        f"the rollback failed {tried} times: {what}: {error}", hint=error.hint
                    ) from error
                if enough and not called:
                    called = True
                    await self._call(what, f"{error} ({error.hint})", tried)
            await self._clock.sleep(RETRY)

    async def _call(self, what: str, why: str, tries: int) -> None:
        """Call people, once for each part of a rollback, and say what they can type."""
        commands = self._target.by_hand()
        typed = (
            f"; to send all traffic to blue without tminus, type: {'; '.join(commands)}" if commands else ""
        )
        text = f'the rollback fails at "{what}", {tries} times so far, and is tried on: {why}{typed}'
        held: Json = {"where": f"roll back: {what}", "rule": STUCK, "text": text, "by_hand": list(commands)}
        await self._record.append_once(f"hold:roll back:{what}", GUARDED, held)

    async def _seen_on_blue(self, watch: Watch) -> Json:
        began, waited, until = self._clock.now(), 0.0, self._clock.now() + PATIENCE + watch.delay()
        unseen = ""
        while waited < PATIENCE and self._clock.now() < until:
            await self._clock.sleep(0.5)
            if unseen := watch.unseen():
                began = watch.told()
                continue
            latest = [o for o in watch.outcomes() if o.at - o.ms / 1000 >= watch.told() - QUIET]
            waited = watch.told() - began
            # Without any traffic there is nothing to see it in; the weight was read back, so the rest goes on.
            seen_enough = waited > QUIET if latest else waited > SILENCE
            if seen_enough and served_by(latest, Side.GREEN) == 0:
                answered = sum(not outcome.failed for outcome in latest)
                return {"blue": answered, "failed": len(latest) - answered, "green": 0, "seconds": QUIET}
        if unseen:
            # The weight was read back; the rest does not wait for whoever counts requests.
            return {"blue": 0, "failed": 0, "green": 0, "seconds": 0.0, "unseen": unseen}
        await self._to_blue()
        raise RolloutError(
            "a minute after the rollback green still gets requests",
            hint="see what divides the traffic, and whether something else changes its weights",
        )


def _to_decide(look: Look, backup: str) -> str:
    """What is left to a person; nothing where all of the data is whole."""
    if look.breached is False:
        return ""
    known = (
        "whether it is whole is not known"
        if look.unseen
        else "traffic is back on blue, but that repairs no row"
    )
    start = f"the backup {backup}, taken before the migration" if backup else "a backup"
    return f"{known}: a person decides whether to restore {start}"

"""One launch on one stage: begun or taken over, shown, ended, and taken down."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tminus.control.approval import TOPIC
from tminus.control.countdown import CONTROL
from tminus.control.ports import Json
from tminus.demo.closing import Closing
from tminus.demo.lookout import Lookout
from tminus.demo.options import Options
from tminus.demo.page import MissionPage
from tminus.demo.parts import SUPPORTING
from tminus.demo.prologue import prologue
from tminus.demo.screen import Screen
from tminus.demo.stage import Stage
from tminus.demo.supervisor import News, together
from tminus.demo.theatre import (
    DAY,
    Playbill,
    Wish,
    new_playbill,
    prepare_launch,
    serving,
    set_up,
    supply,
    users_met,
)
from tminus.demo.watching import Watching
from tminus.domain.cost import cost
from tminus.domain.orders import Act, Order
from tminus.domain.plan import Plan
from tminus.domain.record import ENDED, OPENED, Event
from tminus.domain.rollout import State
from tminus.errors import Exit, OutOfSequenceError, TminusError
from tminus.picture.course import Course
from tminus.wiring import LAUNCH, LaunchRecord, LocalLaunch, SystemClock, launch_folder
from tminus.wiring.judging import guard_limits
from tminus.wiring.keys import Keys
from tminus.wiring.orders import give

DESERVES = {
    "good": "landed",
    "errors": "rolled-back",
    "slow": "rolled-back",
    "crash": "rolled-back",
    "corrupt": "rolled-back",
    "leak": "rolled-back",
}
"""The ending that each kind of release deserves."""

KEPT = "kept"
"""The file that marks a stage whose launch is over and whose viewer wanted to look around."""

TICK = 0.1
"""Seconds between two looks at the record for something new to show."""

HELD_SECONDS = 300.0
"""How long a demo stays held before it is aborted; a launch of one's own would wait for its people."""


class Show:
    """One launch on one stage."""

    def __init__(self, stage: Stage, options: Options, screen: Screen) -> None:
        self._stage = stage
        self._options = options
        self._screen = screen
        self._playbill: Playbill | None = None
        self._prepared: tuple[LocalLaunch, Plan] | None = None
        self._shown = -1
        self._held_since: float | None = None
        self._asked: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._page = MissionPage(stage.folder, options.home, options.viewing, self._note_now)
        self._watching: Watching | None = None

    async def begin(self, wish: Wish) -> None:
        """Set up what serves before the launch; its images are pulled and compared before anything of it starts."""
        self._screen.say(await supply(self._stage, wish))
        await self._stage.start_postgres()
        await self._stage.create_database("depot")
        await self._stage.start_supporting(
            *(part for part in SUPPORTING if part not in {"prometheus", "blackbox"})
        )
        playbill = new_playbill(wish)
        launch = prepare_launch(self._stage, playbill, self._options.home)[0]
        await together(set_up(self._stage, playbill, launch), self._stage.start_supporting("prometheus"))
        await self._stage.start_supporting(
            "blackbox"
        )  # before blue stood it would have met failures of nobody
        playbill = replace(playbill, t0=SystemClock().now() + DAY)
        await self._open(playbill)
        playbill.save(self._stage)

    async def go_on(self, playbill: Playbill) -> None:
        """Take over what a killed tminus left; the proxy and supporting parts that died meanwhile are started again."""
        lived = set(self._stage.parts_alive())
        back = SystemClock().now()
        await self._stage.start_postgres()
        await self._stage.start_supporting()
        await self._stage.start_registry()
        await self._stage.start_haproxy()
        launch = await self._open(playbill)
        await self._stage.start_worker(serving(playbill, launch))
        for part in sorted({"haproxy", "worker", *SUPPORTING} - lived):
            now = SystemClock().now()
            # A request after this start was answered by the new proxy: it says nothing about when the old one ended.
            alive = max(
                (outcome.at for outcome in launch.trace.outcomes() if outcome.at < back), default=back
            )
            news = News(part, "restarted", now, alive, "it died while tminus was away, and was started again")
            await Lookout(self._stage, self._screen, launch, playbill.launch).tell(news)
        events = await launch.store.events(playbill.launch)
        if events:
            self._must_be_as_signed(events[0], playbill)
        self._shown = events[-1].seq if events else -1
        last = (
            f"the last of {len(events)} recorded events is {events[-1].key!r}"
            if events
            else "it had not opened"
        )
        self._screen.say(
            f"launch {playbill.launch} ({playbill.kind}) was interrupted and goes on; {last}", "yellow"
        )
        self._screen.say("the options of this call are not used: the launch has its own", "yellow")

    def _must_be_as_signed(self, opened: Event, playbill: Playbill) -> None:
        """A launch that goes on is the one that was opened: what people signed must be what runs."""
        recorded = opened.data["plan"], opened.data["release"], opened.data["previous"]
        plan = self._all()[1]
        component = plan.components[0]
        now = (
            {"name": plan.name, "digest": plan.digest, "production": plan.production, "lines": plan.total},
            {component: playbill.release.removeprefix("sha256:")},
            {component: playbill.previous.removeprefix("sha256:")},
        )
        if recorded != now:
            raise OutOfSequenceError(
                f"launch {playbill.launch} cannot go on: its plan or its release is not what was opened and signed",
                hint="start another launch; this one is recorded as abandoned",
            )

    async def failed(self, error: TminusError) -> None:
        """End the record of a launch that stopped by an error instead of an ending."""
        await self._look_no_more()
        if self._playbill is not None and self._prepared is not None:
            await self._prepared[0].engine.stop()
            await self._look_away()
            record = await self._abandon(self._playbill, State.ABANDONED, f"stopped by an error: {error}")
            if record is not None:
                self._screen.say(f"recorded as abandoned in {record}", "yellow")

    async def run(self) -> Exit:
        """The launch to its end, the record sealed and verified; the exit code that this ending deserves."""
        launch, _, playbill = self._all()
        self._begin_in_print()
        await launch.engine.start()
        await launch.engine.begin(LAUNCH, playbill.launch)
        self._looking = asyncio.create_task(self._look_after(launch, playbill))
        await self._watch()
        result: Json | None = None
        while result is None:
            result = await launch.engine.result(playbill.launch)
            launch.trace.must_be_writable()
            if self._looking.done():
                self._looking.result()
            if self._watching is not None:
                self._watching.look()
            await self._show_new()
            await self._end_a_long_hold()
            await asyncio.sleep(TICK)
        await self._look_away()
        outcome = str(result["outcome"])
        await self._close(outcome)
        return _deserved(playbill.kind, outcome)

    async def _watch(self) -> None:
        """Show the board, and ask again what was asked when an earlier tminus was killed."""
        launch, plan, playbill = self._all()
        before = [e for e in await launch.store.events(playbill.launch) if e.seq <= self._shown]
        if self._options.board is not None:
            await self._page.told()  # what stands on the board's other screen cannot be copied
            self._watching = Watching(self._options.board, self._screen, launch, plan)
            self._watching.begin(before)
        words = [event for event in before if event.type in {"decision.asked", "decision.made"}]
        if words:
            self._note(words[-1])

    def _begin_in_print(self) -> None:
        """Print what one has to know before a board covers it: how to roll back by hand, how to read the lines."""
        _, plan, playbill = self._all()
        folder = launch_folder(self._options.home, playbill.launch)
        for line in prologue(folder, playbill.launch, self._stage.admin, guard_limits(plan)):
            self._screen.say(line)

    def _note_now(self, text: str) -> None:
        """Say what happened beside the launch, with its clock."""
        self._screen.note(text, self._all()[0].time.t_ms())

    async def _look_no_more(self) -> None:
        """Leave the board, and ask nothing any more."""
        self._ask_no_more()
        if self._watching is not None:
            await self._watching.end()

    def interrupt(self, give_up: Callable[[], object]) -> None:
        """Take Ctrl-C: on the board it asks first, elsewhere it ends the demo."""
        if self._watching is not None and self._watching.shown:
            self._watching.interrupt()
        else:
            give_up()

    async def interrupted(self) -> Exit:
        """End a launch that its viewer gave up."""
        await self._look_no_more()
        self._screen.say("interrupted: the launch is aborted and the stage taken down …", "yellow")
        if self._playbill is not None and self._prepared is not None:
            await self._prepared[0].engine.stop()
            await self._look_away()
            closing = await self._end_early(self._playbill, State.ABORTED, "interrupted by the viewer")
            if closing is not None:
                for event in await self._prepared[0].store.events(self._playbill.launch, self._shown):
                    self._screen.show(event)
                record = await closing.tell(self._playbill.launch, closing.users())
                self._screen.last(State.ABORTED.value, str(record))
        return Exit.FAILED

    async def clear(self, playbill: Playbill | None) -> None:
        """Take down a stage whose launch cannot go on, after saying how far that came."""
        try:
            await self._report(playbill)
        finally:
            await self._stage.stop_all()
            await self._stage.remove()

    async def _report(self, playbill: Playbill | None) -> None:
        if (self._stage.folder / KEPT).exists():
            self._screen.say(f"stage {self._stage.id} was kept by an earlier demo; it is taken down")
        elif playbill is None:
            self._screen.say(
                f"stage {self._stage.id} was killed while it was set up; it is cleared", "yellow"
            )
        else:
            record = await self._abandon(
                playbill, State.ABANDONED, "its processes were killed; a later start found it"
            )
            where = f"recorded as abandoned in {record}" if record else "killed before it opened"
            self._screen.say(f"launch {playbill.launch} ({playbill.kind}) cannot go on: {where}", "yellow")

    async def take_down(self) -> None:
        """Stop and remove everything, or leave the stage running when that was asked for."""
        await self._look_no_more()
        await self._look_away()
        await self._page.leave()
        try:
            if self._prepared is not None:
                await self._prepared[0].engine.stop()
                await self._prepared[0].courier.close()
                await self._prepared[0].trace.stop()
        finally:
            # Whatever could not be written down, nothing may be left running.
            await self._leave()

    async def _leave(self) -> None:
        if self._options.keep:
            self._screen.say(f"kept: {self._stage.url} in {self._stage.folder}; the next demo takes it down")
            (self._stage.folder / KEPT).touch()
            self._stage.release()
            return
        await self._stage.stop_all()
        await self._stage.remove()

    async def _open(self, playbill: Playbill) -> LocalLaunch:
        self._playbill = playbill
        launch, plan = self._prepared = prepare_launch(self._stage, playbill, self._options.home)
        Keys(self._options.home).enrol(plan)
        launch.reserve.keep()
        await launch.store.prepare()
        await launch.trace.start()
        self._page.open(playbill.launch)
        return launch

    async def _look_after(self, launch: LocalLaunch, playbill: Playbill) -> None:
        lookout = Lookout(self._stage, self._screen, launch, playbill.launch)
        await self._stage.look_after(lookout.tell, SystemClock().now)

    async def _look_away(self) -> None:
        """Start nothing again from now on: what ends is ended on purpose."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def _all(self) -> tuple[LocalLaunch, Plan, Playbill]:
        assert self._prepared is not None  # noqa: S101 - begin() or go_on() came first
        assert self._playbill is not None  # noqa: S101 - begin() or go_on() came first
        return *self._prepared, self._playbill

    async def _show_new(self) -> None:
        launch, _, playbill = self._all()
        for event in await launch.store.events(playbill.launch, self._shown):
            self._shown = event.seq
            self._screen.show(event)
            if self._watching is not None:
                self._watching.take(event)
            self._note(event)
            launch.courier.hear([event])

    def _note(self, event: Event) -> None:
        """React to what was just shown: ask the viewer, and watch how long the launch is held."""
        if event.type == "decision.asked" and self._options.ask is not None:
            self._ask_no_more()
            self._asked = asyncio.create_task(self._ask(self._options.ask, event.key))
        elif event.type == "decision.made":
            self._ask_no_more()
        if event.type == "launch.held":
            self._held_since = self._held_since or SystemClock().now()
        elif event.type in {"traffic.seen", "step.done"} and event.data.get("action") != "hold":
            self._held_since = None

    def _ask_no_more(self) -> None:
        if self._asked is not None:
            self._asked.cancel()

    async def _ask(self, ask: Callable[[], Awaitable[Json]], question: str) -> None:
        """Leave the viewer's word for one question, and wake the launch."""
        launch, _, playbill = self._all()
        word = await ask()
        await launch.engine.send(playbill.launch, TOPIC, word, f"decision {question}")
        look: Json = {"id": f"decision {question}", "order": "look"}
        await launch.engine.send(playbill.launch, CONTROL, look, f"look {question}")

    async def _end_a_long_hold(self) -> None:
        if self._held_since is None or SystemClock().now() - self._held_since < HELD_SECONDS:
            return
        launch, plan, playbill = self._all()
        why = f"held for {HELD_SECONDS:g} s, and a demo has nobody to resume it"
        order = Order("too-long", Act.ABORT, "the demo", why)
        with suppress(OutOfSequenceError):  # a person was faster
            await give(launch.url, playbill.launch, order, plan, SystemClock())
        self._held_since = None

    async def _close(self, outcome: str) -> None:
        """Compare with what the users counted, seal the record, verify it as anyone would, and say where it is."""
        launch, plan, playbill = self._all()
        closing = self._closing(launch, plan)
        await closing.send_users_home()
        await launch.trace.stop()
        launch.reserve.give_up()
        await self._show_new()
        record = await closing.tell(playbill.launch, users_met(self._stage))
        await self._look_no_more()
        self._screen.last(outcome, str(record))

    def _closing(self, launch: LocalLaunch, plan: Plan) -> Closing:
        return Closing(self._stage, self._options, self._screen, launch, plan)

    async def _abandon(self, playbill: Playbill, outcome: State, why: str) -> Path | None:
        """End the record of a launch that does not reach its own end, and seal it; nothing when it never opened."""
        closing = await self._end_early(playbill, outcome, why)
        return await closing.keep(playbill.launch, closing.users()) if closing else None

    async def _end_early(self, playbill: Playbill, outcome: State, why: str) -> Closing | None:
        """Send the users home and end the record here; nothing when the launch never opened."""
        home = self._options.home
        if not (launch_folder(home, playbill.launch) / "launch.db").exists():
            return None
        launch, plan = self._prepared or prepare_launch(self._stage, playbill, home)
        closing = self._closing(launch, plan)
        await closing.send_users_home()
        await launch.trace.stop()
        launch.reserve.give_up()
        await launch.store.prepare()
        events = await launch.store.events(playbill.launch)
        if not any(event.type == OPENED for event in events):
            return None
        if not any(event.type == ENDED for event in events):
            launch.time.go_on_from(events[-1])
            record = LaunchRecord(launch.store, playbill.launch, launch.time)
            ending: Json = {"outcome": outcome.value, "text": why, "after": events[-1].key}
            await record.append_once("ended", ENDED, {**ending, **self._left_behind(plan, events)})
        return closing

    def _left_behind(self, plan: Plan, events: list[Event]) -> Json:
        """Where the traffic was and what it had cost, when a launch ends early; only who watched it knows."""
        if self._prepared is None:
            return {}
        outcomes = self._prepared[0].trace.outcomes()
        weight = Course(events[0].data, events).weight
        return {"green_percent": weight, **cost(outcomes, guard_limits(plan).slow_ms)}


def _deserved(kind: str, outcome: str) -> Exit:
    if outcome == DESERVES[kind]:
        return Exit.PASSED
    return Exit.UNKNOWN if outcome == State.ABORTED.value else Exit.FAILED

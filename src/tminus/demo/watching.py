"""A launch on the terminal board: what happens goes to the board, and its plain lines are kept until it has left."""

import asyncio
from collections.abc import Sequence

from tminus.board.live import LiveBoard
from tminus.board.model import Board, board
from tminus.board.waiting import Question
from tminus.demo.screen import Screen
from tminus.domain.plan import Plan
from tminus.domain.record import Event
from tminus.picture.course import Course
from tminus.picture.traffic import Traffic
from tminus.picture.view import Told
from tminus.wiring import LocalLaunch, SystemClock
from tminus.wiring.judging import guard_limits

TICK = 0.05
"""Seconds between two looks whether something is to be drawn."""


class Watching:
    """One launch on one board."""

    def __init__(self, live: LiveBoard, screen: Screen, launch: LocalLaunch, plan: Plan) -> None:
        self._live = live
        self._screen = screen
        self._launch = launch
        self._plan = plan
        self._events: list[Event] = []
        self._traffic = Traffic(guard_limits(plan))
        self._counted = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def shown(self) -> bool:
        """Whether the board is on the screen."""
        return self._live.shown

    def begin(self, events: Sequence[Event]) -> None:
        """Show the board of a launch that has come so far; giving it up cancels the task that calls this."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - only a coroutine has a launch
        self._events = list(events)
        self._screen.hold()
        self._live.show(task.cancel, self._consequence)
        self._task = asyncio.create_task(self._draw())

    def take(self, event: Event) -> None:
        """Something happened."""
        self._events.append(event)
        self._live.changed()

    def look(self) -> None:
        """Go on in plain lines where the board could not be drawn: a launch does not need to be watched."""
        task = self._task
        if task is not None and task.done() and not task.cancelled() and (error := task.exception()):
            self._task = None
            self._leave()
            self._screen.say(f"the board is left, since it cannot be drawn: {error!r}", "yellow")

    async def end(self) -> None:
        """Leave the board, and print what happened meanwhile; nothing when that was done."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._leave()

    def interrupt(self) -> None:
        """Ask before the launch is given up."""
        self._live.interrupt()

    def _consequence(self) -> tuple[str, ...]:
        return consequence(Course(self._events[0].data if self._events else {}, self._events))

    def _leave(self) -> None:
        self._live.leave()
        self._screen.release()

    async def _draw(self) -> None:
        while True:
            if self._events:
                self._live.tick(self._board)
            await asyncio.sleep(TICK)

    def _board(self, question: Question | None) -> Board:
        new = self._launch.trace.items(self._counted)
        self._counted += len(new)
        self._traffic.take(new)
        told = Told(self._events, unbroken=True, plan=self._plan, traffic=self._traffic)
        return board(told, SystemClock().now(), question)


def consequence(course: Course) -> tuple[str, str]:
    """What becomes of the traffic when a demo is given up now."""
    weight = course.weight
    if course.outcome:
        now = "The launch has ended already; its record is being sealed."
    elif course.last("rollback.done") is not None:
        now = "All traffic is back on blue."
    elif not weight:
        now = "No traffic was moved: blue has all of it."
    else:
        now = f"Green has {weight} % of the traffic now."
    return now, "The users are sent home, both sides stop, and the record is sealed as it is."

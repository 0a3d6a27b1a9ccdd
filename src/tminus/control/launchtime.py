"""The two clocks of a launch read together, and how a finished wait moves the launch clock ahead."""

from dataclasses import dataclass

from tminus.control.ports import Clock, Json
from tminus.domain.canonical import instant
from tminus.domain.course import Course
from tminus.domain.record import Event
from tminus.domain.timeline import LaunchClock


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait that somebody's order may end early."""

    since: float
    """When it began, in seconds of the epoch."""
    until: float
    """Where the launch clock is to stand at its end, in seconds from T-0."""


class LaunchTime:
    """Real time and launch time together; waits are the only thing that `speed` shortens."""

    def __init__(self, real: Clock, launch: LaunchClock) -> None:
        self._real = real
        self.launch = launch

    def now(self) -> float:
        """Seconds of the epoch."""
        return self._real.now()

    def read(self) -> float:
        """Seconds from T-0 on the launch clock; it stands while people hold it."""
        return self.launch.read(self._real.now())

    def t_ms(self) -> int | None:
        """The same in milliseconds, as the record has it; none while there is no T-0."""
        return round(self.read() * 1000) if self.launch.dated else None

    async def sleep(self, seconds: float) -> None:
        """Real time passing."""
        await self._real.sleep(seconds)

    def follow(self, course: Course, waited: Wait | None) -> Json:
        """Take over T-0 and its holds from the course, and what a wait has skipped; for `remember` after a crash."""
        now = self.now()
        self.launch.t0, self.launch.stands = course.t0, course.held.since if course.held else None
        if waited is not None and self.launch.dated:
            self.launch.ahead = self.launch.shortened(waited.since, waited.until, now)
        return {"t0": course.t0, "stands": self.launch.stands, "ahead": self.launch.ahead}

    def remember(self, told: Json) -> None:
        """Have the clock stand as an earlier run of the same step left it."""
        t0, stands, ahead = told["t0"], told["stands"], told["ahead"]
        assert isinstance(ahead, int | float)  # noqa: S101 - our own step wrote it
        self.launch.t0 = None if t0 is None else float(str(t0))
        self.launch.stands = None if stands is None else float(str(stands))
        self.launch.ahead = float(ahead)

    def go_on_from(self, last: Event) -> None:
        """Have the launch clock stand where an event left it: for a process that did not see the launch itself."""
        if last.t_ms is not None and self.launch.dated:
            self.launch.ahead += last.t_ms / 1000 - self.launch.read(instant(last.at))

    def jump(self, waited: Json) -> None:
        """Take over what a finished wait skipped."""
        ahead = waited["ahead"]
        assert isinstance(ahead, int | float)  # noqa: S101 - our own step wrote it
        self.launch.ahead = max(self.launch.ahead, float(ahead))

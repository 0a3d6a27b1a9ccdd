"""A sleep of the durable engine ends at its instant, by whatever way the clock comes there."""

from tminus.engine.durable import LONGEST_SLEEP, DurableSteps, Means
from tminus.engine.fence import Fence
from tminus.engine.meter import NoMeter
from tminus.engine.patience import Patience
from tminus.engine.rests import Rests, Whose
from tminus.store.tables import connect

BEGUN = 1_800_000_000.0
HOUR = 3600.0


class SetClock:
    """A clock that somebody sets while one sleeps: by so many seconds at the end of the sleep of this number."""

    def __init__(self, steps: dict[int, float]) -> None:
        self.time = BEGUN
        self.sleeps: list[float] = []
        self._steps = steps

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.time += seconds + self._steps.get(len(self.sleeps), 0.0)


class Woken(NoMeter):
    """Notes how late a sleep has ended."""

    def __init__(self) -> None:
        self.late: list[float] = []

    def woke(self, late: float) -> None:
        self.late.append(late)


async def slept(steps: dict[int, float], seconds: float) -> tuple[SetClock, Woken]:
    clock, woken = SetClock(steps), Woken()
    rests = Rests(connect("sqlite://"), Whose("tminus", "w1"), clock.now, Patience(clock))
    await DurableSteps(Means(clock, Fence(), Patience(clock), woken, rests), "a").sleep_until(BEGUN + seconds)
    return clock, woken


async def test_it_ends_at_its_instant_and_reads_the_clock_again_at_least_every_ten_seconds() -> None:
    clock, woken = await slept({}, 2 * HOUR + 3.0)
    assert clock.time == BEGUN + 2 * HOUR + 3.0
    assert max(clock.sleeps) == LONGEST_SLEEP
    assert woken.late == [0.0]


async def test_a_machine_that_slept_two_hours_over_it_goes_on_at_once() -> None:
    clock, woken = await slept({3: 2 * HOUR}, HOUR)
    assert len(clock.sleeps) == 3
    assert woken.late == [HOUR + 3 * LONGEST_SLEEP]


async def test_a_clock_that_is_set_forward_shortens_it_and_one_that_is_set_back_lengthens_it() -> None:
    for jump in (600.0, -600.0):
        clock, woken = await slept({1: jump}, HOUR)
        assert clock.time == BEGUN + HOUR
        assert sum(clock.sleeps) == HOUR - jump
        assert woken.late == [0.0]


async def test_an_instant_that_is_past_is_not_slept_for_and_nobody_is_called_late_by_it() -> None:
    clock, woken = await slept({}, -HOUR)
    assert clock.sleeps == []
    assert woken.late == []

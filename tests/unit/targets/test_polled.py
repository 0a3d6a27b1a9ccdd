"""The trace of a service that Prometheus counts: what it fetches, keeps through kills, and says when it is blind."""

import asyncio
import errno
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from tminus import files
from tminus.alerting.prometheus import Sample, Series
from tminus.control.ports import Traffic
from tminus.domain.trace import read
from tminus.domain.traffic import Outcome, Side, WeightChange
from tminus.errors import PartError, PlanError, ProbeError, UnreachableError
from tminus.haproxy.tracefile import TraceFile
from tminus.targets.polled import POLL_SECONDS, Counted, PolledTrace, source
from tminus.testing import FakeClock

EVERY = 5.0
COUNTED = Counted(
    'http_requests_total{service="api-${side}"}', "code", 'http_seconds_bucket{service="api-${side}"}'
)
ADDRESS = "http://reader:hidden@prom.test:9090"
_RANGE = re.compile(r"\[(\d+)(ms|s)\]")


class Killed(BaseException):
    """The process ends here."""


class FakePrometheus:
    """Pods whose counters are scraped as time passes, and the queries that are asked of them."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.error: Exception | None = None
        self.skew = 0.0
        self.remembers = True
        self.counters: dict[tuple[str, str, str, str], float] = {}
        self.pods: dict[tuple[str, str], float] = {}
        """By side and name of each pod that is scraped: when it is the next time."""
        self.samples: dict[tuple[str, str, str, str], list[tuple[float, float]]] = {}
        self.asked: list[str] = []
        self.open = 0

    def serve(self, side: str, pod: str = "a", *, buckets: bool = True, **statuses: int) -> None:
        """Let a pod answer so many requests of each status."""
        for status, many in statuses.items():
            self._add(("http_requests_total", side, pod, status.removeprefix("s")), many)
            for bound in ("0.1", "1", "+Inf") if buckets else ():
                self._add(("http_seconds_bucket", side, pod, bound), many)

    def scrape_from(self, side: str, pod: str, at: float) -> None:
        self.pods[side, pod] = at

    def _add(self, key: tuple[str, str, str, str], many: int) -> None:
        self.counters[key] = self.counters.get(key, 0.0) + many

    async def run(self, seconds: float, each: Callable[[], None] = lambda: None) -> None:
        """Let time pass, with `each` ten times a second."""
        for _ in range(round(seconds * 10)):
            await self.clock.sleep(0.1)
            each()
            for (side, pod), due in list(self.pods.items()):
                if self.clock.now() >= due:
                    self.pods[side, pod] = due + EVERY
                    for key, value in self.counters.items():
                        if key[1:3] == (side, pod):
                            self.samples.setdefault(key, []).append((due, value))

    async def now(self) -> float:
        if self.error:
            raise self.error
        return self.clock.now() + self.skew

    async def query(self, expression: str, at: float | None = None) -> list[Sample]:
        self.asked.append(expression)
        assert at is not None
        if expression == "count(up)":
            return [Sample({}, 1.0)] if self.remembers else []
        found = self._within(expression, at)
        if expression.startswith("last_over_time"):
            return [Sample(one.labels, one.points[-1][1]) for one in found]
        assert expression.startswith("sum(count_over_time")
        return [Sample({}, float(sum(len(one.points) for one in found)))]

    async def raw(self, selector: str, at: float) -> list[Series]:
        self.asked.append(selector)
        return self._within(selector, at)

    def _within(self, text: str, at: float) -> list[Series]:
        length = _RANGE.search(text)
        assert length
        begin = at - float(length[1]) / (1000 if length[2] == "ms" else 1)
        found = []
        for (name, side, pod, label), points in self.samples.items():
            some = tuple(point for point in points if begin < point[0] <= at)
            if some and f'{name}{{service="api-{side}"}}' in text:
                labels = {"__name__": name, "pod": pod, "code" if name.endswith("total") else "le": label}
                found.append(Series({key: value for key, value in labels.items() if value}, some))
        return found

    @asynccontextmanager
    async def asking(self, address: str) -> AsyncIterator["FakePrometheus"]:
        assert address == ADDRESS
        self.open += 1
        try:
            yield self
        finally:
            self.open -= 1


class World:
    """Blue and green with one pod each, and the trace of both."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock(patience=50_000)
        self.prometheus = FakePrometheus(self.clock)
        self.folder = folder
        for side, offset in (("blue", 1.0), ("green", 3.3)):
            self.prometheus.scrape_from(side, "a", self.clock.now() + offset)
        self.prometheus.serve("blue", s200=1000, s500=7)

    def trace(self, name: str = "trace") -> PolledTrace:
        return PolledTrace(self.folder / name, ADDRESS, COUNTED, self.clock, self.prometheus.asking)

    def users(self) -> None:
        self.prometheus.serve("blue", s200=2)
        self.prometheus.serve("green", s200=1)

    async def watched(self, trace: PolledTrace, seconds: float, *, users: bool = True) -> None:
        for _ in range(round(seconds)):
            await self.prometheus.run(1.0, self.users if users else lambda: None)
            await trace.poll()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def everything(trace: PolledTrace) -> list[Outcome | WeightChange]:
    return list(trace._kept.trace.all())


def counts(trace: PolledTrace) -> dict[tuple[str, int], int]:
    found = [item for item in everything(trace) if isinstance(item, Outcome)]
    return dict(Counter((str(one.side), one.status) for one in found))


async def test_every_request_is_counted_once_and_the_first_errors_of_a_new_pod_too(world: World) -> None:
    await world.prometheus.run(20)
    trace = world.trace()
    typed: Traffic = trace
    assert trace.delay() == 0.0
    assert typed.blindness() == "http://prom.test:9090 has not been asked yet"
    trace.begin(world.clock.now())
    await world.watched(trace, 20, users=False)
    assert trace.blindness() == ""
    assert counts(trace) == {}, "what was counted before is not the launch's"
    world.prometheus.serve("blue", s200=30, s503=2)
    world.prometheus.serve("green", s200=4, s500=1)
    world.prometheus.serve("green", "b", s500=3)
    world.prometheus.scrape_from("green", "b", world.clock.now() + 2)
    await world.watched(trace, 20, users=False)
    assert counts(trace) == {
        ("blue", 200): 30,
        ("blue", 503): 2,
        ("green", 200): 4,
        ("green", 500): 4,
    }
    assert (trace.received(), trace.lost(), trace.refused()) == (40, 0, 0)
    assert trace.delay() == EVERY + POLL_SECONDS
    assert trace.items(39) == everything(trace)[39:]
    await world.watched(trace, 62, users=False)
    assert trace.received() == 0


async def test_a_counter_that_began_anew_counts_what_it_says(world: World) -> None:
    trace = world.trace()
    await world.watched(trace, 12, users=False)
    for key in list(world.prometheus.counters):
        world.prometheus.counters[key] = 0.0
    world.prometheus.serve("blue", s200=5)
    await world.watched(trace, 12, users=False)
    found = counts(trace)
    assert found["blue", 200] == 1000 + 5, "it appeared after the first look, and began anew"


async def test_the_items_come_in_order_and_the_newest_is_no_older_than_the_delay(world: World) -> None:
    await world.prometheus.run(20, world.users)
    trace = world.trace()
    for _ in range(60):
        await world.watched(trace, 1)
        outcomes = [item for item in everything(trace) if isinstance(item, Outcome)]
        if trace.delay() and outcomes:
            assert world.clock.now() - outcomes[-1].at <= trace.delay() + 0.2
    ats = [item.at for item in everything(trace)]
    assert ats == sorted(ats)


async def test_a_weight_stands_at_once_and_requests_of_its_interval_lie_before_it(world: World) -> None:
    await world.prometheus.run(20, world.users)
    trace = world.trace()
    await world.watched(trace, 22)
    change = WeightChange(world.clock.now(), 10)
    trace.note_weight(change)
    assert everything(trace)[-1] == change
    await world.watched(trace, 20)
    outcomes = [item for item in everything(trace) if isinstance(item, Outcome)]
    assert not [one for one in outcomes if change.at <= one.at < change.at + 0.5]
    assert [one for one in outcomes if change.at - 0.5 < one.at < change.at]
    assert [one for one in outcomes if one.at > change.at + 5]


EDGES = ("before all", "within a line", "before the state", "instead of the state", "after all")
"""Every moment at which a process may be killed while it writes."""


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, edge: str) -> Iterator[None]:
    """The process is killed there; items must be written for it, not the state alone."""
    write = TraceFile.write
    due: list[bool] = []

    def written(self: TraceFile, items: list[Outcome | WeightChange]) -> None:
        due[:] = [bool(items)]
        if items and edge == "before all":
            raise Killed
        write(self, items)
        if items and edge == "within a line":
            self._file.write_bytes(self._file.read_bytes()[:-5])
        if items and edge in {"within a line", "before the state"}:
            raise Killed

    def replaced(path: Path, chunks: list[bytes]) -> None:
        if due[0] and edge == "instead of the state":
            raise Killed
        files.replace(path, chunks)
        if due[0]:
            raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):  # noqa: PT012 - whatever is done within
        patch.setattr(TraceFile, "write", written)
        patch.setattr("tminus.targets.polled.kept.replace", replaced)
        yield


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("away", [0, 47])
async def test_a_kill_at_any_moment_neither_loses_a_request_nor_counts_it_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, edge: str, away: int
) -> None:
    await world.prometheus.run(20, world.users)
    trace, whole = world.trace(), world.trace("whole")
    for one in (trace, whole):
        one.begin(world.clock.now())
    for _ in range(4):
        with dying(monkeypatch, edge):
            await world.watched(trace, 60)
        before = everything(trace)
        trace = world.trace()
        again = everything(trace)
        assert again == before[: len(again)]
        await world.prometheus.run(away, world.users)
        await world.watched(trace, 3)
    await world.watched(trace, 15)
    await whole.poll()
    assert everything(trace) == everything(whole)
    assert len(everything(trace)) > 500
    assert list(read((world.folder / "trace").read_text().splitlines())) == everything(trace)


async def test_a_weight_that_was_noted_survives_a_kill(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trace = world.trace()
    await world.watched(trace, 20)
    change = WeightChange(world.clock.now(), 25)
    trace.note_weight(change)
    with dying(monkeypatch, "before the state"):
        await world.watched(trace, 10)
    again = world.trace()
    assert change in again.items(0)
    await world.watched(again, 20)
    assert everything(again).count(change) == 1


async def test_weights_that_another_machine_set_meanwhile_are_noted_once(world: World) -> None:
    await world.prometheus.run(20, world.users)
    trace = world.trace()
    trace.begin(world.clock.now())
    await world.watched(trace, 12)
    first = WeightChange(world.clock.now(), 10)
    trace.note_weight(first)
    await world.watched(trace, 12)
    # In the record the same weight stands a moment later.
    recorded = [WeightChange(first.at + 0.2, 10), WeightChange(world.clock.now(), 50)]
    for _ in range(2):
        again = world.trace()
        again.begin(world.clock.now(), recorded)
        noted = [item.percent for item in everything(again) if isinstance(item, WeightChange)]
        assert noted == [10, 50]


async def test_on_another_machine_the_trace_becomes_the_same(world: World) -> None:
    await world.prometheus.run(20, world.users)
    since = world.clock.now()
    trace = world.trace()
    trace.begin(since)
    changes = []
    for percent in (10, 25):
        await world.watched(trace, 23.0)
        changes.append(WeightChange(world.clock.now(), percent))
        trace.note_weight(changes[-1])
        world.prometheus.serve("green", "b", s500=1)
        world.prometheus.scrape_from("green", "b", world.clock.now() + 1)
    await world.watched(trace, 30)
    other = world.trace("other")
    other.begin(since, changes)
    await other.poll()
    first, second = everything(trace), everything(other)
    assert [one for one in first if isinstance(one, Outcome)] == [
        one for one in second if isinstance(one, Outcome)
    ]
    assert [one.at for one in second] == sorted(one.at for one in second)
    assert [one for one in second if isinstance(one, WeightChange)] == changes
    other.begin(0.0, [])
    assert other._scrapes is not None
    assert other._scrapes.since == since, "what the file holds stands"


async def test_a_long_absence_is_fetched_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MOST_SAMPLES", 500)
    await world.prometheus.run(20, world.users)
    trace, whole = world.trace(), world.trace("whole")
    for one in (trace, whole):
        one.begin(world.clock.now())
    await world.watched(trace, 20)
    await world.prometheus.run(1800, world.users)
    again = world.trace()
    assert again.blindness() != ""
    world.prometheus.asked.clear()
    await again.poll()
    parts = sum(text.startswith("http_requests_total") for text in world.prometheus.asked) // 2
    assert parts > 5
    assert again.blindness() == ""
    monkeypatch.setattr(source, "MOST_SAMPLES", 10**9)
    await whole.poll()
    assert everything(again) == everything(whole)
    assert len(everything(again)) > 50_000


async def test_a_prometheus_that_does_not_answer_is_told_and_nothing_is_lost(world: World) -> None:
    await world.prometheus.run(20, world.users)
    trace = world.trace()
    await trace.start()
    await world.prometheus.run(20, world.users)
    assert trace.blindness() == ""
    world.prometheus.error = UnreachableError("GET http://prom.test:9090: refused", hint="look")
    await world.prometheus.run(40, world.users)
    told = trace.blindness()
    assert re.match(r"http://prom.test:9090 gives no samples since 20\d\d-.*Z: GET .*: refused$", told)
    assert "hidden" not in told
    world.prometheus.error = None
    await world.prometheus.run(20, world.users)
    assert trace.blindness() == ""
    await trace.stop()
    assert world.prometheus.open == 0
    whole = world.trace("whole")
    assert trace._scrapes
    whole.begin(trace._scrapes.since)
    await whole.poll()
    assert everything(whole)[: len(everything(trace))] == everything(trace)
    assert len(everything(trace)) > 1500


async def test_any_other_error_ends_the_task_and_blinds_in_words(world: World) -> None:
    trace = world.trace()
    await trace.start()
    world.prometheus.error = ValueError("a fault of ours")
    await world.prometheus.run(3)
    assert "a defect of tminus: ValueError: a fault of ours" in trace.blindness()
    assert trace.items(0) == [], "what was taken is still there to be judged"
    await trace.stop()
    assert world.prometheus.open == 0


async def test_a_stop_while_prometheus_is_silent_ends_the_task_and_its_session(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()

    async def silent() -> float:
        asked.set()
        await asyncio.Event().wait()
        return 0.0

    monkeypatch.setattr(world.prometheus, "now", silent)
    trace = world.trace()
    await trace.start()
    await asked.wait()
    assert world.prometheus.open == 1
    await trace.stop()
    assert world.prometheus.open == 0
    assert trace.items(0) == []


async def test_a_clock_that_differs_is_told(world: World) -> None:
    trace = world.trace()
    await world.watched(trace, 12)
    world.prometheus.skew = -2.5
    await trace.poll()
    assert "the clock of http://prom.test:9090 is -2.5 s from ours" in trace.blindness()
    world.prometheus.skew = 1.0
    await trace.poll()
    assert trace.blindness() == ""


async def test_what_is_not_scraped_any_more_is_told_with_its_age_and_what_is_usual(world: World) -> None:
    trace = world.trace()
    await world.watched(trace, 20)
    del world.prometheus.pods["blue", "a"]
    await world.watched(trace, 8)
    assert trace.blindness() == ""
    await world.watched(trace, 8)
    assert re.fullmatch(
        r"the newest sample of the requests of blue is \d\d\.\d s old; they are scraped every 5 s",
        trace.blindness(),
    )
    assert (
        len([one for one in everything(trace) if isinstance(one, Outcome) and one.side is Side.GREEN]) > 200
    )
    world.prometheus.scrape_from("blue", "a", world.clock.now() + 1)
    await world.watched(trace, 6)
    assert trace.blindness() == "", "its counters went on, so nothing is lost"


async def test_a_counter_that_ended_while_nobody_scraped_is_told(world: World) -> None:
    trace = world.trace()
    await world.watched(trace, 20)
    del world.prometheus.pods["blue", "a"]
    await world.watched(trace, 30)
    world.prometheus.serve("blue", "b", s200=3)
    world.prometheus.scrape_from("blue", "b", world.clock.now())
    await world.watched(trace, 3)
    assert re.match(
        r"not all requests between 20.*Z and 20.*Z were seen: a counter of blue", trace.blindness()
    )
    await world.watched(trace, 65)
    assert trace.blindness() == ""


async def test_green_is_missed_once_it_gets_requests_or_was_there(world: World) -> None:
    world.prometheus.pods.pop(("green", "a"))
    trace = world.trace()
    await world.watched(trace, 20)
    assert trace.blindness() == ""
    trace.note_weight(WeightChange(world.clock.now(), 0))
    await world.watched(trace, 20)
    assert trace.blindness() == ""
    trace.note_weight(WeightChange(world.clock.now(), 5))
    await world.watched(trace, 12)
    assert trace.blindness() == ""
    await world.watched(trace, 5)
    assert trace.blindness() == (
        'requests of green: nothing matches http_requests_total{service="api-green"}'
    )
    world.prometheus.scrape_from("green", "a", world.clock.now())
    await world.watched(trace, 5)
    assert trace.blindness() == ""
    del world.prometheus.pods["green", "a"]
    await world.watched(trace, 20)
    assert "the newest sample of the requests of green is" in trace.blindness()
    trace.note_weight(WeightChange(world.clock.now(), 0))
    assert trace.blindness() == "", "a side without a share may be stopped"


async def test_blue_may_end_once_green_has_all_requests(world: World) -> None:
    trace = world.trace()
    await world.watched(trace, 12)
    trace.note_weight(WeightChange(world.clock.now(), 50))
    del world.prometheus.pods["blue", "a"]
    await world.watched(trace, 20)
    assert "the newest sample of the requests of blue is" in trace.blindness()
    trace.note_weight(WeightChange(world.clock.now(), 100))
    await world.watched(trace, 65)
    assert trace.blindness() == ""


async def test_nothing_of_blue_is_told_at_once(world: World) -> None:
    world.prometheus.pods.clear()
    trace = world.trace()
    await trace.poll()
    assert trace.blindness() == 'requests of blue: nothing matches http_requests_total{service="api-blue"}'


async def test_a_missing_label_and_missing_buckets_are_told(world: World) -> None:
    world.prometheus.counters.clear()
    world.prometheus.serve("blue", buckets=False, s=3)
    trace = world.trace()
    await world.watched(trace, 8, users=False)
    assert trace.blindness() == (
        'requests of blue: no series of http_requests_total{service="api-blue"} has the label code'
    )
    assert counts(trace) == {}, "who failed cannot be told"
    world.prometheus.serve("blue", buckets=False, s200=3)
    await world.watched(trace, 6, users=False)
    assert trace.blindness() == (
        'latencies of blue: no bucket matches http_seconds_bucket{service="api-blue"}'
    )
    world.prometheus.serve("blue", s200=3)
    await world.watched(trace, 6, users=False)
    assert trace.blindness() == ""


async def test_buckets_that_are_not_scraped_any_more_are_told(world: World) -> None:
    trace = world.trace()
    await world.watched(trace, 12)
    for key in [key for key in world.prometheus.counters if key[0] == "http_seconds_bucket"]:
        del world.prometheus.counters[key]
    await world.watched(trace, 20, users=False)
    assert "the newest sample of the latencies of blue is" in trace.blindness()


async def test_what_prometheus_does_not_remember_is_told_and_never_counted_from_zero(world: World) -> None:
    trace = world.trace()
    trace.begin(world.clock.now())
    await world.prometheus.run(400)
    world.prometheus.samples.clear()
    await world.prometheus.run(10)
    world.prometheus.remembers = False
    await world.watched(trace, 10, users=False)
    assert counts(trace) == {}
    assert "Prometheus remembers nothing of then" in trace.blindness()
    await world.watched(trace, 60, users=False)
    assert trace.blindness() == ""


async def test_an_old_counter_that_is_new_is_told_and_left_out(world: World) -> None:
    trace = world.trace()
    await world.watched(trace, 12)
    trace.note_weight(WeightChange(world.clock.now(), 5))
    world.prometheus.serve("green", "b", s200=123_456_789)
    world.prometheus.scrape_from("green", "b", world.clock.now())
    await world.watched(trace, 3)
    assert "one scrape of green counts 123,456,789 new requests" in trace.blindness()
    await world.watched(trace, 65)
    assert trace.blindness() == ""


@pytest.mark.parametrize("what", ["trace", "state"])
async def test_a_full_disk_blinds_and_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    await world.prometheus.run(20, world.users)
    trace, whole = world.trace(), world.trace("whole")
    for one in (trace, whole):
        one.begin(world.clock.now())
    await world.watched(trace, 12)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        if what == "trace":
            patch.setattr("tminus.haproxy.tracefile.append", full)
        else:
            patch.setattr("tminus.targets.polled.kept.replace", full)
        await world.watched(trace, 12)
        assert trace.blindness() == "the trace cannot be written: No space left on device"
    await world.watched(trace, 1)
    assert trace.blindness() == ""
    await whole.poll()
    again = world.trace()
    assert everything(again) == everything(trace) == everything(whole)


async def test_files_that_do_not_fit_are_refused(world: World) -> None:
    trace = world.trace()
    await world.watched(trace, 12)
    file, state = world.folder / "trace", world.folder / "trace.state"
    good = state.read_bytes()
    other = Counted(COUNTED.requests, "status", COUNTED.buckets)
    with pytest.raises(PartError, match="counts by other selectors"):
        PolledTrace(file, ADDRESS, other, world.clock, world.prometheus.asking)

    def with_changes(**changed: object) -> bytes:
        data: Mapping[str, object] = json.loads(good)
        return json.dumps({**data, **changed}).encode()

    for text, why in (
        (b"{", "cannot be read"),
        (b"[]", "cannot be read"),
        (with_changes(scrapes={}), "cannot be read"),
        (with_changes(items=10**6), "items of 1000000"),
    ):
        state.write_bytes(text)
        with pytest.raises(PartError, match=why):
            world.trace()
    state.unlink()
    with pytest.raises(PartError, match="is missing beside its trace"):
        world.trace()


def test_selectors_that_are_the_same_for_both_sides_are_refused() -> None:
    with pytest.raises(PlanError, match="the same for blue and green"):
        Counted("http_requests_total", "code", COUNTED.buckets)
    named = Counted("a_${side}", "code", "b_${side}", {Side.BLUE: "x", Side.GREEN: "y"})
    assert (named.requests_of(Side.BLUE), named.buckets_of(Side.GREEN)) == ("a_x", "b_y")


async def test_an_answer_that_is_refused_is_raised_by_a_single_look(world: World) -> None:
    world.prometheus.error = UnreachableError("nobody is there", hint="look")
    with pytest.raises(ProbeError):
        await world.trace().poll()
    assert world.prometheus.open == 0


def test_a_trace_file_is_cut_behind_any_of_its_items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tminus.haproxy.tracefile.STRIDE", 4)
    items: list[Outcome | WeightChange] = [
        Outcome(float(number), Side.BLUE, 200, 1.0, "", number) for number in range(30)
    ]
    for keep in (30, 31, 17, 16, 1, 0):
        trace = TraceFile(tmp_path / str(keep))
        for item in items:
            trace.write([item])
        trace.cut(keep)
        assert list(trace.all()) == items[:keep]
        trace.write([items[-1]])
        assert list(TraceFile(tmp_path / str(keep)).all()) == [*items[:keep], items[-1]]

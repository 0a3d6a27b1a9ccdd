"""When an end is timed: by the date that the launch had, also where that end took the date away."""

from pathlib import Path

from tminus.control.launchtime import LaunchTime
from tminus.control.ports import Json
from tminus.domain.canonical import timestamp
from tminus.domain.course import Course
from tminus.domain.timeline import LaunchClock
from tminus.store import RecordStore, connect
from tminus.testing import FakeClock
from tminus.wiring import LaunchRecord

T0 = 1_800_000_000.0

OPENED: Json = {
    "launch": "depot-1",
    "plan": {"digest": "ab" * 32},
    "schedule": {"t0": timestamp(T0), "speed": 1},
}


def allowed(_: Course) -> None:
    """Anything may be written."""


async def test_a_no_go_ends_when_it_was_decided_and_not_at_t_zero(tmp_path: Path) -> None:
    clock = FakeClock(T0 + 3)
    store = RecordStore(connect(f"sqlite:///{tmp_path / 'launch.db'}"))
    await store.prepare()
    record = LaunchRecord(store, "depot-1", LaunchTime(clock, LaunchClock(T0, 1)))
    await record.append_once("opened", "launch.opened", OPENED)
    decided: Json = {"decision": "no-go", "by": "Lena Ortiz", "reason": "the change window is frozen"}
    await record.append_while(allowed, "decided", "decision.made", decided)
    await clock.sleep(1)
    ended = await record.append_while(allowed, "ended", "launch.ended", {"outcome": "no-go"})
    assert [event.t_ms for event in await record.events()] == [3000, 3000, 4000]
    assert ended.t_ms == 4000


async def test_what_happens_while_there_is_no_date_has_no_time_from_it(tmp_path: Path) -> None:
    store = RecordStore(connect(f"sqlite:///{tmp_path / 'launch.db'}"))
    await store.prepare()
    record = LaunchRecord(store, "depot-1", LaunchTime(FakeClock(T0 + 3), LaunchClock(T0, 1)))
    await record.append_once("opened", "launch.opened", OPENED)
    await record.append_while(allowed, "decided", "decision.made", {"decision": "no-go"})
    told: Json = {"roles": ["lead"], "channel": "mail", "notice": "late", "receipt": "250"}
    assert (await record.append_while(allowed, "told", "notice.told", told)).t_ms is None

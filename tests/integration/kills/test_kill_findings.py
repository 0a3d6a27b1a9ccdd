"""The kill test sees what it is there to see: each way to go wrong is found in a story that is told otherwise."""

from dataclasses import replace
from typing import Any

import pytest
from kill_findings import Story, faults, with_users

from tminus.domain.record import CHECKPOINT, ENDED, NO_LINE, OPENED, Event


def event(seq: int, kind: str, key: str, **data: Any) -> Event:
    return Event(seq, NO_LINE, f"2026-01-01T00:00:0{seq}.000Z", seq * 1000, kind, key, data)


def did(moment: str, step: str, at: float, result: Any = None, life: str = "0") -> dict[str, Any]:
    return {"moment": moment, "step": step, "at": at, "result": result, "life": life}


def call(effect: str, *, changed: bool = True, began: float = 1.0) -> dict[str, Any]:
    return {"effect": effect, "step": effect, "asked": {}, "changed": changed, "began": began}


SIDE = {"digest": "sha256:1", "running": True, "up": True, "started": 1.0}
EVENTS = [
    event(0, OPENED, "opened"),
    event(1, "milestone.reached", "milestone:T-2h", milestone="T-2h"),
    event(2, ENDED, "ended", outcome="landed"),
    event(3, CHECKPOINT, "checkpoint@3"),
]
DIARY = [
    did("begun", "turn 0", 0.9),
    did("after", "turn 0", 1.0, {"due": "nothing", "until": 5.0}),
    did("before", "receive control", 1.5),
    did("after", "receive control", 5.2, {"message": None}),
    did("begun", "end", 6.0),
    did("after", "end", 7.0, {}),
]
STATE = {"sides": {"blue": SIDE}, "weight": 0, "backups": {"one": "0001"}}
CLEAN = Story(DIARY, {"state": STATE, "calls": [call("migrate")]}, EVENTS)


def told(**changes: Any) -> list[str]:
    return faults(replace(CLEAN, **changes), CLEAN)


def test_the_same_story_has_no_faults_and_a_call_that_changed_nothing_is_none() -> None:
    assert told() == []
    assert told(world={"state": STATE, "calls": [call("migrate"), call("migrate", changed=False)]}) == []


@pytest.mark.parametrize(
    ("calls", "found"),
    [
        ([call("migrate"), call("migrate")], "[migrate] migrate: applied 2 times, not 1"),
        ([], "[migrate] migrate: applied 0 times, not 1"),
        ([call("migrate", began=8.0)], "[migrate] migrate was asked for after the end"),
    ],
)
def test_an_effect_that_is_doubled_missing_or_too_late_is_found(calls: list[Any], found: str) -> None:
    assert told(world={"state": STATE, "calls": calls}) == [found]


def test_users_that_are_left_on_a_bad_release_are_found() -> None:
    ended = [*EVENTS[:2], event(2, ENDED, "ended", outcome="rolled-back"), EVENTS[3]]
    state = {**STATE, "weight": 20}
    clean = replace(CLEAN, events=ended, world={"state": state, "calls": [call("migrate")]})
    assert faults(clean, clean) == ["users are left on a bad release: green has 20 %"], (
        "whatever the clean one left"
    )


def test_the_time_is_counted_for_which_nobody_watched_users_on_green() -> None:
    calls = [
        {**call("set_weight"), "asked": {"percent": str(percent)}, "at": at}
        for at, percent in ((10.0, 20), (20.0, 50), (30.0, 0), (40.0, 20))
    ]
    story = replace(CLEAN, world={"state": STATE, "calls": [call("migrate"), *calls]})
    spans = [(5.0, 11.0), (18.0, 22.0), (31.0, 39.0), (39.0, 41.0)]
    assert with_users(story, spans) == 1.0 + 4.0 + 0.0 + 1.0
    assert with_users(CLEAN, spans) == 0.0


def test_a_world_that_is_left_otherwise_is_found() -> None:
    state = {**STATE, "weight": 50, "sides": {"blue": {**SIDE, "running": False}}}
    assert told(world={"state": state, "calls": [call("migrate")]}) == [
        "the world's weight: 50, not 0",
        "blue is left with running False, not True",
    ]


def test_a_lost_milestone_another_ending_and_a_clock_that_goes_back_are_found() -> None:
    assert "milestones [], not ['T-2h']" in told(events=[EVENTS[0], *EVENTS[2:]])
    other = replace(EVENTS[2], data={"outcome": "aborted"})
    assert told(events=[*EVENTS[:2], other, EVENTS[3]]) == ["it ended aborted, not landed"]
    back = replace(EVENTS[3], t_ms=-5)
    (found,) = told(events=[*EVENTS[:3], back])
    assert found.startswith("time goes back at checkpoint@3: from 2000 to -5")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (
            did("begun", "turn 0", 8.0, life="1"),
            "turn 0 was finished, and was begun again by life 1",
        ),
        (did("begun", "another", 8.0, life="1"), "another was begun after the end by life 1"),
        (
            did("after", "turn 0", 8.0, {"due": "nothing", "until": 9.0}, "1"),
            "turn 0 gave {'due': 'nothing', 'until': 5.0}, and {'due': 'nothing', 'until': 9.0} to life 1",
        ),
    ],
)
def test_a_step_that_is_repeated_comes_too_late_or_is_forgotten_is_found(line: Any, found: str) -> None:
    assert found in told(diary=[*DIARY, line])


def test_a_wait_that_is_shortened_is_found() -> None:
    early = [*DIARY[:3], did("after", "receive control", 4.0, {"message": None}), *DIARY[4:]]
    assert told(diary=early) == ["the wait of turn 0 was over 1.000 s before its time"]


def test_a_launch_that_never_waits_is_found() -> None:
    assert told(diary=DIARY[4:]) == ["it never waited for anything"]

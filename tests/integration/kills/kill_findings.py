"""What is wrong with a launch that was killed, beside one that nobody disturbed."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tminus.domain.record import CHECKPOINT, ENDED, Event, decode
from tminus.errors import TminusError
from tminus.signing import load_trust, trust_path, verify_file

Line = dict[str, Any]

REACHED = "milestone.reached"
WAITED = "receive control"
"""Where a launch waits: for the next thing that is due, or for somebody's order."""
FREE = ("seen:", "hold:", "checkpoint@")
"""How keys of events begin that come as often as the guard had to look, and of the one that counts them all."""


@dataclass(frozen=True, slots=True)
class Story:
    """All that is left of one launch."""

    diary: list[Line]
    """What its processes did, each line whole and in order."""
    world: Line
    """How the world stands at the end, and every call that may have changed it."""
    events: list[Event]
    faults: list[str] = field(default_factory=list)
    """What is wrong already: the record that does not verify, a process that ended by itself."""

    @property
    def outcome(self) -> str:
        """How it ended."""
        ended = [str(event.data["outcome"]) for event in self.events if event.type == ENDED]
        return ended[0] if len(ended) == 1 else f"ended {len(ended)} times"

    @property
    def boundaries(self) -> list[str]:
        """Every boundary that was reached, in order, each once."""
        told = (
            f"{line['moment']} {line['step']}"
            for line in self.diary
            if line["moment"] in {"begun", "acted", "after", "life"}
        )
        return list(dict.fromkeys(told))

    @property
    def milestones(self) -> list[str]:
        """Which milestones were reached, in the record's order."""
        return [str(event.data["milestone"]) for event in self.events if event.type == REACHED]

    @property
    def effects(self) -> Counter[str]:
        """How often each effect on the world changed it, by the step it belongs to."""
        return Counter(_named(call) for call in self.world["calls"] if call["changed"])

    @property
    def repeated(self) -> int:
        """Calls that were made again and changed nothing."""
        return len(self.world["calls"]) - sum(self.effects.values())

    @property
    def lateness(self) -> list[float]:
        """For each wait: how many seconds after its end, or after the process that took it up, it was over."""
        return [late for _, late in _waits(self.diary)]


def told(folder: Path, home: Path, world: Line) -> Story:
    """The story of a launch from what is left of it."""
    diary = [json.loads(line) for line in (folder / "diary.jsonl").read_bytes().splitlines()]
    record = folder / "record.jsonl"
    if not record.exists():
        return Story(diary, world, [], ["no record was sealed"])
    lines = record.read_bytes().splitlines(keepends=True)
    events = [decode(number, line) for number, line in enumerate(lines, 1)]
    faults: list[str] = []
    try:
        report = verify_file(record, load_trust(trust_path(home)))
        if not report.trusted:
            faults.append("the record is signed by keys that nobody knows")
    except TminusError as error:
        faults.append(f"the record does not verify: {error}")
    return Story(diary, world, events, faults)


def with_users(story: Story, spans: Sequence[tuple[float, float]]) -> float:
    """For how many seconds of these spans green had a share of the traffic."""
    calls = [call for call in story.world["calls"] if call["effect"] == "set_weight"]
    changes = [(float(call["at"]), int(call["asked"]["percent"])) for call in calls]
    ends = [*(at for at, _ in changes[1:]), float("inf")]
    return sum(
        max(0.0, min(until, end) - max(since, at))
        for (at, percent), end in zip(changes, ends, strict=False)
        if percent
        for since, until in spans
    )


def faults(story: Story, clean: Story) -> list[str]:
    """Everything that a killed launch did otherwise than the undisturbed one; nothing when all is well."""
    if not story.events:
        return story.faults
    return [
        *story.faults,
        *_ending(story, clean),
        *_milestones(story, clean),
        *_record(story, clean),
        *_effects(story, clean),
        *_steps(story.diary),
        *_deadlines(story.diary),
    ]


def _ending(story: Story, clean: Story) -> Iterator[str]:
    if story.outcome != clean.outcome:
        yield f"it ended {story.outcome}, not {clean.outcome}"
    if story.outcome == "rolled-back" and story.world["state"]["weight"]:
        yield f"users are left on a bad release: green has {story.world['state']['weight']} %"
    left, meant = _settled(story.world["state"]), _settled(clean.world["state"])
    for name in meant:
        if left[name] != meant[name]:
            yield f"the world's {name}: {left[name]}, not {meant[name]}"
    for side, there in clean.world["state"]["sides"].items():
        here = story.world["state"]["sides"][side]
        for what in ("digest", "running", "up"):
            if here[what] != there[what]:
                yield f"{side} is left with {what} {here[what]}, not {there[what]}"


def _settled(state: Line) -> Line:
    """The state without what depends on the instant: a side's start, and the names of backups, which tell when."""
    rest = {name: value for name, value in state.items() if name != "sides"}
    return {**rest, "backups": sorted(state["backups"].values())}


def _milestones(story: Story, clean: Story) -> Iterator[str]:
    if story.milestones != clean.milestones:
        yield f"milestones {story.milestones}, not {clean.milestones}"


def _record(story: Story, clean: Story) -> Iterator[str]:
    here, there = ({e.key for e in s.events if not e.key.startswith(FREE)} for s in (story, clean))
    if here != there:
        yield f"the record lacks {sorted(there - here)} and has {sorted(here - there)} too many"
    if (seals := sum(event.type == CHECKPOINT for event in story.events)) != 1:
        yield f"the record is sealed {seals} times"
    before = story.events[0]
    for event in story.events[1:]:
        if (event.t_ms or 0) < (before.t_ms or 0) or event.at < before.at:
            yield f"time goes back at {event.key}: from {before.t_ms} to {event.t_ms}, {before.at} to {event.at}"
        before = event


def _effects(story: Story, clean: Story) -> Iterator[str]:
    for effect in sorted(story.effects.keys() | clean.effects.keys()):
        if story.effects[effect] != clean.effects[effect]:
            yield f"{effect}: applied {story.effects[effect]} times, not {clean.effects[effect]}"
    ended = [line["at"] for line in story.diary if (line["moment"], line["step"]) == ("after", "end")]
    for call in story.world["calls"]:
        if ended and call["began"] > ended[0]:
            yield f"{_named(call)} was asked for after the end"


def _steps(diary: list[Line]) -> Iterator[str]:
    results: dict[str, Any] = {}
    for line in diary:
        step, moment = line["step"], line["moment"]
        if moment == "begun" and step in results:
            yield f"{step} was finished, and was begun again by life {line['life']}"
        if moment == "begun" and "end" in results:
            yield f"{step} was begun after the end by life {line['life']}"
        if moment == "after" and results.setdefault(step, line["result"]) != line["result"]:
            yield f"{step} gave {results[step]}, and {line['result']} to life {line['life']}"


def _deadlines(diary: list[Line]) -> Iterator[str]:
    waits = dict(_waits(diary))
    for turn, late in waits.items():
        if late < -0.002:
            yield f"the wait of {turn} was over {-late:.3f} s before its time"
    if not waits:
        yield "it never waited for anything"


def _waits(diary: list[Line]) -> Iterator[tuple[str, float]]:
    """Each wait by its turn, and how long after its time it was over; one begun after its time counts from there."""
    turn, until, began = "", 0.0, 0.0
    seen: set[str] = set()
    for line in diary:
        step, moment, result = line["step"], line["moment"], line["result"]
        if moment == "after" and step.startswith("turn ") and result.get("due") == "nothing":
            turn, until = step, float(result["until"])
        elif turn and step.startswith(WAITED) and moment == "before":
            began = line["at"]
        elif turn and step.startswith(WAITED) and moment == "after":
            if turn not in seen:
                seen.add(turn)
                yield turn, line["at"] - max(until, began)
            turn = ""


def _named(call: Line) -> str:
    asked = " ".join(str(value) for name, value in call["asked"].items() if name != "name")
    return " ".join(part for part in (f"[{call['step']}]", call["effect"], asked) if part)

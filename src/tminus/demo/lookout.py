"""Tells people and the record what happened to a part of the stage, and what it cost the users."""

import json
from pathlib import Path

from tminus.control.ports import Json
from tminus.demo.screen import Screen
from tminus.demo.stage import Stage
from tminus.demo.supervisor import News
from tminus.errors import OutOfSequenceError
from tminus.haproxy import Desired, desired_state
from tminus.wiring import LaunchRecord, LocalLaunch


class Lookout:
    """Writes the news of the parts of one launch's stage."""

    def __init__(self, stage: Stage, screen: Screen, launch: LocalLaunch, name: str) -> None:
        self._stage = stage
        self._screen = screen
        self._launch = launch
        self._name = name

    async def tell(self, news: News) -> None:
        """Say it, and write it into the record while the launch is open."""
        data: Json = {"part": news.part, "text": news.text, "away_seconds": round(news.at - news.alive, 3)}
        if news.event == "restarted" and news.part == "haproxy":
            data |= self._cost(news.alive)
        style = "dim" if news.event == "renewed" else "yellow"
        self._screen.note(f"part {news.part} {news.event}: {_words(data)}", self._launch.time.t_ms(), style)
        record = LaunchRecord(self._launch.store, self._name, self._launch.time)
        key = f"part:{news.part}:{news.event}:{news.at:.3f}"
        try:
            await record.append_once(key, f"part.{news.event}", data)
        except OutOfSequenceError as error:
            self._screen.note(f"this is not in the record: {error}", self._launch.time.t_ms())

    def _cost(self, alive: float) -> Json:
        """What users lost while nobody stood before both sides: the fault of neither."""
        return {
            "green_percent": (desired_state(self._stage.folder).read() or Desired()).percent,
            "start": self._stage.generation,
            "users_failed": failed_since(self._stage.load_summary, alive),
            "cut_off": self._launch.trace.cut_off(),
            "blame": "neither side: no proxy stood before them",
        }


def failed_since(summary: Path, since: float) -> int:
    """How many requests failed from this instant on, as the users themselves noted."""
    notes = summary.with_suffix(".failed.jsonl")
    if not notes.exists():
        return 0
    whole = [
        line for line in notes.read_text(encoding="utf-8").splitlines(keepends=True) if line.endswith("\n")
    ]
    return sum(json.loads(line)["at"] >= since for line in whole)


def _words(data: Json) -> str:
    words = str(data["text"])
    if "users_failed" in data:
        words += (
            f" after {data['away_seconds']} s with {data['green_percent']} % on green; "
            f"{data['users_failed']} requests of users failed meanwhile, which is the fault of neither side"
        )
    return words

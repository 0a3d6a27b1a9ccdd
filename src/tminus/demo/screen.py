"""What people see of a launch in a terminal: one plain line for each thing that happens, with the T-clock in front.

A projection of the record and nothing else: a resumed launch prints the same lines as one that was never interrupted.
"""

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tminus.demo.wording import wording
from tminus.domain.record import Event
from tminus.domain.timeline import clock


class Screen:
    """Prints a launch as it happens, for people or as JSON lines."""

    def __init__(self, console: Console, *, as_json: bool) -> None:
        self._console = console
        self._as_json = as_json
        self._shares: dict[str, float] = {}

    def say(self, text: str, style: str = "dim") -> None:
        """A line that is not part of the record: what is being set up or taken down."""
        if self._as_json:
            self._raw({"type": "demo.said", "text": text})
        else:
            self._console.print(Text(text, style=style), soft_wrap=True)

    def show(self, event: Event) -> None:
        """One event of the record."""
        if self._as_json:
            fields = ("seq", "at", "t_ms", "type", "key", "data")
            self._raw({name: getattr(event, name) for name in fields})
            return
        for mark, style, words in wording(event):
            self._line(clock((event.t_ms or 0) / 1000), Text(mark, style=style), Text.from_markup(words))

    def _line(self, when: str, mark: Text, words: Text) -> None:
        """In a terminal a long line goes on under its own beginning; elsewhere, and where it is to be copied, not."""
        if self._console.is_terminal and mark.plain.strip():
            row = Table.grid(padding=(0, 1))
            row.add_column(width=len(when) + 1)
            row.add_column(width=1)
            row.add_column(overflow="fold")
            row.add_row(Text(when, style="dim"), mark, words)
            self._console.print(row)
        else:
            self._console.print(Text.assemble(f"{when}  ", mark, " ", words), soft_wrap=True)

    def last(self, outcome: str, record: str) -> None:
        """The last line of every demo, never wrapped."""
        line = f"outcome={outcome} record={record}"
        if self._as_json:
            self._raw({"type": "demo.ended", "outcome": outcome, "record": record})
            Console(stderr=True, soft_wrap=True, highlight=False).print(line, markup=False)
        else:
            self._console.print(line, markup=False, soft_wrap=True, highlight=False)

    def _raw(self, value: Mapping[str, Any]) -> None:
        self._console.file.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._console.file.flush()

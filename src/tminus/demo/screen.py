"""What people see of a launch in a terminal: one plain line for each thing that happens, with the T-clock in front.

A projection of the record and nothing else: a resumed launch prints the same lines as one that was never interrupted.
A launch does not need to be watched: when nobody reads the output any more, it goes on in silence.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import IO, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tminus.demo.wording import wording
from tminus.domain.offsets import clock
from tminus.domain.record import Event


class Screen:
    """Prints a launch as it happens, for people or as JSON lines."""

    def __init__(self, console: Console, *, as_json: bool) -> None:
        self._console = console
        self._as_json = as_json
        self._out = _Outlet(console.file)

    def say(self, text: str, style: str = "dim") -> None:
        """A line that is not part of the record: what is being set up or taken down."""
        if self._as_json:
            self._raw({"type": "demo.said", "text": text})
        else:
            self._print(Text(text, style=style), soft_wrap=True)

    def note(self, text: str, t_ms: int | None, style: str = "dim") -> None:
        """A line that is not part of the record and belongs to a moment of the launch, in milliseconds from T-0."""
        if self._as_json or t_ms is None:
            self.say(text, style)
        else:
            self._line(clock(t_ms / 1000), Text("•", style=style), Text(text, style=style))

    def show(self, event: Event) -> None:
        """One event of the record."""
        if self._as_json:
            fields = ("seq", "at", "t_ms", "type", "key", "data")
            self._raw({name: getattr(event, name) for name in fields})
            return
        if self._out.holds and event.type == "traffic.seen" and event.data["action"] == "continue":
            return  # the board has shown it; what is kept is what one would look up
        for mark, style, words in wording(event):
            self._line(clock((event.t_ms or 0) / 1000), Text(mark, style=style), Text.from_markup(words))

    def hold(self) -> None:
        """Keep all further lines, since something else is on the screen; routine looks at the traffic are not kept."""
        self._out.hold()

    def release(self) -> None:
        """Print what was kept, and print at once from now on."""
        self._out.release()

    def _line(self, when: str, mark: Text, words: Text) -> None:
        """In a terminal a long line goes on under its own beginning; elsewhere, and where it is to be copied, not."""
        if self._console.is_terminal and mark.plain.strip():
            row = Table.grid(padding=(0, 1))
            row.add_column(width=len(when) + 1)
            row.add_column(width=1)
            row.add_column(overflow="fold")
            row.add_row(Text(when, style="dim"), mark, words)
            self._print(row)
        else:
            self._print(Text.assemble(f"{when}  ", mark, " ", words), soft_wrap=True)

    def last(self, outcome: str, record: str) -> None:
        """The last line of every demo, never wrapped; beside the output where that is JSON, or closed."""
        line = f"outcome={outcome} record={record}\n"
        if self._as_json:
            self._raw({"type": "demo.ended", "outcome": outcome, "record": record})
        else:
            self._out.write(line)
        if self._as_json or self._out.closed:
            _Outlet(sys.stderr).write(line)

    def _print(self, what: Text | Table, *, soft_wrap: bool = False) -> None:
        with self._console.capture() as captured:
            self._console.print(what, soft_wrap=soft_wrap)
        self._out.write(captured.get())

    def _raw(self, value: Mapping[str, Any]) -> None:
        self._out.write(json.dumps(value, ensure_ascii=False) + "\n")


class _Outlet:
    """A stream that may be closed from its other side, or have no room; then all further text is dropped."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._held: list[str] | None = None
        self.closed = False

    @property
    def holds(self) -> bool:
        """Whether text is kept rather than written."""
        return self._held is not None

    def hold(self) -> None:
        """Keep all further text."""
        self._held = self._held or []

    def release(self) -> None:
        """Write what was kept."""
        held, self._held = self._held, None
        if held:
            self.write("".join(held))

    def write(self, text: str) -> None:
        """Write text at once, while somebody takes it; or keep it for later."""
        if self.closed:
            return
        if self._held is not None:
            self._held.append(text)
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            self.closed = True
            _let_go(self._stream)
            if self._stream is not sys.stderr:
                told = f"tminus: the output cannot be written ({error.strerror}); the launch goes on\n"
                _Outlet(sys.stderr).write(told)


def _let_go(stream: IO[str]) -> None:
    """Lead what is still in the stream's buffer nowhere: Python would fail to write it when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)

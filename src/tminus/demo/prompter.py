"""What people see of a rehearsal: a plain line for each thing that happens; on a terminal, how each drill stands."""

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tminus.control.drills import Progress
from tminus.domain.evidence import Verdict
from tminus.domain.rehearsal import Drill, Rehearsal

_STYLES = {Verdict.PASSED: "green", Verdict.WARNED: "yellow", Verdict.FAILED: "red"}
_WIDTH = 18
"""Columns of a subject's name."""


class Prompter:
    """Tells people how a rehearsal goes."""

    def __init__(self, console: Console, subjects: Sequence[str], *, quiet: bool = False) -> None:
        self._console = console
        self._subjects = subjects
        self._quiet = quiet
        self._began = monotonic()
        self._last: dict[str, Progress] = {}
        self._live = Live(console=console, refresh_per_second=2, transient=True, auto_refresh=False)
        self._shown = console.is_terminal and not quiet

    def __enter__(self) -> Self:
        if self._shown:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            self._live.stop()

    def tell(self, progress: Progress) -> None:
        """One step of one drill, or of all when it names none."""
        if progress.subject:
            self._last[progress.subject] = progress
        if not progress.routine and not self._quiet:
            line = f"{_clock(monotonic() - self._began)}  {progress.subject:<{_WIDTH}} {progress.text}"
            self._console.print(Text(line.rstrip()), soft_wrap=True)
        if self._shown:
            self._live.update(self._table(), refresh=True)

    def end(self, rehearsal: Rehearsal, kept: Path) -> None:
        """What came of it, drill by drill, and where the document is."""
        for drill in rehearsal.drills:
            self._console.print(
                Text.assemble(
                    (f"{drill.verdict.value:<13}", _STYLES.get(drill.verdict, "magenta")),
                    f"{drill.subject:<{_WIDTH}} {told(drill)}",
                ),
                soft_wrap=True,
            )
        self._console.print(Text(f"rehearsal={rehearsal.verdict.value} kept={kept}"), soft_wrap=True)

    def _table(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for subject in self._subjects:
            one = self._last.get(subject)
            table.add_row(subject, _timer(one), "" if one is None else one.text)
        return table


def told(drill: Drill) -> str:
    """One drill in a line: its times and what it cost, or why it came to nothing."""
    back = drill.back
    if back is None or drill.fired_seconds is None:
        return drill.why
    cost = f"{drill.failed} of {drill.requests} requests failed, {drill.slow} slow"
    first = drill.others[0] if drill.others else None
    beside = f"; {first.rule} would have acted after {first.seconds:.1f} s" if first else ""
    bad = f"; {drill.why}" if drill.verdict is not Verdict.PASSED else ""
    return (
        f"{drill.action} {drill.fired_seconds:.1f} s after the fault, weight 0 after {drill.zero_seconds:.1f} s, "
        f"old release serves after {drill.served_seconds:.1f} s; {cost}; {len(back.lost)} of {back.written} writes "
        f"lost{beside}{bad}"
    )


def _timer(progress: Progress | None) -> str:
    if progress is None or progress.seconds is None:
        return ""
    if not progress.hold:
        return f"{progress.seconds:.0f} s"
    return f"{_clock(progress.breached)} of {_clock(progress.hold)}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"

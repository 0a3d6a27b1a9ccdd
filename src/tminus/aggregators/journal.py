"""systemd's journal, read with `journalctl --output=json`: of this machine, or of a folder that others send theirs to.

Labels in capitals are the journal's own fields (`_SYSTEMD_UNIT`, `_HOSTNAME`), which journalctl is asked for; others
are fields of the message. Described in systemd's journal-export-formats and journalctl(1).
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tminus import processes
from tminus.aggregators.lines import Found, Line, Wanted, gathered
from tminus.errors import DeniedError, PartError, UnreachableError

MOST = 10_000
"""Lines that are read at most, the newest: what journalctl prints of one is a kilobyte or two."""
SECONDS = 20.0
"""How long journalctl may take."""
_FIELD = re.compile(r"[A-Z_][A-Z0-9_]*")
_PASSED_ON = ("PATH", "LANG")
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Journal:
    """See `Aggregator`."""

    folder: str = ""
    """Where other machines' journals are; empty for this machine's own."""

    async def recent(self, wanted: Wanted) -> Found:
        """See `Aggregator.recent`."""
        lines = await self._lines(wanted)
        return gathered(lines, wanted, cut=len(lines) >= MOST)

    async def marked(self, wanted: Wanted, mark: str) -> Found:
        """See `Aggregator.marked`."""
        lines = [line for line in await self._lines(wanted) if mark in line.text]
        return gathered(lines, wanted)

    async def _lines(self, wanted: Wanted) -> list[Line]:
        # Backwards: before systemd 254 `--lines` with `--since` means the first ones otherwise.
        argv = ["journalctl", "--output=json", "--no-pager", "--quiet", "--reverse", f"--lines={MOST}"]
        argv += [f"--since=@{int(wanted.since)}", f"--until=@{int(wanted.until) + 1}"]
        argv += [f"--directory={self.folder}"] if self.folder else []
        known = {} if wanted.anywhere else wanted.labels
        argv += [f"{name}={value}" for name, value in known.items() if _FIELD.fullmatch(name)]
        env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        try:
            ended = await processes.run(argv, env=env, seconds=SECONDS)
        except PartError as error:
            raise UnreachableError(f"the journal cannot be read: {error}", hint=error.hint) from error
        if ended.code != 0:
            raise _refusal(ended)
        return list(_read(ended.said))


def _refusal(ended: processes.Ended) -> DeniedError | UnreachableError:
    said = next((line for line in reversed(ended.said.splitlines()) if line.strip()), "it says nothing")
    if "ermission" in said:
        return DeniedError(
            f"journalctl may not read the journal: {said}", hint="let tminus' user be in systemd-journal"
        )
    how = "gave no answer in time" if ended.code is None else f"failed with {ended.code}"
    return UnreachableError(f"journalctl {how}: {said}", hint="try it by hand")


def _read(said: str) -> Iterator[Line]:
    for row in said.splitlines():
        if not row.startswith("{"):
            continue  # a word of journalctl about itself
        entry = json.loads(row)
        fields = {str(name): _text(value) for name, value in entry.items()}
        at = int(entry["__REALTIME_TIMESTAMP"])
        written = int(entry.get("_SOURCE_REALTIME_TIMESTAMP", at))
        yield Line(written / _MICRO, fields.get("MESSAGE", ""), fields, at / _MICRO)


def _text(value: Any) -> str:
    """A field's value; what is no text comes as a list of bytes, what is too long as nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, int) for one in value):
        return bytes(value).decode(errors="replace")
    return "" if value is None else json.dumps(value)

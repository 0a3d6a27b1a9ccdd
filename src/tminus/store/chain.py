"""What every store does alike: rows of launches, and the rules of appending."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from tminus import files
from tminus.domain import fields
from tminus.domain.record import CHECKPOINT, ENDED, OPENED, Entry, Event
from tminus.errors import OutOfSequenceError, PartError, RecordError

OPEN = "open"
"""The state of a launch that has not ended; afterwards it is the outcome."""

Sign = Callable[[Event], Entry]
"""Writes a checkpoint behind a given last event."""


@dataclass(frozen=True, slots=True)
class LaunchRow:
    """One launch in the store."""

    id: str
    plan_digest: str
    state: str
    """`open`, or the outcome once it has ended."""
    opened_at: str
    ended_at: str | None = None
    environment: str | None = None
    """Where it takes place; none for a launch that only its own tminus runs."""


def opened_row(launch: str, event: Event) -> LaunchRow:
    """The row of a launch that opens now; raises `RecordError` when the event is about another launch."""
    if fields.text(event.data, "launch") != launch:
        raise RecordError(
            f"{OPENED} is for {event.data['launch']}, not for {launch}", hint="name one launch in both"
        )
    return LaunchRow(launch, fields.text(fields.table(event.data, "plan"), "digest"), OPEN, event.at)


def outcome(event: Event) -> str | None:
    """How the launch ended, if this event ends it."""
    return fields.text(event.data, "outcome") if event.type == ENDED else None


def check_open(row: LaunchRow | None, launch: str, entry: Entry) -> None:
    """Raise `OutOfSequenceError` unless this launch can take this entry."""
    if row is None and entry.type != OPENED:
        raise OutOfSequenceError(f"launch {launch} was not opened", hint=f"record {OPENED} first")
    if row is not None and row.state != OPEN and entry.type != CHECKPOINT:
        raise OutOfSequenceError(
            f"launch {launch} ended ({row.state}): nothing more can be recorded", hint="open a new launch"
        )


def check_checkpoint(entry: Entry) -> None:
    """Raise `OutOfSequenceError` for a checkpoint written outside the transaction that fixes its place."""
    if entry.type == CHECKPOINT:
        raise OutOfSequenceError("a checkpoint signs its own place in the chain", hint="use `checkpoint`")


def signable(last: Event | None, launch: str) -> Event:
    """The event behind which a checkpoint comes; raises `OutOfSequenceError` while there is none."""
    if last is None:
        raise OutOfSequenceError(f"launch {launch} was not opened", hint=f"record {OPENED} first")
    return last


def unknown(launch: str) -> RecordError:
    """What to raise for a launch that is not in the store."""
    return RecordError(f"there is no launch {launch} in the store", hint="see `tminus status` for its name")


def write(path: Path, lines: Iterable[bytes]) -> None:
    """Export lines into a file, which is whole or not there; raises `PartError` when it cannot be written."""
    try:
        files.replace(path, lines)
    except OSError as error:
        raise PartError(f"{path} cannot be written: {error.strerror}", hint="choose another place") from error

"""Every error that tminus raises on purpose.

Each says what happened and carries a hint: what a person can do now. A failed check is a verdict and never
an exception. Exceptions of vendors' libraries do not leave the file that calls them; they are raised anew as
one of these, with their cause.
"""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command."""

    PASSED = 0
    """Passed, GO or landed (`demo`: the ending that the release deserves)."""
    FAILED = 1
    """A failed check, NO-GO, rolled back, or a broken record or release."""
    USAGE = 2
    """The plan or the command line is wrong."""
    REFUSED = 3
    """Launch control forbids this act now, or to this person."""
    UNKNOWN = 4
    """It could not be determined, or a part that is needed is missing."""


class TminusError(Exception):
    """A deliberate error: what happened, and what to do now."""

    code = Exit.UNKNOWN

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class PlanError(TminusError):
    """The plan cannot be read, contradicts itself, or does not fit this launch."""

    code = Exit.USAGE


class ChecklistError(TminusError):
    """The file is no checklist that can be read."""

    code = Exit.USAGE


class UsageError(TminusError):
    """The command line asks for something that does not exist."""

    code = Exit.USAGE


class ProbeError(TminusError):
    """No observation was possible: the verdict is `error`."""


class UnreachableError(ProbeError):
    """The system did not answer in time; a later try may succeed."""


class DeniedError(ProbeError):
    """The system refused our credentials or permission; a later try will not help."""


class InconclusiveError(ProbeError):
    """The system answered, but the answer supports no verdict."""


class RefusedError(TminusError):
    """Launch control forbids this act."""

    code = Exit.REFUSED


class OutOfSequenceError(RefusedError):
    """The launch is not in a state in which this act makes sense."""


class RolloutError(TminusError):
    """A step of the rollout was seen to fail; the launch rolls back."""

    code = Exit.FAILED


class RollbackError(RolloutError):
    """The rollback itself failed; a person must act now."""


class ReleaseError(TminusError):
    """An image is not what its digest says."""

    code = Exit.FAILED


class RecordError(TminusError):
    """A stored record is missing, altered or not trusted."""

    code = Exit.FAILED


class SwappedError(RecordError):
    """What is kept under a digest has another one: it was swapped, or is damaged."""


class PartError(TminusError):
    """A part that the stage needs cannot be installed, started or reached."""


class UndeliveredError(TminusError):
    """A system did not take a message to people.

    `after` is how many seconds it is to be left alone at the least; none where a later try cannot succeed.
    """

    def __init__(self, message: str, *, hint: str, after: float | None = 0.0) -> None:
        super().__init__(message, hint=hint)
        self.after = after


class StoreError(PartError):
    """The database does not do its part now: it is away, locked or has no room; a later try may succeed."""


class EvidenceError(PartError):
    """Evidence cannot be kept or read now where it belongs: that place is away, full, or closed to us."""

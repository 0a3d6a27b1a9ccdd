"""What a verified record proves, in the words that `tminus verify` prints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """What an envelope holds, after its signature was checked against its own key."""

    keyid: str
    statement: Mapping[str, object]
    payload: bytes
    """The statement's canonical bytes, over which the signature is."""


OpenEnvelope = Callable[[object], SignedStatement]
"""Checks an envelope's form and signature; raises `RecordError`."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed what in a record."""

    role: str
    person: str
    decision: str
    """`go` or `no-go`."""
    at: str
    """When it was signed, by the signer's clock."""
    keyid: str
    simulated: bool
    note: str
    """The signer's own words: a note or a reason."""


@dataclass(frozen=True, slots=True)
class Report:
    """What a record proves."""

    trusted: bool
    """Whether every key was found in a trust root; without one the signers are unknown."""
    launch: str
    production: bool
    outcome: str
    events: int
    head: str
    """SHA-256 of the last line: it names this record."""
    opened_at: str
    ended_at: str
    release: Mapping[str, str]
    sign_offs: tuple[Signature, ...]
    """The last one of every role in the last poll."""
    decision: Signature | None
    lines: int
    observed: int
    """Lines of the checklist that were seen, or that a person spoke for: passed, warned or failed."""
    not_applicable: int
    """Lines that the plan itself declares not applicable, with its reason."""
    unknown: int
    """Lines that were looked at, of which nothing is known."""
    omitted: int
    acknowledged: tuple[Mapping[str, object], ...]
    """The warnings on blockers that somebody acknowledged, as they stand in the signed text of the last poll."""
    systems: Mapping[str, str]
    server_keys: tuple[str, ...]
    evidence: Mapping[str, str]
    """The files that people showed with their word: by SHA-256, what each was called."""
    notes: tuple[str, ...]
    """What is odd but no reason to refuse."""

    @property
    def simulated(self) -> bool:
        """Whether any signature is a simulated person's."""
        return any(
            signature.simulated
            for signature in (*self.sign_offs, *([self.decision] if self.decision else []))
        )

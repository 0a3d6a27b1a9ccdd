"""A poll as verification reads it: what was shown, who said what, and over which evidence."""

from dataclasses import dataclass, field

from tminus.domain.attestation import EvidenceRoot
from tminus.domain.report import Signature


@dataclass(slots=True)
class Ballot:
    """The open poll."""

    evidence: EvidenceRoot
    root: str
    votes: dict[tuple[str, str], Signature] = field(default_factory=dict)
    covers: dict[tuple[str, str], EvidenceRoot] = field(default_factory=dict)
    """By the same role and person: the evidence that was signed."""

    def go(self, role: str) -> bool:
        """Every person who signed for this role says go, and somebody did."""
        said = [vote.decision for (voted, _), vote in self.votes.items() if voted == role]
        return bool(said) and all(decision == "go" for decision in said)

"""Success criteria that requests can decide: below a limit, above it, or not yet known."""

from dataclasses import dataclass
from enum import StrEnum

from tminus.domain.sequential import exp_capped, log_evidence_above, log_evidence_below


class Acceptance(StrEnum):
    """What is known of a success criterion: three states, and the third never passes."""

    MET = "met"
    """There is evidence that the true figure is below its limit."""
    NOT_MET = "not met"
    """There is evidence that the true figure is above its limit."""
    UNKNOWN = "not yet known"
    """The requests so far support neither."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """What the requests say about one success criterion."""

    text: str
    """The criterion in words."""
    state: Acceptance
    """Met, not met or not yet known."""
    evidence_met: float
    """The e-value of "below the limit"."""
    evidence_not_met: float
    """The e-value of "above the limit"."""
    threshold: float
    """Where either decides."""
    requests: int
    """Green's requests so far."""
    hits: int
    """Those of them that failed, or took too long."""


def acceptance(text: str, hits_of: tuple[int, int], limit: float, alpha: float) -> Criterion:
    """Whether fewer than `limit` of the requests are hits: met, not met, or not yet known.

    Each answer is wrong with probability `alpha` at most, however often one asks. `hits_of` is (hits, requests).
    """
    hits, requests = hits_of
    below = float(exp_capped(log_evidence_below(hits, requests, limit)))
    above = float(exp_capped(log_evidence_above(hits, requests, limit)))
    threshold = 1 / alpha
    state = Acceptance.UNKNOWN
    if below >= threshold:
        state = Acceptance.MET
    elif above >= threshold:
        state = Acceptance.NOT_MET
    return Criterion(text, state, below, above, threshold, requests, hits)

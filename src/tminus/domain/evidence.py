"""What was seen, what it means, and how long it counts.

An observation is one look at a real system. It supports a claim: a check, its verdict and a fingerprint of what
matters. Looking again with the same fingerprint refreshes the claim and voids nothing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tminus.domain.canonical import JsonValue, sha256_hex, written


class Verdict(StrEnum):
    """What an observation means against the plan's expectation."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    INCONCLUSIVE = "inconclusive"
    """The system answered, but the answer supports no verdict."""
    ERROR = "error"
    """No observation was possible."""

    @property
    def known(self) -> bool:
        """Whether the system was really seen; the other two verdicts are shown as *unknown*."""
        return self not in {Verdict.INCONCLUSIVE, Verdict.ERROR}


class Source(StrEnum):
    """Where a claim comes from."""

    PROBE = "probe"
    """tminus looked at the system itself."""
    STEP = "step"
    """A step of the launch read back what it had done."""
    PERSON = "person"
    """A named person said so."""
    SIMULATED = "simulated"
    """A simulated person said so; such a claim never counts as observed."""
    ROLLUP = "rollup"
    """The worst of other claims."""
    PLAN = "plan"
    """The plan declares the line not applicable, with its reason."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One look at a real system."""

    value: JsonValue
    """What the plan's expectation judges."""
    seen: Mapping[str, JsonValue] = field(default_factory=dict)
    """What a person needs to believe it; never a secret value."""
    material: Mapping[str, JsonValue] = field(default_factory=dict)
    """The part whose change voids a signature (digests, versions, names); not the noise of a measurement."""
    remarks: tuple[str, ...] = ()
    """What is not wrong and still not as it should be; it turns a passed line into a warned one.

    Which things are remarked upon is material, the figures in the words are not: see `matter`."""
    fact: str = ""
    """What was found, as one would say it of a line that passed; empty where the bare facts of `seen` have to do."""
    worse: str = ""
    """By how much it is shown to be worse than before the launch, in words; a line that would pass fails by it."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What stands behind one line of the checklist now."""

    check: str
    """The line's id."""
    verdict: Verdict
    fingerprint: str
    """SHA-256 over verdict, expectation and material; equal fingerprints are the same claim."""
    source: Source
    at: float
    """When it was last observed, in seconds of the epoch."""
    t: float
    """The same on the launch clock: seconds from T-0, negative before."""
    why: str = ""
    """One sentence: the value beside the limit, and what to do when it is not passed."""
    not_applicable: bool = False
    """The plan says, with a reason, that the line does not apply to this launch."""


_WORST_FIRST = [Verdict.FAILED, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.WARNED, Verdict.PASSED]


def worst(verdicts: list[Verdict]) -> Verdict:
    """The verdict of a roll-up; of nothing it is inconclusive, never passed."""
    return min(verdicts, key=_WORST_FIRST.index, default=Verdict.INCONCLUSIVE)


def digest(value: JsonValue) -> str:
    """SHA-256 of a value's canonical form (RFC 8785), in hex."""
    return sha256_hex(written(value))


def fingerprint(verdict: Verdict, expect: str, material: Mapping[str, JsonValue]) -> str:
    """What identifies a claim: changed, it voids the signatures that covered it."""
    return digest({"verdict": verdict.value, "expect": expect, "material": dict(material)})


_FIGURE = re.compile(r"(?<![^\s(\[{<>≤≥~'\"=])[-+]?\d\S*")
"""A word that begins with a digit: a count, a time, a share, a status. What has a name does not: `p95`, `depot-2`."""


def matter(remarks: Iterable[str]) -> list[JsonValue]:
    """What remarks are about: their words without their figures, each once, in order.

    This much of a warning stands in its fingerprint, so that another reason voids what was said of the first. Figures
    do not: "3 of 412 requests fail" reads otherwise at every look, and nobody could acknowledge what is void a minute
    later. What is counted or measured is named by the words around the figure, and a limit is the plan's.
    """
    return [*sorted({_FIGURE.sub("#", remark) for remark in remarks})]


UNSEEN = 1800.0
"""Seconds after which a line that counts by its fingerprint no longer does: two looks in a row were missed."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long an observation counts.

    `live` counts for `seconds` after it was made. `drill` too, but what was done for it is not done again before they
    are over. `fingerprint` counts while it is looked at again and again. `event` must lie between `earliest` and
    `latest` on the launch clock. `launch` counts until this attempt of the launch ends when it is a person's word, else
    as `digest`: for as long as what was bound to the launch is the same.
    """

    kind: str
    seconds: float = 0.0
    earliest: float = 0.0
    latest: float = 0.0

    @property
    def limit(self) -> float | None:
        """How old an observation may be, in seconds; none where it does not age."""
        if self.kind in {"live", "drill"}:
            return self.seconds
        return UNSEEN if self.kind == "fingerprint" else None

    def stale(self, claim: Claim, now: float) -> bool:
        """Whether this claim no longer counts at `now` (seconds of the epoch)."""
        if self.kind == "event":
            return not self.earliest <= claim.t <= self.latest
        return self.limit is not None and now - claim.at > self.limit

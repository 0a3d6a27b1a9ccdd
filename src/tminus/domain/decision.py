"""May we go? Gates over claims; unknown never opens one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tminus.domain.evidence import Claim, Verdict
from tminus.domain.plan import Check, Severity

WAIVED = "waived"
"""The standing of a line that is not green and is waived: its gate opens, its verdict stays."""
GREEN = frozenset({Verdict.PASSED.value, Verdict.WARNED.value, "not-applicable", WAIVED})
"""The standings that open a gate."""
NO_WAIVERS: Mapping[str, float] = {}


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One line that keeps a gate closed, and what to do about it."""

    check: str
    standing: str
    """`failed`, `unknown`, `stale` or `pending`."""
    owner: str
    why: str


@dataclass(frozen=True, slots=True)
class GateResult:
    """What a gate says about the lines that it judges."""

    judged: int
    obstacles: tuple[Obstacle, ...]
    seen: int
    """How many of them were really observed; the others do not apply."""
    warned: tuple[str, ...]
    """Green with a warning: it opens the gate and stands in the signed text."""
    waived: tuple[str, ...] = ()
    """Not green, and waived by two persons: it opens the gate and stands in the signed text."""

    @property
    def open(self) -> bool:
        """Whether the launch may pass; a gate over no lines never opens."""
        return self.seen > 0 and not self.obstacles


def standing(check: Check, claim: Claim | None, now: float) -> str:
    """How one line stands now: a verdict, `unknown`, `stale`, `pending` or `not-applicable`."""
    if claim is None:
        return "pending"
    if claim.not_applicable:
        return "not-applicable"
    if not claim.verdict.known:
        return "unknown"
    if check.fresh.stale(claim, now):
        return "stale"
    return claim.verdict.value


def gate(
    checks: Iterable[Check],
    claims: Mapping[str, Claim],
    now: float,
    waivers: Mapping[str, float] = NO_WAIVERS,
) -> GateResult:
    """Judge these lines at `now` (seconds of the epoch); advisory ones are shown elsewhere and close nothing.

    `waivers` has the instant at which each waiver ends, by its line; of a blocker it changes nothing.
    """
    judged = [check for check in checks if check.severity is not Severity.ADVISORY]
    obstacles: list[Obstacle] = []
    warned: list[str] = []
    waived: list[str] = []
    for check in judged:
        claim = claims.get(check.id)
        stands = standing(check, claim, now)
        if (
            stands not in GREEN
            and check.severity is not Severity.BLOCKER
            and now < waivers.get(check.id, 0.0)
        ):
            stands = WAIVED
            waived.append(check.id)
        if stands == Verdict.WARNED.value:
            warned.append(check.id)
        if stands not in GREEN:
            why = claim.why if claim else "never observed"
            obstacles.append(Obstacle(check.id, stands, check.owner, why))
    not_applicable = sum(standing(check, claims.get(check.id), now) == "not-applicable" for check in judged)
    seen = len(judged) - len(obstacles) - len(waived) - not_applicable
    return GateResult(len(judged), tuple(obstacles), seen, tuple(warned), tuple(waived))

"""Look at a plan's lines once, outside a launch: what stands, what is wrong, and which missing system hides most.

Lines that only a launch can answer (its steps and signatures) and words that a person has yet to give are told apart
from what could not be determined: nobody can mend the former before the launch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from tminus.control.readiness import Readiness
from tminus.domain.decision import standing
from tminus.domain.evidence import Claim
from tminus.domain.plan import Check, Kind, Plan
from tminus.errors import UsageError

SENDING = ("alertmanager.drill", "pagerduty.sms")
"""Probes that send a test to people, which nobody does but a launch."""
MOMENT = "now"
"""The one moment of an appraisal, part of its events' keys."""


class Standing(StrEnum):
    """How one line stands, for a person who wants to know what to do."""

    FAILED = "failed"
    UNKNOWN = "unknown"
    WARNED = "warned"
    PASSED = "passed"
    NOT_APPLICABLE = "not-applicable"
    PENDING = "pending"
    """A person has to say so."""
    LATER = "later"
    """Only the launch itself can answer: one of its steps, or a signature."""
    OMITTED = "omitted"
    """The plan leaves it out."""


@dataclass(frozen=True, slots=True)
class Appraised:
    """One line as it stands."""

    id: str
    text: str
    section: str
    owner: str
    standing: Standing
    why: str
    system: str = ""
    """The system that it looks at."""


async def appraise(plan: Plan, readiness: Readiness, only: Sequence[str], now: float) -> list[Appraised]:
    """Every line of the plan, or only those asked for, in the plan's order; omitted ones last.

    Not looked at are lines about the launch's own sides and traffic, and those that send a test to people.
    Raises `UsageError` for an id that the plan does not have.
    """
    wanted = _wanted(plan, only)
    looked = [
        check for check in wanted if check.kind not in {Kind.STEP, Kind.SIGNATURE} and not _later(plan, check)
    ]
    await readiness.observe(looked, MOMENT)
    claims = await readiness.claims()
    lines = _rolled_up(wanted, [_appraised(check, claims.get(check.id), now) for check in wanted])
    left_out = [
        Appraised(name, "", "", "", Standing.OMITTED, omission.reason)
        for omission in plan.omitted
        for name in omission.lines
        if not only or name in only
    ]
    return [*lines, *left_out]


def worst(lines: Iterable[Appraised]) -> Standing:
    """The one standing that decides how the command ends; no line at all is unknown."""
    found = {line.standing for line in lines} - {Standing.LATER, Standing.OMITTED}
    if not found:
        return Standing.UNKNOWN
    return next(
        standing
        for standing in (
            Standing.FAILED,
            Standing.UNKNOWN,
            Standing.PENDING,
            Standing.WARNED,
            Standing.PASSED,
            Standing.NOT_APPLICABLE,
        )
        if standing in found
    )


def _wanted(plan: Plan, only: Sequence[str]) -> list[Check]:
    known = {check.id for check in plan.checks}
    left_out = {name for omission in plan.omitted for name in omission.lines}
    for name in only:
        if name not in known | left_out:
            raise UsageError(
                f"{name!r} is no line of this plan", hint="`tminus plan show` lists every line with its id"
            )
    parts = {part for check in plan.checks if check.id in only for part in check.of}
    return [check for check in plan.checks if not only or check.id in {*only, *parts}]


_WORST = (
    Standing.FAILED,
    Standing.UNKNOWN,
    Standing.PENDING,
    Standing.LATER,
    Standing.WARNED,
    Standing.PASSED,
    Standing.NOT_APPLICABLE,
)


def _rolled_up(checks: Sequence[Check], lines: Sequence[Appraised]) -> list[Appraised]:
    """Roll-ups stand as the worst of their parts do: one that waits for a person is pending, not unknown."""
    found = {line.id: line for line in lines}

    def stands(check: Check) -> Appraised:
        line = found[check.id]
        parts = [stands(part) for part in checks if part.id in check.of]
        if check.kind is not Kind.ROLLUP or len(parts) < len(check.of):
            return line
        order = [part.standing for part in parts]
        worst_of = min(order, key=_WORST.index)
        causes = ", ".join(part.id for part in parts if part.standing is worst_of)
        return replace(line, standing=worst_of, why=f"{worst_of}: {causes}")

    return [stands(check) for check in checks]


def _later(plan: Plan, check: Check) -> bool:
    """Whether only a launch can look: at its sides, its traffic, what it binds (`${release}`), by waking people."""
    kind = plan.systems.get(_system(check), {}).get("kind")
    bound = any(
        isinstance(value, str) and value.startswith("${") for value in (check.arguments or {}).values()
    )
    return check.kind is Kind.PROBE and (bound or kind in {"local", "traffic"} or check.probe in SENDING)


def _system(check: Check) -> str:
    return str((check.arguments or {}).get("system", check.probe.partition(".")[0]))


def _appraised(check: Check, claim: Claim | None, now: float) -> Appraised:
    return Appraised(
        id=check.id,
        text=check.text,
        section=check.section,
        owner=check.owner,
        standing=_standing(check, claim, now),
        why=claim.why if claim else "the launch itself answers it",
        system=_system(check),
    )


def _standing(check: Check, claim: Claim | None, now: float) -> Standing:
    if claim is None:
        return Standing.LATER
    if check.kind is Kind.PERSON and not claim.verdict.known:
        return Standing.PENDING
    return Standing(standing(check, claim, now))

"""Who may say that a blocker goes although it is warned, by which command, and whether GO waits for it."""

from dataclasses import dataclass

from tminus.domain.decision import standing
from tminus.domain.evidence import Claim, Verdict
from tminus.domain.permission import Deed, Matter, could
from tminus.domain.plan import Check, Kind, Plan, Role, Severity


@dataclass(frozen=True, slots=True)
class Awaited:
    """An acknowledgement that GO waits for."""

    launch: str
    check: Check
    able: tuple[Role, ...]
    """Who could give it: whoever signs or decides, but not the line's owner."""

    @property
    def who(self) -> str:
        """Who could give it, in words."""
        named = (
            f"{role.person}{' (simulated)' if role.simulated else ''} as {role.id}" for role in self.able
        )
        return " or ".join(named) or "nobody of this plan: one more role has to sign or decide"

    @property
    def command(self) -> str:
        """What one of them types."""
        return acknowledges(self.launch, self.check.id, self.able[0].id if len(self.able) == 1 else "…")


def acknowledges(launch: str, check: str, role: str) -> str:
    """The command by which a role acknowledges the warning of a line."""
    return f'tminus acknowledge {launch} {check} --role {role} --reason "…"'


def is_awaited(check: Check, claim: Claim | None, seen: object, now: float) -> bool:
    """Whether a line is a blocker that GO judges, and warned otherwise than somebody has acknowledged.

    `seen` is the fingerprint that was acknowledged last, and not voided since; nothing where none was.
    """
    return (
        check.severity is Severity.BLOCKER
        and check.due < 0
        and check.kind is not Kind.SIGNATURE
        and claim is not None
        and standing(check, claim, now) == Verdict.WARNED
        and claim.fingerprint != seen
    )


def awaited(launch: str, plan: Plan, check: Check) -> Awaited:
    """The acknowledgement of this line's warning, with who of the plan's people could give it."""
    return Awaited(launch, check, could(Deed.ACKNOWLEDGE, plan, Matter(check)))

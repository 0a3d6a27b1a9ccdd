"""A launch whose lines are observed and signed over, event by event, without keys."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.unit.courses import HOUR, T0, Launched
else:
    from courses import HOUR, T0, Launched

from tminus.domain.attestation import claim_data
from tminus.domain.canonical import timestamp
from tminus.domain.evidence import Claim, Source, Verdict, fingerprint
from tminus.domain.poll import evidence_of, shown, void


@dataclass
class Polled(Launched):
    """A launch whose lines are observed and signed over."""

    seen: dict[str, Claim] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.events.clear()
        self.add("launch.opened", schedule={"t0": timestamp(T0), "speed": 1}, release={"depot": "a" * 64})

    def observe(self, check: str, verdict: Verdict, about: int = 0, source: Source = Source.PROBE) -> None:
        claim = Claim(check, verdict, fingerprint(verdict, "", {"about": about}), source, self.now, -60.0)
        self.seen[check] = claim
        self.add("check.observed", **claim_data(claim))

    @property
    def evidence(self) -> Any:
        return evidence_of(self.plan, self.events, self.seen)

    def show(self, kind: str) -> None:
        self.add(kind, evidence=self.evidence.document())

    def sign(self, role: str, word: str = "go") -> None:
        if shown(self.events) != self.evidence:
            self.show("poll.renewed")
        self.add("signoff.given", role=role, person=role.title(), decision=word)

    def waive(self, check: str, until: float = T0 + HOUR, **more: Any) -> None:
        self.add("check.waived", check=check, until=timestamp(until), envelope={}, **more)

    def acknowledge(self, check: str) -> None:
        seen = self.seen[check].fingerprint
        self.add("warning.acknowledged", check=check, fingerprint=seen, envelope={})

    @property
    def voided(self) -> dict[str, list[str]]:
        return {
            role: [change.check for change in changed]
            for role, changed in void(self.events, self.evidence).items()
        }

"""Who gave their word for a line may not be the only one whose signature covers it.

A signature covers the evidence as it was when it was given, whole. It does not cover what was said afterwards.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from tminus.domain import fields
from tminus.domain.attempts import in_force
from tminus.domain.attestation import EvidenceRoot
from tminus.domain.people import alike
from tminus.domain.record import Event
from tminus.domain.words import ATTESTED


@dataclass(frozen=True, slots=True)
class Alone:
    """A line for which no go but its author's counts."""

    check: str
    author: str


def authors(events: Iterable[Event]) -> dict[str, frozenset[str]]:
    """By line: everybody who gave their word for it, as far as no new date has voided it."""
    found: dict[str, frozenset[str]] = {}
    for event in in_force(events):
        if event.type == ATTESTED:
            check = fields.text(event.data, "check")
            found[check] = found.get(check, frozenset()) | {fields.text(event.data, "by")}
    return found


def alone(
    written: Mapping[str, Collection[str]], signed: Iterable[tuple[str, EvidenceRoot]], now: EvidenceRoot
) -> list[Alone]:
    """The lines, each with its author, that no go of another person covers as they are now.

    `signed` has the person of each go, and the evidence that it is over.
    """
    claims = {str(claim["check"]): dict(claim) for claim in now.claims}
    covered: dict[str, set[str]] = {check: set() for check in written}
    for person, evidence in signed:
        for claim in evidence.claims:
            check = str(claim["check"])
            if check in covered and dict(claim) == claims.get(check):
                covered[check].add(alike(person))
    return [
        Alone(check, author)
        for check in sorted(written)
        for author in sorted(written[check])
        if not covered[check] - {alike(author)}
    ]

"""What an export says, before it has a form: lines and their standing, signatures, the decision, what is left out.

`gathering` fills it from a plan and a launch's record; `markdown`, `page` and `objects` give it a form.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tminus.domain.canonical import JsonValue


class Standing(StrEnum):
    """How one line stood when its launch ended."""

    PASSED = "passed"
    ATTESTED = "attested"
    WARNED = "warned"
    WAIVED = "waived"
    NOT_APPLICABLE = "not applicable"
    SIGNED = "signed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    STALE = "stale"
    NO_GO = "no-go"
    PENDING = "pending"
    """Nobody looked before the launch ended."""
    OMITTED = "omitted"
    """The plan leaves it out, with a reason."""

    @property
    def green(self) -> bool:
        """Whether it opens a gate, and so whether its box is ticked."""
        return self in _GREEN


_GREEN = frozenset(
    {
        Standing.PASSED,
        Standing.ATTESTED,
        Standing.WARNED,
        Standing.WAIVED,
        Standing.NOT_APPLICABLE,
        Standing.SIGNED,
    }
)


@dataclass(frozen=True, slots=True)
class Seen:
    """The record's newest entry about one line."""

    entry: str
    """SHA-256 of the record's line: it names the evidence."""
    number: int
    """The record's line, from 1."""
    at: str
    t_ms: int | None
    age_seconds: float
    """How old it was when the launch ended, by the real clock."""
    verdict: str
    source: str
    why: str = ""
    by: str = ""
    """The person who attested or signed."""
    simulated: bool = False
    value: JsonValue = None
    expect: str = ""


@dataclass(frozen=True, slots=True)
class Waived:
    """Who answers for a line that is not green."""

    entry: str
    by: str
    because: str
    until: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the checklist."""

    id: str
    text: str
    section: str
    standing: Standing | None
    """None for a plan that was not launched."""
    due: str = ""
    owner: str = ""
    severity: str = ""
    how: str = ""
    """The probe's name, `person`, `step`, `roll-up`, `signature` or `plan`."""
    expect: str = ""
    """What the value must be, as the plan writes it."""
    reason: str = ""
    """Why it is left out or does not apply."""
    source_line: int = 0
    signer: str = ""
    """The role whose sign-off this line is."""
    seen: Seen | None = None
    waived: Waived | None = None


@dataclass(frozen=True, slots=True)
class Signed:
    """One sign-off, or the decision."""

    role: str
    title: str
    person: str
    decision: str
    at: str
    note: str
    simulated: bool
    entry: str
    """SHA-256 of its line in the record."""
    number: int
    """The record's line, from 1."""
    age_seconds: float
    """How old it was when the launch ended."""
    keyid: str
    new_t0: str = ""
    """The new date that a NO-GO names."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened, in the record's order."""

    t_ms: int | None
    at: str
    kind: str
    what: str
    entry: str


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """Which plan it was."""

    name: str
    digest: str
    production: bool
    lines: int
    source: Mapping[str, str] = field(default_factory=dict)
    """`path` and `sha256` of the checklist that it was imported from."""


@dataclass(frozen=True, slots=True)
class LaunchFacts:
    """Which launch it was, and how it ended."""

    launch: str
    outcome: str
    record: str
    """The record's file name, which every evidence link names."""
    head: str
    events: int
    trusted: bool
    """Whether every key was found in a trust root; without one the signers are unknown."""
    opened_at: str
    ended_at: str
    t0: str
    speed: float
    release: Mapping[str, str]
    previous: Mapping[str, str]
    rule: str = ""
    text: str = ""
    """Why it was rolled back or aborted."""
    requests: int | None = None
    failed: int | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """Who holds a role."""

    id: str
    title: str
    person: str
    simulated: bool
    duties: tuple[str, ...] = ()
    """`signs`, `decides`."""


@dataclass(frozen=True, slots=True)
class Content:
    """All that an export says."""

    plan: PlanFacts
    launch: LaunchFacts | None
    lines: tuple[Line, ...]
    omitted: tuple[Line, ...]
    signatures: tuple[Signed, ...] = ()
    decision: Signed | None = None
    roles: tuple[Role, ...] = ()
    systems: Mapping[str, str] = field(default_factory=dict)
    """Name → `real` or `stand-in`."""
    course: tuple[Moment, ...] = ()
    to_fill: tuple[str, ...] = ()
    """What the plan still leaves to be filled."""

    @property
    def counts(self) -> dict[str, int]:
        """How many lines stand how, those left out included; only what occurs."""
        found = Counter(line.standing.value if line.standing else "planned" for line in self.lines)
        found[Standing.OMITTED.value] += len(self.omitted)
        order = [*Standing, "planned"]
        return {str(name): found[name] for name in order if found[name] or name == Standing.OMITTED}

    @property
    def total(self) -> int:
        """Every line of the checklist, those left out included."""
        return len(self.lines) + len(self.omitted)

    @property
    def green(self) -> int:
        """How many lines open a gate."""
        return sum(line.standing is not None and line.standing.green for line in self.lines)

    @property
    def simulated(self) -> bool:
        """Whether a simulated person attested, signed or decided anything."""
        people = [*self.signatures, *([self.decision] if self.decision else [])]
        said = any(line.seen is not None and line.seen.simulated for line in self.lines)
        return said or any(signed.simulated for signed in people)

    def sections(self) -> dict[str, list[Line]]:
        """The lines by section, in the plan's order."""
        found: dict[str, list[Line]] = {}
        for line in self.lines:
            found.setdefault(line.section, []).append(line)
        return found

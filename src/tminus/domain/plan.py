"""The plan: a checklist in executable form."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tminus.domain.canonical import JsonValue
from tminus.domain.change import Change, When
from tminus.domain.evidence import Freshness
from tminus.domain.expectation import Expectation
from tminus.domain.freezes import Freeze


class Severity(StrEnum):
    """What a line that is not green does to the gates."""

    BLOCKER = "blocker"
    """Closes the gate; may not be waived."""
    REQUIRED = "required"
    """Closes the gate."""
    ADVISORY = "advisory"
    """Is shown, closes nothing."""


class Kind(StrEnum):
    """How a line gets its verdict."""

    PROBE = "probe"
    """A probe looks at the system."""
    STEP = "step"
    """A step of the launch reads back what it did."""
    PERSON = "person"
    """A named person says so."""
    ROLLUP = "rollup"
    """The worst verdict of other lines."""
    SIGNATURE = "signature"
    """A sign-off of the final poll."""
    NOT_APPLICABLE = "not-applicable"
    """The plan says, with a reason, that the line does not apply."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the checklist."""

    id: str
    text: str
    section: str
    kind: Kind
    due: float
    """Seconds from T-0 by which it must be green."""
    owner: str
    """The role that answers for it."""
    severity: Severity
    fresh: Freshness
    probe: str = ""
    """`system.observation`, for a probed line."""
    step: str = ""
    """The launch step that this line is about; its verdict is what the step read back."""
    act: str = ""
    """What the launch does at the milestone before it observes this line, such as `back up`."""
    arguments: Mapping[str, JsonValue] | None = None
    expect: Expectation | None = None
    warn: Expectation | None = None
    control: Mapping[str, JsonValue] | None = None
    """Arguments under which the same expectation must fail: it shows that the check can see harm."""
    of: tuple[str, ...] = ()
    """The lines that a roll-up is made of."""
    note: str = ""
    """What a person attests, or why a line is not applicable."""
    hint: str = ""
    """What to do when it is not green."""
    person: str = ""
    """Who holds the role that owns it."""
    simulated: bool = False
    """Whether that is a simulated person."""
    each: tuple[str, ...] = ()
    """What a person's word is given of, one by one; none where a single word says it all."""
    shown: bool = False
    """Whether a person's word needs a file that shows it."""
    until: float | None = None
    """Seconds from T-0 by which a person has to say it; none for at any time."""


@dataclass(frozen=True, slots=True)
class Omission:
    """Lines of the checklist that a plan leaves out, and why."""

    lines: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Shortened:
    """The shorter form that a plan declares for a hotfix."""

    omitted: tuple[Omission, ...]
    """What it leaves out beside what the plan omits; never a blocker."""
    milestones: Mapping[float, float]
    """By a milestone of the plan: where it comes instead, later and before T-0."""


@dataclass(frozen=True, slots=True)
class Role:
    """Who may sign, and for what the role answers."""

    id: str
    title: str
    person: str
    simulated: bool
    decides: bool = False
    """Whether this role may decide GO or NO-GO."""
    signs: bool = False
    """Whether the poll needs this role's signature."""
    email: str = ""
    """Where whoever holds it gets mail; empty or a placeholder for nowhere."""
    slack: str = ""
    """By reference: an incoming webhook of its own."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One step of the traffic ladder: a weight and how long the guard must have watched it."""

    percent: int
    watch_seconds: float
    min_requests: int
    """Requests that green must have answered before the next rung."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """How traffic moves to green."""

    ladder: tuple[Rung, ...]
    drain_seconds: float
    """How long to wait for a side's sessions to end before its processes are stopped."""
    per_second: float = 0.0
    """Requests that must come in a second, on both sides together, for the shift to go on; 0 for any number."""


@dataclass(frozen=True, slots=True)
class Leads:
    """When owners are told of lines that wait for them, in seconds from the milestone at which they are due."""

    soon: float = 3600.0
    """How long before it. An hour is half of what lies between T-4h and T-2h, so no milestone is called up while the
    one before it is still ahead, and there is time to act."""
    late: float = 900.0
    """How long after it. A line is observed again every 15 minutes at the most, so what is late was looked at twice."""
    escalate: float = 1800.0
    """How long after it those who decide are told. At T-2h that leaves them an hour and a half."""


@dataclass(frozen=True, slots=True)
class Notify:
    """By which systems people are told; empty where there is none."""

    mail: str = ""
    """The server that takes mail: a reference, or an address without a login."""
    sender: str = ""
    """Who mails come from, as a mail names people."""
    slack: str = ""
    """By reference: the incoming webhook of the channel in which roles without one of their own are told."""
    pager: str = ""
    """By reference: the pager that wakes those on call, with the key of its integration."""


@dataclass(frozen=True, slots=True)
class Plan:
    """An executable checklist, identified by the digest of its canonical form."""

    name: str
    digest: str
    production: bool
    components: tuple[str, ...]
    checks: tuple[Check, ...]
    omitted: tuple[Omission, ...]
    roles: tuple[Role, ...]
    milestones: tuple[float, ...]
    """Offsets from T-0 in seconds, ascending, T-0 itself included."""
    rollout: Rollout
    systems: Mapping[str, Mapping[str, JsonValue]]
    """By name: kind, whether it is real or a stand-in, and its address by reference only."""
    triggers: tuple[Mapping[str, JsonValue], ...]
    metrics: tuple[Mapping[str, JsonValue], ...] = ()
    """What the team measures while the release meets users; `domain.metric` reads them."""
    others: Mapping[str, When] = field(default_factory=dict)
    """When each component beyond the first is brought to its image; empty where only the first is rolled out."""
    changes: tuple[Change, ...] = ()
    """What is changed beside the release, and changed back with it."""
    target: Mapping[str, JsonValue] | None = None
    """Where the release is rolled out, and by which systems that is watched; nothing where others act on the GO."""
    to_fill: tuple[str, ...] = ()
    """What only the team knows and has not written yet; a launch refuses while anything is."""
    waivers: tuple[str, ...] = ()
    """The lines that the plan waives; not honoured yet, so a launch refuses these too."""
    freezes: tuple[Freeze, ...] = ()
    """When no launch may have its T-0."""
    leads: Leads = Leads()
    notify: Notify = Notify()
    """By which systems people are told."""
    decision_seconds: float = 900.0
    """How long before T-0 the poll opens, and after it a decision still holds."""
    steady_seconds: float = 0.0
    """How long each observed line has been green, without a break, when GO is decided."""
    environment: str = ""
    """Where it is launched; empty where the plan leaves that open."""
    expedited: Shortened | None = None
    """The shorter form that a hotfix may take; none where every launch takes the whole plan."""

    @property
    def total(self) -> int:
        """Every line of the checklist, omitted ones included."""
        return len(self.checks) + sum(len(omission.lines) for omission in self.omitted)

    @property
    def left_out(self) -> int:
        """How many lines of the checklist are not in this plan."""
        return self.total - len(self.checks)

    @property
    def open_points(self) -> tuple[str, ...]:
        """What keeps a launch from being opened: values to fill, and waivers, which nothing honours yet."""
        waived = f"waivers are not honoured yet: {', '.join(self.waivers)}"
        return (*(f"to fill: {what}" for what in self.to_fill), *((waived,) if self.waivers else ()))

    @property
    def poll_opens(self) -> float:
        """The offset at which the poll opens: as long before T-0 as a decision holds, not before the last milestone."""
        return max((-self.decision_seconds, *(offset for offset in self.milestones if offset < 0)))

    def check(self, check_id: str) -> Check:
        """The line with this id; raises `KeyError`."""
        return next_by_id(self.checks, check_id)

    def due(self, milestone: float) -> tuple[Check, ...]:
        """The lines that fall due at exactly this milestone, signatures and launch steps left out."""
        return tuple(
            check
            for check in self.checks
            if check.due == milestone and check.kind not in {Kind.SIGNATURE, Kind.STEP}
        )

    def before_go(self) -> tuple[Check, ...]:
        """The lines that GO judges: due before T-0, without the poll's own five."""
        return tuple(check for check in self.checks if check.due < 0 and check.kind is not Kind.SIGNATURE)


def next_by_id(checks: tuple[Check, ...], check_id: str) -> Check:
    """The check with this id; raises `KeyError` naming it."""
    for check in checks:
        if check.id == check_id:
            return check
    raise KeyError(check_id)

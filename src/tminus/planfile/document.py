"""The shape of a plan's file: which keys there are, and of which types. What they mean is the reader's."""

from typing import Any

from pydantic import Field

from tminus.domain.plan import Severity
from tminus.planfile.basis import Entry as _Entry
from tminus.planfile.basis import Flag, Said, Text
from tminus.planfile.metricentry import MetricEntry
from tminus.planfile.targetentry import ChangeEntry, TargetEntry

SURE = 0.9
"""From this confidence on an imported line counts as understood; below it as a guess for a person to look at."""


class LineEntry(_Entry):
    """One line of the checklist, under its section."""

    id: Text
    """Its public name, once in the plan: `ok.err`. The built-in plan's ids are those of its probes and matchers."""
    line: Text
    """The checklist's words."""
    due: Text
    """The milestone at which it is looked at: `T-24h`, `T-0`, `T+1h`."""
    owner: Text
    """The role that answers for it."""
    severity: Severity = Severity.REQUIRED
    """What it does to the gates when it is not green."""
    fresh: Text = "launch"
    """How long a look counts: `launch`, `digest`, `fingerprint`, `live 15min`, `drill 7d`, `event T-2h..T-0`."""
    probe: Said = ""
    """What observes it, `system.observation`; `tminus probes` lists them."""
    arguments: dict[str, Any] = Field(default_factory=dict, alias="with")
    """The probe's arguments; `system: NAME` looks at that system."""
    expect: Said = ""
    """What the value must be: `< 1%`, `== 200`, `<= 500 ms`, `empty`, `true`, `is TEXT`."""
    warn: Said = ""
    """A narrower limit; between the two the line is warned."""
    control: dict[str, Any] | None = None
    """Arguments under which the expectation must fail: it shows that the check can see harm."""
    step: Said = ""
    """The step of the launch whose reading back is its verdict."""
    act: Said = ""
    """What the launch does before it looks."""
    attest: Said = ""
    """What a named person says is so."""
    each: list[Text] = Field(default_factory=list)
    """For an attested line: what it is said of; each needs a word of its own."""
    shown: Flag = False
    """For an attested line: a word counts only with a file that shows it."""
    until: Said = ""
    """For an attested line: by when it has to be said, `T+1h30min`; what is said later fails. Left out, at any time."""
    of: list[Text] = Field(default_factory=list)
    """The lines whose worst verdict it has."""
    sign: Said = ""
    """The role whose signature it is."""
    not_applicable: Said = ""
    """Why it does not apply."""
    hint: Said = ""
    """What to do when it is not green."""
    source_line: int = Field(default=0, strict=True, ge=0)
    """The line of the checklist that it was imported from; 0 for none."""
    checked: Flag = False
    """Whether its box was ticked there: the document's own claim, never believed."""
    confidence: float = Field(default=1.0, ge=0, le=1)
    """How sure the import is that this probe is what the line means."""


class OmittedLine(_Entry):
    """A line that is left out and yet says what would observe it."""

    id: Text
    line: Text
    section: Text
    """The heading that it stands under in the checklist."""
    due: Text
    owner: Text
    severity: Severity = Severity.REQUIRED
    fresh: Text = "launch"
    probe: Said = ""
    """The probe that it waits for; it need not be built yet."""
    arguments: dict[str, Any] = Field(default_factory=dict, alias="with")
    expect: Said = ""
    warn: Said = ""
    of: list[Text] = Field(default_factory=list)
    hint: Said = ""
    source_line: int = Field(default=0, strict=True, ge=0)
    checked: Flag = False
    confidence: float = Field(default=1.0, ge=0, le=1)


class OmittedEntry(_Entry):
    """Lines that the plan leaves out, with one reason for all of them."""

    reason: Text
    """Why they are left out; it is counted, shown and signed."""
    system: Said = ""
    """The kind of system that would unlock them."""
    lines: list[Text | OmittedLine] = Field(min_length=1)
    """Ids, or whole lines with what would observe them."""


class RoleEntry(_Entry):
    """Who answers, signs or decides. `person` empty or a placeholder is to fill."""

    id: Text
    """Its short name, `devops`; its public id is `role.devops`."""
    title: Text
    person: str = ""
    """Who holds it; empty is to fill."""
    phone: str = ""
    email: str = ""
    """Where the person is told by mail, when `notify` names a server."""
    slack: Said = ""
    """An incoming webhook in place of the one of `notify`: `env:NAME` or `file:PATH`."""
    duty: Said = ""
    """What the role is for."""
    simulated: Flag = False
    """No real person; said wherever the name stands."""
    decides: Flag = False
    """May decide GO or NO-GO."""
    signs: Flag = False
    """The poll needs this role's signature; one person signs one role."""


class RungEntry(_Entry):
    """One step of the traffic ladder."""

    weight: int = Field(strict=True, ge=1, le=100)
    """Percent of new requests on the new release."""
    watch: Text
    """How long the guard must have watched it before the next rung."""
    requests: int = Field(strict=True, ge=1)
    """How many requests the new release must have answered before the next rung."""


class RolloutEntry(_Entry):
    """How traffic moves."""

    ladder: list[RungEntry] = Field(min_length=1)
    drain: Text
    """How long a side's requests may take to end before it is stopped."""
    traffic: float = Field(default=0.0, strict=True, ge=0, le=1_000_000, allow_inf_nan=False)
    """Requests a second, on both sides together, below which the shift waits; 0 for any number."""


class SystemEntry(_Entry):
    """One system that probes observe."""

    kind: Text
    """Which probes look at it: `website`, `postgres`, …"""
    address: str = ""
    """A URL without credentials, or a reference: `env:NAME`, `file:PATH`. Empty is to fill."""
    real: Flag = True
    """False for a stand-in; every record says so."""


class InvariantEntry(_Entry):
    """What always holds for the data: a query of one value, and what that value must be."""

    name: Text
    """What is counted or compared, for people."""
    query: Text
    """One SQL statement that gives one row of one column; it runs in a read-only transaction with a time limit."""
    expect: Said = ""
    """What the value must be: `== 0`, `is TEXT`. Left out for a floor."""
    floor: Flag = False
    """The value must never fall below what it was before the shift; it may rise."""


class VantageEntry(_Entry):
    """A place from which the service is asked, as a user would."""

    name: Text
    """What it is called, once in the trigger: `the other data centre`."""
    by: Said = ""
    """The system that asks, of kind `blackbox`: an exporter elsewhere. Left out, tminus asks by itself."""
    module: Said = ""
    """The exporter's module; the one that the exporter's own configuration calls `http_2xx` when left out."""
    local: Said = Field(default="", alias="from")
    """The address of this machine that tminus asks from, where it has several ways out: `192.0.2.7`."""


class TriggerEntry(_Entry):
    """One rollback trigger."""

    id: Text
    text: Text
    above: Said = ""
    """The limit: `5%`, `2 s`."""
    hold: Text = "0s"
    """How long it must hold without a break."""
    source: Text
    """Who observes it."""
    action: Text
    """What follows: `roll back`, `hold and page`."""
    system: Said = ""
    """What is asked. `trig.corruption`: the system whose data the invariants are about, of kind `postgres`.
    `trig.vulnerability`: a source of advisories, of kind `osv`. `trig.unavailable`: the service, of kind `website`."""
    every: Said = ""
    """How often it is looked at, `1s` at least. Left out: invariants `60s`, scans `15min`, vantage points `1s`."""
    path: Said = ""
    """What vantage points ask for: `/health` when left out."""
    vantages: list[VantageEntry] = Field(default_factory=list)
    """Where `trig.unavailable` looks from. Two at least must have looked, and each that could must get no answer."""
    invariants: list[InvariantEntry] = Field(default_factory=list)
    """What always holds for the data; two looks in a row that find one broken make `trig.corruption` fire."""
    source_line: int = Field(default=0, strict=True, ge=0)


class ReleaseEntry(_Entry):
    """What is launched."""

    components: list[Text] = Field(min_length=1)
    """The names of what is launched; each gets a digest when a launch is opened."""


class FigureEntry(_Entry):
    """A test figure that the document claims, to be computed again from the raw report."""

    id: Text
    text: Text
    claimed: str
    """What the document says."""
    expect: Said = ""
    """What the figure must be when it is computed again."""
    probe: Said = ""


class ContactEntry(_Entry):
    """Whom to call. A placeholder is to fill."""

    id: Text
    title: Text
    phone: str = ""
    """In the international form; empty or a placeholder is to fill."""
    email: str = ""
    severity: Severity = Severity.ADVISORY


class FactEntry(_Entry):
    """Something the document says about itself: last updated, next review, owner."""

    id: Text
    text: Text
    value: str = ""


class DecisionEntry(_Entry):
    """GO or NO-GO: who may decide is a role's `decides`."""

    id: Text = "decision"
    line: Text = "GO / NO-GO"
    valid: Text = "15min"
    """How long before and after T-0 a decision holds."""
    steady: Text = "0s"
    """How long the observed lines have to be green, without a break, when GO is decided."""
    reason: str = ""
    new_date: str = ""


class ShortenedEntry(_Entry):
    """Lines that an expedited launch leaves out, with one reason for all of them."""

    reason: Text
    """Why a hotfix needs none of them; it is counted, shown and signed."""
    lines: list[Text] = Field(min_length=1)
    """Ids of lines that GO judges; never of a blocker."""


class ExpeditedEntry(_Entry):
    """The shorter form for a hotfix: `tminus launch --expedited` takes it, with a reason and a second person."""

    omitted: list[ShortenedEntry] = Field(default_factory=list)
    """What it leaves out beside what the plan omits."""
    milestones: dict[Text, Text] = Field(default_factory=dict)
    """By a milestone of the plan, where it comes instead: `{T-24h: T-1h}`. Later, and before T-0."""


class FreezeEntry(_Entry):
    """A time in which no launch may have its T-0: once, or every week."""

    name: Text
    """What it is called, once in the plan: `Year end`."""
    begins: Text = Field(alias="from")
    """A time, `2026-12-18T16:00`; or one of every week, `Fri 16:00`."""
    ends: Text = Field(alias="to")
    """The first moment after it, written as `from` is."""
    zone: Said = ""
    """The IANA zone whose clocks are meant: `Europe/Berlin`. Left out where both times say their own, `…+01:00`."""


class NoticesEntry(_Entry):
    """When owners are told of lines that wait for them, by how far it is from the lines' milestone."""

    soon: Text = "1h"
    """How long before it an owner is told that a line will be due."""
    late: Text = "15min"
    """How long after it an owner is told that a line is late."""
    escalated: Text = "30min"
    """How long after it those who decide are told."""


class NotifyEntry(_Entry):
    """By which systems people are told: of lines that wait for them, and of every change of the launch's date."""

    mail: Said = ""
    """The mail server: `env:NAME` or `file:PATH` of `smtp://USER:PASSWORD@HOST:PORT`; as it is without a login."""
    sender: Said = ""
    """Who mails come from: `launches@shop.example`, or `Launch control <launches@shop.example>`."""
    slack: Said = ""
    """The channel in which roles are told: `env:NAME` or `file:PATH` of an incoming webhook."""
    pager: Said = ""
    """Who wakes those on call: `env:NAME` or `file:PATH` of `https://ROUTING_KEY@events.pagerduty.com/v2/enqueue`."""


class WaiverEntry(_Entry):
    """A line that need not be green, and who answers for that."""

    check: Text
    """The line that is waived; never a blocker."""
    because: Text
    risk: Text
    compensating: Text
    requested_by: Text
    approved_by: Text
    """Another person than the one who asked."""
    until: Text
    """An instant, ISO 8601 with zone."""


class SourceEntry(_Entry):
    """The checklist that a plan was imported from."""

    path: Text
    """From the plan's own folder, or absolute."""
    sha256: Text
    also: list[Text] = Field(default_factory=list)
    """Further forms of boxes that were read: `tables`, `ballots`."""


class Document(_Entry):
    """A whole plan file."""

    schema_address: Said = Field(default="", alias="$schema")
    """Where this schema lies, for editors."""
    plan: Text
    """The plan's name."""
    extends: Said = ""
    """A built-in plan's name (`production`), or the path of another plan: this one overrides it by id."""
    source: SourceEntry | None = None
    production: Flag
    """A production plan leaves no line out and has no simulated people."""
    environment: Said = ""
    """Where it is launched: one launch at a time has it. Left out, `tminus launch --environment` says it."""
    release: ReleaseEntry
    target: TargetEntry | None = None
    """Where the release is rolled out. Left out, a launch counts down to T-0, and others act on its GO."""
    changes: list[ChangeEntry] = Field(default_factory=list)
    """Feature flags and settings that the launch changes beside the release."""
    systems: dict[str, SystemEntry]
    """What is observed, by name."""
    roles: list[RoleEntry] = Field(min_length=1)
    contacts: list[ContactEntry] = Field(default_factory=list)
    document: list[FactEntry] = Field(default_factory=list)
    figures: list[FigureEntry] = Field(default_factory=list)
    milestones: list[Text] = Field(min_length=1)
    """When lines fall due, from T-0, in order: `[T-24h, T-0, T+1h]`."""
    checks: dict[str, list[LineEntry]] = Field(min_length=1)
    """The lines, by the heading that they stand under."""
    omitted: list[OmittedEntry] = Field(default_factory=list)
    """Lines of the checklist that are left out."""
    waivers: list[WaiverEntry] = Field(default_factory=list)
    decision: DecisionEntry = Field(default_factory=DecisionEntry)
    expedited: ExpeditedEntry | None = None
    """The shorter form for a hotfix. Left out, every launch takes the whole plan."""
    freezes: list[FreezeEntry] = Field(default_factory=list)
    """When nothing is launched."""
    notices: NoticesEntry = Field(default_factory=NoticesEntry)
    notify: NotifyEntry = Field(default_factory=NotifyEntry)
    rollout: RolloutEntry
    triggers: list[TriggerEntry]
    """What rolls the release back."""
    metrics: list[MetricEntry] = Field(default_factory=list)
    """What the team measures beside: a metric that fails rolls the release back."""

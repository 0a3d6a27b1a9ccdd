"""The shape of a plan's file: which keys there are, and of which types. What they mean is the reader's."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tminus.domain.plan import Severity


class _Entry(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, ser_json_inf_nan="constants"
    )


class LineEntry(_Entry):
    """One line of the checklist, under its section."""

    id: str
    line: str
    due: str
    owner: str
    severity: Severity = Severity.REQUIRED
    fresh: str = "launch"
    probe: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict, alias="with")
    expect: str = ""
    warn: str = ""
    control: dict[str, Any] | None = None
    step: str = ""
    act: str = ""
    attest: str = ""
    of: list[str] = Field(default_factory=list)
    sign: str = ""
    not_applicable: str = ""
    hint: str = ""


class OmittedEntry(_Entry):
    """Lines that the plan leaves out, with one reason for all of them."""

    reason: str = Field(min_length=1)
    lines: list[str] = Field(min_length=1)


class RoleEntry(_Entry):
    """Who answers, signs or decides."""

    id: str
    title: str
    person: str
    simulated: bool = False
    decides: bool = False
    signs: bool = False


class RungEntry(_Entry):
    """One step of the traffic ladder."""

    weight: int = Field(ge=1, le=100)
    watch: str
    requests: int = Field(ge=1)


class RolloutEntry(_Entry):
    """How traffic moves."""

    ladder: list[RungEntry] = Field(min_length=1)
    drain: str


class SystemEntry(_Entry):
    """One system that probes observe."""

    kind: str
    address: str
    real: bool


class TriggerEntry(_Entry):
    """One rollback trigger."""

    id: str
    text: str
    above: str = ""
    hold: str = "0s"
    source: str
    action: str


class ReleaseEntry(_Entry):
    """What is launched."""

    components: list[str] = Field(min_length=1)


class Document(_Entry):
    """A whole plan file."""

    plan: str
    production: bool
    release: ReleaseEntry
    systems: dict[str, SystemEntry]
    roles: list[RoleEntry] = Field(min_length=1)
    milestones: list[str] = Field(min_length=1)
    checks: dict[str, list[LineEntry]] = Field(min_length=1)
    omitted: list[OmittedEntry] = Field(default_factory=list)
    rollout: RolloutEntry
    triggers: list[TriggerEntry]

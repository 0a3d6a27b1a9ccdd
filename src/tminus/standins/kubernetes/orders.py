"""What a test orders the stand-in to do wrong."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """How a Job goes."""

    succeeds: bool = True
    ends: bool = True
    """Whether it ever does."""
    log: str = ""
    """What its pod prints."""


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Another field manager that puts an object back to what it wants, as GitOps controllers do."""

    kind: str
    name: str
    manager: str
    spec: Json
    """What it wants to stand in the spec; the rest it leaves."""


@dataclass(slots=True)
class Orders:
    """The orders in force; a fresh one is a cluster in which all goes well."""

    ready_seconds: float = 0.0
    """How long a pod takes until it is ready."""
    stop_seconds: float = 0.0
    """How long a pod takes to end once it was told to; its grace period at the most."""
    never_ready: set[str] = field(default_factory=set)
    """Deployments whose pods never become ready."""
    crash_loops: set[str] = field(default_factory=set)
    """Deployments whose pods end as soon as they have begun."""
    runs_instead: dict[str, str] = field(default_factory=dict)
    """By digest: the digest that a node runs in its place."""
    no_image: set[str] = field(default_factory=set)
    """Digests that no node can pull."""
    jobs: dict[str, Run] = field(default_factory=dict)
    """By the beginning of a Job's name: how it goes; well and without a word where nothing is said."""
    rewrites: list[Rewrite] = field(default_factory=list)
    conditions: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    """By the type of a route's condition: status, reason and message that its gateway gives instead."""
    unobserved: bool = False
    """The gateway's controller does not look at routes."""
    store_reasons: dict[str, str] = field(default_factory=dict)
    """By the name of a SecretStore or ClusterSecretStore: why its operator calls it not ready."""
    unsynced: dict[str, str] = field(default_factory=dict)
    """By the name of an object that asks for a Secret: why its operator cannot write it."""
    secret_keys: dict[str, list[str]] = field(default_factory=dict)
    """By a path of Vault: the keys that an operator finds there when its object names none."""
    secret_values: dict[str, str] = field(default_factory=dict)
    """By key: the value that operators write; one that is made up where nothing is said."""
    leases: dict[str, str] = field(default_factory=dict)
    """By the name of a VaultDynamicSecret: the lease that it was given."""
    unserved: set[str] = field(default_factory=set)
    """Groups whose kinds are not installed."""
    webhook_down: str = ""
    """The name of an admission webhook that is asked of every write and does not answer; empty for none."""
    webhook_not_dry: str = ""
    """The name of an admission webhook that has effects of its own, so that nothing is tried before it as a dry run."""
    operators_idle: bool = False
    """The operators that write Secrets do nothing."""
    idle: bool = False
    """No controller does anything."""
    away: bool = False
    """The API server hangs up on everybody."""
    slow_seconds: float = 0.0
    """How long each answer takes."""
    status: int = 0
    """What every request gets instead of an answer; 0 for none."""
    hangs_up_after: int = -1
    """How many more writes are done before one is done and its answer lost; -1 for never."""

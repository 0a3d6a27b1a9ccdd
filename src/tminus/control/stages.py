"""What a rollout works with."""

from dataclasses import dataclass

from tminus.control.launchtime import LaunchTime
from tminus.control.ports import Commands, Database, Smoke, Target, Traffic, Verifier
from tminus.control.watch import Watch


@dataclass(frozen=True, slots=True)
class Stages:
    """What the rollout acts on."""

    target: Target
    traffic: Traffic
    database: Database
    smoke: Smoke
    watch: Watch
    clock: LaunchTime
    commands: Commands
    """What makes the plan's changes of flags and settings."""
    components: Commands
    """What brings the service's other components to another image."""
    verifier: Verifier
    """Who says whether the record proves the GO on which all of this is done."""

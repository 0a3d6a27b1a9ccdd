"""What a launch changes beside the release: feature flags and settings, each with its way back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class When(StrEnum):
    """When a change is made."""

    GREEN = "green"
    """Before the first user meets green."""
    PROMOTED = "promoted"
    """Once green has all requests."""


@dataclass(frozen=True, slots=True)
class Change:
    """One flag or setting, changed and read by commands of the release's own image."""

    id: str
    when: When
    apply: tuple[str, ...]
    """What makes it as it is wanted."""
    revert: tuple[str, ...]
    """What makes it as it was."""
    read: tuple[str, ...]
    """What prints how it stands, as its last line."""
    after: str
    """What that is once the change is made."""
    before: str
    """What it is before, and again after a rollback."""
    component: bool = False
    """Whether it is another component's image, which no command of the release changes."""

    @property
    def step(self) -> str:
        """The name of the launch's step that makes it."""
        return f"change {'component ' if self.component else ''}{self.id}"


def others(
    moments: Mapping[str, When], release: Mapping[str, str], previous: Mapping[str, str]
) -> tuple[Change, ...]:
    """The other components of a service, each brought from the image that it runs to that of the release.

    `moments` says by name when; the digests are SHA-256 in hex. Raises `KeyError` for a component without one.
    """
    return tuple(
        Change(
            name,
            when,
            ("set", name, f"sha256:{release[name]}"),
            ("set", name, f"sha256:{previous[name]}"),
            ("read", name),
            f"sha256:{release[name]}",
            f"sha256:{previous[name]}",
            component=True,
        )
        for name, when in moments.items()
        if release[name] != previous[name]
    )


def of(changes: Sequence[Change], when: When) -> tuple[Change, ...]:
    """The changes of one moment, in the plan's order."""
    return tuple(change for change in changes if change.when is when)

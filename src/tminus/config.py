"""Where tminus keeps what outlives a launch, and secrets by reference."""

import os
from collections.abc import Mapping
from pathlib import Path

from tminus.errors import PlanError


def home() -> Path:
    """The folder of launches, records and the trust root: `TMINUS_HOME`, or the user's data folder."""
    if chosen := os.environ.get("TMINUS_HOME"):
        return Path(chosen).expanduser().resolve()
    base = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(base).expanduser().resolve() / "tminus"


def resolve(reference: str, environment: Mapping[str, str]) -> str:
    """The value behind `env:NAME` or `file:PATH`; anything else is the value itself.

    Raises `PlanError` when there is nothing behind the reference.
    """
    kind, _, name = reference.partition(":")
    if kind == "env":
        if name not in environment:
            raise PlanError(f"the environment variable {name} is not set", hint=f"set {name} and start again")
        return environment[name]
    if kind == "file":
        try:
            return Path(name).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise PlanError(f"{name} cannot be read: {error}", hint="correct the path in the plan") from error
    return reference

"""A person's passphrase: from the environment where a program types, else asked on the terminal, never shown."""

import os
import sys

import typer

from tminus.config import resolve
from tminus.errors import PlanError, UsageError

VARIABLE = "TMINUS_PASSPHRASE"
"""The environment variable; it holds the passphrase, or `file:PATH` of a file that does."""


def passphrase(whose: str, *, new: bool = False) -> str:
    """The passphrase of a key; a new one is asked for twice.

    Raises `UsageError` where nobody can be asked.
    """
    if given := os.environ.get(VARIABLE):
        try:
            return resolve(given, os.environ)
        except PlanError as error:
            raise UsageError(f"{VARIABLE}: {error}", hint="correct the variable, or what it names") from error
    if not sys.stdin.isatty():
        raise UsageError(
            f"the passphrase of {whose} cannot be asked for: this is no terminal",
            hint=f"set {VARIABLE} to file:PATH of a file that holds it and that nobody else can read",
        )
    asked: str = typer.prompt(f"Passphrase of {whose}", hide_input=True, confirmation_prompt=new, err=True)
    return asked

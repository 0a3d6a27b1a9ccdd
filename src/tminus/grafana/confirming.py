"""Who has confirmed what the figures of a dashboard mean: the team's own record of it, a file beside the copies.

The file is YAML or JSON, a list of confirmations; each names the version by its sha256, who gave the word, the word
itself and when, and holds what that person has signed. `tminus confirm` writes them:

    - {sha256: 3b1c…, by: Mara Lind, text: "paid orders, without cancelled ones", at: 2026-01-31T…, envelope: {…}}
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tminus import files
from tminus.domain.confirmation import Confirmation, read_confirmation
from tminus.domain.people import alike
from tminus.errors import InconclusiveError

LARGEST_BYTES = 1024 * 1024

Vouch = Callable[[Confirmation, object], str]
"""Why a word, with its envelope, is not that of whom it names; empty where it is.

Raises `InconclusiveError` where nobody here can say whose key is whose.
"""


def nobody(word: Confirmation, envelope: object) -> str:
    """Vouches for nobody: what stands where no trust root is at hand."""
    del envelope
    raise InconclusiveError(
        f"whose word it is that {word.by} is said to have given cannot be told: no trust root is at hand",
        hint="have it looked at by a launch, or by tminus check",
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the file."""

    word: Confirmation
    doubt: str = ""
    """Why it is not the word of the person whom it names."""


def confirmations(path: Path, called: str, version: str, vouch: Vouch) -> list[Entry]:
    """Every word of a record, those for this version judged; raises `InconclusiveError` where it cannot be read."""
    rows = listed(path, called)
    read = [(read_confirmation(row), row.get("envelope")) for row in rows]
    return [Entry(word, vouch(word, signed) if word.sha256 == version else "") for word, signed in read]


def listed(path: Path, called: str) -> list[dict[str, Any]]:
    """The entries of a record, as they stand there; raises `InconclusiveError` where it cannot be read."""
    hint = "let `confirmed` name the list that `tminus confirm` writes, in the checkout that tminus is started in"
    try:
        found = yaml.safe_load(files.regular(path, LARGEST_BYTES))
    except OSError as error:
        raise InconclusiveError(
            f"the confirmations in {called} cannot be read: {error.strerror}", hint=hint
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # a date that no calendar has is no YAMLError
        raise InconclusiveError(f"the confirmations in {called} are no YAML", hint=hint) from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InconclusiveError(f"{called} holds no list of confirmations", hint=hint)
    return found


def unconfirmed(given: list[Entry], now: str, owner: str) -> str:
    """Why the version with this sha256 is not confirmed; empty where its owner, or anybody without one, has done so."""
    who = owner or "the product owner"
    mine = [one for one in given if one.word.sha256 == now]
    if not mine:
        before = [one.word for one in given if not owner or alike(one.word.by) == alike(owner)]
        was = f"; {before[-1].by} confirmed another version, sha256 {before[-1].sha256}" if before else ""
        return f"nobody has confirmed what the figures of this version mean, sha256 {now}{was}; {who} must"
    if owner and not any(alike(one.word.by) == alike(owner) for one in mine):
        return f"{mine[-1].word.by or 'nobody'} has confirmed this version, and the word of {owner} is needed"
    counting = [one for one in mine if one.word.by and (not owner or alike(one.word.by) == alike(owner))]
    if not counting:
        return f"this version was confirmed without a name, sha256 {now}; {who} must say so"
    if not any(one.word.text for one in counting):
        by = counting[-1].word.by
        return f"the word of {by} is without a text, so it does not count; {who} must say what they mean"
    if all(one.doubt or not one.word.text for one in counting):
        last = next(one for one in reversed(counting) if one.word.text)
        return f"the word of {last.word.by} does not count: {last.doubt}; {who} must say it: tminus confirm"
    return ""

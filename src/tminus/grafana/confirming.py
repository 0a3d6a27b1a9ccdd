"""Who has confirmed what the figures of a dashboard mean: the team's own record of it, a file beside the copies.

The file is YAML or JSON, a list of confirmations; each names the version by its sha256, who gave the word, and the
word itself:

    - {sha256: 3b1c…, by: Mara Lind, text: "orders are paid orders, without cancelled ones"}
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tminus import files
from tminus.errors import InconclusiveError

_LARGEST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Confirmation:
    """One person's word for one version of a dashboard."""

    sha256: str
    by: str
    text: str


def confirmations(path: Path, called: str) -> list[Confirmation]:
    """Every word of a record; raises `InconclusiveError` where it cannot be read."""
    hint = "let `confirmed` name a list of {sha256, by, text} in the checkout that tminus is started in"
    try:
        found = yaml.safe_load(files.regular(path, _LARGEST_BYTES))
    except OSError as error:
        raise InconclusiveError(
            f"the confirmations in {called} cannot be read: {error.strerror}", hint=hint
        ) from error
    except (yaml.YAMLError, ValueError) as error:  # a date that no calendar has is no YAMLError
        raise InconclusiveError(f"the confirmations in {called} are no YAML", hint=hint) from error
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise InconclusiveError(f"{called} holds no list of confirmations", hint=hint)
    return [_one(each) for each in found]


def _one(each: dict[str, Any]) -> Confirmation:
    said = {name: str(each.get(name) or "").strip() for name in ("sha256", "by", "text")}
    return Confirmation(said["sha256"].removeprefix("sha256:").lower(), said["by"], said["text"])


def unconfirmed(given: list[Confirmation], now: str, owner: str) -> str:
    """Why the version with this sha256 is not confirmed; empty where its owner, or anybody without one, has done so."""
    who = owner or "the product owner"
    mine = [one for one in given if one.sha256 == now]
    if not mine:
        before = [one for one in given if one.by == owner or not owner]
        was = f"; {before[-1].by} confirmed another version, sha256 {before[-1].sha256}" if before else ""
        return f"nobody has confirmed what the figures of this version mean, sha256 {now}{was}; {who} must"
    if owner and not any(one.by == owner for one in mine):
        return f"{mine[-1].by or 'nobody'} has confirmed this version, and the word of {owner} is needed"
    counting = [one for one in mine if (one.by == owner or not owner) and one.by]
    if not counting:
        return f"this version was confirmed without a name, sha256 {now}; {who} must say so"
    if not any(one.text for one in counting):
        return f"the word of {counting[-1].by} is without a text, so it does not count; {who} must say what they mean"
    return ""

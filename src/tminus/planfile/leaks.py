"""Secrets that stand in a plan as they are; a plan is read, signed and archived by many, so it holds references only.

Nothing here repeats a secret: a problem names the key and the kind. `control` is left out: wrong passwords stand there.
"""

import re

from tminus.planfile.filling import is_placeholder
from tminus.planfile.nodes import Map, mark_of, texts
from tminus.planfile.problem import Problem, problem_at
from tminus.planfile.shape import Place

_REFERENCE = re.compile(r"(?:env|file|vault):\S+|\$\{[^}]+\}")
_NAMED = re.compile(
    r"(?:^|[_-])(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)$",
    re.IGNORECASE,
)
_KINDS = (
    ("a private key", r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY"),
    ("an address with a login", r"://(?!\$\{)[^/\s@:]{1,200}(?::(?!\$\{)[^/\s@]{0,200})?@"),
    ("an AWS key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{16}|\bgithub_pat_[A-Za-z0-9_]{20}"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{16}"),
    ("a Slack token", r"\bxox[abeprs]-[A-Za-z0-9-]{8}|hooks\.slack\.com/services/\S{10}"),
    ("a Vault token", r"\bhv[sbr]\.[A-Za-z0-9_-]{20}"),
    ("a Google key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("a Stripe key", r"\b[rs]k_live_[0-9A-Za-z]{16}"),
    ("a signed token", r"\beyJ[\w-]{8,1000}\.eyJ[\w-]{8,1000}\.[\w-]{8}"),
)
_ANY = re.compile("|".join(f"({pattern})" for _, pattern in _KINDS))
_INSTEAD = "write a reference, `env:NAME` or `file:PATH`, and change the secret: it has been seen"


def leaks(tree: Map) -> list[Problem]:
    """Every secret that stands in these values, by its place and kind."""
    found = []
    for place, text in texts(tree):
        kind = _kind(place, text)
        if kind and "control" not in place:
            where = ".".join(str(step) for step in place[:-1] if not isinstance(step, int))
            within = f"{where}: " if where else ""
            found.append(problem_at(mark_of(tree, place), f"{within}`{place[-1]}` holds {kind}; {_INSTEAD}"))
    return found


def _kind(place: Place, text: str) -> str:
    if match := _ANY.search(text):
        return _KINDS[(match.lastindex or 1) - 1][0]
    in_settings = place[0] == "systems" or "with" in place
    if in_settings and isinstance(place[-1], str) and _NAMED.search(place[-1]):
        literal = not is_placeholder(text) and not _REFERENCE.fullmatch(text.strip())
        return "a secret as it is" if literal else ""
    return ""

"""Values that stand for values: words that somebody was to replace, and hosts that belong to another environment."""

import re
from collections.abc import Iterable, Iterator

_WHOLE = re.compile(
    r"\[[A-Z][A-Za-z _-]*\]|<[A-Za-z][A-Za-z _-]*>|tb[da]|todo|fixme|xxx+|placeholder|replace[ _-]?me",
    re.IGNORECASE,
)
"""Texts that stand for a value when they are all of it."""
_WORDS = re.compile(r"change[_-]?me|\bTODO\b|\bFIXME\b|\bTBD\b|\breplace[_-]?me\b", re.IGNORECASE)
_SPELLED = {"todo", "fixme", "tbd"}
"""Words of `_WORDS` that are ordinary ones in small letters."""
_BLANK = re.compile(
    r"(?:^|[=:@/\"'\s])(\[(?:Name|Your [A-Za-z ]+|Insert [A-Za-z ]+|Domain|Host(?:name)?|URL|Token|Password|Value)\])"
)
_COMMENT = re.compile(r"\s*(?:#|//|;|--\s)")
_HERE = re.compile(r"(?<![\w.-])localhost(?![\w-])|://(?:127\.\d+\.\d+\.\d+|\[::1\])", re.IGNORECASE)
_HERE_WHOLE = re.compile(r"(?:127\.\d+\.\d+\.\d+|\[?::1\]?)(?::\d+)?")
_SPLIT = re.compile(r"[\s\"'`,;=<>(){}|]+")
_HOST = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)?(?:[^/@\s]*@)?(?P<host>[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?P<port>:\d+)?(?:[/?#].*)?",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"(?:ya?ml|json|conf|cfg|ini|toml|properties|xml|txt|pem|crt|key|log|sh|py|js|ts|css|html?|sql|csv|md|tpl|tmpl|env)"
)
_STAGING = {"staging", "stage", "stg", "preprod", "uat"}
"""A word of a host's name that says which environment it belongs to."""


def placeholders(value: str, staging: Iterable[str] = ()) -> list[str]:
    """What in a value stands for a value, each once: a word to replace, this machine's own name, a staging host.

    `staging` are further hosts that do not belong here; a host below one of them does not either. Comments of a
    text of several lines are no values.
    """
    others = tuple(name.lower().strip(".") for name in staging)
    lines = value.splitlines()
    if len(lines) > 1:
        lines = [line for line in lines if not _COMMENT.match(line)]
    found: dict[str, None] = {}
    if _WHOLE.fullmatch(value.strip()):
        found[value.strip()] = None
    for line in lines:
        found |= dict.fromkeys(_in_line(line, others))
    return [*found]


def _in_line(line: str, others: tuple[str, ...]) -> Iterator[str]:
    for match in _WORDS.finditer(line):
        word = match.group()
        if word.lower() not in _SPELLED or word.isupper():
            yield word
    yield from (match.group(1) for match in _BLANK.finditer(line))
    here = _HERE.search(line) or _HERE_WHOLE.fullmatch(line.strip())
    if here:
        yield here.group().removeprefix("://")
    for piece in _SPLIT.split(line):
        if host := elsewhere(piece, others):
            yield host


def elsewhere(piece: str, others: Iterable[str] = ()) -> str:
    """The host of an address that belongs to another environment by its name; empty where it does not."""
    match = _HOST.fullmatch(piece.strip(".:"))
    if match is None:
        return ""
    host = match["host"].lower()
    if any(host == other or host.endswith(f".{other}") for other in others):
        return host
    labels = host.split(".")
    plain = not match["scheme"] and not match["port"]
    if plain and (len(labels) == 1 or _FILE.fullmatch(labels[-1])):
        return ""  # a word, or the name of a file
    # What comes last is no environment: it is the top level, unless it is all there is.
    words = {word for label in labels[: max(1, len(labels) - 1)] for word in re.split(r"[-_]", label)}
    return host if words & _STAGING else ""

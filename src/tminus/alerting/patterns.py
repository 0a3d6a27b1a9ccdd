r"""Regular expressions as Go's programs read them, matched in linear time.

Prometheus and Alertmanager use RE2's syntax, which Python's `re` does not know: `[[:alpha:]]`, `\z`, `(?i)` anywhere;
and Python knows what RE2 refuses. pydantic brings the `regex` crate of Rust, RE2's nearest kin: no pattern of a file
takes it more than linear time. What the two write differently is rewritten here.

Source: RE2's syntax (github.com/google/re2/wiki/Syntax), Go's `regexp/syntax`.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from pydantic_core import SchemaError, SchemaValidator, core_schema

MOST_REPEATS = 1000
"""What Go takes as the number in `x{n}`."""

_REPEAT = re.compile(r"\{(\d+)(?:,(\d*))?\}", re.ASCII)
_OPERATOR = re.compile(r"(?:[*+?]|\{\d+(?:,\d*)?\})\??", re.ASCII)
_GROUP = re.compile(r"\(\?(?:P?<\w+>|[imsU]*(?:-[imsU]+)?[:)])", re.ASCII)
_OCTAL = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_HEX = re.compile(r"x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})")
_PROPERTY = re.compile(r"[pP](?:\{\^?\w+\}|[A-Za-z])", re.ASCII)
_POSIX = re.compile(
    r"\[:\^?(?:alnum|alpha|ascii|blank|cntrl|digit|graph|lower|print|punct|space|upper|word|xdigit):\]"
)
_QUOTED = re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL)
_SIGNS = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}
_CLASSES = {"d": "0-9", "s": r"\t\n\x0C\r\x20", "w": "0-9A-Za-z_"}
"""Of ASCII only, as RE2 has them."""
_EDGES = {"A": r"\A", "z": r"\z", "b": r"(?-u:\b)", "B": r"(?-u:\B)"}


@lru_cache(maxsize=4096)
def anchored(pattern: str) -> Callable[[str], bool]:
    """Whether a whole text matches this pattern; raises `ValueError` for one that Go would refuse."""
    text = f"^(?:{_rewritten(pattern)})$"
    try:
        validator = SchemaValidator(core_schema.str_schema(pattern=text, regex_engine="rust-regex"))
    except SchemaError as error:
        raise ValueError(f"the pattern {pattern!r} cannot be read") from error
    return validator.isinstance_python


def _rewritten(pattern: str) -> str:
    parts: list[str] = []
    at = 0
    while at < len(pattern):
        repeats = _OPERATOR.match(pattern, at)
        if repeats is not None:
            at = _repeated(pattern, at, repeats.group())
            parts.append(repeats.group())
            continue
        part, at = _one(pattern, at)
        parts.append(part)
    return "".join(parts)


def _repeated(pattern: str, at: int, operator: str) -> int:
    """Where it goes on after `*`, `{2,3}` and their kin."""
    numbers = [int(one) for one in re.findall(r"\d+", operator)]
    if any(one > MOST_REPEATS for one in numbers) or numbers != sorted(numbers):
        raise ValueError(f"the pattern {pattern!r} repeats {operator}, which is too often or upside down")
    at += len(operator)
    if _OPERATOR.match(pattern, at):
        raise ValueError(f"the pattern {pattern!r} repeats a repetition")
    return at


def _one(pattern: str, at: int) -> tuple[str, int]:
    """The next part of a pattern as Rust writes it, and where it ends."""
    sign = pattern[at]
    if sign == "\\":
        return _escape(pattern, at)
    if sign == "[":
        return _set(pattern, at)
    if sign == "(" and pattern.startswith("(?", at):
        found = _GROUP.match(pattern, at)
        if found is None:
            raise ValueError(f"the pattern {pattern!r} holds a group that Go does not know")
        return found.group(), found.end()
    if sign in "{}]#&~-":  # literal to Go wherever they come here; to Rust some are not
        return _literal(sign), at + 1
    return sign, at + 1


def _literal(text: str) -> str:
    return "".join(f"\\x{{{ord(sign):x}}}" for sign in text)


def _escape(pattern: str, at: int) -> tuple[str, int]:
    quoted = _QUOTED.match(pattern, at)
    if quoted is not None:
        return _literal(quoted.group(1)), quoted.end()
    sign = pattern[at + 1 : at + 2]
    if sign in _EDGES:
        return _EDGES[sign], at + 2
    if sign.lower() in _CLASSES:
        return f"[{'^' if sign.isupper() else ''}{_CLASSES[sign.lower()]}]", at + 2
    return _sign(pattern, at)


def _sign(pattern: str, at: int) -> tuple[str, int]:
    r"""An escape that may stand in a set too: `\.`, `\n`, `\x41`, `\101`, `\pL`."""
    sign = pattern[at + 1 : at + 2]
    if sign in _SIGNS:
        return _literal(chr(_SIGNS[sign])), at + 2
    for known, base in ((_OCTAL, 8), (_HEX, 16)):
        if found := known.match(pattern, at + 1):
            number = int(next(filter(None, found.groups()), found.group()), base)
            return f"\\x{{{number:x}}}", found.end()
    if found := _PROPERTY.match(pattern, at + 1):
        return f"\\{found.group()}", found.end()
    if sign and sign.isascii() and not sign.isalnum():
        return _literal(sign), at + 2
    raise ValueError(f"the pattern {pattern!r} holds \\{sign}, which Go does not know")


def _set(pattern: str, at: int) -> tuple[str, int]:
    """A set such as `[^a-z]`."""
    end = at + 2 if pattern.startswith("[^", at) else at + 1
    parts = [pattern[at:end]]
    first = True
    while first or not pattern.startswith("]", end):
        first = False
        if end >= len(pattern):
            raise ValueError(f"the pattern {pattern!r} holds a set without its ]")
        part, end = _member(pattern, end)
        parts.append(part)
    return "".join([*parts, "]"]), end + 1


def _member(pattern: str, at: int) -> tuple[str, int]:
    if posix := _POSIX.match(pattern, at):
        return posix.group(), posix.end()
    if re.compile(r"\[:[^\]]*:\]").match(pattern, at):
        raise ValueError(f"the pattern {pattern!r} holds a class of signs that Go does not know")
    escaped = pattern[at + 1 : at + 2] if pattern[at] == "\\" else ""
    if escaped and escaped.lower() in _CLASSES:
        inside = _CLASSES[escaped.lower()]
        return inside if escaped.islower() else f"[^{inside}]", at + 2
    if escaped in {"p", "P"}:
        return _sign(pattern, at)
    low, at = _sign(pattern, at) if escaped else (_literal(pattern[at]), at + 1)
    if pattern.startswith("-", at) and not pattern.startswith("-]", at) and at + 1 < len(pattern):
        at += 1
        high, at = _sign(pattern, at) if pattern[at] == "\\" else (_literal(pattern[at]), at + 1)
        return f"{low}-{high}", at
    return low, at

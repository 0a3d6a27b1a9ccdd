r"""Conditions on labels as Alertmanager reads them: by its UTF-8 parser, and by the classic one where that fails.

Since 0.27 both parsers read each text: what only one of them can read is taken from that one, and where they disagree
the classic one is right. Source: `matcher/compat`, `matcher/parse` and `pkg/labels` of prometheus/alertmanager.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tminus.alerting.patterns import anchored

CLASSIC_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
"""What a label is called in Prometheus before 3 and Alertmanager before 0.27."""

_TOKEN = re.compile(
    r"""(?P<op>=~|!~|!=|=)|(?P<sign>[{},])|(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<bare>[^\s{}!=~,\\"'`]+)""",
    re.DOTALL,
)
_CLASSIC = re.compile(r"\s*([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(=~|=|!=|!~)\s*(.*?)\s*", re.DOTALL | re.ASCII)
_ESCAPE = re.compile(
    rb"""\\(?:([abfnrtv\\"])|([0-7]{3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))"""
)
_SIGNS = {b"a": 7, b"b": 8, b"f": 12, b"n": 10, b"r": 13, b"t": 9, b"v": 11, b"\\": 92, b'"': 34}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label; an absent label counts as empty, as Alertmanager has it."""

    name: str
    operator: str
    value: str

    def takes(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels meet it."""
        given = labels.get(self.name, "")
        if self.operator in {"=", "!="}:
            return (given == self.value) is (self.operator == "=")
        return anchored(self.value)(given) is (self.operator == "=~")

    def __str__(self) -> str:
        value = self.value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        name = self.name if CLASSIC_NAME.fullmatch(self.name) else f'"{self.name}"'
        return f'{name}{self.operator}"{value}"'


def matcher(name: str, operator: str, value: str) -> Matcher:
    """A condition whose pattern can be read; raises `ValueError` for another."""
    if operator in {"=~", "!~"}:
        anchored(value)
    return Matcher(name, operator, value)


def parse(text: str) -> tuple[tuple[Matcher, ...], str]:
    """The conditions of one text, and what is worth a remark; raises `ValueError` for what Alertmanager refuses."""
    classic: tuple[Matcher, ...] | None = None
    why: ValueError | None = None
    try:
        classic = tuple(_classic(text))
    except ValueError as error:
        why = error
    try:
        modern = tuple(_modern(text))
    except ValueError:
        if classic is None:
            raise ValueError(f"{text!r} is no matcher: {why}") from why
        return classic, f"{text} is read by the classic parser only; write {_listed(classic)}"
    if classic is None:
        return modern, f"{text} is read by Alertmanager 0.27 and newer only"
    if classic != modern:
        return classic, f"{text} is read otherwise by the new parser; write {_listed(classic)}"
    return modern, ""


def _listed(matchers: Sequence[Matcher]) -> str:
    return ", ".join(str(one) for one in matchers)


def _modern(text: str) -> Sequence[Matcher]:
    """What the UTF-8 parser reads: names and values are in double quotes, or have none of the signs it reserves."""
    tokens = _tokens(text)
    inner = tokens
    if tokens[:1] == [("sign", "{")]:
        if tokens[-1] != ("sign", "}") or len(tokens) < 2:
            raise ValueError("a brace is not closed")
        inner = tokens[1:-1]
    found = []
    at = 0
    while at < len(inner):
        kinds = [kind for kind, _ in inner[at : at + 3]]
        if len(kinds) < 3 or kinds[1] != "op" or not {kinds[0], kinds[2]} <= {"quoted", "bare"}:
            raise ValueError("a matcher is a name, an operator and a value")
        (_, name), (_, operator), (_, value) = inner[at : at + 3]
        found.append(matcher(_unquoted(name), operator, _unquoted(value)))
        at += 3
        if at < len(inner) and inner[at] != ("sign", ","):
            raise ValueError("matchers are separated by commas")
        at += 1
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    found = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"{text[at]!r} cannot stand here")
        found.append((str(token.lastgroup), token.group()))
        at = token.end()
    return found


def _unquoted(token: str) -> str:
    """A word as it is, or what stands in double quotes, by Go's rules for them."""
    if not token.startswith('"'):
        return token
    inner = token[1:-1]
    written = inner.encode()
    if "\n" in inner or re.search(rb"\\", _ESCAPE.sub(b"", written)):
        raise ValueError(f"{token} holds what Go does not take in double quotes")
    return _ESCAPE.sub(_unescaped, written).decode()


def _unescaped(found: re.Match[bytes]) -> bytes:
    sign, octal, hexadecimal, *points = found.groups()
    if sign is not None:
        return bytes([_SIGNS[sign]])
    if octal is not None or hexadecimal is not None:
        number = int(octal, 8) if octal is not None else int(hexadecimal, 16)
        if number > 255:
            raise ValueError(f"{found.group().decode()} is no byte")
        return bytes([number])
    return chr(int(next(filter(None, points)), 16)).encode()


def _classic(text: str) -> Sequence[Matcher]:
    """What the parser before 0.27 reads: values with or without quotes, and any sign in them but a comma."""
    inner = text.removeprefix("{").removesuffix("}")
    parts, quoted, escaped = [""], False, False
    for sign in inner:
        if sign == "," and not quoted:
            parts.append("")
            continue
        if sign == '"':
            quoted, escaped = quoted if escaped else not quoted, False
        elif sign == "\\":
            escaped = not escaped
        elif sign != ",":
            escaped = False
        parts[-1] += sign
    if not parts[-1].strip():
        parts.pop()
    return [_classic_one(part) for part in parts]


def _classic_one(text: str) -> Matcher:
    found = _CLASSIC.fullmatch(text)
    if found is None:
        raise ValueError(f"{text.strip()!r} is no name, operator and value")
    name, operator, raw = found.groups()
    opened = raw.startswith('"')
    inner = raw[1:] if opened else raw
    value, at = "", 0
    while at < len(inner):
        sign = inner[at]
        if sign == "\\" and at + 1 < len(inner):
            after = inner[at + 1]
            value += {"n": "\n", '"': '"', "\\": "\\"}.get(after, f"\\{after}")
            at += 2
            continue
        if sign == '"':
            if not opened or at + 1 < len(inner):
                raise ValueError(f"{raw} holds a double quote that is not escaped")
            opened = False
        else:
            value += sign
        at += 1
    if opened:
        raise ValueError(f"{raw} lacks its closing quote")
    return matcher(name, operator, value)

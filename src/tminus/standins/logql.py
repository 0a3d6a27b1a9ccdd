"""The part of LogQL that the stand-in for Loki understands: a stream selector and line filters.

`{app="depot", side=~"blue|green"} |= "text" != "other" |~ "reg.x" !~ "…"`, texts in double quotes or backquotes.
Everything else is refused with Loki's words for what it cannot parse.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

_TOKEN = re.compile(
    r"""\s*(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`)"""
    r"""|(?P<sign>=~|!~|!=|\|=|\|~|=|\{|\}|,|\||.))"""
)
_MATCHES = ("=", "!=", "=~", "!~")
_FILTERS = ("|=", "!=", "|~", "!~")
EMPTY = (
    "parse error : queries require at least one regexp or equality matcher that does not have an empty-compatible "
    'value. For instance, app=~".*" does not meet this requirement, but app=~".+" will'
)


class QueryError(ValueError):
    """Loki would not understand this query; the text is its answer."""


@dataclass(frozen=True, slots=True)
class _Test:
    """One comparison with a text."""

    sign: str
    text: str

    def holds(self, value: str, *, whole: bool) -> bool:
        """Whether a value passes; labels are compared as wholes, lines in parts."""
        if "~" in self.sign:
            found = bool((re.fullmatch if whole else re.search)(self.text, value))
        else:
            found = value == self.text if whole else self.text in value
        return found is not self.sign.startswith("!")


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood."""

    matchers: tuple[tuple[str, _Test], ...]
    filters: tuple[_Test, ...]

    def selects(self, labels: Mapping[str, str]) -> bool:
        """Whether a stream with these labels is asked for."""
        return all(test.holds(labels.get(name, ""), whole=True) for name, test in self.matchers)

    def keeps(self, line: str) -> bool:
        """Whether a line passes all filters."""
        return all(test.holds(line, whole=False) for test in self.filters)


def parse(text: str) -> Query:
    """The query that a text means; raises `QueryError` with Loki's words where it means none here."""
    reader = _Reader(text)
    matchers = reader.selector()
    filters = reader.filters()
    if not any(test.sign in {"=", "=~"} and not test.holds("", whole=True) for _, test in matchers):
        raise QueryError(EMPTY)
    return Query(tuple(matchers), tuple(filters))


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = [match for match in _TOKEN.finditer(text) if match.lastgroup]
        self._at = 0

    def selector(self) -> list[tuple[str, _Test]]:
        self._sign("{")
        found: list[tuple[str, _Test]] = []
        while True:
            name = self._of("name", "expecting IDENTIFIER")
            found.append((name, self._test(_MATCHES)))
            if self._sign(",", "}") == "}":
                return found

    def filters(self) -> list[_Test]:
        found = []
        while self._at < len(self._tokens):
            found.append(self._test(_FILTERS))
        return found

    def _test(self, signs: tuple[str, ...]) -> _Test:
        sign = self._sign(*signs)
        quoted = self._of("text", "expecting STRING")
        try:
            text = quoted[1:-1] if quoted.startswith("`") else str(json.loads(quoted))
            re.compile(text if "~" in sign else "")
        except (ValueError, re.error) as error:
            raise QueryError(f"parse error : {error}") from error
        return _Test(sign, text)

    def _sign(self, *known: str) -> str:
        found = self._of("sign", f"expecting {' or '.join(known)}")
        if found not in known:
            self._at -= 1
            self._refuse(f"expecting {' or '.join(known)}")
        return found

    def _of(self, kind: str, expecting: str) -> str:
        token = self._tokens[self._at] if self._at < len(self._tokens) else None
        if token is None or token.lastgroup != kind:
            self._refuse(expecting)
        self._at += 1
        return token[kind]

    def _refuse(self, expecting: str) -> NoReturn:
        if self._at >= len(self._tokens):
            raise QueryError(f"parse error : syntax error: unexpected $end, {expecting}")
        token = self._tokens[self._at]
        words = {"name": "IDENTIFIER", "text": "STRING"}.get(
            str(token.lastgroup), token[str(token.lastgroup)]
        )
        column = token.start(str(token.lastgroup)) + 1
        raise QueryError(
            f"parse error at line 1, col {column}: syntax error: unexpected {words}, {expecting}"
        )

"""The templates in labels and annotations of alert rules, as far as Prometheus reads them when it loads a rule.

Nothing is filled in. What is looked at is what Go's `text/template` refuses: actions that do not end, variables and
functions that there are not, `if` without `end`. Source: Go's documentation of it, and Prometheus' template reference.
"""

import re
from dataclasses import dataclass, field

_VARIABLES = ("$", "$labels", "$externalLabels", "$externalURL", "$value")
_OPENS = {"if", "range", "with", "define", "block"}
_WORDS = _OPENS | {"else", "end", "template", "break", "continue", "nil", "true", "false"}
_FUNCTIONS = {
    *("and", "call", "eq", "ge", "gt", "html", "index", "js", "le", "len", "lt", "ne", "not", "or"),
    *("print", "printf", "println", "slice", "urlquery"),
    *("args", "externalURL", "first", "graphLink", "humanize", "humanize1024", "humanizeDuration"),
    *("humanizePercentage", "humanizeTimestamp", "label", "match", "now", "parseDuration", "pathPrefix"),
    *("query", "reReplaceAll", "safeHtml", "sortByLabel", "stripDomain", "stripPort", "strvalue"),
    *("tableLink", "title", "tmpl", "toDuration", "toLower", "toTime", "toUpper", "urlQueryEscape", "value"),
}
_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+')|(?P<variable>\$\w*)|(?P<field>\.[A-Za-z_]\w*)"""
    r"""|(?P<number>[+-]?\.?\d[\w.+-]*)|(?P<word>[^\W\d]\w*)|(?P<sign>:=|[|,()=.]))"""
)
_COMMENT = re.compile(r"\{\{(?:-\s)?/\*.*?\*/(?:\s-)?\}\}", re.DOTALL)


@dataclass(slots=True)
class _Scope:
    """What is open, and which variables each part declared."""

    opened: list[list[str]] = field(default_factory=lambda: [[*_VARIABLES]])

    def knows(self, name: str) -> bool:
        return any(name in declared for declared in self.opened)

    def declare(self, names: list[str]) -> None:
        self.opened[-1] += names


def fault(text: str) -> str:
    """Why Prometheus would refuse this template; empty where it takes it."""
    scope = _Scope()
    try:
        for action in _actions(_COMMENT.sub("", text)):
            _read(action, scope)
    except ValueError as error:
        return str(error)
    return "an `if`, `range` or `with` lacks its `end`" if len(scope.opened) > 1 else ""


def _actions(text: str) -> list[list[tuple[str, str]]]:
    """What stands between each `{{` and `}}`, taken apart."""
    found = []
    at = 0
    while (begin := text.find("{{", at)) >= 0:
        tokens, at = _tokens(text, begin)
        found.append(tokens)
    return found


def _tokens(text: str, begin: int) -> tuple[list[tuple[str, str]], int]:
    at = begin + 2
    if re.match(r"-\s", text[at : at + 2]):
        at += 1
    tokens: list[tuple[str, str]] = []
    while True:
        if end := re.compile(r"(?:\s+-)?\s*\}\}").match(text, at):
            return tokens, end.end()
        token = _TOKEN.match(text, at)
        if token is None:
            rest = text[at:].strip()
            raise ValueError(f"{rest[:20]!r} cannot stand in a template" if rest else "`{{` lacks its `}}`")
        tokens.append((str(token.lastgroup), token[str(token.lastgroup)]))
        at = token.end()


def _read(tokens: list[tuple[str, str]], scope: _Scope) -> None:
    if not tokens:
        raise ValueError("`{{ }}` holds nothing")
    first = tokens[0][1] if tokens[0][0] == "word" else ""
    if first in {"end", "else"}:
        if len(scope.opened) == 1:
            raise ValueError(f"`{first}` ends nothing")
        declared = scope.opened.pop()
        if first == "else":
            scope.opened.append(declared[:0])
    if first in _OPENS:
        scope.opened.append([])
    _balanced(tokens)
    _named(tokens, scope)


def _balanced(tokens: list[tuple[str, str]]) -> None:
    depth = 0
    for kind, sign in tokens:
        depth += {"(": 1, ")": -1}.get(sign, 0) if kind == "sign" else 0
        if depth < 0:
            raise ValueError("a bracket closes nothing")
    if depth:
        raise ValueError("a bracket is not closed")


def _named(tokens: list[tuple[str, str]], scope: _Scope) -> None:
    """Hold every name to what there is, and take in what is declared."""
    signs = [sign for _, sign in tokens]
    declares = signs.index(":=") if ":=" in signs else 0
    new = [name for kind, name in tokens[:declares] if kind == "variable"]
    for at, (kind, name) in enumerate(tokens):
        if kind == "variable" and not (at < declares or scope.knows(name)):
            raise ValueError(f"there is no variable {name}")
        if kind == "word" and name not in _WORDS | _FUNCTIONS:
            raise ValueError(f"there is no function {name}")
    scope.declare(new)

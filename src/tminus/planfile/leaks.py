"""Secrets that stand in a plan as they are; a plan is read, signed and archived by many, so it holds references only.

Nothing here repeats a secret: a problem names the key and the kind. `control` is left out: wrong passwords stand there.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import takewhile
from typing import TypeAlias, TypeVar

from tminus.planfile.filling import is_placeholder
from tminus.planfile.nodes import Map, mark_of, texts
from tminus.planfile.problem import Problem, ToFill, problem_at
from tminus.planfile.shape import Place

Said = TypeVar("Said", Problem, ToFill)
_REFERENCE = re.compile(r"(?:env|file|vault):\S+|\$\{[^}]+\}")
_NAMED = re.compile(
    r"(?:^|[_-])(?:password|passwd|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?)$",
    re.IGNORECASE,
)
_WORD = r"(?:pass(?:word|wd|phrase)|pwd|(?:client[_-]?)?secret|(?:\w{1,20}_)?token|(?:api|access|private)[_-]?key)"
_VALUE = r"=(?![<\[…*&\s]|\$\{|[xX]{3})"
_KINDS = (
    ("a private key", r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY"),
    (
        "an address with a login",
        r"://(?!\$\{)(?:[^/\s@:]{1,200}(?::(?!\$\{)[^/\s@]{0,200})?|:(?!\$\{)[^/\s@]{1,200})@",
    ),
    ("an AWS key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{16}|\bgithub_pat_[A-Za-z0-9_]{20}"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{16}"),
    ("a Slack token", r"\bxox[abeprs]-[A-Za-z0-9-]{8}|hooks\.slack\.com/services/\S{10}"),
    ("a Vault token", r"\bhv[sbr]\.[A-Za-z0-9_-]{20}"),
    ("a Google key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("a Stripe key", r"\b[rs]k_live_[0-9A-Za-z]{16}"),
    ("a signed token", r"\beyJ[\w-]{8,1000}\.eyJ[\w-]{8,1000}\.[\w-]{8}"),
    ("an address with a secret", rf"://\S{{1,400}}?[?&](?i:{_WORD}){_VALUE}"),
    (
        "a connection with a password",
        rf"\b(?:host|hostaddr|dbname|user|port)\s?=[^\n]{{0,400}}?\bpassword{_VALUE}",
    ),
    (
        "a connection with a password",
        rf"\bpassword{_VALUE}\S{{1,200}}\s(?:[^\n]{{0,200}}\s)?(?:host|hostaddr|dbname|user)=",
    ),
)
_SIGN = re.compile(
    r"PRIVATE KEY|://|AKIA|ASIA|gh[pousr]_|github_pat_|glpat-|xox|hooks\.slack|hv[sbr]\.|AIza|k_live_|eyJ|password="
)
"""Every text that holds one of the kinds holds one of these too; most texts hold none, which is seen much sooner."""
_SHORT = 4
"""Characters of a secret below which it is looked for as a word only."""
_INSTEAD = "write a reference, `env:NAME` or `file:PATH`, and change the secret: it has been seen"


Seen: TypeAlias = Sequence[tuple[Place, str, str]]
"""Texts that are a secret or hold one: where, the text, the kind."""


def seen(tree: Map) -> Seen:
    """Every text of these values that holds a secret; what shows only that a check can fail is none."""
    return [
        (place, text, kind)
        for place, text in texts(tree)
        if (kind := _kind(place, text)) and "control" not in place
    ]


def leaks(tree: Map, found: Seen) -> list[Problem]:
    """Each of these secrets as a problem, by its place and kind."""
    told = []
    for place, _, kind in found:
        where = ".".join(str(step) for step in place[:-1] if not isinstance(step, int))
        within = f"{where}: " if where else ""
        told.append(problem_at(mark_of(tree, place), f"{within}`{place[-1]}` holds {kind}; {_INSTEAD}"))
    return told


def unspoken(hidden: set[str], said: Iterable[Said]) -> tuple[Said, ...]:
    """These problems with every secret of the plan, as `secrets` finds them, shown as `…`.

    What is wrong with a value often repeats the value; where that is a secret, the place has to be enough.
    """
    found = sorted(hidden, key=len, reverse=True)
    return tuple(_unspoken(one, found) for one in said)


def secrets(found: Seen) -> set[str]:
    """The secret parts of these texts, as written and as Python quotes them."""
    parts = {part for _, text, _ in found for part in _parts(text) or [text.strip()]}
    return {form for one in parts for form in (one, repr(one)[1:-1]) if form}


def _parts(text: str) -> list[str]:
    """The secrets within a text; none when the text as a whole is one."""
    if "PRIVATE KEY" in text or not kind_of_secret(text):
        return []
    return [part for match in _any().finditer(text) for part in _shares(match.group(), text[match.end() :])]


def _shares(matched: str, after: str) -> list[str]:
    rest = re.split(r"[\s'\"]", after, maxsplit=1)[0]
    if matched.endswith("@"):
        login = matched.removeprefix("://").removesuffix("@")
        return [login, login.partition(":")[2] or login]
    if assigned := re.search(rf"(?i:{_WORD})=([^&#\s]*)", matched + rest):
        return [assigned.group(1)]
    return [matched + rest]


def _unspoken(one: Said, found: list[str]) -> Said:
    what = _hidden(one.what, found)
    if isinstance(one, Problem):
        return replace(one, what=what, instead=_hidden(one.instead, found))
    return replace(one, what=what)


def _hidden(text: str, found: list[str]) -> str:
    for secret in found:
        text = _without(text, secret)
    return text


def _without(text: str, secret: str) -> str:
    """The text without a secret; also without the beginning of one that was cut short."""
    if len(secret) < _SHORT:
        return re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", "…", text)
    head, begin = secret[:_SHORT], 0
    while (at := text.find(head, begin)) >= 0:
        end = at + sum(1 for _ in takewhile(_same, zip(secret, text[at:], strict=False)))
        if end - at == len(secret) or text[end : end + 1] in {"", "'", '"', "…"}:
            text, end = f"{text[:at]}…{text[end:]}", at + 1
        begin = end
    return text


def kind_of_secret(text: str) -> str:
    """What kind of secret a text of any place holds, such as `an AWS key`; empty when none is seen."""
    match = _any().search(text) if _SIGN.search(text) else None
    return _KINDS[(match.lastindex or 1) - 1][0] if match else ""


@cache
def _any() -> re.Pattern[str]:
    """Any kind of secret, each a group; made when a text with a sign of one is met, which most plans never need."""
    return re.compile("|".join(f"({pattern})" for _, pattern in _KINDS))


def _same(pair: tuple[str, str]) -> bool:
    return pair[0] == pair[1]


def _kind(place: Place, text: str) -> str:
    if kind := kind_of_secret(text):
        return kind
    in_settings = place[0] == "systems" or "with" in place
    if in_settings and isinstance(place[-1], str) and _NAMED.search(place[-1]):
        literal = not is_placeholder(text) and not _REFERENCE.fullmatch(text.strip())
        return "a secret as it is" if literal else ""
    return ""

"""Places that wait for somebody to fill them: underscores, `[Name]`, `<name>`, `TBD`, numbers with x."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tminus.checklist.plain import plain

_VOCABULARY = (
    r"(?:your|insert|enter|add|fill|specify|to be|link|url|name|full name|first name|last name|names?"
    r"|phone|mobile|tel|number|e-?mail|date|time|signature"
    r"|version|ticket|description|list|count|reason|owner|role|title|address|company|team|details?|value"
    r"|id|tbd|tba|tbc|todo|xx+"
    r"|nom|prénom|téléphone|adresse|heure|vorname|telefon(?:nummer)?|datum|uhrzeit|unterschrift|nombre"
    r"|teléfono|correo|fecha|hora|firma|nome"
    r"|telefone|data|assinatura|signataire|à (?:définir|compléter|remplir)|(?:a|por|para) (?:definir"
    r"|completar|preencher)|einfügen|eintragen)"
)
_FORMAT = r"(?:YYYY|AAAA|JJJJ|DD|JJ|TT|MM)(?:[-/.](?:YYYY|AAAA|JJJJ|DD|JJ|TT|MM|YY)){1,2}|HH:MM(?::SS)?"
_KNOWN = re.compile(rf"{_VOCABULARY}(?![\w-])|{_FORMAT}", re.IGNORECASE)
_FACTS = re.compile(
    r"done|pass(?:ed)?|ok|completed?|yes|no|wip|pending|n/?a|fail(?:ed)?|in progress|approved|rejected"
    r"|\W*|\d[\d.]*|\^.*",
    re.IGNORECASE,
)
_TAGS = re.compile(
    r"/|!|(?:a|abbr|b|big|br|center|code|del|details|div|em|font|h[1-6]|hr|i|img|input|ins|kbd|li|mark|ol"
    r"|p|q|s|small|span|strike|strong"
    r"|sub|summary|sup|table|tbody|td|th|thead|tr|tt|u|ul)\b",
    re.IGNORECASE,
)
_BLANK = re.compile(
    r"(?P<line>(?<![\w\\])_{2,}(?:\s?[/.:-]\s?_{2,})+(?!\w)|(?<![\w\\])_{3,}(?!\w)|(?:\\_){3,}"
    r"|(?<![.\w])\.{5,}(?!\w)|\u2026{2,})"
    r"|(?P<square>(?<![\]!\w])\[(?P<inside>[^\[\]\n]{1,60})\](?![(\[:]))"
    r"|(?P<angle>(?<![\w<])<(?P<within>[^<>\n:@]{1,60})>)"
    r"|(?P<brace>\{\{[^{}\n]{1,60}\}\})"
    rf"|(?P<word>(?<![\w-])(?:TBD|TBA|TBC|TODO|N\.N\.|{_FORMAT}|[xX]{{3,}})(?![\w-]))"
    r"|(?P<phone>(?<![\w+])(?:\+\d[\d\s().-]*[xX]{2,}(?:[\s().-]+(?=\d*[xX]{2})[\dxX]+|[-.]\d+)*"
    r"|\(?[\dxX]{2,4}\)?[-.][xX\d]{2,4}[-.]?[xX]{3,4})(?!\w))"
)
_HINT = re.compile(
    r"_\\?_|\.{5}|\u2026\u2026|\[[^\]]{2}|<[^\s=\d]|\{\{|TB[DAC]|TODO|N\.N|YY|AA|JJ|DD|HH:|[xX]{2}"
)
_BOX = re.compile(r"\[[ xX]\](?=\s|$)|[\u2610\u2611\u2612\u2705]\ufe0f?(?=\s|$)")
_BEHIND_VALUE = re.compile(r"[\s*`_\"')]*(?:$|[|,;(/\u00b7\u2013\u2014]|-\s|\s[^\W\d][^:|]{0,30}:)")
_LABEL = re.compile(r"(?P<label>(?:\([^()]*\)|[^:=|;,()\u00b7\u2192]){1,80})[:=]\s*$")
_APART = re.compile(r"\s[-\u2013\u2014]\s|\[[ xX]\]")
_AROUND = " -\u2013\u2014*`.,"
_OPENING = " \t*`_\"'("
_WIDEST = 2000
"""Columns of a line in which blanks are looked for."""
_NEAR = 200
"""Characters before a blank that may hold its label."""
_LEADING = re.compile(r"[\s>]*(?:[-*+]\s+|\d+[.)]\s+)*(?:\[[ xX]\]\s+)?")


class Gap(NamedTuple):
    """A blank on one line, by columns."""

    start: int
    end: int
    label: str
    text: str


def may_wait(text: str) -> bool:
    """Whether a text needs a closer look for blanks."""
    return _HINT.search(text) is not None


def gaps(line: str) -> Iterator[Gap]:
    """Every blank of a line that is outside code and HTML."""
    if _HINT.search(line) is None:
        return
    start = _LEADING.match(line)
    last = start.end() if start else 0
    for match in _BLANK.finditer(line, last, _WIDEST):
        before = line[max(last, match.start() - _NEAR) : match.start()]
        if _BOX.match(line, match.start()):
            continue
        if _waits(match, before, line[match.end() : match.end() + _NEAR]):
            yield Gap(match.start(), match.end(), _label(before), match.group())
            last = match.end()


def placeholder(value: str) -> bool:
    """Whether a field's value only stands where a real one belongs."""
    text = value.strip().strip("`*\"'")
    match = _BLANK.fullmatch(text)
    return not text or (match is not None and _waits(match, ":", ""))


def _waits(match: re.Match[str], before: str, after: str) -> bool:
    if match.group("line") or match.group("phone"):
        return True
    value = before.rstrip(_OPENING).endswith((":", "=", "|")) and _BEHIND_VALUE.match(after) is not None
    if match.group("word"):
        return value
    code = before.count("`") % 2 == 1
    if match.group("brace"):
        return not code
    inside = (match.group("inside") or match.group("within") or "").strip()
    if _FACTS.fullmatch(inside) or (match.group("angle") and _TAGS.match(inside)):
        return False
    if _KNOWN.match(inside):
        return value or not code
    return value and not (code and inside.isupper())


def _label(before: str) -> str:
    words = plain(before.rstrip(_OPENING).replace("\\_", ""))
    match = _LABEL.search(words)
    return _APART.split(match.group("label"))[-1].strip(_AROUND) if match else ""

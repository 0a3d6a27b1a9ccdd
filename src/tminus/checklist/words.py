"""Who answers for a line, by when, and whether it may be left out, where its words say so."""

import re
from datetime import date

_CODE = re.compile(r"`[^`]*`")
_MENTION = re.compile(r"(?<![\w.@/+-])@([A-Za-z][\w-]*(?:\.[\w-]+)*(?:/[\w-]+)?)(?![\w@(=])")
_OWNER = (
    r"owner|owned by|owners|assignee|assigned to|assigned|dri|responsible(?: (?:person|party|team))?"
    r"|accountable|in charge"
    r"|responsables?(?: de)?|propriétaire|assignée? à|verantwortlich(?:e[rn]?)?|zuständig|propietari[oa]"
    r"|encargad[oa]|asignad[oa] a"
    r"|responsável|responsáveis|atribuíd[oa] a"
)
_OWNED = re.compile(
    rf"(?:^|[(\[,;.|\u00b7\u2013\u2014-]\s*)(?:{_OWNER})\s*[:=]\s*@?(?P<who>[^;,|()\[\]<>\u00b7\u2013\u2014:]+?)\s*"
    r"(?=$|[;,|()\[\]\u00b7\u2013\u2014]| - |\b\w+:)",
    re.IGNORECASE,
)
_TEAM = re.compile(
    r"[(\[]\s*(?P<who>(?:QA|SRE|DevOps|Dev|Devs|Ops|DBA|PM|PO|CTO|CISO|CEO|CIO|COO|VP|IT|Backend|Frontend"
    r"|Front-end|Back-end|Security|SecOps"
    r"|DevSecOps|Infra|Infrastructure|Platform|Product|Legal|Marketing|Support|Engineering|Compliance"
    r"|Finance|Operations|Data|Design|UX)"
    r"(?: (?i:team|lead|engineers?|manager|owner|officer|group|dept|department))?"
    r"|(?:[A-Z][\w-]+ ){1,2}(?i:team|lead|engineer|manager|owner|officer))\s*[)\]]"
)
_UNKNOWN = re.compile(
    r"(?:ok|yes|no|done|pending|tbd|tba|tbc|todo|n/?a|none|\?+|x{2,}|_+|name|nom|nombre|nome|-+|\.+)",
    re.IGNORECASE,
)
_ISO = re.compile(r"(?<![\d-])(20\d\d)-(\d\d)-(\d\d)(?![\d-])")
_DOTTED = re.compile(r"(?<![\d.])(\d{1,2})([./])(\d{1,2})\2(20\d\d)(?!\d)")
_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "jan janv ene", "feb fév fev", "mar mars mär", "apr avr abr", "may mai mayo maio",
            "jun juin", "jul juil", "aug août ago", "sep sept set", "oct okt out", "nov", "dec déc dez dic",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_WRITTEN = re.compile(
    rf"(?<!\w)(\d{{1,2}})(?:st|nd|rd|th|er"
    rf"|\.)?\s+(?:de\s+)?({_MONTH})[a-zà-ÿ]*\.?,?\s+(?:de\s+)?(20\d\d)(?!\d)",
    re.IGNORECASE,
)
_AMERICAN = re.compile(
    rf"(?<!\w)({_MONTH})[a-z]*\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(20\d\d)(?!\d)", re.IGNORECASE
)
_OPTIONAL = re.compile(
    r"(?<!\w)(?:optional(?:ly)?|(?:if|as|when|where) (?:needed|necessary|applicable|required|possible"
    r"|relevant|appropriate)|nice[ -]to[ -]have"
    r"|optionnel(?:le)?s?|facultati(?:f|ve)s?|si (?:nécessaire|besoin|applicable|possible)|le cas échéant"
    r"|falls (?:nötig|erforderlich|zutreffend)"
    r"|wenn (?:nötig|erforderlich)|bei bedarf|ggf\.?|gegebenenfalls|opcional(?:es)?|opcionais"
    r"|si (?:es necesario|aplica|procede)|en caso necesario"
    r"|se (?:necessário|aplicável|possível)|caso necessário)(?!\w)",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"opt|opc|fac|(?<!\w)(?:if|as|whe|si|se|le cas|falls|wenn|bei|ggf|geg|en caso|caso|nice)", re.IGNORECASE
)


def owner(content: str, text: str) -> str:
    """Who answers for a line: a name after `Owner:`, a mention, or a team in brackets; no placeholder."""
    if ":" in text or "=" in text:
        match = _OWNED.search(text)
        if match:
            who = match.group("who").strip(" .*_")
            return "" if _UNKNOWN.fullmatch(who) else who
    if "@" in content:
        match = _MENTION.search(_CODE.sub("", content))
        if match:
            return match.group(1)
    if "(" in text or "[" in text:
        match = _TEAM.search(text)
        if match:
            return match.group("who")
    return ""


def day(text: str) -> str:
    """The first date that a line gives, as an ISO day.

    Empty where the order of day and month is anybody's guess.
    """
    for pattern, read in ((_ISO, _iso), (_DOTTED, _dotted), (_WRITTEN, _written), (_AMERICAN, _american)):
        if match := pattern.search(text):
            return read(match)
    return ""


def optional(text: str) -> bool:
    """Whether a line says that it may be left out."""
    return _CUE.search(text) is not None and _OPTIONAL.search(text) is not None


def _iso(match: re.Match[str]) -> str:
    return _day(match.group(1), match.group(2), match.group(3))


def _dotted(match: re.Match[str]) -> str:
    first, separator, second, year = match.groups()
    if separator == "." or int(first) > 12:
        return _day(year, second, first)
    return _day(year, first, second) if int(second) > 12 else ""


def _written(match: re.Match[str]) -> str:
    return _day(match.group(3), _MONTHS[match.group(2).lower()], match.group(1))


def _american(match: re.Match[str]) -> str:
    return _day(match.group(3), _MONTHS[match.group(1).lower()], match.group(2))


def _day(year: str, month: str | int, number: str) -> str:
    try:
        return date(int(year), int(month), int(number)).isoformat()
    except ValueError:
        return ""  # a date that no calendar has is none

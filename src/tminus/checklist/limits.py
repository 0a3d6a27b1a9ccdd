"""Thresholds that a line states, with how long they must last: `p95 >500ms for 5 minutes`."""

import re
from itertools import islice
from typing import NamedTuple

from tminus.checklist.model import Limit, Measure
from tminus.checklist.quantities import NUMBER, TIME_UNIT, UNIT, measured, seconds

_SIGNS = {
    ">=": r">=|\u2265|\u2a7e|at least|no(?:t)? less than|not below|min(?:imum|\.)?(?: of)?|au moins"
    r"|au minimum|mindestens"
    r"|al menos|como mínimo|mínimo(?: de)?|pelo menos|no mínimo",
    "<=": r"<=|\u2264|\u2a7d|at most|(?:no|not) (?:more|greater|higher|longer) than|not above"
    r"|not exceed(?:ing)?|up to|within"
    r"|max(?:imum|\.)?(?: of)?|au plus|au maximum|höchstens|maximal|innerhalb von|innerhalb|a lo sumo"
    r"|como máximo|máximo(?: de)?|no máximo",
    ">": r">|\uff1e|(?:more|greater|higher|larger|longer) than|above|over|exceed(?:s|ing)?|plus de"
    r"|supérieure?s? à"
    r"|au-dessus de|dépasse|mehr als|über|(?:größer|höher|länger) als|más de|mayor (?:que|a|de)"
    r"|superior a|por encima de|supera|excede|mais (?:de|que|do que)|maior (?:que|do que)|acima de",
    "<": r"<|\uff1c|(?:less|fewer|lower|smaller|faster|shorter) than|below|under|moins de|inférieure?s? à"
    r"|en dessous de|weniger als|unter|(?:kleiner|niedriger|kürzer) als|menos (?:de|que|do que)"
    r"|menor (?:que|a|do que)"
    r"|inferior a|por debajo de|abaixo de",
}
_BEHIND = {
    "<=": r"or (?:less|fewer|lower|below|under|faster|better)|max(?:imum|\.)?|ou moins|oder weniger"
    r"|o menos|ou menos",
    ">=": r"or (?:more|higher|above|greater)|min(?:imum|\.)?(?![\w.])|ou plus|oder mehr|o más|ou mais|\+",
}
_NAMES = {">=": "ge", "<=": "le", ">": "gt", "<": "lt"}


def _choice(table: dict[str, str], prefix: str) -> str:
    return "|".join(f"(?P<{prefix}{_NAMES[sign]}>{words})" for sign, words in table.items())


_ABOUT = r"\s*(?:~|\u2248|about|approx\.?|ca\.?|circa)?\s*"
_BEFORE_NUMBER = re.compile(
    rf"(?<![\w<>=-])(?:{_choice(_SIGNS, 'b')}){_ABOUT}(?P<number>{NUMBER}){UNIT}", re.IGNORECASE
)
_BEHIND_NUMBER = re.compile(
    rf"(?<![\w.,/-])(?P<number>{NUMBER})(?>{UNIT})\s*(?:{_choice(_BEHIND, 'a')})(?![\w+])", re.IGNORECASE
)
_HOLD = re.compile(
    r"\s*[(,]?\s*(?:sustained\s+)?(?:for|during|over|lasting|pendant|durant|sur|für|während|über"
    r"|über einen Zeitraum von"
    r"|durante|por|sostenid[oa] por)\s+(?:at least\s+|more than\s+|over\s+|plus de\s+|mehr als\s+"
    r"|más de\s+|mais de\s+"
    rf"|[<>\u2265\u2264]=?\s*)?(?P<number>{NUMBER})\s*-?(?P<unit>{TIME_UNIT})",
    re.IGNORECASE,
)
_QUANTILE = re.compile(
    r"(?<!\w)(?:p\s?(?P<p>\d{2}(?:\.\d+)?|99\d)(?![\d%])|(?P<th>\d{2}(?:\.\d)?)(?:th|st|nd|rd|e|\.|º"
    r"|\u00b0)?[ -](?:percentile|perzentil|percentil)"
    r"|(?:percentile?|perzentil)\s+(?P<c>\d{2}(?:\.\d+)?))",
    re.IGNORECASE,
)
_CLOSE = 12
"""Characters between a limit and a percentile behind it: `<200ms (p95)`."""
_HINT = re.compile(
    r"[<>\u2265\u2264\u2a7d\u2a7e\uff1c\uff1e+]|\b(?:at (?:le|mo)|no[t ]|min|max|máx|mín|within|up to|or "
    r"|ou |oder |o m|au |höch|inner|mind|al m|como"
    r"|pelo|a lo|mo[rin]|gr|hi|lar|lon|abo|ov|exc|plus|sup|dép|mehr|über|läng|más|may|por enc|mai|ac|les"
    r"|fe|lo|sma|fas|sho|bel|und"
    r"|inf|en des|wen|unt|kl|nie|kü|men|por deb|aba)",
    re.IGNORECASE,
)
_SPANS = {"over", "über", "up to"}
"""Words that with a time say how long something is done, not what its limit is."""


_MOST = 20
"""Numbers of a line that are looked at on either side of their sign; more is a table of figures, and no limit."""


class _Found(NamedTuple):
    start: int
    end: int
    sign: str
    value: float
    measure: Measure


def limits(text: str) -> tuple[Limit, ...]:
    """Every threshold in a line of plain text, in its order."""
    if _HINT.search(text) is None:
        return ()
    made: list[Limit] = []
    quantile, last = None, 0
    for found in _found(text):
        if found.start < last:
            continue
        quantile = _quantile(text, last, found) or quantile
        hold = _HOLD.match(text, found.end)
        timed = found.measure is Measure.SECONDS
        made.append(
            Limit(
                found.sign,
                found.value,
                found.measure,
                seconds(hold.group("number"), hold.group("unit")) if hold else 0.0,
                quantile if timed else None,
            )
        )
        last = hold.end() if hold else found.end
    return tuple(made)


def _found(text: str) -> list[_Found]:
    found = []
    for pattern in (_BEFORE_NUMBER, _BEHIND_NUMBER):
        for match in islice(pattern.finditer(text), _MOST):
            one = _one(match)
            if one is not None:
                found.append(one)
    return sorted(found)


def _one(match: re.Match[str]) -> _Found | None:
    groups = match.groupdict()
    sign, word = next(
        (sign, value)
        for sign, short in _NAMES.items()
        for place in "ba"
        if (value := groups.get(f"{place}{short}"))
    )
    meant = measured(match.group("number"), match.group("unit"))
    if meant is None:
        return None
    value, measure = meant
    if (measure is Measure.SECONDS and word.lower() in _SPANS) or (measure is Measure.COUNT and word == "+"):
        return None
    return _Found(match.start(), match.end(), sign, value, measure)


def _quantile(text: str, last: int, found: _Found) -> float | None:
    before = list(_QUANTILE.finditer(text, last, found.start))
    match = before[-1] if before else _QUANTILE.search(text, found.end, found.end + _CLOSE)
    if match is None:
        return None
    digits = match.group("p") or match.group("th") or match.group("c")
    return round(float(digits) / (1000 if len(digits) == 3 else 100), 6)

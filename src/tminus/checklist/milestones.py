"""When a line is due, as its headings or its own words say: `T-24 Hours`, `Day -1`, `2 h before`.

A wrong date is worse than none, so what could also be a window ("72 hours post-deployment" of on-call), a limit or
the days of a project says nothing here.
"""

import re

from tminus.checklist.quantities import NUMBER, TIME_UNIT, TIMES, number

_DAY = 86400.0
_FURTHEST = 366 * _DAY
_WORDS = {
    "a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10,
    "une": 1, "un": 1, "deux": 2, "trois": 3, "eine": 1, "ein": 1, "einen": 1, "zwei": 2, "drei": 3,
    "una": 1, "dos": 2, "tres": 3, "uma": 1, "um": 1, "duas": 2, "dois": 2,
}  # fmt: skip
_EVENT = (
    r"(?:[\s:-]+(?:the|a|le|la|l['\u2019]|du|de|del|des|da|do|dem|der|den|die|das|ao|el|al))*"
    r"[\s:-]*(?:$|[.,;:)\]|/\u2013\u2014(]|(?:production|prod|actual|planned|scheduled)?[\s-]*(?:deploy"
    r"|déploi|desplie|despl|implant"
    r"|implementa|launch|lancement|lanzamiento|lançamento|release|go[\s-]?live|t-?0|cut-?over|roll-?out"
    r"|start|migration|migra"
    r"|mise en|passage en|livraison|bereitstellung|produktiv|inbetriebnahme|freigabe|veröffentlich"
    r"|umstellung|event|publica"
    r"|puesta en|salida|entrada em|subida|liberaci|liberaç|window|maintenance|switch|h-?0|jour[\s-]?j|d-?day))"
)
_BEFORE = (
    r"before|prior(?:\s+to)?|ahead(?:\s+of)?|in advance|earlier|pre|avant|vor|vorher|zuvor|antes"
    r"|previ[ao]s?(?: a)?"
)
_AFTER = r"after|post|later|following|après|nach|danach|später|después|depois|após|tras"
_CLOCK = re.compile(
    rf"(?<![\w-])T\s?(?P<sign>[-\u2010-\u2015\u2212+]|minus |-minus "
    rf"|plus )\s?(?P<number>{NUMBER})(?:\s?-?(?P<unit>{TIME_UNIT}))?(?![\w%])",
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    rf"(?<![\w.,<>=\u2264\u2265~-])(?P<number>{NUMBER}"
    rf"|(?:{'|'.join(_WORDS)})(?=\s))\s?-?(?P<unit>{TIME_UNIT})[\s-]*"
    rf"(?:(?P<before>{_BEFORE})|(?P<after>{_AFTER}))(?![^\W_]){_EVENT}",
    re.IGNORECASE,
)
_DAYS = re.compile(
    r"(?<![\w-])(?:(?P<long>day|jour|tag|día|dia)\s?"
    r"|(?P<short>[DJ]))(?P<sign>[-\u2010-\u2015\u2212+])\s?(?P<number>\d{1,3})(?![\w.]|[-\u2013]\d)",
    re.IGNORECASE,
)
_DAY_ZERO = re.compile(r"(?<!\w)(?:day|tag|día|dia) (?:0|zero)(?!\w|[.-]\d)", re.IGNORECASE)
_HOURS = re.compile(r"(?<![\w-])H(?P<sign>[-\u2212+])(?P<number>\d{1,3})(?![\w.-])")
_RANGE = re.compile(r"\d\s?(?:-|\u2013|\u2014|to|à|bis|a)\s?$", re.IGNORECASE)
_LIMITED = re.compile(
    r"(?:[<>\u2264\u2265]|\b(?:than|within|last|first|next|every|over|for|of|première?s?|ersten?"
    r"|primeras?|primeiras?|dernière?s?"
    r"|letzten?|últim[ao]s|innerhalb von|dans les|during|pendant|durante))\s*$",
    re.IGNORECASE,
)
_HINT = re.compile(
    r"\d|\b(?:one|two|three|trois|deux|une?|eine?n?|zwei|drei|una|dos|tres|uma?|duas|dois|an?) ",
    re.IGNORECASE,
)
_LEAST = re.compile(r"(?:at least|au moins|mindestens|al menos|pelo menos)\s*$", re.IGNORECASE)


def of_heading(text: str) -> float | None:
    """Seconds from T-0 that a heading names; nothing where it names none, or a stretch of time."""
    if _HINT.search(text) is None:
        return None
    clock = _CLOCK.search(text)
    if clock is not None:
        return _on_clock(clock)
    for pattern, factor in ((_DAYS, _DAY), (_HOURS, 3600.0)):
        if match := pattern.search(text):
            return _limited(_signed(match.group("sign"), float(match.group("number")) * factor))
    if _DAY_ZERO.search(text):
        return 0.0
    spoken = [value for match in _SPOKEN.finditer(text) if (value := _in_words(text, match)) is not None]
    return spoken[0] if len(spoken) == 1 else None


def of_item(text: str) -> float | None:
    """Seconds from T-0 that a line's own words name as its time.

    Words after T-0 count only at the line's beginning: behind it, they say how long something must be kept up.
    """
    if _HINT.search(text) is None:
        return None
    clocks = list(_CLOCK.finditer(text))
    if clocks:
        return _on_clock(clocks[0]) if len(clocks) == 1 else None
    spoken = [match for match in _SPOKEN.finditer(text) if _in_words(text, match) is not None]
    if len(spoken) != 1:
        return None
    first = not text[: spoken[0].start()].strip(" ([*")
    return _in_words(text, spoken[0]) if first or spoken[0].group("before") else None


def _on_clock(match: re.Match[str]) -> float | None:
    amount, unit = number(match.group("number")), match.group("unit")
    if amount and not unit:
        return None
    return _limited(_signed(match.group("sign"), amount * TIMES[unit.lower()] if unit else 0.0))


def _in_words(text: str, match: re.Match[str]) -> float | None:
    ahead = text[: match.start()]
    if _RANGE.search(ahead) or (_LIMITED.search(ahead) and not _LEAST.search(ahead)):
        return None
    word = match.group("number").lower()
    amount = float(_WORDS[word]) if word in _WORDS else number(word)
    if (
        match.group("before")
        and match.group("before").lower() == "in advance"
        and ahead.rstrip().endswith("(")
    ):
        return None
    distance = amount * TIMES[match.group("unit").lower()]
    return _limited(-distance if match.group("before") else distance)


def _signed(sign: str, distance: float) -> float:
    if not distance:
        return 0.0
    return distance if sign.strip().lower() in {"+", "plus"} else -distance


def _limited(offset: float) -> float | None:
    return offset if abs(offset) <= _FURTHEST else None

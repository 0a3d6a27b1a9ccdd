"""One line of a checklist taken apart: what it speaks of, in passing and in earnest, and which limits it states."""

import re
from dataclasses import dataclass, field

from tminus.matching.lexicon import Lexicon, plain, tokens
from tminus.matching.vocabulary import ORDERS, VETOES

LONGEST = 300
"""Characters; a longer line is prose and names no single check."""
MOST_WORDS = 26
_NOTHING = "of no weight"
_ASIDE = re.compile(r"\(([^()]*)\)|\s[-\u2013\u2014]{1,2}\s(.*)$|[-\u2014]{2}\s?(.*)$")
_FILE = re.compile(
    r"\w\.(?:md|py|js|ts|tsx|sh|ya?ml|json|sql|html|java|go|rb|toml|txt|tf)\b|--\w|\$\w|\w\(\)|=>|\w=\w"
)
_ABOVE = (
    r"above|over|exceeds?|exceeding|greater than|more than|higher than|superieure? a|uber|mehr als|mayor que"
    r"|maior que"
)
_BELOW = r"below|under|less than|lower than|at most|inferieure? a|unter|weniger als|menor que|abaixo de|por debajo de"
_LIMIT = re.compile(
    rf"(?:(>=|<=|=>|=<|\u2265|\u2264|&gt;|&lt;|>|<)|(?<![a-z0-9])(?:({_ABOVE})|({_BELOW})))\s*(\d+(?:[.,]\d+)?)\s*"
    r"(%|(?:percent|ms|milliseconds?|seconds?|secs?|s|minutes?|mins?|m)(?![a-z0-9]))?"
)
_DIGIT = re.compile(r"\d")
"""Every limit has one; most lines have none, which is seen much sooner."""
_ORDERS = {word.strip(): kind for kind, words in ORDERS.items() for word in words.split(",")}
_SCALES = {"%": 0.01, "p": 0.01, "ms": 0.001, "mi": 60.0, "m": 60.0, "se": 1.0, "s": 1.0, "": 1.0}


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit: `>` or `<`, in shares, seconds or pieces."""

    sign: str
    value: float
    unit: str
    """`share`, `seconds` or empty."""


@dataclass(slots=True)
class Line:
    """The words of one box as concepts."""

    concepts: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    aside: list[str] = field(default_factory=list)
    """What stands in brackets or behind a dash."""
    strange_aside: list[str] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)
    bounds_aside: bool = False
    order: str = ""
    """`build` or `do` where the line begins with an order."""
    words: tuple[str, ...] = ()
    """Every word outside brackets."""
    words_aside: tuple[str, ...] = ()

    @property
    def vetoed(self) -> set[str]:
        """Why the line says the contrary of done, or asks for something to be built."""
        return {concept for concept in self.concepts if concept in VETOES}


def taken_apart(text: str, lexicon: Lexicon) -> Line | None:
    """The line behind a text; None for prose, commands and names of files."""
    if len(text) > LONGEST:
        return None
    words = plain(text)
    if _FILE.search(words):
        return None
    line = Line()
    asides = (
        [" ".join(filter(None, groups)) for groups in _ASIDE.findall(words)] if _may_have_aside(words) else []
    )
    earnest = _ASIDE.sub(" ", words) if asides else words
    earnest, line.bounds = _bounds(earnest)
    for aside in asides:
        rest, bounds = _bounds(aside)
        if bounds and not line.bounds:
            line.bounds, line.bounds_aside = bounds, True
        spoken = tokens(rest)
        line.words_aside += tuple(spoken)
        known, strange = lexicon.concepts(spoken)
        line.aside += [concept for concept in known if concept != _NOTHING]
        line.strange_aside += strange
    spoken = tokens(earnest)
    if not spoken or len(spoken) > MOST_WORDS:
        return None
    line.words = tuple(spoken)
    line.order = _ORDERS.get(spoken[0], "")
    known, line.strange = lexicon.concepts(spoken)
    line.concepts = [concept for concept in known if concept != _NOTHING]
    return line


def bound(text: str) -> Bound:
    """The limit that a short text such as `>80%` or `<500ms` states."""
    return _bounds(text)[1][0]


def _may_have_aside(words: str) -> bool:
    return "(" in words or " - " in words or "\u2013" in words or "\u2014" in words or "--" in words


def _bounds(text: str) -> tuple[str, list[Bound]]:
    """The text without its limits, and the limits."""
    found = _LIMIT.findall(text) if _DIGIT.search(text) else []
    if not found:
        return text, []
    bounds = [_bound(sign or (">" if above else "<"), figure, unit) for sign, above, _, figure, unit in found]
    return _LIMIT.sub(" ", text), bounds


def _bound(sign: str, figure: str, unit: str) -> Bound:
    short = unit if unit in {"%", "ms", "m", "s", ""} else unit[0] if unit[0] == "p" else unit[:2]
    if unit.startswith("milli"):
        short = "ms"
    value = float(figure.replace(",", ".")) * _SCALES[short]
    kind = "share" if short in {"%", "p"} else "seconds" if short else ""
    return Bound(">" if sign in {">", ">=", "=>", "\u2265", "&gt;"} else "<", value, kind)

"""What the headings above a line say about it: its subject, its moment, and whether it is about a launch at all."""

import re
from dataclasses import dataclass

from tminus.matching.lexicon import Lexicon, plain, tokens

HOUR = 3600.0
_LAUNCH = frozenset({"deploy", "production", "pre", "post", "readiness", "success", "approve"})
_DEVELOPMENT = frozenset({"development", "build"})
_OFFSET = re.compile(
    r"\b[tdhj]\s?([-+\u2212\u2013])\s?(\d+(?:[.,]\d+)?)\s*(h|hours?|hrs?|heures?|stunden|horas|minutes?|mins?|m|d|days?|jours?)?\b"
)
_BESIDE = re.compile(
    r"\b(\d+)\s*(h|hours?|hrs?|minutes?|mins?|days?)\s+(before|prior|after)\b|\bday\s?([-+\u2212\u2013])\s?(\d+)\b"
)
_AFTERWARDS = re.compile(r"[\W\d]*(?:afterwards?|after|danach|nach|apres|despues|tras|depois|apos)\b")
_OF_A_LAUNCH = frozenset({"of no weight", "deploy", "production", "shift"})
"""What a heading such as *After the go-live* may speak of besides; anything else is another occasion."""
_ZERO = re.compile(r"\bt\s?[-\u2212\u2013]\s?0\b|\bt0\b|\bt zero\b")
_UNITS = {"h": HOUR, "m": 60.0, "d": 24 * HOUR, "j": 24 * HOUR, "s": HOUR}
_MOMENTS = (
    (-float("inf"), -12.0, "t-24"),
    (-12.0, -3.0, "t-4"),
    (-3.0, -1.0, "t-2"),
    (-0.99, -0.01, "t-1"),
    (-0.01, 0.0, "t-0"),
    (0.01, 2.0, "t+1"),
    (2.0, 12.0, "t+4"),
    (12.0, float("inf"), "t+24"),
)


@dataclass(frozen=True, slots=True)
class Context:
    """The subjects of the headings, and these tags: `launch`, `t-24` … `t+24`, `before`, `after`."""

    tags: frozenset[str]
    headed: bool = False
    """Whether there is a heading at all."""
    signing: bool = False
    """Whether the innermost heading is about signatures."""
    development: bool = False
    """Whether the nearest heading that tells speaks of making software, not of releasing it."""

    @property
    def launch(self) -> bool:
        """Whether the headings speak of a release."""
        return "launch" in self.tags and not self.development


def context_of(section: tuple[str, ...], lexicon: Lexicon) -> Context:
    """What the headings say; an inner one outweighs those around it."""
    tags: set[str] = set()
    moment = ""
    development = signing = False
    for heading in section:
        words = plain(heading)
        concepts = set(lexicon.concepts(tokens(words))[0])
        if _is_afterwards(words, lexicon):
            concepts.add("post")
        tags |= concepts
        signing = "approve" in concepts
        development = _is_development(concepts, before=development)
        moment = _moment(words) or _phase(concepts) or moment
    if tags & _LAUNCH or moment:
        tags.add("launch")
    if moment:
        tags.add(moment)
        tags.add("before" if moment.startswith(("t-", "before")) and moment != "t-0" else "after")
    if moment == "t-0":
        tags.discard("after")
    return Context(frozenset(tags), headed=any(section), signing=signing, development=development)


def _is_afterwards(words: str, lexicon: Lexicon) -> bool:
    """Whether a heading says no more than after the launch: *After*, *Afterwards*, *After the go-live*."""
    opening = _AFTERWARDS.match(words)
    if opening is None:
        return False
    known, strange = lexicon.concepts(tokens(words[opening.end() :]))
    return not strange and _OF_A_LAUNCH.issuperset(known)


def _is_development(concepts: set[str], *, before: bool) -> bool:
    if concepts & _DEVELOPMENT:
        return True
    return before and not concepts & _LAUNCH


def _phase(concepts: set[str]) -> str:
    ahead, behind = "pre" in concepts, "post" in concepts
    return "before" if ahead and not behind else "after" if behind and not ahead else ""


def _moment(heading: str) -> str:
    """The stretch of the countdown that a heading names, or nothing."""
    hours = _hours(heading)
    if hours is None:
        return ""
    return next((name for low, high, name in _MOMENTS if low <= hours <= high), "")


def _hours(heading: str) -> float | None:
    if _ZERO.search(heading):
        return 0.0
    found = _OFFSET.search(heading)
    if found:
        sign, figure, unit = found.groups()
        unit = unit or ("d" if found[0][0] in "dj" else "h")
    else:
        found = _BESIDE.search(heading)
        if not found:
            return None
        figure, unit, side, day_sign, days = found.groups()
        sign = day_sign or ("+" if side == "after" else "-")
        figure, unit = (days, "d") if days else (figure, unit)
    hours = float(figure.replace(",", ".")) * _UNITS[unit[0]] / HOUR
    return hours if sign == "+" else -hours

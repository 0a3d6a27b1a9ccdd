"""A rule as it stands in a file, and what its expression means."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tminus.alerting.expression import Expression, parse
from tminus.alerting.measures import Meaning, meanings

_QUOTED = re.compile(r"(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`)", re.DOTALL)
_NEWER = (
    (re.compile(r"(?<=\])\s*(?:anchored|smoothed)\b"), ""),
    (
        re.compile(
            r"\[(?=[^\]]*[-+*/%^(])(?:[\s()+*/%^,:-]|(?:\d+(?:ms|[smhdwy]))+(?!\w)|\d+(?:\.\d+)?(?!\w)"
            r"|(?:step|range|min|max)\b)+\]"
        ),
        "[1m]",
    ),
    (re.compile(r"\boffset\s+-?\([\w\s.*+/%^()-]+?\)(?=\s|$|\))"), "offset 1m"),
)
"""What only a newer Prometheus reads, behind a feature flag, and what stands for it when the rest is read."""


@dataclass(frozen=True, slots=True)
class Written:
    """One rule of a file."""

    group: str
    name: str
    alerts: bool
    """Whether it raises an alert; it records a series otherwise."""
    expression: str
    hold: float | None
    """Its `for` in seconds; none where it says nothing."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    line: int
    means: tuple[Meaning, ...] = ()
    """What it measures of what a checklist knows."""

    @property
    def severity(self) -> str:
        """Its label `severity`; empty without one."""
        return self.labels.get("severity", "")

    @property
    def runbook(self) -> str:
        """Where it says that people find what to do; empty where it says nothing."""
        return self.annotations.get("runbook_url") or self.annotations.get("runbook") or ""


def understood(text: str) -> tuple[tuple[Meaning, ...], str]:
    """What an expression measures, and a remark; raises `ValueError` for what Prometheus could not read either."""
    try:
        return tuple(meanings(parse(text))), ""
    except ValueError:
        if _without_newer(text) is None:
            raise
    return (), "uses what a newer Prometheus reads only, behind a feature flag"


def _without_newer(text: str) -> Expression | None:
    """The expression with what is newer taken out; none where nothing is, or where that does not make it readable."""
    plain = "".join(part if quoted else _plain(part) for part, quoted in _parts(text))
    if plain == text:
        return None
    try:
        return parse(plain)
    except ValueError:
        return None


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """What an expression is made of, and whether that is a text within it, which stays as it is."""
    return ((part, number % 2 == 1) for number, part in enumerate(_QUOTED.split(text)))


def _plain(part: str) -> str:
    for pattern, instead in _NEWER:
        part = pattern.sub(instead, part)
    return part

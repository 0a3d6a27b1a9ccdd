"""What a panel is about, told by what it asks and not by its place: which panels a kind of dashboard must have.

The kinds are those of the checklist: an application's four golden signals, an infrastructure's resources, and what
security people look at. A query says what it is about by the names and labels in it, as the usual exporters write them;
a title counts where the queries say nothing that is known.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tminus.domain.dashboard import Panel, Query
from tminus.domain.wording import worded

KINDS: Mapping[str, tuple[str, ...]] = {
    "application": ("rate", "errors", "duration", "saturation"),
    "infrastructure": ("cpu", "memory", "disk", "network", "restarts", "connections"),
    "security": ("logins", "denied", "blocked", "audit", "vulnerabilities"),
    "business": (),
}
"""By the kind of a dashboard: what it must show unless the plan says otherwise."""

EVENTS = frozenset({"logins", "denied", "blocked", "audit"})
"""What may happen to nobody for hours: such a panel may be empty, but its query must not fail.

A count of vulnerabilities is a level and no event: a scanner reports it, be it zero, or does not run.
"""

SIGNALS = frozenset(KINDS["application"])
"""What is a service's own, and so each side's own."""


@dataclass(frozen=True, slots=True)
class _Signs:
    """By what a meaning is known."""

    query: re.Pattern[str]
    title: re.Pattern[str]
    ended: re.Pattern[str] | None = None
    """By which matchers of how something ended."""


def _signs(query: str, title: str, ended: str = "") -> _Signs:
    flags = re.IGNORECASE | re.DOTALL
    return _Signs(
        re.compile(query, flags),
        re.compile(title, re.IGNORECASE),
        re.compile(ended, flags) if ended else None,
    )


_STATUS = r"(?:status|code|class|result|response)\w*\s*=~?\s*[\"'`][^\"'`]*"
"""A matcher that takes answers of a status, up to the figures that it asks for."""
_OTHER = r"\s*(?:!=|!~)\s*[\"'`]"
"""A matcher that takes every other."""

_SIGNALS: Mapping[str, _Signs] = {
    "duration": _signs(
        r"histogram_quantile|_bucket\b|_quantile\b|latency"
        r"|(?:request|response|http|rpc|query|call|duration)\w*_(?:seconds|milliseconds|ms|duration)(?:_sum)?\b",
        r"latenc|duration|response time|\bp9\d\b|\bp50\b|percentile|how long|slow",
    ),
    "errors": _signs(
        r"error|fail|exception",
        r"error|5xx|fail|success rate|availab",
        rf"{_STATUS}5|(?:status|code|class|result|response)\w*{_OTHER}[^\"'`]*[25]"
        rf"|=~?\s*[\"'`][^\"'`]*(?:error|fail|exception)|success\w*\s*=~?\s*[\"'`]false"
        rf"|{_OTHER}(?:ok|none|success|true)",
    ),
    "saturation": _signs(
        r"in_?flight|in_?progress|queue|backlog|pending|waiting|pool|saturat|utili[sz]ation|cpu|memory|resident|heap"
        r"|threads|goroutines|connections|workers|lag\b",
        r"saturat|utili[sz]|in flight|queue|backlog|pool|capacity|headroom|\bcpu\b|memory",
    ),
    "rate": _signs(
        r"\b(?:i?rate|increase|delta)\s*\(.*\b(?!\w*bytes(?!_count))\w*"
        r"(?:request|http|rpc|query|queries|hits|calls|responses|messages|events|jobs|transactions|operations)",
        r"request|throughput|traffic|\brps\b|\bqps\b|req/s|per second|\brate\b",
    ),
}
"""The golden signals, the most telling first: a query is about one of them alone."""

_RESOURCES: Mapping[str, _Signs] = {
    "cpu": _signs(r"cpu|node_load\d|processor", r"\bcpu\b|\bload\b|processor"),
    "memory": _signs(r"mem(?:ory)?_|memory|working_set|resident|_rss\b|heap", r"memory|\bram\b|heap"),
    "disk": _signs(
        r"filesystem|disk|volume|_fs_|inode|storage", r"disk|storage|volume|file ?system|\bio\b|i/o"
    ),
    "network": _signs(
        r"network|(?:receive|transmit|sent|received)_(?:bytes|packets|total)|bytes_(?:in|out|sent|received)|bandwidth|netstat|packets",
        r"network|bandwidth|traffic|packets|throughput",
    ),
    "restarts": _signs(
        r"restart|start_time|boot_time|uptime|changes\s*\(", r"restart|uptime|reboot|started|crash"
    ),
    "connections": _signs(
        r"connection|numbackends|stat_activity|sessions?_?(?:current|active)?|connected_clients|conntrack|pool",
        r"connection|session|clients|\bpool\b",
    ),
    "logins": _signs(
        r"login|log_?on\b|sign_?in|authenticat|\bauth_|_auth\b|_auth_|password",
        r"log-?ins?|logon|sign-?ins?|authenticat|auth fail|password",
    ),
    "denied": _signs(
        r"denied|deny|forbidden|unauthori[sz]ed",
        r"denied|forbidden|unauthori[sz]ed|\b40[13]\b|access refused",
        rf"{_STATUS}(?:40[13]|4\\?\.|4xx|\(40|4\[)|=~?\s*[\"'`](?:denied|forbidden|unauthori[sz]ed)",
    ),
    "blocked": _signs(
        r"waf|modsec|blocked|firewall|rate_?limit|throttl|banned|dropped|requests_denied|tarpit",
        r"block|\bwaf\b|firewall|rate limit|throttl|banned|\b429\b",
        rf"{_STATUS}429|=~?\s*[\"'`](?:blocked|throttled|banned|dropped)",
    ),
    "audit": _signs(r"audit", r"audit"),
    "vulnerabilities": _signs(r"vulnerab|\bcve|trivy|grype|advisor", r"vulnerab|\bcves?\b|advisor"),
}
"""Everything else; a query may be about several."""


def about(panel: Panel) -> frozenset[str]:
    """Everything known that a panel is about."""
    found = {meaning for query in panel.drawn for meaning in _meanings(query)}
    if found:
        return frozenset(found)
    titled = frozenset(_titled(panel.title))
    own = not panel.drawn or any(worded(query).measuring("").strip() for query in panel.drawn)
    return titled if own else titled - SIGNALS


def rare(panel: Panel) -> bool:
    """Whether a panel shows rare events and nothing else, so that it may be empty; a title says so of no query."""
    each = [_meanings(query) for query in panel.drawn]
    if not any(each):
        return bool(found := _titled(panel.title) - SIGNALS) and found <= EVENTS
    return all(found & EVENTS and found - SIGNALS <= EVENTS for found in each)


def shows(panel: Panel, meaning: str) -> bool:
    """Whether a panel is about this; a word that nobody knows is looked for in the title and in what is asked."""
    if meaning in _SIGNALS or meaning in _RESOURCES:
        return meaning in about(panel)
    texts = (panel.title, *(query.text for query in panel.drawn))
    return any(meaning.lower() in text.lower() for text in texts)


def promises(panel: Panel, meaning: str) -> bool:
    """Whether a panel that asks nothing would be about this, by its title or by what is switched off in it."""
    hidden = {found for query in panel.queries for found in _meanings(query)}
    return meaning in (hidden or _titled(panel.title)) or meaning.lower() in panel.title.lower()


def _meanings(query: Query) -> set[str]:
    said = worded(query)
    signal = next(
        (name for name, signs in _SIGNALS.items() if _found(signs, said.measuring(name), said.ended)), None
    )
    events = KINDS["security"]
    others = {
        name
        for name, signs in _RESOURCES.items()
        if _found(signs, f"{said.metrics} {said.doing}" if name in events else said.metrics, said.ended)
    }
    return others | ({signal} if signal else set())


def _found(signs: _Signs, text: str, ended: str) -> bool:
    """Whether a query is known by its words, or, where it measures anything, by its matchers."""
    by_end = signs.ended is not None and bool(text.strip()) and signs.ended.search(ended) is not None
    return by_end or signs.query.search(text) is not None


def _titled(title: str) -> set[str]:
    """What a title promises, for queries that say nothing known."""
    return {name for name, signs in {**_SIGNALS, **_RESOURCES}.items() if signs.title.search(title)}

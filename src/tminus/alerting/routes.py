"""Alertmanager's routing tree as it was loaded: who hears of which labels, and what of it leads nowhere.

The tree is walked as Alertmanager walks it: the first child that matches takes the alert, further ones only after a
`continue`, and a node keeps what none of its children takes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tminus.alerting.matchers import Matcher
from tminus.alerting.rules import Rule
from tminus.domain.canonical import JsonValue

PAGING = ("pagerduty", "opsgenie", "victorops", "pushover")
"""Integrations that wake people, by the name of their block without `_configs`."""


@dataclass(frozen=True)
class Route:
    """One node of the tree."""

    receiver: str
    matchers: tuple[Matcher, ...]
    goes_on: bool
    """Whether its later siblings are asked too."""
    children: tuple["Route", ...]
    group_by: tuple[str, ...] = ()
    """The labels by which its alerts are told together; `...` alone stands for all of them."""
    muted: tuple[str, ...] = ()
    """The time intervals in which it tells nobody."""
    active: tuple[str, ...] = ()
    """The time intervals outside of which it tells nobody; none where it always tells."""
    line: int = 0
    """Where it stands in its file."""

    def taken_by(self, labels: Mapping[str, str]) -> list["Route"]:
        """The nodes that an alert with these labels ends at."""
        found: list[Route] = []
        for child in self.children:
            if all(matcher.takes(labels) for matcher in child.matchers):
                found += child.taken_by(labels)
                if not child.goes_on:
                    break
        return found or [self]

    def below(self) -> Iterator["Route"]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.below()

    def __str__(self) -> str:
        return f"{{{', '.join(str(one) for one in self.matchers)}}} to {self.receiver}"


@dataclass(frozen=True)
class Tree:
    """A loaded configuration: its routes and its receivers."""

    root: Route
    integrations: Mapping[str, tuple[str, ...]]
    """By receiver: what it tells, `pagerduty`, `slack`, `email`, …; nothing for one that tells nobody."""

    def receivers(self, labels: Mapping[str, str]) -> list[str]:
        """Who hears of an alert with these labels, each once."""
        return list(dict.fromkeys(route.receiver for route in self.root.taken_by(labels)))

    def pages(self, receiver: str) -> bool:
        """Whether a receiver wakes people."""
        return any(one in PAGING for one in self.integrations.get(receiver, ()))

    @cached_property
    def unreachable(self) -> list[Route]:
        """The routes that no alert ever arrives at."""
        return list(_unreachable(self.root, ()))


def _unreachable(route: Route, path: Sequence[Matcher]) -> Iterator[Route]:
    for number, child in enumerate(route.children):
        here = (*path, *child.matchers)
        earlier = [one for one in route.children[:number] if not one.goes_on]
        if _contradicts(here) or any(_takes_all(one.matchers, here) for one in earlier):
            yield child
        else:
            yield from _unreachable(child, here)


def _takes_all(matchers: Iterable[Matcher], here: Sequence[Matcher]) -> bool:
    """Whether every alert that gets here has met these matchers before."""
    fixed = {one.name: one.value for one in here if one.operator == "="}
    return all(one in here or (one.name in fixed and one.takes(fixed)) for one in matchers)


def _contradicts(here: Sequence[Matcher]) -> bool:
    fixed = {one.name: one.value for one in here if one.operator == "="}
    return any(one.name in fixed and not one.takes(fixed) for one in here)


def misrouted(found: Tree, rules: Iterable[Rule]) -> list[JsonValue]:
    """Where a rule's alerts would not go where their severity wants them: critical pages, a warning only writes."""
    problems: list[JsonValue] = []
    for rule in rules:
        who = found.receivers({**rule.labels, "alertname": rule.name})
        told = [one for one in who if found.integrations.get(one)]
        pages = [one for one in who if found.pages(one)]
        if rule.severity == "critical" and not pages:
            problems.append(f"{rule.name} is critical and pages nobody: it goes to {', '.join(who)}")
        elif rule.severity == "warning" and pages:
            problems.append(f"{rule.name} is a warning and pages: it goes to {', '.join(pages)}")
        elif rule.severity in {"critical", "warning"} and not told:
            problems.append(f"{rule.name} tells nobody: {', '.join(who)} has no integration")
    return problems


def dead_ends(found: Tree) -> list[JsonValue]:
    """What of the tree leads nowhere: unreachable routes, receivers that do not exist, a silent default."""
    problems: list[JsonValue] = [f"no alert ever arrives at the route {route}" for route in found.unreachable]
    named = dict.fromkeys(route.receiver for route in found.root.below())
    problems += [f"the receiver {name} does not exist" for name in named if name not in found.integrations]
    if not found.integrations.get(found.root.receiver):
        problems.append(f"what no route takes goes to {found.root.receiver or 'nobody'}, which tells nobody")
    return problems


def silent(found: Tree) -> list[str]:
    """Receivers without an integration that no route leads to: they look like something and are nothing."""
    used = {route.receiver for route in found.root.below()}
    return [name for name, what in found.integrations.items() if not what and name not in used]

"""Alertmanager: what is firing, who would hear of it, and whether a marked alert really arrives.

`drill` sends something: an alert of its own, marked by a nonce, which it ends again. It touches nothing else.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal, Protocol

from tminus.alerting.alertmanager import Alertmanager, asking
from tminus.alerting.crosscheck import Fired
from tminus.alerting.drill import MARK, Drill, failures, muting
from tminus.alerting.inboxes import Inbox
from tminus.alerting.routes import dead_ends, misrouted, silent
from tminus.alerting.rules import Rule
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError, TminusError
from tminus.probes import Probe


class Second(Protocol):
    """Who else knows of the alerts: Prometheus, which judges them."""

    async def rules(self) -> list[Rule]:
        """Every alert rule as it was loaded."""
        ...

    async def fired(self, severity: str, seconds: int) -> Fired:
        """The alerts of one severity that fire now, or did within this time."""
        ...

    async def blind(self, side: str) -> list[str]:
        """Which rules do not look at this side."""
        ...


@dataclass(frozen=True, slots=True)
class System:
    """One Alertmanager, where its notifications arrive, and who else knows of the alerts."""

    address: str
    now: Callable[[], float]
    inboxes: Mapping[str, Inbox] = field(default_factory=dict)
    """By the plan's name of each system that notifications arrive at."""
    second: Second | None = None
    unheard: TminusError | None = None
    """Why the plan's second source cannot be asked; nothing where it can, and where the plan has none."""


@Probe
async def firing(
    alertmanager: System, *, severity: str = "critical", seconds: int = 60, watchdog: str = "Watchdog"
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """The alerts of a severity that are firing, or did within this time; silenced and inhibited ones are warned of.

    `watchdog` is an alert that always fires: without it silence means nothing. Marked drills do not count.
    """
    async with asking(alertmanager.address) as api:
        await _watched(api, watchdog)
        held = [one for one in await api.alerts(f'severity="{severity}"') if MARK not in one.labels]
        active = [one for one in held if one.state != "suppressed"]
        muted = [await muting(api, one) for one in held if one.state == "suppressed"]
    problems: list[JsonValue] = [f"{one.name} is firing" for one in active]
    remarks = [*muted]
    if alertmanager.second is None:
        lacking = alertmanager.unheard or "the plan has no system of kind prometheus to compare with"
        remarks.append(f"only Alertmanager was asked: {lacking}")
    else:
        fired = await alertmanager.second.fired(severity, seconds)
        known = {one.labels.get("alertname") for one in held}
        problems += [
            f"{name} fires in Prometheus, and Alertmanager does not know it"
            for name in fired.now
            if name not in known
        ]
        problems += [
            f"{name} fired within the last {seconds} s" for name in fired.before if name not in known
        ]
    seen: dict[str, JsonValue] = {
        "severity": severity,
        "active": len(active),
        "muted": len(muted),
        "watchdog": watchdog,
    }
    fact = f"no {severity} alert fires, and {watchdog} shows that one would be seen"
    return Observation(problems, seen, remarks=tuple(remarks), fact=fact)


@Probe
async def routes(alertmanager: System) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the routes: a critical rule that pages nobody, a warning that pages, a way that leads nowhere.

    Every loaded rule is led through the loaded tree, by its own labels.
    """
    if alertmanager.second is None:
        raise alertmanager.unheard or InconclusiveError(
            "nobody says which alerts there are", hint="give the plan a system of kind prometheus"
        )
    rules = [one for one in await alertmanager.second.rules() if one.severity in {"critical", "warning"}]
    if not rules:
        raise InconclusiveError(
            "Prometheus has no rule with severity critical or warning", hint="load the alert rules first"
        )
    async with asking(alertmanager.address) as api:
        tree = await api.tree()
    table: dict[str, JsonValue] = {
        rule.name: [*tree.receivers({**rule.labels, "alertname": rule.name})] for rule in rules
    }
    remarks = tuple(f"the receiver {name} tells nobody, and nothing leads to it" for name in silent(tree))
    seen: dict[str, JsonValue] = {"rules": len(rules), "receivers": len(tree.integrations), "routes": table}
    fact = f"each of {len(rules)} alert rules reaches the receivers that it must"
    return Observation([*misrouted(tree, rules), *dead_ends(tree)], seen, {"routes": table}, remarks, fact)


@Probe
async def drill(  # noqa: PLR0913 - what a plan may say
    alertmanager: System,
    *,
    receivers: list[str],
    severity: Literal["critical", "warning"] = "critical",
    side: str = "",
    seconds: int = 30,
    watchdog: str = "",
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the way of a marked alert: it is sent, must arrive at each receiver in time, and is ended.

    `receivers` are the plan's systems that it must arrive at. A warning must page nobody. With a `side` the rules must
    look at that side too; with a `watchdog` that alert must be firing. This probe sends something.
    """
    inboxes = _inboxes(alertmanager, receivers)
    labels = {"severity": severity, **({"side": side} if side else {})}
    async with asking(alertmanager.address) as api:
        problems = await _unwatched(api, alertmanager, side, watchdog)
        before = await api.sent()
        one = Drill.new(api, secrets.token_hex(8), labels, alertmanager.now)
        try:
            await one.begin()
            muted = await one.muted()
            took = {} if muted else await one.arrives(inboxes, seconds)
        finally:
            await one.end()
        gone, told = await one.over({name: inboxes[name] for name in took})
        problems += muted or [
            f"it did not arrive at {name} within {seconds} s" for name in inboxes if name not in took
        ]
        problems += failures(before, await api.sent())
        paged = await one.pages(alertmanager.inboxes) if severity == "warning" else []
    problems += [f"it is a warning, and {name} was paged" for name in paged]
    problems += [] if gone else ["Alertmanager still holds it after its end"]
    seen: dict[str, JsonValue] = {
        "nonce": one.mark,
        **{f"{name}_s": after for name, after in took.items()},
        "ended_at": [*told],
    }
    fact = "a test alert came to " + ", ".join(f"{name} after {after:g} s" for name, after in took.items())
    return Observation(problems, seen, {"severity": severity, "receivers": [*receivers]}, fact=fact)


def _inboxes(alertmanager: System, names: list[str]) -> dict[str, Inbox]:
    unknown = [name for name in names if name not in alertmanager.inboxes]
    if unknown or not names:
        known = ", ".join(alertmanager.inboxes) or "none"
        raise InconclusiveError(
            f"there is no receiver {', '.join(unknown) or 'to look at'}; there are: {known}",
            hint="name systems of the plan whose kind is pagerduty, slack or mail",
        )
    return {name: alertmanager.inboxes[name] for name in names}


async def _unwatched(api: Alertmanager, alertmanager: System, side: str, watchdog: str) -> list[JsonValue]:
    """What is wrong beside the way: rules that do not look at a side, a dead-man alert that is gone."""
    problems: list[JsonValue] = []
    if side and alertmanager.second is None:
        raise alertmanager.unheard or InconclusiveError(
            f"nobody says whether the rules look at {side}", hint="give the plan a system of kind prometheus"
        )
    if side and alertmanager.second is not None:
        problems += await alertmanager.second.blind(side)
    if watchdog and not await api.alerts(f'alertname="{watchdog}"'):
        problems.append(f"the always firing {watchdog} is gone: nobody would notice that alerting is dead")
    return problems


async def _watched(api: Alertmanager, watchdog: str) -> None:
    if not await api.alerts(f'alertname="{watchdog}"'):
        raise InconclusiveError(
            f"the always firing {watchdog} is not there, so silence means nothing",
            hint="see whether Prometheus judges its rules and reaches Alertmanager",
        )

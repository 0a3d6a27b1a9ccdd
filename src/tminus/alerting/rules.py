"""Alert rules as Prometheus has loaded them, and what is wrong with one beside what a checklist asks for."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tminus.alerting.expression import Expression, parse
from tminus.alerting.measures import Meaning, meanings
from tminus.domain import alertlimit, expectation, offsets
from tminus.domain.canonical import JsonValue
from tminus.errors import InconclusiveError, PlanError

MISSED_EVALUATIONS = 2
"""After how many intervals without an evaluation a rule counts as no longer evaluated."""

HICCUP_SECONDS = 10.0
"""What a busy machine may delay an evaluation by, however short the interval."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert rule."""

    name: str
    expression: str
    hold: float
    """Its `for`, in seconds."""
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    health: str
    """`ok`, `err`, or `unknown` before its first evaluation."""
    last_error: str
    evaluated_at: float
    """In seconds of the epoch, by Prometheus' clock."""
    interval: float
    """How often its group is evaluated, in seconds."""

    @property
    def severity(self) -> str:
        """Its label `severity`; empty without one."""
        return self.labels.get("severity", "")

    @property
    def runbook(self) -> str:
        """Where it says that people find what to do; empty where it says nothing."""
        return self.annotations.get("runbook_url") or self.annotations.get("runbook") or ""

    def parsed(self) -> Expression:
        """Its expression; raises `InconclusiveError` for one that only a newer Prometheus reads."""
        try:
            return parse(self.expression)
        except ValueError as error:
            raise InconclusiveError(
                f"the expression of {self.name} cannot be read: {self.expression}",
                hint="write it in the language of Prometheus 2.45",
            ) from error


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a line of a checklist asks of an alert."""

    measure: str
    limit: float
    """A share, seconds or a count."""
    above: bool
    """Whether it is to fire above the limit; below it otherwise."""
    hold: float
    """The longest `for` that it may have, in seconds."""
    severity: str
    text: str
    """The limit as the plan wrote it."""


@dataclass(slots=True)
class Findings:
    """What is wrong with a rule, and what is merely worth a remark."""

    problems: list[JsonValue] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    notes: dict[str, JsonValue] = field(default_factory=dict)
    """What a person may like to know and nobody has to act on."""


def rules_of(data: Mapping[str, Any]) -> list[Rule]:
    """The rules of an answer of `/api/v1/rules`."""
    return [
        _rule(entry, float(group.get("interval", 0)))
        for group in data.get("groups", ())
        for entry in group.get("rules", ())
        if entry.get("type") == "alerting"
    ]


def _rule(entry: Mapping[str, Any], interval: float) -> Rule:
    return Rule(
        name=str(entry["name"]),
        expression=str(entry["query"]),
        hold=float(entry.get("duration", 0)),
        labels=dict(entry.get("labels") or {}),
        annotations=dict(entry.get("annotations") or {}),
        health=str(entry.get("health", "unknown")),
        last_error=str(entry.get("lastError", "")),
        evaluated_at=_instant(str(entry.get("lastEvaluation", ""))),
        interval=interval,
    )


def _instant(text: str) -> float:
    """Seconds of the epoch; 0 for an evaluation that never was."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return 0.0
    return moment.timestamp() if moment.year > 1 else 0.0


def wanted(measure: str, above: str, below: str, hold: str, severity: str) -> Wanted:
    """What a plan's arguments ask for; raises `PlanError` for a hold that is none or a limit that never fires."""
    if bool(above) == bool(below):
        raise PlanError(
            f"the alert on {measure} has {'two limits' if above else 'no limit'}",
            hint='write either above: "1%" or below: "90%"',
        )
    argument, text = ("above", above) if above else ("below", below)
    what, _, instead = alertlimit.unfit(measure, argument, text).partition("; ")
    if what:
        raise PlanError(f"the alert on {measure}: {what}", hint=instead)
    limit = expectation.parse(f"> {text}").limit
    try:
        seconds = offsets.seconds(hold)
    except ValueError as error:
        raise PlanError(f"the alert on {measure}: {error}", hint="write hold: 1min") from error
    assert isinstance(limit, float)  # noqa: S101 - a comparison has a number
    return Wanted(measure, limit, bool(above), seconds, severity, f"{alertlimit.SIGNS[argument]} {text}")


def meant(rules: Iterable[Rule], measure: str) -> list[tuple[Rule, Meaning]]:
    """The rules that measure this, by their expressions; what cannot be read measures nothing."""
    found = []
    for rule in rules:
        try:
            known = meanings(rule.parsed())
        except InconclusiveError:
            continue
        found += [(rule, meaning) for meaning in known if meaning.measure == measure]
    return found


def beside(rule: Rule, meaning: Meaning, asked: Wanted) -> Findings:
    """Where a rule is not what is asked for: its limit, its direction, its hold, its severity, its runbook."""
    found = Findings(remarks=[*meaning.remarks])
    if rule.severity != asked.severity:
        found.problems.append(f"{rule.name} has severity {rule.severity or 'none'}, not {asked.severity}")
    if asked.measure == "downtime":
        _hold(found, rule, asked.limit + asked.hold)
    else:
        _limit(found, rule, meaning, asked)
        _hold(found, rule, asked.hold)
    if not rule.runbook:
        found.remarks.append(f"{rule.name} names no runbook; write one into its annotation runbook_url")
    return found


def _limit(found: Findings, rule: Rule, meaning: Meaning, asked: Wanted) -> None:
    if meaning.above != asked.above:
        says, must = ("above", "below") if meaning.above else ("below", "above")
        found.problems.append(f"{rule.name} fires {says} its limit and must fire {must} it")
        return
    if meaning.limit is None:
        if not meaning.remarks:
            found.problems.append(
                f"{rule.name} compares a number and no share of the whole, so its limit cannot be compared"
            )
        return
    is_now = f"{rule.name} fires at {'>' if meaning.above else '<'} {_in_unit(meaning.limit, asked)}"
    looser = meaning.limit > asked.limit if asked.above else meaning.limit < asked.limit
    if abs(meaning.limit - asked.limit) <= 1e-9 * max(1.0, abs(asked.limit)):
        return
    if looser:
        found.problems.append(f"{is_now}, which is looser than {asked.text}")
    else:
        found.notes["stricter"] = f"{is_now}, stricter than {asked.text}"


def _in_unit(limit: float, asked: Wanted) -> str:
    return expectation.parse(asked.text).in_unit(limit)


def _hold(found: Findings, rule: Rule, longest: float) -> None:
    if rule.hold > longest:
        found.problems.append(f"{rule.name} waits {rule.hold:g} s before it fires, longer than {longest:g} s")


def evaluated(rule: Rule, now: float) -> list[JsonValue]:
    """What keeps a rule from being evaluated; raises `InconclusiveError` before its first evaluation."""
    if rule.health == "unknown" or not rule.evaluated_at:
        raise InconclusiveError(
            f"{rule.name} was not evaluated yet", hint=f"wait {rule.interval:g} s, its group's interval"
        )
    found: list[JsonValue] = []
    if rule.health != "ok" or rule.last_error:
        found.append(f"{rule.name} cannot be evaluated: {rule.last_error or rule.health}")
    age = now - rule.evaluated_at
    if age > max(MISSED_EVALUATIONS * rule.interval, HICCUP_SECONDS):
        found.append(
            f"{rule.name} was last evaluated {age:.0f} s ago; its group asks for every {rule.interval:g} s"
        )
    return found


def ladder(rule: Rule, meaning: Meaning, others: Iterable[tuple[Rule, Meaning]]) -> list[JsonValue]:
    """Where a warning would not come before the critical alert of the same measure."""
    if rule.severity != "warning" or meaning.limit is None:
        return []
    return [
        f"{rule.name} warns no sooner than {other.name} pages: both limits in order would be warning before critical"
        for other, its in others
        if other.severity == "critical"
        and its.limit is not None
        and its.above == meaning.above
        and (meaning.limit >= its.limit if meaning.above else meaning.limit <= its.limit)
    ]


def bound(text: str) -> float:
    """A histogram's bucket bound; infinite for `+Inf`."""
    return float(re.sub(r"^\+Inf$", "inf", text))

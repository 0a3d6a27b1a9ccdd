"""Logs: whether what the service says arrives where its lines are gathered: from each instance, soon, with its fields.

The probe asks the service for something as any user would, with a mark that the service writes into its log.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from tminus.aggregators import opened
from tminus.aggregators.lines import Aggregator, Found, Line, Wanted
from tminus.aggregators.marks import AHEAD_SECONDS, Sender, Trail, followed
from tminus.domain import offsets
from tminus.domain.argument import Duration
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError, TminusError
from tminus.probes import Probe

BACK_SECONDS = 86_400.0
"""How far back an instance is known by its lines, so that one which has fallen silent has a name and a last line."""
LEVELS = ("level", "log.level", "severity", "severity_text", "loglevel", "lvl")
"""The field that lines must hold where a plan names none, by the names that it commonly has."""
UNFIT_SHARE = 0.1
"""The share of lines that may lack a field, and be remarked upon: a banner, the lines of a stack."""
SKEW_SECONDS = 60.0
"""How far ahead of ours a clock may be; lags mean nothing beyond it."""
_NAMED = 5
"""How many names a sentence holds at most."""


@dataclass(frozen=True, slots=True)
class System:
    """Where the lines are gathered, where the service answers, and which instances of it run now."""

    address: str = field(repr=False)
    now: Callable[[], float]
    site: str = field(default="", repr=False)
    """The service's public address; empty where the plan names no website."""
    running: Callable[[], Awaitable[Sequence[str]]] | None = None
    """The names of the new side's instances, from the plan's target; nothing where it has none."""
    unheard: TminusError | None = None
    """Why the plan's website cannot be asked; nothing where it can, and where the plan names none."""


@dataclass(frozen=True, slots=True)
class _Limits:
    """From how many seconds on a line is late, and lost; how far back each instance must have one."""

    late: float
    lost: float
    silent: int

    @classmethod
    def of(cls, late: str, lost: str, silent: int) -> "_Limits":
        return cls(_seconds("lag", late), _seconds("late", lost), silent)


@Probe
async def arrived(  # noqa: PLR0913 - what a plan may say
    logs: System,
    *,
    labels: dict[str, str],
    instance: str = "pod",
    instances: int = 0,
    fields: list[str] | None = None,
    lag: Duration = "60s",
    late: Duration = "5min",
    seconds: int = 300,
    requests: int = 5,
    path: str = "/",
    tenant: str = "",
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with the way of log lines: marked requests that are not in it, an instance that is silent.

    `labels` are what the new side's own lines are known by, `instance` is the label or field that tells its instances
    apart. As many as `instances` must have a line within `seconds`; left out, each pod that the plan's target has now.
    That many marked requests must be found, and lines hold `fields`, or a level where none is named. By the lag of 95 %
    of the marked requests, and of lines that say when they were written, lines are late from `lag` on, which is
    remarked upon, and lost from `late` on.
    """
    limits, expected = _Limits.of(lag, late, seconds), await _expected(logs, instances)
    sender = Sender(_demanded(logs, requests), path, requests, logs.now)
    aggregator = opened(logs.address, tenant)
    since, until = logs.now() - seconds, logs.now() + AHEAD_SECONDS
    asked = Wanted(labels, instance, since, until, fields=tuple(fields or ()))
    before = (await _wide(aggregator, asked)).newest()
    trail = await followed(aggregator, asked, sender, limits.late)
    found = await aggregator.recent(replace(asked, since=logs.now() - seconds))
    report = _Report(asked, limits, expected, trail, found, logs.now())
    if lost := found.lost or trail.lost:
        report.problems.append(lost)  # what is not whole says nothing of what is missing
    else:
        ever = await _wide(aggregator, asked) if report.silent() or trail.missing else found
        elsewhere = await _elsewhere(aggregator, asked, trail) if not trail.lines else []
        report.demand_lines(ever, elsewhere)
        report.tell_silent(ever)
        report.tell_missing(before, ever.newest(), elsewhere)
    report.tell_lag()
    report.tell_clocks()
    report.tell_fields(fields or ())
    return report.observation(fields or ())


def _seconds(name: str, text: str) -> float:
    try:
        return offsets.seconds(text)
    except ValueError as error:
        raise InconclusiveError(f"{name}: {error}", hint="correct it in the plan") from error


@dataclass(frozen=True, slots=True)
class _Expected:
    """Which instances must have lines."""

    count: int
    names: Sequence[str] = ()
    """Empty where only their number is known."""


async def _expected(logs: System, instances: int) -> _Expected:
    names = [] if instances or logs.running is None else sorted(await logs.running())
    if not instances and not names:
        raise InconclusiveError(
            "no instance of the new side is known, and none is not each",
            hint="write `instances` under `with`; see whether the new side runs",
        )
    return _Expected(instances or len(names), names)


def _demanded(logs: System, requests: int) -> str:
    """The address to ask; raises `InconclusiveError` where nobody could be asked anything, or why it is not known."""
    if not logs.site and logs.unheard is not None:
        raise logs.unheard
    if requests < 1 or not logs.site:
        raise InconclusiveError(
            "no marked request can be sent, so none could arrive",
            hint="give the plan a system of kind website, and `requests` of 1 or more",
        )
    return logs.site


async def _wide(aggregator: Aggregator, asked: Wanted) -> Found:
    """What is known of the lines of a day."""
    return await aggregator.recent(replace(asked, since=asked.until - AHEAD_SECONDS - BACK_SECONDS))


async def _elsewhere(aggregator: Aggregator, asked: Wanted, trail: Trail) -> list[str]:
    """By which labels lines hold the marks that are not the service's own."""
    found = await aggregator.marked(replace(asked, anywhere=True), trail.common)
    told = {
        ", ".join(f"{name}={line.named(name) or 'nothing'}" for name in asked.labels) for line in found.lines
    }
    return sorted(told)


def _p95(lags: Sequence[float]) -> float | None:
    """The lag that 95 % do not exceed, by nearest rank; nothing of nothing."""
    return sorted(lags)[math.ceil(0.95 * len(lags)) - 1] if lags else None


def _lacking(line: Line, fields: Sequence[str]) -> list[str]:
    if fields:
        return [name for name in fields if not line.named(name)]
    return [] if any(line.named(name) for name in LEVELS) else [LEVELS[0]]


@dataclass(slots=True)
class _Report:
    """What was found, what is wrong with it, and what is only remarkable."""

    asked: Wanted
    limits: _Limits
    expected: _Expected
    trail: Trail
    found: Found
    """The lines within the time in which each instance must have one."""
    now: float
    problems: list[JsonValue] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def silent(self) -> list[str]:
        """The instances without lines; nameless ones where only the number is known."""
        if self.expected.names:
            return [name for name in self.expected.names if name not in self.found.counts]
        return [""] * (self.expected.count - len(self.found.counts))

    def demand_lines(self, ever: Found, elsewhere: Sequence[str]) -> None:
        """Raise `InconclusiveError` where lines are not known well enough to miss any."""
        known = ", ".join(f"{name}={value}" for name, value in self.asked.labels.items()) or "any service"
        if not ever.lines and not elsewhere:
            raise InconclusiveError(
                f"no line of {known} is there, of the last day or of the marked requests",
                hint="compare `labels` with what lines carry; if they are right, nothing is shipped",
            )
        if ever.lines and not ever.counts:
            raise InconclusiveError(
                f"no line of {known} says by {self.asked.instance!r} which instance it is of",
                hint="name the label or field that tells instances apart as `instance`",
            )
        if self.found.cut and self.silent():
            raise InconclusiveError(
                f"there are too many lines of {known} to see whether an instance is silent",
                hint="narrow `labels`, for instance by the unit",
            )

    def tell_silent(self, ever: Found) -> None:
        """Which instances have no lines, and since when; or that others have, whom nobody expects."""
        count, there = self.expected.count, sorted(self.found.counts)
        if not (silent := self.silent()):
            if len(there) > count:
                words = f"{len(there)} instances have lines, and {count} are expected"
                self.remarks.append(f"{words}; see {', '.join(there[:_NAMED])}")
            return
        names = [name for name in silent if name] or sorted(set(ever.counts) - set(there))
        words = f"{count - len(silent)} of {count} instances have lines of the last {self.limits.silent} s"
        told = [f"{name}{self._last(name, ever)}" for name in names[:_NAMED]]
        words += f"; silent: {', '.join(told)}" if told else ""
        others = [name for name in there if name not in self.expected.names] if self.expected.names else []
        self.problems.append(words + (f"; lines are of {', '.join(others[:_NAMED])}" if others else ""))

    def _last(self, name: str, ever: Found) -> str:
        """Since when an instance is silent, in words."""
        mine = [line.written for line in ever.lines if line.named(self.asked.instance) == name]
        return f" for {max(0.0, self.now - max(mine)):.0f} s" if mine else ""

    def tell_missing(self, before: float | None, after: float | None, elsewhere: Sequence[str]) -> None:
        """What marks say that were not found.

        `before` and `after` are when the newest line was written, as it was seen before the marks and after the wait.
        """
        trail = self.trail
        if not trail.missing:
            return
        words = f"{trail.missing} of {len(trail.sent)} marked requests ({trail.common}…) were not in the log "
        words += f"after {trail.waited:.0f} s"
        if elsewhere:
            self.problems.append(f"{words}, but in lines of {'; '.join(elsewhere[:_NAMED])}")
            return
        # What was written before the marks and arrives meanwhile comes late; what is younger overtook them.
        flows = after is not None and (before is None or after > before) and after < min(trail.sent.values())
        if after is None or not flows or trail.lags:
            age = "" if after is None else f"; the newest line is {max(0.0, self.now - after):.0f} s old"
            self.problems.append(words + age)
            return
        late = self.now - after
        words = f"lines arrive {late:.0f} s late, and {self.limits.late:.0f} s are allowed: {words}"
        if late > self.limits.lost:
            self.problems.append(words)
        else:
            self.remarks.append(words)

    def tell_lag(self) -> None:
        """How late lines are: marks and others apart, for what is stamped on its way seems to come at once."""
        lags = {
            "marked requests": [*self.trail.lags.values()],
            "lines": [line.lag for line in self.found.lines if line.lag >= 0],
        }
        for what, each in lags.items():
            took = _p95(each)
            if took is not None and took > self.limits.late:
                words = f"{what} arrive after {took:.0f} s (p95), and {self.limits.late:.0f} s are allowed"
                if took > self.limits.lost:
                    self.problems.append(words)
                else:
                    self.remarks.append(words)
        if self.trail.twice > 1:
            words = (
                f"the same line is there {self.trail.twice} times, so counts mean nothing; see who ships it"
            )
            self.remarks.append(words)

    def tell_clocks(self) -> None:
        """Whose lines carry times to come."""
        ahead = {
            line.named(self.asked.instance): line.written - self.now
            for line in (*self.found.lines, *self.trail.lines)
            if line.written - self.now > SKEW_SECONDS
        }
        self.problems += [
            f"lines of {name or 'an instance'} carry times {seconds:.0f} s to come: its clock is wrong"
            for name, seconds in sorted(ahead.items())[:_NAMED]
        ]

    def tell_fields(self, fields: Sequence[str]) -> None:
        """Which fields lines lack: the marked ones at all, and how many of the others."""
        if lacking := sorted({name for line in self.trail.lines for name in _lacking(line, fields)}):
            self.problems.append(f"marked lines hold no field {', '.join(lacking[:_NAMED])}")
            return
        odd = [missing for line in self.found.lines if (missing := _lacking(line, fields))]
        if not odd:
            return
        names = ", ".join(sorted({name for missing in odd for name in missing})[:_NAMED])
        words = f"{len(odd)} of {len(self.found.lines)} lines hold no field {names}"
        if len(odd) > UNFIT_SHARE * len(self.found.lines):
            self.problems.append(words)
        else:
            self.remarks.append(words)

    def observation(self, fields: Sequence[str]) -> Observation:
        """All of it, as it is judged."""
        trail, took = self.trail, _p95([*self.trail.lags.values()])
        seen: dict[str, JsonValue] = {
            "mark": trail.common,
            "sent": len(trail.sent),
            "found": len(trail.lags),
            "lag_p95_s": None if took is None else round(took, 2),
            "lines": dict(sorted(self.found.counts.items())),
            "instances": self.expected.count,
        }
        material: dict[str, JsonValue] = {"labels": dict(self.asked.labels), "fields": [*fields]}
        fact = f"{len(trail.lags)} marked requests were in the log within {took or 0:.1f} s; "
        fact += f"each of {self.expected.count} instances has lines of the last {self.limits.silent} s"
        return Observation(self.problems, seen, material, tuple(self.remarks), fact)

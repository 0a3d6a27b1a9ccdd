"""Grafana: whether a dashboard is there, is the repository's, and shows data in every panel that matters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from tminus.domain import dashboard as dashboards
from tminus.domain import drift, expectation
from tminus.domain.argument import Part
from tminus.domain.canonical import JsonValue
from tminus.domain.dashboard import Dashboard
from tminus.domain.evidence import Observation
from tminus.domain.shown import Demand, Shown, judged, slow_refresh
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError
from tminus.grafana.api import Grafana, Stored, asking
from tminus.grafana.asked import Narrow
from tminus.grafana.confirming import Vouch, confirmations, nobody, unconfirmed
from tminus.grafana.finding import Wanted, copied, missing, uid_of
from tminus.grafana.showing import Showing
from tminus.probes import Probe


@dataclass(frozen=True, slots=True)
class System:
    """One Grafana, and the dashboards that the lines of a plan name."""

    address: str = field(repr=False)
    """`https://:TOKEN@host/path`, the token that of a service account."""
    named: tuple[Wanted, ...] = ()
    """The dashboards of the lines that name one: what a line without any looks at."""
    folder: Path = field(default_factory=Path)
    """What the paths of copies begin at: the checkout that tminus is started in."""
    vouch: Vouch = nobody
    """Says whether a confirmation is the word of whom it names."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How a line looks at dashboards."""

    filled: float
    minutes: int
    narrow: Narrow | None
    now: float

    @property
    def imported(self) -> bool:
        """Whether the dashboard itself is looked at too, and not its data alone."""
        return self.narrow is None


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of one dashboard."""

    name: str
    problems: Sequence[str]
    remarks: Sequence[str] = ()
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)
    full: int = 0
    counted: int = 0
    own: int = 0


@Probe
async def dashboard(  # noqa: PLR0913 - what a plan may say
    grafana: System,
    *,
    kind: Literal["", "application", "infrastructure", "security", "business"] = "",
    panels: list[str] | None = None,
    filled: Part = "95%",
    uid: str = "",
    title: str = "",
    copy: str = "",
    confirmed: str = "",
    owner: str = "",
    side: str = "",
    label: str = "side",
    minutes: int = 15,
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with a dashboard: missing, its data sources ill, panels empty that must show something.

    It is found by its `uid`, by that of its `copy` (the repository's file), or by its `title`, else by its kind's name
    in a title. Each panel is asked for the last `minutes`, with the variables as they are when it is opened: `filled`
    of the panels must show data, and for each of `panels` (else for what its kind must show) one at least. A panel of
    rare events may be empty and is remarked upon; so is a dashboard that is not as its copy or never asks anew. A
    business dashboard needs the word of its `owner` in the record `confirmed` for the version that is there.

    With a `side` the data alone is looked at, narrowed to the series with this `label`. Without a kind, a uid, a title
    and a copy it is that of each dashboard that the plan's other lines name.
    """
    narrow = Narrow(_label(label), side) if side else None
    share = _share(filled)
    named = Wanted(kind, tuple(panels or ()), uid, title, copy, confirmed, owner)
    wanted = (named,) if kind or uid or title or copy else grafana.named
    if not wanted:
        raise InconclusiveError(
            "no line of the plan names a dashboard",
            hint="write `kind`, `uid`, `title` or `copy` under `with` of this line or another",
        )
    async with asking(grafana.address) as api:
        server = await api.server()
        look = _Look(share, minutes, narrow, server.now)
        found = [await _seen(api, each, grafana, look) for each in wanted]
    return _observation(found, server.version, side)


def _share(filled: str) -> float:
    """The share of panels that must show data; raises `InconclusiveError` for a text that is none."""
    try:
        limit = expectation.parse(f">= {filled}").limit
    except ValueError as error:
        raise InconclusiveError(f"filled: {error}", hint="write a share such as 95%") from error
    if not isinstance(limit, float) or not 0 < limit <= 1:
        raise InconclusiveError(f"filled is {filled!r}, which is no share", hint="write a share such as 95%")
    return limit


def _label(label: str) -> str:
    if not label.isidentifier():
        raise InconclusiveError(
            f"the label {label!r} tells no side from another",
            hint="write the label by which Prometheus tells the sides apart",
        )
    return label


async def _seen(api: Grafana, wanted: Wanted, grafana: System, look: _Look) -> _Seen:
    copy = copied(wanted, grafana.folder)
    uid = await uid_of(api, wanted, copy)
    stored = await api.dashboard(uid) if uid else None
    if stored is None:
        return _Seen(wanted.words, [await missing(api, wanted, copy, uid or "")], evidence={"uid": uid})
    read, lost = await _read(api, stored)
    if not read.shown and not wanted.required:
        raise InconclusiveError(
            f"the dashboard {read.title!r} holds no panel that asks anything",
            hint="see whether the right file was imported; a dashboard of texts shows nothing",
        )
    showing = Showing(api, read, look.minutes, look.narrow, end=look.now)
    shown = await showing.panels()
    demand = Demand(wanted.required, look.filled, look.narrow.value if look.narrow else "")
    outcome = judged(read, shown, demand)
    problems, remarks = [*lost], [*outcome.remarks]
    for name, health in (await showing.health()).items():
        problems += [f"the data source {name} is ill: {health.problem}"] if health.problem else []
        unseen = f"the health of the data source {name} could not be seen: {health.unseen}"
        remarks += [unseen] if health.unseen else []
    problems += outcome.problems
    if look.imported:
        remarks += _about(stored, read, copy)
        problems += _vouched(wanted, stored, copy, grafana)
    evidence: dict[str, JsonValue] = {
        "uid": read.uid or uid,
        "title": read.title,
        "version": stored.version,
        "sha256": drift.fingerprint(dict(stored.model)),
        "panels": _counts(shown),
    }
    return _Seen(read.title, problems, remarks, evidence, outcome.full, outcome.counted, outcome.own)


async def _read(api: Grafana, stored: Stored) -> tuple[Dashboard, list[str]]:
    """The dashboard with its library panels, and what is to be said of those that are gone."""
    try:
        read = dashboards.read(dict(stored.model))
        models: dict[str, Any] = {}
        for name in dashboards.libraries(read):
            found = await api.library(name)
            if found is not None:
                models[name] = found
        gone = [panel for panel in read.panels if panel.library and panel.library not in models]
        lost = [
            f"the panel {panel.name!r} is of the library, and {panel.library} is not there" for panel in gone
        ]
        return dashboards.read(dict(stored.model), models), lost
    except ValueError as error:
        raise InconclusiveError(
            f"the dashboard cannot be read: {error}", hint="save it in Grafana's classic form"
        ) from error


def _about(stored: Stored, read: Dashboard, copy: dict[str, Any] | None) -> list[str]:
    """What is to be said of the dashboard itself."""
    found = [slow] if (slow := slow_refresh(read.refresh)) else []
    if copy is None:
        return [*found, "nobody can say whether it was changed: name the repository's file as `copy`"]
    changed = drift.differences(dict(stored.model), copy)
    return found if not changed else [*found, f"it is not the repository's copy: {'; '.join(changed)}"]


def _vouched(wanted: Wanted, stored: Stored, copy: dict[str, Any] | None, grafana: System) -> list[str]:
    """Why the meaning of this version's figures is not vouched for, where that is needed."""
    if wanted.kind != "business" and not wanted.confirmed:
        return []
    now = drift.fingerprint(dict(stored.model))
    path, called = grafana.folder / wanted.confirmed, wanted.confirmed
    given = confirmations(path, called, now, grafana.vouch) if called else []
    problem = unconfirmed(given, now, wanted.owner)
    if problem and copy is not None and any(one.word.sha256 == drift.fingerprint(copy) for one in given):
        changed = "; ".join(drift.differences(dict(stored.model), copy))
        return [f"{problem}; since the version that was confirmed: {changed}"]
    return [problem] if problem else []


def _counts(shown: Sequence[Shown]) -> dict[str, JsonValue]:
    """By panel: its rows and newest figure, or why it failed; panels of one name are told apart by their ids."""
    found: dict[str, JsonValue] = {}
    for one in shown:
        name = one.panel.name
        if name in found:
            name = f"{name} #{one.panel.number}"
        counted: dict[str, JsonValue] = {"rows": one.rows}
        if one.newest is not None:
            counted["newest"] = one.newest
        if one.error:
            counted["error"] = one.error[:200]
        found[name] = counted
    return found


def _observation(found: Sequence[_Seen], version: str, side: str) -> Observation:
    names = [_called(seen, found) for seen in found]

    def told(name: str, words: str) -> str:
        return f"{name}: {words}" if len(names) > 1 else words

    each = [*zip(names, found, strict=True)]
    problems: list[JsonValue] = [told(name, one) for name, seen in each for one in seen.problems]
    remarks = tuple(told(name, one) for name, seen in each for one in seen.remarks)
    full, counted = sum(seen.full for seen in found), sum(seen.counted for seen in found)
    own = sum(seen.own for seen in found)
    which = f", {own} of them that of {side}" if side else ""
    fact = f"{full} of {counted} panels of {', '.join(names)} show data{which}"
    material: dict[str, JsonValue] = {
        name: {"uid": seen.evidence["uid"], "sha256": seen.evidence.get("sha256")} for name, seen in each
    }
    evidence: dict[str, JsonValue] = {name: dict(seen.evidence) for name, seen in each}
    facts: dict[str, JsonValue] = {"grafana": version, "panels": counted, "full": full}
    return Observation(problems, {**facts, "dashboards": evidence}, {"dashboards": material}, remarks, fact)


def _called(seen: _Seen, among: Sequence[_Seen]) -> str:
    """A dashboard's title; with its uid where another one has the same."""
    same = sum(other.name == seen.name for other in among)
    return seen.name if same == 1 else f"{seen.name} ({seen.evidence['uid']})"

"""Grafana: whether a dashboard is there, is the repository's, and shows data in every panel that matters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from tminus.domain import dashboard as dashboards
from tminus.domain import drift, expectation
from tminus.domain.canonical import JsonValue
from tminus.domain.dashboard import Dashboard
from tminus.domain.evidence import Observation
from tminus.domain.shown import Shown, judged, slow_refresh
from tminus.domain.value import ValueKind
from tminus.errors import InconclusiveError
from tminus.grafana.api import Grafana, Stored, asking
from tminus.grafana.finding import Wanted, copied, uid_of
from tminus.grafana.showing import Narrow, Showing
from tminus.probes import Probe


@dataclass(frozen=True, slots=True)
class System:
    """One Grafana, and the dashboards that the lines of a plan name."""

    address: str = field(repr=False)
    """`https://:TOKEN@host/path`, the token that of a service account."""
    named: tuple[Wanted, ...] = ()
    """The dashboards of the lines that name a kind: what a line without one looks at."""
    folder: Path = field(default_factory=Path)
    """What the paths of copies begin at: the checkout that tminus is started in."""


@dataclass(frozen=True, slots=True)
class _Look:
    """How a line looks at dashboards."""

    filled: float
    minutes: int
    narrow: Narrow | None
    confirmed: str
    imported: bool
    """Whether the dashboard itself is looked at too, and not its data alone."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of one dashboard."""

    name: str
    problems: Sequence[str]
    remarks: Sequence[str] = ()
    evidence: Mapping[str, JsonValue] = field(default_factory=dict)
    full: int = 0
    counted: int = 0
    narrowed: int = 0
    """How many panels were narrowed to the side."""


@Probe
async def dashboard(  # noqa: PLR0913 - what a plan may say
    grafana: System,
    *,
    kind: Literal["", "application", "infrastructure", "security", "business"] = "",
    panels: list[str] | None = None,
    filled: str = "95%",
    uid: str = "",
    title: str = "",
    copy: str = "",
    confirmed: str = "",
    side: str = "",
    label: str = "side",
    minutes: int = 15,
) -> Annotated[Observation, ValueKind.FINDINGS]:
    """What is wrong with a dashboard: missing, its data sources ill, panels empty that must show something.

    It is found by its `uid`, by that of its `copy` (the repository's file), or by its `title`, else by its kind's name
    in a title. Every panel is asked what it shows of the last `minutes`, the variables as they are when it is opened;
    `filled` of them must show data, and for each of `panels` one at least. Panels of rare events may be empty, then
    they are remarked upon. So is a dashboard that is not as its copy, or never asks anew. `confirmed` is the sha256 of
    the version whose meaning its owner has confirmed; a business dashboard needs that.

    With a `side` queries are narrowed to its `label`, and what does not depend on data is left out. Without a kind, a
    uid, a title and a copy, each dashboard is looked at that the plan's other lines name.
    """
    look = _Look(_share(filled), minutes, Narrow(label, side) if side else None, confirmed, imported=not side)
    one = Wanted(kind, tuple(panels or ()), uid, title, copy)
    alone = bool(kind or uid or title or copy)
    wanted = (one,) if alone else grafana.named
    if not wanted:
        raise InconclusiveError(
            "no line of the plan names a dashboard",
            hint="write `kind`, `uid`, `title` or `copy` under `with` of this line or another",
        )
    async with asking(grafana.address) as api:
        version = await api.version()
        found = [await _seen(api, each, grafana.folder, look) for each in wanted]
    if look.narrow and not any(each.narrowed for each in found) and not any(each.problems for each in found):
        raise InconclusiveError(
            f"no panel tells one side from another: no metric of them has the label {label}",
            hint="let Prometheus give each side's targets a label of their own, and name it as `label`",
        )
    return _observation(found, version, side)


def _share(filled: str) -> float:
    """The share of panels that must show data; raises `InconclusiveError` for a text that is none."""
    try:
        limit = expectation.parse(f">= {filled}").limit
    except ValueError as error:
        raise InconclusiveError(f"filled: {error}", hint="write a share such as 95%") from error
    if not isinstance(limit, float) or not 0 < limit <= 1:
        raise InconclusiveError(f"filled is {filled!r}, which is no share", hint="write a share such as 95%")
    return limit


async def _seen(api: Grafana, wanted: Wanted, folder: Path, look: _Look) -> _Seen:
    copy = copied(wanted, folder)
    uid = await uid_of(api, wanted, copy)
    stored = await api.dashboard(uid) if uid else None
    if stored is None:
        which = (
            f"no dashboard has the uid {uid}"
            if uid
            else f"no dashboard's title holds {wanted.title or wanted.kind!r}"
        )
        return _Seen(wanted.words, [f"{wanted.words} is missing: {which}"], evidence={"uid": uid})
    read, lost = await _read(api, stored)
    if not read.shown:
        raise InconclusiveError(
            f"the dashboard {read.title!r} holds no panel that asks anything",
            hint="see whether the right file was imported; a dashboard of texts shows nothing",
        )
    showing = Showing(api, read, look.minutes, look.narrow)
    shown = await showing.panels()
    problems = [f"the library panel {name} is gone" for name in lost]
    problems += [
        f"the data source {name} is ill: {why}" for name, why in (await showing.ill()).items() if why
    ]
    outcome = judged(shown, wanted.required, look.filled)
    problems += outcome.problems
    remarks = list(outcome.remarks)
    if look.imported:
        remarks += _about(stored, read, copy)
        problems += _unconfirmed(wanted, stored, look.confirmed)
    evidence: dict[str, JsonValue] = {
        "uid": read.uid,
        "title": read.title,
        "version": stored.version,
        "sha256": drift.fingerprint(dict(stored.model)),
        "panels": _counts(shown),
    }
    narrowed = sum(one.narrowed for one in shown)
    return _Seen(read.title, problems, remarks, evidence, outcome.full, outcome.counted, narrowed)


async def _read(api: Grafana, stored: Stored) -> tuple[Dashboard, list[str]]:
    """The dashboard with its library panels, and the uids of those that are gone."""
    try:
        read = dashboards.read(dict(stored.model))
        models: dict[str, Any] = {}
        for name in dashboards.libraries(read):
            found = await api.library(name)
            if found is not None:
                models[name] = found
        gone = [name for name in dashboards.libraries(read) if name not in models]
        return dashboards.read(dict(stored.model), models), gone
    except ValueError as error:
        raise InconclusiveError(
            f"the dashboard cannot be read: {error}", hint="save it in Grafana's classic form"
        ) from error


def _about(stored: Stored, read: Dashboard, copy: dict[str, Any] | None) -> list[str]:
    """What is to be said of the dashboard itself."""
    found = [slow] if (slow := slow_refresh(read.refresh)) else []
    if copy is None:
        return [*found, "nobody can say whether it was changed by hand: name the repository's file as `copy`"]
    changed = drift.differences(dict(stored.model), copy)
    return found if not changed else [*found, f"it is not the repository's copy: {'; '.join(changed)}"]


def _unconfirmed(wanted: Wanted, stored: Stored, confirmed: str) -> list[str]:
    """Whether the meaning of this version's figures is vouched for, where that is needed."""
    now = drift.fingerprint(dict(stored.model))
    given = confirmed.removeprefix("sha256:").lower()
    if given == now or not (given or wanted.kind == "business"):
        return []
    was = f"{given[:12]}… was confirmed" if given else "nobody has confirmed any version"
    return [f"what the figures of this version mean is not confirmed: it is sha256 {now}, and {was}"]


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
    several = len(found) > 1

    def told(seen: _Seen, words: str) -> str:
        return f"{seen.name}: {words}" if several else words

    problems: list[JsonValue] = [told(seen, one) for seen in found for one in seen.problems]
    remarks = tuple(told(seen, one) for seen in found for one in seen.remarks)
    full, counted = sum(seen.full for seen in found), sum(seen.counted for seen in found)
    of = f"{side}'s data" if side else "data"
    names = ", ".join(seen.name for seen in found)
    fact = f"{full} of {counted} panels of {names} show {of}"
    material: dict[str, JsonValue] = {
        seen.name: {"uid": seen.evidence["uid"], "sha256": seen.evidence.get("sha256")} for seen in found
    }
    evidence: dict[str, JsonValue] = {seen.name: dict(seen.evidence) for seen in found}
    seen_all: dict[str, JsonValue] = {
        "grafana": version,
        "panels": counted,
        "filled": full,
        "dashboards": evidence,
    }
    return Observation(problems, seen_all, {"dashboards": material}, remarks, fact)

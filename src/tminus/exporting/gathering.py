"""A plan, and what the record of a launch says of it, as one content to export."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from tminus.domain.evidence import Claim, Source, Verdict
from tminus.exporting.content import (
    Content,
    LaunchFacts,
    Line,
    PlanFacts,
    Role,
    Seen,
    Signed,
    Standing,
    Waived,
)
from tminus.exporting.recorded import Recorded, rows, table
from tminus.planfile import freshness
from tminus.planfile.document import Document, LineEntry, OmittedLine

_ATTESTING = frozenset({Source.PERSON.value, Source.SIMULATED.value})
_KNOWN = frozenset(verdict.value for verdict in Verdict if verdict.known)
_SOURCES = {Source.ROLLUP.value: "roll-up", Source.PERSON.value: "person", Source.SIMULATED.value: "person"}


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan's document and what identifies it."""

    document: Document
    digest: str
    to_fill: tuple[str, ...] = ()


def of_plan(plan: Planned) -> Content:
    """What a plan says before any launch: every line, none with a standing."""
    document = plan.document
    return Content(
        plan=_plan_facts(plan),
        launch=None,
        lines=tuple(_line(section, entry, None) for section, entry in _entries(document)),
        omitted=tuple(_omitted(document)),
        roles=tuple(_roles(document)),
        systems={name: "real" if entry.real else "stand-in" for name, entry in document.systems.items()},
        to_fill=plan.to_fill,
    )


def of_launch(record: Recorded, name: str, plan: Planned | None) -> Content:
    """What a launch's record says, with the plan's sections and texts where the plan is at hand."""
    told, hastened = _Launched(record), _hastened(record)
    lines = (
        tuple(
            _line(section, entry, told)
            for section, entry in _entries(plan.document)
            if entry.id not in hastened
        )
        if plan
        else tuple(_unplanned(record))
    )
    return Content(
        plan=_plan_facts(plan) if plan else _recorded_plan(record),
        launch=_launch_facts(record, name),
        lines=lines,
        omitted=(*_omitted(plan.document), *_left_out(plan.document, hastened))
        if plan
        else tuple(_recorded_omitted(record)),
        signatures=record.signatures,
        decision=record.decision,
        roles=tuple(_roles(plan.document)) if plan else tuple(_recorded_roles(record)),
        systems=record.report.systems,
        course=record.course,
    )


class _Launched:
    """What a record says about a plan's lines."""

    def __init__(self, record: Recorded) -> None:
        self._record = record
        self._signed = {signed.role: signed for signed in record.signatures}

    def seen(self, entry: LineEntry) -> Seen | None:
        """The newest entry about this line; for a signature, the sign-off."""
        if entry.sign and (signed := self._signed.get(entry.sign)):
            return _as_seen(signed)
        return self._record.seen.get(entry.id)

    def waived(self, entry: LineEntry) -> Waived | None:
        """The waiver that stood when it was decided."""
        return self._record.waived.get(entry.id)

    def standing(self, entry: LineEntry) -> Standing:
        """How it stood when the launch ended; a waiver never hides a line that is green by itself."""
        stands = _standing(entry, self.seen(entry))
        return Standing.WAIVED if not stands.green and self.waived(entry) else stands


def _standing(entry: LineEntry, seen: Seen | None) -> Standing:
    if seen is None:
        return Standing.PENDING
    if entry.sign:
        return Standing.SIGNED if seen.verdict == "go" else Standing.NO_GO
    if _missed_its_time(entry, seen):
        return Standing.STALE
    return _of_verdict(seen)


def _of_verdict(seen: Seen) -> Standing:
    if seen.verdict == "not-applicable":
        return Standing.NOT_APPLICABLE
    if seen.verdict not in _KNOWN:
        return Standing.UNKNOWN
    if seen.verdict == Verdict.PASSED and seen.source in _ATTESTING:
        return Standing.ATTESTED
    return Standing(seen.verdict)


def _missed_its_time(entry: LineEntry, seen: Seen) -> bool:
    """Whether an act lies outside the stretch of the launch clock in which it had to happen.

    How old a live observation may be is judged at GO by the gate, and again by verification; the end of a launch
    makes none of them stale.
    """
    fresh = freshness(entry.fresh)
    if fresh.kind != "event" or seen.t_ms is None:
        return False
    claim = Claim(entry.id, Verdict.PASSED, "", Source.PROBE, at=0.0, t=seen.t_ms / 1000)
    return fresh.stale(claim, 0.0)


def _as_seen(signed: Signed) -> Seen:
    return Seen(
        entry=signed.entry,
        number=signed.number,
        at=signed.at,
        t_ms=None,
        age_seconds=signed.age_seconds,
        verdict=signed.decision,
        source="signature",
        why=signed.note,
        by=signed.person,
        simulated=signed.simulated,
    )


def _line(section: str, entry: LineEntry, told: _Launched | None) -> Line:
    return Line(
        id=entry.id,
        text=entry.line,
        section=section,
        standing=told.standing(entry) if told else None,
        due=entry.due,
        owner=entry.owner,
        severity=entry.severity.value,
        how=_how(entry),
        expect=entry.expect,
        reason=entry.not_applicable,
        source_line=entry.source_line,
        signer=entry.sign,
        seen=told.seen(entry) if told else None,
        waived=told.waived(entry) if told else None,
    )


def _how(entry: LineEntry) -> str:
    if entry.probe:
        return entry.probe
    for name, word in (
        ("step", "step"),
        ("of", "roll-up"),
        ("sign", "signature"),
        ("not_applicable", "plan"),
    ):
        if getattr(entry, name):
            return word
    return "person"


def _entries(document: Document) -> Iterator[tuple[str, LineEntry]]:
    for section, entries in document.checks.items():
        for entry in entries:
            yield section, entry


def _omitted(document: Document) -> Iterator[Line]:
    for omission in document.omitted:
        for entry in omission.lines:
            if isinstance(entry, OmittedLine):
                yield Line(
                    id=entry.id,
                    text=entry.line,
                    section=entry.section,
                    standing=Standing.OMITTED,
                    due=entry.due,
                    owner=entry.owner,
                    severity=entry.severity.value,
                    how=entry.probe or ("roll-up" if entry.of else "person"),
                    expect=entry.expect,
                    reason=omission.reason,
                    source_line=entry.source_line,
                )
            else:
                yield Line(entry, entry, "", Standing.OMITTED, reason=omission.reason)


def _hastened(record: Recorded) -> Mapping[str, str]:
    """By the lines that an expedited launch left out: why."""
    path = record.opened.data.get("expedited")
    return (
        {str(row["check"]): str(row["reason"]) for row in rows(path, "left_out")}
        if isinstance(path, Mapping)
        else {}
    )


def _left_out(document: Document, hastened: Mapping[str, str]) -> Iterator[Line]:
    """Those lines as the plan has them."""
    for section, entry in _entries(document):
        if entry.id in hastened:
            line = _line(section, entry, None)
            yield replace(line, standing=Standing.OMITTED, reason=hastened[entry.id])


def _roles(document: Document) -> Iterator[Role]:
    for role in document.roles:
        duties = [name for name in ("signs", "decides") if getattr(role, name)]
        yield Role(role.id, role.title, role.person, role.simulated, tuple(duties))


def _plan_facts(plan: Planned) -> PlanFacts:
    document = plan.document
    omitted = sum(len(omission.lines) for omission in document.omitted)
    lines = sum(len(entries) for entries in document.checks.values())
    source = {"path": document.source.path, "sha256": document.source.sha256} if document.source else {}
    return PlanFacts(document.plan, plan.digest, document.production, lines + omitted, source)


def _launch_facts(record: Recorded, name: str) -> LaunchFacts:
    report, data, end = record.report, record.opened.data, record.ended.data
    schedule = table(data, "schedule")
    return LaunchFacts(
        launch=report.launch,
        outcome=report.outcome,
        record=name,
        head=report.head,
        events=report.events,
        trusted=report.trusted,
        opened_at=report.opened_at,
        ended_at=report.ended_at,
        t0=str(schedule.get("t0", "")),
        speed=float(str(schedule.get("speed", 1))),
        release=report.release,
        previous={key: str(value) for key, value in table(data, "previous").items()},
        rule=str(end.get("rule", "")),
        text=str(end.get("text", "")),
        requests=_count(end, "requests"),
        failed=_count(end, "failed"),
        notes=report.notes,
    )


def _count(data: Mapping[str, object], name: str) -> int | None:
    value = data.get(name)
    return value if isinstance(value, int) else None


def _recorded_plan(record: Recorded) -> PlanFacts:
    plan = table(record.opened.data, "plan")
    name = str(plan.get("name", "")) or "a plan that is not at hand"
    return PlanFacts(name, str(plan["digest"]), record.report.production, record.report.lines)


def _recorded_roles(record: Recorded) -> Iterator[Role]:
    for row in rows(record.opened.data, "roles"):
        name, title, person = (str(row.get(field, "")) for field in ("role", "title", "person"))
        yield Role(name, title, person, row.get("simulated") is True)


def _unplanned(record: Recorded) -> Iterator[Line]:
    """Every line that the record names: those that GO judges, then what else was observed."""
    required = {str(row["check"]): row for row in rows(record.opened.data, "required")}
    for check in [*required, *(name for name in record.seen if name not in required)]:
        seen = record.seen.get(check)
        stands = _of_verdict(seen) if seen else Standing.PENDING
        waived = record.waived.get(check)
        yield Line(
            id=check,
            text=record.texts.get(check, check),
            section="",
            standing=Standing.WAIVED if waived and not stands.green else stands,
            severity=str(required.get(check, {}).get("severity", "")),
            how=_SOURCES.get(seen.source, seen.source) if seen else "",
            seen=seen,
            waived=waived,
        )


def _recorded_omitted(record: Recorded) -> Iterator[Line]:
    for row in rows(record.opened.data, "omitted"):
        name = str(row.get("check", ""))
        yield Line(name, name, "", Standing.OMITTED, reason=str(row.get("reason", "")))

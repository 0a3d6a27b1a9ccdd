"""What a launch's record says about each line, each signature and the course of the launch.

A record is verified before a word of it is read: what it proves is `domain.verification`'s word, what it tells is read
here. `gathering` puts it beside the plan.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tminus.domain.canonical import instant
from tminus.domain.course import TOLD
from tminus.domain.record import ENDED, Event, read
from tminus.domain.report import Report, Signature
from tminus.domain.trust import TrustRoot
from tminus.domain.verification import verify
from tminus.errors import RecordError
from tminus.exporting.content import Moment, Seen, Signed, Waived
from tminus.signing import open_envelope

_CLAIMS = ("check.observed", "check.attested")


@dataclass(frozen=True, slots=True)
class Recorded:
    """A launch as its record tells it."""

    report: Report
    opened: Event
    ended: Event
    seen: Mapping[str, Seen]
    texts: Mapping[str, str]
    """The words of every line that was observed."""
    waived: Mapping[str, Waived]
    """Waivers that stood when GO or NO-GO was decided, or at the end when nobody decided."""
    signatures: tuple[Signed, ...]
    decision: Signed | None
    course: tuple[Moment, ...]


def recorded(name: str, data: bytes, trust: TrustRoot | None) -> Recorded:
    """The launch that this record proves; raises `RecordError` naming the file and the line that does not hold."""
    try:
        report = verify([data], open_envelope, trust)
    except RecordError as error:
        raise RecordError(f"{name}: {error}", hint=error.hint) from error
    events = list(read([data]))
    ended = next(event for event in events if event.type == ENDED)
    decided = _last(events, "decision.made")
    titles = {str(row.get("role")): str(row.get("title")) for row in rows(events[0].data, "roles")}
    return Recorded(
        report=report,
        opened=events[0],
        ended=ended,
        seen={str(event.data["check"]): _seen(event, ended) for event in events if event.type in _CLAIMS},
        texts={
            str(event.data["check"]): str(event.data["text"])
            for event in events
            if event.type in _CLAIMS and "text" in event.data
        },
        waived=_waived(events, (decided or ended).at),
        signatures=tuple(_signed(vote, _vote(events, vote), ended, titles) for vote in report.sign_offs),
        decision=_signed(report.decision, decided, ended, titles) if report.decision and decided else None,
        course=tuple(_course(events)),
    )


def rows(data: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """The objects in a list of the record that no rule judges and that may be missing."""
    value = data.get(name)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def table(data: Mapping[str, object], name: str) -> Mapping[str, object]:
    """An object of the record that may be missing."""
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _said(why: str, by: str) -> str:
    """A word without the name of who gave it, which stands in a column of its own."""
    short = why.removeprefix(f"{by}: ")
    return short.removeprefix(f"{by} ") if short.startswith(f"{by} of ") else short


def _seen(event: Event, ended: Event) -> Seen:
    data = event.data
    source = str(data["source"])
    by = str(data.get("by") or table(data, "seen").get("person") or "")
    return Seen(
        entry=event.digest,
        number=event.line,
        at=event.at,
        t_ms=event.t_ms,
        age_seconds=round(instant(ended.at) - instant(event.at), 3),
        verdict=str(data["verdict"]),
        source=source,
        why=_said(str(data.get("why", "")), by),
        by=by,
        simulated=source == "simulated",
        value=data.get("value"),
        expect=str(data.get("expect", "")),
    )


def _waived(events: Sequence[Event], moment: str) -> dict[str, Waived]:
    found: dict[str, Waived] = {}
    for event in events:
        if event.type == "check.waived" and instant(str(event.data["until"])) > instant(moment):
            words = {name: str(event.data[name]) for name in ("by", "because", "until")}
            found[str(event.data["check"])] = Waived(entry=event.digest, **words)
        elif event.type == "waiver.ended":
            found.pop(str(event.data["check"]), None)
    return found


def _last(events: Sequence[Event], kind: str) -> Event | None:
    return next((event for event in reversed(events) if event.type == kind), None)


def _vote(events: Sequence[Event], vote: Signature) -> Event:
    """The entry of a signature that the report names, so it is there."""
    wanted = (vote.role, vote.person)
    return next(
        event
        for event in reversed(events)
        if event.type == "signoff.given" and (event.data["role"], event.data["person"]) == wanted
    )


def _signed(vote: Signature, event: Event, ended: Event, titles: Mapping[str, str]) -> Signed:
    predicate = table(open_envelope(event.data["envelope"]).statement, "predicate")
    return Signed(
        role=vote.role,
        title=titles.get(vote.role, vote.role),
        person=vote.person,
        decision=vote.decision,
        at=vote.at,
        note=vote.note,
        simulated=vote.simulated,
        entry=event.digest,
        number=event.line,
        age_seconds=round(instant(ended.at) - instant(event.at), 3),
        keyid=vote.keyid,
        new_t0=str(predicate.get("new_t0") or ""),
    )


def _course(events: Sequence[Event]) -> Iterator[Moment]:
    for event in events:
        if what := _told(event):
            kind = event.type.replace(".", " ").replace("-", " ")
            yield Moment(event.t_ms, event.at, kind, what, event.digest)


def _told(event: Event) -> str:
    """One sentence about an event that is about the launch itself; nothing for one about a single line."""
    data = event.data
    if event.type == TOLD:
        roles = data.get("roles")
        whom = ", ".join(map(str, roles)) if isinstance(roles, list) else data.get("to")
        return f"{whom} told by {data.get('channel', 'nobody yet')} ({data.get('notice')})"
    if event.type in _SENTENCES:
        if event.type == "rollback.seen" and (why := data.get("unseen")):
            return f"not seen in traffic: {why}"
        return _SENTENCES[event.type].format_map(_Words(data))
    if event.type == "traffic.seen" and (share := table(data, "share")):
        seen = f"{share.get('green')} of {share.get('total')} requests seen on green"
        return f"weight {share.get('set')} %: {seen}, guard says {data.get('action')}"
    if event.type == "gate.judged":
        late = ", ".join(str(row.get("check")) for row in rows(data, "late"))
        return f"gate {data.get('milestone')}: {data.get('judged')} lines judged, " + (
            f"closed by {late}" if late else "open"
        )
    return ""


_SENTENCES = {
    "launch.opened": "launch opened",
    "milestone.reached": "{milestone} reached, {lines} lines fall due",
    "launch.rescheduled": "{by} gave it another date: {reason}; every sign-off is void",
    "clock.held": "{by} stopped the clock: {reason}",
    "clock.resumed": "{by} let the clock run again: {reason}; T-0 is {t0}",
    "notice.raised": "{to} is to be told ({notice})",
    "notice.undelivered": "{roles} could not be told by {channel} ({notice}): {why}",
    "notice.unaddressed": "some roles cannot be told anything",
    "waiver.requested": "{by} asks that {check} may stand: {because}",
    "check.waived": "{check} waived by {by} until {until}: {because}",
    "warning.acknowledged": "{by} acknowledged that {check} is warned: {because}",
    "role.delegated": "{by} named {to} for {role}: {because}",
    "waiver.ended": "the waiver of {check} ended",
    "poll.opened": "poll opened over evidence {root}",
    "signoff.given": "{person} signed for {role}",
    "poll.renewed": "the evidence is by now {root}",
    "signoff.voided": "the word of {person} for {role} no longer stands",
    "decision.proposed": "no GO holds; the launch waits for a new date",
    "decision.made": "{by} decided {decision}: {reason}",
    "step.done": "{step} done",
    "launch.held": "held: {text}",
    "order.taken": "{text}",
    "rollback.told": "what rolls back by hand, without tminus: {by_hand}",
    "rollback.done": "{text}",
    "change.made": "{change} was {was} and is {is}",
    "change.undone": "{change} is {is} again",
    "rollback.seen": "traffic seen back on blue after {seconds} s",
    "rollback.data": "{text}",
    "rollback.proved": "blue serves as before: {as_before}",
    ENDED: "launch ended: {outcome}",
}
"""By type of event: what is told of it, with the fields of its data."""


class _Words(dict[str, object]):
    """The fields of an event; one that is missing reads as a dash."""

    def __missing__(self, name: str) -> str:
        return "-"

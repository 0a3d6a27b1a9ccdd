"""The event log: how each event of the record reads in one line."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from tminus.domain.expedition import EXPEDITED
from tminus.domain.metered import MEASURED
from tminus.domain.record import ENDED, OPENED, Event
from tminus.domain.traffic import drained
from tminus.picture.course import Data
from tminus.picture.words import brief, claim, short_digests, t_text

_VERDICT = {"inconclusive": "unknown", "error": "unknown", "not-applicable": "na"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log."""

    seq: int
    t: str
    sign: str
    """The name of its sign and colour; empty for an event that is no verdict."""
    word: str
    text: str


def entries(events: Sequence[Event], most: int | None = None) -> list[Entry]:
    """The log of these events, newest first, at most so many; what people need not see makes no line."""
    made = (entry for event in reversed(events) if (entry := _entry(event)))
    return list(islice(made, most))


def _entry(event: Event) -> Entry | None:
    writer = _WRITERS.get(event.type)
    told = writer(event.data) if writer else None
    if told is None:
        return None
    t = t_text(event.t_ms / 1000) if event.t_ms is not None else ""
    sign, word, text = told
    text = claim(text)
    return Entry(event.seq, t.replace("T", "", 1), sign, word, short_digests(text))


Told = tuple[str, str, str] | None


def _opened(data: Data) -> Told:
    plan = data["plan"]
    return "", "opened", f"{data['launch']}, plan {plan.get('name', '')} {brief(str(plan['digest']))}"


def _milestone(data: Data) -> Told:
    return "", "milestone", f"{data['milestone']}: {data['lines']} lines are due"


def _observed(data: Data) -> Told:
    stands = str(data["verdict"])
    sign = _VERDICT.get(stands, stands)
    if data.get("source") in {"simulated", "person"} and stands == "passed":
        sign = "attested"
    return sign, "n/a" if sign == "na" else sign, f"{data['check']}: {claim(str(data.get('why', '')))}"


def _gate(data: Data) -> Told:
    if data["open"]:
        return None
    late = ", ".join(str(row["check"]) for row in data["late"])
    return "failed", "gate", f"{data['milestone']} stays closed: {late}"


def _act(data: Data) -> Told:
    failed = data.get("failed")
    return ("failed", "failed", f"{data['act']}: {failed}") if failed else ("", "done", f"{data['act']}")


def _poll(data: Data) -> Told:
    return "", "poll", f"opened over the evidence {brief(str(data['root']))}"


def _signed(data: Data) -> Told:
    go = data["decision"] == "go"
    by = "simulated, " if data.get("simulated") else ""
    return (
        "go" if go else "failed",
        "GO" if go else "NO-GO",
        f"{data.get('title', data['role'])} ({by}{data['person']}): {data.get('note', '')}",
    )


def _voided(data: Data) -> Told:
    changed = "; ".join(map(str, data["changes"]))
    return "warned", "void", f"the word of {data['person']} for {data['role']} no longer stands: {changed}"


def _requested(data: Data) -> Told:
    return "warned", "waiver?", f"{data['check']}: {data['by']} asks to let it stand: {data['because']}"


def _waived(data: Data) -> Told:
    by = f"{data['by']}, approved by {data['approved_by']}"
    return "warned", "waived", f"{data['check']} until {data['until']} by {by}: {data['because']}"


def _acknowledged(data: Data) -> Told:
    return "warned", "acknowledged", f"{data['check']} by {data['by']}: {data['because']}"


def _delegated(data: Data) -> Told:
    return "", "delegated", f"{data['role']} by {data['by']} to {data['to']}: {data['because']}"


def _decided(data: Data) -> Told:
    go = data["decision"] == "go"
    return "go" if go else "failed", "GO" if go else "NO-GO", f"{data['by']}: {data['reason']}"


def _proposed(data: Data) -> Told:
    return "failed", "no GO", f"signed by nobody: {'; '.join(map(str, data['reasons']))}"


def _asked(data: Data) -> Told:
    return "wait", "asked", f"GO or NO-GO, within {data['minutes']} minutes"


def _started(data: Data) -> Told:
    return "", "begins", str(data["step"])


def _done(data: Data) -> Told:
    step = str(data["step"])
    if "read_back" in data and "set" in data:
        return "", "shift", f"green {data['set']} %: set, read back {data['read_back']} %"
    return "", "done", f"{step} in {data['seconds']:.1f} s"


def _seen(data: Data) -> Told:
    share = data.get("share")
    if data["action"] == "continue" and share and share["total"]:
        green = 100 * share["green"] / share["total"]
        return "", "seen", f"{data['where']}: green {green:.1f} % of {share['total']:,} requests"
    if data["action"] == "continue":
        return "", "seen", f"{data['where']}: nothing to hold for"
    return ("failed", "guard", str(data["text"])) if data["action"] == "rollback" else None


def _measured(data: Data) -> Told:
    words = [f"{row['metric']} {row['verdict']} after {row['taken']}" for row in data["metrics"]]
    bad = any(row["verdict"] not in {"passed", "running"} for row in data["metrics"])
    return "warned" if bad else "passed", "metrics", f"{data['stage']}: {', '.join(words)}"


def _held(data: Data) -> Told:
    return "warned", "held", f"{data['where']} by {data['rule']}: {claim(str(data['text']))}"


def _back_by_hand(data: Data) -> Told:
    return "", "rollback", f"by hand, without tminus: {'; '.join(map(str, data['by_hand']))}"


def _expedited(data: Data) -> Told:
    act = "confirmed that the launch is expedited" if data["confirms"] else "asked for an expedited launch"
    return "warned", "expedited", f"{data['by']} {act}: {data['because']}"


def _ordered(data: Data) -> Told:
    return "", "order", str(data["text"])


def _reported(data: Data) -> Told:
    return "warned", "reported", f"{data['trigger']}: {data['text']}"


def _clock_held(data: Data) -> Told:
    return "warned", "hold", f"{data['by']} stopped the clock: {data['reason']}"


def _clock_resumed(data: Data) -> Told:
    return "", "resumed", f"{data['by']}: {data['reason']}; T-0 is {data['t0']}"


def _rescheduled(data: Data) -> Told:
    return "warned", "new date", f"{data['by']}: {data['reason']}; T-0 is {data['schedule']['t0']}"


def _raised(data: Data) -> Told:
    late = data["notice"] in {"late", "escalated"}
    return "warned" if late else "", str(data["notice"]), f"for {data['to']}: {', '.join(data['checks'])}"


def _noticed(data: Data) -> Told:
    if "roles" not in data:  # as it was written when raising a notice was all there was
        return _raised(data)
    return (
        "",
        "told",
        f"{', '.join(data['roles'])} by {data['channel']} ({data['notice']}): {data['receipt']}",
    )


def _undelivered(data: Data) -> Told:
    whom = f"{', '.join(data['roles'])} by {data['channel']} ({data['notice']})"
    next_ = f"again at {data['again']}" if data["again"] else "given up"
    return "warned", "not told", f"{whom}: {data['why']}; {next_}"


def _unaddressed(data: Data) -> Told:
    lost = ", ".join(f"{row['role']} ({row['why']})" for row in data["roles"])
    return "warned", "not told", f"nobody can tell {lost}"


def _back(data: Data) -> Told:
    return "back", "rolled back", f"green 0 %: set and read back within {data['seconds'] * 1000:.0f} ms"


def _changed(data: Data) -> Told:
    return "passed", "change", f"{data['change']} was {data['was']} and is {data['is']}"


def _changed_back(data: Data) -> Told:
    return "passed", "change", f"{data['change']} is {data['is']} again"


def _back_seen(data: Data) -> Told:
    if why := data.get("unseen"):
        return "warned", "unseen", f"not seen in traffic: {why}"
    return "", "seen", f"{data['blue']} new requests answered by blue, {data['green']} by green"


def _proved(data: Data) -> Told:
    good = data["as_before"] and data["up"] and data["schema_compatible"]
    words = "serves what it served before" if good else "does not serve as before"
    return "passed" if good else "failed", "blue", f"{words}, {data['digest']}"


def _left(data: Data) -> Told:
    return "failed" if data["decide"] else "passed", "data", str(data["text"])


def _stopped(data: Data) -> Told:
    return "", "stopped", f"{data['side']}, {drained(data['sessions'])}"


def _part(sign: str, word: str) -> Callable[[Data], Told]:
    return lambda data: (sign, word, f"part {data['part']}: {data['text']}")


def _ended(data: Data) -> Told:
    counted = f": {data['failed']:,} of {data['requests']:,} requests failed" if "requests" in data else ""
    sign = {"landed": "passed", "no-go": "failed", "rolled-back": "back"}.get(str(data["outcome"]), "void")
    return (
        sign,
        str(data["outcome"]).replace("-", " "),
        f"{claim(str(data.get('text', 'the launch ended')))}{counted}",
    )


_WRITERS: dict[str, Callable[[Data], Told]] = {
    OPENED: _opened,
    "milestone.reached": _milestone,
    "check.observed": _observed,
    "gate.judged": _gate,
    "act.done": _act,
    "poll.opened": _poll,
    "check.attested": _observed,
    "waiver.requested": _requested,
    "check.waived": _waived,
    "warning.acknowledged": _acknowledged,
    "role.delegated": _delegated,
    "signoff.given": _signed,
    "signoff.voided": _voided,
    "decision.made": _decided,
    "decision.proposed": _proposed,
    "decision.asked": _asked,
    "step.started": _started,
    "step.done": _done,
    "traffic.seen": _seen,
    MEASURED: _measured,
    "launch.held": _held,
    "rollback.told": _back_by_hand,
    EXPEDITED: _expedited,
    "order.taken": _ordered,
    "trigger.reported": _reported,
    "clock.held": _clock_held,
    "clock.resumed": _clock_resumed,
    "launch.rescheduled": _rescheduled,
    "notice.raised": _raised,
    "notice.told": _noticed,
    "notice.undelivered": _undelivered,
    "notice.unaddressed": _unaddressed,
    "rollback.done": _back,
    "change.made": _changed,
    "change.undone": _changed_back,
    "rollback.seen": _back_seen,
    "rollback.proved": _proved,
    "rollback.data": _left,
    "side.stopped": _stopped,
    "part.ended": _part("failed", "died"),
    "part.failed": _part("failed", "failed"),
    "part.left": _part("failed", "left"),
    "part.restarted": _part("warned", "restarted"),
    ENDED: _ended,
}

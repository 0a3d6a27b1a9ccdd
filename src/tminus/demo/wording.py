"""How each event of a record reads: mark, style and words of the lines that it makes."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tminus.demo.cast import people
from tminus.domain.judgement import TESTS, times
from tminus.domain.metered import MEASURED
from tminus.domain.record import Event
from tminus.domain.traffic import drained
from tminus.domain.trigger import CORRUPTION

Line = tuple[str, str, str]
"""A mark, its style, and words in rich's markup."""

Data = Mapping[str, Any]

_VERDICTS = {
    "passed": ("✔", "green"),
    "not-applicable": ("∅", "dim"),
    "warned": ("▲", "yellow"),
    "failed": ("✖", "bold red"),
    "inconclusive": ("?", "magenta"),
    "error": ("?", "magenta"),
}
_ACTIONS = {"continue": ("·", "dim"), "hold": ("‖", "bold yellow"), "rollback": ("✖", "bold red")}
_WORDS = {"not-applicable": "n/a", "inconclusive": "unknown", "error": "unknown"}
_DONE, _BAD = ("✔", "green"), ("✖", "bold red")
_HEAD, _NOTE = ("■", "bold"), ("•", "bold")


def wording(event: Event) -> list[Line]:
    """The lines of one event; none for what people need not see."""
    writer = _WRITERS.get(event.type)
    return writer(event.data) if writer else []


def _opened(data: Data) -> list[Line]:
    plan, omitted = data["plan"], len(data["omitted"])
    named = data["systems"].items()
    systems = {kind: [name for name, k in named if k == kind] for kind in ("real", "stand-in")}
    told = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in systems.items() if names)
    notes = [
        f"[bold]launch {data['launch']}[/] of [bold]{_plain(plan['name'])}[/], plan {plan['digest'][:12]}",
        f"{omitted} of {plan['lines']} lines are not in this plan, {plan['lines'] - omitted} are",
        f"systems {told}",
        f"people {_plain(people(data))}",
    ]
    for name, digest in data["release"].items():
        was = data["previous"][name]
        notes.append(f"{name}: sha256:{was[:12]}… serves, sha256:{digest[:12]}… is to be launched")
    notes.append(f"waits run {data['schedule']['speed']:g} times as fast; guard and load do not")
    return [(*_NOTE, note) for note in notes]


def _milestone(data: Data) -> list[Line]:
    due = {0: "no line is due", 1: "1 line is due"}.get(data["lines"], f"{data['lines']} lines are due")
    return [(*_HEAD, f"[bold]{data['milestone']}[/]  {due}")]


def _observed(data: Data) -> list[Line]:
    verdict = str(data["verdict"])
    mark, style = _VERDICTS[verdict]
    word = f"[{style}]{_WORDS.get(verdict, verdict):<8}[/]"
    by = " [dim](simulated person)[/]" if data["source"] == "simulated" else ""
    why = _plain(without_verb(str(data["why"])))
    return [(mark, style, f"{word} {data['check']:<17} {_plain(data['text'])}{by}: [dim]{why}[/]")]


def _gate(data: Data) -> list[Line]:
    if data["open"]:
        return []
    late = ", ".join(f"{row['check']} {row['standing']}" for row in data["late"])
    return [(*_BAD, f"the gate of {data['milestone']} stays closed: {late}")]


def _act(data: Data) -> list[Line]:
    if "failed" in data:
        return [(*_BAD, f"{data['act']} failed: {_plain(data['failed'])}")]
    template = _STEPS.get(data["act"].partition(" ")[0], _facts)
    return [(*_DONE, f"{data['act']}: [dim]{_plain(template(data))}[/]")]


def _poll(data: Data) -> list[Line]:
    signed = f"what is signed is all that was seen of the lines so far, SHA-256 {data['root'][:16]}…"
    return [(*_HEAD, f"[bold]poll[/]  {signed}")]


def _signed(data: Data) -> list[Line]:
    mark, style = _DONE if data["decision"] == "go" else _BAD
    said = f"[{style}]{data['decision'].upper():<8}[/] {data['title']:<17} {_who(data['person'], data)}"
    return [(mark, style, f"{said}: [dim]{_plain(data['note'])}[/]")]


def _acknowledged(data: Data) -> list[Line]:
    who, why = f"{_who(data['by'], data)} as {data['role']}", _plain(data["because"])
    return [(*_DONE, f"acknowledged {data['check']}, which is warned: {who}: [dim]{why}[/]")]


def _decided(data: Data) -> list[Line]:
    style = "bold green" if data["decision"] == "go" else "bold red"
    word = f"[{style}]{data['decision'].upper()}[/]"
    return [("■", style, f"{word}  {_who(data['by'], data)}: {_plain(data['reason'])}")]


def _proposed(data: Data) -> list[Line]:
    why = "; ".join(map(str, data["reasons"]))
    return [("■", "bold red", f"[bold red]NO GO[/]  proposed, signed by nobody: {_plain(why)}")]


def _asked(data: Data) -> list[Line]:
    return [(*_HEAD, f"GO or NO-GO? Your word, within {data['minutes']} minutes")]


def _started(data: Data) -> list[Line]:
    return [("→", "cyan", f"{data['step']} …")]


def _done(data: Data) -> list[Line]:
    template = _STEPS.get(data["step"].partition(" ")[0], _facts)
    return [(*_DONE, f"{data['step']}: [dim]{_plain(template(data))} ({data['seconds']:.1f} s)[/]")]


def _seen(data: Data) -> list[Line]:
    counts = data["gauges"]["counts"]
    tests = ", ".join(
        f"{t['rule']} {_times(t['evidence'])} of {t['threshold']:,.0f}" for t in data["gauges"]["tests"]
    )
    green, blue = counts["green"], counts["blue"]
    figures = (
        f"green {green['requests']:,} requests, {green['failed']} failed, {green['slow']} slow; "
        f"blue {blue['requests']:,}, {blue['failed']} failed"
    )
    share = data.get("share")
    if share and share["total"]:
        figures = f"{_share(share)}; {figures}"
    mark, style = _ACTIONS[data["action"]]
    evidence = f"[dim]evidence {_plain(tests)}[/]"
    return [
        (
            mark,
            style,
            f"{data['where']}: {figures}; {evidence}{_looked(data['gauges'])}{_metered(data['gauges'])}",
        )
    ]


def _looked(gauges: Data) -> str:
    """What the newest look at the data found, with the state of its trigger; nothing where nobody looks."""
    look = gauges.get("data")
    if not look:
        return ""
    state = next((row["state"] for row in gauges["triggers"] if row["trigger"] == CORRUPTION), "")
    total, wrong = look["invariants"], len(look["broken"])
    if look["unseen"]:
        return f"; [magenta]{_plain(look['text'])}[/]"
    if not wrong:
        return f"; [dim]data {state}, {total} invariants hold[/]"
    return f"; [bold red]data {state}, {wrong} of {total} invariants are broken[/]"


def _metered(gauges: Data) -> str:
    """What the team's metrics have come to; nothing where a plan has none."""
    told = ", ".join(
        f"{row['metric']} {row['verdict']} after {row['taken']}" for row in gauges.get("metrics", [])
    )
    return f"; [dim]metrics {_plain(told)}[/]" if told else ""


def _measured(data: Data) -> list[Line]:
    return [(*_DONE, f"metrics of the {data['stage']}{_metered(data)}")]


def _share(share: Data) -> str:
    """Green's share as it was set and seen; an interval of one value, at 100 %, says nothing.

    The interval lies around what was set, not around what was seen.
    """
    seen = f"{share['green'] / share['total']:.2%} seen in {share['total']:,} requests"
    around = f"99 % interval around {share['set']} %: {share['low']:.2%} to {share['high']:.2%}"
    spread = f" ({around})" if share["low"] < share["high"] else ""
    return f"weight {share['set']} % set, {seen}{spread}"


def _held(data: Data) -> list[Line]:
    return [
        (
            "‖",
            "bold yellow",
            f"[bold yellow]HELD[/] {data['where']} by {data['rule']}: {_plain(without_verb(data['text']))}",
        )
    ]


def _ordered(data: Data) -> list[Line]:
    return [(*_HEAD, _plain(data["text"]))]


def _back_by_hand(data: Data) -> list[Line]:
    commands = _plain("; ".join(map(str, data["by_hand"])))
    return [("·", "", f"to roll back by hand, without tminus: {commands}")]


def _clock_held(data: Data) -> list[Line]:
    return [(*_ACTIONS["hold"], f"{_plain(data['by'])} stopped the clock: {_plain(data['reason'])}")]


def _clock_resumed(data: Data) -> list[Line]:
    words = f"{_plain(data['by'])} let the clock run again: {_plain(data['reason'])}; T-0 is {data['t0']}"
    return [(*_HEAD, words)]


def _rescheduled(data: Data) -> list[Line]:
    words = f"{_plain(data['by'])} gave the launch another date: {_plain(data['reason'])}"
    return [(*_HEAD, f"{words}; T-0 is {data['schedule']['t0']}")]


def _noticed(data: Data) -> list[Line]:
    return [(*_NOTE, f"for {_plain(data['to'])} ({data['notice']}): {', '.join(data['checks'])}")]


def _rolled_back(data: Data) -> list[Line]:
    text = str(data["text"]).removeprefix("Roll back ")
    done = f"all traffic to blue, set and read back within {data['seconds'] * 1000:.0f} ms"
    counted = " [dim](counted up to the request that decided)[/]" if data.get("rule") in TESTS else ""
    return [(*_BAD, f"[bold red]ROLLBACK[/] {_plain(text)}{counted}"), (*_DONE, done)]


def _changed(data: Data) -> list[Line]:
    stands = f"was {data['was']} and is {data['is']}" if "was" in data else f"is {data['is']} again"
    return [(*_DONE, _plain(f"{data['change']} {stands}"))]


def _back_seen(data: Data) -> list[Line]:
    if why := data.get("unseen"):
        return [("?", "magenta", _plain(f"not seen in traffic: {why}"))]
    failed = f" ({data['failed']} failed)" if data.get("failed") else ""
    words = f"seen in traffic: {data['blue']} new requests answered by blue{failed}, {data['green']} by green"
    return [(*(_BAD if data.get("failed") else _DONE), f"{words} in {data['seconds']:g} s")]


def _left(data: Data) -> list[Line]:
    return [(*(_BAD if data["decide"] else _DONE), _plain(data["text"]))]


def _stopped(data: Data) -> list[Line]:
    return [(*_DONE, f"{data['side']} {drained(data['sessions'])} and stopped")]


def _proved(data: Data) -> list[Line]:
    good = data["as_before"] and data["up"] and data["schema_compatible"]
    mark, style = _DONE if good else _BAD
    release = "the release from before" if data["as_before"] else "ANOTHER RELEASE THAN BEFORE"
    smoke = "pass" if data["schema_compatible"] else f"FAIL: {'; '.join(data['smoke_failures'])}"
    schema = f"; {_schema(data)}" if "schema" in data else ""
    words = f"blue runs {_short(data['digest'])}, {release}; its smoke tests {smoke}{schema}"
    return [(mark, style, _plain(words))]


def _ended(data: Data) -> list[Line]:
    style = "bold green" if data["outcome"] == "landed" else "bold red"
    words = f"[{style}]{data['outcome'].upper()}[/]"
    if told := [*_why_ended(data), *_how_ended(data)]:
        words += f"  {'; '.join(told)}"
    decide = str(data["data"]["decide"]) if data.get("data") else ""
    left = [(*_BAD, f"[bold red]DATA[/] {_plain(decide)}")] if decide else []
    return [("■", style, words), *left]


def _why_ended(data: Data) -> list[str]:
    """Why it ended early; what fired stands in the line of the rollback already."""
    return [_plain(data["text"])] if data.get("text") and not {"rule", "requests"} <= data.keys() else []


def _how_ended(data: Data) -> list[str]:
    """Where the traffic was when it was stopped, what it cost, and what its way back left."""
    told = [f"green had {data['green_percent']} % of the traffic"] if data.get("green_percent") else []
    if "requests" in data:
        told.append(f"{spent(data)}, until here")
    return told + came_back(data)


def came_back(data: Data) -> list[str]:
    """What a rollback adds to the end: for how long users met bad answers, and what became of the schema."""
    told = []
    if "bad_seconds" in data:
        told.append(f"{data['bad_seconds']:.1f} s from green's first bad answer to all traffic on blue")
    if "schema" in data.get("blue", {}):
        told.append(_schema(data["blue"]))
    return told


def _schema(data: Data) -> str:
    return f"the schema stays at {_plain(str(data['schema']))}"


def spent(data: Data) -> str:
    """What a launch cost its users, as its end says it: what failed, and what was answered late."""
    words = f"{data['failed']:,} of {data['requests']:,} requests through the proxy failed"
    words += _where(data, "failed")
    if "slow" in data:
        words += f", {data['slow']:,} answered later than {data['slow_ms'] / 1000:g} s{_where(data, 'slow')}"
    return words


def _where(data: Data, what: str) -> str:
    """On which side it was; nothing where there is nothing to say."""
    sides = [side for side in ("green", "blue", "neither") if data.get(f"{what}_on_{side}")]
    if len(sides) == 1:
        return f" ({'' if data[what] == 1 else 'all '}on {sides[0]})"
    parts = [f"{int(data[f'{what}_on_{side}']):,} on {side}" for side in sides]
    return f" ({', '.join(parts)})" if parts else ""


def _facts(data: Data) -> str:
    told = {name: value for name, value in data.items() if name not in {"act", "step", "seconds"}}
    return ", ".join(f"{name} {_short(value)}" for name, value in told.items())


def _backup(data: Data) -> str:
    return f"{data['file']}, {data['rows']:,} rows, {data['bytes']:,} bytes, SHA-256 {data['sha256'][:12]}…"


_STEPS: dict[str, Callable[[Data], str]] = {
    "data": lambda data: (
        f"all {data['invariants']} invariants hold before the release has met it"
        + "".join(f"; {name}: {floor:,} at least from now on" for name, floor in data["floors"].items())
    ),
    "initiate": lambda data: f"blue runs {_short(data['blue'])} with all the traffic",
    "back": _backup,
    "migrate": lambda data: (
        f"schema {data['before']} to {data['after']}; the old release passes on the new schema"
    ),
    "green": lambda data: (
        f"runs {_short(data['digest'])}, version {data['version']}, healthy, no traffic yet"
    ),
    "smoke": lambda _: "all smoke tests pass on green's private address",
    "shift": lambda data: f"weight {data['set']} % set, {data['read_back']} % read back",
    "promote": lambda data: f"green has {data['read_back']} % of the traffic",
    "last": lambda data: f"green has {data['weight']} % of the traffic, and the public address answers",
    "end": lambda data: f"blue {drained(data['sessions_when_stopped'])} and stopped",
}
"""By a step's first word: what it did, from what it read back."""


def _who(person: str, data: Data) -> str:
    return _plain(f"{person} (simulated)" if data["simulated"] else person)


def _times(evidence: float) -> str:
    return times(evidence).removesuffix(" times")


def without_verb(text: str) -> str:
    """A decision's sentence behind its verb and rule, for where these stand already."""
    return re.sub(r"^(Roll back|Hold) by \S+: ", "", text)


def _short(value: Any) -> str:
    text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
    return f"{text[:19]}…" if len(text) > 40 else text


def _plain(text: str) -> str:
    """Text in which nothing is markup."""
    return text.replace("[", r"\[")


_WRITERS: dict[str, Callable[[Data], list[Line]]] = {
    "launch.opened": _opened,
    "milestone.reached": _milestone,
    "check.observed": _observed,
    "gate.judged": _gate,
    "act.done": _act,
    "warning.acknowledged": _acknowledged,
    "poll.opened": _poll,
    "signoff.given": _signed,
    "decision.asked": _asked,
    "decision.made": _decided,
    "decision.proposed": _proposed,
    "step.started": _started,
    "step.done": _done,
    "traffic.seen": _seen,
    MEASURED: _measured,
    "launch.held": _held,
    "order.taken": _ordered,
    "clock.held": _clock_held,
    "clock.resumed": _clock_resumed,
    "launch.rescheduled": _rescheduled,
    "notice.raised": _noticed,
    "rollback.told": _back_by_hand,
    "rollback.done": _rolled_back,
    **dict.fromkeys(("change.made", "change.undone"), _changed),
    "rollback.seen": _back_seen,
    "side.stopped": _stopped,
    "rollback.proved": _proved,
    "rollback.data": _left,
    "launch.ended": _ended,
}

"""What people see of a launch in a terminal: one plain line for each thing that happens, with the T-clock in front.

A projection of the record and nothing else: a resumed launch prints the same lines as one that was never interrupted.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from tminus.domain.record import Event
from tminus.domain.timeline import clock

_VERDICTS = {
    "passed": ("✔", "green"),
    "not-applicable": ("∅", "dim"),
    "warned": ("▲", "yellow"),
    "failed": ("✖", "bold red"),
    "inconclusive": ("?", "magenta"),
    "error": ("?", "magenta"),
}
_ACTIONS = {"continue": ("·", "dim"), "hold": ("‖", "bold yellow"), "rollback": ("✖", "bold red")}
_UNKNOWN = {"inconclusive", "error"}


class Screen:
    """Prints a launch as it happens, for people or as JSON lines."""

    def __init__(self, console: Console, *, as_json: bool) -> None:
        self._console = console
        self._as_json = as_json
        self._shares: dict[str, float] = {}

    def say(self, text: str, style: str = "dim") -> None:
        """A line that is not part of the record: what is being set up or taken down."""
        if self._as_json:
            self._raw({"type": "demo.said", "text": text})
        else:
            self._console.print(Text(text, style=style), soft_wrap=True)

    def show(self, event: Event) -> None:
        """One event of the record."""
        if self._as_json:
            fields = ("seq", "at", "t_ms", "type", "key", "data")
            self._raw({name: getattr(event, name) for name in fields})
            return
        writer = _WRITERS.get(event.type)
        for mark, style, words in writer(event.data) if writer else ():
            line = Text.assemble(
                (f"{clock((event.t_ms or 0) / 1000)}  ", "dim"), (f"{mark} ", style), Text.from_markup(words)
            )
            self._console.print(line, soft_wrap=True)

    def last(self, outcome: str, record: str) -> None:
        """The last line of every demo, never wrapped."""
        line = f"outcome={outcome} record={record}"
        if self._as_json:
            self._raw({"type": "demo.ended", "outcome": outcome, "record": record})
            Console(stderr=True, soft_wrap=True, highlight=False).print(line, markup=False)
        else:
            self._console.print(line, markup=False, soft_wrap=True, highlight=False)

    def _raw(self, value: Mapping[str, Any]) -> None:
        self._console.file.write(json.dumps(value, ensure_ascii=False) + "\n")
        self._console.file.flush()


Line = tuple[str, str, str]
Data = Mapping[str, Any]


def _opened(data: Data) -> list[Line]:
    plan = data["plan"]
    in_plan = plan["lines"] - len(data["omitted"])
    real = [name for name, kind in data["systems"].items() if kind == "real"]
    lines = [
        (
            "•",
            "bold",
            f"[bold]launch {data['launch']}[/] of {_bold(plan['name'])}, plan {plan['digest'][:12]}",
        ),
        ("•", "bold", f"{len(data['omitted'])} of {plan['lines']} lines are not in this plan, {in_plan} are"),
        ("•", "bold", f"systems, all real: {', '.join(real)}; the people are simulated"),
    ]
    for name, digest in data["release"].items():
        was = data["previous"][name]
        lines.append(
            ("•", "bold", f"{name}: sha256:{was[:12]}… serves, sha256:{digest[:12]}… is to be launched")
        )
    lines.append(
        ("•", "bold", f"waits run {data['schedule']['speed']:g} times as fast; guard and load do not")
    )
    lines.append(("•", "bold", "to roll back by hand, without tminus:"))
    lines += [("  ", "dim", f"[dim]{_plain(command)}[/]") for command in data["by_hand"]]
    return lines


def _milestone(data: Data) -> list[Line]:
    return [("■", "bold", f"[bold]{data['milestone']}[/]  {data['lines']} lines are due")]


def _observed(data: Data) -> list[Line]:
    verdict = str(data["verdict"])
    mark, style = _VERDICTS[verdict]
    word = "unknown" if verdict in _UNKNOWN else "n/a" if verdict == "not-applicable" else verdict
    by = " [dim](simulated person)[/]" if data["source"] == "simulated" else ""
    why = _plain(str(data["why"]))
    return [
        (mark, style, f"[{style}]{word:<8}[/] {data['check']:<17} {_plain(data['text'])}{by} [dim]{why}[/]")
    ]


def _gate(data: Data) -> list[Line]:
    if data["open"]:
        return []
    late = ", ".join(f"{row['check']} {row['standing']}" for row in data["late"])
    return [("✖", "bold red", f"the gate of {data['milestone']} stays closed: {late}")]


def _act(data: Data) -> list[Line]:
    if "failed" in data:
        return [("✖", "bold red", f"{data['act']} failed: {_plain(data['failed'])}")]
    facts = ", ".join(f"{k} {_short(v)}" for k, v in data.items() if k != "act")
    return [("→", "cyan", f"{data['act']}: [dim]{_plain(facts)}[/]")]


def _poll(data: Data) -> list[Line]:
    return [("■", "bold", f"[bold]poll[/]  over the evidence root {data['root'][:16]}…")]


def _signed(data: Data) -> list[Line]:
    mark, style = ("✔", "green") if data["decision"] == "go" else ("✖", "bold red")
    who = f"{data['person']}{' (simulated)' if data['simulated'] else ''}"
    said = f"[{style}]{data['decision'].upper():<8}[/] {data['title']:<17}"
    return [(mark, style, f"{said} {_plain(who)} [dim]{_plain(data['note'])}[/]")]


def _decided(data: Data) -> list[Line]:
    style = "bold green" if data["decision"] == "go" else "bold red"
    who = f"{data['by']}{' (simulated)' if data['simulated'] else ''}"
    return [("■", style, f"[{style}]{data['decision'].upper()}[/]  {_plain(who)}: {_plain(data['reason'])}")]


def _asked(data: Data) -> list[Line]:
    return [("■", "bold", f"GO or NO-GO? Your word, within {data['minutes']} minutes")]


def _started(data: Data) -> list[Line]:
    return [("→", "cyan", f"{data['step']} …")]


def _done(data: Data) -> list[Line]:
    facts = ", ".join(f"{k} {_short(v)}" for k, v in data.items() if k not in {"step", "seconds"})
    return [("✔", "green", f"{data['step']}: [dim]{_plain(facts)} ({data['seconds']:.1f} s)[/]")]


def _seen(data: Data) -> list[Line]:
    counts = data["gauges"]["counts"]
    tests = "  ".join(f"{t['rule']} {t['evidence']:.2g}/{t['threshold']:g}" for t in data["gauges"]["tests"])
    green, blue = counts["green"], counts["blue"]
    figures = (
        f"green {green['requests']} requests, {green['failed']} failed, {green['slow']} slow; "
        f"blue {blue['requests']}, {blue['failed']} failed"
    )
    share = data.get("share")
    if share and share["total"]:
        observed = share["green"] / share["total"]
        figures += (
            f"; weight {share['set']} % set, {observed:.2%} observed in {share['total']} requests "
            f"(99 %: {share['low']:.2%} to {share['high']:.2%})"
        )
    mark, style = {"continue": ("·", "dim"), "hold": ("‖", "bold yellow"), "rollback": ("✖", "bold red")}[
        data["action"]
    ]
    return [(mark, style, f"{data['where']}: {figures} [dim]{_plain(tests)}[/]")]


def _held(data: Data) -> list[Line]:
    return [
        (
            "‖",
            "bold yellow",
            f"[bold yellow]HELD[/] {data['where']} by {data['rule']}: {_plain(data['text'])}",
        )
    ]


def _ordered(data: Data) -> list[Line]:
    return [("■", "bold", _plain(data["text"]))]


def _rolled_back(data: Data) -> list[Line]:
    words = f"[bold red]ROLLBACK[/] {_plain(data['text'])}"
    return [
        ("✖", "bold red", words),
        ("✔", "green", f"all traffic to blue, set and read back in {data['seconds']:.2f} s"),
    ]


def _back_seen(data: Data) -> list[Line]:
    return [
        (
            "✔",
            "green",
            f"seen in traffic: blue {data['blue']}, green {data['green']} new requests in {data['seconds']} s",
        )
    ]


def _stopped(data: Data) -> list[Line]:
    return [("✔", "green", f"{data['side']} drained to {data['sessions']} sessions and stopped")]


def _proved(data: Data) -> list[Line]:
    good = data["as_before"] and data["up"] and data["schema_compatible"]
    mark, style = ("✔", "green") if good else ("✖", "bold red")
    smoke = "passed" if data["schema_compatible"] else "; ".join(data["smoke_failures"])
    words = f"blue serves {data['digest'][:19]}…, as before: {data['as_before']}; smoke tests on this schema: {smoke}"
    return [(mark, style, _plain(words))]


def _ended(data: Data) -> list[Line]:
    style = "bold green" if data["outcome"] == "landed" else "bold red"
    failed = f"{data['failed']} of {data['requests']} user requests failed" if "requests" in data else ""
    words = f"[{style}]{data['outcome'].upper()}[/]  {failed}"
    return [("■", style, words + (f"; {_plain(data['text'])}" if data.get("text") and not failed else ""))]


def _plain(text: str) -> str:
    """Text in which nothing is markup."""
    return text.replace("[", r"\[")


def _bold(text: str) -> str:
    return f"[bold]{_plain(text)}[/]"


def _short(value: Any) -> str:
    text = str(value)
    return f"{text[:19]}…" if len(text) > 40 else text


_WRITERS: dict[str, Callable[[Data], list[Line]]] = {
    "launch.opened": _opened,
    "milestone.reached": _milestone,
    "check.observed": _observed,
    "gate.judged": _gate,
    "act.done": _act,
    "poll.opened": _poll,
    "signoff.given": _signed,
    "decision.asked": _asked,
    "decision.made": _decided,
    "step.started": _started,
    "step.done": _done,
    "traffic.seen": _seen,
    "launch.held": _held,
    "order.taken": _ordered,
    "rollback.done": _rolled_back,
    "rollback.seen": _back_seen,
    "side.stopped": _stopped,
    "rollback.proved": _proved,
    "launch.ended": _ended,
}

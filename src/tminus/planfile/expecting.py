"""Whether what a plan expects can be judged: by the kind of value that is observed, and by what can fail at all."""

from tminus import probes
from tminus.domain import alertlimit, value
from tminus.domain.expectation import Expectation, cannot_fail, parse, stricter
from tminus.domain.value import ValueKind
from tminus.errors import PlanError
from tminus.planfile.document import LineEntry, OmittedLine
from tminus.planfile.filling import is_placeholder
from tminus.planfile.findings import Findings
from tminus.planfile.shape import Place
from tminus.planfile.thresholds import measure_of

_KINDS = {"error rate": ValueKind.SHARE, "p95 response time": ValueKind.TIME}
"""By what the ladder measures."""
_ALERT = "prometheus.alert"


def expectations(found: Findings) -> None:
    """Tell which expectations do not fit what is observed, cannot fail, or warn no earlier than they fail."""
    for place, _, line in found.lines():
        if expect := _read(line.expect):
            _line(found, place, line, expect)
    for place, left in found.left_out():
        if isinstance(left, OmittedLine) and (expect := _read(left.expect)):
            _line(found, place, left, expect)
    _alerts(found)
    _figures(found)
    _triggers(found)


def _line(found: Findings, place: Place, line: LineEntry | OmittedLine, expect: Expectation) -> None:
    kind, warn = _observed(line.probe, looked_at=isinstance(line, LineEntry)), _read(line.warn)
    wrong = [(key, limit) for key, limit in (("expect", expect), ("warn", warn)) if limit]
    told = False
    for key, limit in wrong:
        if sentence := _misfit(kind, limit):
            found.tell((*place, key), f"{line.id}: {sentence}")
            told = True
    if told:
        return
    if isinstance(line, LineEntry) and not line.control and cannot_fail(expect):
        found.tell(
            (*place, "expect"),
            f"{line.id}: {expect.text!r} cannot fail: no count, share or time is otherwise; "
            "write a limit that can be missed",
        )
    if warn is not None and not stricter(warn, expect):
        found.tell(
            (*place, "warn"),
            f"{line.id}: `warn: {warn.text}` never warns before {expect.text!r} fails; write a narrower limit",
        )


def _observed(probe: str, *, looked_at: bool) -> ValueKind | None:
    """What a probe gives; nothing where it does not say so, is not built yet or is unknown, which is told elsewhere.

    Only a line that is looked at is worth importing another package for.
    """
    if not probe or not (looked_at or probes.is_own(probe.partition(".")[0])):
        return None
    try:
        return probes.value_of(probe)
    except PlanError:
        return None


def _misfit(kind: ValueKind | None, limit: Expectation) -> str:
    return "" if kind is None else value.misfit(kind, limit)


def _alerts(found: Findings) -> None:
    """What an alert's probe is told to fire beyond, by what it is told to measure."""
    every: list[tuple[Place, LineEntry | OmittedLine]] = [(place, line) for place, _, line in found.lines()]
    every += [(place, left) for place, left in found.left_out() if isinstance(left, OmittedLine)]
    for place, line in every:
        measure = str(line.arguments.get("measure", ""))
        if line.probe == _ALERT and measure in alertlimit.KINDS:
            _limits(found, (*place, "with"), line, measure)
            continue
        above = line.arguments.get("above")
        if line.id.startswith("alert.") and isinstance(above, str):
            _told(found, (*place, "with", "above"), line.id, _KINDS.get(measure_of(line)), f"> {above}")


def _limits(found: Findings, place: Place, line: LineEntry | OmittedLine, measure: str) -> None:
    """Tell which limit of an alert is none, and where there are two or none at all."""
    given = [key for key in alertlimit.SIGNS if line.arguments.get(key)]
    texts = [(key, text) for key in given if isinstance(text := line.arguments[key], str)]
    if isinstance(line, LineEntry) and len(given) != 1:
        many = "two limits, `above` and `below`" if given else "no limit"
        own = [key for key in given if found.mark((*place, key)).file == found.tree.mark.file]
        found.tell(
            (*place, *own[:1]),
            f'{line.id}: the alert on {measure} has {many}; write either above: "1%" or below: "90%"',
        )
    for key, text in texts:
        if text.startswith("${") or is_placeholder(text):
            continue
        if sentence := alertlimit.unfit(measure, key, text):
            found.tell((*place, key), f"{line.id}: {sentence}")


def _figures(found: Findings) -> None:
    for index, figure in enumerate(found.document.figures):
        kind = _observed(figure.probe, looked_at=False) or _KINDS.get(measure_of(figure.id))
        _told(found, ("figures", index, "expect"), figure.id, kind, figure.expect)


def _triggers(found: Findings) -> None:
    for index, trigger in enumerate(found.document.triggers):
        above = f"> {trigger.above}" if trigger.above else ""
        _told(found, ("triggers", index, "above"), trigger.id, _KINDS.get(measure_of(trigger.id)), above)


def _told(found: Findings, place: Place, name: str, kind: ValueKind | None, text: str) -> None:
    """Tell what is wrong with a limit; where nobody says what is measured, only what is wrong whatever it is."""
    limit = _read(text)
    if limit is None:
        return
    if sentence := value.impossible(limit) if kind is None else value.misfit(kind, limit):
        found.tell(place, f"{name}: {sentence}")


def _read(text: str) -> Expectation | None:
    try:
        return parse(text) if text else None
    except ValueError:
        return None  # told where it stands

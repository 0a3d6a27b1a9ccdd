"""One line of the checklist: from what the file says to the check that a launch performs."""

from functools import partial
from typing import Any

from tminus import probes
from tminus.domain import expectation, offsets
from tminus.domain.argument import misfits
from tminus.domain.evidence import Freshness
from tminus.domain.expectation import Expectation
from tminus.domain.plan import Check, Kind, Severity
from tminus.errors import PlanError
from tminus.planfile.document import LineEntry, OmittedLine
from tminus.planfile.findings import Findings
from tminus.planfile.problem import meant
from tminus.planfile.shape import Place

STEPS = ("initiate", "migrate", "green", "smoke", "shift", "end blue")
"""The steps of a launch that a line may be about."""

ACTS = ("back up",)
"""What a line may ask for before it is observed."""

KINDS = {
    "probe": Kind.PROBE,
    "step": Kind.STEP,
    "attest": Kind.PERSON,
    "of": Kind.ROLLUP,
    "sign": Kind.SIGNATURE,
    "not_applicable": Kind.NOT_APPLICABLE,
}
"""By key: how a line that has it gets its verdict. A line has exactly one."""


def checks(found: Findings) -> tuple[Check, ...]:
    """Every line that can be read, in the order of the file."""
    read = (_check(found, place, section, line) for place, section, line in found.lines())
    return tuple(check for check in read if check is not None)


def omitted(found: Findings) -> None:
    """Tell what is wrong with the lines that are left out and yet say what would observe them."""
    for place, line in found.left_out():
        if isinstance(line, OmittedLine):
            found.attempt((*place, "due"), partial(offsets.offset, line.due))
            found.attempt((*place, "fresh"), partial(freshness, line.fresh))
            _expectations(found, place, line)


def _check(found: Findings, place: Place, section: str, line: LineEntry) -> Check | None:
    stated = [key for key in KINDS if getattr(line, key)]
    if len(stated) != 1:
        found.tell(place, f"{line.id}: says {_and(stated)}; write exactly one of {', '.join(KINDS)}")
        return None
    due = found.attempt((*place, "due"), partial(offsets.offset, line.due))
    fresh = found.attempt((*place, "fresh"), partial(freshness, line.fresh))
    expect, warn = _expectations(found, place, line)
    _words(found, place, line)
    until = _until(found, place, line, due)
    if line.probe:
        _probe(found, place, line)
    if due is None or fresh is None:
        return None
    owner = next((role for role in found.document.roles if role.id == line.owner), None)
    return Check(
        id=line.id,
        text=line.line,
        section=section,
        kind=KINDS[stated[0]],
        due=due,
        owner=line.owner,
        severity=line.severity,
        fresh=fresh,
        probe=line.probe,
        step=line.step,
        act=line.act,
        arguments=line.arguments,
        expect=expect,
        warn=warn,
        control=line.control,
        of=tuple(line.of),
        note=line.attest or line.not_applicable or line.sign,
        hint=line.hint,
        person=owner.person if owner else "",
        simulated=owner is not None and owner.simulated,
        each=tuple(line.each),
        shown=line.shown,
        until=until,
    )


def _and(stated: list[str]) -> str:
    return " and ".join(stated) or "not how it gets its verdict"


def _words(found: Findings, place: Place, line: LineEntry) -> None:
    for key, known in (("step", STEPS), ("act", ACTS)):
        word = getattr(line, key)
        if word and word not in known:
            near = meant(word, list(known)) or f"; write one of {', '.join(known)}"
            if key == "step" and word in ACTS:
                near = f"; it is an act, so write `act: {word}`"
            found.tell((*place, key), f"{line.id}: {word!r} is no {key}{near}")


def _until(found: Findings, place: Place, line: LineEntry, due: float | None) -> float | None:
    """By when a person has to say it; tells what only an attested line can have, and what is said of it twice."""
    given = [key for key in ("each", "shown", "until") if getattr(line, key)]
    if given and not line.attest:
        found.tell((*place, given[0]), f"{line.id}: only a line with `attest` has {_and(given)}; take it out")
        return None
    if line.until and line.severity is Severity.ADVISORY:
        found.tell(
            (*place, "until"),
            f"{line.id}: nobody waits for an advisory line; write `until: ''`, or make it required",
        )
    if line.severity is Severity.BLOCKER:
        for key in (key for key in given if key != "shown"):
            found.tell(
                (*place, key),
                f"{line.id}: a blocker is said as a whole by two persons, and closes the gate until then; "
                f"write `{key}: {'[]' if key == 'each' else chr(39) * 2}`",
            )
    for name in sorted({name for name in line.each if line.each.count(name) > 1}):
        found.tell((*place, "each"), f"{line.id}: {name!r} stands twice under `each`; write it once")
    until = found.attempt((*place, "until"), partial(offsets.offset, line.until)) if line.until else None
    if until is not None and due is not None and due <= 0:
        found.tell(
            (*place, "until"),
            f"{line.id}: what is due before T-0 closes the gate until it is said; write `until: ''`",
        )
    elif until is not None and due is not None and until <= due:
        found.tell(
            (*place, "until"),
            f"{line.id}: nobody could say it between {line.due} and {line.until}; write a later `until`",
        )
    return until


def _expectations(
    found: Findings, place: Place, line: LineEntry | OmittedLine
) -> tuple[Expectation | None, Expectation | None]:
    read: list[Expectation | None] = [
        found.attempt((*place, key), partial(expectation.parse, text)) if text else None
        for key, text in (("expect", line.expect), ("warn", line.warn))
    ]
    return read[0], read[1]


def _probe(found: Findings, place: Place, line: LineEntry) -> None:
    if not line.expect:
        found.tell(place, f"{line.id}: a probed line says what it expects; add for example `expect: empty`")
    _system(found, place, line)
    try:
        known = probes.signature(line.probe)
    except PlanError as error:
        close = "" if "did you mean" in str(error) else f"; {error.hint}"
        found.tell((*place, "probe"), f"{line.id}: {error}{close}")
        return
    arguments = {key: value for key, value in line.arguments.items() if key != "system"}
    wrong = misfits(known, arguments)
    for problem in wrong:
        found.tell(_argument(place, "with", problem, line.arguments), f"{line.id}: {problem}")
    if line.control:
        if arguments | line.control == arguments:
            found.tell(
                (*place, "control"),
                f"{line.id}: this control looks at the same as the line itself; write arguments under which "
                "the expectation must fail",
            )
        for problem in misfits(known, arguments | line.control):
            if problem not in wrong:
                found.tell(_argument(place, "control", problem, line.control), f"{line.id}: {problem}")


def _argument(place: Place, block: str, problem: str, given: dict[str, Any]) -> Place:
    """The place of the argument that a problem names, or of all of them."""
    # The first that is named: what was perhaps meant is named after it, and may be given too.
    named = [name for name in given if repr(name) in problem]
    return (*place, block, *sorted(named, key=lambda name: problem.index(repr(name)))[:1])


def _system(found: Findings, place: Place, line: LineEntry) -> None:
    kind = line.probe.partition(".")[0]
    name = str(line.arguments.get("system", kind))
    entry = found.document.systems.get(name)
    if entry is None and found.whole("systems"):
        found.tell(place, f"{line.id}: the plan has no system {name!r}; add it under systems")
    elif entry is not None and entry.kind != kind:
        found.tell(
            place,
            f"{line.id}: {line.probe} cannot observe {name!r}, which is of kind {entry.kind!r}; "
            f"name a system of kind {kind!r} with `system:`",
        )


def freshness(text: str) -> Freshness:
    """`live 60s`, `event T-2h..T-0` and the like; raises `ValueError` with what could be written instead."""
    kind, _, rest = text.strip().partition(" ")
    if kind in {"launch", "digest", "fingerprint"} and not rest:
        return Freshness(kind)
    if kind in {"live", "drill"} and rest:
        return Freshness(kind, seconds=offsets.seconds(rest))
    if kind == "event" and ".." in rest:
        earliest, _, latest = rest.partition("..")
        fresh = Freshness("event", earliest=offsets.offset(earliest), latest=offsets.offset(latest))
        if fresh.earliest > fresh.latest:
            raise ValueError(f"{text!r} ends before it begins; write the earlier end first")
        return fresh
    raise ValueError(
        f"{text!r} is no freshness; write 'launch', 'digest', 'fingerprint', 'live 60s', 'drill 7d' "
        "or 'event T-2h..T-0'"
    )

"""The meaning of a plan's file: a well-shaped document becomes a plan, or a list of all that is wrong with it."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from tminus import probes
from tminus.domain import expectation, timeline
from tminus.domain.evidence import Freshness, JsonValue, digest
from tminus.domain.expectation import Expectation
from tminus.domain.plan import Check, Kind, Omission, Plan, Role, Rollout, Rung
from tminus.errors import PlanError
from tminus.planfile.document import Document, LineEntry

T = TypeVar("T")

_ROLE = re.compile(r"[a-z0-9-]{1,40}")

STEPS = ("initiate", "migrate", "green", "smoke", "shift", "end blue")
"""The steps of a launch that a line may be about."""

ACTS = ("back up",)
"""What a line may ask for before it is observed."""

_KINDS = {
    "probe": Kind.PROBE,
    "step": Kind.STEP,
    "attest": Kind.PERSON,
    "of": Kind.ROLLUP,
    "sign": Kind.SIGNATURE,
    "not_applicable": Kind.NOT_APPLICABLE,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a plan, and where."""

    line: int
    """In the file, from 1; 0 where the whole file is meant."""
    what: str


def line_of(tree: Any, place: list[Any]) -> int:
    """The line of the innermost part of this place that stands in the file."""
    line, node = 1, tree
    for step in place:
        if isinstance(node, CommentedMap) and step in node:
            line = node.lc.key(step)[0] + 1
        elif isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node):
            line = node.lc.item(step)[0] + 1
        else:
            break
        node = node[step]
    return line


class Reader:
    """Turns a well-shaped document into a plan, keeping every problem of meaning."""

    def __init__(self, tree: CommentedMap, document: Document) -> None:
        self._tree = tree
        self._document = document
        self._problems: list[Problem] = []

    def plan(self) -> tuple[Plan | None, list[Problem]]:
        """The plan, or the problems."""
        checks = tuple(self._checks())
        self._lint(checks)
        document = self._document
        milestones = tuple(self._milestones())
        self._lint_due(checks, milestones)
        rollout = self._rollout()
        if self._problems or rollout is None:
            return None, sorted(self._problems, key=lambda problem: problem.line)
        canonical: JsonValue = document.model_dump(mode="json", by_alias=True)
        identity = self._try([], lambda: digest(canonical))
        if identity is None:
            return None, self._problems
        plan = Plan(
            name=document.plan,
            digest=identity,
            production=document.production,
            components=tuple(document.release.components),
            checks=checks,
            omitted=tuple(Omission(tuple(entry.lines), entry.reason) for entry in document.omitted),
            roles=tuple(
                Role(role.id, role.title, role.person, role.simulated, role.decides, role.signs)
                for role in document.roles
            ),
            milestones=milestones,
            rollout=rollout,
            systems={name: system.model_dump(mode="json") for name, system in document.systems.items()},
            triggers=tuple(trigger.model_dump(mode="json") for trigger in document.triggers),
        )
        return plan, []

    def _problem(self, place: list[Any], what: str) -> None:
        self._problems.append(Problem(line_of(self._tree, place), what))

    def _try(self, place: list[Any], read_it: Callable[[], T]) -> T | None:
        try:
            return read_it()
        except ValueError as error:
            self._problem(place, str(error))
            return None

    def _milestones(self) -> list[float]:
        found: list[float] = []
        for index, text in enumerate(self._document.milestones):
            at = self._try(["milestones", index], partial(timeline.offset, text))
            if at is not None:
                if found and at <= found[-1]:
                    self._problem(
                        ["milestones", index], f"{text} stands after a later milestone; write them in order"
                    )
                found.append(at)
        if 0.0 not in found:
            self._problem(["milestones"], "T-0 is missing")
        return found

    def _checks(self) -> Iterator[Check]:
        for section, lines in self._document.checks.items():
            for index, line in enumerate(lines):
                if check := self._check(section, line, ["checks", section, index]):
                    yield check

    def _check(self, section: str, line: LineEntry, place: list[Any]) -> Check | None:
        stated = [key for key in _KINDS if getattr(line, key)]
        if len(stated) != 1:
            self._problem(place, f"{line.id}: write exactly one of {', '.join(_KINDS)}")
            return None
        kind = _KINDS[stated[0]]
        due = self._try([*place, "due"], lambda: timeline.offset(line.due))
        fresh = self._try([*place, "fresh"], lambda: freshness(line.fresh))
        expect = self._expectation(line.expect, [*place, "expect"])
        warn = self._expectation(line.warn, [*place, "warn"])
        if line.probe:
            self._probe(line, place)
        if line.step and line.step not in STEPS:
            self._problem(
                [*place, "step"], f"{line.id}: {line.step!r} is no step; write one of {', '.join(STEPS)}"
            )
        if line.act and line.act not in ACTS:
            self._problem(
                [*place, "act"], f"{line.id}: {line.act!r} is no act; write one of {', '.join(ACTS)}"
            )
        if due is None or fresh is None:
            return None
        owner = next((role for role in self._document.roles if role.id == line.owner), None)
        return Check(
            id=line.id,
            text=line.line,
            section=section,
            kind=kind,
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
        )

    def _expectation(self, text: str, place: list[Any]) -> Expectation | None:
        return self._try(place, lambda: expectation.parse(text)) if text else None

    def _probe(self, line: LineEntry, place: list[Any]) -> None:
        if not line.expect:
            self._problem(
                place, f"{line.id}: a probed line says what it expects; add for example `expect: empty`"
            )
        try:
            probe = probes.find(line.probe)
        except PlanError as error:
            self._problem([*place, "probe"], f"{line.id}: {error} ({error.hint})")
            return
        arguments = dict(line.arguments)
        system = str(arguments.pop("system", line.probe.partition(".")[0]))
        entry = self._document.systems.get(system)
        if entry is None:
            self._problem(place, f"{line.id}: the plan has no system {system!r}; add it under systems")
        elif entry.kind != line.probe.partition(".")[0]:
            self._problem(
                place, f"{line.id}: {line.probe} cannot observe {system!r}, which is of kind {entry.kind!r}"
            )
        for problem in probe.accept(arguments):
            self._problem([*place, "with"], f"{line.id}: {problem}")
        for problem in probe.accept({**arguments, **(line.control or {})}) if line.control else []:
            self._problem([*place, "control"], f"{line.id}: {problem}")

    def _lint(self, checks: tuple[Check, ...]) -> None:
        known: set[str] = set()
        roles = {role.id for role in self._document.roles}
        signing = {role.id for role in self._document.roles if role.signs}
        ids = {check.id for check in checks}
        for section, lines in self._document.checks.items():
            for index, line in enumerate(lines):
                place = ["checks", section, index]
                if line.id in known:
                    self._problem(place, f"{line.id}: this id stands twice")
                known.add(line.id)
                if line.owner not in roles:
                    self._problem([*place, "owner"], f"{line.id}: no role {line.owner!r} in this plan")
                if line.sign and line.sign in roles - signing:
                    self._problem(
                        [*place, "sign"],
                        f"{line.id}: the role {line.sign!r} does not sign; add `signs: true`",
                    )
                if line.sign and line.sign not in roles:
                    self._problem([*place, "sign"], f"{line.id}: no role {line.sign!r} in this plan")
                for part in set(line.of) - ids:
                    self._problem([*place, "of"], f"{line.id}: {part!r} is no line of this plan")
        self._lint_omitted(known)
        self._lint_role_names()
        self._lint_roles()
        self._lint_triggers()

    def _lint_omitted(self, known: set[str]) -> None:
        for index, entry in enumerate(self._document.omitted):
            for check in entry.lines:
                if check in known:
                    self._problem(["omitted", index], f"{check} stands in the plan or under omitted twice")
                known.add(check)
        if self._document.production and self._document.omitted:
            self._problem(
                ["omitted"], "a plan marked production leaves no line out; build these or drop production"
            )

    def _lint_role_names(self) -> None:
        for index, role in enumerate(self._document.roles):
            if not _ROLE.fullmatch(role.id):
                self._problem(
                    ["roles", index], f"{role.id!r} is no role's id; write a-z, 0-9 and - only, 40 at most"
                )
            if role.id in [other.id for other in self._document.roles[:index]]:
                self._problem(["roles", index], f"the role {role.id!r} stands twice")

    def _lint_roles(self) -> None:
        if not any(role.decides for role in self._document.roles):
            self._problem(["roles"], "nobody decides GO or NO-GO; give one role `decides: true`")
        if not any(role.signs for role in self._document.roles):
            self._problem(["roles"], "nobody signs; give the signing roles `signs: true`")
        people: dict[str, str] = {}
        for index, role in enumerate(self._document.roles):
            if (role.signs or role.decides) and role.person in people:
                self._problem(
                    ["roles", index],
                    f"{role.person} signs as {people[role.person]} already; one person, one role",
                )
            if role.signs or role.decides:
                people[role.person] = role.id
            if self._document.production and role.simulated:
                self._problem(
                    ["roles", index], f"{role.person} is simulated; a plan marked production needs a person"
                )

    def _lint_due(self, checks: tuple[Check, ...], milestones: tuple[float, ...]) -> None:
        """Every line must be looked at by somebody: at its milestone, by its step, or in the poll."""
        for section, lines in self._document.checks.items():
            for index, line in enumerate(lines):
                check = next((check for check in checks if check.id == line.id), None)
                if check is None or check.kind is Kind.SIGNATURE:
                    continue
                if check.kind is Kind.STEP:
                    self._lint_step(check, milestones, ["checks", section, index, "due"])
                    continue
                if check.due not in milestones or check.due == 0:
                    named = ", ".join(name for name in self._document.milestones if name != "T-0")
                    place = ["checks", section, index, "due"]
                    self._problem(place, f"{line.id}: nobody looks at {line.due}; due at one of {named}")

    def _rollout(self) -> Rollout | None:
        rollout = self._document.rollout
        rungs: list[Rung] = []
        for index, rung in enumerate(rollout.ladder):
            place = ["rollout", "ladder", index]
            watch = self._try([*place, "watch"], partial(timeline.seconds, rung.watch))
            if rungs and rung.weight <= rungs[-1].percent:
                self._problem(place, f"{rung.weight} % stands after {rungs[-1].percent} %; a ladder goes up")
            rungs.append(Rung(rung.weight, watch or 0.0, rung.requests))
        if rungs[-1].percent != 100:
            self._problem(
                ["rollout", "ladder"],
                f"the last rung is {rungs[-1].percent} %; all traffic must move: end at 100",
            )
        drain = self._try(["rollout", "drain"], partial(timeline.seconds, rollout.drain))
        return None if drain is None else Rollout(tuple(rungs), drain)

    def _lint_step(self, check: Check, milestones: tuple[float, ...], place: list[Any]) -> None:
        late = check.step == "end blue"
        if late and (check.due <= 0 or check.due not in milestones):
            self._problem(place, f"{check.id}: blue ends at a milestone after T-0; write one of them")
        if not late and check.due != 0:
            self._problem(place, f"{check.id}: the step {check.step!r} happens at T-0; write `due: T-0`")

    def _lint_triggers(self) -> None:
        for index, trigger in enumerate(self._document.triggers):
            place = ["triggers", index]
            self._try([*place, "hold"], partial(timeline.seconds, trigger.hold))
            if trigger.above:
                self._try([*place, "above"], partial(expectation.parse, f"> {trigger.above}"))


def freshness(text: str) -> Freshness:
    """`launch`, `live 60s`, or `event T-2h..T-0`; raises `ValueError` with what could be written instead."""
    kind, _, rest = text.strip().partition(" ")
    if kind == "launch" and not rest:
        return Freshness("launch")
    if kind == "live" and rest:
        return Freshness("live", seconds=timeline.seconds(rest))
    if kind == "event" and ".." in rest:
        earliest, _, latest = rest.partition("..")
        fresh = Freshness("event", earliest=timeline.offset(earliest), latest=timeline.offset(latest))
        if fresh.earliest > fresh.latest:
            raise ValueError(f"{text!r} ends before it begins; write the earlier end first")
        return fresh
    raise ValueError(f"{text!r} is no freshness; write 'launch', 'live 60s' or 'event T-2h..T-0'")

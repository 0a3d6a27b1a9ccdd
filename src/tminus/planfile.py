"""Plans as YAML files: read whole, refused with every problem at once, each with its line.

The file's shape stands in the models below; the domain's `Plan` is what the rest of tminus works with.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.composer import Composer, ComposerError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent

from tminus import probes
from tminus.domain import expectation, timeline
from tminus.domain.evidence import Freshness, JsonValue, digest
from tminus.domain.expectation import Expectation
from tminus.domain.plan import Check, Kind, Omission, Plan, Role, Rollout, Rung, Severity
from tminus.errors import PlanError

T = TypeVar("T")

MAX_BYTES = 2 * 1024 * 1024
"""The longest plan that is read."""

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


class _PlainComposer(Composer):
    """Refuses aliases: a few of them, nested, are a whole machine's memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.parser.check_event(AliasEvent):
            mark = self.parser.peek_event().start_mark
            raise ComposerError(
                problem="a plan writes everything out; aliases are not read", problem_mark=mark
            )
        return super().compose_node(parent, index)


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, ser_json_inf_nan="constants"
    )


class _Line(_Model):
    id: str
    line: str
    due: str
    owner: str
    severity: Severity = Severity.REQUIRED
    fresh: str = "launch"
    probe: str = ""
    arguments: dict[str, Any] = Field(default_factory=dict, alias="with")
    expect: str = ""
    warn: str = ""
    control: dict[str, Any] | None = None
    step: str = ""
    act: str = ""
    attest: str = ""
    of: list[str] = Field(default_factory=list)
    sign: str = ""
    not_applicable: str = ""
    hint: str = ""


class _Omitted(_Model):
    reason: str = Field(min_length=1)
    lines: list[str] = Field(min_length=1)


class _Role(_Model):
    id: str
    title: str
    person: str
    simulated: bool = False
    decides: bool = False
    signs: bool = False


class _Rung(_Model):
    weight: int = Field(ge=1, le=100)
    watch: str
    requests: int = Field(ge=1)


class _Rollout(_Model):
    ladder: list[_Rung] = Field(min_length=1)
    drain: str


class _System(_Model):
    kind: str
    address: str
    real: bool


class _Trigger(_Model):
    id: str
    text: str
    above: str = ""
    hold: str = "0s"
    source: str
    action: str


class _Release(_Model):
    components: list[str] = Field(min_length=1)


class _Document(_Model):
    plan: str
    production: bool
    release: _Release
    systems: dict[str, _System]
    roles: list[_Role] = Field(min_length=1)
    milestones: list[str] = Field(min_length=1)
    checks: dict[str, list[_Line]] = Field(min_length=1)
    omitted: list[_Omitted] = Field(default_factory=list)
    rollout: _Rollout
    triggers: list[_Trigger]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a plan, and where."""

    line: int
    """In the file, from 1; 0 where the whole file is meant."""
    what: str


def read(path: Path) -> Plan:
    """The plan in this file; raises one `PlanError` that lists every problem with its line."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PlanError(
                f"{path} is larger than {MAX_BYTES} bytes", hint="a plan is a text file of some 1,000 lines"
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PlanError(f"{path} cannot be read: {error.strerror}", hint="check the path") from error
    except UnicodeDecodeError as error:
        raise PlanError(f"{path} is not UTF-8: {error.reason}", hint="save the plan as UTF-8 text") from error
    plan, problems = parse(text)
    if plan is None or problems:
        listed = "\n".join(f"  {path}:{problem.line}: {problem.what}" for problem in problems)
        raise PlanError(
            f"{path} is no plan that can be launched:\n{listed}", hint="mend these lines and try again"
        )
    return plan


def parse(text: str) -> tuple[Plan | None, list[Problem]]:
    """The plan in this text, or everything that is wrong with it."""
    yaml = YAML(typ="rt")
    yaml.Composer = _PlainComposer
    try:
        tree = yaml.load(StringIO(text))
    except RecursionError:
        return None, [Problem(0, "no YAML: nested too deep to read")]
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        return None, [Problem(line, f"no YAML: {error.problem}")]
    except YAMLError as error:
        return None, [Problem(0, f"no YAML: {error}")]
    if not isinstance(tree, CommentedMap):
        return None, [Problem(1, "a plan is a mapping; it starts with `plan: NAME`")]
    try:
        document = _Document.model_validate(_plain(tree))
    except ValidationError as error:
        return None, [
            Problem(_line_of(tree, list(p["loc"])), _words(p["loc"], p["msg"])) for p in error.errors()
        ]
    return _Reader(tree, document).plan()


def _plain(node: Any) -> Any:
    if isinstance(node, CommentedMap):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _line_of(tree: Any, place: list[Any]) -> int:
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


def _words(place: tuple[Any, ...], message: str) -> str:
    where = ".".join(str(step) for step in place)
    return f"{where}: {message[0].lower()}{message[1:]}"


class _Reader:
    """Turns a well-shaped document into a plan, keeping every problem of meaning."""

    def __init__(self, tree: CommentedMap, document: _Document) -> None:
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
        self._problems.append(Problem(_line_of(self._tree, place), what))

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

    def _check(self, section: str, line: _Line, place: list[Any]) -> Check | None:
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
            simulated=any(role.id == line.owner and role.simulated for role in self._document.roles),
        )

    def _expectation(self, text: str, place: list[Any]) -> Expectation | None:
        return self._try(place, lambda: expectation.parse(text)) if text else None

    def _probe(self, line: _Line, place: list[Any]) -> None:
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
            if role.id in [other.id for other in self._document.roles[:index]]:
                self._problem(["roles", index], f"the role {role.id!r} stands twice")

    def _lint_roles(self) -> None:
        if not any(role.decides for role in self._document.roles):
            self._problem(["roles"], "nobody decides GO or NO-GO; give one role `decides: true`")
        if not any(role.signs for role in self._document.roles):
            self._problem(["roles"], "nobody signs; give the signing roles `signs: true`")
        people: dict[str, str] = {}
        for index, role in enumerate(self._document.roles):
            if role.signs and role.person in people:
                self._problem(
                    ["roles", index],
                    f"{role.person} signs as {people[role.person]} already; one person, one role",
                )
            if role.signs:
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
                if check is None or check.kind in {Kind.STEP, Kind.SIGNATURE}:
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
        return Freshness("event", earliest=timeline.offset(earliest), latest=timeline.offset(latest))
    raise ValueError(f"{text!r} is no freshness; write 'launch', 'live 60s' or 'event T-2h..T-0'")


def bound(arguments: Mapping[str, JsonValue], values: Mapping[str, str]) -> dict[str, JsonValue]:
    """Arguments with `${name}` replaced by what this launch binds; raises `PlanError` for an unknown name."""
    result: dict[str, JsonValue] = {}
    for key, value in arguments.items():
        if isinstance(value, str) and value.startswith("${") and value.endswith("}"):
            name = value[2:-1]
            if name not in values:
                raise PlanError(
                    f"{value} stands for nothing in this launch",
                    hint=f"names that are bound: {', '.join(sorted(values))}",
                )
            result[key] = values[name]
        else:
            result[key] = value
    return result

"""The expedited path of a hotfix: a shorter form that the plan declares, for a reason, by the word of two persons.

The short form is a plan like any other: what it leaves out stands among the omitted lines, is counted and signed. No
blocker is ever left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from tminus.domain import fields
from tminus.domain.attestation import Json
from tminus.domain.canonical import canonical, plain
from tminus.domain.offsets import clock
from tminus.domain.people import alike
from tminus.domain.permission import Deed, Matter, could
from tminus.domain.plan import Omission, Plan, Role, Severity
from tminus.domain.record import Event
from tminus.domain.report import SignedStatement
from tminus.domain.words import Expedition, read_word, row_of, word_statement
from tminus.errors import RecordError, RefusedError

EXPEDITED = "launch.expedited"
"""A person's signed word that the launch takes the short form: first of who asks, then of the second person."""

_HINT = "do not rely on this launch: its record does not prove what it says"
_PERSONS = ("reason", "by", "role", "second", "second_role")


@dataclass(frozen=True, slots=True)
class Expedited:
    """What the first line of a record says of an expedited launch."""

    reason: str
    by: str
    """The person who asks for it."""
    role: str
    second: str
    """The person who has to confirm it."""
    second_role: str
    left_out: tuple[Mapping[str, object], ...]
    """What the short form leaves out beside what the plan omits: `check`, `severity`, `reason`."""
    milestones: tuple[Mapping[str, object], ...] = ()
    """Which milestones come later than in the whole plan: `from`, `to`, as `offsets.clock` writes them."""

    def data(self) -> Json:
        """As `launch.opened` has it."""
        return plain({name: getattr(self, name) for name in Expedited.__slots__})

    def row(self) -> Json:
        """What people sign of it: everything but the lines, which stand among the omitted ones."""
        return {**{name: getattr(self, name) for name in _PERSONS}, "left_out": len(self.left_out)}


def shorter(plan: Plan) -> Plan:
    """The short form of a plan, under the plan's own digest; raises `RefusedError` where the plan declares none."""
    if plan.expedited is None:
        raise RefusedError(
            f"the plan {plan.name} has no shorter form for a hotfix",
            hint="declare it under `expedited:` in the plan, before it is needed; or launch without --expedited",
        )
    moved, left = plan.expedited.milestones, _left_out(plan)
    kept = (check for check in plan.checks if check.id not in left)
    return replace(
        plan,
        checks=tuple(replace(check, due=moved.get(check.due, check.due)) for check in kept),
        omitted=(
            *plan.omitted,
            *(Omission(one.lines, f"expedited: {one.reason}") for one in plan.expedited.omitted),
        ),
        milestones=tuple(sorted({moved.get(offset, offset) for offset in plan.milestones})),
    )


def expedited(plan: Plan, reason: str, role: Role, second: Role) -> Expedited:
    """What the first line says when this role's person asks for the short form of a plan, and that one is to confirm.

    Raises `RefusedError` where the plan has no short form, no reason is given, or the second person may not confirm.
    """
    shorter(plan)
    assert plan.expedited is not None  # noqa: S101 - shorter() saw to it
    if not reason.strip():
        raise RefusedError("an expedited launch needs a reason", hint="say it: --reason TEXT")
    able = could(Deed.SECOND, plan, Matter(None, role.person))
    if second not in able:
        names = ", ".join(f"{one.person} as {one.id}" for one in able) or "nobody of this plan"
        raise RefusedError(
            f"{second.person} as {second.id} cannot confirm what {role.person} asks for",
            hint=f"who could: {names}",
        )
    rows = [
        {"check": name, "severity": plan.check(name).severity.value, "reason": f"expedited: {one.reason}"}
        for one in plan.expedited.omitted
        for name in one.lines
    ]
    moved = [{"from": clock(old), "to": clock(new)} for old, new in sorted(plan.expedited.milestones.items())]
    return Expedited(
        reason,
        role.person,
        role.id,
        second.person,
        second.id,
        tuple(map(plain, rows)),
        tuple(map(plain, moved)),
    )


def told(path: Expedited) -> Iterator[str]:
    """What an expedited launch is, in lines for people."""
    yield f"expedited  {path.reason}"
    yield f"           asked for by {path.by} as {path.role}; {path.second} as {path.second_role} has to confirm it"
    yield from (f"left out   {row['check']} ({row['severity']}): {row['reason']}" for row in path.left_out)
    yield from (f"later      {row['from']} comes at {row['to']}" for row in path.milestones)


def _left_out(plan: Plan) -> set[str]:
    return {name for one in (plan.expedited.omitted if plan.expedited else ()) for name in one.lines}


def read_expedited(data: Mapping[str, object]) -> Expedited | None:
    """What the first line of a record says of it; none for a launch of the whole plan.

    Raises `RecordError` for what no plan and no person could have asked for.
    """
    if "expedited" not in data:
        return None
    table = fields.table(data, "expedited")
    fields.exactly(table, Expedited.__slots__)
    words = {name: fields.text(table, name) for name in _PERSONS}
    found = Expedited(
        **words,
        left_out=tuple(fields.rows(table, "left_out")),
        milestones=tuple(fields.rows(table, "milestones")),
    )
    if alike(found.by) == alike(found.second):
        raise RecordError(f"{found.by} asks for an expedited launch and confirms it, too", hint=_HINT)
    omitted = {(row.get("check"), row.get("reason")) for row in fields.rows(data, "omitted")}
    for row in found.left_out:
        check = fields.text(row, "check")
        if row.get("severity") not in {Severity.REQUIRED, Severity.ADVISORY}:
            raise RecordError(f"an expedited launch leaves out {check}, a blocker", hint=_HINT)
        if (check, row.get("reason")) not in omitted:
            raise RecordError(f"{check} is left out and does not stand among the omitted lines", hint=_HINT)
    return found


def lacking(events: Sequence[Event]) -> list[str]:
    """Whose word an expedited launch still lacks, in words; GO waits for both."""
    found = read_expedited(events[0].data)
    if found is None:
        return []
    words = {bool(event.data["confirms"]) for event in events if event.type == EXPEDITED}
    launch = events[0].data.get("launch")
    if False not in words:
        return [f"expedited, which {found.by} has not signed: type `tminus launch` again, as before"]
    if True not in words:
        how = f"tminus expedite {launch} --role {found.second_role}"
        return [f"expedited, which {found.second} has not confirmed: {how}"]
    return []


@dataclass(slots=True)
class Backing:
    """The words for the short form that a record has had so far, as verification reads them."""

    asked: str = ""
    """The digest of the line that holds the wish."""
    keyid: str = ""
    """Whose key signed it."""
    confirmed: bool = False

    def take(
        self, event: Event, signed: SignedStatement, opened: str, launch: str, path: Expedited | None
    ) -> Expedition:
        """The next word; raises `RecordError` unless it is the one that is waited for, by who was named."""
        word = read_word(Expedition, fields.table(signed.statement, "predicate"))
        if path is None:
            raise RecordError("a word for a short form that this launch does not take", hint=_HINT)
        if word.launch != launch:
            raise RecordError(f"signed for launch {word.launch!r}, not for {launch!r}", hint=_HINT)
        if canonical(dict(signed.statement)) != canonical(word_statement(word, opened)):
            raise RecordError("the signed text is not what these words make", hint=_HINT)
        if canonical(row_of(event.data)) != canonical(expedition_row(word)):
            raise RecordError("the word for the short form is not the one that was signed", hint=_HINT)
        self._check(word, signed.keyid, path)
        if word.confirms:
            self.confirmed = True
        else:
            self.asked, self.keyid = event.digest, signed.keyid
        return word

    def _check(self, word: Expedition, keyid: str, path: Expedited) -> None:
        named = (path.second, path.second_role) if word.confirms else (path.by, path.role)
        if (word.person, word.role) != named:
            raise RecordError(
                f"{word.person} signed for the short form as {word.role}, but {named[0]} was named",
                hint=_HINT,
            )
        if word.because != path.reason:
            raise RecordError("the reason is not the one that the launch was opened with", hint=_HINT)
        if word.confirms != self.asked:
            raise RecordError("it confirms another wish than the one of this launch", hint=_HINT)
        if word.confirms and keyid == self.keyid:
            raise RecordError("one key asked for the short form and confirmed it", hint=_HINT)


def expedition_row(word: Expedition) -> Json:
    """What a word for the short form says in the record: all of it but the signature."""
    return {"by": word.person, "role": word.role, "because": word.because, "confirms": word.confirms}

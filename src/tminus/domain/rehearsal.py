"""Rehearsals: what was seen when a fault was injected on staging, and what that proves for a launch.

A *rehearsal* is a document of *drills*: one fault each, the rule that is to fire on it, and the way back. It is known
by its content. A trigger counts as rehearsed for the very definition that fired; a rollback as tested for the very pair
of releases. Frozen values and judgement only: `control/rehearsal.py` makes the drills.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from typing import cast

from tminus.domain.canonical import JsonValue, canonical, instant, sha256_hex
from tminus.domain.evidence import Verdict, digest
from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Plan
from tminus.domain.trigger import TRIGGERS
from tminus.errors import InconclusiveError

FORMAT = 1
"""The form of the document; another one is another number."""
GUARD_RULES = ("a1", "a2", "b1")
"""The guard's tests that roll back."""
SUBJECTS = (*(trigger.id for trigger in TRIGGERS), *(f"guard.{rule}" for rule in GUARD_RULES))
"""Everything that a rehearsal can make fire: the checklist's triggers, and the guard's tests."""
DAY = 86400.0
CRITERIA_SECONDS = 30 * DAY
"""How long a trigger counts as rehearsed."""
PAIR_SECONDS = 7 * DAY
"""How long the rollback of a pair of releases counts as tested."""
AGAIN = "`tminus rehearse` fires them on staging"
"""What to do about a trigger that no rehearsal has shown."""


@dataclass(frozen=True, slots=True)
class Crossed:
    """Another rule that would have acted as well."""

    rule: str
    seconds: float
    """From the fault to its crossing."""


@dataclass(frozen=True, slots=True)
class WayBack:
    """The rollback of one drill, as it was read back."""

    ordered_by: str
    """The rule that rolled back, or a person's order where the trigger only holds."""
    zero_seconds: float
    """From the order until the proxy reported weight 0 for green."""
    served_seconds: float
    """From the order until the old release was seen to serve everybody, and its smoke tests had passed."""
    digest: str
    """What blue says of itself."""
    weight: int
    """Blue's share of new requests, in percent."""
    up: bool
    """Whether the proxy counts blue as able to serve."""
    smoke_failures: tuple[str, ...]
    """The smoke tests that failed on blue."""
    written: int
    """Documents that users wrote while the drill lasted, and were told are stored."""
    lost: tuple[str, ...]
    """Those of them that are not there as they were written."""

    def problems(self, previous: str) -> tuple[str, ...]:
        """Why this is no way back to that release; nothing when it is one."""
        found = []
        if self.digest != previous:
            found.append(f"blue serves {self.digest or 'nothing that says what it is'}, not {previous}")
        if self.weight != 100 or not self.up:
            found.append(f"blue has {self.weight} % of new requests and is {'up' if self.up else 'not up'}")
        found += [f"smoke test on blue: {failure}" for failure in self.smoke_failures]
        if self.lost:
            found.append(f"{len(self.lost)} of {self.written} documents that users stored are lost")
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Drill:
    """One fault, the rule that was to fire on it, and what came of it."""

    subject: str
    """What was rehearsed: a trigger's id, or `guard.` and one of its tests."""
    definition: str
    """Digest of the plan's definition of it, whatever hold time was rehearsed."""
    fault: str
    """What was injected, in words."""
    weight: int
    """Green's share of the traffic at that time, in percent."""
    hold_seconds: float
    """For how long the condition had to hold; 0 where it fires at once."""
    shortened: bool
    """Whether that was less than the plan's own time."""
    verdict: Verdict
    """Passed: it fired, and the way back was whole. Warned: so it was, but in a shorter time than the plan's."""
    why: str
    """One sentence."""
    injected: str
    """When; empty where it did not come to that."""
    fired: str
    """When the rule decided; empty where it did not."""
    action: str
    """What it decided: `rollback` or `hold`; empty where it did not fire."""
    fired_seconds: float | None
    """From the fault to the decision."""
    zero_seconds: float | None
    """From the fault until green had weight 0."""
    served_seconds: float | None
    """From the fault until the old release served everybody."""
    requests: int
    """Users' requests from the fault until green had weight 0."""
    failed: int
    """Those of them that failed, on whichever side."""
    slow: int
    """Those that were answered later than the guard's limit."""
    others: tuple[Crossed, ...]
    """The other rules that would have acted; in a drill they are only noted."""
    back: WayBack | None
    """Nothing where it did not come to a rollback."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The document: who rehearsed what, for which pair of releases, and every drill."""

    format: int
    by: str
    tminus: str
    """The version that rehearsed."""
    began: str
    ended: str
    plan: str
    plan_digest: str
    previous: str
    """The image that serves before a launch."""
    release: str
    """The image that is to be launched."""
    definitions: str
    """Digest of the definitions of everything that can be rehearsed."""
    drills: tuple[Drill, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of its drills; of none it is inconclusive."""
        order = (Verdict.FAILED, Verdict.ERROR, Verdict.INCONCLUSIVE, Verdict.WARNED, Verdict.PASSED)
        return min((drill.verdict for drill in self.drills), key=order.index, default=Verdict.INCONCLUSIVE)

    @property
    def content(self) -> bytes:
        """Its canonical bytes (RFC 8785)."""
        return canonical({**asdict(self), "kind": "tminus rehearsal"})

    @property
    def digest(self) -> str:
        """What it is known by: the SHA-256 of its bytes, in hex."""
        return sha256_hex(self.content)


@dataclass(frozen=True, slots=True)
class Proven:
    """What rehearsals say about a line."""

    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    seen: Mapping[str, JsonValue]
    fact: str


def definitions(plan: Plan, limits: GuardLimits) -> dict[str, str]:
    """By subject: the digest of everything that says when it fires, and what follows."""
    declared = {str(trigger["id"]): dict(trigger) for trigger in plan.triggers}
    found = {
        trigger.id: digest({"evaluated": _plain(trigger), "declared": declared.get(trigger.id)})
        for trigger in limits.triggers
    }
    own = {
        name: value
        for name, value in cast("dict[str, JsonValue]", _plain(limits)).items()
        if name != "triggers"
    }
    return found | {f"guard.{rule}": digest({"rule": rule, "limits": own}) for rule in GUARD_RULES}


def all_definitions(found: Mapping[str, str]) -> str:
    """One digest for all of them."""
    return digest(dict(found))


def criteria(defined: Mapping[str, str], kept: Sequence[Rehearsal], now: float) -> Proven:
    """Whether each of the checklist's triggers was seen to fire, as it is defined now and not too long ago.

    One that did not fire when it was last rehearsed is a problem; one that was not rehearsed so is remarked upon.
    """
    problems: list[str] = []
    lacking: list[str] = []
    seen: dict[str, JsonValue] = {}
    for trigger in TRIGGERS:
        said = _standing(trigger.id, defined.get(trigger.id, ""), kept, now)
        seen[trigger.id] = said.words
        if said.verdict is Verdict.FAILED:
            problems.append(f"{trigger.id} {said.words}")
        elif said.verdict is not Verdict.PASSED:
            lacking.append(f"{trigger.id} {said.words}")
    remarks = (f"{'; '.join(lacking)}: {AGAIN}",) if lacking else ()
    return Proven(
        tuple(problems), remarks, seen, f"all {len(TRIGGERS)} triggers were seen to fire on staging"
    )


def pair_tested(pair: tuple[str, str], kept: Sequence[Rehearsal], now: float, within: float) -> Proven:
    """Whether a rollback of this pair, previous and release, was seen on staging of late, and within this time.

    Twice the time is remarked upon, more is a problem. Raises `InconclusiveError` where the newest rehearsal of the
    pair came to no rollback.
    """
    previous, release = pair
    same = [one for one in kept if (one.previous, one.release) == (previous, release)]
    if not same:
        never = f"no rollback from {release[:19]}… to {previous[:19]}… was ever rehearsed"
        return Proven((f"{never}: `tminus rehearse` does it, on staging",), (), {"rehearsals": len(kept)}, "")
    newest = max(same, key=lambda one: instant(one.ended))
    drilled = [(drill, drill.back) for drill in newest.drills if drill.back is not None]
    seen: dict[str, JsonValue] = {
        "rehearsal": newest.digest,
        "by": newest.by,
        "ended": newest.ended,
        "rollbacks": len(drilled),
    }
    broken = [f"{drill.subject}: {drill.why}" for drill in newest.drills if drill.verdict is Verdict.FAILED]
    if not drilled and not broken:
        raise InconclusiveError(
            f"the rehearsal of {newest.ended} came to no rollback: {_reasons(newest)}",
            hint="rehearse once more: `tminus rehearse`",
        )
    for drill, back in drilled:
        broken += [f"{drill.subject}: {problem}" for problem in back.problems(previous)]
    slowest = max((back.served_seconds for _, back in drilled), default=0.0)
    seen["slowest_s"] = slowest
    problems = list(dict.fromkeys(broken))
    if now - instant(newest.ended) > PAIR_SECONDS:
        problems.append(
            f"it was last rehearsed at {newest.ended}, more than 7 days ago: `tminus rehearse` again"
        )
    if slowest > 2 * within:
        problems.append(f"the slowest rollback took {slowest:.0f} s, more than {2 * within:.0f} s")
    slow = within < slowest <= 2 * within
    remarks = (f"the slowest rollback took {slowest:.0f} s, more than {within:.0f} s",) if slow else ()
    written = sum(back.written for _, back in drilled)
    fact = (
        f"{len(drilled)} rollbacks of this pair on staging, the slowest {slowest:.1f} s from the order until the old "
        f"release served everybody; none of {written} documents written meanwhile is lost"
    )
    return Proven(tuple(problems), remarks, seen, fact)


@dataclass(frozen=True, slots=True)
class _Standing:
    verdict: Verdict
    words: str


def _standing(subject: str, definition: str, kept: Sequence[Rehearsal], now: float) -> _Standing:
    """How one trigger stands by all rehearsals of it."""
    drills = list(_drills(subject, kept))
    if not drills:
        return _Standing(Verdict.INCONCLUSIVE, "was not rehearsed")
    same = [(at, drill) for at, drill in drills if drill.definition == definition]
    if not same:
        return _Standing(Verdict.INCONCLUSIVE, "was rehearsed by another definition than the plan's")
    fresh = [drill for at, drill in same if now - at <= CRITERIA_SECONDS]
    if not fresh:
        return _Standing(Verdict.INCONCLUSIVE, "was not rehearsed within 30 days")
    return _of_late(fresh)


def _of_late(drills: Sequence[Drill]) -> _Standing:
    """What these drills of one trigger come to, oldest first: the newest, or a full one before it."""
    newest = drills[-1]
    if newest.verdict is Verdict.FAILED:
        return _Standing(Verdict.FAILED, f"in its last rehearsal: {newest.why}")
    full = next((drill for drill in reversed(drills) if drill.verdict is Verdict.PASSED), None)
    if full is not None:
        return _Standing(Verdict.PASSED, f"fired {full.fired_seconds:.1f} s after the fault, at {full.fired}")
    if newest.verdict is Verdict.WARNED:
        return _Standing(Verdict.WARNED, "was rehearsed with a shorter hold time than the plan's")
    return _Standing(Verdict.INCONCLUSIVE, f"came to nothing in its last rehearsal ({newest.why})")


def _drills(subject: str, kept: Sequence[Rehearsal]) -> Iterator[tuple[float, Drill]]:
    """Every drill of a subject with the end of its rehearsal, oldest first."""
    for one in sorted(kept, key=lambda each: instant(each.ended)):
        for drill in one.drills:
            if drill.subject == subject:
                yield instant(one.ended), drill


def _reasons(rehearsal: Rehearsal) -> str:
    return "; ".join(f"{drill.subject}: {drill.why}" for drill in rehearsal.drills) or "it holds no drill"


def _plain(value: object) -> JsonValue:
    """A definition as JSON: frozen values by their fields."""
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    return cast("JsonValue", value)

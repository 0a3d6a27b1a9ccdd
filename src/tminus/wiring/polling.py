"""The poll and the decision of a launch whose people are real: what each is shown, signs, and has recorded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from tminus.control.ports import Json
from tminus.domain.attestation import (
    Decision,
    SignOff,
    decision_statement,
    evidence_root,
    sign_off_statement,
)
from tminus.domain.canonical import timestamp
from tminus.domain.course import DECIDED
from tminus.domain.decision import GateResult
from tminus.domain.orders import Act, Category, Order, ordered
from tminus.domain.permission import Deed, Matter, permit
from tminus.domain.poll import RENEWED, SIGNED, Change, changes, go_gate, refusals, shown, votes
from tminus.domain.record import Entry
from tminus.errors import OutOfSequenceError, RefusedError
from tminus.signing import sign_statement
from tminus.wiring.acts import Choose, Hand, Scene, entry


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a person is shown before they sign."""

    root: str
    """The digest of the evidence, which is what the signature covers."""
    summary: Json
    gate: GateResult
    missing: tuple[str, ...]
    """What keeps GO from being given now."""
    since: tuple[Change, ...] | None
    """What has changed since this role signed last; none where it never did."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision as it was typed."""

    go: bool
    text: str
    category: Category | None = None
    new_t0: float | None = None
    """Seconds of the epoch."""
    unscheduled: bool = False


def sheet(scene: Scene, role: str) -> Sheet:
    """The evidence as it is now, for one role."""
    evidence, before = scene.evidence, votes(scene.events).get(role)
    return Sheet(
        evidence_root(evidence)[1],
        evidence.summary(),
        go_gate(scene.plan, scene.events, scene.claims, scene.now),
        tuple(_refusals(scene)),
        None if before is None else changes(before.evidence, evidence),
    )


def sign(hand: Hand, word: str, note: str, root: str) -> Choose:
    """A person's go or no-go over the evidence of this root, which must be what it is now."""

    def choose(scene: Scene) -> Sequence[Entry]:
        permit(Deed.SIGN, scene.course, scene.plan, hand.role, Matter())
        _as_shown(scene, root)
        said = SignOff(
            launch=scene.launch,
            role=hand.role.id,
            person=hand.role.person,
            decision=word,
            signed_at=timestamp(scene.now),
            note=note,
        )
        data: Json = {
            "role": hand.role.id,
            "person": hand.role.person,
            "title": hand.role.title,
            "simulated": False,
            "decision": word,
            "note": note,
            "envelope": sign_statement(hand.signer, sign_off_statement(said, scene.evidence)),
        }
        return [*_renewed(scene), entry(scene, SIGNED, data)]

    return choose


def decide(hand: Hand, verdict: Verdict, root: str) -> Choose:
    """GO over the evidence of this root, or NO-GO with a new date or none."""
    return _go(hand, verdict, root) if verdict.go else _no_go(hand, verdict)


def _go(hand: Hand, verdict: Verdict, root: str) -> Choose:
    def choose(scene: Scene) -> Sequence[Entry]:
        permit(Deed.GO, scene.course, scene.plan, hand.role, Matter())
        if refused := _refusals(scene):
            listed = "\n".join(f"  - {reason}" for reason in refused)
            raise RefusedError(
                f"GO is refused:\n{listed}", hint="mend these, or decide NO-GO; nobody can override them"
            )
        _as_shown(scene, root)
        said = Decision(
            launch=scene.launch,
            role=hand.role.id,
            person=hand.role.person,
            decision="go",
            signed_at=timestamp(scene.now),
            reason=verdict.text,
        )
        data: Json = {
            "decision": "go",
            "by": said.person,
            "reason": said.reason,
            **_decided(scene, hand, said, root),
        }
        made = entry(scene, DECIDED, data)
        return [*_renewed(scene), replace(made, key=scene.course.key("decision"))]

    return choose


def _refusals(scene: Scene) -> list[str]:
    return refusals(scene.plan, scene.events, scene.claims, scene.now, scene.course.clock(scene.now))


def _no_go(hand: Hand, verdict: Verdict) -> Choose:
    given = uuid4().hex

    def choose(scene: Scene) -> Sequence[Entry]:
        permit(Deed.NO_GO, scene.course, scene.plan, hand.role, Matter())
        order = Order(
            given,
            Act.NO_GO,
            hand.role.person,
            verdict.text,
            verdict.category,
            verdict.new_t0,
            verdict.unscheduled,
        )
        first, *rest = ordered(scene.course, order, scene.now, scene.plan)
        said = Decision(
            launch=scene.launch,
            role=hand.role.id,
            person=hand.role.person,
            decision="no-go",
            signed_at=timestamp(scene.now),
            reason=verdict.text,
            new_t0=None if verdict.new_t0 is None else timestamp(verdict.new_t0),
            category=str(verdict.category),
        )
        polled = shown(scene.events)
        root = None if polled is None else evidence_root(polled)[1]
        return [replace(first, data={**first.data, **_decided(scene, hand, said, root)}), *rest]

    return choose


def _decided(scene: Scene, hand: Hand, said: Decision, root: str | None) -> Json:
    statement = decision_statement(said, scene.evidence.release, root)
    return {"role": said.role, "simulated": False, "envelope": sign_statement(hand.signer, statement)}


def _as_shown(scene: Scene, root: str) -> None:
    """Raise unless the evidence is what the person was shown."""
    if evidence_root(scene.evidence)[1] != root:
        raise OutOfSequenceError(
            "what you were shown has changed meanwhile", hint="type it again and look at what is shown then"
        )


def _renewed(scene: Scene) -> list[Entry]:
    """The evidence as it is now, where it is not what was shown to the last one."""
    now, before = scene.evidence, shown(scene.events)
    if before is not None and evidence_root(before) == evidence_root(now):
        return []
    return [entry(scene, RENEWED, {"evidence": now.document(), "root": evidence_root(now)[1]})]

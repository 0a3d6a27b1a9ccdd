"""A clearance: what other ways of deploying ask for, so that none goes round launch control.

Only a GO that stands gives one, from T-0 on and for minutes. It is an in-toto Statement whose subjects are the digests
that may be deployed, so that whoever admits them needs nothing but the trust root.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tminus.domain import fields
from tminus.domain.attestation import STATEMENT, Json
from tminus.domain.canonical import instant, timestamp
from tminus.domain.course import ORDERED, Course, course_of
from tminus.domain.offsets import clock
from tminus.domain.record import ENDED, OPENED, Event
from tminus.domain.report import SignedStatement
from tminus.domain.rollout import NO_TARGET, State
from tminus.domain.trust import KeyKind, TrustRoot
from tminus.domain.validity import GRACE
from tminus.errors import OutOfSequenceError, RecordError, RefusedError

CLEARANCE = "https://tminus.dev/clearance/v1"

LASTS = 900.0
"""Seconds from T-0 for which a clearance admits, where the record does not say how long a GO holds. What has not begun
by then needs a new date."""

_UNDER_WAY = frozenset({State.GO, State.LAUNCHING, State.SOAKING})
_BACK = {"abort", "rollback"}
_BEFORE_GO = frozenset({State.COUNTING, State.POLLING})
_HINT = "ask for a new one: tminus clearance LAUNCH"


@dataclass(frozen=True, slots=True)
class Clearance:
    """What may be deployed, where, and when."""

    launch: str
    environment: str
    release: Mapping[str, str]
    """SHA-256 of each component's image, in hex."""
    head: str
    """SHA-256 of the last line of the record that it was given by."""
    given_at: str
    begins: str
    """T-0: not before."""
    ends: str
    """Not from this instant on."""


def clearance(events: Sequence[Event], now: float) -> Clearance | None:
    """The clearance of a launch at an instant in seconds of the epoch; none while it may still come.

    The record must have been verified. Raises `OutOfSequenceError` where none can come any more: without GO, after an
    abort or a rollback, or too late; `RecordError` for a record that does not say where its launch takes place.
    """
    course = course_of(events)
    # Who signed has signed the digest of this line, so that nobody moves a GO to another release or another place.
    opened = next(event.data for event in events if event.type == OPENED)
    launch = fields.text(opened, "launch")
    if course.phase in _BEFORE_GO or (course.phase in _UNDER_WAY and not _come(course, now)):
        return None
    _check_standing(course, events)
    t0 = course.t0 if course.t0 is not None else now
    lasts = fields.number(opened, "valid_ms") / 1000 if "valid_ms" in opened else LASTS
    _check_near(course, t0, now, lasts)
    return Clearance(
        launch=launch,
        environment=fields.text(opened, "environment"),
        release={name: str(digest) for name, digest in fields.table(opened, "release").items()},
        head=events[-1].digest,
        given_at=timestamp(now),
        begins=timestamp(t0),
        ends=timestamp(t0 + lasts),
    )


def _check_near(course: Course, t0: float, now: float, lasts: float) -> None:
    """Raise unless GO was decided near this T-0, and it is not long past."""
    again = "give the launch a new date, and have it decided again"
    given = course.decided if course.phase is State.GO and course.speed == 1 else None
    if given is not None and t0 - given > lasts + GRACE:
        decided = clock(given - t0)
        raise OutOfSequenceError(
            f"T-0 was moved: its GO was decided at {decided} and holds from {clock(-lasts)} on", hint=again
        )
    if now >= t0 + lasts:
        raise OutOfSequenceError(f"it is {clock(now - t0)}, and the GO held until {clock(lasts)}", hint=again)


def _come(course: Course, now: float) -> bool:
    return course.t0 is not None and course.held is None and now >= course.t0


def _check_standing(course: Course, events: Sequence[Event]) -> None:
    """Raise unless GO stands: the launch acts, or it ended at T-0 since others act in its place."""
    rules = [event.data.get("rule") for event in events if event.type == ENDED]
    called_back = any(event.type == ORDERED and event.data.get("order") in _BACK for event in events)
    if course.phase in _UNDER_WAY and course.leaving is None:
        return
    if course.phase is State.ABORTED and rules == [NO_TARGET] and not called_back:
        return
    stands = f"on its way to {course.leaving}" if course.leaving else course.phase
    raise OutOfSequenceError(
        f"no GO stands: the launch is {stands}", hint="nothing may be deployed; see `tminus status`"
    )


def clearance_statement(given: Clearance) -> Json:
    """What the server signs."""
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": name, "digest": {"sha256": digest}} for name, digest in sorted(given.release.items())
        ],
        "predicateType": CLEARANCE,
        "predicate": {
            name: getattr(given, name)
            for name in ("launch", "environment", "head", "given_at", "begins", "ends")
        },
    }


def read_clearance(signed: SignedStatement, trust: TrustRoot) -> Clearance:
    """The clearance in an envelope; raises `RecordError` unless a server whom the trust root knows gave it then."""
    if signed.statement.get("predicateType") != CLEARANCE:
        raise RecordError(
            "this is signed, but no clearance", hint="name the file that `tminus clearance` wrote"
        )
    predicate = fields.table(signed.statement, "predicate")
    given = Clearance(
        release={
            fields.text(row, "name"): fields.text(fields.table(row, "digest"), "sha256")
            for row in fields.rows(signed.statement, "subject")
        },
        **{name: fields.text(predicate, name) for name in Clearance.__slots__ if name != "release"},
    )
    if clearance_statement(given) != signed.statement:
        raise RecordError("the clearance is not written as tminus writes it", hint=_HINT)
    trust.signer(signed.keyid, KeyKind.SERVER, given.given_at)
    if not instant(given.begins) <= instant(given.given_at) < instant(given.ends):
        raise RecordError("the clearance was given when it did not hold", hint="do not trust it")
    return given


def admit(given: Clearance, wanted: Mapping[str, str], environment: str, now: float) -> None:
    """Raise `RefusedError` unless these digests, SHA-256 in hex by component, may be deployed there at this instant."""
    if given.environment != environment:
        raise RefusedError(
            f"the clearance is for {given.environment}, not for {environment}",
            hint="nothing may be deployed there",
        )
    for name, digest in wanted.items():
        cleared = given.release.get(name)
        if cleared != digest:
            instead = f"sha256:{cleared}" if cleared else "nothing"
            raise RefusedError(
                f"{name} sha256:{digest} is not cleared: for {name} it is {instead}",
                hint="deploy what was decided upon, or launch the other release",
            )
    if now < instant(given.begins):
        raise RefusedError(
            f"the clearance holds from {given.begins} on", hint="wait; compare this machine's clock"
        )
    if now >= instant(given.ends):
        raise RefusedError(f"the clearance has ended at {given.ends}", hint=_HINT)

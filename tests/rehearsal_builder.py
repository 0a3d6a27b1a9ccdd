"""Rehearsals as tests need them: whole ones, in which one thing after the other is broken."""

from collections.abc import Mapping
from typing import Any

from tminus.domain.canonical import timestamp
from tminus.domain.evidence import Verdict
from tminus.domain.rehearsal import FORMAT, SUBJECTS, Crossed, Drill, Rehearsal, WayBack

OLD, NEW = "sha256:" + "a" * 64, "sha256:" + "b" * 64
ENDED = 1_800_000_000.0


def way_back(**more: Any) -> WayBack:
    given: dict[str, Any] = {
        "ordered_by": "a2",
        "zero_seconds": 0.2,
        "served_seconds": 6.5,
        "digest": OLD,
        "weight": 100,
        "up": True,
        "smoke_failures": (),
        "written": 12,
        "lost": (),
    }
    return WayBack(**given | more)


def a_drill(subject: str, definition: str = "as it is", **more: Any) -> Drill:
    given: dict[str, Any] = {
        "subject": subject,
        "definition": definition,
        "fault": "a fifth of green's answers are errors",
        "weight": 50,
        "hold_seconds": 300.0,
        "shortened": False,
        "verdict": Verdict.PASSED,
        "why": "it fired, and the old release serves everybody again",
        "injected": timestamp(ENDED - 400),
        "fired": timestamp(ENDED - 84.5),
        "action": "rollback",
        "fired_seconds": 315.5,
        "zero_seconds": 315.7,
        "served_seconds": 322.0,
        "requests": 2500,
        "failed": 250,
        "slow": 0,
        "others": (Crossed("a2", 8.25),),
        "back": way_back(),
    }
    return Drill(**given | more)


def rehearsal(*drills: Drill, at: float = ENDED, pair: tuple[str, str] = (OLD, NEW)) -> Rehearsal:
    return Rehearsal(
        format=FORMAT,
        by="dario",
        tminus="0.1.0",
        began=timestamp(at - 420),
        ended=timestamp(at),
        plan="depot on one machine",
        plan_digest="c" * 64,
        previous=pair[0],
        release=pair[1],
        definitions="d" * 64,
        drills=drills,
    )


def whole(defined: Mapping[str, str], at: float = ENDED) -> Rehearsal:
    """Everything fired, and every way back was whole."""
    return rehearsal(*(a_drill(subject, defined[subject]) for subject in SUBJECTS), at=at)

"""By when people have to have spoken: what fails a line of which nobody spoke in time, and that no absence is harm."""

from collections.abc import Iterable, Mapping, Sequence

from tminus.domain.attempts import in_force
from tminus.domain.course import course_of
from tminus.domain.evidence import Verdict
from tminus.domain.offsets import clock, named
from tminus.domain.plan import Check, Severity
from tminus.domain.record import Event

LATE = "late_s"
"""Among what is seen of a person's word: by how many seconds it, or one beside it, came too late, and nothing else."""
LACKING = "lacking"
"""Among what is seen of a line of which nobody spoke in time: what is lacking, where it asks for several things."""
ITEM = "item"
"""Among what is seen of a person's word: of which of the line's things it is said."""
ABSENT = "absent"
"""Instead of a verdict: a line failed since nobody spoke of it in time, which rolls nothing back."""
REACHED = "milestone.reached"
"""The event from which on people can be asked for what is due then."""


def is_promotion(event: Event) -> bool:
    """Whether all users are on green with this event: from now on people can say how green does."""
    return event.type == "step.done" and event.data.get("step") == "promote"


def ends(due: float, until: float, reached: float) -> float:
    """When people's time is over, from T-0: as long after the milestone as planned, however late that was reached."""
    return max(until, reached + until - due)


def late(check: Check, events: Sequence[Event], now: float) -> int:
    """By how many whole seconds the time is over by which somebody has to have spoken; 0 while it is not.

    `now` is in seconds of the epoch. Nobody is late before the line's milestone was reached, nor by a held clock.
    """
    t = course_of(events).clock(now) if check.until is not None else None
    name = clock(check.due)
    reached = [
        event.t_ms / 1000
        for event in in_force(events)
        if event.type == REACHED and event.data.get("milestone") == name and event.t_ms is not None
    ]
    if check.until is None or t is None or not reached:
        return 0
    return max(0, int(t - ends(check.due, check.until, reached[-1])))


def why(check: Check, lacking: Sequence[str]) -> str:
    """What fails a line of which nobody has spoken in time; `lacking` names its things, where it asks for several."""
    assert check.until is not None  # noqa: S101 - such a line only is overdue
    of = f" of {', '.join(lacking)}" if lacking else ""
    return (
        f"until {named(check.until)} {check.owner} had to say it{of}, and has not: {check.note.rstrip('.')}; "
        "look now, and `tminus rollback` if anything is wrong; `tminus attest` says that it is late"
    )


def harmless(seen: Mapping[str, object]) -> bool:
    """Whether a person's line that failed did so for a word that came too late, or for none: nobody saw harm."""
    return bool(seen.get(LATE)) or LACKING in seen


def for_the_rollout(
    checks: Sequence[Check], verdicts: Mapping[str, Verdict], absent: Iterable[str]
) -> dict[str, str]:
    """What each line's verdict means for what is rolled out: as it is, but for failures that are nobody's harm.

    `absent` are the lines themselves that failed so. A roll-up that fails by nothing else is `ABSENT` like them, and
    unknown while a part of it is that closes anything.
    """
    told = {name: verdict.value for name, verdict in verdicts.items()} | dict.fromkeys(absent, ABSENT)
    rolled_up = [check for check in checks if check.of and verdicts.get(check.id) is Verdict.FAILED]
    closing = {check.id for check in checks if check.severity is not Severity.ADVISORY}
    for _ in rolled_up:  # a roll-up of roll-ups takes a pass for each
        for check in rolled_up:
            parts = {part: told.get(part, Verdict.INCONCLUSIVE.value) for part in check.of}
            if Verdict.FAILED.value not in parts.values():
                unknown = [part for part, said in parts.items() if said != ABSENT and not Verdict(said).known]
                told[check.id] = Verdict.INCONCLUSIVE.value if closing & {*unknown} else ABSENT
    return told

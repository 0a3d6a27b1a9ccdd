"""By when people have to have spoken: what fails a line of which nobody spoke in time, and that no absence is harm."""

from collections.abc import Iterable, Mapping, Sequence

from tminus.domain.course import Course
from tminus.domain.evidence import Verdict
from tminus.domain.offsets import named
from tminus.domain.plan import Check

AGAINST = "against"
"""Among what is seen of a person's word: that somebody said of the line that it does not hold."""
ITEM = "item"
"""Likewise: of which of the line's things it is said."""
ABSENT = "absent"
"""Instead of a verdict: a line failed since nobody spoke of it in time, which rolls nothing back."""


def late(check: Check, course: Course, now: float) -> int:
    """By how many whole seconds the time is over by which somebody has to have spoken; 0 while it is not.

    `now` is in seconds of the epoch. While people hold the clock it stands, and nobody is late by that.
    """
    t = course.clock(now)
    return 0 if check.until is None or t is None else max(0, int(t - check.until))


def why(check: Check, lacking: Sequence[str]) -> str:
    """What fails a line of which nobody has spoken in time; `lacking` names its things, where it asks for several."""
    assert check.until is not None  # noqa: S101 - such a line only is overdue
    of = f" of {', '.join(lacking)}" if lacking else ""
    return (
        f"until {named(check.until)} {check.owner} had to say it{of}, and has not: {check.note.rstrip('.')}; look now: "
        "`tminus rollback` if anything is wrong, else `tminus attest`"
    )


def harmless(seen: Mapping[str, object]) -> bool:
    """Whether a person's line that failed did so for a word that came too late, or not at all: nobody saw harm."""
    return not seen.get(AGAINST)


def for_the_rollout(
    checks: Iterable[Check], verdicts: Mapping[str, Verdict], absent: Iterable[str]
) -> dict[str, str]:
    """What each line's verdict means for what is rolled out: as it is, but for failures that are nobody's harm.

    `absent` are the lines themselves that failed so. A roll-up that fails by nothing else is `ABSENT` like them, and
    unknown while a part of it is.
    """
    told = {name: verdict.value for name, verdict in verdicts.items()} | dict.fromkeys(absent, ABSENT)
    rolled_up = [check for check in checks if check.of and verdicts.get(check.id) is Verdict.FAILED]
    for _ in rolled_up:  # a roll-up of roll-ups takes a pass for each
        for check in rolled_up:
            parts = {told.get(part, Verdict.INCONCLUSIVE.value) for part in check.of}
            if Verdict.FAILED.value not in parts:
                unknown = any(part != ABSENT and not Verdict(part).known for part in parts)
                told[check.id] = Verdict.INCONCLUSIVE.value if unknown else ABSENT
    return told

"""The same view of a launch that was ended where it stood: nothing fired, and nothing was set back to blue."""

from dataclasses import replace

from tminus.picture.course import Course
from tminus.picture.rolledback import Fact, Next, RolledBack, weight_before
from tminus.picture.traffic import Traffic
from tminus.picture.words import plural

_NEVER = ("Traffic seen on blue", "Blue shown to serve what it served", "Green drained and stopped")
"""What follows a rollback, and so did not follow here."""

_UNBEGUN = "It ended before anything of the service was changed: users are where it found them."
_STAGE = "Nothing was set back to blue; unless it is kept, the stage serves nobody now."


def cut_short(course: Course, traffic: Traffic, back: RolledBack) -> RolledBack:
    """The view without what only a rollback has; figures of the traffic are those of the trace."""
    ended = course.ended
    text = str(ended.data.get("text", "")) if ended else ""
    # One that the launch itself ended, before it had seen its users on blue, has the rule by which it did.
    begun = "initiate" in course.steps or not (ended and ended.data.get("rule"))
    return replace(
        back,
        lead=_lead(weight_before(course) or 0, traffic) if begun else _UNBEGUN,
        note=_STAGE if begun else "Blue and green stand as they stood before.",
        facts=_facts(weight_before(course) or 0, traffic),
        fired=replace(back.fired, rule="", text=text, evidence="", trigger=""),
        nexts=(
            *(Next("na", "n/a", each, "the launch was ended where it stood") for each in _NEVER),
            *(each for each in back.nexts if each.text == "The record is sealed"),
        ),
        sign="void",
        why="Why it ended",
    )


def _lead(weight: int, traffic: Traffic) -> str:
    counts = traffic.guard.counts
    side, tally = ("Green", counts.green) if weight else ("Blue", counts.blue)
    had = f"{weight} % of the traffic" if weight else "all of the traffic"
    return f"{side} had {had}, and {tally.failed:,} of its {plural(tally.requests, 'request')} failed."


def _facts(weight: int, traffic: Traffic) -> tuple[Fact, ...]:
    counts = traffic.guard.counts
    failed = counts.green.failed + counts.blue.failed + counts.unserved
    return (
        Fact(f"{failed:,}", "", "failed user requests, by the trace"),
        Fact(f"{counts.green.failed:,} of {counts.green.requests:,}", "", "failed on green"),
        Fact(str(weight), "%", "on green when it ended"),
        Fact(f"{counts.blue.failed:,}", "", "failed on blue"),
    )

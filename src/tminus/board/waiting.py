"""Who is waited for, for what, and what to type: the part of the board that people act on. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from tminus.domain.canonical import instant
from tminus.domain.course import UNPROVEN
from tminus.domain.plan import Kind
from tminus.picture.course import Course, View
from tminus.picture.lines import BLOCKING, Line, rank
from tminus.picture.view import Picture
from tminus.picture.words import claim, plural, spent


@dataclass(frozen=True, slots=True)
class Question:
    """What the board asks its viewer now."""

    text: str
    typed: str
    """What was typed so far."""
    help: tuple[str, ...]
    """Which keys answer, and what happens then, a line each."""
    urgent: bool = False
    """Whether it is about giving the launch up; one key answers that, and nothing is typed."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that someone is waited for."""

    sign: str
    what: str
    why: str
    do: str
    """What to do or to type; empty where only time helps."""
    who: str = ""
    """Who answers for it."""
    by_itself: bool = False
    """Whether no person is needed: only time is."""


def needs(shown: Picture) -> tuple[Need, ...]:
    """What needs someone now, the most pressing first; nothing after the end."""
    course = shown.course
    if course.outcome:
        return ()
    return (*_decision(course), *_held(course), *_parts(course), *_lines(shown), *_votes(course))


def _decision(course: Course) -> Iterator[Need]:
    if course.proposed is not None:
        do = "tminus reschedule T0 --reason WHY   or   tminus scrub --reason WHY"
        yield Need("wait", "a new date, or the end of it", "no GO holds", do)
    if course.decision is None and "not yet" in course.expedited:
        path = course.opened["expedited"]
        do = f"tminus expedite {course.launch} --role {path['second_role']}"
        yield Need("wait", "the second person's word", course.expedited, do, str(path["second"]))
    asked = course.last("decision.asked")
    if asked is not None and course.decision is None:
        minutes = asked.data["minutes"]
        yield Need("wait", "GO or NO-GO?", f"nobody's word within {minutes} minutes is NO-GO", "")


def _held(course: Course) -> Iterator[Need]:
    held = course.held
    if held is None:
        return
    rule = str(held.data["rule"])
    if rule == "hold.errors" or rule.startswith("trigger."):
        do = "tminus resume --reason WHY   or   tminus rollback --reason WHY"
    elif rule == UNPROVEN:
        do = "mend it, then tminus resume --reason WHY   or   tminus abort --reason WHY"
    else:
        do = "ends by itself when it can be seen again; or tminus rollback --reason WHY"
    # Why it is held stands at the head of the board.
    yield Need("hold", f"held at {held.data['where']} by {rule}", "", do)


def _parts(course: Course) -> Iterator[Need]:
    """Parts that died: the supervisor starts them again as often as it may."""
    for part, event in course.away.items():
        if event.type == "part.left":
            do = "start it by hand, or tminus rollback --reason WHY"
            yield Need("failed", f"part {part} is away", str(event.data["text"]), do)
        else:
            yield Need("failed", f"part {part} is away", "it is being started again", "")


def _lines(shown: Picture) -> Iterator[Need]:
    """Lines that stand in the way, each with what to do, and those that are due and not seen yet, together.

    Once traffic is back on blue the launch is over but for its end, and nobody mends a line for it.
    """
    if shown.view is View.ROLLED_BACK:
        return
    blocking = [line for line in shown.lines if line.stands in BLOCKING]
    for line in sorted(blocking, key=lambda line: (rank(line.stands), line.check.due)):
        check = line.check
        who = f"{check.person}{' (simulated)' if check.simulated else ''}" if check.person else check.owner
        yield Need(line.stands, f"{check.id} {check.text}", claim(line.why), check.hint, who)
    yield from (
        Need("warned", f"{line.check.id} {line.check.text}", _awaited(line), need.command, need.who)
        for line in shown.lines
        if (need := line.awaited)
    )
    yield from _due(shown)


def _due(shown: Picture) -> Iterator[Need]:
    """Lines that are due and not seen yet: a real person's word is waited for, everything else is being looked at."""
    t = shown.moment.t
    due = [line.check for line in shown.lines if line.stands == "pending" and line.check.due <= t]
    due = [check for check in due if check.kind not in {Kind.SIGNATURE, Kind.ROLLUP}]
    words = [check for check in due if check.kind is Kind.PERSON and not check.simulated]
    if words:
        what = f"{plural(len(words), 'line waits', 'lines wait')} for a person's word"
        yield Need("pending", what, ", ".join(check.id for check in words), "")
    looked = [check.id for check in due if check not in words]
    if looked:
        what = f"{plural(len(looked), 'line')} being looked at{_so_far(shown)}"
        yield Need("wait", what, ", ".join(looked), "", by_itself=True)


def _so_far(shown: Picture) -> str:
    """For how long, as far as the record says when it began; nothing where it does not."""
    reached = shown.course.last("milestone.reached")
    return f" for {spent(max(0.0, shown.moment.at - instant(reached.at)))}" if reached else ""


def _awaited(line: Line) -> str:
    return f"GO waits until somebody acknowledges: {claim(line.why)}"


def _votes(course: Course) -> Iterator[Need]:
    """The signatures that the poll still waits for, in one line: each role's word stands in the poll itself."""
    if course.decision is None and course.proposed is None and course.last("poll.opened") is not None:
        asked = [vote for vote in course.votes if not vote["word"]]
        if asked:
            who = ", ".join(f"{vote['title']}{' (simulated)' if vote['simulated'] else ''}" for vote in asked)
            alone = all(vote["simulated"] for vote in asked)
            yield Need("wait", f"{plural(len(asked), 'signature')} to come", who, "", by_itself=alone)

"""What follows from how the common database stands: findings, each with what it means and what to do now."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from tminus.domain.health import UNDER_WAY, Finding, Grade, Heart, OpenLaunch, Schema, Survey, Waiting
from tminus.domain.orders import BEFORE_GO
from tminus.domain.rollout import State

SLOW = 30.0
"""Seconds for which a launch, or a milestone, may wait for a worker that lives before somebody should look."""
UNHEARD = 60.0
"""Seconds for which a message may wait: a launch hears it between two steps, and a step takes its time."""
APART = 1.0
"""Seconds by which clocks may differ: half of what a milestone may be late."""
FAR_APART = 30.0
"""Seconds beyond which milestones, and the age of what was observed, are plainly wrong."""
LITTLE = 1024**3
"""Bytes of disk below which somebody should make room; a launch with its record and evidence takes some megabytes."""
TOO_LITTLE = 64 * 1024**2
"""Bytes of disk below which launches are about to stop."""
MISSED = 2.0
"""How many heartbeats may be missed before a worker counts as late."""
LISTED = 4
"""Workers that are named in one line; the rest is counted."""

_WORKER = "start one: `tminus worker`"


@dataclass(frozen=True, slots=True)
class Pulse:
    """How hearts are judged."""

    beat: float
    """Seconds between two heartbeats."""
    ttl: float
    """Seconds after which a heart that stands still is dead."""

    def alive(self, heart: Heart) -> bool:
        """Whether this process may be running launches."""
        return not heart.buried and heart.age <= self.ttl

    def late(self, heart: Heart) -> bool:
        """Whether it lives, and its heartbeat is overdue."""
        return self.alive(heart) and heart.age > MISSED * self.beat


def findings(survey: Survey, pulse: Pulse) -> list[Finding]:
    """Everything that the survey says, in the order in which one would mend it."""
    schema = of_schema(survey.schema)
    if not survey.schema.right:
        unread = "not looked at: the tables are not those of this tminus"
        blind = [Finding(name, Grade.UNKNOWN, unread) for name in ("workers", "launches", "queues", "outbox")]
        return [schema, *blind, *_clocks(survey, pulse), _disk(survey.free)]
    return [
        schema,
        *_workers(survey, pulse),
        *_launches(survey, pulse),
        *_queues(survey, pulse),
        _outbox(survey.outbox),
        *_clocks(survey, pulse),
        _disk(survey.free),
    ]


def duration(seconds: float) -> str:
    """Seconds as a person reads them: `0.4 s`, `42 s`, `3 min`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"


def of_schema(schema: Schema) -> Finding:
    """Whether this tminus can work with the tables of a database."""
    here, migrate = schema.revision, "`tminus database migrate`; starting a worker does the same"
    if here is None:
        return Finding("schema", Grade.FAILED, "the database has no tables of tminus", migrate)
    if here not in schema.known:
        ahead = f"the tables are at {here}, which this tminus does not know: they are of a newer one"
        return Finding("schema", Grade.FAILED, ahead, "use the tminus that wrote them, or a newer one")
    if schema.behind:
        behind = f"the tables are at {here}, behind {schema.needed}, which this tminus needs"
        return Finding("schema", Grade.FAILED, behind, migrate)
    if schema.waits:
        waits = f"{here} is right; {schema.known[-1]} waits until no earlier tminus runs"
        return Finding("schema", Grade.WARNING, waits, "`tminus database migrate --post` when none does")
    return Finding("schema", Grade.OK, f"{here}, which is what this tminus needs; no migration waits")


def _workers(survey: Survey, pulse: Pulse) -> Iterator[Finding]:
    hearts = survey.hearts or ()
    alive = [heart for heart in hearts if pulse.alive(heart)]
    late = [heart for heart in alive if pulse.late(heart)]
    dead = [heart for heart in hearts if not heart.buried and not pulse.alive(heart)]
    gone = sum(heart.buried for heart in hearts)
    ended = f"; {gone} ended" if gone else ""
    if not alive:
        grade = Grade.FAILED if survey.launches else Grade.WARNING
        count = len(survey.launches or ())
        those = "open launch" if count == 1 else f"{count} open launches"
        whose = f": nobody runs the {those}" if count else ""
        yield Finding("workers", grade, f"no worker lives{whose}{ended}", _WORKER)
    else:
        yield Finding("workers", Grade.OK, f"{len(alive)} alive: {_ages(alive)}{ended}")
    if late:
        says = f"late with the next heartbeat: {_ages(late)}"
        do = f"look at their machines; others take their launches after {pulse.ttl:g} s of silence"
        yield Finding("workers", Grade.WARNING, says, do)
    if dead:
        do = "a living worker takes their launches within seconds" if alive else _WORKER
        yield Finding("workers", Grade.WARNING, f"dead, and not buried yet: {_ages(dead)}", do)


def _ages(hearts: Sequence[Heart]) -> str:
    named = ", ".join(f"{heart.executor} {duration(max(0.0, heart.age))} ago" for heart in hearts[:LISTED])
    return named + (f" and {len(hearts) - LISTED} more" if len(hearts) > LISTED else "")


def _launches(survey: Survey, pulse: Pulse) -> Iterator[Finding]:
    launches = survey.launches or ()
    alive = {heart.executor for heart in survey.hearts or () if pulse.alive(heart)}
    told = [found for launch in launches if (found := _launch(launch, survey.now, alive)) is not None]
    if not launches:
        yield Finding("launches", Grade.OK, "none is open")
    elif not told:
        yield Finding("launches", Grade.OK, f"{len(launches)} open, each is run and none is late")
    yield from sorted(told, key=lambda found: found.grade is not Grade.FAILED)


def _launch(launch: OpenLaunch, now: float, alive: AbstractSet[str]) -> Finding | None:
    """What is wrong with one launch; nothing where nothing is."""
    name, late = launch.id, launch.late(now)
    if launch.course is None:
        says = f"{name}: its record cannot be followed"
        return Finding("launches", Grade.FAILED, says, "restore the database from its backup")
    if launch.state and launch.state not in UNDER_WAY:
        says = f"{name} stopped by an error of its own ({launch.state.lower()}): nobody goes on with it"
        do = f"report it with the record; roll back by hand where it is {State.LAUNCHING} or {State.SOAKING}"
        return Finding("launches", Grade.FAILED, says, do)
    run = launch.state == "PENDING" and launch.executor in alive
    if run or (launch.state and launch.state != "PENDING" and alive):
        if late is None or late[1] <= SLOW:
            return None
        whose = f"{launch.executor} runs it" if run else "it waits to be taken by a worker"
        says = f"{name}: {late[0]} is late by {duration(late[1])}; {whose}"
        return Finding("launches", Grade.WARNING, says, f"see what it does: `tminus status {name}`")
    return _left(launch, now)


def _left(launch: OpenLaunch, now: float) -> Finding:
    """A launch that nobody runs."""
    name, course = launch.id, launch.course
    late, due = launch.late(now), launch.due()
    if late is not None:
        says = f"{name}: {late[0]} is late by {duration(late[1])} and nobody runs it"
        return Finding("launches", Grade.FAILED, says, _WORKER)
    if course is not None and course.phase not in BEFORE_GO | {State.POSTPONED}:
        says = f"{name} is {course.phase} and nobody runs it: nobody judges its traffic"
        return Finding("launches", Grade.FAILED, says, _WORKER + ", or roll back by hand")
    when = f"{due[0]} is due in {duration(due[1] - now)}" if due else "when it is due cannot be told now"
    return Finding("launches", Grade.WARNING, f"nobody runs {name}; {when}", _WORKER)


def _queues(survey: Survey, pulse: Pulse) -> Iterator[Finding]:
    if survey.queues is None:
        says = "the engine has no tables here: no worker was ever started"
        yield Finding("queues", Grade.UNKNOWN, says, _WORKER)
        return
    if not survey.queues:
        yield Finding("queues", Grade.OK, "nothing waits to be taken by a worker")
    lives = any(pulse.alive(heart) for heart in survey.hearts or ())
    for name, waiting in sorted(survey.queues.items()):
        says = f"{name}: {_counted(waiting)}"
        if waiting.oldest <= SLOW:
            yield Finding("queues", Grade.OK, says)
        elif lives:
            yield Finding("queues", Grade.WARNING, says, "the workers do not keep up: start another")
        else:
            yield Finding("queues", Grade.FAILED, f"{says}, and no worker lives", _WORKER)


def _outbox(outbox: Waiting | None) -> Finding:
    if outbox is None:
        return Finding("outbox", Grade.UNKNOWN, "the engine has no tables here", _WORKER)
    if not outbox.count:
        return Finding("outbox", Grade.OK, "every order has reached its launch")
    if outbox.oldest <= UNHEARD:
        return Finding("outbox", Grade.OK, f"orders on their way: {_counted(outbox)}")
    do = "see what the launches do that do not hear: `tminus status`"
    return Finding("outbox", Grade.WARNING, f"orders that no launch has heard: {_counted(outbox)}", do)


def _counted(waiting: Waiting) -> str:
    return f"{waiting.count} for {duration(waiting.oldest)} at most"


def _clocks(survey: Survey, pulse: Pulse) -> Iterator[Finding]:
    apart = max(0.0, abs(survey.ahead) - survey.doubt)
    yield _clock("this machine", survey.ahead, apart, f", give or take {duration(survey.doubt)}")
    for heart in survey.hearts or ():
        if not pulse.alive(heart):
            continue
        if heart.ahead is None:
            says = f"{heart.executor} does not tell its clock"
            yield Finding("clocks", Grade.UNKNOWN, says, "replace it by a worker of this tminus")
        elif abs(heart.ahead) > APART:
            yield _clock(heart.executor, heart.ahead, abs(heart.ahead), "")


def _clock(whose: str, ahead: float, apart: float, doubt: str) -> Finding:
    grade = Grade.OK if apart <= APART else Grade.WARNING if apart <= FAR_APART else Grade.FAILED
    side = "ahead of" if ahead > 0 else "behind"
    says = f"{whose} is {duration(abs(ahead))} {side} the database{doubt}"
    if grade is Grade.OK:
        return Finding("clocks", grade, says)
    return Finding("clocks", grade, f"{says}: milestones come that much off", "set both by NTP")


def _disk(free: int | None) -> Finding:
    if free is None:
        says = "the disk of a PostgreSQL server cannot be seen from here"
        return Finding("disk", Grade.UNKNOWN, says, "watch it where the server runs")
    says = f"{free / 1024**3:.1f} GiB free beside the database"
    if free >= LITTLE:
        return Finding("disk", Grade.OK, says)
    grade = Grade.WARNING if free >= TOO_LITTLE else Grade.FAILED
    what = f"{free / 1024**2:.0f} MiB free beside the database: a full disk stops every launch"
    return Finding(
        "disk", grade, what, "make room, or move the database; `tminus database prune` removes old launches"
    )

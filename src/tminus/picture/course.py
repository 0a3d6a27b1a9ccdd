"""How far a launch has come, read from its events: its phase, its view, its clock, its weight, its holds.

Pure: the same events give the same answer, so a page that was away catches up by reading them again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from tminus.domain.canonical import instant
from tminus.domain.course import PROPOSED, RESCHEDULED, UNPROVEN
from tminus.domain.delegation import DELEGATED
from tminus.domain.expedition import EXPEDITED
from tminus.domain.record import CHECKPOINT, ENDED, Event
from tminus.domain.rollout import State

Data = Mapping[str, Any]

SHIFT = "shift "
"""How the steps begin that set a weight."""
ROLLED_BACK = ("rolled-back", "aborted")
"""The outcomes of a launch whose traffic went back to blue."""


class Happened(Protocol):
    """An event whose data are read as what its writer made them."""

    @property
    def seq(self) -> int:
        """Counted from 0."""
        ...

    @property
    def at(self) -> str:
        """When it was recorded."""
        ...

    @property
    def t_ms(self) -> int | None:
        """Milliseconds from T-0."""
        ...

    @property
    def type(self) -> str:
        """What kind of event it is."""
        ...

    @property
    def data(self) -> Data:
        """What happened."""
        ...

    @property
    def line(self) -> int:
        """Its line number in an exported record."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 of its line."""
        ...


class View(StrEnum):
    """Which of the page's views a launch is in."""

    COUNTDOWN = "countdown"
    LIFTOFF = "liftoff"
    ROLLED_BACK = "rolledback"


@dataclass(frozen=True, slots=True)
class Course:
    """What the events say about the launch as a whole."""

    opened: Data
    events: Sequence[Event] = field(repr=False)

    @property
    def happened(self) -> Sequence[Happened]:
        """The events, to read their data."""
        return self.events

    def of(self, kind: str) -> list[Happened]:
        """The events of one type, in order."""
        return [event for event in self.happened if event.type == kind]

    def last(self, kind: str) -> Happened | None:
        """The newest event of one type."""
        return next((event for event in reversed(self.happened) if event.type == kind), None)

    @property
    def launch(self) -> str:
        """The launch's id."""
        return str(self.opened["launch"])

    @property
    def outcome(self) -> str:
        """How it ended; empty while it has not."""
        ended = self.last(ENDED)
        return str(ended.data["outcome"]) if ended else ""

    @property
    def decision(self) -> Happened | None:
        """GO or NO-GO, once it was decided for the date that the launch has now, and while it has not expired."""
        made, proposed = self._since_dated("decision.made"), self._since_dated(PROPOSED)
        return None if made and proposed and proposed.seq > made.seq else made

    @property
    def proposed(self) -> Happened | None:
        """The NO-GO that nobody has signed, where no GO held at T-0; the launch waits for a new date."""
        return None if self.decision else self._since_dated(PROPOSED)

    @property
    def asked(self) -> Happened | None:
        """The question that a person's GO or NO-GO is waited for with; nothing once there is an answer or an end."""
        return None if self.decision or self.proposed or self.outcome else self._since_dated("decision.asked")

    @property
    def stands(self) -> Happened | None:
        """Who stopped the clock, and why; nothing while it runs."""
        held = self._since_dated("clock.held")
        resumed = self.last("clock.resumed")
        if held is None or self.outcome or (resumed and resumed.seq > held.seq):
            return None
        decision = self.decision or self.proposed
        return None if decision and decision.seq > held.seq and decision.data["decision"] != "go" else held

    @property
    def t0(self) -> str:
        """T-0 as it stands now, holds and new dates included; empty where the record has none."""
        for event in reversed(self.happened):
            if event.type == "clock.resumed":
                return str(event.data["t0"])
            if event.type == RESCHEDULED:
                return str(event.data["schedule"]["t0"])
        return str((self.opened.get("schedule") or {}).get("t0") or "")

    def _since_dated(self, kind: str) -> Happened | None:
        """The newest event of one type since the launch got its date."""
        dated, found = self.last(RESCHEDULED), self.last(kind)
        return None if found and dated and found.seq < dated.seq else found

    @property
    def cut_short(self) -> bool:
        """Whether its rollout ended where it stood: aborted from outside, with nothing set back to blue."""
        begun = self.last("step.started") is not None and self.last("rollback.done") is None
        return begun and self.outcome == State.ABORTED

    @property
    def view(self) -> View:
        """Which view shows it."""
        back = self.last("rollback.done") or (self.outcome in ROLLED_BACK and self.last("step.started"))
        if back:
            return View.ROLLED_BACK
        decision = self.decision
        return View.LIFTOFF if decision and decision.data["decision"] == "go" else View.COUNTDOWN

    @property
    def steps(self) -> list[str]:
        """The steps of the rollout that are done, in order."""
        return [str(event.data["step"]) for event in self.of("step.done")]

    @property
    def step(self) -> str:
        """The step under way; empty between two steps."""
        started = self.last("step.started")
        name = str(started.data["step"]) if started else ""
        return "" if name in self.steps else name

    @property
    def weight(self) -> int | None:
        """Green's share of the traffic as it was last read back; unknown before the first step of the shift."""
        if self.last("rollback.done"):
            return 0
        for event in reversed(self.happened):
            if event.type == "step.done" and str(event.data["step"]).startswith(SHIFT):
                return int(event.data["read_back"])
        return 0 if "initiate" in self.steps else None

    @property
    def seen(self) -> Happened | None:
        """The newest look of the guard at the traffic."""
        return self.last("traffic.seen")

    @property
    def held(self) -> Happened | None:
        """Why the launch stands still now; nothing while it goes on."""
        held = self.last("launch.held")
        if held is None or self.outcome or self.last("rollback.done"):
            return None
        later = [event for event in self.happened if event.seq > held.seq]
        moved = any(
            event.type in {"step.done", "order.taken"}
            or (
                event.type == "traffic.seen"
                and event.data["action"] != "hold"
                and held.data["rule"] != UNPROVEN
            )
            for event in later
        )
        return None if moved else held

    @property
    def expedited(self) -> str:
        """In words: why it takes the plan's shorter form, and who stands for that; empty for the whole plan."""
        path = self.opened.get("expedited")
        if not path:
            return ""
        words = {bool(event.data["confirms"]) for event in self.of(EXPEDITED)}
        asked = "asked for by" if False in words else "not yet signed by"
        confirmed = "confirmed by" if True in words else "not yet confirmed by"
        return f"expedited: {path['reason']}; {asked} {path['by']}, {confirmed} {path['second']}"

    @property
    def away(self) -> dict[str, Happened]:
        """The parts that died and do not run again yet, each with what was last said of it."""
        last = {str(event.data["part"]): event for event in self.happened if event.type.startswith("part.")}
        return {part: event for part, event in last.items() if event.type != "part.restarted"}

    @property
    def ended(self) -> Happened | None:
        """The event that ended it."""
        return self.last(ENDED)

    @property
    def sealed(self) -> bool:
        """Whether the server signed the record to its end."""
        return bool(self.events) and self.events[-1].type == CHECKPOINT

    @property
    def votes(self) -> list[Data]:
        """Each role that signs: its title, who holds it by now, and the word it gave, in the plan's order."""
        dated = self.last(RESCHEDULED)
        since = dated.seq if dated else -1
        given = {str(event.data["role"]): event for event in self.of("signoff.given") if event.seq > since}
        people = {str(row["role"]): row for row in self.opened.get("roles", ())}
        held = {str(event.data["role"]): str(event.data["to"]) for event in self.of(DELEGATED)}
        return [
            {
                "role": role,
                "title": people.get(role, {}).get("title", role),
                "person": held.get(role) or people.get(role, {}).get("person", ""),
                "simulated": bool(people.get(role, {}).get("simulated")),
                "word": str(given[role].data["decision"]) if role in given else "",
                "note": str(given[role].data.get("note", "")) if role in given else "",
                "t": (given[role].t_ms or 0) / 1000 if role in given else None,
            }
            for role in map(str, self.opened.get("signers", ()))
        ]

    def clock(self, now: float) -> tuple[float, bool]:
        """Seconds from T-0 at `now`, and whether the clock runs.

        The record says how the launch clock stood at each event; since then it has run on with real time. Waits that
        a rehearsal shortens end with a jump, which the next event shows.
        """
        newest = next((event for event in reversed(self.events) if event.t_ms is not None), None)
        if newest is None or newest.t_ms is None:
            return 0.0, False
        at = newest.t_ms / 1000
        if self.outcome:
            ended = self.ended
            # A launch that is called off while it has no date ends at no time of its own.
            return (ended.t_ms / 1000 if ended and ended.t_ms is not None else at), False
        if (stands := self.stands or self.proposed) and stands.t_ms is not None:
            return stands.t_ms / 1000, False
        return at + max(0.0, now - instant(newest.at)), True

    def now(self, now: float) -> float:
        """The moment that the page shows: the end of a launch that has ended, else now."""
        ended = self.ended
        return instant(ended.at) if ended else now


PHASES = ("planned", "counting", "polling", "GO", "launching", "soaking", "landed")
"""The states of a launch that nothing stops."""

_WORDS = {
    "counting": ("Counting", ""),
    "polling": ("Counting", "poll under way"),
    "GO": ("GO", "the rollout begins"),
    "launching": ("Launching", "green is prepared"),
    "shifting": ("Launching", "shifting traffic to green"),
    "soaking": ("Soaking", "all traffic on green, blue stands by"),
    "landed": ("Landed", "green serves everyone"),
    "no-go": ("NO-GO", "the launch does not happen"),
    "postponed": ("NO-GO", "the launch waits for a new date"),
    "scrubbed": ("Scrubbed", "called off before GO"),
    "rolled-back": ("Rolled back", ""),
    "aborted": ("Aborted", ""),
    "abandoned": ("Abandoned", "its processes ended before it did"),
}


def phase(course: Course) -> str:
    """The state of the launch, one word of its own."""
    if course.outcome:
        return course.outcome
    if course.last("rollback.done"):
        return "rolled-back"
    if decision := course.decision:
        return _after_go(course) if decision.data["decision"] == "go" else State.POSTPONED.value
    if course.proposed:
        return State.POSTPONED.value
    dated, poll = course.last(RESCHEDULED), course.last("poll.opened")
    return "polling" if poll and (dated is None or poll.seq > dated.seq) else "counting"


def _after_go(course: Course) -> str:
    if "promote" in course.steps:
        return "soaking"
    if any(step.startswith(SHIFT) for step in (*course.steps, course.step)):
        return "shifting"
    return "launching" if course.last("step.started") else "GO"


def state_words(state: str) -> tuple[str, str]:
    """A state as people read it: its name, and what happens in it; a name that nobody knows stands for itself."""
    return _WORDS.get("GO" if state == State.GO else state, (state, ""))


def phase_words(course: Course) -> tuple[str, str]:
    """The phase as people read it: its name, and what happens in it."""
    name = phase(course)
    word, more = _WORDS.get(name, (name, ""))
    if stands := course.stands:
        return "Held", f"by {stands.data['by']}: {stands.data['reason']}"
    if held := course.held:
        return "Held", str(held.data["where"])
    if course.asked:
        return "Waiting for GO", "or NO-GO, a person's word"
    if course.proposed and not course.outcome:
        return "No GO", "no GO holds; the launch waits for a new date"
    return word, _whose(course) if name in ROLLED_BACK else more


def _whose(course: Course) -> str:
    """Who sent the traffic back, or ended the launch; where no rule stands in the record, its own words."""
    told = course.last("rollback.done") or course.ended
    rule = str(told.data.get("rule", "")) if told else ""
    if rule.startswith("person."):
        return "by a person's order"
    if rule == "step.failed":
        return "a step failed"
    if told and told.type == ENDED:
        return str(told.data.get("text", ""))
    return "by the guard, no person needed"

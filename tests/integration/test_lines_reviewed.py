"""A person's half of the review of dashboards, as the built-in plan has that line: whose word counts, and when."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from tminus.control.launchtime import LaunchTime
from tminus.control.readiness import Readiness
from tminus.domain.canonical import timestamp
from tminus.domain.course import Course, course_of
from tminus.domain.decision import standing
from tminus.domain.orders import BEFORE_GO, MAY, Act
from tminus.domain.overdue import harmless, late
from tminus.domain.permission import RULES, Deed, Matter, permit
from tminus.domain.plan import Role
from tminus.domain.policy import Asked, Opened
from tminus.domain.record import OPENED, Entry, Event, append
from tminus.domain.rollout import State
from tminus.domain.testimony import Testimony as Words
from tminus.domain.timeline import LaunchClock
from tminus.domain.words import Attestation, attested_claim, attested_words
from tminus.errors import OutOfSequenceError, RecordError, RefusedError
from tminus.planfile import load
from tminus.signing import Signer, open_envelope
from tminus.testing import FakeClock, ScriptedObserver
from tminus.testing.people import MemoryRecord
from tminus.wiring.acts import Hand, Scene, Shown
from tminus.wiring.attesting import attest as attested

if TYPE_CHECKING:
    from tests.integration.line_register import line
else:
    from line_register import line

BUILT_IN = load("production").plan
assert BUILT_IN is not None
REVIEW = replace(BUILT_IN.check("t1.dash"), person="Dario Voss")
DEVOPS = Role("devops", "DevOps Lead", "Dario Voss", simulated=False, signs=True)
LEAD = Role("lead", "Deployment Lead", "Lena Ortiz", simulated=False, decides=True)
PLAN = replace(BUILT_IN, roles=(DEVOPS, LEAD))
T0 = 1_800_000_000.0
BEGUN = {State.LAUNCHING, State.SOAKING}
WORD = Attestation(
    "shop-1",
    "t1.dash",
    "devops",
    "Dario Voss",
    holds=True,
    statement="all four looked well",
    version=1,
    signed_at="",
)
BOARDS = ("application", "infrastructure", "security", "business")
SEEN = "nothing out of the ordinary"


UP_TO_SOAK: tuple[tuple[str, dict[str, object]], ...] = (
    (OPENED, {"launch": "prod-1", "schedule": {"t0": timestamp(T0), "speed": 1}, "asked": []}),
    ("poll.opened", {}),
    ("decision.made", {"decision": "go"}),
    ("step.started", {"step": "initiate"}),
    ("step.done", {"step": "promote"}),
)
OPENED_RULES = Opened(
    digest="d" * 64,
    launch="prod-2",
    plan="0" * 64,
    production=True,
    lines=109,
    release={},
    signers=("devops",),
    deciders=("lead",),
    required=(),
    omitted=(),
    systems={},
    schedule={},
    people={"devops": "Dario Voss", "lead": "Lena Ortiz"},
)
"""What the first line of another launch's record binds."""


@dataclass
class Looking:
    """A launch that soaks, and the people who look at its dashboards."""

    now: float = T0
    events: list[Event] = field(default_factory=list)
    files: int = 0

    def __post_init__(self) -> None:
        for kind, data in UP_TO_SOAK:
            self.record(Entry(kind, kind, data, timestamp(T0), 0))
        reached = {"milestone": "T+01:00:00"}
        self.record(Entry("milestone.reached", "T+1h", reached, timestamp(T0 + 3600), 3_600_000))

    def record(self, entry: Entry) -> Event:
        self.events.append(append(self.events[-1] if self.events else None, entry))
        return self.events[-1]

    def at(self, minutes: float) -> "Looking":
        """So many minutes after T-0."""
        self.now = T0 + minutes * 60
        return self

    def picture(self, minutes: float | None = None) -> Shown:
        """Another picture, taken now or at another time."""
        self.files += 1
        made = self.now if minutes is None else T0 + minutes * 60
        return Shown(f"{self.files:064x}", f"board-{self.files}.png", made)

    def say(self, of: str, shown: Shown, *, holds: bool = True) -> Event:
        """What the person who answers for it says of one dashboard."""
        scene = Scene("prod-1", PLAN, tuple(self.events), self.now)
        words = SEEN if holds else "the panel of errors climbs"
        hand = Hand(DEVOPS, Signer.generate())
        (entry,) = attested(hand, "t1.dash", words, shown, holds=holds, item=of)(scene)
        return self.record(entry)

    async def looked_at(self) -> Event:
        """What the launch itself says of the line when it looks again."""
        clock = FakeClock(self.now)
        record = MemoryRecord(LaunchTime(clock, LaunchClock(T0, 1.0)), self.events)
        readiness = Readiness([REVIEW], record, ScriptedObserver({}), clock)
        await readiness.observe([REVIEW], f"T+01:00:00 try {self.now:.0f}")
        return next(event for event in reversed(self.events) if event.data.get("check") == "t1.dash")


def stands(event: Event) -> tuple[object, str]:
    return event.data["verdict"], str(event.data["why"])


def seen_of(event: Event) -> dict[str, object]:
    seen: object = event.data["seen"]
    assert isinstance(seen, dict)
    return {str(name): value for name, value in seen.items()}


def course(state: State) -> Course:
    return Course(state, T0, T0, 1.0, T0 - 86_400)


def attest(state: State, role: Role = DEVOPS) -> None:
    permit(Deed.ATTEST, course(state), PLAN, role, Matter(REVIEW))


@line("t1.dash", "failed", "whoever answers for it wrote that a panel looks wrong", mutation=432)
def test_a_panel_that_looks_wrong_to_a_person_fails_it_by_their_name_and_words() -> None:
    word = replace(WORD, holds=False, statement="the panel of errors climbs since ten to")
    assert attested_claim(word, None, blocker=False)["verdict"] == "failed"
    assert attested_words(word, None, blocker=False)["why"] == f"Dario Voss: {word.statement}"


@line("t1.dash", "failed", "the dashboards were looked at before T-0: nobody may say so then", mutation=428)
@pytest.mark.parametrize("state", sorted(RULES[Deed.ATTEST].states - BEGUN))
def test_who_looked_before_t_0_has_not_looked_at_what_was_launched(state: State) -> None:
    with pytest.raises(OutOfSequenceError, match=r"t1\.dash is about what follows T-0, and the launch"):
        attest(state)


@line(
    "t1.dash",
    "failed",
    "another date was set after the review: neither can come before the other",
    mutation=427,
)
def test_no_word_for_it_can_be_there_when_the_date_changes() -> None:
    assert not MAY[Act.RESCHEDULE] & BEGUN
    assert MAY[Act.RESCHEDULE] <= BEFORE_GO | {State.POSTPONED}
    for state in MAY[Act.RESCHEDULE] & RULES[Deed.ATTEST].states:
        with pytest.raises(OutOfSequenceError):
            attest(state)


@line("t1.dash", "failed", "one person's word was given by another", mutation=433)
@pytest.mark.parametrize("state", sorted(BEGUN))
def test_nobody_says_it_for_whoever_answers_for_it(state: State) -> None:
    attest(state)
    with pytest.raises(RefusedError, match=r"Lena Ortiz as lead may not attest") as refused:
        attest(state, LEAD)
    assert "Dario Voss as devops" in refused.value.hint


@line("t1.dash", "inconclusive", "nobody has said yet that they looked", mutation=436)
def test_it_is_not_green_while_nobody_has_said_that_they_looked() -> None:
    assert REVIEW.due == 3600.0
    assert standing(REVIEW, None, T0 + 3600.0) == "pending"


@line("t1.dash", "passed", "all four were looked at, each with a picture, within the time")
def test_it_passes_with_the_last_of_the_four() -> None:
    looking = Looking().at(62)
    for board in BOARDS[:-1]:
        assert looking.say(board, looking.picture()).data["verdict"] == "inconclusive"
    verdict, why = stands(looking.at(89).say("business", looking.picture()))
    assert (verdict, why) == ("passed", f"Dario Voss of business: {SEEN}")


@line("t1.dash", "failed", "nobody has said by T+1h30 that they looked", mutation=423)
async def test_it_fails_when_nobody_has_looked_in_time() -> None:
    looking = Looking().at(60)
    assert stands(await looking.looked_at())[0] == "inconclusive"
    event = await looking.at(90.1).looked_at()
    verdict, why = stands(event)
    assert verdict == "failed"
    for words in ("until T+1h30min devops had to say it", *BOARDS, "`tminus attest`"):
        assert words in why
    assert harmless(seen_of(event)), "nobody's absence rolls a launch back"


@line("t1.dash", "failed", "three of the four were looked at", mutation=424)
async def test_it_fails_for_the_fourth_that_nobody_looked_at() -> None:
    looking = Looking().at(70)
    said = [looking.say(board, looking.picture()) for board in BOARDS if board != "security"]
    assert "nobody has spoken yet of security" in str(said[-1].data["why"])
    verdict, why = stands(await looking.at(91).looked_at())
    assert verdict == "failed"
    assert "devops had to say it of security, and has not" in why


@line(
    "t1.dash",
    "failed",
    "whoever signs for a dashboard shows the picture of another: the word is not taken",
    mutation=425,
)
def test_a_word_for_a_dashboard_that_was_not_opened_is_not_taken() -> None:
    looking = Looking().at(70)
    picture = looking.picture()
    looking.say("application", picture)
    for other in BOARDS[1:]:
        with pytest.raises(RefusedError, match=r"board-1\.png was shown for application already"):
            looking.say(other, picture)
    assert stands(looking.events[-1])[0] == "inconclusive"


@line(
    "t1.dash",
    "failed",
    "the word was given in another launch, or in its rehearsal: it is not taken",
    mutation=426,
)
def test_a_word_of_another_launch_does_not_count() -> None:
    elsewhere = Looking().at(70)
    event = elsewhere.say("application", elsewhere.picture())
    signed = open_envelope(event.data["envelope"])
    asked = {"t1.dash": Asked(each=BOARDS, shown=True, due_ms=3_600_000, until_ms=5_400_000)}
    rules = replace(OPENED_RULES, launch="prod-2", digest="d" * 64, asked=asked)
    with pytest.raises(RecordError, match="signed for launch 'prod-1', not for 'prod-2'"):
        Words().attest(event, signed, rules)
    with pytest.raises(RecordError, match="the signed text is not what these words make"):
        Words().attest(event, signed, replace(rules, launch="prod-1"))


@line("t1.dash", "failed", "they were looked at at T+1h45", mutation=429)
def test_a_late_word_fails_it_by_how_much() -> None:
    looking = Looking().at(80)
    for board in BOARDS[:-1]:
        looking.say(board, looking.picture())
    event = looking.at(105).say("business", looking.picture())
    verdict, why = stands(event)
    assert verdict == "failed"
    assert "business" in why
    assert "15min after it had to be said" in why
    assert harmless(seen_of(event))


@line("t1.dash", "inconclusive", "no picture and no values are kept with the word", mutation=430)
def test_a_word_without_what_was_seen_is_not_taken() -> None:
    looking = Looking().at(70)
    with pytest.raises(RefusedError, match="no picture and no values are shown") as refused:
        looking.say("application", Shown())
    assert "--evidence" in refused.value.hint


@line(
    "t1.dash",
    "failed",
    "the picture is of before T-0: it is not taken, and the line stays open until it fails",
    mutation=431,
)
def test_a_picture_of_before_t_0_is_not_taken() -> None:
    looking = Looking().at(70)
    with pytest.raises(
        RefusedError, match=r"board-1\.png is of .*, and all users are on green since "
    ) as refused:
        looking.say("application", looking.picture(minutes=-20))
    assert timestamp(T0 - 1200) in str(refused.value)
    assert timestamp(T0) in str(refused.value)
    looking.say("application", looking.picture(minutes=1))


def test_a_panel_that_looks_wrong_is_harm_also_when_it_is_said_late() -> None:
    looking = Looking().at(100)
    event = looking.say("application", looking.picture(), holds=False)
    assert stands(event)[0] == "failed"
    assert not harmless(seen_of(event))


@pytest.mark.parametrize("of", ["", "finance"])
def test_a_word_is_of_one_of_the_four(of: str) -> None:
    looking = Looking().at(70)
    with pytest.raises(RefusedError, match=r"t1\.dash asks for") as refused:
        looking.say(of, looking.picture())
    assert "application, infrastructure, security, business" in refused.value.hint


def test_said_again_it_replaces_what_was_said_of_that_one() -> None:
    looking = Looking().at(70)
    looking.say("application", looking.picture())
    said = [looking.say(board, looking.picture()) for board in BOARDS]
    assert stands(said[-1])[0] == "passed"


async def test_a_look_that_comes_again_keeps_what_failed_and_says_what_is_lacking() -> None:
    looking = Looking().at(70)
    looking.say("application", looking.picture())
    first = await looking.at(91).looked_at()
    again = await looking.at(92).looked_at()
    assert again is first
    later = looking.at(93).say("business", looking.picture())
    assert stands(later)[0] == "failed"
    assert (await looking.at(94).looked_at()) is later


def test_harm_is_told_without_a_picture() -> None:
    event = Looking().at(70).say("application", Shown(), holds=False)
    assert stands(event)[0] == "failed"
    assert not harmless(seen_of(event))


def test_harm_is_told_with_a_picture_that_shows_another_of_them_too() -> None:
    looking = Looking().at(70)
    picture = looking.picture()
    looking.say("application", picture)
    assert stands(looking.say("security", picture, holds=False))[0] == "failed"


def test_what_was_said_in_time_may_be_said_again_later() -> None:
    looking = Looking().at(70)
    for board in BOARDS:
        looking.say(board, looking.picture())
    again = looking.at(110).say("application", looking.picture())
    assert stands(again)[0] == "passed"


def test_nobody_says_that_green_does_well_before_all_users_are_on_it() -> None:
    looking = Looking().at(1)
    looking.events = looking.events[:-2]
    with pytest.raises(OutOfSequenceError, match="not all of them are there yet"):
        looking.say("application", looking.picture())
    assert stands(looking.say("application", Shown(), holds=False))[0] == "failed"


def test_harm_in_a_launch_that_was_opened_before_records_said_whom_they_ask_is_taken_as_ever() -> None:
    looking = Looking().at(70)
    first, *others = looking.events
    looking.events = []
    older = {name: value for name, value in first.data.items() if name != "asked"}
    for event, data in ((first, older), *((one, one.data) for one in others)):
        looking.record(Entry(event.type, event.key, dict(data), event.at, event.t_ms))
    event = looking.say("security", Shown(), holds=False)
    assert (event.data["verdict"], "harm" in event.data) == ("failed", False)


def test_once_harm_was_told_nobody_says_that_green_does_well() -> None:
    looking = Looking().at(70)
    event = looking.say("security", Shown(), holds=False)
    assert event.data["harm"] is True
    assert course_of(looking.events).leaving is State.ROLLED_BACK
    with pytest.raises(OutOfSequenceError, match="on its way to be rolled-back"):
        looking.say("security", looking.picture())


def test_a_picture_that_was_replaced_serves_for_another() -> None:
    looking = Looking().at(70)
    picture = looking.picture()
    looking.say("application", picture)
    looking.say("application", looking.picture())
    looking.say("business", picture)


def test_nobody_is_late_while_the_clock_is_held() -> None:
    looking = Looking().at(80)
    looking.record(
        Entry(
            "clock.held",
            "held",
            {"by": "Lena Ortiz", "reason": "lunch", "since": timestamp(looking.now)},
            timestamp(looking.now),
            0,
        )
    )
    looking.at(120)
    assert late(REVIEW, looking.events, looking.now) == 0


async def test_after_a_milestone_that_came_late_there_is_as_much_time_as_planned() -> None:
    looking = Looking().at(100)
    reached = {"milestone": "T+01:00:00"}
    looking.record(Entry("milestone.reached", "late", reached, timestamp(looking.now), 6_000_000))
    assert stands(await looking.looked_at())[0] == "inconclusive"
    assert stands(await looking.at(129).looked_at())[0] == "inconclusive"
    assert stands(await looking.at(131).looked_at())[0] == "failed"

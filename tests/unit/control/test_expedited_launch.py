"""An expedited launch from its opening to GO: two words with two keys, in the signed text, and judged again."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.control.test_people_decide import GO, LACKS, REAL, Attended, all_go, at
    from tests.unit.launch_world import NEW, KeySignatory
else:
    from launch_world import NEW, KeySignatory
    from test_people_decide import GO, LACKS, REAL, Attended, all_go, at

from tminus.control.launch import Launch
from tminus.control.opening import Binding
from tminus.control.ports import Engine
from tminus.domain.expedition import expedited, shorter
from tminus.domain.orders import Act
from tminus.domain.plan import Omission, Shortened
from tminus.domain.record import Entry, Event, append
from tminus.domain.verification import check_open
from tminus.errors import OutOfSequenceError, RecordError, RefusedError
from tminus.signing import open_envelope
from tminus.wiring.acts import Choose, Hand
from tminus.wiring.expediting import ask, confirm

HOUR = 3600.0
WHOLE = replace(
    REAL, expedited=Shortened((Omission(("cfg.env",), "a hotfix changes no settings"),), {-7200.0: -1800.0})
)
LEAD, DEVOPS, QA = WHOLE.roles
PATH = expedited(WHOLE, "a token leaks", DEVOPS, QA)


class Hastened(Attended):
    """A world whose launch takes the short form of its plan."""

    def put_together(self, engine: Engine) -> Launch:
        binding = Binding(
            "depot-7", {"depot": NEW}, {}, self.t0, 1.0, (), asks=False, waits=True, expedited=PATH
        )
        return Launch(binding, replace(self.boot(), signatory=None, lacks=LACKS), engine)


def hastened() -> Hastened:
    world = Hastened(plan=shorter(WHOLE), speed=1.0, rate=0.001)
    world.signatory = KeySignatory(world.fate)
    world.boot()
    return world


def both(world: Hastened) -> None:
    world.act(ask(world.hand("devops"), PATH))
    world.act(confirm(world.hand("qa")))


async def test_two_persons_sign_for_it_and_everybody_who_signs_sees_it() -> None:
    world = hastened()
    at(world, -7000.0, lambda: both(world))
    at(world, -600.0, lambda: all_go(world))
    at(world, -500.0, lambda: world.decide(GO))
    assert (await world.launch())["outcome"] == "aborted"
    check_open(world.chain, open_envelope, world.trust())
    assert [data["milestone"] for data in world.events("milestone.reached")] == ["T-00:30:00"]
    assert "cfg.env" not in world.verdicts()
    signed = open_envelope(world.events("signoff.given")[0]["envelope"]).statement["predicate"]
    assert isinstance(signed, dict)
    assert signed["expedited"] == PATH.row()
    assert signed["omitted"] == {"count": 3, "total": 16, "text": "3 of 16 lines are not in this plan"}


async def test_go_waits_for_the_second_person() -> None:
    world = hastened()
    refused: list[str] = []

    def in_vain() -> None:
        with pytest.raises(RefusedError) as caught:
            world.decide(GO)
        refused.append(str(caught.value))

    at(world, -600.0, lambda: all_go(world))
    at(world, -500.0, in_vain)
    at(world, -400.0, lambda: world.act(ask(world.hand("devops"), PATH)))
    at(world, -300.0, in_vain)
    at(world, -200.0, lambda: world.act(confirm(world.hand("qa"))))
    at(world, -100.0, lambda: world.decide(GO))
    assert (await world.launch())["outcome"] == "aborted"
    assert "expedited, which Dario Voss has not signed" in refused[0]
    assert "tminus expedite depot-7 --role qa" in refused[1]
    check_open(world.chain, open_envelope, world.trust())


async def told(choose: Callable[[Hastened], Choose], *, asked: bool = True) -> str:
    """Why an act for the short form is refused, or does not verify."""
    world = hastened()
    found: list[str] = []

    def attempt() -> None:
        if asked:
            world.act(ask(world.hand("devops"), PATH))
        before = list(world.chain)
        with pytest.raises((RefusedError, RecordError)) as caught:
            world.act(choose(world))
        found.append(f"{caught.value}; {caught.value.hint}")
        world.chain[:] = before

    at(world, -600.0, attempt)
    at(world, HOUR, lambda: world.order(Act.SCRUB))
    await world.launch()
    return found[0]


async def test_nobody_else_and_no_other_key_confirms_it() -> None:
    assert "who could: Quentin Mbeki as qa" in await told(lambda world: confirm(world.hand("lead")))
    assert "that is for whom the launch has named" in await told(lambda world: confirm(world.hand("devops")))
    mine = await told(lambda world: confirm(Hand(QA, world.signatory.signers["devops"])))
    assert "one key asked for the short form and confirmed it" in mine
    assert "Dario Voss has not signed it yet" in await told(
        lambda world: confirm(world.hand("qa")), asked=False
    )
    other = replace(PATH, reason="we are in a hurry")
    assert "the reason is not the one that the launch was opened with" in await told(
        lambda world: ask(world.hand("devops"), other), asked=False
    )
    assert "Quentin Mbeki signed for the short form as qa, but Dario Voss was named" in await told(
        lambda world: ask(world.hand("qa"), PATH), asked=False
    )


async def test_it_is_asked_for_once_and_confirmed_once() -> None:
    world = hastened()

    def again() -> None:
        both(world)
        assert list(ask(world.hand("devops"), PATH)(world.scene)) == []
        with pytest.raises(OutOfSequenceError, match="has confirmed it already"):
            world.act(confirm(world.hand("qa")))

    at(world, -600.0, again)
    at(world, HOUR, lambda: world.order(Act.SCRUB))
    await world.launch()
    assert len(world.events("launch.expedited")) == 2


async def test_a_go_from_which_the_second_word_was_taken_out_does_not_verify() -> None:
    world = hastened()
    at(world, -7000.0, lambda: both(world))
    at(world, -600.0, lambda: all_go(world))
    at(world, -500.0, lambda: world.decide(GO))
    await world.launch()
    left: list[Event] = []
    for event in world.chain:
        if event.data.get("confirms"):
            continue
        left.append(
            append(left[-1] if left else None, Entry(event.type, event.key, event.data, event.at, event.t_ms))
        )
    with pytest.raises(RecordError, match="no second person has confirmed"):
        check_open(left, open_envelope, world.trust())


async def test_a_launch_of_the_whole_plan_takes_no_such_word() -> None:
    world = Attended(plan=REAL, speed=1.0, rate=0.001)
    world.signatory = KeySignatory(world.fate)
    world.boot()
    found: list[str] = []

    def attempt() -> None:
        before = list(world.chain)
        for choose in (confirm(world.hand("qa")), ask(world.hand("devops"), PATH)):
            with pytest.raises((OutOfSequenceError, RecordError)) as caught:
                world.act(choose)
            found.append(str(caught.value))
            world.chain[:] = before

    at(world, -600.0, attempt)
    at(world, HOUR, lambda: world.order(Act.SCRUB))
    await world.launch()
    assert "takes the whole plan" in found[0]
    assert "a word for a short form that this launch does not take" in found[1]

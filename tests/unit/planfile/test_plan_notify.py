"""By which systems people are told: what a plan may say, and whom it cannot reach."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.small_plan import REAL, SMALL, problems
else:
    from small_plan import REAL, SMALL, problems

from pathlib import Path

from tminus.domain.plan import Notify
from tminus.planfile import loaded, parse

MAIL = "notify: {mail: env:MAIL, sender: launches@shop.example}\n"
LENA = "person: Lena Ortiz"


def warnings(text: str) -> list[str]:
    return [one.what for one in loaded(text, Path("plan.yaml")).warnings]


def test_a_plan_says_where_people_are_told() -> None:
    text = REAL.replace(LENA, f"{LENA}, email: lena@shop.example, slack: file:/run/secrets/lena")
    plan, found = parse(
        text + "notify: {mail: env:MAIL, sender: Launches <l@shop.example>, slack: env:ROOM}\n"
    )
    assert found == []
    assert plan is not None
    assert plan.notify == Notify("env:MAIL", "Launches <l@shop.example>", "env:ROOM")
    assert (plan.roles[0].email, plan.roles[0].slack) == ("lena@shop.example", "file:/run/secrets/lena")


def test_a_plan_that_says_nothing_of_it_keeps_its_digest() -> None:
    plain, _ = parse(SMALL)
    empty, _ = parse(SMALL + "notify: {}\n")
    said, _ = parse(SMALL + "notify: {slack: env:ROOM}\n")
    own, _ = parse(SMALL.replace(LENA, f"{LENA}, slack: env:LENA"))
    assert plain is not None
    assert empty is not None
    assert said is not None
    assert own is not None
    assert plain.digest == empty.digest
    assert len({plain.digest, said.digest, own.digest}) == 3


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{mail: mail.example, sender: a@b.example}", "`mail` is no mail server"),
        ("{mail: 'https://mail.example', sender: a@b.example}", "`mail` is no mail server"),
        ("{mail: env:MAIL}", "who do mails come from? Add for example"),
        ("{mail: env:MAIL, sender: nobody}", "'nobody' is no sender"),
        ("{slack: 'https://chat.example/hook'}", "a webhook is a secret as a whole"),
        ("{mail: 'smtp://me:pass@mail.example', sender: a@b.example}", "`mail` is no mail server"),
        ("{chat: env:ROOM}", "`chat` is no key here"),
        ("{slack: 'file:../hook'}", "goes up with `..`"),
    ],
)
def test_what_cannot_be_meant_is_told_with_what_to_write(written: str, told: str) -> None:
    found = problems(f"{SMALL}notify: {written}\n")
    assert any(told in one for one in found), found


def test_a_login_is_never_repeated() -> None:
    found = problems(SMALL + "notify: {mail: 'smtp://me:hush@mail.example', sender: a@b.example}\n")
    assert "hush" not in str(found)


def test_an_address_of_a_role_is_one_mail_address() -> None:
    text = REAL.replace(LENA, f"{LENA}, email: lena or dario") + MAIL
    assert any("'lena or dario' is no mail address" in one for one in problems(text))
    text = REAL.replace(LENA, f"{LENA}, slack: 'https://chat.example/hook'")
    assert any("a webhook is a secret as a whole" in one for one in problems(text))


def test_who_cannot_be_told_is_warned_of_once_or_by_name() -> None:
    assert warnings(SMALL) == [], "simulated people are told nothing, and that is as it should be"
    assert warnings(REAL) == ["nobody will be told of lines that wait and of new dates"]
    text = REAL.replace(LENA, f"{LENA}, email: lena@shop.example") + MAIL
    assert [one.partition(":")[0] for one in warnings(text)] == ["role.devops", "role.qa"]
    assert warnings(f"{REAL}notify: {{slack: env:ROOM}}\n") == []
    unnamed = REAL.replace("Lena Ortiz", "'[Name]'").replace("Dario Voss", "TBD")
    assert warnings(unnamed) == ["nobody will be told of lines that wait and of new dates"]
    assert warnings(unnamed.replace("Quentin Mbeki", "TBD")) == [], "that they are to fill is said elsewhere"

"""Texts that say nothing, and texts where the plan wants true, false or a number."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.planfile import loaded

changed, line_of, problems = small_plan.changed, small_plan.line_of, small_plan.problems


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("production: false", 'production: "true"', "`production` is neither true nor false; write true or false"),
        ("decides: true", 'decides: "yes"', "lead: `decides` is neither true nor false; write true or false"),
        ("weight: 10,", 'weight: "10",', "rollout: `weight` is no whole number; write a whole number"),
        ("id: trig.errors", 'id: ""', "`id` is empty; write a text"),
        ("attest: everybody answered", 'attest: " "', "team.ready: `attest` is empty; write a text"),
        ("line: Team is ready", 'line: "\\u00a0"', "team.ready: `line` is empty; write a text"),
        ("title: QA Lead", "title: ''", "qa: `title` is empty; write a text"),
        ("plan: a small one", 'plan: " "', "`plan` is empty; write a text"),
        ("action: roll back", 'action: " "', "trig.errors: `action` is empty; write a text"),
        ("reason: there is no Vault here", 'reason: " "', "`reason` is empty; write a text"),
        ("of: [site.up, team.ready]", 'of: [site.up, " "]', "all.ready: entry 2 of `of` is empty; write a text"),
        ("lines: [bk.vault]", 'lines: [" "]', "is empty; write a text"),
        ("components: [depot]", 'components: [""]', "entry 1 of `components` is empty; write a text"),
        ("  Readiness:", '  " ":', "a name under `checks` is empty; write one"),
    ],
)  # fmt: skip
def test_a_text_that_says_nothing_is_told_where_it_stands(old: str, new: str, told: str) -> None:
    text = changed(old, new)
    (problem,) = problems(text)
    assert told in problem
    assert problem.startswith(f"{line_of(text, new)}: ")


@pytest.mark.parametrize("blank", ['"  "', '"\\u200b"', '"\\u00a0"'])
def test_a_blank_person_is_to_fill(blank: str) -> None:
    found = loaded(changed("person: Lena Ortiz", f"person: {blank}"), Path("p.yaml"))
    assert found.problems == ()
    assert [one.what for one in found.to_fill] == ["role.lead: `person` is empty"]


@pytest.mark.parametrize(
    "typed", ['"Dario  Voss "', "DARIO VOSS", '"Dario\\u00a0Voss"', '"Da\\u200brio Voss"']
)
def test_one_person_in_two_roles_is_told_however_the_name_is_typed(typed: str) -> None:
    text = changed("person: Quentin Mbeki", f"person: {typed}")
    (problem,) = problems(text)
    assert problem.endswith("signs as devops already; one person, one role")


def test_an_optional_text_may_be_empty() -> None:
    assert problems(changed("hint: look at its log", 'hint: ""\n      warn: ""')) == []

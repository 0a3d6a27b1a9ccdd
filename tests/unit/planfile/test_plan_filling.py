"""What is to fill: empty values and placeholders are listed, are no error, and keep a launch from being opened."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.planfile import load, loaded
from tminus.planfile.filling import is_placeholder

SMALL, changed = small_plan.SMALL, small_plan.changed


@pytest.mark.parametrize(
    "text",
    ["", " ", "[Name]", "[..]", "+49-xxx-xxx-xxxx", "+1-XXX-555", "____", "Date: _______", "TBD", "tbd", "TODO",
     "changeme", "change-me", "<name>", "...", "…", "?", "TBD by Monday"],
)  # fmt: skip
def test_a_placeholder_is_recognised(text: str) -> None:
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text",
    ["Lena Ortiz", "+49 30 1234567", "a@b.example", "env:SITE", "Xavier", "Todor Petrov", "Before each deployment",
     "https://xxl.example", "snake_case_name", "maxxx", "todo el equipo", "2025-01-15", "Ann [on leave]"],
)  # fmt: skip
def test_a_value_is_no_placeholder(text: str) -> None:
    assert not is_placeholder(text)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("person: Lena Ortiz", 'person: ""', "role.lead: `person` is empty"),
        ("person: Lena Ortiz", "person: '[Name]'", "role.lead: `person` is the placeholder '[Name]'"),
        ("person: Lena Ortiz, ", "", "role.lead: `person` is empty"),
        ("person: Lena Ortiz", "person: Lena Ortiz, phone: +4-xxx", "role.lead: `phone` is the placeholder '+4-xxx'"),
        ("person: Lena Ortiz", "person: Lena Ortiz, email: ", "role.lead: `email` is empty"),
        ('address: "env:SITE"}\n  depot', 'address: ""}\n  depot', "system website: `address` is empty"),
        ("path: /health,", "path: TBD,", "site.up: `path` is the placeholder 'TBD'"),
        ("plan: a small one", "plan: s\ncontacts: [{id: c, title: Hotline}]", "c: `phone` is empty"),
        ("plan: a small one", "contacts: [{id: c, title: H, email: _____}]\nplan: s",
         "c: `email` is the placeholder '_____'"),
        ("plan: a small one", "plan: s\ndocument: [{id: d, text: Owner}]", "d: `value` is empty"),
    ],
)  # fmt: skip
def test_what_is_to_fill_is_listed_and_no_error(old: str, new: str, what: str) -> None:
    found = loaded(changed(old, new), Path("p.yaml"))
    assert found.problems == ()
    assert [one.what for one in found.to_fill] == [what]
    assert found.checked().to_fill == (what,)
    assert found.checked().open_points == (f"to fill: {what}",)


def test_a_system_that_nothing_looks_at_needs_no_address() -> None:
    text = changed('depot: {kind: depot, real: true, address: "env:SITE"}', "depot: {kind: depot}")
    assert loaded(text, Path("p.yaml")).to_fill == ()


def test_people_who_are_not_named_yet_are_not_one_person_with_two_roles() -> None:
    text = SMALL.replace("person: Dario Voss", "person: TBD").replace("person: Quentin Mbeki", "person: TBD")
    found = loaded(text, Path("p.yaml"))
    assert found.problems == ()
    assert len(found.to_fill) == 2


def test_a_plan_with_all_its_people_has_nothing_to_fill() -> None:
    found = loaded(SMALL, Path("p.yaml"))
    assert not found.to_fill
    assert not found.checked().open_points


def test_the_built_in_plan_is_to_fill_with_the_lines_of_its_file() -> None:
    found = load("production")
    assert len(found.to_fill) > 20
    assert all(one.file == "production (built in)" and one.line > 1 for one in found.to_fill)
    assert list(found.to_fill) == sorted(found.to_fill)
    assert {"role.lead: `person` is empty", "contact.hotline: `phone` is empty"} <= {
        one.what for one in found.to_fill
    }


def test_what_a_plan_fills_in_is_not_to_fill_any_more(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(
        "plan: ours\nextends: production\nroles: [{id: lead, person: Ann, phone: '1', email: a@b}]\n"
    )
    found = load(path)
    assert not any("role.lead" in one.what for one in found.to_fill)
    assert any("role.qa" in one.what for one in found.to_fill)

"""The published schema says what the reader accepts, checked by an independent program."""

import json
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.planfile import builtin, builtins, parse
from tminus.planfile.document import Document
from tminus.planfile.schema import schema

PUBLISHED = Path(__file__).parents[3] / "docs" / "reference" / "plan.schema.json"
DEMO = (files("tminus.demo") / "demo.yaml").read_text(encoding="utf-8")
CHILD = """\
$schema: ../docs/reference/plan.schema.json
plan: ours
extends: production
systems: {website: {address: "https://shop.example"}}
roles:
  - {id: lead, person: Lena Ortiz, phone: }
checks:
  Success Criteria:
    - {id: ok.migrations, with: {revision_expected: "0042"}}
omitted:
  - reason: no bridge
    lines: [comm.bridge]
rollout: {drain: 30s}
triggers: [{id: trig.errors, hold: 4min}]
"""


def wrong(text: str) -> list[str]:
    values = YAML(typ="safe", pure=True).load(text)
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    return [error.message for error in jsonschema.Draft202012Validator(published).iter_errors(values)]


def test_the_published_schema_is_the_one_that_the_code_makes() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == schema(), "type `make docs`"


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["$id"] == "urn:tminus:plan:1"


@pytest.mark.parametrize("text", [DEMO, *map(builtin, builtins()), small_plan.SMALL, CHILD])
def test_plans_that_read_fit_the_schema(text: str) -> None:
    assert wrong(text) == []
    assert parse(text)[1] == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("line: The site is up", "lime: The site is up"),
        ("production: false", "production: perhaps"),
        ("production: false\n", ""),
        ("weight: 10,", "weight: 0,"),
        ("severity: blocker", "severity: deadly"),
        ("step: smoke", "step: smok"),
        ("lines: [bk.vault]", "lines: []"),
        ("lines: [bk.vault]", "lines: [{id: x}]"),
        ("components: [depot]", "components: depot"),
    ],
)
def test_what_the_schema_refuses_the_reader_refuses_too(old: str, new: str) -> None:
    text = small_plan.changed(old, new)
    assert wrong(text)
    assert parse(text)[1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("id: ok.migrations, with", "idd: ok.migrations, with"),
        ("plan: ours\n", ""),
        ("drain: 30s", "drian: 30s"),
    ],
)
def test_a_plan_that_extends_another_is_still_checked(old: str, new: str) -> None:
    assert wrong(CHILD.replace(old, new))


def test_every_key_that_people_write_explains_itself() -> None:
    definitions = schema()["$defs"]
    keys = definitions["LineEntry"]["properties"]
    silent = [name for name, about in keys.items() if "description" not in about]
    assert silent == []
    assert all(definitions[name].get("description") for name in definitions if name != "Severity")


def test_no_key_is_accepted_that_is_not_named() -> None:
    def closed(definition: dict[str, Any]) -> bool:
        return definition.get("type") != "object" or definition["additionalProperties"] is False

    assert [name for name, definition in schema()["$defs"].items() if not closed(definition)] == []
    assert set(schema()["$defs"]["Standing"]["properties"]) == {
        about.alias or name for name, about in Document.model_fields.items()
    }

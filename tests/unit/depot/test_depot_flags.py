"""Which variant a flag gives, and why."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import LiteralString

import psycopg
import pytest
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ProviderNotReadyError
from openfeature.flag_evaluation import FlagType, Reason
from pydantic import ValidationError

from tminus.depot.database import Database
from tminus.depot.flags import Definition, Flags, Rule, decide, flag_type
from tminus.depot.seed import FLAGS

STYLE = Definition(
    variants={"plain": "plain", "cards": "cards"},
    default="plain",
    rules=[
        Rule(attribute="audience", values=["beta", "staff"], variant="cards"),
        Rule(attribute="level", values=[1], variant="cards"),
    ],
)


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"audience": "beta"}, ("cards", Reason.TARGETING_MATCH)),
        ({"audience": "staff", "targetingKey": "ada"}, ("cards", Reason.TARGETING_MATCH)),
        ({"audience": "Beta"}, ("plain", Reason.DEFAULT)),
        ({"audience": ["beta"]}, ("plain", Reason.DEFAULT)),
        ({"level": 1}, ("cards", Reason.TARGETING_MATCH)),
        ({"level": True}, ("plain", Reason.DEFAULT)),
        ({"level": "1"}, ("plain", Reason.DEFAULT)),
        ({}, ("plain", Reason.DEFAULT)),
    ],
)
def test_the_first_rule_that_fits_decides(context: dict[str, object], expected: tuple[str, Reason]) -> None:
    assert decide(STYLE, context) == expected


def test_a_flag_without_rules_is_static_and_a_disabled_one_says_so() -> None:
    assert decide(Definition(variants={"on": True}, default="on"), {}) == ("on", Reason.STATIC)
    disabled = STYLE.model_copy(update={"enabled": False})
    assert decide(disabled, {"audience": "beta"}) == ("plain", Reason.DISABLED)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (True, FlagType.BOOLEAN),
        (1, FlagType.INTEGER),
        (1.0, FlagType.FLOAT),
        ("1", FlagType.STRING),
        ({"a": 1}, FlagType.OBJECT),
    ],
)
def test_the_type_of_a_flag_is_that_of_its_variants(value: object, kind: FlagType) -> None:
    assert flag_type(value)[0] is kind
    definition = Definition.model_validate({"variants": {"one": value}, "default": "one"})
    assert flag_type(definition.variants["one"])[0] is kind


@pytest.mark.parametrize(
    "wrong",
    [
        {"variants": {"on": True}, "default": "off"},
        {"variants": {"on": True, "off": 0}, "default": "off"},
        {"variants": {}, "default": "off"},
        {
            "variants": {"on": True},
            "default": "on",
            "rules": [{"attribute": "a", "values": ["b"], "variant": "c"}],
        },
    ],
)
def test_a_definition_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Definition.model_validate(wrong)


class Table(Database):
    """The table of flags, readable or away."""

    def __init__(self) -> None:
        super().__init__("postgresql://nowhere")
        self.away = True
        self.definition: dict[str, object] = {"variants": {"on": True, "off": False}, "default": "on"}

    async def rows(self, query: LiteralString, values: Sequence[object] = ()) -> list[dict[str, object]]:
        assert "FROM flags" in query
        assert not values
        if self.away:
            raise psycopg.OperationalError("away")
        return [
            {"key": "exports", "definition": self.definition, "changed_at": datetime(2024, 1, 1, tzinfo=UTC)}
        ]


async def test_without_a_table_code_gets_its_own_default() -> None:
    flags = Flags(Table())
    assert await flags.is_on("exports", "ada", default=False) is False
    assert await flags.is_on("exports", "ada", default=True) is True
    with pytest.raises(ProviderNotReadyError):
        await flags.evaluate("exports", EvaluationContext())


async def test_the_last_known_definition_holds_while_the_database_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tminus.depot.flags.FRESH_SECONDS", -1)
    table = Table()
    flags = Flags(table)
    table.away = False
    assert await flags.is_on("exports", "ada", default=False) is True
    assert (await flags.evaluate("exports", EvaluationContext())).reason == Reason.STATIC
    table.away = True
    table.definition["default"] = "off"
    details = await flags.evaluate("exports", EvaluationContext())
    assert (details.value, details.reason) == (True, Reason.STALE)
    table.away = False
    details = await flags.evaluate("exports", EvaluationContext())
    assert (details.value, details.reason) == (False, Reason.STATIC)


async def test_a_definition_is_kept_for_a_while_and_an_unknown_or_mistyped_flag_gives_the_default() -> None:
    table = Table()
    table.away = False
    flags = Flags(table)
    assert await flags.is_on("exports", "ada", default=False) is True
    table.definition = {"variants": {"a": "a"}, "default": "a"}
    assert await flags.is_on("exports", "ada", default=False) is True
    assert await flags.is_on("unknown", "ada", default=False) is False
    assert await flags.is_on("unknown", "ada", default=True) is True
    changed = Flags(table)
    assert await changed.is_on("exports", "ada", default=True) is True
    assert (await changed.evaluate("exports", EvaluationContext())).value == "a"


def test_the_flags_of_a_fresh_depot_are_consistent() -> None:
    for definition in FLAGS.values():
        Definition.model_validate(definition)

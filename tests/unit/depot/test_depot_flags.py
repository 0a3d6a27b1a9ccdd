"""Which variant a flag gives, and why."""

import pytest
from openfeature.flag_evaluation import FlagType, Reason
from pydantic import ValidationError

from tminus.depot.flags import Definition, Rule, decide, flag_type
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


def test_the_flags_of_a_fresh_depot_are_consistent() -> None:
    for definition in FLAGS.values():
        Definition.model_validate(definition)

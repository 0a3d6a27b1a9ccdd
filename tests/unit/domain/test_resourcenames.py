"""Names as Kubernetes takes them."""

import pytest

from tminus.domain.resourcenames import is_label, is_label_key, is_label_value, is_subdomain


@pytest.mark.parametrize(
    ("text", "label", "subdomain", "key"),
    [
        ("shop", True, True, True),
        ("shop-1", True, True, True),
        ("Shop", False, False, True),
        ("shop_1", False, False, True),
        ("shop.one", False, True, True),
        ("example.org/release", False, False, True),
        ("Example/release", False, False, False),
        ("-shop", False, False, False),
        ("bad key", False, False, False),
        ("", False, False, False),
        ("a" * 64, False, True, False),
        ("shop\n", False, False, False),
    ],
)
def test_a_name_is_taken_where_the_api_takes_it(
    text: str, *, label: bool, subdomain: bool, key: bool
) -> None:
    assert (is_label(text), is_subdomain(text), is_label_key(text)) == (label, subdomain, key)


@pytest.mark.parametrize(("text", "right"), [("", True), ("prom-1.2_x", True), ("x y", False), ("x-", False)])
def test_a_label_has_a_value_of_one_word_or_none(text: str, *, right: bool) -> None:
    assert is_label_value(text) is right

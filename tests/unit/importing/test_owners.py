"""Who a line is suggested to: by its own words, else by its section, else the lead."""

import pytest

from tminus.importing.owners import suggested


@pytest.mark.parametrize(
    ("text", "section", "owner"),
    [
        ("TLS certificates renewed", (), "security"),
        ("Regression tests green", (), "qa"),
        ("Schema migration rehearsed", (), "backend"),
        ("Kubernetes cluster scaled up", (), "devops"),
        ("Customers notified", (), "lead"),
        ("All good", ("Launch", "Security"), "security"),
        ("All good", ("Database migration", "Misc"), "backend"),
        ("All good", ("Misc",), "lead"),
        ("All good", (), "lead"),
        ("SÉCURITÉ", ("QA",), "qa"),
    ],
)
def test_the_words_decide(text: str, section: tuple[str, ...], owner: str) -> None:
    assert suggested(text, section) == owner


def test_a_word_within_another_word_says_nothing() -> None:
    assert suggested("The latest contest", ()) == "lead"

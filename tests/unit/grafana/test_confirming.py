"""Who has confirmed what figures mean: whose word counts for which version."""

import re
from pathlib import Path

import pytest

from tminus.domain.confirmation import Confirmation
from tminus.errors import InconclusiveError
from tminus.grafana.confirming import Entry, confirmations, unconfirmed

NOW, BEFORE = "ab" * 32, "cd" * 32
MARA = Confirmation(NOW, "Mara", "paid orders", "")


def said(by: str, text: str = "x", version: str = NOW, doubt: str = "") -> Entry:
    return Entry(Confirmation(version, by, text, ""), doubt)


def nobody_s(word: Confirmation, envelope: object) -> str:
    """Doubts every word, and says what it was shown."""
    return f"{word.by} signed {envelope}"


def test_the_owners_word_for_this_version_counts() -> None:
    assert unconfirmed([said("Mara")], NOW, "Mara") == ""
    assert unconfirmed([said("Mara")], NOW, "") == ""
    assert unconfirmed([said("Mara"), said("Mara", doubt="it is forged")], NOW, "Mara") == ""


@pytest.mark.parametrize(
    ("given", "owner", "why"),
    [
        ([], "Mara", "nobody has confirmed .*Mara must"),
        ([], "", "the product owner must"),
        ([said("Mara", version=BEFORE)], "Mara", f"Mara confirmed another version, sha256 {BEFORE}"),
        ([said("Ivo")], "Mara", "Ivo has confirmed this version, and the word of Mara is needed"),
        ([said("Mara", "")], "Mara", "without a text"),
        ([said("")], "", "without a name"),
        (
            [said("Mara", doubt="it is signed with the key of Ivo")],
            "Mara",
            "the word of Mara does not count: it is signed with the key of Ivo; Mara must say it: tminus confirm",
        ),
        ([said("Mara", doubt="no"), said("Mara", "")], "Mara", "the word of Mara does not count: no"),
        ([said("Mara", doubt="no"), said("Ivo")], "Mara", "the word of Mara does not count: no"),
    ],
)
def test_another_word_does_not(given: list[Entry], owner: str, why: str) -> None:
    assert re.search(why, unconfirmed(given, NOW, owner))


def test_a_record_is_read_as_yaml_or_json_and_words_for_this_version_are_judged(tmp_path: Path) -> None:
    path = tmp_path / "confirmed.yaml"
    path.write_text(
        f"- {{sha256: 'sha256:{NOW.upper()}', by: Mara, text: paid orders, envelope: this}}\n"
        f"- {{sha256: {BEFORE}, by: Ivo, text: before}}\n"
    )
    assert confirmations(path, path.name, NOW, nobody_s) == [
        Entry(MARA, "Mara signed this"),
        Entry(Confirmation(BEFORE, "Ivo", "before", "")),
    ]


@pytest.mark.parametrize("content", ["{", "5", "- 5", "[1, 2", "- {at: 2024-02-31}"])
def test_what_is_no_record_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "confirmed.yaml"
    path.write_text(content)
    with pytest.raises(InconclusiveError):
        confirmations(path, path.name, NOW, nobody_s)
    with pytest.raises(InconclusiveError, match="cannot be read"):
        confirmations(tmp_path / "gone.yaml", "gone.yaml", NOW, nobody_s)

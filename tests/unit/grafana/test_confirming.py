"""Who has confirmed what figures mean: whose word counts for which version."""

import re
from pathlib import Path

import pytest

from tminus.errors import InconclusiveError
from tminus.grafana.confirming import Confirmation, confirmations, unconfirmed

NOW, BEFORE = "ab" * 32, "cd" * 32
MARA = Confirmation(NOW, "Mara", "paid orders")


def test_the_owners_word_for_this_version_counts() -> None:
    assert unconfirmed([MARA], NOW, "Mara") == ""
    assert unconfirmed([MARA], NOW, "") == ""


@pytest.mark.parametrize(
    ("given", "owner", "said"),
    [
        ([], "Mara", "nobody has confirmed .*Mara must"),
        ([], "", "the product owner must"),
        ([Confirmation(BEFORE, "Mara", "x")], "Mara", f"Mara confirmed another version, sha256 {BEFORE}"),
        (
            [Confirmation(NOW, "Ivo", "x")],
            "Mara",
            "Ivo has confirmed this version, and the word of Mara is needed",
        ),
        ([Confirmation(NOW, "Mara", "")], "Mara", "without a text"),
        ([Confirmation(NOW, "", "x")], "", "without a name"),
    ],
)
def test_another_word_does_not(given: list[Confirmation], owner: str, said: str) -> None:

    assert re.search(said, unconfirmed(given, NOW, owner))


def test_a_record_is_read_as_yaml_or_json(tmp_path: Path) -> None:
    path = tmp_path / "confirmed.yaml"
    path.write_text(f"- {{sha256: 'sha256:{NOW.upper()}', by: Mara, text: paid orders}}\n")
    assert confirmations(path, path.name) == [MARA]


@pytest.mark.parametrize("content", ["{", "5", "- 5", "[1, 2", "- {at: 2024-02-31}"])
def test_what_is_no_record_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "confirmed.yaml"
    path.write_text(content)
    with pytest.raises(InconclusiveError):
        confirmations(path, path.name)
    with pytest.raises(InconclusiveError, match="cannot be read"):
        confirmations(tmp_path / "gone.yaml", "gone.yaml")

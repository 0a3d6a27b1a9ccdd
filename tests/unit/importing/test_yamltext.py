"""What the plan writer writes is read back as the same data by the library that reads every plan."""

from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tminus.importing.yamltext import emitted, scalar

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_SCALARS = st.one_of(_TEXT, st.booleans(), st.integers(-(10**9), 10**9), st.none())
_DATA = st.dictionaries(
    _TEXT,
    st.recursive(
        _SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(_TEXT, inner, min_size=1, max_size=3)
        ),
        max_leaves=12,
    ),
    min_size=1,
    max_size=4,
)


def _read(text: str) -> Any:
    return YAML(typ="safe", pure=True).load(StringIO(text))


def _without_nested_lists(value: Any) -> Any:
    """Plans hold no list directly in a list; the writer writes none."""
    if isinstance(value, dict):
        return {key: _without_nested_lists(content) for key, content in value.items()}
    if isinstance(value, list):
        return [_without_nested_lists(item) for item in value if not isinstance(item, list)]
    return value


@given(_DATA)
def test_whatever_is_written_is_read_back_the_same(data: dict[str, Any]) -> None:
    wanted = _without_nested_lists(data)

    assert _read(emitted(wanted, {})) == wanted


@pytest.mark.parametrize(
    "text",
    ["yes", "No", "1.0", "1_000", "0x1f", "2026-01-15", "12:30", "~", "null", "", " a", "a ", "- a", "a: b", "a #b",
     "*a", "&a", "!a", "%a", "@a", "`a`", "[Name]", "{a}", "'a'", '"a"', "a\nb", "\ufeffa", "=", "<<", "T-24h", "?"],
)  # fmt: skip
def test_text_that_looks_like_something_else_stays_text(text: str) -> None:
    assert _read(f"key: {scalar(text)}\nlist:\n  - {scalar(text)}\n") == {"key": text, "list": [text]}


@pytest.mark.parametrize("text", ["Database backup taken (pre-deployment)", "cfg.env", "5min", "devops"])
def test_plain_words_need_no_quotes(text: str) -> None:
    assert scalar(text) == text


def test_comments_stand_above_their_block_and_their_entry() -> None:
    text = emitted(
        {"checks": {"Backups": [{"id": "bk.db", "line": "Backup taken"}]}},
        {"checks": ("every line",), "bk.db": ("guessed",)},
    )

    assert text == (
        "# every line\nchecks:\n  Backups:\n    # guessed\n    - id: bk.db\n      line: Backup taken\n"
    )

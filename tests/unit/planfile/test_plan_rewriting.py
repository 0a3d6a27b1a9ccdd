"""Changes to a plan's file leave every other byte as it is."""

import difflib
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tminus.errors import PlanError
from tminus.planfile import builtin
from tminus.planfile.rewriting import Scalar, Where, rewrite, rewritten

DEMO = (files("tminus.demo") / "demo.yaml").read_text(encoding="utf-8")
PRODUCTION = builtin("production")


def lines_changed(before: str, after: str) -> list[str]:
    diff = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in diff if line[0] in "+-" and not line.startswith(("+++", "---"))]


@pytest.mark.parametrize("text", [DEMO, PRODUCTION], ids=["demo", "production"])
def test_nothing_changes_when_nothing_is_changed(text: str) -> None:
    assert rewritten(text, {}) == text
    assert rewritten(text, {("production",): False}) == text


@pytest.mark.parametrize(
    ("where", "value", "line"),
    [
        (("production",), True, "+production: true"),
        (("roles", "qa", "phone"), "+49 30 1", 'person: "", phone: "+49 30 1", email: ""}'),
        (("checks", "T-4 Hours", "t4.review", "fresh"), "live 2h", "+      fresh: live 2h"),
        (("checks", "T-4 Hours", "t4.review", "checked"), True, "+      checked: true"),
        (("checks", "T-4 Hours", 1, "source_line"), 213, "+      source_line: 213"),
        (("decision", "reason"), 'no: "tests" # bad', 'valid: 15min, reason: "no: \\"tests\\" # bad"}'),
    ],
)  # fmt: skip
def test_one_value_changes_one_line(where: Where, value: Scalar, line: str) -> None:
    after = rewritten(PRODUCTION, {where: value})
    assert any(changed.endswith(line) for changed in lines_changed(PRODUCTION, after))
    assert len(lines_changed(PRODUCTION, after)) <= 2
    assert [text for text in after.splitlines() if "#" in text][:40] == [
        text for text in PRODUCTION.splitlines() if "#" in text
    ][:40]


def test_comments_blanks_and_line_ends_stay() -> None:
    before = "\ufeffplan:   # the name\r\n\r\n# about it\r\nroles:\r\n  - id: x   # who\r\n    person: ''\r\n"
    after = rewritten(
        before, {("plan",): "a b", ("roles", "x", "person"): "Ann", ("roles", "x", "email"): "a@b"}
    )
    assert after == (
        "\ufeffplan: a b   # the name\r\n\r\n# about it\r\nroles:\r\n  - id: x   # who\r\n    person: Ann\r\n"
        "    email: a@b\r\n"
    )


def test_a_block_of_text_is_replaced_whole() -> None:
    assert rewritten("a: |\n  one\n  two\nb: 1\n", {("a",): "three"}) == "a: three\nb: 1\n"


@given(
    st.text(max_size=80),
    st.sampled_from(["a: x # c\nb: [1]\n", "{a: 1, b: [1]}\n", "b: [1]\n", "a:\nb: [1]\n"]),
)
def test_any_text_can_be_written_and_is_read_back_by_an_independent_reader(value: str, before: str) -> None:
    try:
        after = rewritten(before, {("a",): value})
    except PlanError:
        assert len(value.encode("utf-8", "surrogatepass")) != len(value) or not value.isprintable()
        return
    assert YAML(typ="safe", pure=True).load(after) == {"a": value, "b": [1]}


@pytest.mark.parametrize(
    "where",
    [
        ("nothing", "here"),
        ("roles", "nobody", "person"),
        ("roles", 99, "person"),
        ("roles", "lead"),
        ("checks",),
    ],
)
def test_a_place_that_is_not_there_is_refused(where: Where) -> None:
    with pytest.raises(PlanError):
        rewritten(PRODUCTION, {where: "x"})


def test_a_file_is_replaced_whole_or_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(PRODUCTION, encoding="utf-8")
    path.chmod(0o640)
    assert rewrite(path, {("plan",): "ours"})
    assert path.read_text(encoding="utf-8") == PRODUCTION.replace("\nplan: production\n", "\nplan: ours\n")
    assert path.stat().st_mode & 0o777 == 0o640
    before = path.stat().st_mtime_ns
    assert not rewrite(path, {("plan",): "ours"})
    assert path.stat().st_mtime_ns == before
    with pytest.raises(PlanError, match="cannot be read"):
        rewrite(tmp_path / "none.yaml", {})

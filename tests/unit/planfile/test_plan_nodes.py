"""YAML as values with their lines: what words mean, and input that is no plan."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tminus.errors import PlanError
from tminus.planfile import MAX_BYTES, builtin, nodes, read
from tminus.planfile.nodes import mark_of, parsed, plain

DEMO = (files("tminus.demo") / "demo.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("text", [DEMO, builtin("production")], ids=["demo", "production"])
@pytest.mark.parametrize("events", [nodes.EVENTS, yaml.SafeLoader], ids=["libyaml", "python"])
def test_plans_mean_what_an_independent_reader_reads(
    text: str, events: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nodes, "EVENTS", events)
    tree, problems = parsed(text, "plan")
    assert problems == []
    assert plain(tree, keep_null=True) == YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"), ("on", "on"), ("true", True), ("False", False), ("~", None), ("null", None), ("", None),
        ("12", 12), ("-3", -3), ("0o17", 15), ("0x1F", 31), ("007", 7), ("1_000", "1_000"), ("12:30:00", "12:30:00"),
        ("1.5", 1.5), ("1e3", 1000.0), (".5", 0.5), ("2025-01-15", "2025-01-15"), ("T-0", "T-0"), ("5%", "5%"),
        ("'12'", "12"), ('"true"', "true"), ("! 12", "12"), ("0.1.0", "0.1.0"), ("+49 30", "+49 30"),
    ],
)  # fmt: skip
def test_a_plain_word_means_what_yaml_1_2_says(written: str, value: object) -> None:
    tree, problems = parsed(f"a: {written}\n", "plan")
    assert problems == []
    assert tree["a"] == value
    assert type(tree["a"]) is type(value)


_ANCHOR_WITH_COLON = re.compile(r"[&*][^\s,\[\]{}]*:")
"""YAML 1.1 ends an anchor's name before the colon, YAML 1.2 does not; both read what they then see rightly."""


@given(st.text(alphabet="abc: -[]{},'\"\n#&*!|>%@?0123456789.\t", max_size=60))
def test_what_both_readers_accept_they_read_alike(text: str) -> None:
    tree, problems = parsed(text, "plan")
    if tree is None or problems or _ANCHOR_WITH_COLON.search(text):
        return
    try:
        other = YAML(typ="safe", pure=True).load(text)
    except (YAMLError, ValueError, TypeError):
        return
    if not any(mark in text for mark in ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "?", "!")):
        assert plain(tree, keep_null=True) == _texts_as_keys(other)


def _texts_as_keys(value: object) -> object:
    if isinstance(value, dict):
        return {"" if key is None else str(key): _texts_as_keys(inner) for key, inner in value.items()}
    return [_texts_as_keys(inner) for inner in value] if isinstance(value, list) else value


def test_every_value_knows_its_line() -> None:
    tree, _ = parsed("a:\n  - b: 1\n    c: 2\n  - d\n", "plan")
    assert [mark_of(tree, place).line for place in (("a",), ("a", 0), ("a", 0, "c"), ("a", 1), ("a", 9), ("x",))] == [
        1, 2, 3, 4, 1, 1,
    ]  # fmt: skip


def test_each_duplicate_key_is_told_and_the_first_holds() -> None:
    tree, problems = parsed("a: 1\nb:\n  c: 1\n  c: 2\na: 2\n", "plan")
    assert plain(tree) == {"a": 1, "b": {"c": 1}}
    assert [(problem.line, problem.what) for problem in problems] == [
        (4, "duplicate key `c`, first on line 3"),
        (5, "duplicate key `a`, first on line 1"),
    ]


BAD = {
    "empty": (b"", "this is empty; a plan is a mapping"),
    "a list": (b"- a\n", "this is a list"),
    "one word": (b"plan", "this is one word"),
    "binary": (bytes(range(256)) * 40, "is not UTF-8"),
    "zeros": (b"\0" * 1000, "a control character stands here"),
    "a tab": (b"plan: x\nroles:\n\t- id: a\n", ":3: no YAML: the line begins with a tab; indent with blanks"),
    "lists in lists": (b"a: " + b"[" * 10_000, "nested too deep"),
    "blocks in blocks": (b"".join(b" " * depth + b"a:\n" for depth in range(1500)), "nested too deep"),
    "dashes": (b"- " * 100_000, "nested too deep"),
    "braces": (b"{a: " * 20_000, "nested too deep"),
    "a bomb": (
        b"a0: &a0 [boom, boom]\n"
        + b"".join(b"a%d: &a%d [*a%d, *a%d]\n" % (n, n, n - 1, n - 1) for n in range(1, 40)),
        ":2: no YAML that a plan can be: aliases are not read",
    ),
    "a tag": (b"a: !!python/object/apply:os.system [x]\n", "tags are not read"),
    "50 MB": (b"#" * 50_000_000, "is larger than"),
    "too many values": (b"a: [" + b"1," * (MAX_BYTES // 2 - 10), "more than 220,000 values"),
    "many unknown keys": (b"".join(b"k%d: 1\n" % n for n in range(60_000)), "is no key here"),
    "one long word": (b"plan: " + b"x" * (MAX_BYTES - 100), "characters; write 20,000 at most"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_a_clear_error(name: str, tmp_path: Path) -> None:
    content, told = BAD[name]
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    with pytest.raises(PlanError) as error:
        read(path)
    assert told in f"{error.value}"
    assert str(path) in str(error.value)
    assert error.value.hint

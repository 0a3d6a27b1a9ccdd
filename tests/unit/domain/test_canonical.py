"""Canonical JSON: RFC 8785 and nothing else."""

import json
import math
import struct
from pathlib import Path
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.canonical import canonical, instant, parse, plain, timestamp, written_so
from tminus.errors import RecordError

VECTORS = (Path(__file__).parents[3] / "../shared/vectors").resolve()
SAFE = 2**53 - 1

numbers = st.integers(-SAFE, SAFE) | st.floats(-SAFE, SAFE, allow_nan=False)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


TRICKY = [
    "a",
    "b",
    '"',
    "\\",
    "/",
    "\x00",
    "\x1f",
    "\x7f",
    "\n",
    "é",
    "\u2028",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\U00010000",
    "😀",
]
"""Characters that writers of JSON escape, or sort, in different ways."""
tricky = st.text(st.sampled_from(TRICKY), max_size=6)
spelled = st.sampled_from(
    [0.1, 0.0001, 0.00001, 1e-7, 1.5e-10, 123456789012.25, 1e15, 9e15, 1.0, -0.0, 5e-324]
)
tangled = st.recursive(
    st.none() | st.booleans() | numbers | spelled | tricky,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(tricky, inner, max_size=4),
    max_leaves=20,
)


def vectors(folder: str) -> Path:
    found = VECTORS / folder
    if not found.exists():
        pytest.skip(f"no test vectors at {found}")
    return found


@given(values)
def test_what_is_written_is_read_back_and_has_one_form(value: object) -> None:
    encoded = canonical(value)
    assert parse(encoded) == value
    assert canonical(parse(encoded)) == encoded


@given(tangled)
def test_what_is_written_is_what_the_library_writes(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)
    assert canonical([value, (value,)]) == rfc8785.dumps([value, [value]])


@given(
    tangled,
    st.fixed_dictionaries(
        {
            "ensure_ascii": st.booleans(),
            "sort_keys": st.booleans(),
            "separators": st.sampled_from([(",", ":"), (", ", ": ")]),
        }
    ),
)
def test_what_is_read_is_what_the_library_would_have_written(value: Any, how: dict[str, Any]) -> None:
    text = json.dumps(value, **how).encode()
    if text == rfc8785.dumps(value):
        assert parse(text) == value
    else:
        with pytest.raises(RecordError):
            parse(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"\ue000":1,"😀":2}',
        '{"a":1e-6}',
        '{"a":1.0}',
        "[-0.0]",
        '{"a":9007199254740992}',
        '{"a":-9007199254740992}',
        '{"a":[1e+16]}',
        "1.0",
        "1e-6",
    ],
)
def test_what_orjson_spells_otherwise_is_refused(text: str) -> None:
    """It writes each of these again as it stands, so that alone would let it pass."""
    assert orjson.dumps(orjson.loads(text), option=orjson.OPT_SORT_KEYS).decode() == text
    with pytest.raises(RecordError):
        parse(text.encode())


def test_what_is_no_json_is_not_the_null_that_orjson_makes_of_it() -> None:
    assert written_so({"a": None}, b'{"a":null}')
    with pytest.raises(RecordError, match="cannot be written"):
        written_so({"a": math.nan}, b'{"a":null}')


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "values", "weird"])
def test_the_vectors_of_rfc_8785_are_written_as_published(name: str) -> None:
    folder = vectors("jcs_rfc8785")
    source = json.loads((folder / "input" / f"{name}.json").read_bytes())
    published = (folder / "output" / f"{name}.json").read_bytes().strip()
    if name == "values":
        with pytest.raises(RecordError, match="beyond 2"):
            canonical(source)
        source["numbers"] = published_numbers = [4.5, 0.002, 1e-27]
        published = published.replace(b"333333333.3333333,1e+30,", b"")
        assert json.loads(published)["numbers"] == published_numbers
    assert canonical(source) == published
    assert parse(published) == source


def test_numbers_are_written_as_ecmascript_writes_them() -> None:
    lines = (vectors("jcs_rfc8785") / "es6_numbers_10000.txt").read_text().split()
    seen = 0
    for line in lines:
        bits, published = line.split(",")
        number = struct.unpack(">d", int(bits, 16).to_bytes(8))[0]
        if math.isfinite(number) and abs(number) <= SAFE:
            assert canonical(number).decode() == published, bits
            seen += 1
    assert seen > 1000


@pytest.mark.parametrize("name", ["arrays", "french", "structures", "unicode", "weird"])
def test_the_inputs_of_these_vectors_are_refused_where_they_are_not_canonical(name: str) -> None:
    folder = vectors("jcs_rfc8785")
    given = (folder / "input" / f"{name}.json").read_bytes()
    published = bytes.fromhex((folder / "outhex" / f"{name}.txt").read_text())
    assert parse(published) == json.loads(given)
    with pytest.raises(RecordError, match="not as RFC 8785"):
        parse(given)


def test_texts_that_are_json_have_one_form_or_are_refused() -> None:
    names = sorted((vectors("jsontestsuite") / "test_parsing").glob("[yi]_*.json"))
    kept = refused = 0
    for name in [*names, *sorted((vectors("jsontestsuite") / "test_transform").glob("*.json"))]:
        text = name.read_bytes()
        try:
            value = json.loads(text)
            encoded = canonical(value)
        except (RecordError, ValueError, RecursionError):
            with pytest.raises(RecordError):
                parse(text)
            refused += 1
            continue
        assert parse(encoded) == value, name
        if text != encoded:
            with pytest.raises(RecordError):
                parse(text)
        kept += 1
    assert kept > 80
    assert refused > 20


@pytest.mark.parametrize("values", ["different_values", "same_value", "unclear_values"])
def test_a_published_text_with_a_key_that_stands_twice_is_refused(values: str) -> None:
    text = (vectors("jsontestsuite") / "test_transform" / f"object_same_key_{values}.json").read_bytes()
    with pytest.raises(RecordError, match="'a' stands twice"):
        parse(text)


def test_texts_that_are_no_json_are_refused() -> None:
    names = sorted((vectors("jsontestsuite") / "test_parsing").glob("n_*.json"))
    assert len(names) > 100
    for name in names:
        with pytest.raises(RecordError):
            parse(name.read_bytes())


@pytest.mark.parametrize(
    ("encoded", "place"),
    [
        (b'{"a":1,"a":1}', "'a' stands twice"),
        (b'{"b":1,"a":1}', "byte 3: not as RFC 8785"),
        (b'{"a": 1}', "byte 6: not as RFC 8785"),
        (b'{"a":1.0}', "byte 7: not as RFC 8785"),
        (b'{"a":-0}', "byte 6: not as RFC 8785"),
        (b'{"a":1e2}', "byte 7: not as RFC 8785"),
        (b'{"a":9007199254740992}', "beyond 2"),
        (b'{"a":' + b"9" * 5000 + b"}", "beyond 2"),
        (b'{"a":1e30}', "beyond 2"),
        (b'{"a":1e999}', "beyond 2"),
        (b'{"a":NaN}', "NaN"),
        (b'{"a":-Infinity}', "Infinity"),
        (b'{"a":"\\u00e9"}', "byte 7: not as RFC 8785"),
        (b'{"a":"\\ud800"}', "non-UTF-8"),
        (b'{"\\ud800":1}', "surrogates"),
        (b'{"a":"\xc3"}', "byte 7: no UTF-8"),
        (b'{"\xc3\xa9":1]', "byte 8: no JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b"", "byte 1: no JSON"),
    ],
)
def test_every_other_form_is_refused_with_its_place(encoded: bytes, place: str) -> None:
    with pytest.raises(RecordError, match=place):
        parse(encoded)


@pytest.mark.parametrize("value", [math.nan, math.inf, 2**53, 1e16, "\ud800", {1: 2}, {"a": {3}}, b"bytes"])
def test_what_could_not_be_read_back_is_not_written(value: object) -> None:
    with pytest.raises(RecordError):
        canonical(value)


def test_a_plain_copy_is_detached_and_as_a_reader_sees_it() -> None:
    inner = [1]
    copy = plain({"a": (1, 2.0), "b": inner})
    inner.append(2)
    assert copy == {"a": [1, 2], "b": [1]}


@given(st.integers(0, 4_000_000_000_000))
def test_an_instant_is_read_back_to_the_millisecond(milliseconds: int) -> None:
    assert round(instant(timestamp(milliseconds / 1000)) * 1000) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.000+00:00",
        "2026-01-31T13:00:00.000+01:00",
        "2026-02-30",
        "now",
        "",
    ],
)
def test_another_spelling_of_an_instant_is_refused(text: str) -> None:
    with pytest.raises(RecordError, match="no instant"):
        instant(text)

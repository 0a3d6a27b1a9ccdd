"""YAML as Go's programs read it: as it is written, with lines, and never more than fits."""

import pytest

from tminus.alerting.yamltree import (
    MAX_DEPTH,
    Fault,
    FaultError,
    Fields,
    Items,
    Scalar,
    documents,
    seconds,
    telling,
)


def only(text: str) -> Fields:
    (root,) = documents(text)
    assert isinstance(root, Fields)
    return root


class TestValues:
    @pytest.mark.parametrize("written", ["0x10", "1.10", "007", "yes", "2025-01-15", "1e3", "5m"])
    def test_a_value_is_the_text_that_is_written_where_a_text_is_wanted(self, written: str) -> None:
        assert only(f"a: {written}\n").text("a") == written

    @pytest.mark.parametrize("written", ["", "~", "null", "NULL"])
    def test_nothing_leaves_a_field_as_it_is(self, written: str) -> None:
        fields = only(f"a: {written}\nb: 1\n")
        assert fields.text("a") == ""
        assert fields.listed("a") == []
        assert fields.flag("a") is False
        assert fields.seconds("a") is None

    def test_what_is_quoted_is_a_text_whatever_it_says(self) -> None:
        fields = only("a: 'null'\nb: \"\"\n")
        assert fields.text("a") == "null"
        assert fields.get("b") is not None

    @pytest.mark.parametrize(
        ("written", "means"), [("true", True), ("yes", True), ("On", True), ("no", False)]
    )
    def test_a_flag_is_said_in_many_words(self, written: str, *, means: bool) -> None:
        assert only(f"a: {written}\n").flag("a") is means

    @pytest.mark.parametrize("written", ["'yes'", "1", "[]", "maybe"])
    def test_a_flag_is_nothing_else(self, written: str) -> None:
        with pytest.raises(FaultError, match="neither true nor false"):
            only(f"a: {written}\n").flag("a")

    @pytest.mark.parametrize(
        ("written", "length"), [("0", 0.0), ("1h30m", 5400.0), ("500ms", 0.5), ("1d", 86400.0), ("0s", 0.0)]
    )
    def test_a_length_of_time_is_in_seconds(self, written: str, length: float) -> None:
        assert seconds(written) == length

    @pytest.mark.parametrize("written", ["", "1", "1x", "1m1h", "-1s", "1.5s", "300y", "٣s"])
    def test_another_length_of_time_is_refused(self, written: str) -> None:
        with pytest.raises(ValueError, match=r"length of time|longer than"):
            seconds(written)

    def test_each_fault_says_its_line_and_reading_goes_on(self) -> None:
        fields = only("a: 1\nb: [2]\nc:\n  d: 3\n")
        faults: list[Fault] = []
        for name in ("a", "b", "c"):
            with telling(faults):
                fields.listed(name)
        assert [str(one) for one in faults] == ["line 1: a is no list", "line 4: c is no list"]


class TestAliases:
    def test_an_alias_is_what_it_stands_for_and_a_merged_key_gives_way_to_an_own_one(self) -> None:
        root = only("base: &b {x: 1, y: 2}\none: *b\ntwo: {<<: *b, y: 3}\nthree: {y: 4, <<: [*b]}\n")
        assert root.nodes["one"] is root.nodes["base"]
        assert {name: root.mapped("two").text(name) for name in "xy"} == {"x": "1", "y": "3"}
        assert root.mapped("three").text("y") == "4"

    def test_a_bomb_of_aliases_is_refused_before_it_is_followed(self) -> None:
        lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
        with pytest.raises(FaultError, match="more than 300,000 values") as caught:
            documents("\n".join(lines))
        assert caught.value.line == 6

    def test_a_chain_of_aliases_is_no_way_around_the_depth(self) -> None:
        lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, MAX_DEPTH + 5))]
        with pytest.raises(FaultError, match="nested deeper"):
            documents("\n".join(lines))

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("a: &a [*a]\n", "within what it stands for"),
            ("a: *b\n", "stands for nothing"),
            ("a: {<<: 1}\n", "takes a mapping"),
            ("? [a]\n: b\n", "a key is a word"),
            ("? *b\n: c\n", "stands for nothing"),
            ("a: 1\nb: 2\na: 3\n", "stands here twice, first on line 1"),
            ("a: !!python/object:os.system x\n", "tag"),
            ("a: !!binary aGVsbG8=\n", "tag"),
            ("a: [1\n", "it is no YAML"),
            ("a: \x01\n", "control character"),
            ("[" * 5000, "nested deeper"),
            ("a:\n\tb: 1\n", "it is no YAML"),
        ],
    )
    def test_what_cannot_be_read_is_refused_with_its_reason(self, text: str, words: str) -> None:
        with pytest.raises(FaultError, match=words):
            documents(text)

    @pytest.mark.parametrize(
        "text", ["a: *Zebra42SECRET\n", "a: !Zebra42SECRET\n", "a: &Zebra42 [*Zebra42]\n"]
    )
    def test_a_password_that_lacks_its_quotes_is_not_repeated(self, text: str) -> None:
        with pytest.raises(FaultError) as caught:
            documents(text)
        assert "Zebra" not in str(caught.value)

    def test_an_anchor_ends_with_its_document(self) -> None:
        with pytest.raises(FaultError, match="stands for nothing"):
            documents("a: &a 1\n---\nb: *a\n")


class TestDocuments:
    def test_every_document_is_there(self) -> None:
        found = documents("a: 1\n---\n- b\n---\n")
        assert [type(one) for one in found] == [Fields, Items, Scalar]

    def test_no_text_has_none(self) -> None:
        assert documents("") == []
        assert documents("# nothing but a remark\n") == []

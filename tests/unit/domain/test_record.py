"""The launch record: one canonical line for each event, each naming the one before."""

import random
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tminus.domain.record import LINE_LIMIT, NO_LINE, Entry, Event, append, decode, digest, encode, read
from tminus.errors import OutOfSequenceError, RecordError

AT = "2026-01-31T12:00:00.000Z"


def entry(kind: str, key: str = "", data: dict[str, object] | None = None) -> Entry:
    return Entry(kind, key or kind, data or {}, AT, -3_600_000)


def chain(*kinds: str) -> list[Event]:
    events: list[Event] = []
    for number, kind in enumerate(kinds):
        events.append(append(events[-1] if events else None, entry(kind, f"{kind}#{number}")))
    return events


@pytest.fixture
def lines() -> list[bytes]:
    return [encode(event) for event in chain("launch.opened", "check.observed", "note.taken", "checkpoint")]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
events = st.builds(
    Event,
    seq=st.integers(0, 2**53 - 1),
    prev=st.binary(min_size=32, max_size=32).map(bytes.hex),
    at=st.just(AT),
    t_ms=st.none() | st.integers(-(2**53) + 1, 2**53 - 1),
    type=st.from_regex(r"[a-z][a-z0-9-]{0,9}(\.[a-z][a-z0-9-]{0,9}){0,3}", fullmatch=True),
    key=texts.filter(lambda key: bool(key) and key.isprintable()),
    data=st.dictionaries(texts, texts | st.integers(-(2**53) + 1, 2**53 - 1) | st.lists(st.booleans())),
)


@given(events, st.integers(1, 10**6))
def test_an_event_is_read_back_from_its_line(event: Event, number: int) -> None:
    assert decode(number, encode(event)) == event


def test_an_event_names_the_digest_of_the_line_before(lines: list[bytes]) -> None:
    assert decode(1, lines[0]).prev == NO_LINE
    assert decode(2, lines[1]).prev == sha256(lines[0]).hexdigest() == digest(lines[0])


def test_a_whole_record_is_read_whatever_the_size_of_the_chunks(lines: list[bytes]) -> None:
    content = b"".join(lines)
    for size in (1, 7, 100, len(content)):
        chunks = (content[at : at + size] for at in range(0, len(content), size))
        assert [encode(event) for event in read(chunks)] == lines


def test_reading_holds_only_what_it_needs(lines: list[bytes]) -> None:
    asked = 0

    def chunks() -> Iterator[bytes]:
        nonlocal asked
        for line in lines:
            asked += 1
            yield line

    next(read(chunks()))
    assert asked == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seq": -1}, "`seq`"),
        ({"seq": True}, "`seq`"),
        ({"prev": "A" * 64}, "`prev`"),
        ({"t_ms": 0.5}, "`t_ms`"),
        ({"type": "Check.Observed"}, "`type`"),
        ({"type": "check..observed"}, "`type`"),
        ({"key": ""}, "`key`"),
        ({"key": "a\nb"}, "`key`"),
        ({"key": "x" * 201}, "`key`"),
        ({"data": []}, "`data`"),
        ({"at": "2026-01-31"}, "no instant"),
    ],
)
def test_an_event_with_a_wrong_field_is_not_written(change: dict[str, object], message: str) -> None:
    right = chain("launch.opened")[0]
    with pytest.raises(RecordError, match=message):
        encode(replace(right, **change))  # type: ignore[arg-type] # wrong on purpose


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"seq":1', b'"seq":1,"seq":1', "line 2: the key 'seq' stands twice"),
        (b'"seq":1', b'"seq": 1', r"line 2: byte \d+: not as RFC 8785"),
        (b'"seq":1', b'"seq":1.5', "line 2: `seq` cannot be '1.5'"),
        (b'"seq":1', b'"seq":NaN', "line 2: NaN is no JSON number"),
        (b'"seq":1', b'"seq":9007199254740993', "line 2: the number 9007199254740993 is beyond"),
        (b',"seq":1', b"", "line 2: the field `seq` is missing"),
        (b'"seq":1', b'"seq":1,"sig":""', "line 2: the field 'sig' is unknown"),
        (b'"data":{}', b'"data":[]', r"line 2: `data` cannot be '\[\]'"),
        (b'"data":{}', b'"data":{"a":"\xff"}', r"line 2: byte \d+: no UTF-8"),
        (b"}\n", b"}", "line 2: byte .*: no JSON: Extra data"),
        (b"}\n", b"}\r\n", "line 2: byte .*: not as RFC 8785"),
    ],
)
def test_a_line_in_any_other_form_is_refused(
    lines: list[bytes], old: bytes, new: bytes, message: str
) -> None:
    changed = lines[1].replace(old, new)
    assert changed != lines[1]
    with pytest.raises(RecordError, match=message):
        list(read([lines[0], changed, *lines[2:]]))


def test_a_line_that_is_no_object_is_refused() -> None:
    with pytest.raises(RecordError, match="line 7: not an object"):
        decode(7, b"[]\n")


def test_an_empty_record_is_refused() -> None:
    with pytest.raises(RecordError, match="line 1: the record is empty"):
        list(read([]))


def test_a_record_without_its_final_newline_is_refused(lines: list[bytes]) -> None:
    with pytest.raises(RecordError, match=r"line 4: byte \d+: the final newline is missing"):
        list(read([*lines[:3], lines[3][:-1]]))


@pytest.mark.parametrize("rest", [b"\n", b" ", b"x", b"{}\n", b"\x00"])
def test_bytes_behind_the_record_are_refused(lines: list[bytes], rest: bytes) -> None:
    with pytest.raises(RecordError, match="line 5"):
        list(read([*lines, rest]))


def test_a_record_cut_at_any_line_is_refused(lines: list[bytes]) -> None:
    for kept in range(1, len(lines)):
        with pytest.raises(RecordError, match=f"line {kept}: the record ends with .* lines are missing"):
            list(read(lines[:kept]))


def test_a_record_cut_at_any_byte_is_refused(lines: list[bytes]) -> None:
    content = b"".join(lines)
    for kept in range(len(content)):
        with pytest.raises(RecordError, match="line"):
            list(read([content[:kept]]))


def test_lines_in_another_order_are_refused(lines: list[bytes]) -> None:
    with pytest.raises(RecordError, match="line 2: `seq` is 2, not 1"):
        list(read([lines[0], lines[2], lines[1], lines[3]]))


def test_a_line_left_out_is_refused(lines: list[bytes]) -> None:
    with pytest.raises(RecordError, match="line 2: `seq` is 2, not 1"):
        list(read([lines[0], *lines[2:]]))


def test_a_changed_line_is_named_by_the_line_behind_it(lines: list[bytes]) -> None:
    changed = lines[1].replace(b'"data":{}', b'"data":{"a":1}')
    with pytest.raises(RecordError, match="line 3: `prev` is not the digest of line 2"):
        list(read([lines[0], changed, *lines[2:]]))


def test_a_record_that_does_not_begin_with_its_opening_is_refused() -> None:
    event = Event(0, NO_LINE, AT, None, "check.observed", "a", {})
    with pytest.raises(RecordError, match=r"line 1: launch\.opened must be the first"):
        list(read([encode(event)]))


def test_a_line_longer_than_the_limit_is_refused_before_it_is_held() -> None:
    pieces = 0

    def endless() -> Iterator[bytes]:
        nonlocal pieces
        while True:
            pieces += 1
            yield b"x" * 65536

    with pytest.raises(RecordError, match=f"line 1: longer than {LINE_LIMIT} bytes"):
        list(read(endless()))
    assert pieces <= LINE_LIMIT // 65536


def test_an_event_longer_than_the_limit_is_not_written() -> None:
    with pytest.raises(RecordError, match="more than 1048576"):
        append(None, entry("launch.opened", data={"large": "x" * LINE_LIMIT}))


def test_nothing_is_recorded_before_the_launch_is_opened_or_after_it_ended() -> None:
    with pytest.raises(OutOfSequenceError, match=r"begins with launch\.opened"):
        append(None, entry("check.observed"))
    opened, ended = chain("launch.opened", "launch.ended")
    with pytest.raises(OutOfSequenceError, match="has it once"):
        append(opened, entry("launch.opened"))
    with pytest.raises(OutOfSequenceError, match="the record is closed"):
        append(ended, entry("check.observed"))
    assert append(ended, entry("checkpoint")).seq == 2


def test_recorded_data_does_not_change_with_the_callers_own() -> None:
    data: dict[str, object] = {"list": [1]}
    event = append(None, entry("launch.opened", data=data))
    data["list"] = []
    assert event.data == {"list": [1]}


def test_random_damage_never_passes_nor_raises_anything_else(lines: list[bytes]) -> None:
    draw = random.Random(7)
    content = b"".join(lines[:3])
    for _ in range(500):
        at = draw.randrange(len(content))
        damaged = content[:at] + draw.randbytes(draw.randrange(4)) + content[at + draw.randrange(1, 4) :]
        if damaged != content:
            with pytest.raises(RecordError, match="line"):
                list(read([damaged, lines[3]]))

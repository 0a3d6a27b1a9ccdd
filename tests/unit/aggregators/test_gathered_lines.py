"""Lines as aggregators show them: their fields, their times, and addresses by which aggregators are named."""

import json
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import pytest

from tminus.aggregators import marks, opened
from tminus.aggregators.elasticsearch import Elasticsearch
from tminus.aggregators.journal import Journal
from tminus.aggregators.lines import SAMPLE, Found, Line, Wanted, gathered, instant, structured
from tminus.aggregators.loki import Loki, selector
from tminus.aggregators.marks import Sender, followed
from tminus.aggregators.place import Place
from tminus.aggregators.textfiles import TextFiles
from tminus.errors import DeniedError, InconclusiveError, UnreachableError
from tminus.http import Answer


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ('{"a": {"b": 1, "c": null}, "d": "x", "e": [1]}', {"a.b": "1", "d": "x", "e": "[1]"}),
        ('level=info msg="two words" took=3ms', {"level": "info", "msg": "two words", "took": "3ms"}),
        ("a sentence with x=y in it", {}),
        ('{"cut": "o', {}),
        ("[1, 2]", {}),
        ("", {}),
        ('{"a":' * 100_000, {}),
        ('{"a":' * 900 + "1" + "}" * 900, {}),
    ],
)
def test_a_line_s_fields_are_its_own(text: str, fields: dict[str, str]) -> None:
    found = {name: value for name, value in structured(text).items() if name.count(".") < 19}
    assert found == fields


def test_a_long_word_is_read_as_soon_as_a_long_line() -> None:
    began = perf_counter()
    assert structured("x" * 200_000) == {}
    assert structured("x-." * 60_000 + " a=1 b=2") == {"a": "1", "b": "2"}
    assert perf_counter() - began < 1


def test_a_line_s_text_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counting(text: str) -> dict[str, str]:
        asked.append(text)
        return structured(text)

    monkeypatch.setattr("tminus.aggregators.lines.structured", counting)
    line = Line(1_800_000_000.0, "level=info a=b")
    assert (line.named("level"), line.named("none"), line.written, line.lag) == ("info", "", line.at, 0.0)
    assert len(asked) == 1


@pytest.mark.parametrize(
    "text", ["1800000000", "1800000000000", "1800000000000000000", "2027-01-15T08:00:00Z"]
)
def test_times_are_read_in_any_unit(text: str) -> None:
    assert instant(text) == 1_800_000_000


@pytest.mark.parametrize(
    "text", ["", "soon", "nan", "inf", "-1", "0.045", "12", "45000000", "2027-01-15T08:00:00", "2027-01-15"]
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert instant(text) is None


def test_lag_is_told_by_arrival_or_by_the_line_s_own_word() -> None:
    assert Line(100.0, "plain").lag == 0.0
    assert Line(100.0, "plain", came=130.0).lag == 30.0
    assert Line(1_800_000_060.0, '{"time": "2027-01-15T08:00:00Z"}').lag == 60.0


@pytest.mark.parametrize(
    "own",
    ['{"time": 0.045}', '{"time": "2027-01-15T10:00:00"}', '{"ts": 4102444800}', "took=1 time=2500000000"],
)
def test_what_is_no_time_of_writing_is_not_taken_for_one(own: str) -> None:
    assert Line(1_800_000_000.0, own).written == 1_800_000_000.0


def test_a_line_is_taken_by_labels_within_the_time() -> None:
    lines = [Line(float(at), "", {"app": "a", "pod": f"p{at % 2}"}) for at in range(10)]
    found = gathered([*lines, Line(5.0, "", {"app": "b", "pod": "x"})], Wanted({"app": "a"}, "pod", 2.0, 6.0))
    assert found.counts == {"p0": 2, "p1": 2}
    assert found.newest() == 5.0


def test_each_kind_of_address_opens_its_aggregator() -> None:
    assert isinstance(opened("loki+https://user:pass@logs.example/prefix"), Loki)
    assert isinstance(opened("elasticsearch+http://logs.example:9200/logs-*"), Elasticsearch)
    assert isinstance(opened("opensearch+https://:key@logs.example/logs-*"), Elasticsearch)
    assert isinstance(opened("journal:"), Journal)
    assert opened("journal:/var/log/journal/remote") == Journal("/var/log/journal/remote")
    assert opened("files:/var/log/*/app.log") == TextFiles("/var/log/*/app.log")


@pytest.mark.parametrize(
    "address", ["https://logs.example", "journal:unit", "files:x", "loki+http://", "loki+http://[", ""]
)
def test_an_address_of_no_aggregator_is_told(address: str) -> None:
    with pytest.raises(InconclusiveError, match="the address of the logs"):
        opened(address)


def test_what_opens_an_aggregator_is_sent_and_never_shown() -> None:
    basic = Place.of("https://us%40er:pa%3Ass@logs.example/x/", "Bearer")
    assert (basic.base, basic.path) == ("https://logs.example", "/x")
    assert basic.headers == {"Authorization": "Basic dXNAZXI6cGE6c3M="}
    assert Place.of("https://:tok%2Fen@logs.example", "ApiKey").headers == {"Authorization": "ApiKey tok/en"}
    assert Place.of("https://logs.example", "Bearer").headers == {}
    assert "pa:ss" not in repr(basic)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, DeniedError),
        (403, DeniedError),
        (429, UnreachableError),
        (503, UnreachableError),
        (400, InconclusiveError),
    ],
)
def test_a_refusal_is_told_without_what_opens_it(status: int, error: type[Exception]) -> None:
    place = Place.of("https://user:hush-hush@logs.example", "Bearer")
    echo = f"you sent {place.headers['Authorization']} and hush-hush".encode()
    with pytest.raises(error) as raised:
        place.read(Answer(status, echo, {}, 1.0), "lines")
    assert "hush" not in str(raised.value)
    assert place.headers["Authorization"].removeprefix("Basic ") not in str(raised.value)


def test_labels_are_quoted_as_logql_has_it() -> None:
    assert selector({"app": 'a"b', "pod": "x"}) == '{app="a\\"b", pod="x"}'


WANTED = Wanted({"app": "a"}, "pod", 0.0, 4e9)


class Gathering:
    """An aggregator of lines that hold marks; it gives the newest alone, as many as `SAMPLE`."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.spans: list[float] = []

    async def recent(self, wanted: Wanted) -> Found:
        return gathered(self.lines, wanted)

    async def marked(self, wanted: Wanted, mark: str) -> Found:
        self.spans.append(wanted.until - wanted.since)
        found = [one for one in reversed(self.lines) if mark in one.text and wanted.since <= one.at]
        return replace(gathered(found[:SAMPLE], wanted), cut=len(found) >= SAMPLE)


class Told(Sender):
    """Marks that are written into the aggregator at once, so many lines each, so many seconds ago."""

    def __init__(self, aggregator: Gathering, each: int, back: float) -> None:
        super().__init__("http://127.0.0.1", "/", 3, lambda: 1_800_000_000.0 + len(aggregator.spans) * 30)
        object.__setattr__(self, "_to", (aggregator, each, back))

    async def send(self, common: str) -> dict[str, float]:
        aggregator, each, back = self._to  # type: ignore[attr-defined] # set beside the frozen fields
        marked = [f"{common}n{number:03}" for number in range(3)]
        at = self.now() - back
        aggregator.lines += [Line(at, mark, {"app": "a", "pod": "p"}) for mark in marked for _ in range(each)]
        return dict.fromkeys(marked, self.now())


async def test_marks_are_found_where_many_lines_hold_one() -> None:
    aggregator = Gathering()
    trail = await followed(aggregator, WANTED, Told(aggregator, SAMPLE, 0.0), 60.0)
    assert trail.missing == 0
    assert len(aggregator.spans) == 3, "two of the marks were asked for by themselves"


async def test_a_day_is_looked_through_once_and_not_on_each_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(marks, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(marks, "LATER_SECONDS", 0.0)
    aggregator = Gathering()
    trail = await followed(aggregator, WANTED, Told(aggregator, 1, 7200.0), 60.0)
    assert trail.missing == 0, "the clock of whoever wrote them is two hours behind"
    near = [span for span in aggregator.spans if span < 86_400 + 1000]
    assert len(near) == len(aggregator.spans) - 1 > 1


NOW = 1_800_000_000.0


def said(at: float, text: str = "x", **more: str) -> str:
    return json.dumps({"time": at, "app": "a", "msg": text, **more}) + "\n"


def written(path: Path, lines: Sequence[str], at: float = NOW) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(lines))
    os.utime(path, (at, at))


class TestFiles:
    async def test_what_was_written_before_a_file_was_rotated_is_its_own(self, tmp_path: Path) -> None:
        for host, end in (("one", ".1"), ("two", "-20270115")):
            written(tmp_path / host / "app.log", [])
            written(tmp_path / host / f"app.log{end}", [said(NOW - 10, "mark1")])
            written(tmp_path / host / "app.log.old", [said(NOW - 10, "mark1")])
        found = TextFiles(f"{tmp_path}/*/app.log")
        wanted = Wanted({"app": "a"}, "folder", NOW - 300, NOW + 1)
        assert (await found.recent(wanted)).counts == {"one": 1, "two": 1}
        assert (await found.marked(wanted, "mark1")).counts == {"one": 1, "two": 1}
        by_name = await found.recent(replace(wanted, instance="file"))
        assert by_name.counts == {"app.log": 2}

    async def test_files_that_nothing_was_written_to_are_not_read(self, tmp_path: Path) -> None:
        written(tmp_path / "old" / "app.log", [said(NOW - 10)], at=NOW - 3600)
        written(tmp_path / "new" / "app.log", [said(NOW - 10)])
        found = await TextFiles(f"{tmp_path}/*/app.log").recent(Wanted({}, "folder", NOW - 300, NOW + 1))
        assert found.counts == {"new": 1}

    async def test_a_look_at_many_long_files_ends_soon(self, tmp_path: Path) -> None:
        for number in range(20):
            written(
                tmp_path / f"h{number}" / "app.log", [said(NOW - 100 + at / 1000) for at in range(40_000)]
            )
        files, began = TextFiles(f"{tmp_path}/*/app.log"), perf_counter()
        wanted = Wanted({"app": "a"}, "folder", NOW - 300, NOW + 1)
        found = await files.recent(wanted)
        assert len(found.counts) == 20
        assert not found.cut, "each has a line, and has its own file"
        assert (await files.recent(replace(wanted, instance="app"))).cut
        assert (await files.marked(wanted, "mark1")).lines == []
        assert perf_counter() - began < 5

    async def test_a_line_without_a_time_belongs_to_the_one_before(self, tmp_path: Path) -> None:
        written(tmp_path / "h" / "app.log", [said(NOW - 10), "at mark1\n", said(NOW - 5), "mark1, too"])
        found = await TextFiles(f"{tmp_path}/*/app.log").marked(Wanted({}, "folder", NOW - 300, NOW), "mark1")
        assert [line.at for line in found.lines] == [NOW - 10, NOW - 5]

    async def test_lines_whose_times_have_no_zone_are_told(self, tmp_path: Path) -> None:
        written(tmp_path / "h" / "app.log", ["time=2027-01-15T08:00:00 level=info\n"] * 3)
        with pytest.raises(InconclusiveError, match="says when it was written"):
            await TextFiles(f"{tmp_path}/*/app.log").recent(Wanted({}, "folder", NOW - 300, NOW))

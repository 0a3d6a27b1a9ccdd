"""Lines as aggregators show them: their fields, their times, and addresses by which aggregators are named."""

import pytest

from tminus.aggregators import opened
from tminus.aggregators.elasticsearch import Elasticsearch
from tminus.aggregators.journal import Journal
from tminus.aggregators.lines import Line, Wanted, gathered, instant, structured
from tminus.aggregators.loki import Loki, selector
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
    ],
)
def test_a_line_s_fields_are_its_own(text: str, fields: dict[str, str]) -> None:
    assert structured(text) == fields


@pytest.mark.parametrize(
    "text", ["1800000000", "1800000000000", "1800000000000000000", "2027-01-15T08:00:00Z"]
)
def test_times_are_read_in_any_unit(text: str) -> None:
    assert instant(text) == 1_800_000_000


@pytest.mark.parametrize("text", ["", "soon", "nan", "inf", "-1"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert instant(text) is None


def test_lag_is_told_by_arrival_or_by_the_line_s_own_word() -> None:
    assert Line(100.0, "plain").lag == 0.0
    assert Line(100.0, "plain", came=130.0).lag == 30.0
    assert Line(1_800_000_060.0, '{"time": "2027-01-15T08:00:00Z"}').lag == 60.0


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

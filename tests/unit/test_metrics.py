"""tminus's own figures, as Prometheus reads them."""

import http.client
import socket
from collections.abc import Callable

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tminus.domain.course import Course
from tminus.domain.health import Heart, OpenLaunch, Schema, Survey, Waiting
from tminus.domain.rollout import State
from tminus.errors import PartError
from tminus.metrics import Metrics

NOW = 1_800_000_000.0
LATE = OpenLaunch(
    "a", Course(State.COUNTING, NOW + 60, NOW + 60, 1.0, NOW - 9000), (-600.0,), "PENDING", "w1"
)
SEEN = Survey(
    NOW,
    0.25,
    0.0,
    Schema("r1", ("r1",), "r1"),
    (Heart("w1", 0.5), Heart("w0", 900.0, buried=True)),
    (LATE, OpenLaunch("b", None)),
    {"timeline": Waiting(3, 7.0)},
    Waiting(2, 4.0),
)


def figures(metrics: Metrics) -> dict[str, float]:
    """Every sample by its name and labels."""
    found = {}
    for family in text_string_to_metric_families(metrics.text().decode()):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def gone() -> Survey:
    raise PartError("it does not answer", hint="start it")


def test_the_common_database_is_looked_at_when_somebody_asks_and_not_before() -> None:
    looks: list[int] = []

    def look() -> Survey:
        looks.append(1)
        return SEEN

    metrics = Metrics(look)
    assert looks == []
    found = figures(metrics)
    assert len(looks) == 1
    own = ("tminus_wait", "tminus_steps", "tminus_errors")
    assert {name: value for name, value in found.items() if not name.startswith(own)} == {
        "tminus_database_up": 1,
        "tminus_schema_right": 1,
        "tminus_clock_ahead_seconds": 0.25,
        "tminus_worker_heartbeat_age_seconds{executor=w1}": 0.5,
        "tminus_queue_depth{queue=timeline}": 3,
        "tminus_queue_oldest_seconds{queue=timeline}": 7,
        "tminus_outbox_depth": 2,
        "tminus_outbox_oldest_seconds": 4,
        "tminus_launches_open": 2,
        "tminus_launches_late": 1,
        "tminus_launches_latest_seconds": 540,
    }  # fmt: skip


def test_a_database_that_does_not_answer_is_down_and_nothing_else_is_said_of_it() -> None:
    found = figures(Metrics(gone))
    assert found["tminus_database_up"] == 0
    assert not [
        name for name in found if name.startswith(("tminus_launches", "tminus_queue", "tminus_outbox"))
    ]


def test_tables_that_are_not_there_give_no_zeros() -> None:
    bare = Survey(NOW, 0.0, 0.0, Schema(None, ("r1",), "r1"))
    found = figures(Metrics(lambda: bare))
    assert (found["tminus_database_up"], found["tminus_schema_right"]) == (1, 0)
    assert not [
        name for name in found if name.startswith(("tminus_launches", "tminus_queue", "tminus_outbox"))
    ]


def test_what_a_process_does_is_counted_and_how_late_it_woke_is_sorted() -> None:
    metrics = Metrics(gone)
    metrics.heart(lambda: 1.5)
    for failed in (False, False, True):
        metrics.step(failed=failed)
    metrics.broke()
    for late in (0.01, 1.5, 1000.0):
        metrics.woke(late)
    found = figures(metrics)
    assert found["tminus_heartbeat_age_seconds"] == 1.5
    assert (
        found["tminus_steps_done_total{result=done}"],
        found["tminus_steps_done_total{result=failed}"],
    ) == (2, 1)
    assert found["tminus_errors_total"] == 1
    assert [found[f"tminus_wait_late_seconds_bucket{{le={bound}}}"] for bound in ("0.05", "2.0", "300.0", "+Inf")] == [
        1, 2, 2, 3,
    ]  # fmt: skip


@pytest.fixture
def ask() -> Callable[[int, str], tuple[int, str]]:
    def asked(port: int, host: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/metrics", headers={"Host": host})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    return asked


def test_a_process_without_a_page_answers_this_machine_alone(
    ask: Callable[[int, str], tuple[int, str]],
) -> None:
    with Metrics(lambda: SEEN).served(0) as port:
        status, text = ask(port, f"127.0.0.1:{port}")
        assert status == 200
        assert "tminus_database_up 1.0" in text
        assert ask(port, "evil.example")[0] == 421
    with socket.socket() as gone_again:
        assert gone_again.connect_ex(("127.0.0.1", port)) != 0


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PartError, match="cannot listen"), Metrics(gone).served(port):
            pytest.fail("it listens")

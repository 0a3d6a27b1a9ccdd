"""What a plan may say of metrics, and what is told of those that nobody could measure or that say two things."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.domain.metric import Stage, declared
from tminus.planfile import parse

METRICS = """\
metrics:
  - id: checkout-errors
    query: sum(rate(errors_total{side="${side}"}[1m])) / sum(rate(requests_total{side="${side}"}[1m]))
    pass: < 1%
    warn: < 0.5%
    relative: <= baseline x 1.2 + 0.1pt
    baseline: blue
    count: 5
    interval: 10s
    delay: 1min
    failures: 1
    inconclusive: 2
    errors: 3
    from: shift
    until: shift
"""
TEXT = (
    small_plan.SMALL.replace(
        "roles:", '  prom: {kind: prometheus, real: true, address: "env:PROM"}\nroles:', 1
    )
    + METRICS
)


def told(old: str, new: str) -> list[str]:
    assert TEXT.count(old) == 1, old
    return small_plan.problems(TEXT.replace(old, new))


def test_metrics_are_data_of_the_plan() -> None:
    plan, found = parse(TEXT)
    assert not found
    assert plan is not None
    (metric,) = declared(plan.metrics)
    assert (metric.id, metric.system, metric.count, metric.interval, metric.delay) == (
        "checkout-errors",
        "prom",
        5,
        10,
        60,
    )
    assert (metric.failures, metric.inconclusive, metric.errors) == (1, 2, 3)
    assert metric.ends is Stage.SHIFT


def test_they_are_part_of_what_is_signed_and_a_plan_without_keeps_its_digest() -> None:
    digests = [parse(text)[0] for text in (TEXT, TEXT.replace("count: 5", "count: 6"))]
    assert digests[0] is not None
    assert digests[1] is not None
    assert digests[0].digest != digests[1].digest
    without, empty = parse(small_plan.SMALL)[0], parse(small_plan.SMALL + "metrics: []\n")[0]
    assert without is not None
    assert empty is not None
    assert without.digest == empty.digest


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("pass: < 1%", "pass: < 0.1%", "`pass: < 0.1%` is no wider than `warn: < 0.5%`"),
        ("count: 5", "count: 0", "0 measurements show nothing; write 1 or more"),
        ("interval: 10s", "interval: 0s", "measures too often; write 1s or more"),
        ("    interval: 10s\n", "", "5 measurements need a time between them"),
        ("    baseline: blue\n", "", "it is relative to nothing"),
        ("    relative: <= baseline x 1.2 + 0.1pt\n", "", "nothing is compared with the baseline"),
        ("relative: <= baseline x 1.2 + 0.1pt", "relative: < 2%", "is no limit beside a baseline"),
        ("baseline: blue", "baseline: sum(", "Prometheus could not read this query"),
        ("failures: 1", "failures: 5", "so it cannot fail"),
        ("failures: 1", "failures: -1", "`failures` counts what is borne"),
        ("until: shift", "until: landing", "'landing' is no part of the rollout"),
        ("from: shift", "from: soak", "it would be over before it begins"),
        ("id: checkout-errors", "id: Checkout Errors", "is no name of a metric"),
        ("    pass: < 1%\n", "    pass: empty\n", "compares none; write for example '< 1%'"),
        ("    pass: < 1%\n", "    pass: '>= 0'\n", "cannot fail"),
        ("    pass: < 1%\n", "    pass: < 1%\n    fail: '> 0.7%'\n", "'< 1%' and fail '> 0.7%' at once"),
        ("    pass: < 1%\n", "    system: site\n    pass: < 1%\n", "of kind prometheus; write one of prom"),
        ("kind: prometheus", "kind: redis", "nobody answers it"),
    ],
)  # fmt: skip
def test_a_contradiction_is_told_with_its_line(old: str, new: str, problem: str) -> None:
    found = told(old, new)
    assert any(problem in one for one in found), found


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("sum(rate(", "Prometheus could not read this query"),
        ("requests_total[5m]", "this gives a stretch of time, not a number"),
        ("'\"text\"'", "this gives a text, not a number"),
        ("queue_length > 5", "this comparison gives nothing at all where it does not hold"),
        ('up{instance="${host}"}', "${host} stands for nothing in a query"),
        ("up", "the query is the same for blue and green, so it would be compared with itself"),
    ],
)
def test_a_query_that_nobody_could_ask_is_told(query: str, problem: str) -> None:
    line = next(one for one in TEXT.splitlines() if one.strip().startswith("query:"))
    found = told(line, f"    query: {query}")
    assert any(problem in one for one in found), found


def test_a_name_stands_once_and_a_limit_is_needed() -> None:
    second = "  - {id: checkout-errors, query: up}\n"
    found = small_plan.problems(TEXT + second)
    assert any("the metric 'checkout-errors' stands twice" in one for one in found)
    assert any("no limit says what it must give" in one for one in found)

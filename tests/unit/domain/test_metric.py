"""What a plan says of a metric, and limits beside a baseline."""

import pytest

from tminus.domain.metric import ERRORS, Metric, Stage, declared, relative

ROW = {
    "id": "errors",
    "query": 'rate(x{side="${side}"}[1m])',
    "system": "prometheus",
    "from": "shift",
    "until": "soak",
}


def metric(**more: object) -> Metric:
    return declared(({**ROW, **more},))[0]  # type: ignore[dict-item] # JSON


@pytest.mark.parametrize(
    ("text", "baseline", "limit"),
    [
        ("<= baseline x 1.2 + 0.1pt", 0.01, 0.013),
        ("<= baseline x 1.2", 0.01, 0.012),
        ("<=baseline*1.2+0.1 pt", 0.01, 0.013),
        ("<= baseline + 10%", 0.2, 0.22),
        ("< baseline + 50 ms", 0.2, 0.25),
        (">= baseline - 20%", 100.0, 80.0),
        ("> baseline x 0.5 - 3", 100.0, 47.0),
    ],
)
def test_a_limit_beside_a_baseline_is_computed(text: str, baseline: float, limit: float) -> None:
    found = relative(text)
    assert found.limit(baseline) == pytest.approx(limit)
    assert found.holds(limit * 0.999, baseline) is found.upper
    assert found.holds(limit * 1.001, baseline) is not found.upper


@pytest.mark.parametrize(
    "text", ["<= baseline", "== baseline x 2", "baseline + 10%", "<= baseline + 1 day", "< 1%", ""]
)
def test_what_is_no_such_limit_is_told_with_what_could_be_written(text: str) -> None:
    with pytest.raises(ValueError, match=r"write for example '<= baseline x 1.2 \+ 0.1pt'"):
        relative(text)


def test_what_is_left_out_is_as_argo_rollouts_has_it() -> None:
    found = metric(**{"pass": "< 1%"})
    assert (found.failures, found.inconclusive, found.errors) == (0, 0, 4)
    assert ERRORS == 4
    assert (found.delay, found.interval, found.needed) == (0.0, None, 1)
    assert metric(**{"pass": "< 1%", "interval": "5s"}).needed is None, "without a count it goes on"
    assert metric(**{"pass": "< 1%", "interval": "5s", "count": 3}).needed == 3


def test_what_is_given_is_taken() -> None:
    found = metric(
        **{"pass": "< 1%", "fail": "> 5%", "warn": "< 0.5%", "relative": "<= baseline + 10%", "baseline": "blue"},
        interval="5s", delay="1min", failures=2, inconclusive=3, errors=0, until="shift",
    )  # fmt: skip
    assert (found.failures, found.inconclusive, found.errors) == (2, 3, 0)
    assert (found.interval, found.delay, found.ends) == (5.0, 60.0, Stage.SHIFT)
    assert found.limits == "< 1% and not > 5% and <= baseline + 10%"
    assert found.rule == "metric.errors"


def test_each_baseline_asks_what_it_says() -> None:
    blue, before, own = (metric(baseline=word) for word in ("blue", "before", "rate(x[1m] offset 1d)"))
    assert blue.asked == 'rate(x{side="green"}[1m])'
    assert (blue.asked_beside, blue.asked_before) == ('rate(x{side="blue"}[1m])', "")
    assert (before.asked_beside, before.asked_before) == ("", 'rate(x{side="blue"}[1m])')
    assert (own.asked_beside, own.asked_before) == ("rate(x[1m] offset 1d)", "")
    assert (metric().asked_beside, metric().asked_before) == ("", "")

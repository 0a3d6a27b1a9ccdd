"""Thresholds in the words of five languages."""

import pytest

from tminus.checklist.limits import limits
from tminus.checklist.model import Limit, Measure

SHARE, SECONDS, COUNT, RATE = Measure.SHARE, Measure.SECONDS, Measure.COUNT, Measure.RATE


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("API downtime (>1 min)", Limit(">", 60, SECONDS)),
        ("Error rate >0.5%", Limit(">", 0.005, SHARE)),
        ("Uptime ≥ 99.9%", Limit(">=", 0.999, SHARE)),
        ("throughput of at least 1,200 req/s", Limit(">=", 1200, RATE)),
        (">100 requests/second capacity", Limit(">", 100, RATE)),
        ("handles 50 requests per second or more", Limit(">=", 50, RATE)),
        ("at most 120 requests per minute", Limit("<=", 2, RATE)),
        ("responds under 2 seconds", Limit("<", 2, SECONDS)),
        ("Error rate less than 1%", Limit("<", 0.01, SHARE)),
        ("100ms or less", Limit("<=", 0.1, SECONDS)),
        ("no more than 3 retries", Limit("<=", 3, COUNT)),
        ("Error rate >5% for 5 minutes", Limit(">", 0.05, SHARE, 300)),
        ("Error rate > 10% for >5 minutes", Limit(">", 0.1, SHARE, 300)),
        ("unavailable for >2 minutes", Limit(">", 120, SECONDS)),
        ("p99.9 < 1.5s", Limit("<", 1.5, SECONDS, quantile=0.999)),
        ("95th percentile below 300 ms", Limit("<", 0.3, SECONDS, quantile=0.95)),
        ("API Response Time (p95) · <200ms", Limit("<", 0.2, SECONDS, quantile=0.95)),
        ("Target: <200ms p95", Limit("<", 0.2, SECONDS, quantile=0.95)),
        ("coverage 80%+", Limit(">=", 0.8, SHARE)),
        ("Taux d'erreur inférieur à 1 % pendant 10 minutes", Limit("<", 0.01, SHARE, 600)),
        ("disponibilité ≥ 99,95 %", Limit(">=", 0.9995, SHARE)),
        ("temps de réponse moins de 2 secondes", Limit("<", 2, SECONDS)),
        ("Fehlerrate über 5 % für 5 Minuten", Limit(">", 0.05, SHARE, 300)),
        ("Antwortzeit höchstens 1,5 s", Limit("<=", 1.5, SECONDS)),
        ("mindestens 3 Replikate", Limit(">=", 3, COUNT)),
        ("Tasa de error menor que 0,5%", Limit("<", 0.005, SHARE)),
        ("más de 1.000.000 de filas", Limit(">", 1_000_000, COUNT)),
        ("Latência p95 abaixo de 300 ms", Limit("<", 0.3, SECONDS, quantile=0.95)),
        ("pelo menos 2 aprovações", Limit(">=", 2, COUNT)),
    ],
)
def test_a_threshold_is_read_in_si_units(text: str, limit: Limit) -> None:
    assert limits(text) == (limit,)


@pytest.mark.parametrize(
    "text",
    [
        "On-call schedule created (72 hours post-deployment)",
        "Deployment window announced (24h advance)",
        "API health check returns 200 OK",
        "Monitor error rates over 24 hours",
        "Increase to 25% -> 5 steps => 5% of users",
        "Customer satisfaction > 4.0/5.0",
        "memory > 500 MB",
        "zero errors > 5xx",
        "Python 3.11+",
        "Monitorear progreso (4.5 min)",
        "Upgrade from 1.2 to 1.3",
        "<name>",
        "",
    ],
)
def test_what_is_no_threshold_says_none(text: str) -> None:
    assert limits(text) == ()


def test_several_thresholds_keep_their_own_percentile() -> None:
    assert limits("p95 <200ms, p99 <500ms, error rate <1%") == (
        Limit("<", 0.2, SECONDS, quantile=0.95),
        Limit("<", 0.5, SECONDS, quantile=0.99),
        Limit("<", 0.01, SHARE),
    )


def test_of_a_row_of_figures_only_the_first_are_limits() -> None:
    assert len(limits("> 5 " * 400)) == 20

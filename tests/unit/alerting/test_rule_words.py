"""How the state of an alert rule that is as it must be reads."""

import pytest

from tminus.alerting.rules import Findings
from tminus.domain.canonical import JsonValue
from tminus.probes.prometheus import _state


@pytest.mark.parametrize(
    ("measure", "notes", "words"),
    [
        ("errors", {"reading": 0.0, "silent": True}, ", silent, reads 0 %"),
        ("memory", {"reading": 0.1367, "silent": True}, ", silent, reads 13.7 %"),
        ("p95", {"reading": 0.095, "silent": True}, ", silent, reads 95 ms"),
        (
            "p95",
            {"reading": 0.095, "silent": True, "buckets": [0.1, 0.25, "+Inf"]},
            ", silent, reads at most 100 ms",
        ),
        (
            "p95",
            {"reading": 0.2, "silent": True, "buckets": [0.1, 0.25, "+Inf"]},
            ", silent, reads 100 to 250 ms",
        ),
        (
            "p95",
            {"reading": 9.0, "silent": False, "buckets": [0.1, 0.25]},
            ", beyond its limit now, reads over 250 ms",
        ),
        ("queue", {"reading": 2000.0, "silent": False}, ", beyond its limit now, reads 2000"),
        ("downtime", {}, ""),
    ],
)
def test_a_rule_is_silent_and_reads_something_in_the_unit_of_its_measure(
    measure: str, notes: dict[str, JsonValue], words: str
) -> None:
    assert _state(Findings(notes=notes), measure) == words

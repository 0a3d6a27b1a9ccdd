"""Whether a rule would fire, while the samples that it reads are still arriving."""

from collections.abc import Callable
from typing import cast

import pytest

from tminus.alerting.measures import meanings
from tminus.alerting.prometheus import Prometheus, Sample
from tminus.alerting.proofs import proven
from tminus.alerting.rules import Findings, Rule
from tminus.errors import InconclusiveError

RULE = Rule("QueueDepthWarning", "max(depot_backlog) > 1000", 0.0, {}, {}, "ok", "", 0.0, 1.0)
READING = "max(depot_backlog)"


class Arriving:
    """Prometheus whose newest sample of the one series is another at each look, as the test says."""

    def __init__(self, value: Callable[[int], float]) -> None:
        self._value = value
        self._looks = 0

    async def query(self, text: str, at: float) -> list[Sample]:
        """Nothing beyond a limit that lies above the value."""
        assert at == 7.0
        if text.startswith("count("):
            return [Sample({}, 1.0)]
        value = self._value(self._looks)
        self._looks += 1
        _, moved, limit = text.partition(") > ")
        return [] if moved and not value > float(limit) else [Sample({}, value)]


async def findings(value: Callable[[int], float]) -> Findings:
    (meaning,) = meanings(RULE.parsed())
    assert meaning.comparison is not None
    assert meaning.comparison.left == READING
    return await proven(cast("Prometheus", Arriving(value)), RULE, meaning, 7.0)


async def test_a_rule_whose_reading_stands_fires() -> None:
    assert (await findings(lambda _: 6.0)).problems == []


async def test_a_sample_that_arrives_between_two_looks_is_no_broken_rule() -> None:
    """Six were waiting when it was read, none any more when the limit had been moved to just below six."""
    assert (await findings(lambda look: 6.0 if look == 0 else 0.0)).problems == []


async def test_a_rule_that_does_not_fire_at_a_reading_that_stands_is_broken() -> None:
    """It gives nothing whenever its limit is moved, as one does whose limit is compared with something else."""
    found = await findings(lambda look: 6.0 if look % 2 == 0 else 0.0)
    (problem,) = found.problems
    assert str(problem).startswith("QueueDepthWarning does not fire with its limit moved to its reading")


async def test_a_reading_that_never_stands_still_says_nothing() -> None:
    with pytest.raises(InconclusiveError, match="something else at every look"):
        await findings(lambda look: 100.0 - look)

"""What a line that passed says: one fact, and no figures that need to be explained."""

from typing import TYPE_CHECKING

import pytest

from tminus.control.readiness import Readiness
from tminus.domain.agreement import Counted, Histogram
from tminus.domain.evidence import Observation
from tminus.domain.expectation import parse
from tminus.domain.traffic import Outcome, Side
from tminus.probes import traffic

if TYPE_CHECKING:
    from tests.unit.launch_world import World, line
else:
    from launch_world import World, line


async def why(observation: Observation, expect: str = "empty") -> tuple[str, str]:
    """What is recorded of an observation: its words, and its fingerprint."""
    world = World()
    await world.open()
    check = line("cfg.env", -7200.0, probe="website.health", expect=parse(expect))
    world.observer.scripts["cfg.env"] = [observation]
    await Readiness([check], world.record, world.observer, world.clock).observe([check], "now")
    (data,) = world.events("check.observed")
    return data["why"], data["fingerprint"]


async def test_a_line_that_passed_says_its_fact_in_place_of_bare_figures() -> None:
    assert (await why(Observation([], {"saved_at": 1795942034})))[0] == "nothing wrong (saved_at 1795942034)"
    assert (await why(Observation([], {"saved_at": 1795942034}, fact="8 keys")))[0] == "8 keys"
    words, _ = await why(Observation(0.04, {"p": 1}, fact="40 ms by the log"), "< 500 ms")
    assert words == "40 ms by the log, expected < 500 ms"


async def test_a_line_that_failed_says_what_is_wrong_and_not_what_would_have_been_right() -> None:
    words, _ = await why(Observation(["index a is invalid"], {}, fact="every index valid"))
    assert words == "index a is invalid, expected empty; mend cfg.env"


async def test_a_fact_whose_figures_wobble_changes_no_fingerprint() -> None:
    seen = [await why(Observation([], {}, {"v": 1}, fact=f"{after} s")) for after in (0.2, 0.3)]
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] == seen[1][1]


class Metrics:
    """The service's own histogram: all requests in one bucket."""

    def __init__(self, *buckets: tuple[float, float]) -> None:
        self.found = Histogram(buckets)

    async def counted(self, seconds: float, at: float) -> Counted:
        """Not asked here."""
        raise NotImplementedError

    async def timed(self, seconds: float, at: float) -> Histogram:
        """The same at any time."""
        assert seconds
        assert at
        return self.found


async def test_a_percentile_within_one_bucket_is_told_by_the_bucket_s_bounds() -> None:
    async def reach() -> None:
        """The proxy is there."""

    outcomes = [Outcome(100.0, Side.BLUE, 200, 40.0, f"user-{n}") for n in range(100)]
    system = traffic.System(lambda: outcomes, lambda: 101.0, reach, Metrics((0.1, 100.0), (0.25, 100.0)))
    found = await traffic.p95.run(system, seconds=15, requests=50)
    assert found.fact == "40 ms by the log, at most 100 ms by the metrics' bucket"
    assert found.seen["bucket"] == "at most 100 ms"
    assert "metrics_ms" not in found.seen
    assert found.value == pytest.approx(0.095), "the worse of the two is judged as before"


@pytest.mark.parametrize(
    ("buckets", "words"),
    [
        (((0.1, 100.0), (0.25, 100.0)), "at most 100 ms"),
        (((0.1, 0.0), (0.25, 100.0)), "100 to 250 ms"),
        (((0.1, 0.0), (float("inf"), 100.0)), "over 100 ms"),
    ],
)
def test_a_histogram_knows_a_percentile_by_its_bucket_alone(
    buckets: tuple[tuple[float, float], ...], words: str
) -> None:
    assert Histogram(buckets).within(0.95) == words

"""What `tminus probes NAME` writes as an example would notice a system that is ill."""

import pytest

from tminus import probes as probe_kit
from tminus.cli import probes
from tminus.domain import expectation
from tminus.domain.canonical import JsonValue


def expected(name: str) -> expectation.Expectation:
    written = next(line for line in probes.example(name) if line.startswith("  expect: "))
    return expectation.parse(written.removeprefix("  expect: ").strip('"'))


@pytest.mark.parametrize(
    ("name", "well", "ill"),
    [
        ("website.answer", 200, 500),
        ("traffic.errors", 0.001, 1.0),
        ("traffic.p95", 0.2, 60.0),
        ("depot.smoke", [], ["login"]),
    ],
)
def test_a_made_up_expectation_passes_the_well_and_fails_the_ill(
    name: str, well: JsonValue, ill: JsonValue
) -> None:
    assert expected(name).holds(well)
    assert not expected(name).holds(ill)


@pytest.mark.parametrize("name", [name for system in probe_kit.systems() for name in probe_kit.names(system)])
def test_no_example_expects_what_always_holds(name: str) -> None:
    assert not expectation.cannot_fail(expected(name))

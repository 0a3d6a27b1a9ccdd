"""What a launch without a stage can see: all that an address reaches, and the rest is unknown in its own words."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.small_plan import SMALL
else:
    from small_plan import SMALL

from tminus.domain.plan import Plan
from tminus.errors import InconclusiveError, PlanError, ProbeError, UnreachableError
from tminus.planfile import parse
from tminus.wiring.appraisal import AFAR, DESK, Scene, afar

NOWHERE = {"SITE": "http://127.0.0.1:1"}
NOBODY = Path("trust.json")
"""A trust root that is not there."""


def small() -> Plan:
    found, told = parse(SMALL)
    assert found is not None, told
    return found


async def seen(scene: Scene, environment: dict[str, str], **values: str) -> Any:
    plan = small()
    return await afar(plan, environment, scene, values, trust=NOBODY).observe(
        plan.check("site.up"), plan.check("site.up").arguments or {}
    )


async def test_what_the_launch_binds_stands_in_a_probe_s_arguments() -> None:
    with pytest.raises(UnreachableError, match="env:SITE"):
        await seen(AFAR, NOWHERE, release="sha256:1")
    with pytest.raises(PlanError, match="stands for nothing in this launch"):
        await seen(AFAR, NOWHERE)


async def test_an_address_that_this_worker_does_not_know_is_said_and_not_passed_over() -> None:
    with pytest.raises(PlanError, match="SITE is not set"):
        await seen(AFAR, {}, release="sha256:1")


@pytest.mark.parametrize("scene", [DESK, AFAR])
async def test_what_needs_a_stage_is_unknown_with_words_for_who_looks(scene: Scene) -> None:
    plan = small()
    check = replace(plan.check("site.up"), probe="depot.smoke", arguments={"system": "depot"})
    with pytest.raises(InconclusiveError, match="on the demo's stage only") as told:
        await afar(plan, NOWHERE, scene, {}, trust=NOBODY).observe(check, check.arguments or {})
    assert "attest" in told.value.hint


async def test_only_a_launch_sends_something_to_people() -> None:
    plan = small()
    systems: dict[str, Any] = {
        "alertmanager": {"kind": "alertmanager", "real": True, "address": "http://127.0.0.1:1"}
    }
    plan = replace(plan, systems={**plan.systems, **systems})
    drill: dict[str, Any] = {"receivers": []}
    check = replace(plan.check("site.up"), probe="alertmanager.drill", arguments=drill)
    with pytest.raises(InconclusiveError, match="sends a test to people"):
        await afar(plan, {}, DESK, {}, trust=NOBODY).observe(check, drill)
    with pytest.raises(ProbeError) as told:
        await afar(plan, {}, AFAR, {}, trust=NOBODY).observe(check, drill)
    assert "sends an alert" not in str(told.value)


@pytest.mark.parametrize(
    ("kind", "probe", "other", "arguments"),
    [
        ("alertmanager", "alertmanager.routes", "prometheus", {}),
        ("logs", "logs.arrived", "website", {"labels": {"app": "shop"}, "instances": 1}),
    ],
)
@pytest.mark.parametrize(
    ("environment", "words"),
    [({}, "the environment variable OTHER is not set"), ({"OTHER": "there"}, "behind env:OTHER is no http")],
)
async def test_a_system_that_another_is_compared_with_is_named_with_what_is_wrong_with_it(
    kind: str, probe: str, other: str, arguments: dict[str, Any], environment: dict[str, str], words: str
) -> None:
    plan = small()
    address = "loki+http://127.0.0.1:1" if kind == "logs" else "http://127.0.0.1:1"
    systems: dict[str, Any] = {
        kind: {"kind": kind, "real": True, "address": address},
        "second": {"kind": other, "real": True, "address": "env:OTHER"},
    }
    plan = replace(plan, systems=systems)
    check = replace(plan.check("site.up"), probe=probe, arguments=arguments)
    with pytest.raises(PlanError, match=f"'second' of kind {other}.*{words}") as told:
        await afar(plan, environment, DESK, {}, trust=NOBODY).observe(check, arguments)
    assert "give the plan a system" not in told.value.hint

"""Real configurations and rule files, each as its own project expects it: routed, refused and counted exactly."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tminus import readers
from tminus.alerting import configuration, rulefile
from tminus.errors import UsageError
from tminus.readers import alertmanager

CORPUS = (Path(__file__).parents[3] / "../shared/corpora/alerting").resolve()
MANIFEST = CORPUS / "MANIFEST.csv"

pytestmark = pytest.mark.skipif(not MANIFEST.is_file(), reason="the corpora are not beside this repository")

LOADED_AND_WRONG = {
    "prometheus__rules-bad.yml": "there is no variable $label",
    "prometheus__long-period.yml": "it holds tests for `promtool test rules` and no rules",
}
"""What the manifest gives no verdict for, and promtool refuses."""
NOT_READ_ON = {"prometheus__record_and_alert.bad.yaml", "prometheus__record_and_keep_firing_for.bad.yaml"}
"""Rules that are refused before they are anything, and that the manifest counts by their words."""


def rows(prefix: str) -> list[tuple[str, dict[str, Any]]]:
    if not MANIFEST.is_file():
        return []
    with MANIFEST.open(encoding="utf-8", newline="") as file:
        found = [(row["file"], json.loads(row["expected"])) for row in csv.DictReader(file)]
    return [(name, expected) for name, expected in found if name.startswith(prefix)]


CONFIGURATIONS = rows("alertmanager__")
RULES = [
    row
    for prefix in ("kube-prometheus__", "awesome__", "prometheus__")
    for row in rows(prefix)
    if "alerts" in row[1]
]


def test_there_is_something_to_read() -> None:
    assert len(CONFIGURATIONS) > 20
    assert len(RULES) > 20


@pytest.mark.parametrize(("name", "expected"), CONFIGURATIONS, ids=[name for name, _ in CONFIGURATIONS])
def test_a_configuration_is_taken_or_refused_as_its_project_says(name: str, expected: dict[str, Any]) -> None:
    found = configuration.read((CORPUS / name).read_text())
    if expected.get("alertmanager_verdict", "accept") == "reject":
        assert found.faults
        with pytest.raises(UsageError, match=r"line [0-9]+: ") as caught:
            alertmanager.see(CORPUS / name)
        assert caught.value.hint
        return
    assert found.faults == ()
    assert found.tree is not None
    assert found.tree.root.receiver == expected["root_receiver"]
    assert sum(1 for _ in found.tree.root.below()) == expected["route_nodes"]
    assert [*found.tree.integrations] == expected["receivers"]
    assert found.inhibitions == expected["inhibit_rules"]
    kinds = Counter(f"{kind}_configs" for what in found.tree.integrations.values() for kind in what)
    assert kinds == expected["integrations"]
    for case in expected.get("routing", []):
        assert found.tree.receivers(case["labels"]) == case["receivers"]


def test_every_routing_expectation_is_met_exactly() -> None:
    told = json.loads((CORPUS / "routing_expectations.json").read_text())
    assert told
    for name, about in told.items():
        path = CORPUS / f"alertmanager__{name}"
        for case in about["cases"]:
            labels = ",".join(f'{label}="{value}"' for label, value in case["labels"].items())
            assert alertmanager.routed(path, labels).details["receivers"] == case["receivers"], name


def test_a_configuration_within_a_secret_is_read() -> None:
    (row,) = [one for one in rows("kube-prometheus__") if "root_receiver" in one[1]]
    name, expected = row
    seen = alertmanager.see(CORPUS / name)
    assert seen.counts["route_nodes"] == expected["route_nodes"]
    assert seen.counts["inhibit_rules"] == expected["inhibit_rules"]
    assert [*seen.details["receivers"]] == expected["receivers"]  # type: ignore[misc] # a mapping
    routed = alertmanager.routed(CORPUS / name, "severity=critical")
    assert routed.details["receivers"] == ["Critical"]


@pytest.mark.parametrize(("name", "expected"), RULES, ids=[name for name, _ in RULES])
def test_a_file_of_rules_is_counted_or_refused_as_its_project_says(
    name: str, expected: dict[str, Any]
) -> None:
    found = rulefile.read((CORPUS / name).read_text())
    if expected.get("prometheus_verdict") == "reject" or name in LOADED_AND_WRONG:
        assert found.faults
        assert all(one.line > 0 for one in found.faults)
        assert LOADED_AND_WRONG.get(name, "") in str(found.faults[0])
    else:
        assert found.faults == ()
    if name in NOT_READ_ON:
        return
    alerts = [rule for rule in found.rules if rule.alerts]
    assert len(alerts) == expected["alerts"]
    assert len(found.rules) - len(alerts) == expected["recording_rules"]
    assert found.groups == expected["groups"]
    assert found.documents == expected["documents"]
    assert sum(rule.hold is None for rule in alerts) == expected["alerts_without_for"]
    assert len({rule.name for rule in alerts}) == expected["distinct_alert_names"]
    assert Counter(rule.severity or "None" for rule in alerts) == expected["by_severity"]


@pytest.mark.parametrize("name", [name for name, _ in [*CONFIGURATIONS, *RULES]])
def test_each_is_known_for_what_it_is_where_it_can_be(name: str) -> None:
    try:
        kind = readers.guess(CORPUS / name)
    except UsageError:
        assert name in {"alertmanager__conf.bad.yml", "prometheus__long-period.yml"}
        return
    assert kind == ("alertmanager" if name.startswith("alertmanager__") else "rules")

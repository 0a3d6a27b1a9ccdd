"""What `tminus make rules` and `tminus make routes` make: taken by the programs' own tools, loaded, and passed."""

import random
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from tminus import processes, readers
from tminus.alerting import configuration
from tminus.cli.making import routes, rules
from tminus.demo.parts.alerts import ALERTS
from tminus.demo.parts.place import as_yaml
from tminus.domain.evidence import Verdict

if TYPE_CHECKING:
    from tests.integration.alert_world import LINES, busy, routed_by, ruled_by
    from tests.integration.line_world import World, shows
    from tests.integration.parts_world import FOUND, needs_parts
    from tests.integration.test_alert_rules import CASES, RUNBOOKS, as_test
else:
    from alert_world import LINES, busy, routed_by, ruled_by
    from line_world import World, shows
    from parts_world import FOUND, needs_parts
    from test_alert_rules import CASES, RUNBOOKS, as_test

pytestmark = needs_parts

_RULES, _ROUTES = typer.Typer(), typer.Typer()
_RULES.command()(rules)
_ROUTES.command()(routes)

FAST = ("--runbooks", RUNBOOKS, "--window", "5s", "--interval", "1s")
WAYS = (
    "--channel",
    "#ops",
    "--mail-to",
    "a@b.example",
    "--mail-from",
    "c@d.example",
    "--smarthost",
    "mail.example:587",
)


def made(app: typer.Typer, *options: str) -> str:
    result = CliRunner().invoke(app, [*options])
    assert result.exit_code == 0, result.exception or result.output
    return result.stdout


async def run(folder: Path, *words: str) -> processes.Ended:
    assert FOUND is not None
    return await processes.run([str(getattr(FOUND, words[0])), *words[1:]], env={}, folder=folder)


async def test_promtool_takes_the_rules_and_each_fires_above_its_limit_and_is_silent_below(
    tmp_path: Path,
) -> None:
    text = made(_RULES, *FAST, "--fewest", "5")
    (tmp_path / "alerts.yml").write_text(text)
    checked = await run(tmp_path, "promtool", "check", "rules", "--lint-fatal", "alerts.yml")
    assert checked.code == 0, checked.said
    assert "SUCCESS: 11 rules found" in checked.said
    found = {
        rule["labels"].get("line"): rule
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
    }
    tests = []
    for alert in ALERTS:
        rule = found[alert.line]
        ours = replace(alert, name=rule["alert"], summary=rule["annotations"]["summary"])
        tests += [as_test(ours, case) for case in CASES[alert.line]]
    whole = {"rule_files": ["alerts.yml"], "evaluation_interval": "1s", "tests": tests}
    (tmp_path / "tests.yml").write_text(as_yaml(whole))
    tested = await run(tmp_path, "promtool", "test", "rules", "tests.yml")
    assert tested.code == 0, tested.said


async def test_amtool_takes_the_routes_and_leads_alerts_as_our_own_walk_does(tmp_path: Path) -> None:
    (tmp_path / "am.yml").write_text(made(_ROUTES, *WAYS))
    checked = await run(tmp_path, "amtool", "check-config", "am.yml")
    assert checked.code == 0, checked.said
    routed = {}
    for severity in ("critical", "warning", "unknown"):
        words = ("config", "routes", "test", "--config.file=am.yml", f"severity={severity}", "alertname=X")
        routed[severity] = (await run(tmp_path, "amtool", *words)).said.splitlines()[-1]
    assert routed == {"critical": "on-call", "warning": "channel", "unknown": "channel"}
    seen = readers.reader("alertmanager").see(tmp_path / "am.yml")
    assert seen.details["amtool"] == "amtool takes it"


def _tree(dice: random.Random, depth: int = 3) -> dict[str, Any]:
    """A route with matchers of every kind and children, by dice."""
    operator = dice.choice(["=", "!=", "=~", "!~"])
    value = (
        dice.choice(["x", "y", ""]) if operator in {"=", "!="} else dice.choice(["x|y", ".+", "x.*", "[^x]*"])
    )
    name = dice.choice("ab")
    node: dict[str, Any] = dice.choice(
        [
            {"matchers": [f'{name}{operator}"{value}"']},
            {"matchers": [f"{name} {operator} {value}"]},
            {"match": {name: "x"}},
            {"match_re": {name: "^(x|y)$"}},
            {},
        ]
    )
    made_node = {**node, "continue": dice.random() < 0.4}
    if dice.random() < 0.7:
        made_node["receiver"] = f"r{dice.randrange(4)}"
    if depth:
        made_node["routes"] = [_tree(dice, depth - 1) for _ in range(dice.randrange(4))]
    return made_node


@pytest.mark.parametrize("seed", range(12))
async def test_amtool_and_our_own_walk_agree_on_trees_by_dice(seed: int, tmp_path: Path) -> None:
    dice = random.Random(seed)
    root = {"receiver": "r0", "routes": [_tree(dice) for _ in range(3)]}
    text = yaml.safe_dump({"route": root, "receivers": [{"name": f"r{number}"} for number in range(4)]})
    (tmp_path / "am.yml").write_text(text)
    tree = configuration.tree(text)
    for labels in ({"a": "x"}, {"b": "y"}, {"a": "xy", "b": "x"}, {"c": "z"}):
        given = [f"{name}={value}" for name, value in labels.items()]
        told = await run(tmp_path, "amtool", "config", "routes", "test", "--config.file=am.yml", *given)
        assert told.code == 0, told.said
        ours = [route.receiver for route in tree.root.taken_by(labels)]
        assert told.said.splitlines()[-1].split(",") == ours, (labels, text)


async def test_the_rules_are_loaded_by_a_real_prometheus_and_every_line_about_an_alert_passes(
    world: World,
) -> None:
    text = made(_RULES, *FAST, "--fewest", "1")
    async with ruled_by(world, text), busy(world):
        claims = await world.scene.judged(*LINES, "alert.crit", "alert.warn")
    for claim in claims.values():
        # That nobody has written their runbooks yet is remarked upon.
        assert claim.verdict in {Verdict.PASSED, Verdict.WARNED}, f"{claim.check}: {claim.why}"
        assert claim.verdict is Verdict.PASSED or "the runbook of" in claim.why or "worst of" in claim.why
    assert len(claims) == 12


async def test_the_routes_are_loaded_by_a_real_alertmanager_and_marked_alerts_arrive(world: World) -> None:
    folder = world.stage.folder / "alertmanager"
    before = yaml.safe_load((folder / "alertmanager.yml").read_text())
    on_call = before["receivers"][0]
    pager, chat = on_call["pagerduty_configs"][0], on_call["slack_configs"][0]
    secrets = {"pager-key": pager["routing_key"], "chat-url": chat["api_url"]}
    for name, text in secrets.items():
        (folder / name).write_text(text)
    config = made(
        _ROUTES,
        *("--channel", chat["channel"], "--mail-to", on_call["email_configs"][0]["to"]),
        *("--mail-from", before["global"]["smtp_from"], "--smarthost", before["global"]["smtp_smarthost"]),
        *("--pager-key-file", str(folder / "pager-key"), "--chat-url-file", str(folder / "chat-url")),
        *("--pager-url", pager["url"], "--mail-without-tls"),
    )
    assert not any(text in config for text in secrets.values())
    async with ruled_by(world, made(_RULES, *FAST)), routed_by(world, config):
        claims = await world.scene.judged("route.all", "route.pd", "route.slack", "route.email")
    for claim in claims.values():
        shows(claim, Verdict.PASSED)

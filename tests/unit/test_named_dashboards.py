"""Which dashboards a line without one looks at: those that the plan's other lines name."""

from dataclasses import replace
from pathlib import Path

from tminus.grafana.confirming import nobody
from tminus.grafana.finding import Wanted
from tminus.planfile import load
from tminus.wiring import dashboards

ADDRESS = "http://:token@127.0.0.1:1"
DEMO = "src/tminus/demo/demo.yaml"


def test_each_line_that_names_a_dashboard_is_known_with_what_it_must_show() -> None:
    plan = load(Path(__file__).parents[2] / DEMO).checked()
    system = dashboards.maker(plan, {"grafana": ADDRESS}, nobody, Path("copies"))(ADDRESS)
    assert [wanted.kind for wanted in system.named] == [
        "application",
        "infrastructure",
        "security",
        "business",
    ]
    assert system.named[2] == Wanted(
        "security", ("logins", "denied", "blocked"), copy="dashboards/security.json"
    )
    assert (system.named[3].confirmed, system.named[3].owner) == ("confirmed.yaml", "Lena Ortiz")
    assert system.folder == Path("copies")
    assert "token" not in repr(system)


def test_without_a_folder_copies_lie_where_tminus_is_started() -> None:
    plan = load("production").checked()
    make = dashboards.maker(plan, {"grafana": ADDRESS}, nobody)
    assert make(ADDRESS).folder == Path()
    assert len(make(ADDRESS).named) == 4


def test_the_dashboards_of_one_grafana_are_not_looked_for_in_another() -> None:
    plan = load("production").checked()
    other = "http://127.0.0.1:2"
    said = {"system": "grafana2"}
    checks = [
        replace(check, arguments={**(check.arguments or {}), **said}) if check.id == "dash.sec" else check
        for check in plan.checks
    ]
    addresses = {"grafana": ADDRESS, "grafana2": other}
    make = dashboards.maker(replace(plan, checks=tuple(checks)), addresses, nobody)
    assert [wanted.kind for wanted in make(other).named] == ["security"]
    assert [wanted.kind for wanted in make(ADDRESS).named] == ["application", "infrastructure", "business"]

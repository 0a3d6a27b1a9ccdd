"""Which dashboards a line without one looks at: those that the plan's other lines name."""

from pathlib import Path

from tminus.grafana.finding import Wanted
from tminus.planfile import load
from tminus.wiring import dashboards

DEMO = "src/tminus/demo/demo.yaml"


def test_each_line_that_names_a_dashboard_is_known_with_what_it_must_show() -> None:
    plan = load(Path(__file__).parents[2] / DEMO).checked()
    system = dashboards.maker(plan, Path("copies"))("http://:token@127.0.0.1:1")
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
    assert dashboards.maker(plan)("").folder == Path()
    assert len(dashboards.maker(plan)("").named) == 4

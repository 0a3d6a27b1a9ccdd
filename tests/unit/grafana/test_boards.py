"""The dashboards that tminus makes: what they promise, that Prometheus can read them, and that they stay the same."""

import json

import pytest

from tminus.alerting.figures import Names
from tminus.demo.parts import grafana as part
from tminus.domain import dashboard, drift, panelkinds
from tminus.domain.shown import slow_refresh
from tminus.grafana import restricting
from tminus.grafana.boards import Service, boards
from tminus.grafana.describing import Board

OURS = boards(Service())
THEIRS = boards(
    Service(Names.given('http_requests_total{app="shop"}', 'code=~"5.."', "http_seconds_bucket"), "color")
)


@pytest.mark.parametrize("board", [*OURS, *THEIRS], ids=lambda board: board.kind)
def test_each_query_can_be_read_and_each_panel_shows_what_it_promises(board: Board) -> None:
    read = dashboard.read(board.model("prometheus"))
    assert len(read.shown) == len(board.panels)
    for sketch, panel in zip(board.panels, read.panels, strict=True):
        for query in panel.queries:
            assert restricting.selectors(query.expression)
        assert not sketch.shows or panelkinds.shows(panel, sketch.shows), sketch.title
        assert sketch.about.endswith(".")


def test_where_others_let_people_in_nobody_knows() -> None:
    assert [panel.shows for panel in THEIRS[2].panels] == ["denied", "blocked", "audit", "vulnerabilities"]
    assert 'code=~"401|403"' in THEIRS[2].panels[0].lines[0].expression


@pytest.mark.parametrize("board", OURS, ids=lambda board: board.kind)
def test_each_board_shows_what_its_kind_must(board: Board) -> None:
    panels = dashboard.read(board.model("prometheus")).shown
    for meaning in panelkinds.KINDS[board.kind]:
        assert any(panelkinds.shows(panel, meaning) for panel in panels), meaning


def test_the_four_kinds_of_the_plan_are_made_each_under_a_uid_of_its_own() -> None:
    assert [board.kind for board in OURS] == list(panelkinds.KINDS)
    assert len({board.uid for board in OURS}) == 4
    assert all(len(board.uid) <= 40 for board in OURS)
    assert [board.kind for board in THEIRS] == ["application", "infrastructure", "security"]


def test_two_makings_are_the_same_and_ask_anew_often_enough() -> None:
    one, other = (boards(Service())[0].model("p") for _ in range(2))
    assert json.dumps(one) == json.dumps(other)
    assert slow_refresh(one["refresh"]) == ""


def test_what_nothing_reports_is_left_out() -> None:
    security = next(board for board in OURS if board.kind == "security")
    left = security.without(["audit", "vulnerabilities"])
    assert [panel.shows for panel in left.panels] == ["logins", "denied", "blocked"]


def test_other_names_of_metrics_stand_in_the_queries() -> None:
    texts = " ".join(
        line.expression for board in THEIRS[:1] for panel in board.panels for line in panel.lines
    )
    assert 'http_requests_total{code=~"5..",app="shop"}' in texts
    assert "http_seconds_bucket" in texts
    assert "depot" not in texts
    assert "color" in texts
    assert "side" not in texts


def test_the_demos_owner_has_confirmed_the_business_dashboard_as_it_is_made_now() -> None:
    business = next(board for board in part.made() if board.kind == "business")
    assert drift.fingerprint(business.model(part.SOURCE)) == part.CONFIRMED, (
        "its figures changed: see that the words of the confirmation still hold, then write the new sha256"
    )

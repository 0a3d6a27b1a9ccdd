"""A dashboard's JSON, read: panels wherever they lie, queries of whatever form, variables, and what is none."""

from typing import Any

import pytest

from tminus.domain.dashboard import MIXED, SHARED, Panel, bare, libraries, read


def board(*panels: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"title": "Shop", "uid": "shop", "version": 3, "schemaVersion": 39, "panels": [*panels], **more}


def asking(expression: str, **more: Any) -> dict[str, Any]:
    return {"refId": "A", "expr": expression, **more}


def panel(title: str, *targets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": 1, "type": "timeseries", "title": title, "targets": [*targets], **more}


def titles(panels: tuple[Panel, ...]) -> list[str]:
    return [one.title for one in panels]


def test_panels_are_found_in_folded_rows_and_in_rows_of_the_old_form() -> None:
    folded = {"type": "row", "title": "More", "collapsed": True, "panels": [panel("Inner", asking("up"))]}
    new = read(board(panel("Outer", asking("up")), folded))
    assert (titles(new.panels), titles(new.shown)) == (["Outer", "More", "Inner"], ["Outer", "Inner"])
    old = read({"title": "Shop", "rows": [{"panels": [panel("A", asking("up"))]}, {"panels": [panel("B")]}]})
    assert (titles(old.panels), titles(old.shown), old.legacy_rows) == (["A", "B"], ["A"], 2)


def test_a_dashboard_may_be_wrapped_as_grafana_answers_it() -> None:
    wrapped: Any = {"dashboard": board(panel("A", asking("up"))), "meta": {"version": 7}}
    assert bare(wrapped) == wrapped["dashboard"]
    assert read(wrapped).uid == "shop"


@pytest.mark.parametrize(
    ("document", "wrong"),
    [
        ([], "no JSON object"),
        ({"dashboard": 5}, "no JSON object"),
        ({"panels": []}, "no title"),
        ({"title": "x"}, "no list of panels"),
        ({"title": "x", "elements": {}, "layout": {}}, "second schema"),
    ],
)
def test_what_is_no_dashboard_says_why(document: Any, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        read(document)


def test_a_query_asks_its_own_data_source_or_its_panels() -> None:
    mixed = panel(
        "Mixed",
        asking("up", datasource={"type": "prometheus", "uid": "p1"}),
        asking("up", datasource="by name"),
        asking("up"),
        asking("up", datasource={"0": "M", "1": "e"}),
        datasource={"uid": MIXED},
    )
    found = read(board(mixed)).queries
    assert [one.source.uid for one in found] == ["p1", "by name", MIXED, MIXED]
    assert [one.source.kind for one in found] == ["prometheus", "", "", ""]


def test_hidden_queries_are_not_drawn_and_nameless_ones_get_their_letter() -> None:
    (found,) = read(board(panel("A", asking("a", hide=True), {"expr": "b"}))).panels
    assert [(one.ref, one.hidden) for one in found.queries] == [("A", True), ("B", False)]
    assert [one.expression for one in found.drawn] == ["b"]


def test_a_query_of_another_language_is_text_too() -> None:
    (one,) = read(board(panel("A", {"refId": "A", "rawSql": "SELECT 1", "format": "table"}))).queries
    assert (one.expression, one.text) == ("", "SELECT 1")


def test_a_library_panel_is_what_the_library_says_and_named_by_it_where_it_is_gone() -> None:
    model = board({"id": 7, "libraryPanel": {"uid": "lib", "name": "Errors"}, "gridPos": {}})
    (lost,) = read(model).panels
    assert (lost.name, lost.library, lost.queries) == ("Errors", "lib", ())
    assert libraries(read(model)) == ("lib",)
    (found,) = read(model, {"lib": panel("Errors", asking("up"))}).panels
    assert (found.number, found.library, len(found.drawn)) == (7, "lib", 1)


def test_a_panel_that_shares_anothers_answers_shows_data_without_asking() -> None:
    (one,) = read(board(panel("Again", {"refId": "A", "panelId": 4}, datasource={"uid": SHARED}))).shown
    assert (one.shares, one.queries) == (4, ())


def test_a_panel_without_a_title_is_called_by_its_number() -> None:
    assert read(board(panel(" ", asking("up")))).panels[0].name == "panel 1"


def test_variables_are_read_with_what_is_chosen() -> None:
    listed = [
        {
            "name": "a",
            "type": "query",
            "query": {"query": "label_values(up, job)"},
            "current": {"value": "x"},
            "refresh": 1,
        },
        {
            "name": "b",
            "type": "query",
            "definition": "label_values(up, job)",
            "current": {"value": ["x", "y"]},
            "multi": True,
        },
        {
            "name": "c",
            "type": "custom",
            "query": "1,2",
            "includeAll": True,
            "allValue": ".+",
            "options": [{"value": "1"}],
        },
        {"name": "d", "type": "textbox"},
    ]
    a, b, c, d = read(board(templating={"list": listed})).variables
    assert (a.query, a.current, a.several, a.lasting) == ("label_values(up, job)", ("x",), False, False)
    assert (b.query, b.current, b.several, b.lasting) == ("label_values(up, job)", ("x", "y"), True, True)
    assert (c.several, c.has_all, c.all_value, c.options) == (True, True, ".+", ("1",))
    assert (d.current, d.query) == ((), "")


def test_what_has_to_be_given_at_the_import_is_known() -> None:
    assert read(board(__inputs=[{"name": "DS_PROMETHEUS"}])).inputs == ("DS_PROMETHEUS",)


def test_what_the_page_does_not_send_is_no_query() -> None:
    left = panel("Words", asking("up"), type="text")
    blank = panel("Blank", asking("up"), {"refId": "B", "expr": " "}, interval="1m")
    found = read(board(left, blank, panel("Other", {"refId": "A", "expr": "", "rawSql": "SELECT 1"})))
    assert titles(found.shown) == ["Blank", "Other"]
    assert [one.ref for one in found.shown[0].queries] == ["A"]
    assert found.shown[0].interval == "1m"

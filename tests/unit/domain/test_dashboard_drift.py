"""A dashboard beside its copy: what only the place tells is no change, everything else is one."""

import copy
from typing import Any

from tminus.domain import drift

COPY: dict[str, Any] = {
    "uid": "shop",
    "title": "Shop",
    "refresh": "30s",
    "panels": [
        {
            "id": 1,
            "title": "A",
            "targets": [{"refId": "A", "expr": "up"}],
            "fieldConfig": {"defaults": {"unit": "s"}},
        },
        {"id": 2, "title": "B", "targets": [{"refId": "A", "expr": "down"}]},
        {"id": 3, "type": "row", "title": "More", "panels": [{"id": 4, "title": "C"}]},
    ],
}


def live(**more: Any) -> dict[str, Any]:
    return {**copy.deepcopy(COPY), **more}


def test_id_version_and_what_an_export_lists_are_no_change() -> None:
    there = live(id=12, version=7, iteration=1_700_000_000, gnetId=5, description=None)
    assert drift.differences(there, {**COPY, "__requires": [], "id": None, "version": 1}) == []
    assert drift.fingerprint(there) == drift.fingerprint({"dashboard": COPY})


def test_a_data_source_that_the_copy_leaves_open_fits_any() -> None:
    there, written = live(), live(__inputs=[{"name": "DS_PROM", "type": "datasource"}])
    there["panels"][0]["datasource"] = {"uid": "real"}
    written["panels"][0]["datasource"] = {"uid": "${DS_PROM}"}
    assert drift.differences(there, written) == []
    written["panels"][0]["datasource"] = {"uid": "${other}"}
    assert drift.differences(there, written) == ["the panel 'A': datasource.uid was changed"]


def test_each_change_is_told_with_its_panel() -> None:
    there = live(refresh="5m", tags=["x"])
    there["panels"][0]["fieldConfig"]["defaults"]["unit"] = "ms"
    there["panels"][2]["panels"][0]["title"] = "D"
    del there["panels"][1]
    told = drift.differences(there, COPY)
    assert told == [
        "the panel 'B' is missing",
        "the panel 'A': fieldConfig.defaults.unit was changed",
        "the panel 'C' is missing",
        "the panel 'D' was added",
        "refresh was changed",
        "1 more places",
    ]


def test_another_order_is_a_change() -> None:
    there = live()
    there["panels"] = there["panels"][::-1]
    assert drift.differences(there, COPY) == ["the panels stand in another order"]
    assert drift.fingerprint(there) != drift.fingerprint(COPY)


def test_panels_of_one_title_are_told_apart() -> None:
    twins: Any = {"title": "x", "panels": [{"title": "A", "id": 1}, {"title": "A", "id": 2}]}
    other: Any = {"title": "x", "panels": [{"title": "A", "id": 1}, {"title": "A", "id": 3}]}
    assert drift.differences(other, twins) == ["the panel 'A' (2): id was changed"]


def test_one_more_query_in_a_panel_is_a_change() -> None:
    there = live()
    there["panels"][0]["targets"].append({"refId": "B", "expr": "x"})
    assert drift.differences(there, COPY) == ["the panel 'A': targets was changed"]


def test_numbers_and_letters_that_nobody_can_write_are_read_as_the_page_reads_them() -> None:
    odd = live(max=9223372036854775807, huge=10**400, half="\ud800")
    assert drift.fingerprint(odd) == drift.fingerprint(live(max=2**63, huge=10**400, half="\ufffd"))
    assert drift.fingerprint(odd) != drift.fingerprint(live())

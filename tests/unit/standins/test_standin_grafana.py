"""The stand-in for Grafana: who is let in, what it keeps, what it refuses, and in which words."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.standins.grafana_shapes import VIEWER, ask, board, grafana, store
else:
    from grafana_shapes import VIEWER, ask, board, grafana, store


async def test_nobody_without_a_token_sees_more_than_that_it_answers(tmp_path: Path) -> None:
    async with grafana(store(tmp_path)) as client:
        assert (await ask(client, "GET", "/api/health", token=""))[0] == 200
        for token in ("", "another"):
            status, said = await ask(client, "GET", "/api/search", token=token)
            assert (status, said) == (401, {"message": "Invalid API key"})


async def test_who_may_only_look_changes_nothing(tmp_path: Path) -> None:
    async with grafana(store(tmp_path)) as client:
        assert (await ask(client, "GET", "/api/search", token=VIEWER))[0] == 200
        status, said = await ask(client, "POST", "/api/dashboards/db", {"dashboard": board()}, token=VIEWER)
        assert (status, said["title"]) == (403, "Access denied")


async def test_a_dashboard_is_kept_with_its_version_and_found_again(tmp_path: Path) -> None:
    async with grafana(store(tmp_path)) as client:
        status, saved = await ask(
            client, "POST", "/api/dashboards/db", {"dashboard": board(), "message": "first"}
        )
        assert (status, saved["uid"], saved["version"], saved["url"]) == (200, "shop", 1, "/d/shop/shop")
        _, found = await ask(client, "GET", "/api/dashboards/uid/shop")
        assert (found["dashboard"]["version"], found["meta"]["version"], found["dashboard"]["id"]) == (
            1,
            1,
            saved["id"],
        )
        _, found = await ask(client, "GET", "/api/search?query=sho&type=dash-db")
        assert [one["uid"] for one in found] == ["shop"]
        assert (await ask(client, "GET", "/api/search?query=other"))[1] == []


async def test_the_newer_structure_of_paths_tells_the_same(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.save({"dashboard": board()})
    path = "/apis/dashboard.grafana.app/v1/namespaces/default/dashboards/shop"
    async with grafana(kept, legacy=False) as client:
        _, found = await ask(client, "GET", path)
        assert (found["metadata"]["name"], found["metadata"]["generation"], found["spec"]["title"]) == (
            "shop",
            1,
            "Shop",
        )
        assert await ask(client, "GET", "/api/dashboards/uid/shop") == (404, {"message": "Not found"})


async def test_what_somebody_else_has_changed_is_not_written_over(tmp_path: Path) -> None:
    async with grafana(store(tmp_path)) as client:
        await ask(client, "POST", "/api/dashboards/db", {"dashboard": board()})
        status, said = await ask(client, "POST", "/api/dashboards/db", {"dashboard": board(version=0)})
        assert (status, said["status"]) == (412, "version-mismatch")
        status, said = await ask(client, "POST", "/api/dashboards/db", {"dashboard": board(version=1, id=99)})
        assert (status, said["status"]) == (404, "not-found")
        status, said = await ask(
            client, "POST", "/api/dashboards/db", {"dashboard": board(version=0), "overwrite": True}
        )
        assert (status, said["version"]) == (200, 2)


async def test_another_id_for_a_uid_that_is_taken_is_refused(tmp_path: Path) -> None:
    async with grafana(store(tmp_path)) as client:
        await ask(client, "POST", "/api/dashboards/db", {"dashboard": board()})
        _, other = await ask(client, "POST", "/api/dashboards/db", {"dashboard": board("other")})
        status, said = await ask(
            client, "POST", "/api/dashboards/db", {"dashboard": board(id=other["id"], version=1)}
        )
        assert (status, said["status"]) == (412, "name-exists")


@pytest.mark.parametrize(
    "body",
    [
        None,
        {},
        {"dashboard": []},
        {"dashboard": board(), "nobody": 1},
        {"dashboard": board(), "overwrite": "yes"},
        {"dashboard": board(), "message": 5},
        {"dashboard": board(title="")},
        {"dashboard": board(title=5)},
        {"dashboard": board("a b")},
        {"dashboard": board("x" * 41)},
        {"dashboard": board(panels={})},
        {"dashboard": board(templating=[])},
        {"dashboard": board(schemaVersion="39")},
    ],
)
async def test_what_is_no_dashboard_is_refused(tmp_path: Path, body: Any) -> None:
    async with grafana(store(tmp_path)) as client:
        status, said = await ask(client, "POST", "/api/dashboards/db", body)
        assert status == 400
        assert said["message"]
        assert (await ask(client, "GET", "/api/search"))[1] == []


@pytest.mark.parametrize("query", ["nobody=1", "limit=some", "type=panel"])
async def test_a_search_for_what_there_is_not_is_refused(tmp_path: Path, query: str) -> None:
    async with grafana(store(tmp_path)) as client:
        assert (await ask(client, "GET", f"/api/search?{query}"))[0] == 400


async def test_what_is_deleted_is_gone(tmp_path: Path) -> None:
    async with grafana(store(tmp_path)) as client:
        await ask(client, "POST", "/api/dashboards/db", {"dashboard": board()})
        status, said = await ask(client, "DELETE", "/api/dashboards/uid/shop")
        assert (status, said["title"]) == (200, "Shop")
        for method in ("GET", "DELETE"):
            assert await ask(client, method, "/api/dashboards/uid/shop") == (
                404,
                {"message": "Dashboard not found"},
            )


async def test_data_sources_and_library_panels_come_and_go(tmp_path: Path) -> None:
    source = {
        "uid": "p",
        "name": "P",
        "type": "prometheus",
        "url": "http://127.0.0.1:1",
        "told": {"health": "ill"},
    }
    panel = {"uid": "lib", "name": "L", "kind": 1, "model": {"title": "L"}}
    async with grafana(store(tmp_path)) as client:
        for path, body, where in (
            ("/api/datasources", source, "/api/datasources/uid/p"),
            ("/api/library-elements", panel, "/api/library-elements/lib"),
        ):
            assert (await ask(client, "POST", path, body))[0] == 200
            assert (await ask(client, "POST", path, {**body, "nobody": 1}))[0] == 400
            status, found = await ask(client, "GET", where)
            assert status == 200
            assert "told" not in found
            assert (await ask(client, "DELETE", where))[0] == 200
            assert (await ask(client, "GET", where))[0] == 404
            assert (await ask(client, "DELETE", where))[0] == 404
        assert (await ask(client, "GET", "/api/datasources"))[1] == []


async def test_after_a_kill_everything_is_as_it_was(tmp_path: Path) -> None:
    kept = store(tmp_path)
    kept.save({"dashboard": board()})
    kept.save({"dashboard": board(version=1, refresh="5s")})
    kept.save({"dashboard": board("gone")})
    kept.delete("gone")
    kept.add_source({"uid": "p", "name": "P", "type": "prometheus"})
    again = store(tmp_path)
    assert again.dashboards == kept.dashboards
    assert again.sources == kept.sources
    assert again.dashboards["shop"].model["version"] == 2


def test_a_folders_dashboards_are_there_from_the_start_and_change_with_their_files(tmp_path: Path) -> None:
    folder = tmp_path / "dashboards"
    folder.mkdir()
    (folder / "shop.json").write_text(json.dumps(board()))
    kept = store(tmp_path)
    kept.provision(folder)
    kept.provision(folder)
    assert (kept.dashboards["shop"].model["version"], kept.dashboards["shop"].provisioned) == (1, True)
    (folder / "shop.json").write_text(json.dumps(board(refresh="1m")))
    kept.provision(folder)
    assert kept.dashboards["shop"].model["version"] == 2


async def test_whoever_names_no_folder_moves_a_dashboard_out_of_its_own(tmp_path: Path) -> None:
    async with grafana(store(tmp_path)) as client:
        folders = []
        for body in ({"folderUid": "closed"}, {"overwrite": True}):
            await ask(client, "POST", "/api/dashboards/db", {"dashboard": board(), **body})
            _, found = await ask(client, "GET", "/api/dashboards/uid/shop")
            folders.append(found["meta"]["folderUid"])
        assert folders == ["closed", ""]

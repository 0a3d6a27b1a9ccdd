"""Lines about releases: their images, environment, staging tests, migrations, and the plan that launches them."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tminus import oci
from tminus.demo import images as demo_images
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation, Verdict
from tminus.domain.guard import GuardLimits
from tminus.domain.plan import Check
from tminus.domain.rehearsal import definitions
from tminus.errors import PlanError
from tminus.planfile import read
from tminus.probes import staging
from tminus.store.rehearsals import KeptRehearsals
from tminus.wiring import SystemClock

if TYPE_CHECKING:
    from tests.integration.line_register import line
    from tests.integration.line_world import (
        NOWHERE,
        SECRET,
        V1,
        V2,
        Scene,
        World,
        a_layer,
        execute,
        fails,
        shows,
    )
    from tests.rehearsal_builder import rehearsal, whole
else:
    from line_register import line
    from line_world import NOWHERE, SECRET, V1, V2, Scene, World, a_layer, execute, fails, shows

    from rehearsal_builder import rehearsal, whole


class TestEnvironment:
    @line("cfg.env", "passed", "every variable that the release needs is given and fits")
    async def test_passes(self, world: World) -> None:
        shows(await world.scene.judge("cfg.env"), Verdict.PASSED)

    @line("cfg.env", "failed", "the database address is missing", mutation=1)
    async def test_fails_without_a_needed_variable(self, world: World) -> None:
        claim = await world.scene.given(DATABASE_URL=None).judge("cfg.env")
        fails(claim, world.scene.plan, "DEPOT_DATABASE_URL is missing")

    @line("cfg.env", "failed", "a number is given as a word", mutation=2)
    async def test_fails_with_a_value_of_another_type(self, world: World) -> None:
        claim = await world.scene.given(TOKEN_SECONDS="soon").judge("cfg.env")
        fails(claim, world.scene.plan, "DEPOT_TOKEN_SECONDS is no whole number")

    @line(
        "cfg.env",
        "failed",
        "a secret stands in the image or in a variable that is not made for one",
        mutation=3,
    )
    async def test_fails_with_a_secret_in_the_open(self, world: World, tmp_path: Path) -> None:
        config = demo_images._config("2.0.0")
        config = replace(config, env={**config.env, "DEPOT_TOKEN_SECRET": SECRET})
        digest = oci.build_layout(tmp_path / "images", V2, demo_images._layers("v2"), config)
        scene = replace(world.scene.on(images=tmp_path / "images"), release=digest)
        fails(await scene.judge("cfg.env"), scene.plan, "DEPOT_TOKEN_SECRET stands in the image")
        claim = await world.scene.given(FAULT_SEED=SECRET).judge("cfg.env")
        fails(claim, world.scene.plan, "DEPOT_FAULT_SEED carries a secret")
        assert SECRET not in claim.why

    @line("cfg.env", "inconclusive", "the release declares no variable")
    async def test_no_declaration_proves_nothing(self, world: World, tmp_path: Path) -> None:
        change = ('"variables": [asdict(variable) for variable in VARIABLES]', '"variables": []')
        scene = world.patched(tmp_path / "images", settings=change)
        shows(await scene.judge("cfg.env"), Verdict.INCONCLUSIVE, "declares no variable")

    @line("cfg.env", "error", "the release cannot be read, so nothing can be asked")
    async def test_an_altered_release_is_not_asked(self, world: World, tmp_path: Path) -> None:
        scene = world.copied_images(tmp_path)
        a_layer(scene, scene.release).write_bytes(b"altered")
        shows(await scene.judge("cfg.env"), Verdict.ERROR, "cannot be run")

    async def test_an_unknown_variable_warns(self, world: World) -> None:
        claim = await world.scene.given(TOKEN_SECOND="300").judge("cfg.env")
        assert claim.verdict is Verdict.WARNED
        assert "DEPOT_TOKEN_SECOND is not known" in claim.why


class TestStaging:
    """Both suites in one run: they use databases and processes of their own."""

    @line("test.smoke", "passed", "the release starts on a scratch database and every test passes")
    @line("test.integration", "passed", "the release starts on a scratch database and every test passes")
    async def test_passes(self, world: World) -> None:
        for claim in (await world.scene.judged("test.smoke", "test.integration")).values():
            shows(claim, Verdict.PASSED)

    @line("test.smoke", "failed", "downloads lack their first byte", mutation=4)
    @line("test.integration", "failed", "downloads lack their first byte", mutation=7)
    async def test_fails_with_a_failing_test(self, world: World, tmp_path: Path) -> None:
        change = ('bytes(row["content"])', 'bytes(row["content"])[1:]')
        scene = world.patched(tmp_path / "images", files=change)
        for claim in (await scene.judged("test.smoke", "test.integration")).values():
            fails(claim, scene.plan, "upload: the download has the same SHA-256: no")

    @line("test.smoke", "failed", "what answered is another image than the release", mutation=5)
    @line("test.integration", "failed", "what answered is another image than the release", mutation=9)
    async def test_fails_against_another_image(self, world: World, tmp_path: Path) -> None:
        change = ('file.read_text(encoding="ascii").strip()', '"sha256:of-another-image"')
        scene = world.patched(tmp_path / "images", release=change)
        for claim in (await scene.judged("test.smoke", "test.integration")).values():
            fails(claim, scene.plan, "against sha256:of-another-image, not sha256:")

    @line("test.smoke", "inconclusive", "the suite holds no test")
    @line("test.integration", "inconclusive", "the suite holds no test")
    async def test_no_tests_prove_nothing(self, world: World) -> None:
        scene = replace(world.scene, handles=_with_suites(world.scene, 0))
        for claim in (await scene.judged("test.smoke", "test.integration")).values():
            shows(claim, Verdict.INCONCLUSIVE, "no test")

    @line("test.smoke", "error", "PostgreSQL does not answer")
    @line("test.integration", "error", "PostgreSQL does not answer")
    async def test_without_a_database_nothing_is_known(self, world: World) -> None:
        scene = world.scene.on(database=NOWHERE)
        for claim in (await scene.judged("test.smoke", "test.integration")).values():
            shows(claim, Verdict.ERROR, "PostgreSQL does not answer")

    @line("test.smoke", "error", "a layer of the release was altered, so it is not started", mutation=6)
    async def test_an_altered_release_is_not_started(self, world: World, tmp_path: Path) -> None:
        scene = world.copied_images(tmp_path)
        a_layer(scene, scene.release).write_bytes(b"altered")
        shows(await scene.judge("test.smoke"), Verdict.ERROR, "cannot be run.*altered|digest|bytes")

    async def test_a_suite_that_shrank_warns(self, world: World) -> None:
        scene = replace(world.scene, handles=_with_suites(world.scene, 3))
        claim = await scene.judge("test.integration")
        assert claim.verdict is Verdict.WARNED
        assert "3 tests ran where there were 4" in claim.why

    async def test_a_release_that_cannot_start_is_inconclusive(self, world: World, tmp_path: Path) -> None:
        scene = world.patched(tmp_path / "images", serve=("def serve(", "raise SystemExit('no')\ndef serve("))
        claim = await scene.judge("test.smoke")
        shows(claim, Verdict.INCONCLUSIVE, "failed|does not start")


line("test.integration", "passed", "(warned) one test fewer ran than there were", mutation=8)


def _with_suites(scene: Scene, tests: int) -> dict[str, object]:
    async def suite(_address: str) -> Observation:
        return Observation([], {"tests": [f"test {number}" for number in range(tests)]})

    wired = scene.wired()["staging"]
    assert isinstance(wired, staging.System)
    return {"staging": replace(wired, suites={"smoke": suite, "integration": suite})}


@pytest.fixture
def copied(world: World, tmp_path: Path) -> Scene:
    """The images, to be damaged."""
    return world.copied_images(tmp_path)


def _looking(scene: Scene, probe: str, **arguments: JsonValue) -> Check:
    """A line that looks at the layout on disk; the demo's own look at the registry."""
    return replace(scene.plan.check("rb.images"), probe=probe, arguments=arguments)


class TestImage:
    """`release.image`, for plans without a registry."""

    async def test_passes(self, world: World) -> None:
        check = _looking(world.scene, "release.image", digest="${previous}")
        shows(await world.scene.judge(check), Verdict.PASSED)

    async def test_fails_without_a_layer_and_with_an_altered_one(self, copied: Scene) -> None:
        check, layer = (
            _looking(copied, "release.image", digest="${previous}"),
            a_layer(copied, copied.previous),
        )
        layer.write_bytes(layer.read_bytes()[:-1] + b"!")
        fails(await copied.judge(check), copied.plan, "has the digest .* expected")
        layer.unlink()
        fails(await copied.judge(check), copied.plan, "is missing")

    async def test_fails_when_the_running_digest_is_not_kept(self, copied: Scene) -> None:
        config = demo_images._config("1.0.1")
        oci.build_layout(copied.site.images, V1, demo_images._layers("v1"), config)
        check = _looking(copied, "release.image", digest="${previous}")
        fails(await copied.judge(check), copied.plan, "no image with the digest")

    async def test_an_empty_layout_proves_nothing_and_without_the_folder_nothing_is_known(
        self, copied: Scene, tmp_path: Path
    ) -> None:
        index = copied.site.images / "index.json"
        index.write_text(json.dumps({**json.loads(index.read_text()), "manifests": []}))
        check = _looking(copied, "release.image", digest="${previous}")
        shows(await copied.judge(check), Verdict.INCONCLUSIVE, "holds no image")
        shows(await copied.on(images=tmp_path / "gone").judge(check), Verdict.ERROR, "mounted")


class TestNamed:
    """`release.named`, for plans without a registry."""

    async def test_passes(self, world: World) -> None:
        check = _looking(world.scene, "release.named", ref=V2, digest="${release}")
        shows(await world.scene.judge(check), Verdict.PASSED)

    async def test_fails_with_another_image_under_the_name(self, copied: Scene) -> None:
        config = demo_images._config("2.0.1")
        other = oci.build_layout(copied.site.images, V2, demo_images._layers("v2"), config)
        claim = await copied.judge(_looking(copied, "release.named", ref=V2, digest="${release}"))
        fails(claim, copied.plan, f"stands for {other}, not {copied.release}")

    async def test_fails_with_an_altered_layer(self, copied: Scene) -> None:
        a_layer(copied, copied.release).write_bytes(b"altered")
        check = _looking(copied, "release.named", ref=V2, digest="${release}")
        fails(await copied.judge(check), copied.plan, "blobs")

    async def test_fails_when_the_name_stands_for_two(self, copied: Scene) -> None:
        index = copied.site.images / "index.json"
        document = json.loads(index.read_text())
        for entry in document["manifests"]:
            entry["annotations"] = {"org.opencontainers.image.ref.name": V2}
        index.write_text(json.dumps(document))
        check = _looking(copied, "release.named", ref=V2, digest="${release}")
        fails(await copied.judge(check), copied.plan, "stands for .* and")

    async def test_a_removed_release_proves_nothing_and_without_the_folder_nothing_is_known(
        self, copied: Scene, tmp_path: Path
    ) -> None:
        check = _looking(copied, "release.named", ref="2.0.0-removed", digest="${release}")
        shows(await copied.judge(check), Verdict.INCONCLUSIVE, "no image '2.0.0-removed'")
        shows(await copied.on(images=tmp_path / "gone").judge(check), Verdict.ERROR, "mounted")


_DROP = 'op.drop_table("document_labels")'


class TestWayBack:
    @line("rb.dbscripts", "passed", "a copy went up, down and up again, and came back each time")
    async def test_passes(self, world: World) -> None:
        scene = world.scene.on(database=world.address(world.before))
        shows(await scene.judge("rb.dbscripts"), Verdict.PASSED)

    @pytest.mark.parametrize(
        ("downward", "words"),
        [
            pytest.param("raise NotImplementedError", "cannot go down", id="no way down"),
            pytest.param(
                _DROP + '; op.execute("ALTER TABLE files ADD COLUMN left_behind text")',
                "does not bring back the schema|another schema|cannot go up",
                id="something stays",
            ),
            pytest.param(
                _DROP + '; op.execute("DELETE FROM documents WHERE id % 2 = 0")',
                "public.documents: source 100, copy 50",
                id="rows are lost",
            ),
        ],
    )
    @line("rb.dbscripts", "failed", "the migration has no way down", mutation=13)
    @line("rb.dbscripts", "failed", "the way down leaves a column behind", mutation=14)
    @line("rb.dbscripts", "failed", "the way down loses documents", mutation=15)
    async def test_fails(self, world: World, tmp_path: Path, downward: str, words: str) -> None:
        scene = world.patched(tmp_path / "images", r0002_labels=(_DROP, downward))
        scene = scene.on(database=world.address(world.before))
        fails(await scene.judge("rb.dbscripts"), scene.plan, words)

    @line("rb.dbscripts", "inconclusive", "the release brings no migration")
    async def test_a_release_without_a_migration_proves_nothing(self, world: World) -> None:
        scene = world.scene.on(database=world.address(world.after))
        shows(await scene.judge("rb.dbscripts"), Verdict.INCONCLUSIVE, "already")

    @line("rb.dbscripts", "error", "PostgreSQL does not answer")
    async def test_without_a_database_nothing_is_known(self, world: World) -> None:
        shows(await world.scene.on(database=NOWHERE).judge("rb.dbscripts"), Verdict.ERROR, "does not answer")


class TestCriteria:
    @line(
        "rb.criteria",
        "passed",
        "all five triggers stand in the plan as the guard evaluates them, and each was seen to fire in a rehearsal",
    )
    async def test_passes_once_each_was_seen_to_fire(self, world: World, tmp_path: Path) -> None:
        shows(await _rehearsed(world.scene, tmp_path).judge("rb.criteria"), Verdict.PASSED)

    async def test_warns_as_long_as_nothing_was_rehearsed(self, world: World) -> None:
        claim = await world.scene.judge("rb.criteria")
        assert claim.verdict is Verdict.WARNED
        assert "rehearsal" in claim.why

    @line("rb.criteria", "failed", "one of the five triggers is missing", mutation=16)
    async def test_fails_without_a_trigger(self, world: World) -> None:
        scene = _with_triggers(world.scene, *world.scene.plan.triggers[1:])
        fails(await scene.judge("rb.criteria"), scene.plan, "trig.errors is missing")

    @line(
        "rb.criteria",
        "failed",
        "a trigger rolls back on less than a success criterion lets pass",
        mutation=17,
    )
    async def test_fails_against_the_ladder(self, world: World) -> None:
        first, *others = world.scene.plan.triggers
        scene = _with_triggers(world.scene, {**first, "above": "0.5%"}, *others)
        words = ("rolls back above 0.005, but ok.err expects < 1%", "0.005 in the plan and 0.05 in the guard")
        fails(await scene.judge("rb.criteria"), scene.plan, *words)

    async def test_fails_with_a_trigger_that_holds_longer_than_evaluated(self, world: World) -> None:
        first, *others = world.scene.plan.triggers
        scene = _with_triggers(world.scene, {**first, "hold": "50min"}, *others)
        fails(await scene.judge("rb.criteria"), scene.plan, "3000 s in the plan and 300 s")

    async def test_says_what_the_data_gives_now(self, world: World) -> None:
        scene = world.scene.on(database=world.copy(world.before))
        seen = await scene.systems().observe(scene.plan.check("rb.criteria"), {})
        assert seen.value == []
        now = seen.seen["data now"]
        assert isinstance(now, dict)
        assert (now["rows of archive and canary"], now["ledger rows without a document"]) == ("100", "0")
        assert now["digest of the canaries"] == "0ca91d1644d0…"
        assert "data now" not in seen.material, "what users add voids no signature"

    @line("rb.criteria", "failed", "the data is damaged before anything is launched")
    async def test_fails_with_data_that_is_damaged_already(self, world: World) -> None:
        scene = world.scene.on(database=world.copy(world.before))
        execute(scene.site.database, "DELETE FROM documents WHERE owner = 'canary'")
        words = (
            "trig.corruption has fired already: ledger rows without a document: found 20, expected == 0",
        )
        fails(await scene.judge("rb.criteria"), scene.plan, *words)

    @line("rb.criteria", "failed", "a trigger did not fire when it was last rehearsed")
    async def test_fails_with_a_trigger_that_did_not_fire(self, world: World, tmp_path: Path) -> None:
        scene = _rehearsed(world.scene, tmp_path, Verdict.FAILED)
        fails(await scene.judge("rb.criteria"), scene.plan, "trig.errors in its last rehearsal: ")

    @line("rb.criteria", "inconclusive", "a query of the corruption trigger gives no data now", mutation=18)
    async def test_a_trigger_whose_query_gives_nothing_proves_nothing(self, world: World) -> None:
        scene = _with_invariant(world.scene, "SELECT 0 WHERE false")
        words = "trig.corruption has no data now: the invariant 'rows' gives no single value"
        shows(await scene.judge("rb.criteria"), Verdict.INCONCLUSIVE, words)

    async def test_a_floor_that_is_no_number_proves_nothing(self, world: World) -> None:
        scene = _with_invariant(world.scene, "SELECT max(id) FROM documents WHERE false")
        shows(await scene.judge("rb.criteria"), Verdict.INCONCLUSIVE, "trig.corruption has no data now")

    async def test_without_a_database_the_trigger_has_no_data(self, world: World) -> None:
        scene = world.scene.on(database=NOWHERE)
        shows(await scene.judge("rb.criteria"), Verdict.ERROR, "trig.corruption has no data now")

    async def test_warns_of_data_that_only_a_person_looks_at(self, world: World) -> None:
        scene = _with_triggers(
            world.scene, *({**trigger, "invariants": []} for trigger in world.scene.plan.triggers)
        )
        shows(await scene.judge("rb.criteria"), Verdict.WARNED, "trig.corruption has no invariants")

    @line("rb.criteria", "inconclusive", "the plan declares no trigger")
    async def test_no_triggers_prove_nothing(self, world: World) -> None:
        shows(await _with_triggers(world.scene).judge("rb.criteria"), Verdict.INCONCLUSIVE, "no trigger")

    @line("rb.criteria", "error", "the plan is gone")
    async def test_without_its_plan_there_is_no_launch(self, tmp_path: Path) -> None:
        with pytest.raises(PlanError, match="cannot be read") as caught:
            read(tmp_path / "gone.yaml")
        assert caught.value.hint


def _rehearsed(scene: Scene, folder: Path, errors: Verdict = Verdict.PASSED) -> Scene:
    """The scene where all was rehearsed just now, and one trigger came out so."""
    now = SystemClock().now()
    first, *others = whole(definitions(scene.plan, GuardLimits())).drills
    KeptRehearsals(folder, lambda: now).keep(rehearsal(replace(first, verdict=errors), *others, at=now))
    return scene.on(rehearsals=folder)


def _with_triggers(scene: Scene, *triggers: Mapping[str, JsonValue]) -> Scene:
    return replace(scene, plan=replace(scene.plan, triggers=triggers))


def _with_invariant(scene: Scene, query: str) -> Scene:
    invariants: list[JsonValue] = [{"name": "rows", "query": query, "expect": "", "floor": True}]
    return _with_triggers(
        scene,
        *(
            {**trigger, "invariants": invariants if trigger["id"] == "trig.corruption" else []}
            for trigger in scene.plan.triggers
        ),
    )

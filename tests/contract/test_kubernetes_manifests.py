"""The objects for a team's cluster: valid by Kubernetes' own schemas, and a role that is enough and no more."""

import asyncio
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from jsonschema import Draft4Validator, Draft202012Validator

from tminus.domain.traffic import Side
from tminus.errors import DeniedError
from tminus.standins.kubernetes import fields
from tminus.standins.kubernetes.orders import Run
from tminus.targets.kubernetes import manifests, role
from tminus.targets.kubernetes.manifests import Example

if TYPE_CHECKING:
    from tests.kubernetes_world import BLUE, GREEN, ROUTED, SWITCHED, Kube, kube
else:
    from kubernetes_world import BLUE, GREEN, ROUTED, SWITCHED, Kube, kube

SHARED = Path(__file__).parents[3] / "shared" / "openapi"
SWAGGER, ROUTES = SHARED / "kubernetes" / "swagger.json", SHARED / "gateway-api" / "httproutes-crd.yaml"
published = pytest.mark.skipif(not SWAGGER.exists(), reason="the published schemas are not on this machine")
CASES = [ROUTED, SWITCHED]


@functools.cache
def swagger() -> Any:
    return json.loads(SWAGGER.read_text())


def closed(schema: Any) -> Any:
    """A schema that takes no key that it does not name, as the API server with strict validation."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: closed(part) for key, part in schema.items()}
    free = "additionalProperties" in schema or schema.get("x-kubernetes-preserve-unknown-fields")
    if isinstance(schema.get("properties"), dict) and not free:
        made["additionalProperties"] = False
    return made


@functools.cache
def definitions() -> Any:
    found = closed(swagger()["definitions"])
    # Numbers that may be text, and names of keys that the description leaves open.
    found["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = {"type": ["string", "integer"]}
    return found


def problems(thing: dict[str, Any]) -> list[str]:
    """What the published schema of this kind says against an object."""
    validator: Any
    if thing["kind"] == "HTTPRoute":
        versions = yaml.safe_load(ROUTES.read_text())["spec"]["versions"]
        schema = next(one for one in versions if one["name"] == "v1")["schema"]["openAPIV3Schema"]
        schema = closed(schema)
        schema["properties"]["metadata"] = {"type": "object"}
        validator = Draft202012Validator(schema)
    else:
        group, _, version = thing["apiVersion"].rpartition("/")
        kinds = {
            (one["group"], one["version"], one["kind"]): name
            for name, about in swagger()["definitions"].items()
            for one in about.get("x-kubernetes-group-version-kind") or ()
        }
        name = kinds[group, version, thing["kind"]]
        schema = {"$ref": f"#/definitions/{name}", "definitions": definitions()}
        validator = Draft4Validator(schema)
    return [f"{'.'.join(map(str, error.path))}: {error.message}" for error in validator.iter_errors(thing)]


@published
@pytest.mark.parametrize("service", CASES, ids=["route", "switch"])
def test_every_generated_object_is_valid(service: Any) -> None:
    for thing in manifests(service, Example(BLUE)):
        assert problems(thing) == [], thing["kind"]


@published
def test_a_wrong_object_is_seen() -> None:
    route, deployment = (
        next(thing for thing in manifests(ROUTED, Example(BLUE)) if thing["kind"] == kind)
        for kind in ("HTTPRoute", "Deployment")
    )
    route["spec"]["rules"][0]["backendRefs"][0]["weight"] = 2_000_000
    deployment["spec"]["replica"] = 3
    assert problems(route)
    assert problems(deployment)


@published
async def test_what_is_written_into_a_cluster_is_valid_too(tmp_path: Path) -> None:
    async with kube(tmp_path) as world:
        await whole_launch(world)
        for kind in ("Deployment", "HTTPRoute", "Job"):
            for thing in world.cluster.store.every(kind):
                # The server's own: a status of a Job that lacks what only controllers know.
                assert problems({**thing, "status": {}} if kind != "HTTPRoute" else thing) == []


@published
def test_the_stand_in_knows_lists_by_the_keys_that_are_published() -> None:
    given: dict[str, set[tuple[str, ...]]] = {}
    for name in ("PodSpec", "Container", "ObjectMeta"):
        full = next(full for full in swagger()["definitions"] if full.endswith(f".{name}") and ".v1." in full)
        for key, about in swagger()["definitions"][full]["properties"].items():
            if about.get("x-kubernetes-list-type") == "map":
                given.setdefault(key, set()).add(tuple(about["x-kubernetes-list-map-keys"]))
    for name, keys in fields.KEYS.items():
        assert given[name] == {keys}, name


async def whole_launch(world: Kube) -> None:
    """Every call that a launch can make, forward and back."""
    orders = world.cluster.orders
    orders.jobs["depot-green-migrate"] = Run(log="r0002")
    orders.jobs["depot-blue-backup"] = Run(log='{"file": "x"}')
    target, database = world.target(), world.database(back_up=("back-up",))
    await target.prepare(GREEN)
    await database.back_up("before")
    await database.migrate(GREEN)
    await target.start(Side.GREEN, GREEN)
    await target.set_weight(100)
    await target.stop(Side.BLUE, 0.0)
    await target.start(Side.BLUE, BLUE)
    await target.set_weight(0)
    await target.stop(Side.GREEN, 0.0)


@pytest.mark.parametrize("service", CASES, ids=["route", "switch"])
async def test_the_role_is_enough_for_everything_that_a_launch_does(tmp_path: Path, service: Any) -> None:
    async with kube(tmp_path, service) as world:
        await whole_launch(world)


@pytest.mark.parametrize("number", range(len(role(ROUTED)["rules"])))
async def test_nothing_in_the_role_can_be_left_out(tmp_path: Path, number: int) -> None:
    async with kube(tmp_path) as world:
        less = role(ROUTED)
        del less["rules"][number]
        world.cluster.put(less)
        with pytest.raises(DeniedError, match="cannot"):
            await asyncio.wait_for(whole_launch(world), 60)


def test_the_role_gives_no_secret_and_no_deletion() -> None:
    for service in CASES:
        rules = role(service)["rules"]
        assert {verb for rule in rules for verb in rule["verbs"]} <= {"get", "list", "patch", "create"}
        assert not {"secrets", "*", "pods/exec"} & {name for rule in rules for name in rule["resources"]}

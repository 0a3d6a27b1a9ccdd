"""What a plan may say of its target, and what is told of one by which nobody could roll out."""

from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.domain.change import When
from tminus.planfile import parse

TARGET = """\
target:
  address: "env:KUBE"
  namespace: shop
  image: registry.example/shop
  blue: shop-blue
  green: shop-green
  route: shop
  migrate: [shop, migrate]
  back_up: [shop, back-up]
  smoke: [shop, smoke]
  traffic:
    requests: 'http_requests_total{service="${side}"}'
    seconds: 'http_request_seconds_bucket{service="${side}"}'
"""
SYSTEM = '  prom: {kind: prometheus, address: "env:PROM"}\n'
TEXT = small_plan.SMALL.replace("roles:", f"{SYSTEM}roles:", 1) + TARGET


OTHER = {"component": "worker", "deployment": "shop-worker", "image": "registry.example/worker"}
TWO: dict[str, Any] = {"release.components": ["depot", "worker"]}


def told(change: dict[str, Any]) -> list[str]:
    """What is told when the target says this instead; a key without a value is left out."""
    plan = yaml.safe_load(TEXT)
    for key, value in change.items():
        *within, last = key.split(".")
        entry = plan
        for step in within:
            entry = entry[int(step) if isinstance(entry, list) else step]
        if value is None:
            del entry[last]
        else:
            entry[last] = value
    return small_plan.problems(yaml.safe_dump(plan, sort_keys=False))


def test_a_target_is_data_of_the_plan_with_the_systems_that_it_needs() -> None:
    plan, found = parse(TEXT)
    assert not found
    assert plan is not None
    assert plan.target is not None
    traffic = plan.target["traffic"]
    assert isinstance(traffic, dict)
    assert (plan.target["kind"], plan.target["public"], traffic["system"], traffic["status"]) == (
        "kubernetes",
        next(name for name, entry in plan.systems.items() if entry["kind"] == "website"),
        "prom",
        "code",
    )


SCANS = """\
  - id: trig.vulnerability
    text: Critical vulnerability
    source: a scan of the running digest
    action: hold and page
    system: osv
"""
SCANNED = {
    "systems": {"osv": {"kind": "osv", "address": "env:OSV"}},
    "images": {"images": {"kind": "registry", "address": "env:IMAGES"}},
}


def scanning(*more: dict[str, Any]) -> str:
    """The plan with a scan of what runs, and these systems beside its own."""
    plan = yaml.safe_load(TEXT)
    (scan,) = yaml.safe_load(SCANS)
    plan["triggers"] = [
        *(one for one in plan.get("triggers", []) if one["id"] != scan["id"]),
        scan,
    ]
    for systems in (SCANNED["systems"], *more):
        plan["systems"] |= systems
    return yaml.safe_dump(plan, sort_keys=False)


def test_a_scan_of_what_runs_asks_the_registry_for_sboms() -> None:
    plan, found = parse(scanning(SCANNED["images"]))
    assert not [problem for problem in found if "registry" in str(problem)]
    assert plan is not None
    assert plan.target is not None
    assert plan.target["images"] == "images"


def test_a_scan_without_a_registry_is_told_and_without_a_scan_none_is_asked() -> None:
    assert any(
        "write a system `{kind: registry, address: …}`" in text for text in small_plan.problems(scanning())
    )
    two = {"other": {"kind": "registry", "address": "env:OTHER"}}
    told_of_two = small_plan.problems(scanning(SCANNED["images"], two))
    assert any("which of images, other is meant? Write `images: …`" in text for text in told_of_two)
    plan, found = parse(TEXT)
    assert not found
    assert plan is not None
    assert plan.target is not None
    assert plan.target["images"] == ""


def test_it_is_signed_and_a_plan_without_one_keeps_its_digest() -> None:
    one, other = (parse(text)[0] for text in (TEXT, TEXT.replace("namespace: shop", "namespace: store")))
    assert one is not None
    assert other is not None
    assert one.digest != other.digest
    without = parse(small_plan.SMALL)[0]
    assert without is not None
    assert without.target is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"target.kind": "nomad"}, "'nomad' is no kind of target; write one of kubernetes"),
        ({"target.blue": "Shop"}, "'Shop' is no name in Kubernetes"),
        ({"target.namespace": "shop.web"}, "'shop.web' is no name in Kubernetes"),
        ({"target.green": "g" * 43}, "is too long: Jobs are named after it; 42 characters at most"),
        ({"target.green": "shop-blue"}, "blue and green have one name"),
        ({"target.image": "registry.example/shop:1.0"}, "is no repository; leave scheme, tag and digest out"),
        ({"target.image": "https://registry.example/shop"}, "is no repository"),
        ({"target.image": f"registry.example/shop@sha256:{'a' * 64}"}, "is no repository"),
        ({"target.route": None}, "what divides the traffic?"),
        ({"target.switch": "shop"}, "what divides the traffic?"),
        ({"target.ready": "soon"}, "soon"),
        ({"target.path": "health"}, "'health' is no path; let it begin with /"),
        ({"target.port": 0}, "`port` is 0; write 1 or more"),
        ({"target.migrate": []}, "`migrate` is empty"),
        ({"target.smoke": None}, "`smoke` is missing"),
        ({"target.traffic": None}, "`traffic` is missing"),
        ({"target.trafic": {}}, "`trafic` is no key here; did you mean"),
        ({"target.traffic.requets": "x"}, "`requets` is no key here; did you mean"),
        ({"target.traffic.requests": 'http_requests_total{side="green"}'}, "${side} is missing"),
        ({"target.traffic.seconds": 'sum(x{service="${side}"})'}, "this is no selector"),
        ({"target.traffic.seconds": 'x{service="${side}"}[1m]'}, "this is no selector"),
        ({"target.traffic.requests": "x{${side}"}, "Prometheus could not read this"),
        ({"target.traffic.system": "website"}, "`system` names a system of kind prometheus"),
        ({"systems.prom": None}, "write a system `{kind: prometheus, address: …}` into `systems`"),
        ({"systems.other": {"kind": "prometheus", "address": "env:X"}}, "which of prom, other is meant?"),
        ({"release.components": ["shop", "worker"]}, "nobody has said where worker runs; add `others:"),
        (
            {"target.others": [OTHER]},
            "'worker' is no other component; write none: depot is rolled out by sides",
        ),
        (TWO | {"target.others": [OTHER, {**OTHER}]}, "worker stands twice"),
        (TWO | {"target.others": [OTHER | {"deployment": "shop-blue"}]}, "shop-blue is one of the two sides"),
        (TWO | {"target.others": [OTHER | {"deployment": "Shop"}]}, "'Shop' is no name in Kubernetes"),
        (TWO | {"target.others": [OTHER | {"image": "registry.example/w:1"}]}, "is no repository"),
        (TWO | {"target.others": [OTHER | {"when": "later"}]}, "'later' is no moment"),
        (TWO | {"target.others": [OTHER | {"component": "cron"}]}, "write one of worker"),
    ],
)
def test_what_nobody_could_roll_out_by_is_told(change: dict[str, Any], words: str) -> None:
    found = told(change)
    assert any(words in one for one in found), found


def test_components_beyond_the_first_have_their_deployment_and_their_moment() -> None:
    text = TEXT.replace("components: [depot]", "components: [depot, worker]")
    text += (
        "  others:\n    - {component: worker, deployment: shop-worker, image: reg.example/w, when: green}\n"
    )
    plan, found = parse(text)
    assert not found
    assert plan is not None
    assert plan.others == {"worker": When.GREEN}


CHANGES = """\
changes:
  - id: flag.checkout
    apply: [shop, flag, checkout, "on"]
    revert: [shop, flag, checkout, "off"]
    read: [shop, flag, checkout]
    after: "on"
    before: "off"
"""


def test_changes_are_data_of_the_plan_and_signed() -> None:
    plan, found = parse(TEXT + CHANGES)
    assert not found
    assert plan is not None
    (change,) = plan.changes
    assert (change.id, change.when, change.apply) == (
        "flag.checkout",
        When.PROMOTED,
        ("shop", "flag", "checkout", "on"),
    )
    without = parse(TEXT)[0]
    assert without is not None
    assert without.changes == ()
    assert without.digest != plan.digest


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('after: "on"', 'after: "off"', "it is 'off' before and after; nothing would change"),
        ("    read:", "    when: later\n    read:", "'later' is no moment; write green or promoted"),
        ('    apply: [shop, flag, checkout, "on"]', "    apply: []", "`apply` is empty"),
        ('    before: "off"\n', "", "`before` is missing"),
        (CHANGES, CHANGES + CHANGES.removeprefix("changes:\n"), "the change 'flag.checkout' stands twice"),
    ],
)
def test_changes_that_say_two_things_or_nothing_are_told(old: str, new: str, words: str) -> None:
    text = TEXT + CHANGES
    assert text.count(old) == 1, old
    found = small_plan.problems(text.replace(old, new))
    assert any(words in one for one in found), found


def test_a_switched_service_gives_no_shares() -> None:
    ladder = [{"weight": 10, "watch": "1s", "requests": 1}, {"weight": 100, "watch": "1s", "requests": 1}]
    switched: dict[str, Any] = {"target.route": None, "target.switch": "shop"}
    assert not told({**switched, "rollout.ladder": ladder[1:]})
    (found,) = told({**switched, "rollout.ladder": ladder})
    assert "gives green all requests or none, never 10 %" in found


def test_a_target_that_makes_no_backup_is_told_of_since_every_launch_makes_one() -> None:
    (told_of,) = small_plan.problems(TEXT.replace("  back_up: [shop, back-up]\n", ""))
    assert "every launch backs up before it migrates; write `back_up: [COMMAND, …]`" in told_of


def test_a_backup_that_is_called_a_step_is_told_what_it_is() -> None:
    plan = yaml.safe_load(TEXT)
    section = next(iter(plan["checks"].values()))
    line = next(line for line in section if "probe" in line)
    kept = {key: line[key] for key in ("id", "line", "due", "owner")}
    line.clear()
    line.update(kept, step="back up")
    told_of = small_plan.problems(yaml.safe_dump(plan, sort_keys=False))
    assert any("'back up' is no step; it is an act, so write `act: back up`" in one for one in told_of)


def test_an_address_of_a_system_that_only_the_rollout_asks_is_to_fill() -> None:
    plan, found = parse(TEXT.replace('"env:PROM"', '""'))
    assert not found
    assert plan is not None
    assert any("system prom" in one for one in plan.to_fill)

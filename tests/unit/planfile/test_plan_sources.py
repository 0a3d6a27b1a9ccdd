"""Who looks for each trigger's condition: what a plan may say of it, what is refused, and what is warned of."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from tests.unit import small_plan
    from tests.unit.launch_world import World
else:
    import small_plan
    from launch_world import World

from tminus.domain.trigger import UNAVAILABLE, VULNERABILITY
from tminus.planfile import loaded, parse
from tminus.planfile.document import Document
from tminus.planfile.identity import canonical
from tminus.releases import Releases
from tminus.targets.inventory import ReleaseInventory
from tminus.testing import FakeClock
from tminus.wiring.judging import guard_limits, sources

SOURCES = """\
  - id: trig.vulnerability
    text: Critical vulnerability
    source: a scan
    action: hold and page
    system: known
    every: 10min
  - id: trig.unavailable
    text: Service unavailable
    hold: 5min
    source: vantage points
    action: roll back
    system: website
    path: /up
    vantages:
      - {name: here, from: 127.0.0.2}
      - {name: there, by: afar, module: public}
"""
TEXT = (
    small_plan.SMALL.replace(
        "roles:",
        '  known: {kind: osv, real: false, address: "env:OSV"}\n'
        '  afar: {kind: blackbox, real: true, address: "env:AFAR"}\nroles:',
        1,
    )
    + SOURCES
)


def told(old: str, new: str) -> list[str]:
    assert TEXT.count(old) == 1, old
    return small_plan.problems(TEXT.replace(old, new))


def warned(text: str) -> list[str]:
    return [warning.sentence for warning in loaded(text, Path("plan.yaml")).warnings]


def test_a_plan_names_who_looks_and_warns_of_nothing() -> None:
    plan, found = parse(TEXT)
    assert not found
    assert plan is not None
    assert warned(TEXT) == []
    addresses = {"SITE": "http://site.example", "OSV": "http://osv.example", "AFAR": "http://afar.example"}
    world = World()
    looks = sources(
        plan, addresses, (world.target, ReleaseInventory(Releases(Path(), Path(), {}))), FakeClock()
    )
    assert [(one.trigger, one.every) for one in looks] == [(VULNERABILITY, 600.0), (UNAVAILABLE, 1.0)]
    unseen = {trigger.id: trigger.unseen_after for trigger in guard_limits(plan).triggers}
    assert (unseen[VULNERABILITY], unseen[UNAVAILABLE]) == (1800.0, 30.0)


def test_a_plan_that_names_nobody_is_launched_with_a_warning_for_each() -> None:
    without = TEXT.replace("    system: known\n    every: 10min\n", "")
    assert small_plan.problems(without) == []
    assert warned(without) == [
        "trig.vulnerability has no source of its own: write `system`, a source of advisories of kind osv"
    ]
    cut = TEXT[: TEXT.index("    system: website\n    path")]
    assert warned(cut) == [
        "trig.unavailable has no source of its own: write 2 `vantages`; one prober alone may be cut off itself"
    ]


def test_a_plan_from_before_keeps_its_digest() -> None:
    assert "vantages" not in str(canonical(Document.model_validate(yaml.safe_load(small_plan.SMALL))))
    assert "vantages" in str(canonical(Document.model_validate(yaml.safe_load(TEXT))))


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("system: known", "system: website", "`system` names a system of kind osv; write one of known"),
        ("every: 10min", "every: 0s", "looks too often; write 1s or more"),
        ("every: 10min", "path: /up", "only trig.unavailable has vantage points"),
        ("system: website\n", "system: known\n", "`system` names a system of kind website; write one of"),
        ("by: afar", "by: website", "`by` names a system of kind blackbox; write one of afar"),
        ("name: there", "name: here", "the name 'here' stands twice"),
        ("by: afar, module: public", "from: 127.0.0.2", "'there' looks from where another one does"),
        ("by: afar,", "", "`module` is an exporter's"),
        ("module: public", "from: 127.0.0.3", "'there' is asked `by` another; take `from` out"),
        ("from: 127.0.0.2", "from: nowhere", "'nowhere' does not appear to be an IPv4 or IPv6 address"),
        (
            "      - {name: there, by: afar, module: public}\n",
            "",
            "1 vantage point proves nothing; write 2 or more",
        ),
        (
            "source: requests,",
            "source: requests, every: 5s,",
            "trig.errors: the guard judges every request for it",
        ),
    ],
)
def test_a_source_that_nobody_could_ask_is_told_with_its_line(old: str, new: str, problem: str) -> None:
    found = told(old, new)
    assert len(found) == 1
    assert problem in found[0]

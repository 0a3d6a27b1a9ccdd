"""The blocks `freezes` and `notices`: read, refused all together, shown, and no trace of them where left out."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

if TYPE_CHECKING:
    from tests.unit.small_plan import SMALL, line_of, problems
else:
    from small_plan import SMALL, line_of, problems

from tminus.domain.evidence import Freshness
from tminus.domain.freezes import Freeze, Span, Weekly, frozen
from tminus.domain.plan import Leads, Plan
from tminus.planfile import freshness, loaded, parse
from tminus.planfile.listing import listed

BLOCKS = """\
freezes:
  - {name: Weekend, from: Fri 16:00, to: Mon 06:00, zone: Europe/Berlin}
  - {name: Year end, from: "2026-12-18T16:00", to: "2027-01-04 06:00", zone: Europe/Berlin}
  - {name: Audit, from: "2026-06-01T00:00:00+02:00", to: "2026-06-03T00:00:00Z"}
notices: {soon: 2h, late: 5min, escalated: 10min}
"""


def plan(text: str) -> Plan:
    read, found = parse(text)
    assert read is not None, found
    return read


def berlin(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/Berlin")).timestamp()


def test_freezes_and_notices_are_read() -> None:
    read = plan(SMALL + BLOCKS)

    assert read.freezes == (
        Freeze("Weekend", Weekly(4 * 86400 + 16 * 3600, 6 * 3600, "Europe/Berlin")),
        Freeze("Year end", Span(berlin("2026-12-18T16:00"), berlin("2027-01-04T06:00"))),
        Freeze("Audit", Span(berlin("2026-06-01"), berlin("2026-06-03T02:00"))),
    )
    assert read.leads == Leads(7200.0, 300.0, 600.0)
    window = frozen(read.freezes, berlin("2026-12-24T12:00"))
    assert window is not None
    assert window.name == "Year end"


def test_without_them_a_plan_has_the_defaults_and_keeps_its_digest() -> None:
    read = plan(SMALL)

    assert (read.freezes, read.leads, read.decision_seconds) == ((), Leads(), 900.0)
    assert read.digest == "ec814e5a81dd8766cd070fbc18b03fa812dfef877c0d4dca8f28713ee796220f"
    assert plan(f"{SMALL}freezes: []\nnotices: {{soon: 1h}}\n").digest == read.digest
    assert plan(SMALL + BLOCKS).digest != read.digest
    assert plan(f"{SMALL}notices: {{soon: 2h}}\n").digest != read.digest


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{name: W, from: Fri 16:00, to: Mon 06:00, zone: Europe/Berlinn}", "Europe/Berlin"),
        ("{name: W, from: Fri 16:00, to: Mon 06:00, zone: Mars}", "'Mars' is no time zone"),
        ("{name: W, from: Fri 16:00, to: Mon 06:00}", "W: whose clocks?"),
        ("{name: W, from: Fri 16:00, to: Fri 16:00, zone: UTC}", "ends when it begins"),
        ("{name: W, from: Fri 24:00, to: Mon 06:00, zone: UTC}", "'Fri 24:00' is no time of the week"),
        ("{name: W, from: Fri 16:60, to: Mon 06:00, zone: UTC}", "'Fri 16:60' is no time of the week"),
        ("{name: W, from: Fry 16:00, to: Mon 06:00, zone: UTC}", "'Fry 16:00' is no time of the week"),
        ("{name: W, from: Fri 16:00, to: 2026-12-18T16:00, zone: UTC}", "one end is of every week"),
        ("{name: W, from: 2026-12-19T16:00, to: 2026-12-18T16:00, zone: UTC}", "ends before it begins"),
        ("{name: W, from: 2026-12-18T16:00, to: 2026-12-18T16:00, zone: UTC}", "ends before it begins"),
        ("{name: W, from: soon, to: 2026-12-18T16:00, zone: UTC}", "'soon' is no time"),
        ("{name: W, from: '2026-12-17', to: 2026-12-18T16:00, zone: UTC}", "a day without a time"),
        ("{name: W, from: 2026-12-17T16:00, to: 2026-12-18T16:00Z}", "has no zone"),
        ("{name: W, from: 2026-12-17T16:00Z, to: 2026-12-18T16:00, zone: UTC}", "take one of them out"),
        ("{name: W, from: Fri 16:00, zone: UTC}", "`to` is missing"),
        ("{name: W, form: Fri 16:00, from: Fri 16:00, to: Mon 06:00, zone: UTC}", "did you mean"),
    ],
)
def test_a_freeze_that_cannot_be_meant_is_refused_with_its_line(entry: str, told: str) -> None:
    text = f"{SMALL}freezes:\n  - {entry}\n"
    found = problems(text)

    assert len(found) == 1
    assert told in found[0]
    assert found[0].startswith(f"{line_of(text, 'name: W')}: ")


def test_all_problems_of_freezes_and_notices_are_told_together() -> None:
    found = problems(
        f"{SMALL}freezes:\n"
        "  - {name: A, from: Mon 00:00, to: Thu 00:00, zone: UTC}\n"
        "  - {name: A, from: Thu 00:00, to: Mon 00:00, zone: UTC}\n"
        "  - {name: B, from: x, to: y, zone: UTC}\n"
        "notices: {soon: early, late: 1h, escalated: 30min}\n"
    )

    assert [
        any(part in problem for problem in found)
        for part in (
            "A: this name stands twice",
            "leave no time of the week",
            "'x' is no",
            "'y' is no",
            "'early'",
        )
    ] == [True] * 5


def test_those_who_decide_are_not_told_before_the_owner_is_late() -> None:
    (told,) = problems(f"{SMALL}notices: {{late: 1h}}\n")

    assert "told after 30min, before the owner is late at 1h" in told


def test_a_plan_on_top_of_another_overrides_a_freeze_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(SMALL + BLOCKS, encoding="utf-8")
    own = "plan: ours\nextends: base.yaml\nfreezes:\n  - {name: Weekend, to: Mon 09:00}\nnotices: {late: 6min}\n"
    read = loaded(own, tmp_path / "own.yaml").checked()

    assert read.freezes[0].when == Weekly(4 * 86400 + 16 * 3600, 9 * 3600, "Europe/Berlin")
    assert len(read.freezes) == 3
    assert read.leads == Leads(7200.0, 360.0, 600.0)


def test_both_blocks_are_listed() -> None:
    whole = listed(loaded(SMALL + BLOCKS, Path("plan.yaml")))

    assert json.dumps(whole["freezes"]).count('"name"') == 3
    assert whole["notices"] == {"soon": "2h", "late": "5min", "escalated": "10min"}
    assert listed(loaded(SMALL, Path("plan.yaml")))["freezes"] == []


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("fingerprint", Freshness("fingerprint")),
        ("digest", Freshness("digest")),
        ("drill 7d", Freshness("drill", 604800.0)),
        ("live 60s", Freshness("live", 60.0)),
    ],
)
def test_every_way_to_count_is_read(text: str, right: Freshness) -> None:
    assert freshness(text) == right


@pytest.mark.parametrize("text", ["fingerprint 5min", "digest 1h", "drill", "drills 7d"])
def test_what_is_no_freshness_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no freshness"):
        freshness(text)

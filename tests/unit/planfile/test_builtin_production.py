"""The built-in production plan beside the checklist that it is made of and the catalogue that says what proves it."""

import csv
import re
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from ruamel.yaml import YAML

from tminus import planfile, probes
from tminus.domain import expectation, offsets
from tminus.domain.plan import Severity
from tminus.domain.trigger import TRIGGERS
from tminus.planfile import freshness
from tminus.planfile.document import Document, LineEntry, OmittedLine

Line: TypeAlias = LineEntry | OmittedLine

ROOT = Path(__file__).parents[3]
SHARED = (ROOT / "../shared").resolve()
SEED = SHARED / "seed" / "production-deployment-checklist.md"
CATALOGUE = SHARED / "design" / "catalogue.md"

TEXT = (files("tminus.planfile") / "builtin" / "production.yaml").read_text(encoding="utf-8")
PLAN = Document.model_validate(YAML(typ="safe", pure=True).load(TEXT))
CHECKS: dict[str, LineEntry] = {line.id: line for lines in PLAN.checks.values() for line in lines}
OMITTED: dict[str, OmittedLine] = {
    line.id: line for entry in PLAN.omitted for line in entry.lines if isinstance(line, OmittedLine)
}
LINES: dict[str, Line] = {**CHECKS, **OMITTED}
SECTIONS = {line.id: section for section, lines in PLAN.checks.items() for line in lines} | {
    line.id: line.section for line in OMITTED.values()
}
IDS = {
    int(row["line"]): row["id"]
    for row in csv.DictReader((ROOT / "tests" / "data" / "seed_ids.csv").read_text().splitlines())
}

BLOCKERS = {
    "cfg.secrets", "test.security", "rb.images", "rb.tested", "rb.criteria", "bk.db", "bk.restore", "oncall.primary",
    "route.pd", "t24.freeze", "t0.bg", "t0.migrate", "t0.green", "t0.smoke", "t0.shift",
}  # fmt: skip
ADVISORY = {"notify.marketing", "notify.email", "comm.bridge", "t2.maint", "t4p.feedback"}

DUE = {
    "t24": "T-24h", "t4": "T-4h", "t2": "T-2h", "t0": "T-0", "t1": "T+1h", "t4p": "T+4h", "t24p": "T+24h",
    "sign": "T-0", "ok": "T+4h", "test": "T-24h",
}  # fmt: skip
"""By the first part of an id; everything else is due at T-2h. Tests are, because t24.tests is their roll-up."""
DUE_OTHERWISE = {
    "notify.support": "T-4h",
    "comm.warroom": "T-4h",
    **dict.fromkeys(
        ("notify.exec", "notify.cs", "notify.marketing", "notify.window", "notify.integrations"), "T-24h"
    ),
    "notify.apipartners": "T-24h",
}
"""What the catalogue's own row sets: `EVENT` until then, `LIVE` at T-4h, or a part of t24.notify."""

OWNERS = {
    "cfg": "devops", "dash": "devops", "alert": "devops", "route": "devops", "test": "qa", "comm": "lead",
    "oncall": "lead", "notify": "lead", "rb": "backend", "bk": "devops", "t24": "lead", "t4": "lead", "t2": "devops",
    "t0": "devops", "t1": "devops", "t4p": "devops", "t24p": "lead", "ok": "devops",
}  # fmt: skip
OWNERS_OTHERWISE = {
    **dict.fromkeys(("cfg.secrets", "cfg.cors", "dash.sec", "test.security", "bk.vault"), "security"),
    **dict.fromkeys(("t0.migrate", "ok.migrations", "ok.integrations"), "backend"),
    **dict.fromkeys(("t24.tests", "t0.smoke", "ok.auth", "ok.search", "ok.upload"), "qa"),
    "t4p.feedback": "lead",
    "t24p.docs": "devops",
    "sign.devops": "devops-lead",
    "sign.eng": "engineering-lead",
    "sign.sec": "security-lead",
    "sign.qa": "qa-lead",
    "sign.cto": "cto",
}

CRITICAL = {"hold": "0s", "severity": "critical"}
WARNING = {"hold": "0s", "severity": "warning"}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "alert.crit.down": {"measure": "downtime", "above": "1 min", **CRITICAL},
    "alert.crit.err": {"measure": "errors", "above": "1%", **CRITICAL},
    "alert.crit.p95": {"measure": "p95", "above": "500 ms", **CRITICAL},
    "alert.crit.dbconn": {"measure": "connections", "above": "80%", **CRITICAL},
    "alert.crit.mem": {"measure": "memory", "above": "85%", **CRITICAL},
    "alert.crit.disk": {"measure": "disk", "above": "80%", **CRITICAL},
    "alert.warn.err": {"measure": "errors", "above": "0.5%", **WARNING},
    "alert.warn.p95": {"measure": "p95", "above": "300 ms", **WARNING},
    "alert.warn.cache": {"measure": "cache hits", "below": "90%", **WARNING},
    "alert.warn.queue": {"measure": "queue", "above": "1000", **WARNING},
    "route.pd": {"receivers": ["pager"], "severity": "critical", "seconds": 30},
    "route.slack": {"receivers": ["chat"], "severity": "warning", "seconds": 30},
    "route.email": {"receivers": ["mail"], "severity": "critical", "seconds": 40},
    "oncall.schedule": {"hours": 72, "gap": "1min"},
    "notify.window": {"ahead": "24h", "length": "1h"},
    "comm.slack": {"channel": "#production-deployment"},
    "rb.tested": {"digest": "${release}", "previous": "${previous}", "within": "5min"},
    "bk.db": {"hours": 2.0},
    "bk.vault": {"hours": 2.0, "folder": "TBD"},
    "t1.all": {"side": "blue", "seconds": 300, "requests": 500},
    "t4p.err": {"seconds": 10800, "requests": 500, "baseline_seconds": 3600, "ratio": 1.2, "margin": 0.001},
    "t4p.perf": {"seconds": 10800, "requests": 500, "baseline_seconds": 3600, "ratio": 1.1},
    "ok.err": {"seconds": 900, "requests": 500},
    "ok.p95": {"seconds": 900, "requests": 500},
    "ok.noalerts": {"severity": "critical", "seconds": 900},
    "ok.logs": {"labels": {"app": "TBD"}, "fields": ["level"], "path": "/", "lag": "60s"},
    "route.sms": {"system": "pager", "severity": "critical", "service": "TBD", "sender": "TBD", "days": 7},
    "ok.dash": {"side": "green"},
    "dash.app": {
        "kind": "application", "panels": ["rate", "errors", "duration", "saturation"], "filled": "95%", "copy": "TBD",
    },
    "test.load": {
        "digest": "${release}", "throughput": ">= 1200", "p95": "<= 250 ms", "errors": "<= 0.5%", "minutes": 15,
    },
    "test.security": {"digest": "${release}", "critical": "== 0", "high": "== 0", "pentest": "365d"},
}  # fmt: skip
EXPECTED = {
    "ok.err": "< 1%",
    "ok.p95": "< 500 ms",
    "t4p.err": "< 1%",
    "t4p.perf": "< 500 ms",
    "t1.all": "== 0",
    "t2.baseline": ">= 500",
}


def _seed_lines() -> list[str]:
    if not SEED.is_file():
        pytest.skip("the checklist under study is not beside this repository")
    return SEED.read_text(encoding="utf-8").splitlines()


def _repaired(text: str) -> str:
    """Text that was UTF-8 read as cp1252 once; five bytes that cp1252 lacks were kept as they are."""
    try:
        return b"".join(_byte(letter) for letter in text).decode("utf-8")
    except UnicodeError:
        return text


def _byte(letter: str) -> bytes:
    return bytes([ord(letter)]) if ord(letter) in {0x81, 0x8D, 0x8F, 0x90, 0x9D} else letter.encode("cp1252")


def _seed_boxes() -> dict[int, tuple[str, str]]:
    """By the number of its line: a box's section and words, without markup, emoji and blanks to fill."""
    found: dict[int, tuple[str, str]] = {}
    section = ""
    for number, line in enumerate(_seed_lines(), 1):
        if heading := re.fullmatch(r"#{2,3} (.+)", line):
            section = re.sub(r"^[^\w]+", "", _repaired(heading[1]))
        elif box := re.fullmatch(r"\s*- \[ \] (.+)", line):
            signature = re.match(r"\*\*(.+?):\*\*", box[1])
            found[number] = (section, signature[1] if signature else box[1])
    return found


def _catalogue_rows() -> dict[str, tuple[str, str]]:
    """By id: a line's words, and how long what was seen of it counts."""
    if not CATALOGUE.is_file():
        pytest.skip("the catalogue is not beside this repository")
    found: dict[str, tuple[str, str]] = {}
    fresh = ""
    for row in CATALOGUE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in row.strip("| ").split(" | ")]
        if re.fullmatch(r"[a-z0-9]+\.[a-z0-9.]+", cells[0]):
            fresh = fresh if cells[-1] == "same" else cells[-1]
            found[cells[0]] = (cells[1], fresh)
    return found


def test_it_holds_exactly_the_109_lines() -> None:
    every = [line.id for lines in PLAN.checks.values() for line in lines]
    every += [line if isinstance(line, str) else line.id for entry in PLAN.omitted for line in entry.lines]
    assert len(every) == 109
    assert sorted(every) == sorted(IDS.values())
    assert len(LINES) == 109, "an omitted line is written out, not only named"


def test_every_box_of_the_checklist_has_its_id() -> None:
    boxes, rows = _seed_boxes(), _catalogue_rows()
    assert list(IDS) == list(boxes)
    assert {IDS[number]: text for number, (_, text) in boxes.items()} == {
        name: text for name, (text, _) in rows.items()
    }


def test_sections_and_words_are_the_checklists() -> None:
    for number, (section, text) in _seed_boxes().items():
        name = IDS[number]
        assert (SECTIONS[name], LINES[name].line) == (section, text), f"line {number}"


@pytest.mark.parametrize("name", sorted(LINES))
def test_a_line_is_due_owned_and_weighed_as_the_catalogue_says(name: str) -> None:
    line, family = LINES[name], name.partition(".")[0]
    assert line.due == DUE_OTHERWISE.get(name, DUE.get(family, "T-2h"))
    assert line.owner == OWNERS_OTHERWISE.get(name, OWNERS.get(family))
    wanted = {name in BLOCKERS: Severity.BLOCKER, name in ADVISORY: Severity.ADVISORY}
    assert line.severity == wanted.get(True, Severity.REQUIRED)


def test_go_judges_76_lines() -> None:
    before = [name for name, line in LINES.items() if offsets.offset(line.due) < 0]
    assert len(before) == 76


def test_a_due_date_is_a_milestone() -> None:
    assert PLAN.milestones == ["T-24h", "T-4h", "T-2h", "T-0", "T+15min", "T+1h", "T+4h", "T+24h"]
    assert {line.due for line in LINES.values()} <= set(PLAN.milestones)


def test_a_roll_up_is_not_due_before_its_parts() -> None:
    for line in LINES.values():
        for part in line.of:
            assert offsets.offset(LINES[part].due) <= offsets.offset(line.due), f"{line.id}: {part}"


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_the_checklists_thresholds_are_the_arguments(name: str) -> None:
    assert LINES[name].arguments == ARGUMENTS[name]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_checklists_thresholds_are_expected(name: str) -> None:
    assert LINES[name].expect == EXPECTED[name]


def test_a_limit_in_a_lines_words_is_the_limit_that_is_judged() -> None:
    judged = 0
    for line in LINES.values():
        if not (words := re.search(r"[<>]\d[\w.]*(?: min|%)?", line.line)):
            continue
        limit = line.arguments.get("above") or line.arguments.get("below")
        sign = ("> " if "above" in line.arguments else "< ") if limit else ""
        stated = expectation.parse(f"{sign}{limit}" if limit else line.expect)
        said = expectation.parse(words[0])
        assert (stated.comparison, stated.limit) == (said.comparison, said.limit), line.id
        judged += 1
    assert judged == 12


def test_the_plan_is_right_its_ladders_included() -> None:
    loaded = planfile.load("production")

    assert loaded.problems == ()
    assert loaded.to_fill


def test_what_only_a_team_knows_of_its_gates_is_to_fill_also_within_tables() -> None:
    said = {one.what.partition(": ")[0]: set[str]() for one in planfile.load("production").to_fill}
    for one in planfile.load("production").to_fill:
        name, _, what = one.what.partition(": ")
        said[name].add(what)
    assert said["cfg.flags"] == {"`flag` is the placeholder 'TBD'"}
    assert said["cfg.ratelimit"] == {"`X-Client-Key` is the placeholder 'TBD'"}
    assert said["cfg.cors"] == {"`origins` is the placeholder 'TBD'"}


def _number(text: str) -> float:
    limit = expectation.parse(text).limit
    assert isinstance(limit, float)
    return limit


@pytest.mark.parametrize("name", sorted(LINES))
def test_what_was_seen_counts_as_long_as_the_catalogue_says(name: str) -> None:
    line = LINES[name]
    if isinstance(line, LineEntry) and (line.sign or line.not_applicable):
        assert line.fresh == "launch"
        return
    assert freshness(line.fresh) == freshness(_meant(line, _catalogue_rows()[name][1]))


FRESH_OTHERWISE = {
    "rb.images": "live 1h",  # it asks a registry for every blob of an image
    "t2.backup": "event T-2h..T-0",  # bk.db's own
    "route.sms": "live 15min",  # the seven days of its drill are an argument, so a new roster is seen
    "t4.warroom": "live 4h",  # LIVE without a figure: t4.available's
    "t0.shift": "launch",  # the guard is its window
    "notify.window": "live 15min",  # an announcement that can be read again is
}


def _meant(line: Line, words: str) -> str:
    """The strictest freshness of today that honestly says what the catalogue's words mean."""
    if line.id in FRESH_OTHERWISE:
        return FRESH_OTHERWISE[line.id]
    if event := re.search(r"EVENT (?:in )?\[(T-\dh), ?T\]", words):
        return f"event {event[1]}..T-0"
    told = isinstance(line, LineEntry) and bool(line.attest)
    limits = [
        offsets.seconds(number + unit)
        for number, unit in re.findall(
            r"(?:LIVE|DRILL|FP,|(?:DIGEST|LAUNCH|rescan),? ≤) (\d+) ([smhd])", words
        )
    ]
    limits += [900.0] if "FP" in words and not told else []
    limits += [60.0] if "WINDOW" in words else []
    return f"live {int(min(limits))}s" if limits else "launch"


@pytest.mark.parametrize("name", sorted(name for name, line in CHECKS.items() if line.probe))
def test_a_probed_line_fits_its_probe_and_its_system(name: str) -> None:
    line = CHECKS[name]
    probe, kind = probes.find(line.probe), line.probe.partition(".")[0]
    given = {key: value for key, value in line.arguments.items() if key != "system"}
    assert probe.accept(given) == []
    assert probe.accept({**given, **(line.control or {})}) == []
    assert PLAN.systems[_system(line)].kind == kind
    expectation.parse(line.expect)
    if line.warn:
        expectation.parse(line.warn)


def _system(line: LineEntry) -> str:
    return str(line.arguments.get("system", line.probe.partition(".")[0]))


def test_only_systems_that_are_looked_at_are_named() -> None:
    used = {_system(line) for line in CHECKS.values() if line.probe}
    used |= {name for line in CHECKS.values() for name in line.arguments.get("receivers", [])}
    assert set(PLAN.systems) == used
    here = {name for name, system in PLAN.systems.items() if system.address}
    assert here == {"local", "traffic", "plan"}, "the others' addresses are to fill"
    assert all(system.real for system in PLAN.systems.values())


def test_every_success_criterion_that_is_probed_has_a_negative_control() -> None:
    probed = [line for name, line in CHECKS.items() if name.startswith("ok.")]
    assert len(probed) == 12
    assert all(line.control for line in probed)


@pytest.mark.parametrize("name", sorted(name for name, line in OMITTED.items() if line.probe))
def test_an_omitted_line_waits_for_a_probe_that_is_not_built(name: str) -> None:
    line = OMITTED[name]
    system = line.probe.partition(".")[0]
    built = probes.names(system) if system in probes.systems() else []
    assert line.probe not in built, f"{line.probe} is built now: move the line {name} to checks"
    expectation.parse(line.expect)


def test_an_omitted_line_without_a_probe_is_a_roll_up() -> None:
    assert {name for name, line in OMITTED.items() if not line.probe} == {"t24.tests", "t24.notify"}


def test_a_roll_up_is_left_out_exactly_as_long_as_one_of_its_parts() -> None:
    for name, line in LINES.items():
        if line.of:
            assert set(line.of) <= set(LINES), name
            assert (name in OMITTED) == any(part in OMITTED for part in line.of), (
                f"move {name} to checks: all its parts are there"
            )


def test_the_head_explains_every_probe_that_is_waited_for() -> None:
    head = TEXT.partition("waited for, one word per thing:")[2].partition("# How long")[0]
    named = set(re.findall(r"(?<![\w.])[a-z]+\.[a-z0-9]+(?=,| {2,}|$)", head, re.MULTILINE))
    waited = {line.probe for line in OMITTED.values() if line.probe}
    assert named == waited | {figure.probe for figure in PLAN.figures if figure.probe}


def test_omitted_lines_are_grouped_by_the_system_that_unlocks_them() -> None:
    for entry in PLAN.omitted:
        assert entry.system
        assert entry.reason
        kinds = {
            line.probe.partition(".")[0]
            for line in entry.lines
            if isinstance(line, OmittedLine) and line.probe
        }
        assert kinds <= {entry.system}


def test_every_line_but_a_signature_says_what_to_do() -> None:
    assert [name for name, line in LINES.items() if not line.hint] == [
        "sign.devops", "sign.eng", "sign.sec", "sign.qa", "sign.cto",
    ]  # fmt: skip


def test_nine_figures_are_claimed_as_the_checklist_does() -> None:
    assert {figure.id: (figure.claimed, figure.expect) for figure in PLAN.figures} == {
        "fig.coverage": ("87%", ">= 87%"),
        "fig.unit": ("1,234/1,234 (100%)", "== 100%"),
        "fig.integration": ("156/156 (100%)", "== 100%"),
        "fig.throughput": ("1,200 req/s", ">= 1200"),
        "fig.p95": ("120ms", "<= 120 ms"),
        "fig.errors": ("0.1%", "<= 0.1%"),
        "fig.critical": ("0 critical", "== 0"),
        "fig.high": ("0 high", "== 0"),
        "fig.pentest": ("Pass", "is Pass"),
    }
    for figure in PLAN.figures:
        expectation.parse(figure.expect)


def test_a_figures_claim_stands_in_the_checklist() -> None:
    text = "\n".join(_seed_lines())
    for figure in PLAN.figures:
        assert figure.claimed in text, figure.id


def test_the_five_triggers_are_those_that_the_guard_evaluates() -> None:
    written = {trigger.id: trigger for trigger in PLAN.triggers}
    assert list(written) == [known.id for known in TRIGGERS]
    for known in TRIGGERS:
        trigger = written[known.id]
        assert trigger.text == known.text
        assert offsets.seconds(trigger.hold) == known.for_seconds
        assert trigger.action == ("hold and page" if known.id == "trig.vulnerability" else "roll back")
    assert _number(f"> {written['trig.errors'].above}") == 0.05
    assert _number(f"> {written['trig.latency'].above}") == 2.0


def test_five_do_the_work_and_five_others_sign() -> None:
    roles = {role.id: role for role in PLAN.roles}
    assert list(roles)[:5] == ["lead", "devops", "backend", "security", "qa"]
    assert {name for name, role in roles.items() if role.signs} == {
        line.sign for line in CHECKS.values() if line.sign
    }
    assert len(roles) == 10
    assert {name for name, role in roles.items() if role.decides} == {"lead", "cto"}
    assert not any(role.person or role.phone or role.email or role.simulated for role in roles.values())
    assert all(role.duty for role in roles.values())
    assert {line.owner for line in LINES.values()} <= set(roles)


def test_contacts_are_to_fill_and_vendors_mail_addresses_are_known() -> None:
    contacts = {contact.id: contact for contact in PLAN.contacts}
    assert {name: contact.email for name, contact in contacts.items()} == {
        "contact.hotline": "",
        "contact.aws": "",
        "contact.gcp": "",
        "contact.security": "",
        "contact.hashicorp": "support@hashicorp.com",
        "contact.mongodb": "support@mongodb.com",
        "contact.elastic": "support@elastic.co",
    }
    assert not any(contact.phone for contact in contacts.values())
    required = {name for name, contact in contacts.items() if contact.severity is Severity.REQUIRED}
    assert required == {"contact.hotline", "contact.security"}


def test_what_the_document_says_of_itself_and_of_its_decision() -> None:
    assert {fact.id: fact.value for fact in PLAN.document} == {
        "doc.updated": "",
        "doc.review": "Before each deployment",
        "doc.owner": "DevOps Team",
    }
    assert (PLAN.decision.id, PLAN.decision.valid) == ("decision", "15min")
    assert not PLAN.production


def test_traffic_moves_in_six_steps_of_five_minutes() -> None:
    ladder = PLAN.rollout.ladder
    assert [rung.weight for rung in ladder] == [1, 5, 10, 25, 50, 100]
    assert {rung.watch for rung in ladder} == {"5min"}
    assert [rung.requests for rung in ladder] == [50, 50, 50, 50, 500, 500]


def test_it_can_be_read_without_scrolling_sideways() -> None:
    assert [number for number, line in enumerate(TEXT.splitlines(), 1) if len(line) > 118] == []

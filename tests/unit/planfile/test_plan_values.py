"""What a plan expects must fit what is observed: problems with file, line and what to write instead."""

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Annotated

import pytest

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus import probes
from tminus.domain.evidence import Observation
from tminus.domain.value import ValueKind
from tminus.planfile import parse

SMALL, changed, line_of, problems = (
    small_plan.SMALL,
    small_plan.changed,
    small_plan.line_of,
    small_plan.problems,
)
OBSERVED = """\
    - id: site.up
      line: The site is up
      due: T-2h
      owner: devops
      probe: website.health
      with: {path: /health, digest: "${release}"}
      expect: empty
"""
SYSTEMS = "systems:\n  traffic: {kind: traffic, real: true, address: launch}\n"


def _with(probe: str, arguments: str, expect: str, more: str = "") -> str:
    """The small plan with a line that looks through another probe."""
    line = OBSERVED.replace("website.health", probe).replace('path: /health, digest: "${release}"', arguments)
    text = changed(OBSERVED, line.replace("expect: empty", f'expect: "{expect}"{more}'))
    control = "{spoil: 0.05}" if probe == "traffic.errors" else "{path: /no-such-page}"
    return text.replace("{path: /no-such-page}", control).replace("systems:\n", SYSTEMS)


@pytest.mark.parametrize(
    ("probe", "arguments", "expect", "instead"),
    [
        ("traffic.errors", "seconds: 15", "< 2 MB", "'< 1%'"),
        ("traffic.errors", "seconds: 15", "> 150%", "'< 1%'"),
        ("website.answer", "path: /", "< 99999", "'== 200'"),
        ("website.health", 'path: /, digest: "${release}"', "== 200", "'empty'"),
    ],
)
def test_an_expectation_of_another_kind_is_told_where_it_stands(
    probe: str, arguments: str, expect: str, instead: str
) -> None:
    text = _with(probe, arguments, expect)
    (problem,) = problems(text)
    assert problem.startswith(f"{line_of(text, 'expect: ')}: site.up: {expect!r} ")
    assert problem.endswith(instead)


def test_a_warning_is_judged_like_the_expectation() -> None:
    text = _with("traffic.errors", "seconds: 15", "< 1%", "\n      warn: <= 500 ms")
    (problem,) = problems(text)
    assert problem.startswith(f"{line_of(text, 'warn: ')}: site.up: '<= 500 ms' is no limit of a share")


def test_a_fitting_expectation_is_no_problem() -> None:
    assert problems(_with("traffic.errors", "seconds: 15", "< 1%", "\n      warn: <= 0.5%")) == []
    assert problems(_with("website.answer", "path: /", "== 200")) == []


def test_a_line_that_is_left_out_is_judged_where_its_probe_is_built() -> None:
    waiting = (
        "    lines:\n"
        "      - {id: a, line: A, section: S, due: T-2h, owner: qa, probe: website.answer, expect: == 99}\n"
        "      - {id: b, line: B, section: S, due: T-2h, owner: qa, probe: calendar.event, expect: == 99}\n"
    )
    (problem,) = problems(changed("    lines: [bk.vault]\n", waiting))
    assert problem.split(": ", 2)[1] == "a"


def test_a_control_that_looks_at_the_same_as_its_line_is_told() -> None:
    (problem,) = problems(changed("control: {path: /no-such-page}", "control: {path: /health}"))
    assert "site.up: this control looks at the same as the line itself" in problem


@pytest.mark.parametrize(
    ("argument", "told"), [("spoil: 5", "5 % is 0.05"), ("seconds: -1", "write 0 or more")]
)
def test_an_argument_outside_its_unit_is_told(argument: str, told: str) -> None:
    text = _with("traffic.errors", "seconds: 15", "< 1%").replace("{spoil: 0.05}", f"{{{argument}}}")
    (problem,) = problems(text)
    assert problem.startswith(f"{line_of(text, 'control: ')}: ")
    assert problem.endswith(told)


@pytest.mark.parametrize(
    ("block", "told"),
    [
        (
            "{id: fig.errors, text: Errors, claimed: 0.1%, expect: <= 120 ms}",
            "fig.errors: '<= 120 ms' is no limit",
        ),
        (
            "{id: fig.coverage, text: Coverage, claimed: 87%, expect: '>= 187%'}",
            "'>= 187%' cannot be the limit",
        ),
        ("{id: fig.open, text: Open, claimed: 0, expect: == -1}", "'== -1' is below zero"),
    ],
)
def test_a_figure_is_judged_by_what_it_measures(block: str, told: str) -> None:
    block = block.replace("claimed: 0,", 'claimed: "0",')
    found = problems(SMALL.replace("rollout:\n", f"figures:\n  - {block}\nrollout:\n", 1))
    assert any(told in problem for problem in found)


@pytest.mark.parametrize(
    ("above", "told"), [("2 s", "is no limit of a share"), ("500%", "cannot be the limit")]
)
def test_a_trigger_is_judged_by_what_it_measures(above: str, told: str) -> None:
    text = changed("above: 5%", f"above: {above}")
    (problem,) = problems(text)
    assert problem.startswith(f"{line_of(text, 'above: ')}: trig.errors: ")
    assert told in problem


@pytest.mark.parametrize("name", [name for system in probes.systems() for name in probes.names(system)])
def test_every_probe_of_tminus_declares_its_value_and_its_text_says_the_same(name: str) -> None:
    assert probes.value_of(name) is not None
    assert probes.value_of(name) is probes.find(name).value()


def _foreign(monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that brings the system `disk`: one probe that declares its value and one that does not."""

    async def used(_: object) -> Annotated[Observation, ValueKind.SHARE]:
        return Observation(0.5)

    async def odd(_: object) -> Observation:
        return Observation(0.5)

    module = ModuleType("foreign_disk")
    module.__dict__.update(used=probes.Probe(used), odd=probes.Probe(odd))
    monkeypatch.setitem(sys.modules, "foreign_disk", module)
    known = {**probes.systems(), "disk": "foreign_disk"}
    monkeypatch.setattr(probes, "systems", lambda: known)


@pytest.mark.parametrize(("probe", "judged"), [("disk.used", True), ("disk.odd", False)])
def test_a_probe_of_another_package_is_judged_when_it_declares_its_value(
    probe: str, *, judged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    _foreign(monkeypatch)
    text = _with(probe, "", "< 2 MB").replace("      control: {path: /no-such-page}\n", "")
    found = problems(text.replace("systems:\n", "systems:\n  disk: {kind: disk, real: true, address: /}\n"))
    assert any("is no limit of a share" in problem for problem in found) is judged
    assert len(found) == judged


COUNTED = ("traffic.baseline", "seconds: 15")
SHARED = ("traffic.errors", "seconds: 15")


@pytest.mark.parametrize(("probe", "expect"), [(COUNTED, ">= 0"), (SHARED, "<= 100%")])
def test_an_expectation_that_cannot_fail_is_told_unless_a_control_shows_that_it_can(
    probe: tuple[str, str], expect: str
) -> None:
    text = _with(*probe, expect)
    bare = "\n".join(line for line in text.split("\n") if "control:" not in line)
    assert any(f"'{expect}' cannot fail" in problem for problem in problems(bare))
    controlled = text.replace("{path: /no-such-page}", "{seconds: 1}")
    assert problems(controlled) == []


@pytest.mark.parametrize(
    ("probe", "expect"), [(COUNTED, ">= 1"), (COUNTED, "> 0"), (COUNTED, "!= 5"), (SHARED, "<= 99%")]
)
def test_an_expectation_that_can_fail_is_fine(probe: tuple[str, str], expect: str) -> None:
    text = _with(*probe, expect)
    assert problems("\n".join(line for line in text.split("\n") if "control:" not in line)) == []


class TestWordsOfEach:
    """What an attested line may ask of a person beside their word."""

    WORD = "- {id: team.ready, line: Team is ready, due: T+1h, owner: lead, attest: everybody answered"

    def text(self, more: str) -> str:
        before = self.WORD.replace("T+1h", "T-2h")
        text = small_plan.SMALL.replace(f"{before}}}", f"{self.WORD}, {more}}}")
        assert text != small_plan.SMALL
        return text.replace("of: [site.up, team.ready]", "of: [site.up]")

    def told(self, more: str) -> list[str]:
        text = self.text(more)
        return [problem.partition(": ")[2] for problem in small_plan.problems(text)]

    def test_they_are_read(self) -> None:
        plan, found = parse(self.text("each: [core, edge], shown: true, until: T+90min"))
        assert not found
        assert plan is not None
        check = plan.check("team.ready")
        assert (check.each, check.shown, check.until) == (("core", "edge"), True, 5400.0)

    def test_a_plan_without_them_keeps_its_digest(self) -> None:
        plan, _ = parse(self.text("fresh: launch"))
        spelled, _ = parse(self.text("each: [], shown: false"))
        assert plan is not None
        assert spelled is not None
        assert plan.digest == spelled.digest

    @pytest.mark.parametrize(
        ("more", "said"),
        [
            ("until: soon", "'soon' is no milestone"),
            ("until: T+1h", "team.ready: nobody could say it between T+1h and T+1h; write a later `until`"),
            ("each: [core, core]", "team.ready: 'core' stands twice under `each`; write it once"),
            ("severity: blocker, each: [core]", "team.ready: a blocker is said as a whole by two persons"),
        ],
    )
    def test_what_nobody_could_say_is_told(self, more: str, said: str) -> None:
        (only,) = self.told(more)
        assert only.startswith(said)

    @pytest.mark.parametrize("more", ["each: [core]", "shown: true", "until: T+1h"])
    def test_only_a_persons_line_has_them(self, more: str) -> None:
        text = small_plan.SMALL.replace("owner: qa, severity: blocker,", f"owner: qa, {more},")
        (only,) = small_plan.problems(text)
        assert f"only a line with `attest` has {more.partition(':')[0]}" in only


ALERT = (
    "    - {id: mem.alert, line: Memory, due: T-2h, owner: devops, probe: prometheus.alert, expect: empty,\n"
)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            'measure: memory, above: "85"',
            "'> 85' is no limit of a share, and that is what is observed; write '> 85%'",
        ),
        ('measure: connections, above: "0.8"', "'> 0.8' is no limit of a share"),
        ('measure: disk, above: "80"', "'> 80' is no limit of a share"),
        ('measure: cache hits, below: "90"', "'< 90' is no limit of a share"),
        (
            "measure: memory, above: ninety",
            "'ninety' is no limit of memory; write for example above: \"85%\"",
        ),
        ('measure: queue, above: "1k"', "'1k' is no limit of queue; write for example above: \"1000\""),
        (
            "measure: memory, above: 85%, below: 10%",
            "the alert on memory has two limits, `above` and `below`",
        ),
        ("measure: memory", "the alert on memory has no limit"),
    ],
)
def test_an_alert_that_could_never_fire_is_told(arguments: str, said: str) -> None:
    systems = 'systems:\n  prometheus: {kind: prometheus, real: true, address: "env:METRICS"}\n'
    text = changed("systems:\n", systems)
    whole = f"{ALERT}       hint: look, with: {{{arguments}}}}}\n"
    (only,) = problems(text.replace("  Launch:\n", f"{whole}  Launch:\n", 1))
    assert only.partition(": mem.alert: ")[2].startswith(said)

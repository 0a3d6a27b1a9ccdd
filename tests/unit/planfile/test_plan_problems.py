"""Everything that can be wrong with a plan that is YAML: all of it is told at once, in plain words, with its line."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.errors import PlanError
from tminus.planfile import loaded, parse, read

SMALL, changed, line_of, problems = (
    small_plan.SMALL,
    small_plan.changed,
    small_plan.line_of,
    small_plan.problems,
)
RAW = (
    "Input should",
    "Extra inputs",
    "Field required",
    "pydantic",
    "ValidationError",
    "type=",
    "validation error",
)
FIGURE = "figures:\n  - {id: fig.errors, text: Errors, claimed: 0.1%, expect: <= 0.1%}\nrollout:"
ALERT = """\
omitted:
  - reason: no alerts here
    system: prometheus
    lines:
      - id: alert.crit.err
        line: Error rate >1%
        section: Alerts
        due: T-2h
        owner: devops
        probe: prometheus.alert
        with: {measure: errors, above: "1%"}
        expect: empty
"""
SUCCESS = """\
    - id: ok.err
      line: Error rate <1%
      due: T+1h
      owner: devops
      probe: traffic.errors
      with: {seconds: 60}
      expect: < 1%
      warn: < 0.5%
      control: {spoil: 0.5}
"""
WITH_LADDER = (
    SMALL.replace("rollout:", FIGURE)
    .replace("omitted:\n", ALERT)
    .replace("  Launch:\n", f"  After:\n{SUCCESS}  Launch:\n")
    .replace("systems:\n", "systems:\n  traffic: {kind: traffic, address: this launch}\n")
)


def test_a_plan_with_a_whole_ladder_reads() -> None:
    assert problems(WITH_LADDER) == []


@pytest.mark.parametrize(
    ("old", "new", "at", "told"),
    [
        (
            "expect: <= 0.1%}",
            "expect: <= 0.5%}",
            "warn:",
            "'< 0.5%' stands as a warning and '<= 0.5%' of fig.errors",
        ),
        (
            'above: "1%"',
            'above: "2%"',
            'above: "2%"',
            "'2%' is another limit of error rate than '< 1%' of ok.err",
        ),
        ("warn: < 0.5%", "warn: < 1%", "warn:", "`warn: < 1%` never warns before '< 1%' fails"),
        ("warn: < 0.5%", "warn: < 2%", "warn:", "never warns"),
        ("above: 5%,", "above: 1%,", "trig.errors", "trig.errors: '1%' stands as the rollback"),
        (
            "above: 5%,",
            "above: 0.4%,",
            "trig.errors",
            "load result < warning < critical = success < rollback",
        ),
    ],
)
def test_thresholds_that_contradict_one_another_are_told(old: str, new: str, at: str, told: str) -> None:
    assert WITH_LADDER.count(old) == 1
    text = WITH_LADDER.replace(old, new)
    found = problems(text)
    assert any(problem.startswith(f"{line_of(text, at)}: ") and told in problem for problem in found), found


def test_shape_meaning_and_secrets_are_told_in_one_run() -> None:
    text = (
        SMALL.replace("hint: look at its log", "hnt: look at its log")
        .replace("requests: 100}", "requests: many}")
        .replace("expect: empty", "expect: nothing much")
        .replace("owner: lead, attest", "owner: leed, attest")
        .replace("[T-2h, T-0, T+1h]", "[T-2h, T+1h]")
        .replace('address: "env:SITE"}\n  depot', 'address: "https://me:pass@site"}\n  depot')
        .replace("plan: a small one", "plan: a small one\nplan: another")
    )
    found = problems(text)
    for told in (
        "`hnt` is no key here; did you mean 'hint'?",
        "`requests` is no whole number",
        "'nothing much' is no expectation",
        "no role 'leed' in this plan; did you mean 'lead'?",
        "T-0 is missing",
        "`address` holds an address with a login",
        "duplicate key `plan`, first on line 1",
    ):
        assert sum(told in problem for problem in found) == 1, (told, found)
    numbers = [int(problem.partition(":")[0]) for problem in found]
    assert numbers == sorted(numbers)
    assert not any("me:pass" in problem for problem in found), "a secret is not told again"


@pytest.mark.parametrize(
    "text",
    [
        "plan: 5\n",
        "plan: a\nproduction: maybe\nroles: {}\nchecks: []\n",
        "systems: [a]\nrelease: depot\nmilestones: T-0\n",
        "omitted: [5, {reason: '', lines: [{id: 5}, 7]}]\ntriggers: [x]\n",
        "decision: x\nsource: y\nwaivers: [z]\nfigures: {a: b}\n",
        "checks: {A: [5, {id: x}], B: 7}\n",
    ],
)
def test_no_problem_is_told_in_the_words_of_a_library(text: str) -> None:
    found = problems(text)
    assert found
    assert not any(words in problem for problem in found for words in RAW), found
    assert all("; " in problem for problem in found), "each says what to write instead"


def test_what_stands_in_a_broken_entry_is_not_judged_twice_and_its_name_stays_known() -> None:
    text = changed("line: The site is up", "lime: The site is up").replace("expect: empty", "expect: what")
    found = problems(text)
    assert [problem.partition(": ")[2] for problem in found] == [
        "site.up: `line` is missing; write `line: …`",
        "site.up: `lime` is no key here; did you mean 'line'?",
    ]


def test_a_block_of_a_wrong_shape_does_not_make_its_users_wrong() -> None:
    text = SMALL.replace("milestones: [T-2h, T-0, T+1h]", "milestones: T-2h")
    found = problems(text)
    assert len(found) == 1
    assert "`milestones` is no list" in found[0]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "of: [site.up, team.ready]",
            "of: [site.up, bk.vault]",
            "'bk.vault' is omitted, so this line could never be green",
        ),
        (
            "of: [site.up, team.ready]",
            "of: [site.upp]",
            "'site.upp' is no line of this plan; did you mean 'site.up'?",
        ),
        ("of: [site.up, team.ready]", "of: [all.ready]", "made of itself: all.ready → all.ready"),
        (
            "attest: everybody answered",
            "of: [all.ready]",
            "made of itself: team.ready → all.ready → team.ready",
        ),
    ],
)
def test_roll_ups_that_could_never_be_green_are_told(old: str, new: str, told: str) -> None:
    assert any(told in problem for problem in problems(changed(old, new)))


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ("figures: [{id: site.up, text: x, claimed: y}]\n", "site.up: this id stands twice"),
        ("contacts: [{id: a, title: x}, {id: a, title: y}]\n", "a: this id stands twice"),
        ("document: [{id: trig.errors, text: x}]\n", "trig.errors: this id stands twice"),
        ("figures: [{id: decision, text: x, claimed: y}]\n", "decision: this id stands twice"),
        ("contacts: [{id: role.lead, title: x}]\n", "role.lead: this id stands twice"),
    ],
)
def test_an_id_stands_once_in_the_whole_plan(block: str, told: str) -> None:
    assert any(told in problem for problem in problems(block + SMALL))


def test_two_roles_of_one_name_are_told() -> None:
    assert any(
        "role.qa: this id stands twice" in problem for problem in problems(changed("id: devops,", "id: qa,"))
    )


WAIVER = (
    "waivers:\n  - {check: team.ready, because: b, risk: r, compensating: c, requested_by: Ann, approved_by: Bob,"
    ' until: "2026-06-01T12:00:00+02:00"}\n'
)


def waived(old: str = "", new: str = "", now: float | None = None) -> list[str]:
    return [
        problem.sentence for problem in loaded(WAIVER.replace(old, new) + SMALL, Path("p"), now=now).problems
    ]


def test_a_waiver_counts_until_its_time() -> None:
    ends = 1780308000.0  # 2026-06-01T10:00:00Z
    assert waived() == waived(now=ends - 1) == []
    assert waived(now=ends) == [
        "this waiver ran out at 2026-06-01T12:00:00+02:00; ask for another, or take it out"
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("check: team.ready", "check: team.redy", "did you mean 'team.ready'?"),
        ("check: team.ready", "check: bk.vault", "bk.vault is omitted, not waived"),
        ("check: team.ready", "check: t0.smoke", "t0.smoke is a blocker; nobody may waive it"),
        ("approved_by: Bob", "approved_by: ann", "ann approves a waiver of their own"),
        ("12:00:00+02:00", "12:00:00", "has no zone; write for example"),
        ("2026-06-01T12:00:00+02:00", "soon", "'soon' is no time"),
    ],
)
def test_a_waiver_that_nobody_could_honour_is_told(old: str, new: str, told: str) -> None:
    assert any(told in problem for problem in waived(old, new))


@pytest.mark.parametrize(
    ("place", "value", "kind"),
    [
        ("address", "https://user:secret@host/x", "an address with a login"),
        ("address", "https://:secret@host/x", "an address with a login"),
        ("address", "redis://:secret@host:6379/0", "an address with a login"),
        ("address", "postgres://me@host/x", "an address with a login"),
        ("hint", "AKIAIOSFODNN7EXAMPLE", "an AWS key"),
        ("hint", "use ghp_0123456789abcdefABCD", "a GitHub token"),
        ("hint", "glpat-0123456789abcdefABCD", "a GitLab token"),
        ("hint", "xoxb-0123456789-abcdef", "a Slack token"),
        ("hint", "-----BEGIN OPENSSH PRIVATE KEY-----", "a private key"),
        ("with", "{path: /health, digest: x, password: hunter2}", "a secret as it is"),
        ("with", "{path: /health, digest: x, api_key: hunter2}", "a secret as it is"),
    ],
)
def test_a_secret_in_the_plan_is_told_and_never_repeated(place: str, value: str, kind: str) -> None:
    quoted = value if value.startswith("{") else f'"{value}"'
    text = {
        "address": SMALL.replace('"env:SITE"', quoted, 1),
        "hint": changed("hint: look at its log", f"hint: {quoted}"),
        "with": changed('with: {path: /health, digest: "${release}"}', f"with: {quoted}"),
    }[place]
    found = problems(text)
    assert any(kind in problem and "write a reference" in problem for problem in found), found
    assert not any(
        "hunter2" in problem or "user:secret" in problem or "ODNN7" in problem for problem in found
    )


@pytest.mark.parametrize(
    "value", ["env:TOKEN", "file:/run/token", "vault:kv/app#token", "${token}", "TBD", '""']
)
def test_a_reference_is_no_secret(value: str) -> None:
    text = changed(
        'digest: "${release}"}',
        f'digest: "${{release}}", token: {value if value == chr(34) * 2 else repr(value)}}}',
    )
    assert not any("secret" in problem for problem in problems(text))


@pytest.mark.parametrize(
    "argument", ["password: wrong", "token: ghp_0123456789abcdefABCD", 'url: "https://a:b@c"']
)
def test_a_wrong_secret_of_a_negative_control_is_none(argument: str) -> None:
    text = changed("control: {path: /no-such-page}", f"control: {{path: /no-such-page, {argument}}}")
    assert not any("write a reference" in problem for problem in problems(text))


def test_arguments_are_told_with_their_own_lines() -> None:
    text = changed(
        'with: {path: /health, digest: "${release}"}',
        'with:\n        path: /health\n        digest: "${release}"\n        times: many',
    )
    (found,) = problems(text)
    assert (
        found
        == f"{line_of(text, 'times: many')}: site.up: the argument 'times' is 'many'; write a whole number"
    )


def test_a_key_without_a_value_counts_as_not_given() -> None:
    plan, found = parse(changed("hint: look at its log", "hint:"))
    assert found == []
    assert plan is not None
    assert plan.check("site.up").hint == ""


def test_very_many_problems_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text("\n".join(f"key{number}: 1" for number in range(900)), encoding="utf-8")
    with pytest.raises(PlanError) as error:
        read(path)
    lines = str(error.value).splitlines()
    assert len(lines) == 202
    assert lines[-1].startswith("  and 7")

"""Plans as files: the demo's own, and everything that can be wrong with one."""

from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.domain.canonical import JsonValue
from tminus.domain.plan import Kind, Severity
from tminus.errors import PlanError
from tminus.planfile import MAX_BYTES, bound, freshness, parse, read

SMALL, changed, line_of, problems = (
    small_plan.SMALL,
    small_plan.changed,
    small_plan.line_of,
    small_plan.problems,
)

THE_109 = """
alert.crit alert.crit.dbconn alert.crit.disk alert.crit.down alert.crit.err alert.crit.mem
alert.crit.p95 alert.warn alert.warn.cache alert.warn.err alert.warn.p95 alert.warn.queue
bk.config bk.db bk.redis bk.restore bk.vault
cfg.configmaps cfg.cors cfg.env cfg.flags cfg.ratelimit cfg.secrets
comm.bridge comm.slack comm.statuspage comm.videolink comm.warroom
dash.app dash.biz dash.infra dash.sec
notify.apipartners notify.cs notify.email notify.exec notify.integrations notify.maint
notify.marketing notify.statuspage notify.support notify.thirdparty notify.window
ok.auth ok.dash ok.err ok.health ok.integrations ok.logs ok.migrations ok.noalerts ok.p95 ok.search
ok.services ok.upload
oncall.escalation oncall.playbook oncall.primary oncall.schedule oncall.secondary
rb.authority rb.criteria rb.dbscripts rb.images rb.procedure rb.tested
route.all route.email route.pd route.slack route.sms
sign.cto sign.devops sign.eng sign.qa sign.sec
t0.bg t0.green t0.migrate t0.shift t0.smoke
t1.alerts t1.all t1.blue t1.dash
t2.backup t2.baseline t2.maint
t24.brief t24.freeze t24.notify t24.tests
t24p.docs t24p.lessons t24p.review
t4.available t4.meeting t4.review t4.warroom
t4p.blueoff t4p.err t4p.feedback t4p.perf
test.drift test.e2e test.integration test.load test.security test.smoke
"""
CHECKLIST = THE_109.split()


def test_the_demo_s_plan_reads() -> None:
    plan = read(Path(str(files("tminus.demo") / "demo.yaml")))
    assert plan.name == "depot on one machine"
    assert not plan.production
    assert {role.id for role in plan.roles if role.signs} == {
        "devops",
        "engineering",
        "security",
        "qa",
        "cto",
    }
    assert [role.id for role in plan.roles if role.decides] == ["lead"]
    assert [rung.percent for rung in plan.rollout.ladder][-1] == 100
    assert len(plan.triggers) == 5


def test_the_demo_s_lines_and_those_it_omits_are_the_whole_checklist() -> None:
    plan = read(Path(str(files("tminus.demo") / "demo.yaml")))
    omitted = [line for omission in plan.omitted for line in omission.lines]
    assert len(CHECKLIST) == len(set(CHECKLIST)) == 109
    assert sorted([check.id for check in plan.checks] + omitted) == sorted(CHECKLIST)
    assert plan.total == 109
    assert all(omission.reason for omission in plan.omitted)


def test_every_probed_line_of_the_demo_says_what_to_do() -> None:
    plan = read(Path(str(files("tminus.demo") / "demo.yaml")))
    assert [check.id for check in plan.checks if check.kind is Kind.PROBE and not check.hint] == []


def test_a_small_plan_reads() -> None:
    plan, found = parse(SMALL)
    assert found == []
    assert plan is not None
    up = plan.check("site.up")
    assert (up.kind, up.due, up.severity, up.fresh.seconds) == (Kind.PROBE, -7200.0, Severity.REQUIRED, 900.0)
    assert (up.arguments, up.control) == (
        {"path": "/health", "digest": "${release}"},
        {"path": "/no-such-page"},
    )
    assert plan.check("all.ready").of == ("site.up", "team.ready")
    assert plan.check("team.ready").note == "everybody answered"
    assert (plan.milestones, plan.rollout.drain_seconds) == ((-7200.0, 0.0, 3600.0), 20.0)
    assert (plan.total, plan.left_out) == (6, 1)


@pytest.mark.parametrize(
    ("old", "new", "at", "told"),
    [
        (
            "line: The site is up",
            "lime: The site is up",
            "lime:",
            "`lime` is no key here; did you mean 'line'?",
        ),
        ("production: false\n", "", "plan:", "`production` is missing; write `production: …`"),
        (
            "production: false",
            "production: [1]",
            "production:",
            "`production` is neither true nor false; write true or false",
        ),
        ("requests: 100}", "requests: many}", "requests: many", "`requests` is no whole number"),
        ("weight: 10,", "weight: 0,", "weight: 0", "`weight` is 0; write 1 or more"),
        ("lines: [bk.vault]", "lines: []", "lines: []", "`lines` is empty; write at least one entry"),
        (
            "severity: blocker",
            "severity: deadly",
            "severity: deadly",
            "`severity` is 'deadly'; write one of blocker, required, advisory",
        ),
        ("website.health", "website.heath", "website.heath", "did you mean 'website.health'?"),
        ("probe: website.health", "probe: websight.health", "websight", "did you mean 'website'?"),
        (
            "with: {path: /health,",
            "with: {pth: /health,",
            "with:",
            "'pth' is no argument of this probe; did you mean 'path'?",
        ),
        ("path: /health,", "path: 7,", "with:", "the argument 'path' is 7; write text"),
        ("control: {path: /no-such-page}", "control: {paths: /x}", "control:", "'paths' is no argument"),
        ("expect: empty", "expect: nothing much", "expect:", "'nothing much' is no expectation"),
        ("      expect: empty\n", "", "site.up", "a probed line says what it expects"),
        ("fresh: live 15min", "fresh: warm", "fresh:", "'warm' is no freshness"),
        ("fresh: live 15min", "fresh: live", "fresh:", "'live' is no freshness"),
        ("fresh: live 15min", "fresh: live soon", "fresh:", "'soon' is no duration"),
        ("owner: lead, attest", "owner: boss, attest", "boss", "no role 'boss' in this plan"),
        ("sign: devops}", "sign: chef}", "chef", "no role 'chef' in this plan"),
        ("of: [site.up, team.ready]", "of: [site.down]", "site.down", "'site.down' is no line of this plan"),
        ("id: team.ready", "id: site.up", "id: site.up, line: Team", "this id stands twice"),
        (
            "lines: [bk.vault]",
            "lines: [site.up]",
            "lines: [site.up]",
            "site.up: this id stands twice",
        ),
        ("[T-2h, T-0, T+1h]", "[T-0, T-2h, T+1h]", "milestones:", "T-2h stands after a later milestone"),
        ("[T-2h, T-0, T+1h]", "[T-2h, T+1h]", "milestones:", "T-0 is missing"),
        ("[T-2h, T-0, T+1h]", "[T-2h, noon, T-0]", "milestones:", "'noon' is no milestone"),
        ("due: T-2h\n", "due: T-3h\n", "due: T-3h", "nobody looks at T-3h"),
        ("due: T-2h\n", "due: T-0\n", "due: T-0", "nobody looks at T-0"),
        ("due: T-2h\n", "due: soon\n", "due: soon", "'soon' is no milestone"),
        ("simulated: true, decides: true", "simulated: true", "roles:", "nobody decides GO or NO-GO"),
        (
            "person: Quentin Mbeki",
            "person: Dario Voss",
            "title: QA Lead",
            "Dario Voss signs as devops already",
        ),
        ("step: smoke", "step: smok", "step: smok", "'smok' is no step; did you mean 'smoke'?"),
        ("attest: everybody", "step: smoke, attest: everybody", "team.ready", "write exactly one of"),
        (", attest: everybody answered", "", "team.ready", "write exactly one of"),
        ("  depot: {kind: depot", "  doc: {kind: doc", "", ""),
        (
            "  website: {kind: website",
            "  site: {kind: website",
            "site.up",
            "the plan has no system 'website'",
        ),
        ("  website: {kind: website", "  website: {kind: depot", "site.up", "which is of kind 'depot'"),
        ("watch: 20s", "watch: 20 sec", "watch: 20 sec", "'20 sec' is no duration"),
        ("drain: 20s", "drain: long", "drain:", "'long' is no duration"),
        ("weight: 100,", "weight: 50,", "ladder:", "all traffic must move: end at 100"),
        ("weight: 10,", "weight: 100,", "watch: 12s", "a ladder goes up"),
        ("hold: 5min", "hold: 5 sec", "hold: 5 sec", "'5 sec' is no duration"),
    ],
)
def test_a_problem_is_told_with_its_line(old: str, new: str, at: str, told: str) -> None:
    text = changed(old, new)
    found = problems(text)
    if not told:  # a system that nothing observes is no problem
        assert found == []
        return
    right = f"{line_of(text, at)}: "
    assert any(problem.startswith(right) and told in problem for problem in found), (right, found)


def test_nobody_signs() -> None:
    assert any("nobody signs" in problem for problem in problems(SMALL.replace(", signs: true", "")))


def test_a_production_plan_leaves_nothing_out_and_has_real_people() -> None:
    found = problems(changed("production: false", "production: true"))
    assert sum("is simulated; a plan marked production needs a person" in problem for problem in found) == 3
    assert any("a plan marked production leaves no line out" in problem for problem in found)


def test_every_problem_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = SMALL.replace("expect: empty", "expect: much").replace("step: smoke", "step: smok")
    path = tmp_path / "plan.yaml"
    path.write_text(text.replace("[T-2h, T-0, T+1h]", "[T-2h, T+1h]").replace("drain: 20s", "drain: x"))
    with pytest.raises(PlanError) as error:
        read(path)
    lines = str(error.value).splitlines()[1:]
    numbers = [int(line.split(":")[1]) for line in lines]
    assert numbers == sorted(numbers)
    for told in ("T-0 is missing", "no expectation", "is no step", "no duration"):
        assert sum(told in line for line in lines) == 1, told
    assert all(line.startswith(f"  {path}:") for line in lines)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"plan: [", "no YAML"),
        (b"plan: x\nplan: y\n", "duplicate key"),
        (b"a: \xff\xfe", "is not UTF-8"),
        (b"- a\n- b\n", "a plan is a mapping"),
        (b"", "a plan is a mapping"),
        (b"plan: \x00", "no YAML"),
        (b"plan: a\n---\nplan: b\n", "no YAML"),
        (b"#" * (MAX_BYTES + 1), "is larger than"),
    ],
)
def test_what_is_no_plan_at_all_is_refused_with_the_file_s_name(
    content: bytes, told: str, tmp_path: Path
) -> None:
    path = tmp_path / "plan.yaml"
    path.write_bytes(content)
    with pytest.raises(PlanError, match=told) as error:
        read(path)
    assert str(path) in str(error.value)
    assert error.value.hint


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(PlanError, match="cannot be read"):
            read(path)


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "a: &a\n  again: *a\n",
        "a: &a {x: 1}\nb:\n  <<: *a\n",
    ],
)
def test_aliases_are_refused_before_they_are_followed(text: str) -> None:
    (problem,) = problems(text)
    assert "aliases are not read" in problem


def test_a_bomb_of_aliases_costs_nothing() -> None:
    levels = ["a0: &a0 [" + ", ".join(["boom"] * 10) + "]"]
    levels += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 10) + "]" for n in range(1, 30)]
    (problem,) = problems("\n".join(levels))
    assert problem.startswith("2: ")


def test_what_is_nested_too_deep_is_refused() -> None:
    text = "".join(f"{' ' * depth}a:\n" for depth in range(2000))
    assert problems(text) == [
        "41: no YAML that a plan can be: nested too deep to read; a plan has a few levels"
    ]


@pytest.mark.parametrize("value", [".nan", ".inf", "99999999999999999999", "1e400"])
def test_a_number_that_cannot_be_written_down_exactly_is_refused(value: str) -> None:
    text = changed("path: /health, digest", "path: /health, times: 1, digest")
    plan, found = parse(text.replace("times: 1,", f"times: {value},"))
    assert plan is None
    assert found


def digest_of(text: str) -> str:
    plan, found = parse(text)
    assert plan is not None, found
    return plan.digest


def test_comments_blanks_and_the_order_of_keys_do_not_change_the_digest() -> None:
    other = changed("production: false\n", "").replace(
        "plan: a small one\n", "# a note\n\nproduction: false\nplan: a small one\n"
    )
    other = other.replace("{kind: website, real: true,", "{real: true, kind: website,")
    other = other.replace('{path: /health, digest: "${release}"}', "{digest: '${release}', path: '/health'}")
    assert digest_of(other) == digest_of(SMALL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a small one", "a larger one"),
        ('env:SITE"}\n  depot', 'env:OTHER"}\n  depot'),
        ("components: [depot]", "components: [depot, other]"),
        ('real: true, address: "env:SITE"}\nroles', 'real: false, address: "env:SITE"}\nroles'),
        ("Lena Ortiz", "Lena Orti"),
        ("title: QA Lead", "title: QA"),
        ("[T-2h, T-0, T+1h]", "[T-2h, T-0, T+2h]"),
        ("The site is up", "The site is  up"),
        ("path: /health,", "path: /healthy,"),
        ("live 15min", "live 16min"),
        ("/no-such-page", "/no-such-pages"),
        ("look at its log", "look at the log"),
        ("everybody answered", "nobody answered"),
        ("of: [site.up, team.ready]", "of: [team.ready, site.up]"),
        ("severity: blocker", "severity: required"),
        ("no Vault", "no vault"),
        ("bk.vault", "bk.redis"),
        ("weight: 10,", "weight: 11,"),
        ("watch: 20s", "watch: 21s"),
        ("requests: 600", "requests: 601"),
        ("drain: 20s", "drain: 19s"),
        ("hold: 5min", "hold: 6min"),
        ("above: 5%", "above: 6%"),
        ("action: roll back", "action: hold"),
    ],
)
def test_any_value_changes_the_digest(old: str, new: str) -> None:
    assert digest_of(changed(old, new)) != digest_of(SMALL)


def test_what_a_launch_binds_takes_its_place() -> None:
    arguments: dict[str, JsonValue] = {"digest": "${release}", "path": "/health", "seconds": 5}
    assert bound(arguments, {"release": "sha256:x"}) == {
        "digest": "sha256:x",
        "path": "/health",
        "seconds": 5,
    }
    with pytest.raises(PlanError, match=r"\$\{releese\} stands for nothing") as error:
        bound({"digest": "${releese}"}, {"release": "x", "previous": "y"})
    assert error.value.hint == "names that are bound: previous, release"


@pytest.mark.parametrize("text", ["launch", "live 60s", "event T-2h..T-0"])
def test_freshness_is_read(text: str) -> None:
    assert freshness(text).kind == text.split(maxsplit=1)[0]


@given(st.text(max_size=200))
def test_any_text_is_a_plan_or_refused(text: str) -> None:
    plan, found = parse(text)
    assert (plan is None) == bool(found)

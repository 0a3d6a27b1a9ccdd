"""`extends`: a plan on top of another one, overridden by id, each problem at home in its own file."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit import small_plan
else:
    import small_plan

from tminus.domain.plan import Kind, Plan
from tminus.errors import PlanError
from tminus.planfile import Loaded, builtin, builtins, load, loaded
from tminus.planfile.document import OmittedLine

SMALL = small_plan.SMALL


def child(tmp_path: Path, text: str, base: str = SMALL) -> Loaded:
    (tmp_path / "base.yaml").write_text(base, encoding="utf-8")
    (tmp_path / "plan.yaml").write_text(f"plan: ours\nextends: base.yaml\n{text}", encoding="utf-8")
    return load(tmp_path / "plan.yaml")


def plan_of(tmp_path: Path, text: str, base: str = SMALL) -> Plan:
    return child(tmp_path, text, base).checked()


def test_a_plan_that_changes_nothing_is_its_base_under_another_name(tmp_path: Path) -> None:
    ours = plan_of(tmp_path, "")
    theirs = load(tmp_path / "base.yaml").checked()
    assert ours.name == "ours"
    assert (ours.checks, ours.omitted, ours.roles, ours.rollout) == (
        theirs.checks,
        theirs.omitted,
        theirs.roles,
        theirs.rollout,
    )


def test_the_digest_does_not_say_whether_a_value_came_from_a_base(tmp_path: Path) -> None:
    ours = plan_of(tmp_path, "")
    path = tmp_path / "whole.yaml"
    path.write_text(SMALL.replace("plan: a small one", "plan: ours"), encoding="utf-8")
    assert load(path).checked().digest == ours.digest


SOURCE = f"source: {{path: list.md, sha256: {'a' * 64}}}\n"


def digest_of(text: str) -> str:
    return loaded(text, Path("plan.yaml")).checked().digest


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("id: team.ready,", "id: team.ready, source_line: 7, checked: true, confidence: 0.5,"),
        ("text: ", "source_line: 9, text: "),
        ("list.md", "elsewhere/list.md"),
        ("plan: a small one", "$schema: plan.schema.json\nplan: a small one"),
        ("severity: blocker", "severity: blocker, hint: ''"),
    ],
)
def test_what_no_launch_acts_on_is_not_part_of_the_digest(old: str, new: str) -> None:
    text = SOURCE + SMALL
    assert text.count(old) == 1
    assert digest_of(text.replace(old, new)) == digest_of(text)


def test_the_checklist_s_own_bytes_are_part_of_the_digest() -> None:
    assert (
        digest_of(SOURCE.replace("a" * 64, "b" * 64) + SMALL) != digest_of(SOURCE + SMALL) != digest_of(SMALL)
    )


def test_arguments_of_probes_count_whatever_they_are_called() -> None:
    argument = "control: {path: /no-such-page}"
    one, other = (SMALL.replace(argument, f"control: {{path: {path}}}") for path in ("/a", "/b"))
    assert digest_of(one) != digest_of(other)


def test_keys_that_are_given_win_and_the_others_stay(tmp_path: Path) -> None:
    line = plan_of(
        tmp_path, "checks:\n  Readiness:\n    - {id: site.up, hint: ask Ann, with: {path: /live}}\n"
    ).check("site.up")
    assert (line.hint, line.text, line.section) == ("ask Ann", "The site is up", "Readiness")
    assert line.arguments == {"path": "/live", "digest": "${release}"}
    assert line.control == {"path": "/no-such-page"}


def test_a_line_keeps_its_place_and_new_ones_come_after(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        "checks:\n  Readiness:\n    - {id: new.line, line: New, due: T-2h, owner: qa, attest: yes}\n"
        "    - {id: team.ready, line: The team is ready}\n  Ours:\n    - {id: site.up, severity: blocker}\n",
    )
    assert [(check.section, check.id) for check in plan.checks] == [
        ("Readiness", "team.ready"),
        ("Readiness", "all.ready"),
        ("Readiness", "new.line"),
        ("Launch", "t0.smoke"),
        ("Launch", "sign.devops"),
        ("Ours", "site.up"),
    ]


def test_another_way_to_the_verdict_takes_the_old_way_out(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "checks:\n  Readiness:\n    - {id: site.up, attest: I looked}\n")
    line = plan.check("site.up")
    assert (line.kind, line.probe, line.expect, line.control) == (Kind.PERSON, "", None, None)
    other = plan_of(
        tmp_path,
        "checks:\n  Readiness:\n    - {id: site.up, probe: website.answer, with: {path: /}, expect: == 200}\n",
    )
    assert other.check("site.up").arguments == {"path": "/"}


def test_a_line_that_is_omitted_leaves_the_checks_and_is_still_known(tmp_path: Path) -> None:
    found = child(
        tmp_path,
        "checks:\n  Readiness:\n    - {id: all.ready, of: [team.ready]}\n"
        "omitted:\n  - {reason: no site, lines: [site.up]}\n",
    )
    plan = found.checked()
    assert [omission.lines for omission in plan.omitted] == [("site.up",), ("bk.vault",)]
    assert "site.up" not in {check.id for check in plan.checks}
    line = found.document.omitted[0].lines[0]
    assert isinstance(line, OmittedLine)
    assert (line.line, line.section, line.probe) == ("The site is up", "Readiness", "website.health")


def test_a_line_that_the_base_omits_moves_into_the_checks_with_what_the_base_says(tmp_path: Path) -> None:
    base = SMALL.replace(
        "    lines: [bk.vault]\n",
        "    lines:\n      - {id: bk.vault, line: Vault snapshot, section: Backup, due: T-2h, owner: qa, hint: h}\n",
    )
    plan = plan_of(tmp_path, "checks:\n  Backup:\n    - {id: bk.vault, attest: taken}\n", base)
    assert plan.omitted == ()
    line = plan.check("bk.vault")
    assert (line.text, line.owner, line.section, line.note) == ("Vault snapshot", "qa", "Backup", "taken")


def test_people_systems_and_the_rest_are_overridden_by_id_or_key(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path,
        "roles:\n  - {id: qa, person: Ann}\n  - {id: dba, title: DBA, person: Dan}\n"
        "systems:\n  website: {address: 'env:OURS'}\n"
        "rollout: {drain: 5s}\ntriggers: [{id: trig.errors, hold: 1min}]\nmilestones: [T-2h, T-0, T+1h, T+2h]\n",
    )
    assert [(role.id, role.person) for role in plan.roles] == [
        ("lead", "Lena Ortiz"),
        ("devops", "Dario Voss"),
        ("qa", "Ann"),
        ("dba", "Dan"),
    ]
    assert plan.systems["website"] == {"kind": "website", "address": "env:OURS", "real": True}
    assert (plan.rollout.drain_seconds, len(plan.rollout.ladder)) == (5.0, 2)
    assert (plan.triggers[0]["hold"], plan.triggers[0]["above"]) == ("1min", "5%")
    assert plan.milestones[-1] == 7200.0


def test_a_ladder_is_replaced_whole(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "rollout: {ladder: [{weight: 100, watch: 1s, requests: 1}]}\n")
    assert [rung.percent for rung in plan.rollout.ladder] == [100]


def test_a_problem_names_the_file_in_which_it_stands(tmp_path: Path) -> None:
    found = child(
        tmp_path,
        "checks:\n  Readiness:\n    - {id: site.up, expect: much}\n",
        SMALL.replace("drain: 20s", "drain: long"),
    )
    assert [(Path(problem.file).name, problem.line) for problem in found.problems] == [
        ("plan.yaml", 5),
        ("base.yaml", small_plan.line_of(SMALL, "drain:")),
    ]


def test_a_line_that_stands_twice_in_one_file_is_told(tmp_path: Path) -> None:
    text = "checks:\n  Readiness:\n    - {id: site.up, hint: a}\n    - {id: site.up, hint: b}\n"
    found = child(tmp_path, text)
    assert any("site.up: this id stands twice" in problem.what for problem in found.problems)


def test_an_entry_that_the_base_does_not_have_must_be_whole(tmp_path: Path) -> None:
    found = child(tmp_path, "roles: [{id: dba, person: Dan}]\n")
    assert [problem.sentence for problem in found.problems] == ["dba: `title` is missing; write `title: …`"]


@pytest.mark.parametrize(
    ("extends", "told"),
    [
        ("prodution", "there is no built-in plan 'prodution'; did you mean 'production'?"),
        ("nowhere.yaml", "cannot be read: No such file or directory"),
        ("plan.yaml", "this plan extends itself: plan.yaml → plan.yaml"),
        ("broken.yaml", "no YAML"),
        ("list.yaml", "this is a list"),
        ("circle.yaml", "extends itself: plan.yaml → circle.yaml → plan.yaml"),
    ],
)
def test_a_base_that_cannot_be_read_is_told(extends: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [", encoding="utf-8")
    (tmp_path / "list.yaml").write_text("- a", encoding="utf-8")
    (tmp_path / "circle.yaml").write_text("plan: c\nextends: plan.yaml\n", encoding="utf-8")
    path = tmp_path / "plan.yaml"
    path.write_text(f"plan: ours\nextends: {extends}\n", encoding="utf-8")
    (problem,) = load(path).problems
    assert told in problem.sentence


def test_a_base_of_a_base_counts(tmp_path: Path) -> None:
    (tmp_path / "middle.yaml").write_text(
        "plan: m\nextends: base.yaml\nproduction: false\n", encoding="utf-8"
    )
    found = child(tmp_path, "")
    (tmp_path / "plan.yaml").write_text("plan: ours\nextends: middle.yaml\n", encoding="utf-8")
    assert load(tmp_path / "plan.yaml").checked().digest == found.checked().digest


def test_a_base_in_another_folder_is_named_from_the_plan_s_own_and_keeps_its_checklist(
    tmp_path: Path,
) -> None:
    source = f"source: {{path: list.md, sha256: {'a' * 64}}}\n"
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "base.yaml").write_text(source + SMALL, encoding="utf-8")
    path = tmp_path / "plan.yaml"
    path.write_text("plan: ours\nextends: shared/base.yaml\n", encoding="utf-8")
    found = load(path)
    assert found.document.source is not None
    assert found.document.source.path == str(tmp_path / "shared" / "list.md")


def test_every_built_in_plan_can_be_extended_by_name(tmp_path: Path) -> None:
    assert "production" in builtins()
    for name in builtins():
        assert load(name).problems == ()
        assert builtin(name).startswith("#")
        path = tmp_path / f"{name}.yaml"
        path.write_text(f"plan: ours\nextends: {name}\n", encoding="utf-8")
        assert load(path).checked().total == load(name).checked().total


def test_an_unknown_built_in_plan_is_refused() -> None:
    with pytest.raises(PlanError, match="did you mean 'production'"):
        builtin("produktion")


@pytest.mark.parametrize(
    "text",
    [
        "omitted: [{reason: nobody looks, lines: [t1.dash]}]\n",
        "checks: {T+1 Hour: [{id: t1.dash, not_applicable: there is no dashboard}]}\n",
        "checks: {T+1 Hour: [{id: t1.dash, probe: grafana.dashboard, expect: empty, hint: look}]}\n",
        "checks: {T+1 Hour: [{id: t1.dash, attest: I have looked at all of them.}]}\n",
        "checks: {T+1 Hour: [{id: t1.dash, severity: blocker, each: [], until: ''}]}\n",
    ],
)
def test_what_the_built_in_plan_asks_of_people_is_overridden_with_the_rest(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(f"plan: ours\nextends: production\n{text}", encoding="utf-8")
    assert load(path).problems == ()


def test_a_blocker_of_what_is_said_one_by_one_is_told_with_what_to_write(tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    text = "plan: ours\nextends: production\nchecks: {T+1 Hour: [{id: t1.dash, severity: blocker}]}\n"
    path.write_text(text, encoding="utf-8")
    told = [problem.sentence for problem in load(path).problems]
    assert [sentence.rpartition("; ")[2] for sentence in told] == ["write `each: []`", "write `until: ''`"]


def test_an_argument_that_is_misspelled_is_told_where_it_stands(tmp_path: Path) -> None:
    text = 'checks:\n  Alerts:\n    - {id: alert.warn.queue,\n       with: {measure: queue, abov: "1000"}}\n'
    (tmp_path / "plan.yaml").write_text(f"plan: ours\nextends: production\n{text}", encoding="utf-8")
    (only,) = load(tmp_path / "plan.yaml").problems
    assert (only.file, only.line) == (str(tmp_path / "plan.yaml"), 6)
    assert only.sentence == "alert.warn.queue: 'abov' is no argument of this probe; did you mean 'above'?"


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (
            "checks:\n  Readiness:\n    - {id: site.upp, severity: advisory}\n",
            (
                "site.upp: the plan that is extended has no such entry; did you mean 'site.up'? A new one needs "
                "`line`, `due`, `owner`"
            ),
        ),
        (
            "roles:\n  - {id: devopss, person: A B}\n",
            "devopss: the plan that is extended has no such entry; did you mean 'devops'? A new one needs `title`",
        ),
    ],
)
def test_an_id_that_is_misspelled_is_no_new_entry(tmp_path: Path, block: str, said: str) -> None:
    (only,) = child(tmp_path, block).problems
    assert only.sentence == said
    assert only.file == str(tmp_path / "plan.yaml")


def test_a_new_entry_that_is_like_no_other_is_told_what_it_lacks(tmp_path: Path) -> None:
    found = child(tmp_path, "checks:\n  Readiness:\n    - {id: zzz, severity: advisory}\n").problems
    assert [one.what for one in found] == [f"zzz: `{key}` is missing" for key in ("due", "line", "owner")]

"""Lines of other checklists, in other words: found where they are meant, left alone where they are not."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tminus.matching import BAR, Known, Match, Matcher, Words, assign

if TYPE_CHECKING:
    from tests.unit.matching.matching_world import IDS, matcher, meant, seed_lines
else:
    from matching_world import IDS, matcher, meant, seed_lines

SAID_OTHERWISE = [
    ("bk.db", ("DB backup completed",)),
    ("bk.db", ("Take a snapshot of the database",)),
    ("rb.procedure", ("Rollback plan documented",)),
    ("ok.health", ("Health endpoint responds 200",)),
    ("ok.health", ("/health returns 200",)),
    ("notify.statuspage", ("Status page updated",)),
    ("ok.err", ("Error rate below 1 %",)),
    ("ok.p95", ("p95 latency < 500 ms",)),
    ("ok.p95", ("95th percentile latency below 500ms",)),
    ("cfg.secrets", ("Secrets stored in Vault",)),
    ("cfg.cors", ("CORS configured",)),
    ("oncall.primary", ("On-call engineer assigned",)),
    ("cfg.flags", ("Feature flags set",)),
    ("cfg.ratelimit", ("Rate limiting enabled",)),
    ("cfg.env", ("Env vars verified",)),
    (
        "route.pd",
        (
            "PagerDuty integration configured",
            "Alerting",
        ),
    ),
    ("test.drift", ("Staging mirrors production",)),
    ("test.smoke", ("Smoke tests pass on staging",)),
    ("t24.tests", ("All tests green",)),
    ("comm.warroom", ("War room scheduled",)),
    ("t24.notify", ("Stakeholders notified",)),
    ("notify.support", ("Support team notified",)),
    ("notify.exec", ("Executives informed",)),
    ("rb.images", ("Previous Docker images available",)),
    ("rb.tested", ("Rollback tested in staging environment",)),
    ("bk.restore", ("Restore of the backup tested",)),
    ("bk.restore", ("Backup restoration tested successfully",)),
    ("t24.freeze", ("Code freeze in effect",)),
    ("bk.redis", ("Redis backup taken",)),
    ("bk.vault", ("Vault backup completed",)),
    ("bk.config", ("Config backed up",)),
    ("t2.maint", ("Maintenance mode enabled",)),
    ("t2.baseline", ("Baseline metrics captured",)),
    (
        "t0.migrate",
        (
            "Migrations applied",
            "T-0",
        ),
    ),
    (
        "t0.migrate",
        (
            "Run database migrations",
            "Deployment",
        ),
    ),
    ("t0.shift", ("Traffic gradually shifted to green",)),
    ("t1.all", ("All traffic routed to green",)),
    ("t1.all", ("100% of traffic on green",)),
    ("t1.blue", ("Blue environment kept on standby",)),
    ("t4p.blueoff", ("Old environment decommissioned",)),
    (
        "t1.dash",
        (
            "Dashboards reviewed",
            "T+1 hour",
        ),
    ),
    (
        "t4p.err",
        (
            "Error rates within acceptable thresholds",
            "Validation",
        ),
    ),
    ("t4p.perf", ("Performance metrics within acceptable ranges",)),
    (
        "t24p.review",
        (
            "Post-mortem scheduled",
            "Post-deployment",
        ),
    ),
    ("t24p.lessons", ("Lessons learned documented",)),
    ("ok.services", ("All critical services up",)),
    ("ok.auth", ("Users can log in",)),
    ("ok.auth", ("Login works",)),
    ("ok.search", ("Search works",)),
    ("ok.upload", ("File upload works",)),
    ("ok.noalerts", ("No critical alerts",)),
    ("ok.dash", ("Dashboards display data",)),
    ("ok.logs", ("Logs visible in Kibana",)),
    (
        "ok.migrations",
        (
            "Database migrations completed successfully",
            "Success criteria",
        ),
    ),
    ("oncall.escalation", ("Escalation procedures documented",)),
    ("oncall.secondary", ("Backup on-call assigned",)),
    ("oncall.schedule", ("On-call rotation scheduled",)),
    ("rb.criteria", ("Rollback criteria defined",)),
    ("rb.authority", ("Rollback authority assigned",)),
    ("rb.dbscripts", ("Database rollback scripts ready",)),
    ("comm.videolink", ("Zoom link shared with team",)),
    ("comm.slack", ("Slack channel created",)),
    ("bk.db", ("Sauvegarde de la base de données effectuée",)),
    ("bk.db", ("Sauvegarde base de données",)),
    ("cfg.env", ("Variables d'environnement configurées",)),
    ("rb.procedure", ("Plan de rollback documenté",)),
    ("bk.db", ("Datenbank-Backup erstellt",)),
    ("rb.tested", ("Rollback getestet",)),
    ("cfg.env", ("Umgebungsvariablen geprüft",)),
    ("bk.db", ("Copia de seguridad de la base de datos realizada",)),
    ("bk.db", ("Backup do banco de dados realizado",)),
    ("cfg.env", ("Variáveis de ambiente configuradas",)),
    ("cfg.env", ("Variables de entorno verificadas",)),
    ("rb.procedure", ("Plan de reversión documentado",)),
    ("t0.migrate", ("Migraciones de base de datos aplicadas",)),
    ("cfg.cors", ("CORS configuré",)),
    ("cfg.cors", ("CORS configurado",)),
    ("cfg.flags", ("Feature Flags konfiguriert",)),
    ("notify.support", ("Equipo de soporte informado",)),
    ("t24.tests", ("Todos los tests pasando",)),
    ("t24.tests", ("Tous les tests passent",)),
    ("t24.tests", ("Alle Tests bestanden",)),
    ("bk.db", ("Databse backup taken",)),
    ("cfg.env", ("Enviroment variables verified",)),
    (
        "alert.crit.err",
        (
            "Error rate > 1%",
            "Alerts",
        ),
    ),
    (
        "alert.crit.err",
        (
            "Error rate > 2%",
            "Critical alerts",
        ),
    ),
    (
        "alert.crit.mem",
        (
            "Memory usage > 90%",
            "Alerts",
        ),
    ),
    (
        "sign.cto",
        (
            "CTO approval",
            "Sign-off",
        ),
    ),
    (
        "sign.qa",
        (
            "QA Lead: Testing complete and quality gates met",
            "Sign-off",
        ),
    ),
    (
        "t24p.docs",
        (
            "Documentation updated",
            "Post-deployment",
        ),
    ),
    (
        "cfg.cors",
        (
            "Configure CORS",
            "Production deployment",
        ),
    ),
    ("t4p.err", ("Error rate normal",)),
    (
        "t2.backup",
        (
            "Database backup taken",
            "T-2 Hours",
        ),
    ),
    (
        "bk.db",
        (
            "Database backup taken",
            "Backup Verification",
        ),
    ),
    ("notify.apipartners", ("API partners notified about breaking changes",)),
    ("notify.marketing", ("Marketing team informed",)),
    ("notify.window", ("Maintenance window announced",)),
    ("notify.window", ("Customers notified of maintenance window",)),
    ("notify.thirdparty", ("Third-party services verified",)),
    (
        "t0.smoke",
        (
            "Smoke tests passed",
            "Green environment",
        ),
    ),
    (
        "t0.green",
        (
            "Deploy new version to green",
            "Production deployment",
        ),
    ),
    ("t0.green", ("New version deployed",)),
    ("test.load", ("Load tests completed",)),
    ("test.e2e", ("End-to-end tests pass",)),
    ("test.security", ("Security scan completed with no critical issues",)),
    ("t24.tests", ("All tests passing (unit + integration)", "Go-live", "Build & Artifacts")),
]
"""An id, and the words with their headings."""

NOT_MEANT = [
    ("All tests passing", "Sprint 12"),
    ("Implement rate limiting",),
    ("Write tests for upload",),
    ("Document rollback procedure in the wiki",),
    ("Add CORS support",),
    ("Create database backup script",),
    ("Build search functionality",),
    ("Set up feature flag service",),
    ("Integrate Slack",),
    (
        "Slack integration",
        "Features",
    ),
    (
        "Email notifications",
        "Backend",
    ),
    ("Rate limiting",),
    ("Database backup not taken",),
    ("No database backup",),
    ("Database backup failed",),
    ("Fix login",),
    ("Search works on mobile with filters and sorting",),
    ("Upload progress bar works",),
    ("Stripe integration working",),
    ("Health check for worker queue added",),
    ("Automated backups configured",),
    (
        "Error rate >5% for 5 minutes",
        "Rollback triggers",
    ),
    (
        "Error rate <5%",
        "Load Tests",
    ),
    (
        "Error rate > 2%",
        "Alerts",
    ),
    ("Memory usage normal",),
    ("Unit tests passing",),
    ("Smoke tests executed in production",),
    (
        "CTO",
        "Team",
    ),
    (
        "Documentation updated",
        "Tasks",
    ),
    ("Rollback plan documented and tested",),
    ("Database restored from backup",),
    ("Add unit tests for search",),
    ("User authentication",),
    ("Implement user authentication",),
    ("Dashboards created",),
    (
        "Configure CORS",
        "Backend setup",
    ),
    ("Update documentation",),
    ("Alerts configured",),
    ("Database connection verified",),
    ("Database migrations tested",),
    ("Check database backup",),
    ("Load balancer health checks passing",),
    ("Feature flags disabled",),
    ("Create feature flag for new editor",),
    ("Secrets rotated",),
    ("No secrets in code",),
    ("Search API tests passing",),
    ("Login page works on mobile",),
    ("File upload validation working",),
    ("Team notified",),
    ("Rollback triggered",),
    ("If error rate > 5%, roll back",),
]


def seed_texts() -> list[tuple[str, ...]]:
    return [(line.text, *line.section) for line in seed_lines()]


def test_every_line_of_the_seed_is_itself() -> None:
    found = [match.id if match else "" for match in matcher().match(seed_lines())]
    assert found == IDS


def test_the_seed_is_known_by_its_meaning_where_the_plan_says_it_otherwise() -> None:
    plan = Matcher(Known(known_id, f"line {number}") for number, known_id in enumerate(IDS))
    found = [match.id if match else "" for match in plan.match(seed_lines())]
    assert found == IDS


@pytest.mark.parametrize(("known_id", "line"), SAID_OTHERWISE, ids=lambda value: "/".join(value)[:60])
def test_a_line_is_found_in_other_words(known_id: str, line: tuple[str, ...]) -> None:
    assert meant(*line) == known_id


@pytest.mark.parametrize("line", NOT_MEANT, ids=lambda value: "/".join(value)[:60])
def test_a_line_that_shares_words_is_left_to_a_person(line: tuple[str, ...]) -> None:
    assert meant(*line) == "none"


def test_the_same_words_are_surer_than_others() -> None:
    same, other = matcher().match([Words("Feature flags configured"), Words("Feature toggles set")])
    assert same
    assert other
    assert same == Match("cfg.flags", 1.0)
    assert BAR <= other.confidence < 1.0


def test_a_milestone_decides_between_two_backups() -> None:
    assert meant("Database backup taken", "Deployment", "T-2 Hours") == "t2.backup"
    assert meant("Database backup taken", "Backup Verification") == "bk.db"
    assert meant("Database backup taken", "Deployment", "T+4 Hours") == "none"


@pytest.mark.parametrize(
    ("text", "heading", "known_id"),
    [
        ("Error rate >1%", "Alerts", "alert.crit.err"),
        ("Error rate >0.5%", "Alerts", "alert.warn.err"),
        ("Error rate >3%", "Critical alerts", "alert.crit.err"),
        ("Error rate >3%", "Warning alerts", "alert.warn.err"),
        ("Error rate >3%", "Alerts", "none"),
        ("Error rate <1%", "Alerts", "none"),
        ("Error rate <1%", "Success Criteria", "ok.err"),
        ("Error rate <0.2%", "Success Criteria", "ok.err"),
        ("Error rate <0.2%", "Goals of the quarter", "none"),
        ("Error rate >5% for 5 minutes", "Rollback Triggers", "none"),
    ],
)
def test_direction_figure_and_heading_decide_what_a_limit_is(text: str, heading: str, known_id: str) -> None:
    assert meant(text, heading) == known_id


def test_a_role_signs_among_signatures_only() -> None:
    assert meant("Security Lead", "Final Sign-Off") == "sign.sec"
    assert meant("Security Lead", "Team") == "none"
    assert meant("Tests passing", "Final Sign-Off") == "none"


def test_an_order_to_make_something_counts_in_a_list_for_a_release_only() -> None:
    assert meant("Configure feature flags", "Production release") == "cfg.flags"
    assert meant("Configure feature flags", "Sprint 12") == "none"
    assert meant("Configure feature flags") == "none"
    assert meant("Define rollback criteria", "Production release") == "none"


def test_a_slip_of_the_keyboard_is_forgiven_and_a_contrary_is_not() -> None:
    assert meant("Escalation path documentd", "On-Call") == "oncall.escalation"
    assert meant("Primary on-call unassigned", "On-Call") == "none"
    assert meant("API health check returns 500 OK", "Success Criteria") == "none"


def test_a_line_of_a_teams_own_plan_is_known_by_its_text() -> None:
    own = Matcher([Known("own.cert", "TLS certificate valid for 30 days")])
    same, misspelt, other = own.match(
        [
            Words("TLS certificate valid for 30 days"),
            Words("TLS certifcate valid for 30 days"),
            Words("TLS certificate renewed"),
        ]
    )
    assert same == Match("own.cert", 1.0)
    assert misspelt
    assert misspelt.id == "own.cert"
    assert other is None


def test_two_lines_of_a_plan_in_the_same_words_are_not_chosen_between() -> None:
    own = Matcher([Known("own.one", "Printer warm"), Known("own.two", "Printer warm")])
    assert own.match([Words("Printer warm")]) == [None]


def test_each_line_of_the_plan_is_assigned_once_to_the_surest() -> None:
    surest = Match("bk.db", 0.96)
    given_twice = [Match("bk.db", 0.8), surest, None, Match("ok.err", 0.8), Match("ok.err", 0.8)]
    assert assign(given_twice) == [None, surest, None, Match("ok.err", 0.8), None]


@given(
    line=st.deferred(lambda: st.sampled_from([*seed_texts(), *(row[1] for row in SAID_OTHERWISE)])),
    dress=st.sampled_from(
        ["{}.", "{} !", "**{}**", "_{}_", "✅ {}", "{} 🎉", "1️⃣ {}", "`{}`;", "*{}*,", "{}…"]
    ),
    change=st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
)
@settings(deadline=None)
def test_dress_and_case_change_nothing(
    line: tuple[str, ...], dress: str, change: Callable[[str], str]
) -> None:
    text, *section = line
    assert meant(dress.format(change(text)), *section) == meant(text, *section)


@given(text=st.text(max_size=400), heading=st.text(max_size=60))
@settings(deadline=None)
def test_any_text_has_an_answer(text: str, heading: str) -> None:
    for match in matcher().match([Words(text, (heading,)), Words(text)]):
        assert match is None or (match.id in IDS and BAR <= match.confidence <= 1.0)


def test_a_long_text_is_no_line() -> None:
    assert meant("Database backup taken " * 50) == "none"

"""The seed's lines with the ids of the built-in plan, for tests of matching."""

import re
from functools import cache
from pathlib import Path

import pytest

from tminus.matching import Known, Matcher, Words

SEED = (Path(__file__).parents[4] / "shared" / "seed" / "production-deployment-checklist.md").resolve()

IDS = [
    "cfg.configmaps",
    "cfg.secrets",
    "cfg.env",
    "cfg.flags",
    "cfg.ratelimit",
    "cfg.cors",
    "dash.app",
    "dash.infra",
    "dash.sec",
    "dash.biz",
    "alert.crit",
    "alert.crit.down",
    "alert.crit.err",
    "alert.crit.p95",
    "alert.crit.dbconn",
    "alert.crit.mem",
    "alert.crit.disk",
    "alert.warn",
    "alert.warn.err",
    "alert.warn.p95",
    "alert.warn.cache",
    "alert.warn.queue",
    "route.all",
    "route.pd",
    "route.slack",
    "route.email",
    "route.sms",
    "test.drift",
    "test.smoke",
    "test.load",
    "test.integration",
    "test.e2e",
    "test.security",
    "comm.warroom",
    "comm.slack",
    "comm.videolink",
    "comm.bridge",
    "comm.statuspage",
    "oncall.schedule",
    "oncall.primary",
    "oncall.secondary",
    "oncall.escalation",
    "oncall.playbook",
    "notify.exec",
    "notify.cs",
    "notify.support",
    "notify.marketing",
    "notify.maint",
    "notify.window",
    "notify.statuspage",
    "notify.email",
    "notify.apipartners",
    "notify.integrations",
    "notify.thirdparty",
    "rb.images",
    "rb.dbscripts",
    "rb.procedure",
    "rb.tested",
    "rb.criteria",
    "rb.authority",
    "bk.db",
    "bk.restore",
    "bk.redis",
    "bk.config",
    "bk.vault",
    "t24.freeze",
    "t24.tests",
    "t24.notify",
    "t24.brief",
    "t4.meeting",
    "t4.review",
    "t4.available",
    "t4.warroom",
    "t2.maint",
    "t2.backup",
    "t2.baseline",
    "t0.bg",
    "t0.migrate",
    "t0.green",
    "t0.smoke",
    "t0.shift",
    "t1.all",
    "t1.blue",
    "t1.dash",
    "t1.alerts",
    "t4p.err",
    "t4p.perf",
    "t4p.feedback",
    "t4p.blueoff",
    "t24p.review",
    "t24p.docs",
    "t24p.lessons",
    "sign.devops",
    "sign.eng",
    "sign.sec",
    "sign.qa",
    "sign.cto",
    "ok.health",
    "ok.err",
    "ok.p95",
    "ok.services",
    "ok.migrations",
    "ok.auth",
    "ok.search",
    "ok.upload",
    "ok.integrations",
    "ok.noalerts",
    "ok.dash",
    "ok.logs",
]


@cache
def seed_lines() -> tuple[Words, ...]:
    """Every box of the seed; headings without what was decoded wrongly."""
    if not SEED.exists():
        pytest.skip(f"the seed is not there: {SEED}")
    headings: list[tuple[int, str]] = []
    lines = []
    for line in SEED.read_text(encoding="utf-8").splitlines():
        heading = re.match(r"(#+)\s+(.*)", line)
        box = re.match(r"\s*- \[ \] (.*)", line)
        if heading:
            level = len(heading[1])
            headings = [one for one in headings if one[0] < level]
            headings.append((level, re.sub(r"^[^\x00-\x7f]+\W*", "", heading[2])))
        elif box:
            lines.append(Words(box[1].replace("**", ""), tuple(text for _, text in headings)))
    return tuple(lines)


@cache
def matcher() -> Matcher:
    """One that knows the seed's own lines."""
    pairs = zip(IDS, seed_lines(), strict=True)
    return Matcher(Known(known_id, line.text, " / ".join(line.section)) for known_id, line in pairs)


def meant(text: str, *section: str) -> str:
    """The id that a line is given, or `none`."""
    match = matcher().match([Words(text, section)])[0]
    return match.id if match else "none"

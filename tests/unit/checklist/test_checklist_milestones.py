"""When lines are due, as headings and the lines themselves say."""

import pytest

from tminus.checklist import read
from tminus.checklist.milestones import of_heading, of_item

HOUR = 3600


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("T-24 Hours", -24),
        ("T-0 (Deployment Start)", 0),
        ("T+1 Hour (Post-Deployment)", 1),
        ("T\u22124h", -4),
        ("T minus 2 hours", -2),
        ("T-minus 30 min", -0.5),
        ("T-1 week", -168),
        ("Deployment (T+0 to T+30 minutes)", 0),
        ("Day -1", -24),
        ("Day 0", 0),
        ("D-1", -24),
        ("D+7: review", 168),
        ("J-7 : préparation", -168),
        ("H-2", -2),
        ("2 h before", -2),
        ("24 hours before deployment", -24),
        ("Pre-Flight Checklist (7 Days Before Go-Live)", -168),
        ("1 week prior", -168),
        ("One week before launch", -168),
        ("30 minutes after", 0.5),
        ("48h post-launch", 48),
        ("24 heures avant le déploiement", -24),
        ("1 h après la mise en production", 1),
        ("24 Stunden vor dem Go-Live", -24),
        ("Eine Woche vor Deployment", -168),
        ("30 Minuten nach dem Deployment", 0.5),
        ("2 días antes del despliegue", -48),
        ("1 hora después", 1),
        ("1 semana antes", -168),
        ("1 hora após a implantação", 1),
    ],
)
def test_a_heading_names_its_milestone(text: str, hours: float) -> None:
    assert of_heading(text) == hours * HOUR


@pytest.mark.parametrize(
    "text",
    [
        "Deployment Timeline",
        "24-48 Hours Post-Deployment",
        "1 to 2 hours before launch",
        "2 \u2013 4 Stunden vor dem Go-Live",
        "First 24 Hours",
        "Post-Deployment Monitoring (First 7 Days)",
        "Day 1 Metrics",
        "Daily Checks (Days 1-7)",
        "Design Phase (1-2 Days)",
        "30-Day Review",
        "1 hour before meeting",
        "Week 1",
        "T-1",
        "T+15",
        "Step 2: Execute Rollback (2 minutes)",
        "Día 1: Security Scanning (6-8 horas)",
        "T-9999 days",
    ],
)
def test_a_heading_in_doubt_names_none(text: str) -> None:
    assert of_heading(text) is None


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("T-24h: freeze", -24),
        ("Freeze code (T-24h)", -24),
        ("24 hours before deployment: freeze", -24),
        ("Notify users at least 24 hours before deployment", -24),
        ("24 hours after deployment: review", 24),
        ("On-call schedule created (72 hours post-deployment)", None),
        ("Deployment window announced (24h advance)", None),
        ("Keep blue for 24 hours after", None),
        ("Review metrics (24 hours after deployment)", None),
        ("Backup < 24 hours before deployment", None),
        ("Backup taken within 2 hours before deployment", None),
        ("Monitor from T-0 to T+4h", None),
        ("Monitor for 2 hours", None),
        ("Check 1 hour before meeting", None),
        ("T-1000 tests", None),
    ],
)
def test_a_line_names_its_own_time_only_without_doubt(text: str, hours: float | None) -> None:
    assert of_item(text) == (None if hours is None else hours * HOUR)


def test_the_nearest_words_decide_when_a_line_is_due() -> None:
    found = read(
        b"# T-4 Hours\n- [ ] a\n  - [ ] b\n- [ ] T-1h: c\n  - [ ] d\n\n## Database\n- [ ] e\n\n"
        b"**2 hours before:**\n- [ ] f\n\n1. T-30 min\n   - [ ] g\n\n# Other\n- [ ] h\n"
    )
    assert [item.due and item.due / HOUR for item in found.items] == [-4, -4, -1, -1, -4, -2, -0.5, None]

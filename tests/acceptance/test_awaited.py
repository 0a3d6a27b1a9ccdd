"""What a poll waits for is said, and its GO holds for a while: a real worker, and people with keys of their own."""

import json

import pytest
from test_complaints import Launch, Office, ahead, done, office, refused, until

from tminus.domain.canonical import instant
from tminus.domain.rollout import State
from tminus.wiring import SystemClock

__all__ = ["office"]

pytestmark = pytest.mark.slow


def warned(text: str) -> str:
    """The plan whose release notes are a blocker, and warned of when they cannot be found."""
    return text.replace(
        "expect: == 200, hint: publish them", "expect: < 500, warn: == 200, severity: blocker"
    )


def awaited(launch: Launch) -> list[str]:
    """The lines of which `tminus status` says that they wait to be acknowledged."""
    told = json.loads(done("status", launch.name, "--json"))
    return [need["check"] for need in told["needs"] if "acknowledgement" in need]


def test_a_warned_blocker_is_said_to_wait_with_who_could_acknowledge_it_and_how(office: Office) -> None:
    launch = office.open(change=warned)
    launch.answers("notes", 404)
    done("reschedule", ahead(600), launch.name, "--reason", "look again")
    until(lambda: awaited(launch) == ["notes.out"], "the status to say it")
    # The line is the QA Lead's own.
    able = {"lead", "devops", "engineering", "security", "cto"}
    until(lambda: asked(launch) == able, "those who could to be asked")
    shown = done("status", launch.name)
    assert "GO waits until somebody acknowledges" in shown
    assert f'tminus acknowledge {launch.id} notes.out --role … --reason "…"' in shown
    done("acknowledge", launch.name, "notes.out", "--role", "cto", "--reason", "they follow today")
    assert awaited(launch) == []
    assert "GO waits until" not in done("status", launch.name)
    launch.attested().polling().signed().goes()


def asked(launch: Launch) -> set[str]:
    """The roles that the record says are to be told of the warning."""
    kinds = {"acknowledge", "unacknowledged"}
    return {str(e.data["to"]) for e in launch.events("notice.raised") if e.data["notice"] in kinds}


def short(text: str) -> str:
    """The plan whose GO holds for three minutes."""
    return f"{text}decision: {{valid: 3min}}\n"


def test_a_go_that_a_hold_moves_away_from_t_0_expires_and_a_new_date_is_decided_anew(office: Office) -> None:
    launch = office.open(175, change=short).attested().polling().signed()
    launch.goes()
    decided, t0 = instant(launch.events("decision.made")[-1].at), launch.course.t0
    assert t0 is not None
    done("hold", launch.name, "--reason", "the vendor calls")
    held = instant(launch.recorded("clock.held").at)
    until(lambda: t0 - decided + SystemClock().now() - held > 185, "the hold to be too long")
    done("resume", launch.name, "--reason", "they have hung up")
    proposed = launch.recorded("decision.proposed")
    assert "has expired: by now that is T-00:03:" in str(proposed.data["reasons"])
    assert "tminus reschedule" in str(proposed.data["reasons"])
    assert launch.course.phase is State.POSTPONED
    assert "no GO stands" in refused("clearance", launch.name)
    done("reschedule", ahead(175), launch.name, "--reason", "once more")
    assert "GO is decided" in launch.attested().polling().signed().goes()
    assert len(launch.events("poll.opened")) == 2


def test_who_has_not_signed_is_reminded_once_and_those_who_decide_hear_of_it(office: Office) -> None:
    launch = office.open(60, change=lambda text: f"{text}decision: {{valid: 50s}}\n").attested().polling()
    launch.signed("devops")
    until(lambda: bool(launch.events("decision.proposed")), "T-0 to come without a decision")
    told = [
        (str(event.data["notice"]), str(event.data["to"]))
        for event in launch.events("notice.raised")
        if str(event.data["checks"]).startswith("['sign.")
    ]
    assert len(told) == len(set(told)), "each is told once"
    assert {to for kind, to in told if kind == "reminder"} >= {"engineering", "security", "qa", "cto"}, told
    assert ("escalated", "lead") in told

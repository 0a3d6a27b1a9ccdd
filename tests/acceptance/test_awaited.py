"""What a poll waits for is said: a real worker, people with keys of their own, and a blocker that is warned."""

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.test_complaints import Launch, Office, ahead, done, office, until
else:
    from test_complaints import Launch, Office, ahead, done, office, until

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

"""One traffic counted three times."""

import pytest

from tminus.demo.census import census
from tminus.domain.traffic import Outcome, Side


def logged(theirs: int, failed: int = 0, ours: int = 0) -> list[Outcome]:
    status = [500] * failed + [200] * (theirs - failed)
    users = [Outcome(1.0, Side.BLUE, code, 5.0, f"user-{n}") for n, code in enumerate(status)]
    return users + [Outcome(1.0, Side.BLUE, 200, 5.0, "127.0.0.1:4000")] * ours


def test_counts_that_agree_are_said_to_agree() -> None:
    assert census({"total": 1200, "failed": 2}, logged(1200, 2, 30), 0, 2000.0) == (
        "users, until they were sent home: 1,200 requests sent, 2 failed; the proxy logged 1,200 of theirs, 2 failed, "
        "0 answered later than 2 s, and 30 looks of our own, 0 failed; 0 log lines lost: the counts agree"
    )


@pytest.mark.parametrize(
    ("users", "outcomes", "why"),
    [
        (
            (10, 0),
            logged(8),
            "2 were sent and not logged: they never reached the proxy, or their lines were lost",
        ),
        ((8, 0), logged(10), "2 were logged and not counted: their users were stopped before the answer"),
        ((8, 3), logged(8, 1), "2 failed for their users alone: refused (401), or lost on the way"),
        ((8, 1), logged(8, 3), "2 failed at the proxy alone: their users had gone"),
    ],
)
def test_counts_that_differ_say_why(users: tuple[int, int], outcomes: list[Outcome], why: str) -> None:
    told = census({"total": users[0], "failed": users[1]}, outcomes, 0, 2000.0)
    assert told.endswith(f"lost: {why}")


def test_who_was_answered_late_is_counted_where_nobody_failed() -> None:
    late = [Outcome(1.0, Side.GREEN, 200, 2500.0, "user-late") for _ in range(11)]
    timed_out = Outcome(1.0, Side.GREEN, 504, 9000.0, "user-none")
    told = census({"total": 22, "failed": 1}, [*logged(10), *late, timed_out], 0, 2000.0)
    assert "22 of theirs, 1 failed, 11 answered later than 2 s," in told

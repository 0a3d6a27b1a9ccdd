"""When a launch that is over leaves the store."""

from tminus.domain.canonical import instant, timestamp
from tminus.domain.retention import DAY, due

NOW = 1_800_000_000.0


def test_a_launch_is_due_when_its_days_are_over_the_longest_first_and_never_while_it_is_open() -> None:
    ended = {
        "just": timestamp(NOW - 30 * DAY),
        "not-yet": timestamp(NOW - 30 * DAY + 1),
        "long-ago": timestamp(NOW - 400 * DAY),
        "open": None,
    }
    assert due(ended, NOW, 30) == ["long-ago", "just"]
    assert due(ended, NOW, 30.1) == ["long-ago"]
    assert due({}, NOW, 0) == []
    assert instant(timestamp(NOW)) == NOW

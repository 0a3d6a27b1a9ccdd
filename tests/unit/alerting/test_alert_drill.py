"""A drill's words, and whom it finds where."""

from collections.abc import Mapping

import pytest

from tminus.alerting.alertmanager import Active, Sent
from tminus.alerting.drill import Drill, failures, muting
from tminus.alerting.inboxes import Door, Mailbox, PagerDuty, Slack
from tminus.errors import InconclusiveError


class Api:
    """An Alertmanager that knows of one silence."""

    async def silence(self, identifier: str) -> str:
        return f"silenced by dario: {identifier}"


def held(**changes: tuple[str, ...]) -> Active:
    by = {"silenced_by": (), "inhibited_by": (), "muted_by": ()} | changes
    return Active({"alertname": "A", "side": "green"}, "suppressed", **by, fingerprint="f")


@pytest.mark.parametrize(
    ("alert", "words"),
    [
        (held(silenced_by=("s1",)), "A on green is silenced by dario: s1"),
        (held(inhibited_by=("f2",)), "A on green is inhibited by another alert (f2)"),
        (held(muted_by=("weekend",)), "A on green is muted in the time interval weekend"),
    ],
)
async def test_what_keeps_an_alert_from_being_told_is_named(alert: Active, words: str) -> None:
    assert await muting(Api(), alert) == words  # type: ignore[arg-type] # it asks for silences only


def test_only_failures_that_are_new_are_told() -> None:
    before = Sent({"pagerduty": 5.0}, {"pagerduty": 2.0, "email": 1.0})
    after = Sent({"pagerduty": 6.0}, {"pagerduty": 2.0, "email": 4.0, "slack": 1.0})
    assert failures(before, after) == [
        "3 notifications by email failed meanwhile",
        "1 notifications by slack failed meanwhile",
    ]


def test_a_token_is_taken_out_of_an_address_and_never_shown() -> None:
    door = Door.of("https://reader:t%2Foken@slack.example/api/?channel=C1")
    assert (door.base, door.token, door.query) == ("https://slack.example/api", "t/oken", {"channel": "C1"})
    for shown in (
        door,
        PagerDuty("https://:secret@x"),
        Slack("https://:secret@x"),
        Mailbox("https://:secret@x"),
    ):
        assert "secret" not in repr(shown)
        assert "oken" not in repr(shown).replace("token", "")


async def test_a_chat_without_a_channel_proves_nothing() -> None:
    with pytest.raises(InconclusiveError, match="names no channel"):
        await Slack("https://:token@slack.example/api").notices("mark", 0.0)


class Ahead:
    """An Alertmanager whose clock is behind ours: the first end still lies ahead of it, and it keeps the later one."""

    def __init__(self) -> None:
        self.ends: list[str] = []

    async def post(self, labels: Mapping[str, str], *, summary: str, starts: str, ends: str) -> None:
        assert (labels["nonce"], bool(summary)) == ("m1", True)
        assert starts <= ends
        self.ends.append(ends)

    async def alerts(self, *matchers: str) -> list[Active]:
        assert matchers == ('nonce="m1"',)
        return [] if len(self.ends) > 1 else [held()]


async def test_an_end_that_was_not_taken_is_said_again() -> None:
    api = Ahead()
    drill = Drill(api, "m1", {"nonce": "m1"}, lambda: 1_000.0, 1_000.0)  # type: ignore[arg-type] # it posts and looks only
    await drill.end()
    gone, told = await drill.over({})
    assert (gone, told) == (True, [])
    assert len(api.ends) == 2

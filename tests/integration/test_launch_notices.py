"""A launch that a worker runs tells its people, by mail and chat, through systems that are away and its own death."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession
from icalendar import Calendar

from tminus import loopback
from tminus.processes import wait_until

if TYPE_CHECKING:
    from tests.integration.test_launch_workers import PLAN, Yard, yard_at
else:
    from test_launch_workers import PLAN, Yard, yard_at

pytestmark = pytest.mark.slow

LONG_ENOUGH = 25.0
"""Seconds to a new date, in which its message is sent: the one of its end would take its place."""
HOOK, TOKEN = "T/B/hush-hush", "t" * 32
NOTIFY = """notify: {mail: env:MAIL, sender: Launch control <launches@shop.example>, slack: env:ROOM}
"""


@dataclass
class Inboxes:
    """The stand-ins for a mail server and a chat, as a process that may be away."""

    folder: Path
    http: int
    smtp: int
    process: asyncio.subprocess.Process | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What the plan's references stand for."""
        return {
            "MAIL": f"smtp://127.0.0.1:{self.smtp}",
            "ROOM": f"http://127.0.0.1:{self.http}/chat/services/{HOOK}",
        }

    async def open(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tminus.standins", "--http", str(self.http), "--smtp", str(self.smtp)),
            *("--folder", str(self.folder)),
            env={**os.environ, "STANDINS_ROUTING_KEY": "k", "STANDINS_HOOK": HOOK, "STANDINS_TOKEN": TOKEN},
        )

    async def close(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.terminate()
            await asyncio.wait_for(self.process.wait(), 30)

    async def _read(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            ClientSession(f"http://127.0.0.1:{self.http}", headers=headers) as http,
            http.get(path) as told,
        ):
            assert told.status == 200
            return await told.json()

    async def mails(self) -> list[EmailMessage]:
        found = (await self._read("/mail/messages"))["messages"]
        return [message_from_string(one["source"], EmailMessage, policy=policy.default) for one in found]

    async def texts(self) -> list[str]:
        """What was said in the chat, oldest first."""
        found = (await self._read("/chat/api/conversations.history?channel=C0STANDIN"))["messages"]
        return [str(one["text"]) for one in reversed(found)]

    async def mailed(self, words: str, whom: str) -> EmailMessage:
        """The one mail to this person whose subject holds these words, as soon as it is there."""

        async def there() -> bool:
            return any(words in one["Subject"] and whom in one["To"] for one in await self.mails())

        await wait_until(there, 120, f"a mail to {whom}: {words}", log=self.folder / "arrived.jsonl")
        (only,) = [one for one in await self.mails() if words in one["Subject"] and whom in one["To"]]
        return only


@asynccontextmanager
async def inboxes(folder: Path) -> AsyncIterator[Inboxes]:
    await asyncio.to_thread(folder.mkdir)
    http = loopback.free_port()
    made = Inboxes(folder, http, loopback.free_port({http}))
    try:
        yield made
    finally:
        await made.close()


def calendar_of(mail: EmailMessage) -> tuple[str, str, int, bool]:
    """Of the calendar entry of a mail: method, name, sequence, and whether it has a date."""
    (attached,) = mail.iter_attachments()
    content = attached.get_content()
    calendar = Calendar.from_ical(content if isinstance(content, str) else content.decode())
    (event,) = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), str(event["UID"]), int(str(event["SEQUENCE"])), "DTSTART" in event


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    """The plan of the worker's tests, with addresses."""
    text = PLAN.read_text()
    text = text.replace("person: Lena Ortiz,", "person: Lena Ortiz, email: lena@shop.example,")
    text = text.replace("person: Dario Voss,", "person: Dario Voss, email: dario@shop.example,")
    path = tmp_path / "plan.yaml"
    path.write_text(text + NOTIFY)
    return path


async def kinds(yard: Yard, launch: str, type_: str) -> list[tuple[str, str, tuple[str, ...]]]:
    return [
        (str(event.data["notice"]), str(event.data["channel"]), tuple(map(str, event.data["roles"])))  # type: ignore[arg-type] # a list, as the courier wrote it
        for event in await yard.events(launch)
        if event.type == type_
    ]


async def test_people_are_told_of_a_launch_from_its_opening_to_its_end(tmp_path: Path, plan: Path) -> None:
    async with (
        inboxes(tmp_path / "inboxes") as there,
        yard_at(f"sqlite:///{tmp_path / 'tminus.db'}", tmp_path) as yard,
    ):
        yard.more = there.environment
        await yard.work("w1")
        launch = await yard.launch(plan)
        await yard.recorded(launch, "notice.undelivered")
        tries = [event.data for event in await yard.events(launch) if event.type == "notice.undelivered"]
        assert all("refused" in str(one["why"]) or "failed" in str(one["why"]) for one in tries), tries
        assert await kinds(yard, launch, "notice.told") == [], "nobody is told by a system that is away"
        await yard.recorded(launch, "gate.judged")
        await yard.kill("w1")
        await there.open()
        await yard.work("w2")
        opened = await there.mailed("a launch is opened", "lena@shop.example")
        waiting = await there.mailed("waits for you", "lena@shop.example")
        assert waiting["Subject"] == "[tminus] staging: 1 line due at T-1h waits for you"
        body = waiting.get_body(("plain",))
        assert body is not None
        assert f"tminus status {launch}" in body.get_content()

        await yard.bring_forward(launch, LONG_ENOUGH)
        moved = await there.mailed("T-0 moved by Lena Ortiz", "lena@shop.example")
        proposed = await there.mailed("NO-GO, no GO holds", "lena@shop.example")
        await yard.scrub()
        ended = await there.mailed("the launch has ended: scrubbed", "lena@shop.example")
        await there.mailed("the launch has ended: scrubbed", "dario@shop.example")
        entries = [calendar_of(one) for one in (opened, moved, proposed, ended)]
        assert [(method, sequence, dated) for method, _, sequence, dated in entries] == [
            ("REQUEST", 0, True),
            ("REQUEST", 1, True),
            ("CANCEL", 2, False),
            ("CANCEL", 3, False),
        ]
        assert len({name for _, name, _, _ in entries}) == 1
        await yard.says("w2", "the end is told to Lena Ortiz, Dario Voss, by slack: 200 ok")
        said = await there.texts()
        assert any("T-0 moved by Lena Ortiz" in text for text in said)
        assert len({one["Message-ID"] for one in await there.mails()}) == len(await there.mails())
        told = await kinds(yard, launch, "notice.told")
        assert ("rescheduled", "mail", ("lead",)) in told
        assert ("rescheduled", "slack", ("lead", "devops")) in told
        whole = (
            "".join(map(str, [event.data for event in await yard.events(launch)]))
            + yard.log("w2").read_text()
        )
        assert "hush" not in whole
        await yard.proved(launch)
        assert await yard.stopped("w2") == 0

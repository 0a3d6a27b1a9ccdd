"""Every notifier keeps the same promises: taken is what the system says it took, and no error tells a secret."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from email import message_from_string, policy
from email.message import EmailMessage
from functools import partial
from typing import Any, Protocol

import pytest
from aiohttp import web
from icalendar import Calendar

from tminus.channels import mail as mail_channel
from tminus.channels import pager as pager_channel
from tminus.channels import slack as slack_channel
from tminus.channels.mail import Mail
from tminus.channels.pager import Pager
from tminus.channels.slack import Slack
from tminus.control.ports import Notifier
from tminus.domain.message import Appointment, Message
from tminus.errors import UndeliveredError
from tminus.standins import pager as pager_stand_in
from tminus.standins.mail import Postman, smtp
from tminus.testing import FakeClock, FakeNotifier

T0 = 1_800_000_000.0
HOOK = "T0/B0/hush-hush"
MESSAGE = Message(
    key="0123456789abcdef" * 2,
    address="lena@shop.example",
    names=("Lena Ortiz",),
    subject="[tminus] prod: 3 lines due at T-2h wait for you",
    text="3 lines due at T-2h wait for you:\n  site.up  The site is up & well\n",
    appointment=Appointment("a" * 32, 2, T0, "T-0 of shop in prod (prod-1)", T0 - 3600),
)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Home(Protocol):
    """A notifier and the system behind it."""

    @property
    def notifier(self) -> Notifier: ...

    def taken(self) -> list[str]:
        """The names of the messages that the system holds."""
        ...


class FakeHome:
    def __init__(self) -> None:
        self.notifier = FakeNotifier()

    def taken(self) -> list[str]:
        return [message.key for message in self.notifier.taken]


@dataclass
class MailHome:
    notifier: Mail
    mails: list[dict[str, Any]] = field(default_factory=list)

    def taken(self) -> list[str]:
        return [str(self.read(mail)["Message-ID"]).strip("<>").partition("@")[0] for mail in self.mails]

    def read(self, mail: dict[str, Any]) -> EmailMessage:
        return message_from_string(mail["source"], EmailMessage, policy=policy.default)


@dataclass
class SlackHome:
    notifier: Slack
    posted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def taken(self) -> list[str]:
        return [key for key, _ in self.posted]


@dataclass
class PagerHome:
    notifier: Pager
    pager: pager_stand_in.Pager = field(default_factory=pager_stand_in.Pager)

    def taken(self) -> list[str]:
        return [
            one.alert()["body"]["details"]["message"]
            for one in self.pager.incidents
            for _ in range(one.triggers)
        ]


def pager_to(port: int) -> Pager:
    return Pager(lambda _: f"http://hush-hush@127.0.0.1:{port}/v2/enqueue")


def mail_to(port: int, login: str = "") -> Mail:
    address = f"smtp://{login}127.0.0.1:{port}"
    return Mail(
        "env:MAIL", "Launch control <launches@shop.example>", {"env:MAIL": address}.__getitem__, FakeClock()
    )


def slack_to(port: int) -> Slack:
    hook = f"http://127.0.0.1:{port}/services/{HOOK}"
    return Slack(lambda _: hook, FakeClock())


@asynccontextmanager
async def mail_server(home: list[dict[str, Any]]) -> AsyncIterator[int]:
    server = await asyncio.get_running_loop().create_server(
        lambda: smtp(Postman(home.append)), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def chat_server(answer: Answer) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        server.close()


async def enqueue(pages: pager_stand_in.Pager, asked: web.Request) -> web.Response:
    event = await asked.json()
    if found := pager_stand_in.problems(event, "hush-hush"):
        return web.json_response({"status": "invalid event", "errors": found}, status=400)
    return web.json_response({"status": "success", "dedup_key": pages.take(event, T0)}, status=202)


@pytest.fixture(params=["fake", "mail", "slack", "pager"])
async def home(request: pytest.FixtureRequest) -> AsyncIterator[Home]:
    if request.param == "fake":
        yield FakeHome()
    elif request.param == "mail":
        mails: list[dict[str, Any]] = []
        async with mail_server(mails) as port:
            yield MailHome(mail_to(port), mails)
    elif request.param == "pager":
        pages = pager_stand_in.Pager()
        async with chat_server(partial(enqueue, pages)) as port:
            yield PagerHome(pager_to(port), pages)
    else:
        posted: list[tuple[str, dict[str, Any]]] = []

        async def answer(asked: web.Request) -> web.Response:
            posted.append((asked.headers["Idempotency-Key"], await asked.json()))
            return web.Response(text="ok")

        async with chat_server(answer) as port:
            yield SlackHome(slack_to(port), posted)


async def test_a_message_that_is_taken_is_there_and_the_system_says_so(home: Home) -> None:
    assert await home.notifier.send(MESSAGE)
    assert home.taken() == [MESSAGE.key]


async def test_a_message_that_is_sent_again_has_the_same_name(home: Home) -> None:
    await home.notifier.send(MESSAGE)
    await home.notifier.send(MESSAGE)
    assert home.taken() == [MESSAGE.key] * 2


async def failure(notifier: Notifier) -> UndeliveredError:
    """How it fails: in words without a secret, and with a hint."""
    with pytest.raises(UndeliveredError) as caught:
        await notifier.send(MESSAGE)
    error = caught.value
    assert error.hint
    assert "hush" not in f"{error} {error.hint} {error.__cause__!r}"
    return error


async def nobody(unused: Callable[[int], Notifier]) -> Notifier:
    """A notifier to a port at which nobody listens any more."""

    async def never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader, writer

    async with talking(never) as port:
        return unused(port)


@pytest.mark.parametrize("made", [mail_to, slack_to, pager_to])
async def test_a_refused_connection_is_tried_again(made: Callable[[int], Notifier]) -> None:
    error = await failure(await nobody(made))
    assert error.after == 0
    assert "refused" in str(error) or "Connect call failed" in str(error)


@pytest.mark.parametrize("made", [mail_to, slack_to, pager_to])
async def test_a_system_that_never_answers_is_left_after_a_time(
    made: Callable[[int], Notifier], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_channel, "SECONDS", 0.2)
    monkeypatch.setattr(slack_channel, "SECONDS", 0.2)
    monkeypatch.setattr(pager_channel, "SECONDS", 0.2)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del writer
        while await reader.read(1024):
            pass

    async with talking(silent) as port:
        error = await failure(made(port))
    assert "no answer within 0.2 s" in str(error)
    assert error.after == 0


@pytest.mark.parametrize("made", [mail_to, slack_to, pager_to])
async def test_an_answer_that_is_of_another_protocol_is_no_receipt(made: Callable[[int], Notifier]) -> None:
    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01 who is there?\r\n" * 3)
        await writer.drain()
        while await reader.read(1024):
            pass

    async with talking(garbage) as port:
        error = await failure(made(port))
    assert error.after == 0


class TestMail:
    async def test_it_reads_well_and_enters_the_calendar(self) -> None:
        mails: list[dict[str, Any]] = []
        async with mail_server(mails) as port:
            receipt = await mail_to(port).send(MESSAGE)
        assert receipt == "250 kept by a stand-in"
        (kept,) = mails
        assert (kept["sender"], kept["recipients"]) == ("launches@shop.example", ["lena@shop.example"])
        read = message_from_string(kept["source"], EmailMessage, policy=policy.default)
        assert read["From"] == "Launch control <launches@shop.example>"
        assert read["To"] == "Lena Ortiz <lena@shop.example>"
        assert read["Subject"] == MESSAGE.subject
        assert read["Message-ID"] == f"<{MESSAGE.key}@shop.example>"
        assert read["Auto-Submitted"] == "auto-generated"
        body = read.get_body(("plain",))
        assert body is not None
        assert body.get_content().replace("\r\n", "\n") == MESSAGE.text
        (attached,) = read.iter_attachments()
        assert attached.get_content_type() == "text/calendar"
        assert attached["Content-Type"].params["method"] == "REQUEST"
        content = attached.get_content()
        calendar = Calendar.from_ical(content if isinstance(content, str) else content.decode())
        (event,) = calendar.walk("VEVENT")
        assert (calendar["METHOD"], event["SEQUENCE"]) == ("REQUEST", 2)
        assert event["UID"] == f"{'a' * 32}@shop.example"
        assert event.decoded("dtstart").timestamp() == T0

    @pytest.mark.parametrize(
        ("code", "after", "words"),
        [
            ("450 the box is busy", 0.0, "does not take it now: 450 the box is busy"),
            ("550 no such box", None, "refused it: 550 no such box"),
        ],
    )
    async def test_the_servers_word_says_whether_a_later_try_has_sense(
        self, code: str, after: float | None, words: str
    ) -> None:
        async def refusing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 here\r\n")
            while asked := await reader.readline():
                said = code if asked.upper().startswith(b"RCPT") else "250 well"
                writer.write(f"{said}\r\n".encode())
                if asked.upper().startswith(b"QUIT"):
                    return

        async with talking(refusing) as port:
            error = await failure(mail_to(port))
        assert words in str(error)
        assert error.after == after

    async def test_a_server_that_breaks_off_before_its_word_has_taken_nothing_that_we_know_of(self) -> None:
        async def breaking(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 here\r\n")
            while asked := await reader.readline():
                if asked.upper().startswith(b"DATA"):
                    writer.write(b"354 go on\r\n")
                    await reader.readuntil(b"\r\n.\r\n")
                    return
                writer.write(b"250 well\r\n")

        async with talking(breaking) as port:
            error = await failure(mail_to(port))
        assert error.after == 0

    async def test_a_login_that_the_server_does_not_know_is_told_without_the_password(self) -> None:
        mails: list[dict[str, Any]] = []
        async with mail_server(mails) as port:
            error = await failure(mail_to(port, "tminus:hush-hush@"))
        assert mails == []
        assert "127.0.0.1" in str(error)

    async def test_no_password_goes_to_another_machine_without_tls(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(mail_channel._Server, "here", property(lambda _: False))
        async with mail_server([]) as port:
            error = await failure(mail_to(port, "tminus:hush-hush@"))
        assert "offers no TLS, so it gets no password" in str(error)
        assert error.after is None

    @pytest.mark.parametrize(
        "address", ["mail.example", "http://mail.example", "smtp://", "smtp://h:99999", ""]
    )
    async def test_an_address_of_no_mail_server_is_told(self, address: str) -> None:
        error = await failure(Mail("env:MAIL", "a@shop.example", lambda _: address, FakeClock()))
        assert str(error) == "env:MAIL is no mail server"


class TestSlack:
    async def failed(self, **answer: Any) -> UndeliveredError:
        async def reply(request: web.Request) -> web.Response:
            del request
            return web.Response(**answer)

        async with chat_server(reply) as port:
            return await failure(slack_to(port))

    async def test_it_is_plain_text_that_calls_no_channel(self) -> None:
        posted: list[Any] = []

        async def answer(request: web.Request) -> web.Response:
            posted.append((request.path, json.loads(await request.read())))
            return web.Response(text="ok")

        async with chat_server(answer) as port:
            assert await slack_to(port).send(MESSAGE) == "200 ok"
        ((path, body),) = posted
        assert path == f"/services/{HOOK}"
        assert body == {"text": f"*{MESSAGE.subject}*\n{MESSAGE.text.replace('&', '&amp;')}"}

    async def test_too_many_requests_say_when_to_come_again(self) -> None:
        error = await self.failed(status=429, headers={"Retry-After": "95"}, text="rate_limited")
        assert (error.after, "answered 429 rate_limited" in str(error)) == (95.0, True)
        dated = await self.failed(status=429, headers={"Retry-After": "Fri, 15 Jan 2027 08:01:00 GMT"})
        assert dated.after == 60.0
        assert (await self.failed(status=429, headers={"Retry-After": "soon"})).after == 0.0

    async def test_a_fault_of_the_system_is_tried_again(self) -> None:
        error = await self.failed(status=500, text="<html>oops</html>")
        assert (error.after, str(error)) == (0.0, "chat (lena@shop.example) answered 500")

    async def test_a_refusal_is_told_in_the_systems_word_and_not_tried_again(self) -> None:
        error = await self.failed(status=404, text="no_service")
        assert (error.after, str(error)) == (None, "chat (lena@shop.example) answered 404 no_service")

    async def test_a_redirect_is_not_followed(self) -> None:
        error = await self.failed(status=302, headers={"Location": "http://127.0.0.1:1/elsewhere"})
        assert (error.after, "a redirect, which is not followed" in str(error)) == (None, True)

    @pytest.mark.parametrize("text", ["<html>log in</html>", "", '{"ok": false}', "x" * 100_000])
    async def test_an_answer_that_does_not_say_ok_is_no_receipt(self, text: str) -> None:
        error = await self.failed(status=200, text=text)
        assert (error.after, "but not that it took the message" in str(error)) == (None, True)

    @pytest.mark.parametrize("text", ['{"ok": true}', '{"success": true}'])
    async def test_those_who_copy_it_may_say_so_in_json(self, text: str) -> None:
        async def reply(request: web.Request) -> web.Response:
            del request
            return web.Response(text=text)

        async with chat_server(reply) as port:
            assert await slack_to(port).send(MESSAGE) == f"200 {text}"

    @pytest.mark.parametrize("hook", ["http://chat.example/services/hush", "hush", ""])
    async def test_a_webhook_is_never_sent_where_others_read_it(self, hook: str) -> None:
        error = await failure(Slack(lambda _: hook, FakeClock()))
        assert str(error) == "lena@shop.example holds no https address"


HELD = replace(MESSAGE, address="env:ONCALL", incident="hold-1", appointment=None)


async def test_a_pager_opens_one_incident_for_a_hold_and_resolves_it_with_its_end() -> None:
    pages = pager_stand_in.Pager()
    async with chat_server(partial(enqueue, pages)) as port:
        pager = pager_to(port)
        assert "opens incident hold-1" in await pager.send(HELD)
        await pager.send(HELD)
        (incident,) = pages.incidents
        assert (incident.key, incident.status, incident.payload["severity"]) == (
            "hold-1",
            "triggered",
            "critical",
        )
        assert incident.payload["summary"] == MESSAGE.subject
        assert "resolves incident hold-1" in await pager.send(replace(HELD, resolves=True))
        assert incident.status == "resolved"


@pytest.mark.parametrize(
    ("status", "body", "after"),
    [(202, "{}", None), (202, "ok", None), (400, "{}", None), (429, "", 0.0), (503, "", 0.0)],
)
async def test_a_pager_that_does_not_say_that_it_took_the_event_has_not(
    status: int, body: str, after: float | None
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    async with chat_server(answer) as port:
        assert (await failure(pager_to(port))).after == after


@pytest.mark.parametrize(
    "address", ["http://hush@pager.example/v2", "https://pager.example/v2", "hush", "", "http://hush@[::1"]
)
async def test_an_address_without_a_key_or_open_to_listeners_is_no_pager(address: str) -> None:
    error = await failure(Pager(lambda _: address))
    assert "holds no address of a pager" in str(error)
    assert error.after is None

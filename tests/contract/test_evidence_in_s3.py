"""What only storage over a network can do: be missing, closed, silent, overloaded, elsewhere, or something else."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests import s3_stand_in
else:
    import s3_stand_in

from tminus.control.ports import EvidenceStore
from tminus.errors import EvidenceError, Exit, PartError, SwappedError, TminusError, UsageError
from tminus.evidence import place
from tminus.evidence.s3 import LIMITS, Limits, S3Evidence
from tminus.loopback import free_port

LOG = b"rolled back in 4 s\n"
DIGEST = sha256(LOG).hexdigest()
TWICE = Limits(tries=2)
"""The usual time limits, on a machine that is busy; two tries."""
SHORT = Limits(idle=0.3, tries=2)
"""A silence that a test can wait for."""
Reply = Callable[[int], bytes]
"""What the server says to the request of this number, counted from 1; then it is silent."""


@dataclass
class Crooked:
    """A server that says what a test wants, and then nothing more."""

    reply: Reply
    closes: bool
    """Whether it closes the connection behind its reply."""
    asked: list[str] = field(default_factory=list)
    """The first line of each request."""
    calls: dict[asyncio.Task[None], asyncio.StreamWriter] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        call = asyncio.current_task()
        assert call is not None
        self.calls[call] = writer
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                self.asked.append(head.partition("\r\n")[0])
                if said := self.reply(len(self.asked)):
                    await self.say(head, said, reader, writer)
                if self.closes:
                    writer.close()
        except (asyncio.IncompleteReadError, ConnectionError):
            return  # whoever asked has gone
        finally:
            writer.close()

    @staticmethod
    async def say(head: str, said: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if "expect: 100-continue" in head:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = next((row for row in head.split("\r\n") if row.startswith("content-length:")), ":0")
        await reader.readexactly(int(length.partition(":")[2]))
        # To HEAD no body belongs; it is asked when another region is looked for.
        writer.write(said.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if head.startswith("head ") else said)
        await writer.drain()

    async def end(self) -> None:
        """Close what is open, and wait until nobody is served."""
        for writer in self.calls.values():
            writer.close()
        await asyncio.gather(*self.calls)


@asynccontextmanager
async def crooked(patch: pytest.MonkeyPatch, reply: Reply, *, closes: bool = False) -> AsyncIterator[Crooked]:
    made = Crooked(reply, closes)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    s3_stand_in.surroundings(patch, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        yield made
    finally:
        server.close()
        await made.end()


def acts(store: EvidenceStore) -> Iterator[Awaitable[object]]:
    """Everything that can be asked of a store, one after the other."""
    yield store.put(LOG)
    yield store.get(DIGEST)
    yield store.has(DIGEST)


def answer(status: int, body: str = "", *more: str) -> bytes:
    head = (f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", "Content-Type: application/xml", *more)
    return ("\r\n".join((*head, "", "")) + body).encode()


def error(status: int, code: str) -> bytes:
    """A refusal as S3 words it; what it says in its own words holds our key, as some do."""
    told = f"the key {s3_stand_in.KEY} with {s3_stand_in.SECRET}"
    return answer(status, f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{told}</Message></Error>")


def discreet(said: TminusError) -> str:
    """The words and the hint, in which no key stands."""
    words = f"{said}; {said.hint}"
    assert s3_stand_in.KEY not in words
    assert s3_stand_in.SECRET not in words
    assert s3_stand_in.SECRET not in repr(said)
    assert said.hint
    return words


async def refusal(act: Awaitable[object]) -> str:
    with pytest.raises(EvidenceError) as raised:
        await act
    assert raised.value.code is Exit.UNKNOWN, "nobody can tell whether evidence is there"
    return discreet(raised.value)


async def test_objects_are_named_by_their_digest_below_the_prefix(s3: s3_stand_in.StandIn) -> None:
    bucket = await s3.bucket()
    for name in (f"s3://{bucket}/team/one", f"s3://{bucket}/team/two/", f"s3://{bucket}"):
        await place(name).put(LOG)
    assert await s3.keys(bucket) == sorted([DIGEST, f"team/one/{DIGEST}", f"team/two/{DIGEST}"])
    assert place(f"s3://{bucket}/team/two/").where == f"s3://{bucket}/team/two"
    assert place(f"s3://{bucket}/").where == f"s3://{bucket}"


async def test_a_bucket_that_is_missing_is_said_by_every_act(s3: s3_stand_in.StandIn) -> None:
    store = place("s3://nobody-made-this/evidence")
    for act in acts(store):
        said = await refusal(act)
        assert (
            f"s3://nobody-made-this/evidence at {s3.url}: there is no such bucket (404 NoSuchBucket)" in said
        )
        assert "create it, or name another with TMINUS_EVIDENCE" in said


async def test_keys_that_nobody_gave_out_are_refused(s3: s3_stand_in.StandIn) -> None:
    store = place(f"s3://{await s3.bucket()}/evidence")
    await store.put(LOG)
    with s3.asking_who():
        for act in acts(store):
            said = await refusal(act)
            assert "our credentials are not known there, or no longer (403 InvalidAccessKeyId)" in said
            assert "set AWS_ACCESS_KEY_ID" in said
    assert await store.get(DIGEST) == LOG


async def test_without_credentials_nothing_is_asked(
    s3: s3_stand_in.StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place(f"s3://{await s3.bucket()}/evidence")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    said = await refusal(place(store.where).put(LOG))
    assert "there are no credentials for it; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said


@pytest.mark.parametrize(
    ("status", "code", "words", "hint"),
    [
        (403, "AccessDenied", "access is refused (403 AccessDenied)", "s3:GetObject, s3:PutObject"),
        (403, "SignatureDoesNotMatch", "our credentials are not known", "AWS_SECRET_ACCESS_KEY"),
        (400, "ExpiredToken", "our credentials are not known there, or no longer", "AWS_SESSION_TOKEN"),
        (403, "RequestTimeTooSkewed", "its clock differs from ours", "set the clock"),
        (301, "PermanentRedirect", "in another region, or behind another endpoint", "AWS_DEFAULT_REGION"),
        (400, "AuthorizationHeaderMalformed", "in another region", "AWS_ENDPOINT_URL_S3"),
        (507, "XMinioStorageFull", "the server has no room", "make room"),
        (409, "OperationAborted", "the server refused (409 OperationAborted)", "manual"),
        (405, "", "what answers does not speak S3 (405)", "AWS_ENDPOINT_URL_S3"),
    ],
)
async def test_what_the_server_refuses_is_said_with_what_to_do(
    status: int, code: str, words: str, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with crooked(monkeypatch, lambda _: error(status, code) if code else answer(status)):
        for act in acts(S3Evidence("launches", "", TWICE)):
            said = await refusal(act)
            assert words in said
            assert hint in said


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (500, "InternalError", "the server failed (500 InternalError)"),
        (502, "", "the server failed (502)"),
        (503, "SlowDown", "the server is overloaded (503 SlowDown)"),
    ],
)
async def test_a_server_that_fails_is_asked_again_and_not_for_ever(
    status: int, code: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with crooked(monkeypatch, lambda _: error(status, code) if code else answer(status)) as server:
        said = await refusal(S3Evidence("launches", "", TWICE).get(DIGEST))
        assert words in said
        assert "try again" in said
        assert len(server.asked) == TWICE.tries


async def test_a_server_that_fails_once_is_no_trouble(monkeypatch: pytest.MonkeyPatch) -> None:
    def reply(number: int) -> bytes:
        return error(503, "SlowDown") if number == 1 else answer(200, LOG.decode())

    async with crooked(monkeypatch, reply) as server:
        assert await S3Evidence("launches", "", TWICE).get(DIGEST) == LOG
        assert server.asked == [f"get /launches/{DIGEST} http/1.1"] * 2


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crooked(monkeypatch, lambda _: b"") as server:
        store = S3Evidence("launches", "evidence", SHORT)
        for act in (store.get, store.has):
            assert ": it is silent; see whether the storage is well" in await refusal(act(DIGEST))
        assert len(server.asked) == 2 * SHORT.tries


async def test_everything_about_one_file_ends_within_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crooked(monkeypatch, lambda _: b""):
        for act in acts(S3Evidence("launches", "", Limits(whole=0.3))):
            assert "no answer within 0.3 s; see whether the storage is well" in await refusal(act)


async def test_an_answer_that_stops_in_the_middle_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    half = answer(200, LOG.decode())[:-5]
    async with crooked(monkeypatch, lambda _: half):
        assert "it is silent" in await refusal(S3Evidence("launches", "", SHORT).get(DIGEST))


async def test_an_answer_that_is_cut_off_is_no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    half = answer(200, LOG.decode())[:-5]
    async with crooked(monkeypatch, lambda _: half, closes=True):
        assert "the connection broke off" in await refusal(S3Evidence("launches", "", TWICE).get(DIGEST))


async def test_a_connection_that_is_closed_without_a_word_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async with crooked(monkeypatch, lambda _: b"", closes=True) as server:
        assert "the connection broke off" in await refusal(S3Evidence("launches", "", TWICE).put(LOG))
        assert len(server.asked) <= 2 * TWICE.tries, "aiohttp itself asks once more"


async def test_an_object_without_an_end_is_not_read_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    endless = answer(200, "", "Transfer-Encoding: chunked").replace(b"Content-Length: 0\r\n", b"")
    piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    async with crooked(monkeypatch, lambda _: endless + piece * 18):
        with pytest.raises(SwappedError, match="16777216 bytes and more"):
            await S3Evidence("launches", "", TWICE).get(DIGEST)


async def test_an_endpoint_at_which_nobody_listens_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    s3_stand_in.surroundings(monkeypatch, address)
    said = await refusal(S3Evidence("launches", "", TWICE).put(LOG))
    assert f"s3://launches at {address}: it cannot be reached" in said
    assert "AWS_ENDPOINT_URL_S3 names the endpoint" in said


@pytest.mark.parametrize("page", ["<html>welcome</html>", ""])
async def test_a_web_server_is_no_storage(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with crooked(monkeypatch, lambda _: answer(200, page)):
        store = S3Evidence("launches", "", TWICE)
        assert "what answers does not speak S3" in await refusal(store.put(LOG))
        with pytest.raises(SwappedError, match=rf"s3://launches/{DIGEST} is sha256:"):
            await store.get(DIGEST)
    async with crooked(monkeypatch, lambda _: answer(404, "<html>no such page")):
        assert "what answers does not speak S3" in await refusal(
            S3Evidence("launches", "", TWICE).get(DIGEST)
        )


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("http://me:canary-login@127.0.0.1:9", "the address of the endpoint holds a login"),
        ("canary-login", "the endpoint of the storage is no address"),
    ],
)
async def test_an_endpoint_that_cannot_be_used_is_refused_and_not_repeated(
    endpoint: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_stand_in.surroundings(monkeypatch, endpoint)
    with pytest.raises(UsageError, match=words) as refused:
        await S3Evidence("launches", "", TWICE).put(LOG)
    assert "canary-login" not in discreet(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        "s3://",
        "s3:///prefix",
        "s3://me:canary-login@bucket/prefix",
        "s3://bucket/a/../b",
        "s3://bucket//b",
        "s3://bucket/a?versionId=canary-login",
        "s3://bucket/a b",
        "https://canary-login@bucket/prefix",
        "S3://bucket",
        "gs://bucket",
        "file:/tmp/evidence",
        "",
    ],
)
def test_a_place_that_is_none_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(UsageError, match="evidence cannot be kept there") as refused:
        place(name)
    assert "canary-login" not in discreet(refused.value)
    assert "s3://BUCKET/PREFIX" in refused.value.hint


def test_without_the_extra_it_is_said_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "aiobotocore"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "aiobotocore", None)
    monkeypatch.delitem(sys.modules, "tminus.evidence.s3")
    with pytest.raises(PartError, match="needs a package that is not installed") as refused:
        place("s3://launches/evidence")
    assert "pip install 'tminus[s3]'" in refused.value.hint


def test_the_limits_leave_room_for_each_try_within_the_whole() -> None:
    assert LIMITS.tries * max(LIMITS.connect, LIMITS.idle) < LIMITS.whole

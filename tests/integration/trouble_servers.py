"""Servers in trouble, on loopback: dead, slow, half-open, with a broken TLS, refusing, busy, and talking nonsense."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tminus import loopback
from tminus.wiring import SystemClock

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]

RETRY_AFTER = "7"
_HTML = b"<html><body><h1>It works!</h1></body></html>"


@dataclass(frozen=True)
class Trouble:
    """One kind of trouble."""

    name: str
    talk: Talk | None
    """What the server does with a connection; none where nobody listens."""
    scheme: str = "http"
    certified: bool = False
    """Whether it speaks TLS, with a certificate that nobody trusts."""
    status: int = 0
    """The HTTP status of its answers, if it gives any."""
    over_http: bool = True
    """Whether only a system that is asked over HTTP can be in this trouble."""


async def _asked(reader: asyncio.StreamReader) -> None:
    """Read one request's head, or what there is of something else."""
    while (line := await reader.readline()) not in {b"", b"\r\n", b"\n"}:
        del line


async def _silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take everything and say nothing, until the other side has had enough."""
    while await reader.read(65_536):
        pass
    del writer


async def _half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin an answer and stop in the middle of it, with the connection open."""
    await _asked(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
    await _silent(reader, writer)


async def _cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Begin an answer and hang up in the middle of it."""
    await _asked(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
    await writer.drain()


async def _noise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer with what is no protocol at all."""
    await reader.read(1)
    writer.write(bytes(range(256)) * 4)
    await writer.drain()


def answers(status: int, body: bytes, kind: str = "application/json", **headers: str) -> Talk:
    """Give one answer to everything."""
    told = {"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close", **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in told.items())
    whole = f"HTTP/1.1 {status} So\r\n{head}\r\n".encode()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _asked(reader)
        writer.write(whole + body)
        await writer.drain()

    return talk


def _nonsense(name: str, body: bytes) -> Trouble:
    return Trouble(name, answers(200, body), status=200)


TROUBLES = (
    Trouble("nobody listens", None, over_http=False),
    Trouble("it takes the question and says nothing", _silent, over_http=False),
    Trouble("it stops in the middle of an answer", _half),
    Trouble("it hangs up in the middle of an answer", _cut),
    Trouble("it talks no protocol", _noise, over_http=False),
    Trouble("its certificate is nobody's", answers(200, b"{}"), scheme="https", certified=True),
    Trouble("it has no TLS where there should be one", answers(200, b"{}"), scheme="https"),
    Trouble("401", answers(401, b'{"message": "who are you?"}'), status=401),
    Trouble("403", answers(403, b"not you", "text/plain"), status=403),
    Trouble("429", answers(429, b"slow down", "text/plain", Retry_After=RETRY_AFTER), status=429),
    Trouble("500", answers(500, b"Traceback (most recent call last):", "text/plain"), status=500),
    Trouble("a web page where JSON should be", answers(200, _HTML, "text/html"), status=200),
    _nonsense("an empty answer", b""),
    _nonsense("an empty object", b"{}"),
    _nonsense("an empty list", b"[]"),
    _nonsense("null", b"null"),
    _nonsense("a list of numbers", b"[1, 2, 3]"),
    _nonsense("success without data", b'{"status": "success"}'),
    _nonsense(
        "data of another shape",
        b'{"status": "success", "data": {"result": [{}], "groups": [{"rules": [7]}]}}',
    ),
    _nonsense(
        "data that is text",
        b'{"status": "success", "data": {"result": "no", "groups": "no"}, "config": "no"}',
    ),
)
"""Every kind of trouble by which a system is tried."""


@asynccontextmanager
async def troubled(trouble: Trouble, folder: Path) -> AsyncIterator[str]:
    """A server in this trouble; its address."""
    port = loopback.free_port()
    address = f"{trouble.scheme}://127.0.0.1:{port}"
    if trouble.talk is None:
        yield address
        return
    talking: set[asyncio.Task[None]] = set()
    talk = trouble.talk

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talking.add(task)
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the other side has gone, or the test is over
        finally:
            talking.discard(task)
            writer.close()

    context = _unknown(folder) if trouble.certified else None
    server = await asyncio.start_server(one, "127.0.0.1", port, ssl=context)
    try:
        yield address
    finally:
        server.close()
        for task in [*talking]:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)


def _unknown(folder: Path) -> ssl.SSLContext:
    """TLS with a certificate that nobody has reason to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.fromtimestamp(SystemClock().now(), UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context

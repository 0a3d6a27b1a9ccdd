"""Mail by SMTP: a subject, plain text, and T-0 for the reader's calendar.

A login is sent over TLS only, or to this machine. A message is taken when the server has answered its data with 250;
where it breaks off before, nobody can tell, and the message is sent again under the same Message-ID.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import aiosmtplib

from tminus.control.ports import Clock
from tminus.domain.message import Message
from tminus.errors import UndeliveredError
from tminus.invitation import invitation, method

SECONDS = 15.0
"""For each answer of the server."""
_PORTS = {"smtp": 587, "smtps": 465}
_LONGEST_WORD = 120


@dataclass(frozen=True, slots=True)
class Mail:
    """See `Notifier`. `server` is what the plan says, a reference or an address; `resolve` leads to the address."""

    server: str
    sender: str
    resolve: Callable[[str], str] = field(repr=False)
    clock: Clock

    async def send(self, message: Message) -> str:
        """See `Notifier.send`."""
        server = _server(self.resolve(self.server).strip(), self.server)
        mail = self._written(message)
        client = aiosmtplib.SMTP(
            hostname=server.host, port=server.port, timeout=SECONDS, use_tls=server.tls, start_tls=False
        )
        where = f"{server.host}:{server.port}"
        try:
            async with client:
                await self._secured(client, server)
                # Raises where the one address is refused, so nothing is taken for it in part.
                _, said = await client.send_message(
                    mail, sender=parseaddr(self.sender)[1], recipients=[message.address]
                )
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            raise _refused(where, refused.code, refused.message) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(where, error.code, error.message) from error
        except aiosmtplib.SMTPTimeoutError as error:
            raise UndeliveredError(
                f"mail server {where}: no answer within {SECONDS:g} s", hint=_AWAY
            ) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            why = error.__cause__ if isinstance(error.__cause__, OSError) else error
            number = why.errno if isinstance(why, OSError) else None
            told = os.strerror(number) if number else _word(str(error))
            raise UndeliveredError(f"mail server {where}: {told}", hint=_AWAY) from error
        return f"250 {_word(said)}"

    async def _secured(self, client: aiosmtplib.SMTP, server: "_Server") -> None:
        """TLS where the server has it, and the login within it."""
        await client.ehlo()
        if not server.tls and client.supports_extension("starttls"):
            await client.starttls()
            await client.ehlo()
        elif not server.tls and server.user and not server.here:
            raise UndeliveredError(
                f"mail server {server.host}:{server.port} offers no TLS, so it gets no password",
                hint="use a server with TLS, `smtps://…`, or one that needs no login",
                after=None,
            )
        if server.user:
            await client.login(server.user, server.password)

    def _written(self, message: Message) -> EmailMessage:
        name, address = parseaddr(self.sender)
        domain = address.rpartition("@")[2]
        mail = EmailMessage()
        mail["Message-ID"] = f"<{message.key}@{domain}>"
        mail["Date"] = format_datetime(datetime.fromtimestamp(self.clock.now(), UTC))
        mail["From"] = Address(_word(name), addr_spec=address)
        mail["To"] = Address(_word(", ".join(message.names)), addr_spec=message.address)
        mail["Subject"] = message.subject
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.text)
        if message.appointment is not None:
            mail.add_attachment(
                invitation(message.appointment, address, message.address),
                maintype="text",
                subtype="calendar",
                filename="t-0.ics",
                params={"method": method(message.appointment), "charset": "utf-8"},
            )
        return mail


_AWAY = "is the mail server up, and may this machine reach it?"


@dataclass(frozen=True, slots=True)
class _Server:
    host: str
    port: int
    tls: bool
    """From the first byte."""
    user: str
    password: str = field(repr=False)

    @property
    def here(self) -> bool:
        """Whether it is on this machine, where nobody listens in."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def _server(address: str, said: str) -> _Server:
    try:
        parts = urlsplit(address)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        parts, port = urlsplit(""), 0
    if not (parts.hostname and port):
        raise UndeliveredError(
            f"{said} is no mail server", hint="put an address such as smtp://USER:PASSWORD@HOST:587 there"
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return _Server(parts.hostname, port, parts.scheme == "smtps", user, password)


def _refused(where: str, code: int, said: str) -> UndeliveredError:
    """4xx is a matter of time, 5xx is not; other numbers are no word of a mail server."""
    if 500 <= code < 600:
        hint = "see what the server says; it is not tried again"
        return UndeliveredError(
            f"mail server {where} refused it: {code} {_word(said)}", hint=hint, after=None
        )
    if 400 <= code < 500:
        hint = "nothing; it is tried again"
        return UndeliveredError(f"mail server {where} does not take it now: {code} {_word(said)}", hint=hint)
    return UndeliveredError(
        f"{where} does not answer as a mail server does", hint="see what listens at this address"
    )


def _word(text: str) -> str:
    """A system's own words in one short line."""
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return line if len(line) <= _LONGEST_WORD else f"{line[: _LONGEST_WORD - 1]}…"

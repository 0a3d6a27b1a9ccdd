"""A mailbox: mail in over SMTP, out over HTTP, as it came and in its parts."""

import email
import email.policy
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from .clock import written

LARGEST_BYTES = 1_000_000
"""A page is short; whoever sends more is refused by SMTP's own word (552)."""


@dataclass(slots=True)
class Mailbox:
    """Every mail that arrived, oldest first, whoever it was for."""

    mails: list[dict[str, Any]] = field(default_factory=list)

    def take(self, data: dict[str, Any], at: float) -> None:
        """Put a mail in."""
        message = email.message_from_string(data["source"], EmailMessage, policy=email.policy.default)
        body = message.get_body(("plain", "html"))
        self.mails.append(
            {
                "id": len(self.mails) + 1,
                "received": written(at),
                "sender": data["sender"],
                "recipients": data["recipients"],
                "subject": str(message.get("Subject", "")),
                "headers": {name: str(value) for name, value in message.items()},
                "text": body.get_content() if body is not None else "",
                "source": data["source"],
            }
        )

    def holding(self, text: str) -> list[dict[str, Any]]:
        """The mails that hold this text in their subject or body; every one for an empty text."""
        return [mail for mail in self.mails if text in mail["subject"] or text in mail["text"]]


class Postman:
    """What aiosmtpd asks when a mail has arrived (its handler protocol)."""

    def __init__(self, deliver: Callable[[dict[str, Any]], None]) -> None:
        self._deliver = deliver

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail; it is kept before it is answered."""
        content = envelope.content or b""
        source = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
        self._deliver(
            {"sender": envelope.mail_from or "", "recipients": list(envelope.rcpt_tos), "source": source}
        )
        return "250 kept by a stand-in"


def smtp(postman: Postman) -> SMTP:
    """The protocol of one connection."""
    return SMTP(postman, hostname="localhost", ident="a stand-in of tminus", data_size_limit=LARGEST_BYTES)
